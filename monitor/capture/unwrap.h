/*
 * unwrap.h - what a mirror wrapped packets in comes off, but for tunnels of a unit's own: those are
 * traffic of the unit, and stay in sight as such.
 */
#ifndef MONITOR_CAPTURE_UNWRAP_H
#define MONITOR_CAPTURE_UNWRAP_H

#include "dissectors/decode.h"
#include "monitor/capture/fragments.h"
#include "schema/event.h"

/* All the sensor knows of a policy. */
struct unwrap_options {
	/*
	 * Whether a host with this address or MAC (NULL: not known) is a unit; `sent`: the packet is
	 * its own, not one for it. NULL: nobody is.
	 */
	bool (*is_unit)(const void *context, const struct addr *addr, const struct mac *mac,
	                bool sent);
	const void *context;
};

/*
 * Of a packet with IP: what it is once a wrapping is off, *packet with it; DECODED_IP and unchanged
 * where there is none. A later fragment of a wrapping is nothing more: DECODED_NOT_IP.
 */
enum decoded unwrap(const struct unwrap_options *options, struct fragments *fragments,
                    struct packet *packet, struct counters *counters);

#endif
