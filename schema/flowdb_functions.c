/*
 * flowdb_functions.c - see flowdb_sql.h: functions of ours that statements call. What they are given was
 * read from a database and can be anything.
 */
#include "schema/flowdb_sql.h"
#include "schema/time.h"

static bool value_is(sqlite3_value *value, size_t len)
{
	return sqlite3_value_type(value) == SQLITE_BLOB &&
	       sqlite3_value_bytes(value) == (int)len;
}

static void meets(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]);
	struct prefix prefix;
	bool met = false;

	if (text && value_is(values[1], 16) && value_is(values[2], 16) &&
	    prefix_parse(text, &prefix) == 0) {
		struct addr last = prefix_last(&prefix);

		met = memcmp(prefix.addr.b, sqlite3_value_blob(values[2]), 16) <= 0 &&
		      memcmp(last.b, sqlite3_value_blob(values[1]), 16) >= 0;
	}
	sqlite3_result_int(context, met);
}

/* has_port(text, low, high) */
static void has_port(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]);
	long low = sqlite3_value_int(values[1]), high = sqlite3_value_int(values[2]);
	bool met = false;

	while (text && *text && !met) {
		char *end;
		long first = strtol(text, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;

		if (end == text)
			break;
		met = first <= high && last >= low;
		text = end + strspn(end, ", ");
	}
	sqlite3_result_int(context, met);
}

static void read_end(sqlite3_value **values, struct endpoint *end)
{
	if (value_is(values[0], sizeof(end->addr)))
		memcpy(&end->addr, sqlite3_value_blob(values[0]), sizeof(end->addr));
	end->port = (uint16_t)sqlite3_value_int(values[1]);
	if (value_is(values[2], sizeof(end->mac)))
		memcpy(&end->mac, sqlite3_value_blob(values[2]), sizeof(end->mac));
}

/* takes(filter, transport, IP version, vlan, address, port, mac of the unit, ... of the peer, packets of both) */
static void takes(sqlite3_context *context, int count, sqlite3_value **values)
{
	const struct flow_filter *filter = sqlite3_value_pointer(values[0], "filter");
	struct flow_head head = {
		.transport = (uint8_t)sqlite3_value_int(values[1]),
		.ip_version = (uint8_t)sqlite3_value_int(values[2]),
		.vlan = sqlite3_value_type(values[3]) == SQLITE_NULL
		                ? VLAN_NONE
		                : (uint16_t)sqlite3_value_int(values[3]),
	};

	read_end(values + 4, &head.local);
	read_end(values + 7, &head.remote);
	head.sent[0] = sqlite3_value_int64(values[10]) > 0;
	head.sent[1] = sqlite3_value_int64(values[11]) > 0;
	sqlite3_result_int(context, !filter || filter->takes(filter->context, &head));
}

static void local_text(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[TIME_TEXT];
	int len = sqlite3_value_int(values[1]);

	time_print_local(sqlite3_value_int64(values[0]), text);
	if (len < (int)strlen(text))
		text[len] = '\0';
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* "2026-10-25 01:00"; an hour that the clock shows twice says which: "2026-10-25 02:00 +0200" */
static void local_hour(sqlite3_context *context, int count, sqlite3_value **values)
{
	const int64_t us = sqlite3_value_int64(values[0]), hour_us = 3600 * INT64_C(1000000);
	char text[TIME_TEXT], before[TIME_TEXT], after[TIME_TEXT], offset[TIME_TEXT];

	time_print_local(us, text);
	time_print_local(us - hour_us, before);
	time_print_local(us + hour_us, after);
	text[13] = '\0';
	if (strncmp(text, before, 13) && strncmp(text, after, 13))
		text_add(text, sizeof(text), ":00");
	else
		text_add(text, sizeof(text), ":00 %s", time_print_offset(us, offset));
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* word(thing, field, value): see sort_word() */
static void word(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = sqlite3_value_type(values[2]) == SQLITE_NULL
	                           ? NULL
	                           : sort_word(sqlite3_value_int(values[0]),
	                                        sqlite3_value_int(values[1]),
	                                        sqlite3_value_int64(values[2]));

	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

int query_functions(struct flowdb *db, struct err *err)
{
	static const struct {
		const char *name;
		int count, flags;
		void (*call)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{"has_port", 3, SQLITE_DETERMINISTIC, has_port},
		{"meets", 3, SQLITE_DETERMINISTIC, meets},
		{"takes", 12, 0, takes},
		{"word", 3, SQLITE_DETERMINISTIC, word},
		{"local_hour", 1, SQLITE_DETERMINISTIC, local_hour},
		{"local_text", 2, SQLITE_DETERMINISTIC, local_text},
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(functions) && !rc; i++)
		rc = sqlite3_create_function(db->sql, functions[i].name, functions[i].count,
		                             SQLITE_UTF8 | functions[i].flags, NULL,
		                             functions[i].call, NULL, NULL);
	return rc ? sql_error(db, rc, err) : 0;
}
