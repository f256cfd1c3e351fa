/*
 * yaml_syntax.h - where a text that is no YAML went wrong. A parser notices at the end what began
 * long before: a person is shown the bracket or the quote that stands open, or the tab.
 */
#ifndef RULES_YAML_SYNTAX_H
#define RULES_YAML_SYNTAX_H

#include "rules/text_file.h"

/*
 * Says in err what is wrong; `said` are the parser's words and `line`, `column`, from 1, its place (0: none);
 * `indented`: blanks before a line have a meaning, as in YAML and not in JSON. Returns -EINVAL.
 */
int syntax_fail(const struct text_file *source, const char *said, unsigned line,
                unsigned column, bool indented, struct err *err);

#endif
