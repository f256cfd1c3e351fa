/*
 * roles.c - see roles.h.
 */
#include "monitor/process/roles.h"
#include "schema/base.h"

const char *process_role_name(enum process_role role)
{
	static const char *const NAMES[PROCESS_COUNT] = {
#define X(name, text) [PROCESS_##name] = text,
		ROLES(X)
#undef X
	};

	return (unsigned)role < PROCESS_COUNT ? NAMES[role] : "?";
}
