/*
 * rows.h - reads the file of one profile: its title and its rows.
 */
#ifndef RULES_ROWS_H
#define RULES_ROWS_H

#include "rules/envelope.h"
#include "rules/yaml.h"

/* The words of enum need. */
extern const struct words NEEDS;
/* The words of enum site_option from OPTION_NAT on. */
extern const struct words SITE_OPTIONS;

/*
 * Appends the profile and its rows to *envelope, whose roles are read already; `room` is how many
 * rows its array has room for.
 */
int rows_read(const struct yaml_file *file, struct envelope *envelope, size_t *room,
              struct err *err) MUST_CHECK;

#endif
