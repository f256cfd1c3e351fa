/*
 * sandbox_try.c - see sandbox.h: what no role may do, tried. Whatever else a try calls (getpid,
 * getppid, mmap) every role may: it must be the thing itself that fails.
 */
#include "monitor/process/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static int try_open(void)
{
	CLEANUP(closep) int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : 0;
}

static int try_socket(void)
{
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : 0;
}

static int try_execve(void)
{
	execve("/bin/true", (char *[]){(char[]){"true"}, NULL}, (char *[]){NULL});
	return -errno;
}

static int try_ptrace(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0 ? -errno : 0;
}

static int try_write(void)
{
	CLEANUP(closep) int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/tlmon-sandbox-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlink(path);
	return 0;
}

static int try_mprotect(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	return mprotect(page, size, PROT_READ | PROT_EXEC) < 0 ? -errno : 0;
}

static int try_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : 0;
}

static int try_kill(void)
{
	return kill(getppid(), 0) < 0 ? -errno : 0;
}

int sandbox_try(const char *what)
{
	static int (*const TRIES[])(void) = {try_open,  try_socket,   try_execve, try_ptrace,
	                                     try_write, try_mprotect, try_fork,   try_kill};
	static const char *const WORDS[] = {SANDBOX_TRIES};

	_Static_assert(ARRAY_LEN(TRIES) == ARRAY_LEN(WORDS), "one try a word, in their order");
	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
		if (!strcmp(WORDS[i], what))
			return TRIES[i]();
	return -EINVAL;
}
