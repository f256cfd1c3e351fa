/*
 * file_hash_wide.c - see file_hash_wide.h. The Makefile compiles this file alone for AVX2, where there is such a thing:
 * nothing else may stand in it.
 */
#include "monitor/capture/file_hash_wide.h"

#include <stdlib.h>

#ifdef __AVX2__
#define XXH_INLINE_ALL
#include <xxhash.h>

bool file_hash_is_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

void file_hash_wide(void *state, const void *bytes, size_t len)
{
	XXH3_128bits_update(state, bytes, len);
}
#else
bool file_hash_is_wide(void)
{
	return false;
}

void file_hash_wide(void *state, const void *bytes, size_t len)
{
	abort();
}
#endif
