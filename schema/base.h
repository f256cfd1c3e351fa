/*
 * base.h - the handful of words every room uses: errors, cleanup, ownership.
 */
#ifndef SCHEMA_BASE_H
#define SCHEMA_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (UINT64_C(1) << (n))

/* Hands the pointer out of a CLEANUP variable: `*ret = TAKE(env);`. */
#define TAKE(p) \
	({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

/*
 * What a person will read about a failure. Filled once, where the cause is known, and passed up
 * untouched. `text` may hold several lines (a place in a YAML file comes with the line and a
 * caret) and does not end with a newline.
 */
struct err {
	int code; /* negative errno */
	char text[2048];
};

/* Fills `err` (may be NULL) and returns `code`, so that a caller can `return err_set(...)`. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* Cleanup functions of C's own types; NULL and -1 are fine. */
void freep(void *pointer_to_pointer);
void fclosep(FILE **file);
void closep(int *fd);

/*
 * Grows the array `*items` of elements of `size` bytes so that it holds at least `want` of them.
 * `*room` is the number it has room for. New elements are zeroed. Returns 0 or -ENOMEM.
 */
int array_reserve(void *items, size_t *room, size_t want, size_t size) MUST_CHECK;

/*
 * Zeroed memory that costs nothing before it is touched, for the pools that are taken at start; NULL when there is
 * none. Freed with the size it was taken with; NULL is fine.
 */
void *pages_new(size_t bytes) MUST_CHECK;
void pages_free(void *pages, size_t bytes);
/*
 * Wishes for large pages (MADV_HUGEPAGE): whoever looks here and there in many megabytes misses the TLB else. Costs up to 2 MiB
 * more than is used. NULL is fine.
 */
void pages_wide(void *pages, size_t bytes);

/*
 * What `at` points to will be read and written soon. The empty statement is there because gcc leaves out calls of functions
 * that do nothing but fetch.
 */
static inline void bring_near(const void *at)
{
	__builtin_prefetch(at, 1);
	__asm__ volatile("");
}

/*
 * Copies `text` into `buf` of `size` bytes, cut at the end if need be, always terminated.
 * Returns whether it fitted.
 */
bool text_copy(char *buf, size_t size, const char *text);

/* Appends like printf to what stands in `buf`; cuts silently at its end. */
void text_add(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);

/* Writes the number in decimal digits at `at`, without a NUL; returns where they end. At most DIGITS_MAX. */
#define DIGITS_MAX 10
char *digits_put(char *at, uint32_t number);

/* The same of a text as it is, and of a number, for what is said of every flow. */
void text_append(char *buf, size_t size, const char *text);
void text_number(char *buf, size_t size, uint32_t number);

/* '?' for what could steer a terminal: control characters but tab and newline. */
void text_tame(char *text);

/* SHA-256 of `len` bytes as 64 lower-case hex digits and a NUL in `hex`. */
void digest_hex(const void *data, size_t len, char hex[65]);

#endif
