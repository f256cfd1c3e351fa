# violations.sh - what no row allows, each as different from the others as the document lets it be: kind
# by the nearest row (README, "None fits"), severity by domain and README's table. Where a row is not
# named any may be nearest. Sourced behind rows.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# Media on wrong ports, to wrong ports, of the wrong kind, to the wrong host
violations_media() {
	media_talk 'audio from local port 50063' boardroom 50063 $sfb_av 50163 audio outside local-port medium online.out.audio
	media_talk 'video from an audio port' boardroom 50006 $sfb_av 50106 video outside media medium online.out.audio
	media_talk 'audio from a video port, SRTP' pod 50028 $sfb_av 50128 srtp-audio outside media medium online.out.video
	media_talk 'a screen as video over UDP' boardroom 50046 $sfb_av 50146 video outside local-port low online.out.video
	played 'sharing over UDP (builder)' boardroom "50044 - $sfb_av:50144" udp outside remote-port medium online.out.relay_udp \
		app=rtp media=data -- rtp 127 60
	played 'sharing over TCP from an audio port (builder)' boardroom "50011 > $sfb_av:50111" tcp outside media medium online.out.audio \
		app=rtp media=data -- rtp_tcp 127 60
	media_talk 'audio to a port below 50000' boardroom 50012 $sfb_av 40000 audio outside remote-port medium online.out.audio
	media_talk 'audio to a stranger' boardroom 50014 $stranger 50214 audio outside peer medium online.out.audio
	media_talk 'audio to the Edge below 50000' studio 37060 $edge 40060 audio outside remote-port medium external.out.turn_3478
	media_talk 'video to a stranger' huddle 36060 $stranger 36160 video outside peer medium onprem.out.media_udp
	turn_talk 'TURN at a server on no list' boardroom $stranger 3478 outside peer medium online.out.relay_udp
	turn_talk 'TURN at a server on no list, outside' studio $stranger 3478 outside peer medium external.out.turn_3478
	settle
}

# The right port, another application or another host
violations_application() {
	expect 'SSH where TLS is, on 443' boardroom "tcp * > $sfb_ssh:443" outside application high online.out.auth_https
	act boardroom ssh -n -F none -i "$work/user_key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p 443 root@$sfb_ssh true
	web_get 'plain HTTP on 443' boardroom http://plain.maestro.starleaf.com:443/ $maestro_http outside application high room.out.maestro app=http
	expect 'SIP in clear over UDP' huddle "udp * > $fe_sip:5060" outside application high onprem.out.media_udp app=sip
	act huddle sipp -sn uac $fe_sip:5060 -t u1 -i "${ip4[huddle]}" -m 1 -nostdin
	expect 'SIP in clear over TCP' huddle "tcp * > $fe:5060" outside application high onprem.out.media_tcp app=sip
	act huddle sipp -sn uac $fe:5060 -t t1 -i "${ip4[huddle]}" -m 1 -nostdin
	expect 'SIP in clear on 5061' huddle "tcp * > $fe_sip:5061" outside application high onprem.out.sip app=sip
	act huddle timeout 5 sipp -sn uac $fe_sip:5061 -t t1 -i "${ip4[huddle]}" -p 5999 -m 1 -nostdin
	tls_talk 'maestro by SNI at an address of nobody' boardroom $impostor 443 maestro.starleaf.com outside peer medium room.out.maestro app=tls
	tls_talk 'TLS to a Front End on no list' huddle $stranger 5061 sip.corp.example outside peer medium onprem.out.sip app=tls
	web_get 'HTTPS to a web site' boardroom https://www.example.org/ $stranger outside peer medium '*' app=tls
	web_get 'HTTP to another host' huddle http://ocsp.example.org/ $stranger outside peer low onprem.out.autodiscover app=http
	web_get 'HTTP where no row has port 80' boardroom http://crl.example.org/ $stranger outside service low '*' app=http
	sed "s/^kdc = .*/kdc = $stranger/" "$work/krb5.conf" >"$work/krb5-stranger.conf"
	expect 'Kerberos at a KDC on no list' huddle "udp * > $stranger:88" outside peer medium onprem.out.kerberos app=kerberos
	act huddle sh -c "echo secret | KRB5_CONFIG=$work/krb5-stranger.conf KRB5CCNAME=$work/cc3 kinit unit"
	dns_ask 'DNS at a foreign resolver' huddle $resolver www.example.org A outside peer medium room.out.dns app=dns
	settle
	expect 'DNS from a local port below 1024' huddle "udp 500 > $dns:53" outside local-port medium room.out.dns app=dns
	act huddle kdig +retry=0 -b "${ip4[huddle]}#500" @$dns sts.corp.example A
	settle
}

# Services no row lists (domain.md 7.2)
violations_services() {
	# Where the client's first words come first they are none of any row's, and three fields differ.
	expect 'SSH out' boardroom "tcp * > $stranger:22" outside 'peer|service' medium '*'
	act boardroom ssh -n -F none -i "$work/user_key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@$stranger true
	expect 'Telnet out' boardroom "tcp * > $stranger:23" outside 'peer|service' medium '*'
	act boardroom sh -c "{ sleep 1; echo; sleep 1; } | telnet $stranger"
	port_next
	expect 'DNS over TLS' boardroom "tcp $port > $stranger:853" outside peer medium '*' app=tls
	act boardroom kdig +tls +retry=0 -b "${ip4[boardroom]}#$port" @$stranger www.example.org A
	port_next
	expect 'DNS over QUIC' boardroom "udp $port > $stranger:853" outside peer medium room.out.dns
	act boardroom kdig +quic +retry=0 +time=2 -b "${ip4[boardroom]}#$port" @$stranger www.example.org A
	port_next
	expect 'QUIC to 443' boardroom "udp $port > $stranger:443" outside peer medium room.out.dns
	act boardroom kdig +quic +retry=0 +time=2 -p 443 -b "${ip4[boardroom]}#$port" @$stranger www.example.org A
	port_next
	expect 'DNS over HTTPS' boardroom "tcp $port > $stranger:443" outside peer medium '*' app=tls
	act boardroom kdig +https +retry=0 -b "${ip4[boardroom]}#$port" @$stranger www.example.org A
	expect 'NTP' boardroom "udp * > $stranger:123" outside peer low room.out.dns
	act boardroom chronyd -Q -d -U -u root -t 3 -f /dev/null "server $stranger iburst maxsamples 2" "pidfile $work/chrony-unit.pid" 'cmdport 0' 'bindcmdaddress /'
	expect 'mDNS sent by the unit' boardroom 'udp * > 224.0.0.251:5353' outside peer low room.out.dns
	act boardroom kdig +retry=0 +time=1 -p 5353 @224.0.0.251 _http._tcp.local PTR
	expect 'SSDP' boardroom 'udp * > 239.255.255.250:1900' outside peer low room.out.dns
	act boardroom sh -c "printf 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n' |
		socat - UDP4-SENDTO:239.255.255.250:1900"
	expect 'WS-Discovery' boardroom 'udp * > 239.255.255.250:3702' outside peer low room.out.dns
	act boardroom sh -c "echo '<soap:Envelope/>' | socat - UDP4-SENDTO:239.255.255.250:3702"
	expect 'NetBIOS names' boardroom 'udp * > 10.20.0.255:137' outside remote-port low room.out.llmnr
	act boardroom sh -c "printf '\\0001\\001\\020\\000\\001\\000\\000\\000\\000\\000\\000 FHEPFCELEHFCEPFFFACACACACACACABL\\000\\000 \\000\\001' |
		socat - UDP4-SENDTO:10.20.0.255:137,broadcast"
	expect 'SMB' boardroom "tcp * > $stranger:445" outside service medium '*'
	act boardroom curl -s -m 5 -u a:b smb://$stranger/share/file
	expect 'LDAP' boardroom "tcp * > $stranger:389" outside service medium '*'
	act boardroom curl -s -m 5 "ldap://$stranger/dc=example"
	expect 'a proxy that the site does not name' boardroom "tcp * > $stranger:8080" outside direction medium room.in.control_api app=http
	act boardroom curl -s -m 5 -x http://$stranger:8080 http://www.example.org/
	expect 'FTP' boardroom "tcp * > $stranger:21" outside 'peer|service' medium '*'
	act boardroom curl -s -m 5 ftp://$stranger/
	expect 'SMTP' boardroom "tcp * > $stranger:25" outside 'peer|service' medium '*'
	act boardroom curl -s -m 5 smtp://$stranger/
	expect 'remote desktop' boardroom "tcp * > $stranger:3389" outside service medium '*'
	act boardroom sh -c "printf '\\003\\000\\000\\023\\016\\340\\000\\000\\000\\000\\000\\001\\000\\010\\000\\003\\000\\000\\000' | socat -t2 - TCP4:$stranger:3389"
	expect 'TFTP' boardroom "udp * > $stranger:69" outside peer medium room.out.dns
	expect 'TFTP, its data' boardroom "udp * - $stranger:*" outside peer medium '*'
	act boardroom curl -s -m 5 tftp://$stranger/image
	expect 'syslog' boardroom "udp * > $stranger:514" outside peer medium room.out.dns
	act boardroom logger --udp -n $stranger -P 514 hello
	played 'SNMP (builder)' boardroom "23161 > $stranger:161" udp outside 'peer|service' medium '*' -- \
		udp 302602010104067075626c6963a019020400000001020100020100300b300906052b060102010500 3003020100
	tls_talk 'TLS to the Front End web services, no Front End' huddle $stranger 443 fe01.corp.example outside peer medium '*' app=tls
	expect 'DHCP from a port of its own (builder)' boardroom 'udp 1068 - 255.255.255.255:67' outside local-port low room.out.dhcp
	expect 'DHCP from a port of its own, the answer' boardroom 'udp 68 < 10.20.0.1:67' documented exact room.in.dhcp app=dhcp
	act_here "$B/tools/speak" "$(ns boardroom)" - '10.20.0.15:1068 > 255.255.255.255:67' dhcp "${mac[boardroom]}"
	settle
}

# What others open to the unit
violations_inbound() {
	local one
	expect 'SSH in, answered' boardroom "tcp 22 < 10.20.0.99:*" outside application high '*'
	act desk ssh -n -F none -i "$work/user_key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@10.20.0.15 true
	web_asked 'a touch port over IPv4' boardroom http://10.20.0.15:5000/ outside ip-version high touch.in.control
	inside "$(ns desk)" ip addr add 2001:db8:20::98/64 dev eth0 nodad
	port_next
	expect 'a touch port from no controller' boardroom "tcp 5000 < [2001:db8:20::98]:$port" outside peer high touch.in.control
	act desk sh -c "echo whatever | socat -t1 - 'TCP6:[${ip6[boardroom]}]:5000,bind=[2001:db8:20::98]:$port'"
	web_asked 'an undocumented port in, answered' huddle https://10.20.0.21:8443/ outside local-port high room.in.web_ui app=tls
	port=$((port + 1))
	expect 'a client port below 1024' huddle 'tcp 443 < 10.20.0.99:900' outside remote-port low room.in.web_ui app=tls
	act desk curl -sk -m 5 --local-port 900 https://10.20.0.21/
	expect 'the unit answers LLMNR' boardroom 'udp 5355 - 10.20.0.99:*' outside direction info room.out.llmnr app=llmnr
	act desk llmnr-query -I eth0 -T A boardroom
	expect 'the unit answers LLMNR, with rows open to any port' huddle 'udp 5355 - 10.20.0.99:*' outside '*' info '*' app=llmnr
	act desk llmnr-query -I eth0 -T A huddle
	# Two units: what is documented for the one that is asked is not for the one that asks.
	port_next
	expect 'a unit opens the web page of another' pod "tcp $port > 10.20.0.15:80" outside remote-port low '*' app=http
	expect '... which may be asked' boardroom "tcp 80 < ${ip4[pod]}:$port" documented exact room.in.control_api app=http
	act pod curl -s -m 5 --local-port $port http://10.20.0.15/
	for one in {7001..7025}; do
		expect 'a scan of closed ports' studio "tcp $one < 10.20.0.99:*" outside local-port low '*'
		act desk bash -c "exec 3<>/dev/tcp/10.20.0.22/$one"
	done
	settle
}

violations_all() {
	violations_media
	violations_application
	violations_services
	violations_inbound
}
