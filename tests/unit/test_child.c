/*
 * test_child.c - when a role is ended for a packet that it has in hand too long, and when it only has no CPU.
 */
#include "monitor/process/child.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define LOOK_US 100000
#define SECOND INT64_C(1000000)
#define GREEDY 4

enum rest { SPINS, SLEEPS };

/* On the first CPU that we may use; `last`: it gets what nobody else wants of it. */
static pid_t begin(enum rest rest, bool last)
{
	pid_t pid = fork();
	volatile unsigned turns = 0;
	cpu_set_t cpus, one;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* also of a test that fails */
	CPU_ZERO(&one);
	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		for (unsigned i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
			if (CPU_ISSET(i, &cpus))
				CPU_SET(i, &one);
	if (sched_setaffinity(0, sizeof(one), &one) ||
	    (last && sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0})))
		_exit(1);
	while (rest == SLEEPS)
		pause();
	for (;;)
		turns++;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Whether it is called hung within so long. */
static bool hangs_within(struct child *child, int64_t us)
{
	int64_t until_us = child_clock_us() + us;

	while (!child->hung && child_clock_us() < until_us) {
		child_watch(child, 7);
		usleep(LOOK_US);
	}
	return child->hung;
}

/* Reaps it; the signal it ended by. */
static int ended_by(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void who_gets_no_cpu_does_not_hang(void **state)
{
	struct child child = {.pid = begin(SPINS, true)};
	pid_t greedy[GREEDY];

	for (size_t i = 0; i < ARRAY_LEN(greedy); i++)
		greedy[i] = begin(SPINS, false);
	usleep(LOOK_US);
	assert_false(hangs_within(&child, 3 * SECOND));
	for (size_t i = 0; i < ARRAY_LEN(greedy); i++)
		end(greedy[i]);
	/* With one it does. */
	assert_true(hangs_within(&child, 20 * SECOND));
	assert_int_equal(ended_by(&child), SIGABRT);
}

static void who_waits_for_nothing_hangs(void **state)
{
	struct child child = {.pid = begin(SLEEPS, false)};

	assert_false(hangs_within(&child, SECOND));
	assert_true(hangs_within(&child, 2 * SECOND));
	assert_int_equal(ended_by(&child), SIGABRT);
}

/* Its handler does not end it. */
static void who_ignores_its_end_is_killed(void **state)
{
	struct child child = {.pid = begin(SLEEPS, false)};

	assert_int_equal(kill(child.pid, SIGSTOP), 0);
	assert_true(hangs_within(&child, 3 * SECOND));
	for (unsigned looks = 0; looks < 10; looks++) {
		child_watch(&child, 7);
		usleep(LOOK_US);
	}
	assert_int_equal(ended_by(&child), SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_gets_no_cpu_does_not_hang),
		cmocka_unit_test(who_waits_for_nothing_hangs),
		cmocka_unit_test(who_ignores_its_end_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
