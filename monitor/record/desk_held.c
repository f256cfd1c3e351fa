/*
 * desk_held.c - see desk.h, desk_parts.h: flows that are over, whose last word hangs on what their units do next. They
 * wait for it here, and stand in the database too, for a recorder that takes over.
 */
#include "monitor/record/desk_parts.h"

/* Bits of what is kept of one in the database, for the unit at end 0; at end 1 they stand one further. */
enum { HELD_OVER = 1, HELD_WAITED = 4 };

void desk_hold(struct desk *desk, const struct event_flow *event, enum app opinion,
               const struct open_flow *open)
{
	struct held_flow *held = &desk->held[desk->held_count++];

	*held = (struct held_flow){malloc(event->head.len),
	                           opinion, *open};
	if (held->event)
		memcpy(held->event, event, event->head.len);
	else
		desk->held_count--;
	desk->held_moved = true;
}

/* Flows that waited for what else their unit does: it has done it, or the time is over. */
int desk_release_held(struct desk *desk, bool all, struct err *err)
{
	unsigned kept = 0;
	int r = 0;

	for (unsigned i = 0; i < desk->held_count; i++) {
		struct held_flow *held = &desk->held[i];
		bool hold = false, units;

		if (r >= 0)
			r = desk_handle(desk, held->event, held->opinion, !all, &held->open,
			                &hold, &units, err);
		if (hold && r >= 0) {
			desk->held[kept++] = *held;
		} else {
			evidence_forget(desk->evidence, held->event->facts.id);
			free(held->event);
		}
	}
	desk->held_moved |= kept != desk->held_count;
	desk->held_count = kept;
	return r;
}

int desk_write_held(struct desk *desk, struct err *err)
{
	int r = desk->held_moved ? flowdb_held_clear(desk->db, desk->run, err) : 0;

	for (unsigned i = 0; desk->held_moved && i < desk->held_count && r >= 0; i++) {
		const struct held_flow *held = &desk->held[i];
		unsigned marks = 0;

		for (unsigned end = 0; end < 2; end++)
			marks |= (held->open.sheet[end].over ? HELD_OVER : 0) << end |
			         (held->open.sheet[end].waited ? HELD_WAITED : 0) << end;
		r = flowdb_held_put(desk->db, desk->run, held->opinion, marks,
		                    &held->event->head, err);
	}
	if (r >= 0)
		desk->held_moved = false;
	return r;
}

static int held_recall(void *context, enum app opinion, unsigned marks,
                       const struct event *event, struct err *err)
{
	struct desk *desk = context;
	struct open_flow open = {0};

	if (event->type != EVENT_FLOW_END || desk->held_count == DESK_HELD_MAX)
		return 0;
	for (unsigned end = 0; end < 2; end++) {
		open.sheet[end].over = marks & HELD_OVER << end;
		open.sheet[end].waited = marks & HELD_WAITED << end;
	}
	desk_hold(desk, (const struct event_flow *)event, opinion, &open);
	return 0;
}

int desk_read_held(struct desk *desk, struct err *err)
{
	return flowdb_held(desk->db, desk->run, held_recall, desk, err);
}

bool desk_holds(const struct desk *desk, uint64_t flow)
{
	for (unsigned i = 0; i < desk->held_count; i++)
		if (desk->held[i].event->facts.id == flow)
			return true;
	return false;
}

void desk_drop_held(struct desk *desk)
{
	for (unsigned i = 0; i < desk->held_count; i++)
		free(desk->held[i].event);
	free(desk->held);
}
