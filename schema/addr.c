/*
 * addr.c - see addr.h.
 */
#include "schema/addr.h"

#include <arpa/inet.h>

int addr_compare(const struct addr *a, const struct addr *b)
{
	int order = (int)addr_is_v4(b) - (int)addr_is_v4(a);

	return order ? order : memcmp(a, b, sizeof(*a));
}

bool addr_is_unspecified(const struct addr *addr)
{
	static const uint8_t zero[16];

	if (addr_is_v4(addr))
		return !memcmp(addr->b + 12, zero, 4);
	return !memcmp(addr->b, zero, 16);
}

bool addr_is_multicast(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return (addr->b[12] & 0xf0) == 0xe0 ||
		       !memcmp(addr->b + 12, "\xff\xff\xff\xff", 4);
	return addr->b[0] == 0xff;
}

bool addr_is_link_local(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return addr->b[12] == 169 && addr->b[13] == 254;
	return addr->b[0] == 0xfe && (addr->b[1] & 0xc0) == 0x80;
}

bool addr_is_private(const struct addr *addr)
{
	const uint8_t *v4 = addr->b + 12;

	if (addr_is_link_local(addr))
		return true;
	if (addr_is_v4(addr))
		return v4[0] == 10 || v4[0] == 127 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
		       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 100 && (v4[1] & 0xc0) == 64);
	return (addr->b[0] & 0xfe) == 0xfc ||
	       !memcmp(addr->b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}

int addr_parse(const char *text, struct addr *ret_addr)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*ret_addr = addr_from_v4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*ret_addr = addr_from_v6(bytes);
	else
		return -EINVAL;
	return 0;
}

const char *addr_print(const struct addr *addr, char buf[ADDR_TEXT])
{
	char *at = buf;

	if (!addr_is_v4(addr)) {
		inet_ntop(AF_INET6, addr->b, buf, ADDR_TEXT);
		return buf;
	}
	/* inet_ntop() asks printf(), which takes ten times as long; each new flow's peer is printed. */
	for (unsigned i = 12; i < 16; i++) {
		at = digits_put(at, addr->b[i]);
		*at++ = '.';
	}
	at[-1] = '\0';
	return buf;
}

bool mac_is_broadcast(const struct mac *mac)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return mac_equal(mac, &all);
}

int mac_parse(const char *text, struct mac *ret_mac)
{
	struct mac mac;
	unsigned byte[6];
	char sep[5];
	int used = 0;

	if (strlen(text) != 17 ||
	    sscanf(text, "%2x%c%2x%c%2x%c%2x%c%2x%c%2x%n", &byte[0], &sep[0], &byte[1], &sep[1],
	           &byte[2], &sep[2], &byte[3], &sep[3], &byte[4], &sep[4], &byte[5],
	           &used) != 11 ||
	    used != 17)
		return -EINVAL;
	for (unsigned i = 0; i < 5; i++)
		if ((sep[i] != ':' && sep[i] != '-') || sep[i] != sep[0])
			return -EINVAL;
	for (unsigned i = 0; i < 6; i++)
		mac.b[i] = (uint8_t)byte[i];
	*ret_mac = mac;
	return 0;
}

const char *mac_print(const struct mac *mac, char buf[MAC_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	char *at = buf;

	for (unsigned i = 0; i < sizeof(mac->b); i++) {
		*at++ = hex[mac->b[i] >> 4];
		*at++ = hex[mac->b[i] & 15];
		*at++ = ':';
	}
	at[-1] = '\0';
	return buf;
}

struct addr prefix_last(const struct prefix *prefix)
{
	struct addr addr = prefix->addr;

	for (unsigned bit = prefix->bits; bit < 128; bit++)
		addr.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return addr;
}

struct prefix prefix_of(const struct addr *addr, unsigned bits)
{
	struct prefix prefix = {.addr = *addr, .bits = (uint8_t)bits};

	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = bits > i * 8 ? bits - i * 8 : 0;

		if (kept < 8)
			prefix.addr.b[i] &= (uint8_t)(0xff00 >> kept);
	}
	return prefix;
}

int prefix_parse(const char *text, struct prefix *ret_prefix)
{
	char buf[PREFIX_TEXT];
	struct prefix prefix;
	struct addr addr;
	unsigned long bits = 128;
	char *slash, *end;

	if (!text_copy(buf, sizeof(buf), text))
		return -EINVAL;
	slash = strchr(buf, '/');
	if (slash)
		*slash = '\0';
	if (addr_parse(buf, &addr) < 0)
		return -EINVAL;
	if (slash) {
		if (slash[1] < '0' || slash[1] > '9')
			return -EINVAL;
		bits = strtoul(slash + 1, &end, 10);
		if (*end || bits > (addr_is_v4(&addr) ? 32 : 128))
			return -EINVAL;
		if (addr_is_v4(&addr))
			bits += 96;
	}
	prefix = prefix_of(&addr, (unsigned)bits);
	if (!addr_equal(&prefix.addr, &addr))
		return -EINVAL;
	*ret_prefix = prefix;
	return 0;
}

bool prefix_covers(const struct prefix *prefix, const struct addr *addr)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	/* ::/0 is all of IPv6; that IPv4 lies in it is our way of writing, not the operator's. */
	if (prefix->bits < 96 && addr_is_v4(addr))
		return false;
	if (memcmp(prefix->addr.b, addr->b, whole))
		return false;
	return !rest || !((prefix->addr.b[whole] ^ addr->b[whole]) >> (8 - rest));
}

bool prefix_is_host(const struct prefix *prefix)
{
	return prefix->bits == 128;
}

const char *prefix_print(const struct prefix *prefix, char buf[PREFIX_TEXT])
{
	unsigned bits = addr_is_v4(&prefix->addr) && prefix->bits >= 96 ? prefix->bits - 96u
	                                                                : prefix->bits;
	char *at;

	addr_print(&prefix->addr, buf);
	if (prefix_is_host(prefix))
		return buf;
	at = buf + strlen(buf);
	*at++ = '/';
	*digits_put(at, bits) = '\0';
	return buf;
}
