/*
 * report_packets.c - see report_parts.h: the packets that were kept for a finding, each in a line and in full.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/evidence_list.h"

struct packets {
	const struct acceptance *acceptance;
	struct kept_flows flows;
	int (*each)(void *context, const struct report_packet *packet, struct err *err);
	void *context;
};

static int take_packet(void *context, const struct evidence_view *view, struct err *err)
{
	struct packets *packets = context;
	const struct kept_flow *flow;
	struct packet_words words;
	int r = kept_flow_of(&packets->flows, packets->acceptance->db, view, &flow, err);

	if (r < 0)
		return r;
	packet_words(view, flow, &words);
	return packets->each(
		packets->context,
		&(struct report_packet){
			.time_us = view->row.time_us,
			.flow = flow->id,
			.direction = words.direction ? direction_name(words.direction) : "?",
			.text = words.text,
			.bytes = view->row.bytes,
			.len = view->row.len,
			.wire_len = view->row.wire_len,
		},
		err);
}

int finding_packets(const struct acceptance *acceptance, int64_t finding,
                    int (*each)(void *context, const struct report_packet *packet,
                                struct err *err),
                    void *context, struct err *err)
{
	const struct evidence_of of = {.finding = finding};
	const struct evidence_query query = {.of = &of, .of_count = 1};
	struct packets packets = {.acceptance = acceptance, .each = each, .context = context};
	int r;

	if (!acceptance->db)
		return 0;
	r = flowdb_evidence(acceptance->db, &query, take_packet, &packets, err);
	kept_flows_release(&packets.flows);
	return r;
}

char *hex_dump(const uint8_t *bytes, size_t len)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	for (size_t line = 0; line < len && file; line += 16) {
		size_t end = line + 16 < len ? line + 16 : len;

		fprintf(file, "%04zx ", line);
		for (size_t i = line; i < line + 16; i++)
			if (i < end)
				fprintf(file, " %02x", bytes[i]);
			else
				fputs("   ", file);
		fputs("  ", file);
		for (size_t i = line; i < end; i++)
			fputc(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.', file);
		fputc('\n', file);
	}
	if (file && fclose(file))
		free(TAKE(text));
	return text;
}
