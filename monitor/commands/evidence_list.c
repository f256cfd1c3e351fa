/*
 * evidence_list.c - see evidence_list.h. Packets are read by the decoder that the sensor has, which trusts no byte.
 */
#include "monitor/commands/evidence_list.h"
#include "dissectors/decode.h"
#include "schema/time.h"

#define COLUMNS(of_findings, of_the_dead) \
	{ \
		{"time", NULL, 0}, {NULL, "TIME", 0}, \
			{"finding", of_findings("FINDING"), OUT_CUT_FIRST}, \
			{"flow", of_findings("FLOW"), OUT_RIGHT}, \
			{"unit", of_findings("UNIT"), OUT_CUT_FIRST}, \
			{"direction", of_findings("DIR"), 0}, {"transport", "PROTO", 0}, \
			{"source", NULL, 0}, {"source_port", NULL, 0}, \
			{NULL, "SOURCE", OUT_CUT}, {"destination", NULL, 0}, \
			{"destination_port", NULL, 0}, {NULL, "DESTINATION", OUT_CUT}, \
			{"info", "INFO", OUT_CUT_FIRST}, \
			{"kept", "KEPT", OUT_RIGHT | OUT_CUT_FIRST}, \
			{"wire", "OF", OUT_RIGHT | OUT_CUT_FIRST}, {"link", NULL, 0}, \
			{"run", NULL, 0}, {"packet", NULL, 0}, \
			{"cause", of_the_dead("CAUSE"), 0}, \
	}
#define TITLED(title) title
#define UNTITLED(title) NULL

const struct out_column EVIDENCE_COLUMNS[EVIDENCE_COLUMN_COUNT] = COLUMNS(TITLED, UNTITLED);
const struct out_column EVIDENCE_COLUMNS_DIED[EVIDENCE_COLUMN_COUNT] =
	COLUMNS(UNTITLED, TITLED);

void kept_flows_release(struct kept_flows *flows)
{
	free(flows->flow);
	*flows = (struct kept_flows){0};
}

const struct kept_flow *kept_flow_find(const struct kept_flows *flows, int64_t finding,
                                       int64_t run, uint64_t number)
{
	/* Packets of a flow come one after another: the last one met first. */
	for (size_t i = flows->count; i-- > 0;) {
		const struct kept_flow *flow = &flows->flow[i];

		if (flow->number == number && flow->run == run && flow->finding == finding)
			return flow;
	}
	return NULL;
}

static int note_row(void *context, const struct flow_view *row, struct err *err)
{
	struct kept_flow *flow = context;

	flow->local_known = true;
	flow->local = row->facts.end[row->local];
	text_copy(flow->policy, sizeof(flow->policy), row->policy);
	return 0;
}

int kept_flow_of(struct kept_flows *flows, struct flowdb *db,
                 const struct evidence_view *packet, const struct kept_flow **ret,
                 struct err *err)
{
	const struct evidence_row *row = &packet->row;
	struct kept_flow flow = {.finding = row->finding, .run = row->run, .number = row->flow};
	struct flow_found found = {0};
	int r;

	*ret = kept_flow_find(flows, row->finding, row->run, row->flow);
	if (*ret)
		return 0;
	r = flowdb_flow_find(db, row->run, packet->unit_id, packet->first_us, row->flow, &found,
	                     err);
	if (r > 0) {
		flow.id = found.id;
		r = flowdb_flow(db, found.id, note_row, &flow, err);
	}
	if (r < 0)
		return r;
	r = array_reserve(&flows->flow, &flows->room, flows->count + 1, sizeof(*flows->flow));
	if (r < 0)
		return err_set(err, r, "out of memory");
	flows->flow[flows->count] = flow;
	*ret = &flows->flow[flows->count++];
	return 0;
}

static bool decode(const struct evidence_view *view, struct packet *packet)
{
	const struct evidence_row *row = &view->row;

	*packet = (struct packet){0};
	return row->link < LINK_COUNT && row->len &&
	       packet_decode((enum link)row->link, row->bytes, (uint32_t)row->len,
	                     row->wire_len, packet) == DECODED_IP;
}

static bool is_end(const struct endpoint *end, const struct addr *addr, uint16_t port)
{
	return end->port == port && addr_equal(&end->addr, addr);
}

static enum direction direction_of(const struct packet *packet, const struct kept_flow *flow)
{
	if (!flow || !flow->local_known || packet->fragment_later)
		return DIRECTION_UNKNOWN;
	if (is_end(&flow->local, &packet->src, packet->src_port))
		return DIRECTION_OUT;
	/* An error says what became of what the unit sent. */
	return packet->quoted || is_end(&flow->local, &packet->dst, packet->dst_port)
	               ? DIRECTION_IN
	               : DIRECTION_UNKNOWN;
}

enum direction packet_direction(const struct evidence_view *view, const struct kept_flow *flow)
{
	struct packet packet;

	return decode(view, &packet) ? direction_of(&packet, flow) : DIRECTION_UNKNOWN;
}

/* "SYN, ACK", "type 3, code 13", "fragment", "412 bytes". Returns `buf`. */
static const char *info_print(const struct packet *packet, char buf[48])
{
	static const char *const flags[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};

	*buf = '\0';
	if (packet->fragment_later) {
		snprintf(buf, 48, "fragment at %u", packet->fragment_at);
		return buf;
	}
	if (packet->transport == TRANSPORT_ICMP || packet->transport == TRANSPORT_ICMP6)
		snprintf(buf, 48, "type %u, code %u", packet->icmp_type, packet->icmp_code);
	for (unsigned i = 0; packet->transport == TRANSPORT_TCP && i < ARRAY_LEN(flags); i++)
		if (packet->tcp_flags & BIT(i))
			text_add(buf, 48, "%s%s", *buf ? " " : "", flags[i]);
	if (packet->payload_wire_len &&
	    (packet->transport == TRANSPORT_UDP || packet->transport == TRANSPORT_TCP))
		text_add(buf, 48, "%s%u bytes", *buf ? ", " : "", packet->payload_wire_len);
	return buf;
}

void packet_words(const struct evidence_view *view, const struct kept_flow *flow,
                  struct packet_words *ret)
{
	char src[END_TEXT], dst[END_TEXT], info[48];
	enum transport speaks;
	struct packet packet;

	*ret = (struct packet_words){0};
	if (!decode(view, &packet)) {
		snprintf(ret->text, sizeof(ret->text), "not readable as IP");
		return;
	}
	/* Of a later fragment the ports are not known. */
	speaks = packet.fragment_later ? TRANSPORT_ICMP : (enum transport)packet.transport;
	end_print(&(struct endpoint){.addr = packet.src, .port = packet.src_port}, speaks, src);
	end_print(&(struct endpoint){.addr = packet.dst, .port = packet.dst_port}, speaks, dst);
	ret->direction = direction_of(&packet, flow);
	snprintf(ret->text, sizeof(ret->text), "%s %s > %s%s%s",
	         transport_name(packet.transport), src, dst,
	         *info_print(&packet, info) ? ", " : "", info);
}

/* Address and port for programs, both in one for people. */
static void put_end(struct out *out, bool known, const struct endpoint *end, bool has_port)
{
	char text[END_TEXT];

	out_text(out, known ? addr_print(&end->addr, text) : NULL);
	if (known && has_port)
		out_int(out, end->port);
	else
		out_null(out);
	out_text(out, known ? end_print(end, has_port ? TRANSPORT_UDP : TRANSPORT_ICMP, text)
	                    : NULL);
}

static void put_number(struct out *out, int64_t number)
{
	if (number)
		out_int(out, number);
	else
		out_null(out);
}

int evidence_put(struct out *out, const struct evidence_view *view,
                 const struct kept_flow *flow, struct err *err)
{
	static const char *const links[LINK_COUNT] = {[LINK_ETHERNET] = "ethernet",
	                                              [LINK_SLL] = "linux-sll",
	                                              [LINK_SLL2] = "linux-sll2",
	                                              [LINK_RAW] = "ip",
	                                              [LINK_LOOPBACK] = "loopback"};
	const struct evidence_row *row = &view->row;
	char time[TIME_TEXT], local[TIME_TEXT + 8], finding[24], info[48];
	struct packet packet;
	bool ip = decode(view, &packet);
	bool ports = ip && transport_has_ports(packet.transport) && !packet.fragment_later;

	out_text(out, time_print(row->time_us, time));
	time_print_local(row->time_us, local);
	text_add(local, sizeof(local), ".%06d", (int)(row->time_us % SECOND_US));
	out_text(out, local);
	snprintf(finding, sizeof(finding), "F%lld", (long long)row->finding);
	out_text(out, row->finding ? finding : NULL);
	put_number(out, flow ? flow->id : 0);
	out_text(out, view->unit);
	out_text(out, ip ? direction_name(direction_of(&packet, flow)) : NULL);
	out_text(out, ip ? transport_name(packet.transport) : NULL);
	put_end(out, ip, &(struct endpoint){.addr = packet.src, .port = packet.src_port},
	        ports);
	put_end(out, ip, &(struct endpoint){.addr = packet.dst, .port = packet.dst_port},
	        ports);
	out_text(out, ip ? info_print(&packet, info) : NULL);
	out_int(out, (int64_t)row->len);
	out_int(out, row->wire_len);
	out_text(out, row->link < LINK_COUNT ? links[row->link] : NULL);
	out_int(out, row->run);
	put_number(out, (int64_t)row->flow);
	out_text(out, row->cause ? blind_cause_name((enum blind_cause)row->cause) : NULL);
	return out_end(out, err);
}
