/*
 * members.c - the units: who is seen, who is missing, and whether they are seen as themselves. Without a list of
 * units it is asked of hosts that look like one.
 */
#include "monitor/doctor/exam.h"

/* ----------------------------------------------------------------- units */

static void missing_row(struct exam *exam, const struct exam_unit *unit)
{
	const struct mirror_host *sums = &unit->sums;
	bool by_mac = unit->rule && !unit->rule->prefix_count;
	struct exam_row *row;

	if (sums->got)
		row = exam_add(exam, CHECK_units, EXAM_BAD, unit->name,
		               "silent; %llu packets came for it",
		               (unsigned long long)sums->got);
	else
		row = exam_add(exam, CHECK_units, EXAM_BAD, unit->name,
		               "no packet of it, nor for it");
	exam_remedy(
		row,
		"is it on, and its port a source of the session? If it is, its %s in the site file is "
		"not its own%s",
		by_mac ? "MAC" : "address",
		by_mac ? ", or it stands behind a router: then list its address, no frame has its MAC"
		       : ", or somebody on the way translates it: mirror before that one");
}

/* An entry for many hosts of which none was seen. */
static void empty_rows(struct exam *exam)
{
	const struct policy *policy = exam->subject.policy;

	for (size_t i = 0; i < policy->unit_count; i++) {
		const struct unit_rule *rule = &policy->units[i];
		bool seen = false;
		struct exam_row *row;

		for (size_t u = 0; u < exam->unit_count; u++)
			seen |= exam->units[u].rule == rule && exam->units[u].spoke;
		if (!rule->many || seen)
			continue;
		row = exam_add(exam, CHECK_units, EXAM_BAD, rule->name,
		               "no host of this entry was seen");
		exam_remedy(
			row,
			"is its network mirrored here? If not, it belongs to another sensor's site file "
			"(%s:%u)",
			rule->file ? rule->file : "", rule->line);
	}
}

static void stranger_rows(struct exam *exam)
{
	const struct strangers *strangers = exam->subject.strangers;

	for (size_t i = 0; strangers && i < strangers->count; i++) {
		const struct stranger *stranger = &strangers->list[i];
		char addr[ADDR_TEXT], mac[MAC_TEXT];
		struct exam_row *row;

		row = exam_add(exam, CHECK_units, EXAM_WARN, addr_print(&stranger->addr, addr),
		               "looks like a unit, on no list");
		exam_remedy(row,
		            "by %s%s: list it (%s) or know why not; nothing of it is judged",
		            stranger->by_oui ? "the maker's MAC" : "the name it asked for, ",
		            stranger->by_oui ? "" : stranger->name,
		            stranger->by_oui ? mac_print(&stranger->mac, mac) : addr);
	}
}

/* No list: those that look like units are all there is. */
static void alike_row(struct exam *exam)
{
	struct exam_row *row;

	if (exam->unit_count) {
		row = exam_add(exam, CHECK_units, EXAM_WARN, "",
		               "%zu look like units, none is named", exam->unit_count);
		exam_remedy(
			row,
			"name them: -c site.yaml, or --unit %s --profile room,online; 'tlmon suggest' "
			"writes a site file",
			exam->units[0].name);
		return;
	}
	row = exam_add(exam, CHECK_units, EXAM_WARN, "",
	               "none is named, nobody looks like one");
	exam_remedy(
		row,
		"whether units are among these hosts only their names can say: -c site.yaml, or --unit "
		"ADDRESS --profile room,online");
}

void check_units(struct exam *exam)
{
	size_t seen = 0;

	if (!exam->subject.policy->unit_count) {
		alike_row(exam);
		return;
	}
	for (size_t i = 0; i < exam->unit_count; i++) {
		if (exam->units[i].spoke)
			seen++;
		else
			missing_row(exam, &exam->units[i]);
	}
	if (seen)
		exam_count(exam_add(exam, CHECK_units, EXAM_OK, "", "%zu of %zu seen", seen,
		                    exam->unit_count),
		           seen, exam->unit_count);
	empty_rows(exam);
	stranger_rows(exam);
}

/* ----------------------------------------------------------- translation */

/* What hosts send with (RFC 1700's 64; 128 and 255 elsewhere), and how many routers took one off. */
static unsigned ttl_begun(uint8_t ttl)
{
	return ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

struct way {
	unsigned hops;  /* the most of any of its packets */
	unsigned begun; /* mask: 1 64, 2 128, 4 255; of those that were routed */
	uint8_t ttl;    /* of those with most hops */
	bool known;
};

static struct way way_of(const struct mirror_host *sums)
{
	struct way way = {0};

	for (unsigned i = 0; i < MIRROR_TTLS && sums->ttl[i]; i++) {
		unsigned begun = ttl_begun(sums->ttl[i]), hops = begun - sums->ttl[i];

		if (!hops)
			way.known = true;
		/* Few ways are longer; such a packet was begun with an odd number, and says nothing. */
		if (!hops || hops > 32)
			continue;
		way.known = true;
		way.begun |= begun == 64 ? 1u : begun == 128 ? 2u : 4u;
		if (hops > way.hops) {
			way.hops = hops;
			way.ttl = sums->ttl[i];
		}
	}
	return way;
}

static void routed_row(struct exam *exam, const struct exam_unit *unit, const struct way *way)
{
	bool several = way->begun & (way->begun - 1);
	struct exam_row *row;

	if (exam->subject.policy->nat) {
		exam_add(exam, CHECK_translation, EXAM_OK, unit->name, "as options.nat says");
		return;
	}
	row = exam_add(exam, CHECK_translation, several ? EXAM_WARN : EXAM_UNKNOWN, unit->name,
	               several ? "routed, as of several hosts: %u hops"
	                       : "%u hops on the way here (TTL %u)",
	               way->hops, way->ttl);
	exam_remedy(
		row,
		"%s. Its own settings say its address: if that is not %s, somebody between translates, "
		"and local ports cannot be judged: mirror at its own switch, or set options.nat",
		several ? "packets with TTLs that began at different numbers come from one address"
			: "whether a router between translates addresses cannot be told from here",
		unit->name);
}

void check_translation(struct exam *exam)
{
	size_t near = 0, routed = 0;

	for (size_t i = 0; i < exam->unit_count; i++) {
		struct way way = way_of(&exam->units[i].sums);

		if (!way.known)
			continue;
		if (!way.hops) {
			near++;
			continue;
		}
		routed++;
		routed_row(exam, &exam->units[i], &way);
	}
	if (near)
		exam_add(exam, CHECK_translation, EXAM_OK, "", "none: %zu of %zu with full TTL",
		         near, exam->unit_count);
	else if (!routed)
		exam_add(exam, CHECK_translation, EXAM_UNKNOWN, "",
		         "no packet of a unit tells");
}

/* ------------------------------------------------------------ mac-shared */

void check_mac_shared(struct exam *exam)
{
	size_t shared = 0;

	if (!exam->subject.policy->unit_count)
		return;
	for (size_t i = 0; i < exam->unit_count; i++) {
		struct exam_row *row;

		if (!exam->units[i].mac_shared)
			continue;
		shared++;
		row = exam_add(exam, CHECK_mac_shared, EXAM_BAD, exam->units[i].name,
		               "its MAC stands before many addresses");
		exam_remedy(
			row,
			"it is a router's, and tells the unit no more: list the unit's address instead, or "
			"mirror in the unit's own network");
	}
	if (!shared)
		exam_add(exam, CHECK_mac_shared, EXAM_OK, "", "no listed MAC is a router's");
}
