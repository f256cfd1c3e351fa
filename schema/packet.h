/*
 * packet.h - one captured frame, decoded. Its bytes are borrowed from the capture and live until
 * the next packet is read.
 */
#ifndef SCHEMA_PACKET_H
#define SCHEMA_PACKET_H

#include "schema/addr.h"
#include "schema/proto.h"

#define VLAN_NONE 0xffff

/* What a mirrored packet came wrapped in; taken off once (domain.md 7.4). */
enum tunnel {
	TUNNEL_NONE,
	TUNNEL_GRE,
	TUNNEL_ERSPAN, /* I, II, III */
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_TZSP,
	TUNNEL_COUNT
};

/* TCP flags as in the header's 14th byte (RFC 9293 3.1). */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

struct packet {
	/* the frame */
	uint64_t number;             /* in this run, from 1 */
	int64_t time_us;             /* the run's clock when it was read: never goes back */
	uint32_t wire_len;           /* of the frame on the wire */
	const uint8_t *frame;        /* its bytes from there on, ... */
	uint32_t frame_len;          /* ... so many of them (inside a tunnel: of the frame in it) */
	uint8_t link;                /* enum link: what they begin with */
	struct mac src_mac, dst_mac; /* zero where the link has none */
	uint16_t vlan;               /* outermost tag's id (inside a tunnel), or VLAN_NONE */
	uint8_t tunnel;              /* enum tunnel */

	/* IP */
	uint8_t ip_version; /* 4, 6 */
	uint8_t transport;  /* IP protocol number after extension headers */
	struct addr src, dst;
	uint32_t ip_id;  /* IPv4 identification, IPv6 fragment identification, else 0 */
	uint32_t ip_len; /* IP total length on the wire, header included; what counters count */
	const uint8_t *ip;   /* the IP header; */
	uint32_t ip_caplen;  /* that many bytes from there were captured (padding cut off) */
	bool fragment;       /* part of a fragmented datagram */
	bool fragment_later; /* ... and not the first part: ports are unknown (0) */
	uint16_t fragment_at; /* ... which begins so many bytes into it */
	uint32_t ip_header_len; /* with the extension headers: there the transport begins */
	bool truncated;      /* the snap length cut bytes off this packet */

	/* transport */
	uint16_t src_port, dst_port; /* 0 where there is none */
	uint8_t tcp_flags;
	uint32_t tcp_seq, tcp_ack;
	uint8_t icmp_type, icmp_code;
	const uint8_t *payload;    /* of TCP, UDP, or ICMP after its 8-byte header */
	uint32_t payload_len;      /* captured */
	uint32_t payload_wire_len; /* by the headers; larger if truncated */

	/* the packet an ICMP error quotes (RFC 792, RFC 4443): as its sender wrote it */
	bool quoted;
	uint8_t quoted_transport;
	struct addr quoted_src, quoted_dst;
	uint16_t quoted_src_port, quoted_dst_port;

	/* ARP, neighbour discovery: its sender's own word of its address; a zero MAC: none */
	struct mac neighbour_mac;
	struct addr neighbour;
};

#endif
