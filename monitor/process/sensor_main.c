/*
 * sensor_main.c - the sensor as a process: rings the others' bells as it hands them work, waits for
 * them where it must, and shows the supervisor which packet it has in hand.
 */
#include "monitor/process/crew.h"
#include "monitor/intake.h"
#include "monitor/scoping.h"

#include <signal.h>
#include <unistd.h>

#define WAIT_US 50000
#define MEMORY (256u << 20) /* over what it has taken at the start */
/* While so much or more lies unread its reader is woken; before that it comes by itself, after WAIT_US. */
#define WAKE_BYTES (256u << 10)
#define HANDLER_STACK 65536
#define LOOK_US 100000

struct work {
	struct crew *crew;
	struct board_role *mine;
	const struct sensor *sensor;
	uint64_t delay;
	uint64_t facts_rung, packets_rung; /* positions when their readers were woken last */
	int64_t stop_us;                   /* the run's clock when the end was asked for; 0: not yet */
	int64_t looked_us;                 /* wall clock: when it was last looked whether any request waits */
};

/*
 * A handler has nobody to pass it what it needs: the frame in hand and where it goes. Written
 * before a frame is shown to the sensor, read when that dies of it.
 */
static struct {
	const struct frame *volatile frame;
	struct board_frame *board;
} in_hand;

/*
 * Keeps the packet, then goes: 128 + n tells the supervisor of what. AddressSanitizer would look up
 * the limits of this stack in /proc, which is closed here.
 */
__attribute__((no_sanitize("address"))) static void on_crash(int number)
{
	const struct frame *frame = in_hand.frame;
	struct board_frame *kept = in_hand.board;

	if (frame) {
		kept->time_us = frame->time_us;
		kept->wire_len = frame->wire_len;
		kept->link = (uint8_t)frame->link;
		kept->len = (uint16_t)(frame->caplen < EVIDENCE_MAX ? frame->caplen
		                                                    : EVIDENCE_MAX);
		memcpy(kept->bytes, frame->bytes, kept->len);
	}
	_exit(128 + number);
}

static void on_call(int number)
{
}

static void watch_crashes(struct board *board)
{
	static uint8_t stack[HANDLER_STACK];
	static const int CRASHES[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
	stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};

	in_hand.board = &board->frame;
	board->frame.len = 0;
	sigaltstack(&own, NULL);
	/* Only so that a read of standard input comes back. */
	sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_call}, NULL);
	for (size_t i = 0; i < ARRAY_LEN(CRASHES); i++)
		sigaction(CRASHES[i], &action, NULL);
}

static void wake(struct work *work, bool all)
{
	struct board *board = work->crew->board;
	uint64_t facts = ring_written(work->crew->facts),
		 packets = ring_written(work->crew->packets);

	if (packets != work->packets_rung && (all || packets - work->packets_rung >= WAKE_BYTES)) {
		bell_ring(&board->bell[PROCESS_INSPECTOR]);
		work->packets_rung = packets;
	}
	if (facts != work->facts_rung && (all || facts - work->facts_rung >= WAKE_BYTES)) {
		bell_ring(&board->bell[PROCESS_RECORDER]);
		work->facts_rung = facts;
	}
}

/* A ring is full. Live nobody waits for it, but for the last words of the run. */
static bool full(void *context, bool must)
{
	struct work *work = context;
	struct bell *bell = &work->crew->board->bell[PROCESS_SENSOR];
	uint64_t hand = atomic_load(&work->mine->hand);
	uint32_t ticket;

	atomic_fetch_add(&work->mine->turns, 1);
	wake(work, true);
	if (!must && work->crew->options->capture.live)
		return false;
	/* Whoever waits for another is no hang. */
	atomic_store(&work->mine->hand, 0);
	ticket = bell_listen(bell);
	bell_wait(bell, ticket, WAIT_US / 10);
	atomic_store(&work->mine->hand, hand);
	return true;
}

/* The run ends by itself, and what was asked by then is waited for as long as the supervisor says so. */
static bool waits(struct work *work)
{
	int64_t now_us = crew_now_us();

	if (!atomic_load(&work->crew->board->patient))
		return false;
	if (!work->stop_us)
		work->stop_us = sensor_now(work->sensor);
	/* All flows are looked at: not with each packet. */
	if (work->looked_us && now_us - work->looked_us < LOOK_US && now_us >= work->looked_us)
		return true;
	work->looked_us = now_us;
	return sensor_waits(work->sensor, work->stop_us);
}

/* The supervisor takes it from there. */
static void learnt(void *context, const struct addr *addr)
{
	struct work *work = context;
	struct board *board = work->crew->board;
	uint32_t count = atomic_load(&board->learnt_count);

	if (count >= ARRAY_LEN(board->learnt))
		return;
	board->learnt[count] = *addr;
	atomic_store_explicit(&board->learnt_count, count + 1, memory_order_release);
}

static enum turn turn(void *context, bool idle)
{
	struct work *work = context;
	struct crew *crew = work->crew;
	struct board *board = crew->board;

	if (idle)
		atomic_store(&board->seen_us, crew_now_us());
	if (!crew->options->capture.live)
		atomic_store(&board->permille, capture_progress(crew->capture));
	atomic_fetch_add(&work->mine->turns, 1);
	atomic_store(&board->now_us, sensor_now(work->sensor));
	atomic_store(&board->unheard, sensor_unheard(work->sensor));
	wake(work, idle);
	crew_delay(crew, &work->delay);
	switch (atomic_load(&board->stop)) {
	case BOARD_RUN:
		return TURN_ON;
	case BOARD_HAND_OVER:
		return TURN_AWAY;
	default:
		return waits(work) ? TURN_ON : TURN_STOP;
	}
}

/* What a test wants to go wrong: a UDP payload that begins so (behind a plain Ethernet and IPv4 header). */
static bool begins_with(const struct frame *frame, const char *text)
{
	return text && frame->caplen >= 42 + strlen(text) &&
	       !memcmp(frame->bytes + 42, text, strlen(text));
}

static void begin(void *context, const struct frame *frame)
{
	struct work *work = context;
	struct board *board = work->crew->board;
	const struct run_test *test = &work->crew->options->test;

	in_hand.frame = frame;
	atomic_store_explicit(&board->input, frame->input, memory_order_relaxed);
	atomic_store_explicit(&board->input_packets,
	                      capture_input(work->crew->capture, frame->input)->packets,
	                      memory_order_relaxed);
	atomic_store_explicit(&board->seen_us, frame->time_us, memory_order_relaxed);
	atomic_store_explicit(&work->mine->hand, board->counters.seen + 1, memory_order_relaxed);
	if (test->pace_us && board->counters.seen % 32 == 0)
		usleep(test->pace_us);
	if (begins_with(frame, test->die))
		abort();
	while (begins_with(frame, test->hang))
		usleep(10000);
}

static void end(void *context)
{
	struct work *work = context;

	in_hand.frame = NULL;
	atomic_store_explicit(&work->mine->hand, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&work->mine->finished, 1, memory_order_relaxed);
}

int sensor_main(struct crew *crew)
{
	const struct run_options *options = crew->options;
	struct board *board = crew->board;
	struct work work = {.crew = crew, .mine = &board->role[PROCESS_SENSOR]};
	struct sensor_options sensor = {
		.limits = options->limits,
		.names = options->memory.most[MEMORY_NAMES],
		.streams = options->memory.most[MEMORY_STREAMS],
		.again = crew->again,
		.counters = &board->counters,
		.inspector_off = &board->inspector_off,
		.scope = {crew->keeper.scope, scoping_is_name, options->policy, learnt, &work},
		.unwrap = {run_is_unit, options->policy},
		.keep = options->policy->keep,
		.plain = options->test.plain,
		.dtls = options->test.ndpi_dtls,
		.mirror = options->mirror,
		.live = options->capture.live,
		.prompt = options->capture.live && options->exercised,
		.outbox = {crew->facts, crew->packets, full, &work,
		           options->capture.live},
	};
	struct intake intake = {
		.capture = crew->capture,
		.counters = &board->counters,
		.live = options->capture.live,
		.last = !options->capture.live,
		.turn = turn,
		.begin = begin,
		.end = end,
		.context = &work,
	};
	struct err err;
	int r;

	ring_attach_writer(crew->facts);
	ring_attach_writer(crew->packets);
	watch_crashes(board);
	if (options->capture.live)
		sensor.begin_us = crew_now_us();
	if (!crew->again)
		atomic_store(&board->seen_us, sensor.begin_us);
	work.sensor = intake.sensor = sensor_new(&sensor);
	if (!intake.sensor) {
		err_set(&err, -ENOMEM, "out of memory for the flow table");
		return crew_fail(crew, &err);
	}
	if (crew_enter(crew, PROCESS_SENSOR, NULL, MEMORY) < 0)
		return CREW_FAILED;
	if (crew->again && !options->capture.live)
		capture_skip(crew->capture, atomic_load(&board->input),
		             atomic_load(&board->input_packets));
	if (capture_check(crew->capture, &err) < 0)
		return crew_fail(crew, &err);
	crew_ready(crew, PROCESS_SENSOR);
	r = intake_run(&intake, &err);
	wake(&work, true);
	if (r < 0)
		return crew_fail(crew, &err);
	if (r == TURN_AWAY)
		return CREW_AWAY;
	return r == TURN_ON && options->capture.live ? CREW_GONE : CREW_DONE;
}
