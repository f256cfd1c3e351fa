/*
 * book.h - names learned, with their times: which names a dns-server's answers bound to an address,
 * for which unit. Bounded.
 */
#ifndef MONITOR_RECORD_BOOK_H
#define MONITOR_RECORD_BOOK_H

#include "rules/judge.h"
#include "schema/event.h"

struct book;

#define BOOK_NAMES_MAX 65536 /* (unit, address) pairs */
#define BOOK_UNIT_MAX 4096   /* ... of one unit, where others need the place */
#define BOOK_GRACE_US \
	(3600 * INT64_C(1000000)) /* a name counts so long past its TTL (domain.md 5.4) */

/* NULL when out of memory. */
struct book *book_new(size_t max);
void book_free(struct book *book);

/*
 * `unit` is a small number that stands for the unit, from 1. Where the book is full a pair gives way of which all
 * names are over by `from_us`, or one of a unit that has more than its share; who has its share takes but the
 * place of its own.
 */
void book_bind(struct book *book, uint64_t unit, const struct addr *address, const char *name,
               int64_t from_us, int64_t until_us);
/*
 * Names that were bound to `address` for `unit` at some moment of [from, to]; at most BOUND_MAX, the
 * latest first. They live until the next book_bind().
 */
uint8_t book_names(const struct book *book, uint64_t unit, const struct addr *address,
                   int64_t from_us, int64_t to_us, const char *ret_names[BOUND_MAX]);

/* A name of the unit found no place or lost it: what is not bound for it may have been. */
bool book_is_short(const struct book *book, uint64_t unit);
/* Bindings that found no place or lost it. */
uint64_t book_refused(const struct book *book);

#endif
