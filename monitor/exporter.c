/*
 * exporter.c - see exporter.h. Invariants:
 *  (1) The database is not open while we write: a slow disk or pipe never holds back its WAL.
 *  (2) A line is written only when the answer it came from is known to be of one moment.
 *  (3) Lines leave in the order of the changes; cursor->change is moved past one when it is whole.
 */
#include "monitor/exporter.h"
#include "monitor/export/eve.h"

#include <sys/stat.h>
#include <unistd.h>

#define BATCH 256 /* lines taken from the database at a time */

struct exporter {
	struct exporter_options options;
	struct exporter_cursor own; /* where the caller gave none */
	struct exporter_cursor *cursor;
	bool looked; /* at the end of the file: it is not in the middle of a line of somebody else */
	/* The line that a write() did not write all of; text NULL: none. */
	struct {
		char *text;
		size_t len, done;
		int64_t change;
		off_t end; /* where the file ended then; -1: it is no file */
	} part;
};

/* Lines on their way, each after a newline: of the line before, or one that ends a broken line. */
struct batch {
	struct exporter *exporter;
	struct flowdb *db;
	const struct change_view *change; /* whose line is being made */
	FILE *file;
	char *text;
	size_t size, count;
	size_t end[BATCH]; /* where each line ends in `text` */
	int64_t id[BATCH]; /* whose it is */
};

int exporter_new(const struct exporter_options *options, struct exporter **ret, struct err *err)
{
	struct exporter *exporter = calloc(1, sizeof(*exporter));

	if (!exporter)
		return err_set(err, -ENOMEM, "out of memory");
	exporter->options = *options;
	exporter->cursor = options->cursor ? options->cursor : &exporter->own;
	*ret = exporter;
	return 0;
}

void exporter_free(struct exporter *exporter)
{
	if (exporter)
		free(exporter->part.text);
	free(exporter);
}

void exporter_freep(struct exporter **exporter)
{
	exporter_free(*exporter);
	*exporter = NULL;
}

/* ---------------------------------------------------------------- the file */

/* The last `len` bytes of the file; false where they cannot be known. */
static bool file_tail(int fd, char *buf, size_t len)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size >= (off_t)len &&
	       pread(fd, buf, len, st.st_size - (off_t)len) == (ssize_t)len;
}

/* Our predecessor died while it wrote a line: does it stand there? Then it is not written again. */
static void settle_predecessor(struct exporter *exporter)
{
	struct exporter_cursor *cursor = exporter->cursor;
	char tail[EVE_TAIL_TEXT], there[EVE_TAIL_TEXT];
	size_t len = strlen(eve_tail(exporter->options.run, cursor->writing, tail));

	if (cursor->writing > cursor->change &&
	    file_tail(exporter->options.eve_fd, there, len) && !memcmp(there, tail, len))
		cursor->change = cursor->writing;
	cursor->writing = 0;
}

static off_t file_end(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) ? st.st_size : -1;
}

/* Writes what is left of `line`; *done grows. 0: all of it; else negative errno with err filled. */
static int line_write(struct exporter *exporter, const char *line, size_t len, size_t *done,
                      struct err *err)
{
	ssize_t wrote;

	do
		wrote = write(exporter->options.eve_fd, line + *done, len - *done);
	while (wrote < 0 && errno == EINTR);
	if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return err_set(err, -EAGAIN, "the reader of the EVE lines is slow");
	if (wrote < 0)
		return err_set(err, -errno,
		               "the EVE file cannot be written: %s; the lines wait",
		               strerror(errno));
	*done += (size_t)wrote;
	return *done == len ? 0
	                    : err_set(err, -ENOSPC, "the EVE file has no room; the lines wait");
}

/* The line of a change, whole or what is left of it: afterwards the cursor knows whether it stands. */
static int change_write(struct exporter *exporter, int64_t change, const char *line, size_t len,
                        size_t *done, unsigned *ret_written, struct err *err)
{
	struct exporter_cursor *cursor = exporter->cursor;
	int r;

	cursor->writing = change;
	r = line_write(exporter, line, len, done, err);
	if (r >= 0) {
		cursor->change = change;
		(*ret_written)++;
	}
	cursor->writing = 0;
	return r;
}

/* Keeps the line of which `done` bytes stand in the file. */
static void part_keep(struct exporter *exporter, int64_t change, const char *line, size_t len,
                      size_t done)
{
	exporter->part.text = malloc(len);
	exporter->looked = false; /* should it be lost */
	if (!exporter->part.text)
		return;
	memcpy(exporter->part.text, line, len);
	exporter->part.len = len;
	exporter->part.done = done;
	exporter->part.change = change;
	exporter->part.end = file_end(exporter->options.eve_fd);
}

/* The rest of a line, unless somebody wrote behind its first part: then it is begun anew. */
static int part_finish(struct exporter *exporter, unsigned *ret_written, struct err *err)
{
	int fd = exporter->options.eve_fd, r = 0;

	if (!exporter->part.text)
		return 0;
	if (file_end(fd) == exporter->part.end) {
		r = change_write(exporter, exporter->part.change, exporter->part.text,
		                 exporter->part.len, &exporter->part.done, ret_written, err);
		exporter->part.end = file_end(fd);
		exporter->looked = r >= 0;
	}
	if (r >= 0) {
		free(exporter->part.text);
		exporter->part.text = NULL;
	}
	return r;
}

static int batch_write(struct batch *batch, unsigned *ret_written, struct err *err)
{
	struct exporter *exporter = batch->exporter;
	size_t begin = 1;
	char last;
	int r = 0;

	if (batch->count && !exporter->looked) {
		if (file_tail(exporter->options.eve_fd, &last, 1) && last != '\n')
			begin = 0;
		exporter->looked = true;
	}
	for (size_t i = 0; i < batch->count && r >= 0; begin = batch->end[i++]) {
		const char *line = batch->text + begin;
		size_t len = batch->end[i] - begin, done = 0;

		r = change_write(exporter, batch->id[i], line, len, &done, ret_written, err);
		if (r < 0 && done)
			part_keep(exporter, batch->id[i], line, len, done);
	}
	return r;
}

/* ------------------------------------------------------------ the database */

static int put_line(void *context, const struct flow_view *flow, struct err *err)
{
	struct batch *batch = context;

	eve_put(batch->file, batch->change, flow);
	return 0;
}

static int put_change(void *context, const struct change_view *change, struct err *err)
{
	struct batch *batch = context;
	int r = 0;

	batch->change = change;
	if (change->flow)
		r = flowdb_flow(batch->db, change->flow, put_line, batch, err);
	if (r < 0)
		return r;
	if (!r)
		eve_put(batch->file, change, NULL);
	if (fflush(batch->file))
		return err_set(err, -ENOMEM, "out of memory");
	batch->end[batch->count] = batch->size;
	batch->id[batch->count++] = change->id;
	return 0;
}

static int batch_read(struct batch *batch, struct err *err)
{
	const struct exporter *exporter = batch->exporter;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	int64_t after = exporter->cursor->change;
	int r = flowdb_open(exporter->options.dir, FLOWDB_READ, &db, err);

	batch->db = db;
	if (r >= 0 && !after)
		r = flowdb_last_change(db, exporter->options.run, &after, err);
	if (r >= 0)
		r = flowdb_finding_changes(db, exporter->options.run, after, BATCH, put_change,
		                           batch, err);
	if (r >= 0)
		r = flowdb_check(db, err);
	batch->db = NULL;
	return r;
}

static void batch_release(struct batch *batch)
{
	fclosep(&batch->file);
	free(batch->text);
}

/*
 * Not there yet, empty yet, of an older version yet, locked, or a recorder died and left a WAL that only a
 * writer can recover: the recorder is about to mend it.
 */
static bool comes_by_itself(int r)
{
	return r == -ENOENT || r == -ENODATA || r == -EPROTO || r == -EBUSY || r == -EROFS;
}

/* 1: there may be more. */
static int step_batch(struct exporter *exporter, unsigned *ret_written, struct err *err)
{
	CLEANUP(batch_release) struct batch batch = {.exporter = exporter};
	int r;

	batch.file = open_memstream(&batch.text, &batch.size);
	if (!batch.file || fputc('\n', batch.file) == EOF)
		return err_set(err, -ENOMEM, "out of memory");
	r = batch_read(&batch, err);
	if (r < 0 && comes_by_itself(r)) {
		if (err)
			err->code = -EAGAIN;
		return -EAGAIN;
	}
	if (r >= 0)
		r = batch_write(&batch, ret_written, err);
	return r < 0 ? r : batch.count == BATCH;
}

int exporter_step(struct exporter *exporter, unsigned *ret_written, struct err *err)
{
	int r;

	*ret_written = 0;
	settle_predecessor(exporter);
	r = part_finish(exporter, ret_written, err);
	if (r < 0)
		return r;
	do
		r = step_batch(exporter, ret_written, err);
	while (r > 0);
	return r;
}
