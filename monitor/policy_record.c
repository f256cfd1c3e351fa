/*
 * policy_record.c - see policy_record.h.
 */
#include "monitor/policy_record.h"

#define NOT_WHOLE \
	"recorded policy %.12s: its text gives %.12s; it was changed, or an older program recorded less" \
	" than the whole of it"

static int load(void *context, const struct policy_text *text, struct err *err)
{
	const struct policy_args args = {.recorded_envelope = text->envelope,
	                                 .recorded_site = text->site};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct policy **ret_policy = context;
	struct err cause = {0};

	if (policy_load(&args, &policy, &cause) < 0)
		return err_set(err, -EINVAL, "recorded policy %.12s cannot be loaded: %s",
		               text->hash, cause.text);
	/* What was read is what was hashed then, or else it is not that policy. */
	if (strcmp(policy->hash, text->hash) != 0)
		return err_set(err, -EINVAL, NOT_WHOLE, text->hash, policy->hash);
	*ret_policy = TAKE(policy);
	return 0;
}

static int find(struct flowdb *db, const char *hash,
                int (*each)(void *context, const struct policy_text *text, struct err *err),
                void *context, struct err *err)
{
	int r = flowdb_policy_text(db, hash, each, context, err);

	if (r)
		return r < 0 ? r : 0;
	return err_set(err, -ENOENT, "no policy %.64s is recorded; 'SELECT hash FROM policy' lists them",
	               hash);
}

int policy_of_record(struct flowdb *db, const char *hash, struct policy **ret_policy,
                     struct err *err)
{
	return find(db, hash, load, ret_policy, err);
}

struct telling {
	int (*each)(void *context, const char *row, const char *document, struct err *err);
	void *context;
};

static int tell(void *context, const struct policy_text *text, struct err *err)
{
	const struct telling *telling = context;
	CLEANUP(freep) char *all = NULL;
	int len = asprintf(&all, "%s%s", text->envelope, text->site);
	char hash[65];

	if (len < 0) {
		all = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	digest_hex(all, (size_t)len, hash);
	if (strcmp(hash, text->hash) != 0)
		return err_set(err, -EINVAL, NOT_WHOLE, text->hash, hash);
	return envelope_documents(text->envelope, telling->each, telling->context, err);
}

int policy_documents_of_record(struct flowdb *db, const char *hash,
                               int (*each)(void *context, const char *row,
                                           const char *document, struct err *err),
                               void *context, struct err *err)
{
	struct telling telling = {each, context};

	return find(db, hash, tell, &telling, err);
}

static int take_last(void *context, const struct policy_use_view *use, struct err *err)
{
	(void)err;
	snprintf(context, 65, "%s", use->hash);
	return 0;
}

int policy_in_force(struct flowdb *db, struct policy **ret_policy, struct err *err)
{
	char hash[65] = "";
	int r = flowdb_policy_uses(db, take_last, hash, err);

	if (r >= 0 && !*hash)
		r = err_set(err, -ENOENT, "nothing was judged here yet: no policy is in force");
	return r < 0 ? r : policy_of_record(db, hash, ret_policy, err);
}
