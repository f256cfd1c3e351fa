/*
 * form.h - the matching keys of a row (direction, ports, peer, ...) between YAML and struct
 * row_form. Rows, their `also` and `instead` readings and a site's `narrow` all read them here.
 */
#ifndef RULES_FORM_H
#define RULES_FORM_H

#include "rules/envelope.h"
#include "rules/yaml.h"

/* Keys that form_read() takes; a reader with keys of its own lists these first. */
#define FORM_KEYS \
	"direction", "ip-version", "transport", "local-ports", "remote-ports", "peer", \
		"application", "media"

/* Lays those keys that `map` has over *form; what `map` does not name stays. */
int form_read(const struct yaml *map, const struct envelope *envelope, struct row_form *form,
              struct err *err) MUST_CHECK;

/*
 * Narrows the forms of a row by those keys that `map` has. Each must lie within what some form of
 * the row allows, else -EINVAL; forms of which nothing is left go.
 */
int form_narrow(const struct yaml *map, const struct envelope *envelope, struct row *row,
                struct err *err) MUST_CHECK;

/* A list of media words, as a mask MEDIA_*. */
int value_media(const struct yaml *list, uint8_t *ret_media, struct err *err) MUST_CHECK;
/* A list of ports and ranges; "10.0.0.0/8"; "*.example.com" (into `arena`, in lower case). */
int value_ports(const struct yaml *node, struct port_set *ret_set, struct err *err) MUST_CHECK;
int value_prefix(const struct yaml *node, struct prefix *ret_prefix,
                 struct err *err) MUST_CHECK;
struct arena;
int value_name(const struct yaml *node, struct arena *arena, char **ret_name,
               struct err *err) MUST_CHECK;
/* Lists of them, into `arena`. */
int value_prefixes(const struct yaml *list, struct arena *arena, struct prefix **ret_prefixes,
                   size_t *ret_count, struct err *err) MUST_CHECK;
int value_names(const struct yaml *list, struct arena *arena, char ***ret_names,
                size_t *ret_count, struct err *err) MUST_CHECK;

/* The texts of a list (NULL: none) with ", " between. */
int value_words(const struct yaml *list, struct arena *arena, const char **ret_text,
                struct err *err) MUST_CHECK;

#endif
