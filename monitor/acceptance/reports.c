/*
 * reports.c - see reports.h: which form is meant, and files that are whole or not there.
 */
#include "monitor/acceptance/report_parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int report_write(const struct acceptance *acceptance, enum report_form form, FILE *file,
                 bool colour, struct err *err)
{
	switch (form) {
	case REPORT_HTML:
		return report_paper(acceptance, PAPER_HTML, file, err);
	case REPORT_JSON:
		return report_json(acceptance, file, err);
	case REPORT_JUNIT:
		return report_junit(acceptance, file, err);
	default:
		return report_paper(acceptance, colour ? PAPER_TERMINAL : PAPER_TEXT, file,
		                    err);
	}
}

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

static bool is_stdout(const char *name)
{
	return *name == '-' && (!name[1] || name[1] == '.') && !strchr(name, '/');
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
		if (!strcmp(files->names[i], name) ||
		    (is_stdout(files->names[i]) && is_stdout(name)))
			return err_set(err, -EINVAL, "--report %s: %s is taken by --report %s",
			               name, is_stdout(name) ? "standard output" : "that file",
			               files->names[i]);
	files->names[files->count++] = name;
	return 0;
}

bool report_files_take_stdout(const struct report_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (is_stdout(files->names[i]))
			return true;
	return false;
}

static int cannot(const char *name, int error, struct err *err)
{
	return err_set(err, -error, "--report %s: %s", name, strerror(error));
}

/* What is written until it is whole. `path`: where it goes to in the end. */
struct draft {
	FILE *file;
	char *path, *beside; /* beside NULL: it is written to directly */
};

static void draft_release(struct draft *draft)
{
	if (draft->file)
		fclose(draft->file);
	if (draft->beside) {
		unlink(draft->beside);
		free(draft->beside);
	}
	free(draft->path);
}

/* A name that is a link stays one. */
static char *path_of(const char *name)
{
	char *real = realpath(name, NULL);

	return real ? real : strdup(name);
}

/* As open(2) with 0666 would have made it: mkstemp(3) asks for less. */
static int let_read(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

static int draft_open(const char *name, struct draft *draft, struct err *err)
{
	struct stat stat;
	int fd;

	draft->path = path_of(name);
	if (!draft->path)
		return err_set(err, -ENOMEM, "out of memory");
	if (!lstat(draft->path, &stat) && S_ISDIR(stat.st_mode))
		return cannot(name, EISDIR, err);
	if (!lstat(draft->path, &stat) && !S_ISREG(stat.st_mode)) { /* a pipe, a device */
		draft->file = fopen(draft->path, "we");
		return draft->file ? 0 : cannot(name, errno, err);
	}
	if (asprintf(&draft->beside, "%s.XXXXXX", draft->path) < 0) {
		draft->beside = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	fd = mkostemp(draft->beside, O_CLOEXEC);
	if (fd < 0) {
		int error = errno;

		free(TAKE(draft->beside)); /* it is not ours */
		return cannot(name, error, err);
	}
	draft->file = fdopen(fd, "w");
	if (!draft->file || let_read(fd) < 0) {
		int error = errno;

		if (!draft->file)
			close(fd);
		return cannot(name, error, err);
	}
	return 0;
}

static int draft_finish(struct draft *draft, const char *name, struct err *err)
{
	FILE *file = TAKE(draft->file);

	if (fclose(file))
		return cannot(name, errno, err);
	if (!draft->beside)
		return 0;
	if (rename(draft->beside, draft->path))
		return cannot(name, errno, err);
	free(TAKE(draft->beside));
	return 0;
}

static int try_file(const char *name, struct err *err)
{
	CLEANUP(draft_release) struct draft draft = {0};
	struct stat stat;

	/* Who opens a pipe and closes it again ends it for its reader. */
	if (!lstat(name, &stat) && S_ISFIFO(stat.st_mode))
		return 0;
	return draft_open(name, &draft, err);
}

int report_files_try(const struct report_files *files, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->count && r >= 0; i++)
		if (!is_stdout(files->names[i]))
			r = try_file(files->names[i], err);
	return r;
}

static int write_file(const char *name, const struct acceptance *acceptance, struct err *err)
{
	CLEANUP(draft_release) struct draft draft = {0};
	enum report_form form;
	struct err why = {0};
	int r = form_of(name, &form, err);

	if (r >= 0)
		r = draft_open(name, &draft, err);
	if (r < 0)
		return r;
	r = report_write(acceptance, form, draft.file, false, &why);
	if (r < 0)
		return err_set(err, r, "--report %s: %s", name, why.text);
	return draft_finish(&draft, name, err);
}

int report_files_write(const struct report_files *files, const struct acceptance *acceptance,
                       struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < files->count && r >= 0; i++) {
		enum report_form form;

		if (!is_stdout(files->names[i])) {
			r = write_file(files->names[i], acceptance, err);
			continue;
		}
		r = form_of(files->names[i], &form, err);
		if (r >= 0)
			r = report_write(acceptance, form, stdout, false, err);
	}
	return r < 0 ? r : 0;
}
