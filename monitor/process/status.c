/*
 * status.c - see status.h.
 */
#include "monitor/process/status.h"
#include "schema/time.h"

void status_print(FILE *out, const struct run_state *state, const struct child *child,
                  const struct board *board)
{
	char time[TIME_TEXT], missing[SANDBOX_MISSING];

	fprintf(out, "tlmon: at %.19s: %llu packets (%llu dropped), %llu units, %llu flows, %llu findings\n",
	        time_print_local(state->now_us, time), (unsigned long long)state->seen,
	        (unsigned long long)state->dropped, (unsigned long long)state->units,
	        (unsigned long long)state->flows, (unsigned long long)state->findings);
	for (unsigned role = 1; role < PROCESS_COUNT; role++) {
		if (!child[role].forks)
			continue;
		fprintf(out, "tlmon:   %-9s ", process_role_name(role));
		if (child[role].pid)
			fprintf(out, "pid %d", (int)child[role].pid);
		else
			fputs("not running", out);
		fprintf(out, ", %llu restarts", (unsigned long long)child[role].forks - 1);
		board_missing(board, role, missing);
		if (*missing)
			fprintf(out, ", without %s", missing);
		fputc('\n', out);
	}
}
