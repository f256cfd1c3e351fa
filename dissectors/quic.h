/*
 * quic.h - what a connection of QUIC begins with (RFC 9000 17.2.2). Not one of THE LIST: it spares nDPI the flow.
 */
#ifndef DISSECTORS_QUIC_H
#define DISSECTORS_QUIC_H

#include "schema/base.h"

/* Whether a datagram of `len` bytes begins with an Initial, all of whose lengths fit into it. */
bool quic_is_initial(const uint8_t *payload, uint32_t len);

#endif
