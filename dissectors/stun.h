/*
 * stun.h - what a STUN binding message says of the ICE session it belongs to (RFC 8445 7, [MS-ICE2]).
 */
#ifndef DISSECTORS_STUN_H
#define DISSECTORS_STUN_H

#include "dissectors/attributes.h"

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

struct stun_binding {
	enum stun_class class;
	uint32_t transaction; /* a hash of its id */
	bool check;           /* ICE's, not a question to a STUN server */
	const uint8_t *name;  /* USERNAME, borrowed; NULL: none */
	uint16_t name_len;
};

/* Reads a whole datagram; false if it is no binding message. */
bool stun_binding_read(const uint8_t *data, uint32_t len, uint32_t wire_len,
                       struct stun_binding *ret);

#endif
