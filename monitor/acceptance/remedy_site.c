/*
 * remedy_site.c - changes of the site file that may settle a finding, by what differs. None of them makes
 * anybody an other client, and none names a port: a site that trusts more than it knows would prove
 * anything.
 */
#include "monitor/acceptance/remedy_parts.h"

#include "rules/waivers.h"
#include "schema/time.h"

#define UNIT_FLOWS_MAX 1000
#define WAIVER_DAYS 90
#define DAY_US (24 * INT64_C(3600000000))

static const char *const TRUE_TEXT[] = {"true"}, *const FALSE_TEXT[] = {"false"};

const struct row *search_row(const struct search *search)
{
	int row = envelope_find_row(search->policy->envelope,
	                            search->findings[search->at].row->row);

	return row < 0 ? NULL : &search->policy->rows[row];
}

/* ------------------------------------------------------------------ who the peer is */

static uint32_t row_roles(const struct row *row)
{
	uint32_t roles = 0;

	for (unsigned form = 0; form < row->form_count; form++)
		roles |= row->form[form].peers;
	return roles;
}

/*
 * Roles that a site fills by naming its own servers. Where other clients may stand as well nobody is named: a
 * stranger would become a server by having been called. Lists of Microsoft's are not the site's to write.
 */
static uint32_t nameable_roles(const struct envelope *envelope, uint32_t roles)
{
	uint32_t nameable = 0;

	for (size_t i = 0; i < envelope->role_count; i++) {
		const struct role *role = &envelope->roles[i];

		if (!(roles & BIT(i)))
			continue;
		if (role->by_ice)
			return 0;
		if (!role->anyone && !role->own_subnet && !role->endpoints)
			nameable |= (uint32_t)BIT(i);
	}
	return nameable;
}

static void candidate_add(struct candidate *candidate, const struct addr *addr)
{
	char text[ADDR_TEXT];
	size_t at = candidate->edit.text_count;

	addr_print(addr, text);
	for (size_t i = 0; i < at; i++)
		if (!strcmp(candidate->space[i], text))
			return;
	if (at == SAMPLE_PEERS_MAX)
		return;
	text_copy(candidate->space[at], sizeof(candidate->space[at]), text);
	candidate->texts[at] = candidate->space[at];
	candidate->edit.text_count++;
}

struct taught {
	int64_t unit;
	struct candidate *candidate;
};

static int note_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct taught *taught = context;

	(void)err;
	if (lease->unit == taught->unit && lease->counted)
		for (unsigned i = 0; i < lease->dns_count && i < LEASE_SERVERS; i++)
			candidate_add(taught->candidate, &lease->dns[i]);
	return 0;
}

static int try_role(struct search *search, unsigned role, struct err *err)
{
	const struct role *what = &search->policy->envelope->roles[role];
	struct candidate candidate = {
		.edit = {.verb = YAML_ADD, .path = {"roles", what->id, "addresses"}},
		.trusts = true};
	struct taught taught = {search->findings[search->at].row->unit, &candidate};
	const struct sample *sample = &search->sample;
	char peers[512] = "";
	int r = 0;

	candidate.edit.texts = candidate.texts;
	for (size_t i = 0; i < sample->peer_count; i++) {
		candidate_add(&candidate, &sample->peers[i]);
		text_add(peers, sizeof(peers), "%s%s", i ? ", " : "", candidate.texts[i]);
	}
	/* Once the site names one, those that DHCP taught do not count any more. */
	if (what->learn == LEARN_DHCP_DNS && !search->policy->holders[role].by_site)
		r = flowdb_leases(search->db, 0, note_lease, &taught, err);
	if (r < 0)
		return r;
	snprintf(candidate.say, sizeof(candidate.say),
	         "If %s %s yours to trust as %s, list %s%s", peers,
	         sample->peer_count > 1 ? "are" : "is", what->id,
	         sample->peer_count > 1 ? "them" : "it",
	         candidate.edit.text_count > sample->peer_count
	                 ? ", beside those that DHCP teaches,"
	                 : "");
	snprintf(candidate.else_say, sizeof(candidate.else_say),
	         "; if not, find out why the unit talks to %s, and block it",
	         sample->peer_count > 1 ? "them" : "it");
	return search_try(search, &candidate, err);
}

/* A name that the unit itself speaks of says which role was meant. */
static int try_roles(struct search *search, const struct row *row, struct err *err)
{
	const struct sample *sample = &search->sample;
	const struct envelope *envelope = search->policy->envelope;
	uint32_t roles = nameable_roles(envelope, row_roles(row)), named;
	int r = 0;

	if (sample->groups || sample->peers_more)
		return 0;
	named = roles &
	        (*sample->name ? policy_roles_of_name(search->policy, sample->name) : 0);
	/* What is read into a row is not meant unless it is named. */
	roles = named ? named : roles & row->form[0].peers;
	for (unsigned role = 0; r >= 0 && role < envelope->role_count; role++)
		if (roles & BIT(role))
			r = try_role(search, role, err);
	return r;
}

static int try_proxy(struct search *search, struct err *err)
{
	const struct envelope *envelope = search->policy->envelope;

	for (unsigned role = 0; role < envelope->role_count; role++)
		if (envelope->roles[role].proxy && search->sample.connects)
			return try_role(search, role, err);
	return 0;
}

/* ------------------------------------------------------------------ options, narrowed rows */

static int try_option(struct search *search, const char *option, bool on, const char *say,
                      struct err *err)
{
	struct candidate candidate = {.edit = {.verb = YAML_SET,
	                                       .path = {"options", option},
	                                       .texts = on ? TRUE_TEXT : FALSE_TEXT,
	                                       .text_count = 1,
	                                       .plain = true}};

	text_copy(candidate.say, sizeof(candidate.say), say);
	return search_try(search, &candidate, err);
}

static int try_widening(struct search *search, const struct row *row, struct err *err)
{
	struct candidate candidate = {.edit = {.verb = YAML_DROP, .path = {"narrow", row->id}}};

	if (!search->policy->row_narrowed[row - search->policy->rows])
		return 0;
	snprintf(candidate.say, sizeof(candidate.say),
	         "The site holds %s to less than the document does; if it should not,",
	         row->id);
	return search_try(search, &candidate, err);
}

/* Media of one unit: what keeps to a narrow range of its own ports, and where the rest comes from. */
struct media_ports {
	const struct policy *policy;
	uint64_t kept;
	uint16_t outside[4];
	size_t outside_count;
};

static int note_media(void *context, const struct flow_view *flow, struct err *err)
{
	struct media_ports *ports = context;
	uint16_t port = flow->facts.end[flow->local].port;
	int row = flow->row_count ? envelope_find_row(ports->policy->envelope, flow->rows[0])
	                          : -1;
	bool known = false;

	(void)err;
	if (flow->ruling == RULING_DOCUMENTED && row >= 0 &&
	    !port_set_is_ephemeral(&ports->policy->rows[row].form[0].local))
		ports->kept++;
	for (size_t i = 0; i < ports->outside_count; i++)
		known |= ports->outside[i] == port;
	if (flow->kind == KIND_LOCAL_PORT && !known &&
	    ports->outside_count < ARRAY_LEN(ports->outside))
		ports->outside[ports->outside_count++] = port;
	return ports->kept > 0;
}

/*
 * A translator spares no port: not one flow of media is in its range, and several are somewhere else. A unit with
 * other settings looks the same; so it is said.
 */
static int try_nat(struct search *search, struct err *err)
{
	struct media_ports ports = {.policy = search->policy};
	const struct flow_query media = {.unit = search->findings[search->at].unit,
	                                 .media = MEDIA_AUDIO | MEDIA_VIDEO | MEDIA_DATA,
	                                 .since_us = search->since_us,
	                                 .until_us = search->until_us,
	                                 .limit = UNIT_FLOWS_MAX};
	int r = flowdb_flows(search->db, &media, note_media, &ports, err);

	if (r < 0 || ports.kept || ports.outside_count < 3 || search->policy->nat)
		return r;
	return try_option(
		search, "nat", true,
		"No media of the unit comes from the ports that it should; set the unit's media "
		"ports, or if the mirror stands behind a translator, say so",
		err);
}

static bool hangs_on(const struct envelope *envelope, const struct row *row, uint8_t option)
{
	int at = envelope_find_row(envelope, row->id);

	for (unsigned form = 0; at >= 0 && form < envelope->rows[at].form_count; form++)
		if (envelope->rows[at].form[form].when == option)
			return true;
	return false;
}

static int try_options(struct search *search, const struct row *row, struct err *err)
{
	const struct policy *policy = search->policy;
	int r = 0;

	if (search->sample.vbss && !policy->allow_vbss)
		r = try_option(search, "allow-vbss", true,
		               "If screens may be shared as video over UDP, say so", err);
	if (r >= 0 && policy->strict_relay_ports &&
	    hangs_on(policy->envelope, row, OPTION_STRICT_RELAY_PORTS))
		r = try_option(
			search, "strict-relay-ports", false,
			"The document leaves the ports of relayed media to the configuration; if the "
			"site need not be stricter, say so",
			err);
	if (r >= 0 && search->findings[search->at].row->kind == KIND_LOCAL_PORT)
		r = try_nat(search, err);
	return r;
}

/* ------------------------------------------------------------------ profiles */

static const struct unit_rule *find_rule(const struct policy *policy, const char *unit)
{
	size_t len = strcspn(unit, "/"); /* "floor-2/10.20.8.5" */

	for (size_t i = 0; i < policy->unit_count; i++)
		if (strlen(policy->units[i].name) == len &&
		    !strncmp(policy->units[i].name, unit, len))
			return &policy->units[i];
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Entries of rooms.csv and --unit are not in the site file. */
static int try_profiles(struct search *search, struct err *err)
{
	const struct policy *policy = search->policy;
	const struct unit_rule *rule = find_rule(policy, search->findings[search->at].unit);
	int r = 0;

	if (!rule || strcmp(base_name(rule->file), search->site.name) != 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < policy->envelope->profile_count; i++) {
		const struct profile *profile = &policy->envelope->profiles[i];
		struct candidate candidate = {.strict = true};

		if ((rule->profiles & BIT(i)) || !(search->sample.profiles & BIT(i)))
			continue;
		snprintf(candidate.item, sizeof(candidate.item), "name=%s", rule->name);
		candidate.texts[0] = profile->id;
		candidate.edit =
			(struct yaml_edit){.verb = YAML_ADD,
		                           .path = {"units", candidate.item, "profiles"},
		                           .texts = candidate.texts,
		                           .text_count = 1};
		snprintf(candidate.say, sizeof(candidate.say),
		         "If %s is also deployed as %s (%s), give it that profile", rule->name,
		         profile->id, profile->title);
		r = search_try(search, &candidate, err);
	}
	return r;
}

/* ------------------------------------------------------------------ all of them */

int search_site(struct search *search, struct err *err)
{
	const struct row *row = search_row(search);
	uint8_t kind = search->findings[search->at].row->kind;
	int r = 0;

	if (search->sample.foreign)
		return 0; /* another policy judged it: what is in the way now is not known */
	if (row && kind == KIND_PEER)
		r = try_roles(search, row, err);
	if (r >= 0)
		r = try_proxy(search, err);
	if (r >= 0 && row)
		r = try_widening(search, row, err);
	if (r >= 0 && row)
		r = try_options(search, row, err);
	return r < 0 ? r : try_profiles(search, err);
}

/* ------------------------------------------------------------------ waivers */

/* The same thing at another unit. */
static bool is_alike(const struct finding_row *a, const struct finding_row *b)
{
	return a->kind == b->kind && a->transport == b->transport && a->app == b->app &&
	       !strcmp(a->row, b->row) && !strcmp(a->remote, b->remote) &&
	       !strcmp(a->role, b->role) && !strcmp(a->port, b->port);
}

int search_waiver(struct search *search, struct err *err)
{
	const struct remedy_finding *finding = &search->findings[search->at];
	const char *units[16], *what = app_name((enum app)finding->row->app);
	struct waiver_draft draft = {.row = finding->row,
	                             .units = units,
	                             .owner = WAIVER_OWNER_OPEN,
	                             .reason = WAIVER_REASON_OPEN};
	struct yaml_edit filled = {.verb = YAML_ADD, .path = {"waivers"}, .tall = true};
	struct candidate candidate = {.edit = filled, .filled = &filled};
	struct waiver_pairs pairs, filled_pairs;
	char expires[TIME_TEXT];
	bool named = finding->row->app != APP_NONE && finding->row->app != APP_OTHER;
	int r = 0;

	if (finding->row->severity > SEVERITY_LOW || search->sample.foreign)
		return 0;
	for (size_t i = search->at; r >= 0 && i < search->count && draft.unit_count < 16; i++)
		if (!search->done[i] && is_alike(finding->row, search->findings[i].row)) {
			units[draft.unit_count++] = search->findings[i].unit;
			r = waiver_draft_ports(search->db, search->findings[i].id, &draft, err);
		}
	if (r < 0)
		return r;
	/* From the record alone, for it reads the same whenever it is asked. */
	time_print(finding->row->last_us + WAIVER_DAYS * DAY_US, expires);
	expires[strlen("2026-12-31")] = '\0';
	draft.expires = expires;
	waiver_draft_pairs(&draft, &pairs);
	candidate.edit.pairs = pairs.pairs;
	draft.owner = draft.reason = "somebody's";
	waiver_draft_pairs(&draft, &filled_pairs);
	filled.pairs = filled_pairs.pairs;
	candidate.edit.pair_count = filled.pair_count = pairs.count;
	snprintf(
		candidate.say, sizeof(candidate.say),
		"If %s%s%s is to stay, waive it (owner, reason and expiry are yours to fill in)",
		search->sample.peer_nat ? "what a translator makes of the peer's port"
		: named                 ? what
		                        : "this traffic",
		*finding->row->remote && !search->sample.peer_nat ? " to " : "",
		search->sample.peer_nat ? "" : finding->row->remote);
	return search_try(search, &candidate, err);
}
