/*
 * facts.h - the key of a flow and the facts of it: what was seen on the wire and how we know.
 * Nothing here is an opinion about policy. The two ends are numbered: end 0 sent the first packet
 * we saw, whoever opened the conversation.
 */
#ifndef SCHEMA_FACTS_H
#define SCHEMA_FACTS_H

#include "schema/packet.h"

#define NAME_MAX_LEN 255 /* RFC 1035 2.3.4 */

/*
 * Both directions have the same key: the lower (address, port) comes first. The VLAN is not part of
 * it (a SPAN port shows the same packet tagged and untagged). `mac` is zero but for DHCP, where the
 * client's chaddr tells apart what all have as 0.0.0.0:68 > 255.255.255.255:67.
 */
struct flow_key {
	struct addr addr[2];
	uint16_t port[2];
	uint8_t transport;
	uint8_t ip_version;
	struct mac mac;
};
_Static_assert(sizeof(struct flow_key) == 44,
               "flow_key has no padding: it is compared as bytes");

/* Fills *key of a packet; returns which side of the key (0, 1) the packet's sender is. */
unsigned flow_key_of(const struct packet *packet, const struct mac *dhcp_client,
                     struct flow_key *key);
uint64_t flow_key_hash(const struct flow_key *key);

/* How the application is known. INSPECTED is nDPI's opinion, set by the recorder's join. */
enum evidence { EVIDENCE_NONE, EVIDENCE_DISSECTOR, EVIDENCE_INSPECTED };

/* How we know who opened the conversation (domain.md 3.2), weakest first. */
enum initiator_by {
	INITIATOR_UNKNOWN,
	INITIATOR_FIRST_PACKET,
	INITIATOR_PORT,
	INITIATOR_REQUEST,
	INITIATOR_SYN
};

enum { MEDIA_AUDIO = 1, MEDIA_VIDEO = 2, MEDIA_DATA = 4 }; /* a mask; more than one: mixed */

enum outcome {
	OUTCOME_UNKNOWN,    /* not over yet, nothing to say */
	OUTCOME_ANSWERED,   /* both ends spoke */
	OUTCOME_UNANSWERED, /* asked, silence */
	OUTCOME_REFUSED,    /* RST to a SYN, ICMP port unreachable */
	OUTCOME_PROHIBITED, /* ICMP 3/9 3/10 3/13, ICMPv6 1/1 1/5 1/6 */
	OUTCOME_ONE_SIDED,  /* a conversation goes on, the mirror shows one direction of it */
};

enum settled_by {
	SETTLED_NOT,
	SETTLED_DISSECTOR,
	SETTLED_BUDGET,
	SETTLED_AGE,
	SETTLED_END,
	SETTLED_LOST, /* its sensor died: these are the facts of its last event (set by the recorder) */
};

enum mtls { MTLS_UNKNOWN, MTLS_NO, MTLS_YES };

enum name_kind { NAME_NONE, NAME_SNI, NAME_HTTP_HOST, NAME_DNS_QUESTION };

/* Requests that a protocol must answer; only their silence can be called blocked (design.md 5). */
enum {
	ASKED_SYN = 1,
	ASKED_DNS = 2,
	ASKED_KERBEROS = 4,
	ASKED_STUN = 8,
	ASKED_TURN_ALLOCATE = 16
};

struct endpoint {
	struct addr addr;
	struct mac mac; /* as last seen in this end's frames; a router's if it is not local */
	uint16_t port;
};

/* Travels in events as it is: fixed layout, no pointer. The name follows it there. */
struct flow_facts {
	uint64_t id; /* number of the flow's first packet in this run; never used again */
	int64_t first_us, last_us;
	struct endpoint end[2]; /* [0] sent the first packet we saw */
	uint64_t packets[2],
		bytes[2]; /* sent by end i; bytes are IP total lengths on the wire */

	uint8_t transport, ip_version;
	uint16_t vlan; /* of the first packet, or VLAN_NONE */

	uint8_t initiator;            /* 0, 1: that end opened it; 2: unknown */
	uint8_t initiator_by;         /* enum initiator_by */
	uint8_t midstream;            /* a TCP flow whose SYN we did not see */
	uint8_t tcp_flags[2];         /* all flags seen from end i, or-ed */
	uint8_t outcome;              /* enum outcome */
	uint8_t icmp_type, icmp_code; /* of the error that decided the outcome */
	struct addr icmp_sender;      /* zero if none */
	uint8_t asked;      /* mask ASKED_*: what the opener asked that must be answered */
	uint8_t settled_by; /* enum settled_by */
	uint16_t tries;     /* how many such requests */
	int64_t first_try_us, last_try_us;

	uint16_t app;            /* enum app, by a dissector of ours; APP_NONE */
	uint8_t evidence;        /* EVIDENCE_NONE or EVIDENCE_DISSECTOR */
	uint8_t name_kind;       /* enum name_kind; what the name that follows is */
	struct app_set not_apps; /* the certain no: with these the flow cannot have begun */

	uint8_t media; /* mask MEDIA_*, certain; 0: none known */
	uint8_t payload_types
		[4];         /* RTP payload types seen, in order of appearance; 0xff: unused */
	uint8_t ice;         /* bit i: end i sent a STUN binding success response */
	uint8_t tls_version; /* low byte of the version agreed or, until then, offered; 0: no TLS */
	uint8_t mtls;        /* enum mtls */
	uint32_t media_packets[4]; /* RTP packets that count as audio, video, data; of no kind we know */

	uint32_t fragments;  /* packets of it that were fragments */
	uint32_t truncated;  /* packets of it that the snap length cut */
	uint32_t duplicates; /* packets of it dropped as copies */

	struct addr
		relayed; /* peer behind a TURN relay, by XOR-less MS-TURN attributes; zero: none */
	uint16_t relayed_port;
	uint8_t inspected_packets; /* payload packets handed to the inspector */
	uint8_t closed;            /* ended by FIN or RST */
	struct mac chaddr;         /* DHCP: the client */
	uint16_t payload_packets; /* with payload, saturating; what "too few" is held against */
	uint32_t dhcp_xid;
	uint8_t dhcp_type; /* option 53 of the first message */
	uint8_t tunnel;    /* enum tunnel its first packet came in */
	uint8_t by_shape;  /* mask MEDIA_*: known by the shape of the stream, not by payload type */
	uint8_t warmup;    /* a TCP flow without SYN from when we had just begun to look (domain.md 3.2) */
	uint8_t solicited; /* LLMNR: the answer to a query we saw, which was another flow (RFC 4795 2.5) */
	uint8_t silent_s; /* unanswered requests: seconds from the first until it was over, 255 at most */
	uint16_t connect_port; /* HTTP CONNECT: the port asked for, and the name is its host; 0: none */
	uint16_t connect_status; /* ... the status it was last answered with; 0: none seen */
	uint8_t spare2[2];
};

const char *evidence_name(enum evidence evidence);   /* none dissector inspected */
const char *initiator_by_name(enum initiator_by by); /* syn request port first-packet unknown */
const char *outcome_name(enum outcome outcome);      /* NULL for OUTCOME_UNKNOWN */
const char *settled_by_name(enum settled_by by);
const char *media_name(uint8_t media);           /* audio video data mixed; NULL for 0 */
const char *name_kind_name(enum name_kind kind); /* NULL for NAME_NONE */
const char *tunnel_name(enum tunnel tunnel);     /* NULL for TUNNEL_NONE */

/*
 * Community ID version 1 with seed 0, as Zeek and Suricata print it ("1:" and 28 characters of
 * base64 over SHA-1; github.com/corelight/community-id-spec). ICMP uses ports as given.
 */
#define COMMUNITY_ID_TEXT 32
const char *community_id(const struct addr *src, const struct addr *dst, uint8_t transport,
                         uint16_t src_port, uint16_t dst_port, char buf[COMMUNITY_ID_TEXT]);

#endif
