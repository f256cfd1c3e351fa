/*
 * jsonkit.h - looks into JSON texts for tests, by SQLite's JSON functions: a reader that is not ours.
 */
#ifndef TESTS_LIB_JSONKIT_H
#define TESTS_LIB_JSONKIT_H

#include <stdbool.h>
#include <stddef.h>

bool jsonkit_valid(const char *text);
/* What stands at `path` ("$.alert.gid"), as text in `buf`; NULL where nothing does. */
const char *jsonkit_get(const char *text, const char *path, char *buf, size_t size);
/* Whether `want` stands at `path` (NULL: nothing does); if not, says on stderr what does. */
bool jsonkit_is(const char *text, const char *path, const char *want);

#endif
