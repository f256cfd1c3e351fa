/*
 * name_index.c - see name_index.h; also name_fits() of envelope.h, which says the same of one
 * pattern. Patterns are of three sorts: a whole name, "*." before a whole name, anything else. Most names fit none of
 * the first two: a bit for the hash of each says so before anything is searched.
 */
#include "rules/name_index.h"

#include "rules/envelope.h"

#include <strings.h>

struct entry {
	const char *text; /* of the second sort: without its star, ".lync.com" */
	uint32_t mask;
	uint32_t tail; /* of the third sort: so many bytes follow its last star, ... */
	uint32_t len;  /* ... and so many are all */
};

struct list {
	struct entry *entries;
	size_t count;
};

#define BITS 4096 /* a power of two */

struct name_index {
	struct list whole, below, odd;
	uint64_t known[BITS / 64]; /* hashes of whole and below */
};

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool name_fits(const char *pattern, const char *name)
{
	size_t len = strlen(name), n = 0;
	const char *star = NULL; /* the last one, and where in the name it began */
	size_t held = 0;

	if (len && name[len - 1] == '.')
		len--;
	if (!len || (pattern[0] == '*' && pattern[1] == '.' && name[0] == '.'))
		return false;
	while (n < len)
		if (*pattern == '*') {
			star = ++pattern;
			held = n;
		} else if (*pattern && lower(*pattern) == lower(name[n])) {
			pattern++;
			n++;
		} else if (star) { /* let the star take one more */
			pattern = star;
			n = ++held;
		} else {
			return false;
		}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

struct name_index *name_index_new(struct arena *arena, size_t count)
{
	struct name_index *index = arena_take(arena, sizeof(*index));
	struct list *lists[] = {&index->whole, &index->below, &index->odd};

	for (size_t i = 0; index && i < ARRAY_LEN(lists); i++) {
		lists[i]->entries = arena_take(arena, count * sizeof(struct entry));
		if (!lists[i]->entries)
			return NULL;
	}
	return index;
}

/* The hash of a text is that of what follows its first byte, and that byte: of a name every end has its own. */
static uint32_t hash_byte(uint32_t hash, char byte)
{
	return (hash ^ (uint8_t)byte) * UINT32_C(0x9e3779b1);
}

/* The upper bits: every byte has a say in them. */
static uint32_t bit_of(uint32_t hash)
{
	return hash >> 20 & (BITS - 1);
}

static void know(struct name_index *index, const char *text)
{
	uint32_t hash = 0;

	for (size_t i = strlen(text); i-- > 0;)
		hash = hash_byte(hash, text[i]);
	index->known[bit_of(hash) / 64] |= BIT(bit_of(hash) % 64);
}

static bool knows(const struct name_index *index, uint32_t hash)
{
	return index->known[bit_of(hash) / 64] >> bit_of(hash) % 64 & 1;
}

void name_index_add(struct name_index *index, const char *pattern, uint32_t mask)
{
	bool below = pattern[0] == '*' && pattern[1] == '.';
	const char *star = strrchr(pattern, '*');
	struct list *list = &index->whole;

	if (strchr(pattern + below, '*'))
		list = &index->odd;
	else if (below)
		list = &index->below;
	list->entries[list->count] = (struct entry){
		.text = list == &index->below ? pattern + 1 : pattern,
		.mask = mask,
		.tail = star ? (uint32_t)strlen(star + 1) : 0,
		.len = (uint32_t)strlen(pattern),
	};
	if (list != &index->odd)
		know(index, list->entries[list->count].text);
	list->count++;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* Sorts, and makes one entry of those with the same text. */
static void sort_list(struct list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->entries, list->count, sizeof(*list->entries), compare_entries);
	for (size_t i = 0; i < list->count; i++)
		if (kept && !strcmp(list->entries[kept - 1].text, list->entries[i].text))
			list->entries[kept - 1].mask |= list->entries[i].mask;
		else
			list->entries[kept++] = list->entries[i];
	list->count = kept;
}

void name_index_sort(struct name_index *index)
{
	sort_list(&index->whole);
	sort_list(&index->below);
	sort_list(&index->odd);
}

static uint32_t find(const struct list *list, const char *text)
{
	struct entry wanted = {.text = text};
	const struct entry *found = NULL;

	if (list->count)
		found = bsearch(&wanted, list->entries, list->count, sizeof(*list->entries),
		                compare_entries);
	return found ? found->mask : 0;
}

/* What follows the last star ends the name, what comes before any begins it: most patterns need no closer look. */
static bool ends_alike(const struct entry *entry, const char *text, size_t len)
{
	return (*entry->text == '*' || lower(*entry->text) == *text) && len >= entry->tail &&
	       !strncasecmp(entry->text + entry->len - entry->tail, text + len - entry->tail,
	                    entry->tail);
}

/* Of the patterns of the first two sorts. */
static uint32_t find_known(const struct name_index *index, const char *text, size_t len)
{
	uint32_t mask = 0, hash = 0;

	for (size_t i = len; i-- > 0;) {
		hash = hash_byte(hash, text[i]);
		if (text[i] == '.' && i > 0 && i + 1 < len && knows(index, hash))
			mask |= find(&index->below, text + i);
	}
	return knows(index, hash) ? mask | find(&index->whole, text) : mask;
}

uint32_t name_index_find(const struct name_index *index, const char *name)
{
	char text[NAME_MAX_LEN + 1];
	uint32_t mask = 0;
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	if (!len || len > NAME_MAX_LEN)
		return 0;
	for (size_t i = 0; i < len; i++)
		text[i] = lower(name[i]);
	text[len] = '\0';
	mask = find_known(index, text, len);
	for (size_t i = 0; i < index->odd.count; i++)
		if (ends_alike(&index->odd.entries[i], text, len) &&
		    name_fits(index->odd.entries[i].text, text))
			mask |= index->odd.entries[i].mask;
	return mask;
}
