/*
 * fuzz_tuple.c - a flow written by hand, judged and explained, whatever was typed.
 */
#include "monitor/commands/tuple.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct policy *policy_once(void)
{
	static struct policy *policy;
	static const char site[] =
		"units:\n  - {name: unit, addresses: [10.1.2.3], profiles: [room, onprem, "
		"external, online, touch]}\nroles:\n  dns-server: {addresses: [10.0.0.53]}\n";
	struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = sizeof(site) - 1};
	struct err err;

	if (!policy && policy_load(&args, &policy, &err) < 0)
		abort();
	return policy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy *policy = policy_once();
	char text[2048], sentence[REASON_MAX];
	struct verdict verdict;
	struct tuple tuple;
	struct err err = {0};

	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	if (tuple_parse(text, &tuple, &err) < 0) {
		if (!err.text[0])
			abort(); /* a refusal says why */
		return 0;
	}
	tuple.view.profiles = policy->units[0].profiles;
	judge_flow(policy, &tuple.view, &verdict);
	judge_outcome(policy, &tuple.view, true, &verdict);
	judge_sentence(policy, &tuple.view, &verdict, sentence, sizeof(sentence));
	if (verdict.ruling == RULING_NONE || !sentence[0])
		abort();
	return 0;
}
