/*
 * folder.c - see folder.h.
 */
#include "rules/folder.h"

#include <assert.h>
#include <dirent.h>

const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int compare_files(const void *a, const void *b)
{
	const struct text_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_wanted(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".json"));
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int read_folder(const char *path, struct folder *folder, struct err *err)
{
	CLEANUP(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;
	char name[4096];

	if (!dir)
		return err_set(err, -errno,
		               "%s: %s; accepted: a folder of profiles and a roles.yaml", path,
		               strerror(errno));
	while ((entry = readdir(dir))) {
		int r;

		if (!is_wanted(entry->d_name))
			continue;
		if (folder->count == FOLDER_MAX)
			return err_set(err, -E2BIG, "%s: more than %d files", path, FOLDER_MAX);
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
		    sizeof(name))
			return err_set(err, -ENAMETOOLONG, "%s/%s: name too long", path,
			               entry->d_name);
		r = text_file_open(name, &folder->files[folder->count], err);
		if (r < 0)
			return r;
		folder->count++;
	}
	return 0;
}

static int read_builtin(struct folder *folder, struct err *err)
{
	for (const struct builtin_file *file = builtin_files; file->name; file++) {
		char name[128];
		int r;

		if (!is_wanted(file->name))
			continue;
		assert(folder->count < FOLDER_MAX);
		snprintf(name, sizeof(name), "teamline/%s", file->name);
		r = text_file_of(name, file->data, file->len, &folder->files[folder->count],
		                 err);
		if (r < 0)
			return r;
		folder->count++;
	}
	return 0;
}

int folder_open(const char *path, struct folder *ret_folder, struct err *err)
{
	struct folder folder = {.count = 0};
	int r = path ? read_folder(path, &folder, err) : read_builtin(&folder, err);

	if (r < 0) {
		folder_release(&folder);
		return r;
	}
	qsort(folder.files, folder.count, sizeof(folder.files[0]), compare_files);
	*ret_folder = folder;
	return 0;
}

void folder_release(struct folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		text_file_release(&folder->files[i]);
	folder->count = 0;
}

const struct text_file *folder_find(const struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->count; i++)
		if (!strcmp(file_name(folder->files[i].name), name))
			return &folder->files[i];
	return NULL;
}
