/*
 * flowdb_read.c - see flowdb_query.h: a row of integers becomes a flow again, with what hangs from it.
 */
#include "schema/flowdb_sql.h"

/* first_try_us, last_try_us and all that stands in flow_more. */
static int read_more(struct flowdb *db, struct flow_view *view, struct err *err)
{
	struct flow_facts *f = &view->facts;
	sqlite3_stmt *stmt;
	int r = sql_slot(
		db, SLOT_FLOW_GET_MORE,
		"SELECT payload_types, audio, video, data, icmp, s.bytes, fragments, truncated,"
		" duplicates, y.bytes, relayed_port, first_try_us, last_try_us, not_apps_low,"
		" not_apps_high, c.bytes, dhcp_xid, dhcp_type, remark, other, by_shape,"
		" connect_port, tunnel, connect_status FROM flow_more"
		" LEFT JOIN host s ON s.id = icmp_sender LEFT JOIN host y ON y.id = relayed"
		" LEFT JOIN host c ON c.id = chaddr WHERE flow = ?1",
		&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, view->id);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		for (unsigned i = 0; i < ARRAY_LEN(f->payload_types); i++)
			f->payload_types[i] = (uint8_t)(sqlite3_column_int64(stmt, 0) >> 8 * i);
	for (int i = 0; i < 3; i++)
		f->media_packets[i] = (uint32_t)sqlite3_column_int64(stmt, 1 + i);
	f->icmp_type = (uint8_t)(sqlite3_column_int(stmt, 4) >> 8);
	f->icmp_code = (uint8_t)sqlite3_column_int(stmt, 4);
	if (sqlite3_column_bytes(stmt, 5) == sizeof(f->icmp_sender))
		memcpy(&f->icmp_sender, sqlite3_column_blob(stmt, 5), sizeof(f->icmp_sender));
	f->fragments = (uint32_t)sqlite3_column_int64(stmt, 6);
	f->truncated = (uint32_t)sqlite3_column_int64(stmt, 7);
	f->duplicates = (uint32_t)sqlite3_column_int64(stmt, 8);
	if (sqlite3_column_bytes(stmt, 9) == sizeof(f->relayed))
		memcpy(&f->relayed, sqlite3_column_blob(stmt, 9), sizeof(f->relayed));
	f->relayed_port = (uint16_t)sqlite3_column_int(stmt, 10);
	if (sqlite3_column_type(stmt, 11) != SQLITE_NULL) {
		f->first_try_us = sqlite3_column_int64(stmt, 11);
		f->last_try_us = sqlite3_column_int64(stmt, 12);
	}
	f->not_apps.w[0] = (uint64_t)sqlite3_column_int64(stmt, 13);
	f->not_apps.w[1] = (uint64_t)sqlite3_column_int64(stmt, 14);
	if (sqlite3_column_bytes(stmt, 15) == sizeof(f->chaddr))
		memcpy(&f->chaddr, sqlite3_column_blob(stmt, 15), sizeof(f->chaddr));
	f->dhcp_xid = (uint32_t)sqlite3_column_int64(stmt, 16);
	f->dhcp_type = (uint8_t)sqlite3_column_int(stmt, 17);
	text_copy(view->remark, sizeof(view->remark), column_text(stmt, 18));
	f->media_packets[3] = (uint32_t)sqlite3_column_int64(stmt, 19);
	f->by_shape = (uint8_t)sqlite3_column_int(stmt, 20);
	f->connect_port = (uint16_t)sqlite3_column_int(stmt, 21);
	f->tunnel = (uint8_t)sqlite3_column_int(stmt, 22);
	f->connect_status = (uint16_t)sqlite3_column_int(stmt, 23);
	sqlite3_reset(stmt);
	return 0;
}

static int read_rows(struct flowdb *db, struct flow_view *view, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_FLOW_GET_ROWS,
	                 "SELECT e.text FROM flow_row r JOIN envelope_row e ON e.id = r.row"
	                 " WHERE r.flow = ?1 ORDER BY r.rank",
	                 &stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, view->id);
	while ((r = sql_step(db, stmt, err)) > 0)
		if (view->row_count < ROWS_MAX)
			text_copy(view->rows[view->row_count++], ROW_ID_MAX,
			          column_text(stmt, 0));
	return r;
}

static int read_nearest(struct flowdb *db, struct flow_view *view, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(
		db, SLOT_FLOW_GET_DIFFERS,
		"SELECT d.rank, e.text, d.field, x.text, s.text FROM flow_differs d"
		" JOIN envelope_row e ON e.id = d.row JOIN phrase x ON x.id = d.expected"
		" JOIN phrase s ON s.id = d.seen WHERE d.flow = ?1 ORDER BY d.rank, d.field",
		&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, view->id);
	while ((r = sql_step(db, stmt, err)) > 0) {
		unsigned rank = (unsigned)sqlite3_column_int(stmt, 0);
		struct nearest_view *nearest = &view->nearest[rank];
		struct differs *differs;

		if (rank >= NEAREST_MAX || nearest->count == FIELD_COUNT)
			continue;
		if (rank >= view->nearest_count)
			view->nearest_count = (uint8_t)(rank + 1);
		text_copy(nearest->row, sizeof(nearest->row), column_text(stmt, 1));
		differs = &nearest->differs[nearest->count++];
		differs->field = (uint8_t)sqlite3_column_int(stmt, 2);
		text_copy(differs->expected, sizeof(differs->expected), column_text(stmt, 3));
		text_copy(differs->seen, sizeof(differs->seen), column_text(stmt, 4));
	}
	return r;
}

static void read_end(sqlite3_stmt *stmt, int at, struct endpoint *end)
{
	if (sqlite3_column_bytes(stmt, at) == sizeof(end->addr))
		memcpy(&end->addr, sqlite3_column_blob(stmt, at), sizeof(end->addr));
	end->port = (uint16_t)sqlite3_column_int(stmt, at + 1);
	if (sqlite3_column_bytes(stmt, at + 2) == sizeof(end->mac))
		memcpy(&end->mac, sqlite3_column_blob(stmt, at + 2), sizeof(end->mac));
}

/* The columns of flow itself; where they stand in FLOW_GET is said here alone. */
static void read_flow(sqlite3_stmt *stmt, struct flow_view *view)
{
	int64_t how = sqlite3_column_int64(stmt, 0), tcp = sqlite3_column_int64(stmt, 1);
	int64_t asked = sqlite3_column_int64(stmt, 2), payloads = sqlite3_column_int64(stmt, 3);
	unsigned local = how & 1, initiator = how >> HOW_INITIATOR & 3;
	struct flow_facts *f = &view->facts;

	*f = (struct flow_facts){
		.id = (uint64_t)sqlite3_column_int64(stmt, 4),
		.first_us = sqlite3_column_int64(stmt, 5),
		.last_us = sqlite3_column_int64(stmt, 5) + sqlite3_column_int64(stmt, 6),
		.transport = (uint8_t)sqlite3_column_int(stmt, 7),
		.vlan = sqlite3_column_type(stmt, 8) == SQLITE_NULL
	                        ? VLAN_NONE
	                        : (uint16_t)sqlite3_column_int(stmt, 8),
		.media = (uint8_t)sqlite3_column_int(stmt, 9),
		.outcome = (uint8_t)sqlite3_column_int(stmt, 10),
		.ip_version = how >> HOW_IPV6 & 1 ? 6 : 4,
		.initiator = (uint8_t)(initiator > 1 ? 2 : initiator ^ local),
		.initiator_by = how >> HOW_INITIATOR_BY & 7,
		.midstream = how >> HOW_MIDSTREAM & 1,
		.settled_by = how >> HOW_SETTLED_BY & 7,
		.name_kind = how >> HOW_NAME_KIND & 3,
		.ice = (uint8_t)((how >> HOW_ICE_UNIT & 1) << local | (how >> HOW_ICE_PEER & 1)
	                                                                      << !local),
		.mtls = how >> HOW_MTLS & 3,
		.tls_version = how >> HOW_TLS_VERSION & 0xff,
		.closed = how >> HOW_CLOSED & 1,
		.warmup = how >> HOW_WARMUP & 1,
		.solicited = how >> HOW_SOLICITED & 1,
		.asked = (uint8_t)asked,
		.tries = (uint16_t)(asked >> 8),
		.silent_s = (uint8_t)(asked >> 24),
		.payload_packets = (uint16_t)payloads,
		.inspected_packets = (uint8_t)(payloads >> 16),
		.payload_types = {0xff, 0xff, 0xff, 0xff},
	};
	f->packets[local] = (uint64_t)sqlite3_column_int64(stmt, 11);
	f->packets[!local] = (uint64_t)sqlite3_column_int64(stmt, 12);
	f->bytes[local] = (uint64_t)sqlite3_column_int64(stmt, 13);
	f->bytes[!local] = (uint64_t)sqlite3_column_int64(stmt, 14);
	f->tcp_flags[local] = (uint8_t)tcp;
	f->tcp_flags[!local] = (uint8_t)(tcp >> 8);
	if (f->asked)
		f->first_try_us = f->last_try_us = f->first_us;
	read_end(stmt, 15, &f->end[local]);
	read_end(stmt, 18, &f->end[!local]);
	view->local = (uint8_t)local;
	view->run = sqlite3_column_int64(stmt, 21);
	view->unit_id = sqlite3_column_int64(stmt, 22);
	view->unit = column_text(stmt, 23);
	view->profiles = column_text(stmt, 24);
	view->policy = column_text(stmt, 25);
	view->name = column_text(stmt, 26);
	view->app = (uint16_t)sqlite3_column_int(stmt, 27);
	view->evidence = (uint8_t)sqlite3_column_int(stmt, 28);
	if (view->evidence ==
	    EVIDENCE_DISSECTOR) { /* else it is nDPI's word, not the sensor's */
		f->app = view->app;
		f->evidence = EVIDENCE_DISSECTOR;
	}
	view->ruling = (uint8_t)sqlite3_column_int(stmt, 29);
	view->grade = (uint8_t)sqlite3_column_int(stmt, 30);
	view->why = (uint8_t)sqlite3_column_int(stmt, 31);
	view->kind = (uint8_t)sqlite3_column_int(stmt, 32);
	view->severity = (uint8_t)sqlite3_column_int(stmt, 33);
	view->direction = (uint8_t)sqlite3_column_int(stmt, 34);
	view->finding = sqlite3_column_int64(stmt, 35);
	view->blind = sqlite3_column_int(stmt, 36);
	view->asked_again = how >> HOW_ASKED_AGAIN & 1;
	view->lossy = how >> HOW_LOSSY & 1;
	if (sqlite3_column_type(stmt, 37) != SQLITE_NULL)
		text_copy(view->rows[view->row_count++], ROW_ID_MAX, column_text(stmt, 37));
}

static const char FLOW_GET[] =
	"SELECT f.how, f.tcp_flags, f.asked, f.payloads, f.packet, f.start_us, f.lasted_us, f.transport,"
	" f.vlan, f.media, f.outcome, f.packets_out, f.packets_in, f.bytes_out, f.bytes_in,"
	" l.bytes, f.local_port, lm.bytes, r.bytes, f.remote_port, rm.bytes,"
	" f.run, f.unit, u.name, u.profiles, p.hash, n.text, f.application, f.evidence,"
	" f.verdict, f.grade, f.why, f.kind, f.severity, f.direction, f.finding, f.blind, e.text"
	" FROM flow f JOIN unit u ON u.id = f.unit JOIN host l ON l.id = f.local"
	" JOIN host r ON r.id = f.remote JOIN policy p ON p.id = f.policy"
	" LEFT JOIN host lm ON lm.id = f.local_mac LEFT JOIN host rm ON rm.id = f.remote_mac"
	" LEFT JOIN name n ON n.id = f.name LEFT JOIN envelope_row e ON e.id = f.row WHERE f.id = ?1";

int flow_get(struct flowdb *db, int64_t id,
                    int (*each)(void *context, const struct flow_view *flow, struct err *err),
                    void *context, struct err *err)
{
	struct flow_view view = {.id = id, .sensor = db->sensor};
	sqlite3_stmt *stmt;
	int64_t how;
	int r = sql_slot(db, SLOT_FLOW_GET, FLOW_GET, &stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, id);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	how = sqlite3_column_int64(stmt, 0);
	read_flow(stmt, &view);
	r = how >> HOW_MORE & 1 ? read_more(db, &view, err) : 0;
	if (r >= 0 && how >> HOW_ROWS & 1)
		r = read_rows(db, &view, err);
	if (r >= 0 && view.kind)
		r = read_nearest(db, &view, err);
	if (r >= 0)
		r = each(context, &view, err);
	sqlite3_reset(stmt);
	return r < 0 ? r : r > 0 ? 2 : 1;
}

int flowdb_flow(struct flowdb *db, int64_t id,
                int (*each)(void *context, const struct flow_view *flow, struct err *err),
                void *context, struct err *err)
{
	int r = flow_get(db, id, each, context, err);

	return r > 1 ? 1 : r;
}
