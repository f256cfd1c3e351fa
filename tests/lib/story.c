/*
 * story.c - see story.h.
 */
#include "tests/lib/story.h"

#define STORY_MAX 8192

struct page {
	char *buf;
	size_t size;
};

static int flow_add(void *context, const struct flow_view *flow, struct err *err)
{
	struct page *page = context;
	const struct flow_facts *facts = &flow->facts;
	const char *outcome = outcome_name((enum outcome)facts->outcome);

#define ADD(...) text_add(page->buf, page->size, __VA_ARGS__)
	ADD("%s%s %s(%s) %s%s %s:", *page->buf ? " | " : "", transport_name(facts->transport),
	    direction_name((enum direction)flow->direction),
	    initiator_by_name((enum initiator_by)facts->initiator_by),
	    app_name((enum app)flow->app), flow->evidence == EVIDENCE_INSPECTED ? "?" : "",
	    outcome ? outcome : "unknown");
	ADD(" %s", ruling_name((enum ruling)flow->ruling));
	if (flow->grade)
		ADD(" %s", grade_name((enum grade)flow->grade));
	if (flow->kind)
		ADD(" %s %s", kind_name((enum kind)flow->kind),
		    severity_name((enum severity)flow->severity));
	for (unsigned i = 0; i < flow->row_count; i++)
		ADD("%s%s", i ? "+" : " ", flow->rows[i]);
	if (flow->nearest_count)
		ADD(" %s", flow->nearest[0].row);
	if (flow->why)
		ADD(" why=%s", why_name((enum why)flow->why));
	if (flow->remark[0])
		ADD(" reason=%s", flow->remark);
	ADD("%s%s%s", facts->midstream ? " midstream" : "", facts->warmup ? " warmup" : "",
	    facts->solicited ? " solicited" : "");
#undef ADD
	return 0;
}

const char *story_print(struct run *run, char *buf, size_t size)
{
	struct page page = {buf, size};
	struct flow_query query = {0};
	struct err err = {0};

	buf[0] = '\0';
	if (flowdb_flows(run_db(run), &query, flow_add, &page, &err) < 0)
		text_add(buf, size, "%s", err.text);
	return buf;
}

unsigned stories_wrong(const char *site, const struct story *stories, size_t count)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		CLEANUP(run_freep) struct run *run = run_new(site);
		CLEANUP(wire_freep) struct wire *w = wire_new();
		char said[STORY_MAX];

		stories[i].tell(w);
		run_wire(run, w, 1);
		if (!strcmp(story_print(run, said, sizeof(said)), stories[i].expected))
			continue;
		fprintf(stderr, "%s\n  expected %s\n  said     %s\n", stories[i].what,
		        stories[i].expected, said);
		wrong++;
	}
	return wrong;
}
