/*
 * roles.h - THE LIST of process roles (design.md 2) and what a running one is called in `ps`:
 * "tlmon: sensor".
 */
#ifndef MONITOR_PROCESS_ROLES_H
#define MONITOR_PROCESS_ROLES_H

#define ROLES(X) \
	X(SUPERVISOR, "supervisor") \
	X(SENSOR, "sensor") \
	X(INSPECTOR, "inspector") \
	X(RECORDER, "recorder") \
	X(EXPORTER, "exporter")

/* clang-format off */
enum process_role {
#define X(name, text) PROCESS_##name,
	ROLES(X)
#undef X
	PROCESS_COUNT
};
/* clang-format on */

const char *process_role_name(enum process_role role);

#endif
