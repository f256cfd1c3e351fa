/*
 * roles.c - who else must be seen. Rows allow a unit to talk to roles; of a role that nobody holds, or whose holders
 * never sent a packet here, no row can be seen to work, nor anybody be proven to be one.
 */
#include "monitor/doctor/exam.h"

/* What the rows of some units want. */
struct wanted {
	uint32_t profiles;
	uint32_t roles,
		required;        /* masks; required: by a row that a unit must be seen to use */
	uint16_t row[ROLES_MAX]; /* one that does, a required one first */
	unsigned ipv6, ipv6_required; /* rows that only IPv6 meets */
	const char *ipv6_row;
};

static void want_row(struct wanted *wanted, const struct row *row, uint16_t at)
{
	uint32_t peers = 0;
	uint8_t versions = 0;

	for (unsigned f = 0; f < row->form_count; f++) {
		peers |= row->form[f].peers;
		versions |= row->form[f].ip_versions;
	}
	for (unsigned role = 0; role < ROLES_MAX; role++)
		if (peers & BIT(role) &&
		    (!(wanted->roles & BIT(role)) ||
		     (row->need == NEED_REQUIRED && !(wanted->required & BIT(role)))))
			wanted->row[role] = at;
	wanted->roles |= peers;
	if (row->need == NEED_REQUIRED)
		wanted->required |= peers;
	if (versions & BIT(4))
		return;
	wanted->ipv6++;
	wanted->ipv6_required += row->need == NEED_REQUIRED;
	if (!wanted->ipv6_row)
		wanted->ipv6_row = row->id;
}

static struct wanted want(const struct policy *policy)
{
	struct wanted wanted = {0};

	for (size_t i = 0; i < policy->unit_count; i++)
		wanted.profiles |= policy->units[i].profiles;
	for (size_t i = 0; i < policy->row_count; i++)
		if (wanted.profiles & BIT(policy->rows[i].profile))
			want_row(&wanted, &policy->rows[i], (uint16_t)i);
	return wanted;
}

/* ------------------------------------------------------------------ ipv6 */

void check_ipv6(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	struct wanted wanted = want(exam->subject.policy);
	char share[SHARE_TEXT];
	struct exam_row *row;

	if (mirror->v6 || !wanted.ipv6) {
		row = exam_add(exam, CHECK_ipv6, EXAM_OK, "",
		               mirror->v6 ? "%s packets" : "none, and no row needs it",
		               share_print(mirror->v6, mirror->v4 + mirror->v6, share));
		exam_count(row, mirror->v6, mirror->v4 + mirror->v6);
		return;
	}
	row = exam_add(exam, CHECK_ipv6, wanted.ipv6_required ? EXAM_WARN : EXAM_UNKNOWN, "",
	               "none seen; %u rows need it", wanted.ipv6);
	exam_remedy(
		row,
		"%s and others are documented for IPv6 alone: nobody used them yet, or the session "
		"copies IPv4 only",
		wanted.ipv6_row);
}

/* ----------------------------------------------------------------- names */

void check_names(struct exam *exam)
{
	const struct policy *policy = exam->subject.policy;
	struct wanted wanted = want(policy);
	unsigned by_name = 0;
	struct exam_row *row;

	if (!policy->unit_count)
		return;
	for (size_t i = 0; i < policy->envelope->role_count; i++)
		by_name += wanted.roles & BIT(i) && policy->holders[i].name_count;
	if (exam->names || !by_name) {
		row = exam_add(exam, CHECK_names, EXAM_OK, "", "%llu DNS answers",
		               (unsigned long long)exam->names);
		return;
	}
	row = exam_add(exam, CHECK_names, EXAM_WARN, "", "no DNS answer; %u roles go by name",
	               by_name);
	exam_remedy(
		row,
		"only an answer that the mirror shows binds a name to an address: units keep answers "
		"for hours, so restart one while this looks; or their DNS goes another way (or encrypted)");
}

/* ----------------------------------------------------------------- roles */

static uint32_t roles_of(const struct policy *policy, const struct addr *addr)
{
	return addr_is_unspecified(addr) || addr_is_multicast(addr)
	               ? 0
	               : policy_roles_of_addr(policy, addr);
}

/* For each role a holder that was seen; of several the one that sent most, so that the answer is one. */
static void hosts_seen(const struct exam *exam, const struct mirror_host *ret[ROLES_MAX])
{
	const struct mirror *mirror = exam->subject.mirror;

	for (size_t i = 0; i < MIRROR_HOSTS; i++) {
		const struct mirror_host *host = &mirror->host[i];
		uint32_t roles = host->sent || host->to_groups
		                         ? roles_of(exam->subject.policy, &host->addr)
		                         : 0;

		for (unsigned role = 0; roles >> role && role < ROLES_MAX; role++)
			if (roles & BIT(role) &&
			    (!ret[role] || ret[role]->sent < host->sent ||
			     (ret[role]->sent == host->sent &&
			      addr_compare(&host->addr, &ret[role]->addr) < 0)))
				ret[role] = host;
	}
}

static void unseen_row(struct exam *exam, const struct wanted *wanted, unsigned role)
{
	const struct policy *policy = exam->subject.policy;
	const struct role_holders *holders = &policy->holders[role];
	const char *id = policy->envelope->roles[role].id;
	const struct row *row = &policy->rows[wanted->row[role]];
	bool nobody = !holders->prefix_count && !holders->name_count,
	     refused = exam->subject.mirror->hosts_refused;
	enum exam_state state =
		refused || !(wanted->required & BIT(role)) ? EXAM_UNKNOWN : EXAM_WARN;
	struct exam_row *put;

	if (nobody) {
		put = exam_add(exam, CHECK_roles, state, id, "held by nobody, none was learnt");
		exam_remedy(
			put,
			"rows such as %s cannot be proven: list who it is under roles: %s in the site file",
			row->id, id);
		return;
	}
	put = exam_add(exam, CHECK_roles, state, id, "no packet of a holder");
	exam_remedy(
		put,
		"%s%s%s. Else the mirror does not show where they are, or roles: %s lists others",
		row->id, *row->exercise ? ": " : " was not used yet", row->exercise, id);
}

/* Who need not be listed, because everybody is one, or the place or the call itself tells. */
static bool is_told_otherwise(const struct role *role, const struct role_holders *holders)
{
	return role->anyone || role->own_subnet || role->proxy ||
	       (role->by_ice && !holders->by_site);
}

void check_roles(struct exam *exam)
{
	const struct policy *policy = exam->subject.policy;
	const struct mirror_host *seen[ROLES_MAX] = {0};
	struct wanted wanted = want(policy);
	unsigned confirmed = 0, asked = 0;

	if (!policy->unit_count)
		return;
	hosts_seen(exam, seen);
	for (unsigned role = 0; role < policy->envelope->role_count; role++) {
		if (!(wanted.roles & BIT(role)) ||
		    is_told_otherwise(&policy->envelope->roles[role], &policy->holders[role]))
			continue;
		asked++;
		if (seen[role] || (exam->roles_bound | exam->roles_learnt) & BIT(role))
			confirmed++;
		else
			unseen_row(exam, &wanted, role);
	}
	if (confirmed)
		exam_count(exam_add(exam, CHECK_roles, EXAM_OK, "", "%u of %u were seen",
		                    confirmed, asked),
		           confirmed, asked);
}
