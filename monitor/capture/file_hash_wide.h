/*
 * file_hash_wide.h - XXH3 of file_hash.c with registers of 32 bytes, which most machines have. The same sums from the
 * same state, in less than half of the time.
 */
#ifndef MONITOR_CAPTURE_FILE_HASH_WIDE_H
#define MONITOR_CAPTURE_FILE_HASH_WIDE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this machine has them. */
bool file_hash_is_wide(void);
/* `state` is an XXH3_state_t. Only where it is. */
void file_hash_wide(void *state, const void *bytes, size_t len);

#endif
