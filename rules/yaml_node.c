/*
 * yaml_node.c - nodes read as texts, flags, words, lists and maps; see yaml.h.
 */
#include "rules/yaml_node.h"

bool yaml_is_empty(const struct yaml *node)
{
	return node->kind == YAML_TEXT && node->plain &&
	       (!node->text[0] || !strcmp(node->text, "~") || !strcmp(node->text, "null"));
}

int span_fail(const struct text_file *source, const struct span *span, struct err *err,
              const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_file_vfail(source, span->offset, span->width, err, -EINVAL, fmt, args);
	va_end(args);
	return -EINVAL;
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
	return node->span.line;
}

struct place yaml_place(const struct yaml *node)
{
	return (struct place){node->source, node->span.offset, node->span.width};
}

int yaml_fail(const struct yaml *node, struct err *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_file_vfail(node->source, node->span.offset, node->span.width, err, -EINVAL, fmt,
	                args);
	va_end(args);
	return -EINVAL;
}

int yaml_fail_key(const struct yaml *node, struct err *err, const char *fmt, ...)
{
	const struct span *span = node->key ? &node->key_span : &node->span;
	va_list args;

	va_start(args, fmt);
	text_file_vfail(node->source, span->offset, span->width, err, -EINVAL, fmt, args);
	va_end(args);
	return -EINVAL;
}

static int unknown(const struct yaml *node, const struct span *span, const char *text,
                   const char *what, const struct words *words, struct err *err)
{
	char shown[SHOWN_MAX], offer[1280];

	return span_fail(node->source, span, err, "unknown %s '%s'; %s", what,
	                 text_shown(text, shown),
	                 words_offer(words, text, offer, sizeof(offer)));
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
	char kind[64], offer[512];
	unsigned index;

	if (yaml_is_empty(node))
		return 0;
	if (node->kind != YAML_MAP)
		return yaml_fail(node, err, "%s is a map of key: value%s%s", what,
		                 keys ? "; " : "",
		                 keys ? words_offer(keys, "", offer, sizeof(offer)) : "");
	snprintf(kind, sizeof(kind), "key of %s", what);
	for (const struct yaml *child = node->first; keys && child; child = child->next)
		if (!find_word(keys, child->key, &index))
			return unknown(child, &child->key_span, child->key, kind, keys, err);
	return 0;
}

static const char *name_of(const struct yaml *node, char shown[SHOWN_MAX])
{
	return text_shown(node->key ? node->key : "this", shown);
}

int yaml_list(const struct yaml *node, struct err *err)
{
	char shown[SHOWN_MAX], value[SHOWN_MAX];

	if (node->kind != YAML_LIST && !yaml_is_empty(node))
		return yaml_fail(
			node, err, "%s is a list; accepted: [%s]", name_of(node, shown),
			node->kind == YAML_TEXT ? text_shown(node->text, value) : "a, b");
	return 0;
}

int yaml_text(const struct yaml *node, const char **ret_text, struct err *err)
{
	char shown[SHOWN_MAX];

	if (node->kind != YAML_TEXT)
		return yaml_fail(node, err, "%s is one text, no %s", name_of(node, shown),
		                 node->kind == YAML_LIST ? "list" : "map");
	if (yaml_is_empty(node) || !node->text[0])
		return yaml_fail(node, err, "%s is empty; accepted: a text",
		                 name_of(node, shown));
	if (!text_is_plain(node->text))
		return yaml_fail(node, err, NOT_PLAIN);
	*ret_text = node->text;
	return 0;
}

int yaml_flag(const struct yaml *node, bool *ret_flag, struct err *err)
{
	char shown[SHOWN_MAX], value[SHOWN_MAX];

	if (node->kind == YAML_TEXT && !strcmp(node->text, "true"))
		*ret_flag = true;
	else if (node->kind == YAML_TEXT && !strcmp(node->text, "false"))
		*ret_flag = false;
	else
		return yaml_fail(node, err,
		                 "%s: '%s' is neither true nor false; accepted: true, false",
		                 name_of(node, shown), text_shown(node->text, value));
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
	               : unknown(node, &node->span, text, what, words, err);
}

int yaml_key_word(const struct yaml *node, const char *what, const struct words *words,
                  unsigned *ret_index, struct err *err)
{
	if (find_word(words, node->key, ret_index))
		return 0;
	return unknown(node, &node->key_span, node->key, what, words, err);
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
