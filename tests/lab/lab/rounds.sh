# rounds.sh - an office's ordinary day, quickly and again: documented flows by the hundred, none of
# which may be a finding. Sourced behind rows.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# round NUMBER
round() {
	local number=$1 unit label='a round of documented flows'
	seconds=2 media_talk "$label" boardroom $((50000 + number % 10 * 2)) $sfb_av $((52000 + number * 10)) audio documented exact online.out.audio
	seconds=2 media_talk "$label" boardroom $((50020 + number % 10 * 2)) $sfb_av $((52002 + number * 10)) srtp-video documented exact online.out.video
	seconds=2 media_talk "$label" huddle $((42000 + number * 2)) $client $((52004 + number * 10)) srtp-audio documented wide onprem.out.media_udp
	seconds=2 media_talk "$label" studio $((43000 + number * 2)) $edge $((52006 + number * 10)) audio documented exact external.out.edge_udp
	for unit in boardroom huddle studio pod; do
		for _ in 1 2 3 4 5 6; do
			dns_ask "$label" $unit $dns config.maestro.starleaf.com A documented exact room.out.dns app=dns
			dns_ask "$label" $unit $dns nobody.corp.example AAAA documented exact room.out.dns app=dns
		done
		for _ in 1 2; do
			web_get "$label" $unit https://config.maestro.starleaf.com/ $maestro documented exact room.out.maestro app=tls
		done
		[ $unit = pod ] || for _ in 1 2; do
			web_asked "$label" $unit "http://${ip4[$unit]}/status" documented exact room.in.control_api app=http
			web_asked "$label" $unit "https://${ip4[$unit]}/" documented exact room.in.web_ui app=tls
		done
	done
	web_get "$label" boardroom https://webdir.online.lync.com/ $sfb documented exact online.out.auth_https app=tls
	web_get "$label" boardroom https://login.microsoftonline.com/ $login documented exact online.out.auth_https app=tls
	web_get "$label" huddle http://lyncdiscover.corp.example/ $discover documented exact onprem.out.autodiscover app=http
	web_get "$label" huddle https://sts.corp.example/ $sts documented exact onprem.out.auth_https app=tls
	tls_talk "$label" huddle $fe 5061 fe01.corp.example documented exact onprem.out.sip app=tls -- -tls1_2
	tls_talk "$label" studio $edge 443 sip.corp.example documented unproven external.out.sip_tls app=tls
	expect 'onprem.out.kerberos over TCP' huddle "tcp * > $dc:88" documented exact onprem.out.kerberos app=kerberos
	act huddle sh -c "echo secret | KRB5_CONFIG=$work/krb5-tcp.conf KRB5CCNAME=$work/cc-round kinit unit"
	settle
}

rounds_all() {
	local number
	for ((number = 1; number <= rounds; number++)); do round $number; done
}
