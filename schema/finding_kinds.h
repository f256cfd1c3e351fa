/*
 * finding_kinds.h - THE LIST of finding kinds: code, word, sentence. The first eight are the fields
 * a flow can differ in, in the order in which they decide (design.md 5). New ones go to the end:
 * the numbers are stored. Severity follows from the flow as well, so it stands in rules/severity.c.
 */
#ifndef SCHEMA_FINDING_KINDS_H
#define SCHEMA_FINDING_KINDS_H

#define FINDING_KINDS(X) \
	X(IP_VERSION, "ip-version", "the row is documented for another version of IP") \
	X(TRANSPORT, "transport", "the row is documented for another transport") \
	X(DIRECTION, "direction", "the conversation was opened from the other side") \
	X(PEER, "peer", "the peer is none of those the row names") \
	X(REMOTE_PORT, "remote-port", "the peer's port is outside the row's") \
	X(APPLICATION, "application", "another application speaks on the row's ports") \
	X(LOCAL_PORT, "local-port", "the unit's port is outside the row's") \
	X(MEDIA, "media", "another kind of media uses the row's ports") \
	X(SERVICE, "service", "no documented row comes near") \
	X(BLOCKED_SILENT, "blocked-silent", "documented, but the network swallows it") \
	X(BLOCKED_PROHIBITED, "blocked-prohibited", "documented, but a router forbids it") \
	X(REFUSED, "refused", "documented, but the peer refuses it") \
	X(UNLISTED_UNIT, "unlisted-unit", "a room system that no list of units names")

#endif
