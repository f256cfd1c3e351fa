/*
 * stream.c - see stream.h. Invariants:
 *  (1) The first byte of a block is the one at stream->from. Bytes up to stream->next are there for
 *      they are wanted again; behind them lie the ranges: in order, apart from one another, none
 *      before stream->next.
 *  (2) What came first stays, also where a segment sent again differs: a receiver cannot take back
 *      what it has handed on, and the stacks in use keep what they have queued.
 *  (3) Blocks in use are listed in the order in which their streams last got on.
 *  (4) One segment moves the stream nowhere: what lies out of reach or has no room is not believed. An
 *      end does not accept it either (RFC 9293 3.10.7.4), and whoever sent it may wish to hide from us
 *      what follows.
 */
#include "dissectors/stream.h"


#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

#define RANGES_MAX 64
#define GAP_US 1000000 /* what comes later than that comes too late */
#define OLD_MAX (1 << 20) /* what lies further back was not sent again */

/* A segment, or a part of one, that came before its turn. */
struct range {
	uint32_t seq, len, wire_len;
};

struct block {
	struct stream *owner;
	uint32_t newer, older; /* block + 1; on the free list `newer` alone */
	uint32_t count;
	int64_t since_us; /* nothing could be shown from here on, if there are ranges */
	struct range range[RANGES_MAX];
};

struct streams {
	struct block *blocks;
	uint8_t *bytes; /* STREAM_MAX of each block */
	uint64_t *shed;
	uint32_t max, fresh, free; /* free: block + 1 */
	uint32_t oldest, newest;
};

struct streams *streams_new(uint32_t blocks, uint64_t *shed)
{
	struct streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return NULL;
	streams->max = blocks;
	streams->shed = shed;
	streams->blocks = pages_new(blocks * sizeof(*streams->blocks));
	streams->bytes = pages_new((size_t)blocks * STREAM_MAX);
	if (!streams->blocks || !streams->bytes) {
		streams_free(streams);
		return NULL;
	}
	return streams;
}

void streams_free(struct streams *streams)
{
	if (!streams)
		return;
	if (streams->bytes)
		ASAN_UNPOISON_MEMORY_REGION(streams->bytes,
		                            (size_t)streams->fresh * STREAM_MAX);
	pages_free(streams->blocks, streams->max * sizeof(*streams->blocks));
	pages_free(streams->bytes, (size_t)streams->max * STREAM_MAX);
	free(streams);
}

/* ------------------------------------------------------------------ blocks */

/* NULL if it has none. */
static struct block *block_of(struct streams *streams, const struct stream *stream)
{
	return stream->block ? &streams->blocks[stream->block - 1] : NULL;
}

static uint8_t *bytes_of(struct streams *streams, const struct stream *stream)
{
	return streams->bytes + (size_t)(stream->block - 1) * STREAM_MAX;
}

static void unlink_block(struct streams *streams, struct block *block)
{
	if (block->older)
		streams->blocks[block->older - 1].newer = block->newer;
	else
		streams->oldest = block->newer;
	if (block->newer)
		streams->blocks[block->newer - 1].older = block->older;
	else
		streams->newest = block->older;
}

static void append_block(struct streams *streams, struct block *block)
{
	uint32_t number = (uint32_t)(block - streams->blocks) + 1;

	block->newer = 0;
	block->older = streams->newest;
	if (streams->newest)
		streams->blocks[streams->newest - 1].newer = number;
	else
		streams->oldest = number;
	streams->newest = number;
}

void stream_close(struct streams *streams, struct stream *stream)
{
	struct block *block = block_of(streams, stream);

	if (!block)
		return;
	ASAN_UNPOISON_MEMORY_REGION(bytes_of(streams, stream), STREAM_MAX);
	unlink_block(streams, block);
	block->newer = streams->free;
	streams->free = stream->block;
	stream->block = 0;
}

/* What it keeps is lost, and it goes on with what is sent. */
static void give_up_block(struct streams *streams, struct stream *stream)
{
	struct block *block = block_of(streams, stream);
	uint32_t held = stream->next - stream->from;

	*streams->shed += held;
	for (uint32_t i = 0; i < block->count; i++)
		*streams->shed += block->range[i].wire_len;
	if (held)
		stream->at_start = false;
	stream->from = stream->next;
	stream->again = false;
	stream_close(streams, stream);
}

/* Where all are taken, the stream that has waited longest makes room. */
static struct block *take_block(struct streams *streams, struct stream *stream)
{
	struct block *block;

	if (!streams->free && streams->fresh == streams->max)
		give_up_block(streams, streams->blocks[streams->oldest - 1].owner);
	if (streams->free) {
		stream->block = streams->free;
		streams->free = streams->blocks[stream->block - 1].newer;
	} else {
		stream->block = ++streams->fresh;
	}
	block = block_of(streams, stream);
	block->owner = stream;
	block->count = 0;
	append_block(streams, block);
	return block;
}

/* The stream is done with all before `from`. */
static void drop_front(struct streams *streams, struct stream *stream, uint32_t from)
{
	struct block *block = block_of(streams, stream);
	uint32_t done = from - stream->from;
	uint32_t end = stream->next;

	stream->from = from;
	if (!block || !done)
		return;
	if (block->count) {
		const struct range *last = &block->range[block->count - 1];

		end = last->seq + last->len;
	}
	if ((int32_t)(end - from) > 0)
		memmove(bytes_of(streams, stream), bytes_of(streams, stream) + done,
		        end - from);
	else if (!block->count)
		stream_close(streams, stream);
}

/* Nothing before `next` will come any more. */
static void give_up_gap(struct streams *streams, struct stream *stream, uint32_t next)
{
	*streams->shed += next - stream->next;
	stream->next = next;
	drop_front(streams, stream, next);
	stream->again = false;
	stream->at_start = false;
}

/* ---------------------------------------------------------------- segments */

static void cut_front(struct segment *segment, uint32_t bytes)
{
	uint32_t here;

	if (bytes > segment->wire_len)
		bytes = segment->wire_len;
	here = bytes < segment->len ? bytes : segment->len;
	segment->seq += bytes;
	segment->wire_len -= bytes;
	segment->len -= here;
	if (here)
		segment->data += here;
}

/*
 * Whether it may be of this stream by its number. What lies far before `first` was not sent again, also
 * where the stream went on from elsewhere.
 */
static bool in_reach(const struct stream *stream, const struct segment *segment)
{
	int32_t old = (int32_t)(stream->next - segment->seq);

	return old <= 0 ||
	       (old <= OLD_MAX && (int32_t)(stream->first - segment->seq) <= STREAM_MAX);
}

/*
 * A segment that does not fit is lost. Where for a second only such came, the stream goes on there:
 * more was lost than can be waited for. But what a flow begins with is taken from nowhere else.
 */
static void lose_segment(struct streams *streams, struct stream *stream,
                         struct segment *segment)
{
	if (!stream->stray_us)
		stream->stray_us = segment->time_us;
	if (stream->at_start || segment->time_us - stream->stray_us <= GAP_US) {
		*streams->shed += segment->wire_len;
		cut_front(segment, segment->wire_len);
		return;
	}
	if (stream->block)
		give_up_block(streams, stream);
	stream->first = stream->from = stream->next = segment->seq;
	stream->opened = stream->again = false;
	stream->stray_us = 0;
}

/* Puts what is new of the segment among the ranges; false if there is no room for (the rest of) it. */
static bool queue(struct streams *streams, struct stream *stream, struct segment *segment)
{
	struct block *block = block_of(streams, stream);
	uint32_t i = 0;

	while (segment->wire_len) {
		uint32_t at = segment->seq - stream->from, len = segment->wire_len, here;

		while (block && i < block->count &&
		       (int32_t)(block->range[i].seq + block->range[i].wire_len -
		                 segment->seq) <= 0)
			i++;
		if (block && i < block->count) {
			int32_t before = (int32_t)(block->range[i].seq - segment->seq);

			if (before <= 0) {
				cut_front(segment, block->range[i].wire_len + (uint32_t)before);
				continue;
			}
			if (len > (uint32_t)before)
				len = (uint32_t)before;
		}
		if (at > STREAM_MAX || len > STREAM_MAX - at)
			return false;
		if (!block)
			block = take_block(streams, stream);
		if (block->count == RANGES_MAX)
			return false;
		if (!block->count)
			block->since_us = segment->time_us;
		here = len < segment->len ? len : segment->len;
		if (here)
			memcpy(bytes_of(streams, stream) + at, segment->data, here);
		memmove(&block->range[i + 1], &block->range[i],
		        (block->count - i) * sizeof(block->range[0]));
		block->range[i] = (struct range){segment->seq, here, len};
		block->count++;
		cut_front(segment, len);
	}
	return true;
}

/* The segment's turn has come. Where bytes are wanted again it is put behind them. */
static void show_segment(struct streams *streams, struct stream *stream,
                         const struct segment *segment, struct piece *piece)
{
	struct block *block = block_of(streams, stream);
	uint32_t held = stream->next - stream->from;
	uint32_t len = segment->len, wire_len = segment->wire_len;

	if (held == STREAM_MAX) {
		*streams->shed += held;
		drop_front(streams, stream, stream->next);
		stream->again = stream->at_start = false;
		block = block_of(streams, stream);
		held = 0;
	}
	if (block && block->count && wire_len > block->range[0].seq - stream->next)
		wire_len = block->range[0].seq - stream->next;
	if (held && wire_len > STREAM_MAX - held)
		wire_len = STREAM_MAX - held;
	if (len > wire_len)
		len = wire_len;
	piece->data = segment->data;
	if (held) {
		piece->data = bytes_of(streams, stream);
		if (len)
			memcpy(bytes_of(streams, stream) + held, segment->data, len);
	}
	piece->len = held + len;
	piece->wire_len = held + wire_len;
}

static void show_range(struct streams *streams, struct stream *stream, struct piece *piece)
{
	struct block *block = block_of(streams, stream);
	uint32_t held = stream->next - stream->from;

	piece->data = bytes_of(streams, stream);
	piece->len = held + block->range[0].len;
	piece->wire_len = held + block->range[0].wire_len;
	block->count--;
	memmove(&block->range[0], &block->range[1], block->count * sizeof(block->range[0]));
}

void stream_open(struct stream *stream, uint32_t first)
{
	if (stream->running)
		return;
	stream->opened = true;
	stream->first = first;
	stream->from = stream->next = first;
	stream->running = stream->at_start = true;
}

/* Where the SYN was not seen the first payload is the beginning, but not the one byte of a keep-alive. */
static void join(struct stream *stream, struct segment *segment)
{
	if (segment->wire_len == 1)
		cut_front(segment, 1);
	stream->first = stream->from = stream->next = segment->seq;
	stream->running = true;
}

bool stream_next(struct streams *streams, struct stream *stream, struct segment *segment,
                 struct piece *ret_piece)
{
	if (!stream->running && !segment)
		return false;
	if (!stream->running)
		join(stream, segment);
	for (;;) {
		const struct block *block = block_of(streams, stream);
		const struct range *range = block && block->count ? &block->range[0] : NULL;
		bool left = segment && segment->wire_len;
		bool fits = left && in_reach(stream, segment);

		if (fits && (int32_t)(stream->next - segment->seq) > 0) {
			cut_front(segment, stream->next - segment->seq);
			stream->stray_us = 0;
			left = segment->wire_len;
		}
		if (range && range->seq == stream->next) {
			show_range(streams, stream, ret_piece);
			break;
		}
		if (left && fits && segment->seq == stream->next) {
			show_segment(streams, stream, segment, ret_piece);
			stream->stray_us = 0;
			break;
		}
		if (left && fits && queue(streams, stream, segment))
			stream->stray_us = 0;
		else if (range && (!segment || segment->time_us - block->since_us > GAP_US))
			give_up_gap(streams, stream, range->seq);
		else if (left)
			lose_segment(streams, stream, segment);
		else
			return false;
	}
	if (stream->block) {
		struct block *block = block_of(streams, stream);

		if (segment)
			block->since_us = segment->time_us;
		unlink_block(streams, block);
		append_block(streams, block);
		if (ret_piece->data == bytes_of(streams, stream))
			ASAN_POISON_MEMORY_REGION(ret_piece->data + ret_piece->len,
			                          STREAM_MAX - ret_piece->len);
	}
	ret_piece->seq = stream->from;
	ret_piece->at_start = stream->at_start;
	ret_piece->again = stream->again;
	return true;
}

void stream_shown(struct streams *streams, struct stream *stream, const struct piece *piece,
                  bool again, uint32_t keep_from)
{
	bool lies_here = stream->block && piece->data == bytes_of(streams, stream);
	uint32_t keep = again ? piece->len - keep_from : 0;

	if (stream->block)
		ASAN_UNPOISON_MEMORY_REGION(bytes_of(streams, stream), STREAM_MAX);
	if (piece->len < piece->wire_len) {
		again = false; /* what was cut will never follow it */
		keep = 0;
	} else if (keep > STREAM_MAX) {
		*streams->shed += keep;
		again = false;
		keep = 0;
	}
	stream->next = piece->seq + piece->wire_len;
	stream->at_start = stream->at_start && keep == piece->len;
	stream->again = again;
	drop_front(streams, stream, stream->next - keep);
	if (keep && !lies_here) {
		if (!stream->block)
			take_block(streams, stream);
		memcpy(bytes_of(streams, stream), piece->data + piece->len - keep, keep);
	}
}
