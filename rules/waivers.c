/*
 * waivers.c - see waivers.h; also policy_find_waiver(). A waiver names who answers for it, why, until
 * when, and what it excuses; one that lacks any of these stops the load.
 */
#include "rules/waivers.h"

#include "rules/form.h"
#include "schema/time.h"

#define WAIVERS_MAX 10000

WORDS(WAIVER_KEYS, "units", "kind", "row", "remote", "transport", "local-ports", "remote-ports",
      "application", "owner", "reason", "expires");
static const struct words SCOPE_KEYS = {WAIVER_KEYS_LIST, 8}; /* the first of them */

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/*
 * A unit of the policy, a host of one that stands for many ("floor-2/10.20.8.5"), or the bare address
 * or MAC by which a host on no list goes.
 */
static bool is_unit(const struct policy *policy, const char *name)
{
	const char *slash = strrchr(name, '/');
	const struct unit_rule *rule;
	struct prefix prefix;
	struct addr addr;
	struct mac mac;

	if (!prefix_parse(name, &prefix) || !mac_parse(name, &mac))
		return true;
	for (size_t i = 0; i < policy->unit_count; i++)
		if (!strcmp(policy->units[i].name, name))
			return true;
	if (!slash || addr_parse(slash + 1, &addr) < 0)
		return false;
	rule = policy_find_unit(policy, &addr, NULL);
	return rule && rule->many && strlen(rule->name) == (size_t)(slash - name) &&
	       !strncmp(rule->name, name, (size_t)(slash - name));
}

static int say_unknown_unit(const struct yaml *item, const struct policy *policy,
                            const char *name, struct err *err)
{
	const char *word[64];
	struct words words = {.word = word};
	char shown[SHOWN_MAX], offer[1280];

	while (words.count < ARRAY_LEN(word) && words.count < policy->unit_count) {
		word[words.count] = policy->units[words.count].name;
		words.count++;
	}
	return yaml_fail(item, err, "unknown unit '%s'; %s%s", text_shown(name, shown),
	                 words_offer(&words, name, offer, sizeof(offer)),
	                 words.count < policy->unit_count ? " (and further units)" : "");
}

static int read_units(const struct yaml *list, struct policy *policy, struct waiver *waiver,
                      struct err *err)
{
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	if (!yaml_count(list))
		return yaml_fail(list, err,
		                 "no unit is named here; leave 'units' out to mean all");
	waiver->units = arena_take(policy->arena, yaml_count(list) * sizeof(*waiver->units));
	if (!waiver->units)
		return no_memory(err);
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		const char *name = "";

		r = yaml_text(item, &name, err);
		if (r < 0)
			return r;
		if (!is_unit(policy, name))
			return say_unknown_unit(item, policy, name, err);
		waiver->units[waiver->unit_count] = arena_text(policy->arena, name);
		if (!waiver->units[waiver->unit_count++])
			return no_memory(err);
	}
	return 0;
}

static int read_kind(const struct yaml *node, struct waiver *waiver, struct err *err)
{
	const char *word[KIND_COUNT];
	struct words words = {word, KIND_COUNT - 1};
	unsigned index = 0;
	int r;

	for (unsigned i = 1; i < KIND_COUNT; i++)
		word[i - 1] = kind_name((enum kind)i);
	r = yaml_word(node, "kind", &words, &index, err);
	waiver->kind = (uint8_t)(index + 1);
	return r;
}

static int read_row(const struct yaml *node, const struct policy *policy, struct waiver *waiver,
                    struct err *err)
{
	CLEANUP(freep) const char **word = calloc(policy->row_count, sizeof(*word));
	struct words words = {word, policy->row_count};
	unsigned index = 0;
	int r;

	if (!word)
		return no_memory(err);
	for (size_t i = 0; i < policy->row_count; i++)
		word[i] = policy->rows[i].id;
	r = yaml_word(node, "row", &words, &index, err);
	waiver->row = (int)index;
	return r;
}

static int read_transport(const struct yaml *node, struct waiver *waiver, struct err *err)
{
	const char *text = "";
	char shown[SHOWN_MAX];
	int r = yaml_text(node, &text, err);

	if (r < 0)
		return r;
	waiver->transport = transport_parse(text);
	if (!waiver->transport)
		return yaml_fail(
			node, err,
			"unknown transport '%s'; accepted: tcp, udp, icmp, icmp6, sctp, gre",
			text_shown(text, shown));
	return 0;
}

static int read_application(const struct yaml *node, struct waiver *waiver, struct err *err)
{
	const char *word[APP_COUNT];
	struct words words = {word, APP_COUNT - 1};
	unsigned index = 0;
	int r;

	for (unsigned i = 1; i < APP_COUNT; i++) /* without `none` */
		word[i - 1] = app_name((enum app)i);
	r = yaml_word(node, "application", &words, &index, err);
	waiver->app = (uint16_t)(index + 1);
	return r;
}

static int check_words(const struct yaml *node, const char *text, const char *open,
                           const char *wanted, struct err *err)
{
	char shown[SHOWN_MAX];

	if (text[strspn(text, " \t\r\n")] && strcmp(text, open) != 0)
		return 0;
	return yaml_fail(node, err, "'%s': fill in %s", text_shown(text, shown), wanted);
}

/* Whom and what a waiver rests on, in a person's words: nobody's are none. */
static int check_filled_in(const struct yaml *map, const struct waiver *waiver, struct err *err)
{
	int r = check_words(yaml_get(map, "owner"), waiver->owner, WAIVER_OWNER_OPEN,
	                    "who answers for it", err);

	return r < 0 ? r
	             : check_words(yaml_get(map, "reason"), waiver->reason, WAIVER_REASON_OPEN,
	                           "why it is let be", err);
}

static int read_text(const struct yaml *map, const char *key, struct policy *policy,
                     char **ret_text, struct err *err)
{
	const struct yaml *node = NULL;
	const char *text = "";
	int r = yaml_need(map, "a waiver (owner, reason, expires and a scope)", key, &node,
	                  err);

	if (r >= 0)
		r = yaml_text(node, &text, err);
	if (r < 0)
		return r;
	*ret_text = arena_text(policy->arena, text);
	return *ret_text ? 0 : no_memory(err);
}

static int read_scope(const struct yaml *map, struct policy *policy, struct waiver *waiver,
                      struct err *err)
{
	const struct yaml *node;
	int r = 0;

	if ((node = yaml_get(map, "units")))
		r = read_units(node, policy, waiver, err);
	if (r >= 0 && (node = yaml_get(map, "kind")))
		r = read_kind(node, waiver, err);
	if (r >= 0 && (node = yaml_get(map, "row")))
		r = read_row(node, policy, waiver, err);
	if (r >= 0 && (node = yaml_get(map, "remote")))
		r = value_prefix(node, &waiver->remote, err);
	if (r >= 0 && node && !waiver->remote.bits)
		return yaml_fail(node, err,
		                 "that is every address; leave 'remote' out to mean all");
	if (r >= 0 && (node = yaml_get(map, "transport")))
		r = read_transport(node, waiver, err);
	if (r >= 0 && (node = yaml_get(map, "local-ports")))
		r = value_ports(node, &waiver->local, err);
	if (r >= 0 && (node = yaml_get(map, "remote-ports")))
		r = value_ports(node, &waiver->remote_ports, err);
	if (r >= 0 && (node = yaml_get(map, "application")))
		r = read_application(node, waiver, err);
	return r;
}

/* Where `expires` stands: whether it has is asked later (lint). */
static int read_place(const struct yaml *node, struct policy *policy, struct waiver *waiver,
                      struct err *err)
{
	struct err said;
	char *excerpt;

	yaml_fail(node, &said, "%s", "");
	excerpt = strchr(said.text, '\n');
	if (excerpt)
		*excerpt++ = '\0';
	said.text[strcspn(said.text, " ")] = '\0'; /* "site.yaml:6:14: " and nothing said */
	waiver->excerpt = arena_text(policy->arena, excerpt ? excerpt : "");
	waiver->place = arena_text(policy->arena, said.text);
	return waiver->place && waiver->excerpt ? 0 : no_memory(err);
}

static int read_waiver(const struct yaml *map, struct policy *policy, struct waiver *waiver,
                       struct err *err)
{
	char shown[SHOWN_MAX], offer[256];
	bool scoped = false;
	int r = yaml_map(map, "a waiver", &WAIVER_KEYS, err);

	if (r >= 0)
		r = read_text(map, "owner", policy, &waiver->owner, err);
	if (r >= 0)
		r = read_text(map, "reason", policy, &waiver->reason, err);
	if (r >= 0)
		r = read_text(map, "expires", policy, &waiver->expires, err);
	if (r >= 0)
		r = read_place(yaml_get(map, "expires"), policy, waiver, err);
	if (r < 0)
		return r;
	if (time_parse_day_end(waiver->expires, &waiver->expires_us) < 0)
		return yaml_fail(yaml_get(map, "expires"), err,
		                 "'%s' is no day; accepted: 2026-12-31",
		                 text_shown(waiver->expires, shown));
	for (size_t i = 0; i < SCOPE_KEYS.count; i++)
		scoped = scoped || yaml_get(map, SCOPE_KEYS.word[i]);
	if (!scoped)
		return yaml_fail(map, err,
		                 "a waiver without a scope would excuse everything; %s",
		                 words_offer(&SCOPE_KEYS, "", offer, sizeof(offer)));
	return read_scope(map, policy, waiver, err);
}

int waivers_read(const struct yaml *list, bool recorded, struct policy *policy, struct err *err)
{
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	if (yaml_count(list) > WAIVERS_MAX)
		return yaml_fail_key(list, err, "more than %d waivers", WAIVERS_MAX);
	policy->waivers =
		arena_take(policy->arena, yaml_count(list) * sizeof(*policy->waivers));
	if (!policy->waivers)
		return no_memory(err);
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		struct waiver *waiver = &policy->waivers[policy->waiver_count++];

		waiver->row = -1;
		waiver->line = yaml_line(item);
		waiver->file = arena_text(policy->arena, yaml_place(item).source->name);
		if (!waiver->file)
			return no_memory(err);
		r = read_waiver(item, policy, waiver, err);
		if (r >= 0 && !recorded)
			r = check_filled_in(item, waiver, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool names_unit(const struct waiver *waiver, const char *unit)
{
	for (size_t i = 0; i < waiver->unit_count; i++) {
		size_t len = strlen(waiver->units[i]);

		if (!strncmp(waiver->units[i], unit, len) && (!unit[len] || unit[len] == '/'))
			return true;
	}
	return !waiver->unit_count;
}

/* Of a flow outside the row it came nearest to counts; of a blocked one any row it was documented by. */
static bool names_row(const struct waiver *waiver, const struct verdict *verdict)
{
	if (waiver->row < 0 ||
	    (verdict->nearest_count && verdict->nearest[0].row == waiver->row))
		return true;
	for (unsigned i = 0; i < verdict->row_count; i++)
		if (verdict->rows[i] == waiver->row)
			return true;
	return false;
}

const struct waiver *policy_find_waiver(const struct policy *policy, const char *unit,
                                        const struct verdict *verdict,
                                        const struct flow_facts *facts, unsigned local,
                                        enum app app, int64_t when_us,
                                        const struct waiver **expired)
{
	const struct endpoint *here = &facts->end[local], *there = &facts->end[!local];

	if (expired)
		*expired = NULL;
	for (size_t i = 0; i < policy->waiver_count; i++) {
		const struct waiver *waiver = &policy->waivers[i];

		if ((waiver->kind != KIND_NONE && waiver->kind != verdict->kind) ||
		    (waiver->transport && waiver->transport != facts->transport) ||
		    (waiver->app != APP_NONE && waiver->app != app) ||
		    (waiver->local.count && !port_set_has(&waiver->local, here->port)) ||
		    (waiver->remote_ports.count &&
		     !port_set_has(&waiver->remote_ports, there->port)) ||
		    (waiver->remote.bits && !prefix_covers(&waiver->remote, &there->addr)) ||
		    !names_unit(waiver, unit) || !names_row(waiver, verdict))
			continue;
		if (when_us <= waiver->expires_us)
			return waiver;
		if (expired && !*expired)
			*expired = waiver;
	}
	return NULL;
}

const char *waiver_print(const struct waiver *waiver, char *buf, size_t size)
{
	snprintf(buf, size, "%.60s: %.160s (until %.16s)", waiver->owner, waiver->reason,
	         waiver->expires);
	return buf;
}
