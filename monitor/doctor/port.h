/*
 * port.h - what the kernel says of an interface that a mirror ends at, and which addresses are this host's own.
 */
#ifndef MONITOR_DOCTOR_PORT_H
#define MONITOR_DOCTOR_PORT_H

#include "schema/addr.h"

enum { PORT_GRO = 1, PORT_LRO = 2, PORT_TSO = 4, PORT_GSO = 8 };

struct port {
	unsigned mtu;    /* 0: not known */
	unsigned merges; /* mask PORT_*: what of it is on */
	bool is_known;   /* `merges` is */
};

/* What cannot be asked stays zero: an interface that is gone, a kernel that does not say. */
void port_look(const char *name, struct port *ret);
/* "gro lro"; "" */
#define PORT_MERGES 24
const char *port_merges(const struct port *port, char buf[PORT_MERGES]);

/* At most `most` addresses of this host's interfaces, loopback's aside; returns how many. */
size_t port_own_addresses(struct addr *ret, size_t most);

#endif
