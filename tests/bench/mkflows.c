/*
 * mkflows.c - a flow database of any size (tests/lib/flowgen.h), written as the recorder writes it.
 */
#include "tests/lib/flowgen.h"

#include <time.h>

#define COMMIT_ROWS 10000 /* as monitor/recorder_events.c */

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fill(struct flowdb *db, struct flowgen *gen, struct err *err)
{
	struct flow_facts facts;
	struct verdict verdict;
	struct flow_row flow;
	uint64_t rows = 0;
	int r;

	while ((r = flowgen_next(gen, &flow, &facts, &verdict, err)) > 0) {
		int64_t id = 0;

		r = flowdb_flow_put(db, &flow, &id, err);
		if (r >= 0 && ++rows % COMMIT_ROWS == 0) {
			r = flowdb_commit(db, err);
			if (r >= 0)
				r = flowdb_begin(db, err);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int make(const char *dir, const struct flowgen_size *size, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(flowgen_freep) struct flowgen *gen = NULL;
	int r = flowdb_open(dir, FLOWDB_WRITE, &db, err);

	if (r >= 0)
		r = flowdb_begin(db, err);
	if (r >= 0)
		r = flowgen_new(db, size, &gen, err);
	if (r >= 0)
		r = fill(db, gen, err);
	if (r >= 0)
		r = flowgen_finish(gen, err);
	return r < 0 ? r : flowdb_commit(db, err);
}

int main(int argc, char **argv)
{
	struct flowgen_size size = {.seed = 5};
	struct err err = {0};

	if (argc != 5) {
		fprintf(stderr, "usage: mkflows DIR FLOWS UNITS DAYS\n");
		return 2;
	}
	size.flows = strtoull(argv[2], NULL, 10);
	size.units = (unsigned)strtoul(argv[3], NULL, 10);
	size.days = (unsigned)strtoul(argv[4], NULL, 10);
	if (make(argv[1], &size, &err) < 0) {
		fprintf(stderr, "mkflows: %s\n", err.text);
		return 1;
	}
	printf("%llu flows of %u units over %u days made in %.0f s of CPU\n",
	       (unsigned long long)size.flows, size.units, size.days, cpu_s());
	return 0;
}
