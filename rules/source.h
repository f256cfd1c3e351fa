/*
 * source.h - a text file as it was read, and messages that point into it: file, line, column, the
 * line itself and a caret. Also the words a message offers instead of a wrong one.
 */
#ifndef RULES_SOURCE_H
#define RULES_SOURCE_H

#include "schema/base.h"

#include <stdarg.h>

#define SOURCE_MAX (16u * 1024 * 1024)

struct source {
	char *name; /* as messages call it */
	char *text; /* with a NUL behind it */
	size_t len;
};

/* Reads a file of at most SOURCE_MAX bytes. On success the source is the caller's (source_release). */
int source_open(const char *path, struct source *ret_source, struct err *err) MUST_CHECK;
/* The same of bytes in memory, which are copied. */
int source_of(const char *name, const char *text, size_t len, struct source *ret_source,
	      struct err *err) MUST_CHECK;
void source_release(struct source *source);

/* "name:line:column: message", the line, and carets under `width` bytes from `offset` on. Returns `code`. */
int source_fail(const struct source *source, size_t offset, size_t width, struct err *err,
		int code, const char *fmt, ...) PRINTF(6, 7);
int source_vfail(const struct source *source, size_t offset, size_t width, struct err *err,
		 int code, const char *fmt, va_list args) PRINTF(6, 0);

/* What is accepted in a place. */
struct words {
	const char *const *word;
	size_t count;
};

/* WORDS(COLOURS, "red", "green"); is a constant struct words of this file. */
#define WORDS(name, ...) \
	static const char *const name##_LIST[] = {__VA_ARGS__}; \
	static const struct words name = {name##_LIST, ARRAY_LEN(name##_LIST)}

/* The accepted word a person may have meant, or NULL. */
const char *words_near(const struct words *words, const char *text);
/* "accepted: a, b, c", and "; did you mean 'b'?" where one is near. Returns `buf`. */
const char *words_offer(const struct words *words, const char *text, char *buf, size_t size);
/* `text` made fit to print in a message: short, nothing but visible characters. Returns `buf`. */
#define SHOWN_MAX 80
const char *text_shown(const char *text, char buf[SHOWN_MAX]);

#endif
