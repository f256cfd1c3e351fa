/*
 * verdict.c - see verdict.h.
 */
#include "schema/verdict.h"

static const char *const RULINGS[] = {NULL, "documented", "outside", "undetermined",
                                      "housekeeping"};
static const char *const GRADES[] = {NULL, "exact", "unproven", "wide"};
static const char *const WHYS[] = {
	NULL,        "midstream",    "one-sided",   "too-few-packets",
	"encrypted", "role-unknown", "no-inspector"};
static const char *const DIRECTIONS[] = {"unknown", "out", "in"};
static const char *const SEVERITIES[] = {NULL, "info", "low", "medium", "high"};
static const char *const KINDS[KIND_COUNT] = {NULL,
#define X(name, text, sentence) text,
                                              FINDING_KINDS(X)
#undef X
};
static const char *const SENTENCES[KIND_COUNT] = {NULL,
#define X(name, text, sentence) sentence,
                                                  FINDING_KINDS(X)
#undef X
};

#define NAME_OF(table, i) ((unsigned)(i) < ARRAY_LEN(table) ? (table)[i] : NULL)

const char *ruling_name(enum ruling ruling)
{
	return NAME_OF(RULINGS, ruling);
}

const char *grade_name(enum grade grade)
{
	return NAME_OF(GRADES, grade);
}

const char *why_name(enum why why)
{
	return NAME_OF(WHYS, why);
}

const char *direction_name(enum direction direction)
{
	return NAME_OF(DIRECTIONS, direction);
}

const char *severity_name(enum severity severity)
{
	return NAME_OF(SEVERITIES, severity);
}

const char *kind_name(enum kind kind)
{
	return NAME_OF(KINDS, kind);
}

const char *kind_sentence(enum kind kind)
{
	return NAME_OF(SENTENCES, kind);
}

const char *field_name(enum field field)
{
	return (unsigned)field < FIELD_COUNT ? KINDS[KIND_IP_VERSION + (unsigned)field] : NULL;
}

static unsigned word_find(const char *const *table, unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++)
		if (table[i] && !strcmp(table[i], text))
			return i;
	return count;
}

enum ruling ruling_parse(const char *text)
{
	return (enum ruling)word_find(RULINGS, ARRAY_LEN(RULINGS), text);
}

enum severity severity_parse(const char *text)
{
	return (enum severity)word_find(SEVERITIES, ARRAY_LEN(SEVERITIES), text);
}

enum kind kind_parse(const char *text)
{
	return (enum kind)word_find(KINDS, KIND_COUNT, text);
}
