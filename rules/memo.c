/*
 * memo.c - see memo.h. One place a key, in a table without chains: the next flow of another kind takes it. What
 * goes by a web proxy is judged by a host's name, and never kept.
 */
#include "rules/memo.h"

#include "rules/classes.h"
#include "rules/score.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

#define PLACES 4096 /* a power of two */

/* All that judge_flow() looks at; no padding, so that it is compared as bytes. */
struct memo_key {
	uint64_t not_apps[2];
	struct names_said names;
	uint32_t profiles, bound_roles, learnt_roles, learnt_any;
	uint32_t local, remote; /* classes of the addresses */
	uint16_t local_port, remote_port;
	uint16_t app;
	uint8_t transport, ip_version;
	uint8_t initiator; /* 0 the unit, 1 the peer */
	uint8_t initiator_by, outcome, evidence, media;
	uint8_t ice;     /* bit 0: the unit answered a check; 1: the peer */
	uint8_t packets; /* bit 0: the unit sent some; 1: the peer; 2: they are few */
	uint8_t few_payloads, midstream, warmup, solicited, inspector_off;
	uint8_t everybody; /* the peer's frames go to all of the link */
	uint8_t subnet; /* of the lease: bit 0 it is known; 1, 2 unit, peer lie in it; 3 the peer is its broadcast address */
	uint8_t used;
	uint8_t spare[1];
};

struct place {
	struct memo_key key;
	uint8_t ruling, grade, why, kind, severity, direction, row_count, nearest_count;
	int16_t role;
	uint16_t rows[ROWS_MAX], nearest[NEAREST_MAX];
	uint8_t form[NEAREST_MAX], fields[NEAREST_MAX]; /* of them */
	char reason[32];
};

struct memo {
	const struct policy *policy;
	struct classes classes;
	struct place place[PLACES];
};

struct memo *memo_new(const struct policy *policy)
{
	struct memo *memo = calloc(1, sizeof(*memo));

	if (!memo)
		return NULL;
	memo->policy = policy;
	if (classes_init(&memo->classes, policy) < 0) {
		free(memo);
		return NULL;
	}
	return memo;
}

void memo_free(struct memo *memo)
{
	if (memo)
		classes_release(&memo->classes);
	free(memo);
}

static uint8_t subnet_of(const struct view *view, const struct endpoint *local,
                         const struct endpoint *remote)
{
	if (!view->subnet_known)
		return 0;
	return (uint8_t)(1 | prefix_covers(&view->subnet, &local->addr) << 1 |
	                 prefix_covers(&view->subnet, &remote->addr) << 2 |
	                 is_broadcast_of(&view->subnet, &remote->addr) << 3);
}

static void key_fill(const struct memo *memo, const struct view *view, struct memo_key *ret)
{
	const struct flow_facts *facts = view->facts;
	unsigned unit = view->local & 1, peer = !unit;
	const struct endpoint *local = &facts->end[unit], *remote = &facts->end[peer];
	uint64_t packets = facts->packets[0] + facts->packets[1];

	*ret = (struct memo_key){
		.not_apps = {facts->not_apps.w[0], facts->not_apps.w[1]},
		.profiles = view->profiles,
		.bound_roles = view->bound_roles,
		.learnt_roles = view->learnt_roles,
		.learnt_any = view->learnt_any,
		.local = classes_of_addr(&memo->classes, &local->addr),
		.remote = classes_of_addr(&memo->classes, &remote->addr),
		.local_port = classes_of_port(&memo->classes, local->port),
		.remote_port = classes_of_port(&memo->classes, remote->port),
		.app = view->app,
		.transport = facts->transport,
		.ip_version = facts->ip_version,
		.initiator = facts->initiator > 1 ? facts->initiator : facts->initiator ^ (uint8_t)unit,
		.initiator_by = facts->initiator_by,
		.outcome = facts->outcome,
		.evidence = view->evidence,
		.media = facts->media,
		.ice = (uint8_t)((facts->ice >> unit & 1) | (facts->ice >> peer & 1) << 1),
		.packets = (uint8_t)((facts->packets[unit] > 0) | (facts->packets[peer] > 0) << 1 |
		                     (packets < ICE_PROBE_PACKETS) << 2),
		.few_payloads = facts->payload_packets < FEW_PACKETS,
		.midstream = facts->midstream,
		.warmup = facts->warmup,
		.solicited = facts->solicited,
		.inspector_off = view->inspector_off,
		.everybody = mac_is_broadcast(&remote->mac),
		.subnet = subnet_of(view, local, remote),
		.used = 1,
	};
	scorer_names(memo->policy, view, &ret->names);
}

static void place_fill(struct place *place, const struct memo_key *key, const struct verdict *v)
{
	*place = (struct place){
		.key = *key,
		.ruling = v->ruling,
		.grade = v->grade,
		.why = v->why,
		.kind = v->kind,
		.severity = v->severity,
		.direction = v->direction,
		.row_count = v->row_count,
		.nearest_count = v->nearest_count,
		.role = v->role,
	};
	memcpy(place->rows, v->rows, sizeof(place->rows));
	memcpy(place->reason, v->reason, sizeof(place->reason));
	for (unsigned i = 0; i < v->nearest_count; i++) {
		place->nearest[i] = v->nearest[i].row;
		place->form[i] = v->nearest[i].form;
		place->fields[i] = v->nearest[i].fields;
	}
}

static void verdict_fill(const struct place *place, struct verdict *ret)
{
	ret->ruling = place->ruling;
	ret->grade = place->grade;
	ret->why = place->why;
	ret->kind = place->kind;
	ret->severity = place->severity;
	ret->direction = place->direction;
	ret->row_count = place->row_count;
	ret->nearest_count = place->nearest_count;
	ret->role = place->role;
	memcpy(ret->rows, place->rows, sizeof(ret->rows));
	memcpy(ret->reason, place->reason, sizeof(ret->reason));
	for (unsigned i = 0; i < NEAREST_MAX; i++) {
		ret->nearest[i].row = place->nearest[i];
		ret->nearest[i].form = place->form[i];
		ret->nearest[i].fields = place->fields[i];
		ret->nearest[i].count = 0;
	}
}

bool memo_judge(struct memo *memo, const struct view *view, struct verdict *ret)
{
	const struct flow_facts *facts = view->facts;
	struct memo_key key;
	struct place *place;

	_Static_assert(sizeof(key) == 80, "a key has no padding");
	if (facts->connect_port) {
		judge_flow(memo->policy, view, ret);
		return true;
	}
	key_fill(memo, view, &key);
	place = &memo->place[XXH3_64bits(&key, sizeof(key)) & (PLACES - 1)];
	if (!memcmp(&place->key, &key, sizeof(key))) {
		verdict_fill(place, ret);
		return !ret->nearest_count;
	}
	judge_flow(memo->policy, view, ret);
	if (!(policy_roles_of_addr(memo->policy, &facts->end[!view->local].addr) &
	      memo->policy->proxies))
		place_fill(place, &key, ret);
	return true;
}
