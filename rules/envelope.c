/*
 * envelope.c - see envelope.h. roles.yaml comes first, since rows name roles; then the profiles.
 */
#include "rules/envelope.h"

#include "rules/arena.h"
#include "rules/recorded.h"
#include "rules/roles.h"
#include "rules/rows.h"

void envelope_free(struct envelope *envelope)
{
	if (!envelope)
		return;
	free(envelope->rows);
	free(envelope->text);
	arena_free(envelope->arena);
	free(envelope);
}

void envelope_freep(struct envelope **envelope)
{
	envelope_free(*envelope);
	*envelope = NULL;
}

/* All files, each behind a line that names it: what a verdict was reached under, word for word. */
static int take_text(struct envelope *envelope, const struct folder *folder, struct err *err)
{
	CLEANUP(fclosep) FILE *out = open_memstream(&envelope->text, &envelope->text_len);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < folder->count; i++)
		recorded_put(out, &folder->files[i]);
	if (fflush(out))
		return err_set(err, -ENOMEM, "out of memory");
	digest_hex(envelope->text, envelope->text_len, envelope->hash);
	return 0;
}

static int read_profile(const struct text_file *source, struct envelope *envelope, size_t *room,
                        struct err *err)
{
	CLEANUP(yaml_freep) struct yaml_file *file = NULL;
	int r = yaml_read(source->name, source->text, source->len, &file, err);

	return r < 0 ? r : rows_read(file, envelope, room, err);
}

static bool is_profile(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && !strcmp(name + len - 5, ".yaml") &&
	       strcmp(file_name(name), "roles.yaml");
}

/* The profiles that roles.yaml lists, in that order, then all others by name. */
static int read_profiles(const struct yaml *order, const struct folder *folder,
                         struct envelope *envelope, struct err *err)
{
	bool done[FOLDER_MAX] = {false};
	size_t room = 0;
	int r = order ? yaml_list(order, err) : 0;

	for (const struct yaml *item = order ? yaml_first(order) : NULL; r >= 0 && item;
	     item = yaml_next(item)) {
		const struct text_file *file;
		const char *id = "";
		char name[64];

		r = yaml_text(item, &id, err);
		if (r < 0)
			return r;
		snprintf(name, sizeof(name), "%.50s.yaml", id);
		file = folder_find(folder, name);
		if (!file || done[file - folder->files])
			return yaml_fail(item, err,
			                 file ? "the profile stands here twice"
			                      : "no such profile beside roles.yaml");
		done[file - folder->files] = true;
		r = read_profile(file, envelope, &room, err);
	}
	for (size_t i = 0; r >= 0 && i < folder->count; i++)
		if (is_profile(folder->files[i].name) && !done[i])
			r = read_profile(&folder->files[i], envelope, &room, err);
	return r;
}

static int load_folder(const struct folder *folder, const char *where,
                       struct envelope **ret_envelope, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *envelope = calloc(1, sizeof(*envelope));
	CLEANUP(yaml_freep) struct yaml_file *roles = NULL;
	const struct text_file *source;
	int r;

	if (!envelope || !(envelope->arena = arena_new()))
		return err_set(err, -ENOMEM, "out of memory");
	source = folder_find(folder, "roles.yaml");
	if (!source)
		return err_set(err, -ENOENT,
		               "%s: no roles.yaml in it; accepted: a folder of profiles and a "
		               "roles.yaml",
		               where);
	r = yaml_read(source->name, source->text, source->len, &roles, err);
	if (r >= 0)
		r = roles_read(roles, folder, envelope, err);
	if (r >= 0)
		r = read_profiles(yaml_get(yaml_root(roles), "profiles"), folder, envelope,
		                  err);
	if (r < 0)
		return r;
	if (!envelope->row_count)
		return err_set(err, -ENOENT, "%s: no profile with rows in it", where);
	r = take_text(envelope, folder, err);
	if (r < 0)
		return r;
	*ret_envelope = TAKE(envelope);
	return 0;
}

int row_mirror(const struct row *rows, size_t count, size_t at)
{
	const struct row_form *a = &rows[at].form[0];
	int mirror = -1;

	for (size_t i = 0; i < count; i++) {
		const struct row_form *b = &rows[i].form[0];

		if (i != at && rows[at].profile == rows[i].profile && a->udp && b->udp &&
		    a->directions != b->directions && a->media == b->media &&
		    port_set_equal(&a->local, &b->local) && port_set_equal(&a->remote, &b->remote))
			mirror = (int)i;
	}
	return mirror;
}

int envelope_load(const char *path, struct envelope **ret_envelope, struct err *err)
{
	CLEANUP(folder_release) struct folder folder = {.count = 0};
	int r = folder_open(path, &folder, err);

	return r < 0 ? r : load_folder(&folder, path ? path : "teamline", ret_envelope, err);
}

int envelope_of_text(const char *text, struct envelope **ret_envelope, struct err *err)
{
	CLEANUP(folder_release) struct folder folder = {.count = 0};
	const char *units = "";
	int r = recorded_read(text, &folder, &units, err);

	if (r >= 0 && *units)
		r = err_set(err, -EINVAL, "recorded envelope: a line of --unit stands in it");
	return r < 0 ? r : load_folder(&folder, "recorded envelope", ret_envelope, err);
}

static int tell_documents(const struct text_file *source,
                          int (*each)(void *context, const char *row, const char *document,
                                      struct err *err),
                          void *context, struct err *err)
{
	CLEANUP(yaml_freep) struct yaml_file *file = NULL;
	const struct yaml *rows = NULL, *node;
	int r = yaml_read(source->name, source->text, source->len, &file, err);

	if (r >= 0)
		r = yaml_need(yaml_root(file), "a profile", "rows", &rows, err);
	if (r >= 0)
		r = yaml_list(rows, err);
	for (node = r >= 0 ? yaml_first(rows) : NULL; node && r >= 0; node = yaml_next(node)) {
		const struct yaml *id = NULL, *document = NULL;
		const char *row = "", *text = "";

		r = yaml_need(node, "a row", "id", &id, err);
		if (r >= 0)
			r = yaml_text(id, &row, err);
		if (r >= 0)
			r = yaml_need(node, "a row", "document", &document, err);
		if (r >= 0)
			r = yaml_text(document, &text, err);
		if (r >= 0)
			r = each(context, row, text, err);
	}
	return r;
}

int envelope_documents(const char *text,
                       int (*each)(void *context, const char *row, const char *document,
                                   struct err *err),
                       void *context, struct err *err)
{
	CLEANUP(folder_release) struct folder folder = {.count = 0};
	const char *units = "";
	int r = recorded_read(text, &folder, &units, err);

	for (size_t i = 0; i < folder.count && r >= 0; i++)
		if (is_profile(folder.files[i].name))
			r = tell_documents(&folder.files[i], each, context, err);
	return r < 0 ? r : 0;
}

int envelope_find_row(const struct envelope *envelope, const char *id)
{
	for (size_t i = 0; i < envelope->row_count; i++)
		if (!strcmp(envelope->rows[i].id, id))
			return (int)i;
	return -1;
}

int envelope_find_role(const struct envelope *envelope, const char *id)
{
	for (size_t i = 0; i < envelope->role_count; i++)
		if (!strcmp(envelope->roles[i].id, id))
			return (int)i;
	return -1;
}

int envelope_find_profile(const struct envelope *envelope, const char *id)
{
	for (size_t i = 0; i < envelope->profile_count; i++)
		if (!strcmp(envelope->profiles[i].id, id))
			return (int)i;
	return -1;
}

int envelope_find_group(const struct envelope *envelope, const char *id)
{
	for (size_t i = 0; i < envelope->group_count; i++)
		if (!strcmp(envelope->groups[i].id, id))
			return (int)i;
	return -1;
}
