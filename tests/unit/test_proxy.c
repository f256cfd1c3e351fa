/*
 * test_proxy.c - the site's web proxy, from the packets to the database: whoever is asked for there is the
 * peer (domain.md A2), and what goes through a CONNECT is the application.
 */
#include "tests/lib/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COMPANY \
	"site: Test\n" \
	"domains: [corp.example]\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7], profiles: [room, onprem, external]}\n" \
	"roles:\n" \
	"  dns-server: {addresses: [10.1.0.53]}\n" \
	"  maestro: {addresses: [10.1.0.44]}\n" \
	"  front-end: {addresses: [10.1.0.20]}\n" \
	"  sfb-auth: {names: [adfs.corp.example]}\n" \
	"  domain-controller: {addresses: [10.1.0.10]}\n" \
	"  edge: {addresses: [203.0.113.20]}\n"
#define WITH_PROXY COMPANY "  other-client: {addresses: [10.3.0.0/16]}\n  web-proxy: {addresses: [10.1.0.8]}\n"

#define OUT "10.1.0.7:50100 > 10.1.0.8:8080"
#define BACK "10.1.0.8:8080 > 10.1.0.7:50100"

static void say(struct wire *w, const char *tuple, const char *text)
{
	struct message m = message_text(text);

	talk_send(w, tuple, &m);
}

static void open_tunnel(struct wire *w, const char *host)
{
	char text[256];

	snprintf(text, sizeof(text), "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: board\r\n\r\n", host, host);
	talk_open(w, OUT);
	say(w, OUT, text);
	say(w, BACK, "HTTP/1.1 200 Connection established\r\n\r\n");
}

static void tls_inside(struct wire *w, const char *sni)
{
	struct message m = message_client_hello(sni, 0x0303);

	talk_send(w, OUT, &m);
	m = message_server_hello(0x0303, false);
	talk_send(w, BACK, &m);
	m = message_client_finish(false);
	talk_send(w, OUT, &m);
	m = message_server_finish();
	talk_send(w, BACK, &m);
	talk_close(w, OUT);
}

static void maestro(struct wire *w)
{
	open_tunnel(w, "config.maestro.starleaf.com:443");
	tls_inside(w, "config.maestro.starleaf.com");
}

static void maestro_asked_twice(struct wire *w)
{
	talk_open(w, OUT);
	say(w, OUT, "CONNECT config.maestro.starleaf.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
	say(w, BACK, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n");
	say(w, OUT, "CONNECT config.maestro.starleaf.com:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: NTLM T\r\n\r\n");
	say(w, BACK, "HTTP/1.1 200 OK\r\n\r\n");
	tls_inside(w, "config.maestro.starleaf.com");
}

static void maestro_forbidden(struct wire *w)
{
	talk_open(w, OUT);
	say(w, OUT, "CONNECT config.maestro.starleaf.com:443 HTTP/1.1\r\nHost: x\r\n\r\n");
	say(w, BACK, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	talk_close(w, OUT);
}

/* The name inside is another: it is the host asked for that the proxy goes to. */
static void maestro_inside_of_evil(struct wire *w)
{
	open_tunnel(w, "evil.example:443");
	tls_inside(w, "config.maestro.starleaf.com");
}

static void evil(struct wire *w)
{
	open_tunnel(w, "evil.example:443");
	tls_inside(w, "evil.example");
}

static void by_address(struct wire *w)
{
	open_tunnel(w, "10.1.0.44:443");
	tls_inside(w, NULL);
}

static void by_another_address(struct wire *w)
{
	open_tunnel(w, "198.51.100.4:443");
	tls_inside(w, NULL);
}

static void by_address_of_ipv6(struct wire *w)
{
	open_tunnel(w, "[2001:db8::66]:443");
	tls_inside(w, NULL);
}

static void ssh_to_port_22(struct wire *w)
{
	open_tunnel(w, "config.maestro.starleaf.com:22");
	say(w, BACK, "SSH-2.0-OpenSSH_9.2p1\r\n");
	say(w, OUT, "SSH-2.0-OpenSSH_8.4\r\n");
}

static void ssh_to_port_443(struct wire *w)
{
	open_tunnel(w, "config.maestro.starleaf.com:443");
	say(w, BACK, "SSH-2.0-OpenSSH_9.2p1\r\n");
	say(w, OUT, "SSH-2.0-OpenSSH_8.4\r\n");
}

static void sign_in(struct wire *w)
{
	open_tunnel(w, "adfs.corp.example:443");
	tls_inside(w, "adfs.corp.example");
}

static void relay(struct wire *w)
{
	struct message m = message_pseudo_tls_hello();

	open_tunnel(w, "203.0.113.20:443");
	talk_send(w, OUT, &m);
	m = message_pseudo_tls_answer();
	talk_send(w, BACK, &m);
}

static void get(struct wire *w, const char *url)
{
	char text[256];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: whatever.example\r\n\r\n", url);
	talk_open(w, OUT);
	say(w, OUT, text);
	say(w, BACK, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	talk_close(w, OUT);
}

static void autodiscovery(struct wire *w)
{
	get(w, "http://lyncdiscover.corp.example/?sipuri=board@corp.example");
}

static void ocsp(struct wire *w)
{
	get(w, "http://ocsp.example/MFYwVKAD");
}

static void its_ssh(struct wire *w)
{
	talk_ssh(w, "10.1.0.7:50100 > 10.1.0.8:22");
}

static void its_page(struct wire *w)
{
	talk_tls(w, "10.1.0.7:50100 > 10.1.0.8:8443", &(struct tls){.sni = "proxy.corp.example"});
}

static void refused(struct wire *w)
{
	talk_dns(w, "10.1.0.7:40000 > 10.1.0.53:53", &(struct dns_case){.name = "a.example", .type = DNS_A, .value = "192.0.2.1"});
	talk_refused(w, OUT);
}

static void forbidden_beside_dns(struct wire *w)
{
	talk_dns(w, "10.1.0.7:40000 > 10.1.0.53:53", &(struct dns_case){.name = "a.example", .type = DNS_A, .value = "192.0.2.1"});
	maestro_forbidden(w);
}

#define MAESTRO "documented unproven room.out.maestro why=role-unknown"

static void whoever_is_asked_for_is_the_peer(void **state)
{
	static const struct story stories[] = {
		{"maestro", maestro, "tcp out(syn) tls answered: " MAESTRO},
		{"the proxy wants to know who asks", maestro_asked_twice, "tcp out(syn) tls answered: " MAESTRO},
		{"the proxy says no", maestro_forbidden, "tcp out(syn) http refused: documented unproven room.out.maestro why=too-few-packets"},
		{"an SNI that lies", maestro_inside_of_evil, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"another host", evil, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"an address", by_address, "tcp out(syn) tls answered: " MAESTRO},
		{"another address", by_another_address, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"an address of IPv6", by_address_of_ipv6, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"port 22", ssh_to_port_22, "tcp out(syn) ssh answered: outside remote-port medium room.out.maestro"},
		{"SSH to port 443", ssh_to_port_443, "tcp out(syn) ssh answered: outside application high room.out.maestro"},
		{"sign-in", sign_in, "tcp out(syn) tls answered: documented unproven onprem.out.auth_https why=role-unknown"},
		{"relay", relay, "tcp out(syn) msturn answered: documented unproven external.out.turn_tcp why=role-unknown"},
		{"autodiscovery", autodiscovery, "tcp out(syn) http answered: documented unproven onprem.out.autodiscover why=role-unknown"},
		{"OCSP", ocsp, "tcp out(syn) http answered: outside peer low onprem.out.autodiscover"},
		{"SSH to the proxy itself", its_ssh, "tcp out(syn) ssh? answered: outside remote-port medium room.out.llmnr"},
	};

	assert_stories(WITH_PROXY, stories);
}

static void a_proxy_that_refuses_is_said_to(void **state)
{
	static const struct story stories[] = {
		{"refused", refused,
		 "udp out(request) dns answered: documented exact room.out.dns"
		 " | tcp out(syn) none refused: documented unproven refused medium room.out.maestro+onprem.out.autodiscover"
		 "+onprem.out.auth_https+onprem.out.sip+external.out.sip_tls+external.out.psom_tls+external.out.turn_tcp"
		 "+external.out.turn_3478 why=too-few-packets"},
		{"forbidden", forbidden_beside_dns,
		 "udp out(request) dns answered: documented exact room.out.dns"
		 " | tcp out(syn) http refused: documented unproven refused medium room.out.maestro why=too-few-packets"},
	};

	assert_stories(WITH_PROXY, stories);
}

static void a_proxy_that_nobody_listed_is_any_host(void **state)
{
	static const struct story stories[] = {
		{"maestro", maestro, "tcp out(syn) tls answered: outside application medium onprem.out.media_tcp"},
		{"autodiscovery", autodiscovery, "tcp out(syn) http answered: outside application medium onprem.out.media_tcp"},
		{"its page", its_page, "tcp out(syn) tls answered: undetermined onprem.out.psom why=encrypted"},
	};

	assert_stories(COMPANY, stories);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_is_asked_for_is_the_peer),
		cmocka_unit_test(a_proxy_that_refuses_is_said_to),
		cmocka_unit_test(a_proxy_that_nobody_listed_is_any_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
