/*
 * scope.c - see scope.h. Spans of addresses and MACs are sorted and searched; nothing is allocated once it is sealed.
 */
#include "monitor/capture/scope.h"
#include "monitor/capture/scope_wire.h"

static uint16_t be16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static struct wide wide_of(const uint8_t b[16])
{
	return (struct wide){(uint64_t)be32(b) << 32 | be32(b + 4),
	                     (uint64_t)be32(b + 8) << 32 | be32(b + 12)};
}

static bool wide_less(struct wide a, struct wide b)
{
	return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static uint64_t mac_number(const uint8_t b[6])
{
	return (uint64_t)be16(b) << 32 | be32(b + 2);
}

struct scope *scope_new(void)
{
	return calloc(1, sizeof(struct scope));
}

void scope_free(struct scope *scope)
{
	if (!scope)
		return;
	free(scope->v4);
	free(scope->v6);
	free(scope->macs);
	free(scope);
}

void scope_freep(struct scope **scope)
{
	scope_free(*scope);
	*scope = NULL;
}

/* ------------------------------------------------------------------ filling */

int scope_add_prefix(struct scope *scope, const struct prefix *prefix)
{
	struct addr last = prefix_last(prefix);

	if (addr_is_v4(&prefix->addr)) {
		if (array_reserve(&scope->v4, &scope->v4_room, scope->v4_count + 1,
		                  sizeof(*scope->v4)) < 0)
			return -ENOMEM;
		scope->v4[scope->v4_count++] =
			(struct span4){be32(prefix->addr.b + 12), be32(last.b + 12)};
		return 0;
	}
	if (array_reserve(&scope->v6, &scope->v6_room, scope->v6_count + 1, sizeof(*scope->v6)) < 0)
		return -ENOMEM;
	scope->v6[scope->v6_count++] = (struct span6){wide_of(prefix->addr.b), wide_of(last.b)};
	return 0;
}

int scope_add_mac(struct scope *scope, const struct mac *mac)
{
	if (array_reserve(&scope->macs, &scope->mac_room, scope->mac_count + 1,
	                  sizeof(*scope->macs)) < 0)
		return -ENOMEM;
	scope->macs[scope->mac_count++] = mac_number(mac->b);
	return 0;
}

void scope_add_oui(struct scope *scope, const struct mac *oui)
{
	if (scope->oui_count == SCOPE_OUIS_MAX)
		scope->open = true;
	else
		scope->ouis[scope->oui_count++] = be32(oui->b) & 0xffffff00;
}

static int by_first4(const void *a, const void *b)
{
	const struct span4 *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int by_first6(const void *a, const void *b)
{
	const struct span6 *x = a, *y = b;

	return wide_less(x->first, y->first) ? -1 : wide_less(y->first, x->first);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sorted, and none begins where another has not ended; of IPv4, right behind it. */
static size_t apart4(struct span4 *list, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(list, count, sizeof(*list), by_first4);
	for (size_t i = 0; i < count; i++) {
		if (!kept || (list[i].first > list[kept - 1].last &&
		              list[i].first - list[kept - 1].last > 1))
			list[kept++] = list[i];
		else if (list[i].last > list[kept - 1].last)
			list[kept - 1].last = list[i].last;
	}
	return kept;
}

static size_t apart6(struct span6 *list, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(list, count, sizeof(*list), by_first6);
	for (size_t i = 0; i < count; i++) {
		if (!kept || wide_less(list[kept - 1].last, list[i].first))
			list[kept++] = list[i];
		else if (wide_less(list[kept - 1].last, list[i].last))
			list[kept - 1].last = list[i].last;
	}
	return kept;
}

int scope_seal(struct scope *scope)
{
	scope->v4_count = apart4(scope->v4, scope->v4_count);
	scope->v6_count = apart6(scope->v6, scope->v6_count);
	if (scope->mac_count)
		qsort(scope->macs, scope->mac_count, sizeof(*scope->macs), by_number);
	if (array_reserve(&scope->v4, &scope->v4_room, scope->v4_count + SCOPE_LEARNT_MAX,
	                  sizeof(*scope->v4)) < 0 ||
	    array_reserve(&scope->v6, &scope->v6_room, scope->v6_count + SCOPE_LEARNT_MAX,
	                  sizeof(*scope->v6)) < 0)
		return -ENOMEM;
	return 0;
}

/* ---------------------------------------------------------------- searching */

/* How many spans begin at or before `number`: the last of them is the one that may hold it. */
static size_t place4(const struct scope *scope, uint32_t number)
{
	size_t at = 0, left = scope->v4_count;

	while (left) {
		size_t half = left / 2;

		if (scope->v4[at + half].first <= number) {
			at += half + 1;
			left -= half + 1;
		} else {
			left = half;
		}
	}
	return at;
}

static size_t place6(const struct scope *scope, struct wide number)
{
	size_t at = 0, left = scope->v6_count;

	while (left) {
		size_t half = left / 2;

		if (!wide_less(number, scope->v6[at + half].first)) {
			at += half + 1;
			left -= half + 1;
		} else {
			left = half;
		}
	}
	return at;
}

static bool has4(const struct scope *scope, uint32_t number)
{
	size_t at = place4(scope, number);

	return at && number <= scope->v4[at - 1].last;
}

static bool has6(const struct scope *scope, struct wide number)
{
	size_t at = place6(scope, number);

	return at && !wide_less(scope->v6[at - 1].last, number);
}

bool scope_learn(struct scope *scope, const struct addr *addr)
{
	size_t at;

	if (scope->open || addr_is_unspecified(addr) || addr_is_multicast(addr))
		return false;
	if (addr_is_v4(addr) ? has4(scope, be32(addr->b + 12)) : has6(scope, wide_of(addr->b)))
		return false;
	if (scope->learnt == SCOPE_LEARNT_MAX) {
		scope->open = true;
		return true;
	}
	scope->learnt++;
	if (addr_is_v4(addr)) {
		uint32_t number = be32(addr->b + 12);

		at = place4(scope, number);
		memmove(scope->v4 + at + 1, scope->v4 + at,
		        (scope->v4_count++ - at) * sizeof(*scope->v4));
		scope->v4[at] = (struct span4){number, number};
	} else {
		struct wide number = wide_of(addr->b);

		at = place6(scope, number);
		memmove(scope->v6 + at + 1, scope->v6 + at,
		        (scope->v6_count++ - at) * sizeof(*scope->v6));
		scope->v6[at] = (struct span6){number, number};
	}
	return true;
}

static bool mac_passes(const struct scope *scope, const uint8_t b[6])
{
	uint64_t number = mac_number(b);
	size_t at = 0, left = scope->mac_count;

	for (unsigned i = 0; i < scope->oui_count; i++)
		if ((uint32_t)(number >> 16 & 0xffffff00) == scope->ouis[i])
			return true;
	while (left) {
		size_t half = left / 2;

		if (scope->macs[at + half] <= number) {
			at += half + 1;
			left -= half + 1;
		} else {
			left = half;
		}
	}
	return at && scope->macs[at - 1] == number;
}

bool scope_has_mac(const struct scope *scope, const struct mac *mac)
{
	return mac_passes(scope, mac->b);
}

/* ------------------------------------------------------------------- frames */

#define X_IS(n) || number == (n)
static bool is_tag(unsigned number)
{
	return false SCOPE_TAG_TYPES(X_IS);
}

static bool is_type(unsigned number)
{
	return false SCOPE_TYPES(X_IS);
}

static bool is_transport4(unsigned number)
{
	return false SCOPE_TRANSPORTS4(X_IS);
}

static bool is_transport6(unsigned number)
{
	return false SCOPE_TRANSPORTS6(X_IS);
}

static bool is_port(unsigned number)
{
	return false SCOPE_PORTS(X_IS);
}

static bool is_tunnel_port(unsigned number)
{
	return false SCOPE_TUNNEL_PORTS(X_IS);
}

static bool is_icmp_type(unsigned number)
{
	return false SCOPE_ICMP_TYPES(X_IS);
}

static bool is_icmp6_type(unsigned number)
{
	return false SCOPE_ICMP6_TYPES(X_IS);
}
#undef X_IS

static bool udp_passes(const uint8_t *b, uint32_t len)
{
	unsigned from, to;

	if (len < 4)
		return true;
	from = be16(b);
	to = be16(b + 2);
	return is_port(from) || is_port(to) || is_tunnel_port(to);
}

/* What a client begins with that names whom it wants. */
static bool tcp_passes(const uint8_t *b, uint32_t len)
{
	uint32_t header;

	if (len < 20)
		return true;
	if (be16(b) == SCOPE_DNS || be16(b + 2) == SCOPE_DNS)
		return true;
	header = (b[12] >> 4) * 4u;
	if (len < header + SCOPE_HELLO_LEN)
		return false;
	b += header;
	return be32(b) == SCOPE_CONNECT ||
	       (be16(b) == SCOPE_HELLO && b[SCOPE_HELLO_AT] == SCOPE_CLIENT_HELLO);
}

static bool ipv4_passes(const struct scope *scope, const uint8_t *b, uint32_t len)
{
	uint32_t header;

	if (len < 20)
		return true;
	if (has4(scope, be32(b + 12)) || has4(scope, be32(b + 16)) || be16(b + 6) & 0x3fff ||
	    is_transport4(b[9]))
		return true;
	header = (b[0] & 15u) * 4;
	if (len < header)
		return true;
	switch (b[9]) {
	case SCOPE_UDP:
		return udp_passes(b + header, len - header);
	case SCOPE_TCP:
		return tcp_passes(b + header, len - header);
	case SCOPE_ICMP:
		return len == header || is_icmp_type(b[header]);
	default:
		return false;
	}
}

static bool ipv6_passes(const struct scope *scope, const uint8_t *b, uint32_t len)
{
	if (len < 40)
		return true;
	if (has6(scope, wide_of(b + 8)) || has6(scope, wide_of(b + 24)) || is_transport6(b[6]))
		return true;
	switch (b[6]) {
	case SCOPE_UDP:
		return udp_passes(b + 40, len - 40);
	case SCOPE_TCP:
		return tcp_passes(b + 40, len - 40);
	case SCOPE_ICMP6:
		return len == 40 || is_icmp6_type(b[40]);
	default:
		return false;
	}
}

/* `at`: where what `type` is of begins. */
static bool type_passes(const struct scope *scope, unsigned type, const uint8_t *b, uint32_t len,
                        uint32_t at)
{
	for (unsigned tags = 0; tags < SCOPE_TAGS && is_tag(type); tags++) {
		type = be16(b + at + 2);
		at += 4;
	}
	if (type == SCOPE_IPV4)
		return ipv4_passes(scope, b + at, len - at);
	if (type == SCOPE_IPV6)
		return ipv6_passes(scope, b + at, len - at);
	return is_type(type);
}

static bool bare_passes(const struct scope *scope, const uint8_t *b, uint32_t len)
{
	if (*b >> 4 == 4)
		return ipv4_passes(scope, b, len);
	return *b >> 4 != 6 || ipv6_passes(scope, b, len);
}

/* A cooked frame does not say whose MAC it goes to: whoever is known by that alone would be heard and not answered. */
static bool by_mac(const struct scope *scope)
{
	return scope->mac_count || scope->oui_count;
}

bool scope_passes(const struct scope *scope, const struct frame *frame)
{
	const uint8_t *b = frame->bytes;
	uint32_t len = frame->caplen;

	if (scope->open || len < SCOPE_SHORT || len < frame->wire_len)
		return true;
	switch (frame->link) {
	case LINK_ETHERNET:
		/* What units mostly say, first. */
		if (be16(b + 12) == SCOPE_IPV4 &&
		    (has4(scope, be32(b + 26)) || has4(scope, be32(b + 30))))
			return true;
		return mac_passes(scope, b + 6) || mac_passes(scope, b) ||
		       type_passes(scope, be16(b + 12), b, len, 14);
	case LINK_SLL:
		return by_mac(scope) || type_passes(scope, be16(b + 14), b, len, 16);
	case LINK_SLL2:
		return by_mac(scope) || type_passes(scope, be16(b), b, len, 20);
	case LINK_RAW:
		return bare_passes(scope, b, len);
	case LINK_LOOPBACK:
		return bare_passes(scope, b + 4, len - 4);
	default:
		return true;
	}
}
