/*
 * child.c - see child.h.
 */
#include "monitor/process/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANG_US 2000000
#define HANG_CPU_US (HANG_US / 2) /* one that runs must have used so much of it */
#define HANG_MERCY_US 500000 /* for its handler to keep the packet */
#define BACKOFF_US 100000
#define BACKOFF_MAX_US 5000000

int64_t child_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The terminal's signals go to all of us; what they mean is the supervisor's affair. */
static void child_begin(pid_t parent, bool reads_stdin)
{
	static const int IGNORED[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	/* Again when it has changed its user, which clears this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CREW_FAILED);
	for (size_t i = 0; i < ARRAY_LEN(IGNORED); i++)
		signal(IGNORED[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	/* Only a sensor reads standard input, and only if that is a capture. */
	if (null >= 0 && !reads_stdin)
		dup2(null, STDIN_FILENO);
	closep(&null);
}

static bool reads_stdin(const struct crew *crew)
{
	const struct capture_options *inputs = &crew->options->capture;

	for (size_t i = 0; i < inputs->input_count && !inputs->live; i++)
		if (!strcmp(inputs->inputs[i], "-"))
			return true;
	return false;
}

int child_fork(struct child *child, struct crew *crew, int (*main)(struct crew *crew),
               struct err *err)
{
	struct board_role *told = &crew->board->role[child->role];
	pid_t parent = getpid(), pid;

	atomic_store(&told->hand, 0);
	atomic_store(&told->finished, 0);
	atomic_store(&told->ready_us, 0);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "the %s cannot be started: %s",
		               process_role_name(child->role), strerror(errno));
	if (!pid) {
		child_begin(parent, child->role == PROCESS_SENSOR && reads_stdin(crew));
		for (size_t i = 0; i < crew->options->apart_count; i++)
			close(crew->options->apart[i]);
		crew->again = child->forks > 0;
		_exit(crew_leave(crew, child->role) ? CREW_FAILED : main(crew));
	}
	child->pid = pid;
	child->restarts += child->forks > 0 && !child->waits;
	child->waits = false;
	child->forks++;
	child->hung = child->still = false;
	child->hand = 0;
	child->turns_us = child_clock_us();
	return 0;
}

static void end_fill(const struct child *child, const struct board *board, int status,
                     struct child_end *ret)
{
	*ret = (struct child_end){
		.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.hand = atomic_load(&board->role[child->role].hand),
		.hung = child->hung,
	};
	if (ret->exit_code > 128)
		ret->signal = ret->exit_code - 128;
	ret->crashed = ret->hung || (ret->signal && ret->signal != SIGKILL &&
	                             ret->signal != SIGTERM);
	if (ret->hung)
		snprintf(ret->text, sizeof(ret->text), "hung for 2 s on a packet");
	else if (ret->signal)
		snprintf(ret->text, sizeof(ret->text), "killed by SIG%s",
		         sigabbrev_np(ret->signal) ? sigabbrev_np(ret->signal) : "?");
	else
		snprintf(ret->text, sizeof(ret->text), "ended (exit %d)", ret->exit_code);
}

bool child_ended(struct child *child, struct board *board, struct child_end *ret)
{
	int status;

	if (!child->pid || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return false;
	end_fill(child, board, status, ret);
	child->pid = 0;
	child->not_before_us = 0;
	if (atomic_load(&board->role[child->role].finished)) {
		child->backoff_us = 0;
		child->empty = 0;
	} else {
		child->empty++;
		child->backoff_us = child->backoff_us ? child->backoff_us * 2 : BACKOFF_US;
		if (child->backoff_us > BACKOFF_MAX_US)
			child->backoff_us = BACKOFF_MAX_US;
		child->not_before_us = child_clock_us() + child->backoff_us;
	}
	return true;
}

bool child_await(struct child *child, struct crew *crew, struct child_end *ret_end)
{
	struct board *board = crew->board;
	struct bell *bell = &board->bell[PROCESS_SUPERVISOR];
	struct signalfd_siginfo info;

	for (;;) {
		uint32_t ticket = bell_listen(bell);

		if (atomic_load(&board->role[child->role].ready_us))
			return true;
		if (child_ended(child, board, ret_end))
			return false;
		while (read(crew->signals, &info, sizeof(info)) == sizeof(info))
			if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGUSR1) {
				/* The sensor begins first: before it is there nothing has begun. */
				if (child->role == PROCESS_SENSOR || crew->asked++)
					_exit(128 + (int)info.ssi_signo);
			}
		bell_wait(bell, ticket, 10000);
	}
}

/* -1: not known. */
static int64_t child_cpu_us(const struct child *child)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(child->pid, &clock) || clock_gettime(clock, &used) < 0)
		return -1;
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* proc(5): it runs, or waits for a CPU. */
static bool child_is_runnable(const struct child *child)
{
	CLEANUP(fclosep) FILE *file = NULL;
	char path[32], line[256] = "";
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child->pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		return false;
	state = strrchr(line, ')'); /* behind its name */
	return state && !strncmp(state, ") R", 3);
}

static bool child_starves(const struct child *child)
{
	int64_t used_us = child_cpu_us(child);

	return child->hand_cpu_us >= 0 && used_us >= 0 &&
	       used_us - child->hand_cpu_us < HANG_CPU_US && child_is_runnable(child);
}

void child_watch(struct child *child, uint64_t hand)
{
	int64_t now_us = child_clock_us();

	if (!child->pid)
		return;
	if (!hand || hand != child->hand) {
		child->hand = hand;
		child->hand_since_us = now_us;
		child->hand_cpu_us = hand ? child_cpu_us(child) : -1;
	} else if (child->hung && now_us - child->hung_us >= HANG_MERCY_US) {
		kill(child->pid, SIGKILL);
	} else if (!child->hung && now_us - child->hand_since_us >= HANG_US &&
	           !child_starves(child)) {
		child->hung = true;
		child->hung_us = now_us;
		kill(child->pid, SIGABRT);
	}
}

/* Also one that is stopped. */
void child_kill(struct child *child)
{
	if (!child->pid)
		return;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
}
