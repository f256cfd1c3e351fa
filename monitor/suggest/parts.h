/*
 * parts.h - what the files of this folder share, and nobody else.
 */
#ifndef MONITOR_SUGGEST_PARTS_H
#define MONITOR_SUGGEST_PARTS_H

#include "monitor/history.h"
#include "monitor/suggest/suggestion.h"
#include "rules/yaml_put.h"

#define DOUBTED_SHOWN 12 /* in a list; how many more there are is said */

/* One flow more; the first one is described. */
void trace_add(struct trace *trace, const struct flow_view *flow);

/* Whether a name from the wire may stand in a site file. */
bool is_host_name(const char *text);

/* Fills `candidates`, of all that is recorded. */
int candidates_find(struct suggestion *suggestion, struct err *err) MUST_CHECK;
/* -1: none of that name. */
int candidate_named(const struct suggestion *suggestion, const char *name);
/* One turned out to be something else. Those behind it move up, and get their names anew. */
void candidate_drop(struct suggestion *suggestion, size_t at);
/* Whether the address is one of a network that the units are on: private, or close to theirs. */
bool is_near_units(const struct suggestion *suggestion, const struct addr *addr);

/*
 * Servers without which no name is believed come first: resolvers, DHCP, proxies, and the site's domains. In the
 * second pass all others are known by names.
 */
enum holders_pass { HOLDERS_FIRST, HOLDERS_SECOND };
/* What a flow of a candidate says of who holds a role. `past` is it under a policy with what is known so far. */
void holders_note(struct suggestion *suggestion, enum holders_pass pass,
                  const struct flow_view *flow, const struct past *past);
/* A role that is taught, or that a proxy holds: it is settled in the first pass. */
bool role_is_first(const struct role *role);
/* What the units' leases say of servers of DHCP and resolvers. */
int leases_note(struct suggestion *suggestion, struct err *err) MUST_CHECK;
/* Decides who is proposed, of the roles of that pass. */
int holders_settle(struct suggestion *suggestion, enum holders_pass pass,
                   struct err *err) MUST_CHECK;
/* The one of this address that may hold these roles, made at first sight; NULL: no place is left. */
struct holder *holder_at(struct suggestion *suggestion, const struct addr *addr,
                         uint32_t roles);
/* Whether the document itself says who holds the role. */
bool role_is_built_in(const struct role *role);

/* What a flow says of its unit's profiles; `past` is under a policy with all holders. */
struct profiles_reading;
struct profiles_reading *profiles_new(struct suggestion *suggestion); /* NULL: out of memory */
void profiles_free(struct profiles_reading *reading);
void profiles_note(struct profiles_reading *reading, size_t candidate,
                   const struct flow_view *flow, const struct past *past);
/* Fills `profiles` and `use` of the candidates. */
void profiles_settle(struct profiles_reading *reading);

/* What a flow comes to under the whole proposal; `uncommented`: the policy with the doubted holders in it. */
void outcome_note(struct suggestion *suggestion, void *uncommented, size_t candidate,
                  const struct flow_view *flow, const struct past *past);
void outcome_sort(struct suggestion *suggestion);

/* A unit's line, for rules/yaml_put.h. */
struct unit_words {
	struct yaml_pair pairs[3]; /* name, MACs or addresses, profiles */
	const char *name[1], *hosts[CANDIDATE_ADDRESSES_MAX], *profiles[PROFILES_MAX];
	char addresses[CANDIDATE_ADDRESSES_MAX][ADDR_TEXT];
};
void unit_words(const struct suggestion *suggestion, const struct candidate *candidate,
                struct unit_words *ret);
/* Whether it has a line of its own in that state: no other line says the same. */
bool holder_is_written(const struct suggestion *suggestion, size_t at, enum holder_state state);

/*
 * What speaks for a candidate, a holder, a domain, as lines of a comment, each begun by "# ". None is longer than 96
 * columns, and all are fit for any terminal.
 */
void say_unit(const struct suggestion *suggestion, FILE *file, const void *candidate);
void say_holder(const struct suggestion *suggestion, FILE *file, const void *holder);
void say_domain(const struct suggestion *suggestion, FILE *file, const void *domain);
/* Who is not proposed for a role (struct role of the envelope), where no line for it is commented out. */
void say_doubted(const struct suggestion *suggestion, FILE *file, const void *role);
/* Who holds it by the document. */
void say_role(const struct suggestion *suggestion, FILE *file, const void *role);
/* What listed units use beside the profiles that they have. */
void say_listed(const struct suggestion *suggestion, FILE *file);
/* What was looked at, and what to do next; what is left for a person to decide. */
void say_head(const struct suggestion *suggestion, FILE *file);
void say_tail(const struct suggestion *suggestion, FILE *file);
/* What one of these says; the caller frees it. NULL: out of memory. */
char *said(const struct suggestion *suggestion,
           void (*say)(const struct suggestion *, FILE *, const void *), const void *of);

/* The whole file. */
void site_write(const struct suggestion *suggestion, FILE *file);
/* The same laid into the site file in force, which is called `name`. */
int site_merge(const struct suggestion *suggestion, const char *name, const char *text,
               size_t len, FILE *file, struct err *err) MUST_CHECK;

#endif
