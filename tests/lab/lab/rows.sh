# rows.sh - every documented row, each spoken by a real program where there is one; what only a builder
# (tests/tools/speak.c, over real sockets) can speak says so in its label. Grades by the README's table:
# `exact` for a proven peer and an application a dissector proves, `wide` where both port ranges are open,
# `unproven` for what is inside TLS and for a peer that only its own word names.
# shellcheck shell=bash disable=SC2034,SC2154

# pod gets its address: broadcast both ways of a client without one, then renewed by unicast.
lease_first() {
	cat >"$work/lease.sh" <<-'END'
		#!/bin/sh
		case $1 in
		bound | renew) ip addr replace "$ip/24" dev "$interface" && ip route replace default via "$router" ;;
		esac
		[ "$1" != bound ] || echo "$ip" >"$LEASE"
	END
	chmod +x "$work/lease.sh"
	expect 'room.out.dhcp (udhcpc, dnsmasq)' pod 'udp 68 > 255.255.255.255:67' documented exact room.out.dhcp app=dhcp
	expect 'room.in.dhcp (dnsmasq)' pod 'udp 68 < 10.20.0.1:67' documented exact room.in.dhcp app=dhcp
	LEASE=$work/lease serve pod udhcpc udhcpc -f -i eth0 -s "$work/lease.sh" -t 5 -T 1
	udhcpc=$!
	within 10 test -s "$work/lease" || return
	ip4[pod]=$(cat "$work/lease")
}

# Before any resolver of ours has bound the name: its own word alone, which is never proof.
maestro_unbound() {
	dns_ask 'the foreign resolver is asked for maestro' pod $resolver maestro.starleaf.com A outside peer medium room.out.dns app=dns
	settle
	tls_talk 'maestro by the foreign resolver, before ours was asked' pod $impostor 443 maestro.starleaf.com \
		documented unproven room.out.maestro app=tls
	settle
	pause 6 # a closed connection is over after 5 s, and judged by what was known until then
}

# names UNIT NAME...: binds each to its address, for that unit
names() {
	local unit=$1 name
	shift
	for name in "$@"; do dns_ask 'room.out.dns (kdig, dnsmasq)' $unit $dns "$name" A documented exact room.out.dns app=dns; done
}

rows_room() {
	local unit
	names boardroom config.maestro.starleaf.com fw.maestro.starleaf.com maestro.starleaf.com closed.maestro.starleaf.com \
		plain.maestro.starleaf.com webdir.online.lync.com sipdir.online.lync.com login.microsoftonline.com
	names huddle config.maestro.starleaf.com lyncdiscover.corp.example lyncdiscoverinternal.corp.example \
		autodiscover.corp.example sts.corp.example fe01.corp.example sip.corp.example nobody.corp.example \
		dc2.corp.example fe03.corp.example
	names studio config.maestro.starleaf.com maestro.starleaf.com lyncdiscover.corp.example av2.corp.example access.corp.example
	names pod config.maestro.starleaf.com maestro.starleaf.com webdir.online.lync.com
	dns_ask 'room.out.dns over TCP' huddle $dns _sipinternaltls._tcp.corp.example SRV tcp documented exact room.out.dns app=dns
	dns_ask 'room.out.dns over TCP, where UDP is forbidden' boardroom $dns6_prohibited fw.maestro.starleaf.com A tcp \
		documented exact room.out.dns app=dns
	dns_ask 'room.out.dns over IPv6' boardroom $dns6 fw.maestro.starleaf.com A documented exact room.out.dns app=dns
	settle
	for unit in boardroom huddle studio pod; do
		tls_talk 'room.out.maestro (openssl, nginx)' $unit $maestro 443 config.maestro.starleaf.com \
			documented exact room.out.maestro app=tls
	done
	tls_talk 'room.out.maestro, TLS 1.2' boardroom $maestro 443 fw.maestro.starleaf.com documented exact room.out.maestro app=tls -- -tls1_2
	web_get 'room.out.maestro (curl)' boardroom https://maestro.starleaf.com/ $maestro documented exact room.out.maestro app=tls
	for unit in boardroom huddle studio; do
		web_asked 'room.in.control_api (curl, nginx)' $unit "http://${ip4[$unit]}/api" documented exact room.in.control_api app=http
		web_asked 'room.in.web_ui (curl, nginx)' $unit "https://${ip4[$unit]}/" documented exact room.in.web_ui app=tls
	done
	web_asked 'room.in.control_api over IPv6' huddle "http://[${ip6[huddle]}]/api" documented exact room.in.control_api app=http
	expect 'room.out.llmnr (llmnr-query)' studio 'udp * > 224.0.0.252:5355' documented exact room.out.llmnr app=llmnr
	expect 'room.out.llmnr, the answer (llmnrd)' studio 'udp * - 10.20.0.99:5355' documented exact room.out.llmnr app=llmnr
	act studio llmnr-query -I eth0 -T A printer
	expect 'room.out.llmnr over IPv6' boardroom 'udp * > [ff02::1:3]:5355' documented exact room.out.llmnr app=llmnr
	expect 'room.out.llmnr over IPv6' boardroom 'udp * - *:5355' documented exact room.out.llmnr app=llmnr
	act boardroom llmnr-query -6 -I eth0 -T AAAA printer
	settle
	# The lease is renewed by unicast, between the ports of the answer that gave it.
	kill -USR1 "$udhcpc"
}

rows_onprem() {
	web_get 'onprem.out.autodiscover (curl, nginx)' huddle http://lyncdiscover.corp.example/?sipuri=sip:a@corp.example $discover \
		documented exact onprem.out.autodiscover app=http
	web_get 'onprem.out.autodiscover (curl, nginx)' huddle http://autodiscover.corp.example/autodiscover/autodiscover.xml $discover \
		documented exact onprem.out.autodiscover app=http
	expect 'onprem.out.kerberos (kinit, krb5kdc)' huddle "udp * > $dc:88" documented exact onprem.out.kerberos app=kerberos
	act huddle sh -c "echo secret | KRB5CCNAME=$work/cc1 kinit unit"
	expect 'onprem.out.kerberos over TCP' huddle "tcp * > $dc:88" documented exact onprem.out.kerberos app=kerberos
	sed '/rdns/a udp_preference_limit = 1' "$work/krb5.conf" >"$work/krb5-tcp.conf"
	act huddle sh -c "echo secret | KRB5_CONFIG=$work/krb5-tcp.conf KRB5CCNAME=$work/cc2 kinit unit"
	web_get 'onprem.out.auth_https (curl, nginx)' huddle https://sts.corp.example/adfs/ls $sts documented exact onprem.out.auth_https app=tls
	web_get 'onprem.out.auth_https, HTTPS to autodiscover' huddle https://lyncdiscover.corp.example/ $discover \
		documented exact onprem.out.auth_https app=tls
	tls_talk 'onprem.out.sip (openssl, mutual TLS)' huddle $fe 5061 fe01.corp.example documented exact onprem.out.sip app=tls -- \
		-tls1_2 -cert "$work/cert.pem" -key "$work/key.pem"
	port_next
	expect 'onprem.out.sip (sipp in TLS by socat)' huddle "tcp $port > $fe_sip:5061" documented exact onprem.out.sip app=tls
	serve huddle sip-client socat TCP4-LISTEN:5070,bind=127.0.0.1,reuseaddr "OPENSSL:$fe_sip:5061,verify=0,bind=${ip4[huddle]}:$port"
	within 5 listens huddle tcp 127.0.0.1:5070
	act huddle sipp -sn uac 127.0.0.1:5070 -t t1 -i 127.0.0.1 -m 1 -nostdin
	tls_talk 'onprem.out.psom (openssl, TLS to 8057)' huddle $fe 8057 fe01.corp.example documented wide onprem.out.psom app=tls
	turn_talk 'onprem.out.turn_udp (turnutils_uclient, coturn)' huddle $edge_av 3478 documented exact onprem.out.turn_udp
	played 'onprem.out.turn_udp, MS-TURN (builder)' huddle "33000 > $edge:3478" udp documented exact onprem.out.turn_udp app=msturn \
		-- msturn 192.0.2.70:50010 104 40
	rtcp=1 media_talk 'onprem.out.media_udp (ffmpeg)' huddle 36000 $fe 49160 audio documented wide onprem.out.media_udp
	media_talk 'onprem.out.media_udp, video (ffmpeg)' huddle 36010 $fe 49170 video documented wide onprem.out.media_udp
	media_talk 'onprem.out.media_udp, SRTP to a client (ffmpeg)' huddle 36020 $client 36120 srtp-audio documented wide onprem.out.media_udp
	played 'onprem.out.media_tcp (builder)' huddle "36030 > $fe:49180" tcp documented wide onprem.out.media_tcp app=rtp media=audio \
		-- rtp_tcp 104 60
	played 'onprem.out.media_tcp, sharing (builder)' huddle "36031 > $client:49181" tcp documented wide onprem.out.media_tcp app=rtp media=data \
		-- rtp_tcp 127 60
	played 'onprem.out.media_tcp, opened by the peer (builder)' huddle "36032 < $client:49182" tcp documented wide onprem.out.media_tcp \
		app=rtp media=audio -- rtp_tcp 104 60
	settle
}

# turn_talk LABEL UNIT SERVER PORT [tcp] WHAT...: an allocation, a channel and data through it
turn_talk() {
	local label=$1 unit=$2 server=$3 remote=$4 transport=udp flags=()
	shift 4
	[ "$1" != tcp ] || { transport=tcp flags=(-t) && shift; }
	expect "$label" $unit "$transport * > $server:$remote" "$@" 'app=stun|turn-channel'
	act $unit turnutils_uclient "${flags[@]}" -u unit -w secret -L "${ip4[$unit]}" -e $relayed -r 3480 -n 10 -m 1 -l 160 -c -p $remote $server
}

rows_external() {
	tls_talk 'external.out.sip_tls (openssl)' studio $edge 443 sip.corp.example documented unproven external.out.sip_tls app=tls -- -tls1_2
	tls_talk 'external.out.psom_tls (openssl)' studio $edge 443 webconf.corp.example documented unproven external.out.psom_tls app=tls
	turn_talk 'external.out.turn_tcp (turnutils_uclient, coturn)' studio $edge_av 443 tcp documented exact external.out.turn_tcp
	played 'external.out.turn_tcp, pseudo-TLS (builder)' studio "33002 > $edge_ms:443" tcp documented exact external.out.turn_tcp \
		app=msturn -- msturn_tcp 192.0.2.70:50010 104 40 pseudo
	turn_talk 'external.out.turn_3478 (turnutils_uclient, coturn)' studio $edge_av 3478 documented exact external.out.turn_3478
	turn_talk 'external.out.turn_3478 over TCP, as written' studio $edge_av 3478 tcp documented exact external.out.turn_3478
	media_talk 'external.out.peer_udp (ffmpeg)' studio 37000 $client 37100 audio documented wide external.out.peer_udp
	media_talk 'external.out.peer_udp, SRTP video (ffmpeg)' studio 37010 $client 37110 srtp-video documented wide external.out.peer_udp
	played 'external.out.peer_tcp (builder)' studio "37020 > $client:37120" tcp documented wide external.out.peer_tcp app=rtp media=audio \
		-- rtp_tcp 104 60
	played 'external.out.peer_tcp, opened by the peer (builder)' studio "37021 < $client:37121" tcp documented wide external.out.peer_tcp \
		app=rtp media=data -- rtp_tcp 127 60
	rtcp=1 media_talk 'external.out.edge_udp (ffmpeg)' studio 37030 $edge 50600 audio documented exact external.out.edge_udp
	media_talk 'external.out.edge_udp, video (ffmpeg)' studio 37040 $edge 50610 video documented exact external.out.edge_udp
	played 'external.out.edge_tcp (builder)' studio "37050 > $edge:50620" tcp documented exact external.out.edge_tcp app=rtp media=data \
		-- rtp_tcp 127 60
	settle
}

rows_online() {
	local remote
	web_get 'online.out.auth_https (curl, nginx)' boardroom https://login.microsoftonline.com/ $login documented exact online.out.auth_https app=tls
	tls_talk 'online.out.auth_https (openssl)' boardroom $sfb 443 webdir.online.lync.com documented exact online.out.auth_https app=tls
	tls_talk 'online.out.sip_tls (openssl)' boardroom $sfb 443 sipdir.online.lync.com documented exact online.out.sip_tls app=tls
	tls_talk 'online.out.psom_tls (openssl)' boardroom $sfb 443 webdir.online.lync.com documented exact online.out.psom_tls app=tls
	turn_talk 'online.out.relay_tcp (turnutils_uclient, coturn)' boardroom $sfb_relay 443 tcp documented exact online.out.relay_tcp
	played 'online.out.relay_tcp, pseudo-TLS (builder)' boardroom "50005 > $sfb_av:443" tcp documented exact online.out.relay_tcp \
		app=msturn -- msturn_tcp 192.0.2.70:50010 127 40 pseudo
	for remote in 3478 3479 3480 3481; do
		turn_talk 'online.out.relay_udp (turnutils_uclient, coturn)' boardroom $sfb_relay $remote documented exact online.out.relay_udp
		played 'online.out.relay_udp, MS-TURN (builder)' boardroom "$((50010 + remote)) > $sfb_av:$remote" udp \
			documented exact online.out.relay_udp app=msturn -- msturn 192.0.2.70:50010 104 40
	done
	rtcp=1 media_talk 'online.out.audio (ffmpeg)' boardroom 50000 $sfb_av 50100 audio documented exact online.out.audio
	audio_type=104 media_talk 'online.out.audio, SILK to a client (ffmpeg)' boardroom 50002 $client 50102 audio documented exact online.out.audio
	media_talk 'online.out.audio, SRTP (ffmpeg)' pod 50004 $sfb_av 50104 srtp-audio documented exact online.out.audio
	rtcp=1 media_talk 'online.out.video (ffmpeg)' boardroom 50020 $sfb_av 50120 video documented exact online.out.video
	video_type=105 media_talk 'online.out.video, by its shape (ffmpeg)' boardroom 50024 $sfb_av 50124 video documented exact online.out.video
	media_talk 'online.out.video, SRTP (ffmpeg)' pod 50026 $client 50126 srtp-video documented exact online.out.video
	played 'online.out.audio, checks before it (builder)' pod "50008 > $sfb_av:50108" udp documented exact online.out.audio app=rtp media=audio \
		-- rtp 104 60 ice
	played 'online.out.audio over TCP (builder)' boardroom "50009 > $sfb_av:50109" tcp documented exact online.out.audio app=rtp media=audio \
		-- rtp_tcp 104 60
	played 'online.out.appshare (builder)' boardroom "50040 > $sfb_av:50140" tcp documented exact online.out.appshare app=rtp media=data \
		-- rtp_tcp 127 60
	played 'online.in.audio (builder)' boardroom "50010 < $client:50110" tcp documented exact online.in.audio app=rtp media=audio \
		-- rtp_tcp 104 60
	played 'online.in.video (builder)' boardroom "50030 < $client:50130" tcp documented exact online.in.video app=rtp media=video \
		-- rtp_tcp 122 60
	played 'online.in.appshare (builder)' boardroom "50041 < $sfb_av:50141" tcp documented exact online.in.appshare app=rtp media=data \
		-- rtp_tcp 127 60
	settle
}

rows_touch() {
	local at="[${ip6[boardroom]}]" one
	for one in http://$at:5000 https://$at:5152 http://$at:23456 http://$at:69 https://$at:443; do
		web_asked 'touch.in.control (curl, nginx)' boardroom "$one/" documented exact touch.in.control
	done
	settle
}

rows_all() {
	maestro_unbound
	rows_room
	rows_onprem
	rows_external
	rows_online
	rows_touch
}
