/*
 * evidence_pool.c - see evidence_pool.h. Memory is blocks of 64 bytes. A flow is a chain of them, the first one its head,
 * and what they hold is one run of bytes: its packets, each a struct pooled and as many bytes as that says. Invariants:
 *  (1) Every block is in the chain of one flow, on the free list, or above `touched`.
 *  (2) Flows are on a list in the order of their first packets; who must go is at its old end.
 *  (3) A flow's number says where it is looked for. Flows that begin together lie together there, for numbers
 *      are given in order: a hash would scatter them over memory that no cache holds.
 */
#include "monitor/record/evidence_pool.h"

#define BLOCK 64
#define NONE 0 /* block 0 is nobody's */

struct head {
	uint32_t next; /* of its chain, as of every block */
	uint32_t last;
	uint32_t newer, older;
	uint64_t flow;
	uint32_t alike; /* the next flow that is looked for in the same place */
	uint8_t used;   /* bytes of the last block */
	uint8_t packets;
	bool marked;
	uint8_t bytes[33];
};

union block {
	struct {
		uint32_t next;
		uint8_t bytes[BLOCK - sizeof(uint32_t)];
	};
	struct head head;
};
_Static_assert(sizeof(union block) == BLOCK, "a head is a block, too");

struct evidence_pool {
	union block *blocks;
	uint32_t count, touched, free; /* free: list, by `next` */
	uint32_t newest, oldest;
	uint32_t *index; /* heads, by the low bits of their flow's number */
	uint32_t places; /* a power of two */
	uint64_t lost;
};

struct evidence_pool *evidence_pool_new(size_t bytes)
{
	struct evidence_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->count = (uint32_t)((bytes > 16384 ? bytes : 16384) / BLOCK);
	pool->touched = NONE + 1;
	for (pool->places = 64; pool->places < pool->count / 2;)
		pool->places *= 2;
	/* Pages that nobody writes to cost nothing. */
	pool->blocks = calloc(pool->count, sizeof(*pool->blocks));
	pool->index = calloc(pool->places, sizeof(*pool->index));
	if (!pool->blocks || !pool->index) {
		evidence_pool_free(pool);
		return NULL;
	}
	return pool;
}

void evidence_pool_free(struct evidence_pool *pool)
{
	if (!pool)
		return;
	free(pool->index);
	free(pool->blocks);
	free(pool);
}

/* Where the flow's head is named, or would be. */
static uint32_t *place_of(const struct evidence_pool *pool, uint64_t flow)
{
	uint32_t *at = &pool->index[flow & (pool->places - 1)];

	while (*at && pool->blocks[*at].head.flow != flow)
		at = &pool->blocks[*at].head.alike;
	return at;
}

static struct head *find(const struct evidence_pool *pool, uint64_t flow)
{
	uint32_t block = *place_of(pool, flow);

	return block ? &pool->blocks[block].head : NULL;
}

static void drop(struct evidence_pool *pool, struct head *head)
{
	uint32_t *place = place_of(pool, head->flow), block = *place;

	*place = head->alike;
	*(head->newer ? &pool->blocks[head->newer].head.older : &pool->newest) = head->older;
	*(head->older ? &pool->blocks[head->older].head.newer : &pool->oldest) = head->newer;
	pool->blocks[head->last].next = pool->free;
	pool->free = block;
}

/* A block for `head`, or (NULL) to be one; somebody else may go for it. NONE where all are its own. */
static uint32_t take(struct evidence_pool *pool, const struct head *head)
{
	uint32_t block;

	while (!pool->free && pool->touched == pool->count) {
		uint32_t oldest = pool->oldest;

		if (oldest && &pool->blocks[oldest].head == head)
			oldest = head->newer;
		if (!oldest)
			return NONE;
		pool->lost += pool->blocks[oldest].head.packets;
		drop(pool, &pool->blocks[oldest].head);
	}
	if (!pool->free)
		return pool->touched++;
	block = pool->free;
	pool->free = pool->blocks[block].next;
	return block;
}

static struct head *begin(struct evidence_pool *pool, uint64_t flow)
{
	uint32_t block = take(pool, NULL), *place = place_of(pool, flow);
	struct head *head = &pool->blocks[block].head;

	*head = (struct head){.last = block, .flow = flow, .older = pool->newest};
	*place = block;
	*(pool->newest ? &pool->blocks[pool->newest].head.newer : &pool->oldest) = block;
	pool->newest = block;
	return head;
}

/* The bytes of a block of the flow; `head` is its first one. */
static uint8_t *bytes_of(const struct evidence_pool *pool, const struct head *head,
                         uint32_t block, size_t *ret_len)
{
	bool first = &pool->blocks[block].head == head;

	*ret_len = first ? sizeof(head->bytes) : sizeof(pool->blocks[block].bytes);
	return first ? pool->blocks[block].head.bytes : pool->blocks[block].bytes;
}

static bool append(struct evidence_pool *pool, struct head *head, const void *from, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t room, part;
		uint8_t *bytes = bytes_of(pool, head, head->last, &room);

		if (head->used == room) {
			uint32_t block = take(pool, head);

			if (!block)
				return false;
			pool->blocks[head->last].next = block;
			head->last = block;
			head->used = 0;
			continue;
		}
		part = len - at < room - head->used ? len - at : room - head->used;
		memcpy(bytes + head->used, (const uint8_t *)from + at, part);
		head->used += (uint8_t)part;
		at += part;
	}
	return true;
}

bool evidence_pool_add(struct evidence_pool *pool, uint64_t flow, const struct pooled *packet,
                       const uint8_t *bytes)
{
	struct head *head = find(pool, flow);

	if (!head) {
		head = begin(pool, flow);
		head->marked = packet->number > 0;
	}
	if (head->packets == SAMPLE_PACKETS) { /* more than a sensor of ours sends */
		pool->lost++;
		return head->marked;
	}
	if (!append(pool, head, packet, sizeof(*packet)) ||
	    !append(pool, head, bytes, packet->len)) {
		/* Half a packet is none: the flow is as large as the pool. */
		pool->lost += head->packets + 1u;
		drop(pool, head);
		return false;
	}
	head->packets++;
	return head->marked;
}

struct reading {
	const struct evidence_pool *pool;
	const struct head *head;
	uint32_t block;
	size_t at;
};

static void take_out(struct reading *reading, void *to, size_t len)
{
	while (len) {
		size_t room, part;
		const uint8_t *bytes =
			bytes_of(reading->pool, reading->head, reading->block, &room);

		part = len < room - reading->at ? len : room - reading->at;
		memcpy(to, bytes + reading->at, part);
		to = (uint8_t *)to + part;
		len -= part;
		reading->at += part;
		if (reading->at == room) {
			reading->block = reading->pool->blocks[reading->block].next;
			reading->at = 0;
		}
	}
}

int evidence_pool_each(const struct evidence_pool *pool, uint64_t flow,
                       int (*each)(void *context, const struct pooled *packet,
                                   const uint8_t *bytes, struct err *err),
                       void *context, struct err *err)
{
	const struct head *head = find(pool, flow);
	struct reading reading = {.pool = pool, .head = head};
	int r = 0;

	if (!head)
		return 0;
	reading.block = *place_of(pool, flow);
	for (unsigned i = 0; i < head->packets && !r; i++) {
		uint8_t bytes[SAMPLE_BYTES];
		struct pooled packet;

		take_out(&reading, &packet, sizeof(packet));
		take_out(&reading, bytes, packet.len);
		r = each(context, &packet, bytes, err);
	}
	return r;
}

void evidence_pool_mark(struct evidence_pool *pool, uint64_t flow)
{
	struct head *head = find(pool, flow);

	if (head)
		head->marked = true;
}

void evidence_pool_drop(struct evidence_pool *pool, uint64_t flow)
{
	struct head *head = find(pool, flow);

	if (head)
		drop(pool, head);
}

uint64_t evidence_pool_lost(const struct evidence_pool *pool)
{
	return pool->lost;
}
