/*
 * scope_program.c - see scope_program.h. A list of ranges becomes a tree of comparisons, so that thousands of units
 * cost a dozen of them a packet. Invariants:
 *  (1) Jumps only lead forward, conditional ones at most LEAF * 2 + 2 or 255 instructions; what may be farther is a plain one.
 *  (2) X is where the header at hand begins, M[0] the transport.
 *  (3) No byte is loaded whose place was not held against the length before: the kernel would drop the frame.
 */
#include "monitor/capture/scope_program.h"
#include "monitor/capture/scope_wire.h"

#define LEAF 6
#define WORDS6 4
#define NEAR 255
#define SOMEWHERE UINT32_MAX /* a jump whose end is not known yet */

/* Ranges of 32 bits, for what is looked at of a frame in one load. */
struct ranges {
	struct span4 *list;
	size_t count;
};

struct writer {
	struct sock_filter *code;
	size_t count, max;
	bool full;
	struct ranges v4, mac, v6[WORDS6]; /* v6: by the word of an address that tells */
};

/* ------------------------------------------------------------- instructions */

static void put(struct writer *w, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	if (w->count == w->max) {
		w->full = true;
		return;
	}
	w->code[w->count++] = (struct sock_filter){code, yes, no, k};
}

static void put_plain(struct writer *w, uint16_t code, uint32_t k)
{
	put(w, code, 0, 0, k);
}

static void put_pass(struct writer *w)
{
	put_plain(w, BPF_RET | BPF_K, SCOPE_KEEP);
}

static void put_drop(struct writer *w)
{
	put_plain(w, BPF_RET | BPF_K, 0);
}

/* To somewhere: jump_here() says where that is. */
static size_t put_jump(struct writer *w)
{
	put_plain(w, BPF_JMP | BPF_JA, SOMEWHERE);
	return w->count - 1;
}

static void jump_here(struct writer *w, size_t from)
{
	if (!w->full)
		w->code[from].k = (uint32_t)(w->count - from - 1);
}

/* All jumps since `from` that lead to nowhere yet. */
static void jumps_here(struct writer *w, size_t from)
{
	for (size_t i = from; i < w->count; i++)
		if (w->code[i].code == (BPF_JMP | BPF_JA) && w->code[i].k == SOMEWHERE)
			jump_here(w, i);
}

static void load(struct writer *w, uint16_t size, uint32_t at)
{
	put_plain(w, (uint16_t)(BPF_LD | BPF_IND | size), at);
}

static void pass_if(struct writer *w, uint32_t number)
{
	put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number);
	put_pass(w);
}

static size_t jump_if(struct writer *w, uint32_t number)
{
	put(w, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number);
	return put_jump(w);
}

/* Less than `least` bytes from X on: it passes. A is what is left. */
static void pass_if_short(struct writer *w, uint32_t least)
{
	put_plain(w, BPF_LD | BPF_W | BPF_LEN, 0);
	put_plain(w, BPF_ALU | BPF_SUB | BPF_X, 0);
	put(w, BPF_JMP | BPF_JGE | BPF_K, 1, 0, least);
	put_pass(w);
}

/* ------------------------------------------------------------------- ranges */

/* Passes if A lies in one of a few ranges, else goes on somewhere. */
static void put_leaf(struct writer *w, const struct span4 *list, size_t count)
{
	size_t end = w->count + 1;

	for (size_t i = 0; i < count; i++)
		end += list[i].first == list[i].last ? 1 : 2;
	for (size_t i = 0; i < count; i++) {
		if (list[i].first == list[i].last) {
			put(w, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(end - w->count - 1), 0,
			    list[i].first);
			continue;
		}
		put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 1, list[i].first);
		put(w, BPF_JMP | BPF_JGT | BPF_K, 0, (uint8_t)(end - w->count - 1), list[i].last);
	}
	put_jump(w);
	put_pass(w);
}

static void put_tree(struct writer *w, const struct span4 *list, size_t count)
{
	size_t at = w->count, left = count / 2, length;

	if (count <= LEAF) {
		put_leaf(w, list, count);
		return;
	}
	put(w, BPF_JMP | BPF_JGE | BPF_K, 0, 0, list[left].first);
	put_tree(w, list, left);
	length = w->count - at - 1;
	if (w->full)
		return;
	if (length > NEAR) {
		/* The left part is farther behind by one, and the jump over it too long for a comparison. */
		put_drop(w);
		if (w->full)
			return;
		memmove(w->code + at + 2, w->code + at + 1, length * sizeof(*w->code));
		w->code[at].jf = 1;
		w->code[at + 1] = (struct sock_filter){BPF_JMP | BPF_JA, 0, 0, (uint32_t)length};
	} else {
		w->code[at].jt = (uint8_t)length;
	}
	put_tree(w, list + left, count - left);
}

/* Passes if the 32 bits in A lie in one of the ranges; else it goes on behind. */
static void put_ranges(struct writer *w, const struct ranges *ranges)
{
	size_t from = w->count;

	put_tree(w, ranges->list, ranges->count);
	if (!w->full)
		jumps_here(w, from);
}

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

/* At most `want` ranges: those with the smallest gaps between them grow together. */
static int coarsen(struct ranges *ranges, size_t want)
{
	CLEANUP(freep) uint32_t *gaps = NULL;
	struct span4 *list = ranges->list;
	size_t count = ranges->count, kept = 0, stay = 0, equal = 0, met = 0;
	uint32_t least;

	if (count <= want)
		return 0;
	gaps = calloc(count, sizeof(*gaps));
	if (!gaps)
		return -ENOMEM;
	for (size_t i = 1; i < count; i++)
		gaps[i - 1] = list[i].first - list[i - 1].last;
	qsort(gaps, count - 1, sizeof(*gaps), by_size);
	/* Greater gaps than that stay; of those equal to it as many as there is room for, spread evenly. */
	least = want > 1 ? gaps[want - 2] : UINT32_MAX;
	for (size_t i = 0; i + 1 < count; i++) {
		equal += gaps[i] == least;
		stay += gaps[i] == least && i + 1 < want;
	}
	for (size_t i = 1; i < count; i++) {
		uint32_t gap = list[i].first - list[kept].last;
		bool stays = gap > least;

		if (gap == least && stay) {
			stays = (met + 1) * stay / equal > met * stay / equal;
			met++;
		}
		if (stays)
			list[++kept] = list[i];
		else
			list[kept].last = list[i].last;
	}
	ranges->count = kept + 1;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct span4 *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void sort(struct ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count)
		qsort(ranges->list, ranges->count, sizeof(*ranges->list), by_first);
	for (size_t i = 0; i < ranges->count; i++) {
		uint32_t last = kept ? ranges->list[kept - 1].last : 0;

		if (!kept || (ranges->list[i].first > last && ranges->list[i].first - last > 1))
			ranges->list[kept++] = ranges->list[i];
		else if (ranges->list[i].last > ranges->list[kept - 1].last)
			ranges->list[kept - 1].last = ranges->list[i].last;
	}
	ranges->count = kept;
}

/* What tells of a span of IPv6: the first word in which its ends part, else the last one. */
static void add_span6(struct writer *w, const struct span6 *span)
{
	const uint32_t first[WORDS6] = {(uint32_t)(span->first.high >> 32),
	                                (uint32_t)span->first.high,
	                                (uint32_t)(span->first.low >> 32),
	                                (uint32_t)span->first.low};
	const uint32_t last[WORDS6] = {(uint32_t)(span->last.high >> 32), (uint32_t)span->last.high,
	                               (uint32_t)(span->last.low >> 32), (uint32_t)span->last.low};
	unsigned word = 0;
	struct ranges *ranges;

	while (word < WORDS6 - 1 && first[word] == last[word])
		word++;
	/* All of a word tells nothing: the one before does. */
	if (word && !first[word] && last[word] == UINT32_MAX)
		word--;
	ranges = &w->v6[word];
	ranges->list[ranges->count++] = (struct span4){first[word], last[word]};
}

static void ranges_free(struct writer *w)
{
	free(w->v4.list);
	free(w->mac.list);
	for (unsigned i = 0; i < WORDS6; i++)
		free(w->v6[i].list);
}

static int ranges_fill(struct writer *w, const struct scope *scope)
{
	w->v4.list = calloc(scope->v4_count + 1, sizeof(*w->v4.list));
	w->mac.list = calloc(scope->mac_count + 1, sizeof(*w->mac.list));
	for (unsigned i = 0; i < WORDS6; i++) {
		w->v6[i].list = calloc(scope->v6_count + 1, sizeof(*w->v6[i].list));
		if (!w->v6[i].list)
			return -ENOMEM;
	}
	if (!w->v4.list || !w->mac.list)
		return -ENOMEM;
	w->v4.count = scope->v4_count;
	if (w->v4.count)
		memcpy(w->v4.list, scope->v4, w->v4.count * sizeof(*w->v4.list));
	for (size_t i = 0; i < scope->mac_count; i++) {
		uint32_t tail = (uint32_t)scope->macs[i];

		w->mac.list[w->mac.count++] = (struct span4){tail, tail};
	}
	for (size_t i = 0; i < scope->v6_count; i++)
		add_span6(w, &scope->v6[i]);
	sort(&w->mac);
	for (unsigned i = 0; i < WORDS6; i++)
		sort(&w->v6[i]);
	return 0;
}

/* ------------------------------------------------------------------- frames */

#define X_PASS(n) pass_if(w, n);

/* Both ends: MACs of the maker, and those of the lists by their last 32 bits. */
static void put_macs(struct writer *w, const struct scope *scope)
{
	for (uint32_t at = 0; at <= 6; at += 6) {
		if (scope->oui_count) {
			put_plain(w, BPF_LD | BPF_W | BPF_ABS, at);
			put_plain(w, BPF_ALU | BPF_AND | BPF_K, 0xffffff00);
		}
		for (unsigned i = 0; i < scope->oui_count; i++)
			pass_if(w, scope->ouis[i]);
		if (w->mac.count) {
			put_plain(w, BPF_LD | BPF_W | BPF_ABS, at + 2);
			put_ranges(w, &w->mac);
		}
	}
}

/* A becomes the type behind the tags, X where it begins. A tag that the kernel took off is not there at all. */
static void put_tags(struct writer *w)
{
	size_t from = w->count;

	put_plain(w, BPF_LDX | BPF_W | BPF_IMM, 14);
	put_plain(w, BPF_LD | BPF_H | BPF_ABS, 12);
	for (uint32_t tag = 0; tag < SCOPE_TAGS; tag++) {
		size_t end = w->count + 1;

#define X_COUNT(n) end++;
#define X_TAG(n) put(w, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(end - w->count - 1), 0, n);
		SCOPE_TAG_TYPES(X_COUNT)
		SCOPE_TAG_TYPES(X_TAG)
#undef X_TAG
#undef X_COUNT
		put_jump(w);
		put_plain(w, BPF_LDX | BPF_W | BPF_IMM, 18 + 4 * tag);
		put_plain(w, BPF_LD | BPF_H | BPF_ABS, 16 + 4 * tag);
	}
	if (!w->full)
		jumps_here(w, from);
}

/* Ends where a transport is known: M[0], and X its header. */
struct ends {
	size_t udp, tcp, icmp;
};

static void put_transports(struct writer *w, uint32_t icmp, struct ends *ends)
{
	put_plain(w, BPF_LD | BPF_MEM, 0);
	ends->udp = jump_if(w, SCOPE_UDP);
	ends->tcp = jump_if(w, SCOPE_TCP);
	ends->icmp = jump_if(w, icmp);
	put_drop(w);
}

static void put_ipv4(struct writer *w, struct ends *ends)
{
	pass_if_short(w, 20);
	for (uint32_t at = 12; w->v4.count && at <= 16; at += 4) {
		load(w, BPF_W, at);
		put_ranges(w, &w->v4);
	}
	load(w, BPF_H, 6);
	put(w, BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0x3fff);
	put_pass(w);
	load(w, BPF_B, 9);
	SCOPE_TRANSPORTS4(X_PASS)
	put_plain(w, BPF_ST, 0);
	load(w, BPF_B, 0);
	put_plain(w, BPF_ALU | BPF_AND | BPF_K, 15);
	put_plain(w, BPF_ALU | BPF_LSH | BPF_K, 2);
	put_plain(w, BPF_ALU | BPF_ADD | BPF_X, 0);
	put_plain(w, BPF_MISC | BPF_TAX, 0);
	put_plain(w, BPF_LD | BPF_W | BPF_LEN, 0);
	put(w, BPF_JMP | BPF_JGE | BPF_X, 1, 0, 0);
	put_pass(w);
	put_transports(w, SCOPE_ICMP, ends);
}

static void put_ipv6(struct writer *w, struct ends *ends)
{
	pass_if_short(w, 40);
	for (uint32_t word = 0; word < WORDS6; word++)
		for (uint32_t at = 8; w->v6[word].count && at <= 24; at += 16) {
			load(w, BPF_W, at + 4 * word);
			put_ranges(w, &w->v6[word]);
		}
	load(w, BPF_B, 6);
	SCOPE_TRANSPORTS6(X_PASS)
	put_plain(w, BPF_ST, 0);
	put_plain(w, BPF_MISC | BPF_TXA, 0);
	put_plain(w, BPF_ALU | BPF_ADD | BPF_K, 40);
	put_plain(w, BPF_MISC | BPF_TAX, 0);
	put_transports(w, SCOPE_ICMP6, ends);
}

static void put_icmp(struct writer *w, bool six)
{
	pass_if_short(w, 1);
	load(w, BPF_B, 0);
	if (six) {
		SCOPE_ICMP6_TYPES(X_PASS)
	} else {
		SCOPE_ICMP_TYPES(X_PASS)
	}
	put_drop(w);
}

static void put_udp(struct writer *w)
{
	pass_if_short(w, 4);
	load(w, BPF_H, 0);
	SCOPE_PORTS(X_PASS)
	load(w, BPF_H, 2);
	SCOPE_PORTS(X_PASS)
	SCOPE_TUNNEL_PORTS(X_PASS)
	put_drop(w);
}

static void put_tcp(struct writer *w)
{
	pass_if_short(w, 20);
	for (uint32_t at = 0; at <= 2; at += 2) {
		load(w, BPF_H, at);
		pass_if(w, SCOPE_DNS);
	}
	load(w, BPF_B, 12);
	put_plain(w, BPF_ALU | BPF_RSH | BPF_K, 4);
	put_plain(w, BPF_ALU | BPF_LSH | BPF_K, 2);
	put_plain(w, BPF_ALU | BPF_ADD | BPF_X, 0);
	put_plain(w, BPF_MISC | BPF_TAX, 0);
	put_plain(w, BPF_LD | BPF_W | BPF_LEN, 0);
	put(w, BPF_JMP | BPF_JGE | BPF_X, 1, 0, 0);
	put_drop(w);
	put_plain(w, BPF_ALU | BPF_SUB | BPF_X, 0);
	put(w, BPF_JMP | BPF_JGE | BPF_K, 1, 0, SCOPE_HELLO_LEN);
	put_drop(w);
	load(w, BPF_W, 0);
	pass_if(w, SCOPE_CONNECT);
	load(w, BPF_H, 0);
	put(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SCOPE_HELLO);
	put_drop(w);
	load(w, BPF_B, SCOPE_HELLO_AT);
	pass_if(w, SCOPE_CLIENT_HELLO);
	put_drop(w);
}

static void put_scope(struct writer *w, const struct scope *scope, enum link link)
{
	struct ends four, six;
	size_t to_four, to_six;

	put_plain(w, BPF_LDX | BPF_W | BPF_IMM, 0);
	pass_if_short(w, SCOPE_SHORT);
	if (link == LINK_ETHERNET) {
		put_macs(w, scope);
		put_tags(w);
		to_four = jump_if(w, SCOPE_IPV4);
		to_six = jump_if(w, SCOPE_IPV6);
		SCOPE_TYPES(X_PASS)
		put_drop(w);
	} else {
		put_plain(w, BPF_LD | BPF_B | BPF_ABS, 0);
		put_plain(w, BPF_ALU | BPF_RSH | BPF_K, 4);
		to_four = jump_if(w, 4);
		to_six = jump_if(w, 6);
		put_pass(w);
	}
	jump_here(w, to_four);
	put_ipv4(w, &four);
	jump_here(w, to_six);
	put_ipv6(w, &six);
	jump_here(w, four.icmp);
	put_icmp(w, false);
	jump_here(w, six.icmp);
	put_icmp(w, true);
	jump_here(w, four.udp);
	jump_here(w, six.udp);
	put_udp(w);
	jump_here(w, four.tcp);
	jump_here(w, six.tcp);
	put_tcp(w);
}

/* What they let through goes on behind them; false if that cannot be told of their code. */
static bool put_words(struct writer *w, const struct sock_filter *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sock_filter one = words[i];

		if (one.code == (BPF_RET | BPF_A))
			return false;
		if (one.code == (BPF_RET | BPF_K) && one.k)
			one = (struct sock_filter){BPF_JMP | BPF_JA, 0, 0,
			                           (uint32_t)(count - i - 1)};
		put(w, one.code, one.jt, one.jf, one.k);
	}
	return true;
}

static bool shrink(struct writer *w)
{
	struct ranges *all[] = {&w->v4, &w->mac, &w->v6[0], &w->v6[1], &w->v6[2], &w->v6[3]};
	bool smaller = false;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i]->count < 2)
			continue;
		smaller = true;
		if (coarsen(all[i], all[i]->count * 3 / 4) < 0)
			return false;
	}
	return smaller;
}

size_t scope_program(const struct scope *scope, enum link link, const struct sock_filter *words,
                     size_t word_count, struct sock_filter *code, size_t max)
{
	struct writer w = {.code = code, .max = max};
	bool fine = (link == LINK_ETHERNET || link == LINK_RAW) && !scope->open &&
	            ranges_fill(&w, scope) >= 0;

	while (fine) {
		w.count = 0;
		w.full = false;
		fine = put_words(&w, words, word_count);
		put_scope(&w, scope, link);
		if (!w.full)
			break;
		fine = fine && shrink(&w);
	}
	ranges_free(&w);
	return fine ? w.count : 0;
}
