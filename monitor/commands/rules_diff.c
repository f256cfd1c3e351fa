/*
 * rules_diff.c - see rules_diff.h. Rows and roles become lists of fields with texts; texts are compared.
 */
#include "monitor/commands/rules_diff.h"
#include "monitor/commands/options.h"
#include "monitor/policy_record.h"

#include <sys/stat.h>

#define FIELDS_MAX 64
#define FIELD_TEXT 4096

/* What an envelope says of one row or role, as it is read: the text of a field by its name. */
struct fields {
	struct {
		char name[32];
		char *text;
	} field[FIELDS_MAX];
	size_t count;
};

static const struct out_column COLUMNS[] = {
	{"change", "CHANGE", 0},       {"row", "ROW", 0},
	{"field", "FIELD", 0},         {"old", "OLD", OUT_CUT},
	{"new", "NEW", OUT_CUT},
};

struct diff {
	struct out *out;
	bool differs;
};

static void fields_release(struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		free(fields->field[i].text);
	fields->count = 0;
}

/* An empty text is no field. */
static void field_add(struct fields *fields, const char *name, const char *text)
{
	if (!text || !*text || fields->count == FIELDS_MAX)
		return;
	text_copy(fields->field[fields->count].name, sizeof(fields->field[0].name), name);
	fields->field[fields->count].text = strdup(text);
	fields->count += fields->field[fields->count].text != NULL;
}

static const char *field_text(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!strcmp(fields->field[i].name, name))
			return fields->field[i].text;
	return NULL;
}

/* ---------------------------------------------------------------- of a row */

static void add_word(char *text, bool is, const char *word)
{
	if (is)
		text_add(text, FIELD_TEXT, "%s%s", *text ? ", " : "", word);
}

/* Applications of a reading beside the row's own words: `also` may name others. */
static void print_apps(const struct row_form *form, char *text)
{
	*text = '\0';
	add_word(text, form->opaque, "opaque");
	add_word(text, form->sip_tls, "sip_tls");
	add_word(text, form->psom_tls, "psom_tls");
	add_word(text, form->psom, "psom");
	for (unsigned app = APP_NONE + 1; app < APP_COUNT; app++)
		add_word(text, app_set_has(&form->apps, (enum app)app) &&
		                       (app != APP_TLS || form->tls),
		         app_name((enum app)app));
}

static void form_fields(const struct envelope *envelope, const struct row *row, unsigned number,
                        struct fields *ret)
{
	static const char *const options[OPTION_COUNT] = {
		[OPTION_NAT] = "nat",
		[OPTION_STRICT_RELAY_PORTS] = "strict-relay-ports",
		[OPTION_ALLOW_VBSS] = "allow-vbss"};
	const struct row_form *form = &row->form[number];
	char name[48], text[FIELD_TEXT], prefix[24] = "";

	if (number)
		snprintf(prefix, sizeof(prefix), "also %u ", number);
#define ADD(word, value) \
	(snprintf(name, sizeof(name), "%s%s", prefix, word), field_add(ret, name, value))
	*text = '\0';
	add_word(text, form->directions & BIT(DIRECTION_OUT), "out");
	add_word(text, form->directions & BIT(DIRECTION_IN), "in");
	ADD("direction", text);
	*text = '\0';
	add_word(text, form->tcp, "tcp");
	add_word(text, form->udp, "udp");
	ADD("transport", text);
	*text = '\0';
	add_word(text, form->ip_versions & BIT(4), "4");
	add_word(text, form->ip_versions & BIT(6), "6");
	ADD("ip-version", text);
	ADD("local-ports", port_set_print(&form->local, text, sizeof(text)));
	ADD("remote-ports", port_set_print(&form->remote, text, sizeof(text)));
	*text = '\0';
	for (size_t i = 0; i < envelope->role_count; i++)
		add_word(text, form->peers & BIT(i), envelope->roles[i].id);
	ADD("peer", text);
	print_apps(form, text);
	ADD("application", text);
	*text = '\0';
	add_word(text, form->media & MEDIA_AUDIO, "audio");
	add_word(text, form->media & MEDIA_VIDEO, "video");
	add_word(text, form->media & MEDIA_DATA, "data");
	ADD("media", text);
	ADD("when", form->when < OPTION_COUNT ? options[form->when] : NULL);
	if (number) {
		ADD("origin", form->inferred ? "inferred" : "stated");
		ADD("instead", form->instead ? "true" : NULL);
		ADD("note", form->note);
	}
#undef ADD
}

static void row_fields(const struct envelope *envelope, const struct row *row,
                       struct fields *ret)
{
	char text[FIELD_TEXT] = "";

	field_add(ret, "profile", envelope->profiles[row->profile].id);
	field_add(ret, "document", row->document);
	for (unsigned i = 0; i < row->form_count; i++)
		form_fields(envelope, row, i, ret);
	field_add(ret, "need", need_name((enum need)row->need));
	field_add(ret, "need-reason", row->need_reason);
	field_add(ret, "origin", row->stated ? "stated" : "inferred");
	field_add(ret, "note", row->note);
	field_add(ret, "exercise", row->exercise);
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (row->severity[i])
			text_add(text, sizeof(text), "%s%s: %s", *text ? ", " : "",
			         field_name((enum field)i),
			         severity_name((enum severity)row->severity[i]));
	field_add(ret, "severity", text);
}

/* --------------------------------------------------------------- of a role */

static void add_prefixes(const struct prefix *prefixes, size_t count, char *text)
{
	char prefix[PREFIX_TEXT];

	*text = '\0';
	for (size_t i = 0; i < count; i++)
		text_add(text, FIELD_TEXT, "%s%s", i ? ", " : "", prefix_print(&prefixes[i], prefix));
}

static void add_names(char *const *names, size_t count, char *text)
{
	*text = '\0';
	for (size_t i = 0; i < count; i++)
		text_add(text, FIELD_TEXT, "%s%s", i ? ", " : "", names[i]);
}

static void role_fields(const struct role *role, struct fields *ret)
{
	static const char *const learnt[] = {NULL, "DHCP, its resolvers", "DHCP, its server"};
	char text[FIELD_TEXT];

	field_add(ret, "meaning", role->meaning);
	field_add(ret, "anyone", role->anyone ? "true" : NULL);
	field_add(ret, "own-subnet", role->own_subnet ? "true" : NULL);
	field_add(ret, "learn", learnt[role->learn % ARRAY_LEN(learnt)]);
	field_add(ret, "by-ice", role->by_ice ? "true" : NULL);
	field_add(ret, "proxy", role->proxy ? "true" : NULL);
	field_add(ret, "one-service", role->one_service ? "true" : NULL);
	add_prefixes(role->prefixes, role->prefix_count, text);
	field_add(ret, "addresses", text);
	add_names(role->names, role->name_count, text);
	field_add(ret, "names", text);
	add_names(role->domain_names, role->domain_name_count, text);
	field_add(ret, "domain-names", text);
	field_add(ret, "endpoints", role->endpoints);
	add_prefixes(role->endpoint.prefixes, role->endpoint.prefix_count, text);
	field_add(ret, "endpoint addresses", text);
	add_names(role->endpoint.names, role->endpoint.name_count, text);
	field_add(ret, "endpoint names", text);
}

/* -------------------------------------------------------------- of a group */

static void group_fields(const struct envelope *envelope, const struct row_group *group,
                         struct fields *ret)
{
	char text[FIELD_TEXT] = "";

	field_add(ret, "profile", envelope->profiles[group->profile].id);
	field_add(ret, "decided", group_rule_name((enum group_rule)group->rule));
	add_word(text, group->media & MEDIA_AUDIO, "audio");
	add_word(text, group->media & MEDIA_VIDEO, "video");
	add_word(text, group->media & MEDIA_DATA, "data");
	field_add(ret, "media", text);
	*text = '\0';
	for (unsigned i = 0; i < group->row_count; i++)
		add_word(text, true, envelope->rows[group->rows[i]].id);
	field_add(ret, "rows", text);
	field_add(ret, "reason", group->reason);
}

/* ------------------------------------------------------------------ compare */

static int put(struct diff *diff, const char *change, const char *what, const char *field,
               const char *old, const char *new, struct err *err)
{
	diff->differs = true;
	out_text(diff->out, change);
	out_text(diff->out, what);
	out_text(diff->out, field);
	out_text(diff->out, old);
	out_text(diff->out, new);
	return out_end(diff->out, err);
}

static int put_changes(struct diff *diff, const char *what, const struct fields *a,
                       const struct fields *b, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < a->count; i++) {
		const char *new = field_text(b, a->field[i].name);

		if (!new || strcmp(new, a->field[i].text) != 0)
			r = put(diff, "changed", what, a->field[i].name, a->field[i].text, new, err);
	}
	for (size_t i = 0; !r && i < b->count; i++)
		if (!field_text(a, b->field[i].name))
			r = put(diff, "changed", what, b->field[i].name, NULL, b->field[i].text, err);
	return r;
}

static int diff_rows(struct diff *diff, const struct envelope *a, const struct envelope *b,
                     struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < a->row_count; i++) {
		CLEANUP(fields_release) struct fields old = {.count = 0};
		CLEANUP(fields_release) struct fields new = {.count = 0};
		int other = envelope_find_row(b, a->rows[i].id);

		if (other < 0) {
			r = put(diff, "removed", a->rows[i].id, NULL, a->rows[i].document, NULL, err);
			continue;
		}
		row_fields(a, &a->rows[i], &old);
		row_fields(b, &b->rows[other], &new);
		r = put_changes(diff, a->rows[i].id, &old, &new, err);
	}
	for (size_t i = 0; !r && i < b->row_count; i++)
		if (envelope_find_row(a, b->rows[i].id) < 0)
			r = put(diff, "added", b->rows[i].id, NULL, NULL, b->rows[i].document, err);
	return r;
}

static int diff_roles(struct diff *diff, const struct envelope *a, const struct envelope *b,
                      struct err *err)
{
	char name[48];
	int r = 0;

	for (size_t i = 0; !r && i < a->role_count; i++) {
		CLEANUP(fields_release) struct fields old = {.count = 0};
		CLEANUP(fields_release) struct fields new = {.count = 0};
		int other = envelope_find_role(b, a->roles[i].id);

		snprintf(name, sizeof(name), "role %s", a->roles[i].id);
		if (other < 0) {
			r = put(diff, "removed", name, NULL, a->roles[i].meaning, NULL, err);
			continue;
		}
		role_fields(&a->roles[i], &old);
		role_fields(&b->roles[other], &new);
		r = put_changes(diff, name, &old, &new, err);
	}
	for (size_t i = 0; !r && i < b->role_count; i++)
		if (envelope_find_role(a, b->roles[i].id) < 0) {
			snprintf(name, sizeof(name), "role %s", b->roles[i].id);
			r = put(diff, "added", name, NULL, NULL, b->roles[i].meaning, err);
		}
	return r;
}

static int diff_groups(struct diff *diff, const struct envelope *a, const struct envelope *b,
                       struct err *err)
{
	char name[ROW_ID_MAX + 8];
	int r = 0;

	for (size_t i = 0; !r && i < a->group_count; i++) {
		CLEANUP(fields_release) struct fields old = {.count = 0};
		CLEANUP(fields_release) struct fields new = {.count = 0};
		int other = envelope_find_group(b, a->groups[i].id);

		snprintf(name, sizeof(name), "group %s", a->groups[i].id);
		if (other < 0) {
			r = put(diff, "removed", name, NULL, a->groups[i].reason, NULL, err);
			continue;
		}
		group_fields(a, &a->groups[i], &old);
		group_fields(b, &b->groups[other], &new);
		r = put_changes(diff, name, &old, &new, err);
	}
	for (size_t i = 0; !r && i < b->group_count; i++)
		if (envelope_find_group(a, b->groups[i].id) < 0) {
			snprintf(name, sizeof(name), "group %s", b->groups[i].id);
			r = put(diff, "added", name, NULL, NULL, b->groups[i].reason, err);
		}
	return r;
}

/* ------------------------------------------------------------------ loading */

struct side {
	struct envelope *loaded;
	struct policy *recorded;
	const struct envelope *envelope;
};

static void side_release(struct side *side)
{
	envelope_free(side->loaded);
	policy_free(side->recorded);
}

static bool is_hash(const char *word)
{
	size_t len = strlen(word);

	return len >= 4 && len <= 64 && strspn(word, "0123456789abcdef") == len;
}

static int side_load(const char *word, const char *dir, struct side *ret, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct stat st;
	int r;

	if (is_hash(word) && stat(word, &st) < 0) {
		r = flowdb_open(data_dir(dir), FLOWDB_READ, &db, err);
		if (r >= 0)
			r = policy_of_record(db, word, &ret->recorded, err);
		if (r >= 0)
			ret->envelope = ret->recorded->envelope;
		return r;
	}
	r = envelope_load(strcmp(word, "-") != 0 ? word : NULL, &ret->loaded, err);
	if (r >= 0)
		ret->envelope = ret->loaded;
	return r;
}

int rules_diff(const char *a, const char *b, const char *dir, enum out_format format, bool wide,
               struct err *err)
{
	CLEANUP(side_release) struct side old = {.loaded = NULL};
	CLEANUP(side_release) struct side new = {.loaded = NULL};
	CLEANUP(out_freep) struct out *out = NULL;
	struct diff diff = {.differs = false};
	int r = side_load(a, dir, &old, err);

	if (r >= 0)
		r = side_load(b, dir, &new, err);
	if (r >= 0)
		r = out_new(format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), wide, &out, err);
	if (r < 0)
		return r;
	diff.out = out;
	r = diff_rows(&diff, old.envelope, new.envelope, err);
	if (!r)
		r = diff_groups(&diff, old.envelope, new.envelope, err);
	if (!r)
		r = diff_roles(&diff, old.envelope, new.envelope, err);
	if (!r && !diff.differs)
		out_say(out, strcmp(old.envelope->hash, new.envelope->hash) != 0
		                     ? "the same rows, groups and roles; the texts differ in other things"
		                     : "the same, word for word");
	if (!r)
		r = out_finish(out, err);
	return r < 0 ? r : diff.differs;
}
