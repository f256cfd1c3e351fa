/*
 * proposal.h - what `tlmon suggest` makes of packets: an office of hand-made conversations, the site file that is
 * proposed of it, and lines that must, or may not, stand in it.
 */
#ifndef TESTS_LIB_PROPOSAL_H
#define TESTS_LIB_PROPOSAL_H

#include "monitor/suggest/suggestion.h"
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#define ROOM "00:26:8c:01:02:03"
#define OTHER "00:26:8c:04:05:06"

#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define TLS(...) (&(struct tls){__VA_ARGS__})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})

struct proposal {
	struct run *run;
	struct envelope *envelope;
	struct policy *policy;
	struct suggestion *suggestion;
	char *text, *plain; /* all of it; without comments */
	char *whole;        /* without comments, but with the holders that are commented out */
};

/* 10.20.0.15 has ROOM's MAC, 10.20.0.21 OTHER's; all others are behind a router. */
struct wire *office(void);
/* A lease that names 10.20.0.53 as resolver. */
void lease(struct wire *w, const char *mac, const char *address, const char *server);

/*
 * `site`: in force, of a recording; NULL: of a census. `units`: of --unit, or NULL. What is proposed can be loaded, with
 * what is commented out in it, too.
 */
void propose(struct proposal *p, const char *site, const struct wire *w,
             const char *const *units);
void proposal_release(struct proposal *p);

void must(const struct proposal *p, const char *line);
void must_not(const struct proposal *p, const char *line);
/* Commented out, and ready to be used. */
void must_offer(const struct proposal *p, const char *line);
/* As a comment: words that may be parted by a line's end. */
void must_say(const struct proposal *p, const char *words);
void must_not_say(const struct proposal *p, const char *words);

#endif
