/*
 * classes.c - see classes.h. A class is the number of borders at or below: of ports a table has it, of addresses it
 * is searched for.
 */
#include "rules/classes.h"

#include "rules/score.h"

/* What schema/addr.h asks of an address by itself. */
static const char *const KNOWN[] = {
	"0.0.0.0",    "224.0.0.0/4",   "255.255.255.255", "169.254.0.0/16", "10.0.0.0/8",
	"127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  "100.64.0.0/10",  "::",
	"::1",        "ff00::/8",      "fe80::/10",       "fc00::/7",
};

/* Borders as they are gathered. */
struct borders {
	bool port[65537]; /* a class begins there */
	struct classes *classes;
	size_t v4_room, v6_room;
	bool failed;
};

static void add_v4(struct borders *borders, uint32_t at)
{
	struct classes *classes = borders->classes;

	if (array_reserve(&classes->v4, &borders->v4_room, classes->v4_count + 1,
	                  sizeof(*classes->v4)) < 0)
		borders->failed = true;
	else
		classes->v4[classes->v4_count++] = at;
}

static void add_v6(struct borders *borders, struct v6_border at)
{
	struct classes *classes = borders->classes;

	if (array_reserve(&classes->v6, &borders->v6_room, classes->v6_count + 1,
	                  sizeof(*classes->v6)) < 0)
		borders->failed = true;
	else
		classes->v6[classes->v6_count++] = at;
}

static uint32_t v4_of(const struct addr *addr)
{
	uint32_t number;

	memcpy(&number, addr->b + 12, sizeof(number));
	return __builtin_bswap32(number);
}

static struct v6_border v6_of(const struct addr *addr)
{
	struct v6_border ret;

	memcpy(&ret.high, addr->b, sizeof(ret.high));
	memcpy(&ret.low, addr->b + 8, sizeof(ret.low));
	return (struct v6_border){__builtin_bswap64(ret.high), __builtin_bswap64(ret.low)};
}

static void add_range(struct borders *borders, const struct addr *first, const struct addr *last)
{
	if (addr_is_v4(first)) {
		add_v4(borders, v4_of(first));
		if (v4_of(last) != UINT32_MAX)
			add_v4(borders, v4_of(last) + 1);
	} else {
		struct v6_border behind = v6_of(last);

		add_v6(borders, v6_of(first));
		behind.high += !++behind.low;
		if (behind.high || behind.low)
			add_v6(borders, behind);
	}
}

static void add_prefixes(struct borders *borders, const struct prefix *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr last = prefix_last(&prefixes[i]);

		add_range(borders, &prefixes[i].addr, &last);
	}
}

static void add_addresses(struct borders *borders, const struct policy *policy)
{
	for (unsigned i = 0; i < policy->envelope->role_count; i++) {
		const struct role *role = &policy->envelope->roles[i];

		add_prefixes(borders, role->prefixes, role->prefix_count);
		add_prefixes(borders, role->endpoint.prefixes, role->endpoint.prefix_count);
		add_prefixes(borders, policy->holders[i].prefixes, policy->holders[i].prefix_count);
	}
	add_prefixes(borders, policy->subnets, policy->subnet_count);
	/* A subnet's own broadcast address. */
	for (size_t i = 0; i < policy->subnet_count; i++) {
		struct addr last = prefix_last(&policy->subnets[i]);

		add_range(borders, &last, &last);
	}
	for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++) {
		struct prefix known;

		borders->failed |= prefix_parse(KNOWN[i], &known) < 0;
		if (!borders->failed)
			add_prefixes(borders, &known, 1);
	}
}

static void add_ports(struct borders *borders, uint16_t low, uint16_t high)
{
	borders->port[low] = borders->port[(size_t)high + 1] = true;
}

static void add_port_set(struct borders *borders, const struct port_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		add_ports(borders, set->range[i].low, set->range[i].high);
}

static void number_ports(struct borders *borders, const struct policy *policy)
{
	uint16_t class = 0, known;

	for (size_t r = 0; r < policy->row_count; r++)
		for (unsigned f = 0; f < policy->rows[r].form_count; f++) {
			add_port_set(borders, &policy->rows[r].form[f].local);
			add_port_set(borders, &policy->rows[r].form[f].remote);
		}
	for (size_t i = 0; judge_known_port(i, &known); i++)
		add_ports(borders, known, known);
	for (size_t port = 0; port <= UINT16_MAX; port++) {
		class = (uint16_t)(class + (port && borders->port[port]));
		borders->classes->port[port] = class;
	}
	for (size_t i = 0; i < ARRAY_LEN(borders->classes->ports); i++) {
		const uint16_t *first = &borders->classes->port[i << 8];

		borders->classes->ports[i] = first[0] == first[255] ? first[0] : PORTS_DIFFER;
	}
}

static int compare_v4(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_v6(const void *a, const void *b)
{
	const struct v6_border *x = a, *y = b;
	int order = (x->high > y->high) - (x->high < y->high);

	return order ? order : (x->low > y->low) - (x->low < y->low);
}

int classes_init(struct classes *classes, const struct policy *policy)
{
	CLEANUP(freep) struct borders *borders = calloc(1, sizeof(*borders));

	memset(classes, 0, sizeof(*classes));
	if (!borders)
		return -ENOMEM;
	borders->classes = classes;
	add_addresses(borders, policy);
	number_ports(borders, policy);
	if (borders->failed) {
		classes_release(classes);
		return -ENOMEM;
	}
	qsort(classes->v4, classes->v4_count, sizeof(*classes->v4), compare_v4);
	qsort(classes->v6, classes->v6_count, sizeof(*classes->v6), compare_v6);
	return 0;
}

void classes_release(struct classes *classes)
{
	free(classes->v4);
	free(classes->v6);
	classes->v4 = NULL;
	classes->v6 = NULL;
}

/* Classes of IPv6 have the top bit. */
uint32_t classes_of_addr(const struct classes *classes, const struct addr *addr)
{
	size_t low = 0, count;

	if (addr_is_v4(addr)) {
		uint32_t at = v4_of(addr);

		for (count = classes->v4_count; count > 0;) {
			size_t half = count / 2;
			bool behind = classes->v4[low + half] <= at;

			low += behind ? half + 1 : 0;
			count = behind ? count - half - 1 : half;
		}
		return (uint32_t)low;
	}
	for (count = classes->v6_count; count > 0;) {
		struct v6_border at = v6_of(addr);
		size_t half = count / 2;
		bool behind = compare_v6(&classes->v6[low + half], &at) <= 0;

		low += behind ? half + 1 : 0;
		count = behind ? count - half - 1 : half;
	}
	return (uint32_t)low | UINT32_C(1) << 31;
}
