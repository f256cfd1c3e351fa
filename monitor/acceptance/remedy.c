/*
 * remedy.c - see remedy.h. Findings are gone through worst first; what settles one may settle others, and these
 * are not asked about again.
 */
#include "monitor/acceptance/remedy_parts.h"

#include "rules/recorded.h"

static void remedy_release(struct remedy *remedy)
{
	free(remedy->settles);
	free(remedy->say);
	free(remedy->lines);
	*remedy = (struct remedy){0};
}

void remedies_release(struct remedies *remedies)
{
	for (size_t i = 0; i < remedies->count; i++)
		remedy_release(&remedies->list[i]);
	free(remedies->list);
	*remedies = (struct remedies){0};
}

static void search_release(struct search *search)
{
	attempt_release(&search->best);
	history_free(search->history);
	text_file_release(&search->site);
	free(search->beside);
	free(search->done);
}

/* ------------------------------------------------------------------ what a finding's flows have in common */

static void note_peer(struct sample *sample, const struct addr *peer)
{
	sample->groups |= addr_is_multicast(peer);
	sample->public_peer |= !addr_is_private(peer);
	for (size_t i = 0; i < sample->peer_count; i++)
		if (addr_equal(&sample->peers[i], peer))
			return;
	if (sample->peer_count == SAMPLE_PEERS_MAX)
		sample->peers_more = true;
	else
		sample->peers[sample->peer_count++] = *peer;
}

static void note_first(struct search *search, const struct flow_view *flow)
{
	const struct nearest_view *nearest = &flow->nearest[0];
	uint8_t kind = search->findings[search->at].row->kind;
	const struct row *row = search_row(search);
	struct sample *sample = &search->sample;

	sample->local = flow->facts.end[flow->local].addr;
	sample->inbound = flow->direction == DIRECTION_IN;
	text_copy(sample->name, sizeof(sample->name), flow->name);
	sample->media = row && row->form[0].media;
	for (unsigned i = 0; flow->nearest_count && i < nearest->count; i++) {
		if (nearest->differs[i].field == kind - KIND_IP_VERSION)
			sample->differs = nearest->differs[i];
		else
			sample->other_app |= nearest->differs[i].field == FIELD_APPLICATION;
	}
}

/* Which profile more would have documented it. */
static uint32_t profiles_of(struct search *search, const struct flow_view *flow)
{
	const struct policy *policy = search->policy;
	uint32_t profiles = 0;
	struct past past;

	if (!history_judge(search->history, flow, &past))
		return 0;
	for (size_t i = 0; i < policy->envelope->profile_count; i++) {
		struct view view = past.view;
		struct verdict verdict;

		view.profiles |= (uint32_t)BIT(i);
		judge_flow(policy, &view, &verdict);
		if (view.profiles != past.view.profiles && verdict_is_firm(policy, &verdict))
			profiles |= (uint32_t)BIT(i);
	}
	return profiles;
}

static int note_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct search *search = context;
	struct sample *sample = &search->sample;
	bool first = !sample->flows++;

	(void)err;
	if (first)
		note_first(search, flow);
	note_peer(sample, &flow->facts.end[!flow->local].addr);
	sample->vbss |= !strcmp(flow->remark, "vbss");
	sample->peer_nat |= !strcmp(flow->remark, "peer_nat");
	sample->connects = (first || sample->connects) && flow->facts.connect_port;
	if (strcmp(flow->policy, search->policy->hash) != 0)
		sample->foreign++;
	else if (first || sample->profiles)
		sample->profiles =
			(first ? UINT32_MAX : sample->profiles) & profiles_of(search, flow);
	return 0;
}

static int take_sample(struct search *search, struct err *err)
{
	const struct flow_query own = {.finding = search->findings[search->at].id,
	                               .limit = REMEDY_OWN_MAX};

	search->sample = (struct sample){0};
	return flowdb_flows(search->db, &own, note_flow, search, err);
}

/* ------------------------------------------------------------------ the search */

int remedy_add(struct remedies *remedies, struct remedy *remedy, struct err *err)
{
	size_t len = strlen(remedy->say);
	char *sentence = NULL;

	if (asprintf(&sentence, "%s%s", remedy->say,
	             len && strchr(".?", remedy->say[len - 1]) ? "" : ".") < 0)
		sentence = NULL;
	if (!sentence || array_reserve(&remedies->list, &remedies->room, remedies->count + 1,
	                               sizeof(*remedies->list)) < 0) {
		free(sentence);
		remedy_release(remedy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	free(remedy->say);
	remedy->say = sentence;
	remedies->list[remedies->count++] = *remedy;
	*remedy = (struct remedy){0};
	return 0;
}

/* The best attempt is taken over. */
static int take_best(struct search *search, struct err *err)
{
	struct attempt *best = &search->best;
	struct remedy remedy = {.kind = STEP_SITE,
	                        .settles = best->settles,
	                        .settle_count = best->settle_count,
	                        .say = best->say,
	                        .lines = best->lines,
	                        .proven = best->proven};

	for (size_t i = 0; i < best->settle_count; i++)
		search->done[best->settles[i]] = true;
	*best = (struct attempt){0};
	return remedy_add(search->ret, &remedy, err);
}

/* Nothing is proven: words alone. */
static int take_words(struct search *search, struct err *err)
{
	char text[1024];
	struct remedy remedy = {.settles = calloc(1, sizeof(size_t)), .settle_count = 1};

	remedy.kind = (uint8_t)remedy_say(search->policy, &search->findings[search->at],
	                                  &search->sample, text, sizeof(text));
	if (search->untried)
		text_add(text, sizeof(text),
		         " (changes of the site file were tried for others alone: "
		         "settle these first)");
	remedy.say = strdup(text);
	if (!remedy.settles || !remedy.say) {
		remedy_release(&remedy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	remedy.settles[0] = search->at;
	return remedy_add(search->ret, &remedy, err);
}

static int settle_one(struct search *search, struct err *err)
{
	uint8_t kind = search->findings[search->at].row->kind;
	int r = take_sample(search, err);

	search->untried = false;
	if (r >= 0)
		r = kind == KIND_UNLISTED_UNIT ? search_stranger(search, err)
		                               : search_site(search, err);
	if (r >= 0 && !search->best.say && kind != KIND_UNLISTED_UNIT)
		r = search_waiver(search, err);
	if (r < 0)
		return r;
	return search->best.say ? take_best(search, err) : take_words(search, err);
}

/* The site file as it is recorded, without it the name that one would have. */
static int take_site(struct search *search, struct err *err)
{
	CLEANUP(folder_release) struct folder files = {.count = 0};
	const char *units = "";
	int r = recorded_read(search->policy->site_text, &files, &units, err);

	if (r < 0)
		return r;
	return files.count ? text_file_of(files.files[0].name, files.files[0].text,
	                                  files.files[0].len, &search->site, err)
	                   : text_file_of("site.yaml", "", 0, &search->site, err);
}

int remedies_find(struct flowdb *db, const struct policy *policy,
                  const struct remedy_finding *findings, size_t count, int64_t since_us,
                  int64_t until_us, struct remedies *ret, struct err *err)
{
	CLEANUP(search_release)
	struct search search = {.db = db,
	                        .policy = policy,
	                        .findings = findings,
	                        .count = count,
	                        .since_us = since_us,
	                        .until_us = until_us,
	                        .ret = ret};
	int r;

	*ret = (struct remedies){0};
	if (count > REMEDY_FINDINGS_MAX) {
		ret->left_out = count - REMEDY_FINDINGS_MAX;
		search.count = REMEDY_FINDINGS_MAX;
	}
	if (!count)
		return 0;
	search.done = calloc(search.count, sizeof(*search.done));
	if (!search.done)
		return err_set(err, -ENOMEM, "out of memory");
	r = take_site(&search, err);
	if (r >= 0)
		r = history_new(db, policy, NULL, &search.history, err);
	for (; r >= 0 && search.at < search.count; search.at++)
		if (!search.done[search.at])
			r = settle_one(&search, err);
	return r;
}
