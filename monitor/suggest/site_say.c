/*
 * site_say.c - what speaks for each line of a proposal, as comments. Names come from the wire, so comments are tamed.
 */
#include "monitor/commands/query.h"
#include "monitor/suggest/parts.h"
#include "rules/text_file.h"
#include "schema/blind.h"
#include "schema/time.h"

#include <stdarg.h>

#define COLUMNS 88 /* they may be indented by some more */
#define EVIDENCE_TEXT 1024

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

/* A comment of as many lines as it takes. */
static void put(FILE *file, const char *fmt, ...) PRINTF(2, 3);

static void put(FILE *file, const char *fmt, ...)
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
			fprintf(file, "\n# %*s", (int)hang, "");
			column = 2 + hang;
			len -= blanks;
			word += blanks;
		} else if (!column) {
			column = (size_t)fprintf(file, "# ");
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

	if (suggestion->options.recorded)
		snprintf(flow, sizeof(flow), " (flow %lld)", (long long)trace->flow);
	snprintf(buf, size, "%llu%s%s flow%s, %s%s at %.19sZ%s",
	         (unsigned long long)trace->flows, *what ? " " : "", what, plural(trace->flows),
	         trace->flows > 1 ? "the first " : "", trace->what,
	         time_print(trace->first_us, time), flow);
	return buf;
}

/* ------------------------------------------------------------------- units */

/* In a file that there is already. */
static const char *mark(const struct suggestion *suggestion)
{
	return suggestion->options.in_force ? "new: " : "";
}

static void say_host(const struct suggestion *suggestion, FILE *file,
                     const struct candidate *candidate)
{
	char why[EVIDENCE_TEXT] = "", flows[256], time[TIME_TEXT], addr[ADDR_TEXT],
	     server[ADDR_TEXT], mac[MAC_TEXT];
	const struct lease_row *lease = &candidate->lease;

	if (candidate->by_oui)
		text_add(why, sizeof(why), "; MAC of the maker");
	if (candidate->asked)
		text_add(why, sizeof(why), "; named by --unit");
	if (candidate->by_name.flows)
		text_add(
			why, sizeof(why), "; asked for or contacted %s%s: %s",
			candidate->called, candidate->called_more ? " and others like it" : "",
			trace_print(suggestion, &candidate->by_name, "", flows, sizeof(flows)));
	if (lease->first_us) {
		text_add(why, sizeof(why), "; DHCP gave it %s, by %s",
		         addr_print(&lease->address, addr), addr_print(&lease->server, server));
		if (lease->until_us)
			text_add(why, sizeof(why), ", until %.19sZ",
			         time_print(lease->until_us, time));
	}
	if (candidate->sentence)
		text_add(why, sizeof(why), "; %s", candidate->sentence);
	put(file, "%s%s: %s", mark(suggestion), candidate->name,
	    strlen(why) > 2 ? why + 2 : "on record as a unit");
	if (!mac_is_zero(&candidate->mac)) {
		*why = '\0';
		for (unsigned i = 0; i < candidate->address_count; i++)
			text_add(why, sizeof(why), "%s%s", i ? ", " : "",
			         addr_print(&candidate->address[i], addr));
		put(file, "  its addresses by then: %s%s", why,
		    candidate->addresses_more ? ", and more" : "");
	} else if (!mac_is_zero(&candidate->routed)) {
		put(file,
		    "  behind a router (%s): the addresses tell it; if DHCP gives them, reserve them%s",
		    mac_print(&candidate->routed, mac),
		    candidate->address_count == 1
		            ? "; an address of the other IP version belongs here as well"
		            : "");
	}
}

static void say_profiles(const struct suggestion *suggestion, FILE *file,
                         const struct candidate *candidate)
{
	const struct envelope *envelope = suggestion->options.envelope;

	for (unsigned p = 0; p < envelope->profile_count; p++) {
		const struct profile_use *use = &candidate->use[p];
		char flows[256];

		if (use->trace.flows)
			put(file, "  %s: %s: %s, %s", envelope->profiles[p].id,
			    trace_print(suggestion, &use->trace, "", flows, sizeof(flows)),
			    envelope->rows[use->row].id, grade_name((enum grade)use->grade));
		else if (candidate->profiles >> p & 1 && !candidate->listed)
			put(file, "  %s: every unit has it; no flow of its rows was seen%s",
			    envelope->profiles[p].id,
			    candidate->sentence ? " (of hosts on no list none is kept)" : "");
	}
}

void say_unit(const struct suggestion *suggestion, FILE *file, const void *of)
{
	const struct candidate *candidate = of;

	say_host(suggestion, file, candidate);
	say_profiles(suggestion, file, candidate);
}

/* Somebody decided which profiles a listed unit has. */
void say_listed(const struct suggestion *suggestion, FILE *file)
{
	for (size_t i = 0; i < suggestion->candidate_count; i++) {
		const struct candidate *candidate = &suggestion->candidates[i];
		bool told = false;

		for (unsigned p = 0; p < PROFILES_MAX; p++)
			told |= candidate->use[p].trace.flows > 0;
		if (!candidate->listed || !told)
			continue;
		put(file,
		    "%s fits rows of profiles that it does not have; add one if it is meant to be used:",
		    candidate->name);
		say_profiles(suggestion, file, candidate);
	}
}

/* ------------------------------------------------------------------- roles */

static void holder_print(const struct suggestion *suggestion, const struct holder *holder,
                         char *buf, size_t size)
{
	char flows[256], addr[ADDR_TEXT];

	*buf = '\0';
	if (*holder->name)
		text_add(buf, size, "; DNS bound %s to %s each time", holder->name,
		         addr_print(&holder->addr, addr));
	if (holder->leases)
		text_add(buf, size, "; gave %llu lease%s (ACK)%s",
		         (unsigned long long)holder->leases, plural(holder->leases),
		         holder->offers ? ", and offers" : "");
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

/* Another line says the same. */
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

bool holder_is_written(const struct suggestion *suggestion, size_t at, enum holder_state state)
{
	return suggestion->holders[at].state == state && !is_again(suggestion, at);
}

/* "sts.corp.example, fs.corp.example"; "" */
static void names_print(const struct holder *holder, char *buf, size_t size)
{
	unsigned shown = 0;

	*buf = '\0';
	for (unsigned i = 0; i < holder->name_count && shown < 2; i++) {
		bool again = false;

		for (unsigned n = 0; n < i; n++)
			again |= !strcasecmp(holder->names[n].text, holder->names[i].text);
		if (!again)
			text_add(buf, size, "%s%.130s", shown++ ? ", " : "",
			         holder->names[i].text);
	}
}

void say_holder(const struct suggestion *suggestion, FILE *file, const void *of)
{
	const struct holder *holder = of;
	char why[EVIDENCE_TEXT], addr[ADDR_TEXT], who[ADDR_TEXT + 64] = "", names[320] = "";

	/* In a file that is written in one line the comment stands far from what it is about. */
	if (suggestion->options.in_force)
		snprintf(who, sizeof(who),
		         "new: %s %s: ", suggestion->options.envelope->roles[holder->role].id,
		         addr_print(&holder->addr, addr));
	holder_print(suggestion, holder, why, sizeof(why));
	if (holder->state == HOLDER_DOUBTED && !*holder->name)
		names_print(holder, names, sizeof(names));
	put(file, "%s%s%s%s", who, names, *names ? ": " : "",
	    strlen(why) > 2 ? why + 2 : "on record");
}

void say_doubted(const struct suggestion *suggestion, FILE *file, const void *of)
{
	const struct role *doc = of;
	int role = (int)(doc - suggestion->options.envelope->roles);
	unsigned count = 0;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];
		char why[EVIDENCE_TEXT], addr[ADDR_TEXT], names[320];

		if (holder->role != role || !holder_is_written(suggestion, i, HOLDER_DOUBTED) ||
		    count++ >= DOUBTED_SHOWN)
			continue;
		if (count == 1)
			put(file, "%s, not proposed:", doc->id);
		names_print(holder, names, sizeof(names));
		holder_print(suggestion, holder, why, sizeof(why));
		put(file, "  - %s%s%s%s: %s", addr_print(&holder->addr, addr),
		    *names ? " (" : "", names, *names ? ")" : "",
		    strlen(why) > 2 ? why + 2 : "");
	}
	if (count > DOUBTED_SHOWN)
		put(file, "  and %u more", count - DOUBTED_SHOWN);
}

void say_role(const struct suggestion *suggestion, FILE *file, const void *of)
{
	const struct role *doc = of;
	unsigned role = (unsigned)(doc - suggestion->options.envelope->roles);
	const struct policy *in_force = suggestion->options.in_force;
	const struct trace *built_in = &suggestion->built_in[role];
	char flows[256];

	if (built_in->flows)
		put(file, "%s: the document says who holds it; seen: %s", doc->id,
		    trace_print(suggestion, built_in, "", flows, sizeof(flows)));
	if (doc->by_ice && !(in_force && in_force->holders[role].by_site))
		put(file,
		    "%s: left empty: an answered ICE check proves who takes part in a call",
		    doc->id);
}

void say_domain(const struct suggestion *suggestion, FILE *file, const void *of)
{
	const struct domain *domain = of;
	char flows[256];

	put(file, "%s%s: units asked for %s%s: %s", mark(suggestion), domain->text,
	    domain->asked, domain->asked_more ? " and others like it" : "",
	    trace_print(suggestion, &domain->trace, "", flows, sizeof(flows)));
}

/* --------------------------------------------------------------- the whole */

static void put_withheld(const struct suggestion *suggestion, FILE *file)
{
	const struct envelope *envelope = suggestion->options.envelope;
	char roles[256] = "";

	for (unsigned role = 0; role < envelope->role_count; role++)
		if (suggestion->withheld_roles >> role & 1)
			text_add(roles, sizeof(roles), "%s%s", *roles ? ", " : "",
			         envelope->roles[role].id);
	put(file,
	    "Not documented under this file: %llu flow%s to servers that %s (%s); %s those that are yours",
	    (unsigned long long)suggestion->withheld, plural(suggestion->withheld),
	    suggestion->options.in_force ? "are not proposed" : "stand in it commented out",
	    roles, suggestion->options.in_force ? "list" : "uncomment");
}

static void put_looked_at(const struct suggestion *suggestion, FILE *file)
{
	char first[TIME_TEXT], last[TIME_TEXT], span[TIME_TEXT];

	put(file, "Looked at: %.19sZ to %.19sZ (%s), %llu packets, %llu run%s%s%s",
	    time_print(suggestion->first_us, first), time_print(suggestion->last_us, last),
	    time_print_span(suggestion->last_us - suggestion->first_us, span),
	    (unsigned long long)suggestion->packets, (unsigned long long)suggestion->runs,
	    plural(suggestion->runs),
	    *suggestion->filter ? ", only of what this lets through: " : "",
	    suggestion->filter);
	if (!suggestion->blinds) {
		put(file, "Blind: never");
	} else {
		char causes[512] = "";

		for (unsigned cause = BLIND_NONE + 1; cause < BLIND_CAUSE_COUNT; cause++)
			if (suggestion->blind_causes >> cause & 1)
				text_add(causes, sizeof(causes), "%s%s", *causes ? ", " : "",
				         blind_cause_name((enum blind_cause)cause));
		put(file, "Blind: %llu interval%s, %s in all (%s): %s",
		    (unsigned long long)suggestion->blinds, plural(suggestion->blinds),
		    time_print_span(suggestion->blind_us, span), causes,
		    suggestion->blind_causes & BLIND_UNSEEN ? "what ran then is not in here"
		                                            : "some of it was seen in part");
	}
	if (suggestion->withheld)
		put_withheld(suggestion, file);
	put(file, "%s: %llu; units proposed: %zu%s",
	    suggestion->options.recorded ? "Units on record" : "Hosts that spoke",
	    (unsigned long long)suggestion->hosts, suggestion_fresh(suggestion),
	    suggestion->candidates_refused || suggestion->holders_refused
	            ? "; more were seen than there was room for: narrow it with a filter or --unit"
	            : "");
	for (size_t i = 0; i < SUGGEST_WORDS_MAX; i++)
		if (suggestion->missing[i])
			put(file, "--unit %s: no such host was seen",
			    suggestion->options.units[i]);
}

void say_head(const struct suggestion *suggestion, FILE *file)
{
	put(file,
	    "Proposed by tlmon suggest %s from what was seen. What it lists is documented from then on and no finding any "
	    "more: read each line before you use it.",
	    suggestion->options.source);
	put_looked_at(suggestion, file);
	fputs("#\n# Next, with this in site.yaml:\n", file);
	put(file, "  tlmon rules lint -c site.yaml");
	if (suggestion->options.recorded)
		put(file, "  tlmon whatif %s -c site.yaml", suggestion->options.source);
	else
		put(file, "  tlmon check %s -c site.yaml", suggestion->options.source);
	fputs("#\n", file);
}

static void put_subnets(const struct suggestion *suggestion, FILE *file)
{
	char line[512] = "", prefix[PREFIX_TEXT];

	for (unsigned i = 0; i < suggestion->subnet_count; i++)
		text_add(line, sizeof(line), "%s%s", i ? ", " : "",
		         prefix_print(&suggestion->subnets[i], prefix));
	if (!suggestion->subnet_count)
		return;
	put(file,
	    "The units' own networks, by the netmasks of their leases; list all of them (IPv6 too), or none:");
	fprintf(file, "#subnets: [%s]\n", line);
}

static void put_waivers(const struct suggestion *suggestion, FILE *file)
{
	if (!suggestion->innocent_count)
		return;
	put(file,
	    "No row documents these, and units need them as a rule (clocks for certificates and Kerberos). A waiver "
	    "wants an owner, a reason and a day; whoever gives none leaves them outside.");
	fputs("#waivers:\n", file);
	for (unsigned i = 0; i < suggestion->innocent_count; i++) {
		const struct innocent *innocent = &suggestion->innocents[i];
		char flows[256], addr[ADDR_TEXT];

		put(file, "  %s",
		    trace_print(suggestion, &innocent->trace, app_name((enum app)innocent->app),
		                flows, sizeof(flows)));
		fprintf(file,
		        "#  - {units: [%s], remote: \"%s\", transport: %s, remote-ports: [%u], application: %s,\n"
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
	put(file,
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

		put(file, "  outside, %s, %s%s%s: %s", kind_name((enum kind)outsider->kind),
		    severity_name((enum severity)outsider->severity),
		    *outsider->row ? ", nearest " : "", outsider->row,
		    trace_print(suggestion, &outsider->trace, "", flows, sizeof(flows)));
	}
	if (suggestion->outsiders_more)
		put(file, "  and %llu flow%s more of other kinds",
		    (unsigned long long)suggestion->outsiders_more,
		    plural(suggestion->outsiders_more));
}

void say_tail(const struct suggestion *suggestion, FILE *file)
{
	const struct policy *in_force = suggestion->options.in_force;

	if (!in_force || !in_force->subnet_count)
		put_subnets(suggestion, file);
	put_waivers(suggestion, file);
	put_outcome(suggestion, file);
}
