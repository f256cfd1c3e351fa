/*
 * running.c - see running.h. A process may end while it is read: then it is left out.
 */
#include "monitor/commands/running.h"

#include <ctype.h>
#include <dirent.h>

#define RUNNING_MAX 4096
#define NAME "tlmon"

bool running_title(const char *title, enum process_role *ret_role,
                   enum running_landlock *ret_landlock)
{
	static const char BEGIN[] = NAME ": ";
	size_t len;

	if (strncmp(title, BEGIN, strlen(BEGIN)))
		return false;
	title += strlen(BEGIN);
	len = strcspn(title, " ");
	for (unsigned role = 0; role < PROCESS_COUNT; role++) {
		const char *name = process_role_name(role);

		if (strlen(name) != len || strncmp(title, name, len))
			continue;
		*ret_role = role;
		*ret_landlock = LANDLOCK_UNTOLD;
		if (!strncmp(title + len, " (landlock)", strlen(" (landlock)")))
			*ret_landlock = LANDLOCK_ON;
		else if (!strncmp(title + len, " (no landlock)", strlen(" (no landlock)")))
			*ret_landlock = LANDLOCK_OFF;
		return true;
	}
	return false;
}

static FILE *proc_open(pid_t pid, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return fopen(path, "re");
}

/* The first word of its command line is its title. */
static bool read_title(struct running *process)
{
	CLEANUP(fclosep) FILE *file = proc_open(process->pid, "cmdline");
	char title[128];
	size_t len = file ? fread(title, 1, sizeof(title) - 1, file) : 0;

	title[len] = '\0';
	return running_title(title, &process->role, &process->landlock);
}

/* False: not ours, or gone. */
static bool read_status(struct running *process)
{
	CLEANUP(fclosep) FILE *file = proc_open(process->pid, "status");
	unsigned mode = 0, no_new_privs = 0;
	bool ours = false, counted = false;
	unsigned long long set;
	char line[256];
	int parent;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strcmp(line, "Name:\t" NAME "\n"))
			ours = true;
		else if (sscanf(line, "PPid: %d", &parent) == 1)
			process->parent = parent;
		else if (sscanf(line, "Uid: %u %u", &process->real_uid, &process->uid) == 2 ||
		         sscanf(line, "NoNewPrivs: %u", &no_new_privs) == 1 ||
		         sscanf(line, "Seccomp: %u", &mode) == 1)
			continue;
		else if (sscanf(line, "CapEff: %llx", &set) == 1)
			process->effective = set;
		else if (sscanf(line, "CapPrm: %llx", &set) == 1)
			process->permitted = set;
		else if (sscanf(line, "Seccomp_filters: %u", &process->filters) == 1)
			counted = true;
	}
	process->no_new_privs = no_new_privs != 0;
	if (!counted) /* before Linux 5.9 */
		process->filters = mode == 2;
	return ours;
}

static void read_limits(struct running *process)
{
	CLEANUP(fclosep) FILE *file = proc_open(process->pid, "limits");
	unsigned long long soft;
	char line[256];

	process->memory = UINT64_MAX;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Max address space %llu", &soft) == 1)
			process->memory = soft;
}

static void read_files(struct running *process)
{
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
	dir = opendir(path);
	process->files = dir ? 0 : -1;
	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		process->files += isdigit((unsigned char)*entry->d_name) != 0;
	if (dir)
		closedir(dir);
}

static struct running *find(struct running *all, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].pid == pid)
			return &all[i];
	return NULL;
}

/* The parent of a titled process is a supervisor, whatever it is called itself. */
static void find_supervisors(struct running *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct running *parent = find(all, count, all[i].parent);

		if (all[i].role == PROCESS_SUPERVISOR)
			all[i].supervisor = all[i].pid;
		if (all[i].role == PROCESS_SUPERVISOR || all[i].role == PROCESS_COUNT ||
		    !parent)
			continue;
		if (parent->role == PROCESS_COUNT)
			parent->role = PROCESS_SUPERVISOR;
		parent->supervisor = parent->pid;
		all[i].supervisor = parent->pid;
	}
}

static int compare(const void *one, const void *other)
{
	const struct running *a = one, *b = other;

	if (a->supervisor != b->supervisor)
		return a->supervisor < b->supervisor ? -1 : 1;
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

int running_find(struct running **ret, size_t *ret_count, struct err *err)
{
	CLEANUP(freep) struct running *all = NULL;
	DIR *proc = opendir("/proc");
	size_t room = 0, count = 0, kept = 0;
	int r = 0;

	if (!proc)
		return err_set(err, -errno, "/proc: %s", strerror(errno));
	for (const struct dirent *entry;
	     !r && count < RUNNING_MAX && (entry = readdir(proc));) {
		struct running process = {.role = PROCESS_COUNT,
		                          .pid = (pid_t)atol(entry->d_name)};

		if (process.pid <= 0 || !read_status(&process))
			continue;
		r = array_reserve(&all, &room, count + 1, sizeof(*all));
		if (r < 0) {
			err_set(err, r, "out of memory");
			continue;
		}
		read_title(&process);
		read_limits(&process);
		read_files(&process);
		all[count++] = process;
	}
	closedir(proc);
	if (r < 0)
		return r;
	find_supervisors(all, count);
	for (size_t i = 0; i < count; i++)
		if (all[i].role != PROCESS_COUNT)
			all[kept++] = all[i];
	if (kept)
		qsort(all, kept, sizeof(*all), compare);
	*ret_count = kept;
	*ret = kept ? TAKE(all) : NULL;
	return 0;
}
