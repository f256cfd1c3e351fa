/*
 * run.h - a wire's packets through sensor, inspector and recorder into a database in memory, as one
 * run of the program. Failures end the test with a message.
 */
#ifndef TESTS_LIB_RUN_H
#define TESTS_LIB_RUN_H

#include "monitor/recorder.h"
#include "schema/flowdb_query.h"
#include "tests/lib/wire.h"

struct run;

/* `site` is the text of a site file. */
struct run *run_new(const char *site);
/* Its recorder commits once a second. */
struct run *run_new_live(const char *site);
void run_free(struct run *run);
void run_freep(struct run **run);

/*
 * From here on the recorder gets its turn first, and the inspector looks at one packet at a time:
 * facts have to wait for their opinions.
 */
void run_lag(struct run *run);

/*
 * All packets of `w`, then the end of the run. `pump_every` is after how many packets inspector and
 * recorder get their turn: the result must not depend on it.
 */
void run_wire(struct run *run, const struct wire *w, unsigned pump_every);

/*
 * The next run_wire() ends as a process that is killed does: its open flows are not told. The
 * one after it takes its place.
 */
void run_sensor_dies(struct run *run);
/* The recorder dies: what it has not committed is rolled back. Another one goes on. */
void run_recorder_dies(struct run *run);
/* In the next run_wire(), after its packet number `at`; the sensor lives on. */
void run_recorder_dies_at(struct run *run, size_t at);

/* The next run_wire(): by its packet number `at` the kernel has dropped one more. */
void run_drops(struct run *run, size_t at);

struct flowdb *run_db(struct run *run);
const struct recorder *run_recorder(const struct run *run);

#endif
