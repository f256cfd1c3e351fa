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

/* The rows that cover it, best first: a set of several, else the one. */
static void read_rows(struct flow_view *view, const char *set, const char *row)
{
	if (!*set)
		set = row;
	while (*set && view->row_count < ROWS_MAX) {
		size_t len = strcspn(set, ",");
		char *id = view->rows[view->row_count++];

		snprintf(id, ROW_ID_MAX, "%.*s", (int)len, set);
		set += len;
		set += strspn(set, ", ");
	}
}

static int read_nearest(struct flowdb *db, struct flow_view *view, int64_t differs_id,
                        struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(
		db, SLOT_DIFFERS_GET,
		"SELECT d.rank, e.text, d.field, x.text, s.text FROM differs d"
		" JOIN envelope_row e ON e.id = d.row JOIN phrase x ON x.id = d.expected"
		" JOIN phrase s ON s.id = d.seen WHERE d.id = ?1 ORDER BY d.rank, d.field",
		&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, differs_id);
	while ((r = sql_step(db, stmt, err)) > 0) {
		unsigned rank = (unsigned)sqlite3_column_int(stmt, 0);
		unsigned field = (unsigned)sqlite3_column_int(stmt, 2);
		struct nearest_view *nearest;
		struct differs *differs;

		/* No row of ours has others. */
		if (rank >= NEAREST_MAX || field >= FIELD_COUNT ||
		    view->nearest[rank].count == FIELD_COUNT)
			continue;
		nearest = &view->nearest[rank];
		if (rank >= view->nearest_count)
			view->nearest_count = (uint8_t)(rank + 1);
		text_copy(nearest->row, sizeof(nearest->row), column_text(stmt, 1));
		differs = &nearest->differs[nearest->count++];
		differs->field = (uint8_t)field;
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

/* The columns of flow itself, in the order of FLOW_GET. */
enum {
	GET_HOW,
	GET_SAID,
	GET_TCP_FLAGS,
	GET_ASKED,
	GET_PAYLOADS,
	GET_PACKET,
	GET_START,
	GET_LASTED,
	GET_TRANSPORT,
	GET_VLAN,
	GET_PACKETS_OUT,
	GET_PACKETS_IN,
	GET_BYTES_OUT,
	GET_BYTES_IN,
	GET_LOCAL, /* address, port, MAC */
	GET_REMOTE = GET_LOCAL + 3,
	GET_RUN = GET_REMOTE + 3,
	GET_UNIT,
	GET_UNIT_NAME,
	GET_PROFILES,
	GET_POLICY,
	GET_NAME,
	GET_APPLICATION,
	GET_VERDICT,
	GET_KIND,
	GET_FINDING,
	GET_ROW,
	GET_ROW_SET,
	GET_DIFFERS,
};

static const char FLOW_GET[] =
	"SELECT f.how, f.said, f.tcp_flags, f.asked, f.payloads, f.packet, f.start_us, f.lasted_us,"
	" f.transport, k.vlan, f.packets_out, f.packets_in, f.bytes_out, f.bytes_in,"
	" l.bytes, f.local_port, lm.bytes, r.bytes, f.remote_port, rm.bytes,"
	" f.run, f.unit, u.name, u.profiles, p.hash, n.text, f.application, f.verdict, f.kind,"
	" f.finding, e.text, s.text, f.differs"
	" FROM flow f JOIN unit u ON u.id = f.unit JOIN host l ON l.id = f.local"
	" JOIN host r ON r.id = f.remote JOIN policy p ON p.id = f.policy"
	" LEFT JOIN link k ON k.id = f.link"
	" LEFT JOIN host lm ON lm.id = k.local_mac LEFT JOIN host rm ON rm.id = k.remote_mac"
	" LEFT JOIN name n ON n.id = f.name LEFT JOIN envelope_row e ON e.id = f.row"
	" LEFT JOIN row_set s ON s.id = " FLOW_ROW_SET " WHERE f.id = ?1";

/* Of a database that another program damaged it may be anything: then no sum of times may overflow. */
static int64_t sane_us(int64_t us)
{
	const int64_t most = INT64_C(1) << 56; /* the year 4253 */

	return us < 0 ? 0 : us > most ? most : us;
}

static void read_flow(sqlite3_stmt *stmt, struct flow_view *view)
{
	int64_t how = sqlite3_column_int64(stmt, GET_HOW);
	int64_t said = sqlite3_column_int64(stmt, GET_SAID);
	int64_t tcp = sqlite3_column_int64(stmt, GET_TCP_FLAGS);
	int64_t asked = sqlite3_column_int64(stmt, GET_ASKED);
	int64_t payloads = sqlite3_column_int64(stmt, GET_PAYLOADS);
	unsigned local = how & 1, initiator = how >> HOW_INITIATOR & 3;
	struct flow_facts *f = &view->facts;

	*f = (struct flow_facts){
		.id = (uint64_t)sqlite3_column_int64(stmt, GET_PACKET),
		.first_us = sane_us(sqlite3_column_int64(stmt, GET_START)),
		.last_us = sane_us(sqlite3_column_int64(stmt, GET_START)) +
	                   sane_us(sqlite3_column_int64(stmt, GET_LASTED)),
		.transport = (uint8_t)sqlite3_column_int(stmt, GET_TRANSPORT),
		.vlan = sqlite3_column_type(stmt, GET_VLAN) == SQLITE_NULL
	                        ? VLAN_NONE
	                        : (uint16_t)sqlite3_column_int(stmt, GET_VLAN),
		.media = said >> SAID_MEDIA & 7,
		.outcome = said >> SAID_OUTCOME & 7,
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
	f->packets[local] = (uint64_t)sqlite3_column_int64(stmt, GET_PACKETS_OUT);
	f->packets[!local] = (uint64_t)sqlite3_column_int64(stmt, GET_PACKETS_IN);
	f->bytes[local] = (uint64_t)sqlite3_column_int64(stmt, GET_BYTES_OUT);
	f->bytes[!local] = (uint64_t)sqlite3_column_int64(stmt, GET_BYTES_IN);
	f->tcp_flags[local] = (uint8_t)tcp;
	f->tcp_flags[!local] = (uint8_t)(tcp >> 8);
	if (f->asked)
		f->first_try_us = f->last_try_us = f->first_us;
	read_end(stmt, GET_LOCAL, &f->end[local]);
	read_end(stmt, GET_REMOTE, &f->end[!local]);
	view->local = (uint8_t)local;
	view->run = sqlite3_column_int64(stmt, GET_RUN);
	view->unit_id = sqlite3_column_int64(stmt, GET_UNIT);
	view->unit = column_text(stmt, GET_UNIT_NAME);
	view->profiles = column_text(stmt, GET_PROFILES);
	view->policy = column_text(stmt, GET_POLICY);
	view->name = column_text(stmt, GET_NAME);
	view->app = (uint16_t)sqlite3_column_int(stmt, GET_APPLICATION);
	view->evidence = said >> SAID_EVIDENCE & 3;
	if (view->evidence ==
	    EVIDENCE_DISSECTOR) { /* else it is nDPI's word, not the sensor's */
		f->app = view->app;
		f->evidence = EVIDENCE_DISSECTOR;
	}
	view->ruling = (uint8_t)sqlite3_column_int(stmt, GET_VERDICT);
	view->grade = said >> SAID_GRADE & 3;
	view->why = said >> SAID_WHY & 15;
	view->kind = (uint8_t)sqlite3_column_int(stmt, GET_KIND);
	view->severity = said >> SAID_SEVERITY & 7;
	view->direction = said >> SAID_DIRECTION & 3;
	view->finding = sqlite3_column_int64(stmt, GET_FINDING);
	view->blind = said >> SAID_BLIND & 1;
	view->told = said >> SAID_TOLD & 31;
	view->asked_again = how >> HOW_ASKED_AGAIN & 1;
	view->lossy = how >> HOW_LOSSY & 1;
	read_rows(view, column_text(stmt, GET_ROW_SET), column_text(stmt, GET_ROW));
}

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
	how = sqlite3_column_int64(stmt, GET_HOW);
	read_flow(stmt, &view);
	r = how >> HOW_MORE & 1 ? read_more(db, &view, err) : 0;
	if (r >= 0 && view.kind && sqlite3_column_type(stmt, GET_DIFFERS) != SQLITE_NULL)
		r = read_nearest(db, &view, sqlite3_column_int64(stmt, GET_DIFFERS), err);
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
