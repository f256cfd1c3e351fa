/*
 * firewall.c - see firewall.h. A rule is written for each reading of a row that one of the ways fits, each of
 * its transports (a row that names two is not whole with one of them) and each version of IP; but only
 * for the side that opens: what may be opened from outside is not widened for a way out.
 */
#include "rules/firewall.h"

#include "rules/text_file.h"

#define LOCALS_MAX 16
#define PEERS_MAX 64
#define COMMENT_MAX 127 /* bytes that nft takes (NFTNL_UDATA_COMMENT_MAXLEN) */
#define SHOWN_ADDRESSES 4

/* At its front, for behind a rule that drops the rest none is looked at; where there is no such chain nft says so. */
#define RULE "insert rule inet filter forward "
static const char HEAD[] = "# for 'nft -f'; table and chain are the usual ones: put in yours\n";
/* The last that is put in stands first. */
static const char ANSWERS[] =
	RULE "ct state established,related accept comment \"answers to what is allowed\"\n";

struct prefixes {
	struct prefix list[PEERS_MAX];
	size_t count;
	size_t left_out;
};

/* What one reading of a row opens, for one version of IP and one side that opens. */
struct opening {
	const struct row *row;
	const struct row_form *form;
	bool inbound, v4;
	struct prefixes locals, peers;
};

struct firewall {
	const struct policy *policy;
	const struct firewall_ask *ask;
	FILE *say, *lines;
	char *say_text, *lines_text;
	size_t say_len, lines_len;
	size_t openings;
	uint32_t by_name; /* roles of which names alone tell the holders */
};

static void firewall_release(struct firewall *f)
{
	fclosep(&f->say);
	fclosep(&f->lines);
	free(f->say_text);
	free(f->lines_text);
}

static int firewall_init(struct firewall *f, struct err *err)
{
	f->say = open_memstream(&f->say_text, &f->say_len);
	f->lines = open_memstream(&f->lines_text, &f->lines_len);
	return f->say && f->lines ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* What was written, or -ENOMEM. */
static int take_text(FILE **file, char **text, char **ret, struct err *err)
{
	if (fclose(TAKE(*file)))
		return err_set(err, -ENOMEM, "out of memory");
	*ret = TAKE(*text);
	return 0;
}

/* ------------------------------------------------------------------ addresses */

/* Whether routers forward packets to and from it (RFC 4291 2.5.6, RFC 3927 2.6.2). */
static bool is_forwarded(const struct addr *addr)
{
	return !addr_is_unspecified(addr) && !addr_is_multicast(addr) &&
	       !addr_is_link_local(addr);
}

static void prefixes_add(struct prefixes *prefixes, const struct prefix *prefix)
{
	size_t kept = 0;

	for (size_t i = 0; i < prefixes->count; i++)
		if (prefixes->list[i].bits <= prefix->bits &&
		    prefix_covers(&prefixes->list[i], &prefix->addr))
			return;
	for (size_t i = 0; i < prefixes->count; i++)
		if (!prefix_covers(prefix, &prefixes->list[i].addr))
			prefixes->list[kept++] = prefixes->list[i];
	prefixes->count = kept;
	if (prefixes->count == PEERS_MAX)
		prefixes->left_out++;
	else
		prefixes->list[prefixes->count++] = *prefix;
}

static void prefixes_add_host(struct prefixes *prefixes, const struct addr *addr)
{
	struct prefix host = prefix_of(addr, 128);

	prefixes_add(prefixes, &host);
}

static int compare_prefixes(const void *a, const void *b)
{
	return addr_compare(&((const struct prefix *)a)->addr,
	                    &((const struct prefix *)b)->addr);
}

static void prefixes_sort(struct prefixes *prefixes)
{
	if (prefixes->count)
		qsort(prefixes->list, prefixes->count, sizeof(prefixes->list[0]),
		      compare_prefixes);
}

/* Who holds the role of this peer, as far as a packet filter can know; false: the role's lists do not hold it. */
static bool add_holders(const struct role_holders *holders, const struct addr *peer,
                        struct prefixes *ret)
{
	bool holds = false, many = holders->prefix_count > FIREWALL_HOLDERS_MAX;

	for (size_t i = 0; i < holders->prefix_count; i++)
		holds |= prefix_covers(&holders->prefixes[i], peer);
	for (size_t i = 0; holds && i < holders->prefix_count; i++) {
		const struct prefix *prefix = &holders->prefixes[i];

		if (is_forwarded(&prefix->addr) &&
		    addr_is_v4(&prefix->addr) == addr_is_v4(peer) &&
		    (!many || prefix_covers(prefix, peer)))
			prefixes_add(ret, prefix);
	}
	return holds;
}

static void add_peer(struct firewall *f, const struct row_form *form, const struct addr *peer,
                     struct prefixes *ret)
{
	bool held = false;

	for (size_t role = 0; role < f->policy->envelope->role_count; role++)
		if ((form->peers & BIT(role)) && !f->policy->envelope->roles[role].anyone)
			held |= add_holders(&f->policy->holders[role], peer, ret);
	if (held)
		return;
	for (size_t role = 0; role < f->policy->envelope->role_count; role++)
		if ((form->peers & BIT(role)) && f->policy->holders[role].name_count)
			f->by_name |= (uint32_t)BIT(role);
	prefixes_add_host(ret, peer);
}

/* ------------------------------------------------------------------ what is to be opened */

/* A set of none names no port: all are meant. */
static bool names_ports(const struct port_set *ports)
{
	return ports->count && port_set_size(ports) < 65535;
}

static bool has_port(const struct port_set *ports, uint16_t port)
{
	return !names_ports(ports) || port_set_has(ports, port);
}

static bool is_way_of(const struct opening *o, const struct closed_way *way)
{
	const struct row_form *form = o->form;
	bool inbound = way->direction == DIRECTION_IN;

	if (way->direction == DIRECTION_UNKNOWN)
		inbound = !(form->directions & BIT(DIRECTION_OUT));
	return inbound == o->inbound && addr_is_v4(&way->remote) == o->v4 &&
	       (form->ip_versions & BIT(o->v4 ? 4 : 6)) &&
	       (form->directions & BIT(inbound ? DIRECTION_IN : DIRECTION_OUT)) &&
	       (way->transport == TRANSPORT_UDP ? form->udp : form->tcp) &&
	       has_port(inbound ? &form->local : &form->remote,
	                inbound ? way->local_port : way->remote_port) &&
	       is_forwarded(&way->remote) && is_forwarded(&way->local);
}

static bool opening_fill(struct firewall *f, struct opening *o)
{
	for (size_t i = 0; i < f->ask->way_count; i++)
		if (is_way_of(o, &f->ask->ways[i])) {
			add_peer(f, o->form, &f->ask->ways[i].remote, &o->peers);
			prefixes_add_host(&o->locals, &f->ask->ways[i].local);
		}
	for (size_t i = 0; o->peers.count && i < f->ask->local_count; i++)
		if (addr_is_v4(&f->ask->locals[i]) == o->v4 && is_forwarded(&f->ask->locals[i]))
			prefixes_add_host(&o->locals, &f->ask->locals[i]);
	prefixes_sort(&o->locals);
	prefixes_sort(&o->peers);
	return o->peers.count > 0;
}

/* ------------------------------------------------------------------ rules */

static void put_addresses(FILE *out, bool v4, const char *side, const struct prefixes *prefixes)
{
	char text[PREFIX_TEXT];

	fprintf(out, "%s %s ", v4 ? "ip" : "ip6", side);
	if (prefixes->count > 1)
		fputs("{ ", out);
	for (size_t i = 0; i < prefixes->count; i++)
		fprintf(out, "%s%s", i ? ", " : "", prefix_print(&prefixes->list[i], text));
	fputs(prefixes->count > 1 ? " } " : " ", out);
}

static void put_ports(FILE *out, const char *transport, const char *side,
                      const struct port_set *ports)
{
	char text[256];

	if (!names_ports(ports))
		return;
	port_set_print(ports, text, sizeof(text));
	fprintf(out, ports->count > 1 ? "%s %s { %s } " : "%s %s %s ", transport, side, text);
}

/* Quotes would end it, and nft takes so many bytes. */
static void put_comment(FILE *out, const struct row *row)
{
	char text[COMMENT_MAX + 1];
	size_t len;

	snprintf(text, sizeof(text), "%s: %s", row->id, row->document);
	for (char *c = text; *c; c += len) {
		len = character_len(c);
		if (!len || c + len > text + strlen(text)) {
			*c = '\0'; /* cut within a character */
			break;
		}
		if (*c == '"' || *c == '\\')
			*c = '\'';
	}
	fprintf(out, "comment \"%s\"\n", text);
}

/* Behind a translator the ports that the unit opens from are whatever that makes of them. */
static const struct port_set *ports_of_unit(const struct firewall *f, const struct opening *o)
{
	static const struct port_set none;

	return f->policy->nat && !o->inbound ? &none : &o->form->local;
}

static int put_rule(struct firewall *f, const struct opening *o, uint8_t transport,
                    struct err *err)
{
	CLEANUP(freep) char *rule = NULL;
	const char *name = transport_name(transport);
	size_t len = 0;
	FILE *out = open_memstream(&rule, &len);
	const struct port_set *local = ports_of_unit(f, o);

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	fputs(RULE, out);
	put_addresses(out, o->v4, "saddr", o->inbound ? &o->peers : &o->locals);
	put_addresses(out, o->v4, "daddr", o->inbound ? &o->locals : &o->peers);
	if (!names_ports(local) && !names_ports(&o->form->remote))
		fprintf(out, "meta l4proto %s ", name);
	put_ports(out, name, "sport", o->inbound ? &o->form->remote : local);
	put_ports(out, name, "dport", o->inbound ? local : &o->form->remote);
	fputs("accept ", out);
	if (fclose(out))
		return err_set(err, -ENOMEM, "out of memory");
	fflush(f->lines);
	if (f->lines_text && strstr(f->lines_text, rule))
		return 0; /* another row's has opened it */
	fputs(rule, f->lines);
	put_comment(f->lines, o->row);
	return 0;
}

/* ------------------------------------------------------------------ the sentence */

static void say_addresses(FILE *out, const struct prefixes *prefixes)
{
	char text[PREFIX_TEXT];
	size_t shown =
		prefixes->count > SHOWN_ADDRESSES + 1 ? SHOWN_ADDRESSES : prefixes->count;

	for (size_t i = 0; i < shown; i++)
		fprintf(out, "%s%s", i ? ", " : "", prefix_print(&prefixes->list[i], text));
	if (shown < prefixes->count + prefixes->left_out)
		fprintf(out, " and %zu more", prefixes->count + prefixes->left_out - shown);
}

static void say_ports(FILE *out, const struct port_set *ports)
{
	char text[256];

	if (!names_ports(ports))
		return;
	fprintf(out, " port%s %s",
	        ports->count == 1 && ports->range[0].low == ports->range[0].high ? "" : "s",
	        port_set_print(ports, text, sizeof(text)));
}

static void say_opening(struct firewall *f, const struct opening *o)
{
	const struct port_set *local = ports_of_unit(f, o);

	fprintf(f->say, "%s%s%s from ", f->openings++ ? ", and " : "Allow ",
	        o->form->udp ? "UDP" : "",
	        o->form->tcp ? o->form->udp ? " and TCP" : "TCP" : "");
	say_addresses(f->say, o->inbound ? &o->peers : &o->locals);
	say_ports(f->say, o->inbound ? &o->form->remote : local);
	fputs(" to ", f->say);
	say_addresses(f->say, o->inbound ? &o->locals : &o->peers);
	say_ports(f->say, o->inbound ? &o->form->local : &o->form->remote);
	fputs(o->inbound ? " in" : " out", f->say);
}

/* Who closes it: each once, silence last. */
static void say_closers(struct firewall *f)
{
	const struct firewall_ask *ask = f->ask;
	const struct closed_way *silent = NULL;
	char addr[ADDR_TEXT];

	for (size_t i = 0; i < ask->way_count; i++) {
		const struct closed_way *way = &ask->ways[i];
		bool said = false;

		if (way->kind == KIND_BLOCKED_SILENT && !silent)
			silent = way;
		for (size_t j = 0; j < i; j++)
			said |= addr_equal(&ask->ways[j].sender, &way->sender) &&
			        ask->ways[j].icmp_type == way->icmp_type &&
			        ask->ways[j].icmp_code == way->icmp_code;
		if (said || addr_is_unspecified(&way->sender))
			continue;
		fprintf(f->say, "; %s %s (%s %u/%u)", addr_print(&way->sender, addr),
		        way->kind == KIND_BLOCKED_PROHIBITED ? "forbids it now"
		        : way->kind == KIND_REFUSED          ? "on the way refuses it now"
		                                             : "says that it cannot be reached",
		        addr_is_v4(&way->sender) ? "ICMP" : "ICMPv6", way->icmp_type,
		        way->icmp_code);
	}
	if (silent)
		fprintf(f->say,
		        "; nothing comes back now: look for a filter between the mirror and %s, it "
		        "does not say who it is",
		        addr_print(silent->direction == DIRECTION_IN ? &silent->local
		                                                     : &silent->remote,
		                   addr));
}

static void say_names(struct firewall *f)
{
	const struct envelope *envelope = f->policy->envelope;
	bool first = true;

	for (size_t role = 0; role < envelope->role_count; role++)
		if (f->by_name & BIT(role)) {
			fprintf(f->say, "%s%s", first ? " (" : ", ", envelope->roles[role].id);
			first = false;
		}
	if (!first)
		fputs(": held by names, which no packet filter knows; these are the addresses that "
		      "were tried)",
		      f->say);
}

static void say_link(struct firewall *f)
{
	const struct closed_way *way = &f->ask->ways[0];
	char local[ADDR_TEXT], remote[ADDR_TEXT];

	fprintf(f->say,
	        "No router forwards between %s and %s: look at the switch between them, and at the "
	        "filter of %s itself",
	        addr_print(&way->local, local), addr_print(&way->remote, remote),
	        way->direction == DIRECTION_IN ? "the unit" : "the peer");
}

/* ------------------------------------------------------------------ the whole */

static int open_form(struct firewall *f, const struct row *row, const struct row_form *form,
                     struct err *err)
{
	size_t before;
	int r = 0;

	for (unsigned side = 0; r >= 0 && side < 4; side++) {
		struct opening o = {
			.row = row, .form = form, .inbound = side & 1, .v4 = !(side & 2)};

		if (!opening_fill(f, &o))
			continue;
		fflush(f->lines);
		before = f->lines_len;
		if (form->udp)
			r = put_rule(f, &o, TRANSPORT_UDP, err);
		if (r >= 0 && form->tcp)
			r = put_rule(f, &o, TRANSPORT_TCP, err);
		fflush(f->lines);
		if (f->lines_len > before)
			say_opening(f, &o);
	}
	return r;
}

/*
 * Of ways that fit no row as they stand, a proxy's: exactly what was tried.
 */
static int open_as_tried(struct firewall *f, struct err *err)
{
	const struct row *row = &f->policy->rows[f->ask->rows[0]];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < f->ask->way_count; i++) {
		const struct closed_way *way = &f->ask->ways[i];
		struct row_form form = {
			.directions = row->form[0].directions | (uint8_t)BIT(way->direction),
			.ip_versions = (uint8_t)BIT(addr_is_v4(&way->remote) ? 4 : 6),
			.tcp = way->transport != TRANSPORT_UDP,
			.udp = way->transport == TRANSPORT_UDP,
		};

		if (way->direction == DIRECTION_IN) {
			form.remote = row->form[0].remote;
			r = port_set_add(&form.local, way->local_port, way->local_port);
		} else {
			form.local = row->form[0].local;
			r = port_set_add(&form.remote, way->remote_port, way->remote_port);
		}
		if (r >= 0)
			r = open_form(f, row, &form, err);
	}
	return r;
}

int firewall_open(const struct policy *policy, const struct firewall_ask *ask, char **ret_say,
                  char **ret_lines, struct err *err)
{
	CLEANUP(firewall_release) struct firewall f = {.policy = policy, .ask = ask};
	CLEANUP(freep) char *lines = NULL;
	int r = firewall_init(&f, err);

	if (r >= 0)
		fputs(HEAD, f.lines);
	for (size_t i = 0; r >= 0 && i < ask->row_count; i++)
		for (unsigned form = 0; r >= 0 && form < policy->rows[ask->rows[i]].form_count;
		     form++)
			r = open_form(&f, &policy->rows[ask->rows[i]],
			              &policy->rows[ask->rows[i]].form[form], err);
	if (r >= 0 && !f.openings)
		r = open_as_tried(&f, err);
	if (r < 0)
		return r;
	if (f.openings) {
		say_names(&f);
		say_closers(&f);
	} else {
		say_link(&f);
	}
	fputs(ANSWERS, f.lines);
	r = take_text(&f.lines, &f.lines_text, &lines, err);
	if (r >= 0)
		r = take_text(&f.say, &f.say_text, ret_say, err);
	if (r >= 0)
		*ret_lines = f.openings ? TAKE(lines) : NULL;
	return r;
}

static bool is_proxy(const struct policy *policy, const struct addr *addr)
{
	uint32_t roles = policy_roles_of_addr(policy, addr);

	for (size_t role = 0; role < policy->envelope->role_count; role++)
		if ((roles & BIT(role)) && policy->envelope->roles[role].proxy)
			return true;
	return false;
}

bool way_is_refused(const struct policy *policy, const struct closed_way *way)
{
	const struct addr *asked = way->direction == DIRECTION_IN ? &way->local : &way->remote;

	return way->kind == KIND_REFUSED &&
	       (addr_is_unspecified(&way->sender) || addr_equal(&way->sender, asked));
}

int firewall_refused(const struct policy *policy, const struct firewall_ask *ask,
                     char **ret_say, struct err *err)
{
	CLEANUP(firewall_release) struct firewall f = {.policy = policy, .ask = ask};
	char addr[ADDR_TEXT];
	int r = firewall_init(&f, err);

	for (size_t i = 0; r >= 0 && i < ask->way_count; i++) {
		const struct closed_way *way = &ask->ways[i];
		bool in = way->direction == DIRECTION_IN;
		const char *transport = way->transport == TRANSPORT_UDP ? "UDP" : "TCP";
		uint16_t port = in ? way->local_port : way->remote_port;

		addr_print(in ? &way->local : &way->remote, addr);
		fputs(i ? "; " : "", f.say);
		if (in)
			fprintf(f.say,
			        "The unit itself refuses %s port %u at %s: is that service switched "
			        "on there?",
			        transport, port, addr);
		else if (is_proxy(policy, &way->remote))
			fprintf(f.say, "The proxy %s port %u refuses it: allow it there", addr,
			        port);
		else
			fprintf(f.say,
			        "%s itself refuses %s port %u: start the service there, or open its "
			        "own port; no filter on the way does it",
			        addr, transport, port);
	}
	return r < 0 ? r : take_text(&f.say, &f.say_text, ret_say, err);
}
