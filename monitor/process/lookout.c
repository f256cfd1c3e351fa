/*
 * lookout.c - see supervision.h: interfaces, rings, and what the others want to be shown.
 */
#include "monitor/process/supervision.h"
#include "monitor/log.h"

#include <signal.h>

#define STILL_US 5000000
#define DROPS_US 900000
#define LOCKED_US 1000000
#define LOCKED_AGAIN_US 10000000
#define WAL_LONG (64u << 20)

/*
 * What an inspector has in hand. One that leaves packets lying, though there is room for opinions,
 * has the next one in hand: so also one that was stopped between two is found out.
 */
static uint64_t inspector_hand(const struct supervisor *sup)
{
	const struct ring *packets = sup->crew.packets, *opinions = sup->crew.opinions;
	uint64_t hand = atomic_load(&sup->board->role[PROCESS_INSPECTOR].hand);
	uint64_t done = ring_released(packets);

	if (hand || ring_written(packets) == done ||
	    !atomic_load(&sup->board->role[PROCESS_INSPECTOR].ready_us) ||
	    ring_written(opinions) - ring_released(opinions) > ring_size(opinions) / 2)
		return hand;
	return ~done;
}

/* A role that is stopped is not ended for it, if nobody waits for it; but it is said. */
static void still_watch(struct supervisor *sup, enum process_role role)
{
	struct child *child = &sup->child[role];
	uint64_t turns = atomic_load(&sup->board->role[role].turns);
	int64_t now_us = child_clock_us();

	if (!child->pid || turns != child->turns) {
		if (child->still)
			log_note("the %s goes on", process_role_name(role));
		child->still = false;
		child->turns = turns;
		child->turns_us = now_us;
	} else if (!child->still && now_us - child->turns_us >= STILL_US) {
		child->still = true;
		log_warning("the %s (pid %d) has stood still for %d s: stopped?",
		            process_role_name(role), (int)child->pid, STILL_US / 1000000);
	}
}

void lookout_hands(struct supervisor *sup)
{
	struct ring *packets = sup->crew.packets;

	child_watch(&sup->child[PROCESS_SENSOR],
	            atomic_load(&sup->board->role[PROCESS_SENSOR].hand));
	child_watch(&sup->child[PROCESS_INSPECTOR], inspector_hand(sup));
	if (sup->live)
		still_watch(sup, PROCESS_SENSOR);
	still_watch(sup, PROCESS_RECORDER);
	/* Nobody will read them: a sensor that waits for room must not wait for ever. */
	if (atomic_load(&sup->board->inspector_off) && !sup->child[PROCESS_INSPECTOR].pid &&
	    ring_written(packets) != ring_released(packets)) {
		ring_skip(packets);
		supervisor_bells(sup);
	}
}

/* Who writes what none of us writes has been taken over. */
void lookout_nonsense(struct supervisor *sup)
{
	const struct {
		const struct ring *ring;
		enum process_role writer;
	} rings[] = {
		{sup->crew.facts, PROCESS_SENSOR},
		{sup->crew.packets, PROCESS_SENSOR},
		{sup->crew.opinions, PROCESS_INSPECTOR},
	};

	for (size_t i = 0; i < ARRAY_LEN(rings); i++) {
		struct child *writer = &sup->child[rings[i].writer];

		if (!ring_is_broken(rings[i].ring) || !writer->pid)
			continue;
		log_warning("the %s wrote nonsense: it is replaced",
		            process_role_name(rings[i].writer));
		kill(writer->pid, SIGKILL);
	}
}

void lookout_links(struct supervisor *sup)
{
	bool another = false;

	for (size_t i = 0; sup->crew.links && i < sup->options->capture.input_count; i++) {
		const char *name = sup->options->capture.inputs[i];
		enum link_news news = links_look(sup->crew.links, i);
		int64_t now_us = crew_now_us(), *down_us = &sup->link[i].down_us;
		bool up = links_is_up(sup->crew.links, i);

		if (news == LINK_ANOTHER)
			sup->link[i].handled = false;
		if (news != LINK_SAME && !up && !*down_us) {
			log_warning("%s: the interface is %s; waiting for it", name,
			            links_exists(sup->crew.links, i) ? "down" : "gone");
			*down_us = now_us;
			tidings_blind(&sup->tidings, BLIND_LINK_DOWN, now_us, 0, 1, name);
		} else if (up && *down_us) {
			log_note("%s: the interface is up again", name);
			tidings_blind(&sup->tidings, BLIND_LINK_DOWN, *down_us, now_us, 0, name);
			*down_us = 0;
		} else if (news == LINK_ANOTHER) { /* away for less than two looks */
			tidings_blind(&sup->tidings, BLIND_LINK_DOWN, now_us - SUPERVISOR_LOOK_MS * 1000,
			              now_us, 1, name);
		}
		another |= up && !sup->link[i].handled;
	}
	/* The sensor's handle is on what was there before: another sensor takes its place. */
	if (another && sup->child[PROCESS_SENSOR].pid && sup->stop == BOARD_RUN) {
		atomic_store(&sup->board->stop, BOARD_HAND_OVER);
		supervisor_bells(sup);
	}
}

/*
 * What the interfaces received, and dropped before any capture; not the sensor's to ask, for it may open nothing. It is
 * told once a second: looked at more often only while the run ends.
 */
void lookout_drops(struct supervisor *sup)
{
	int64_t now_us = child_clock_us();
	uint64_t sum = 0, drops, all = 0, received;

	if (sup->stop == BOARD_RUN && sup->drops_us && now_us - sup->drops_us < DROPS_US)
		return;
	sup->drops_us = now_us;
	for (size_t i = 0; i < sup->options->capture.input_count; i++) {
		if (capture_interface_counts(sup->options->capture.inputs[i], &received, &drops) < 0)
			continue;
		if (!sup->link[i].counts_known || drops < sup->link[i].drops ||
		    received < sup->link[i].received) {
			sup->link[i].drops = drops;
			sup->link[i].received = received;
		}
		sup->link[i].counts_known = true;
		all += received - sup->link[i].received;
		sum += drops - sup->link[i].drops;
	}
	sup->board->counters.interface_dropped = sum;
	sup->board->counters.interface_received = all;
}

static void locked_watch(struct supervisor *sup)
{
	int64_t since_us = atomic_load(&sup->board->locked_us), now_us = child_clock_us();
	bool waits = since_us && sup->child[PROCESS_RECORDER].pid;
	char who[FLOWDB_WHO];

	if (waits && now_us - since_us >= LOCKED_US &&
	    (!sup->locked_us || now_us - sup->locked_said_us >= LOCKED_AGAIN_US)) {
		sup->locked_us = since_us;
		sup->locked_said_us = now_us;
		log_warning("%s/flows.db has been locked by %s for %lld s: what is to be written waits",
		            sup->options->dir,
		            flowdb_who(atomic_load(&sup->board->locked_by), who),
		            (long long)((now_us - since_us) / 1000000));
	} else if (!waits && sup->locked_us) {
		log_note("%s/flows.db is free again, after %.1f s; nothing of it is lost",
		         sup->options->dir, (double)(now_us - sup->locked_us) / 1e6);
		sup->locked_us = 0;
	}
}

/* Said each time it has doubled. */
static void wal_watch(struct supervisor *sup)
{
	uint64_t bytes = atomic_load(&sup->board->wal_bytes);
	char who[FLOWDB_WHO];

	if (bytes < WAL_LONG / 2)
		sup->wal_said = 0;
	if (bytes < WAL_LONG || bytes < 2 * sup->wal_said)
		return;
	sup->wal_said = bytes;
	log_warning("%s/flows.db-wal holds %llu MiB that cannot be written back while %s reads an older state",
	            sup->options->dir, (unsigned long long)(bytes >> 20),
	            flowdb_who(atomic_load(&sup->board->wal_reader), who));
}

void lookout_database(struct supervisor *sup)
{
	if (!sup->options->dir)
		return;
	locked_watch(sup);
	wal_watch(sup);
}

void lookout_export(struct supervisor *sup)
{
	bool fails = atomic_load(&sup->board->export_fails);
	struct err err;

	if (fails && !sup->export_fails) {
		board_err(sup->board, PROCESS_EXPORTER, &err);
		log_warning("--eve %s: %s; findings wait", sup->options->eve, err.text);
	}
	sup->export_fails = fails;
}

static void show_found(const struct supervisor *sup, const struct event_found *found)
{
	char unit[UINT8_MAX + 1], reason[EVENT_MAX];

	if (!sup->options->found)
		return;
	memcpy(unit, found->text, found->unit_len);
	unit[found->unit_len] = '\0';
	memcpy(reason, found->text + found->unit_len, (size_t)(found->text_len - found->unit_len));
	reason[found->text_len - found->unit_len] = '\0';
	sup->options->found(sup->options->context,
	                    &(struct run_found){found->time_us, found->id, found->kind,
	                                        found->severity, found->waived, unit, reason});
}

/* A row or a unit that the policy does not have is nonsense. */
static bool show_exercised(const struct supervisor *sup, const struct event_exercised *event)
{
	const struct policy *policy = sup->options->policy;
	char unit[UINT8_MAX + 1];

	if (event->exercised.row >= policy->row_count ||
	    event->exercised.entry >= policy->unit_count)
		return false;
	memcpy(unit, event->unit, event->unit_len);
	unit[event->unit_len] = '\0';
	if (sup->options->exercised)
		sup->options->exercised(sup->options->context, unit, &event->exercised);
	return true;
}

static void show_blind(const struct supervisor *sup, const struct event_blind *blind)
{
	char detail[UINT8_MAX + 1];

	if (!sup->options->blind)
		return;
	memcpy(detail, blind->detail, blind->detail_len);
	detail[blind->detail_len] = '\0';
	sup->options->blind(sup->options->context,
	                    &(struct run_blind){blind->since_us, blind->until_us, blind->count,
	                                        blind->cause, detail});
}

/* What is there now: a recorder that goes on telling must not keep us from the others. */
void lookout_found(struct supervisor *sup)
{
	uint64_t until = ring_written(sup->crew.found);
	const struct event *event;

	while (ring_position(sup->crew.found) < until && (event = ring_peek(sup->crew.found))) {
		bool sound = event_check(event, event->len) >= 0;

		switch (sound ? event->type : 0) {
		case EVENT_INPUT:
			capture_tell(sup->crew.capture, (const struct event_input *)event);
			break;
		case EVENT_FOUND:
			show_found(sup, (const struct event_found *)event);
			break;
		case EVENT_EXERCISED:
			sound = show_exercised(sup, (const struct event_exercised *)event);
			break;
		case EVENT_BLIND:
			show_blind(sup, (const struct event_blind *)event);
			break;
		default:
			sound = false;
		}
		sup->board->result.refused += !sound;
		ring_take(sup->crew.found);
		ring_release(sup->crew.found);
	}
}
