/*
 * stream.h - puts each direction of a young TCP flow in order. Segments go in as they were captured;
 * pieces come out without gap or overlap, preceded by bytes that were asked for again. What has to be
 * kept for that, at most STREAM_MAX bytes of a direction, lies in blocks of one pool.
 */
#ifndef DISSECTORS_STREAM_H
#define DISSECTORS_STREAM_H

#include "schema/base.h"

#define STREAM_MAX 16384
#define STREAMS_DEFAULT 4096 /* blocks: 64 MiB */

/* One direction. Zeroed at start; it stays where it is while the pool knows it. */
struct stream {
	uint32_t first; /* sequence number of its first byte, as far as it was seen, ... */
	uint32_t from;  /* ... of the first byte that is still wanted, ... */
	uint32_t next;  /* ... and of the first that was not shown yet */
	uint32_t block; /* in the pool, plus one; 0: nothing is kept */
	bool opened;    /* its SYN was seen */
	bool running;   /* `from` and `next` are known */
	bool at_start;  /* `from` is the first byte of all */
	bool again;     /* what lies at `from` was asked for again */
	int64_t stray_us; /* since then no segment fitted, though some came; 0: the last one did */
};

/* The pool. */
struct streams;

/*
 * NULL when out of memory. Bytes that were waited for in vain, or that were given up for want of room,
 * are added to *shed.
 */
struct streams *streams_new(uint32_t blocks, uint64_t *shed);
void streams_free(struct streams *streams);

/* A TCP segment; of its `wire_len` bytes the first `len` were captured. */
struct segment {
	uint32_t seq, len, wire_len;
	const uint8_t *data;
	int64_t time_us;
};

/* What is to be shown next. It lives until stream_shown(), and no longer than the segment. */
struct piece {
	const uint8_t *data;
	uint32_t seq, len, wire_len; /* more on the wire than here: the snap length cut it */
	bool at_start;               /* it begins with the first byte of the stream */
	bool again;                  /* it begins where it was asked to begin again */
};

/* Its SYN was seen: `first` follows. Too late once a payload was shown. */
void stream_open(struct stream *stream, uint32_t first);
/*
 * The next piece: of the segment, or of others that waited for it. To be called until there is none;
 * then what is left of the segment waits for the bytes before it. Without a segment (NULL: none will
 * come any more) and after a second nothing is waited for: the stream goes on behind the gap. What
 * lies too far off to be waited for is lost; where for a second nothing else came, it goes on there.
 */
bool stream_next(struct streams *streams, struct stream *stream, struct segment *segment,
                 struct piece *ret_piece);
/*
 * The piece was shown. `again`: what lies at and behind offset `keep_from` of it is wanted once more,
 * in front of what follows.
 */
void stream_shown(struct streams *streams, struct stream *stream, const struct piece *piece,
                  bool again, uint32_t keep_from);
/* Whether bytes lie there that still wait. */
static inline bool stream_waits(const struct stream *stream)
{
	return stream->block;
}
/* Gives back what it has of the pool. */
void stream_close(struct streams *streams, struct stream *stream);

#endif
