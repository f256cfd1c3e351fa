/*
 * keeper.c - see keeper.h.
 */
#include "monitor/process/keeper.h"
#include "monitor/log.h"
#include "monitor/scoping.h"

#include <unistd.h>

int keeper_begin(struct keeper *keeper, const struct run_options *options, struct err *err)
{
	if (!options->scope || options->mirror)
		return 0;
	return scoping_new(options->policy, options->capture.live, &keeper->scope, err);
}

void keeper_let_go(struct keeper *keeper)
{
	while (keeper->handle_count)
		close(keeper->handle[--keeper->handle_count].fd);
}

void keeper_end(struct keeper *keeper)
{
	keeper_let_go(keeper);
	scope_free(keeper->scope);
	keeper->scope = NULL;
}

/* Said once of each run, and again when it is over with it. */
static void apply(struct keeper *keeper, const struct capture *capture)
{
	for (unsigned i = 0; i < keeper->handle_count; i++) {
		struct err err;
		int r = capture_scope(capture, &keeper->handle[i], keeper->scope, &err);

		if (r < 0 && (!keeper->said || keeper->scope->open))
			log_warning("%s: the kernel hands over all packets, not those alone that can matter to the units: %s",
			            keeper->name[i], err.text);
	}
	keeper->said = true;
}

void keeper_take(struct keeper *keeper, const struct capture *capture)
{
	keeper_let_go(keeper);
	if (!keeper->scope)
		return;
	for (size_t i = 0; i < capture_input_count(capture) && i < KEEPER_HANDLES_MAX; i++)
		if (!capture_handle(capture, i, &keeper->handle[keeper->handle_count]))
			keeper->name[keeper->handle_count++] = capture_input(capture, i)->name;
	apply(keeper, capture);
}

void keeper_look(struct keeper *keeper, const struct capture *capture, const struct board *board)
{
	uint32_t count = atomic_load_explicit(&board->learnt_count, memory_order_acquire);
	bool news = false, was_open;

	if (!keeper->scope)
		return;
	was_open = keeper->scope->open;
	if (count > ARRAY_LEN(board->learnt))
		count = ARRAY_LEN(board->learnt);
	for (; keeper->taken < count; keeper->taken++) {
		struct addr addr = board->learnt[keeper->taken];

		news |= scope_learn(keeper->scope, &addr);
	}
	if (news && !was_open)
		apply(keeper, capture);
}
