/*
 * roles.h - reads roles.yaml: what each role means, who holds it by the document itself, and how
 * a unit of the maker is told.
 */
#ifndef RULES_ROLES_H
#define RULES_ROLES_H

#include "rules/arena.h"
#include "rules/envelope.h"
#include "rules/folder.h"
#include "rules/yaml.h"

/* Fills roles, ouis and unit_names of *envelope. Endpoint files are looked up in `folder`. */
int roles_read(const struct yaml_file *file, const struct folder *folder,
               struct envelope *envelope, struct err *err) MUST_CHECK;

#endif
