/*
 * tuple.c - reads the tuples of wire.h.
 */
#include "tests/lib/tuple.h"
#include "tests/lib/wire.h"

#include <arpa/inet.h>

void wrong(const char *what, const char *value)
{
	fprintf(stderr, "wire: %s: %s\n", what, value);
	abort();
}

void host_parse(const char *text, size_t len, bool with_port, struct host *host)
{
	char copy[64], *port = NULL;

	if (len >= sizeof(copy))
		wrong("cannot be an address", text);
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(host, 0, sizeof(*host));
	if (with_port) {
		char *end;

		port = strrchr(copy, ':');
		if (!port)
			wrong("has no port", copy);
		*port++ = '\0';
		unsigned long number = strtoul(port, &end, 10);
		if (!*port || *end || number > 65535)
			wrong("cannot be a port", port);
		host->port = (uint16_t)number;
	}
	char *addr = copy;
	size_t addr_len = strlen(addr);

	if (addr_len > 1 && addr[0] == '[' && addr[addr_len - 1] == ']') {
		addr[addr_len - 1] = '\0';
		addr++;
	}
	if (inet_pton(AF_INET, addr, host->addr) == 1)
		return;
	host->v6 = true;
	if (inet_pton(AF_INET6, addr, host->addr) != 1)
		wrong("cannot be an address", text);
}

bool host_equal(const struct host *a, const struct host *b)
{
	return a->v6 == b->v6 && a->port == b->port &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

struct pair pair_parse(const char *tuple, bool with_ports)
{
	const char *arrow = strstr(tuple, " > ");
	struct pair pair;

	if (!arrow)
		wrong("has no ' > '", tuple);
	host_parse(tuple, (size_t)(arrow - tuple), with_ports, &pair.from);
	host_parse(arrow + 3, strlen(arrow + 3), with_ports, &pair.to);
	if (pair.from.v6 != pair.to.v6)
		wrong("mixes IPv4 and IPv6", tuple);
	return pair;
}

const char *wire_back(const char *tuple, char buf[WIRE_TUPLE])
{
	const char *arrow = strstr(tuple, " > ");

	if (!arrow || strlen(tuple) >= WIRE_TUPLE)
		wrong("has no ' > '", tuple);
	snprintf(buf, WIRE_TUPLE, "%s > %.*s", arrow + 3, (int)(arrow - tuple), tuple);
	return buf;
}

void mac_parse_text(const char *text, uint8_t mac[6])
{
	unsigned b[6];
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
	           &end) != 6 ||
	    text[end])
		wrong("cannot be a MAC address", text);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
}
