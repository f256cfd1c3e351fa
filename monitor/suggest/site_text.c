/*
 * site_text.c - the proposal as YAML: each line that counts has its evidence above it, and what is not proven well enough
 * stands there as a comment with the reason. Names come from the wire: only what is a host name gets into a value,
 * and comments are tamed.
 */
#include "monitor/suggest/parts.h"
#include "monitor/commands/query.h"
#include "rules/text_file.h"
#include "schema/blind.h"
#include "schema/time.h"

#include <stdarg.h>

#define COLUMNS 96
#define DOUBTED_SHOWN 12 /* of a role; how many more there are is said */
#define EVIDENCE_TEXT 1024

/* ------------------------------------------------------------------ comments */

/* Characters that fit a terminal; '?' for each byte that does not. */
static void tame(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		size_t len = character_len(from);

		if (!len) {
			*to++ = '?';
			from++;
			continue;
		}
		memmove(to, from, len);
		to += len;
		from += len;
	}
	*to = '\0';
}

void comment_put(FILE *file, unsigned indent, const char *fmt, ...)
{
	char text[2 * EVIDENCE_TEXT];
	const char *word = text;
	size_t column = 0, hang;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tame(text);
	hang = strspn(text, " -"); /* what goes on stands below what began */
	while (*word) {
		size_t blanks = strspn(word, " "), len = blanks + strcspn(word + blanks, " ");

		if (column && column + len > COLUMNS) {
			fprintf(file, "\n%*s# %*s", (int)indent, "", (int)hang, "");
			column = indent + 2 + hang;
			len -= blanks;
			word += blanks;
		} else if (!column) {
			column = (size_t)fprintf(file, "%*s# ", (int)indent, "");
		}
		column += fwrite(word, 1, len, file);
		word += len;
	}
	fputc('\n', file);
}

/* "12 flows, the first udp 10.20.0.15:52001 > 10.20.0.53:53 at 2026-03-02T08:00:00Z (flow 17)" */
static const char *trace_print(const struct suggestion *suggestion, const struct trace *trace,
                               const char *what, char *buf, size_t size)
{
	char time[TIME_TEXT], flow[40] = "";

	if (suggestion->options.in_force)
		snprintf(flow, sizeof(flow), " (flow %lld)", (long long)trace->flow);
	snprintf(buf, size, "%llu%s%s flow%s, %s%s at %.19sZ%s", (unsigned long long)trace->flows,
	         *what ? " " : "", what, plural(trace->flows), trace->flows > 1 ? "the first " : "",
	         trace->what, time_print(trace->first_us, time), flow);
	return buf;
}

/* --------------------------------------------------------------------- values */

/* In quotes where YAML would read it otherwise. */
static void put_addr(FILE *file, const struct addr *addr)
{
	char text[ADDR_TEXT];

	fprintf(file, addr_is_v4(addr) ? "%s" : "\"%s\"", addr_print(addr, text));
}

static void put_quoted(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (strchr("\"\\", *text))
			fputc('\\', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

static void put_profiles(const struct suggestion *suggestion, FILE *file, uint32_t profiles)
{
	const struct envelope *envelope = suggestion->options.envelope;
	bool any = false;

	/* Before they are known a unit has those that every unit has. */
	profiles = profiles ? profiles : 1;
	for (unsigned i = 0; i < envelope->profile_count; i++)
		if (profiles >> i & 1) {
			fprintf(file, "%s%s", any ? ", " : "", envelope->profiles[i].id);
			any = true;
		}
}

/* ----------------------------------------------------------------------- head */

static void put_looked_at(const struct suggestion *suggestion, FILE *file)
{
	char first[TIME_TEXT], last[TIME_TEXT], span[TIME_TEXT];

	comment_put(file, 0, "Looked at: %.19sZ to %.19sZ (%s), %llu packets, %llu run%s%s%s",
	            time_print(suggestion->first_us, first), time_print(suggestion->last_us, last),
	            time_print_span(suggestion->last_us - suggestion->first_us, span),
	            (unsigned long long)suggestion->packets, (unsigned long long)suggestion->runs,
	            plural(suggestion->runs), *suggestion->filter ? ", only of what this lets through: " : "",
	            suggestion->filter);
	if (!suggestion->blinds) {
		comment_put(file, 0, "Blind: never");
	} else {
		char causes[512] = "";

		for (unsigned cause = BLIND_NONE + 1; cause < BLIND_CAUSE_COUNT; cause++)
			if (suggestion->blind_causes >> cause & 1)
				text_add(causes, sizeof(causes), "%s%s", *causes ? ", " : "",
				         blind_cause_name((enum blind_cause)cause));
		comment_put(file, 0, "Blind: %llu interval%s, %s in all (%s): what ran then is not in here",
		            (unsigned long long)suggestion->blinds, plural(suggestion->blinds),
		            time_print_span(suggestion->blind_us, span), causes);
	}
	comment_put(file, 0, "Hosts: %llu; units proposed: %zu%s", (unsigned long long)suggestion->hosts,
	            suggestion_fresh(suggestion),
	            suggestion->candidates_refused || suggestion->holders_refused
	                    ? "; more were seen than there was room for: narrow it with a filter or --unit"
	                    : "");
	for (size_t i = 0; i < SUGGEST_WORDS_MAX; i++)
		if (suggestion->missing[i])
			comment_put(file, 0, "--unit %s: no such host was seen",
			            suggestion->options.units[i]);
}

void site_write_head(const struct suggestion *suggestion, FILE *file)
{
	comment_put(file, 0, "Proposed by tlmon suggest %s from what was seen. What it lists is documented from then on and "
	                     "no finding any more: read each line before you use it.",
	            suggestion->options.source);
	put_looked_at(suggestion, file);
	fputs("#\n# Next, with this in site.yaml:\n", file);
	fputs("#   tlmon rules lint -c site.yaml        what it leaves open\n", file);
	if (suggestion->options.in_force)
		fputs("#   tlmon whatif -c site.yaml            which recorded verdicts it changes\n", file);
	else
		comment_put(file, 0, "  tlmon check %s -c site.yaml", suggestion->options.source);
	fputs("#\n", file);
}

/* --------------------------------------------------------------------- units */

static void put_addresses(FILE *file, const struct candidate *candidate)
{
	fputs("addresses: [", file);
	for (unsigned i = 0; i < candidate->address_count; i++) {
		if (i)
			fputs(", ", file);
		put_addr(file, &candidate->address[i]);
	}
	fputc(']', file);
}

static void explain_unit(const struct suggestion *suggestion, FILE *file, unsigned indent,
                         const struct candidate *candidate, bool fresh)
{
	char why[EVIDENCE_TEXT] = "", flows[256], time[TIME_TEXT], addr[ADDR_TEXT], server[ADDR_TEXT],
		mac[MAC_TEXT];
	const struct lease_row *lease = &candidate->lease;

	if (candidate->by_oui)
		text_add(why, sizeof(why), "; MAC of the maker");
	if (candidate->asked)
		text_add(why, sizeof(why), "; named by --unit");
	if (candidate->by_name.flows)
		text_add(why, sizeof(why), "; asked for or contacted %s: %s", candidate->called,
		         trace_print(suggestion, &candidate->by_name, "", flows, sizeof(flows)));
	if (lease->first_us) {
		text_add(why, sizeof(why), "; DHCP gave it %s, by %s",
		         addr_print(&lease->address, addr), addr_print(&lease->server, server));
		if (lease->until_us)
			text_add(why, sizeof(why), ", until %.19sZ", time_print(lease->until_us, time));
	}
	if (candidate->sentence)
		text_add(why, sizeof(why), "; %s", candidate->sentence);
	comment_put(file, indent, "%s%s: %s", fresh ? "new: " : "", candidate->name,
	            strlen(why) > 2 ? why + 2 : "on record");
	if (!mac_is_zero(&candidate->mac)) {
		*why = '\0';
		for (unsigned i = 0; i < candidate->address_count; i++)
			text_add(why, sizeof(why), "%s%s", i ? ", " : "",
			         addr_print(&candidate->address[i], addr));
		comment_put(file, indent, "  its addresses by then: %s%s", why,
		            candidate->addresses_more ? ", and more" : "");
	} else if (!mac_is_zero(&candidate->routed)) {
		comment_put(file, indent,
		            "  behind a router (%s): the addresses tell it; if DHCP gives them, reserve them%s",
		            mac_print(&candidate->routed, mac),
		            candidate->address_count == 1
		                    ? "; an address of the other IP version belongs here as well"
		                    : "");
	}
}

static void explain_profiles(const struct suggestion *suggestion, FILE *file, unsigned indent,
                             const struct candidate *candidate)
{
	const struct envelope *envelope = suggestion->options.envelope;

	for (unsigned p = 0; p < envelope->profile_count; p++) {
		const struct profile_use *use = &candidate->use[p];
		char flows[256];

		if (use->trace.flows)
			comment_put(file, indent, "  %s: %s: %s, %s", envelope->profiles[p].id,
			            trace_print(suggestion, &use->trace, "", flows, sizeof(flows)),
			            envelope->rows[use->row].id,
			            grade_name((enum grade)use->grade));
		else if (candidate->profiles >> p & 1 && !candidate->listed)
			comment_put(file, indent, "  %s: every unit has it; no flow of its rows was seen%s",
			            envelope->profiles[p].id,
			            candidate->sentence ? " (of hosts on no list none is kept)" : "");
	}
}

static void put_unit(const struct suggestion *suggestion, FILE *file, unsigned indent,
                     const struct candidate *candidate)
{
	char mac[MAC_TEXT];

	fprintf(file, "%*s- {name: %s, ", (int)indent, "", candidate->name);
	if (mac_is_zero(&candidate->mac))
		put_addresses(file, candidate);
	else
		fprintf(file, "macs: [\"%s\"]", mac_print(&candidate->mac, mac));
	fputs(", profiles: [", file);
	put_profiles(suggestion, file, candidate->profiles);
	fputs("]}\n", file);
}

/* Of a unit that --unit named when it was recorded. */
static void put_listed(const struct suggestion *suggestion, FILE *file, unsigned indent,
                       const struct unit_rule *rule)
{
	char mac[MAC_TEXT], prefix[PREFIX_TEXT];

	fprintf(file, "%*s- {name: ", (int)indent, "");
	put_quoted(file, rule->name);
	for (size_t i = 0; i < rule->prefix_count; i++)
		fprintf(file, "%s\"%s\"%s", i ? ", " : ", addresses: [",
		        prefix_print(&rule->prefixes[i], prefix),
		        i + 1 == rule->prefix_count ? "]" : "");
	for (size_t i = 0; i < rule->mac_count; i++)
		fprintf(file, "%s\"%s\"%s", i ? ", " : ", macs: [", mac_print(&rule->macs[i], mac),
		        i + 1 == rule->mac_count ? "]" : "");
	fputs(", profiles: [", file);
	put_profiles(suggestion, file, rule->profiles);
	fputs("]}\n", file);
}

void site_write_units(const struct suggestion *suggestion, FILE *file, unsigned indent, bool fresh)
{
	for (size_t i = 0; i < suggestion->candidate_count; i++) {
		const struct candidate *candidate = &suggestion->candidates[i];
		bool told = false;

		for (unsigned p = 0; p < PROFILES_MAX; p++)
			told |= candidate->use[p].trace.flows > 0;
		if (candidate->listed && told)
			comment_put(file, indent,
			            "%s fits rows of profiles that it does not have; add one if it is meant to be used:",
			            candidate->name);
		if (!candidate->listed)
			explain_unit(suggestion, file, indent, candidate, fresh);
		explain_profiles(suggestion, file, indent, candidate);
		if (!candidate->listed)
			put_unit(suggestion, file, indent, candidate);
	}
}

/* ---------------------------------------------------------------------- roles */

static void holder_print(const struct suggestion *suggestion, const struct holder *holder,
                         char *buf, size_t size)
{
	char flows[256], addr[ADDR_TEXT];

	*buf = '\0';
	if (*holder->name)
		text_add(buf, size, "; DNS bound %s to %s each time", holder->name,
		         addr_print(&holder->addr, addr));
	if (holder->leases)
		text_add(buf, size, "; gave %llu lease%s (ACK)%s", (unsigned long long)holder->leases,
		         plural(holder->leases), holder->offers ? ", and offers" : "");
	if (!addr_is_unspecified(&holder->relays_for))
		text_add(buf, size, "; a relay: the ACKs name %s",
		         addr_print(&holder->relays_for, addr));
	if (holder->port_count) {
		text_add(buf, size, "; opened port%s ", plural(holder->port_count));
		for (unsigned i = 0; i < holder->port_count; i++)
			text_add(buf, size, "%s%u", i ? ", " : "", holder->ports[i]);
		text_add(buf, size, " of units, which answered");
	}
	if (holder->proven.flows)
		text_add(buf, size, "; %s%s",
		         holder->port_count || holder->app == APP_NONE ? "" : "answered ",
		         trace_print(suggestion, &holder->proven,
		                     holder->port_count || holder->app == APP_NONE
		                             ? ""
		                             : app_name((enum app)holder->app),
		                     flows, sizeof(flows)));
	if (holder->taught)
		text_add(buf, size, "; DHCP names it");
	if (holder->unknown.flows && !holder->proven.flows)
		text_add(buf, size, "; nobody knows what is spoken in %s",
		         trace_print(suggestion, &holder->unknown, "", flows, sizeof(flows)));
	if (holder->tried.flows && !holder->proven.flows && !holder->unknown.flows)
		text_add(buf, size, "; tried in vain: %s",
		         trace_print(suggestion, &holder->tried, "", flows, sizeof(flows)));
	if (*holder->why)
		text_add(buf, size, "; %s", holder->why);
}

static bool is_again(const struct suggestion *suggestion, size_t at)
{
	const struct holder *holder = &suggestion->holders[at];

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *other = &suggestion->holders[i];

		if (other->role != holder->role || i == at || other->state == HOLDER_NOTED)
			continue;
		if (i > at && other->state >= holder->state)
			continue;
		if (*holder->name ? !strcasecmp(other->name, holder->name)
		                  : !*other->name && addr_equal(&other->addr, &holder->addr))
			return true;
	}
	return false;
}

static void put_holders(const struct suggestion *suggestion, FILE *file, unsigned indent,
                        unsigned role, bool named)
{
	bool headed = false;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];
		char why[EVIDENCE_TEXT];

		if (holder->state != HOLDER_ACTIVE || holder->role != (int)role ||
		    named != (*holder->name != '\0') || is_again(suggestion, i))
			continue;
		if (!headed)
			fprintf(file, "%*s%s:\n", (int)indent, "", named ? "names" : "addresses");
		headed = true;
		holder_print(suggestion, holder, why, sizeof(why));
		comment_put(file, indent + 2, "%s", strlen(why) > 2 ? why + 2 : "");
		fprintf(file, "%*s- ", (int)indent + 2, "");
		if (named)
			fputs(holder->name, file);
		else
			put_addr(file, &holder->addr);
		fputc('\n', file);
	}
}

/* " (sts.corp.example, fs.corp.example)"; "" */
static void names_print(const struct holder *holder, char *buf, size_t size)
{
	unsigned shown = 0;

	*buf = '\0';
	for (unsigned i = 0; i < holder->name_count && shown < 2; i++) {
		bool again = false;

		for (unsigned n = 0; n < i; n++)
			again |= !strcasecmp(holder->names[n].text, holder->names[i].text);
		if (!again)
			text_add(buf, size, "%s%.130s", shown++ ? ", " : " (", holder->names[i].text);
	}
	if (shown)
		text_add(buf, size, ")");
}

static void put_doubted(const struct suggestion *suggestion, FILE *file, unsigned indent,
                        unsigned role)
{
	unsigned count = 0;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];
		char why[EVIDENCE_TEXT], addr[ADDR_TEXT], names[320] = "";

		if (holder->state != HOLDER_DOUBTED || holder->role != (int)role ||
		    is_again(suggestion, i) || count++ >= DOUBTED_SHOWN)
			continue;
		if (count == 1)
			comment_put(file, indent, "%s, not proposed:",
			            suggestion->options.envelope->roles[role].id);
		names_print(holder, names, sizeof(names));
		holder_print(suggestion, holder, why, sizeof(why));
		comment_put(file, indent, "  - %s%s: %s", addr_print(&holder->addr, addr), names,
		            strlen(why) > 2 ? why + 2 : "");
	}
	if (count > DOUBTED_SHOWN)
		comment_put(file, indent, "  and %u more", count - DOUBTED_SHOWN);
}

static bool has_holder(const struct suggestion *suggestion, unsigned role, enum holder_state state)
{
	for (size_t i = 0; i < suggestion->holder_count; i++)
		if (suggestion->holders[i].role == (int)role && suggestion->holders[i].state == state)
			return true;
	return false;
}

static void put_role(const struct suggestion *suggestion, FILE *file, unsigned indent,
                     unsigned role, bool fresh)
{
	const struct role *doc = &suggestion->options.envelope->roles[role];
	const struct policy *in_force = suggestion->options.in_force;
	const struct trace *built_in = &suggestion->built_in[role];
	char flows[256];

	if (has_holder(suggestion, role, HOLDER_ACTIVE)) {
		if (fresh)
			comment_put(file, indent, "new:");
		fprintf(file, "%*s%s:\n", (int)indent, "", doc->id);
		put_holders(suggestion, file, indent + 2, role, false);
		put_holders(suggestion, file, indent + 2, role, true);
	}
	put_doubted(suggestion, file, indent, role);
	if (built_in->flows)
		comment_put(file, indent, "%s: the document says who holds it; seen: %s", doc->id,
		            trace_print(suggestion, built_in, "", flows, sizeof(flows)));
	if (doc->by_ice && !(in_force && in_force->holders[role].by_site))
		comment_put(file, indent,
		            "%s: left empty: an answered ICE check proves who takes part in a call",
		            doc->id);
}

void site_write_roles(const struct suggestion *suggestion, FILE *file, unsigned indent, bool fresh)
{
	for (unsigned role = 0; role < suggestion->options.envelope->role_count; role++)
		put_role(suggestion, file, indent, role, fresh);
}

void site_write_domains(const struct suggestion *suggestion, FILE *file, bool fresh)
{
	bool any = false;

	for (unsigned i = 0; i < suggestion->domain_count; i++) {
		const struct domain *domain = &suggestion->domains[i];
		char flows[256];

		comment_put(file, 0, "%s%s: units asked for %s, %s", fresh ? "new: " : "", domain->text,
		            domain->asked,
		            trace_print(suggestion, &domain->trace, "", flows, sizeof(flows)));
	}
	for (unsigned i = 0; i < suggestion->domain_count; i++) {
		fprintf(file, "%s%s", any ? ", " : "domains: [", suggestion->domains[i].text);
		any = true;
	}
	if (any)
		fputs("]\n", file);
}

/* ----------------------------------------------------------------------- tail */

static void put_subnets(const struct suggestion *suggestion, FILE *file)
{
	char line[512] = "", prefix[PREFIX_TEXT];

	for (unsigned i = 0; i < suggestion->subnet_count; i++)
		text_add(line, sizeof(line), "%s%s", i ? ", " : "",
		         prefix_print(&suggestion->subnets[i], prefix));
	if (!suggestion->subnet_count)
		return;
	comment_put(file, 0, "The units' own networks, by the netmasks of their leases; list all of them (IPv6 too), or none:");
	fprintf(file, "#subnets: [%s]\n", line);
}

static void put_waivers(const struct suggestion *suggestion, FILE *file)
{
	if (!suggestion->innocent_count)
		return;
	comment_put(file, 0, "No row documents these, and units need them as a rule (clocks for certificates and Kerberos). A waiver "
	                     "wants an owner, a reason and a day; whoever gives none leaves them outside.");
	fputs("#waivers:\n", file);
	for (unsigned i = 0; i < suggestion->innocent_count; i++) {
		const struct innocent *innocent = &suggestion->innocents[i];
		char flows[256], addr[ADDR_TEXT];

		comment_put(file, 0, "  %s", trace_print(suggestion, &innocent->trace,
		                                         app_name((enum app)innocent->app), flows,
		                                         sizeof(flows)));
		fprintf(file, "#  - {units: [%s], remote: \"%s\", transport: %s, remote-ports: [%u], application: %s,\n"
		              "#     owner: \"\", reason: \"\", expires: \"\"}\n",
		        innocent->units, addr_print(&innocent->remote, addr),
		        transport_name(innocent->transport), innocent->port,
		        app_name((enum app)innocent->app));
	}
}

static void put_outcome(const struct suggestion *suggestion, FILE *file)
{
	const uint64_t *rulings = suggestion->rulings;

	if (!rulings[RULING_DOCUMENTED] && !rulings[RULING_OUTSIDE])
		return;
	fputs("#\n", file);
	comment_put(file, 0,
	            "Under this file, of the flows of its units: %llu documented (%llu blocked), %llu outside, %llu "
	            "undetermined, %llu housekeeping",
	            (unsigned long long)rulings[RULING_DOCUMENTED],
	            (unsigned long long)suggestion->blocked,
	            (unsigned long long)rulings[RULING_OUTSIDE],
	            (unsigned long long)rulings[RULING_UNDETERMINED],
	            (unsigned long long)rulings[RULING_HOUSEKEEPING]);
	for (unsigned i = 0; i < suggestion->outsider_count; i++) {
		const struct outsider *outsider = &suggestion->outsiders[i];
		char flows[256];

		comment_put(file, 0, "  outside, %s, %s%s%s: %s", kind_name((enum kind)outsider->kind),
		            severity_name((enum severity)outsider->severity),
		            *outsider->row ? ", nearest " : "", outsider->row,
		            trace_print(suggestion, &outsider->trace, "", flows, sizeof(flows)));
	}
	if (suggestion->outsiders_more)
		comment_put(file, 0, "  and %llu flows more of other kinds",
		            (unsigned long long)suggestion->outsiders_more);
}

void site_write_tail(const struct suggestion *suggestion, FILE *file)
{
	put_subnets(suggestion, file);
	put_waivers(suggestion, file);
	put_outcome(suggestion, file);
}

void site_write(const struct suggestion *suggestion, FILE *file)
{
	const struct policy *in_force = suggestion->options.in_force;

	site_write_head(suggestion, file);
	if (suggestion->options.site) {
		fputs("site: ", file);
		put_quoted(file, suggestion->options.site);
		fputc('\n', file);
	}
	if (!suggestion->candidate_count && !(in_force && in_force->unit_count)) {
		fputs("units: []\n", file);
		return;
	}
	fputs("units:\n", file);
	for (size_t i = 0; in_force && i < in_force->unit_count; i++)
		put_listed(suggestion, file, 2, &in_force->units[i]);
	site_write_units(suggestion, file, 2, in_force != NULL);
	site_write_domains(suggestion, file, false);
	fputs("roles:\n", file);
	site_write_roles(suggestion, file, 2, in_force != NULL);
	site_write_tail(suggestion, file);
}
