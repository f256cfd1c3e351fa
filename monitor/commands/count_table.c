/*
 * count_table.c - see count_table.h.
 */
#include "monitor/commands/count_table.h"
#include "schema/time.h"

#include <ctype.h>

static int put_count(void *context, const struct count_view *count, struct err *err)
{
	struct out *out = context;
	char time[TIME_TEXT];

	for (size_t i = 0; i < count->field_count; i++)
		if (count->number[i] && count->fields[i])
			out_raw(out, count->fields[i]);
		else
			out_text(out, count->fields[i]);
	out_int(out, (int64_t)count->count);
	out_int(out, (int64_t)count->bytes);
	out_text(out, time_print(count->first_us, time));
	out_text(out, time_print_local(count->first_us, time));
	out_text(out, time_print(count->last_us, time));
	out_text(out, time_print_local(count->last_us, time));
	return out_end(out, err);
}

/* Headings of the fields asked for, then those of every count. Returns how many. */
static size_t make_columns(char *list, struct out_column *columns,
                           char (*titles)[32])
{
	static const struct out_column figures[] = {
		{"count", "COUNT", OUT_RIGHT}, {"bytes", "BYTES", OUT_RIGHT}, {"first", NULL, 0},
		{NULL, "FIRST", OUT_CUT_FIRST}, {"last", NULL, 0}, {NULL, "LAST", OUT_CUT_FIRST},
	};
	char *rest, *name = strtok_r(list, ",", &rest);
	size_t count = 0;

	for (; name && count < COUNT_FIELDS_MAX; name = strtok_r(NULL, ",", &rest)) {
		name += *name == '-';
		text_copy(titles[count], sizeof(*titles), name);
		for (char *c = titles[count]; *c; c++)
			*c = (char)(*c == '_' ? ' ' : toupper((unsigned char)*c));
		columns[count] = (struct out_column){name, titles[count], OUT_CUT};
		count++;
	}
	memcpy(columns + count, figures, sizeof(figures));
	return count + ARRAY_LEN(figures);
}

int count_list(const struct query *query, enum flowdb_thing thing, const char *what,
               struct err *err)
{
	const struct finding_query asked = {.flow = query->flow, .state = query->options->state};
	CLEANUP(freep) char *list = strdup(query->options->count_by);
	CLEANUP(out_freep) struct out *out = NULL;
	struct out_column columns[COUNT_FIELDS_MAX + 6];
	char titles[COUNT_FIELDS_MAX][32];
	size_t count;
	int r = list ? 0 : err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	count = make_columns(list, columns, titles);
	r = out_new(query->options->format, stdout, columns, count, query->options->wide, &out,
	            err);
	if (r < 0)
		return r;
	query_head(query, out);
	r = flowdb_counts(query->db, thing, &asked, query->options->count_by, put_count, out,
	                  err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, what, err);
}
