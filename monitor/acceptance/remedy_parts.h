/*
 * remedy_parts.h - what the files of remedies share: the search that goes on, what the flows of a finding have
 * in common, a change that may settle it.
 */
#ifndef MONITOR_ACCEPTANCE_REMEDY_PARTS_H
#define MONITOR_ACCEPTANCE_REMEDY_PARTS_H

#include "monitor/acceptance/acceptance.h"
#include "monitor/acceptance/remedy.h"
#include "monitor/history.h"
#include "monitor/waiver_draft.h"
#include "rules/text_file.h"
#include "rules/yaml_edit.h"

#define SAMPLE_PEERS_MAX 16

/* What flows of a finding have in common. */
struct sample {
	uint64_t flows;
	uint64_t foreign; /* judged by another policy */
	struct addr peers[SAMPLE_PEERS_MAX], local;
	size_t peer_count;
	bool peers_more;
	bool inbound;        /* the first one */
	bool groups;         /* some peer is a group's address */
	bool public_peer;    /* some peer is no private address */
	bool vbss, peer_nat; /* the judge's remark, of any */
	bool connects;       /* all ask an HTTP server to connect them elsewhere */
	uint32_t profiles;   /* mask: any of these beside the unit's own would document all */
	char name[NAME_MAX_LEN + 1]; /* that the first one shows; "" */
	struct differs differs;      /* of the first one in the field that gives the kind */
	bool other_app;              /* the first one differs in its application too */
	bool media;                  /* its nearest row names media */
};

/* A change of the site file, and the words before and behind its place. */
struct candidate {
	char say[1024];
	char else_say[256];    /* "" */
	struct yaml_edit edit; /* points into what follows, and the search */
	/* As a person may fill it in: that is what is proven. NULL: there is nothing to fill in. */
	const struct yaml_edit *filled;
	const char *texts[SAMPLE_PEERS_MAX];
	char space[SAMPLE_PEERS_MAX][PREFIX_TEXT];
	char item[NAME_MAX_LEN + 8];
	bool strict; /* only what verdict_is_firm() says settles it: a profile full of open rows excuses anybody */
	bool trusts; /* it names a server, by whose word others may be proven */
	bool unseen; /* there are no flows of it on record: nothing can be proven */
};

/* What became of one that was tried. */
struct attempt {
	bool proven;
	size_t *settles;
	size_t settle_count;
	char *say, *lines;
	size_t line_count;
};

struct search {
	struct flowdb *db;
	const struct policy *policy;
	struct history *history; /* under it */
	const struct remedy_finding *findings;
	size_t count;
	int64_t since_us, until_us;
	struct text_file site; /* as recorded; "site.yaml" without a text where there is none */
	bool *done;            /* findings that are settled by what is proven */
	/* Flows of the window that must not be worse, by id; taken when something is first tried. */
	int64_t *beside;
	size_t beside_count;
	bool beside_taken, beside_cut;
	size_t tries;
	uint64_t judged;
	bool untried; /* of the finding in hand: something was not tried any more */
	struct remedies *ret;
	/* Of the finding in hand. */
	size_t at;
	struct sample sample;
	struct attempt best;
};

/* Tries a change for the finding in hand, and keeps it if it is the best so far. */
int search_try(struct search *search, const struct candidate *candidate,
               struct err *err) MUST_CHECK;
void attempt_release(struct attempt *attempt);

/* Tries whatever may settle the finding in hand, by its kind. (remedy_site.c) */
int search_site(struct search *search, struct err *err) MUST_CHECK;
/* The waiver, where a site may well leave things as they are. (remedy_site.c) */
int search_waiver(struct search *search, struct err *err) MUST_CHECK;
/* The entry of a host on no list. (remedy_stranger.c) */
int search_stranger(struct search *search, struct err *err) MUST_CHECK;

/* Documented by a row that is not open to every port, and the peer is proven to be a server that it names. */
bool verdict_is_firm(const struct policy *policy, const struct verdict *verdict);

/* The finding's row; NULL: it has none, or the envelope does not hold it. */
const struct row *search_row(const struct search *search);
/* Takes the remedy's texts over, also on failure, and gives its words a full stop. */
int remedy_add(struct remedies *remedies, struct remedy *remedy, struct err *err) MUST_CHECK;

/* What is left to be said where nothing is proven; who is to act. (remedy_say.c) */
enum step_kind remedy_say(const struct policy *policy, const struct remedy_finding *finding,
                          const struct sample *sample, char *buf, size_t size);

#endif
