/*
 * doctor.h - the three things `tlmon doctor` looks at: this host, the processes that run on it, and a mirror. Each
 * prints its answer and returns the exit code.
 */
#ifndef MONITOR_COMMANDS_DOCTOR_H
#define MONITOR_COMMANDS_DOCTOR_H

#include "monitor/commands/feed.h"
#include "monitor/commands/out.h"

int doctor_host(enum out_format format, bool wide, struct err *err);
int doctor_sandbox(enum out_format format, bool wide, struct err *err);
/* How `bytes` of memory would be split, or what a run takes without --memory (0). */
int doctor_memory(uint64_t bytes, uint32_t flows, enum out_format format, bool wide, struct err *err);
/* What `feed` and the policy's words ask for is run, and looked at (monitor/doctor/). */
int doctor_mirror(struct feed *feed, const struct policy_options *policy,
                  enum out_format format, bool wide, struct err *err);
/* The checks, one a line, for the help. */
void doctor_checks_print(FILE *file);

#endif
