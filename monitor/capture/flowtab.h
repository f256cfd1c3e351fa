/*
 * flowtab.h - the flows alive now: find, age, retire. One slab taken at start, no allocation per
 * packet. A flow that is over stays in its slot until the recorder could be told.
 */
#ifndef MONITOR_CAPTURE_FLOWTAB_H
#define MONITOR_CAPTURE_FLOWTAB_H

#include "dissectors/dissector.h"

/* How long a flow may be silent before it is over, by what it is (design.md 3). */
enum idle {
	IDLE_UDP,
	IDLE_ICMP,
	IDLE_OTHER,
	IDLE_TCP_OPENING,
	IDLE_TCP_OPEN,
	IDLE_TCP_CLOSED,
	IDLE_SPANS, /* each of these has a span of its own; what follows shares one, ... */
	IDLE_UDP_LONE = IDLE_SPANS, /* ... of UDP: nobody answered */
	IDLE_UDP_CALL,              /* media, or checks that were answered */
	IDLE_TCP_LONE,              /* ... of an open connection: one end has acknowledged nothing */
	IDLE_COUNT,
	IDLE_NOT = IDLE_COUNT, /* not touched yet */
	IDLE_OVER              /* ended: no packet finds it any more */
};

struct flowtab_limits {
	uint32_t flows; /* slots; 1 M by default */
	uint32_t young; /* flows being dissected at once; their memory is dearer */
	int64_t idle_us[IDLE_COUNT]; /* asked for of those with a span of their own */
};
extern const struct flowtab_limits FLOWTAB_DEFAULTS;

/* What the sensor keeps of a packet to know its copy again (design.md 3: the last two each way). */
struct copy_mark {
	int64_t time_us;
	uint64_t digest;
};

/* What call.c remembers of a flow of media, young or not. */
struct call_trace {
	uint32_t name[2];   /* hash of the ICE user name in end i's last check; 0: none */
	uint32_t before[2]; /* those of the conversation before it on the same ports */
	uint32_t check[2];  /* end i's last check, by its transaction */
	uint64_t sources;   /* a bit each SSRC, by its hash */
	int64_t media_us;   /* last RTP */
	int64_t check_us;   /* the first check since then; 0: none */
	uint32_t known;     /* facts when it was begun to be looked at again */
	uint8_t answered;   /* mask: ends that answered a check since the last RTP */
	uint8_t in_vain;    /* times it was looked at again, the last ones, and nothing was new */
};

struct flow {
	_Alignas(64) struct flow_key key;
	uint32_t young_newer, young_older;   /* on the list of the young, or of those that stay so */
	uint32_t untold_newer, untold_older; /* on the list of the untold, while it lives */
	uint64_t untold; /* its number in the line of what waits; 0: nothing is to be told */
	uint8_t untold_type; /* enum event_type: what could not be told */
	uint8_t idle;        /* enum idle */
	uint8_t side0;       /* which side of the key is end 0 of the facts */
	bool settled;        /* a settled event was sent (or queued: unsent) */
	bool opened;         /* packets of it lie with the inspector */
	bool heard;          /* the recorder was told of it once at least */
	bool relearning;     /* media began after it had settled */
	bool staying;        /* on the list of those that stay young */
	uint32_t name;       /* names.h */
	uint32_t syn_seq[2]; /* sequence number of end i's SYN */
	uint32_t next_seq[2]; /* tcp.c: end i has sent all before it, as far as anybody showed ... */
	uint8_t next_known;   /* ... mask: of these ends */
	uint8_t samples;      /* packets copied for the recorder, or shed */
	int64_t payload_us;  /* first payload; 0 none */
	int64_t told_us;     /* last event about it */
	struct young *young; /* NULL once nothing more is to be learnt */
	struct call_trace call;
	struct copy_mark copies[2][2];
	struct flow_facts facts;
};
/* Half a KiB each of the million, half of which are the facts; what must grow goes into the young half. */
_Static_assert(sizeof(struct flow) == 512, "a flow is half a KiB: whoever makes it larger says why");

struct flowtab;
struct seed;

struct flowtab *flowtab_new(const struct flowtab_limits *limits);
void flowtab_free(struct flowtab *tab);
/* What such a table takes when it is full. */
uint64_t flowtab_bytes(const struct flowtab_limits *limits);

/* NULL if there is none. */
struct flow *flowtab_find(struct flowtab *tab, const struct flow_key *key);
/* A new flow, zeroed but for key, on no idle list yet: touch it. NULL if the table is full. */
struct flow *flowtab_add(struct flowtab *tab, const struct flow_key *key);
/*
 * The same for a flow of one packet that seed.h takes, whose sender is `side` of the key; it is touched already. The flow
 * that it is grows where it is found. False if the table is full.
 */
bool flowtab_sow(struct flowtab *tab, const struct flow_key *key, unsigned side,
                 const struct packet *packet, unsigned samples);
/*
 * A packet of a flow with this hash of its key will come soon: brings near its place in the index; then, a while
 * later, its flow, or the slot that it will get.
 */
void flowtab_near_place(const struct flowtab *tab, uint32_t hash);
void flowtab_near(const struct flowtab *tab, uint32_t hash);
/* The flow of this number (flowtab_sorted()) will be taken out soon. */
void flowtab_near_end(const struct flowtab *tab, uint32_t number);
bool flowtab_is_full(const struct flowtab *tab);
/* It lives at `now_us`, and may be silent from here for as long as `idle` says. */
void flowtab_touch(struct flowtab *tab, struct flow *flow, enum idle idle);
/* Takes it out; its caller has told the recorder. The pointer is dead afterwards. */
void flowtab_remove(struct flowtab *tab, struct flow *flow);

/*
 * The recorder could not be told of the flow: it waits under `number`, which only ever grows, and of
 * a new number goes to the end. flowtab_end(): the flow is over too; it leaves the index, so that another may
 * begin under its key, and keeps its slot until flowtab_remove(). flowtab_told(): it waits no more.
 */
void flowtab_untold(struct flowtab *tab, struct flow *flow, uint64_t number);
void flowtab_end(struct flowtab *tab, struct flow *flow, uint64_t number);
void flowtab_told(struct flowtab *tab, struct flow *flow);
/* Of all that wait the one with the lowest number; of the ended ones; NULL. */
struct flow *flowtab_oldest_untold(struct flowtab *tab);
struct flow *flowtab_oldest_over(struct flowtab *tab);
uint32_t flowtab_untold_count(const struct flowtab *tab);

/*
 * Who is to end is named by a number that holds while the flow lives, 0 for nobody. flowtab_at(): the flow, NULL for 0; it may
 * be asked what it is, and taken out or ended; one that was sown is a copy that holds until the next is asked for.
 * flowtab_seed(): what was sown; NULL if it has grown, or never was. flowtab_remove_seed(): as flowtab_remove().
 */
struct flow *flowtab_at(struct flowtab *tab, uint32_t number);
const struct seed *flowtab_seed(const struct flowtab *tab, uint32_t number);
void flowtab_remove_seed(struct flowtab *tab, uint32_t number);

/* The flow whose time is over at `now_us`; 0 if there is none (any more). */
uint32_t flowtab_expired(const struct flowtab *tab, int64_t now_us);
/*
 * No flow's time is over before this, whatever flows begin or are touched by then; never later than `now_us` and
 * the shortest silence.
 */
int64_t flowtab_due(struct flowtab *tab, int64_t now_us);
/*
 * Who must go when the table is full; 0 if it is empty. Of those that nobody answered, or that are closed, the one
 * that was silent longest, while they hold more than an eighth of the slots: so much is left to what
 * begins, for its answer. Then in the same way of UDP that was answered; last of calls and open connections.
 */
uint32_t flowtab_least_missed(const struct flowtab *tab);
/*
 * All live flows in the order in which they began, *ret_count of them; the array is the caller's to
 * free, NULL when out of memory or empty. For the end of an input.
 */
uint32_t *flowtab_sorted(const struct flowtab *tab, size_t *ret_count);

/* Whether `is` says so of any live flow; all are looked at. */
bool flowtab_any(const struct flowtab *tab,
                 bool (*is)(const void *context, const struct flow *flow), const void *context);

/* Gives the flow its young half; false while all are taken. */
bool flowtab_make_young(struct flowtab *tab, struct flow *flow);
/* What it has of a pool was given back before. */
void flowtab_make_old(struct flowtab *tab, struct flow *flow);
/* A young flow has settled and stays young all the same; or it does, and had a payload. */
void flowtab_stay_young(struct flowtab *tab, struct flow *flow);
/* Of the young that do not stay so the one that has been young longest; NULL. */
struct flow *flowtab_oldest_young(struct flowtab *tab);
/* Of those that stay young the one that had no payload for longest; NULL. */
struct flow *flowtab_oldest_staying(struct flowtab *tab);

/* Live ones. */
uint32_t flowtab_count(const struct flowtab *tab);

#endif
