/*
 * yaml.c - see yaml.h. The only file that knows libfyaml. We take its events, not its documents:
 * nothing is expanded, nested or looked up before we have bounded it. Invariants:
 *  (1) A node's children stand in the order of the file.
 *  (2) Anchors, aliases and tags never reach a node, so a small file cannot become a large tree.
 */
#include "rules/yaml_node.h"

#include "rules/arena.h"
#include "rules/yaml_syntax.h"

#include <libfyaml.h>

#define DEPTH_MAX 16
#define KEYS_MAX 1024
#define BRACKETS_MAX 4096

struct yaml_file {
	struct text_file source;
	struct arena *arena;
	struct yaml *root;
};

/* What stands open while a file is read. */
struct reading {
	struct yaml_file *file;
	struct yaml *open[DEPTH_MAX];
	unsigned depth;
	const char *key; /* of the value that comes next */
	struct span key_span;
	struct span end; /* behind what was read last */
	bool begun;      /* the first document */
	struct err *err;
};

static struct span span_of(const struct yaml_file *file, struct fy_event *event)
{
	const struct fy_mark *start = fy_event_start_mark(event),
			     *end = fy_event_end_mark(event);
	struct span span = {.width = 1, .line = 1};

	if (start) {
		span.offset = start->input_pos < file->source.len ? start->input_pos
		                                                  : file->source.len;
		span.line = (unsigned)start->line + 1;
	}
	if (start && end && end->input_pos > start->input_pos)
		span.width = end->input_pos - start->input_pos;
	return span;
}

static void read_up_to(struct reading *reading, size_t offset)
{
	const struct text_file *source = &reading->file->source;

	for (; reading->end.offset < offset && reading->end.offset < source->len;
	     reading->end.offset++)
		reading->end.line += source->text[reading->end.offset] == '\n';
}

/*
 * A value that is not there has no place: its key stands for it, in a list the dash, which comes next
 * but for blanks and comments.
 */
static struct span span_of_nothing(struct reading *reading)
{
	const char *text = reading->file->source.text;
	size_t at = reading->end.offset;
	struct span span;

	if (reading->key)
		return reading->key_span;
	for (at += strspn(text + at, " \t\r\n"); text[at] == '#';
	     at += strspn(text + at, " \t\r\n"))
		at += strcspn(text + at, "\n");
	read_up_to(reading, at);
	span = reading->end;
	read_up_to(reading, at + (text[at] == '-'));
	return span;
}

/* Hangs a new node where the next value belongs: under the innermost open list or map, or as root. */
static int add_node(struct reading *reading, enum yaml_kind kind, struct span span,
                    struct yaml **ret_node)
{
	struct yaml_file *file = reading->file;
	struct yaml *parent = reading->depth ? reading->open[reading->depth - 1] : NULL;
	struct yaml *node = arena_take(file->arena, sizeof(*node));

	if (!node)
		return err_set(reading->err, -ENOMEM, "%s: out of memory", file->source.name);
	node->kind = kind;
	node->span = span;
	node->source = &file->source;
	node->text = "";
	node->key = TAKE(reading->key);
	node->key_span = reading->key_span;
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

static int take_key(struct reading *reading, const char *text, struct span span)
{
	const struct text_file *source = &reading->file->source;
	const struct yaml *map = reading->open[reading->depth - 1];
	char shown[SHOWN_MAX];

	for (const struct yaml *node = map->first; node; node = node->next)
		if (!strcmp(node->key, text))
			return span_fail(source, &span, reading->err,
			                 "'%s' stands here twice, first in line %u",
			                 text_shown(text, shown), node->key_span.line);
	if (map->count == KEYS_MAX)
		return span_fail(source, &span, reading->err, "more than %d keys in one map",
		                 KEYS_MAX);
	reading->key = text;
	reading->key_span = span;
	return 0;
}

static int take_scalar(struct reading *reading, struct fy_event *event)
{
	struct yaml_file *file = reading->file;
	struct fy_token *token = event->scalar.value;
	bool missing = !fy_event_start_mark(event);
	struct span span = missing ? span_of_nothing(reading) : span_of(file, event);
	const char *raw = NULL;
	size_t len = 0;
	struct yaml *node;
	char *text;
	int r;

	if (!missing)
		read_up_to(reading, span.offset + span.width);
	if (token)
		raw = fy_token_get_text(token, &len);
	if (token && (fy_token_scalar_style(token) == FYSS_LITERAL ||
	              fy_token_scalar_style(token) == FYSS_FOLDED))
		while (len && raw[len - 1] == '\n')
			len--; /* a block's last line end is no part of what it says */
	if (raw && memchr(raw, '\0', len))
		return span_fail(&file->source, &span, reading->err,
		                 "a NUL byte inside a text");
	text = arena_copy(file->arena, raw ? raw : "", raw ? len : 0);
	if (!text)
		return err_set(reading->err, -ENOMEM, "%s: out of memory", file->source.name);
	if (reading->depth && reading->open[reading->depth - 1]->kind == YAML_MAP &&
	    !reading->key) {
		if (!text_is_plain(text))
			return span_fail(&file->source, &span, reading->err, NOT_PLAIN);
		return take_key(reading, text, span);
	}
	r = add_node(reading, YAML_TEXT, span, &node);
	if (r < 0)
		return r;
	node->text = text;
	node->plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	return 0;
}

static int take_open(struct reading *reading, struct fy_event *event, enum yaml_kind kind)
{
	struct yaml_file *file = reading->file;
	struct span span = span_of(file, event);
	struct yaml *node;
	int r;

	if (reading->depth == DEPTH_MAX)
		return span_fail(&file->source, &span, reading->err,
		                 "nested deeper than %d levels", DEPTH_MAX);
	if (reading->depth && reading->open[reading->depth - 1]->kind == YAML_MAP &&
	    !reading->key)
		return span_fail(&file->source, &span, reading->err,
		                 "a key must be a plain text");
	read_up_to(reading, span.offset);
	r = add_node(reading, kind, span, &node);
	if (r < 0)
		return r;
	node->flow = strchr("[{", file->source.text[span.offset]);
	reading->open[reading->depth++] = node;
	return 0;
}

static void take_close(struct reading *reading, struct fy_event *event)
{
	struct yaml *node = reading->open[--reading->depth];
	struct span span = span_of(reading->file, event);

	node->flow_end = node->flow ? span.offset + span.width : 0;
}

static int take_event(struct reading *reading, struct fy_event *event)
{
	struct yaml_file *file = reading->file;
	struct span span;

	switch (event->type) {
	case FYET_DOCUMENT_START:
		span = span_of(file, event);
		if (reading->begun)
			return span_fail(&file->source, &span, reading->err,
			                 "a second document begins here; one file holds one");
		reading->begun = true;
		return 0;
	case FYET_ALIAS:
		span = span_of(file, event);
		return span_fail(
			&file->source, &span, reading->err,
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
		take_close(reading, event);
		return 0;
	default:
		return 0;
	}
	span = span_of(file, event);
	return span_fail(&file->source, &span, reading->err,
	                 "anchors (&name) and tags (!name) are not accepted");
}

static bool is_json(const struct yaml_file *file)
{
	const char *dot = strrchr(file->source.name, '.');

	return dot && !strcmp(dot, ".json");
}

/* What libfyaml itself has to say: the first of its errors, which it counts from line 1, column 1. */
static int say_syntax(struct yaml_file *file, struct fy_diag *diag, struct err *err)
{
	void *at = NULL;
	struct fy_diag_error *error = fy_diag_errors_iterate(diag, &at);

	return syntax_fail(&file->source, error && error->msg ? error->msg : "cannot be read",
	                   error && error->line > 0 ? (unsigned)error->line : 0,
	                   error && error->column > 0 ? (unsigned)error->column : 0,
	                   !is_json(file), err);
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

/*
 * What libfyaml 0.7.12 must not see. Bytes that are no UTF-8 behind a % keep it in fy_scan_directive() for
 * ever; so text is checked, and directives, of which we need none, are refused. It reads on to the end
 * of open brackets before it tells us of the first, and needs 300 bytes for each; so they are
 * counted, roughly: those in quotes and comments count as well, hence the generous limit.
 */
static int check_bytes(const struct text_file *source, struct err *err)
{
	const char *text = source->text;
	unsigned open = 0;
	int r = text_file_check(source, err);

	for (size_t i = 0; r >= 0 && i < source->len; i++) {
		if (text[i] == '%' && (!i || text[i - 1] == '\n' || text[i - 1] == '\r'))
			return text_file_fail(source, i, 1, err, -EINVAL,
			                      "directives (%%NAME) are not accepted");
		if (text[i] == '[' || text[i] == '{')
			open++;
		else if ((text[i] == ']' || text[i] == '}') && open)
			open--;
		if (open > BRACKETS_MAX)
			return text_file_fail(source, i, 1, err, -EINVAL,
			                      "more than %d brackets are open", BRACKETS_MAX);
	}
	return r;
}

static int parse(struct yaml_file *file, struct err *err)
{
	CLEANUP(diag_destroyp) struct fy_diag *diag = diag_new();
	CLEANUP(parser_destroyp) struct fy_parser *parser = NULL;
	struct fy_parse_cfg cfg = {
		.flags = FYPCF_QUIET | (is_json(file) ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE),
		.diag = diag,
	};
	struct reading reading = {.file = file, .end = {.width = 1, .line = 1}, .err = err};
	struct fy_event *event;
	int r = check_bytes(&file->source, err);

	if (r < 0)
		return r;
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
	if (!file->root || yaml_is_empty(file->root))
		return text_file_fail(&file->source, 0, 1, err, -EINVAL, "an empty file");
	return 0;
}

/* Takes the source over, also on failure. */
static int file_of(struct text_file *source, struct yaml_file **ret_file, struct err *err)
{
	CLEANUP(yaml_freep) struct yaml_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file) {
		text_file_release(source);
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
	struct text_file source;
	int r = text_file_open(path, &source, err);

	return r < 0 ? r : file_of(&source, ret_file, err);
}

int yaml_read(const char *name, const char *text, size_t len, struct yaml_file **ret_file,
              struct err *err)
{
	struct text_file source;
	int r = text_file_of(name, text, len, &source, err);

	return r < 0 ? r : file_of(&source, ret_file, err);
}

void yaml_free(struct yaml_file *file)
{
	if (!file)
		return;
	text_file_release(&file->source);
	arena_free(file->arena);
	free(file);
}

void yaml_freep(struct yaml_file **file)
{
	yaml_free(*file);
	*file = NULL;
}

const struct text_file *yaml_source(const struct yaml_file *file)
{
	return &file->source;
}

const struct yaml *yaml_root(const struct yaml_file *file)
{
	return file->root;
}
