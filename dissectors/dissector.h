/*
 * dissector.h - what a dissector is, what it is given to look at, and what it may say.
 */
#ifndef DISSECTORS_DISSECTOR_H
#define DISSECTORS_DISSECTOR_H

#include "dissectors/stream.h"
#include "schema/facts.h"

/* no: not mine; maybe: show me more; yes: certain. */
enum answer { ANSWER_NO, ANSWER_MAYBE, ANSWER_YES };

/* Where in the TLS handshake one side is (tls_walk.h); from the middle, in a chain of records. */
struct tls_walk {
	uint32_t seq;          /* what comes next, ... */
	uint32_t message_left; /* ... of a message still to pass over, ... */
	uint32_t record_left;  /* ... and of a record */
	uint8_t records;
	bool on, seen, client;
};

/* One RTP source, an SSRC of one end: what proves it and what its packets look like (media.c). */
struct rtp_source {
	uint32_t ssrc, timestamp;
	uint32_t first_timestamp, last_timestamp, first_ms, last_ms; /* of those sampled */
	uint32_t step; /* of the timestamp, from one sequence number to the next */
	uint16_t seq;
	uint16_t run;     /* packets in a row whose sequence advanced */
	uint16_t waiting; /* packets seen and not counted yet, for want of proof */
	uint16_t counted; /* packets counted, as ... */
	uint8_t counted_as; /* ... this index of media_packets */
	uint8_t side, payload_type;
	uint8_t votes; /* for payload_type, less those against it */
	uint8_t shape; /* MEDIA_*: plainly that; 0 */
	bool used;
	/* Of payload_type, up to SAMPLES_MAX packets: those that share the timestamp before them, ... */
	uint8_t sampled, shared, markers, small, large, steady;
};

/* What dissectors remember of a flow while it is young; given back when it settles. Zeroed at start. */
#define DISSECT_SSRCS 8
#define DISSECT_CHECKS 8
#define DISSECT_QUESTIONS 32 /* browsers and stubs ask by the dozen from one port */
enum { FRAMING_RFC4571, FRAMING_MSTURN, FRAMING_DNS, FRAMING_KERBEROS, FRAMINGS };
/* In a request's headers; in those of a CONNECT, behind them, in those of its answer; all over. */
enum { HTTP_NEW, HTTP_HEADERS, HTTP_CONNECT, HTTP_CONNECTED, HTTP_ANSWER, HTTP_OVER };
struct young {
	struct rtp_source rtp[DISSECT_SSRCS];
	uint16_t media_packets; /* RTP packets counted */
	uint32_t asked_no;    /* bit i: dissector i said no for good */
	uint8_t owner[2]; /* dissector that said yes, plus one; 0: none yet; [1]: inside a tunnel */
	uint16_t payloads[2]; /* payload packets seen from end i */
	struct stream stream[2]; /* TCP: of end i; the sensor opens it where it saw the SYN */
	bool told;        /* nothing more is to be learnt */
	bool spoke_first; /* the end that was called, before it had received anything */

	/* Hashes of the transaction ids of end i's last ICE checks and answers: the lowest bit tells which. */
	uint32_t stun_tx[2][DISSECT_CHECKS];
	uint8_t stun_tx_next[2];
	bool turn;        /* an MS-TURN or TURN exchange was seen: bare media may follow */
	bool channel;     /* a TURN channel was bound */
	/* DNS: the questions that wait for their answers: by end and id, what was asked, and when. */
	struct {
		uint32_t what;
		uint16_t id;
		uint16_t used : 1, side : 1, asked_s : 14;
	} question[DISSECT_QUESTIONS];
	uint8_t question_next;
	uint8_t rtcp_run; /* RTCP packets that each alone would prove nothing */

	/* TCP: where end i's next frame, or message with its length, begins, if that is known. */
	struct frame_walk {
		uint32_t next_seq[2];
		bool known[2];
		uint16_t frames; /* that fitted, in a row */
	} walk[FRAMINGS];

	uint8_t http[2];     /* HTTP_*: where end i is */
	bool inner[2];       /* end i speaks through the proxy by now */

	struct tls_walk tls[2];
	bool tls_client_hello, tls_server_hello, tls_asked_certificate, tls_server_done, tls_over;
};

_Static_assert(sizeof(struct young) <= 1024, "a flow looked into costs a KiB more at most");

/* A name or lease learnt from a payload; the sensor makes an event of it. */
struct learnt_name {
	struct addr client, server, address;
	struct mac client_mac;
	uint32_t ttl_s;
	bool asked; /* its question was seen */
	char name[NAME_MAX_LEN + 1];
};
struct learnt_lease {
	struct mac chaddr;
	struct addr address, server, router, dns[4];
	uint32_t xid, lease_s;
	uint8_t mask_bits, dns_count;
	uint8_t word; /* ACK, RELEASE, DECLINE, by their numbers */
	bool asked;   /* an ACK: its request was seen; filled by the sensor */
};
#define LEARNT_NAMES_MAX 64
enum query { QUERY_NONE, QUERY_ASKED, QUERY_ANSWERED };

struct learnt {
	unsigned name_count; /* past the maximum they are counted in names_refused */
	unsigned names_refused; /* ... with questions that gave way while they waited */
	struct learnt_name name[LEARNT_NAMES_MAX];
	bool has_lease;
	bool dhcp_asks; /* a request that an ACK may answer: of lease.chaddr and lease.xid */
	struct learnt_lease lease;
	uint8_t query; /* enum query: of the kind that is put to a group (LLMNR), ... */
	uint16_t query_id; /* ... and its transaction */
};

struct look {
	const struct packet *packet;
	const uint8_t *
		data; /* the payload to judge: the packet's, or what was put together or unwrapped */
	uint32_t len;      /* captured bytes of it */
	uint32_t wire_len; /* bytes of it on the wire */
	uint32_t seq;      /* TCP: sequence number of data[0] */
	unsigned side;     /* which end of the facts sent it */
	bool from_start;   /* data[0] is the first byte of this side of a TCP flow seen from its SYN */
	bool resumed;      /* data[0] is the byte that was asked for by keep_from */
	bool datagram;     /* unwrapped from a framing: exactly one message */
	bool relayed; /* unwrapped from a TURN message: it says nothing about the two ends */
	bool inner;   /* said through an HTTP proxy, behind a CONNECT */
	struct flow_facts
		*facts; /* a yes writes app, media, name_kind, ...; never the counters */
	char *name;     /* NAME_MAX_LEN + 1 bytes; write with the facts' name_kind */
	struct young *young;
	struct learnt *learnt;

	bool keep; /* set by a dissector: give me this again, with what follows behind it, ... */
	uint32_t keep_from; /* ... from this offset on (an owner's choice; else all of it) */
	bool tunnel;        /* ... and there another protocol begins, inside of this one */
	bool done;          /* set by a dissector: nothing more to learn of this flow */
};

struct dissector {
	const char *name;
	enum app app;
	bool tcp, udp;
	bool media;      /* one of those that share a 5-tuple with media (RFC 7983) */
	uint64_t begins; /* TCP: mask of applications that cannot have begun if it says no */
	enum answer (*look)(struct look *look);
};

/*
 * What a yes does. The application moves up only along stun, dtls, rtcp, rtp, msturn: what a flow
 * carries counts for more than how it was set up, and so does what goes through a tunnel;
 * otherwise the first certain one stays.
 */
void look_found(struct look *look, enum app app);
/* End `side` opened the conversation: a request or reply says so (domain: a request). */
void look_opened_by(struct look *look, unsigned side);
/* A request that must be answered was sent: `asked` is one of ASKED_*. */
void look_asked(struct look *look, uint8_t asked);
/* A host name as it stood in the packet; the first of its flow stays. Unprintable bytes read '?'. */
void look_name(struct look *look, enum name_kind kind, const uint8_t *name, uint32_t len);
/* Whether ICE, TURN or proven media opened the way: then one packet that fits is media. */
bool look_expects_media(const struct look *look);
/*
 * Shows what was unwrapped to the dissectors of media (RFC 7983 7). `relayed`: it came out of a TURN message.
 */
enum answer look_inside(const struct look *outer, const uint8_t *data, uint32_t len,
                        uint32_t wire_len, bool relayed);

#endif
