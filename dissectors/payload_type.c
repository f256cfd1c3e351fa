/*
 * payload_type.c - see payload_type.h.
 */
#include "dissectors/payload_type.h"

#include "schema/facts.h"

bool payload_type_is_assigned(uint8_t payload_type)
{
	return payload_type < 35;
}

uint8_t payload_type_kind(uint8_t payload_type)
{
	switch (payload_type) {
	case 0:           /* PCMU */
	case 3 ... 18:    /* GSM, G.723, DVI4, LPC, PCMA, G.722, L16, CN, MPA, G.728, G.729 */
	case 97:          /* redundant audio */
	case 101:         /* telephone events */
	case 103 ... 104: /* SILK */
	case 106:         /* Opus */
	case 111:         /* Siren */
	case 112:         /* G.722.1 */
	case 114 ... 115: /* RTAudio */
	case 116:         /* AAL2-G726-32 */
	case 117:         /* G.722, two channels */
	case 118:         /* comfort noise, wide band */
		return MEDIA_AUDIO;
	case 25 ... 26:  /* CelB, JPEG */
	case 28:         /* nv */
	case 31 ... 32:  /* H.261, MPEG; 33 is a transport stream, which may be anything */
	case 34:         /* H.263 */
	case 99 ... 100: /* retransmission, VP8, H.264 of later clients */
	case 107:
	case 121: /* RTVideo */
	case 122: /* H.264 UC */
	case 123: /* forward error correction of these */
		return MEDIA_VIDEO;
	case 126: /* retransmission of 127 */
	case 127: /* application sharing, files */
		return MEDIA_DATA;
	default:
		return 0;
	}
}
