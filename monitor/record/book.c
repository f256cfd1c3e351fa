/*
 * book.c - see book.h. One entry a (unit, address); each holds the last names bound there. When the
 * book is full a hand goes round its pages for one that is over, a few at a time.
 */
#include "monitor/record/book.h"
#include "monitor/idmap.h"

#include <xxhash.h>

#define HAND_STEPS 512 /* at an insert */

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
	struct page **turn; /* all of them, in the hand's order */
	size_t turn_room, hand;
	struct share {
		uint32_t pages;
		bool lost;
	} * share; /* of each unit, by its number */
	size_t share_room;
	uint64_t refused;
};

struct book *book_new(size_t max)
{
	struct book *book = calloc(1, sizeof(*book));

	if (book)
		idmap_init(&book->pages, max);
	return book;
}

static void page_free(struct page *page)
{
	for (unsigned i = 0; i < page->count; i++)
		free(page->names[i].name);
	free(page);
}

void book_free(struct book *book)
{
	if (!book)
		return;
	for (size_t i = 0; i < book->pages.count; i++)
		page_free(book->turn[i]);
	free(book->turn);
	free(book->share);
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

static bool is_over(const struct page *page, int64_t at_us)
{
	for (unsigned i = 0; i < page->count; i++)
		if (page->names[i].until_us >= at_us)
			return false;
	return true;
}

/* Whether the page gives way to one of that unit. */
static bool gives_way(const struct book *book, const struct page *page, uint64_t unit,
                      int64_t at_us)
{
	if (page->unit != unit && book->share[unit].pages >= BOOK_UNIT_MAX)
		return false;
	return is_over(page, at_us) ||
	       (page->unit != unit && book->share[page->unit].pages > BOOK_UNIT_MAX);
}

static bool make_room(struct book *book, uint64_t unit, int64_t at_us, size_t *ret_turn)
{
	for (unsigned i = 0; i < HAND_STEPS; i++) {
		size_t turn = book->hand;
		struct page *page = book->turn[turn];
		struct share *share = &book->share[page->unit];

		book->hand = (turn + 1) % book->pages.count;
		if (!gives_way(book, page, unit, at_us))
			continue;
		share->pages--;
		if (!is_over(page, at_us)) {
			share->lost = true;
			book->refused++;
		}
		idmap_take(&book->pages, key_of(page->unit, &page->address));
		page_free(page);
		*ret_turn = turn;
		return true;
	}
	return false;
}

static struct page *page_new(struct book *book, uint64_t unit, const struct addr *address,
                             int64_t at_us)
{
	uint64_t key = key_of(unit, address);
	size_t turn = book->pages.count;
	struct page *page;

	if (idmap_find(&book->pages, key) ||
	    array_reserve(&book->turn, &book->turn_room, turn + 1, sizeof(struct page *)) < 0)
		return NULL;
	page = calloc(1, sizeof(*page));
	if (!page)
		return NULL;
	if ((turn == book->pages.max && !make_room(book, unit, at_us, &turn)) ||
	    idmap_add(&book->pages, key, page) < 0) {
		free(page);
		return NULL;
	}
	page->unit = unit;
	page->address = *address;
	book->turn[turn] = page;
	book->share[unit].pages++;
	return page;
}

void book_bind(struct book *book, uint64_t unit, const struct addr *address, const char *name,
               int64_t from_us, int64_t until_us)
{
	struct page *page = page_of(book, unit, address);
	struct binding *binding;
	char *copy;

	if (array_reserve(&book->share, &book->share_room, unit + 1, sizeof(*book->share)) < 0) {
		book->refused++;
		return;
	}
	if (!page)
		page = page_new(book, unit, address, from_us);
	if (!page) {
		book->share[unit].lost = true;
		book->refused++;
		return;
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
		book->share[unit].lost = true;
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

bool book_is_short(const struct book *book, uint64_t unit)
{
	return unit < book->share_room && book->share[unit].lost;
}

uint64_t book_refused(const struct book *book)
{
	return book->refused;
}
