/*
 * mkmix.c - many rooms' worth of real protocols for the measurements, out of a folder of captures: each capture is
 * played many times over, interleaved, each time by other clients. Of two who talk one is the client and gets
 * an address among the units, so that every packet is in scope and a flow has one unit; the other keeps its own.
 * Only IP is kept, without VLAN tags and tunnels' outer headers; ARP and the like have no flow.
 *
 *   mkmix FILE PACKETS FOLDER    at least PACKETS, whole copies
 */
#include "tests/lib/bulk.h"
#include "tests/lib/recast.h"

#define SPAN_US INT64_C(600000000)    /* all copies lie within ten minutes, ... */
#define LONGEST_US INT64_C(300000000) /* ... none takes more than half of them ... */
#define GAP_US INT64_C(1000000)       /* ... and none is silent for more than a second */

/* One copy of one capture. */
struct play {
	const struct recast *capture;
	size_t next; /* packet of it */
	int64_t begin_us;
	uint32_t copy;
};

static int64_t play_at(const struct play *play)
{
	return play->begin_us + recast_at(play->capture, play->next);
}

/* Earliest first; of two at one time the one that stands first in the list of plays. */
static bool play_before(const struct play *a, const struct play *b)
{
	int64_t at = play_at(a), bt = play_at(b);

	return at != bt ? at < bt : a < b;
}

static void heap_sink(struct play **heap, size_t count, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
			if (play_before(heap[child], heap[least]))
				least = child;
		if (least == at)
			return;
		struct play *moved = heap[at];

		heap[at] = heap[least];
		heap[least] = moved;
		at = least;
	}
}

/* Where the copies begin: drawn, the same each time. */
static uint32_t draw(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void interleave(struct bulk *bulk, struct play *plays, struct play **heap, size_t count,
                       uint32_t clients)
{
	for (size_t i = 0; i < count; i++)
		heap[i] = &plays[i];
	for (size_t i = count; i-- > 0;)
		heap_sink(heap, count, i);
	while (count) {
		struct play *play = heap[0];

		recast_write(play->capture, play->next, play_at(play), play->copy * clients,
		             bulk);
		if (++play->next == recast_count(play->capture))
			heap[0] = heap[--count];
		heap_sink(heap, count, 0);
	}
}

static int mix(struct bulk *bulk, const struct recasting *all, uint64_t packets,
               struct err *err)
{
	uint64_t copies = (packets + all->packets - 1) / all->packets;
	size_t count = copies * all->count;
	struct play *plays = calloc(count, sizeof(*plays));
	struct play **heap = calloc(count, sizeof(struct play *));
	uint32_t seed = 0x6d697831;

	if (!plays || !heap) {
		free(plays);
		free(heap);
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		const struct recast *capture = all->captures[i % all->count];
		int64_t length = recast_at(capture, recast_count(capture) - 1);

		plays[i] =
			(struct play){.capture = capture, .copy = (uint32_t)(i / all->count)};
		plays[i].begin_us = (int64_t)(draw(&seed) % (uint64_t)(SPAN_US - length));
	}
	interleave(bulk, plays, heap, count, all->clients);
	free(plays);
	free(heap);
	printf("mix: %llu packets, %llu copies of %zu captures, %llu clients, %llu bytes; of each copy "
	       "%llu packets without IP left out\n",
	       (unsigned long long)bulk_packets(bulk), (unsigned long long)copies, all->count,
	       (unsigned long long)(copies * all->clients),
	       (unsigned long long)bulk_bytes(bulk), (unsigned long long)all->left_out);
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(bulk_freep) struct bulk *bulk = NULL;
	CLEANUP(recasting_release)
	struct recasting all = {.gap_us = GAP_US, .longest_us = LONGEST_US};
	uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	struct err err = {0};

	if (argc != 4 || !packets) {
		fprintf(stderr, "usage: mkmix FILE PACKETS FOLDER\n");
		return 2;
	}
	if (recasting_read(&all, argv[3], &err) < 0 || bulk_new(argv[1], &bulk, &err) < 0 ||
	    mix(bulk, &all, packets, &err) < 0 || bulk_finish(bulk, &err) < 0) {
		fprintf(stderr, "mkmix: %s\n", err.text);
		return 1;
	}
	return 0;
}
