/*
 * flowdb_holder.c - who writes a database: the process that holds the lock on its directory, and the version that
 * it writes. Asked of the kernel and of the file's head, so that an older program's, too, can be told of.
 */
#include "schema/flowdb_sql.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* In proc_locks(5): "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF". */
static int holder_of(const struct stat *dir)
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
	int pid = stat(dir, &st) ? 0 : holder_of(&st);

	/* A process of another namespace, or on a file system that hides its number, has none here. */
	if (pid)
		snprintf(buf, HOLDER_TEXT, " (pid %d)", pid);
	else
		*buf = '\0';
	return buf;
}

int64_t version_in_head(const char *path)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t head[72];

	/* Of the SQLite file format: user_version at 60, application_id at 68, both big-endian. */
	if (fd < 0 || pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    (head[68] << 24 | head[69] << 16 | head[70] << 8 | head[71]) != FLOWDB_APPLICATION)
		return 0;
	return (int64_t)head[60] << 24 | head[61] << 16 | head[62] << 8 | head[63];
}
