/*
 * policy_record.h - a policy loaded again from what the flow database recorded of it.
 */
#ifndef MONITOR_POLICY_RECORD_H
#define MONITOR_POLICY_RECORD_H

#include "rules/policy.h"
#include "schema/flowdb_query.h"

/*
 * The policy of this SHA-256, or of the one that begins so (4 digits at least). No file is read. On success
 * *ret_policy is the caller's. -ENOENT: none is recorded; -EINVAL: several begin so, or what an older
 * program recorded of it is not whole; err says which.
 */
int policy_of_record(struct flowdb *db, const char *hash, struct policy **ret_policy,
                     struct err *err) MUST_CHECK;
/*
 * What the document calls each row of the policy of this SHA-256, without loading it: site and endpoints are not
 * parsed. Returns as policy_of_record(), and what is below 0 from `each`.
 */
int policy_documents_of_record(struct flowdb *db, const char *hash,
                               int (*each)(void *context, const char *row,
                                           const char *document, struct err *err),
                               void *context, struct err *err) MUST_CHECK;
/* The one that judges: of the last run, or of `tlmon rejudge` after it. -ENOENT: nothing was judged yet. */
int policy_in_force(struct flowdb *db, struct policy **ret_policy, struct err *err) MUST_CHECK;

#endif
