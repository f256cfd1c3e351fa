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
	bool broken; /* our own last write() did not write all */
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

/* Whether a line would begin in the middle of another one. */
static bool file_is_broken(const struct exporter *exporter)
{
	char last;

	if (file_tail(exporter->options.eve_fd, &last, 1))
		return last != '\n';
	return exporter->broken;
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

/* 0, or negative errno with err filled: then the line does not stand there, or not whole. */
static int line_write(struct exporter *exporter, const char *line, size_t len, struct err *err)
{
	ssize_t wrote;

	do
		wrote = write(exporter->options.eve_fd, line, len);
	while (wrote < 0 && errno == EINTR);
	if (wrote == (ssize_t)len) {
		exporter->broken = false;
		return 0;
	}
	if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return err_set(err, -EAGAIN, "the reader of the EVE lines is slow");
	if (wrote < 0)
		return err_set(err, -errno,
		               "the EVE file cannot be written: %s; the lines wait",
		               strerror(errno));
	exporter->broken |= wrote > 0;
	return err_set(err, -ENOSPC, "the EVE file has no room; the lines wait");
}

static int batch_write(struct batch *batch, unsigned *ret_written, struct err *err)
{
	struct exporter *exporter = batch->exporter;
	struct exporter_cursor *cursor = exporter->cursor;
	size_t begin = 1;
	int r = 0;

	if (batch->count && file_is_broken(exporter))
		begin = 0;
	for (size_t i = 0; i < batch->count && r >= 0; begin = batch->end[i++]) {
		cursor->writing = batch->id[i];
		r = line_write(exporter, batch->text + begin, batch->end[i] - begin, err);
		if (r >= 0) {
			cursor->change = batch->id[i];
			(*ret_written)++;
		}
		cursor->writing = 0;
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

/* 1: there may be more. */
static int step_batch(struct exporter *exporter, unsigned *ret_written, struct err *err)
{
	CLEANUP(batch_release) struct batch batch = {.exporter = exporter};
	int r;

	batch.file = open_memstream(&batch.text, &batch.size);
	if (!batch.file || fputc('\n', batch.file) == EOF)
		return err_set(err, -ENOMEM, "out of memory");
	r = batch_read(&batch, err);
	if (r == -ENOENT || r == -ENODATA || r == -EBUSY) {
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
	do
		r = step_batch(exporter, ret_written, err);
	while (r > 0);
	return r;
}
