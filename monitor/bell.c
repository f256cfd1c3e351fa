/*
 * bell.c - see bell.h. The sleeper announces itself before it looks for work, the ringer looks for
 * sleepers after it has published work: with a full fence on both sides one of them sees the other.
 */
#include "monitor/bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint32_t bell_listen(struct bell *bell)
{
	uint32_t ticket = atomic_load_explicit(&bell->rung, memory_order_acquire);

	atomic_store_explicit(&bell->sleeper, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	return ticket;
}

void bell_wait(struct bell *bell, uint32_t ticket, int64_t timeout_us)
{
	struct timespec span = {timeout_us / 1000000, timeout_us % 1000000 * 1000};

	syscall(SYS_futex, &bell->rung, FUTEX_WAIT, ticket, &span, NULL, 0);
	atomic_store_explicit(&bell->sleeper, 0, memory_order_relaxed);
}

void bell_ring(struct bell *bell)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&bell->sleeper, memory_order_relaxed))
		return;
	atomic_store_explicit(&bell->sleeper, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&bell->rung, 1, memory_order_release);
	syscall(SYS_futex, &bell->rung, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}
