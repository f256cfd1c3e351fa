/*
 * explain_json.c - see explain.h: a flow as 'tlmon flows' has it, the blind intervals that it overlaps, and
 * the facts that no column holds.
 */
#include "monitor/commands/explain.h"
#include "monitor/commands/flow_table.h"
#include "monitor/json.h"
#include "schema/time.h"

static int list_blind(void *context, const struct blind_view *blind, struct err *err)
{
	const char *cause = blind_cause_name((enum blind_cause)blind->row.cause);
	char since[TIME_TEXT], until[TIME_TEXT];
	FILE *list = context;

	fprintf(list, "%s{\"id\":%lld,\"cause\":", ftell(list) > 1 ? "," : "",
	        (long long)blind->id);
	if (cause)
		json_put(list, cause);
	else
		fputs("null", list);
	fprintf(list, ",\"start\":\"%s\",\"end\":", time_print(blind->row.since_us, since));
	if (blind->row.until_us)
		fprintf(list, "\"%s\"}", time_print(blind->row.until_us, until));
	else
		fputs("null}", list);
	return 0;
}

static int put_blinds(struct out *out, struct flowdb *db, const struct flow_view *flow,
                      struct err *err)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);
	int r;

	if (!list)
		return err_set(err, -ENOMEM, "out of memory");
	fputc('[', list);
	r = explain_blinds(db, flow, list_blind, list, err);
	fputc(']', list);
	fclose(list);
	if (r >= 0)
		out_raw(out, text);
	return r;
}

static void put_text(FILE *file, const char *name, const char *text)
{
	fprintf(file, ",\"%s\":", name);
	if (text)
		json_put(file, text);
	else
		fputs("null", file);
}

static void put_media(FILE *file, const struct flow_facts *facts)
{
	static const char *const kinds[] = {"audio", "video", "data", "other"};
	const char *comma = "";

	fputs(",\"rtp_packets\":{", file);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		fprintf(file, "%s\"%s\":%u", i ? "," : "", kinds[i], facts->media_packets[i]);
	fputs("},\"payload_types\":[", file);
	for (size_t i = 0; i < ARRAY_LEN(facts->payload_types); i++)
		if (facts->payload_types[i] != 0xff) {
			fprintf(file, "%s%u", comma, facts->payload_types[i]);
			comma = ",";
		}
	fputc(']', file);
	put_text(file, "by_shape", media_name(facts->by_shape));
}

/* What no column of 'tlmon flows' holds, under the unit's point of view. */
static int put_facts(struct out *out, const struct flow_view *flow, struct err *err)
{
	static const char *const certain[] = {"unknown", "no", "yes"};
	const struct flow_facts *f = &flow->facts;
	CLEANUP(freep) char *text = NULL;
	char addr[ADDR_TEXT];
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	fprintf(file, "{\"midstream\":%s,\"warmup\":%s,\"solicited\":%s",
	        f->midstream ? "true" : "false", f->warmup ? "true" : "false",
	        f->solicited ? "true" : "false");
	put_text(file, "name_kind", name_kind_name((enum name_kind)f->name_kind));
	put_text(file, "settled_by", settled_by_name((enum settled_by)f->settled_by));
	put_text(file, "tunnel", tunnel_name((enum tunnel)f->tunnel));
	put_media(file, f);
	fprintf(file, ",\"ice_answered_by_unit\":%s,\"ice_answered_by_peer\":%s",
	        f->ice >> flow->local & 1 ? "true" : "false",
	        f->ice >> !flow->local & 1 ? "true" : "false");
	put_text(file, "relayed",
	         addr_is_unspecified(&f->relayed) ? NULL : addr_print(&f->relayed, addr));
	fprintf(file, ",\"relayed_port\":%u,\"connect_port\":%u,\"connect_status\":%u",
	        f->relayed_port, f->connect_port, f->connect_status);
	put_text(file, "mtls", f->tls_version ? certain[f->mtls % 3] : NULL);
	fprintf(file, ",\"tries\":%u,\"fragments\":%u,\"truncated\":%u,\"duplicates\":%u}",
	        f->tries, f->fragments, f->truncated, f->duplicates);
	if (fclose(file))
		return err_set(err, -ENOMEM, "out of memory");
	out_raw(out, text);
	return 0;
}

int explain_json(void *context, const struct flow_view *flow, struct err *err)
{
	CLEANUP(freep) struct out_column *columns =
		calloc(FLOW_COLUMN_COUNT + 2, sizeof(*columns));
	CLEANUP(out_freep) struct out *out = NULL;
	const struct explain *explain = context;
	int r;

	if (!columns)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(columns, FLOW_COLUMNS, FLOW_COLUMN_COUNT * sizeof(*columns));
	columns[FLOW_COLUMN_COUNT].name = "blind_intervals";
	columns[FLOW_COLUMN_COUNT + 1].name = "facts";
	r = out_new(OUT_JSONL, stdout, columns, FLOW_COLUMN_COUNT + 2, false, &out, err);
	if (r < 0)
		return r;
	flow_cells(out, flow, false);
	r = put_blinds(out, explain->db, flow, err);
	if (r >= 0)
		r = put_facts(out, flow, err);
	if (r >= 0)
		r = out_end(out, err);
	return r < 0 ? r : out_finish(out, err);
}
