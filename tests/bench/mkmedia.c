/*
 * mkmedia.c - a meeting in a hundred rooms for the measurements: 200 flows of audio and 100 of video, RTP in
 * both directions, until the file has MEGABYTES (1,000).
 *
 *   mkmedia FILE [MEGABYTES]
 */
#include "tests/lib/bulk.h"

#include "tests/lib/message.h"
#include "tests/lib/talk.h"

#define ROOMS 100
#define FLOWS 300
#define HALF_US \
	10000 /* video each 10 ms and both ways; audio each 20 ms, one way in each half */

#define UNITS 0x0a400001u   /* 10.64.0.1 and on */
#define SERVICE 0x34700000u /* 52.112.0.0 */

struct stream {
	struct bulk_ends ends;
	struct rtp rtp;
};

/* Flow 3n and 3n + 1 are the audio of room n (a second source of the mixer), 3n + 2 its video. */
static void streams_make(struct stream streams[FLOWS][2])
{
	for (unsigned i = 0; i < FLOWS; i++) {
		bool video = i % 3 == 2;
		uint32_t room = i / 3;
		struct stream *out = &streams[i][0], *in = &streams[i][1];

		out->ends = (struct bulk_ends){
			.src = UNITS + room,
			.dst = SERVICE + 0x100 * (1 + room % 9) + 1 + room,
			.src_port = (uint16_t)(video ? 50020 : 50000 + 2 * (i % 3)),
			.dst_port = (uint16_t)(50100 + 7 * i),
		};
		out->rtp = (struct rtp){
			.payload_type = video ? PT_H264 : PT_SILK,
			.seq = (uint16_t)(i * 97),
			.timestamp = i * 7919,
			.ssrc = 0x51000000 + i * 2,
			.payload_len = video ? 1100 : 160,
		};
		*in = *out;
		in->ends = bulk_back(out->ends);
		in->rtp.ssrc++;
	}
}

static void stream_send(struct bulk *bulk, struct stream *stream, int64_t at_us)
{
	struct message m = message_rtp(&stream->rtp);

	bulk_udp(bulk, at_us, &stream->ends, m.b, m.len);
	stream->rtp.seq++;
	stream->rtp.timestamp += stream->rtp.payload_type == PT_SILK ? 320 : 900;
}

int main(int argc, char **argv)
{
	static struct stream streams[FLOWS][2];
	CLEANUP(bulk_freep) struct bulk *bulk = NULL;
	uint64_t bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1000) * 1000000;
	struct err err = {0};

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: mkmedia FILE [MEGABYTES]\n");
		return 2;
	}
	if (bulk_new(argv[1], &bulk, &err) < 0)
		goto failed;
	streams_make(streams);
	for (uint32_t half = 0; bulk_bytes(bulk) < bytes; half++) {
		for (unsigned i = 0; i < FLOWS; i++) {
			int64_t at_us = (int64_t)half * HALF_US + i * (HALF_US / FLOWS);

			for (unsigned side = 0; side < 2; side++)
				if (i % 3 == 2 || half % 2 == side)
					stream_send(bulk, &streams[i][side], at_us + side * 9);
		}
	}
	if (bulk_finish(bulk, &err) < 0)
		goto failed;
	printf("media: %llu packets of %u RTP flows, %llu bytes\n",
	       (unsigned long long)bulk_packets(bulk), FLOWS,
	       (unsigned long long)bulk_bytes(bulk));
	return 0;
failed:
	fprintf(stderr, "mkmedia: %s\n", err.text);
	return 1;
}
