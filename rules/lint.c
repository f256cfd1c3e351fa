/*
 * lint.c - policy_lint() of policy.h: what is not wrong in a policy and yet will mislead.
 * Always in the same order: units, roles, the endpoint list, pairs of profiles, waivers, evidence.
 */
#include "rules/policy.h"
#include "schema/time.h"

#include <stdarg.h>

#define DAY_US (86400 * SECOND_US)
#define SOON_US (30 * DAY_US)

struct linting {
	const struct policy *policy;
	void (*say)(void *context, const struct lint *lint);
	void *context;
	unsigned warnings;
	uint32_t profiles; /* that some unit uses; all, while there is no unit */
};

static void say(struct linting *linting, enum lint_level level, const char *fmt, ...)
	PRINTF(3, 4);

static void say(struct linting *linting, enum lint_level level, const char *fmt, ...)
{
	struct lint lint = {.level = level};
	va_list args;

	va_start(args, fmt);
	vsnprintf(lint.text, sizeof(lint.text), fmt, args);
	va_end(args);
	linting->warnings += level == LINT_WARNING;
	linting->say(linting->context, &lint);
}

static bool is_used(const struct linting *linting, const struct row *row)
{
	return linting->profiles >> row->profile & 1;
}

static void lint_units(struct linting *linting)
{
	if (!linting->policy->unit_count)
		say(linting, LINT_WARNING,
		    "no units: nothing will be judged; list them under 'units' or name them with --unit");
}

/* "a, b and 3 more", of the rows in use that name the role. */
static unsigned list_rows(const struct linting *linting, unsigned role, char *buf, size_t size)
{
	const struct policy *policy = linting->policy;
	unsigned count = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < policy->row_count; i++) {
		const struct row *row = &policy->rows[i];
		uint32_t peers = 0;

		for (unsigned f = 0; f < row->form_count; f++)
			peers |= row->form[f].peers;
		if (is_used(linting, row) && (peers >> role & 1))
			text_add(buf, size, "%s%s", count++ ? ", " : "", row->id);
	}
	return count;
}

static void lint_role(struct linting *linting, unsigned i)
{
	const struct policy *policy = linting->policy;
	const struct role *role = &policy->envelope->roles[i];
	const struct role_holders *holders = &policy->holders[i];
	char rows[320];

	for (size_t p = 0; p < holders->prefix_count; p++)
		if (holders->prefixes[p].bits == 0 ||
		    (holders->prefixes[p].bits == 96 && addr_is_v4(&holders->prefixes[p].addr)))
			say(linting, LINT_WARNING,
			    "role '%s' is held by every address: it proves nothing", role->id);
	if (role->anyone || role->own_subnet || !list_rows(linting, i, rows, sizeof(rows)) ||
	    holders->by_site)
		return;
	if (role->learn)
		say(linting, LINT_INFO,
		    "role '%s' is left to what DHCP tells; what is learnt so stays unproven: %s",
		    role->id, rows);
	else if (!holders->prefix_count && !holders->name_count)
		say(linting, LINT_WARNING,
		    "nobody holds the role '%s' (%s), so its rows are unproven at best: %s; add addresses or names "
		    "under roles",
		    role->id, role->meaning, rows);
	else if (role->domain_name_count && !policy->domain_count)
		say(linting, LINT_WARNING,
		    "no domains: '%s.' and the like fit with any domain in the role '%s': %s; list yours under "
		    "domains",
		    role->domain_names[0], role->id, rows);
}

static bool is_wide(const struct row_form *form)
{
	return port_set_is_ephemeral(&form->local) && port_set_is_ephemeral(&form->remote);
}

/* Whether what the narrow form holds a flow to would pass by the wide one. */
static bool covers(const struct row_form *wide, const struct row_form *narrow)
{
	return is_wide(wide) && !is_wide(narrow) && narrow->local.range[0].low >= 1024 &&
	       narrow->remote.range[0].low >= 1024 && (wide->peers & narrow->peers) &&
	       (wide->directions & narrow->directions) &&
	       ((wide->tcp && narrow->tcp) || (wide->udp && narrow->udp)) &&
	       ((wide->apps.w[0] & narrow->apps.w[0]) ||
	        (wide->apps.w[1] & narrow->apps.w[1])) &&
	       (wide->media & narrow->media);
}

/* A unit under both profiles: how many there are, and the first of them. */
static size_t count_both(const struct policy *policy, uint32_t profiles,
                         const struct unit_rule **ret_first)
{
	size_t count = 0;

	for (size_t i = policy->unit_count; i-- > 0;)
		if ((policy->units[i].profiles & profiles) == profiles) {
			*ret_first = &policy->units[i];
			count++;
		}
	return count;
}

static void lint_pair(struct linting *linting, unsigned wide_profile, unsigned narrow_profile)
{
	const struct policy *policy = linting->policy;
	const struct unit_rule *first = NULL;
	char wide[160] = "", narrow[220] = "";
	size_t units = count_both(
		policy, (uint32_t)BIT(wide_profile) | (uint32_t)BIT(narrow_profile), &first);

	if (!units)
		return;
	for (size_t w = 0; w < policy->row_count; w++) {
		bool named = false;

		for (size_t n = 0; n < policy->row_count; n++) {
			const struct row *a = &policy->rows[w], *b = &policy->rows[n];

			if (a->profile != wide_profile || b->profile != narrow_profile ||
			    !covers(&a->form[0], &b->form[0]))
				continue;
			if (!named)
				text_add(wide, sizeof(wide), "%s%s", wide[0] ? ", " : "",
				         a->id);
			named = true;
			if (!strstr(narrow, b->id))
				text_add(narrow, sizeof(narrow), "%s%s", narrow[0] ? ", " : "",
				         b->id);
		}
	}
	if (wide[0])
		say(linting, LINT_WARNING,
		    "wide rows %s cover narrow rows %s for '%s'%s: only media of a certain kind is still held to the "
		    "narrow ports; narrow the wide rows, or drop a profile",
		    wide, narrow, first->name, units > 1 ? " and others" : "");
}

/* The role of a list in use that comes from Microsoft's service; NULL. */
static const struct role *find_listed_role(const struct linting *linting)
{
	const struct envelope *envelope = linting->policy->envelope;
	char rows[64];

	for (unsigned i = 0; i < envelope->role_count; i++)
		if (envelope->roles[i].endpoints && list_rows(linting, i, rows, sizeof(rows)))
			return &envelope->roles[i];
	return NULL;
}

static void lint_endpoints(struct linting *linting, int64_t now_us)
{
	const struct role *role = find_listed_role(linting);
	const char *date = linting->policy->endpoints_date;
	int64_t day_us;

	if (!role)
		return;
	if (time_parse_day_end(date, &day_us) < 0)
		say(linting, LINT_INFO,
		    "the endpoint list for '%s' has no day in its name, so its age is not known",
		    role->id);
	else
		say(linting, LINT_INFO,
		    "the endpoint list for '%s' is of %s, %lld days old; name a newer one under roles",
		    role->id, date,
		    (long long)(now_us > day_us ? (now_us - day_us) / DAY_US : 0));
}

/* Packets tell what people said: whoever runs this must know what stays. */
static void lint_evidence(struct linting *linting)
{
	static const char *const sentences[KEEP_COUNT] = {
		[KEEP_FULL] = "evidence: full: of flows under a finding the first packets are kept, their "
			      "payload too; 'evidence: headers' in the site file keeps no payload, 'off' none",
		[KEEP_HEADERS] = "evidence: headers: of flows under a finding the headers of the first packets "
				 "are kept, and no payload",
		[KEEP_OFF] = "evidence: off: no packet is kept, so findings cannot be shown in Wireshark",
	};

	say(linting, LINT_INFO, "%s", sentences[linting->policy->keep]);
}

/* What the site needs less, or more, than the document: an entry at a time. */
static void lint_needs(struct linting *linting)
{
	const struct policy *policy = linting->policy;

	for (size_t i = 0; i < policy->row_count; i++) {
		const struct row *row = &policy->rows[i];
		char rows[768] = "";
		bool said = false;

		for (size_t k = 0; k < i; k++)
			said = said || policy->rows[k].need_reason == row->need_reason;
		if (!row->need_by_site || said)
			continue;
		for (size_t k = i; k < policy->row_count; k++)
			if (policy->rows[k].need_reason == row->need_reason)
				text_add(rows, sizeof(rows), "%s%s", *rows ? ", " : "",
				         policy->rows[k].id);
		say(linting, LINT_INFO, "need: the site says %s of %s: %s",
		    need_name((enum need)row->need), rows, row->need_reason);
	}
}

static void lint_waivers(struct linting *linting, int64_t now_us)
{
	const struct policy *policy = linting->policy;

	for (size_t i = 0; i < policy->waiver_count; i++) {
		const struct waiver *waiver = &policy->waivers[i];

		if (waiver->expires_us < now_us)
			say(linting, LINT_WARNING,
			    "%s the waiver of %s expired on %s (%s); renew it, or leave it out\n%s",
			    waiver->place, waiver->owner, waiver->expires, waiver->reason,
			    waiver->excerpt);
		else if (waiver->expires_us - now_us < SOON_US)
			say(linting, LINT_WARNING,
			    "%s the waiver of %s expires within 30 days, on %s (%s)\n%s",
			    waiver->place, waiver->owner, waiver->expires, waiver->reason,
			    waiver->excerpt);
	}
}

unsigned policy_lint(const struct policy *policy, int64_t now_us,
                     void (*say_it)(void *context, const struct lint *lint), void *context)
{
	struct linting linting = {.policy = policy, .say = say_it, .context = context};

	for (size_t i = 0; i < policy->unit_count; i++)
		linting.profiles |= policy->units[i].profiles;
	if (!linting.profiles)
		linting.profiles = UINT32_MAX;
	lint_units(&linting);
	for (unsigned i = 0; i < policy->envelope->role_count; i++)
		lint_role(&linting, i);
	lint_endpoints(&linting, now_us);
	for (unsigned w = 0; w < policy->envelope->profile_count; w++)
		for (unsigned n = 0; n < policy->envelope->profile_count; n++)
			if (w != n)
				lint_pair(&linting, w, n);
	lint_needs(&linting);
	lint_waivers(&linting, now_us);
	lint_evidence(&linting);
	return linting.warnings;
}
