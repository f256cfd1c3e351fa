/*
 * book.c - see book.h. One entry a (unit, address); each holds the last names bound there. When the
 * book is full, new pairs are refused and counted.
 */
#include "monitor/record/book.h"
#include "monitor/idmap.h"

#include <xxhash.h>

struct binding {
	char *name;
	int64_t from_us, until_us;
};

struct page {
	uint64_t unit;
	struct addr address;
	uint8_t count,
		oldest; /* of names; oldest: which one goes next when all places are taken */
	struct binding names[BOUND_MAX];
};

struct book {
	struct idmap pages;
	uint64_t refused;
};

struct book *book_new(void)
{
	struct book *book = calloc(1, sizeof(*book));

	if (book)
		idmap_init(&book->pages, BOOK_NAMES_MAX);
	return book;
}

void book_free(struct book *book)
{
	if (!book)
		return;
	for (size_t i = 0; i < book->pages.size; i++) {
		struct page *page = book->pages.slots[i].value;

		if (!page)
			continue;
		for (unsigned n = 0; n < page->count; n++)
			free(page->names[n].name);
		free(page);
	}
	idmap_release(&book->pages);
	free(book);
}

/* A 64-bit hash stands for the pair; the pair itself is compared, so a collision is only a refusal. */
static uint64_t key_of(uint64_t unit, const struct addr *address)
{
	return XXH3_64bits_withSeed(address, sizeof(*address), unit) | 1;
}

static struct page *page_of(const struct book *book, uint64_t unit, const struct addr *address)
{
	struct page *page = idmap_find(&book->pages, key_of(unit, address));

	return page && page->unit == unit && addr_equal(&page->address, address) ? page : NULL;
}

void book_bind(struct book *book, uint64_t unit, const struct addr *address, const char *name,
               int64_t from_us, int64_t until_us)
{
	struct page *page = page_of(book, unit, address);
	struct binding *binding;
	char *copy;

	if (!page) {
		page = calloc(1, sizeof(*page));
		if (page) {
			page->unit = unit;
			page->address = *address;
		}
		if (!page || idmap_find(&book->pages, key_of(unit, address)) ||
		    idmap_add(&book->pages, key_of(unit, address), page) < 0) {
			free(page);
			book->refused++;
			return;
		}
	}
	for (unsigned i = 0; i < page->count; i++) {
		binding = &page->names[i];
		if (!strcmp(binding->name, name)) {
			if (from_us > binding->until_us)
				binding->from_us = from_us;
			if (until_us > binding->until_us)
				binding->until_us = until_us;
			return;
		}
	}
	copy = strdup(name);
	if (!copy) {
		book->refused++;
		return;
	}
	if (page->count < BOUND_MAX) {
		binding = &page->names[page->count++];
	} else {
		binding = &page->names[page->oldest];
		page->oldest = (uint8_t)((page->oldest + 1) % BOUND_MAX);
		free(binding->name);
	}
	*binding = (struct binding){copy, from_us, until_us};
}

uint8_t book_names(const struct book *book, uint64_t unit, const struct addr *address,
                   int64_t from_us, int64_t to_us, const char *ret_names[BOUND_MAX])
{
	const struct page *page = page_of(book, unit, address);
	uint8_t count = 0;

	for (unsigned i = page ? page->count : 0; i--;) {
		const struct binding *binding = &page->names[(i + page->oldest) % page->count];

		if (binding->from_us <= to_us && binding->until_us >= from_us)
			ret_names[count++] = binding->name;
	}
	return count;
}

uint64_t book_refused(const struct book *book)
{
	return book->refused;
}
