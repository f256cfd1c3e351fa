/*
 * yaml.c - see yaml.h. The only file that knows libfyaml. We take its events, not its documents:
 * nothing is expanded, nested or looked up before we have bounded it. Invariants:
 *  (1) A node's children stand in the order of the file.
 *  (2) Anchors, aliases and tags never reach a node, so a small file cannot become a large tree.
 */
#include "rules/yaml.h"

#include "rules/arena.h"

#include <libfyaml.h>

#define DEPTH_MAX 16
#define KEYS_MAX 1024

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct place {
	size_t offset, width;
	unsigned line; /* kept: counting it anew for each of 100,000 units would not do */
};

struct yaml {
	enum yaml_kind kind;
	bool plain; /* a text without quotes: only such can be empty, true or false */
	struct place place, key_place;
	const char *text, *key;
	struct yaml *first, *last, *next;
	size_t count;
	const struct source *source;
};

struct yaml_file {
	struct source source;
	struct arena *arena;
	struct yaml *root;
};

/* What stands open while a file is read. */
struct reading {
	struct yaml_file *file;
	struct yaml *open[DEPTH_MAX];
	unsigned depth;
	const char *key; /* of the value that comes next */
	struct place key_place;
	bool begun; /* the first document */
	struct err *err;
};

static bool is_empty(const struct yaml *node)
{
	return node->kind == YAML_TEXT && node->plain &&
	       (!node->text[0] || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

static int fail_at(const struct source *source, const struct place *place, struct err *err,
		   const char *fmt, ...) PRINTF(4, 5);

static int fail_at(const struct source *source, const struct place *place, struct err *err,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	source_vfail(source, place->offset, place->width, err, -EINVAL, fmt, args);
	va_end(args);
	return -EINVAL;
}

static struct place place_of(const struct yaml_file *file, struct fy_event *event)
{
	const struct fy_mark *start = fy_event_start_mark(event),
			     *end = fy_event_end_mark(event);
	struct place place = {.width = 1, .line = 1};

	if (start) {
		place.offset = start->input_pos < file->source.len ? start->input_pos
								   : file->source.len;
		place.line = (unsigned)start->line + 1;
	}
	if (start && end && end->input_pos > start->input_pos)
		place.width = end->input_pos - start->input_pos;
	return place;
}

/* Hangs a new node where the next value belongs: under the innermost open list or map, or as root. */
static int add_node(struct reading *reading, enum yaml_kind kind, struct place place,
		    struct yaml **ret_node)
{
	struct yaml_file *file = reading->file;
	struct yaml *parent = reading->depth ? reading->open[reading->depth - 1] : NULL;
	struct yaml *node = arena_take(file->arena, sizeof(*node));

	if (!node)
		return err_set(reading->err, -ENOMEM, "%s: out of memory", file->source.name);
	node->kind = kind;
	node->place = place;
	node->source = &file->source;
	node->text = "";
	node->key = TAKE(reading->key);
	node->key_place = reading->key_place;
	if (!parent)
		file->root = node;
	else if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	if (parent) {
		parent->last = node;
		parent->count++;
	}
	*ret_node = node;
	return 0;
}

static int take_key(struct reading *reading, const char *text, struct place place)
{
	const struct source *source = &reading->file->source;
	const struct yaml *map = reading->open[reading->depth - 1];
	char shown[SHOWN_MAX];

	for (const struct yaml *node = map->first; node; node = node->next)
		if (!strcmp(node->key, text))
			return fail_at(source, &place, reading->err,
				       "'%s' stands here twice, first in line %u",
				       text_shown(text, shown), node->key_place.line);
	if (map->count == KEYS_MAX)
		return fail_at(source, &place, reading->err, "more than %d keys in one map",
			       KEYS_MAX);
	reading->key = text;
	reading->key_place = place;
	return 0;
}

static int take_scalar(struct reading *reading, struct fy_event *event)
{
	struct yaml_file *file = reading->file;
	struct fy_token *token = event->scalar.value;
	struct place place = place_of(file, event);
	const char *raw = NULL;
	size_t len = 0;
	struct yaml *node;
	char *text;
	int r;

	if (token)
		raw = fy_token_get_text(token, &len);
	if (raw && memchr(raw, '\0', len))
		return fail_at(&file->source, &place, reading->err, "a NUL byte inside a text");
	text = arena_copy(file->arena, raw ? raw : "", raw ? len : 0);
	if (!text)
		return err_set(reading->err, -ENOMEM, "%s: out of memory", file->source.name);
	if (reading->depth && reading->open[reading->depth - 1]->kind == YAML_MAP &&
	    !reading->key)
		return take_key(reading, text, place);
	r = add_node(reading, YAML_TEXT, place, &node);
	if (r < 0)
		return r;
	node->text = text;
	node->plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	return 0;
}

static int take_open(struct reading *reading, struct fy_event *event, enum yaml_kind kind)
{
	struct yaml_file *file = reading->file;
	struct place place = place_of(file, event);
	struct yaml *node;
	int r;

	if (reading->depth == DEPTH_MAX)
		return fail_at(&file->source, &place, reading->err,
			       "nested deeper than %d levels", DEPTH_MAX);
	if (reading->depth && reading->open[reading->depth - 1]->kind == YAML_MAP &&
	    !reading->key)
		return fail_at(&file->source, &place, reading->err,
			       "a key must be a plain text");
	r = add_node(reading, kind, place, &node);
	if (r < 0)
		return r;
	reading->open[reading->depth++] = node;
	return 0;
}

static int take_event(struct reading *reading, struct fy_event *event)
{
	struct yaml_file *file = reading->file;
	struct place place;

	switch (event->type) {
	case FYET_DOCUMENT_START:
		place = place_of(file, event);
		if (reading->begun)
			return fail_at(&file->source, &place, reading->err,
				       "a second document begins here; one file holds one");
		reading->begun = true;
		return 0;
	case FYET_ALIAS:
		place = place_of(file, event);
		return fail_at(
			&file->source, &place, reading->err,
			"aliases (*name) are not accepted; write the value out (a name that begins "
			"with * needs quotes)");
	case FYET_SCALAR:
		if (event->scalar.anchor || event->scalar.tag)
			break;
		return take_scalar(reading, event);
	case FYET_SEQUENCE_START:
		if (event->sequence_start.anchor || event->sequence_start.tag)
			break;
		return take_open(reading, event, YAML_LIST);
	case FYET_MAPPING_START:
		if (event->mapping_start.anchor || event->mapping_start.tag)
			break;
		return take_open(reading, event, YAML_MAP);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		reading->depth--;
		return 0;
	default:
		return 0;
	}
	place = place_of(file, event);
	return fail_at(&file->source, &place, reading->err,
		       "anchors (&name) and tags (!name) are not accepted");
}

/* What libfyaml itself has to say: the first of its errors, at our place. */
static int say_syntax(struct yaml_file *file, struct fy_diag *diag, struct err *err)
{
	const struct source *source = &file->source;
	void *at = NULL;
	struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);
	size_t offset = 0;

	if (!error || error->line < 0)
		return source_fail(source, 0, 1, err, -EINVAL, "no YAML: %s",
				   error && error->msg ? error->msg : "cannot be read");
	for (int line = 0; line < error->line && offset < source->len; offset++)
		line += source->text[offset] == '\n';
	for (int column = 0;
	     column < error->column && offset < source->len && source->text[offset] != '\n';
	     column++)
		do
			offset++;
		while (((unsigned char)source->text[offset] & 0xc0) == 0x80);
	return source_fail(source, offset, 1, err, -EINVAL, "%s", error->msg);
}

static void diag_destroyp(struct fy_diag **diag)
{
	if (*diag)
		fy_diag_destroy(*diag);
}

static void parser_destroyp(struct fy_parser **parser)
{
	if (*parser)
		fy_parser_destroy(*parser);
}

/* libfyaml speaks through a diagnostic object; ours collects and prints nothing. */
static struct fy_diag *diag_new(void)
{
	struct fy_diag_cfg cfg;
	struct fy_diag *diag;

	fy_diag_cfg_default(&cfg);
	cfg.fp = NULL;
	cfg.level = FYET_ERROR;
	cfg.colorize = false;
	diag = fy_diag_create(&cfg);
	if (diag)
		fy_diag_set_collect_errors(diag, true);
	return diag;
}

static int parse(struct yaml_file *file, struct err *err)
{
	CLEANUP(diag_destroyp) struct fy_diag *diag = diag_new();
	CLEANUP(parser_destroyp) struct fy_parser *parser = NULL;
	const char *dot = strrchr(file->source.name, '.');
	bool json = dot && !strcmp(dot, ".json");
	struct fy_parse_cfg cfg = {
		.flags = FYPCF_QUIET | (json ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE),
		.diag = diag,
	};
	struct reading reading = {.file = file, .err = err};
	struct fy_event *event;
	int r = 0;

	if (diag)
		parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_string(parser, file->source.text, file->source.len) < 0)
		return err_set(err, -ENOMEM, "%s: out of memory", file->source.name);
	while (r >= 0 && (event = fy_parser_parse(parser))) {
		r = take_event(&reading, event);
		fy_parser_event_free(parser, event);
	}
	if (r < 0)
		return r;
	if (fy_diag_got_error(diag))
		return say_syntax(file, diag, err);
	if (!file->root || is_empty(file->root))
		return err_set(err, -EINVAL, "%s: empty", file->source.name);
	return 0;
}

/* Takes the source over, also on failure. */
static int file_of(struct source *source, struct yaml_file **ret_file, struct err *err)
{
	CLEANUP(yaml_freep) struct yaml_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file) {
		source_release(source);
		return err_set(err, -ENOMEM, "out of memory");
	}
	file->source = *source;
	file->arena = arena_new();
	if (!file->arena)
		return err_set(err, -ENOMEM, "out of memory");
	r = parse(file, err);
	if (r < 0)
		return r;
	*ret_file = TAKE(file);
	return 0;
}

int yaml_open(const char *path, struct yaml_file **ret_file, struct err *err)
{
	struct source source;
	int r = source_open(path, &source, err);

	return r < 0 ? r : file_of(&source, ret_file, err);
}

int yaml_read(const char *name, const char *text, size_t len, struct yaml_file **ret_file,
	      struct err *err)
{
	struct source source;
	int r = source_of(name, text, len, &source, err);

	return r < 0 ? r : file_of(&source, ret_file, err);
}

void yaml_free(struct yaml_file *file)
{
	if (!file)
		return;
	source_release(&file->source);
	arena_free(file->arena);
	free(file);
}

void yaml_freep(struct yaml_file **file)
{
	yaml_free(*file);
	*file = NULL;
}

const struct source *yaml_source(const struct yaml_file *file)
{
	return &file->source;
}

const struct yaml *yaml_root(const struct yaml_file *file)
{
	return file->root;
}

const struct yaml *yaml_first(const struct yaml *node)
{
	return node->first;
}

const struct yaml *yaml_next(const struct yaml *node)
{
	return node->next;
}

size_t yaml_count(const struct yaml *node)
{
	return node->count;
}

const char *yaml_key(const struct yaml *node)
{
	return node->key;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
	if (map->kind == YAML_MAP)
		for (const struct yaml *node = map->first; node; node = node->next)
			if (!strcmp(node->key, key))
				return node;
	return NULL;
}

unsigned yaml_line(const struct yaml *node)
{
	return node->place.line;
}

int yaml_fail(const struct yaml *node, struct err *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	source_vfail(node->source, node->place.offset, node->place.width, err, -EINVAL, fmt,
		     args);
	va_end(args);
	return -EINVAL;
}

int yaml_fail_key(const struct yaml *node, struct err *err, const char *fmt, ...)
{
	const struct place *place = node->key ? &node->key_place : &node->place;
	va_list args;

	va_start(args, fmt);
	source_vfail(node->source, place->offset, place->width, err, -EINVAL, fmt, args);
	va_end(args);
	return -EINVAL;
}

static int unknown(const struct yaml *node, const struct place *place, const char *text,
		   const char *what, const struct words *words, struct err *err)
{
	char shown[SHOWN_MAX], offer[1280];

	return fail_at(node->source, place, err, "unknown %s '%s'; %s", what,
		       text_shown(text, shown), words_offer(words, text, offer, sizeof(offer)));
}

static bool find_word(const struct words *words, const char *text, unsigned *ret_index)
{
	for (size_t i = 0; i < words->count; i++)
		if (!strcmp(words->word[i], text)) {
			*ret_index = (unsigned)i;
			return true;
		}
	return false;
}

int yaml_map(const struct yaml *node, const char *what, const struct words *keys,
	     struct err *err)
{
	char kind[64];
	unsigned index;

	if (is_empty(node))
		return 0;
	if (node->kind != YAML_MAP)
		return yaml_fail(node, err, "%s is a map; accepted: key: value", what);
	snprintf(kind, sizeof(kind), "key of %s", what);
	for (const struct yaml *child = node->first; keys && child; child = child->next)
		if (!find_word(keys, child->key, &index))
			return unknown(child, &child->key_place, child->key, kind, keys, err);
	return 0;
}

static const char *name_of(const struct yaml *node, char shown[SHOWN_MAX])
{
	return text_shown(node->key ? node->key : "this", shown);
}

int yaml_list(const struct yaml *node, struct err *err)
{
	char shown[SHOWN_MAX];

	if (node->kind != YAML_LIST && !is_empty(node))
		return yaml_fail(node, err, "%s is a list; accepted: [a, b]",
				 name_of(node, shown));
	return 0;
}

int yaml_text(const struct yaml *node, const char **ret_text, struct err *err)
{
	char shown[SHOWN_MAX];

	if (node->kind != YAML_TEXT)
		return yaml_fail(node, err, "%s is one text, no %s", name_of(node, shown),
				 node->kind == YAML_LIST ? "list" : "map");
	if (is_empty(node) || !node->text[0])
		return yaml_fail(node, err, "%s is empty; accepted: a text",
				 name_of(node, shown));
	*ret_text = node->text;
	return 0;
}

int yaml_flag(const struct yaml *node, bool *ret_flag, struct err *err)
{
	char shown[SHOWN_MAX];

	if (node->kind == YAML_TEXT && !strcmp(node->text, "true"))
		*ret_flag = true;
	else if (node->kind == YAML_TEXT && !strcmp(node->text, "false"))
		*ret_flag = false;
	else
		return yaml_fail(node, err, "%s is no yes or no; accepted: true, false",
				 name_of(node, shown));
	return 0;
}

int yaml_word(const struct yaml *node, const char *what, const struct words *words,
	      unsigned *ret_index, struct err *err)
{
	const char *text = "";
	int r = yaml_text(node, &text, err);

	if (r < 0)
		return r;
	return find_word(words, text, ret_index)
		       ? 0
		       : unknown(node, &node->place, text, what, words, err);
}

int yaml_key_word(const struct yaml *node, const char *what, const struct words *words,
		  unsigned *ret_index, struct err *err)
{
	if (find_word(words, node->key, ret_index))
		return 0;
	return unknown(node, &node->key_place, node->key, what, words, err);
}

int yaml_need(const struct yaml *map, const char *what, const char *key,
	      const struct yaml **ret_node, struct err *err)
{
	const struct yaml *node = yaml_get(map, key);

	if (!node)
		return yaml_fail(map, err, "%s lacks '%s'", what, key);
	*ret_node = node;
	return 0;
}
