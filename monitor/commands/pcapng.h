/*
 * pcapng.h - packets as a file that any tool opens (draft-ietf-opsawg-pcapng), with words about the whole and about
 * each packet: libpcap writes no comments. One section, a description of an interface for each link type.
 */
#ifndef MONITOR_COMMANDS_PCAPNG_H
#define MONITOR_COMMANDS_PCAPNG_H

#include "schema/base.h"
#include "schema/link.h"

#include <stdio.h>

struct pcapng {
	FILE *file; /* the caller's */
	uint32_t snaplen;
	uint32_t interfaces;
	uint32_t interface[LINK_COUNT]; /* number + 1; 0: not described yet */
};

/*
 * Begins the section. `comments` are texts in UTF-8, one option each; `program` wrote it. `snaplen`: no packet has
 * more bytes.
 */
void pcapng_begin(struct pcapng *pcapng, FILE *file, const char *program,
                  const char *const *comments, size_t count, uint32_t snaplen);
struct pcapng_packet {
	enum link link; /* below LINK_COUNT */
	int64_t time_us;
	uint32_t wire_len, len;
	const uint8_t *bytes;
	const char *comment;
};
void pcapng_put(struct pcapng *pcapng, const struct pcapng_packet *packet);
/* Whether all went well is asked of the file: ferror(), fclose(). */

#endif
