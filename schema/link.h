/*
 * link.h - link types by what they look like, not by libpcap's numbers: what a frame begins with.
 */
#ifndef SCHEMA_LINK_H
#define SCHEMA_LINK_H

enum link {
	LINK_ETHERNET,
	LINK_SLL,      /* LINKTYPE_LINUX_SLL */
	LINK_SLL2,     /* LINKTYPE_LINUX_SLL2 */
	LINK_RAW,      /* IP */
	LINK_LOOPBACK, /* LINKTYPE_NULL and LOOP: the address family, in either byte order */
	LINK_COUNT
};

#endif
