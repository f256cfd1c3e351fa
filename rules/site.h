/*
 * site.h - reads a site file into a policy: units, who holds which role here, narrowed rows,
 * options, waivers.
 */
#ifndef RULES_SITE_H
#define RULES_SITE_H

#include "rules/folder.h"
#include "rules/policy.h"
#include "rules/units.h"
#include "rules/yaml.h"

/* What is open while a policy is loaded. */
struct site_loading {
	struct policy *policy; /* envelope set, rows copied */
	struct unit_list units;
	struct yaml_file *file; /* NULL without a site file */
	struct text_file rooms; /* the units-file */
	FILE *text;             /* all that was read, for the hash */
	bool from_record; /* no file is read: these are there, in the order they were read then */
	struct folder recorded;
	size_t recorded_used;
	const char *words; /* ... and the lines of --unit */
	uint8_t options;        /* mask of enum site_option that are true */
	struct endpoint_list
		endpoints[ROLES_MAX]; /* that count, by role: the site's or the envelope's */
	struct role_holders site[ROLES_MAX]; /* what the site adds */
};

/* All but waivers, which need the units that --unit may yet add. */
int site_read(struct site_loading *loading, struct err *err) MUST_CHECK;
/* Narrows the policy's rows; after the options have been applied. */
int site_narrow(struct site_loading *loading, struct err *err) MUST_CHECK;
int site_waivers(struct site_loading *loading, struct err *err) MUST_CHECK;

#endif
