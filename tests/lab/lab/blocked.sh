# blocked.sh - documented rows that the network does not carry: swallowed, forbidden by a router that says
# so, refused by the peer or by a firewall in its name. Each unit has talked before. Sourced behind rows.sh.
# shellcheck shell=bash disable=SC2034,SC2154

blocked_all() {
	sed "s/^kdc = .*/kdc = $dc_silent/" "$work/krb5.conf" >"$work/krb5-silent.conf"
	expect 'Kerberos is swallowed' huddle "udp * > $dc_silent:88" documented exact onprem.out.kerberos blocked-silent app=kerberos
	expect 'Kerberos is swallowed, TCP' huddle "tcp * > $dc_silent:88" documented unproven onprem.out.kerberos blocked-silent
	act huddle sh -c "echo secret | KRB5_CONFIG=$work/krb5-silent.conf KRB5CCNAME=$work/cc4 kinit unit"
	tls_talk 'HTTPS is swallowed' boardroom $sfb_silent 443 webdir.online.lync.com documented unproven online.out.auth_https blocked-silent
	dns_ask 'DNS is swallowed' huddle $dns_silent sts.corp.example A documented exact room.out.dns blocked-silent app=dns
	expect 'TURN is swallowed' studio "udp * > $edge_silent:3478" documented exact external.out.turn_3478 blocked-silent app=stun
	act studio timeout 8 turnutils_uclient -u unit -w secret -L 10.20.0.22 -e $relayed -r 3480 -n 5 -m 1 -p 3478 $edge_silent
	tls_talk 'SIP is forbidden by the router' huddle $fe_prohibited 5061 fe01.corp.example documented unproven onprem.out.sip blocked-prohibited
	dns_ask 'DNS over IPv6 is forbidden by the router' boardroom $dns6_prohibited fw.maestro.starleaf.com A \
		documented exact room.out.dns blocked-prohibited app=dns
	tls_talk 'a firewall resets TLS to the Edge' studio $edge_reset 443 sip.corp.example documented unproven external.out.sip_tls refused
	tls_talk 'nobody listens at maestro' boardroom $maestro_closed 443 closed.maestro.starleaf.com documented unproven room.out.maestro refused
	dns_ask 'nobody listens at the resolver' huddle $dns_closed sts.corp.example A documented exact room.out.dns refused app=dns
	web_asked 'nobody listens in the unit' pod "http://${ip4[pod]}/" documented unproven room.in.control_api refused
	settle
}
