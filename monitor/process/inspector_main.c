/*
 * inspector_main.c - the inspector as a process. nDPI dies of ordinary traffic; here that costs an
 * opinion. The packet it died of still lies unreleased on the ring: the supervisor keeps it.
 */
#include "monitor/process/crew.h"
#include "monitor/inspector.h"

#include <sys/resource.h>

#define WAIT_US 50000
#define REST_US 400000 /* ... while nothing comes: a sensor that is not busy rings */
#define BATCH 32
#define MEMORY (512u << 20)
#define NICE 10 /* live: where there is not time for all, its packets are shed first */

int inspector_main(struct crew *crew)
{
	struct board *board = crew->board;
	struct board_role *mine = &board->role[PROCESS_INSPECTOR];
	struct bell *bell = &board->bell[PROCESS_INSPECTOR];
	const struct inspector_options options = {
		.flows = crew->options->memory.most[MEMORY_INSPECTED],
		.packets = crew->packets,
		.opinions = crew->opinions,
		.hand = &mine->hand,
		.finished = &mine->finished,
		.dtls = crew->options->test.ndpi_dtls,
	};
	struct inspector *inspector;
	uint64_t delay = 0;
	int64_t wait_us = WAIT_US;
	struct err err;

	ring_attach_reader(crew->packets);
	ring_attach_writer(crew->opinions);
	if (inspector_new(&options, &inspector, &err) < 0)
		return crew_fail(crew, &err);
	if (crew->options->capture.live)
		(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICE);
	if (crew_enter(crew, PROCESS_INSPECTOR, NULL, MEMORY) < 0)
		return CREW_FAILED;
	crew_ready(crew, PROCESS_INSPECTOR);
	for (;;) {
		/* Asked before the ring is looked at: nothing comes after that. */
		bool over = atomic_load(&board->stop) >= BOARD_NO_SENSOR;
		uint32_t ticket = bell_listen(bell);
		unsigned done = inspector_step(inspector, BATCH);

		if (done) {
			wait_us = WAIT_US;
			bell_ring(&board->bell[PROCESS_RECORDER]);
			bell_ring(&board->bell[PROCESS_SENSOR]);
		} else if (over && !ring_peek(crew->packets)) {
			break;
		} else {
			bell_wait(bell, ticket, wait_us);
			wait_us = wait_us * 2 < REST_US ? wait_us * 2 : REST_US;
		}
		atomic_store(&board->refused_opinions, inspector_refused(inspector));
		crew_delay(crew, &delay);
	}
	return CREW_DONE;
}
