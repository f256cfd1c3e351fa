/*
 * payload_type.h - THE TABLE of RTP payload types: what RFC 3551 6 assigns, and what Microsoft's clients
 * offer under the numbers that are free ([MS-RTP] 2.2.1, [MS-RTASPF] 3.1.5, [MS-SDPEXT] 3.1.5.3).
 */
#ifndef DISSECTORS_PAYLOAD_TYPE_H
#define DISSECTORS_PAYLOAD_TYPE_H

#include "schema/base.h"

/* MEDIA_* of a number; 0: it says nothing. */
uint8_t payload_type_kind(uint8_t payload_type);
/* What it says is a law; of any other number it is a default. */
bool payload_type_is_assigned(uint8_t payload_type);

#endif
