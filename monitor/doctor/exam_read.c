/*
 * exam_read.c - see exam_read.h.
 */
#include "monitor/doctor/exam_read.h"

static struct exam_unit *unit_named(struct exam *exam, const char *name)
{
	for (size_t i = 0; i < exam->unit_count; i++)
		if (!strcmp(exam->units[i].name, name))
			return &exam->units[i];
	return NULL;
}

/* Made if there is none; NULL when out of memory. */
static struct exam_unit *unit_make(struct exam *exam, const char *name,
                                   const struct unit_rule *rule)
{
	struct exam_unit *unit = unit_named(exam, name);

	if (unit)
		return unit;
	if (array_reserve(&exam->units, &exam->unit_room, exam->unit_count + 1, sizeof(*unit)) <
	    0)
		return NULL;
	unit = &exam->units[exam->unit_count++];
	text_copy(unit->name, sizeof(unit->name), name);
	unit->rule = rule;
	unit->profiles = rule ? rule->profiles : 0;
	return unit;
}

static void unit_address(struct exam_unit *unit, const struct addr *addr)
{
	for (unsigned i = 0; i < unit->address_count; i++)
		if (addr_equal(&unit->address[i], addr))
			return;
	if (unit->address_count < EXAM_ADDRESSES)
		unit->address[unit->address_count++] = *addr;
}

/* ------------------------------------------------------ units of a policy */

/* The entry whose name this is: "boardroom", or of one that stands for many "floor/10.1.8.7". */
static const struct unit_rule *rule_of(const struct policy *policy, const char *name,
                                       const struct addr *addr)
{
	for (size_t i = 0; i < policy->unit_count; i++) {
		const struct unit_rule *rule = &policy->units[i];
		char text[UNIT_NAME_MAX];

		if (!strcmp(addr && rule->many ? unit_name(rule, addr, text, sizeof(text))
		                               : rule->name,
		            name))
			return rule;
	}
	return NULL;
}

/* The roles that DHCP teaches in this way, of which the site lists nobody. */
static uint32_t roles_taught(const struct policy *policy, enum role_learn learn)
{
	uint32_t roles = 0;

	for (size_t i = 0; i < policy->envelope->role_count; i++)
		if (policy->envelope->roles[i].learn == learn && !policy->holders[i].by_site)
			roles |= (uint32_t)BIT(i);
	return roles;
}

static int take_holding(void *context, const struct holding_view *holding, struct err *err)
{
	struct exam *exam = context;
	const struct unit_rule *rule;
	struct exam_unit *unit;

	if (!holding->listed)
		return 0;
	rule = rule_of(exam->subject.policy, holding->unit,
	               holding->seen ? &holding->at.address : NULL);
	unit = unit_make(exam, holding->unit, rule);
	if (!unit)
		return err_set(err, -ENOMEM, "out of memory");
	if (!holding->seen)
		return 0;
	unit_address(unit, &holding->at.address);
	/* What DHCP says of it a server said. */
	unit->spoke |= (holding->at.known_by & (KNOWN_BY_PACKETS | KNOWN_BY_NEIGHBOUR)) != 0;
	if (holding->at.known_by & KNOWN_BY_DHCP)
		exam->roles_learnt |= roles_taught(exam->subject.policy, LEARN_DHCP_SERVER);
	return 0;
}

/* What the list says of a unit that was not seen: others may have written to it there. */
static void take_listed(struct exam *exam)
{
	for (size_t i = 0; i < exam->unit_count; i++) {
		struct exam_unit *unit = &exam->units[i];
		const struct unit_rule *rule = unit->rule;

		for (size_t p = 0; rule && !rule->many && p < rule->prefix_count; p++)
			if (prefix_is_host(&rule->prefixes[p]))
				unit_address(unit, &rule->prefixes[p].addr);
	}
}

/* Without a list: whoever looks like one, all addresses of one MAC together. */
static int take_strangers(struct exam *exam, struct err *err)
{
	const struct strangers *strangers = exam->subject.strangers;

	for (size_t i = 0; strangers && i < strangers->count; i++) {
		const struct stranger *stranger = &strangers->list[i];
		char name[ADDR_TEXT];
		struct exam_unit *unit;

		addr_print(&stranger->addr, name);
		if (stranger->by_oui && !mac_is_zero(&stranger->mac))
			mac_print(&stranger->mac, name);
		unit = unit_make(exam, name, NULL);
		if (!unit)
			return err_set(err, -ENOMEM, "out of memory");
		unit_address(unit, &stranger->addr);
		unit->spoke = true;
	}
	return 0;
}

static void add_ttl(struct mirror_host *sums, uint8_t ttl)
{
	for (unsigned i = 0; ttl && i < MIRROR_TTLS; i++) {
		if (sums->ttl[i] == ttl)
			return;
		if (!sums->ttl[i]) {
			sums->ttl[i] = ttl;
			return;
		}
	}
	sums->ttl_more |= ttl != 0;
}

static void add_host(struct mirror_host *sums, const struct mirror_host *host)
{
	if (addr_is_unspecified(&sums->addr)) {
		sums->addr = host->addr;
		sums->mac = host->mac;
	}
	for (unsigned i = 0; i < MIRROR_TTLS; i++)
		add_ttl(sums, host->ttl[i]);
	sums->ttl_more |= host->ttl_more;
	sums->sent += host->sent;
	sums->got += host->got;
	sums->to_groups += host->to_groups;
	sums->copies += host->copies;
	sums->cut += host->cut;
	sums->unsummed += host->unsummed;
	sums->bad_sums += host->bad_sums;
	sums->two_way += host->two_way;
	sums->unseen_sent += host->unseen_sent;
	sums->unseen_got += host->unseen_got;
}

static void sum_up(const struct exam *exam, struct exam_unit *unit)
{
	for (unsigned i = 0; i < unit->address_count; i++) {
		const struct mirror_host *host =
			mirror_find(exam->subject.mirror, &unit->address[i]);

		if (host)
			add_host(&unit->sums, host);
	}
	unit->spoke |= unit->sums.sent || unit->sums.to_groups;
}

static int compare_units(const void *a, const void *b)
{
	const struct exam_unit *const x = a, *const y = b;

	return strcmp(x->name, y->name);
}

static int read_units(struct exam *exam, struct err *err)
{
	const struct exam_subject *subject = &exam->subject;
	const struct flow_query all = {0};
	int r = 0;

	if (subject->policy->unit_count && subject->db)
		r = flowdb_holdings(subject->db, &all, take_holding, exam, err);
	else if (!subject->policy->unit_count)
		r = take_strangers(exam, err);
	if (r < 0)
		return r;
	take_listed(exam);
	for (size_t i = 0; i < exam->unit_count; i++)
		sum_up(exam, &exam->units[i]);
	if (exam->unit_count)
		qsort(exam->units, exam->unit_count, sizeof(*exam->units), compare_units);
	return 0;
}

/* -------------------------------------------------------------- all else */

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct exam *exam = context;

	exam->counters = run->counters; /* a private database holds one run */
	exam->ended_us = run->last_us;
	return 0;
}

static void take_silence(struct exam *exam, const struct blind_row *row)
{
	int64_t until_us = row->until_us ? row->until_us : exam->ended_us;

	if (until_us - row->since_us <= exam->silent_us)
		return;
	exam->silent_us = until_us - row->since_us;
	exam->silent_at_us = row->since_us;
}

static int take_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct exam *exam = context;
	struct exam_unit *unit = blind->unit ? unit_named(exam, blind->unit) : NULL;

	if (blind->row.cause >= BLIND_CAUSE_COUNT)
		return 0;
	exam->blinds[blind->row.cause]++;
	exam->blind[blind->row.cause] += blind->row.count;
	if (blind->row.cause == BLIND_MIRROR_SILENT)
		take_silence(exam, &blind->row);
	if (blind->row.cause == BLIND_MAC_SHARED && unit)
		unit->mac_shared = true;
	return 0;
}

/* Where the site lists resolvers, its alone bind names (record/learn.c). */
static bool is_believed(const struct policy *policy, const struct addr *server)
{
	for (size_t i = 0; i < policy->envelope->role_count; i++)
		if (policy->envelope->roles[i].learn == LEARN_DHCP_DNS &&
		    policy->holders[i].by_site)
			return policy_roles_of_addr(policy, server) & BIT(i);
	return true;
}

static int take_name(void *context, const struct name_view *name, struct err *err)
{
	struct exam *exam = context;
	const struct policy *policy = exam->subject.policy;
	const struct mirror_host *host = mirror_find(exam->subject.mirror, &name->row.address);

	exam->names++;
	if (!is_believed(policy, &name->row.server))
		return 0;
	if (host && host->sent)
		exam->roles_bound |= policy_roles_of_name(policy, name->row.name);
	exam->roles_learnt |= roles_taught(policy, LEARN_DHCP_DNS);
	return 0;
}

int exam_read(struct exam *exam, struct err *err)
{
	struct flowdb *db = exam->subject.db;
	const struct flow_query all = {0};
	const struct blind_query blinds = {0};
	int r = read_units(exam, err);

	if (r < 0 || !db)
		return r;
	r = flowdb_runs(db, take_run, exam, err);
	if (r >= 0)
		r = flowdb_blinds(db, &blinds, take_blind, exam, err);
	if (r >= 0)
		r = flowdb_names(db, &all, take_name, exam, err);
	return r < 0 ? r : 0;
}
