/*
 * event.h - what travels on a ring, and the check of every field. Fixed layout, 8-byte aligned,
 * length first. The sensor writes facts to the recorder and packets to the inspector; the
 * inspector writes opinions to the recorder; the supervisor tells the recorder what became of the
 * others, and the recorder shows it what it found, and how the rows of each unit stand. Nobody else meets.
 *
 * Join: every fact event carries `handed`, the position that the sensor had written to on the ring of
 * packets by then. The inspector releases a packet there after writing what it had to say of it:
 * `done`. A fact event may be handled once done >= handed.
 */
#ifndef SCHEMA_EVENT_H
#define SCHEMA_EVENT_H

#include "schema/blind.h"
#include "schema/facts.h"
#include "schema/keep.h"
#include "schema/verdict.h"

enum event_type {
	EVENT_FLOW_SETTLED = 1, /* struct event_flow */
	EVENT_FLOW_UPDATE, /* struct event_flow: a long flow, every 60 s, or facts changed */
	EVENT_FLOW_END, /* struct event_flow: the last word; a flow that ends unsettled sends this alone */
	EVENT_NAME,   /* struct event_name */
	EVENT_LEASE,  /* struct event_lease */
	EVENT_HEALTH, /* struct event_health: once a second of the run's clock, and at its end */
	EVENT_INPUT,  /* struct event_input: a capture file ended */
	EVENT_PACKET, /* struct event_packet: sensor -> inspector */
	EVENT_FORGET, /* struct event_forget: sensor -> inspector: say your last word, free it */
	EVENT_OPINION, /* struct event_opinion: inspector -> recorder */
	EVENT_BEGIN,   /* struct event_begin: a sensor begins; all flows of the one before are lost */
	EVENT_BLIND,   /* struct event_blind: supervisor or sensor -> recorder, and recorder -> supervisor */
	EVENT_EVIDENCE, /* struct event_evidence: supervisor -> recorder */
	EVENT_FOUND,    /* struct event_found: recorder -> supervisor: a finding opens */
	EVENT_NEIGHBOUR, /* struct event_neighbour: who has which address, by ARP or neighbour discovery */
	EVENT_SAMPLE, /* struct event_sample: sensor -> recorder: one of a flow's first packets */
	EVENT_EXERCISED, /* struct event_exercised: recorder -> supervisor: a row of a unit stands otherwise */
	EVENT_FLOW_BRIEF, /* struct event_brief (event_brief.h): EVENT_FLOW_END of a flow of SYNs alone */
	EVENT_TYPE_COUNT
};

struct event {
	uint32_t len; /* of the whole event with its tail, a multiple of 8 */
	uint16_t type;
	uint16_t spare;
	uint64_t handed; /* fact events: see above; else 0 */
};

struct event_flow {
	struct event head;
	struct flow_facts facts;
	uint8_t name_len;
	char name[7]; /* name_len bytes, going on past the struct; lower case, no NUL */
};

/* A DNS answer: `client` asked `server`, and `name` is held by `address` for ttl seconds. */
struct event_name {
	struct event head;
	int64_t time_us;
	struct addr client, server, address;
	struct mac client_mac; /* as in the frame: a router's if the client is not near */
	uint8_t spare[2];
	uint32_t ttl_s;
	uint8_t asked; /* the question to it was seen: same flow, id, name and type */
	uint8_t tunnel; /* enum tunnel it came in */
	uint8_t name_len;
	char name[1]; /* asked for, or one of its CNAME chain, or an SRV's target; going on past the struct */
};

/* A host's own word of its address (RFC 826, RFC 4861 4.3, 4.4). */
struct event_neighbour {
	struct event head;
	int64_t time_us;
	struct addr address;
	struct mac mac;
	uint8_t tunnel; /* enum tunnel it came in */
	uint8_t spare;
};

#define LEASE_SERVERS 4

/* What DHCP gives or is given back: ACK, RELEASE, DECLINE (RFC 2131 4.3, 4.4). */
enum lease_word { LEASE_DECLINED = 4, LEASE_GIVEN = 5, LEASE_RELEASED = 7 };
struct event_lease {
	struct event head;
	int64_t time_us;
	uint64_t flow; /* the flow it came in */
	struct mac chaddr;
	uint8_t mask_bits; /* of option 1, counted over 32; 0: not told */
	uint8_t dns_count;
	uint32_t xid, lease_s;          /* lease_s 0: not told, as to an INFORM */
	uint8_t word;                   /* enum lease_word: option 53 */
	uint8_t asked;                  /* given: a request of this chaddr and xid was seen */
	uint8_t tunnel;                 /* enum tunnel it came in */
	uint8_t spare[5];
	struct addr address;            /* given: yiaddr, or ciaddr to an INFORM; given back */
	struct addr server;             /* option 54; zero: not told */
	struct addr router;             /* option 3, first; zero: not told */
	struct addr dns[LEASE_SERVERS]; /* option 6 */
};

/*
 * All of it counts from the start of the run. Nothing is uncounted (design.md 9.3):
 * seen = out_of_scope + in_flows + malformed + fragments_lost + duplicates.
 */
struct counters {
	uint64_t seen, bytes;   /* packets read, bytes on the wire */
	uint64_t out_of_scope; /* of nobody that is asked for (monitor/capture/scope.h), or no flow: ARP, IGMP, neighbour discovery, not IP, cut before the ports */
	uint64_t arp, igmp, nd; /* of these */
	uint64_t in_flows;
	uint64_t malformed;
	uint64_t fragments_lost; /* later fragments whose first one we never saw */
	uint64_t duplicates;     /* copies a SPAN made */
	uint64_t truncated;      /* cut by the snap length; these are in flows as well */
	uint64_t
		errors_lost; /* ICMP errors that quote no flow we know; in flows of their own */
	uint64_t flows;      /* begun */
	uint64_t evicted;    /* ended early because the table was full */
	uint64_t names_refused; /* names, or what tells of them, that found no room */
	uint64_t kernel_received, kernel_dropped,
		interface_dropped; /* live; received includes dropped */
	uint64_t interface_received; /* live: frames that came in, whoever wanted them; not in the database */
	uint64_t inspected;        /* packets handed to the inspector */
	uint64_t inspect_shed;     /* ... that it could not be given */
	uint64_t told_shed;        /* names and leases that the recorder could not be given */
	uint64_t tunnelled;        /* packets taken out of a tunnel; in one of the sums above too */
	uint64_t streams_shed; /* bytes of TCP streams waited for in vain, or given up for want of room */
	uint64_t young_shed; /* flows that were looked into for less time than others, for want of room */
	uint64_t evidence_shed; /* first packets of flows that the recorder could not be given */
};

struct event_health {
	struct event head;
	int64_t time_us;
	struct counters counters;
	uint32_t flows_open;
	uint8_t final; /* the run is over: nothing follows */
	uint8_t spare[3];
};

struct event_input {
	struct event head;
	int64_t first_us, last_us; /* 0: it held no packet */
	uint64_t packets;
	uint64_t size; /* hashed: of the file */
	char hash[32]; /* hashed: of its content, in hex digits */
	uint32_t index; /* of the input in the run's list */
	uint8_t cut;    /* it ended in the middle of a packet or was damaged there */
	uint8_t hashed;
	uint8_t note_len;
	char note[1]; /* where and why it was cut, going on past the struct; no NUL */
};

struct event_packet {
	struct event head;
	uint64_t flow;
	int64_t time_us;
	uint16_t ip_len; /* bytes that follow, from the IP header on: at most INSPECT_MAX */
	uint8_t first;   /* first packet of the flow handed: opens the state */
	uint8_t spare[5];
	uint8_t ip[];
};
#define INSPECT_MAX 1514
#define INSPECT_UDP 8  /* packets handed of a UDP flow, ... */
#define INSPECT_TCP 10 /* ... of a TCP flow, until a dissector is certain */

struct event_forget {
	struct event head;
	uint64_t flow;
};

struct event_opinion {
	struct event head;
	uint64_t flow;
	uint16_t app;  /* enum app, by confidence DPI alone; APP_NONE: it has no idea */
	uint8_t final; /* no better one follows */
	uint8_t spare[5];
};

/* Its first event; `again`: it takes the place of one that died. */
struct event_begin {
	struct event head;
	int64_t time_us; /* from here on packets are seen */
	uint8_t again;
	uint8_t spare[7];
};

/* A blind interval that is over, or (until_us 0) goes on; then another with the same cause and detail ends it. */
struct event_blind {
	struct event head;
	int64_t since_us, until_us;
	uint64_t count; /* of what the cause counts: packets, flows, restarts */
	uint8_t cause;  /* enum blind_cause */
	uint8_t detail_len;
	char detail[6]; /* the interface; what a role died of; from the recorder, the unit it is of; going on past
	                   the struct; no NUL */
};

/* A packet that somebody died of, as it lay there. */
struct event_evidence {
	struct event head;
	uint64_t flow; /* the inspector's; 0 */
	int64_t time_us;
	uint32_t wire_len;
	uint16_t len;  /* bytes that follow: at most EVIDENCE_MAX */
	uint8_t link;  /* enum link */
	uint8_t cause; /* enum blind_cause: who died of it */
	uint8_t bytes[];
};
#define EVIDENCE_MAX 2048

/*
 * One of the first packets of a flow (an ICMP error about it too), in order with its facts: the recorder keeps
 * those of flows under a finding. From the frame's header on, as captured, without a mirror's wrapping.
 */
struct event_sample {
	struct event head;
	uint64_t flow;
	int64_t time_us;
	uint32_t wire_len;
	uint16_t len;         /* bytes that follow */
	uint16_t headers_len; /* of these, from the first one: headers; what follows is payload */
	uint8_t link;         /* enum link */
	uint8_t number;       /* of the flow's packets that were copied, from 0 */
	uint8_t spare[2];
	uint8_t bytes[];
};
#define SAMPLE_PACKETS 8 /* copied of a flow, ... */
#define SAMPLE_BYTES 256 /* ... of each at most */

struct event_found {
	struct event head;
	int64_t time_us, id;
	uint8_t kind, severity;
	uint8_t unit_len; /* bytes of text[] that name the unit; the rest is the reason */
	uint8_t waived;
	uint16_t text_len;
	char text[2]; /* going on past the struct; no NUL */
};

/* What the flows of a unit came to that fit a row, or came nearest to it. A mask. */
enum {
	STANDS_EXACT = 1, /* documented and answered, by grade */
	STANDS_UNPROVEN = 2,
	STANDS_WIDE = 4,
	STANDS_UNANSWERED = 8, /* documented, neither answered nor blocked (by now) */
	STANDS_ONE_SIDED = 16, /* ... for the mirror shows one direction */
	STANDS_SILENT = 32,    /* documented, blocked */
	STANDS_PROHIBITED = 64,
	STANDS_REFUSED = 128,
	STANDS_OUTSIDE = 256,
	STANDS_UNDETERMINED = 512,
	STANDS_ANSWERED = STANDS_EXACT | STANDS_UNPROVEN | STANDS_WIDE,
	STANDS_BLOCKED = STANDS_SILENT | STANDS_PROHIBITED | STANDS_REFUSED,
};
#define STANDS_COUNT 10

struct row_standing {
	uint16_t what; /* STANDS_* */
	uint8_t media; /* mask MEDIA_* that answered flows carried, and STANDS_NO_MEDIA */
	uint8_t whys;  /* mask of BIT(enum why) of the undetermined */
};
#define STANDS_NO_MEDIA 8 /* one that was answered carried none, or nobody can tell */
#define STANDS_MEDIA_COUNT 4

/*
 * How a row of a unit stands by now: all of it, so that the latest one counts. Of a unit of which nothing was told
 * yet it says also that it was seen, and then the row may stand as ever.
 */
struct exercised {
	int64_t time_us; /* of the flow that changed it */
	int64_t teller; /* a number that every recorder has another of: what one before it told of flows that are over stays */
	uint32_t entry; /* of the policy's units that the unit is of: index */
	uint16_t row;   /* index in the policy */
	struct row_standing standing;
	/* The flow that changed it; 0, what follows too: not told. */
	uint8_t transport;
	uint8_t direction; /* enum direction */
	uint8_t icmp_type, icmp_code;
	uint16_t local_port, remote_port;
	struct addr local, remote, sender; /* sender: of the ICMP error; zero: none */
};

struct event_exercised {
	struct event head;
	struct exercised exercised;
	uint8_t unit_len;
	char unit[7]; /* its name, going on past the struct; no NUL */
};

/*
 * Checks length, type, every enum, time and count of an event of `len` bytes that another process wrote.
 * Returns 0, or -EBADMSG.
 */
int event_check(const struct event *event, size_t len) MUST_CHECK;

#define EVENT_MAX 4096 /* no event is longer */
/*
 * No time (microseconds: the year 2255) and no count in an event is above this, and no time below 0: sums
 * and differences of a few of them fit everywhere.
 */
#define EVENT_NUMBER_MAX (INT64_C(1) << 53)

#endif
