#!/bin/bash
# The doctor at a live port: a switch in namespaces with a unit and a server on it, and a mirror of the unit's port as
# it should be, of one direction, or none at all. Every look is bounded, and what is made is removed.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh

tests=('a mirror of both directions is fit' 'a mirror of one direction is not' 'a port that is no mirror is not'
	'a port that brings nothing is not' 'what a card merged is named' 'an output of a tap that is dead is named' 'INT ends it early')
unit=tlmon-unit-$$ server=tlmon-server-$$ pid='' openssl=''
lab_end_hook() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	[ -z "$openssl" ] || kill -9 "$openssl" 2>/dev/null
	ip netns del $unit 2>/dev/null
	ip netns del $server 2>/dev/null
}
command -v tc >/dev/null || skip_all 'no tc' "${tests[@]}"
lab_make "${tests[@]}"

# plug NAME NS ADDRESS MAC: its eth0 goes into the switch
plug() {
	ip netns add "$2" &&
		inside "$2" ip link add eth0 address "$4" type veth peer name "$1" netns "/run/netns/$far" &&
		inside $far ip link set "$1" master br0 up &&
		inside "$2" ethtool -K eth0 gro off gso off tso off tx off rx off >/dev/null &&
		inside $far ethtool -K "$1" gro off gso off tso off tx off rx off >/dev/null &&
		inside "$2" ip addr add "$3/24" dev eth0 && inside "$2" ip link set eth0 up && inside "$2" ip link set lo up
}
{
	inside $far ip link add br0 type bridge mcast_snooping 0 && inside $far ip link set br0 up &&
		plug port1 $unit 10.20.0.15 00:26:8c:01:02:03 && plug port2 $server 10.20.0.53 02:00:00:00:00:53
} 2>"$work/why" || skip_all "no switch: $(cat "$work/why")" "${tests[@]}"

# mirror DIRECTION...: of the unit's port, as the switch sees it: rx is what the unit sends
mirror() {
	local way
	inside $far tc qdisc del dev port1 clsact 2>/dev/null
	inside $far tc qdisc add dev port1 clsact || return
	for way in "$@"; do
		[ $way = rx ] && way=ingress || way=egress
		inside $far tc filter add dev port1 $way protocol all prio 1 u32 match u32 0 0 action mirred egress mirror dev replay0 || return
	done
}
mirror rx tx 2>"$work/why" || skip_all "no mirror: $(cat "$work/why")" "${tests[@]}"

# talks: the unit's conversations with the server, each over a socket of its own
talks() {
	local port
	for port in {49200..49211}; do
		timeout 20 "$B/tools/speak" $unit $server "10.20.0.15:$port > 10.20.0.53:443" tcp 16030100 15030100 >/dev/null || return
	done
}
listens() { inside $near awk 'NR > 1' /proc/net/packet | grep -q .; }
ended() { ! kill -0 $pid 2>/dev/null; }
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}
# look SECONDS TRAFFIC [OPTION...]: the doctor looks while that happens; sets $said and $code
look() {
	local seconds=$1 traffic=$2
	shift 2
	inside_exec $near "$TLMON" doctor -i mirror0 --for "${seconds}s" --unit 10.20.0.15 --profile room "$@" >"$work/said" 2>"$work/err" &
	pid=$!
	until_true $((10 * SLOW)) listens
	sleep 0.3
	$traffic
	until_true $((seconds * SLOW + 15 * SLOW)) ended || kill -9 $pid
	code=0
	wait $pid || code=$?
	pid=
	said=$(cat "$work/said")
}

look 4 talks
has "${tests[0]}" "$code $said" '^0 CHECK' '^directions +ok +one way: 0 of 1[2-9] ' '^drops +ok +none$' '^units +ok +1 of 1 seen$' '^offload +ok ' \
	'^translation +ok +none: 1 of 1 with full TTL$' '^fit to judge 1 unit by'

mirror rx
look 4 talks
has "${tests[1]}" "$code $said" '^1 CHECK' '^directions +bad +10.20.0.15 +[0-9]+ packets from it, none to it$' 'must copy both directions' '^not fit: directions of 10.20.0.15'
mirror tx
look 4 talks
has '... nor one of the other' "$code $said" '^1 CHECK' '^directions +bad +10.20.0.15 +[0-9]+ packets to it, none from it$'

# A port of the switch like any other
mirror
inside $far ip link set replay0 master br0
broadcasts() {
	talks
	for ns in $unit $server; do inside "$ns" ip neigh flush all; done
	talks
}
inside $unit ip neigh flush all
inside $server ip neigh flush all
talks
look 4 broadcasts
inside $far ip link set replay0 nomaster
has "${tests[2]}" "$code $(sed -n 2p <<<"$said") $said" '^1 mirror +bad +[0-9]+ packets: broadcast and multicast alone' 'set up a SPAN session'

look 2 true
has "${tests[3]}" "$code $said" '^1 CHECK' '^mirror +bad +no packet in 2(\.[0-9]+)? s$' "ip -s link show mirror0" '^not fit: mirror: no packet in'

# Segments that the sending host leaves to a card which does not exist
mirror rx tx
for port in port1 port2 replay0; do inside $far ethtool -K $port tx on sg on tso on gso on >/dev/null; done
for ns in $unit $server; do inside $ns ethtool -K eth0 tx on sg on tso on gso on >/dev/null; done
bulk() {
	timeout 20 nsenter --net=/run/netns/$unit openssl s_client -connect 10.20.0.53:443 -quiet <<<$'GET /bulk HTTP/1.0\r\n\r\n' >/dev/null 2>&1
}
head -c 4000000 /dev/zero >"$work/bulk"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=x -keyout "$work/key" -out "$work/cert" >/dev/null 2>&1
(cd "$work" && exec nsenter --net=/run/netns/$server openssl s_server -accept 443 -key key -cert cert -WWW -quiet) >/dev/null 2>&1 </dev/null &
openssl=$!
sleep 0.5
look 4 bulk
kill $openssl
wait $openssl 2>/dev/null
openssl=
has "${tests[4]}" "$said" '^offload +warn +mirror0 +up to [1-6][0-9]{4} bytes: [0-9]+ of ' 'no wire carried these' "'ethtool -K mirror0 gro off lro off tso off gso off'"
has '... and that their sender had not summed them' "$said" '^checksums +warn +not summed yet: '

inside $near ip link add dead0 type veth peer name dead1
inside $near sh -c 'echo 1 >/proc/sys/net/ipv6/conf/dead0/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/dead1/disable_ipv6' 2>/dev/null
inside $near ip link set dead1 up
inside $near ip link set dead0 up
look 4 talks -i dead0
has "${tests[5]}" "$code $said" '^1 CHECK' '^mirror +bad +dead0 +no packet$' 'of a tap each output shows one direction'

interrupt() {
	talks
	sleep 1
	kill -INT $pid
}
begun=$SECONDS
look 60 interrupt
has "${tests[6]}" "$code $said" '^[01] CHECK' '^directions +ok ' '^(not )?fit'
is '... within seconds' "$((SECONDS - begun < 20 * SLOW))" 1
