/*
 * capture_plain.h - the packets of a capture file as nearly all are: pcap 2.4 in both byte orders, with micro-
 * or nanoseconds, and pcapng of one section. Whatever else stands in a file, and damage of any kind, is strange: then
 * libpcap reads it from its beginning and says what there is to say. Until then both give the same packets.
 */
#ifndef MONITOR_CAPTURE_CAPTURE_PLAIN_H
#define MONITOR_CAPTURE_CAPTURE_PLAIN_H

#include "schema/base.h"

#include <pcap/pcap.h>

struct plain;

enum plain_next {
	PLAIN_PACKET,
	PLAIN_END,
	PLAIN_STRANGE,
};

/*
 * A reader of the file behind `fd` (borrowed), of which libpcap says that its link type is `dlt`; NULL: it is
 * strange from its beginning, or memory is out.
 */
struct plain *plain_new(int fd, int dlt);
void plain_free(struct plain *plain);

/* As pcap_next_ex() would give it; *ret_bytes is valid until the next plain_next(). */
enum plain_next plain_next(struct plain *plain, struct pcap_pkthdr *header,
                           const uint8_t **ret_bytes);
/* How many bytes of the file lie behind the packet given last. */
uint64_t plain_offset(const struct plain *plain);

#endif
