/*
 * ndpi.c - see ndpi.h. What its 4.2 says is an opinion: of its four degrees of confidence only DPI
 * counts, and DTLS is kept from it, for a certificate that names a known vendor makes it read NULL.
 * States that were given back are kept for the next flows: cleared in place they cost less than fresh memory.
 */
#include "dissectors/ndpi.h"

#include "dissectors/decode.h"
#include "schema/event.h"

#include <ndpi_api.h>
#include <ndpi_main.h>

#define SPARES_MAX 4096 /* 10 MiB */

struct ndpi_engine {
	struct ndpi_detection_module_struct *module;
	struct ndpi_state *spare; /* given back, and cleared */
	unsigned spares;
	bool dtls;
};

struct ndpi_state {
	struct ndpi_state *next; /* of the spare ones */
	struct ndpi_flow_struct flow;
};

/* Its numbers into ours; what is not here is APP_OTHER. */
static const struct {
	uint16_t id;
	uint16_t app;
} IDS[] = {
	{NDPI_PROTOCOL_DNS, APP_DNS},           {NDPI_PROTOCOL_DHCP, APP_DHCP},
	{NDPI_PROTOCOL_TLS, APP_TLS},           {NDPI_PROTOCOL_MAIL_POPS, APP_TLS},
	{NDPI_PROTOCOL_MAIL_IMAPS, APP_TLS},    {NDPI_PROTOCOL_MAIL_SMTPS, APP_TLS},
	{NDPI_PROTOCOL_DOH_DOT, APP_TLS},       {NDPI_PROTOCOL_HTTP, APP_HTTP},
	{NDPI_PROTOCOL_HTTP_CONNECT, APP_HTTP}, {NDPI_PROTOCOL_HTTP_PROXY, APP_HTTP},
	{NDPI_PROTOCOL_WEBSOCKET, APP_HTTP},    {NDPI_PROTOCOL_SOAP, APP_HTTP},
	{NDPI_PROTOCOL_OCSP, APP_HTTP},         {NDPI_PROTOCOL_LLMNR, APP_LLMNR},
	{NDPI_PROTOCOL_KERBEROS, APP_KERBEROS}, {NDPI_PROTOCOL_STUN, APP_STUN},
	{NDPI_PROTOCOL_RTCP, APP_RTCP},
	{NDPI_PROTOCOL_SIP, APP_SIP},           {NDPI_PROTOCOL_DTLS, APP_DTLS},
	{NDPI_PROTOCOL_QUIC, APP_QUIC},         {NDPI_PROTOCOL_IP_ICMP, APP_ICMP},
	{NDPI_PROTOCOL_IP_ICMPV6, APP_ICMP6},   {NDPI_PROTOCOL_DHCPV6, APP_DHCPV6},
	{NDPI_PROTOCOL_NTP, APP_NTP},           {NDPI_PROTOCOL_MDNS, APP_MDNS},
	{NDPI_PROTOCOL_SSDP, APP_SSDP},         {NDPI_PROTOCOL_WSD, APP_WSD},
	{NDPI_PROTOCOL_NETBIOS, APP_NETBIOS},   {NDPI_PROTOCOL_SSH, APP_SSH},
	{NDPI_PROTOCOL_TELNET, APP_TELNET},     {NDPI_PROTOCOL_SNMP, APP_SNMP},
	{NDPI_PROTOCOL_SYSLOG, APP_SYSLOG},     {NDPI_PROTOCOL_TFTP, APP_TFTP},
	{NDPI_PROTOCOL_LDAP, APP_LDAP},         {NDPI_PROTOCOL_SMBV1, APP_SMB},
	{NDPI_PROTOCOL_SMBV23, APP_SMB},        {NDPI_PROTOCOL_DCERPC, APP_DCERPC},
	{NDPI_PROTOCOL_RDP, APP_RDP},           {NDPI_PROTOCOL_FTP_CONTROL, APP_FTP},
	{NDPI_PROTOCOL_FTP_DATA, APP_FTP},      {NDPI_PROTOCOL_MAIL_SMTP, APP_SMTP},
	{NDPI_PROTOCOL_MAIL_IMAP, APP_IMAP},    {NDPI_PROTOCOL_MAIL_POP, APP_POP3},
	{NDPI_PROTOCOL_MQTT, APP_MQTT},         {NDPI_PROTOCOL_RTSP, APP_RTSP},
	{NDPI_PROTOCOL_H323, APP_H323},         {NDPI_PROTOCOL_RTMP, APP_RTMP},
	{NDPI_PROTOCOL_VNC, APP_VNC},           {NDPI_PROTOCOL_TEAMVIEWER, APP_TEAMVIEWER},
	{NDPI_PROTOCOL_ANYDESK, APP_ANYDESK},   {NDPI_PROTOCOL_BITTORRENT, APP_BITTORRENT},
	{NDPI_PROTOCOL_OPENVPN, APP_OPENVPN},   {NDPI_PROTOCOL_WIREGUARD, APP_WIREGUARD},
	{NDPI_PROTOCOL_IP_IPSEC, APP_IPSEC},    {NDPI_PROTOCOL_SOCKS, APP_SOCKS},
	{NDPI_PROTOCOL_TOR, APP_TOR},           {NDPI_PROTOCOL_RADIUS, APP_RADIUS},
	{NDPI_PROTOCOL_BGP, APP_BGP},           {NDPI_PROTOCOL_NFS, APP_NFS},
	{NDPI_PROTOCOL_MYSQL, APP_MYSQL},       {NDPI_PROTOCOL_POSTGRES, APP_POSTGRES},
	{NDPI_PROTOCOL_MSSQL_TDS, APP_MSSQL},   {NDPI_PROTOCOL_ORACLE, APP_ORACLE},
	{NDPI_PROTOCOL_REDIS, APP_REDIS},       {NDPI_PROTOCOL_MONGODB, APP_MONGODB},
	{NDPI_PROTOCOL_JABBER, APP_XMPP},       {NDPI_PROTOCOL_IRC, APP_IRC},
	{NDPI_PROTOCOL_GIT, APP_GIT},           {NDPI_PROTOCOL_WHOIS_DAS, APP_WHOIS},
	{NDPI_PROTOCOL_COAP, APP_COAP},         {NDPI_PROTOCOL_MODBUS, APP_MODBUS},
	{NDPI_PROTOCOL_AMQP, APP_AMQP},         {NDPI_PROTOCOL_NETFLOW, APP_NETFLOW},
	{NDPI_PROTOCOL_SFLOW, APP_SFLOW},       {NDPI_PROTOCOL_IP_GRE, APP_GRE},
	{NDPI_PROTOCOL_SKYPE_CALL, APP_SKYPE},  {NDPI_PROTOCOL_SKYPE_TEAMS, APP_SKYPE},
};

static enum app app_of_id(uint16_t id)
{
	if (id == NDPI_PROTOCOL_UNKNOWN || id == NDPI_PROTOCOL_RTP)
		return APP_NONE;
	for (unsigned i = 0; i < ARRAY_LEN(IDS); i++)
		if (IDS[i].id == id)
			return (enum app)IDS[i].app;
	return APP_OTHER;
}

/*
 * One packet whose first byte and payload type may be RTP's makes it RTP for nDPI: that is no evidence, and ours
 * asks for a sequence. nDPI names a carrier and what it carries: DNS.Teams, TLS.Skype_Teams, STUN.SkypeCall. The carrier is
 * the application in our sense; where it names but one, that. What it guessed is not looked at.
 */
static enum app app_of(const struct ndpi_flow_struct *flow)
{
	enum app carrier = app_of_id(flow->detected_protocol_stack[1]);
	enum app carried = app_of_id(flow->detected_protocol_stack[0]);

	if (flow->confidence != NDPI_CONFIDENCE_DPI)
		return APP_NONE;
	if (carrier == APP_NONE || (carrier == APP_OTHER && carried != APP_NONE))
		return carried;
	return carrier;
}

int ndpi_engine_new(bool dtls, struct ndpi_engine **ret_engine, struct err *err)
{
	struct ndpi_engine *engine = calloc(1, sizeof(*engine));
	NDPI_PROTOCOL_BITMASK all;

	if (engine)
		engine->module = ndpi_init_detection_module(ndpi_no_prefs);
	if (!engine || !engine->module) {
		free(engine);
		return err_set(err, -ENOMEM, "nDPI cannot be started: out of memory");
	}
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(engine->module, &all);
	ndpi_finalize_initialization(engine->module);
	engine->dtls = dtls;
	*ret_engine = engine;
	return 0;
}

void ndpi_engine_free(struct ndpi_engine *engine)
{
	if (!engine)
		return;
	while (engine->spare) {
		struct ndpi_state *state = engine->spare;

		engine->spare = state->next;
		free(state);
	}
	ndpi_exit_detection_module(engine->module);
	free(engine);
}

struct ndpi_state *ndpi_state_new(struct ndpi_engine *engine)
{
	struct ndpi_state *state = engine->spare;

	if (!state)
		return calloc(1, sizeof(*state));
	engine->spare = state->next;
	engine->spares--;
	state->next = NULL;
	return state;
}

void ndpi_state_free(struct ndpi_engine *engine, struct ndpi_state *state)
{
	if (!state)
		return;
	ndpi_free_flow_data(&state->flow);
	if (engine->spares == SPARES_MAX) {
		free(state);
		return;
	}
	memset(state, 0, sizeof(*state));
	state->next = engine->spare;
	engine->spare = state;
	engine->spares++;
}

/* Any record of DTLS, also of versions and types we do not know (RFC 6347 4.1, RFC 7983 7). */
static bool is_dtls(const struct packet *packet)
{
	const uint8_t *b = packet->payload;

	return packet->transport == TRANSPORT_UDP && packet->payload_len >= 3 && b[0] >= 20 &&
	       b[0] <= 63 && (b[1] == 0xfe || (b[1] == 1 && b[2] == 0));
}

static void put_be16(uint8_t *b, uint32_t value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

/*
 * A packet that was cut on its way here says that it is longer than it is. nDPI gets a copy whose
 * lengths are true.
 */
static const uint8_t *mend(const struct packet *packet, uint8_t copy[INSPECT_MAX])
{
	uint32_t len = packet->ip_caplen;

	if (!packet->truncated)
		return packet->ip;
	if (len > INSPECT_MAX || !packet->payload_len)
		return NULL;
	memcpy(copy, packet->ip, len);
	if (packet->ip_version == 4)
		put_be16(copy + 2, len);
	else
		put_be16(copy + 4, len - 40);
	if (packet->transport == TRANSPORT_UDP)
		put_be16(copy + (packet->payload - packet->ip) - 4, packet->payload_len + 8);
	return copy;
}

#define QUIC_PORT 443
#define QUIC_INITIAL_MIN 1200
#define QUIC_ID_MAX 20

/*
 * A flow that begins with an Initial of QUIC (RFC 9000 17.2.2) on its port. nDPI asks its dissector of QUIC first
 * there, which wants no more than this. But then it derives the keys and decrypts the hello, for a name that nobody
 * asks it for: four times the cost of another packet.
 */
static bool begins_quic(const struct ndpi_state *state, const struct packet *packet)
{
	const uint8_t *b = packet->payload;
	uint32_t version;

	if (state->flow.num_processed_pkts || packet->transport != TRANSPORT_UDP ||
	    packet->payload_len < QUIC_INITIAL_MIN || (b[0] & 0xb0) != 0x80 ||
	    (packet->src_port != QUIC_PORT && packet->dst_port != QUIC_PORT) ||
	    packet->src_port < QUIC_PORT || packet->dst_port < QUIC_PORT ||
	    (packet->ip_version == 6 && packet->ip[6] != 17))
		return false;
	version = (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4];
	return (version == 1 || version >> 8 == 0xff0000) && b[5] <= QUIC_ID_MAX &&
	       b[6 + b[5]] <= QUIC_ID_MAX;
}

/* Nothing it is shown will change its mind: no dissector of its is left, or it has what it wanted. */
static bool is_over(const struct ndpi_flow_struct *flow)
{
	return flow->fail_with_unknown ||
	       (flow->detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN && !flow->check_extra_packets);
}

#define IP_LEN_MAX (UINT16_MAX + 40)

enum app ndpi_look(struct ndpi_engine *engine, struct ndpi_state *state, const uint8_t *ip,
                   uint32_t len, int64_t time_us, bool *ret_final)
{
	struct packet packet = {.time_us = time_us};
	uint8_t copy[INSPECT_MAX];
	const uint8_t *whole;
	enum app app;

	*ret_final = false;
	if (packet_decode(LINK_RAW, ip, len, IP_LEN_MAX, &packet) != DECODED_IP ||
	    packet.fragment_later || packet.ip_caplen > UINT16_MAX ||
	    (is_dtls(&packet) && !engine->dtls))
		return APP_NONE;
	if (begins_quic(state, &packet)) {
		*ret_final = true;
		return APP_QUIC;
	}
	whole = mend(&packet, copy);
	if (!whole)
		return APP_NONE;
	ndpi_detection_process_packet(engine->module, &state->flow, whole,
	                              (uint16_t)packet.ip_caplen, (uint64_t)time_us / 1000);
	app = app_of(&state->flow);
	/* It knows DTLS by the hello; what it dies of comes later. */
	*ret_final = ((app != APP_NONE && app != APP_OTHER) || is_over(&state->flow)) &&
	             !(engine->dtls && app == APP_DTLS);
	return app;
}

/*
 * In the place of nDPI's own, which goes through both masks by 16 words of 32 bits. It asks this twice of each of its 200
 * dissectors for each packet, and that was a third of its time.
 */
#define MASK_WORDS (sizeof(NDPI_PROTOCOL_BITMASK) / sizeof(uint64_t))

__attribute__((visibility("default"))) int NDPI_BITMASK_COMPARE(NDPI_PROTOCOL_BITMASK a,
                                                                NDPI_PROTOCOL_BITMASK b)
{
	const uint8_t *left = (const uint8_t *)&a, *right = (const uint8_t *)&b;

	_Static_assert(sizeof(a) % sizeof(uint64_t) == 0, "a mask is whole words");
#pragma GCC unroll 8
	for (size_t i = 0; i < MASK_WORDS; i++) {
		uint64_t x, y;

		memcpy(&x, left + i * sizeof(x), sizeof(x));
		memcpy(&y, right + i * sizeof(y), sizeof(y));
		if (x & y)
			return 1;
	}
	return 0;
}

const char *ndpi_version(void)
{
	return ndpi_revision();
}
