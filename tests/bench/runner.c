/*
 * runner.c - runs a program and says what it cost with all its processes: CPU of the whole tree, wall time, and
 * with -m the peak of its memory. That is the sum over the tree of Pss (shared pages once, in parts), looked at
 * every 20 ms: a peak between two looks is missed, and looking takes time, so measure that in a run of its own.
 *
 *   runner [-m] [-t SECONDS] -o FILE -- PROGRAM ARGUMENTS...
 *
 * Writes "CPU WALL KIB" (seconds, KiB or 0) to FILE; ends as the program does, 124 when it took too long.
 */
#include "schema/base.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 20
#define LOOK_IDLE_MS 200
#define TREE_MAX 64

struct options {
	bool memory;
	double seconds;
	const char *output;
	char **program;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Appends the children of `pid`, all its threads', to `pids`. */
static void children_add(pid_t pid, pid_t pids[TREE_MAX], unsigned *count)
{
	char path[64];
	FILE *file;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (*count < TREE_MAX && fscanf(file, "%d", &child) == 1)
		pids[(*count)++] = child;
	fclose(file);
}

static uint64_t pss_kib(pid_t pid)
{
	char path[64], line[128];
	unsigned long long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Pss: %llu kB", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

static uint64_t tree_kib(void)
{
	pid_t pids[TREE_MAX];
	unsigned count = 0;
	uint64_t kib = 0;

	children_add(getpid(), pids, &count);
	for (unsigned i = 0; i < count; i++) {
		kib += pss_kib(pids[i]);
		children_add(pids[i], pids, &count);
	}
	return kib;
}

static void tree_kill(void)
{
	pid_t pids[TREE_MAX];
	unsigned count = 0;

	children_add(getpid(), pids, &count);
	for (unsigned i = 0; i < count; i++) {
		children_add(pids[i], pids, &count);
		kill(pids[i], SIGKILL);
	}
}

/* Takes in whoever has ended; false once nobody is left. */
static bool reap(pid_t program, int *status)
{
	pid_t pid;
	int one;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0)
		if (pid == program)
			*status = one;
	return pid == 0;
}

static int run(const struct options *options, const sigset_t *before, int chld, uint64_t *peak)
{
	double end = now_s() + options->seconds;
	pid_t program = fork();
	int status = 0;

	if (!program) {
		sigprocmask(SIG_SETMASK, before, NULL);
		execvp(options->program[0], options->program);
		fprintf(stderr, "runner: %s: %s\n", options->program[0], strerror(errno));
		_exit(127);
	}
	if (program < 0)
		return 126;
	while (reap(program, &status)) {
		struct pollfd ready = {.fd = chld, .events = POLLIN};
		struct signalfd_siginfo info;
		uint64_t kib = options->memory ? tree_kib() : 0;

		if (kib > *peak)
			*peak = kib;
		if (now_s() > end) {
			tree_kill();
			while (waitpid(-1, NULL, 0) > 0)
				;
			return 124;
		}
		if (poll(&ready, 1, options->memory ? LOOK_MS : LOOK_IDLE_MS) > 0 &&
		    read(chld, &info, sizeof(info)) < 0)
			return 126;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool options_read(int argc, char **argv, struct options *options)
{
	int c;

	while ((c = getopt(argc, argv, "+mt:o:")) != -1) {
		if (c == 'm')
			options->memory = true;
		else if (c == 't')
			options->seconds = strtod(optarg, NULL);
		else if (c == 'o')
			options->output = optarg;
		else
			return false;
	}
	options->program = argv + optind;
	return options->output && optind < argc;
}

int main(int argc, char **argv)
{
	struct options options = {.seconds = 900};
	struct rusage usage;
	uint64_t peak = 0;
	sigset_t chld, before;
	double began, cpu;
	FILE *file;
	int code;

	if (!options_read(argc, argv, &options)) {
		fprintf(stderr,
		        "usage: runner [-m] [-t SECONDS] -o FILE -- PROGRAM ARGUMENTS...\n");
		return 125;
	}
	/* What the program leaves behind becomes our child, so that its time is counted too. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	began = now_s();
	code = run(&options, &before, signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK), &peak);
	began = now_s() - began;
	getrusage(RUSAGE_CHILDREN, &usage);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	file = fopen(options.output, "we");
	if (!file ||
	    fprintf(file, "%.4f %.3f %llu\n", cpu, began, (unsigned long long)peak) < 0 ||
	    fclose(file)) {
		fprintf(stderr, "runner: %s: %s\n", options.output, strerror(errno));
		return 125;
	}
	return code;
}
