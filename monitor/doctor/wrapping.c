/*
 * wrapping.c - tags and tunnels: what packets come in. Both come off before a flow is known, so that a conversation
 * half of which is tagged is one all the same; what comes wrapped twice, or in another way, stays closed.
 */
#include "monitor/doctor/exam.h"

/* ------------------------------------------------------------------ vlan */

#define VLANS_TOLD 8

static void tags_print(const struct mirror *mirror, char *buf, size_t size)
{
	snprintf(buf, size, "%s", mirror->untagged ? "untagged" : "");
	if (mirror->vlan_count)
		text_add(buf, size, "%sVLAN ", *buf ? ", " : "");
	for (uint64_t i = 0; i < mirror->vlan_count && i < VLANS_TOLD; i++)
		text_add(buf, size, "%s%u", i ? " " : "", (unsigned)mirror->vlan[i].id);
	if (mirror->vlan_count > VLANS_TOLD)
		text_add(buf, size, " and more");
	if (mirror->priority)
		text_add(buf, size, "%spriority", *buf ? ", " : "");
}

void check_vlan(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	uint64_t mixed = mirror->mixed + mirror->mixed_untagged;
	bool told = share_is(mixed, exam->counters.in_flows, 10);
	char tags[128];
	struct exam_row *row;

	tags_print(mirror, tags, sizeof(tags));
	row = exam_add(exam, CHECK_vlan, told ? EXAM_WARN : EXAM_OK, "", "%s", tags);
	exam_count(row, mixed, exam->counters.in_flows);
	if (!told)
		return;
	exam_remedy(
		row,
		"%llu packets are %s the first of their conversation. They count as one; but a tcpdump "
		"filter meets only half of it, unless it says 'A or (vlan and A)': let the session keep "
		"the tags of both directions ('encapsulation replicate'), or of none",
		(unsigned long long)mixed,
		mirror->mixed_untagged ? "tagged otherwise, or not at all, than"
				       : "of another VLAN than");
}

/* --------------------------------------------------------------- tunnels */

static uint64_t opened(const struct mirror *mirror, char *names, size_t size)
{
	uint64_t count = 0;

	*names = '\0';
	for (unsigned tunnel = TUNNEL_NONE + 1; tunnel < TUNNEL_COUNT; tunnel++) {
		if (!mirror->tunnel[tunnel])
			continue;
		count += mirror->tunnel[tunnel];
		text_add(names, size, "%s%s", *names ? ", " : "", tunnel_name(tunnel));
	}
	return count;
}

/* Not a mirror's, so far as we read them: whatever is inside is no unit's flow here. */
static void closed(struct exam *exam)
{
	static const char *const WORDS[WRAPPED_COUNT] = {
		"IP in IP", "GRE of another kind", "ESP (IPsec)", "CAPWAP", "GTP", "L2TP"};
	const struct mirror *mirror = exam->subject.mirror;
	char share[SHARE_TEXT];

	for (unsigned i = 0; i < WRAPPED_COUNT; i++) {
		struct exam_row *row;

		if (!share_is(mirror->wrapped[i], mirror->ip, 100))
			continue;
		row = exam_add(exam, CHECK_tunnels, EXAM_WARN, WORDS[i], "%s packets",
		               share_print(mirror->wrapped[i], mirror->ip, share));
		exam_count(row, mirror->wrapped[i], mirror->ip);
		exam_remedy(
			row,
			"what is inside is not looked into: if units are behind it, mirror where it is "
			"not wrapped, at their own switch");
	}
}

void check_tunnels(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	char names[96], share[SHARE_TEXT];
	uint64_t count = opened(mirror, names, sizeof(names));
	bool half = count && mirror->tunnel[TUNNEL_NONE];
	struct exam_row *row;

	if (mirror->nested) {
		row = exam_add(exam, CHECK_tunnels,
		               share_is(mirror->nested, mirror->ip, 10) ? EXAM_BAD : EXAM_WARN,
		               "", "a tunnel inside a tunnel: %s",
		               share_print(mirror->nested, mirror->ip, share));
		exam_count(row, mirror->nested, mirror->ip);
		exam_remedy(
			row,
			"one wrapping comes off, and what is in the second is not judged: mirror where "
			"units' packets are not wrapped, or end the mirror's tunnel before this port");
	}
	if (mirror->tunnels_own) {
		row = exam_add(exam, CHECK_tunnels, EXAM_WARN, "",
		               "a unit's own, left closed: %s",
		               share_print(mirror->tunnels_own, mirror->ip, share));
		exam_count(row, mirror->tunnels_own, mirror->ip);
		exam_remedy(
			row,
			"one end of it is a unit by the site file, or looks like one. If it is the "
			"mirror's, let no entry of the site cover the address that sends it, nor this "
			"port's");
	}
	row = exam_add(exam, CHECK_tunnels, EXAM_OK, "", "%s%s%s", count ? "opened: " : "none",
	               names, half ? "; others came without" : "");
	exam_count(row, count, mirror->ip);
	closed(exam);
}
