/*
 * memo.h - flows that the judge cannot tell apart are judged once. What judge_flow() looks at is brought into a
 * key: ports and addresses by their class, facts as they are, names by the roles they say. What has the same key has
 * the same verdict, but for the words of what was seen.
 */
#ifndef RULES_MEMO_H
#define RULES_MEMO_H

#include "rules/judge.h"

struct memo;

/* NULL when out of memory. The policy must outlive it. */
struct memo *memo_new(const struct policy *policy);
void memo_free(struct memo *memo);

/*
 * As judge_flow(). Where it returns false the nearest rows are there, but not in what they differ in words: their count
 * is 0; who wants to read that asks judge_words().
 */
bool memo_judge(struct memo *memo, const struct view *view, struct verdict *ret);

#endif
