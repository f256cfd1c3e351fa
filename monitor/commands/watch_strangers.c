/*
 * watch_strangers.c - see watch_strangers.h.
 */
#include "monitor/commands/watch_strangers.h"
#include "monitor/commands/out.h"

/* The first with the MAC of strangers[at] speaks for all its addresses; those without are alone. */
static bool same_host(const struct stranger *a, const struct stranger *b)
{
	return a == b || (!mac_is_zero(&a->mac) && !memcmp(&a->mac, &b->mac, sizeof(a->mac)));
}

static bool is_first(const struct stranger *strangers, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_host(&strangers[i], &strangers[at]))
			return false;
	return true;
}

static void print_host(FILE *file, const struct stranger *strangers, size_t count, size_t at)
{
	const struct stranger *first = &strangers[at];
	char addr[ADDR_TEXT], mac[MAC_TEXT];
	const char *name = first->name;
	bool by_oui = false, headed = false;
	uint64_t flows = 0;

	fprintf(file, "  %-17s ", mac_is_zero(&first->mac) ? "" : mac_print(&first->mac, mac));
	for (size_t i = at; i < count; i++) {
		const struct stranger *host = &strangers[i];

		if (!same_host(first, host))
			continue;
		fprintf(file, "%s %s", headed ? "," : "", addr_print(&host->addr, addr));
		headed = true;
		flows += host->flows;
		by_oui |= host->by_oui;
		if (!*name)
			name = host->name;
	}
	fprintf(file, "  %llu flow%s  %s%s%s\n", (unsigned long long)flows,
	        flows == 1 ? "" : "s", by_oui ? "MAC of the maker" : "",
	        by_oui && *name ? ", " : "", name);
}

void strangers_print(FILE *file, const struct stranger *strangers, size_t count,
                     char *const *words)
{
	char addr[ADDR_TEXT], mac[MAC_TEXT];
	size_t named = 0;

	fprintf(file, "Hosts that look like room systems:\n");
	for (size_t i = 0; i < count; i++)
		if (is_first(strangers, i))
			print_host(file, strangers, count, i);
	fprintf(file, "Go on with:\n  tlmon watch");
	for (size_t i = 0; i < count; i++) {
		/* The maker's MAC is the unit's own; another may be that of a router before it. */
		if (strangers[i].by_oui && !is_first(strangers, i))
			continue;
		if (named++ >= STRANGERS_NAMED)
			continue;
		fprintf(file, " --unit %s",
		        strangers[i].by_oui ? mac_print(&strangers[i].mac, mac)
		                            : addr_print(&strangers[i].addr, addr));
	}
	fprintf(file, " --profile room,online");
	for (; *words; words++) {
		fputc(' ', file);
		shell_put(file, *words);
	}
	fputc('\n', file);
	if (named > STRANGERS_NAMED)
		fprintf(file, "and list the other %zu in a site file (-c).\n",
		        named - STRANGERS_NAMED);
}
