/*
 * report_files.c - see reports.h: files that are whole or not there. Each is written beside its name and renamed at
 * the end. The keeper is forked before anything is given up; it reads one byte a file, and that is all it listens to.
 */
#include "monitor/acceptance/report_parts.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ------------------------------------------------------------------- names */

/* By the name's end; "-" is text. */
static int form_of(const char *name, enum report_form *ret, struct err *err)
{
	static const char *const ends[REPORT_FORM_COUNT] = {
		[REPORT_TEXT] = ".txt",
		[REPORT_HTML] = ".html",
		[REPORT_JSON] = ".json",
		[REPORT_JUNIT] = ".xml",
	};
	const char *dot = strrchr(name, '.');

	*ret = REPORT_TEXT;
	if (!strcmp(name, "-"))
		return 0;
	for (unsigned i = 0; dot && i < REPORT_FORM_COUNT; i++)
		if (!strcmp(ends[i], dot)) {
			*ret = (enum report_form)i;
			return 0;
		}
	return err_set(
		err, -EINVAL,
		"--report %s: what it is to be is told by its end; accepted: .html, .xml "
		"(JUnit), .json, .txt",
		name);
}

/* "-", "-.json" */
static bool is_stdout(const char *name)
{
	return *name == '-' && (!name[1] || (name[1] == '.' && !strchr(name, '/')));
}

int report_files_add(struct report_files *files, const char *name, struct err *err)
{
	enum report_form form;
	int r = form_of(name, &form, err);

	if (r < 0)
		return r;
	if (files->count == REPORTS_MAX)
		return err_set(err, -EINVAL, "--report %s: at most %d of them", name,
		               REPORTS_MAX);
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->files[i].name, name))
			return err_set(err, -EINVAL, "--report %s: it is there twice", name);
		else if (is_stdout(files->files[i].name) && is_stdout(name))
			return err_set(err, -EINVAL,
			               "--report %s: standard output is taken by --report %s",
			               name, files->files[i].name);
	files->files[files->count++] = (struct report_file){.name = name, .form = form};
	return 0;
}

bool report_files_take_stdout(const struct report_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (is_stdout(files->files[i].name))
			return true;
	return false;
}

/* ------------------------------------------------------------------ drafts */

static int cannot(const struct report_file *file, int error, struct err *err)
{
	return err_set(err, -error, "--report %s: %s", file->name, strerror(error));
}

/* As open(2) with 0666 would have made it: mkstemp(3) asks for less. */
static int let_read(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

/* A pipe, a device: what has no name of its own to be given. */
static int open_directly(struct report_file *file, struct err *err)
{
	file->file = fopen(file->path, "we");
	return file->file ? 0 : cannot(file, errno, err);
}

static int open_beside(struct report_file *file, struct err *err)
{
	int fd, error;

	if (asprintf(&file->beside, "%s.XXXXXX", file->path) < 0) {
		file->beside = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	fd = mkostemp(file->beside, O_CLOEXEC);
	if (fd < 0) {
		error = errno;
		free(TAKE(file->beside)); /* it is not ours */
		return cannot(file, error, err);
	}
	file->file = fdopen(fd, "w");
	if (file->file && !let_read(fd))
		return 0;
	error = errno;
	if (!file->file)
		close(fd);
	return cannot(file, error, err);
}

static int open_draft(struct report_file *file, struct err *err)
{
	char *real = realpath(file->name, NULL); /* a name that is a link stays one */
	struct stat stat;

	file->path = real ? real : strdup(file->name);
	if (!file->path)
		return err_set(err, -ENOMEM, "out of memory");
	if (lstat(file->path, &stat) < 0 || S_ISREG(stat.st_mode))
		return open_beside(file, err);
	return S_ISDIR(stat.st_mode) ? cannot(file, EISDIR, err) : open_directly(file, err);
}

static void file_release(struct report_file *file)
{
	if (file->file)
		fclose(file->file);
	if (file->beside)
		unlink(file->beside);
	free(file->beside);
	free(file->path);
	*file = (struct report_file){.name = file->name, .form = file->form};
}

/* ------------------------------------------------------------------ keeper */

/* Until nobody can ask any more: which one is whole; the answer is why it got no name, or 0. */
static void keep(struct report_files *files, int asked)
{
	uint8_t at;

	signal(SIGINT, SIG_IGN); /* they are for the run; we end with it */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	prctl(PR_SET_NAME, "tlmon: reports");
	for (size_t i = 0; i < files->count; i++)
		if (files->files[i].file)
			close(fileno(files->files[i].file));
	while (read(asked, &at, 1) == 1 && at < files->count) {
		struct report_file *file = &files->files[at];
		int error = 0;

		if (!file->beside || rename(file->beside, file->path))
			error = file->beside ? errno : EINVAL;
		else
			free(TAKE(file->beside));
		if (write(asked, &error, sizeof(error)) != sizeof(error))
			break;
	}
	for (size_t i = 0; i < files->count; i++)
		if (files->files[i].beside)
			unlink(files->files[i].beside);
}

static int start_keeper(struct report_files *files, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, -errno, "--report: no socket: %s", strerror(errno));
	fflush(NULL);
	files->keeper_pid = fork();
	if (!files->keeper_pid) {
		close(ends[0]);
		keep(files, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	files->keeper = ends[0];
	if (files->keeper_pid < 0)
		return err_set(err, -errno, "--report: no process to keep the files: %s",
		               strerror(errno));
	files->fds[files->fd_count++] = files->keeper;
	return 0;
}

int report_files_open(struct report_files *files, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->count && r >= 0; i++) {
		struct report_file *file = &files->files[i];

		if (is_stdout(file->name))
			continue;
		r = open_draft(file, err);
		if (r >= 0)
			files->fds[files->fd_count++] = fileno(file->file);
	}
	return r < 0 || !files->fd_count ? r : start_keeper(files, err);
}

void report_files_release(struct report_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		file_release(&files->files[i]);
	if (files->keeper)
		close(files->keeper);
	if (files->keeper_pid > 0)
		waitpid(files->keeper_pid, NULL, 0);
	*files = (struct report_files){0};
}

/* ----------------------------------------------------------------- writing */

static int give_name(struct report_files *files, size_t at, struct err *err)
{
	struct report_file *file = &files->files[at];
	uint8_t which = (uint8_t)at;
	int error = 0;

	if (!file->beside)
		return 0;
	if (send(files->keeper, &which, 1, MSG_NOSIGNAL) != 1 ||
	    recv(files->keeper, &error, sizeof(error), 0) != sizeof(error))
		return err_set(err, -ESRCH,
		               "--report %s: the process that gives it its name is gone; it is "
		               "%s",
		               file->name, file->beside);
	if (error)
		return cannot(file, error, err);
	free(TAKE(file->beside));
	return 0;
}

static int write_file(struct report_files *files, size_t at,
                      const struct acceptance *acceptance, struct err *err)
{
	struct report_file *file = &files->files[at];
	struct err why = {0};
	int r = report_write(acceptance, file->form, file->file, false, &why);

	if (r < 0)
		return err_set(err, r, "--report %s: %s", file->name, why.text);
	if (fclose(TAKE(file->file)))
		return cannot(file, errno, err);
	return give_name(files, at, err);
}

int report_files_write(struct report_files *files, const struct acceptance *acceptance,
                       struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->count && r >= 0; i++)
		if (is_stdout(files->files[i].name))
			r = report_write(acceptance, files->files[i].form, stdout, false, err);
		else
			r = write_file(files, i, acceptance, err);
	return r < 0 ? r : 0;
}
