/*
 * new_file.c - see new_file.h. The keeper reads one byte: the file stays; or it reads the end, and removes it.
 */
#include "monitor/commands/new_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void keep(const char *path, int asked)
{
	char whole;

	signal(SIGINT, SIG_IGN); /* they are for the run; we end with it */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	prctl(PR_SET_NAME, "tlmon: output");
	if (read(asked, &whole, 1) != 1)
		unlink(path);
}

static int start_keeper(struct new_file *file, const char *option, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, -errno, "%s: no socket: %s", option, strerror(errno));
	fflush(NULL);
	file->keeper_pid = fork();
	if (!file->keeper_pid) {
		close(ends[0]);
		close(fileno(file->file));
		keep(file->path, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	file->keeper = ends[0];
	file->fds[1] = file->keeper;
	return file->keeper_pid > 0
	               ? 0
	               : err_set(err, -errno, "%s: no process to keep the file: %s", option,
	                         strerror(errno));
}

int new_file_open(struct new_file *file, const char *option, const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), r;

	if (fd < 0)
		return err_set(err, -errno, "%s %s: %s%s", option, path, strerror(errno),
		               errno == EEXIST ? "; it is left as it is: name another one"
		                               : "");
	file->file = fdopen(fd, "w");
	if (!file->file) {
		r = -errno;
		close(fd);
		unlink(path);
		return err_set(err, r, "%s %s: %s", option, path, strerror(-r));
	}
	file->path = path;
	file->keeper = -1;
	file->fds[0] = fd;
	r = start_keeper(file, option, err);
	if (r < 0)
		unlink(path);
	return r;
}

int new_file_keep(struct new_file *file, struct err *err)
{
	char whole = 1;

	if (ferror(file->file) | fclose(TAKE(file->file)))
		return err_set(err, -EIO, "%s: it could not be written: %s", file->path,
		               strerror(errno));
	if (send(file->keeper, &whole, 1, MSG_NOSIGNAL) != 1)
		return err_set(err, -EPIPE, "%s: the process that keeps it is gone",
		               file->path);
	return 0;
}

void new_file_release(struct new_file *file)
{
	if (!file->path)
		return;
	if (file->file)
		fclose(file->file);
	close(file->keeper);
	if (file->keeper_pid > 0)
		waitpid(file->keeper_pid, NULL, 0);
	*file = (struct new_file){0};
}
