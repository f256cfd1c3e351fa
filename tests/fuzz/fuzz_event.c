/*
 * fuzz_event.c - what a sensor and an inspector that were taken over write on their rings, and what
 * becomes of a recorder that reads it: it goes on, and its database stays sound.
 *   | flags 1 | records |
 * A record: | what 1 | pick 1 | edits 1 | each edit: offset 2, how 1, byte 1 |. It begins as a sound
 * event of type `what`, of hosts and a flow that `pick` names, and is then edited; FOREIGN puts it
 * on the ring where it does not belong, LYING lets edits reach its length, and of the types that are
 * none STEP lets the recorder run, DIE gives it a successor. NEIGHBOUR and SAMPLE make any of them an event of that type.
 */
#include "monitor/recorder.h"
#include "monitor/acceptance/reports.h"
#include "schema/event_brief.h"
#include "schema/flowdb_sql.h"

#include <assert.h>

enum { FLAG_LIVE = 1 };
enum { TYPE = 0x0f, SAMPLE = 0x10, NEIGHBOUR = 0x20, FOREIGN = 0x40, LYING = 0x80 };
enum { STEP = 0, DIE = 15 };

#define SITE \
	"site: Demo office\n" \
	"units:\n" \
	"  - {name: boardroom, addresses: [10.20.0.15, \"2001:db8:20::15\"],\n" \
	"     macs: [\"00:26:8c:01:02:03\"], profiles: [room, online, touch]}\n" \
	"  - {name: huddle, addresses: [10.20.1.21], profiles: [room, onprem, external, online]}\n" \
	"  - {name: floor, addresses: [10.20.8.0/22], profiles: [room, online]}\n" \
	"domains: [corp.example]\n" \
	"roles:\n" \
	"  dns-server:        {addresses: [10.20.0.53]}\n" \
	"  domain-controller: {addresses: [10.20.5.10, 10.20.5.11]}\n" \
	"  front-end:         {names: [fe01.corp.example]}\n" \
	"  edge:              {addresses: [198.51.100.8/29]}\n" \
	"  other-client:      {addresses: [10.20.64.0/20, 192.0.2.0/24]}\n" \
	"waivers:\n" \
	"  - {units: [huddle], transport: udp, remote-ports: [123], application: ntp,\n" \
	"     owner: netops, reason: local clock, expires: 2030-12-31}\n"

#define BEGIN_US INT64_C(1795305600000000) /* 2026-11-22T00:00:00Z */

/* Emptied after each input: making one anew costs ten times as much. */
static struct flowdb *database;

struct bench {
	struct recorder_options options;
	struct ring *facts, *packets, *opinions;
	struct recorder *recorder;
	int64_t now_us;
	unsigned asked;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read once: it never changes. */
static const struct policy *policy(void)
{
	static struct policy *loaded;
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = SITE, .site_text_len = sizeof(SITE) - 1};

	if (!loaded)
		assert(policy_load(&args, &loaded, NULL) == 0);
	return loaded;
}

/* ------------------------------------------------------------ sound events */

static struct addr host(unsigned pick)
{
	static const char *const HOSTS[] = {
		"10.20.0.15", "10.20.1.21",  "10.20.8.1",       "10.20.9.200",
		"10.20.0.53", "10.20.5.10",  "198.51.100.9",    "192.0.2.7",
		"10.1.1.1",   "8.8.8.8",     "2001:db8:20::15", "2001:db8::1",
		"0.0.0.0",    "224.0.0.252", "255.255.255.255", "ff02::1:3",
	};
	struct addr addr;

	assert(addr_parse(HOSTS[pick % ARRAY_LEN(HOSTS)], &addr) == 0);
	return addr;
}

static uint8_t put_name(char *at, unsigned pick)
{
	static const char *const NAMES[] = {"fe01.corp.example", "lyncdiscover.corp.example",
	                                    "maestro.starleaf.com", "a.example"};
	const char *name = NAMES[pick % ARRAY_LEN(NAMES)];

	memcpy(at, name, strlen(name));
	return (uint8_t)strlen(name);
}

static size_t flow_make(struct event_flow *event, unsigned pick, int64_t now_us)
{
	static const struct {
		uint8_t transport;
		uint16_t port, app;
	} USES[] = {
		{TRANSPORT_TCP, 443, APP_TLS},   {TRANSPORT_UDP, 53, APP_DNS},
		{TRANSPORT_UDP, 123, APP_NTP},   {TRANSPORT_TCP, 22, APP_SSH},
		{TRANSPORT_UDP, 3478, APP_STUN}, {TRANSPORT_UDP, 50010, APP_RTP},
		{TRANSPORT_UDP, 67, APP_DHCP},   {TRANSPORT_ICMP, 0, APP_ICMP},
	};
	struct flow_facts *f = &event->facts;
	unsigned use = pick % ARRAY_LEN(USES);
	bool in = pick & 64;

	f->id = 1 + pick % 32;
	f->first_us = BEGIN_US + pick % 32 * 1000;
	f->last_us = now_us;
	f->end[in].addr = host(pick >> 3);
	f->end[in].port = use == 6 ? 68 : (uint16_t)(50000 + pick);
	f->end[in].mac = (struct mac){{0x00, 0x26, 0x8c, 1, 2, 3}};
	f->end[!in].addr = host(pick >> 2 | 4);
	f->end[!in].port = USES[use].port;
	f->packets[0] = f->packets[1] = 8;
	f->bytes[0] = f->bytes[1] = 800;
	f->transport = USES[use].transport;
	f->ip_version = 4;
	f->vlan = VLAN_NONE;
	f->initiator_by = INITIATOR_REQUEST;
	f->outcome = pick & 1 ? OUTCOME_ANSWERED : OUTCOME_UNANSWERED;
	f->settled_by = SETTLED_END;
	f->app = USES[use].app;
	f->evidence = EVIDENCE_DISSECTOR;
	f->asked = ASKED_SYN;
	f->tries = 3;
	f->first_try_us = f->last_try_us = f->first_us;
	memset(f->payload_types, 0xff, sizeof(f->payload_types));
	f->payload_packets = 8;
	if (use == 6)
		f->chaddr = f->end[in].mac;
	if (use)
		return sizeof(*event);
	f->name_kind = NAME_SNI;
	event->name_len = put_name(event->name, pick >> 3);
	return sizeof(*event) + event->name_len;
}

static size_t name_make(struct event_name *event, unsigned pick, int64_t now_us)
{
	event->time_us = now_us;
	event->client = host(pick >> 3);
	event->server = host(4);
	event->address = host(pick >> 2 | 4);
	event->ttl_s = 300;
	event->name_len = put_name(event->name, pick);
	return sizeof(*event) + event->name_len;
}

static size_t lease_make(struct event_lease *event, unsigned pick, int64_t now_us)
{
	event->time_us = now_us;
	event->flow = 1 + pick % 32;
	event->chaddr = (struct mac){{0x00, 0x26, 0x8c, 1, 2, 3}};
	event->mask_bits = 24;
	event->dns_count = 1;
	event->lease_s = pick & 2 ? 60 : 0;
	event->word = pick % 5 ? LEASE_GIVEN : LEASE_RELEASED;
	event->address = host(pick >> 3);
	event->server = host(pick);
	event->dns[0] = host(4);
	return sizeof(*event);
}

/* Without its length and type. Returns the length. */
static size_t make(uint8_t *at, unsigned type, unsigned pick, int64_t now_us)
{
	struct event *event = (struct event *)(void *)at;

	switch (type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END:
		return flow_make((struct event_flow *)event, pick, now_us);
	case EVENT_NAME:
		return name_make((struct event_name *)event, pick, now_us);
	case EVENT_LEASE:
		return lease_make((struct event_lease *)event, pick, now_us);
	case EVENT_HEALTH: {
		struct event_health *health = (struct event_health *)event;

		health->time_us = now_us;
		health->counters.seen = health->counters.in_flows = pick;
		health->counters.kernel_dropped = pick & 1;
		return sizeof(*health);
	}
	case EVENT_INPUT: {
		struct event_input *input = (struct event_input *)event;

		input->first_us = BEGIN_US;
		input->last_us = now_us;
		input->packets = pick;
		input->hashed = pick & 1;
		memset(input->hash, pick & 2 ? 'g' : 'e', sizeof(input->hash));
		return sizeof(*input) + (input->note_len = put_name(input->note, pick));
	}
	case EVENT_PACKET:
		((struct event_packet *)event)->flow = 1 + pick % 32;
		return sizeof(struct event_packet);
	case EVENT_FORGET:
		((struct event_forget *)event)->flow = 1 + pick % 32;
		return sizeof(struct event_forget);
	case EVENT_OPINION:
		((struct event_opinion *)event)->flow = 1 + pick % 32;
		((struct event_opinion *)event)->app = APP_SSH;
		return sizeof(struct event_opinion);
	case EVENT_BEGIN:
		((struct event_begin *)event)->time_us = now_us;
		((struct event_begin *)event)->again = pick & 1;
		return sizeof(struct event_begin);
	case EVENT_BLIND: {
		struct event_blind *blind = (struct event_blind *)event;

		blind->since_us = now_us - 1000 * pick;
		blind->until_us = pick & 1 ? now_us : 0;
		blind->count = 1;
		blind->cause = BLIND_CLOCK_STEP;
		return sizeof(*blind);
	}
	case EVENT_EVIDENCE: {
		struct event_evidence *evidence = (struct event_evidence *)event;

		evidence->time_us = now_us;
		evidence->cause = BLIND_INSPECTOR_DOWN;
		evidence->len = evidence->wire_len = 8;
		return sizeof(*evidence) + 8;
	}
	case EVENT_SAMPLE: {
		struct event_sample *sample = (struct event_sample *)event;

		sample->flow = 1 + (pick & 3);
		sample->time_us = now_us;
		sample->len = (uint16_t)(pick << 3 & 0xff);
		sample->wire_len = sample->len;
		sample->headers_len = sample->len / 2;
		sample->number = pick >> 2 & 7;
		return sizeof(*sample) + sample->len;
	}
	case EVENT_NEIGHBOUR: {
		struct event_neighbour *neighbour = (struct event_neighbour *)event;

		neighbour->time_us = now_us;
		neighbour->address = host(pick >> 3);
		neighbour->mac = (struct mac){{0x00, 0x26, 0x8c, 1, 2, (uint8_t)(3 + (pick & 1))}};
		return sizeof(*neighbour);
	}
	case EVENT_FLOW_BRIEF: {
		struct event_brief *brief = (struct event_brief *)event;

		brief->id = 1 + pick % 32;
		brief->first_us = now_us;
		brief->end[0] = (struct endpoint){.addr = host(pick >> 3), .port = 49152};
		brief->end[1] = (struct endpoint){.addr = host(pick), .port = 443};
		brief->packets = 1;
		brief->bytes = 60;
		brief->ip_version = 4;
		brief->vlan = VLAN_NONE;
		return sizeof(*brief);
	}
	default:
		return sizeof(struct event_found);
	}
}

/* Four bytes an edit; half of what it can say are values that break sums. */
static void edit(uint8_t *event, size_t len, const uint8_t edit[4])
{
	static const uint64_t VALUES[] = {
		0,
		1,
		UINT8_MAX,
		INT16_MAX,
		UINT16_MAX,
		INT32_MAX,
		UINT32_MAX,
		INT64_MAX,
		1ull << 63,
		UINT64_MAX,
		1ull << 53,
		(1ull << 53) + 1,
		(uint64_t)BEGIN_US,
		(uint64_t)BEGIN_US + 60000000,
		(uint64_t)-BEGIN_US,
		1ull << 62,
	};
	size_t at = (size_t)(edit[0] | edit[1] << 8) % len, width = (size_t)1 << (edit[2] & 3);
	unsigned which = edit[2] >> 2;
	uint64_t value = which < ARRAY_LEN(VALUES) ? VALUES[which] + (int8_t)edit[3] : edit[3];

	if (width > len - at)
		width = len - at;
	memcpy(event + at, &value, width);
}

/* ------------------------------------------------------------------ bench */

static void recorder_open(struct bench *bench)
{
	struct err err = {0};
	int r = recorder_new(&bench->options, &bench->recorder, &err);

	if (r < 0)
		fprintf(stderr, "recorder: %s\n", err.text);
	assert(r >= 0);
}

static void step(struct bench *bench)
{
	struct err err = {0};
	int r = recorder_step(bench->recorder, &err);

	if (r >= 0)
		r = recorder_idle(bench->recorder, &err);
	if (r < 0)
		fprintf(stderr, "recorder: %s\n", err.text);
	assert(r >= 0);
	/* Whoever wrote nonsense is replaced. */
	if (ring_is_broken(bench->facts))
		ring_attach_writer(bench->facts);
	if (ring_is_broken(bench->opinions))
		ring_attach_writer(bench->opinions);
}

/* The recorder of a live run dies, and another one goes on from its last commit. */
static void succeed(struct bench *bench)
{
	struct recorder_sums sums = *recorder_committed(bench->recorder);

	if (!bench->options.live || recorder_is_over(bench->recorder))
		return;
	recorder_free(bench->recorder);
	ring_attach_reader(bench->facts);
	ring_attach_reader(bench->opinions);
	bench->options.sums = &sums;
	recorder_open(bench);
}

static void write_event(struct bench *bench, struct ring *ring, const uint8_t *event,
                        size_t len)
{
	void *room = ring_reserve(ring, len);

	if (!room) {
		step(bench);
		return;
	}
	memcpy(room, event, len);
	ring_publish(ring);
}

/* Returns where the next one begins. */
static const uint8_t *record(struct bench *bench, const uint8_t *data, const uint8_t *end)
{
	unsigned type = data[0] & TYPE, pick = data[1], edits = data[2] & 7;
	bool opinion = (type == EVENT_OPINION) != !!(data[0] & FOREIGN);
	size_t kept = data[0] & LYING ? 0 : offsetof(struct event, type), len;
	_Alignas(8) uint8_t event[EVENT_MAX] = {0};
	struct event *head = (struct event *)(void *)event;

	data += 3;
	if (data[-3] & NEIGHBOUR) {
		type = EVENT_NEIGHBOUR;
	} else if (data[-3] & SAMPLE) {
		type = EVENT_SAMPLE;
	} else if (type == STEP || type == DIE) {
		(type == STEP ? step : succeed)(bench);
		return data;
	}
	bench->now_us += 50000 * (1 + (pick & 7));
	len = (make(event, type, pick, bench->now_us) + 7) & ~(size_t)7;
	head->len = (uint32_t)len;
	head->type = (uint16_t)type;
	for (; edits && end - data >= 4; edits--, data += 4)
		edit(event + kept, len - kept, data);
	write_event(bench, opinion ? bench->opinions : bench->facts, event, len);
	return data;
}

/* --------------------------------------------------------- what came of it */

static void must_be_empty(struct flowdb *db, const char *query)
{
	sqlite3_stmt *stmt;

	assert(sqlite3_prepare_v2(db->sql, query, -1, &stmt, NULL) == SQLITE_OK);
	if (sqlite3_step(stmt) != SQLITE_DONE) {
		fprintf(stderr, "not empty: %s\n", query);
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			fprintf(stderr, "  %s = %s\n", sqlite3_column_name(stmt, i),
			        (const char *)sqlite3_column_text(stmt, i));
		abort();
	}
	sqlite3_finalize(stmt);
}

static int read_flow(void *context, const struct flow_view *flow, struct err *err)
{
	return 0;
}

static int read_finding(void *context, const struct finding_view *finding, struct err *err)
{
	return 0;
}

static void database_is_sound(struct flowdb *db)
{
	CLEANUP(acceptance_freep) struct acceptance *acceptance = NULL;
	const struct acceptance_options asked = {.policy = policy(), .fail_on = SEVERITY_LOW, .source = ""};
	CLEANUP(fclosep) FILE *null = fopen("/dev/null", "we");
	struct err err = {0};

	must_be_empty(db, "PRAGMA foreign_key_check");
	must_be_empty(db, "SELECT * FROM flow WHERE said >> 25 AND said >> 25 NOT IN (SELECT id FROM row_set)");
	must_be_empty(db,
	              "SELECT * FROM flow WHERE lasted_us < 0 OR start_us < 0 OR bytes_out < 0"
	              " OR bytes_in < 0 OR packets_out < 0 OR packets_in < 0 OR packet <= 0");
	must_be_empty(db, "SELECT * FROM blind WHERE until_us < since_us OR count < 0");
	must_be_empty(db, "SELECT * FROM blind WHERE until_us IS NULL");
	must_be_empty(db,
	              "SELECT * FROM name_seen WHERE last_us < first_us OR until_us < last_us");
	must_be_empty(db, "SELECT * FROM unit_address WHERE last_us < first_us");
	must_be_empty(
		db,
		"SELECT * FROM finding WHERE last_us < first_us OR flows < 0 OR kept < 0 OR bytes < 0"
		" OR kept > flows OR open AND NOT flows");
	must_be_empty(db, "SELECT * FROM input WHERE last_us < first_us");
	must_be_empty(db, "SELECT * FROM run WHERE NOT ended OR last_us < first_us");
	must_be_empty(db, "SELECT * FROM evidence WHERE finding NOT NULL"
	                  " AND (length(bytes) > 256 OR wire_len < length(bytes))");
	must_be_empty(db, "SELECT finding, run, flow FROM evidence WHERE finding NOT NULL"
	                  " GROUP BY 1, 2, 3 HAVING count(*) > 8");
	must_be_empty(db, "SELECT * FROM coverage WHERE exact < 0 OR outside < 0");
	assert(flowdb_flows(db, &(struct flow_query){0}, read_flow, NULL, &err) == 0);
	assert(flowdb_findings(db, &(struct finding_query){0}, read_finding, NULL, &err) == 0);
	assert(acceptance_new(db, &asked, &acceptance, &err) == 0);
	for (unsigned form = REPORT_TEXT; form < REPORT_FORM_COUNT; form++)
		assert(null && report_write(acceptance, (enum report_form)form, null, false, &err) == 0);
}

static void database_empty(struct flowdb *db)
{
	static const char *const TABLES[] = {
		"held",         "handover", "policy_use", "evidence",
		"differs",      "flow_more", "flow",         "tally",        "media_port", "finding_change",
		"finding",      "coverage", "name_seen", "unit_address", "lease", "evidence_day",
		"blind",        "input",    "unit",      "run",          "policy",       "link", "row_set",
		"envelope_row", "name",     "phrase",    "host",
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
		snprintf(text, sizeof(text), "DELETE FROM %s", TABLES[i]);
		assert(sqlite3_exec(db->sql, text, NULL, NULL, NULL) == SQLITE_OK);
	}
	intern_forget(db);
	tally_forget(db);
}

/* How a row stands is believed by nobody, so it must pass every check. A third of them finds no room. */
static bool exercised(void *context, const char *unit, const struct exercised *exercised)
{
	struct bench *bench = context;
	union {
		struct event_exercised exercised;
		uint8_t room[EVENT_MAX];
	} event = {.exercised = {.head.type = EVENT_EXERCISED, .exercised = *exercised}};
	size_t len = sizeof(event.exercised) + strlen(unit);

	event.exercised.head.len = (uint32_t)(len + 7) & ~7u;
	event.exercised.unit_len = (uint8_t)strlen(unit);
	memcpy(event.exercised.unit, unit, strlen(unit));
	assert(event_check(&event.exercised.head, event.exercised.head.len) == 0);
	assert(exercised->row < policy()->row_count && exercised->entry < policy()->unit_count);
	return bench->asked++ % 3;
}

static void bench_open(struct bench *bench, bool live)
{
	bench->facts = ring_new(1);
	bench->packets = ring_new(1);
	bench->opinions = ring_new(1);
	bench->now_us = BEGIN_US;
	bench->options = (struct recorder_options){
		.policy = policy(),
		.db = database,
		.facts = bench->facts,
		.packets = bench->packets,
		.opinions = bench->opinions,
		.session = 1,
		.version = "fuzz",
		.source = live ? "live" : "file",
		.inputs = "",
		.filter = "",
		.live = live,
		.begun_us = live ? BEGIN_US : 0,
		.exercised = exercised,
		.teller = 1,
		.context = bench,
	};
	recorder_open(bench);
}

static void bench_close(struct bench *bench)
{
	struct err err = {0};
	int r = recorder_is_over(bench->recorder) ? 0 : recorder_end(bench->recorder, &err);

	if (r < 0)
		fprintf(stderr, "recorder: %s\n", err.text);
	assert(r >= 0);
	recorder_free(bench->recorder);
	ring_free(bench->facts);
	ring_free(bench->packets);
	ring_free(bench->opinions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	struct bench bench;

	if (!size)
		return 0;
	if (!database)
		assert(flowdb_open(NULL, FLOWDB_WRITE, &database, NULL) == 0);
	bench_open(&bench, *data++ & FLAG_LIVE);
	while (end - data >= 3 && !recorder_is_over(bench.recorder))
		data = record(&bench, data, end);
	step(&bench);
	bench_close(&bench);
	database_is_sound(database);
	database_empty(database);
	return 0;
}
