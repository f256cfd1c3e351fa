/*
 * supervision.h - what supervisor.c, succession.c and lookout.c share, for them alone: a run, seen by the
 * process that answers for it.
 */
#ifndef MONITOR_PROCESS_SUPERVISION_H
#define MONITOR_PROCESS_SUPERVISION_H

#include "monitor/process/child.h"
#include "monitor/process/links.h"
#include "monitor/process/tidings.h"

#define SUPERVISOR_LOOK_MS 100
#define INPUTS_LIVE_MAX 16 /* as many as -i takes */
#define TRIES 5 /* of a role that cannot do anything at all, in a run that cannot wait for it */

struct supervisor {
	const struct run_options *options;
	struct crew crew;
	struct board *board;
	struct child child[PROCESS_COUNT];
	struct tidings tidings;
	bool live;
	enum board_stop stop;
	int64_t ready_us, stop_us, end_us; /* monotonic; end: since when it is over, or asked to be */
	/* Intervals that go on: since when (wall clock), 0: none. */
	int64_t down_us[PROCESS_COUNT];
	int64_t said_us[PROCESS_COUNT]; /* monotonic: its last death that was said */
	char down_text[PROCESS_COUNT][96];
	bool unwritten; /* the database cannot be written, which was said */
	int64_t locked_said_us; /* monotonic: when it was last said who holds a lock on it, ... */
	int64_t locked_us;      /* ... and since when; 0: nobody */
	uint64_t wal_said;      /* bytes of a WAL that was said to be long */
	int64_t drops_us;       /* monotonic: when the interfaces' drops were looked at */
	struct {
		int64_t down_us;
		bool handled; /* the sensor has a handle on it as it is now */
		bool counts_known;
		uint64_t drops, received; /* what it had dropped and received when we began */
	} link[INPUTS_LIVE_MAX];
	int64_t stop_moved_us;
	uint64_t stop_written;
	bool unopened; /* the interfaces cannot be opened, which was said */
	unsigned export_tries;
	int64_t export_us; /* since when the exporter is waited for; monotonic */
	bool export_fails;
	bool exported; /* the exporter has said its last word */
	int failed; /* negative errno: the run ends with `err` */
	struct err err;
};

/* supervisor.c */
int supervisor_start(struct supervisor *sup, enum process_role role, struct err *err) MUST_CHECK;
bool supervisor_wants(const struct supervisor *sup, enum process_role role);
void supervisor_bells(struct supervisor *sup);
/* A run goes on from one enum board_stop to a later one, never back. */
void supervisor_stop_at(struct supervisor *sup, enum board_stop stop);
/* Nothing can be saved any more: what is committed stays. */
void supervisor_fail(struct supervisor *sup, int error);

/* succession.c: one has ended; its successor may be ready; another one is started if one is wanted. */
void succession_ended(struct supervisor *sup, enum process_role role,
                      const struct child_end *end);
void succession_up(struct supervisor *sup, enum process_role role);
void succession_restart(struct supervisor *sup, enum process_role role);

/* lookout.c: what is looked at ten times a second. */
void lookout_hands(struct supervisor *sup);
void lookout_nonsense(struct supervisor *sup);
void lookout_links(struct supervisor *sup);
void lookout_drops(struct supervisor *sup);
void lookout_database(struct supervisor *sup);
void lookout_export(struct supervisor *sup);
void lookout_found(struct supervisor *sup);

#endif
