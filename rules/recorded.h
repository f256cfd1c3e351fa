/*
 * recorded.h - the files that a policy was loaded from as one text, fit to be stored and hashed, and
 * that text as files again: years later a policy can be loaded without them.
 */
#ifndef RULES_RECORDED_H
#define RULES_RECORDED_H

#include "rules/folder.h"

/*
 * Appends a file: a line "# FILE name", then its bytes. A line of its own that would look like such a
 * line, or like one of --unit, gets a backslash before it.
 */
void recorded_put(FILE *out, const struct text_file *file);
/* Appends a line "# --unit WHO --profile LIST"; these come after all files. */
void recorded_put_unit(FILE *out, const char *who, const char *profiles);

/*
 * The files of such a text, in the order they were put; to be given to folder_release(). *ret_units
 * is where the lines of --unit begin, borrowed from `text`; "" if there are none.
 */
int recorded_read(const char *text, struct folder *ret_files, const char **ret_units,
                  struct err *err) MUST_CHECK;
/*
 * Such a text with other bytes in its first file, or with that file where it had none. On success *ret_text is the
 * caller's.
 */
int recorded_with(const char *text, const char *name, const char *bytes, size_t len,
                  char **ret_text, struct err *err) MUST_CHECK;
/* The next of these lines: fills the two words and moves *units behind it. 1, 0 at the end, or -EINVAL. */
int recorded_next_unit(const char **units, char *who, size_t who_size, char *profiles,
                       size_t profiles_size, struct err *err) MUST_CHECK;

#endif
