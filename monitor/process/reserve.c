/*
 * reserve.c - see reserve.h.
 */
#include "monitor/process/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LEAST (256 << 10)

int reserve_init(struct reserve *reserve, const char *dir, struct err *err)
{
	struct statvfs disk;

	reserve->bytes = RESERVE_BYTES;
	if (asprintf(&reserve->path, "%s/flows.db-reserve", dir) < 0) {
		reserve->path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (!statvfs(dir, &disk) && disk.f_blocks) {
		int64_t part = (int64_t)(disk.f_blocks * disk.f_frsize / 16);

		if (part < reserve->bytes)
			reserve->bytes = part < LEAST ? LEAST : part & ~INT64_C(4095);
	}
	return 0;
}

void reserve_release(struct reserve *reserve)
{
	free(reserve->path);
	reserve->path = NULL;
}

bool reserve_is_there(const struct reserve *reserve)
{
	struct stat st;

	return !stat(reserve->path, &st) && st.st_size >= reserve->bytes;
}

/* Where the file system cannot set blocks aside they are written (posix_fallocate() would ask it what it is). */
static bool fill(int fd, int64_t bytes)
{
	static const uint8_t zeros[65536];

	if (!fallocate(fd, 0, 0, bytes))
		return true;
	if (errno != EOPNOTSUPP)
		return false;
	for (int64_t at = 0; at < bytes; at += (int64_t)sizeof(zeros))
		if (pwrite(fd, zeros, sizeof(zeros), at) != (ssize_t)sizeof(zeros))
			return false;
	return true;
}

bool reserve_make(const struct reserve *reserve)
{
	CLEANUP(closep) int fd = -1;

	if (reserve_is_there(reserve))
		return true;
	fd = open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0 && fill(fd, 2 * reserve->bytes) && !ftruncate(fd, reserve->bytes))
		return true;
	if (fd >= 0)
		unlink(reserve->path);
	return false;
}

bool reserve_give_up(const struct reserve *reserve)
{
	return !unlink(reserve->path);
}
