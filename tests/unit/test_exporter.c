/*
 * test_exporter.c - what the exporter writes and when: nothing twice, nothing left out, no line in
 * the middle of another, whatever dies or is full.
 */
#include "monitor/exporter.h"
#include "monitor/export/eve.h"
#include "schema/flowdb_sql.h"
#include "tests/lib/dbkit.h"
#include "tests/lib/jsonkit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* A database that its writer has open, the EVE file beside it, and an exporter between them. */
struct bench {
	struct dbkit kit;
	char path[96];
	int fd;
	struct exporter_cursor cursor;
	struct exporter *exporter;
	char *text;   /* of the file, by bench_read() */
	char **lines; /* in it, each ended by NUL */
	unsigned count;
};

static void bench_renew(struct bench *bench)
{
	const struct exporter_options options = {.dir = bench->kit.dir,
						 .eve_fd = bench->fd,
						 .run = bench->kit.run,
						 .cursor = &bench->cursor};

	exporter_free(bench->exporter);
	assert_int_equal(exporter_new(&options, &bench->exporter, NULL), 0);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	dbkit_open(&bench->kit);
	snprintf(bench->path, sizeof(bench->path), "%s/eve.json", bench->kit.dir);
	bench->fd = open(bench->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	assert_true(bench->fd >= 0);
	bench_renew(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	exporter_free(bench->exporter);
	close(bench->fd);
	dbkit_close(&bench->kit);
	free(bench->lines);
	free(bench->text);
	free(bench);
	return 0;
}

/* Commits, and goes on writing. */
static void bench_commit(struct bench *bench)
{
	assert_int_equal(flowdb_commit(bench->kit.db, NULL), 0);
	assert_int_equal(flowdb_begin(bench->kit.db, NULL), 0);
}

/* Steps; returns how many lines were written. */
static unsigned bench_step(struct bench *bench)
{
	struct err err = {0};
	unsigned written = 99;
	int r = exporter_step(bench->exporter, &written, &err);

	if (r)
		fail_msg("%d: %s", r, err.text);
	return written;
}

/* Reads the file; it must end with a newline. */
static void bench_read(struct bench *bench)
{
	FILE *file = fopen(bench->path, "r");
	size_t size = 0, room = 0;
	ssize_t len;

	assert_non_null(file);
	free(bench->text);
	free(bench->lines);
	bench->text = NULL;
	bench->lines = NULL;
	bench->count = 0;
	len = getdelim(&bench->text, &size, '\0', file);
	if (len > 0)
		assert_int_equal(bench->text[len - 1], '\n');
	/* No strchr(): a sanitizer's measures all of the text behind it. */
	for (char *line = bench->text, *end; *line; line = end + 1) {
		end = memchr(line, '\n', (size_t)(bench->text + len - line));
		*end = '\0';
		assert_int_equal(array_reserve(&bench->lines, &room, bench->count + 1, sizeof(char *)), 0);
		bench->lines[bench->count++] = line;
	}
	fclose(file);
}

static const char *bench_line(struct bench *bench, unsigned n)
{
	bench_read(bench);
	assert_true(n < bench->count);
	return bench->lines[n];
}

static struct finding_row row_of(const struct bench *bench, const char *remote)
{
	struct finding_row row = {
		.unit = bench->kit.unit,
		.kind = KIND_PEER,
		.severity = SEVERITY_HIGH,
		.transport = TRANSPORT_TCP,
		.port = "443",
		.first_us = DBKIT_DAY,
		.last_us = DBKIT_DAY + 5,
		.flows = 1,
		.kept = 1,
		.open = true,
		.reason = "why",
	};

	text_copy(row.remote, sizeof(row.remote), remote);
	return row;
}

static void put(struct bench *bench, const struct finding_row *row, int64_t *id)
{
	assert_int_equal(flowdb_finding_put(bench->kit.db, row, id, NULL), 0);
}

/* `count` findings, each of its own peer. */
static void put_many(struct bench *bench, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++) {
		struct finding_row row;
		char remote[32];
		int64_t id = 0;

		snprintf(remote, sizeof(remote), "10.%u.%u.0/24", i / 256, i % 256);
		row = row_of(bench, remote);
		put(bench, &row, &id);
	}
}

/* The next run of the writer; the exporter is asked for its changes. */
static void next_run(struct bench *bench)
{
	const struct run_row run = {
		.version = "1", .source = "file", .inputs = "next.pcap", .filter = ""};

	assert_int_equal(flowdb_run_begin(bench->kit.db, &run, &bench->kit.run, NULL), 0);
	bench->cursor = (struct exporter_cursor){0};
	bench_renew(bench);
}

/* ----------------------------------------------------------- what is told */

static void a_finding_is_one_line_when_it_opens_and_none_later(void **state)
{
	struct bench *bench = *state;
	struct flow_facts first = dbkit_facts(5, "10.9.9.9", 443),
			  later = dbkit_facts(9, "10.9.9.8", 443);
	struct finding_row row = row_of(bench, "10.9.9.0/24");
	char flow_id[24];
	int64_t id = 0, flow;
	const char *line;

	row.open = false; /* the recorder numbers a finding before it opens */
	row.flows = 0;
	put(bench, &row, &id);
	dbkit_flow(&bench->kit, &later, NULL, id);
	flow = dbkit_flow(&bench->kit, &first, NULL, id);
	row.open = true;
	row.flows = 2;
	put(bench, &row, &id);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 1);
	row.flows = 700;
	row.last_us += 1000000;
	put(bench, &row, &id);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 0);
	line = bench_line(bench, 0);
	snprintf(flow_id, sizeof(flow_id), "%lld", (long long)flow);
	assert_true(jsonkit_is(line, "$.timestamp", "2026-11-22T00:00:00.000000+0000"));
	assert_true(jsonkit_is(line, "$.flow_id", flow_id));
	assert_true(jsonkit_is(line, "$.dest_ip", "10.9.9.9"));
	assert_true(jsonkit_is(line, "$.teamline.finding", "F1"));
	assert_true(jsonkit_is(line, "$.teamline.unit", "boardroom"));
	assert_true(jsonkit_is(line, "$.teamline.state", "open"));
	assert_true(jsonkit_is(line, "$.teamline.flows", "2"));
}

static void waiving_closing_and_reopening_are_a_line_each_in_order(void **state)
{
	static const struct {
		bool open;
		const char *waiver, *word;
	} turns[] = {{true, "", "open"},	      {true, "netops: x (until 2026-12-31)", "waived"},
		     {false, "netops: x (until 2026-12-31)", "closed"},
		     {true, "", "open"},	      {false, "", "closed"}};
	struct bench *bench = *state;
	struct finding_row row = row_of(bench, "10.9.9.0/24");
	int64_t id = 0;

	for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
		row.open = turns[i].open;
		row.last_us = DBKIT_DAY + (int64_t)i;
		text_copy(row.waiver, sizeof(row.waiver), turns[i].waiver);
		put(bench, &row, &id);
		bench_commit(bench);
		if (i != 2) /* two changes may come in one step */
			assert_int_equal(bench_step(bench), i == 3 ? 2 : 1);
	}
	for (unsigned i = 0; i < ARRAY_LEN(turns); i++) {
		char time[64];

		snprintf(time, sizeof(time), "2026-11-22T00:00:00.00000%u+0000", i);
		assert_true(jsonkit_is(bench_line(bench, i), "$.teamline.state", turns[i].word));
		assert_true(jsonkit_is(bench_line(bench, i), "$.timestamp", time));
		assert_true(jsonkit_is(bench_line(bench, i), "$.teamline.finding", "F1"));
	}
}

static void a_finding_that_opens_and_closes_within_one_commit_is_no_line(void **state)
{
	struct bench *bench = *state;
	struct finding_row row = row_of(bench, "10.9.9.0/24");
	int64_t id = 0;

	row.open = false;
	put(bench, &row, &id);
	row.flows++;
	put(bench, &row, &id);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 0);
}

static void what_is_not_committed_is_not_told(void **state)
{
	struct bench *bench = *state;

	bench_commit(bench);
	put_many(bench, 0, 3);
	assert_int_equal(bench_step(bench), 0);
	flowdb_rollback(bench->kit.db);
	assert_int_equal(flowdb_begin(bench->kit.db, NULL), 0);
	assert_int_equal(bench_step(bench), 0);
	put_many(bench, 0, 2);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 2);
}

static void a_finding_of_an_earlier_run_is_told_once_when_it_is_seen_again(void **state)
{
	struct bench *bench = *state;
	struct finding_row old = row_of(bench, "10.1.0.0/24"), again = row_of(bench, "10.2.0.0/24");
	int64_t old_id = 0, again_id = 0;

	put(bench, &old, &old_id);
	put(bench, &again, &again_id);
	next_run(bench);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 0);
	for (unsigned i = 0; i < 3; i++) {
		again.flows++;
		again.last_us += 1000000;
		put(bench, &again, &again_id);
		old.severity = SEVERITY_LOW; /* rewritten, but nothing was seen */
		put(bench, &old, &old_id);
		bench_commit(bench);
		assert_int_equal(bench_step(bench), i == 0);
	}
	assert_true(jsonkit_is(bench_line(bench, 0), "$.teamline.finding", "F2"));
	assert_true(jsonkit_is(bench_line(bench, 0), "$.teamline.state", "open"));
	assert_true(jsonkit_is(bench_line(bench, 0), "$.teamline.run", "2"));
	assert_true(jsonkit_is(bench_line(bench, 0), "$.timestamp", "2026-11-22T00:00:01.000005+0000"));
}

static void ten_thousand_findings_leave_in_one_step_in_order(void **state)
{
	enum { COUNT = 10000 };
	struct bench *bench = *state;

	put_many(bench, 0, COUNT);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), COUNT);
	bench_read(bench);
	assert_int_equal(bench->count, COUNT);
	for (unsigned n = 0; n < COUNT; n++) {
		char want[48];

		snprintf(want, sizeof(want), "\"teamline\":{\"finding\":\"F%u\",", n + 1);
		assert_non_null(strstr(bench->lines[n], want));
		if (n % 100 == 0)
			assert_true(jsonkit_valid(bench->lines[n]));
	}
	assert_int_equal(bench_step(bench), 0);
}

static void hostile_names_in_the_database_stay_one_line(void **state)
{
	static const char *const names[] = {"a\"b\\c\nd", "\x01\x1b]0;x\x07\x7f", "\xff\xc3", "\"}}\n{"};
	struct bench *bench = *state;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		struct finding_row row = row_of(bench, "10.1.0.0/24");
		int64_t id = 0;

		row.unit = dbkit_unit(&bench->kit, names[i]);
		text_copy(row.reason, sizeof(row.reason), names[i]);
		put(bench, &row, &id);
	}
	bench_commit(bench);
	assert_int_equal(bench_step(bench), ARRAY_LEN(names));
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		assert_true(jsonkit_valid(bench_line(bench, i)));
	assert_true(jsonkit_is(bench_line(bench, 0), "$.teamline.unit", names[0]));
	assert_true(jsonkit_is(bench_line(bench, 2), "$.teamline.unit", "\xef\xbf\xbd\xef\xbf\xbd"));
}

/* ------------------------------------------------------------- successors */

static void a_successor_neither_repeats_nor_skips(void **state)
{
	struct bench *bench = *state;

	put_many(bench, 0, 300);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 300);
	put_many(bench, 300, 5);
	bench_commit(bench);
	bench_renew(bench);
	assert_int_equal(bench_step(bench), 5);
	assert_true(jsonkit_is(bench_line(bench, 300), "$.teamline.finding", "F301"));
	bench_renew(bench);
	assert_int_equal(bench_step(bench), 0);
}

static void a_line_whose_writer_died_before_it_could_say_so_is_not_repeated(void **state)
{
	struct bench *bench = *state;

	put_many(bench, 0, 3);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 3);
	bench->cursor = (struct exporter_cursor){.change = 2, .writing = 3};
	bench_renew(bench);
	assert_int_equal(bench_step(bench), 0);
	assert_int_equal(bench->cursor.change, 3);
}

static void a_line_whose_writer_died_before_it_wrote_is_written(void **state)
{
	struct bench *bench = *state;

	put_many(bench, 0, 2);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 2);
	put_many(bench, 2, 1);
	bench_commit(bench);
	bench->cursor = (struct exporter_cursor){.change = 2, .writing = 3};
	bench_renew(bench);
	assert_int_equal(bench_step(bench), 1);
	assert_true(jsonkit_is(bench_line(bench, 2), "$.teamline.change", "3"));
}

/* Whether the lines are of the changes 1 to `count`, each once, in order; lines that are no JSON are skipped. */
static void each_once(struct bench *bench, unsigned count)
{
	unsigned next = 1;

	bench_read(bench);
	for (unsigned i = 0; i < bench->count; i++) {
		const char *line = bench->lines[i];
		char tail[EVE_TAIL_TEXT];
		size_t len = strlen(eve_tail(bench->kit.run, next, tail)) - 1; /* no newline */

		if (!jsonkit_valid(line))
			continue;
		if (strlen(line) < len || memcmp(line + strlen(line) - len, tail, len))
			fail_msg("not change %u: %s", next, line);
		next++;
	}
	assert_int_equal(next, count + 1);
}

static void exporters_killed_at_any_moment_tell_each_change_once(void **state)
{
	struct bench *bench = *state;
	struct exporter_cursor *cursor = mmap(NULL, sizeof(*cursor), PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct exporter_options options = {.dir = bench->kit.dir,
						 .eve_fd = bench->fd,
						 .run = bench->kit.run,
						 .cursor = cursor};
	unsigned random = 12345, written, amid = 0, count = 0;
	struct exporter *last = NULL;

	assert_true(cursor != MAP_FAILED);
	for (unsigned i = 0; i < 200 && amid < 40; i++) {
		int64_t before = cursor->change;
		struct exporter *exporter;
		pid_t pid;

		if (cursor->change + 500 > count) {
			put_many(bench, count, 1000);
			bench_commit(bench);
			count += 1000;
		}
		pid = fork();
		if (!pid) {
			if (exporter_new(&options, &exporter, NULL) < 0)
				_exit(1);
			_exit(exporter_step(exporter, &written, NULL) < 0);
		}
		/* Let it write a few lines, then a moment more. */
		for (unsigned n = 0; n < 20000 && cursor->change < before + 20; n++)
			usleep(50);
		random = random * 1103515245 + 12345;
		usleep(random / 65536 % 200);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		amid += cursor->change > before && cursor->change < count;
	}
	assert_true(amid > 0);
	assert_int_equal(exporter_new(&options, &last, NULL), 0);
	assert_int_equal(exporter_step(last, &written, NULL), 0);
	exporter_free(last);
	munmap(cursor, sizeof(*cursor));
	each_once(bench, count);
}

/* --------------------------------------------------------------- the file */

static void a_line_that_another_writer_left_broken_is_ended_first(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(write(bench->fd, "{\"timestamp\":\"2026", 18), 18);
	put_many(bench, 0, 2);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 2);
	assert_string_equal(bench_line(bench, 0), "{\"timestamp\":\"2026");
	assert_true(jsonkit_is(bench_line(bench, 1), "$.teamline.finding", "F1"));
	assert_true(jsonkit_is(bench_line(bench, 2), "$.teamline.finding", "F2"));
	assert_int_equal(bench->count, 3);
}

/* RLIMIT_FSIZE cuts a write() short just as a full disk does, and then refuses. */
static void room_for(struct bench *bench, rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Ten lines through a disk that gains `more` bytes between two steps; how many steps it took. */
static unsigned squeeze(struct bench *bench, unsigned more, void (*between)(struct bench *bench))
{
	unsigned steps = 0, sum = 0, written;
	rlim_t room = 1;
	int r;

	signal(SIGXFSZ, SIG_IGN);
	put_many(bench, 0, 10);
	bench_commit(bench);
	do {
		struct err err = {0};

		room_for(bench, room);
		r = exporter_step(bench->exporter, &written, &err);
		room_for(bench, RLIM_INFINITY);
		if (r < 0 && r != -ENOSPC && r != -EFBIG)
			fail_msg("%d: %s", r, err.text);
		if (r < 0)
			assert_non_null(strstr(err.text, "the lines wait"));
		sum += written;
		room += more;
		if (between && ++steps % 5 == 0)
			between(bench);
	} while (r < 0 && room < 100000);
	assert_int_equal(r, 0);
	assert_int_equal(sum, 10);
	each_once(bench, 10);
	return steps;
}

static void a_full_disk_breaks_no_line(void **state)
{
	struct bench *bench = *state;

	squeeze(bench, 100, NULL);
	assert_int_equal(bench->count, 10);
}

static void a_successor_on_a_full_disk_ends_the_part_and_writes_the_whole_line(void **state)
{
	struct bench *bench = *state;
	unsigned steps = squeeze(bench, 200, bench_renew);

	assert_true(steps > 10);
	assert_in_range(bench->count, 12, 10 + steps / 5);
	for (unsigned i = 0; i < bench->count; i++) /* each by itself */
		assert_null(strstr(bench->lines[i] + 1, "{\"timestamp\""));
}

static void a_line_that_another_writer_broke_is_written_anew(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	unsigned written;

	signal(SIGXFSZ, SIG_IGN);
	put_many(bench, 0, 2);
	bench_commit(bench);
	room_for(bench, 100);
	assert_int_equal(exporter_step(bench->exporter, &written, &err), -ENOSPC);
	room_for(bench, RLIM_INFINITY);
	assert_int_equal(written, 0);
	assert_int_equal(write(bench->fd, "\"mine\"\n", 7), 7);
	assert_int_equal(bench_step(bench), 2);
	bench_read(bench);
	assert_int_equal(bench->count, 3);
	assert_true(jsonkit_is(bench->lines[1], "$.teamline.finding", "F1"));
	assert_true(jsonkit_is(bench->lines[2], "$.teamline.finding", "F2"));
}

static void a_file_open_for_writing_alone_will_do(void **state)
{
	struct bench *bench = *state;

	close(bench->fd);
	bench->fd = open(bench->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	bench_renew(bench);
	put_many(bench, 0, 3);
	bench_commit(bench);
	assert_int_equal(bench_step(bench), 3);
	bench->cursor = (struct exporter_cursor){.change = 2, .writing = 3};
	bench_renew(bench);
	assert_int_equal(bench_step(bench), 1); /* whether it stands there cannot be known */
	bench_read(bench);
	assert_int_equal(bench->count, 4);
	assert_string_equal(bench->lines[2], bench->lines[3]);
}

static void two_writers_of_one_file_never_mix_their_lines(void **state)
{
	enum { COUNT = 2000 };
	struct bench *bench = *state;
	unsigned seen = 0;
	pid_t pid[2];

	put_many(bench, 0, COUNT);
	bench_commit(bench);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			const struct exporter_options options = {
				.dir = bench->kit.dir,
				.eve_fd = open(bench->path, O_RDWR | O_APPEND | O_CLOEXEC),
				.run = bench->kit.run};
			struct exporter *exporter;
			unsigned written = 0;

			_exit(options.eve_fd < 0 || exporter_new(&options, &exporter, NULL) < 0 ||
			      exporter_step(exporter, &written, NULL) < 0 || written != COUNT);
		}
	}
	for (int i = 0; i < 2; i++) {
		int status = -1;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	bench_read(bench);
	for (unsigned i = 0; i < bench->count; i++) {
		if (!strncmp(bench->lines[i], "{\"timestamp\"", 12) &&
		    !strstr(bench->lines[i] + 1, "{\"timestamp\"") &&
		    !strcmp(bench->lines[i] + strlen(bench->lines[i]) - 2, "}}"))
			seen++;
	}
	assert_int_equal(seen, 2 * COUNT);
	assert_in_range(bench->count, 2 * COUNT, 2 * COUNT + 2); /* each may begin with an empty one */
}

static void a_slow_reader_of_a_pipe_gets_every_line_later(void **state)
{
	enum { COUNT = 500 };
	struct bench *bench = *state;
	FILE *copy = fopen(bench->path, "w");
	unsigned sum = 0, waits = 0;
	char buf[8192];
	int ends[2];
	ssize_t got;

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	close(bench->fd);
	bench->fd = ends[1];
	bench_renew(bench);
	put_many(bench, 0, COUNT);
	bench_commit(bench);
	for (unsigned i = 0; i < 200 && sum < COUNT; i++) {
		struct err err = {0};
		unsigned written;
		int r = exporter_step(bench->exporter, &written, &err);

		sum += written;
		if (r < 0)
			assert_int_equal(r, -EAGAIN);
		waits += r < 0;
		got = read(ends[0], buf, sizeof(buf));
		assert_true(got > 0 && fwrite(buf, 1, (size_t)got, copy) == (size_t)got);
	}
	while ((got = read(ends[0], buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)got, copy);
	fclose(copy);
	close(ends[0]);
	assert_int_equal(sum, COUNT);
	assert_true(waits > 0);
	each_once(bench, COUNT);
}

static void a_pipe_that_nobody_reads_is_an_error_and_no_end(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	unsigned written;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	close(bench->fd);
	bench->fd = ends[1];
	bench_renew(bench);
	put_many(bench, 0, 1);
	bench_commit(bench);
	assert_int_equal(exporter_step(bench->exporter, &written, &err), -EPIPE);
	assert_int_equal(written, 0);
	assert_int_equal(bench->cursor.change, 0);
}

/* ----------------------------------------------------------- the database */

static void database_is_awaited(struct bench *bench, const char *dir, const char *words)
{
	const struct exporter_options options = {.dir = dir, .eve_fd = bench->fd, .run = 1};
	struct exporter *exporter = NULL;
	struct err err = {0};
	unsigned written = 99;

	assert_int_equal(exporter_new(&options, &exporter, &err), 0);
	assert_int_equal(exporter_step(exporter, &written, &err), -EAGAIN);
	assert_int_equal(err.code, -EAGAIN);
	assert_int_equal(written, 0);
	if (!strstr(err.text, words))
		fail_msg("no '%s' in: %s", words, err.text);
	exporter_free(exporter);
}

static void sql(sqlite3 *db, const char *text)
{
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3 *sql_open(const char *dir)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void a_database_that_is_not_there_yet_is_awaited(void **state)
{
	struct bench *bench = *state;
	char path[128];

	database_is_awaited(bench, "/tmp/tlmon-no-such-dir", "no flow database there");
	snprintf(path, sizeof(path), "%s/flows.db", bench->kit.dir);
	flowdb_rollback(bench->kit.db);
	flowdb_close(bench->kit.db);
	bench->kit.db = NULL;
	assert_int_equal(truncate(path, 0), 0); /* as its writer has just made it */
	database_is_awaited(bench, bench->kit.dir, "empty");
}

static void an_older_database_is_awaited_until_its_writer_has_changed_it(void **state)
{
	struct bench *bench = *state;
	sqlite3 *db;

	dbkit_done(&bench->kit);
	db = sql_open(bench->kit.dir);
	sql(db, "PRAGMA user_version = 1");
	sqlite3_close(db);
	database_is_awaited(bench, bench->kit.dir, "version 1");
}

static void a_locked_database_is_awaited(void **state)
{
	struct bench *bench = *state;
	sqlite3 *db;

	put_many(bench, 0, 1);
	dbkit_done(&bench->kit);
	db = sql_open(bench->kit.dir);
	sql(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE unit SET name = 'x'");
	database_is_awaited(bench, bench->kit.dir, "locked");
	sql(db, "ROLLBACK");
	sqlite3_close(db);
	assert_int_equal(bench_step(bench), 1);
}

/* A step by somebody who may read the database alone, as the exporter's sandbox has it; its result. */
static int step_as_reader(struct bench *bench)
{
	static const char *const files[] = {"flows.db", "flows.db-wal", "flows.db-shm"};
	int status = -1;
	char path[128];
	pid_t pid;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", bench->kit.dir, files[i]);
		chmod(path, 0444);
	}
	assert_int_equal(chmod(bench->kit.dir, 0555), 0);
	pid = fork();
	if (!pid) {
		unsigned written;

		if (!geteuid() && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(1);
		_exit(-exporter_step(bench->exporter, &written, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(chmod(bench->kit.dir, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", bench->kit.dir, files[i]);
		chmod(path, 0644);
	}
	return -WEXITSTATUS(status);
}

static void what_a_recorder_that_died_committed_is_told_by_who_may_only_read(void **state)
{
	struct bench *bench = *state;
	char shm[128];
	pid_t pid;

	dbkit_done(&bench->kit);
	pid = fork();
	if (!pid) {
		if (flowdb_open(bench->kit.dir, FLOWDB_WRITE, &bench->kit.db, NULL) < 0 ||
		    flowdb_begin(bench->kit.db, NULL) < 0)
			_exit(1);
		put_many(bench, 0, 3);
		_exit(flowdb_commit(bench->kit.db, NULL) < 0); /* and never closed */
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(step_as_reader(bench), 0);
	bench_read(bench);
	assert_int_equal(bench->count, 3);
	/* Also without the WAL's index. */
	bench->cursor = (struct exporter_cursor){0};
	snprintf(shm, sizeof(shm), "%s/flows.db-shm", bench->kit.dir);
	assert_int_equal(unlink(shm), 0);
	assert_int_equal(step_as_reader(bench), 0);
	bench_read(bench);
	assert_int_equal(bench->count, 6);
}

static void a_damaged_database_is_an_error(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};
	char path[128];
	unsigned written;
	FILE *file;

	dbkit_done(&bench->kit);
	snprintf(path, sizeof(path), "%s/flows.db", bench->kit.dir);
	file = fopen(path, "w");
	for (int i = 0; i < 100; i++)
		fputs("no database at all. ", file);
	fclose(file);
	assert_int_equal(exporter_step(bench->exporter, &written, &err), -EBADMSG);
	assert_int_equal(bench->cursor.change, 0);
}

static int stop(void *context, const struct change_view *change, struct err *err)
{
	++*(unsigned *)context;
	return 0;
}

static unsigned work; /* steps of SQLite's machine, by a callback that is given no context of ours */

static int count_work(unsigned kind, void *context, void *stmt, void *ns)
{
	work += (unsigned)sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
	assert_int_equal(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 1), 0);
	return 0;
}

/* 100,000 units, and the question comes once a second. */
static void asking_what_is_new_looks_at_nothing_old(void **state)
{
	enum { COUNT = 5000 };
	struct bench *bench = *state;
	struct flowdb *db = NULL;
	int64_t last = 0;
	unsigned got = 0;

	put_many(bench, 0, COUNT);
	next_run(bench);
	put_many(bench, COUNT, 3);
	for (int i = 0; i < 2000; i++) {
		struct flow_facts facts = dbkit_facts(i, "10.9.9.9", 443);

		dbkit_flow(&bench->kit, &facts, NULL, COUNT + 1 + i % 3);
	}
	bench_commit(bench);
	assert_int_equal(flowdb_open(bench->kit.dir, FLOWDB_READ, &db, NULL), 0);
	sqlite3_trace_v2(db->sql, SQLITE_TRACE_PROFILE, count_work, NULL);
	work = 0;
	assert_int_equal(flowdb_last_change(db, bench->kit.run, &last, NULL), 0);
	assert_int_equal(last, COUNT);
	assert_in_range(work, 1, 100);
	work = 0;
	assert_int_equal(flowdb_finding_changes(db, bench->kit.run, last, 256, stop, &got, NULL), 0);
	assert_int_equal(got, 3);
	assert_in_range(work, 1, 400);
	flowdb_close(db);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_finding_is_one_line_when_it_opens_and_none_later),
		TEST(waiving_closing_and_reopening_are_a_line_each_in_order),
		TEST(a_finding_that_opens_and_closes_within_one_commit_is_no_line),
		TEST(what_is_not_committed_is_not_told),
		TEST(a_finding_of_an_earlier_run_is_told_once_when_it_is_seen_again),
		TEST(ten_thousand_findings_leave_in_one_step_in_order),
		TEST(hostile_names_in_the_database_stay_one_line),
		TEST(a_successor_neither_repeats_nor_skips),
		TEST(a_line_whose_writer_died_before_it_could_say_so_is_not_repeated),
		TEST(a_line_whose_writer_died_before_it_wrote_is_written),
		TEST(exporters_killed_at_any_moment_tell_each_change_once),
		TEST(a_line_that_another_writer_left_broken_is_ended_first),
		TEST(a_full_disk_breaks_no_line),
		TEST(a_successor_on_a_full_disk_ends_the_part_and_writes_the_whole_line),
		TEST(a_line_that_another_writer_broke_is_written_anew),
		TEST(a_file_open_for_writing_alone_will_do),
		TEST(two_writers_of_one_file_never_mix_their_lines),
		TEST(a_slow_reader_of_a_pipe_gets_every_line_later),
		TEST(a_pipe_that_nobody_reads_is_an_error_and_no_end),
		TEST(a_database_that_is_not_there_yet_is_awaited),
		TEST(an_older_database_is_awaited_until_its_writer_has_changed_it),
		TEST(a_locked_database_is_awaited),
		TEST(what_a_recorder_that_died_committed_is_told_by_who_may_only_read),
		TEST(a_damaged_database_is_an_error),
		TEST(asking_what_is_new_looks_at_nothing_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
