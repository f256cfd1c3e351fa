/*
 * links.h - whether the interfaces that are watched are there and up. Asked a few times a second
 * (netdevice(7)), which needs no capability.
 */
#ifndef MONITOR_PROCESS_LINKS_H
#define MONITOR_PROCESS_LINKS_H

#include "schema/base.h"

struct links;

enum link_news { LINK_SAME, LINK_DOWN, LINK_UP, LINK_ANOTHER }; /* another: removed and made again */

/* `names` are borrowed. 0, or negative errno with err filled. */
int links_new(const char *const *names, size_t count, struct links **ret, struct err *err) MUST_CHECK;
void links_free(struct links *links);

/* What has become of interface `i` since it was asked for last. A pseudo-interface ("any") is always up. */
enum link_news links_look(struct links *links, size_t i);
bool links_is_up(const struct links *links, size_t i);
/* The interface is there, up or not. */
bool links_exists(const struct links *links, size_t i);

#endif
