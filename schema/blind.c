/*
 * blind.c - see blind.h.
 */
#include "schema/blind.h"

static const struct {
	const char *name, *counted, *sentence;
} CAUSES[BLIND_CAUSE_COUNT] = {
#define X(name, text, counted, sentence) [BLIND_##name] = {text, counted, sentence},
	BLIND_CAUSES(X)
#undef X
};

const char *blind_cause_name(enum blind_cause cause)
{
	return (unsigned)cause < BLIND_CAUSE_COUNT ? CAUSES[cause].name : NULL;
}

const char *blind_cause_counted(enum blind_cause cause)
{
	return (unsigned)cause < BLIND_CAUSE_COUNT ? CAUSES[cause].counted : NULL;
}

const char *blind_count_print(enum blind_cause cause, uint64_t count,
                              char buf[BLIND_COUNT_TEXT])
{
	const char *counted = blind_cause_counted(cause);
	size_t len = counted ? strlen(counted) : 0;

	*buf = '\0';
	if (count && len) /* every one of the words ends in s */
		snprintf(buf, BLIND_COUNT_TEXT, "%llu %.*s", (unsigned long long)count,
		         (int)(len - (count == 1)), counted);
	return buf;
}

const char *blind_cause_sentence(enum blind_cause cause)
{
	return (unsigned)cause < BLIND_CAUSE_COUNT ? CAUSES[cause].sentence : NULL;
}

enum blind_cause blind_cause_parse(const char *text)
{
	for (unsigned cause = 1; cause < BLIND_CAUSE_COUNT; cause++)
		if (!strcmp(CAUSES[cause].name, text))
			return (enum blind_cause)cause;
	return BLIND_CAUSE_COUNT;
}
