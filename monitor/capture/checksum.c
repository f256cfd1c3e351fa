/*
 * checksum.c - see checksum.h. RFC 1071: the sum of 16-bit words, carries added again, of the pseudo header
 * (RFC 9293 3.1, RFC 768, RFC 8200 8.1) and the segment is all ones. What a host hands to a card that sums
 * by itself, and to whoever captures there, has the sum of the pseudo header in the field.
 */
#include "monitor/capture/checksum.h"

#include <arpa/inet.h>

#define TCP_SUM_AT 16
#define UDP_SUM_AT 6

/* Words as they lie in memory: a sum is right in either byte order (RFC 1071 2 B). */
static uint64_t sum_of(const uint8_t *bytes, uint32_t len)
{
	uint64_t sum = 0;
	uint16_t word;

	for (; len > 1; len -= 2, bytes += 2) {
		memcpy(&word, bytes, 2);
		sum += word;
	}
	if (len) {
		word = 0;
		memcpy(&word, bytes, 1);
		sum += word;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

enum checksum checksum_look(const struct packet *packet)
{
	bool tcp = packet->transport == TRANSPORT_TCP;
	uint32_t header = packet->ip_header_len, len;
	uint64_t pseudo;
	uint16_t field, total;

	if ((!tcp && packet->transport != TRANSPORT_UDP) || packet->fragment ||
	    packet->ip_caplen < packet->ip_len || packet->ip_len > UINT16_MAX)
		return CHECKSUM_UNKNOWN;
	if (header + (tcp ? 20 : 8) > packet->ip_len)
		return CHECKSUM_UNKNOWN;
	len = packet->ip_len - header;
	memcpy(&field, packet->ip + header + (tcp ? TCP_SUM_AT : UDP_SUM_AT), 2);
	if (!tcp && !field)
		return CHECKSUM_UNKNOWN;
	pseudo = addr_is_v4(&packet->src)
	                 ? sum_of(packet->src.b + 12, 4) + sum_of(packet->dst.b + 12, 4)
	                 : sum_of(packet->src.b, 16) + sum_of(packet->dst.b, 16);
	pseudo += htons(packet->transport);
	pseudo += htons((uint16_t)len);
	total = fold(pseudo + sum_of(packet->ip + header, len));
	if (total == 0xffff)
		return CHECKSUM_RIGHT;
	return field == fold(pseudo) ? CHECKSUM_UNSUMMED : CHECKSUM_WRONG;
}
