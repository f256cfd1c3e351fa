/*
 * dissect.h - asks the list of dissectors and settles on one answer.
 */
#ifndef DISSECTORS_DISSECT_H
#define DISSECTORS_DISSECT_H

#include "dissectors/dissector.h"

/*
 * Shows one payload packet of a flow (packet->payload_len > 0, or a TCP segment whose payload was
 * cut away) sent by end `side` of `facts`; of TCP in the order of its stream. Updates what payloads
 * say of the flow: app and evidence, not_apps, media, payload types and media_packets, ice, names,
 * tls, asked/tries, DHCP, connect_port, initiator by request (only where initiator_by is weaker).
 * Never touches addresses, counters, flags, outcome, settled_by. `learnt` is emptied first. Returns
 * true while it wants to see more of this flow: false once the application is certain and nothing
 * more can be learnt (a DNS flow never says so).
 */
bool dissect_payload(const struct packet *packet, unsigned side, struct flow_facts *facts,
                     char name[NAME_MAX_LEN + 1], struct young *young,
                     struct streams *streams, struct learnt *learnt);
/*
 * No packet will follow: shows what still waits for one that is missing, if more is to be learnt.
 * Afterwards the young half has nothing of the pool any more; it must not be let go without.
 */
void dissect_end(struct flow_facts *facts, char name[NAME_MAX_LEN + 1], struct young *young,
                 struct streams *streams, struct learnt *learnt);
/* Whether bytes of the flow are kept that more payload would make sense of. */
bool dissect_waits(const struct young *young);

/* Whether flows of it are read for as long as they go on: with every payload something new may come. */
bool dissect_goes_on(enum app app);

/* DHCP's client of a UDP 67/68 packet, for the key of its flow (RFC 2131: chaddr); false if it is none. */
bool dhcp_client(const struct packet *packet, struct mac *ret_client);
/*
 * Of such a packet: the addresses that its client has, is offered, given or asks for. At most DHCP_ADDRESSES_MAX;
 * returns how many.
 */
#define DHCP_ADDRESSES_MAX 3
unsigned dhcp_addresses(const struct packet *packet, struct mac *ret_client,
                        struct addr ret[DHCP_ADDRESSES_MAX]);

/* Whether a port is a server's by IANA or the envelope (domain.md 3.2: <1024, 3478-3481, 5061, 5355). */
bool port_listens(uint16_t port);

#endif
