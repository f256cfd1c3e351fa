/*
 * packets.c - are packets whole, once, and as they were on the wire? Copies are taken out before anything is judged,
 * and TCP is put together whatever its segments are: so most of this is a warning.
 */
#include "monitor/doctor/exam.h"

#define SNAP_LEAST \
	600 /* below it the hello of TLS, with the name it asks for, is cut (RFC 8446 4.1.2) */
#define SNAP_WHOLE 1600 /* keeps every packet whole (README) */
#define JUMBO 9216      /* no Ethernet frame is longer */

static const char *input_name(const struct exam *exam, uint64_t input)
{
	return input < exam->subject.input_count ? exam->subject.inputs[input].name : "";
}

/* ------------------------------------------------------------ duplicates */

void check_duplicates(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	uint64_t copies = mirror->copies_same + mirror->copies_tagged + mirror->copies_routed,
		 total = exam->counters.in_flows + exam->counters.duplicates;
	bool many = share_is(copies, total, 10);
	char share[SHARE_TEXT];
	struct exam_row *row = exam_add(exam, CHECK_duplicates, many ? EXAM_WARN : EXAM_OK, "",
	                                "%s packets", share_print(copies, total, share));

	exam_count(row, copies, total);
	if (!many)
		return;
	if (mirror->copies_routed >= mirror->copies_same &&
	    mirror->copies_routed >= mirror->copies_tagged)
		exam_remedy(
			row,
			"they are shown before and behind a router. Copies are taken out, but they "
			"halve what the port can carry: mirror one of the two VLANs");
	else if (mirror->copies_tagged >= mirror->copies_same)
		exam_remedy(
			row,
			"they are shown with and without a tag. Copies are taken out, but they halve "
			"what the port can carry: mirror the units' ports or the VLAN, not both");
	else
		exam_remedy(
			row,
			"they are shown where they come in and where they go out. Copies are taken "
			"out, but they halve what the port can carry: of a VLAN, or of all ports, mirror "
			"'rx' alone");
}

/* ------------------------------------------------------------ truncation */

static void cut_frames(struct exam *exam, const struct mirror_input *input)
{
	bool headers = input->cut_at < SNAP_LEAST;
	struct exam_row *row;
	char share[SHARE_TEXT];

	row = exam_add(exam, CHECK_truncation, headers ? EXAM_BAD : EXAM_WARN,
	               input_name(exam, input->input), "cut at %llu bytes: %s",
	               (unsigned long long)input->cut_at,
	               share_print(input->cut, input->frames, share));
	exam_count(row, input->cut, input->frames);
	exam_remedy(
		row,
		headers ? "names and applications lie behind that: capture with a snap length of %d at "
			  "least (--snaplen, tcpdump -s)"
			: "most is recognised by what comes before that; a snap length of %d keeps packets "
			  "whole (--snaplen, tcpdump -s)",
		SNAP_WHOLE);
}

void check_truncation(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	bool told = false;
	char share[SHARE_TEXT];
	struct exam_row *row;

	for (size_t i = 0; i < MIRROR_INPUTS; i++)
		if (mirror->input[i].cut) {
			cut_frames(exam, &mirror->input[i]);
			told = true;
		}
	if (mirror->cut_inside || mirror->tunnel_fragments) {
		uint64_t cut = mirror->cut_inside > mirror->tunnel_fragments
		                       ? mirror->cut_inside
		                       : mirror->tunnel_fragments;

		row = exam_add(exam, CHECK_truncation,
		               share_is(cut, mirror->ip, 10) ? EXAM_BAD : EXAM_WARN, "",
		               "cut inside a tunnel: %s", share_print(cut, mirror->ip, share));
		exam_count(row, cut, mirror->ip);
		exam_remedy(
			row,
			"whoever wraps them cuts them, or sends them in fragments of which the first "
			"alone can be read: raise the MTU on the tunnel's way by 60 bytes, and its "
			"truncation ('mtu' of the session) to 1600");
		told = true;
	}
	if (!told)
		exam_count(exam_add(exam, CHECK_truncation, EXAM_OK, "", "all are whole"), 0,
		           mirror->frames);
}

/* --------------------------------------------------------------- offload */

/*
 * No wire carried it: longer than any frame; or than this port takes whose card merges. A card that does not may well
 * take in more than its MTU says.
 */
static bool is_certain(const struct exam *exam, const struct mirror_input *input)
{
	const struct exam_subject *subject = &exam->subject;
	const struct port *port;

	if (!subject->live || input->input >= subject->input_count)
		return input->largest > JUMBO;
	port = &subject->inputs[input->input].port;
	return input->largest > JUMBO ||
	       (port->merges & (PORT_GRO | PORT_LRO) && port->mtu && input->largest > port->mtu);
}

static void large_frames(struct exam *exam, const struct mirror_input *input)
{
	const struct exam_subject *subject = &exam->subject;
	const char *name = input_name(exam, input->input);
	bool certain = is_certain(exam, input);
	char merges[PORT_MERGES] = "", share[SHARE_TEXT];
	struct exam_row *row;

	if (subject->live && input->input < subject->input_count)
		port_merges(&subject->inputs[input->input].port, merges);
	row = exam_add(exam, CHECK_offload, certain && input->large_udp ? EXAM_BAD : EXAM_WARN,
	               name, "up to %llu bytes: %s", (unsigned long long)input->largest,
	               share_print(input->large, input->frames, share));
	exam_count(row, input->large, input->frames);
	exam_remedy(
		row,
		"%s%s%s%s. 'ethtool -K %s gro off lro off tso off gso off' there, and where the mirror is a "
		"virtual one on the ports that it copies",
		certain ? "no wire carried these: a card merged them, or was to cut them"
			: "jumbo frames, or merged by a card",
		*merges ? " (on here: " : "", merges, *merges ? ")" : "",
		subject->live ? name : "IF");
	if (certain && input->large_udp)
		text_add(
			row->remedy, sizeof(row->remedy),
			"; %llu are UDP, and of several datagrams in one the first alone is read",
			(unsigned long long)input->large_udp);
}

void check_offload(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	bool told = false;

	for (size_t i = 0; i < MIRROR_INPUTS; i++)
		if (mirror->input[i].large) {
			large_frames(exam, &mirror->input[i]);
			told = true;
		}
	if (!told)
		exam_add(exam, CHECK_offload, EXAM_OK, "", "no packet above %d bytes",
		         MIRROR_WIRE);
}

/* ------------------------------------------------------------- checksums */

void check_checksums(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	uint64_t summed = 0, unsummed = 0, bad = 0;
	char share[SHARE_TEXT];
	struct exam_row *row;

	for (size_t i = 0; i < MIRROR_INPUTS; i++) {
		summed += mirror->input[i].summed;
		unsummed += mirror->input[i].unsummed;
		bad += mirror->input[i].bad_sums;
	}
	if (unsummed) {
		row = exam_add(exam, CHECK_checksums, EXAM_WARN, "", "not summed yet: %s",
		               share_print(unsummed, summed, share));
		exam_count(row, unsummed, summed);
		exam_remedy(
			row,
			"they were captured on the host that sends them, or in a virtual switch, before "
			"a card summed them. They are judged alike; but that host is seen before its own "
			"firewall and cable, not behind");
	}
	if (share_is(bad, summed, 1)) {
		row = exam_add(exam, CHECK_checksums, EXAM_WARN, "", "wrong: %s",
		               share_print(bad, summed, share));
		exam_count(row, bad, summed);
		exam_remedy(
			row,
			"their receivers drop them, and here they count: a bad cable, or a mirror that "
			"changes what it copies");
	}
	if (!unsummed && !share_is(bad, summed, 1)) {
		row = exam_add(exam, CHECK_checksums, EXAM_OK, "", "wrong: %s",
		               share_print(bad, summed, share));
		exam_count(row, bad, summed);
	}
}
