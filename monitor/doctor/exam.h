/*
 * exam.h - is this mirror fit to judge by? One run is looked at, check by check; what each found is a row: its state,
 * what was seen in figures, and what to do. Nothing here prints (commands/doctor_mirror.c does).
 *
 * A check claims what is certain. `unknown` is what cannot be told from here; `warn` is worth a look and keeps nothing
 * from being judged right; with `bad` some flow of a unit would be judged wrong, or not at all.
 */
#ifndef MONITOR_DOCTOR_EXAM_H
#define MONITOR_DOCTOR_EXAM_H

#include "monitor/capture/mirror.h"
#include "monitor/doctor/port.h"
#include "monitor/record/strangers.h"
#include "schema/flowdb_query.h"

/* THE LIST of checks, in the order they are told: each is a function check_<name>() of monitor/doctor/. */
#define CHECKS(X) \
	X(mirror, "mirror", "whether it is one: packets between others, not broadcast alone") \
	X(silence, "silence", "how long nothing came at all") \
	X(directions, "directions", "whether both directions of conversations are seen") \
	X(duplicates, "duplicates", "packets shown twice") \
	X(truncation, "truncation", "packets cut by a snap length, or by a tunnel's MTU") \
	X(vlan, "vlan", "tags, and conversations with and without") \
	X(tunnels, "tunnels", "what the mirror wraps packets in, and what is not looked into") \
	X(drops, "drops", "packets and flows that went by unseen") \
	X(load, "load", "how much came, against what was dropped") \
	X(offload, "offload", "packets larger than a wire carries: merged by a network card") \
	X(checksums, "checksums", \
	  "packets captured before their sender's card had summed them") \
	X(clock, "clock", "time stamps that go back, are of no real clock, or overlap") \
	X(units, "units", "who is seen, who is missing, who looks like one and is not listed") \
	X(translation, "translation", \
	  "whether somebody between a unit and the mirror rewrites addresses") \
	X(mac_shared, "mac-shared", "units known by a MAC that stands before many addresses") \
	X(ipv6, "ipv6", "whether it is seen, where rows need it") \
	X(names, "names", "whether DNS is seen, where roles are held by name") \
	X(roles, "roles", "who of those that rows allow was seen at all")

enum check {
#define X(name, text, help) CHECK_##name,
	CHECKS(X)
#undef X
		CHECK_COUNT
};
const char *check_name(enum check check); /* "mac-shared" */
const char *check_help(enum check check);

enum exam_state { EXAM_OK, EXAM_UNKNOWN, EXAM_WARN, EXAM_BAD, EXAM_STATE_COUNT };
const char *exam_state_name(enum exam_state state); /* ok unknown warn bad */

struct exam_row {
	uint8_t check;          /* enum check */
	uint8_t state;          /* enum exam_state */
	char of[UNIT_NAME_MAX]; /* a unit, an interface, a file, a role; "" */
	char seen[160];         /* in figures */
	char remedy[640];       /* one sentence or two; "" */
	uint64_t count,
		total; /* what `seen` counts, of how many; total 0: nothing is counted */
};

#define EXAM_ADDRESSES 16
/* A unit of the policy; where that has none, a host that looks like one. */
struct exam_unit {
	char name[UNIT_NAME_MAX];
	const struct unit_rule *rule; /* NULL: it only looks like one, or its entry is gone */
	uint32_t profiles;
	bool spoke; /* a packet of its own was seen */
	bool mac_shared;
	struct addr address[EXAM_ADDRESSES];
	unsigned address_count;
	struct mirror_host
		sums; /* over its addresses; addr and mac of the first that was seen */
};

struct exam_input {
	const char *name;
	uint64_t packets;
	int64_t first_us, last_us; /* 0: none */
	struct port port;          /* live */
};

/* What there is to look at. All of it is borrowed, and outlives the exam. */
struct exam_subject {
	const struct policy *policy;
	const struct mirror *mirror;
	struct flowdb *db; /* NULL: nothing was recorded, for there was no packet */
	const struct strangers *strangers;
	const struct exam_input *inputs;
	size_t input_count;
	const char *filter; /* tcpdump words that were set; NULL, "" */
	bool live;
	int64_t lasted_us; /* live: how long was looked; 0: not known */
};

struct exam {
	struct exam_subject subject;
	struct counters counters;
	struct exam_unit *units; /* by name */
	size_t unit_count, unit_room;
	uint64_t blind
		[BLIND_CAUSE_COUNT]; /* what the intervals of each cause count, and how many there are */
	uint64_t blinds[BLIND_CAUSE_COUNT];
	int64_t ended_us; /* the run, by its packets */
	int64_t silent_us,
		silent_at_us; /* the longest interval of BLIND_MIRROR_SILENT, and from when */
	uint64_t names;       /* DNS answers on record */
	/* Masks of roles: DNS bound a name of it to an address from which a packet was seen; DHCP or DNS was. */
	uint32_t roles_bound, roles_learnt;
	struct exam_row *rows;
	size_t row_count, row_room;
	int failed; /* -ENOMEM */
};

/* Looks, check by check. On success *ret is the caller's, to be given to exam_free(). */
int exam_new(const struct exam_subject *subject, struct exam **ret, struct err *err) MUST_CHECK;
void exam_free(struct exam *exam);
void exam_freep(struct exam **exam);

bool exam_is_fit(const struct exam *exam);
/* "not fit: directions of boardroom: 12 of 12 conversations one way only". Returns `buf`. */
#define EXAM_RESULT 512
const char *exam_result(const struct exam *exam, char buf[EXAM_RESULT]);

/* ------------------------------------------------- for the checks alone (monitor/doctor/) */

#define X(name, text, help) void check_##name(struct exam *exam);
CHECKS(X)
#undef X

/*
 * One more row, `seen` printed as by printf. Where there is no memory it is a row that nobody gets, and exam_new()
 * fails. It is valid until the next.
 */
struct exam_row *exam_add(struct exam *exam, enum check check, enum exam_state state,
                          const char *of, const char *seen, ...) PRINTF(5, 6);
void exam_remedy(struct exam_row *row, const char *remedy, ...) PRINTF(2, 3);
void exam_count(struct exam_row *row, uint64_t count, uint64_t total);

/* "12 of 240 (5.0 %)". Returns `buf`. */
#define SHARE_TEXT 64
const char *share_print(uint64_t count, uint64_t total, char buf[SHARE_TEXT]);
/* Whether it is at least so many of a thousand. */
bool share_is(uint64_t count, uint64_t total, unsigned permille);

#endif
