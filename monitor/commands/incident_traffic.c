/*
 * incident_traffic.c - of an incident report what went over the wire: with whom, and flow by flow.
 */
#include "monitor/commands/incident.h"
#include "monitor/commands/paper.h"
#include "schema/time.h"

#define BOUND_SHOWN 4 /* DNS answers told of a peer */

static enum tone tone_of(uint8_t ruling)
{
	static const enum tone tones[] = {
		[RULING_NONE] = TONE_PLAIN,         [RULING_DOCUMENTED] = TONE_GOOD,
		[RULING_OUTSIDE] = TONE_BAD,        [RULING_UNDETERMINED] = TONE_DOUBT,
		[RULING_HOUSEKEEPING] = TONE_QUIET,
	};

	return ruling < ARRAY_LEN(tones) ? tones[ruling] : TONE_PLAIN;
}

/* "1.2 GB"; four figures at the most, so that columns stay narrow. */
static const char *bytes_text(uint64_t bytes, char buf[24])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	size_t i = 0;

	if (bytes < 10000) {
		snprintf(buf, 24, "%llu B", (unsigned long long)bytes);
		return buf;
	}
	for (; value >= 999.95 && i + 1 < ARRAY_LEN(units); i++)
		value /= 1000;
	snprintf(buf, 24, "%.1f %s", value, units[i]);
	return buf;
}

static void add_words(const struct incident_words *words, char *buf, size_t size)
{
	for (unsigned i = 0; i < words->count; i++)
		text_add(buf, size, "%s%s", i ? ", " : "", words->word[i].text);
	if (words->more)
		text_add(buf, size, ", and others");
}

static const char *verdicts_text(const struct incident_sum *sum, char *buf, size_t size)
{
	*buf = '\0';
	for (unsigned i = RULING_DOCUMENTED; i <= RULING_HOUSEKEEPING; i++)
		if (sum->by_ruling[i])
			text_add(buf, size, "%s%llu %s", *buf ? ", " : "",
			         (unsigned long long)sum->by_ruling[i],
			         ruling_name((enum ruling)i));
	return buf;
}

static void put_peer(const struct incident *incident, const struct incident_peer *peer,
                     struct paper *paper)
{
	char text[2048], addr[ADDR_TEXT], in[24];
	bool outside = peer->sum.by_ruling[RULING_OUTSIDE];

	paper_cell(paper, outside ? TONE_BAD : TONE_PLAIN, "%s%s",
	           addr_print(&peer->addr, addr),
	           !peer->known && incident_can_tell_new(incident) ? " (new)" : "");
	*text = '\0';
	add_words(&peer->apps, text, sizeof(text));
	paper_cell(paper, TONE_PLAIN, "%s", text);
	*text = '\0';
	add_words(&peer->ports, text, sizeof(text));
	paper_cell(paper, TONE_PLAIN, "%s", text);
	paper_cell(paper, TONE_PLAIN, "%llu", (unsigned long long)peer->sum.flows);
	paper_cell(paper, TONE_PLAIN, "%s", bytes_text(peer->sum.bytes_out, text));
	paper_cell(paper, TONE_PLAIN, "%s", bytes_text(peer->sum.bytes_in, in));
	verdicts_text(&peer->sum, text, sizeof(text));
	if (peer->rows.count) {
		text_add(text, sizeof(text), "; ");
		add_words(&peer->rows, text, sizeof(text));
	}
	for (size_t i = 0; i < peer->bound_count && i < BOUND_SHOWN; i++)
		text_add(text, sizeof(text), "%s%s", i ? ", " : "; ", peer->bound[i].text);
	if (peer->bound_count > BOUND_SHOWN)
		text_add(text, sizeof(text), ", and %zu more", peer->bound_count - BOUND_SHOWN);
	if (peer->names.count) {
		text_add(text, sizeof(text), "; seen in its flows: ");
		add_words(&peer->names, text, sizeof(text));
	}
	paper_note(paper, "%s", text);
	paper_row_end(paper);
}

void incident_put_peers(const struct incident *incident, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"PEER", PAPER_WRAP},   {"SPEAKS", PAPER_WRAP}, {"PORT", PAPER_WRAP},
		{"FLOWS", PAPER_RIGHT}, {"OUT", PAPER_RIGHT},   {"IN", PAPER_RIGHT},
	};
	size_t i;

	if (!incident->peer_count)
		return;
	paper_head(paper, "With whom: %zu peer%s", incident->peer_count,
	           plural(incident->peer_count));
	paper_table(paper, columns, ARRAY_LEN(columns));
	for (i = 0; i < incident->peer_count && i < incident->peer_limit; i++)
		put_peer(incident, incident->ranked[i], paper);
	paper_table_end(paper);
	if (i < incident->peer_count) {
		paper_say(paper,
		          "... and %zu peers more, none of them outside or new before these "
		          "were told.",
		          incident->peer_count - i);
		incident_commands(incident, paper, "flows", " --count-by remote");
	}
	paper_say(
		paper,
		"A DNS answer binds its name to the peer; a name seen in a flow (sni, http-host, "
		"dns-question) is what the unit said.");
	if (incident->sum.before || incident->sum.after)
		paper_say(
			paper,
			"Bytes are those of whole flows: %llu of them began before the window, "
			"%llu went on after it.",
			(unsigned long long)incident->sum.before,
			(unsigned long long)incident->sum.after);
}

/* The mark of a flow whose bytes reach beyond the window. */
static const char *mark_text(const struct incident *incident, const struct incident_flow *flow)
{
	bool before =
		flow->first_us<incident->since_us, after = flow->last_us> incident->until_us;

	return before && after ? "<>" : before ? "<" : after ? ">" : "";
}

static void put_flow(const struct incident *incident, const struct incident_flow *flow,
                     struct paper *paper)
{
	static const char *const arrows[] = {
		[DIRECTION_UNKNOWN] = "<>", [DIRECTION_OUT] = ">", [DIRECTION_IN] = "<"};
	char text[NAME_MAX_LEN + 128], remote[END_TEXT], port[8] = "", in[24];

	paper_cell(paper, TONE_QUIET, "%lld", (long long)flow->id);
	paper_cell(paper, TONE_PLAIN, "%s", incident_clock(incident, flow->first_us, text));
	paper_cell(paper, TONE_PLAIN, "%s",
	           time_print_span(flow->last_us - flow->first_us, text));
	paper_cell(paper, TONE_DOUBT, "%s", mark_text(incident, flow));
	if (transport_has_ports(flow->transport))
		snprintf(port, sizeof(port), " :%u", flow->local.port);
	snprintf(text, sizeof(text), "%s%s %s %s%s%s%s%s%s%s", transport_name(flow->transport),
	         port, arrows[flow->direction % 3],
	         end_print(&flow->remote, flow->transport, remote), flow->app ? " " : "",
	         flow->app ? app_name((enum app)flow->app) : "", flow->media ? " " : "",
	         flow->media ? media_name(flow->media) : "", *flow->name ? " " : "",
	         flow->name);
	paper_cell(paper, TONE_PLAIN, "%s", text);
	paper_cell(paper, TONE_PLAIN, "%s", bytes_text(flow->bytes_out, text));
	paper_cell(paper, TONE_PLAIN, "%s", bytes_text(flow->bytes_in, in));
	*text = '\0';
	if (flow->finding)
		text_add(text, sizeof(text), "F%lld ", (long long)flow->finding);
	text_add(text, sizeof(text), "%s",
	         flow->grade ? grade_name((enum grade)flow->grade)
	                     : ruling_name((enum ruling)flow->ruling));
	if (flow->kind)
		text_add(text, sizeof(text), " %s", kind_name((enum kind)flow->kind));
	if (*flow->row)
		text_add(text, sizeof(text), " %s", flow->row);
	if (flow->blind)
		text_add(text, sizeof(text), " *");
	paper_cell(paper, tone_of(flow->ruling), "%s", text);
	paper_row_end(paper);
}

void incident_put_flows(const struct incident *incident, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"ID", PAPER_RIGHT},     {"START", PAPER_WRAP},
		{"LASTED", PAPER_RIGHT}, {"", 0},
		{"FLOW", PAPER_WRAP},    {"OUT", PAPER_RIGHT},
		{"IN", PAPER_RIGHT},     {"VERDICT", PAPER_BELOW}};
	FILE *drawing;

	if (!incident->flow_count)
		return;
	paper_head(paper, "What it did: %llu flow%s in the order they began",
	           (unsigned long long)incident->sum.flows, plural(incident->sum.flows));
	drawing = paper_drawing(paper);
	if (drawing)
		incident_drawing(incident, drawing);
	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < incident->flow_count; i++)
		put_flow(incident, &incident->flows[i], paper);
	paper_table_end(paper);
	if (incident->sum.before || incident->sum.after)
		paper_say(paper,
		          "< it began before the window, > it went on after it, and its bytes "
		          "with it.");
	if (incident->sum.blind)
		paper_say(paper, "* it was not seen whole.");
	if (incident->sum.flows > incident->flow_count) {
		paper_say(paper, "... and %llu flows more, begun later:",
		          (unsigned long long)(incident->sum.flows - incident->flow_count));
		incident_commands(incident, paper, "flows", "");
	}
}
