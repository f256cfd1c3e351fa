/*
 * exporter_main.c - the exporter as a process: once a second it looks into the database for what is
 * new, and once more when the recorder has gone.
 */
#include "monitor/process/crew.h"
#include "monitor/exporter.h"

#define STEP_US 1000000

int exporter_main(struct crew *crew)
{
	struct board *board = crew->board;
	struct bell *bell = &board->bell[PROCESS_EXPORTER];
	const struct exporter_options options = {
		.dir = crew->options->dir,
		.eve_fd = crew->eve,
		.run = atomic_load(&board->run),
		.cursor = &board->exported,
	};
	struct exporter *exporter;
	struct err err = {0};
	unsigned tries = 3; /* at the end, should somebody have the database locked */
	bool over;
	int r;

	r = exporter_new(&options, &exporter, &err);
	if (r < 0)
		return crew_fail(crew, &err);
	if (crew_enter(crew, PROCESS_EXPORTER, crew->options->dir, 0) < 0)
		return CREW_FAILED;
	crew_ready(crew, PROCESS_EXPORTER);
	do {
		uint32_t ticket = bell_listen(bell);
		unsigned written = 0;

		/* Asked before the database is looked at: nothing is written after that. */
		over = atomic_load(&board->stop) >= BOARD_NO_RECORDER;
		r = exporter_step(exporter, &written, &err);
		if (r < 0 && r != -EAGAIN)
			crew_fail(crew, &err);
		atomic_store(&board->export_fails, r < 0 && r != -EAGAIN);
		atomic_fetch_add(&board->role[PROCESS_EXPORTER].finished, written);
		if (over && r == -EAGAIN && tries && tries--)
			over = false;
		if (!over)
			bell_wait(bell, ticket, STEP_US);
	} while (!over);
	if (r < 0)
		crew_fail(crew, &err);
	exporter_free(exporter);
	return r < 0 ? CREW_FAILED : CREW_DONE;
}
