/*
 * site_text.c - the proposal as YAML: each line that counts has its evidence above it (site_say.c), and what is not
 * proven well enough stands there as a comment with the reason.
 */
#include "monitor/suggest/parts.h"

/* What is said goes in lines of a comment, indented. */
static void put_said(FILE *file, unsigned indent, const char *text)
{
	for (const char *line = text; line && *line;) {
		size_t width = strcspn(line, "\n");

		fprintf(file, "%*s%.*s\n", (int)indent, "", (int)width, line);
		line += width + (line[width] == '\n');
	}
}

char *said(const struct suggestion *suggestion,
           void (*say)(const struct suggestion *, FILE *, const void *), const void *of)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	say(suggestion, out, of);
	return fclose(out) ? NULL : text;
}

static void say(const struct suggestion *suggestion, FILE *file, unsigned indent,
                void (*what)(const struct suggestion *, FILE *, const void *), const void *of)
{
	CLEANUP(freep) char *text = said(suggestion, what, of);

	put_said(file, indent, text);
}

/* ------------------------------------------------------------------- units */

static void profile_words_of(const struct suggestion *suggestion, uint32_t profiles,
                             const char *words[PROFILES_MAX], size_t *ret_count)
{
	const struct envelope *envelope = suggestion->options.envelope;

	/* Before they are known a unit has those that every unit has: they come first. */
	profiles = profiles ? profiles : 1;
	for (unsigned i = 0; i < envelope->profile_count; i++)
		if (profiles >> i & 1)
			words[(*ret_count)++] = envelope->profiles[i].id;
}

void unit_words(const struct suggestion *suggestion, const struct candidate *candidate,
                struct unit_words *ret)
{
	bool by_mac = !mac_is_zero(&candidate->mac);

	ret->name[0] = candidate->name;
	ret->pairs[0] = (struct yaml_pair){.key = "name", .texts = ret->name, .count = 1};
	ret->pairs[1] = (struct yaml_pair){.key = by_mac ? "macs" : "addresses",
	                                   .texts = ret->hosts,
	                                   .count = by_mac ? 1 : candidate->address_count,
	                                   .list = true};
	if (by_mac)
		ret->hosts[0] = mac_print(&candidate->mac, ret->addresses[0]);
	for (unsigned i = 0; !by_mac && i < candidate->address_count; i++)
		ret->hosts[i] = addr_print(&candidate->address[i], ret->addresses[i]);
	ret->pairs[2] =
		(struct yaml_pair){.key = "profiles", .texts = ret->profiles, .list = true};
	profile_words_of(suggestion, candidate->profiles, ret->profiles, &ret->pairs[2].count);
}

static void put_unit(const struct suggestion *suggestion, FILE *file,
                     const struct candidate *candidate)
{
	struct unit_words words;

	unit_words(suggestion, candidate, &words);
	say(suggestion, file, 2, say_unit, candidate);
	fputs("  - ", file);
	yaml_put_map(file, words.pairs, ARRAY_LEN(words.pairs), false);
	fputc('\n', file);
}

static void put_units(const struct suggestion *suggestion, FILE *file)
{
	fputs(suggestion->candidate_count ? "units:\n" : "units: []\n", file);
	for (size_t i = 0; i < suggestion->candidate_count; i++)
		put_unit(suggestion, file, &suggestion->candidates[i]);
}

/* ------------------------------------------------------------------- roles */

enum list { LIST_ADDRESSES, LIST_NAMES, LIST_COUNT };

/* How many lines it has. */
static size_t count_holders(const struct suggestion *suggestion, unsigned role, enum list list,
                            enum holder_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];

		count += holder->role == (int)role &&
		         (list == LIST_NAMES) == (*holder->name != '\0') &&
		         holder_is_written(suggestion, i, state);
	}
	return count;
}

/* `hash`: "#" before what is commented out, else "". No blank follows it: so it is told from words. */
static void put_holders(const struct suggestion *suggestion, FILE *file, unsigned role,
                        enum list list, enum holder_state state, const char *hash)
{
	size_t count = 0;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];
		char addr[ADDR_TEXT];

		if (holder->role != (int)role ||
		    (list == LIST_NAMES) != (*holder->name != '\0') ||
		    !holder_is_written(suggestion, i, state))
			continue;
		if (state == HOLDER_DOUBTED && ++count > DOUBTED_SHOWN)
			continue;
		say(suggestion, file, 6, say_holder, holder);
		fprintf(file, "      %s- ", hash);
		yaml_put_text(file,
		              list == LIST_NAMES ? holder->name
		                                 : addr_print(&holder->addr, addr),
		              false);
		fputc('\n', file);
	}
	if (count > DOUBTED_SHOWN)
		fprintf(file, "      # and %zu more\n", count - DOUBTED_SHOWN);
}

static void put_role(const struct suggestion *suggestion, FILE *file, unsigned role)
{
	static const char *const words[] = {"addresses", "names"};
	const char *hash = suggestion->uncommented ? "" : "#";
	size_t active[LIST_COUNT], doubted[LIST_COUNT], actives = 0, all = 0;

	for (unsigned list = 0; list < LIST_COUNT; list++) {
		active[list] = count_holders(suggestion, role, list, HOLDER_ACTIVE);
		doubted[list] = count_holders(suggestion, role, list, HOLDER_DOUBTED);
		actives += active[list];
		all += active[list] + doubted[list];
	}
	if (all)
		fprintf(file, "  %s%s:\n", actives ? "" : hash,
		        suggestion->options.envelope->roles[role].id);
	for (unsigned list = 0; list < LIST_COUNT; list++) {
		if (active[list] + doubted[list])
			fprintf(file, "    %s%s:\n", active[list] ? "" : hash, words[list]);
		put_holders(suggestion, file, role, list, HOLDER_ACTIVE, "");
		put_holders(suggestion, file, role, list, HOLDER_DOUBTED, hash);
	}
}

static void put_roles(const struct suggestion *suggestion, FILE *file)
{
	const struct envelope *envelope = suggestion->options.envelope;

	fputs("roles:\n", file);
	for (unsigned role = 0; role < envelope->role_count; role++) {
		put_role(suggestion, file, role);
		say(suggestion, file, 2, say_role, &envelope->roles[role]);
	}
}

static void put_domains(const struct suggestion *suggestion, FILE *file)
{
	const char *texts[DOMAINS_MAX];

	for (unsigned i = 0; i < suggestion->domain_count; i++) {
		say(suggestion, file, 0, say_domain, &suggestion->domains[i]);
		texts[i] = suggestion->domains[i].text;
	}
	if (!suggestion->domain_count)
		return;
	fputs("domains: ", file);
	yaml_put_list(file, texts, suggestion->domain_count, false);
	fputc('\n', file);
}

void site_write(const struct suggestion *suggestion, FILE *file)
{
	say_head(suggestion, file);
	if (suggestion->options.site) {
		fputs("site: ", file);
		yaml_put_text(file, suggestion->options.site, false);
		fputc('\n', file);
	}
	put_units(suggestion, file);
	put_domains(suggestion, file);
	put_roles(suggestion, file);
	say_tail(suggestion, file);
}
