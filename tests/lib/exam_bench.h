/*
 * exam_bench.h - a mirror written by hand, its database, and what the doctor makes of them (monitor/doctor/exam.h).
 */
#ifndef TESTS_LIB_EXAM_BENCH_H
#define TESTS_LIB_EXAM_BENCH_H

#include "monitor/doctor/exam.h"

#define SITE \
	"units:\n" \
	"  - {name: board, addresses: [10.20.0.15], profiles: [room, touch]}\n" \
	"roles: {dns-server: {addresses: [10.20.0.53]}}\n"
#define START_US (INT64_C(1772438400) * 1000000)

/* A mirror, its database, and what is asked of them; a plain one, until a test changes it. */
struct bench {
	struct mirror *mirror;
	struct policy *policy;
	struct flowdb *db;
	struct counters counters;
	struct exam_input inputs[3];
	struct exam_subject subject;
	struct exam *exam;
	int64_t run;
};

/* Never NULL; the site may be "". */
struct bench *bench_new(const char *site);
void bench_freep(struct bench **at);
#define BENCH(site) CLEANUP(bench_freep) struct bench *bench = bench_new(site)

void succeeded(int r, const struct err *err);
/* A host that sent and got so many packets. */
struct mirror_host *host_add(struct bench *bench, const char *text, uint64_t sent, uint64_t got);
/* A unit of the site was seen there. */
void list_unit(struct bench *bench, const char *name, const char *address);

/* Examines what is there by now. */
void look(struct bench *bench);
/* The n-th row of a check; NULL: there is none. */
const struct exam_row *row_of(const struct bench *bench, enum check check, unsigned n);
/* The first row of a check is exactly so, and its remedy has these words. */
void row_says(const struct bench *bench, enum check check, enum exam_state state,
              const char *seen, const char *remedy);
/* Looks before that. */
void look_finds(struct bench *bench, enum check check, enum exam_state state, const char *seen,
               const char *remedy);

#endif
