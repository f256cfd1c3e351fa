/*
 * test_sandbox.c - every role locked in for real: what it must not do is tried from inside and kills it
 * or is refused, what it needs still works. A forked process plays the supervisor, its child the role.
 * As root both users are there; each case is also run as an ordinary user, and as without Landlock.
 */
#include "monitor/bell.h"
#include "monitor/process/sandbox.h"
#include "tests/lib/dbkit.h"

#include <assert.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define OWNER 4321 /* of the data directory, when root starts us: nobody else */
#define MIB (UINT64_C(1) << 20)

enum { AS_ROOT = 0, AS_ORDINARY = 1, WITHOUT_LANDLOCK = 2, WAYS = 4 };

/* What the processes of one test tell each other. */
struct board {
	_Atomic int ready;
	pid_t child[2];
	char missing[SANDBOX_MISSING];
	struct bell bell;
	char made[64]; /* a directory to be removed */
};
static struct board *board;
static char dir[64];

#define FOR_ROLES(role) \
	for (enum process_role role = PROCESS_SENSOR; role <= PROCESS_EXPORTER; role++)

static bool is_root(void)
{
	return geteuid() == 0;
}

/* A way that this test, not being root, cannot go. */
static bool cannot(unsigned way)
{
	return !(way & AS_ORDINARY) && !is_root();
}

static void become_ordinary(void)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (is_root() && (!nobody || setgid(nobody->pw_gid) < 0 || setuid(nobody->pw_uid) < 0))
		_exit(99);
	prctl(PR_SET_DUMPABLE, 1); /* as who was that user all along */
}

static void fail_in_child(const struct err *err)
{
	fprintf(stderr, "# %s\n", err->text);
	_exit(98);
}

/* The directory, empty, of the user that is to own it. */
static void make_dir(unsigned way)
{
	const struct passwd *nobody = getpwnam("nobody");
	char command[192];

	snprintf(command, sizeof(command), "rm -rf %s && mkdir -m 750 %s", dir, dir);
	assert_int_equal(system(command), 0);
	if (!is_root())
		return;
	assert_non_null(nobody);
	if (way & AS_ORDINARY)
		assert_int_equal(chown(dir, nobody->pw_uid, nobody->pw_gid), 0);
	else
		assert_int_equal(chown(dir, OWNER, OWNER), 0);
}

/* In the process that plays it. */
static struct sandbox_users supervisor(unsigned way, bool live)
{
	struct sandbox_users users = {0};
	struct err err = {0};

	if (way & AS_ORDINARY)
		become_ordinary();
	else if (setgroups(2, (gid_t[]){1, 2}) < 0) /* to be lost */
		_exit(96);
	if (sandbox_users_find(dir, &users, &err) < 0 ||
	    sandbox_supervisor(&users, live, &err) < 0)
		fail_in_child(&err);
	return users;
}

static void enter(unsigned way, enum process_role role, const struct sandbox_users *users,
                  uint64_t memory)
{
	struct sandbox_options options = {
		.role = role,
		.users = *users,
		.dir = role == PROCESS_RECORDER || role == PROCESS_EXPORTER ? dir : NULL,
		.memory = memory,
		.without_landlock = way & WITHOUT_LANDLOCK};
	struct err err = {0};

	if (sandbox_enter(&options, board->missing, &err) < 0)
		fail_in_child(&err);
}

static void nap(void)
{
	struct timespec span = {0, 2000000};

	nanosleep(&span, NULL);
}

/* How a process ended: its exit code, or the signal that killed it as a negative number. */
static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return 97;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Runs `body` inside the role: its result is the child's exit code. `before` is run in the child before it
 * locks itself in. Returns as end_of() does.
 */
struct play {
	unsigned way;
	enum process_role role;
	uint64_t memory;
	void (*before)(void);
	int (*body)(const void *context);
	const void *context;
};

static int play(const struct play *play)
{
	pid_t pid;

	fflush(NULL);
	make_dir(play->way);
	pid = fork();
	if (!pid) {
		struct sandbox_users users = supervisor(play->way, false);
		int end;

		pid = fork();
		if (!pid) {
			if (play->before)
				play->before();
			enter(play->way, play->role, &users, play->memory);
			_exit(play->body(play->context));
		}
		end = end_of(pid);
		_exit(end < 0 ? 128 - end : end);
	}
	int end = end_of(pid);

	return end > 128 ? 128 - end : end;
}

/* The same for all ways; the result is to be the same in all of them. */
static void each_way(enum process_role role, void (*before)(void),
                     int (*body)(const void *context), const void *context, int wanted)
{
	for (unsigned way = 0; way < WAYS; way++) {
		struct play it = {.way = way,
		                  .role = role,
		                  .before = before,
		                  .body = body,
		                  .context = context};
		int end = cannot(way) ? wanted : play(&it);

		if (end != wanted)
			fail_msg("%s, way %u: ended by %d, not %d", process_role_name(role),
			         way, end, wanted);
	}
}

/* ------------------------------------------------------------ what must not be */

static int try(const void *word)
{
	int r = sandbox_try(word);

	return r == 0 ? 100 : -r; /* 100: a hole */
}

static bool is_file(const char *word)
{
	return !strcmp(word, "open") || !strcmp(word, "write");
}

static void sensor_and_inspector_are_killed_by_whatever_is_tried(void **state)
{
	static const char *const WORDS[] = {SANDBOX_TRIES};

	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
		/* A sanitizer's report wants to open files: there it is refused instead. */
		int wanted = is_file(WORDS[i]) && sandbox_sanitized() ? EACCES : -SIGSYS;

		each_way(PROCESS_SENSOR, NULL, try, WORDS[i], wanted);
		each_way(PROCESS_INSPECTOR, NULL, try, WORDS[i], wanted);
	}
}

static void recorder_and_exporter_are_killed_by_all_that_is_no_file(void **state)
{
	static const char *const WORDS[] = {SANDBOX_TRIES};

	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
		if (is_file(WORDS[i]))
			continue;
		each_way(PROCESS_RECORDER, NULL, try, WORDS[i], -SIGSYS);
		each_way(PROCESS_EXPORTER, NULL, try, WORDS[i], -SIGSYS);
	}
}

static int try_named(const void *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	return fd < 0 ? errno : 100;
}

static int write_inside(const void *context)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/x", dir);
	return try_named(path);
}

static int truncate_outside(const void *context)
{
	return open("/dev/null", O_WRONLY | O_TRUNC) < 0 ? errno : 100;
}

static void recorder_writes_in_its_directory_alone(void **state)
{
	if (!sandbox_landlock())
		skip();
	for (unsigned way = 0; way < 2; way++) {
		struct play it = {
			.way = way, .role = PROCESS_RECORDER, .body = try, .context = "open"};

		if (cannot(way))
			continue;
		assert_int_equal(play(&it), EACCES);
		it.context = "write";
		assert_int_equal(play(&it), EACCES);
		it.body = truncate_outside;
		assert_int_equal(play(&it), EACCES);
		it.body = write_inside;
		assert_int_equal(play(&it), 100);
	}
}

static void exporter_writes_nowhere(void **state)
{
	if (!sandbox_landlock())
		skip();
	for (unsigned way = 0; way < 2; way++) {
		struct play it = {
			.way = way, .role = PROCESS_EXPORTER, .body = try, .context = "open"};

		if (cannot(way))
			continue;
		assert_int_equal(play(&it), EACCES);
		it.context = "write";
		assert_int_equal(play(&it), EACCES);
		it.body = write_inside;
		assert_int_equal(play(&it), EACCES);
	}
}

static int make_executable(const void *context)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	                       MAP_FAILED
	               ? errno
	               : 100;
}

static int signal_by_tgkill(const void *context)
{
	return tgkill(getppid(), getppid(), 0) < 0 ? errno : 100;
}

static int write_to_stdout(const void *context)
{
	return write(STDOUT_FILENO, "", 0) < 0 ? errno : 100;
}

static void no_role_maps_code_or_signals_a_thread_of_another(void **state)
{
	FOR_ROLES (role) {
		each_way(role, NULL, make_executable, NULL, -SIGSYS);
		each_way(role, NULL, signal_by_tgkill, NULL, -SIGSYS);
	}
	each_way(PROCESS_SENSOR, NULL, write_to_stdout, NULL, -SIGSYS);
	each_way(PROCESS_INSPECTOR, NULL, write_to_stdout, NULL, -SIGSYS);
	each_way(PROCESS_RECORDER, NULL, write_to_stdout, NULL, -SIGSYS);
}

static void a_try_that_is_none_is_said(void **state)
{
	assert_int_equal(sandbox_try("fly"), -EINVAL);
	assert_int_equal(sandbox_try("open"), 0); /* outside every sandbox it works */
}

/* ---------------------------------------------------------- what must still work */

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int work(const void *context)
{
	static int numbers[100000];
	struct timespec now, span = {0, 1000};
	char *big = malloc(64 * MIB);
	struct stat st;

	if (!big)
		return 1;
	memset(big, 1, 64 * MIB);
	big = realloc(big, 96 * MIB);
	if (!big || big[64 * MIB - 1] != 1)
		return 2;
	free(big);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		numbers[i] = (int)(i * 7919 % ARRAY_LEN(numbers));
	qsort(numbers, ARRAY_LEN(numbers), sizeof(*numbers), compare);
	if (numbers[1] != 1)
		return 3;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || nanosleep(&span, NULL) < 0)
		return 4;
	bell_wait(&board->bell, bell_listen(&board->bell), 1000);
	bell_listen(&board->bell);
	bell_ring(&board->bell);
	if (fstat(STDERR_FILENO, &st) < 0)
		return 5;
	return 0;
}

static void every_role_can_sleep_wake_and_take_memory(void **state)
{
	FOR_ROLES (role)
		each_way(role, NULL, work, NULL, 0);
}

static int die_by_abort(const void *context)
{
	abort();
}

/* Nothing said, and no handler of cmocka's. */
static void quiet(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	signal(SIGSEGV, SIG_DFL);
}

static int die_by_assert(const void *context)
{
	__assert_fail("the sky is up", "test_sandbox.c", 1, "die_by_assert");
}

static int die_by_smashed_heap(const void *context)
{
	char *volatile p = malloc(100);

	free(p);
	free(p); /* glibc says so, and aborts */
	return 0;
}

static int die_by_fault(const void *context)
{
	raise(SIGSEGV);
	return 0;
}

static void every_role_dies_as_itself(void **state)
{
	FOR_ROLES (role) {
		each_way(role, NULL, die_by_abort, NULL, -SIGABRT);
		each_way(role, quiet, die_by_assert, NULL, -SIGABRT);
		if (!sandbox_sanitized()) {
			each_way(role, quiet, die_by_smashed_heap, NULL, -SIGABRT);
			each_way(role, quiet, die_by_fault, NULL, -SIGSEGV);
		}
	}
}

/* A sanitizer's report comes out whole: nothing that it does on the way kills. */
static void a_sanitizer_can_report(void **state)
{
	if (!sandbox_sanitized())
		skip();
	FOR_ROLES (role)
		each_way(role, quiet, die_by_smashed_heap, NULL, 1);
}

static void on_signal(int signal)
{
	_exit(42);
}

static void set_handler(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &action, NULL);
}

static int signal_itself(const void *context)
{
	raise(SIGUSR1);
	return 0;
}

static void a_handler_of_signals_can_end_a_role(void **state)
{
	FOR_ROLES (role)
		each_way(role, set_handler, signal_itself, NULL, 42);
}

static FILE *opened;

static void open_passwd(void)
{
	opened = fopen("/etc/passwd", "re");
}

static int read_opened(const void *context)
{
	char line[256];

	if (!opened || !fgets(line, sizeof(line), opened))
		return 1;
	rewind(opened);
	return !fgets(line, sizeof(line), opened) || fclose(opened) ? 2 : 0;
}

static void what_was_opened_before_is_read(void **state)
{
	each_way(PROCESS_SENSOR, open_passwd, read_opened, NULL, 0);
	each_way(PROCESS_RECORDER, open_passwd, read_opened, NULL, 0);
	each_way(PROCESS_EXPORTER, open_passwd, read_opened, NULL, 0);
}

/* ------------------------------------------------------------------- databases */

static sqlite3 *db;

static void open_db(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ||
	    sqlite3_exec(
		    db,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		    "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 1000;"
		    "CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b BLOB, c INTEGER)",
		    NULL, NULL, NULL))
		db = NULL;
}

static int write_db(const void *when)
{
	/* 30 MB in one transaction, a rewrite of all of it that spills, an undone one, checkpoints. */
	static const char *const STEPS[] = {
		"BEGIN IMMEDIATE",
		("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
	         " INSERT INTO t SELECT i, randomblob(1000), i FROM n"),
		"COMMIT",
		"PRAGMA cache_size = 100",
		"BEGIN",
		"UPDATE t SET c = c + 1, b = randomblob(1000)",
		"CREATE INDEX t_c ON t(c DESC)",
		"ROLLBACK",
		"PRAGMA wal_checkpoint(TRUNCATE)",
		"DELETE FROM t WHERE a % 2",
		"PRAGMA wal_checkpoint(RESTART)",
		"VACUUM",
	};

	if (when)
		open_db();
	if (!db)
		return 50;
	for (size_t i = 0; i < ARRAY_LEN(STEPS); i++)
		if (sqlite3_exec(db, STEPS[i], NULL, NULL, NULL)) {
			fprintf(stderr, "# %s: %s\n", STEPS[i], sqlite3_errmsg(db));
			return 51 + (int)i;
		}
	return sqlite3_close(db) ? 49 : 0;
}

static void recorder_writes_a_database_opened_before_and_inside(void **state)
{
	struct play it = {.role = PROCESS_RECORDER, .body = write_db};

	/* Before: the child opens it as the owner, the supervisor's effective user. */
	it.way = is_root() ? AS_ROOT : AS_ORDINARY;
	it.before = open_db;
	assert_int_equal(play(&it), 0);
	it.way = AS_ORDINARY;
	it.before = NULL;
	it.context = "inside";
	assert_int_equal(play(&it), 0);
}

/* A finding of very many flows becomes part of another: one statement that rewrites pages by the hundred. */
static struct dbkit kit;
static int64_t folded, into;

static void open_flows(void)
{
	dbkit_open(&kit);
	chmod(kit.dir, 0750); /* as flowdb makes it */
	folded = dbkit_finding(&kit, kit.unit, KIND_PEER, SEVERITY_LOW, "192.0.2.9", 1);
	into = dbkit_finding(&kit, kit.unit, KIND_PEER, SEVERITY_LOW, "192.0.2.0/24", 1);
	text_copy(dir, sizeof(dir), kit.dir);
	text_copy(board->made, sizeof(board->made), kit.dir);
}

static int fold_flows(const void *context)
{
	struct flow_facts facts = dbkit_facts(1, "192.0.2.9", 443);
	struct err err = {0};

	for (unsigned i = 0; i < 5000; i++)
		dbkit_flow(&kit, &facts, NULL, folded);
	if (flowdb_finding_fold(kit.db, folded, into, &err) < 0) {
		fprintf(stderr, "# %s\n", err.text);
		return 1;
	}
	dbkit_done(&kit);
	return 0;
}

static void recorder_folds_a_finding_of_many_flows(void **state)
{
	struct play it = {.role = PROCESS_RECORDER, .before = open_flows, .body = fold_flows};
	char command[192];

	for (it.way = 0; it.way < 2; it.way++) {
		if (cannot(it.way))
			continue;
		assert_int_equal(play(&it), 0);
		snprintf(command, sizeof(command), "rm -rf %s", board->made);
		assert_int_equal(system(command), 0);
	}
}

static bool open_reader(void)
{
	char path[96];

	snprintf(path, sizeof(path), "file:%s/flows.db?mode=ro", dir);
	return !sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) &&
	       !sqlite3_exec(db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
}

static int rows_of(sqlite3 *from)
{
	sqlite3_stmt *stmt;
	int rows;

	if (sqlite3_prepare_v2(from, "SELECT count(*) FROM (SELECT * FROM t ORDER BY c)", -1,
	                       &stmt, NULL)) {
		fprintf(stderr, "# %s\n", sqlite3_errmsg(from));
		return 51;
	}
	rows = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 52;
	sqlite3_finalize(stmt);
	return rows;
}

/* The exporter reads while the recorder writes, by an old connection and by a new one. */
static int read_while_written(unsigned way)
{
	struct sandbox_users users = supervisor(way, false);
	pid_t recorder, exporter;
	int end;

	recorder = fork();
	if (!recorder) {
		enter(way, PROCESS_RECORDER, &users, 0);
		open_db();
		if (!db ||
		    sqlite3_exec(db, "INSERT INTO t VALUES (1, 'a', 1)", NULL, NULL, NULL))
			_exit(60);
		board->ready = 1;
		while (board->ready < 2)
			nap();
		if (sqlite3_exec(db, "INSERT INTO t VALUES (2, 'b', 2)", NULL, NULL, NULL))
			_exit(61);
		board->ready = 3;
		while (board->ready < 4)
			nap();
		_exit(sqlite3_close(db) ? 62 : 0);
	}
	while (board->ready < 1 && !waitpid(recorder, NULL, WNOHANG))
		nap();
	exporter = fork();
	if (!exporter) {
		int rows = open_reader() ? rows_of(db) : 50;

		enter(way, PROCESS_EXPORTER, &users, 0);
		if (rows != 1)
			_exit(rows);
		board->ready = 2;
		while (board->ready < 3)
			nap();
		rows = rows_of(db);
		if (rows == 2 && !sqlite3_close(db))
			rows = open_reader() ? rows_of(db) : 65;
		board->ready = 4;
		_exit(sqlite3_close(db) ? 63 : rows);
	}
	end = end_of(exporter);
	board->ready = 4;
	return end == 2 && end_of(recorder) == 0 ? 0 : end ? end : 64;
}

/* A writer of the flow database, as the owner, until it is told to close it. */
static void write_flows_beside(void)
{
	struct err err = {0};
	int64_t change;
	pid_t pid;

	board->ready = 0;
	open_flows();
	dbkit_done(&kit);
	pid = fork();
	if (!pid) {
		if (flowdb_open(dir, FLOWDB_WRITE, &kit.db, &err) < 0 ||
		    flowdb_begin(kit.db, &err) < 0)
			fail_in_child(&err);
		change = dbkit_finding(&kit, kit.unit, KIND_PEER, SEVERITY_LOW, "198.51.100.1",
		                       1);
		if (flowdb_commit(kit.db, &err) < 0 || change <= into)
			fail_in_child(&err);
		board->ready = 1;
		for (unsigned i = 0; i < 2000 && board->ready < 2; i++)
			nap();
		flowdb_close(kit.db);
		board->ready = 3;
		_exit(0);
	}
	for (unsigned i = 0; i < 2000 && board->ready < 1; i++)
		nap();
}

static int count_finding(void *context, const struct finding_view *finding, struct err *err)
{
	(*(int *)context)++;
	return 0;
}

static int findings_now(void)
{
	const struct finding_query all = {.state = FINDINGS_ALL};
	struct flowdb *reader = NULL;
	struct err err = {0};
	int count = 0;

	if (flowdb_open(dir, FLOWDB_READ, &reader, &err) < 0 ||
	    flowdb_findings(reader, &all, count_finding, &count, &err) < 0) {
		fprintf(stderr, "# %s\n", err.text);
		count = -1;
	}
	flowdb_close(reader);
	return count;
}

static int read_flows(const void *context)
{
	int during = findings_now(), after;

	board->ready = 2;
	for (unsigned i = 0; i < 2000 && board->ready < 3; i++)
		nap();
	after = findings_now();
	return during == 3 && after == 3 ? 0 : 70 + during + 10 * after;
}

static void exporter_opens_the_flow_database_with_and_without_a_writer(void **state)
{
	struct play it = {
		.role = PROCESS_EXPORTER, .before = write_flows_beside, .body = read_flows};
	char command[192];

	for (it.way = 0; it.way < WAYS; it.way++) {
		if (cannot(it.way))
			continue;
		assert_int_equal(play(&it), 0);
		assert_int_equal(end_of(-1), 0); /* the writer, ours since its parent died */
		snprintf(command, sizeof(command), "rm -rf %s", board->made);
		assert_int_equal(system(command), 0);
	}
}

static void exporter_reads_what_the_recorder_writes(void **state)
{
	for (unsigned way = 0; way < WAYS; way++) {
		pid_t pid;

		if (cannot(way))
			continue;
		make_dir(way);
		memset(board, 0, sizeof(*board));
		fflush(NULL);
		pid = fork();
		if (!pid)
			_exit(read_while_written(way));
		assert_int_equal(end_of(pid), 0);
	}
}

/* ------------------------------------------------------- as the kernel sees them */

/* A line of /proc/PID/status by its name; "" if there is none. */
static const char *status_line(pid_t pid, const char *name)
{
	static char line[256];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':') {
			fclose(file);
			line[strcspn(line, "\n")] = '\0';
			return line + strlen(name) + 2;
		}
	fclose(file);
	return "";
}

/* A supervisor with two children, which sleep in their roles until it dies. */
static pid_t family(unsigned way, bool live, enum process_role one, enum process_role other)
{
	const enum process_role roles[] = {one, other};
	pid_t pid;

	make_dir(way);
	memset(board, 0, sizeof(*board));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct sandbox_users users = supervisor(way, live);

		for (size_t i = 0; i < 2; i++) {
			pid_t child = fork();

			if (!child) {
				enter(way, roles[i], &users, 0);
				board->ready++;
				for (;;)
					nap();
			}
			board->child[i] = child;
		}
		while (board->ready < 2)
			nap();
		/* Both users can be signalled without a capability (kill(2)). */
		if (kill(board->child[0], 0) < 0 || kill(board->child[1], 0) < 0)
			board->ready = 99;
		board->ready++;
		for (unsigned i = 0; i < 5000; i++) /* should the test die before it */
			nap();
		_exit(0);
	}
	for (unsigned i = 0; i < 5000 && board->ready < 3; i++)
		nap();
	assert_int_equal(board->ready, 3);
	return pid;
}

/* They are ours once their parent is dead (PR_SET_CHILD_SUBREAPER). */
static void children_die_with(pid_t pid)
{
	unsigned dead = 0;

	assert_int_equal(kill(pid, SIGKILL), 0);
	for (unsigned i = 0; i < 2500 && dead < 3; i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			dead++;
		nap();
	}
	for (unsigned child = 0; dead < 3 && child < 2; child++)
		kill(board->child[child], SIGKILL);
	assert_int_equal(dead, 3);
}

/* What is not dumpable has its entries in /proc owned by root (proc(5)). */
static void only_recorder_and_exporter_can_be_traced_by_their_user(void **state)
{
	const uid_t user = is_root() ? getpwnam("nobody")->pw_uid : geteuid();
	struct stat st;

	if (!user)
		skip();
	for (unsigned pair = 0; pair < 2; pair++) {
		pid_t pid =
			family(AS_ORDINARY, false, pair ? PROCESS_SENSOR : PROCESS_INSPECTOR,
		               pair ? PROCESS_RECORDER : PROCESS_EXPORTER);

		for (unsigned child = 0; child < 2; child++) {
			char path[64];

			snprintf(path, sizeof(path), "/proc/%d/fd", (int)board->child[child]);
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_uid, child ? user : 0);
		}
		children_die_with(pid);
	}
}

static void no_role_has_a_capability_left(void **state)
{
	static const char *const SETS[] = {"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"};

	for (unsigned way = 0; way < WAYS; way++) {
		pid_t pid;

		if (cannot(way))
			continue;
		for (unsigned pair = 0; pair < 2; pair++) {
			pid = family(way, true, pair ? PROCESS_SENSOR : PROCESS_INSPECTOR,
			             pair ? PROCESS_RECORDER : PROCESS_EXPORTER);
			for (unsigned child = 0; child < 2; child++) {
				size_t sets = ARRAY_LEN(SETS) - (way & AS_ORDINARY ? 1 : 0);

				for (size_t i = 0; i < sets; i++)
					assert_string_equal(
						status_line(board->child[child], SETS[i]),
						"0000000000000000");
				assert_string_equal(
					status_line(board->child[child], "NoNewPrivs"), "1");
				assert_string_equal(status_line(board->child[child], "Seccomp"),
				                    "2");
			}
			children_die_with(pid);
		}
	}
}

static void the_recorder_is_the_owner_and_the_others_are_apart(void **state)
{
	const struct passwd *apart;
	char text[64];
	pid_t pid;

	if (!is_root())
		skip();
	apart = getpwnam("_tlmon");
	if (!apart)
		apart = getpwnam("nobody");
	assert_non_null(apart);
	pid = family(AS_ROOT, true, PROCESS_SENSOR, PROCESS_RECORDER);
	snprintf(text, sizeof(text), "%1$u\t%1$u\t%1$u\t%1$u", apart->pw_uid);
	assert_string_equal(status_line(board->child[0], "Uid"), text);
	snprintf(text, sizeof(text), "%1$u\t%1$u\t%1$u\t%1$u", apart->pw_gid);
	assert_string_equal(status_line(board->child[0], "Gid"), text);
	assert_string_equal(status_line(board->child[0], "Groups"), " ");
	snprintf(text, sizeof(text), "%1$u\t%1$u\t%1$u\t%1$u", OWNER);
	assert_string_equal(status_line(board->child[1], "Uid"), text);
	assert_string_equal(status_line(board->child[1], "Gid"), text);
	children_die_with(pid);
	pid = family(AS_ROOT, true, PROCESS_INSPECTOR, PROCESS_EXPORTER);
	assert_string_equal(status_line(board->child[1], "Gid"), text);
	snprintf(text, sizeof(text), "%1$u\t%1$u\t%1$u\t%1$u", apart->pw_uid);
	assert_string_equal(status_line(board->child[0], "Uid"), text);
	assert_string_equal(status_line(board->child[1], "Uid"), text);
	children_die_with(pid);
}

static void the_supervisor_keeps_the_right_to_capture_alone(void **state)
{
	static const char *const SETS[] = {"CapInh", "CapAmb", "CapBnd"};
	pid_t pid;

	if (!is_root())
		skip();
	for (int live = 0; live < 2; live++) {
		pid = family(AS_ROOT, live, PROCESS_SENSOR, PROCESS_RECORDER);
		for (size_t i = 0; i < ARRAY_LEN(SETS); i++)
			assert_string_equal(status_line(pid, SETS[i]), "0000000000000000");
		assert_string_equal(status_line(pid, "CapPrm"),
		                    live ? "0000000000002000" : "0000000000000000");
		assert_string_equal(status_line(pid, "CapEff"),
		                    live ? "0000000000002000" : "0000000000000000");
		assert_string_equal(status_line(pid, "NoNewPrivs"), "1");
		children_die_with(pid);
	}
}

static int become_root_again(void)
{
	struct sandbox_users users = supervisor(AS_ROOT, true);

	if (setuid(0) == 0 || setresuid(0, 0, 0) == 0 || seteuid(0) == 0)
		return 1;
	if (prctl(PR_SET_SECUREBITS, 0) == 0 || prctl(PR_SET_KEEPCAPS, 1) == 0)
		return 2;
	/* It can open what is the owner's. */
	if (chdir(dir) < 0 || open("made", O_WRONLY | O_CREAT, 0600) < 0)
		return 3;
	return users.change && geteuid() == OWNER ? 0 : 4;
}

static void the_supervisor_is_never_root_again(void **state)
{
	pid_t pid;

	if (!is_root())
		skip();
	make_dir(AS_ROOT);
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(become_root_again());
	assert_int_equal(end_of(pid), 0);
}

/* Root owns the directory: its recorder is user 0, without one capability. */
static int root_without_power(const void *context)
{
	if (geteuid() != 0)
		return 1;
	return fchown(STDERR_FILENO, 1, 1) == 0 ? 2 : errno == EPERM ? 0 : 3;
}

static void a_recorder_for_root_has_no_power_of_root(void **state)
{
	pid_t pid;

	if (!is_root())
		skip();
	make_dir(AS_ROOT);
	assert_int_equal(chown(dir, 0, 0), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct sandbox_users users = supervisor(AS_ROOT, true);

		pid = fork();
		if (!pid) {
			enter(AS_ROOT, PROCESS_RECORDER, &users, 0);
			_exit(root_without_power(NULL));
		}
		_exit(end_of(pid));
	}
	assert_int_equal(end_of(pid), 0);
}

/* ----------------------------------------------------------------- the small print */

static int say_missing(const void *wanted)
{
	return strcmp(board->missing, wanted) ? 1 : 0;
}

static void what_is_missing_is_said(void **state)
{
	struct play it = {.role = PROCESS_INSPECTOR, .memory = 1024 * MIB, .body = say_missing};
	const char *limit = sandbox_sanitized() ? "memory limit (sanitizer)" : "";
	char wanted[SANDBOX_MISSING];

	for (it.way = 0; it.way < WAYS; it.way++) {
		bool landlock = sandbox_landlock() && !(it.way & WITHOUT_LANDLOCK);

		if (cannot(it.way))
			continue;
		snprintf(wanted, sizeof(wanted), "%s%s%s%s%s",
		         it.way & AS_ORDINARY ? "another user" : "",
		         it.way & AS_ORDINARY && *limit ? ", " : "", limit,
		         !landlock && (it.way & AS_ORDINARY || *limit) ? ", " : "",
		         landlock ? "" : "landlock");
		it.context = wanted;
		assert_int_equal(play(&it), 0);
	}
}

static int take_much(const void *mib)
{
	void *volatile much = malloc(*(const size_t *)mib * MIB);

	return much ? 0 : 1;
}

static void memory_ends_at_the_limit(void **state)
{
	static const size_t LITTLE = 20, MUCH = 60;
	struct play it = {.role = PROCESS_INSPECTOR, .memory = 40 * MIB, .body = take_much};

	if (sandbox_sanitized())
		skip();
	it.way = is_root() ? AS_ROOT : AS_ORDINARY;
	it.context = &LITTLE;
	assert_int_equal(play(&it), 0);
	it.context = &MUCH;
	assert_int_equal(play(&it), 1);
}

static void a_child_without_its_supervisor_does_not_go_on(void **state)
{
	struct sandbox_users users = {.supervisor = 1, .apart_uid = getuid()};
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct sandbox_options options = {.role = PROCESS_SENSOR, .users = users};
		struct err err = {0};

		_exit(sandbox_enter(&options, board->missing, &err) == -ESRCH ? 7 : 8);
	}
	assert_int_equal(end_of(pid), 7);
}

static void capabilities_are_named(void **state)
{
	char text[SANDBOX_CAPABILITIES];

	assert_string_equal(sandbox_capabilities(0, text), "none");
	assert_string_equal(sandbox_capabilities(0x2000, text), "net_raw");
	assert_string_equal(sandbox_capabilities(0x3000, text), "net_admin, net_raw");
	assert_string_equal(sandbox_capabilities(BIT(63), text), "63");
	assert_string_equal(sandbox_capabilities(0x1ffffffffff, text), "all");
}

static int set_up(void **state)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	             -1, 0);
	strcpy(dir, "/tmp/tlmon-sandbox-XXXXXX");
	return board == MAP_FAILED || !mkdtemp(dir) || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -1
	                                                                                    : 0;
}

static int tear_down(void **state)
{
	char command[192];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sensor_and_inspector_are_killed_by_whatever_is_tried),
		cmocka_unit_test(recorder_and_exporter_are_killed_by_all_that_is_no_file),
		cmocka_unit_test(recorder_writes_in_its_directory_alone),
		cmocka_unit_test(exporter_writes_nowhere),
		cmocka_unit_test(no_role_maps_code_or_signals_a_thread_of_another),
		cmocka_unit_test(a_try_that_is_none_is_said),
		cmocka_unit_test(every_role_can_sleep_wake_and_take_memory),
		cmocka_unit_test(every_role_dies_as_itself),
		cmocka_unit_test(a_sanitizer_can_report),
		cmocka_unit_test(a_handler_of_signals_can_end_a_role),
		cmocka_unit_test(what_was_opened_before_is_read),
		cmocka_unit_test(recorder_writes_a_database_opened_before_and_inside),
		cmocka_unit_test(recorder_folds_a_finding_of_many_flows),
		cmocka_unit_test(exporter_opens_the_flow_database_with_and_without_a_writer),
		cmocka_unit_test(exporter_reads_what_the_recorder_writes),
		cmocka_unit_test(no_role_has_a_capability_left),
		cmocka_unit_test(only_recorder_and_exporter_can_be_traced_by_their_user),
		cmocka_unit_test(the_recorder_is_the_owner_and_the_others_are_apart),
		cmocka_unit_test(the_supervisor_keeps_the_right_to_capture_alone),
		cmocka_unit_test(the_supervisor_is_never_root_again),
		cmocka_unit_test(a_recorder_for_root_has_no_power_of_root),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(memory_ends_at_the_limit),
		cmocka_unit_test(a_child_without_its_supervisor_does_not_go_on),
		cmocka_unit_test(capabilities_are_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
