/*
 * yaml_node.h - what a node is, for the two files that make and read it. Invariant: a node's
 * children stand in the order of the file.
 */
#ifndef RULES_YAML_NODE_H
#define RULES_YAML_NODE_H

#include "rules/yaml.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct span {
	size_t offset, width;
	unsigned line; /* kept: counting it anew for each of 100,000 units would not do */
};

struct yaml {
	enum yaml_kind kind;
	bool plain; /* a text without quotes: only such can be empty, true or false */
	struct span span, key_span;
	bool flow;        /* a list or map in brackets ... */
	size_t flow_end;  /* ... and where these end */
	const char *text, *key;
	struct yaml *first, *last, *next;
	size_t count;
	const struct text_file *source;
};

/* Says what is wrong at `span`; returns -EINVAL. */
int span_fail(const struct text_file *source, const struct span *span, struct err *err,
              const char *fmt, ...) PRINTF(4, 5);

#endif
