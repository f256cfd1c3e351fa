/*
 * explain_row.c - a documented row for people, and what would settle a finding against it.
 */
#include "monitor/commands/explain.h"
#include "monitor/commands/paper.h"

#include <stdarg.h>
#include <unistd.h>

/* NULL: no memory. */
static char *PRINTF(1, 0) visible_of(const char *fmt, va_list args)
{
	CLEANUP(freep) char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	return text ? text_visible(text) : NULL;
}

static void PRINTF(2, 0) put_text(size_t indent, const char *fmt, va_list args)
{
	CLEANUP(freep) char *visible = visible_of(fmt, args);

	if (!visible)
		puts("(out of memory)");
	else if (isatty(STDOUT_FILENO))
		text_wrap(stdout, indent, visible);
	else
		puts(visible);
}

void explain_say(const char *fmt, ...)
{
	CLEANUP(freep) char *visible = NULL;
	va_list args;

	va_start(args, fmt);
	visible = visible_of(fmt, args);
	va_end(args);
	puts(visible ? visible : "(out of memory)");
}

void explain_text(size_t indent, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_text(indent, fmt, args);
	va_end(args);
}

void explain_line(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("  %-13s", name);
	va_start(args, fmt);
	put_text(15, fmt, args);
	va_end(args);
}

void explain_dir(const struct explain *explain)
{
	if (explain->dir) {
		printf(" -l ");
		shell_put(stdout, explain->dir);
	}
	putchar('\n');
}

static const char *roles_text(const struct envelope *envelope, uint32_t roles, char *buf,
                              size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < envelope->role_count; i++)
		if (roles >> i & 1)
			text_add(buf, size, "%s%s", *buf ? " or " : "", envelope->roles[i].id);
	return buf;
}

static void print_form(const struct envelope *envelope, const struct row *row,
                       const struct row_form *form)
{
	char local[128], remote[128], roles[256];
	bool out = form->directions & BIT(DIRECTION_OUT),
	     in = form->directions & BIT(DIRECTION_IN);

	port_set_print(&form->local, local, sizeof(local));
	port_set_print(&form->remote, remote, sizeof(remote));
	explain_line(form == row->form ? "documented" : "or",
	             "%s%s%s, %s%s%s, unit's port %s, peer %s port %s", out ? "out" : "",
	             out && in ? " and " : "", in ? "in" : "", form->udp ? "udp" : "",
	             form->udp && form->tcp ? " or " : "", form->tcp ? "tcp" : "",
	             *local ? local : "any",
	             roles_text(envelope, form->peers, roles, sizeof(roles)),
	             *remote ? remote : "any");
	if (*form->note && strcmp(form->note, row->note) != 0)
		explain_line("", "(%s)", form->note);
}

void explain_row(const struct envelope *envelope, const char *id)
{
	int index = envelope_find_row(envelope, id);
	const struct row *row;

	putchar('\n');
	explain_say("%s", id);
	if (index < 0) {
		printf("  not in the envelope compiled in; -e names the one it was judged by\n");
		return;
	}
	row = &envelope->rows[index];
	explain_line("document", "%s", row->document);
	for (unsigned i = 0; i < row->form_count; i++)
		print_form(envelope, row, &row->form[i]);
	if (*row->application_words)
		explain_line("speaks", "%s%s%s%s", row->application_words,
		             *row->media_words ? " (" : "", row->media_words,
		             *row->media_words ? ")" : "");
	if (*row->exercise)
		explain_line("to exercise", "%s", row->exercise);
	if (*row->note)
		explain_line("note", "%s", row->note);
}

static const struct differs *differs_of(const struct flow_view *flow, uint8_t kind)
{
	if (!flow || !flow->nearest_count || kind > KIND_MEDIA)
		return NULL;
	for (unsigned i = 0; i < flow->nearest[0].count; i++)
		if (flow->nearest[0].differs[i].field == kind - KIND_IP_VERSION)
			return &flow->nearest[0].differs[i];
	return NULL;
}

/* The role that the nearest row wants first, as the site file would list this peer under it. */
static void remedy_peer(const struct envelope *envelope, const struct finding_row *finding,
                        const char *peer)
{
	int index = envelope_find_row(envelope, finding->row);
	uint32_t roles = index < 0 ? 0 : envelope->rows[index].form[0].peers;

	for (size_t i = 0; i < envelope->role_count; i++)
		if (roles >> i & 1 && !envelope->roles[i].anyone) {
			/* Of peers gathered under a prefix some alone were seen. */
			bool many = strchr(peer, '/');

			explain_say("  If %s%s is yours to trust as %s, say so in the site file:",
			            many ? "a host of " : "", peer, envelope->roles[i].id);
			explain_say("    roles:");
			explain_say("      %s: {addresses: [\"%s\"]}", envelope->roles[i].id,
			            many ? "ADDRESS" : peer);
			explain_say("  If not, find out why the unit talks to it, and block it.");
			return;
		}
	explain_say("  Find out why the unit talks to %s, and block it if nobody knows.", peer);
}

/* One sentence of advice, at its place. */
#define advise(...) (fputs("  ", stdout), explain_text(2, __VA_ARGS__))

void explain_remedy(const struct envelope *envelope, const char *unit,
                    const struct finding_row *finding, const struct flow_view *flow)
{
	const struct differs *differs = differs_of(flow, finding->kind);
	const char *expected = differs ? differs->expected : "what the row says";
	const char *transport = finding->transport ? transport_name(finding->transport) : "it";
	char addr[ADDR_TEXT], sender[ADDR_TEXT] = "a router";
	const char *peer = *finding->role     ? finding->role
	                   : *finding->remote ? finding->remote
	                                      : "the peer";
	const char *one = flow ? addr_print(&flow->facts.end[!flow->local].addr, addr) : peer;

	if (flow && !addr_is_unspecified(&flow->facts.icmp_sender))
		addr_print(&flow->facts.icmp_sender, sender);
	switch (finding->kind) {
	case KIND_IP_VERSION:
	case KIND_TRANSPORT:
		advise("Make the unit use %s for it, or block this way at the network.",
		       expected);
		break;
	case KIND_DIRECTION:
		if (flow && flow->direction == DIRECTION_IN)
			advise("Only the unit may open this: block it on its way in, or find out why "
			       "%s calls.",
			       one);
		else
			advise("Only the peer may open this: find out what at the unit calls %s, or block it "
			       "on its way out.",
			       one);
		break;
	case KIND_PEER:
		remedy_peer(envelope, finding, one);
		break;
	case KIND_REMOTE_PORT:
		if (!*finding->role) {
			advise("Nothing tells that %s is the server that this row means. If it is, make it "
			       "listen at %s; if not, find out why the unit talks to it, and block it.",
			       one, expected);
			break;
		}
		advise("Make %s listen at %s (media ports are set where its calls are set up), or waive "
		       "port %s.",
		       peer, expected, differs ? differs->seen : finding->port);
		break;
	case KIND_APPLICATION:
		advise("Something else than %s speaks there: find out what it is. No site file excuses it "
		       "but a waiver.",
		       expected);
		break;
	case KIND_LOCAL_PORT:
		advise("Set the unit's media ports to %s. If the mirror stands behind a NAT that rewrites "
		       "them, say so in the site file:",
		       expected);
		printf("    options: {nat: true}\n");
		break;
	case KIND_MEDIA:
		advise("Give each kind of media its own ports (%s belongs there); queues and firewalls rely "
		       "on them.",
		       expected);
		break;
	case KIND_SERVICE:
		advise("No documented row is meant for this: switch it off at the unit, or block %s %s to "
		       "%s.",
		       transport, *finding->port ? finding->port : "", peer);
		break;
	case KIND_BLOCKED_SILENT:
		advise("Let %s port %s from the unit to %s pass; look at the firewalls between them, none "
		       "answers.",
		       transport, finding->port, peer);
		break;
	case KIND_BLOCKED_PROHIBITED:
		advise("%s forbids it: let %s port %s from the unit to %s pass there.",
		       sender, transport, finding->port, peer);
		break;
	case KIND_REFUSED:
		advise("%s refuses %s port %s itself: is the service up, and is this the right server?",
		       one, transport, finding->port);
		break;
	case KIND_UNLISTED_UNIT:
		advise("List it in the site file, or find out whose it is:");
		printf("    units:\n");
		explain_say("      - {name: NAME, addresses: [\"%s\"], profiles: [room, online]}", unit);
		break;
	default:
		break;
	}
}
