/*
 * status.c - see status.h.
 */
#include "monitor/process/status.h"
#include "schema/time.h"

void status_line(FILE *out, const struct run_state *state)
{
	char time[TIME_TEXT];

	fprintf(out,
	        "tlmon: at %.19s: %llu packets (%llu dropped), %llu units, %llu flows, %llu findings\n",
	        time_print_local(state->now_us, time), (unsigned long long)state->seen,
	        (unsigned long long)state->dropped, (unsigned long long)state->units,
	        (unsigned long long)state->flows, (unsigned long long)state->findings);
}

void status_print(FILE *out, const struct run_state *state, const struct child *child,
                  const struct board *board)
{
	char missing[SANDBOX_MISSING];

	status_line(out, state);
	for (unsigned role = 1; role < PROCESS_COUNT; role++) {
		if (!child[role].forks)
			continue;
		fprintf(out, "tlmon:   %-9s ", process_role_name(role));
		if (child[role].pid)
			fprintf(out, "pid %d%s", (int)child[role].pid,
			        child[role].still ? ", stands still" : "");
		else
			fputs("not running", out);
		fprintf(out, ", %llu restart%s", (unsigned long long)child[role].restarts,
		        child[role].restarts == 1 ? "" : "s");
		board_missing(board, role, missing);
		if (*missing)
			fprintf(out, ", without %s", missing);
		fputc('\n', out);
	}
}
