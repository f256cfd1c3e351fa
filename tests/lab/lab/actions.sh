# actions.sh - how a unit or its desk speaks: each writes what the monitor must say of it, then does it,
# in the background; `settle` waits for all. Sourced behind expect.sh.
#
#   act HOST CMD...                 in the background; at most $together at once
#   settle                          until all that was begun is done
#   port_next                       sets $port, a local port nobody had
#   ask, tls, web, speak_...        see below
# shellcheck shell=bash disable=SC2034,SC2154

together=12 acting=() port=10000

act() {
	local host=$1
	shift
	while [ ${#acting[@]} -ge $together ]; do
		wait "${acting[0]}"
		acting=("${acting[@]:1}")
	done
	on "$host" "$@" >>"$work/actions.log" 2>&1 &
	acting+=($!)
}

settle() {
	[ ${#acting[@]} = 0 ] || wait "${acting[@]}"
	acting=()
}

# Below the ports that a kernel gives.
port_next() { port=$((port + 1)); }

# dns_ask LABEL UNIT SERVER NAME TYPE [tcp] WHAT...
dns_ask() {
	local label=$1 unit=$2 server=$3 name=$4 type=$5 transport=udp flag=notcp
	shift 5
	[ "$1" != tcp ] || { transport=tcp flag=tcp && shift; }
	port_next
	expect "$label" $unit "$transport $port > [$server]:53" "$@"
	case $server in
	*:*) act $unit kdig +$flag +retry=1 +time=2 -b "${ip6[$unit]}#$port" "@$server" "$name" "$type" ;;
	*) act $unit kdig +$flag +retry=1 +time=2 -b "${ip4[$unit]}#$port" "@$server" "$name" "$type" ;;
	esac
}

# tls_talk LABEL UNIT ADDRESS PORT SNI WHAT... [-- s_client's options]
tls_talk() {
	local label=$1 unit=$2 addr=$3 remote=$4 sni=$5 what=() mine=${ip4[$2]}
	shift 5
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		what+=("$1")
		shift
	done
	[ $# = 0 ] || shift
	port_next
	case $addr in *:*) mine="[${ip6[$unit]}]" addr="[$addr]" ;; esac
	expect "$label" $unit "tcp $port > $addr:$remote" "${what[@]}"
	# Some data, then the end: s_client ends with its input.
	act $unit sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | timeout 10 openssl s_client "$@"' s_client \
		-bind "$mine:$port" -connect "$addr:$remote" ${sni:+-servername "$sni"} "$@"
}

# web_get LABEL UNIT URL ADDRESS WHAT...: the name in the URL is at that address
web_get() {
	local label=$1 unit=$2 url=$3 addr=$4 remote
	shift 4
	remote=$(url_port "$url")
	port_next
	expect "$label" $unit "tcp $port > $addr:$remote" "$@"
	act $unit curl -sk -m 10 --local-port $port --connect-to "::$addr:$remote" "$url"
}

url_port() {
	local host=${1#*://}
	host=${host%%/*}
	if [[ $host =~ :([0-9]+)$ && $host != *] ]]; then
		echo "${BASH_REMATCH[1]}"
	elif [[ $1 == https:* ]]; then
		echo 443
	else
		echo 80
	fi
}

# web_asked LABEL UNIT URL-OF-THE-UNIT WHAT... [-- curl's options]: from the desk
web_asked() {
	local label=$1 unit=$2 url=$3 what=() addr=${ip4[desk]} rest
	shift 3
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		what+=("$1")
		shift
	done
	[ $# = 0 ] || shift
	case $url in *://\[*) addr="[${ip6[desk]}]" ;; esac
	port_next
	expect "$label" $unit "tcp $(url_port "$url") < $addr:$port" "${what[@]}"
	act desk curl -sk -m 10 --local-port $port "$@" "$url"
}

# media_talk LABEL UNIT LOCAL-PORT REMOTE REMOTE-PORT audio|video|srtp-audio|srtp-video WHAT...: ffmpeg at both ends
media_talk() {
	local label=$1 unit=$2 local=$3 addr=$4 remote=$5 kind=$6 mine=${ip4[$2]}
	shift 6
	case $addr in *:*) mine="[${ip6[$unit]}]" addr="[$addr]" ;; esac
	expect "$label" $unit "udp $local - $addr:$remote" "$@" app=rtp media=${kind#srtp-}
	[ -z "${rtcp-}" ] || expect "$label" $unit "udp $((local + 1)) - $addr:$((remote + 1))" "$@" app=rtcp
	media_send $unit "$addr" $remote $local $kind 1
	media_send world "$mine" $local $remote $kind 2 "${addr//[][]/}"
}

# media_send HOST TO TO-PORT FROM-PORT KIND SSRC [FROM]: with RTCP, on the ports above, only if $rtcp is set
media_send() {
	local host=$1 to=$2 remote=$3 local=$4 kind=$5 ssrc=$6 from=${7-} scheme=rtp secret=()
	local source=() codec=() flags=skip_rtcp size=1200
	[ -z "${rtcp-}" ] || flags=send_bye
	case $kind in
	*audio)
		source=(-f lavfi -i 'sine=frequency=300:sample_rate=8000')
		codec=(-c:a pcm_mulaw -payload_type "${audio_type:-0}")
		size=172 # 20 ms
		;;
	*video)
		source=(-f lavfi -i 'testsrc=size=640x360:rate=25')
		size=${packet_size:-1200}
		codec=(-c:v libx264 -preset ultrafast -tune zerolatency -b:v 1500k -threads 1 -payload_type "${video_type:-122}")
		;;
	esac
	case $kind in
	srtp*)
		scheme=srtp
		secret=(-srtp_out_suite AES_CM_128_HMAC_SHA1_80 -srtp_out_params 2SmEYCJpl2hgnBZvmPhIRlQPHg0nlFoSHPlvTEFT)
		;;
	esac
	act $host ffmpeg -nostdin -loglevel error -re "${source[@]}" -t "${seconds:-3}" "${codec[@]}" -ssrc $ssrc$local \
		"${secret[@]}" -rtpflags $flags -f rtp "$scheme://$to:$remote?localrtpport=$local&localrtcpport=$((local + 1))&rtcpport=$((remote + 1))&pkt_size=$size${from:+&localaddr=$from}"
}

# played LABEL UNIT 'LOCAL-PORT WAY REMOTE:PORT' TRANSPORT WHAT... -- KIND ARG...: by the builder
played() {
	local label=$1 unit=$2 tuple=$3 transport=$4 what=() way local peer mine
	shift 4
	while [ "$1" != -- ]; do
		what+=("$1")
		shift
	done
	shift
	read -r local way peer <<<"$tuple"
	expect "$label" $unit "$transport $local $way $peer" "${what[@]}"
	case $peer in \[*) mine="[${ip6[$unit]}]:$local" ;; *) mine="${ip4[$unit]}:$local" ;; esac
	case $way in
	'<') act_here "$B/tools/speak" "$(ns world)" "$(ns $unit)" "$peer > $mine" "$@" ;;
	*) act_here "$B/tools/speak" "$(ns $unit)" "$(ns world)" "$mine > $peer" "$@" ;;
	esac
}

# As `act`, in no namespace: the builder enters two by itself.
act_here() {
	timeout 20 "$@" >>"$work/actions.log" 2>&1 </dev/null &
	acting+=($!)
}
