/*
 * flip_table.c - see flip_table.h. The names of the columns are fixed: scripts rely on them.
 */
#include "monitor/commands/flip_table.h"
#include "monitor/commands/flow_table.h"
#include "monitor/commands/query.h"
#include "schema/time.h"

/* clang-format off */
#define JUDGED_COLUMNS \
	{NULL, "WAS", OUT_CUT_NEXT}, {NULL, "BECOMES", OUT_CUT_NEXT}, \
	{"from_verdict", NULL, 0}, {"from_grade", NULL, 0}, {"from_kind", NULL, 0}, \
	{"from_severity", NULL, 0}, {"from_why", NULL, 0}, {"from_row", NULL, 0}, \
	{"verdict", NULL, 0}, {"grade", NULL, 0}, {"kind", NULL, 0}, \
	{"severity", NULL, 0}, {"why", NULL, 0}, {"row", "ROW", OUT_CUT}, \
	{"from_rows", NULL, 0}, {"rows", NULL, 0}
/* clang-format on */

const struct out_column FLIP_COLUMNS[] = {
	JUDGED_COLUMNS,
	{"remote", NULL, 0},
	{"role", NULL, 0},
	{NULL, "PEER", OUT_CUT_NEXT},
	{"transport", NULL, 0},
	{"port", NULL, 0},
	{NULL, "PORT", OUT_CUT_FIRST},
	{"application", NULL, 0},
	{"units", "UNITS", OUT_RIGHT},
	{"flows", "FLOWS", OUT_RIGHT},
	{"bytes", NULL, 0},
	{"first", NULL, 0},
	{"last", NULL, 0},
	{"unit", NULL, 0},
	{"flow", NULL, 0},
	{"sentence", NULL, 0},
};
const size_t FLIP_COLUMN_COUNT = ARRAY_LEN(FLIP_COLUMNS);

const struct out_column FLIP_FLOW_COLUMNS[] = {
	{"id", "ID", OUT_RIGHT},
	{"start", NULL, 0},
	{"unit", "UNIT", OUT_CUT_NEXT},
	{"recorded_unit", NULL, 0},
	JUDGED_COLUMNS,
	{"transport", "TRANSPORT", OUT_CUT_FIRST},
	{"local", NULL, 0},
	{"local_port", NULL, 0},
	{"remote", NULL, 0},
	{"remote_port", NULL, 0},
	{NULL, "PEER", OUT_CUT_NEXT},
	{"name", NULL, 0},
	{"application", NULL, 0},
	{"sentence", NULL, 0},
};
const size_t FLIP_FLOW_COLUMN_COUNT = ARRAY_LEN(FLIP_FLOW_COLUMNS);

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* "outside local-port", "documented exact", "documented refused" */
static void put_words(struct out *out, const struct judged *judged)
{
	const char *kind = kind_name((enum kind)judged->kind),
		   *grade = grade_name((enum grade)judged->grade),
		   *ruling = ruling_name((enum ruling)judged->ruling);
	const char *more = judged->kind ? kind : judged->grade ? grade : NULL;
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s", ruling ? ruling : "?", more ? " " : "",
	         more ? more : "");
	out_text(out, text);
}

static void put_judged(struct out *out, const struct judged *judged)
{
	out_text(out, ruling_name((enum ruling)judged->ruling));
	out_text(out, grade_name((enum grade)judged->grade));
	out_text(out, kind_name((enum kind)judged->kind));
	out_text(out, severity_name((enum severity)judged->severity));
	out_text(out, why_name((enum why)judged->why));
	out_text(out, or_null(judged->row));
}

static const char *or_none(const char *text)
{
	return text ? text : "none";
}

static void print_rows(FILE *to, const struct judged *judged)
{
	for (unsigned i = 0; i < judged->row_count; i++)
		fprintf(to, "%s%s", i ? ", " : "", judged->rows[i]);
	fputs(judged->row_count ? "" : "none", to);
}

/* The sentence, and of what WAS and BECOMES are silent: were, and are now. */
static void put_note(struct out *out, const struct judged *from, const struct judged *to,
                     const char *sentence)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *note = open_memstream(&text, &size);

	if (!note) {
		out_note(out, sentence);
		return;
	}
	fputs(sentence, note);
	if (from->why != to->why && from->ruling == to->ruling)
		fprintf(note, "; why: was %s, is %s", or_none(why_name((enum why)from->why)),
		        or_none(why_name((enum why)to->why)));
	if (from->severity != to->severity && from->kind == to->kind)
		fprintf(note, "; severity: was %s, is %s",
		        or_none(severity_name((enum severity)from->severity)),
		        or_none(severity_name((enum severity)to->severity)));
	if (strcmp(from->row, to->row) != 0 && from->ruling == to->ruling)
		fprintf(note, "; row: was %s", *from->row ? from->row : "none");
	else if (from->ruling == to->ruling &&
	         (from->row_count != to->row_count ||
	          memcmp(from->rows, to->rows, sizeof(to->rows)) != 0)) {
		fputs("; rows: were ", note);
		print_rows(note, from);
		fputs(", are ", note);
		print_rows(note, to);
	}
	fclose(note);
	out_note(out, text);
}

static void put_both(struct out *out, const struct judged *from, const struct judged *to)
{
	put_words(out, from);
	put_words(out, to);
	out_paint(out, to->ruling == RULING_OUTSIDE ? OUT_RED
	               : to->kind                   ? OUT_YELLOW
	               : to->ruling == RULING_DOCUMENTED ? OUT_GREEN
	                                                  : OUT_PLAIN);
	put_judged(out, from);
	put_judged(out, to);
	row_list_put(out, from->rows, from->row_count);
	row_list_put(out, to->rows, to->row_count);
}

int flip_group_put(struct out *out, const struct flip_group *group, struct err *err)
{
	const struct finding_row *key = &group->key;
	char first[TIME_TEXT], last[TIME_TEXT], port[96];

	put_both(out, &group->from, &group->to);
	out_text(out, or_null(key->remote));
	out_text(out, or_null(key->role));
	out_text(out, *key->role ? key->role : key->remote);
	out_text(out, key->transport ? transport_name(key->transport) : NULL);
	out_text(out, or_null(key->port));
	snprintf(port, sizeof(port), "%s%s%s", key->transport ? transport_name(key->transport) : "",
	         key->transport && *key->port ? " " : "", key->port);
	out_text(out, port);
	out_text(out, key->app ? app_name((enum app)key->app) : NULL);
	out_int(out, (int64_t)group->units);
	out_int(out, (int64_t)key->flows);
	out_int(out, (int64_t)key->bytes);
	out_text(out, time_print(key->first_us, first));
	out_text(out, time_print(key->last_us, last));
	out_text(out, group->unit);
	out_int(out, group->flow);
	out_text(out, group->sentence);
	put_note(out, &group->from, &group->to, group->sentence);
	return out_end(out, err);
}

int flip_flow_put(struct out *out, const struct flow_view *flow,
                  const struct past *past, struct err *err)
{
	const struct flow_facts *facts = &flow->facts;
	const struct endpoint *local = &facts->end[flow->local], *remote = &facts->end[!flow->local];
	bool ports = transport_has_ports(facts->transport);
	char text[REASON_MAX], addr[ADDR_TEXT], end[END_TEXT];
	struct judged from, to;

	judged_before(flow, &from);
	judged_now(past->policy, &past->verdict, &to);
	out_int(out, flow->id);
	out_text(out, time_print(facts->first_us, text));
	out_text(out, past->unit);
	out_text(out, flow->unit);
	put_both(out, &from, &to);
	out_text(out, transport_name(facts->transport));
	out_text(out, addr_print(&local->addr, addr));
	if (ports)
		out_int(out, local->port);
	else
		out_null(out);
	out_text(out, addr_print(&remote->addr, addr));
	if (ports)
		out_int(out, remote->port);
	else
		out_null(out);
	out_text(out, end_print(remote, facts->transport, end));
	out_text(out, or_null(flow->name));
	out_text(out, flow->app ? app_name((enum app)flow->app) : NULL);
	judge_sentence(past->policy, &past->view, &past->verdict, text, sizeof(text));
	out_text(out, text);
	put_note(out, &from, &to, text);
	return out_end(out, err);
}

static const char *were(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void flips_say(const struct flip_sums *sums)
{
	printf("%llu flow%s judged: %llu as before, %llu flip\n", (unsigned long long)sums->judged,
	       were(sums->judged), (unsigned long long)sums->same,
	       (unsigned long long)sums->flipped);
	if (sums->apart)
		printf("%llu of those as before differ in other fields from the nearest rows\n",
		       (unsigned long long)sums->apart);
	for (unsigned from = 0; from < 5; from++)
		for (unsigned to = 0; to < 5; to++)
			if (from != to && sums->from[from][to])
				printf("  %llu from %s to %s\n",
				       (unsigned long long)sums->from[from][to],
				       ruling_name((enum ruling)from),
				       ruling_name((enum ruling)to));
			else if (from == to && sums->within[to])
				printf("  %llu %s as before, but by another row, grade or kind\n",
				       (unsigned long long)sums->within[to],
				       ruling_name((enum ruling)to));
	if (sums->waived)
		printf("%llu of the flips would be waived\n", (unsigned long long)sums->waived);
	if (sums->moved)
		printf("%llu of them belong to another unit than they were recorded for\n",
		       (unsigned long long)sums->moved);
	if (sums->nobodys)
		printf("%llu recorded flow%s not judged: the other site lists no unit there\n",
		       (unsigned long long)sums->nobodys, were(sums->nobodys));
	if (sums->lacks_peer)
		printf("%llu flow%s the far end as a unit of the other site: what it did on its own was\n"
		       "not recorded, and cannot be judged\n",
		       (unsigned long long)sums->lacks_peer, sums->lacks_peer == 1 ? " has" : "s have");
	if (sums->refused)
		printf("%llu flips found no place in the list; --flows shows each\n",
		       (unsigned long long)sums->refused);
}
