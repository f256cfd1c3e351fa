/*
 * scope_program.h - a scope as a program for the kernel's packet filter: whatever scope_passes() lets through passes, and a
 * little more where the program would be too long (ranges grow together over their smallest gaps) or an address is
 * not looked at whole (of IPv6 its last 32 bits that tell, of a MAC its last 32).
 */
#ifndef MONITOR_CAPTURE_SCOPE_PROGRAM_H
#define MONITOR_CAPTURE_SCOPE_PROGRAM_H

#include "monitor/capture/scope.h"

#include <linux/filter.h>

/* The program's answer to what passes: no frame is longer. */
#define SCOPE_KEEP 262144

/*
 * Into `code`, of `max` instructions: first `words` (a filter of somebody's, may be none), then what passes that. Returns
 * how many instructions it takes; 0 if there is no such program: of this link type, with so few instructions, or
 * out of memory.
 */
size_t scope_program(const struct scope *scope, enum link link, const struct sock_filter *words,
                     size_t word_count, struct sock_filter *code, size_t max);

#endif
