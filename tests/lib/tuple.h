/*
 * tuple.h - "10.1.0.7:49152 > 10.1.0.9:443" taken apart. What cannot be read ends the program: the
 * test that wrote it is wrong.
 */
#ifndef TESTS_LIB_TUPLE_H
#define TESTS_LIB_TUPLE_H

#include "schema/base.h"

struct host {
	bool v6;
	uint8_t addr[16]; /* IPv4 in the first four */
	uint16_t port;
};

struct pair {
	struct host from, to;
};

__attribute__((noreturn)) void wrong(const char *what, const char *value);

void host_parse(const char *text, size_t len, bool with_port, struct host *host);
bool host_equal(const struct host *a, const struct host *b);
struct pair pair_parse(const char *tuple, bool with_ports);
void mac_parse_text(const char *text, uint8_t mac[6]);

#endif
