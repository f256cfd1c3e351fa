/*
 * proto.h - applications and transports in our own numbering, so that neither nDPI's ids nor its
 * names leak into facts, rules or the database.
 */
#ifndef SCHEMA_PROTO_H
#define SCHEMA_PROTO_H

#include "schema/base.h"

/*
 * THE LIST of applications. The first ones have a dissector of ours or are words of the envelope;
 * of the rest nDPI has an opinion. New ones go to the end: the numbers are stored.
 */
/* clang-format off */
#define APPS(X) \
	X(NONE, "none") X(DNS, "dns") X(DHCP, "dhcp") X(TLS, "tls") X(HTTP, "http") \
	X(LLMNR, "llmnr") X(KERBEROS, "kerberos") X(STUN, "stun") X(MSTURN, "msturn") \
	X(RTP, "rtp") X(RTCP, "rtcp") X(SIP, "sip") X(PSOM, "psom") \
	X(TURN_CHANNEL, "turn-channel") X(DTLS, "dtls") X(QUIC, "quic") X(ICMP, "icmp") \
	X(ICMP6, "icmp6") X(DHCPV6, "dhcpv6") X(NTP, "ntp") X(MDNS, "mdns") X(SSDP, "ssdp") \
	X(WSD, "wsd") X(NETBIOS, "netbios") X(SSH, "ssh") X(TELNET, "telnet") \
	X(SNMP, "snmp") X(SYSLOG, "syslog") X(TFTP, "tftp") X(LDAP, "ldap") X(SMB, "smb") \
	X(DCERPC, "dcerpc") X(RDP, "rdp") X(FTP, "ftp") X(SMTP, "smtp") X(IMAP, "imap") \
	X(POP3, "pop3") X(MQTT, "mqtt") X(RTSP, "rtsp") X(H323, "h323") X(RTMP, "rtmp") \
	X(VNC, "vnc") X(TEAMVIEWER, "teamviewer") X(ANYDESK, "anydesk") \
	X(BITTORRENT, "bittorrent") X(OPENVPN, "openvpn") X(WIREGUARD, "wireguard") \
	X(IPSEC, "ipsec") X(SOCKS, "socks") X(TOR, "tor") X(RADIUS, "radius") X(BGP, "bgp") \
	X(NFS, "nfs") X(MYSQL, "mysql") X(POSTGRES, "postgres") X(MSSQL, "mssql") \
	X(ORACLE, "oracle") X(REDIS, "redis") X(MONGODB, "mongodb") X(XMPP, "xmpp") \
	X(IRC, "irc") X(GIT, "git") X(WHOIS, "whois") X(COAP, "coap") X(MODBUS, "modbus") \
	X(AMQP, "amqp") X(NETFLOW, "netflow") X(SFLOW, "sflow") X(VXLAN, "vxlan") \
	X(GRE, "gre") X(SKYPE, "skype") \
	X(OTHER, "other") /* nDPI names it, we have no word for it */
enum app {
#define X(name, text) APP_##name,
	APPS(X)
#undef X
	APP_COUNT
};
/* clang-format on */

/* IP protocol numbers are our transports; ICMP and ICMPv6 flows have ports 0. */
enum transport {
	TRANSPORT_ICMP = 1,
	TRANSPORT_IGMP = 2,
	TRANSPORT_TCP = 6,
	TRANSPORT_UDP = 17,
	TRANSPORT_ICMP6 = 58,
};

/* Lower-case words as in reports; app_name() of an unknown number is "other". */
const char *app_name(enum app app);
/* APP_COUNT if there is no such word. */
enum app app_parse(const char *text);
/* "tcp", "udp", "icmp", "icmp6", "sctp", "esp", "gre", ..., else "ip-89" in a static table. */
const char *transport_name(uint8_t transport);
/* 0 if there is no such word. */
uint8_t transport_parse(const char *text);

/* Masks over enum app, one bit an application, two words wide. */
struct app_set {
	uint64_t w[2];
};
_Static_assert(APP_COUNT <= 128, "struct app_set has 128 bits");

static inline bool app_set_has(const struct app_set *set, enum app app)
{
	return set->w[app / 64] >> (app % 64) & 1;
}

static inline void app_set_add(struct app_set *set, enum app app)
{
	set->w[app / 64] |= BIT(app % 64);
}

#endif
