/*
 * endpoints.h - lists of Microsoft's "Office 365 IP Address and URL web service", as JSON.
 */
#ifndef RULES_ENDPOINTS_H
#define RULES_ENDPOINTS_H

#include "rules/arena.h"
#include "rules/envelope.h"
#include "rules/yaml.h"

/*
 * Takes the addresses and names of those sets of `file` that `choice` names, into `arena`. A file
 * without any such set is an error: it would empty the role in silence.
 */
int endpoints_read(const struct yaml_file *file, const struct endpoint_choice *choice,
                   struct arena *arena, struct endpoint_list *ret_list,
                   struct err *err) MUST_CHECK;

/* The day in "o365-endpoints-2020-08-06.json"; `date` stays as it is if there is none. */
void endpoints_date(const char *name, char date[16]);

#endif
