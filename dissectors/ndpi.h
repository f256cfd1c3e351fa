/*
 * ndpi.h - the only room that knows nDPI; its ids become ours here. It runs in the inspector role.
 */
#ifndef DISSECTORS_NDPI_H
#define DISSECTORS_NDPI_H

#include "schema/facts.h"

struct ndpi_engine; /* the detection module: one a process */
struct ndpi_state;  /* of one flow; must only ever see one 5-tuple */

/* `dtls`: for tests, it gets what it dies of. Returns 0, or -ENOMEM with err filled. */
int ndpi_engine_new(bool dtls, struct ndpi_engine **ret_engine, struct err *err) MUST_CHECK;
void ndpi_engine_free(struct ndpi_engine *engine);

/* NULL when out of memory. */
struct ndpi_state *ndpi_state_new(struct ndpi_engine *engine);
void ndpi_state_free(struct ndpi_engine *engine, struct ndpi_state *state);

/*
 * Shows one packet from its IP header on. Returns the application once nDPI is sure by DPI, else
 * APP_NONE; never by a guess from port or address. `*ret_final` says that no other answer will come. DTLS never gets here: such a packet
 * is passed over (APP_NONE), as Debian's 4.2 dies of it.
 */
enum app ndpi_look(struct ndpi_engine *engine, struct ndpi_state *state, const uint8_t *ip,
                   uint32_t len, int64_t time_us, bool *ret_final);

/* "4.2.0" */
const char *ndpi_version(void);

#endif
