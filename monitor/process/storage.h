/*
 * storage.h - the recorder's database as a process finds it: there, damaged, locked, or on a full disk. What cannot be
 * written waits on the rings; a successor learns from the board what its predecessor died of.
 */
#ifndef MONITOR_PROCESS_STORAGE_H
#define MONITOR_PROCESS_STORAGE_H

#include "monitor/process/crew.h"
#include "monitor/process/reserve.h"

struct storage {
	struct crew *crew;
	struct flowdb *db;
	struct reserve reserve;
	bool stands_in; /* `db` is a private one: the real one has no room */
	bool has_note;  /* of a database that was set aside */
	struct blind_row note;
	char aside[64];
	int64_t stop_us; /* since when the end is asked for while another program holds the lock; monotonic */
	int64_t reserve_us,
		wal_us; /* when it was tried last, when the WAL's reader was asked for; monotonic */
};

/*
 * Opens it for the recorder, before its sandbox. One that is damaged is set aside, and a new one begun. Where the disk is
 * full a run of files waits for room, a live one judges on beside it. 0, or negative errno with err filled.
 */
int storage_open(struct storage *storage, struct crew *crew, struct err *err) MUST_CHECK;
void storage_release(struct storage *storage);

/* Now and then, at work: makes the reserve if it is not there, says how it stands. */
void storage_look(struct storage *storage);
/* It stands in, and the disk has room again. */
bool storage_has_room(struct storage *storage);
/* What ended the recorder, for its successor: whether there is to be one. */
bool storage_failed(struct storage *storage, int error);
/* A commit behind the first one: whatever was wrong is over. */
void storage_works(struct storage *storage);

#endif
