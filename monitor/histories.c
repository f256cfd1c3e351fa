/*
 * histories.c - see histories.h.
 */
#include "monitor/histories.h"
#include "monitor/policy_record.h"

static void drop(struct histories *histories, size_t at)
{
	history_freep(&histories->held[at].history);
	policy_freep(&histories->held[at].policy);
}

void histories_release(struct histories *histories)
{
	for (size_t i = 0; i < HISTORIES_MAX; i++)
		drop(histories, i);
}

int histories_of(struct histories *histories, const char *hash, struct history **ret_history,
                 struct err *err)
{
	size_t at = histories->next;
	int r;

	for (size_t i = 0; i < HISTORIES_MAX; i++)
		if (histories->held[i].history && !strcmp(histories->held[i].policy->hash, hash)) {
			*ret_history = histories->held[i].history;
			return 0;
		}
	drop(histories, at);
	r = policy_of_record(histories->db, hash, &histories->held[at].policy, err);
	if (r >= 0)
		r = history_new(histories->db, histories->held[at].policy, NULL,
		                &histories->held[at].history, err);
	if (r < 0)
		return r;
	histories->next = (at + 1) % HISTORIES_MAX;
	*ret_history = histories->held[at].history;
	return 0;
}
