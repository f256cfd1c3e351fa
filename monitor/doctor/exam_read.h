/*
 * exam_read.h - what a run left, for the checks: units and what the mirror shows of each, blind intervals,
 * names. For exam.c.
 */
#ifndef MONITOR_DOCTOR_EXAM_READ_H
#define MONITOR_DOCTOR_EXAM_READ_H

#include "monitor/doctor/exam.h"

int exam_read(struct exam *exam, struct err *err) MUST_CHECK;

#endif
