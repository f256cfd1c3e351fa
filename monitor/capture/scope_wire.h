/*
 * scope_wire.h - what scope.c and scope_program.c look for in a frame, so that both look for the same.
 */
#ifndef MONITOR_CAPTURE_SCOPE_WIRE_H
#define MONITOR_CAPTURE_SCOPE_WIRE_H

/* Shorter than Ethernet, three tags' worth of types and an IPv4 header without them: it passes. */
#define SCOPE_SHORT 34
#define SCOPE_TAGS 3

#define SCOPE_TAG_TYPES(X) X(0x8100) X(0x88a8) X(0x9100) X(0x9200)
/* ARP, RARP; PPPoE and MPLS, whose inside is for the decoder. */
#define SCOPE_TYPES(X) X(0x0806) X(0x8035) X(0x8864) X(0x8847) X(0x8848)
/* IGMP, GRE. */
#define SCOPE_TRANSPORTS4(X) X(2) X(47)
/* Extension headers (what is behind them is for the decoder), GRE. */
#define SCOPE_TRANSPORTS6(X) X(0) X(43) X(44) X(51) X(60) X(47)
/* DNS, DHCP, LLMNR: either port. */
#define SCOPE_PORTS(X) X(53) X(67) X(68) X(5355)
/* VXLAN, Geneve, TZSP: where the mirror's collector listens. */
#define SCOPE_TUNNEL_PORTS(X) X(4789) X(6081) X(37008)
/* Those that quote a packet; of ICMPv6 also membership and neighbour discovery. */
#define SCOPE_ICMP_TYPES(X) X(3) X(4) X(5) X(11) X(12)
#define SCOPE_ICMP6_TYPES(X) \
	X(1) X(2) X(3) X(4) X(130) X(131) X(132) X(133) X(134) X(135) X(136) X(137) X(143)

enum { SCOPE_IPV4 = 0x0800, SCOPE_IPV6 = 0x86dd };
enum { SCOPE_ICMP = 1, SCOPE_TCP = 6, SCOPE_UDP = 17, SCOPE_ICMP6 = 58, SCOPE_DNS = 53 };
/* A TLS record of a handshake that is a client's hello; "CONN" of CONNECT. */
enum { SCOPE_HELLO = 0x1603, SCOPE_CLIENT_HELLO = 1, SCOPE_HELLO_AT = 5, SCOPE_HELLO_LEN = 6 };
#define SCOPE_CONNECT 0x434f4e4e

#endif
