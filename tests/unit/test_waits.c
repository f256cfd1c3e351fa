/*
 * test_waits.c - no circle of waits exists: three processes with the rings, bells and join of the program
 * (design.md 2), on the smallest rings there are, each slow at times, stopped at times, killed at times.
 * They wait for each other as for a capture file: nobody sheds anything. Every event must come through, once
 * and in order, and in bounded time.
 */
#include "monitor/bell.h"
#include "monitor/record/join.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define FACTS 20000
#define WAIT_US 50000
#define STALL_US 10000000 /* nobody gets on for so long: a circle */
#define OPINIONS_MAX (1 << 16)
#define BURST 4000 /* packets without a fact between them: more than any of the rings holds */

enum who { SENSOR, INSPECTOR, RECORDER, WHO_COUNT };

struct lab {
	struct ring *facts, *packets, *opinions;
	struct shared {
		struct bell bell[WHO_COUNT];
		_Atomic uint64_t steps[WHO_COUNT];
		_Atomic uint64_t packets_written, facts_read;
		_Atomic bool sensor_over;
		char why[256]; /* what a process saw that must not be */
	} * shared;
	uint64_t seed;
	bool leaves_opinions; /* a recorder as it must not be */
};

/* A fact: its number, and how many packets came before it. */
struct fact {
	struct event head;
	uint64_t number, packets;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t random_of(const struct lab *lab, enum who who)
{
	return lab->seed * 0x9e3779b97f4a7c15 + (who + 1) * UINT64_C(0xd1b54a32d192ed03);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

__attribute__((noreturn)) PRINTF(2, 3) static void fails(struct lab *lab, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(lab->shared->why, sizeof(lab->shared->why), fmt, args);
	va_end(args);
	_exit(1);
}

static void step(struct lab *lab, enum who who, uint64_t *random)
{
	atomic_fetch_add(&lab->shared->steps[who], 1);
	if (next_random(random) % 4000 == 0)
		usleep((useconds_t)(next_random(random) % 3000));
}

static void ring_bells(struct lab *lab, enum who a, enum who b)
{
	bell_ring(&lab->shared->bell[a]);
	bell_ring(&lab->shared->bell[b]);
}

/* --------------------------------------------------------------- the three */

static void *sensor_room(struct lab *lab, struct ring *ring, size_t len)
{
	struct bell *bell = &lab->shared->bell[SENSOR];
	void *room;

	while (!(room = ring_reserve(ring, len))) {
		uint32_t ticket;

		ring_bells(lab, INSPECTOR, RECORDER);
		ticket = bell_listen(bell);
		room = ring_reserve(ring, len);
		if (room)
			break;
		bell_wait(bell, ticket, WAIT_US);
	}
	return room;
}

static void sensor(struct lab *lab)
{
	uint64_t random = random_of(lab, SENSOR), packets = 0;

	for (uint64_t number = 1; number <= FACTS; number++) {
		uint64_t dice = next_random(&random), count = dice % 3;
		struct fact *fact;

		if (dice % 1024 == 0)
			count = dice / 1024 % BURST;
		for (; count; count--) {
			size_t len = sizeof(struct event_packet) +
			             next_random(&random) % (dice % 8 ? 100 : INSPECT_MAX);
			struct event_packet *packet = sensor_room(lab, lab->packets, len);

			packet->head.type = EVENT_PACKET;
			packet->flow = ++packets;
			ring_publish(lab->packets);
			step(lab, SENSOR, &random);
		}
		fact = sensor_room(lab, lab->facts, sizeof(*fact) + next_random(&random) % 300);
		fact->head.type = EVENT_FORGET;
		fact->head.handed = ring_written(lab->packets);
		fact->number = number;
		fact->packets = packets;
		ring_publish(lab->facts);
		step(lab, SENSOR, &random);
		if (number % 64 == 0)
			ring_bells(lab, INSPECTOR, RECORDER);
	}
	atomic_store(&lab->shared->packets_written, packets);
	atomic_store(&lab->shared->sensor_over, true);
	ring_bells(lab, INSPECTOR, RECORDER);
}

static enum app opinion_of(uint64_t packet)
{
	return (enum app)(1 + packet % (APP_COUNT - 1));
}

/* As inspector.c: room for the opinion first, and the packet is released behind it. */
static bool inspector_step(struct lab *lab, uint64_t *expected)
{
	const struct event_packet *packet =
		(const struct event_packet *)ring_peek(lab->packets);
	struct event_opinion *opinion;

	if (!packet)
		return false;
	opinion = ring_reserve(lab->opinions, sizeof(*opinion));
	if (!opinion)
		return false;
	if (*expected && packet->flow != *expected)
		fails(lab, "inspector: packet %llu came in place of %llu",
		      (unsigned long long)packet->flow, (unsigned long long)*expected);
	*expected = packet->flow + 1;
	opinion->head.type = EVENT_OPINION;
	opinion->flow = packet->flow;
	opinion->app = (uint16_t)opinion_of(packet->flow);
	ring_publish(lab->opinions);
	ring_take(lab->packets);
	ring_release(lab->packets);
	return true;
}

static void inspector(struct lab *lab, uint64_t life)
{
	struct bell *bell = &lab->shared->bell[INSPECTOR];
	uint64_t random = random_of(lab, INSPECTOR) + life, expected = life ? 0 : 1;

	ring_attach_reader(lab->packets);
	ring_attach_writer(lab->opinions);
	for (;;) {
		bool over = atomic_load(&lab->shared->sensor_over);
		uint32_t ticket = bell_listen(bell);
		unsigned done = 0;

		while (done < 32 && inspector_step(lab, &expected)) {
			step(lab, INSPECTOR, &random);
			done++;
		}
		if (done)
			ring_bells(lab, SENSOR, RECORDER);
		else if (over && !ring_peek(lab->packets))
			break;
		else
			bell_wait(bell, ticket, WAIT_US);
	}
}

/* As recorder.c: `done` is asked for first, then opinions are drained, then facts are handled, and committed. */
static unsigned recorder_step(struct lab *lab, struct join *join, uint64_t *number,
                              uint64_t *packets)
{
	uint64_t done = ring_released(lab->packets);
	const struct event *event;
	unsigned count = 0;

	if (!lab->leaves_opinions || ring_peek(lab->facts))
		join_drain(join, lab->opinions);
	while (count < 32 && (event = ring_peek(lab->facts)) && event->handed <= done) {
		const struct fact *fact = (const struct fact *)event;

		if (fact->number != *number + 1)
			fails(lab, "recorder: fact %llu came behind %llu",
			      (unsigned long long)fact->number, (unsigned long long)*number);
		*number = fact->number;
		for (; *packets < fact->packets; (*packets)++)
			if (join_opinion(join, *packets + 1, true) != opinion_of(*packets + 1))
				fails(lab,
				      "recorder: fact %llu came before the opinion on packet %llu",
				      (unsigned long long)fact->number,
				      (unsigned long long)*packets + 1);
		ring_take(lab->facts);
		ring_release(lab->facts);
		count++;
	}
	if (join_settled(join, lab->opinions) == ring_position(lab->opinions))
		ring_release(lab->opinions);
	return count;
}

static void recorder(struct lab *lab)
{
	struct bell *bell = &lab->shared->bell[RECORDER];
	struct join *join = join_new(OPINIONS_MAX);
	uint64_t random = random_of(lab, RECORDER), number = 0, packets = 0;

	while (number < FACTS) {
		uint32_t ticket = bell_listen(bell);
		unsigned done = recorder_step(lab, join, &number, &packets);

		for (unsigned i = 0; i < done; i++)
			step(lab, RECORDER, &random);
		ring_bells(lab, SENSOR, INSPECTOR);
		if (!done)
			bell_wait(bell, ticket, WAIT_US);
	}
	join_drain(join, lab->opinions);
	if (join_refused(join))
		fails(lab, "recorder: %llu opinions were refused",
		      (unsigned long long)join_refused(join));
	if (ring_peek(lab->facts) || ring_peek(lab->opinions))
		fails(lab, "recorder: something is left when all was read");
	lab->shared->facts_read = number;
	join_free(join);
}

/* ------------------------------------------------------------ who starts them */

static void lab_init(struct lab *lab, uint64_t seed)
{
	*lab = (struct lab){ring_new(1), ring_new(1), ring_new(1), .seed = seed};
	lab->shared = mmap(NULL, sizeof(*lab->shared), PROT_READ | PROT_WRITE,
	                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(lab->facts && lab->packets && lab->opinions);
	assert_ptr_not_equal(lab->shared, MAP_FAILED);
}

static void lab_release(struct lab *lab)
{
	ring_free(lab->facts);
	ring_free(lab->packets);
	ring_free(lab->opinions);
	munmap(lab->shared, sizeof(*lab->shared));
}

static pid_t begin(struct lab *lab, enum who who, uint64_t life)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	if (who == SENSOR)
		sensor(lab);
	else if (who == INSPECTOR)
		inspector(lab, life);
	else
		recorder(lab);
	_exit(0);
}

/* What is done to them meanwhile. */
struct trouble {
	bool stops,
		kills; /* anybody is stopped for a while; the inspector is killed and replaced */
	int64_t stall_us;
};

static uint64_t steps_of(const struct lab *lab)
{
	uint64_t sum = 0;

	for (enum who who = 0; who < WHO_COUNT; who++)
		sum += atomic_load(&lab->shared->steps[who]);
	return sum;
}

static void stop_somebody(const pid_t *pids, uint64_t *random)
{
	uint64_t dice = next_random(random);
	useconds_t span = (useconds_t)(1000 + dice / 64 % 40000);

	/* One of them, or two at once. */
	for (enum who who = 0; who < WHO_COUNT; who++)
		if (pids[who] && (dice % 3 == who || dice / 3 % 6 == who))
			kill(pids[who], SIGSTOP);
	usleep(span);
	for (enum who who = 0; who < WHO_COUNT; who++)
		if (pids[who])
			kill(pids[who], SIGCONT);
}

/* Returns whether all came to their end; false: nobody got on for stall_us, and they were killed. */
static bool run(struct lab *lab, const struct trouble *trouble, unsigned *ret_kills)
{
	uint64_t random = lab->seed ^ UINT64_C(0x2545f4914f6cdd1d), steps = 0, life = 0;
	pid_t pids[WHO_COUNT];
	int64_t moved_us = now_us();
	unsigned left = WHO_COUNT;
	bool stalled = false;

	for (enum who who = 0; who < WHO_COUNT; who++)
		pids[who] = begin(lab, who, 0);
	while (left) {
		int status;

		for (enum who who = 0; who < WHO_COUNT; who++) {
			if (!pids[who] || waitpid(pids[who], &status, WNOHANG) != pids[who])
				continue;
			pids[who] = 0;
			if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
				left--;
			} else if (who == INSPECTOR && WIFSIGNALED(status) &&
			           WTERMSIG(status) == SIGKILL && !stalled) {
				pids[who] = begin(lab, who, ++life);
			} else {
				left--;
				stalled = true;
			}
		}
		if (steps != steps_of(lab)) {
			steps = steps_of(lab);
			moved_us = now_us();
		}
		if (now_us() - moved_us > trouble->stall_us)
			stalled = true;
		if (stalled)
			for (enum who who = 0; who < WHO_COUNT; who++)
				if (pids[who])
					kill(pids[who], SIGKILL);
		if (trouble->stops && !stalled)
			stop_somebody(pids, &random);
		usleep((useconds_t)(next_random(&random) % 5000));
		if (trouble->kills && pids[INSPECTOR] && !stalled)
			kill(pids[INSPECTOR], SIGKILL);
	}
	*ret_kills = (unsigned)life;
	return !stalled;
}

static void comes_through(uint64_t seed, struct trouble trouble)
{
	unsigned kills;
	struct lab lab;
	bool ended;

	lab_init(&lab, seed);
	trouble.stall_us = STALL_US;
	ended = run(&lab, &trouble, &kills);
	if (!ended)
		print_error("seed %llu: %s\n", (unsigned long long)seed,
		            *lab.shared->why ? lab.shared->why
		                             : "nobody gets on: a circle of waits");
	assert_true(ended);
	assert_int_equal(lab.shared->facts_read, FACTS);
	assert_int_equal(ring_released(lab.packets), ring_written(lab.packets));
	assert_int_equal(ring_released(lab.facts), ring_written(lab.facts));
	/* Each packet at least once; those that were killed had not released the one in hand. */
	assert_true(lab.shared->steps[INSPECTOR] + kills >= lab.shared->packets_written);
	if (trouble.kills)
		assert_true(kills > 10);
	lab_release(&lab);
}

static void slow_readers_and_writers_all_come_to_the_end(void **state)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		comes_through(seed, (struct trouble){0});
}

static void whoever_is_stopped_for_a_while_the_others_go_on_afterwards(void **state)
{
	for (uint64_t seed = 11; seed <= 14; seed++)
		comes_through(seed, (struct trouble){.stops = true});
}

static void an_inspector_killed_again_and_again_costs_no_fact_and_no_opinion(void **state)
{
	for (uint64_t seed = 21; seed <= 22; seed++)
		comes_through(seed, (struct trouble){.kills = true});
}

/* What the rest of this file is there to find: it must be able to. */
static void a_recorder_that_leaves_opinions_lying_makes_a_circle_and_is_found_out(void **state)
{
	unsigned kills;
	struct lab lab;

	lab_init(&lab, 1);
	lab.leaves_opinions = true;
	assert_false(run(&lab, &(struct trouble){.stall_us = 1000000}, &kills));
	assert_string_equal(lab.shared->why, "");
	assert_true(lab.shared->facts_read < FACTS);
	lab_release(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_readers_and_writers_all_come_to_the_end),
		cmocka_unit_test(whoever_is_stopped_for_a_while_the_others_go_on_afterwards),
		cmocka_unit_test(
			an_inspector_killed_again_and_again_costs_no_fact_and_no_opinion),
		cmocka_unit_test(
			a_recorder_that_leaves_opinions_lying_makes_a_circle_and_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
