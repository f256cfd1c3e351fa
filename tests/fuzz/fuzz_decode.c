/*
 * fuzz_decode.c - a link type and a frame. Whatever it is, a decoded packet lies within what was captured
 * and its lengths do not contradict each other; so does what it was wrapped around.
 *   | link 1 | bytes the snap length cut off 1 | frame |
 */
#include "dissectors/decode.h"
#include "dissectors/dissect.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_lie_within(const struct packet *packet, const uint8_t *data, size_t size)
{
	struct flow_key key;
	struct mac client;

	assert(packet->ip_version == 4 || packet->ip_version == 6);
	assert(packet->ip >= data && packet->ip + packet->ip_caplen <= data + size);
	assert(packet->ip_caplen <= packet->ip_len);
	assert(packet->truncated == (packet->ip_caplen < packet->ip_len));
	assert(packet->payload_len <= packet->payload_wire_len);
	if (packet->payload_len)
		assert(packet->payload >= packet->ip &&
		       packet->payload + packet->payload_len <= packet->ip + packet->ip_caplen);
	(void)dhcp_client(packet, &client);
	(void)flow_key_of(packet, NULL, &key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet = {.number = 1};
	enum decoded inside;
	uint32_t len;

	if (size < 2 || size > UINT16_MAX)
		return 0;
	len = (uint32_t)size - 2;
	if (packet_decode((enum link)(data[0] % 5), data + 2, len, len + data[1], &packet) !=
	    DECODED_IP)
		return 0;
	must_lie_within(&packet, data + 2, len);
	if (packet_unwrap(&packet, &inside) && inside == DECODED_IP)
		must_lie_within(&packet, data + 2, len);
	return 0;
}
