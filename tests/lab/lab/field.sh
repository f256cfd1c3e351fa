# field.sh - what the field sends besides: connections older than the watch, IPv6, fragments, addresses
# that come and go, a web proxy. Sourced behind rows.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# Begun before anybody looks, and going on for a while.
before_watch() {
	expect 'TLS older than the watch' studio "tcp 9443 > $edge:443" documented unproven external.out.sip_tls
	on studio sh -c '(for i in 1 2 3 4 5 6 7 8; do echo "line $i"; sleep 1; done) | openssl s_client -quiet -no_ign_eof -bind 10.20.0.22:9443 -connect "$1"' \
		s_client $edge:443 >>"$work/actions.log" 2>&1 &
	acting+=($!)
	expect 'audio older than the watch' boardroom "udp 50018 - $sfb_av:50118" documented exact online.out.audio app=rtp media=audio
	media_send boardroom $sfb_av 50118 50018 audio 1
	media_send world 10.20.0.15 50018 50118 audio 2 $sfb_av
	pause 1
}

field_ipv6() {
	tls_talk 'online.out.auth_https over IPv6' boardroom $sfb6 443 webdir.online.lync.com documented exact online.out.auth_https app=tls
	media_talk 'online.out.audio over IPv6 (ffmpeg)' boardroom 50016 $sfb6 50216 audio documented exact online.out.audio
	# Another address than those the site lists: its MAC is listed.
	inside "$(ns huddle)" ip addr add fd00:20::21/64 dev eth0 nodad
	inside "$(ns router)" ip addr add fd00:20::1/64 dev eth0 nodad
	port_next
	expect 'room.out.dns from an address on no list' huddle "udp $port > [$dns6]:53" documented exact room.out.dns app=dns
	act huddle kdig +notcp +retry=1 +time=2 -b "fd00:20::21#$port" @$dns6 fe01.corp.example A
}

# An answer longer than UDP takes is asked for again over TCP; video that no one packet carries.
field_sizes() {
	port_next
	expect 'room.out.dns, truncated' huddle "udp $port > $dns:53" documented exact room.out.dns app=dns
	expect 'room.out.dns, truncated, again over TCP' huddle "tcp $port > $dns:53" documented exact room.out.dns app=dns
	act huddle kdig +noedns +retry=1 +time=2 -b "${ip4[huddle]}#$port" @$dns long.corp.example TXT
	packet_size=2800 media_talk 'online.out.video in fragments (ffmpeg)' boardroom 50034 $sfb_av 50134 video documented exact online.out.video
}

field_proxy() {
	expect 'maestro through the web proxy (tinyproxy)' boardroom "tcp 9128 > $proxy:3128" documented unproven room.out.maestro
	act boardroom curl -sk -m 10 --local-port 9128 -x "http://$proxy:3128" https://config.maestro.starleaf.com/
	expect 'a web site through the web proxy' boardroom "tcp 9129 > $proxy:3128" outside peer medium '*'
	act boardroom curl -sk -m 10 --local-port 9129 -x "http://$proxy:3128" https://www.example.org/
}

field_others() {
	expect 'DTLS on a media port' boardroom "udp 50013 > $sfb_av:50116" outside application high online.out.audio app=dtls
	act boardroom sh -c 'echo | timeout 3 openssl s_client -dtls1_2 -bind 10.20.0.15:50013 -connect "$1"' s_client $sfb_av:50116
	expect 'a datagram to a closed port' huddle 'udp 9999 < 10.20.0.99:*' outside '*' low '*'
	act desk sh -c 'echo x | socat - UDP4-SENDTO:10.20.0.21:9999'
}

# pod takes another address, and the desk the one it had: what the desk does is not pod's.
field_lease() {
	local old=${ip4[pod]} new=10.20.0.149
	kill "$udhcpc"
	inside "$(ns pod)" ip addr flush dev eth0 scope global
	inside "$(ns pod)" ip addr add "${ip6[pod]}/64" dev eth0 nodad
	LEASE=$work/lease serve pod udhcpc2 udhcpc -f -i eth0 -r $new -s "$work/lease.sh" -t 5 -T 1
	within 10 grep -q "$new" "$work/lease" || return
	ip4[pod]=$new
	dns_ask 'room.out.dns from the new address' pod $dns config.maestro.starleaf.com A documented exact room.out.dns app=dns
	inside "$(ns desk)" ip addr add "$old/24" dev eth0
	port_next
	expect 'the desk at an address that was a unit'"'"'s' boardroom "tcp 80 < $old:$port" documented exact room.in.control_api app=http
	act desk curl -s -m 5 --interface "$old" --local-port $port http://10.20.0.15/
}

field_all() {
	field_ipv6
	field_sizes
	field_proxy
	field_others
	field_lease
	settle
}
