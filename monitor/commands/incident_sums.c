/*
 * incident_sums.c - what a unit did in a window, added up: by peer, by thing that may be new, by policy.
 * Things are found by what they are, so that several databases fall into one, and put in order at the end.
 */
#include "monitor/commands/incident.h"
#include "schema/time.h"

#include <xxhash.h>

static void sum_add(struct incident_sum *to, const struct flow_sum *sum)
{
	if (!to->flows || sum->first_us < to->first_us)
		to->first_us = sum->first_us;
	if (sum->last_us > to->last_us)
		to->last_us = sum->last_us;
	to->flows += sum->flows;
	to->before += sum->before;
	to->after += sum->after;
	to->blind += sum->blind;
	to->packets_out += sum->packets_out;
	to->packets_in += sum->packets_in;
	to->bytes_out += sum->bytes_out;
	to->bytes_in += sum->bytes_in;
	if (sum->ruling <= RULING_HOUSEKEEPING)
		to->by_ruling[sum->ruling] += sum->flows;
	if (sum->ruling == RULING_DOCUMENTED && sum->kind)
		to->blocked += sum->flows;
	if (sum->grade <= GRADE_WIDE)
		to->by_grade[sum->grade] += sum->flows;
}

static int words_add(struct incident_words *words, const char *text, uint64_t flows,
                     struct err *err)
{
	unsigned at = 0;

	while (at < words->count && strcmp(words->word[at].text, text) != 0)
		at++;
	if (at == INCIDENT_WORDS) {
		words->more = true;
		return 0;
	}
	if (at == words->count) {
		words->word[at].text = strdup(text);
		if (!words->word[at].text)
			return err_set(err, -ENOMEM, "out of memory");
		words->count++;
	}
	words->word[at].flows += flows;
	return 0;
}

static void words_release(struct incident_words *words)
{
	for (unsigned i = 0; i < words->count; i++)
		free(words->word[i].text);
}

static int compare_peers(const void *a, const void *b)
{
	const struct incident_peer *x = a, *y = b;

	return memcmp(x->addr.b, y->addr.b, sizeof(x->addr.b));
}

static int compare_things(const void *a, const void *b)
{
	const struct incident_thing *x = a, *y = b;
	int order = memcmp(x->addr.b, y->addr.b, sizeof(x->addr.b));

	if (x->trait != y->trait)
		return x->trait < y->trait ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return order ? order : strcmp(x->text, y->text);
}

/* Of what compare_things() compares. */
static uint64_t hash_of(const struct incident_thing *thing)
{
	uint64_t hash = XXH3_64bits_withSeed(thing->addr.b, sizeof(thing->addr.b),
	                                     (uint64_t)thing->number << 8 | thing->trait);

	return XXH3_64bits_withSeed(thing->text, strlen(thing->text), hash);
}

static int thing_new(struct incident *incident, const struct incident_thing *thing,
                     struct err *err)
{
	struct incident_thing *new;

	if (array_reserve(&incident->things, &incident->thing_room, incident->thing_count + 1,
	                  sizeof(*incident->things)) < 0 ||
	    (thing->trait == TRAIT_PEER &&
	     array_reserve(&incident->peers, &incident->peer_room, incident->peer_count + 1,
	                   sizeof(*incident->peers)) < 0))
		return err_set(err, -ENOMEM, "out of memory");
	new = &incident->things[incident->thing_count];
	*new = *thing;
	new->text = strdup(thing->text);
	if (!new->text)
		return err_set(err, -ENOMEM, "out of memory");
	incident->thing_count++;
	if (thing->trait == TRAIT_PEER) {
		new->peer = incident->peer_count++;
		incident->peers[new->peer].addr = thing->addr;
	}
	return 0;
}

struct adding {
	struct incident *incident;
	const struct incident_source *source;
};

/* *ret_thing until the next is added. */
static int thing_add(const struct adding *adding, uint8_t trait, uint16_t number,
                     const char *text, const struct flow_sum *sum,
                     struct incident_thing **ret_thing, struct err *err)
{
	struct incident *incident = adding->incident;
	struct hashes *hashes = &incident->thing_hashes;
	struct hashed *place = NULL;
	char words[NAME_MAX_LEN + 1];
	struct incident_thing key = {
		.trait = trait,
		.number = number,
		.text = words,
		.source = adding->source,
		.id = sum->ids[trait],
	};
	uint64_t hash;
	int r = hashes_reserve(hashes, err);

	if (r < 0)
		return r;
	text_copy(words, sizeof(words), text);
	if (trait == TRAIT_PEER)
		key.addr = sum->remote;
	hash = hash_of(&key);
	do
		place = hashed_next(hashes, hash, place);
	while (place->number && compare_things(&incident->things[place->number - 1], &key));
	if (!place->number) {
		r = thing_new(incident, &key, err);
		if (r < 0)
			return r;
		hashed_take(hashes, place, hash, incident->thing_count);
	}
	*ret_thing = &incident->things[place->number - 1];
	sum_add(&(*ret_thing)->sum, sum);
	return 0;
}

static void put_in_order(struct incident *incident)
{
	if (incident->peer_count)
		qsort(incident->peers, incident->peer_count, sizeof(*incident->peers),
		      compare_peers);
	if (incident->thing_count)
		qsort(incident->things, incident->thing_count, sizeof(*incident->things),
		      compare_things);
}

static int policy_add(struct incident *incident, const struct flow_sum *sum, struct err *err)
{
	size_t at = 0;

	while (at < incident->policy_count &&
	       strcmp(incident->policies[at].hash, sum->policy) != 0)
		at++;
	if (at == incident->policy_count) {
		if (array_reserve(&incident->policies, &incident->policy_room, at + 1,
		                  sizeof(*incident->policies)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		text_copy(incident->policies[at].hash, sizeof(incident->policies[at].hash),
		          sum->policy);
		incident->policy_count++;
	}
	sum_add(&incident->policies[at].sum, sum);
	return 0;
}

size_t incident_finding_at(const struct incident *incident,
                           const struct incident_source *source, int64_t id)
{
	const struct flowdb *origin = flowdb_origin(source->query.db);
	size_t at = 0;

	while (at < incident->finding_count &&
	       (flowdb_origin(incident->findings[at].source->query.db) != origin ||
	        incident->findings[at].id != id))
		at++;
	return at;
}

static int finding_add(struct incident *incident, const struct incident_source *source,
                       const struct flow_sum *sum, struct err *err)
{
	size_t at = incident_finding_at(incident, source, sum->finding);

	if (at == incident->finding_count) {
		if (array_reserve(&incident->findings, &incident->finding_room, at + 1,
		                  sizeof(*incident->findings)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		incident->findings[at].source = source;
		incident->findings[at].id = sum->finding;
		incident->finding_count++;
	}
	sum_add(&incident->findings[at].sum, sum);
	return 0;
}

static const char *port_text(const struct flow_sum *sum, char buf[32])
{
	if (!transport_has_ports(sum->transport))
		snprintf(buf, 32, "%s", transport_name(sum->transport));
	else
		snprintf(buf, 32, sum->direction == DIRECTION_IN ? "%s %u in" : "%s %u",
		         transport_name(sum->transport), sum->port);
	return buf;
}

static int peer_add(struct incident_peer *peer, const struct flow_sum *sum, struct err *err)
{
	char text[NAME_MAX_LEN + 64];
	int r;

	sum_add(&peer->sum, sum);
	r = words_add(&peer->ports, port_text(sum, text), sum->flows, err);
	snprintf(text, sizeof(text), "%s%s%s%s",
	         sum->app ? app_name((enum app)sum->app) : "unknown", sum->media ? " " : "",
	         sum->media ? media_name(sum->media) : "",
	         sum->evidence == EVIDENCE_INSPECTED ? " (inspected)" : "");
	if (r >= 0)
		r = words_add(&peer->apps, text, sum->flows, err);
	snprintf(text, sizeof(text), "%s (%s)", sum->name,
	         sum->name_kind ? name_kind_name((enum name_kind)sum->name_kind) : "name");
	if (r >= 0 && *sum->name)
		r = words_add(&peer->names, text, sum->flows, err);
	snprintf(text, sizeof(text), "%s %s", sum->row,
	         sum->grade ? grade_name((enum grade)sum->grade)
	                    : ruling_name((enum ruling)sum->ruling));
	if (r >= 0 && *sum->row)
		r = words_add(&peer->rows, text, sum->flows, err);
	return r;
}

static int take_sum(void *context, const struct flow_sum *sum, struct err *err)
{
	const struct adding *adding = context;
	struct incident *incident = adding->incident;
	struct incident_thing *thing;
	int r;

	sum_add(&incident->sum, sum);
	r = thing_add(adding, TRAIT_PEER, 0, "", sum, &thing, err);
	if (r >= 0)
		r = peer_add(&incident->peers[thing->peer], sum, err);
	if (r >= 0 && *sum->name)
		r = thing_add(adding, TRAIT_NAME, 0, sum->name, sum, &thing, err);
	if (r >= 0 && sum->app)
		r = thing_add(adding, TRAIT_APP, sum->app, "", sum, &thing, err);
	if (r >= 0 && *sum->row)
		r = thing_add(adding, TRAIT_ROW, 0, sum->row, sum, &thing, err);
	if (r >= 0 && sum->kind)
		r = thing_add(adding, TRAIT_KIND, sum->kind, "", sum, &thing, err);
	if (r >= 0)
		r = policy_add(incident, sum, err);
	if (r >= 0 && sum->finding)
		r = finding_add(incident, adding->source, sum, err);
	return r;
}

static struct unit_window window_of(const struct incident_source *source,
                                    const struct incident_watch *watch)
{
	return (struct unit_window){source->unit, watch->since_us, watch->until_us};
}

/* Which of the things were there in the days before. */
static int read_known(struct incident *incident, struct err *err)
{
	CLEANUP(freep)
	struct trait_known *traits = calloc(incident->thing_count + 1, sizeof(*traits));
	struct incident_peer *peer = incident->peers;
	int r = 0;

	if (!traits)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < incident->thing_count; i++)
		traits[i] = (struct trait_known){
			.trait = incident->things[i].trait,
			.number = incident->things[i].number,
			.addr = incident->things[i].addr,
			.text = incident->things[i].text,
		};
	for (size_t i = 0; i < incident->known_count && r >= 0; i++) {
		const struct incident_source *source = &incident->sources[i];
		struct unit_window window = window_of(source, &incident->before);

		window.until_us--; /* what begins with the window is not of before */
		for (size_t j = 0; j < incident->thing_count; j++)
			traits[j].id = incident->things[j].source == source
			                       ? incident->things[j].id
			                       : 0;
		r = flowdb_traits_known(source->query.db, &window, traits,
		                        incident->thing_count, err);
	}
	for (size_t i = 0; i < incident->thing_count && r >= 0; i++) {
		struct incident_thing *thing = &incident->things[i];

		thing->known = traits[i].known;
		incident->fresh[thing->trait] += !thing->known;
		if (thing->trait == TRAIT_PEER) /* both are in the order of addresses */
			(peer++)->known = thing->known;
	}
	return r;
}

struct incident_thing *incident_find_thing(const struct incident *incident, uint8_t trait,
                                           const char *text)
{
	char words[NAME_MAX_LEN + 1];
	const struct incident_thing key = {.trait = trait, .text = words};

	text_copy(words, sizeof(words), text);
	return incident->thing_count ? bsearch(&key, incident->things, incident->thing_count,
	                                       sizeof(key), compare_things)
	                             : NULL;
}

struct naming {
	const struct incident *incident;
	struct incident_peer *peer;
};

static int take_name(void *context, const struct name_row *name, struct err *err)
{
	const struct naming *naming = context;
	struct incident_peer *peer = naming->peer;
	struct incident_bound *bound;
	char server[ADDR_TEXT], first[TIME_TEXT], until[TIME_TEXT];
	char *text;

	time_print_local(name->first_us, first);
	time_print_local(name->until_us, until);
	if (array_reserve(&peer->bound, &peer->bound_room, peer->bound_count + 1,
	                  sizeof(*peer->bound)) < 0 ||
	    asprintf(&text, "%s (DNS answer of %s, %s to %s%s)", name->name,
	             addr_print(&name->server, server), first,
	             strncmp(first, until, 11) ? until : until + 11,
	             name->counted ? "" : "; not believed: no dns-server here") < 0)
		return err_set(err, -ENOMEM, "out of memory");
	bound = &peer->bound[peer->bound_count++];
	*bound = (struct incident_bound){.name = strdup(name->name),
	                                 .text = text,
	                                 .said = incident_find_thing(naming->incident,
	                                                             TRAIT_NAME, name->name),
	                                 .asked = name->asked,
	                                 .again = (unsigned)peer->bound_count};
	return bound->name ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int compare_bound_names(const void *a, const void *b)
{
	const struct incident_bound *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->again > y->again) - (x->again < y->again);
}

static int compare_bound(const void *a, const void *b)
{
	const struct incident_bound *x = a, *y = b;

	if (x->again != y->again)
		return x->again < y->again ? -1 : 1;
	if (x->said != y->said)
		return x->said ? -1 : 1;
	if (x->asked != y->asked)
		return x->asked ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The order they came in, kept in `again`, becomes that of incident.h. */
static void rank_names(struct incident_peer *peer)
{
	struct incident_bound *bound = peer->bound;

	if (!peer->bound_count)
		return;
	qsort(bound, peer->bound_count, sizeof(*bound), compare_bound_names);
	bound[0].again = 0;
	for (size_t i = 1; i < peer->bound_count; i++)
		bound[i].again = strcmp(bound[i].name, bound[i - 1].name)
		                         ? 0
		                         : bound[i - 1].again + 1;
	qsort(bound, peer->bound_count, sizeof(*bound), compare_bound);
}

/* Those outside first, then new ones, then by traffic. */
static int compare_rank(const void *a, const void *b)
{
	const struct incident_peer *x = *(struct incident_peer *const *)a;
	const struct incident_peer *y = *(struct incident_peer *const *)b;
	bool x_out = x->sum.by_ruling[RULING_OUTSIDE], y_out = y->sum.by_ruling[RULING_OUTSIDE];
	uint64_t x_bytes = x->sum.bytes_out + x->sum.bytes_in;
	uint64_t y_bytes = y->sum.bytes_out + y->sum.bytes_in;

	if (x_out != y_out)
		return x_out ? -1 : 1;
	if (x->known != y->known)
		return x->known ? 1 : -1;
	if (x_bytes != y_bytes)
		return x_bytes > y_bytes ? -1 : 1;
	return compare_peers(x, y);
}

/* Puts the peers in the order they are shown in, and asks DNS of those that are. */
static int read_names(struct incident *incident, struct err *err)
{
	int r = 0;

	incident->ranked = calloc(incident->peer_count + 1, sizeof(*incident->ranked));
	if (!incident->ranked)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < incident->peer_count; i++)
		incident->ranked[i] = &incident->peers[i];
	qsort(incident->ranked, incident->peer_count, sizeof(*incident->ranked), compare_rank);
	for (size_t i = 0; i < incident->peer_count && i < incident->peer_limit; i++) {
		struct naming naming = {incident, incident->ranked[i]};

		for (size_t s = 0; s < incident->known_count && r >= 0; s++) {
			const struct incident_source *source = &incident->sources[s];
			struct unit_window window = window_of(source, &incident->watch);

			r = flowdb_names_of(source->query.db, &window, &naming.peer->addr,
			                    take_name, &naming, err);
		}
		if (r >= 0)
			rank_names(naming.peer);
	}
	return r;
}

int incident_read_sums(struct incident *incident, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < incident->known_count && r >= 0; i++) {
		struct adding adding = {incident, &incident->sources[i]};
		struct unit_window window = window_of(adding.source, &incident->watch);

		r = flowdb_flow_sums(adding.source->query.db, &window, take_sum, &adding, err);
	}
	put_in_order(incident);
	if (r >= 0)
		r = read_known(incident, err);
	if (r >= 0)
		r = read_names(incident, err);
	if (r >= 0)
		r = incident_read_policies(incident, err);
	return r;
}

void incident_release_sums(struct incident *incident)
{
	for (size_t i = 0; i < incident->peer_count; i++) {
		struct incident_peer *peer = &incident->peers[i];

		words_release(&peer->names);
		words_release(&peer->ports);
		words_release(&peer->apps);
		words_release(&peer->rows);
		for (size_t j = 0; j < peer->bound_count; j++) {
			free(peer->bound[j].name);
			free(peer->bound[j].text);
		}
		free(peer->bound);
	}
	for (size_t i = 0; i < incident->thing_count; i++) {
		free(incident->things[i].text);
		free(incident->things[i].document);
	}
	for (size_t i = 0; i < incident->policy_count; i++) {
		for (size_t j = 0; j < incident->policies[i].use_count; j++)
			free(incident->policies[i].uses[j]);
		free(incident->policies[i].uses);
	}
	free(incident->peers);
	free(incident->ranked);
	free(incident->things);
	hashes_release(&incident->thing_hashes);
	free(incident->policies);
}
