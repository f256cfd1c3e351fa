/*
 * flowdb_lock.c - see flowdb.h: who keeps a database from its writer. SQLite's locks are POSIX locks on bytes of
 * two files, which the kernel names the holder of; closing any descriptor of such a file would drop our own, so
 * those we ask with stay open as long as the database. The one writer holds a lock on the directory, too, that also
 * an older program's is known by.
 */
#include "schema/flowdb_sql.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* https://www.sqlite.org/walformat.html#locks and SQLite's os.h: the bytes that a writer locks. */
#define SHM_WRITE 120
#define SHM_READERS 123
#define SHM_READER_COUNT 5
#define FILE_PENDING 0x40000000
#define FILE_LOCKS 512

#define SHORT_NS 1000000
#define LONG_NS 20000000

static int lock_holder(int *fd, const char *path, const char *suffix, short type, off_t first,
                       off_t count)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count};
	CLEANUP(freep) char *name = NULL;

	if (*fd < 0 && asprintf(&name, "%s%s", path, suffix) > 0)
		*fd = open(name, O_RDONLY | O_CLOEXEC);
	if (*fd < 0 || fcntl(*fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : 0;
}

int flowdb_writer(struct flowdb *db)
{
	int pid = lock_holder(&db->ask_shm, db->path, "-shm", F_WRLCK, SHM_WRITE, 1);

	/* Exclusive locking, or a journal of the old kind: on the file itself. */
	return pid ? pid
	           : lock_holder(&db->ask_file, db->path, "", F_RDLCK, FILE_PENDING, FILE_LOCKS);
}

int flowdb_reader(struct flowdb *db)
{
	return lock_holder(&db->ask_shm, db->path, "-shm", F_WRLCK, SHM_READERS,
	                   SHM_READER_COUNT);
}

const char *flowdb_who(int pid, char buf[FLOWDB_WHO])
{
	char path[40], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = pid > 0 ? fopen(path, "re") : NULL;
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
	for (char *c = name; *c; c++)
		if ((uint8_t)*c < 0x20 || (uint8_t)*c >= 0x7f)
			*c = '?';
	if (pid <= 0)
		snprintf(buf, FLOWDB_WHO, "another program");
	else
		snprintf(buf, FLOWDB_WHO, "%s (pid %d)", *name ? name : "another program", pid);
	return buf;
}

/* In proc_locks(5): "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF". */
static int flock_holder(const struct stat *dir)
{
	CLEANUP(fclosep) FILE *file = fopen("/proc/locks", "re");
	char line[256], kind[16], mode[16];
	unsigned major_number, minor_number;
	unsigned long long inode;
	int pid;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d: %15s %*s %15s %d %x:%x:%llu", kind, mode, &pid,
		           &major_number, &minor_number, &inode) == 6 &&
		    !strcmp(kind, "FLOCK") && !strcmp(mode, "WRITE") && inode == dir->st_ino &&
		    major_number == major(dir->st_dev) && minor_number == minor(dir->st_dev))
			return pid > 0 ? pid : 0;
	return 0;
}

const char *holder_print(const char *dir, char buf[HOLDER_TEXT])
{
	struct stat st;
	int pid = stat(dir, &st) ? 0 : flock_holder(&st);

	/* A process of another namespace, or on a file system that hides its number, has none here. */
	if (pid)
		snprintf(buf, HOLDER_TEXT, " (pid %d)", pid);
	else
		*buf = '\0';
	return buf;
}

static int on_busy(void *context, int count)
{
	struct flowdb *db = context;

	if (!db->waits(db->waits_context, flowdb_writer(db)))
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = count < 5 ? SHORT_NS : LONG_NS}, NULL);
	return 1;
}

void flowdb_on_busy(struct flowdb *db, bool (*waits)(void *context, int pid), void *context)
{
	db->waits = waits;
	db->waits_context = context;
	db->busy_ms = 0;
	sqlite3_busy_handler(db->sql, on_busy, db);
}
