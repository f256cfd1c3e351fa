/*
 * directions.c - are both directions of conversations seen? That a packet acknowledges, or answers, what was
 * not shown proves that one is missing (capture/outcome.h). Silence proves nothing: a network that answers nothing
 * and a mirror that hides the answers look alike.
 */
#include "monitor/doctor/exam.h"

#define MISSED_PERMILLE \
	100      /* of the conversations: so many one way, and the mirror is at fault */
#define QUIET 10 /* packets one way, of which nothing proves anything */

#define BOTH_WAYS \
	"the session must copy both directions of the unit's port ('rx' and 'tx', 'both'); of a tap read both " \
	"outputs, -i eth1 -i eth2. A capture of each direction in a file of its own: 'mergecap -w both.pcap A B'"

static void one_way(struct exam *exam, const struct exam_unit *unit, const char *what,
                    bool proven)
{
	const struct mirror_host *sums = &unit->sums;
	struct exam_row *row;

	row = exam_add(exam, CHECK_directions, proven ? EXAM_BAD : EXAM_WARN, unit->name, "%s",
	               what);
	exam_count(row, sums->unseen_sent + sums->unseen_got,
	           sums->two_way + sums->unseen_sent + sums->unseen_got);
	if (proven)
		exam_remedy(row, BOTH_WAYS);
	else
		exam_remedy(
			row,
			"nothing proves that the mirror hides them: it may be off, or blocked. If it "
			"works, " BOTH_WAYS);
}

/* True if it said anything but that all is well. */
static bool unit_look(struct exam *exam, const struct exam_unit *unit)
{
	const struct mirror_host *sums = &unit->sums;
	uint64_t proven = sums->unseen_sent + sums->unseen_got, total = proven + sums->two_way;
	char seen[128], share[SHARE_TEXT];
	struct exam_row *row;

	if (!sums->sent && sums->got) {
		snprintf(seen, sizeof(seen), "%llu packets to it, none from it",
		         (unsigned long long)sums->got);
		one_way(exam, unit, seen, sums->unseen_sent);
		return true;
	}
	if (sums->sent && !sums->got && (proven || sums->sent >= QUIET)) {
		snprintf(seen, sizeof(seen), "%llu packets from it, none to it",
		         (unsigned long long)sums->sent);
		one_way(exam, unit, seen, proven);
		return true;
	}
	if (!proven)
		return false;
	row = exam_add(exam, CHECK_directions,
	               share_is(proven, total, MISSED_PERMILLE) ? EXAM_BAD : EXAM_WARN,
	               unit->name, "one way: %s flows", share_print(proven, total, share));
	exam_count(row, proven, total);
	exam_remedy(
		row,
		sums->unseen_sent > sums->unseen_got
			? "mostly what the unit sends is missing: " BOTH_WAYS
			: "mostly what others send to it is missing: another way back that is not "
			  "mirrored, or " BOTH_WAYS);
	return true;
}

/* All that came, whoever it is of. */
static void look_at_all(struct exam *exam, bool units)
{
	const struct mirror *mirror = exam->subject.mirror;
	uint64_t total = mirror->two_way + mirror->one_sided;
	enum exam_state state = EXAM_OK;
	char share[SHARE_TEXT];
	struct exam_row *row;

	if (!total) {
		row = exam_add(exam, CHECK_directions, units ? EXAM_OK : EXAM_UNKNOWN, "",
		               "no conversation that would show it");
		return;
	}
	if (share_is(mirror->one_sided, total, MISSED_PERMILLE))
		state = units ? EXAM_WARN : EXAM_BAD;
	else if (share_is(mirror->one_sided, total, 10))
		state = EXAM_WARN;
	row = exam_add(exam, CHECK_directions, state, "", "one way: %s flows",
	               share_print(mirror->one_sided, total, share));
	exam_count(row, mirror->one_sided, total);
	if (state != EXAM_OK)
		exam_remedy(row, "of all hosts: " BOTH_WAYS);
}

void check_directions(struct exam *exam)
{
	size_t named = 0, well = 0;

	for (size_t i = 0; i < exam->unit_count; i++) {
		if (unit_look(exam, &exam->units[i]))
			named++;
		else
			well += exam->units[i].sums.two_way > 0;
	}
	if (well && named)
		exam_add(exam, CHECK_directions, EXAM_OK, "", "both ways: %zu of %zu units",
		         well, exam->unit_count);
	if (!named || !exam->unit_count)
		look_at_all(exam, well > 0);
}
