/*
 * list.h - THE LIST of dissectors, in the order they are asked: cheap and certain first.
 */
#ifndef DISSECTORS_LIST_H
#define DISSECTORS_LIST_H

#include "dissectors/dissector.h"

#define DISSECTORS(X) \
	X(msturn)     /* UDP; ff 10, magic cookie attribute */ \
	X(msturn_tcp) /* pseudo-TLS, then framing */ \
	X(stun)       /* UDP, and bare over TCP */ \
	X(dtls) \
	X(channel) /* TURN ChannelData, in context only */ \
	X(dhcp) \
	X(llmnr) \
	X(dns) \
	X(tls) \
	X(http) \
	X(sip) \
	X(kerberos) \
	X(rtcp) \
	X(rtp) \
	X(framed) /* RFC 4571: STUN, RTP, RTCP over TCP */

#define DECLARE_DISSECTOR(name) extern const struct dissector dissector_##name;
DISSECTORS(DECLARE_DISSECTOR)
#undef DECLARE_DISSECTOR

#endif
