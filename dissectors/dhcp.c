/*
 * dhcp.c - DHCP (RFC 2131 2, RFC 2132): whose it is, what it asks, and the lease an ACK gives.
 *   | op 1 | htype 1 | hlen 1 | hops 1 | xid 4 | secs 2 | flags 2 | ciaddr 4 | yiaddr 4 | siaddr 4 |
 *   | giaddr 4 | chaddr 16 | sname 64 | file 128 | 63 82 53 63 | options: code 1, length 1, value |
 */
#include "dissectors/cursor.h"
#include "dissectors/dissect.h"
#include "dissectors/list.h"

enum { OP_REQUEST = 1, OP_REPLY = 2 };
enum { TYPE_DECLINE = 4, TYPE_ACK = 5, TYPE_RELEASE = 7, TYPE_LAST = 18 };
enum {
	OPTION_PAD = 0,
	OPTION_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_REQUESTED = 50,
	OPTION_LEASE = 51,
	OPTION_TYPE = 53,
	OPTION_SERVER = 54,
	OPTION_END = 255,
};
#define MAGIC 0x63825363
#define FIXED 240

struct message {
	uint8_t op;
	uint32_t xid;
	struct mac chaddr;
	const uint8_t *ciaddr, *yiaddr;
};

static bool read_fixed(const uint8_t *data, uint32_t len, struct message *ret)
{
	struct cursor c = cursor_over(data, len);
	uint8_t htype, hlen;

	ret->op = cursor_u8(&c);
	htype = cursor_u8(&c);
	hlen = cursor_u8(&c);
	cursor_skip(&c, 1);
	ret->xid = cursor_be32(&c);
	cursor_skip(&c, 4);
	ret->ciaddr = cursor_take(&c, 4);
	ret->yiaddr = cursor_take(&c, 4);
	cursor_skip(&c, 8);
	cursor_copy(&c, ret->chaddr.b, sizeof(ret->chaddr.b));
	cursor_skip(&c, 10 + 64 + 128);
	return cursor_be32(&c) == MAGIC && !c.short_read && htype == 1 && hlen == 6 &&
	       (ret->op == OP_REQUEST || ret->op == OP_REPLY);
}

static bool is_dhcp_port(uint16_t port)
{
	return port == 67 || port == 68;
}

static bool uses_dhcp_ports(const struct packet *packet)
{
	return packet->transport == TRANSPORT_UDP && is_dhcp_port(packet->src_port) &&
	       is_dhcp_port(packet->dst_port);
}

/* Leading ones; a mask with a hole tells nothing. */
static uint8_t mask_bits(const uint8_t b[4])
{
	uint32_t mask =
		(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	uint32_t rest = ~mask;

	return rest & (rest + 1) ? 0 : (uint8_t)__builtin_popcount(mask);
}

static void lease_option(struct learnt_lease *lease, uint8_t code, const uint8_t *value,
                         uint8_t len)
{
	struct cursor c = cursor_over(value, len);

	switch (code) {
	case OPTION_MASK:
		if (len == 4)
			lease->mask_bits = mask_bits(value);
		break;
	case OPTION_ROUTER:
		if (len >= 4)
			lease->router = addr_from_v4(value);
		break;
	case OPTION_DNS:
		while (c.left >= 4 && lease->dns_count < ARRAY_LEN(lease->dns))
			lease->dns[lease->dns_count++] = addr_from_v4(cursor_take(&c, 4));
		break;
	case OPTION_LEASE:
		if (len == 4)
			lease->lease_s = cursor_be32(&c);
		break;
	case OPTION_SERVER:
		if (len == 4)
			lease->server = addr_from_v4(value);
		break;
	default:
		break;
	}
}

/*
 * Reads the options, of which the last must be "end" (RFC 2131 4.1); returns the message type, 0 if there is
 * none. *ret_requested: option 50.
 */
static uint8_t read_options(const struct look *look, struct learnt_lease *lease,
                            struct addr *ret_requested, bool *ret_ended)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint8_t type = 0;

	cursor_skip(&c, FIXED);
	while (c.left) {
		uint8_t code = cursor_u8(&c), len;
		const uint8_t *value;

		if (code == OPTION_PAD)
			continue;
		if (code == OPTION_END) {
			*ret_ended = true;
			break;
		}
		len = cursor_u8(&c);
		value = cursor_take(&c, len);
		if (!value)
			break;
		if (code == OPTION_TYPE && len == 1 && value[0] <= TYPE_LAST)
			type = value[0];
		if (code == OPTION_REQUESTED && len == 4)
			*ret_requested = addr_from_v4(value);
		lease_option(lease, code, value, len);
	}
	return type;
}

/*
 * What the lease is about: yiaddr of an ACK, or ciaddr where an INFORM is answered (RFC 2131 4.3.5);
 * ciaddr that is released; the address declined (4.4.4, 4.4.1). Zero: none.
 */
static struct addr leased_address(const struct message *message, uint8_t type,
                                  const struct addr *requested)
{
	static const uint8_t none[4];

	if (message->op == OP_REPLY && type == TYPE_ACK)
		return addr_from_v4(memcmp(message->yiaddr, none, 4) ? message->yiaddr
		                                                     : message->ciaddr);
	if (message->op == OP_REQUEST && type == TYPE_RELEASE)
		return addr_from_v4(message->ciaddr);
	if (message->op == OP_REQUEST && type == TYPE_DECLINE)
		return *requested;
	return (struct addr){{0}};
}

/* REQUEST, INFORM, and DISCOVER (RFC 4039 3); a type that was cut off may be one of them. */
static bool may_be_acked(uint8_t op, uint8_t type)
{
	return op == OP_REQUEST && type != TYPE_DECLINE && type != TYPE_RELEASE;
}

static enum answer dhcp_look(struct look *look)
{
	struct learnt_lease lease = {0};
	struct addr requested = {{0}};
	struct flow_facts *facts = look->facts;
	struct message message;
	bool ended = look->len < look->wire_len;
	uint8_t type;

	if (!uses_dhcp_ports(look->packet) || !read_fixed(look->data, look->len, &message))
		return ANSWER_NO;
	type = read_options(look, &lease, &requested, &ended);
	look_found(look, APP_DHCP);
	/*
	 * Whoever sends first opened this flow: a server that speaks first, after a broadcast that has
	 * a flow of its own, opened it too, and its row is an inbound one.
	 */
	look_opened_by(look, look->side);
	if (mac_is_zero(&facts->chaddr))
		facts->chaddr = message.chaddr;
	if (!facts->dhcp_type) {
		facts->dhcp_xid = message.xid;
		facts->dhcp_type = type;
	}
	lease.chaddr = message.chaddr;
	lease.xid = message.xid;
	if (may_be_acked(message.op, type)) {
		look->learnt->lease = lease;
		look->learnt->dhcp_asks = true;
	}
	if (!ended)
		return ANSWER_YES;
	lease.address = leased_address(&message, type, &requested);
	lease.word = type;
	if (!addr_is_unspecified(&lease.address)) {
		look->learnt->lease = lease;
		look->learnt->has_lease = true;
	}
	return ANSWER_YES;
}

bool dhcp_client(const struct packet *packet, struct mac *ret_client)
{
	struct message message;

	if (!uses_dhcp_ports(packet) ||
	    !read_fixed(packet->payload, packet->payload_len, &message))
		return false;
	*ret_client = message.chaddr;
	return true;
}

/* Behind the fixed fields; zero if it is not there. */
static struct addr requested_address(const uint8_t *data, uint32_t len)
{
	struct cursor c = cursor_over(data, len);

	cursor_skip(&c, FIXED);
	while (c.left) {
		uint8_t code = cursor_u8(&c), size;
		const uint8_t *value;

		if (code == OPTION_PAD)
			continue;
		size = code == OPTION_END ? 0 : cursor_u8(&c);
		value = code == OPTION_END ? NULL : cursor_take(&c, size);
		if (!value)
			break;
		if (code == OPTION_REQUESTED && size == 4)
			return addr_from_v4(value);
	}
	return (struct addr){{0}};
}

unsigned dhcp_addresses(const struct packet *packet, struct mac *ret_client,
                        struct addr ret[DHCP_ADDRESSES_MAX])
{
	struct message message;
	unsigned count = 0;

	if (!uses_dhcp_ports(packet) ||
	    !read_fixed(packet->payload, packet->payload_len, &message))
		return 0;
	*ret_client = message.chaddr;
	ret[count++] = addr_from_v4(message.ciaddr);
	ret[count++] = addr_from_v4(message.yiaddr);
	ret[count++] = requested_address(packet->payload, packet->payload_len);
	return count;
}

const struct dissector dissector_dhcp = {
	.name = "dhcp", .app = APP_DHCP, .udp = true, .look = dhcp_look};
