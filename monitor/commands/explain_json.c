/*
 * explain_json.c - see explain.h: a flow as 'tlmon flows' has it, the blind intervals that it overlaps, and
 * the facts that no column holds.
 */
#include "monitor/commands/explain.h"
#include "monitor/commands/flow_table.h"
#include "monitor/commands/rows_tried.h"
#include "monitor/json.h"
#include "schema/time.h"

static int list_blind(void *context, const struct blind_view *blind, struct err *err)
{
	const char *cause = blind_cause_name((enum blind_cause)blind->row.cause);
	char since[TIME_TEXT], until[TIME_TEXT];
	FILE *list = context;

	if (blind->row.cause == BLIND_SET_ASIDE)
		return 0;
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

struct listing {
	struct explain *explain;
	FILE *file;
	bool any;
};

static void item_begins(struct listing *listing)
{
	fputs(listing->any ? ",{" : "{", listing->file);
	listing->any = true;
}

static int list_name(void *context, const struct name_row *name, struct err *err)
{
	struct listing *listing = context;
	char text[TIME_TEXT], words[192];
	struct name_verdict verdict;

	(void)err;
	item_begins(listing);
	fputs("\"name\":", listing->file);
	json_put(listing->file, name->name);
	put_text(listing->file, "server", addr_print(&name->server, words));
	put_text(listing->file, "client", addr_print(&name->client, words));
	put_text(listing->file, "first", time_print(name->first_us, text));
	put_text(listing->file, "last", time_print(name->last_us, text));
	put_text(listing->file, "until", time_print(name->until_us, text));
	verdict = explain_name(listing->explain, name, words, sizeof(words));
	fprintf(listing->file, ",\"counts\":%s,\"proves\":%s}", verdict.counts ? "true" : "false",
	        verdict.proves ? "true" : "false");
	return 0;
}

static int list_address(void *context, const struct unit_address_row *row, struct err *err)
{
	struct listing *listing = context;
	char text[TIME_TEXT], words[ADDR_TEXT + 64];

	(void)err;
	item_begins(listing);
	fputs("\"address\":", listing->file);
	json_put(listing->file, addr_print(&row->address, words));
	put_text(listing->file, "mac", mac_is_zero(&row->mac) ? NULL : mac_print(&row->mac, words));
	put_text(listing->file, "known_by", known_by_words(row->known_by, words, sizeof(words)));
	put_text(listing->file, "first", time_print(row->first_us, text));
	put_text(listing->file, "last", time_print(row->last_us, text));
	fputc('}', listing->file);
	return 0;
}

static int list_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct listing *listing = context;
	char text[TIME_TEXT], words[ADDR_TEXT];

	(void)err;
	item_begins(listing);
	fputs("\"address\":", listing->file);
	json_put(listing->file, addr_print(&lease->address, words));
	put_text(listing->file, "server",
	         addr_is_unspecified(&lease->server) ? NULL : addr_print(&lease->server, words));
	put_text(listing->file, "first", time_print(lease->first_us, text));
	put_text(listing->file, "last", time_print(lease->last_us, text));
	put_text(listing->file, "until",
	         lease->until_us ? time_print(lease->until_us, text) : NULL);
	fputc('}', listing->file);
	return 0;
}

/* Names, addresses and leases of the flow's time, each a list. */
static int put_known(struct out *out, struct explain *explain, const struct flow_view *flow,
                     unsigned which, struct err *err)
{
	const struct unit_window window = explain_window(flow);
	const struct addr *peer = &flow->facts.end[!flow->local].addr;
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	struct listing listing = {.explain = explain, .file = open_memstream(&text, &size)};
	int r;

	if (!listing.file)
		return err_set(err, -ENOMEM, "out of memory");
	fputc('[', listing.file);
	if (which == 0)
		r = flowdb_names_of(explain->db, &window, peer, list_name, &listing, err);
	else if (which == 1)
		r = flowdb_unit_held(explain->db, &window, list_address, &listing, err);
	else
		r = flowdb_unit_leases(explain->db, &window, list_lease, &listing, err);
	fputc(']', listing.file);
	if (fclose(listing.file))
		return err_set(err, -ENOMEM, "out of memory");
	if (r >= 0)
		out_raw(out, text);
	return r;
}

static int put_tried(struct out *out, const struct explain *explain, struct err *err)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *file;

	if (!explain->has_past) {
		out_null(out);
		return 0;
	}
	file = open_memstream(&text, &size);
	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	rows_tried_json(explain->policy, &explain->past.view, file);
	if (fclose(file))
		return err_set(err, -ENOMEM, "out of memory");
	out_raw(out, text);
	return 0;
}

static const char *const MORE[] = {"blind_intervals", "facts",       "names_bound",
                                   "addresses",       "leases",      "tried",
                                   "policy_hash",     "policy_from", "evidence_packets"};

int explain_json(void *context, const struct flow_view *flow, struct err *err)
{
	CLEANUP(freep) struct out_column *columns =
		calloc(FLOW_COLUMN_COUNT + ARRAY_LEN(MORE), sizeof(*columns));
	CLEANUP(out_freep) struct out *out = NULL;
	struct explain *explain = context;
	uint64_t packets = 0;
	char use[256];
	int r;

	if (!columns)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(columns, FLOW_COLUMNS, FLOW_COLUMN_COUNT * sizeof(*columns));
	for (size_t i = 0; i < ARRAY_LEN(MORE); i++)
		columns[FLOW_COLUMN_COUNT + i].name = MORE[i];
	r = out_new(OUT_JSONL, stdout, columns, FLOW_COLUMN_COUNT + ARRAY_LEN(MORE), false, &out,
	            err);
	if (r >= 0)
		r = explain_policy_use(explain, flow, use, sizeof(use), err);
	if (r >= 0)
		r = explain_evidence(explain, flow, &packets, err);
	if (r < 0)
		return r;
	flow_cells(out, flow, false);
	r = put_blinds(out, explain->db, flow, err);
	if (r >= 0)
		r = put_facts(out, flow, err);
	for (unsigned which = 0; which < 3 && r >= 0; which++)
		r = put_known(out, explain, flow, which, err);
	if (r >= 0)
		r = put_tried(out, explain, err);
	if (r < 0)
		return r;
	out_text(out, flow->policy);
	out_text(out, *use ? use : NULL);
	out_int(out, (int64_t)packets);
	r = out_end(out, err);
	return r < 0 ? r : out_finish(out, err);
}
