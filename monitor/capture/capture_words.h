/*
 * capture_words.h - tcpdump's words held against flows on record. libpcap compiles them; a packet is made up of
 * what is known of a flow, once each way, and the flow is taken if one of the two would be. Words that look at
 * what no flow remembers (payload, one packet's TCP flags, lengths, ...) are refused.
 *
 * The only header of this folder that readers of the database include: it knows no capture.
 */
#ifndef MONITOR_CAPTURE_CAPTURE_WORDS_H
#define MONITOR_CAPTURE_CAPTURE_WORDS_H

#include "schema/flowdb_query.h"

struct capture_words;
/* -EINVAL with err filled: what libpcap does not understand, or what a recorded flow cannot tell or never meets. */
int capture_words_new(const char *words, struct capture_words **ret, struct err *err) MUST_CHECK;
void capture_words_free(struct capture_words *words);
/* flow_filter.takes; `words` is a struct capture_words. */
bool capture_words_take(const void *words, const struct flow_head *head);

#endif
