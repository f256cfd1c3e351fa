/*
 * text_file.h - a text file as it was read, and messages that point into it: file, line, column, the
 * line itself and a caret. Also the words a message offers instead of a wrong one.
 */
#ifndef RULES_TEXT_FILE_H
#define RULES_TEXT_FILE_H

#include "schema/base.h"

#include <stdarg.h>

#define TEXT_FILE_MAX (16u * 1024 * 1024)

struct text_file {
	char *name; /* as messages call it */
	char *text; /* with a NUL behind it */
	size_t len;
};

/* Reads a file of at most TEXT_FILE_MAX bytes. On success the file is the caller's (text_file_release). */
int text_file_open(const char *path, struct text_file *ret_file, struct err *err) MUST_CHECK;
/* The same of bytes in memory, which are copied. */
int text_file_of(const char *name, const char *text, size_t len, struct text_file *ret_file,
                 struct err *err) MUST_CHECK;
void text_file_release(struct text_file *file);

/*
 * Length of the character at `p` in a text with a NUL behind it, or 0 if it cannot be shown: a control
 * character, or bytes that are no UTF-8 (RFC 3629 3, 4).
 */
size_t character_len(const char *p);

/* "name:line:column: message", the line, and carets under `width` bytes from `offset` on. Returns `code`. */
int text_file_fail(const struct text_file *file, size_t offset, size_t width, struct err *err,
                   int code, const char *fmt, ...) PRINTF(6, 7);
int text_file_vfail(const struct text_file *file, size_t offset, size_t width, struct err *err,
                    int code, const char *fmt, va_list args) PRINTF(6, 0);

/* Is it UTF-8 without control characters other than tabs and line ends? Says which byte is not, and where. */
int text_file_check(const struct text_file *file, struct err *err) MUST_CHECK;

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
/* Whether a text is one line of visible characters, fit for a terminal; and what to say if not. */
bool text_is_plain(const char *text);
#define NOT_PLAIN "a control character in this text; accepted: one line without tabs or escapes"
/* `text` made fit to print in a message: short, nothing but visible characters. Returns `buf`. */
#define SHOWN_MAX 80
const char *text_shown(const char *text, char buf[SHOWN_MAX]);

#endif
