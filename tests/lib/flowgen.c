/*
 * flowgen.c - see flowgen.h.
 */
#include "tests/lib/flowgen.h"
#include "monitor/commands/tuple.h"
#include "schema/blind.h"
#include "tests/lib/roles.h"

#define UNITS_MAX 4000
#define DAY_US (86400 * INT64_C(1000000))
#define PREFIXES 16 /* of peers that one kind of flow is outside at */
#define HOSTS 1200  /* that names were asked for */

/*
 * A kind of flow. `weight` of 10,000; ports from those of the tuple on, `peers` addresses from the tuple's on (outside
 * or blocked: so many /24, each a finding); up to `seconds` long, `packets` each way.
 */
static const struct kind_of_flow {
	unsigned weight;
	const char *tuple;
	unsigned local_ports, remote_ports, peers, seconds, packets;
	const char *name; /* "%u" is drawn; NULL */
} KINDS[] = {
	{2600, "udp 10.1.2.3:32768 > 10.0.0.53:53 app=dns", 28000, 1, 1, 1, 2,
         "host%u.corp.example"},
	{300, "udp 10.1.2.3:68 > 10.0.0.1:67 app=dhcp", 1, 1, 1, 1, 2, NULL},
	{400, "udp 10.1.2.3:49152 > 224.0.0.252:5355 app=llmnr", 16000, 1, 1, 1, 2, "pc-%u"},
	{900, "tcp 10.1.2.3:32768 > 10.0.0.44:443 app=tls", 28000, 1, 1, 20, 40,
         "maestro.starleaf.com"},
	{500, "tcp 10.1.2.3:80 < 10.0.3.9:49152 app=http", 1, 16000, 40, 5, 12, NULL},
	{300, "tcp 10.1.2.3:443 < 10.0.3.9:49152 app=tls", 1, 16000, 40, 60, 60, NULL},
	{2020, "tcp 10.1.2.3:32768 > 52.112.1.9:443 app=tls", 28000, 1, 4000, 120, 80,
         "node%u.online.lync.com"},
	{40, "tcp 10.1.2.3:32768 > 52.112.1.9:443 app=tls bound=sipdir.online.lync.com", 28000,
         1, 60, 28800, 20000, "sipdir.online.lync.com"},
	{560, "tcp 10.1.2.3:32768 > 52.112.1.9:443 app=msturn", 28000, 1, 4000, 30, 40, NULL},
	{700, "udp 10.1.2.3:50000 > 52.112.1.9:3478 app=stun", 60, 1, 4000, 12, 10, NULL},
	{380, "udp 10.1.2.3:50000 > 52.112.1.9:50000 app=rtp media=audio", 20, 9999, 4000, 3600,
         90000, NULL},
	{250, "udp 10.1.2.3:50020 > 52.112.1.9:50000 app=rtp media=video", 20, 9999, 4000, 3600,
         180000, NULL},
	{120, "udp 10.1.2.3:50000 < 52.112.1.9:50000 app=rtp media=audio", 20, 9999, 4000, 3600,
         90000, NULL},
	{80, "udp 10.1.2.3:50000 > 203.0.113.30:40000 app=rtp media=audio ice=yes", 20, 20000,
         200, 2400, 60000, NULL},
	{150, "tcp 10.1.2.3:50040 > 52.112.1.9:50000 app=rtp media=data", 20, 9999, 4000, 1800,
         9000, NULL},
	{60, "udp 10.1.2.3:5353 > 224.0.0.251:5353 app=mdns", 1, 1, 1, 60, 8, NULL},
	{200, "icmp 10.1.2.3 > 10.0.0.1", 1, 1, 8, 9, 9, NULL},
	{100, "udp 10.1.2.3:40000 > 198.51.100.9:40000", 20000, 20000, 500, 9, 9, NULL},
	{20, "tcp 10.1.2.3:40000 > 52.112.1.9:50000", 20000, 9999, 500, 9, 9, NULL},
	/* outside, and blocked */
	{60, "udp 10.1.2.3:123 > 162.159.1.1:123 app=ntp", 1, 1, 8, 1, 2, NULL},
	{40, "udp 10.1.2.3:32768 > 8.8.1.8:53 app=dns", 28000, 1, 8, 1, 2,
         "host%u.corp.example"},
	{60, "udp 10.1.2.3:50060 > 52.113.1.9:50000 app=rtp media=audio", 40, 9999, 6, 1800,
         30000, NULL},
	{20, "tcp 10.1.2.3:32768 > 151.101.1.6:443 app=tls", 28000, 1, 12, 60, 60,
         "cdn%u.example.net"},
	{10, "tcp 10.1.2.3:32768 > 151.101.1.6:80 app=http", 28000, 1, 8, 10, 20,
         "cdn%u.example.net"},
	{20, "tcp 10.1.2.3:22 < 10.0.3.9:49152 app=ssh", 1, 16000, 4, 600, 300, NULL},
	{20, "udp 10.1.2.3:50020 > 52.113.1.9:50000 app=rtp media=audio", 20, 9999, 6, 1800,
         30000, NULL},
	{60, "tcp 10.1.2.3:32768 > 10.0.0.44:443 outcome=unanswered", 28000, 1, 1, 9, 3, NULL},
	{30, "tcp 10.1.2.3:32768 > 52.114.1.9:443 outcome=refused", 28000, 1, 8, 1, 1, NULL},
};

struct made {
	struct tuple tuple;
	struct verdict verdict;
	char local_port[8], remote_port[8], peer[ADDR_TEXT]; /* as the verdict cites them */
};

struct owner {
	int64_t id;
	struct addr addr;
	struct mac mac;
	int64_t finding[ARRAY_LEN(KINDS)][PREFIXES];
	struct finding_row *sums[ARRAY_LEN(KINDS)][PREFIXES];
	uint64_t covered[ARRAY_LEN(KINDS)];
};

struct flowgen {
	struct flowdb *db;
	struct flowgen_size size;
	struct policy *policy;
	int64_t policy_id, run;
	unsigned day;
	uint64_t random, done, packet;
	struct made made[ARRAY_LEN(KINDS)];
	uint16_t pick[10000]; /* kind, by weight */
	struct owner *owners;
	char name[NAME_MAX_LEN + 1];
};

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled". */
static uint64_t draw(struct flowgen *gen, uint64_t below)
{
	gen->random ^= gen->random >> 12;
	gen->random ^= gen->random << 25;
	gen->random ^= gen->random >> 27;
	return (gen->random * UINT64_C(2685821657736338717) >> 32) % (below ? below : 1);
}

/* ----------------------------------------------------------------- the kinds */

static int make_kind(struct flowgen *gen, unsigned kind, struct err *err)
{
	struct made *made = &gen->made[kind];
	struct tuple *tuple = &made->tuple;
	int r = tuple_parse(KINDS[kind].tuple, tuple, err);

	if (r >= 0)
		r = policy_parse_profiles(gen->policy->envelope, "room,online,external",
		                          &tuple->view.profiles, err);
	if (r < 0)
		return r;
	if (tuple->bound[0])
		tuple->view.bound_roles = policy_roles_of_name(gen->policy, tuple->bound);
	judge_flow(gen->policy, &tuple->view, &made->verdict);
	if (made->verdict.ruling == RULING_DOCUMENTED)
		judge_outcome(gen->policy, &tuple->view, true, &made->verdict);
	snprintf(made->local_port, sizeof(made->local_port), "%u",
	         tuple->facts.end[tuple->view.local].port);
	snprintf(made->remote_port, sizeof(made->remote_port), "%u",
	         tuple->facts.end[!tuple->view.local].port);
	addr_print(&tuple->facts.end[!tuple->view.local].addr, made->peer);
	return 0;
}

/* What the verdict cites of the tuple it was reached by becomes this flow's. */
static void cite(const struct made *made, const struct endpoint *unit,
                 const struct endpoint *peer, struct verdict *verdict)
{
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		for (unsigned j = 0; j < verdict->nearest[i].count; j++) {
			struct differs *d = &verdict->nearest[i].differs[j];
			char addr[ADDR_TEXT], *at = strstr(d->seen, made->peer);

			if (d->field == FIELD_LOCAL_PORT && !strcmp(d->seen, made->local_port))
				snprintf(d->seen, sizeof(d->seen), "%u", unit->port);
			else if (d->field == FIELD_REMOTE_PORT &&
			         !strcmp(d->seen, made->remote_port))
				snprintf(d->seen, sizeof(d->seen), "%u", peer->port);
			else if (at == d->seen && !at[strlen(made->peer)])
				text_copy(d->seen, sizeof(d->seen),
				          addr_print(&peer->addr, addr));
		}
}

/* ----------------------------------------------------------------- the office */

static struct addr host_addr(unsigned number)
{
	return addr_from_v4((const uint8_t[]){52, 112, (uint8_t)(1 + number / 250),
	                                      (uint8_t)(1 + number % 250)});
}

static int make_names(struct flowgen *gen, const struct owner *owner, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < gen->size.days && i < 30; i++) {
		unsigned host = (unsigned)draw(gen, HOSTS);
		char text[64];
		struct name_row name = {
			.run = gen->run,
			.unit = owner->id,
			.counted = true,
			.client = owner->addr,
			.server = addr_from_v4((const uint8_t[]){10, 0, 0, 53}),
			.address = host_addr(host),
			.name = text,
			.first_us = FLOWGEN_DAY + i * DAY_US,
		};

		snprintf(text, sizeof(text), "node%u.online.lync.com", host);
		name.last_us = name.first_us + (int64_t)draw(gen, DAY_US);
		name.until_us = name.last_us + 300 * INT64_C(1000000);
		r = flowdb_name_put(gen->db, &name, err);
	}
	return r;
}

static int make_owner(struct flowgen *gen, unsigned number, struct err *err)
{
	struct owner *owner = &gen->owners[number];
	int64_t end = FLOWGEN_DAY + gen->size.days * DAY_US;
	struct lease_row lease;
	char name[32];
	int r;

	snprintf(name, sizeof(name), FLOWGEN_UNIT, number + 1);
	owner->addr = addr_from_v4(
		(const uint8_t[]){10, 1, (uint8_t)(number / 250), (uint8_t)(1 + number % 250)});
	owner->mac =
		(struct mac){{0x00, 0x26, 0x8c, 1, (uint8_t)(number >> 8), (uint8_t)number}};
	lease = (struct lease_row){
		.mac = owner->mac,
		.address = owner->addr,
		.server = addr_from_v4((const uint8_t[]){10, 0, 0, 1}),
		.first_us = FLOWGEN_DAY,
		.last_us = end - 3600 * INT64_C(1000000),
		.until_us = end,
		.mask_bits = 24,
		.counted = true,
		.dns_count = 1,
		.dns = {addr_from_v4((const uint8_t[]){10, 0, 0, 53})},
	};
	r = flowdb_unit_put(gen->db, name, "room, online, external", true, &owner->id, err);
	lease.unit = owner->id;
	lease.run = gen->run;
	if (r >= 0)
		r = flowdb_unit_seen(gen->db, owner->id, &owner->addr, &owner->mac,
		                     KNOWN_BY_PACKETS | KNOWN_BY_DHCP, FLOWGEN_DAY, end, err);
	if (r >= 0)
		r = flowdb_lease_put(gen->db, &lease, err);
	return r < 0 ? r : make_names(gen, owner, err);
}

static int begin_run(struct flowgen *gen, struct err *err)
{
	const struct run_row run = {
		.version = TLMON_VERSION, .source = "file", .inputs = "day.pcap", .filter = ""};

	gen->packet = 1;
	return flowdb_run_begin(gen->db, &run, &gen->run, err);
}

static int end_run(struct flowgen *gen, struct err *err)
{
	const struct counters counters = {
		.seen = gen->packet, .in_flows = gen->packet, .flows = gen->done};
	int64_t first = FLOWGEN_DAY + gen->day * DAY_US;

	return flowdb_run_update(gen->db, gen->run, first, first + DAY_US - 1, true, &counters,
	                         err);
}

/* ------------------------------------------------------------------ findings */

static int make_finding(struct flowgen *gen, struct owner *owner, unsigned kind,
                        unsigned prefix, const struct flow_row *flow, struct err *err)
{
	const struct verdict *v = flow->verdict;
	const struct endpoint *peer = &flow->facts->end[!flow->local];
	const char *row = v->nearest_count ? flow->nearest[0]
	                  : v->row_count   ? flow->rows[0]
	                                   : "";
	struct finding_row *sums = calloc(1, sizeof(*sums));
	struct prefix gathered = prefix_of(&peer->addr, 120);

	if (!sums)
		return err_set(err, -ENOMEM, "out of memory");
	owner->sums[kind][prefix] = sums;
	*sums = (struct finding_row){.unit = owner->id,
	                             .kind = v->kind,
	                             .severity = v->severity,
	                             .transport = flow->facts->transport,
	                             .app = flow->app,
	                             .first_us = flow->facts->first_us,
	                             .last_us = flow->facts->last_us,
	                             .open = true};
	text_copy(sums->row, sizeof(sums->row), row);
	prefix_print(&gathered, sums->remote);
	snprintf(sums->port, sizeof(sums->port), "%u",
	         gen->made[kind].tuple.facts.end[!flow->local].port);
	snprintf(sums->reason, sizeof(sums->reason), "%s: %s", transport_name(sums->transport),
	         kind_sentence((enum kind)v->kind));
	return flowdb_finding_put(gen->db, sums, &owner->finding[kind][prefix], err);
}

static int gather(struct flowgen *gen, struct owner *owner, unsigned kind, unsigned prefix,
                  struct flow_row *flow, struct err *err)
{
	struct finding_row *sums;

	if (!owner->sums[kind][prefix]) {
		int r = make_finding(gen, owner, kind, prefix, flow, err);

		if (r < 0)
			return r;
	}
	sums = owner->sums[kind][prefix];
	sums->flows++;
	sums->kept++;
	sums->bytes += flow->facts->bytes[0] + flow->facts->bytes[1];
	if (flow->facts->first_us < sums->first_us)
		sums->first_us = flow->facts->first_us;
	sums->last_us = flow->facts->last_us;
	flow->finding = owner->finding[kind][prefix];
	return 0;
}

/* --------------------------------------------------------------------- flows */

static void fill_facts(struct flowgen *gen, const struct owner *owner, unsigned kind,
                       unsigned prefix, struct flow_facts *f)
{
	static const struct mac ROUTER = {{0x00, 0x00, 0x5e, 0x00, 0x01, 0x0a}};
	const struct kind_of_flow *k = &KINDS[kind];
	const struct tuple *tuple = &gen->made[kind].tuple;
	unsigned local = tuple->view.local,
		 number = owner->addr.b[14] * 250U + owner->addr.b[15];
	struct endpoint *unit = &f->end[local], *peer = &f->end[!local];
	uint64_t packets = 1 + draw(gen, k->packets), size = f->media ? 200 : 90;
	/* In a conversation of hours most end early: the square of what is drawn. */
	uint64_t lasted = draw(gen, 1000) * draw(gen, 1000) * k->seconds;
	int64_t end = FLOWGEN_DAY + (int64_t)((__uint128_t)gen->done * gen->size.days * DAY_US /
	                                      gen->size.flows);
	bool findings = gen->made[kind].verdict.kind;

	*f = tuple->facts;
	f->id = gen->packet;
	gen->packet += 2 * packets;
	f->last_us = end;
	f->first_us = end - (int64_t)lasted;
	if (f->first_us < FLOWGEN_DAY)
		f->first_us = FLOWGEN_DAY;
	unit->addr = owner->addr;
	unit->mac = owner->mac;
	unit->port = (uint16_t)(unit->port + draw(gen, k->local_ports));
	peer->port = (uint16_t)(peer->port + draw(gen, k->remote_ports));
	peer->mac = ROUTER;
	peer->mac.b[5] = (uint8_t)(number % 4);
	f->vlan = (uint16_t)(100 + number % 8);
	if (findings) {
		peer->addr.b[14] = (uint8_t)(peer->addr.b[14] + prefix);
	} else if (k->peers > 1) {
		unsigned at = (unsigned)draw(gen, k->peers);

		peer->addr.b[15] = (uint8_t)(1 + at % 250);
		peer->addr.b[14] = (uint8_t)(peer->addr.b[14] + at / 250);
	}
	if (tuple->facts.packets[!local] == 0)
		packets = packets > 3 ? 3 : packets;
	f->packets[local] = packets;
	f->bytes[local] = packets * (size + draw(gen, size));
	if (tuple->facts.packets[!local]) {
		f->packets[!local] = 1 + draw(gen, packets);
		f->bytes[!local] = f->packets[!local] * (size + draw(gen, 3 * size));
	}
	f->payload_packets = (uint16_t)(packets > 60000 ? 60000 : packets);
	f->settled_by = f->app ? SETTLED_DISSECTOR : SETTLED_END;
	if (f->transport == TRANSPORT_TCP && tuple->facts.packets[!local]) {
		f->tcp_flags[0] = f->tcp_flags[1] = 0x1b;
		f->asked = ASKED_SYN;
		f->closed = 1;
	}
	if (f->app == APP_DNS)
		f->asked = ASKED_DNS;
	if (f->asked && !f->tries) {
		f->tries = 1;
		f->first_try_us = f->last_try_us = f->first_us;
	}
	if (f->app == APP_TLS) {
		f->tls_version = 3;
		f->mtls = MTLS_NO;
	}
	if (!f->app) {
		f->not_apps.w[0] = BIT(APP_TLS) | BIT(APP_HTTP);
		f->inspected_packets = 8;
	}
	if (f->media) {
		unsigned which = f->media == MEDIA_AUDIO ? 0 : f->media == MEDIA_VIDEO ? 1 : 2;

		f->payload_types[0] = (uint8_t[]){104, 121, 127}[which];
		if (!draw(gen, 3))
			f->payload_types[1] = 13;
		f->media_packets[which] = (uint32_t)(f->packets[0] + f->packets[1]);
	}
}

int flowgen_next(struct flowgen *gen, struct flow_row *ret, struct flow_facts *facts,
                 struct verdict *verdict, struct err *err)
{
	struct owner *owner;
	struct made *made;
	unsigned kind, prefix, day;
	int r = 0;

	if (gen->done == gen->size.flows)
		return 0;
	day = (unsigned)(gen->done * gen->size.days / gen->size.flows);
	if (day != gen->day) {
		r = end_run(gen, err);
		gen->day = day;
		if (r >= 0)
			r = begin_run(gen, err);
	}
	if (r < 0)
		return r;
	kind = gen->pick[draw(gen, ARRAY_LEN(gen->pick))];
	owner = &gen->owners[draw(gen, gen->size.units)];
	prefix = (unsigned)draw(gen,
	                        KINDS[kind].peers < PREFIXES ? KINDS[kind].peers : PREFIXES);
	made = &gen->made[kind];
	fill_facts(gen, owner, kind, prefix, facts);
	*verdict = made->verdict;
	cite(made, &facts->end[made->tuple.view.local], &facts->end[!made->tuple.view.local],
	     verdict);
	*ret = (struct flow_row){
		.run = gen->run,
		.policy = gen->policy_id,
		.unit = owner->id,
		.facts = facts,
		.name = "",
		.local = made->tuple.view.local,
		.app = made->tuple.view.app,
		.evidence = made->tuple.view.evidence,
		.verdict = verdict,
		.blind = !draw(gen, 50),
	};
	if (KINDS[kind].name) {
		int number = (int)draw(gen, HOSTS);

		gen->name[0] = '\0';
		for (const char *c = KINDS[kind].name; *c; c++)
			if (c[0] == '%' && c[1] == 'u')
				text_add(gen->name, sizeof(gen->name), "%d", number), c++;
			else
				text_add(gen->name, sizeof(gen->name), "%c", *c);
		ret->name = gen->name;
	}
	for (unsigned i = 0; i < verdict->row_count; i++)
		ret->rows[i] = gen->policy->rows[verdict->rows[i]].id;
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		ret->nearest[i] = gen->policy->rows[verdict->nearest[i].row].id;
	owner->covered[kind]++;
	if (verdict->kind)
		r = gather(gen, owner, kind, prefix, ret, err);
	gen->done++;
	return r < 0 ? r : 1;
}

/* ------------------------------------------------------------ what is told of them */

static int cover(struct flowgen *gen, const struct owner *owner, unsigned kind, struct err *err)
{
	const struct verdict *v = &gen->made[kind].verdict;
	uint64_t count = owner->covered[kind];
	struct coverage_row coverage = {
		.unit = owner->id,
		.first_us = FLOWGEN_DAY,
		.last_us = FLOWGEN_DAY + gen->size.days * DAY_US - 1,
	};

	if (v->row_count) {
		coverage.row = gen->policy->rows[v->rows[0]].id;
		coverage.blocked = v->kind ? count : 0;
		coverage.exact = !v->kind && v->grade == GRADE_EXACT ? count : 0;
		coverage.unproven = !v->kind && v->grade == GRADE_UNPROVEN ? count : 0;
		coverage.wide = !v->kind && v->grade == GRADE_WIDE ? count : 0;
	} else if (v->nearest_count) {
		coverage.row = gen->policy->rows[v->nearest[0].row].id;
		coverage.outside = count;
	} else {
		return 0;
	}
	return flowdb_coverage_add(gen->db, &coverage, err);
}

static int finish_owner(struct flowgen *gen, struct owner *owner, struct err *err)
{
	int r = 0;

	for (unsigned kind = 0; r >= 0 && kind < ARRAY_LEN(KINDS); kind++) {
		r = cover(gen, owner, kind, err);
		for (unsigned i = 0; r >= 0 && i < PREFIXES; i++)
			if (owner->sums[kind][i])
				r = flowdb_finding_put(gen->db, owner->sums[kind][i],
				                       &owner->finding[kind][i], err);
	}
	return r;
}

int flowgen_finish(struct flowgen *gen, struct err *err)
{
	static const uint8_t CAUSES[] = {BLIND_KERNEL_DROP, BLIND_INSPECTOR_DOWN,
	                                 BLIND_ONE_SIDED, BLIND_STREAM_GAP};
	int r = end_run(gen, err);

	for (unsigned i = 0; r >= 0 && i < gen->size.units; i++)
		r = finish_owner(gen, &gen->owners[i], err);
	for (unsigned i = 0; r >= 0 && i < 60 * gen->size.days; i++) {
		struct blind_row blind = {
			.run = gen->run,
			.cause = CAUSES[i % 4],
			.unit = i % 4 == 2 ? gen->owners[draw(gen, gen->size.units)].id : 0,
			.since_us = FLOWGEN_DAY + i * (DAY_US / 60),
			.count = 1 + draw(gen, 100),
			.detail = i % 4 ? "" : "eth1",
		};
		int64_t id = 0;

		blind.until_us = blind.since_us + (int64_t)draw(gen, 60000000);
		r = flowdb_blind_put(gen->db, &blind, &id, err);
	}
	for (unsigned i = 0; r >= 0 && i < 10 * gen->size.days; i++) {
		static const uint8_t BYTES[160];
		const struct evidence_row packet = {
			.run = gen->run,
			.time_us = FLOWGEN_DAY + i * (DAY_US / 10),
			.flow = 1 + i,
			.cause = BLIND_INSPECTOR_DOWN,
			.wire_len = sizeof(BYTES),
			.len = sizeof(BYTES),
			.bytes = BYTES,
		};

		r = flowdb_evidence_put(gen->db, &packet, err);
	}
	return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------ beginning, end */

int flowgen_new(struct flowdb *db, const struct flowgen_size *size, struct flowgen **ret_gen,
                struct err *err)
{
	static const char SITE[] =
		"site: Head office\nunits:\n"
		"  - {name: room, addresses: [10.1.0.0/16], profiles: [room, online, external]}\n" COMPANY;
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = SITE, .site_text_len = sizeof(SITE) - 1};
	CLEANUP(flowgen_freep) struct flowgen *gen = calloc(1, sizeof(*gen));
	unsigned filled = 0;
	int r;

	if (!size->units || size->units > UNITS_MAX || !size->days || size->days > 365)
		return err_set(err, -EINVAL, "%u units, %u days: at most %u and 365",
		               size->units, size->days, UNITS_MAX);
	if (gen)
		gen->owners = calloc(size->units, sizeof(*gen->owners));
	if (!gen || !gen->owners)
		return err_set(err, -ENOMEM, "out of memory");
	gen->db = db;
	gen->size = *size;
	gen->random = size->seed * 2 + 1;
	r = policy_load(&args, &gen->policy, err);
	for (unsigned i = 0; r >= 0 && i < ARRAY_LEN(KINDS); i++) {
		r = make_kind(gen, i, err);
		for (unsigned j = 0; j < KINDS[i].weight && filled < ARRAY_LEN(gen->pick); j++)
			gen->pick[filled++] = (uint16_t)i;
	}
	if (r >= 0)
		r = flowdb_policy_put(db, gen->policy->hash, gen->policy->envelope->text,
		                      gen->policy->site_text, &gen->policy_id, err);
	if (r >= 0)
		r = begin_run(gen, err);
	for (unsigned i = 0; r >= 0 && i < size->units; i++)
		r = make_owner(gen, i, err);
	if (r < 0)
		return r;
	*ret_gen = TAKE(gen);
	return 0;
}

void flowgen_free(struct flowgen *gen)
{
	if (!gen)
		return;
	for (unsigned i = 0; gen->owners && i < gen->size.units; i++)
		for (unsigned kind = 0; kind < ARRAY_LEN(KINDS); kind++)
			for (unsigned j = 0; j < PREFIXES; j++)
				free(gen->owners[i].sums[kind][j]);
	free(gen->owners);
	policy_free(gen->policy);
	free(gen);
}

void flowgen_freep(struct flowgen **gen)
{
	flowgen_free(*gen);
	*gen = NULL;
}
