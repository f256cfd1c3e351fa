/*
 * fragments.h - which flow a later fragment belongs to: only the first part has ports (RFC 791
 * 3.2, RFC 8200 4.5).
 */
#ifndef MONITOR_CAPTURE_FRAGMENTS_H
#define MONITOR_CAPTURE_FRAGMENTS_H

#include "schema/facts.h"

#define FRAGMENTS_MAX 4096

struct fragments {
	struct fragment_slot {
		struct addr src, dst;
		uint32_t ip_id;
		uint8_t transport;
		bool dhcp;
		bool opened; /* its first part was a mirror's wrapping, and is taken off */
		uint16_t src_port, dst_port;
		struct mac client; /* of the flow's key, if dhcp */
		int64_t time_us;
	} slots[FRAGMENTS_MAX];
};

/* Remembers the ports of a first fragment; an older datagram in its place is forgotten. */
void fragments_put(struct fragments *fragments, const struct packet *packet,
                   const struct mac *client);
/* The same of one that was taken off; its later parts go with it. */
void fragments_put_opened(struct fragments *fragments, const struct packet *packet);
bool fragments_is_opened(const struct fragments *fragments, const struct packet *packet);
/* Writes the ports into a later fragment; false if its first part is not known (any more). */
bool fragments_find(const struct fragments *fragments, struct packet *packet,
                    struct mac *ret_client, bool *ret_dhcp);

#endif
