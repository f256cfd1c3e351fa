/*
 * site_merge.c - the proposal laid into the site file in force, change by change (rules/yaml_edit.h): every byte of the
 * file stays, and above each change stands what speaks for it. What somebody decided there already (who holds a role,
 * which profiles a unit has) is not changed: it is said at the end.
 */
#include "monitor/suggest/parts.h"
#include "rules/yaml_edit.h"

struct merging {
	const struct suggestion *suggestion;
	const char *name; /* of the file */
	char *text;
	size_t len;
	bool json; /* it takes no comments */
};

static size_t line_at(const char *text, unsigned line)
{
	size_t at = 0;

	while (line-- > 1 && text[at]) {
		at += strcspn(text + at, "\n");
		at += text[at] == '\n';
	}
	return at;
}

/* The changed text, with `comment` (lines that begin with "# ") above the lines that changed, indented as they are. */
static int take(struct merging *merging, const struct yaml_edited *edited, const char *comment,
                struct err *err)
{
	size_t at = line_at(edited->text, edited->line);
	int indent = (int)strspn(edited->text + at, " ");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	fwrite(edited->text, 1, at, out);
	for (const char *line = comment; *line && !merging->json;) {
		size_t width = strcspn(line, "\n");

		fprintf(out, "%*s%.*s\n", indent, "", (int)width, line);
		line += width + (line[width] == '\n');
	}
	fwrite(edited->text + at, 1, edited->len - at, out);
	if (fclose(out)) {
		free(text);
		return err_set(err, -ENOMEM, "out of memory");
	}
	free(merging->text);
	merging->text = text;
	merging->len = len;
	return 0;
}

static int change(struct merging *merging, const struct yaml_edit *edit, const char *comment,
                  struct err *err)
{
	CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
	int r = yaml_edit(merging->name, merging->text, merging->len, edit, &edited, err);

	return r < 0 ? r : take(merging, &edited, comment, err);
}

static int add_unit(struct merging *merging, const struct candidate *candidate, struct err *err)
{
	CLEANUP(freep) char *comment = said(merging->suggestion, say_unit, candidate);
	struct unit_words words;
	const struct yaml_edit edit = {
		.verb = YAML_ADD,
		.path = {"units"},
		.pairs = words.pairs,
		.pair_count = ARRAY_LEN(words.pairs),
	};

	unit_words(merging->suggestion, candidate, &words);
	return comment ? change(merging, &edit, comment, err)
	               : err_set(err, -ENOMEM, "out of memory");
}

static int add_holder(struct merging *merging, const struct holder *holder, struct err *err)
{
	CLEANUP(freep) char *comment = said(merging->suggestion, say_holder, holder);
	char addr[ADDR_TEXT];
	const char *text = *holder->name ? holder->name : addr_print(&holder->addr, addr);
	const struct yaml_edit edit = {
		.verb = YAML_ADD,
		.path = {"roles", merging->suggestion->options.envelope->roles[holder->role].id,
	                 *holder->name ? "names" : "addresses"},
		.texts = &text,
		.text_count = 1,
	};

	return comment ? change(merging, &edit, comment, err)
	               : err_set(err, -ENOMEM, "out of memory");
}

static int add_domain(struct merging *merging, const struct domain *domain, struct err *err)
{
	CLEANUP(freep) char *comment = said(merging->suggestion, say_domain, domain);
	const char *text = domain->text;
	const struct yaml_edit edit = {
		.verb = YAML_ADD, .path = {"domains"}, .texts = &text, .text_count = 1};

	return comment ? change(merging, &edit, comment, err)
	               : err_set(err, -ENOMEM, "out of memory");
}

static int name_site(struct merging *merging, struct err *err)
{
	const char *text = merging->suggestion->options.site;
	const struct yaml_edit edit = {
		.verb = YAML_SET, .path = {"site"}, .texts = &text, .text_count = 1};

	return text ? change(merging, &edit, "", err) : 0;
}

static int add_all(struct merging *merging, struct err *err)
{
	const struct suggestion *suggestion = merging->suggestion;
	const struct policy *in_force = suggestion->options.in_force;
	int r = name_site(merging, err);

	for (size_t i = 0; r >= 0 && i < suggestion->candidate_count; i++)
		if (!suggestion->candidates[i].listed)
			r = add_unit(merging, &suggestion->candidates[i], err);
	for (unsigned i = 0; r >= 0 && !in_force->domain_count && i < suggestion->domain_count;
	     i++)
		r = add_domain(merging, &suggestion->domains[i], err);
	for (size_t i = 0; r >= 0 && i < suggestion->holder_count; i++)
		if (holder_is_written(suggestion, i, HOLDER_ACTIVE) ||
		    (suggestion->uncommented &&
		     holder_is_written(suggestion, i, HOLDER_DOUBTED)))
			r = add_holder(merging, &suggestion->holders[i], err);
	return r;
}

static void say_rest(const struct suggestion *suggestion, FILE *file)
{
	const struct envelope *envelope = suggestion->options.envelope;

	fputs("#\n", file);
	say_listed(suggestion, file);
	for (unsigned role = 0; role < envelope->role_count; role++) {
		say_doubted(suggestion, file, &envelope->roles[role]);
		say_role(suggestion, file, &envelope->roles[role]);
	}
	say_tail(suggestion, file);
}

int site_merge(const struct suggestion *suggestion, const char *name, const char *text,
               size_t len, FILE *file, struct err *err)
{
	const char *dot = strrchr(name, '.');
	struct merging merging = {.suggestion = suggestion,
	                          .name = name,
	                          .len = len,
	                          .json = dot && !strcmp(dot, ".json")};
	int r;

	merging.text = strndup(text, len);
	if (!merging.text)
		return err_set(err, -ENOMEM, "out of memory");
	r = add_all(&merging, err);
	if (r >= 0 && !merging.json)
		say_head(suggestion, file);
	if (r >= 0)
		fwrite(merging.text, 1, merging.len, file);
	if (r >= 0 && merging.len && merging.text[merging.len - 1] != '\n')
		fputc('\n', file);
	if (r >= 0 && !merging.json)
		say_rest(suggestion, file);
	free(merging.text);
	return r;
}
