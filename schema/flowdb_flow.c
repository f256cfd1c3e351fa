/*
 * flowdb_flow.c - see flowdb.h: a flow becomes a row of integers. What few flows have goes to
 * flow_more, only where there is some; of what it differs in it has the id.
 */
#include "schema/flowdb_sql.h"

static int64_t nonzero(uint64_t value)
{
	return value ? (int64_t)value : SQL_NULL;
}

static bool zero_addr(const struct addr *addr)
{
	static const struct addr zero;

	return addr_equal(addr, &zero);
}

/* Fills the columns of flow_more but remark; *ret_any: whether any is there. */
static int more_of(struct flowdb *db, const struct flow_facts *f, int64_t values[MORE_VALUES],
                   bool *ret_any, struct err *err)
{
	bool payload_types = false, tries = f->asked && (f->first_try_us != f->first_us ||
	                                                 f->last_try_us != f->first_us);
	uint32_t packed = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(f->payload_types); i++) {
		packed |= (uint32_t)f->payload_types[i] << 8 * i;
		payload_types |= f->payload_types[i] != 0xff;
	}
	for (size_t i = 0; i < MORE_VALUES; i++)
		values[i] = SQL_NULL;
	values[0] = payload_types ? (int64_t)packed : SQL_NULL;
	for (size_t i = 0; i < 3; i++)
		values[1 + i] = nonzero(f->media_packets[i]);
	values[18] = nonzero(f->media_packets[3]);
	values[19] = nonzero(f->by_shape);
	values[20] = nonzero(f->connect_port);
	values[21] = nonzero(f->tunnel);
	values[22] = nonzero(f->connect_status);
	if (!zero_addr(&f->icmp_sender)) {
		values[4] = f->icmp_type << 8 | f->icmp_code;
		r = intern_addr(db, &f->icmp_sender, &values[5], err);
	} else if (f->icmp_type || f->icmp_code) {
		values[4] = f->icmp_type << 8 | f->icmp_code;
	}
	values[6] = nonzero(f->fragments);
	values[7] = nonzero(f->truncated);
	values[8] = nonzero(f->duplicates);
	if (r >= 0 && !zero_addr(&f->relayed))
		r = intern_addr(db, &f->relayed, &values[9], err);
	values[10] = nonzero(f->relayed_port);
	values[11] = tries ? f->first_try_us : SQL_NULL;
	values[12] = tries ? f->last_try_us : SQL_NULL;
	values[13] = nonzero(f->not_apps.w[0]);
	values[14] = nonzero(f->not_apps.w[1]);
	if (r >= 0 && !mac_is_zero(&f->chaddr))
		r = intern_mac(db, &f->chaddr, &values[15], err);
	values[16] = nonzero(f->dhcp_xid);
	values[17] = nonzero(f->dhcp_type);
	*ret_any = false;
	for (size_t i = 0; i < MORE_VALUES; i++)
		*ret_any |= values[i] != SQL_NULL;
	return r;
}

static int put_more(struct flowdb *db, const struct flow_cells *cells, int64_t id,
                    struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(
		db, SLOT_FLOW_MORE,
		"INSERT INTO flow_more (payload_types, audio, video, data, icmp, icmp_sender,"
		" fragments, truncated, duplicates, relayed, relayed_port, first_try_us, last_try_us,"
		" not_apps_low, not_apps_high, chaddr, dhcp_xid, dhcp_type, other, by_shape,"
		" connect_port, tunnel, connect_status, remark, flow) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, cells->more, MORE_VALUES);
	if (*cells->remark)
		bind_text(stmt, MORE_VALUES, cells->remark);
	sqlite3_bind_int64(stmt, MORE_VALUES + 1, id);
	return sql_run(db, stmt, err);
}

/* The id of the set of rows that cover it, where they are several; else 0. */
static int row_set_of(struct flowdb *db, const struct flow_row *flow, int64_t *ret_id,
                      struct err *err)
{
	char text[ROW_SET_MAX];

	*ret_id = 0;
	if (flow->verdict->row_count < 2)
		return 0;
	*text = '\0';
	for (unsigned i = 0; i < flow->verdict->row_count && i < ROWS_MAX; i++)
		text_add(text, sizeof(text), "%s%s", i ? ", " : "", flow->rows[i]);
	return intern_text(db, INTERN_ROW_SET, text, ret_id, err);
}

static int difference_of(struct flowdb *db, unsigned rank, const char *row,
                         const struct differs *differs, struct difference *ret, struct err *err)
{
	int64_t ids[3];
	int r = intern_text(db, INTERN_ROW, row, &ids[0], err);

	if (r >= 0)
		r = intern_text(db, INTERN_PHRASE, differs->expected, &ids[1], err);
	if (r >= 0)
		r = intern_text(db, INTERN_PHRASE, differs->seen, &ids[2], err);
	if (r < 0)
		return r;
	*ret = (struct difference){
		.rank = (uint16_t)rank,
		.field = differs->field,
		.row = (uint32_t)ids[0],
		.expected = (uint32_t)ids[1],
		.seen = (uint32_t)ids[2],
	};
	return 0;
}

/* The id of what it differs in from the nearest rows; SQL_NULL: there are none. */
static int differs_of(struct flowdb *db, const struct flow_row *flow, int64_t *ret_id,
                      struct err *err)
{
	struct difference all[DIFFERENCES_MAX];
	size_t count = 0;

	*ret_id = SQL_NULL;
	for (unsigned i = 0; i < flow->verdict->nearest_count && i < NEAREST_MAX; i++) {
		const struct nearest *nearest = &flow->verdict->nearest[i];

		for (unsigned j = 0; j < nearest->count && j < FIELD_COUNT; j++) {
			int r = difference_of(db, i, flow->nearest[i], &nearest->differs[j],
			                      &all[count++], err);

			if (r < 0)
				return r;
		}
	}
	return count ? differs_id(db, all, count, ret_id, err) : 0;
}

static int64_t how_of(const struct flow_row *flow, bool more)
{
	const struct flow_facts *f = flow->facts;
	unsigned local = flow->local & 1;
	unsigned initiator = f->initiator > 1 ? 2 : f->initiator ^ local; /* 0: the unit */

	return (int64_t)local << HOW_PEER_FIRST | (int64_t)initiator << HOW_INITIATOR |
	       (int64_t)f->initiator_by << HOW_INITIATOR_BY |
	       (int64_t) !!f->midstream << HOW_MIDSTREAM |
	       (int64_t)f->settled_by << HOW_SETTLED_BY |
	       (int64_t)f->name_kind << HOW_NAME_KIND |
	       (int64_t)(f->ice >> local & 1) << HOW_ICE_UNIT |
	       (int64_t)(f->ice >> !local & 1) << HOW_ICE_PEER | (int64_t)f->mtls << HOW_MTLS |
	       (int64_t)f->tls_version << HOW_TLS_VERSION |
	       (int64_t) !!f->closed << HOW_CLOSED | (int64_t)(f->ip_version == 6) << HOW_IPV6 |
	       (int64_t)more << HOW_MORE |
	       (int64_t) !!f->warmup << HOW_WARMUP | (int64_t) !!f->solicited << HOW_SOLICITED |
	       (int64_t)flow->asked_again << HOW_ASKED_AGAIN | (int64_t)flow->lossy << HOW_LOSSY;
}

static int64_t said_of(const struct flow_row *flow, int64_t row_set)
{
	const struct verdict *v = flow->verdict;

	return (int64_t)(flow->evidence & 3) << SAID_EVIDENCE |
	       (int64_t)(flow->facts->outcome & 7) << SAID_OUTCOME |
	       (int64_t)(v->direction & 3) << SAID_DIRECTION |
	       (int64_t)(v->grade & 3) << SAID_GRADE |
	       (int64_t)(flow->facts->media & 7) << SAID_MEDIA | (int64_t)(v->why & 15) << SAID_WHY |
	       (int64_t)(v->severity & 7) << SAID_SEVERITY | (int64_t)flow->blind << SAID_BLIND |
	       (int64_t)(flow->told & 31) << SAID_TOLD | row_set << SAID_ROW_SET;
}

/* A flow that is rewritten goes, with what hangs from it, and comes back under its id. */
static int take_away(struct flowdb *db, int64_t id, struct err *err)
{
	return sql_tell(db, SLOT_FLOW_DELETE, "DELETE FROM flow WHERE id = ?1", &id, 1, err);
}

static uint8_t grade_of(const struct flow_cells *cells)
{
	return cells->flow[FLOW_SAID] >> SAID_GRADE & 3;
}

int flow_cells_write(struct flowdb *db, const struct flow_cells *cells, int64_t id, struct err *err)
{
	int r = rows_put(db, cells->flow, id, err);

	if (r >= 0 && cells->has_more)
		r = put_more(db, cells, id, err);
	return r < 0 ? r
	             : tally_flow(db, cells->flow[FLOW_UNIT], (uint8_t)cells->flow[FLOW_RULING],
	                          grade_of(cells), err);
}

/* Ids of what is written now are given here, so that everything has its id before it is there. */
static int cells_of(struct flowdb *db, const struct flow_row *flow, struct flow_cells *cells,
                    struct err *err)
{
	const struct flow_facts *f = flow->facts;
	const struct verdict *v = flow->verdict;
	unsigned local = flow->local & 1;
	const struct endpoint *unit = &f->end[local], *peer = &f->end[!local];
	int64_t hosts[2] = {0}, link, name = SQL_NULL, row = SQL_NULL, row_set, differs;
	int r = more_of(db, f, cells->more, &cells->has_more, err);

	text_copy(cells->remark, sizeof(cells->remark), v->reason);
	cells->has_more |= v->reason[0] != '\0';
	if (r >= 0)
		r = intern_addr(db, &unit->addr, &hosts[0], err);
	if (r >= 0)
		r = intern_addr(db, &peer->addr, &hosts[1], err);
	if (r >= 0)
		r = intern_link(db, &unit->mac, &peer->mac, f->vlan, &link, err);
	if (r >= 0 && *flow->name)
		r = intern_text(db, INTERN_NAME, flow->name, &name, err);
	if (r >= 0 && v->row_count)
		r = intern_text(db, INTERN_ROW, flow->rows[0], &row, err);
	if (r >= 0)
		r = row_set_of(db, flow, &row_set, err);
	if (r >= 0)
		r = differs_of(db, flow, &differs, err);
	if (r < 0)
		return r;
	const int64_t values[FLOW_VALUES] = {
		flow->run,
		flow->policy,
		flow->unit,
		f->first_us,
		f->last_us - f->first_us,
		(int64_t)f->id,
		f->transport,
		hosts[0],
		unit->port,
		hosts[1],
		peer->port,
		link,
		name,
		flow->app,
		v->ruling,
		row,
		v->kind,
		flow->finding ? flow->finding : SQL_NULL,
		(int64_t)f->packets[local],
		(int64_t)f->packets[!local],
		(int64_t)f->bytes[local],
		(int64_t)f->bytes[!local],
		said_of(flow, row_set),
		how_of(flow, cells->has_more),
		f->tcp_flags[local] | f->tcp_flags[!local] << 8,
		f->asked | (int64_t)f->tries << 8 | (int64_t)f->silent_s << 24,
		f->payload_packets | (int64_t)f->inspected_packets << 16,
		differs,
	};
	memcpy(cells->flow, values, sizeof(values));
	return 0;
}

/* What stands there of the flow goes; where it waits and counts as the new row does, there is nothing to be seen of it. */
static int replace(struct flowdb *db, const struct flow_cells *cells, int64_t id, struct err *err)
{
	struct flow_cells before;
	int r = 0;

	if (waiting_take(db, id, &before)) {
		if (before.flow[FLOW_UNIT] == cells->flow[FLOW_UNIT] &&
		    before.flow[FLOW_RULING] == cells->flow[FLOW_RULING] &&
		    grade_of(&before) == grade_of(cells))
			return 0;
		r = flow_cells_write(db, &before, id, err);
	}
	return r < 0 ? r : take_away(db, id, err);
}

/* Asked for before a row is taken away: one with the highest id that waits afterwards would be overlooked. */
static int know_last(struct flowdb *db, struct err *err)
{
	int r = db->flow_last ? 0
	                      : sql_ask_slot(db, SLOT_FLOW_LAST, "SELECT max(id) FROM flow", NULL,
	                                     0, &db->flow_last, err);

	return r < 0 ? r : 0;
}

int flowdb_flow_put(struct flowdb *db, const struct flow_row *flow, int64_t *id,
                    struct err *err)
{
	struct flow_cells cells;
	int r = know_last(db, err);

	if (r >= 0)
		r = cells_of(db, flow, &cells, err);
	if (r >= 0 && *id)
		r = replace(db, &cells, *id, err);
	else if (r >= 0)
		*id = ++db->flow_last;
	if (r >= 0)
		r = flow->waits ? waiting_put(db, &cells, *id, err)
		                : flow_cells_write(db, &cells, *id, err);
	return r < 0 ? r : tally_port(db, flow, err);
}
