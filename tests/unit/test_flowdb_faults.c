/*
 * test_flowdb_faults.c - the disk fails at the n-th write, sync, truncation or opening, for every n: never a crash, never
 * half a transaction, and what was committed stays.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#define BATCHES 2
#define FLOWS 100 /* in a batch: more than fit a page, so that a commit is several writes */
#define NEVER UINT64_MAX

/* ------------------------------------------------ a file system that fails when it is told to */

struct shim_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this one, in the same memory */
};

/* A handler of SQLite's has nobody to pass it what it needs. */
static struct {
	sqlite3_vfs vfs, *real;
	uint64_t count,
		fails_at; /* operations so far; the one that fails, and all behind it while `stays` */
	int code, open_code;
	bool stays;
} shim;

static bool fails(void)
{
	shim.count++;
	return shim.count == shim.fails_at || (shim.stays && shim.count > shim.fails_at);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct shim_file *)file)->real;
}

static int shim_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}
static int shim_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), to, len, at);
}
static int shim_write(sqlite3_file *f, const void *from, int len, sqlite3_int64 at)
{
	if (fails()) { /* a part of it may have come to the disk */
		if (len > 512)
			real_of(f)->pMethods->xWrite(real_of(f), from, 512, at);
		return shim.code;
	}
	return real_of(f)->pMethods->xWrite(real_of(f), from, len, at);
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return fails() ? shim.code : real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int shim_sync(sqlite3_file *f, int flags)
{
	return fails() ? SQLITE_IOERR_FSYNC : real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int shim_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}
static int shim_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int shim_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int shim_reserved(sqlite3_file *f, int *ret)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}
static int shim_control(sqlite3_file *f, int what, void *with)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), what, with);
}
static int shim_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int shim_device(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int shim_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return extend && fails()
	               ? SQLITE_IOERR_SHMSIZE
	               : real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}
static int shim_shm_lock(sqlite3_file *f, int at, int count, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), at, count, flags);
}
static void shim_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int shim_unmap(sqlite3_file *f, int remove)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods METHODS = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_barrier,
	.xShmUnmap = shim_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret)
{
	struct shim_file *shimmed = (struct shim_file *)file;
	int rc;

	shimmed->base.pMethods = NULL;
	if (fails())
		return shim.open_code;
	shimmed->real = (sqlite3_file *)(void *)(shimmed + 1);
	rc = shim.real->xOpen(shim.real, name, shimmed->real, flags, ret);
	if (!rc)
		shimmed->base.pMethods = &METHODS;
	return rc;
}

static void shim_begin(uint64_t fails_at, int code, bool stays)
{
	shim.count = 0;
	shim.fails_at = fails_at;
	shim.code = code;
	shim.open_code = SQLITE_CANTOPEN;
	shim.stays = stays;
}

static void shim_end(void)
{
	shim.fails_at = NEVER;
	shim.stays = false;
}

static int shim_register(void **state)
{
	shim.real = sqlite3_vfs_find(NULL);
	shim.vfs = *shim.real;
	shim.vfs.zName = "shim";
	shim.vfs.szOsFile = (int)sizeof(struct shim_file) + shim.real->szOsFile;
	shim.vfs.xOpen = shim_open;
	shim_end();
	return sqlite3_vfs_register(&shim.vfs, 1);
}

/* ------------------------------------------------------------------------- what is written */

static int write_flow(struct flowdb *db, int64_t run, int64_t policy, int64_t unit, int at,
                      struct err *err)
{
	struct flow_facts facts = dbkit_facts(at, "52.112.1.9", (uint16_t)(1000 + at));
	struct verdict verdict = {.ruling = RULING_UNDETERMINED};
	struct flow_row row = {.run = run,
	                       .policy = policy,
	                       .unit = unit,
	                       .facts = &facts,
	                       .name = "",
	                       .verdict = &verdict};
	int64_t id = 0;

	facts.id = (uint64_t)at + 1;
	return flowdb_flow_put(db, &row, &id, err);
}

/* What a recorder does, until something fails; returns how many batches were committed. */
static int write_batches(const char *dir, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	const struct run_row begun = {
		.version = "1", .source = "file", .inputs = "a", .filter = ""};
	int64_t run = 0, policy = 0, unit = 0;
	int done = 0, r = flowdb_open(dir, FLOWDB_WRITE, &db, err);

	while (r >= 0 && done < BATCHES) {
		r = flowdb_begin(db, err);
		if (r >= 0 && !run)
			r = flowdb_run_begin(db, &begun, &run, err);
		if (r >= 0 && !policy)
			r = flowdb_policy_put(db, "hash", "rows", "site", &policy, err);
		if (r >= 0 && !unit)
			r = flowdb_unit_put(db, "boardroom", "room", true, &unit, err);
		for (int i = 0; i < FLOWS && r >= 0; i++)
			r = write_flow(db, run, policy, unit, done * FLOWS + i, err);
		if (r >= 0)
			r = flowdb_commit(db, err);
		if (r < 0)
			flowdb_rollback(db);
		else
			done++;
	}
	return done;
}

static void must_be(const char *dir, const char *question, const char *answer, uint64_t n)
{
	CLEANUP(freep) char *seen = dbkit_ask(dir, question);

	if (strcmp(seen, answer) != 0)
		fail_msg("failure %llu: %s: %s", (unsigned long long)n, question, seen);
}

/* Whole batches, each that was committed among them. The one that failed may be there, or not. */
static void check_whole(const char *dir, int done, uint64_t n)
{
	CLEANUP(freep) char *count = NULL;
	struct flowdb *db = NULL;
	struct err err = {0};
	int flows;

	/* As a successor would find it. */
	if (flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0)
		fail_msg("failure %llu: %s", (unsigned long long)n, err.text);
	flowdb_close(db);
	must_be(dir, "PRAGMA integrity_check", "ok\n", n);
	must_be(dir, "PRAGMA foreign_key_check", "", n);
	count = dbkit_ask(dir, "SELECT count(*) FROM flow");
	flows = atoi(count);
	if (flows % FLOWS || flows < done * FLOWS || flows > (done + 1) * FLOWS)
		fail_msg("failure %llu: %d batches were committed, and %d flows are there",
		         (unsigned long long)n, done, flows);
}

static void remove_all(const char *dir)
{
	static const char *const NAMES[] = {"flows.db", "flows.db-wal", "flows.db-shm",
	                                    "flows.db-journal"};

	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/%s", dir, NAMES[i]);
		unlink(path);
	}
}

/* An empty database, as it lies there when a recorder begins. */
struct made {
	uint8_t bytes[1 << 20];
	size_t len;
};

static void made_once(const char *dir, struct made *made)
{
	struct flowdb *db = NULL;
	char path[96];
	struct err err;
	FILE *file;

	assert_int_equal(flowdb_open(dir, FLOWDB_WRITE, &db, &err), 0);
	flowdb_close(db);
	snprintf(path, sizeof(path), "%s/flows.db", dir);
	file = fopen(path, "rb");
	assert_non_null(file);
	made->len = fread(made->bytes, 1, sizeof(made->bytes), file);
	fclose(file);
	assert_true(made->len && made->len < sizeof(made->bytes));
	remove_all(dir);
}

static void made_again(const char *dir, const struct made *made)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(made->bytes, 1, made->len, file), made->len);
	assert_int_equal(fclose(file), 0);
}

/* `step`: at every one, every second, ...; also while the database is made, or behind that. */
static void at_operations(unsigned step, bool making, int code, bool stays)
{
	char dir[40];
	uint64_t n, failed = 0;
	static struct made made;

	/* Where a sync costs nothing, if there is such a place. */
	snprintf(dir, sizeof(dir), "%s/tlmon-faults-XXXXXX",
	         access("/dev/shm", W_OK) < 0 ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(dir));
	made_once(dir, &made);
	for (n = 1;; n += step) {
		struct err err = {0};
		int done;

		if (!making)
			made_again(dir, &made);

		shim_begin(n, code, stays);
		done = write_batches(dir, &err);
		if (shim.count < n) /* nothing failed: that was the last one */
			break;
		failed += done < BATCHES;
		shim_end();
		if (done < BATCHES)
			assert_true(*err.text);
		check_whole(dir, done, n);
		remove_all(dir);
	}
	shim_end();
	print_message("%llu operations; writing ended at %llu of those that failed\n",
	              (unsigned long long)n - 1, (unsigned long long)failed);
	assert_true(n > 10 && failed);
	remove_all(dir);
	assert_int_equal(rmdir(dir), 0);
}

static void a_disk_that_is_full_once_leaves_whole_transactions(void **state)
{
	at_operations(1, false, SQLITE_FULL, false);
}

static void
a_disk_that_stays_full_while_a_database_is_made_leaves_whole_transactions(void **state)
{
	at_operations(7, true, SQLITE_FULL, true);
}

static void a_disk_that_fails_while_a_database_is_made_leaves_whole_transactions(void **state)
{
	at_operations(7, true, SQLITE_IOERR_WRITE, false);
}

static void a_disk_that_fails_for_good_leaves_whole_transactions(void **state)
{
	at_operations(1, false, SQLITE_IOERR_WRITE, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_is_full_once_leaves_whole_transactions),
		cmocka_unit_test(
			a_disk_that_stays_full_while_a_database_is_made_leaves_whole_transactions),
		cmocka_unit_test(
			a_disk_that_fails_while_a_database_is_made_leaves_whole_transactions),
		cmocka_unit_test(a_disk_that_fails_for_good_leaves_whole_transactions),
	};

	return cmocka_run_group_tests(tests, shim_register, NULL);
}
