/*
 * yaml_edit.c - see yaml_edit.h. Nodes say where they begin and end, so a change is a piece of the text
 * that is cut out and another one put there. Invariants:
 *  (1) What is not changed is copied byte by byte.
 *  (2) The result is read again: every node of before stands there, in its order, but for those changed.
 */
#include "rules/yaml_edit.h"

#include "rules/yaml_node.h"

struct editing {
	const struct text_file *source;
	const struct yaml_edit *edit;
	/* The nodes of the path that are there, from the root on: the deepest one, and what it stands in. */
	const struct yaml *trail[YAML_PATH_MAX + 1];
	size_t depth;                     /* of `node` */
	const struct yaml *node, *parent; /* parent NULL: it is the root */
	const char *const *rest;          /* keys that are not there */
	size_t rest_count;
	bool json;
	/* What follows: bytes [from, to) of the text give way to this. */
	size_t from, to;
	FILE *out;
	struct err *err;
};

void yaml_edited_release(struct yaml_edited *edited)
{
	free(edited->text);
	free(edited->lines);
	*edited = (struct yaml_edited){0};
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static void stand_at(struct editing *e, size_t depth)
{
	e->depth = depth;
	e->node = e->trail[depth];
	e->parent = depth ? e->trail[depth - 1] : NULL;
}

/* ------------------------------------------------------------------ places */

/* A text in quotes is marked without them. */
static bool is_quoted(const struct editing *e, const struct span *span)
{
	return span->offset && strchr("'\"", e->source->text[span->offset - 1]);
}

static size_t key_begin(const struct editing *e, const struct yaml *node)
{
	return node->key_span.offset - is_quoted(e, &node->key_span);
}

static bool is_missing(const struct yaml *node)
{
	return node->kind == YAML_TEXT && node->key &&
	       node->span.offset == node->key_span.offset;
}

/* Behind the key: its quote, blanks, and the colon if there is one. */
static size_t key_end(const struct editing *e, const struct yaml *node)
{
	const char *text = e->source->text;
	size_t at = node->key_span.offset + (*node->key ? node->key_span.width : 0) +
	            is_quoted(e, &node->key_span);
	size_t colon = at + strspn(text + at, " \t");

	return text[colon] == ':' ? colon + 1 : at;
}

/* Behind the last byte of a node. */
static size_t node_end(const struct editing *e, const struct yaml *node)
{
	while (node->kind != YAML_TEXT && !node->flow)
		node = node->last;
	if (node->flow)
		return node->flow_end;
	if (is_missing(node))
		return key_end(e, node);
	if (!node->plain && is_quoted(e, &node->span))
		return node->span.offset + (*node->text ? node->span.width : 0) + 1;
	return node->span.offset + (*node->text ? node->span.width : 0);
}

static size_t line_begin(const struct editing *e, size_t at)
{
	while (at && e->source->text[at - 1] != '\n')
		at--;
	return at;
}

/* Where the line after the one of this byte begins; a block of text ends there already. */
static size_t line_after(const struct editing *e, size_t at)
{
	const char *text = e->source->text;

	if (at && text[at - 1] == '\n')
		return at;
	at += strcspn(text + at, "\n");
	return text[at] ? at + 1 : at;
}

/* How far the entries of a list or map that is written in lines are indented. */
static size_t block_indent(const struct editing *e, const struct yaml *node)
{
	size_t at = node->kind == YAML_MAP && node->first ? key_begin(e, node->first)
	                                                  : node->span.offset;

	return at - line_begin(e, at);
}

/* ------------------------------------------------------------------ pieces */

/* The value that the path ends with. */
static void put_leaf(struct editing *e, bool list)
{
	const struct yaml_edit *edit = e->edit;

	if (edit->verb == YAML_SET && edit->plain) {
		fputs(edit->texts[0], e->out);
	} else if (edit->verb == YAML_SET) {
		yaml_put_text(e->out, edit->texts[0], e->json);
	} else if (edit->pairs) {
		fputs(list ? "[" : "", e->out);
		yaml_put_map(e->out, edit->pairs, edit->pair_count, e->json);
		fputs(list ? "]" : "", e->out);
	} else if (list) {
		yaml_put_list(e->out, edit->texts, edit->text_count, e->json);
	} else {
		for (size_t i = 0; i < edit->text_count; i++) {
			fputs(i ? ", " : "", e->out);
			yaml_put_text(e->out, edit->texts[i], e->json);
		}
	}
}

/* "dns-server: {addresses: [8.8.8.8]}": the keys from `first` on that are not there. */
static void put_rest(struct editing *e, size_t first)
{
	for (size_t i = first; i < e->rest_count; i++) {
		fputs(i > first ? "{" : "", e->out);
		yaml_put_text(e->out, e->rest[i], e->json);
		fputs(": ", e->out);
	}
	put_leaf(e, true);
	for (size_t i = first + 1; i < e->rest_count; i++)
		fputc('}', e->out);
}

/* Items of a list that is written in lines. */
static void put_items(struct editing *e, size_t indent)
{
	const struct yaml_edit *edit = e->edit;

	if (edit->pairs && edit->tall) {
		yaml_put_item(e->out, edit->pairs, edit->pair_count, indent);
		return;
	}
	for (size_t i = 0; i < (edit->pairs ? 1 : edit->text_count); i++) {
		fprintf(e->out, "%*s- ", (int)indent, "");
		if (edit->pairs)
			yaml_put_map(e->out, edit->pairs, edit->pair_count, false);
		else
			yaml_put_text(e->out, edit->texts[i], false);
		fputc('\n', e->out);
	}
}

/* Entries of a map that is written in lines: what is long gets lines of its own, the end stands in brackets. */
static void put_entries(struct editing *e, size_t indent)
{
	const struct yaml_edit *edit = e->edit;

	fprintf(e->out, "%*s", (int)indent, "");
	if (e->rest_count == 1 && edit->pairs) {
		yaml_put_text(e->out, e->rest[0], false);
		fputs(":\n", e->out);
		put_items(e, indent + 2);
		return;
	}
	if (e->rest_count > 2) {
		yaml_put_text(e->out, e->rest[0], false);
		fprintf(e->out, ":\n%*s", (int)indent + 2, "");
		put_rest(e, 1);
	} else {
		put_rest(e, 0);
	}
	fputc('\n', e->out);
}

/* From here on lines are put behind the one that holds the byte before `at`. */
static void begin_lines(struct editing *e, size_t at)
{
	e->from = e->to = line_after(e, at);
	if (e->from && e->source->text[e->from - 1] != '\n')
		fputc('\n', e->out);
}

/* ------------------------------------------------------------------ the verbs */

static int refuse(const struct editing *e, const char *what)
{
	return yaml_fail_key(e->node, e->err, "%s", what);
}

static int put_into_container(struct editing *e)
{
	const struct yaml *node = e->node;

	if (node->flow) {
		e->from = e->to = node->last ? node_end(e, node->last) : node->span.offset + 1;
		fputs(node->last ? ", " : "", e->out);
		if (e->rest_count)
			put_rest(e, 0);
		else
			put_leaf(e, false);
		return 0;
	}
	begin_lines(e, node_end(e, node));
	if (e->rest_count)
		put_entries(e, block_indent(e, node));
	else
		put_items(e, block_indent(e, node));
	return 0;
}

/* A key is there, and nothing behind it, or a word that says so. */
static int put_into_nothing(struct editing *e)
{
	const struct yaml *node = e->node;
	bool braces = e->rest_count > 0;

	if (is_missing(node) && (!e->parent || !e->parent->flow) && e->edit->verb == YAML_ADD) {
		size_t indent = key_begin(e, node) - line_begin(e, key_begin(e, node)) + 2;

		begin_lines(e, key_end(e, node));
		if (e->rest_count)
			put_entries(e, indent);
		else
			put_items(e, indent);
		return 0;
	}
	e->from = is_missing(node) ? key_end(e, node) : node->span.offset;
	e->to = is_missing(node) ? e->from : node_end(e, node);
	if (is_missing(node))
		fputs(e->source->text[e->from - 1] == ':' ? " " : ": ", e->out);
	fputs(braces ? "{" : "", e->out);
	if (braces)
		put_rest(e, 0);
	else
		put_leaf(e, true);
	fputs(braces ? "}" : "", e->out);
	return 0;
}

static int add(struct editing *e)
{
	if (yaml_is_empty(e->node))
		return put_into_nothing(e);
	if (e->node->kind == YAML_TEXT)
		return refuse(e, "a text stands here; accepted: a list or a map");
	if ((e->node->kind == YAML_MAP) != (e->rest_count > 0))
		return refuse(e, e->rest_count ? "a list stands here; accepted: a map"
		                               : "a map stands here; accepted: a list");
	return put_into_container(e);
}

static int set(struct editing *e)
{
	if (e->rest_count || yaml_is_empty(e->node))
		return add(e);
	if (e->node->kind != YAML_TEXT)
		return refuse(e, "a list or a map stands here; accepted: a text");
	e->to = node_end(e, e->node);
	e->from = e->node->span.offset - (!e->node->plain && is_quoted(e, &e->node->span));
	put_leaf(e, false);
	return 0;
}

static int drop(struct editing *e)
{
	const struct yaml *before = NULL;

	if (e->rest_count || !e->parent || e->parent->kind != YAML_MAP)
		return err_set(e->err, -ENOENT, "%s: no '%s' is there to be taken out",
		               e->source->name, e->rest_count ? e->rest[0] : "");
	/* A map that would be left empty goes as well. */
	while (e->parent->count == 1 && e->depth > 1 &&
	       e->trail[e->depth - 2]->kind == YAML_MAP)
		stand_at(e, e->depth - 1);
	for (const struct yaml *node = e->parent->first; node != e->node; node = node->next)
		before = node;
	if (e->parent->flow) {
		e->from = before ? node_end(e, before) : key_begin(e, e->node);
		e->to = before          ? node_end(e, e->node)
		        : e->node->next ? key_begin(e, e->node->next)
		                        : node_end(e, e->node);
		return 0;
	}
	e->from = line_begin(e, key_begin(e, e->node));
	e->to = line_after(e, node_end(e, e->node));
	/* Behind the dash of a list's item another key would have to move up. */
	if (strspn(e->source->text + e->from, " ") != key_begin(e, e->node) - e->from)
		return refuse(e, "it stands in one line with a dash; take it out by hand");
	return 0;
}

/* ------------------------------------------------------------------ the whole */

static const struct yaml *find_item(const struct yaml *list, const char *step)
{
	size_t len = strcspn(step, "=");

	for (const struct yaml *item = list->first; item && step[len]; item = item->next)
		for (const struct yaml *node = item->first; node; node = node->next)
			if (item->kind == YAML_MAP && node->kind == YAML_TEXT &&
			    strlen(node->key) == len && !strncmp(node->key, step, len) &&
			    !strcmp(node->text, step + len + 1))
				return item;
	return NULL;
}

static int walk(struct editing *e, const struct yaml *root)
{
	size_t at = 0;

	e->trail[0] = root;
	for (; e->edit->path[at]; at++) {
		const struct yaml *node = e->trail[at], *next;
		const char *step = e->edit->path[at];

		next = node->kind == YAML_LIST ? find_item(node, step) : yaml_get(node, step);
		if (node->kind == YAML_LIST && !next)
			return yaml_fail_key(node, e->err, "no item here has %s", step);
		if (!next)
			break;
		e->trail[at + 1] = next;
	}
	stand_at(e, at);
	e->rest = &e->edit->path[at];
	while (e->rest[e->rest_count])
		e->rest_count++;
	return 0;
}

/* Whether all of `old` stands in `now`, where more may have come; below `changed` anything may have. */
static bool is_kept(const struct yaml *old, const struct yaml *now, const struct yaml *changed,
                    bool dropped)
{
	if (old == changed && !dropped && old->kind == YAML_TEXT)
		return true;
	if (!now || old->kind != now->kind || strcmp(old->text, now->text) != 0)
		return false;
	now = now->first;
	for (const struct yaml *node = old->first; node; node = node->next) {
		if (dropped && node == changed)
			continue;
		if (!now || (node->key && strcmp(node->key, now->key) != 0) ||
		    !is_kept(node, now, changed, dropped))
			return false;
		now = now->next;
	}
	return !now || (!dropped && old == changed);
}

static size_t lines_in(const char *text, size_t len)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines + (len && text[len - 1] != '\n');
}

/* Whole lines that are alike at both ends are left out. */
static int take_difference(const char *old, size_t old_len, struct yaml_edited *edited)
{
	const char *now = edited->text;
	size_t head = 0, tail = 0, least = old_len < edited->len ? old_len : edited->len;

	while (head < least && old[head] == now[head])
		head++;
	while (head && now[head - 1] != '\n')
		head--;
	while (tail < least - head && old[old_len - 1 - tail] == now[edited->len - 1 - tail])
		tail++;
	while (tail && old[old_len - tail - 1] != '\n' && old_len - tail > head)
		tail--;
	while (tail && edited->len - tail > head && now[edited->len - tail - 1] != '\n')
		tail--;
	edited->line = (unsigned)lines_in(old, head) + 1;
	edited->replaced = (unsigned)lines_in(old + head, old_len - tail - head);
	if (asprintf(&edited->lines, "%.*s%s", (int)(edited->len - tail - head), now + head,
	             edited->len - tail > head && now[edited->len - tail - 1] != '\n' ? "\n"
	                                                                              : "") < 0)
		edited->lines = NULL;
	return edited->lines ? 0 : -ENOMEM;
}

static int check(const struct editing *e, const struct yaml *root, struct yaml_edited *edited)
{
	CLEANUP(yaml_freep) struct yaml_file *file = NULL;
	int r;

	if (e->edit->verb == YAML_DROP && !edited->len)
		return 0;
	r = yaml_read(e->source->name, edited->text, edited->len, &file, e->err);
	if (r >= 0 && root &&
	    !is_kept(root, yaml_root(file), e->node, e->edit->verb == YAML_DROP))
		r = err_set(e->err, -EINVAL,
		            "%s: written in a way in which it cannot be changed by itself",
		            e->source->name);
	return r;
}

static int splice(struct editing *e, const struct text_file *source, struct yaml_edited *ret,
                  int (*verb)(struct editing *e))
{
	CLEANUP(freep) char *piece = NULL;
	size_t len = 0;
	int r;

	e->out = open_memstream(&piece, &len);
	if (!e->out)
		return no_memory(e->err);
	r = verb(e);
	if (fclose(TAKE(e->out)) && r >= 0)
		r = no_memory(e->err);
	if (r < 0)
		return r;
	ret->len = source->len - (e->to - e->from) + len;
	ret->text = malloc(ret->len + 1);
	if (!ret->text)
		return no_memory(e->err);
	memcpy(ret->text, source->text, e->from);
	memcpy(ret->text + e->from, piece, len);
	memcpy(ret->text + e->from + len, source->text + e->to, source->len - e->to + 1);
	return take_difference(source->text, source->len, ret) < 0 ? no_memory(e->err) : 0;
}

/* There is no file yet. */
static int begin_file(struct editing *e)
{
	e->from = e->to = 0;
	put_entries(e, 0);
	return 0;
}

int yaml_edit(const char *name, const char *text, size_t len, const struct yaml_edit *edit,
              struct yaml_edited *ret, struct err *err)
{
	static int (*const VERBS[])(struct editing *) = {
		[YAML_ADD] = add, [YAML_SET] = set, [YAML_DROP] = drop};
	CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
	CLEANUP(yaml_freep) struct yaml_file *file = NULL;
	const char *dot = strrchr(name, '.');
	struct text_file empty = {.name = (char *)name, .text = (char *)""};
	struct editing editing = {
		.edit = edit, .json = dot && !strcmp(dot, ".json"), .err = err};
	int r = 0;

	if (len) {
		r = yaml_read(name, text, len, &file, err);
		editing.source = r < 0 ? NULL : yaml_source(file);
		r = r < 0 ? r : walk(&editing, yaml_root(file));
	} else {
		editing.source = &empty;
		editing.rest = edit->path;
		while (editing.rest[editing.rest_count])
			editing.rest_count++;
	}
	if (r >= 0)
		r = splice(&editing, editing.source, &edited,
		           len ? VERBS[edit->verb] : begin_file);
	if (r >= 0)
		r = check(&editing, file ? yaml_root(file) : NULL, &edited);
	if (r < 0)
		return r;
	*ret = edited;
	edited = (struct yaml_edited){0};
	return 0;
}
