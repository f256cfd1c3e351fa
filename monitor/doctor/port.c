/*
 * port.c - see port.h.
 */
#include "monitor/doctor/port.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* ethtool's old questions need no capability. False: the driver does not answer. */
static bool ethtool_get(int fd, const char *name, uint32_t question, uint32_t *ret)
{
	struct ethtool_value value = {.cmd = question};
	struct ifreq request = {.ifr_data = (void *)&value};

	if (!text_copy(request.ifr_name, sizeof(request.ifr_name), name) ||
	    ioctl(fd, SIOCETHTOOL, &request) < 0)
		return false;
	*ret = value.data;
	return true;
}

static unsigned mtu_of(int fd, const char *name)
{
	struct ifreq request = {0};

	if (!text_copy(request.ifr_name, sizeof(request.ifr_name), name) ||
	    ioctl(fd, SIOCGIFMTU, &request) < 0 || request.ifr_mtu < 0)
		return 0;
	return (unsigned)request.ifr_mtu;
}

void port_look(const char *name, struct port *ret)
{
	static const struct {
		uint32_t question, bit;
		unsigned merge;
	} ASKED[] = {
		{ETHTOOL_GGRO, UINT32_MAX, PORT_GRO},
		{ETHTOOL_GFLAGS, ETH_FLAG_LRO, PORT_LRO},
		{ETHTOOL_GTSO, UINT32_MAX, PORT_TSO},
		{ETHTOOL_GGSO, UINT32_MAX, PORT_GSO},
	};
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t value;

	*ret = (struct port){0};
	if (fd < 0)
		return;
	ret->mtu = mtu_of(fd, name);
	for (size_t i = 0; i < ARRAY_LEN(ASKED); i++)
		if (ethtool_get(fd, name, ASKED[i].question, &value)) {
			ret->is_known = true;
			if (value & ASKED[i].bit)
				ret->merges |= ASKED[i].merge;
		}
}

const char *port_merges(const struct port *port, char buf[PORT_MERGES])
{
	static const char *const WORDS[] = {"gro", "lro", "tso", "gso"};

	*buf = '\0';
	for (unsigned i = 0; i < ARRAY_LEN(WORDS); i++)
		if (port->merges & BIT(i))
			text_add(buf, PORT_MERGES, "%s%s", *buf ? " " : "", WORDS[i]);
	return buf;
}

size_t port_own_addresses(struct addr *ret, size_t most)
{
	struct ifaddrs *list = NULL;
	size_t count = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *at = list; at && count < most; at = at->ifa_next) {
		if (!at->ifa_addr || at->ifa_flags & IFF_LOOPBACK)
			continue;
		if (at->ifa_addr->sa_family == AF_INET)
			ret[count++] = addr_from_v4(
				(const uint8_t *)&((const struct sockaddr_in *)at->ifa_addr)
					->sin_addr);
		else if (at->ifa_addr->sa_family == AF_INET6)
			ret[count++] = addr_from_v6(
				((const struct sockaddr_in6 *)at->ifa_addr)->sin6_addr.s6_addr);
	}
	freeifaddrs(list);
	return count;
}
