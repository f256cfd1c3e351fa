/*
 * keep.c - see keep.h.
 */
#include "schema/keep.h"

const char *keep_name(enum keep keep)
{
	static const char *const names[KEEP_COUNT] = {
		[KEEP_FULL] = "full", [KEEP_HEADERS] = "headers", [KEEP_OFF] = "off"};

	return keep < KEEP_COUNT ? names[keep] : NULL;
}
