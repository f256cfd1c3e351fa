/*
 * evidence_lack.h - of how many of its flows a finding has packets, and why not of more.
 */
#ifndef MONITOR_COMMANDS_EVIDENCE_LACK_H
#define MONITOR_COMMANDS_EVIDENCE_LACK_H

#include "monitor/commands/query.h"

#define EVIDENCE_FLOWS_WANTED 3 /* of a finding; monitor/record/evidence.h keeps so many */
#define LACK_TEXT 2048

/*
 * Why packets are missing of flows between two times, as the rest of a sentence: "the site file said evidence: off";
 * what is not known for certain is said so. Returns `buf`.
 */
int evidence_lack_print(struct flowdb *db, int64_t since_us, int64_t until_us,
                        char buf[LACK_TEXT], struct err *err) MUST_CHECK;

#endif
