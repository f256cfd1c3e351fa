/*
 * tuple_print.c - what the judge says of a tuple: the verdict, the rows that decided it with what
 * differs, and every row that was tried; for people in 80 columns, for programs as one JSON object.
 */
#include "monitor/commands.h"
#include "monitor/commands/out.h"
#include "monitor/commands/rows_tried.h"
#include "monitor/commands/tuple.h"
#include "monitor/log.h"

#include <time.h>

#define COLUMNS 80

struct answer {
	const char *text;
	struct tuple tuple;
	struct policy *policy;
	struct verdict verdict;
	char sentence[REASON_MAX];
	char waiver[256]; /* "" */
};

/* Prints `text` in lines of 80 columns, each behind `indent` blanks. */
static void wrap(unsigned indent, const char *text)
{
	size_t room = COLUMNS - indent;

	while (*text) {
		size_t len = strlen(text), cut = len;

		if (len > room) {
			for (cut = room; cut > 0 && text[cut] != ' ';)
				cut--;
			if (!cut) /* a word longer than the line */
				cut = room;
		}
		printf("%*s%.*s\n", (int)indent, "", (int)cut, text);
		text += cut;
		while (*text == ' ')
			text++;
	}
}

static void print_verdict(const struct answer *a)
{
	const struct verdict *v = &a->verdict;
	const struct row *rows = a->policy->rows;
	char line[ROW_ID_MAX * (ROWS_MAX + 1)] = "";

	printf("%s", ruling_name((enum ruling)v->ruling));
	if (v->grade)
		printf(", %s", grade_name((enum grade)v->grade));
	if (v->kind)
		printf(", %s", kind_name((enum kind)v->kind));
	if (v->severity)
		printf(", severity %s", severity_name((enum severity)v->severity));
	if (v->why)
		printf(", because of: %s", why_name((enum why)v->why));
	if (v->reason[0])
		printf(" (%s)", v->reason);
	printf("\n");
	wrap(2, a->sentence);
	snprintf(line, sizeof(line), "waived by %s", a->waiver);
	if (*a->waiver)
		wrap(2, line);
	*line = '\0';
	for (unsigned i = 0; i < v->row_count; i++)
		text_add(line, sizeof(line), "%s%s",
		         i                  ? ", "
		         : v->row_count > 1 ? "rows: "
		                            : "row: ",
		         rows[v->rows[i]].id);
	if (v->row_count)
		wrap(2, line);
	if (v->row_count == 1)
		printf("  document: %s\n", rows[v->rows[0]].document);
}

static void print_nearest(const struct answer *a)
{
	const struct verdict *v = &a->verdict;

	if (v->nearest_count)
		printf("\nnearest rows:\n");
	for (unsigned i = 0; i < v->nearest_count; i++) {
		const struct nearest *nearest = &v->nearest[i];
		const struct row *row = &a->policy->rows[nearest->row];

		printf("  %s\n", row->id);
		wrap(4, row->document);
		for (unsigned d = 0; d < nearest->count; d++) {
			const struct differs *differs = &nearest->differs[d];
			char line[256];

			snprintf(line, sizeof(line), "%s: expected %s, seen %s",
			         field_name((enum field)differs->field), differs->expected,
			         differs->seen);
			wrap(4, line);
		}
	}
}

static void put_key(const char *key)
{
	putchar(',');
	json_put(stdout, key);
	putchar(':');
}

static void put_text(const char *key, const char *text)
{
	put_key(key);
	if (text)
		json_put(stdout, text);
	else
		printf("null");
}

static void put_flow(const struct answer *a)
{
	const struct tuple *t = &a->tuple;
	const struct endpoint *local = &t->facts.end[t->view.local];
	const struct endpoint *remote = &t->facts.end[!t->view.local];
	char text[ADDR_TEXT > UNIT_NAME_MAX ? ADDR_TEXT : UNIT_NAME_MAX];

	put_text("unit", unit_name(t->view.unit, &local->addr, text, sizeof(text)));
	put_text("transport", transport_name(t->facts.transport));
	put_key("ip_version");
	printf("%u", t->facts.ip_version);
	put_text("direction", direction_name((enum direction)a->verdict.direction));
	put_text("local", addr_print(&local->addr, text));
	put_key("local_port");
	printf("%u", local->port);
	put_text("remote", addr_print(&remote->addr, text));
	put_key("remote_port");
	printf("%u", remote->port);
	put_text("name", t->name[0] ? t->name : NULL);
	put_text("application", t->view.app ? app_name((enum app)t->view.app) : NULL);
	put_text("evidence", evidence_name((enum evidence)t->view.evidence));
	put_text("media", media_name(t->facts.media));
	put_text("outcome", outcome_name((enum outcome)t->facts.outcome));
}

static void put_verdict(const struct answer *a)
{
	const struct verdict *v = &a->verdict;
	const struct row *rows = a->policy->rows;

	put_text("verdict", ruling_name((enum ruling)v->ruling));
	put_text("grade", grade_name((enum grade)v->grade));
	put_text("why", why_name((enum why)v->why));
	put_text("row", v->ruling == RULING_DOCUMENTED ? rows[v->rows[0]].id : NULL);
	put_key("rows");
	printf("[");
	for (unsigned i = 0; i < v->row_count; i++) {
		printf("%s", i ? "," : "");
		json_put(stdout, rows[v->rows[i]].id);
	}
	printf("]");
	put_text("kind", kind_name((enum kind)v->kind));
	put_text("severity", severity_name((enum severity)v->severity));
	put_text("reason", a->sentence);
	put_text("remark", v->reason[0] ? v->reason : NULL);
	put_text("waiver", *a->waiver ? a->waiver : NULL);
	put_text("policy", a->policy->hash);
}

static void put_nearest(const struct answer *a)
{
	const struct verdict *v = &a->verdict;

	put_key("nearest");
	printf("[");
	for (unsigned i = 0; i < v->nearest_count; i++) {
		const struct nearest *nearest = &v->nearest[i];

		printf("%s{\"row\":", i ? "," : "");
		json_put(stdout, a->policy->rows[nearest->row].id);
		printf(",\"differs\":[");
		for (unsigned d = 0; d < nearest->count; d++) {
			printf("%s{\"field\":", d ? "," : "");
			json_put(stdout, field_name((enum field)nearest->differs[d].field));
			put_text("expected", nearest->differs[d].expected);
			put_text("seen", nearest->differs[d].seen);
			printf("}");
		}
		printf("]}");
	}
	printf("]");
}

static void print_json(const struct answer *a)
{
	printf("{\"tuple\":");
	json_put(stdout, a->text);
	put_flow(a);
	put_verdict(a);
	put_nearest(a);
	put_key("tried");
	rows_tried_json(a->policy, &a->tuple.view, stdout);
	printf("}\n");
}

static void print_text(const struct answer *a)
{
	wrap(0, a->text);
	print_verdict(a);
	print_nearest(a);
	if (a->verdict.ruling != RULING_HOUSEKEEPING)
		rows_tried_print(a->policy, &a->tuple.view);
}

/* A tuple has no time of its own: what excuses it is what would today. */
static void find_waiver(struct answer *a)
{
	const struct view *view = &a->tuple.view;
	const struct waiver *waiver;
	char unit[UNIT_NAME_MAX];

	if (!view->unit || a->verdict.kind == KIND_NONE)
		return;
	unit_name(view->unit, &view->facts->end[view->local].addr, unit, sizeof(unit));
	waiver = policy_find_waiver(a->policy, unit, &a->verdict, view->facts, view->local,
	                            view->app, (int64_t)time(NULL) * 1000000, NULL);
	if (waiver)
		snprintf(a->waiver, sizeof(a->waiver), "%.60s: %.140s (until %.16s)",
		         waiver->owner, waiver->reason, waiver->expires);
}

int explain_tuple(const char *text, const struct policy_options *options, bool json)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct answer a = {.text = text};
	struct err err = {0};

	if (tuple_parse(text, &a.tuple, &err) < 0 ||
	    tuple_policy(&a.tuple, options, &policy, &err) < 0)
		return log_err(&err);
	a.policy = policy;
	judge_flow(policy, &a.tuple.view, &a.verdict);
	judge_outcome(policy, &a.tuple.view, true, &a.verdict);
	judge_sentence(policy, &a.tuple.view, &a.verdict, a.sentence, sizeof(a.sentence));
	find_waiver(&a);
	if (json)
		print_json(&a);
	else
		print_text(&a);
	return EXIT_FINE;
}
