/*
 * flowdb_fields.c - see flowdb_query.h: the fields of answers by their names, as statements have them: what
 * can be sorted by and counted by. Of the flow the alias is f, of the finding g, of the name x, of coverage c.
 */
#include "schema/flowdb_sql.h"
#include "schema/time.h"

#include <assert.h>

#define SORT_FIELDS_MAX 16

enum field_type { NUMBER, TEXT, TIME, ADDRESS, FINDING, FLAG, WORD };

struct field_row {
	const char *name, *sql;
	enum field_type type;
	const char *(*word)(int64_t value); /* of a WORD */
};

#define WORD_OF(of, type) \
	static const char *of##_word(int64_t value) \
	{ \
		return of##_name((type)value); \
	}
WORD_OF(transport, uint8_t)
WORD_OF(direction, enum direction)
WORD_OF(initiator_by, enum initiator_by)
WORD_OF(app, enum app)
WORD_OF(evidence, enum evidence)
WORD_OF(media, uint8_t)
WORD_OF(outcome, enum outcome)
WORD_OF(ruling, enum ruling)
WORD_OF(grade, enum grade)
WORD_OF(why, enum why)
WORD_OF(kind, enum kind)
WORD_OF(severity, enum severity)

static const char *state_word(int64_t value)
{
	return value == 0 ? "open" : value == 1 ? "waived" : "closed";
}

#define HOST(column) "(SELECT bytes FROM host WHERE id = " column ")"
#define UNIT(column) "(SELECT name FROM unit WHERE id = " column ")"
#define ROW(column) "(SELECT text FROM envelope_row WHERE id = " column ")"
#define PORT(column) "iif(f.transport IN (6, 17), f." column ", NULL)"

static const struct field_row FLOW_FIELDS[] = {
	{"id", "f.id", NUMBER, NULL},
	{"start", "f.start_us", TIME, NULL},
	{"end", "f.start_us + f.lasted_us", TIME, NULL},
	{"sensor", "?12", TEXT, NULL},
	{"unit", UNIT("f.unit"), TEXT, NULL},
	{"transport", "f.transport", WORD, transport_word},
	{"ip_version", FLOW_IP_VERSION, NUMBER, NULL},
	{"direction", FLOW_DIRECTION, WORD, direction_word},
	{"initiator", "f.how >> 3 & 7", WORD, initiator_by_word},
	{"local", HOST("f.local"), ADDRESS, NULL},
	{"local_port", PORT("local_port"), NUMBER, NULL},
	{"remote", HOST("f.remote"), ADDRESS, NULL},
	{"peer", HOST("f.remote"), ADDRESS, NULL},
	{"remote_port", PORT("remote_port"), NUMBER, NULL},
	{"name", "(SELECT text FROM name WHERE id = f.name)", TEXT, NULL},
	{"application", "nullif(f.application, 0)", WORD, app_word},
	{"evidence", FLOW_EVIDENCE, WORD, evidence_word},
	{"media", FLOW_MEDIA, WORD, media_word},
	{"outcome", FLOW_OUTCOME, WORD, outcome_word},
	{"verdict", "f.verdict", WORD, ruling_word},
	{"grade", FLOW_GRADE, WORD, grade_word},
	{"why", FLOW_WHY, WORD, why_word},
	{"row", "iif(f.verdict = 1, " ROW("f.row") ", NULL)", TEXT, NULL},
	{"kind", "f.kind", WORD, kind_word},
	{"severity", FLOW_SEVERITY, WORD, severity_word},
	{"finding", "f.finding", FINDING, NULL},
	{"packets_out", "f.packets_out", NUMBER, NULL},
	{"packets_in", "f.packets_in", NUMBER, NULL},
	{"bytes_out", "f.bytes_out", NUMBER, NULL},
	{"bytes_in", "f.bytes_in", NUMBER, NULL},
	{"vlan", "(SELECT vlan FROM link WHERE id = f.link)", NUMBER, NULL},
	{"blind", FLOW_BLIND, FLAG, NULL},
	{"policy", "(SELECT substr(hash, 1, 12) FROM policy WHERE id = f.policy)", TEXT, NULL},
	{"hour", "local_text(f.start_us, 13) || ':00'", TEXT, NULL},
	{"day", "local_text(f.start_us, 10)", TEXT, NULL},
};
_Static_assert(RULING_DOCUMENTED == 1 && TRANSPORT_TCP == 6 && TRANSPORT_UDP == 17 &&
                       HOW_INITIATOR_BY == 3,
               "as FLOW_FIELDS has them");

static const struct field_row FINDING_FIELDS[] = {
	{"id", "g.id", FINDING, NULL},
	{"sensor", "?12", TEXT, NULL},
	{"unit", UNIT("g.unit"), TEXT, NULL},
	{"kind", "g.kind", WORD, kind_word},
	{"severity", "g.severity", WORD, severity_word},
	{"row", ROW("g.row"), TEXT, NULL},
	{"remote", "nullif(g.remote, '')", TEXT, NULL},
	{"role", "nullif(g.role, '')", TEXT, NULL},
	{"peer", "coalesce(nullif(g.role, ''), nullif(g.remote, ''))", TEXT, NULL},
	{"transport", "nullif(g.transport, 0)", WORD, transport_word},
	{"port", "nullif(g.port, '')", TEXT, NULL},
	{"application", "nullif(g.application, 0)", WORD, app_word},
	{"first", "g.first_us", TIME, NULL},
	{"last", "g.last_us", TIME, NULL},
	{"flows", "g.flows", NUMBER, NULL},
	{"kept", "g.kept", NUMBER, NULL},
	{"bytes", "g.bytes", NUMBER, NULL},
	{"state", "iif(g.open, g.waiver <> '', 2)", WORD, state_word},
	{"reason", "g.reason", TEXT, NULL},
	{"waiver", "nullif(g.waiver, '')", TEXT, NULL},
	{"hour", "local_text(g.first_us, 13) || ':00'", TEXT, NULL},
	{"day", "local_text(g.first_us, 10)", TEXT, NULL},
};

static const struct field_row NAME_FIELDS[] = {
	{"name", "n.text", TEXT, NULL},
	{"sensor", "?12", TEXT, NULL},
	{"address", HOST("x.address"), ADDRESS, NULL},
	{"client", HOST("x.client"), ADDRESS, NULL},
	{"server", HOST("x.server"), ADDRESS, NULL},
	{"first", "x.first_us", TIME, NULL},
	{"last", "x.last_us", TIME, NULL},
	{"until", "x.until_us", TIME, NULL},
};

static const struct {
	const struct field_row *fields;
	size_t count;
	const char *from, *count_columns;
} THINGS[] = {
	[THING_FLOWS] = {FLOW_FIELDS, ARRAY_LEN(FLOW_FIELDS), "flow f",
                         "count(*), sum(f.bytes_out + f.bytes_in), min(f.start_us),"
                         " max(f.start_us + f.lasted_us)"},
	[THING_FINDINGS] = {FINDING_FIELDS, ARRAY_LEN(FINDING_FIELDS), "finding g",
                            "count(*), sum(g.bytes), min(g.first_us), max(g.last_us)"},
	[THING_NAMES] = {NAME_FIELDS, ARRAY_LEN(NAME_FIELDS), NULL, NULL},
};

struct listed {
	const struct field_row *field;
	bool down;
};

static int unknown_field(enum flowdb_thing thing, const char *what, const char *word,
                         struct err *err)
{
	char accepted[sizeof(err->text) - 256] = "";

	for (size_t i = 0; i < THINGS[thing].count; i++)
		text_add(accepted, sizeof(accepted), "%s%s", i ? ", " : "",
		         THINGS[thing].fields[i].name);
	if (!*word)
		return err_set(err, -EINVAL, "%s: an empty field; accepted: %s", what, accepted);
	return err_set(err, -EINVAL, "%s %.80s: no such field; accepted: %s", what, word, accepted);
}

/* The fields of a list (NULL: none) into `ret`: how many, or negative with err naming what is accepted. */
static int parse_fields(enum flowdb_thing thing, const char *what, const char *list,
                        struct listed *ret, size_t most, struct err *err)
{
	size_t count = 0;

	for (bool more = list; more;) {
		size_t len = strcspn(list, ","), i = 0;
		bool down = *list == '-';
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)(len - down), list + down);
		while (i < THINGS[thing].count && strcmp(THINGS[thing].fields[i].name, word))
			i++;
		if (i == THINGS[thing].count)
			return unknown_field(thing, what, word, err);
		if (count == most)
			return err_set(err, -E2BIG, "%s %.200s: more than %zu fields", what, list,
			               most);
		ret[count++] = (struct listed){&THINGS[thing].fields[i], down};
		more = list[len];
		list += len + more;
	}
	return (int)count;
}

int flowdb_check_fields(enum flowdb_thing thing, const char *what, const char *list,
                        struct err *err)
{
	struct listed fields[SORT_FIELDS_MAX];
	int r = parse_fields(thing, what, list, fields, COUNT_FIELDS_MAX, err);

	return r < 0 ? r : 0;
}

int sorting_of(enum flowdb_thing thing, const char *sort, struct sorting *ret, struct err *err)
{
	struct listed fields[SORT_FIELDS_MAX];
	int count = parse_fields(thing, "--sort", sort, fields, ARRAY_LEN(fields), err);

	if (count < 0)
		return count;
	*ret = (struct sorting){.count = (unsigned)count};
	for (int i = 0; i < count; i++) {
		text_add(ret->columns, sizeof(ret->columns), "%s, ", fields[i].field->sql);
		if (fields[i].down)
			ret->down |= BIT(i);
	}
	return 0;
}

void sorting_add(char *sql, unsigned keys, uint64_t down)
{
	text_add(sql, WHERE_MAX, " ORDER BY");
	for (unsigned i = 0; i < keys; i++)
		text_add(sql, WHERE_MAX, "%s %u%s", i ? "," : "", i + 1,
		         down >> i & 1 ? " DESC" : "");
	text_add(sql, WHERE_MAX, " LIMIT ?8");
}

/* One of what is counted: its fields as text, one behind the other, each behind a letter that says what it is. */
struct counted {
	char *key;
	uint64_t count, bytes;
	int64_t first_us, last_us;
};

struct counting {
	struct listed fields[COUNT_FIELDS_MAX];
	int field_count;
	struct counted *all;
	size_t count, room;
};

/* NULL: not known. */
static const char *field_text(sqlite3_stmt *stmt, int at, const struct field_row *field,
                              char *buf, size_t size)
{
	int64_t value = sqlite3_column_int64(stmt, at);
	struct addr addr;

	if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
		return NULL;
	switch (field->type) {
	case TEXT:
		return column_text(stmt, at);
	case TIME:
		return time_print(value, buf);
	case ADDRESS:
		column_addr(stmt, at, &addr);
		return addr_print(&addr, buf);
	case FLAG:
		return value ? "true" : "false";
	case WORD:
		return field->word(value);
	case FINDING:
	case NUMBER:
		snprintf(buf, size, field->type == FINDING ? "F%lld" : "%lld", (long long)value);
		return buf;
	}
	return NULL;
}

static char *key_of(sqlite3_stmt *stmt, const struct counting *counting)
{
	char *key = NULL, buf[64];
	size_t size = 0;
	FILE *file = open_memstream(&key, &size);

	if (!file)
		return NULL;
	for (int i = 0; i < counting->field_count; i++) {
		const char *text = field_text(stmt, i, counting->fields[i].field, buf, sizeof(buf));

		fputc(text ? '=' : '0', file);
		fputs(text ? text : "", file);
		fputc('\0', file);
	}
	if (fclose(file)) {
		free(key);
		return NULL;
	}
	return key;
}

static int compare_keys(const char *a, const char *b, int fields)
{
	for (int i = 0; i < fields; i++) {
		int order = strcmp(a, b);

		if (order)
			return order;
		a += strlen(a) + 1;
		b += strlen(b) + 1;
	}
	return 0;
}

static int compare_by_key(const void *a, const void *b, void *fields)
{
	return compare_keys(((const struct counted *)a)->key, ((const struct counted *)b)->key,
	                    *(int *)fields);
}

static int compare_by_count(const void *a, const void *b, void *fields)
{
	const struct counted *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return compare_by_key(a, b, fields);
}

static int count_one(struct counting *counting, struct flowdb *first, struct flowdb *db, enum flowdb_thing thing,
                     const struct finding_query *query, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *sql = calloc(1, WHERE_MAX);
	struct flow_query narrow = query->flow;
	int n = counting->field_count, r = 0;

	if (!sql)
		return err_set(err, -ENOMEM, "out of memory");
	narrow.limit = 0;
	text_add(sql, WHERE_MAX, "SELECT ");
	for (int i = 0; i < n; i++)
		text_add(sql, WHERE_MAX, "%s, ", counting->fields[i].field->sql);
	text_add(sql, WHERE_MAX, "%s FROM %s WHERE 1", THINGS[thing].count_columns,
	         THINGS[thing].from);
	if (thing == THING_FLOWS)
		query_flows(db, sql, &query->flow);
	else
		r = twice_findings(first, db, sql, query, err);
	for (int i = 0; i < n; i++)
		text_add(sql, WHERE_MAX, "%s %d", i ? "," : " GROUP BY", i + 1);
	if (r >= 0)
		r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &narrow);
	bind_text(stmt, 12, db->sensor);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct counted *one;

		if (counting->count == COUNTED_MAX)
			return err_set(err, -E2BIG,
			               "--count-by: more than %d different ones; narrow what is asked "
			               "(--since, --unit), or count by less",
			               COUNTED_MAX);
		if (array_reserve(&counting->all, &counting->room, counting->count + 1,
		                  sizeof(*one)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		one = &counting->all[counting->count];
		*one = (struct counted){
			.key = key_of(stmt, counting),
			.count = (uint64_t)sqlite3_column_int64(stmt, n),
			.bytes = (uint64_t)sqlite3_column_int64(stmt, n + 1),
			.first_us = sqlite3_column_int64(stmt, n + 2),
			.last_us = sqlite3_column_int64(stmt, n + 3),
		};
		if (!one->key)
			return err_set(err, -ENOMEM, "out of memory");
		counting->count++;
	}
	return r;
}

/* What is alike in several databases, or is the same in words, becomes one. */
static void count_join(struct counting *counting)
{
	size_t kept = 0;

	if (!counting->count)
		return;
	qsort_r(counting->all, counting->count, sizeof(*counting->all), compare_by_key,
	        &counting->field_count);
	for (size_t i = 1; i < counting->count; i++) {
		struct counted *to = &counting->all[kept], *from = &counting->all[i];

		if (compare_by_key(to, from, &counting->field_count)) {
			counting->all[++kept] = *from;
			continue;
		}
		to->count += from->count;
		to->bytes += from->bytes;
		if (from->first_us < to->first_us)
			to->first_us = from->first_us;
		if (from->last_us > to->last_us)
			to->last_us = from->last_us;
		free(from->key);
	}
	counting->count = kept + 1;
	qsort_r(counting->all, counting->count, sizeof(*counting->all), compare_by_count,
	        &counting->field_count);
}

static void view_of(const struct counting *counting, const struct counted *one,
                    struct count_view *view)
{
	const char *at = one->key;

	*view = (struct count_view){.field_count = (size_t)counting->field_count,
	                            .count = one->count,
	                            .bytes = one->bytes,
	                            .first_us = one->first_us,
	                            .last_us = one->last_us};
	for (int i = 0; i < counting->field_count; i++) {
		enum field_type type = counting->fields[i].field->type;

		view->fields[i] = *at == '=' ? at + 1 : NULL;
		view->number[i] = type == NUMBER || type == FLAG;
		at += strlen(at) + 1;
	}
}

int flowdb_counts(struct flowdb *db, enum flowdb_thing thing, const struct finding_query *query,
                  const char *by,
                  int (*each)(void *context, const struct count_view *count, struct err *err),
                  void *context, struct err *err)
{
	struct counting counting = {0};
	int r = parse_fields(thing, "--count-by", by, counting.fields, COUNT_FIELDS_MAX, err);

	assert(THINGS[thing].from);
	counting.field_count = r;
	if (r >= 0)
		r = query_check_units(db, &query->flow, err);
	for (struct flowdb *at = db; at && r >= 0; at = at->next)
		r = count_one(&counting, db, at, thing, query, err);
	if (r >= 0)
		count_join(&counting);
	for (size_t i = 0; i < counting.count && r >= 0; i++) {
		struct count_view view;

		if (query->flow.limit && i == query->flow.limit)
			break;
		view_of(&counting, &counting.all[i], &view);
		r = each(context, &view, err);
		if (r > 0)
			break;
	}
	for (size_t i = 0; i < counting.count; i++)
		free(counting.all[i].key);
	free(counting.all);
	return r < 0 ? r : 0;
}
