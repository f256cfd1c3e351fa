/*
 * unwrap.c - see unwrap.h.
 */
#include "monitor/capture/unwrap.h"

static bool is_unit(const struct unwrap_options *options, const struct addr *addr,
                    const struct mac *mac, bool sent)
{
	return options->is_unit(options->context, addr, mac_is_zero(mac) ? NULL : mac, sent);
}

enum decoded unwrap(const struct unwrap_options *options, struct fragments *fragments,
                    struct packet *packet, struct counters *counters)
{
	struct packet outer;
	enum decoded decoded;

	if (packet->fragment_later) {
		if (!fragments_is_opened(fragments, packet))
			return DECODED_IP;
		counters->tunnelled++;
		return DECODED_NOT_IP;
	}
	if (!packet_seems_wrapped(packet))
		return DECODED_IP;
	outer = *packet;
	if (!packet_unwrap(packet, &decoded))
		return DECODED_IP;
	if (options->is_unit && (is_unit(options, &outer.src, &outer.src_mac, true) ||
	                         is_unit(options, &outer.dst, &outer.dst_mac, false))) {
		*packet = outer;
		return DECODED_IP;
	}
	if (outer.fragment)
		fragments_put_opened(fragments, &outer);
	counters->tunnelled++;
	return decoded;
}
