# servers.sh - every server of the lab, each a real program with a configuration of its own in $work:
# in the world beyond the router, on the units' segment, and in the units. Sourced behind network.sh.
#
#   servers_start           all of them; false, and says which does not listen
# shellcheck shell=bash disable=SC2154

certificates() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/O=Lab/CN=lab.corp.example' \
		-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null &&
		cat "$work/cert.pem" "$work/key.pem" >"$work/both.pem" &&
		ssh-keygen -q -t ed25519 -N '' -f "$work/host_key" && ssh-keygen -q -t ed25519 -N '' -f "$work/user_key"
}

# Our resolvers, and one that is nobody's and lies about the management server.
dns_start() {
	local common='no-resolv no-hosts no-daemon user=root group=root bind-interfaces no-poll'
	printf '%s\n' $common log-facility=- "listen-address=$dns,$dns6,$dns6_prohibited" "pid-file=$work/dns.pid" \
		"host-record=maestro.starleaf.com,config.maestro.starleaf.com,fw.maestro.starleaf.com,$maestro" \
		"host-record=closed.maestro.starleaf.com,$maestro_closed" "host-record=plain.maestro.starleaf.com,$maestro_http" \
		"host-record=lyncdiscover.corp.example,lyncdiscoverinternal.corp.example,autodiscover.corp.example,$discover" \
		"host-record=sts.corp.example,$sts" "host-record=fe01.corp.example,$fe" \
		"host-record=dc2.corp.example,$dc_silent" "host-record=fe03.corp.example,$fe_prohibited" \
		"host-record=av2.corp.example,$edge_silent" "host-record=access.corp.example,$edge_reset" \
		'cname=sip.corp.example,fe01.corp.example' 'srv-host=_sipinternaltls._tcp.corp.example,fe01.corp.example,5061' \
		"host-record=webdir.online.lync.com,sipdir.online.lync.com,$sfb" "host-record=login.microsoftonline.com,$login" \
		"txt-record=long.corp.example,$(printf 'x%.0s' {1..250}),$(printf 'y%.0s' {1..250}),$(printf 'z%.0s' {1..250})" \
		>"$work/dns.conf"
	printf '%s\n' $common log-facility=- "listen-address=$resolver" "pid-file=$work/resolver.pid" \
		"address=/maestro.starleaf.com/$impostor" >"$work/resolver.conf"
	# DHCP on the segment, and router advertisements; TFTP elsewhere.
	printf '%s\n' $common port=0 interface=eth0 "pid-file=$work/dhcp.pid" "dhcp-leasefile=$work/leases" no-ping \
		'dhcp-range=10.20.0.100,10.20.0.150,255.255.255.0,1h' "dhcp-option=option:dns-server,$dns,$dns_closed,$dns_silent" \
		'dhcp-range=2001:db8:20::,ra-only' enable-ra dhcp-authoritative >"$work/dhcp.conf"
	mkdir "$work/tftp" && echo firmware >"$work/tftp/image" || return
	printf '%s\n' $common port=0 "listen-address=$stranger" "pid-file=$work/tftp.pid" enable-tftp \
		"tftp-root=$work/tftp" >"$work/tftp.conf"
	serve world dns dnsmasq -C "$work/dns.conf"
	serve world resolver dnsmasq -C "$work/resolver.conf"
	serve world tftp dnsmasq -C "$work/tftp.conf"
	serve router dhcp dnsmasq -C "$work/dhcp.conf"
}

# nginx_conf DIR LISTEN...: LISTEN is address:port, with "s" before it for TLS
nginx_conf() {
	local dir=$1 one
	shift
	mkdir "$dir"
	printf '%s\n' "daemon off; user root; worker_processes 1; pid $dir/pid; error_log $dir/error.log;" \
		'events { worker_connections 512; }' 'http {' "access_log off; default_type text/plain;"
	for one in client_body proxy fastcgi uwsgi scgi; do echo "${one}_temp_path $dir/$one;"; done
	printf '%s\n' 'server {' "ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;"
	for one in "$@"; do
		case $one in
		s*) echo "listen ${one#s} ssl;" ;;
		*) echo "listen $one;" ;;
		esac
	done
	printf '%s\n' 'location / { return 200 "here is the lab\n"; }' '}' '}'
}

web_start() {
	local unit
	nginx_conf "$work/web" $discover:80 s$discover:443 s$sts:443 s$maestro:443 $maestro_http:443 s$sfb:443 s[$sfb6]:443 s$login:443 \
		s$impostor:443 $stranger:80 s$stranger:443 $stranger:8080 s$stranger:853 s$stranger:5061 $stranger:5985 \
		>"$work/web.conf"
	serve world web nginx -e "$work/web.errors" -c "$work/web.conf"
	for unit in boardroom huddle studio; do
		nginx_conf "$work/$unit.web" "${ip4[$unit]}:80" "s${ip4[$unit]}:443" "s${ip4[$unit]}:8443" \
			"[${ip6[$unit]}]:80" "s[${ip6[$unit]}]:443" "[${ip6[$unit]}]:5000" "s[${ip6[$unit]}]:5152" \
			"[${ip6[$unit]}]:23456" "[${ip6[$unit]}]:69" "${ip4[$unit]}:5000" >"$work/$unit.conf"
		serve $unit $unit.nginx nginx -e "$work/$unit.errors" -c "$work/$unit.conf"
	done
}

# TLS whose inside is another matter: SIP with client certificates, PSOM, the Access Edge.
tls_start() {
	local tls=(openssl s_server -quiet -cert "$work/cert.pem" -key "$work/key.pem")
	serve world fe "${tls[@]}" -tls1_2 -Verify 1 -CAfile "$work/cert.pem" -accept $fe:5061
	serve world psom "${tls[@]}" -accept $fe:8057
	serve world edge openssl s_server -rev -cert "$work/cert.pem" -key "$work/key.pem" -tls1_2 -accept $edge:443
	serve world dtls "${tls[@]}" -dtls1_2 -accept $sfb_av:50116
	# sipp of Debian knows no TLS: it is put into socat's.
	serve world sip sipp -sn uas -t t1 -i 127.0.0.1 -p 5066 -nostdin -trace_err -error_file "$work/sip.errors"
	serve world sip-tls socat "OPENSSL-LISTEN:5061,bind=$fe_sip,fork,reuseaddr,cert=$work/both.pem,verify=0" TCP4:127.0.0.1:5066
	serve world sip-clear sipp -sn uas -t u1 -i $fe_sip -p 5060 -nostdin -trace_err -error_file "$work/sip-clear.errors"
	serve world sip-clear-tcp sipp -sn uas -t t1 -i $fe -p 5060 -nostdin -trace_err -error_file "$work/sip-clear-tcp.errors"
}

# turn NAME ARG...
turn() {
	local name=$1
	shift
	serve world "$name" turnserver -n --lt-cred-mech --realm=lab --user=unit:secret --no-cli --no-tls --no-dtls \
		--cert="$work/cert.pem" --pkey="$work/key.pem" --pidfile="$work/$name.pid" --userdb="$work/$name.db" \
		--log-file=stdout --no-multicast-peers --cli-password=x "$@"
}

relays_start() {
	turn relay -L $sfb_relay -p 3478 --alt-listening-port=0 --aux-server=$sfb_relay:3479 --aux-server=$sfb_relay:3480 --aux-server=$sfb_relay:3481 \
		--aux-server=$sfb_relay:443 --min-port=50000 --max-port=50499
	turn edge-av -L $edge_av -p 3478 --aux-server=$edge_av:443 --min-port=50500 --max-port=50999
	turn relay-stranger -L $stranger -p 3478 --min-port=51000 --max-port=51499
	serve world peer turnutils_peer -L $relayed -p 3480
}

kdc_start() {
	export KRB5_CONFIG=$work/krb5.conf KRB5_KDC_PROFILE=$work/kdc.conf
	printf '%s\n' '[libdefaults]' 'default_realm = CORP.EXAMPLE' 'dns_lookup_kdc = false' 'dns_lookup_realm = false' \
		'rdns = false' '[realms]' 'CORP.EXAMPLE = {' "kdc = $dc" '}' >"$KRB5_CONFIG"
	printf '%s\n' '[realms]' 'CORP.EXAMPLE = {' "database_name = $work/krb5" "key_stash_file = $work/stash" \
		"kdc_listen = $dc:88, $stranger:88" "kdc_tcp_listen = $dc:88, $stranger:88" '}' >"$KRB5_KDC_PROFILE"
	kdb5_util create -s -P master >"$work/kdb.log" 2>&1 && kadmin.local -q 'addprinc -pw secret unit' >>"$work/kdb.log" 2>&1 ||
		return
	serve world kdc krb5kdc -n
}

# sshd wants /run/sshd to lock itself up in: it is given a /run of its own.
sshd_at() {
	serve "$1" "$2" unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"' sh "$(command -v sshd)" \
		-D -e -f "$work/sshd.conf" -o "ListenAddress $3"
}

ssh_start() {
	printf '%s\n' "HostKey $work/host_key" "AuthorizedKeysFile $work/user_key.pub" 'StrictModes no' 'UsePAM no' \
		'PermitRootLogin yes' 'PidFile none' 'UseDNS no' >"$work/sshd.conf"
	sshd_at world ssh-stranger $stranger:22
	sshd_at world ssh-443 $sfb_ssh:443
	sshd_at boardroom ssh-unit "${ip4[boardroom]}:22"
}

others_start() {
	serve world telnet socat "TCP-LISTEN:23,bind=$stranger,fork,reuseaddr" 'EXEC:telnetd -E "echo here is the lab",pty,raw'
	printf '%s\n' 'local stratum 8' allow "bindaddress $stranger" 'cmdport 0' "pidfile $work/chronyd.pid" \
		'bindcmdaddress /' "driftfile $work/drift" >"$work/chrony.conf"
	serve world ntp chronyd -x -d -U -u root -f "$work/chrony.conf"
	printf '%s\n' "Port 3128" "Listen $proxy" 'Timeout 20' "LogFile \"$work/tinyproxy.out\"" 'ConnectPort 443' >"$work/proxy.conf"
	printf '%s\n' "$maestro config.maestro.starleaf.com" "$stranger www.example.org" >"$work/hosts"
	serve world proxy unshare -m sh -c 'mount --bind "$1" /etc/hosts && exec tinyproxy -d -c "$2"' sh "$work/hosts" "$work/proxy.conf"
	serve desk llmnr-desk llmnrd -H printer -i eth0 -6
	serve huddle llmnr-huddle llmnrd -H huddle -i eth0 -6
	serve boardroom llmnr-boardroom llmnrd -H boardroom -i eth0 -6
	# Some greet their client, some wait for it: both say little that makes sense.
	for one in 21 25; do
		serve world "any-$one" socat "TCP-LISTEN:$one,bind=$stranger,fork,reuseaddr" 'SYSTEM:echo 220 lab; timeout 2 cat'
	done
	for one in 389 445 3389; do
		serve world "any-$one" socat "TCP-LISTEN:$one,bind=$stranger,fork,reuseaddr" 'SYSTEM:timeout 2 cat'
	done
}

# HOST tcp|udp ADDRESS:PORT: as the kernel lists it
listens() { inside "$(ns "$1")" ss -Hln$([ "$2" = tcp ] && echo t || echo u) "src $3" | grep -q .; }

servers_start() {
	local one
	certificates && dns_start && web_start && tls_start && relays_start && kdc_start && ssh_start && others_start || return
	for one in "world udp $dns:53" "world udp [$dns6]:53" "world udp $resolver:53" 'router udp 0.0.0.0:67' "world tcp $discover:80" \
		"world tcp $stranger:853" 'boardroom tcp 10.20.0.15:80' 'huddle tcp 10.20.0.21:443' 'studio tcp 10.20.0.22:443' \
		"world tcp $fe:5061" "world tcp $fe:8057" "world tcp $edge:443" "world tcp $fe_sip:5061" "world udp $fe_sip:5060" \
		"world tcp $fe:5060" "world udp $sfb_relay:3478" "world udp $sfb_relay:3481" "world tcp $sfb_relay:443" \
		"world udp $edge_av:3478" "world tcp $edge_av:443" "world udp $stranger:3478" "world udp $relayed:3480" \
		"world udp $dc:88" "world tcp $dc:88" "world tcp $stranger:22" "world tcp $sfb_ssh:443" 'boardroom tcp 10.20.0.15:22' \
		"world tcp $stranger:23" "world udp $stranger:123" "world udp $stranger:69" "world tcp $stranger:445" \
		"world tcp $proxy:3128" "world udp $sfb_av:50116" "world tcp [$sfb6]:443"; do
		# shellcheck disable=SC2086 # three words
		within $((10 * SLOW)) listens $one || {
			echo "nobody listens: $one"
			return 1
		}
	done
}
