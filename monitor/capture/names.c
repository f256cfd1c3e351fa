/*
 * names.c - see names.h. Entries lie in one slab, chained from a table of buckets; entry 0 is not
 * used, so that 0 can say "none".
 */
#include "monitor/capture/names.h"

#include <xxhash.h>

struct entry {
	uint32_t next; /* on the bucket's chain, or on the free list */
	uint32_t references;
	uint32_t bucket;
	char text[NAME_MAX_LEN + 1];
};

struct names {
	uint32_t max, fresh, free;
	uint32_t mask;
	uint32_t *buckets;
	struct entry *entries;
};

struct names *names_new(uint32_t max)
{
	struct names *names = calloc(1, sizeof(*names));
	uint32_t buckets = 64;

	if (!names)
		return NULL;
	while (buckets < max)
		buckets *= 2;
	names->max = max;
	names->fresh = 1;
	names->mask = buckets - 1;
	names->buckets = pages_new(buckets * sizeof(*names->buckets));
	names->entries = pages_new((max + 1) * sizeof(*names->entries));
	if (!names->buckets || !names->entries) {
		names_free(names);
		return NULL;
	}
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	pages_free(names->buckets, (names->mask + 1) * sizeof(*names->buckets));
	pages_free(names->entries, (names->max + 1) * sizeof(*names->entries));
	free(names);
}

uint32_t names_take(struct names *names, const char *text)
{
	size_t len = strlen(text);
	uint32_t bucket = (uint32_t)XXH3_64bits(text, len) & names->mask;
	struct entry *entry;
	uint32_t i;

	if (!len || len > NAME_MAX_LEN)
		return NAMES_NONE;
	for (i = names->buckets[bucket]; i; i = names->entries[i].next)
		if (!strcmp(names->entries[i].text, text)) {
			names->entries[i].references++;
			return i;
		}
	if (names->free) {
		i = names->free;
		names->free = names->entries[i].next;
	} else if (names->fresh <= names->max) {
		i = names->fresh++;
	} else {
		return NAMES_NONE;
	}
	entry = &names->entries[i];
	entry->references = 1;
	entry->bucket = bucket;
	memcpy(entry->text, text, len + 1);
	entry->next = names->buckets[bucket];
	names->buckets[bucket] = i;
	return i;
}

void names_drop(struct names *names, uint32_t name)
{
	struct entry *entry = &names->entries[name];
	uint32_t *link;

	if (!name || --entry->references)
		return;
	for (link = &names->buckets[entry->bucket]; *link != name;
	     link = &names->entries[*link].next)
		;
	*link = entry->next;
	entry->next = names->free;
	names->free = name;
}

const char *names_text(const struct names *names, uint32_t name)
{
	return name ? names->entries[name].text : "";
}
