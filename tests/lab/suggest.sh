#!/bin/bash
# `tlmon suggest -i` from nothing: the office of the lab (lab/network.sh, lab/servers.sh) speaks every documented row, and
# what is proposed must name each server in its role, pass `rules lint`, and leave no flow outside that is documented
# by the site file that was written by hand. Who never answers is known by what DNS and DHCP say. A watch with that one runs beside it, so both see the same packets.
set -u
here=$PWD/tests/lab/lab
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh
PATH=$PATH:/usr/sbin:/sbin
for part in network servers expect actions rows blocked housekeeping field; do
	# shellcheck source=/dev/null
	. "$here/$part.sh"
done

name='from nothing a site file is proposed that fits the office'
for tool in tc nft unshare dnsmasq kdig udhcpc nginx curl llmnrd llmnr-query krb5kdc kdb5_util kadmin.local kinit turnserver \
	turnutils_uclient turnutils_peer openssl sipp ffmpeg ssh sshd ssh-keygen telnet telnetd socat tinyproxy chronyd ping; do
	command -v $tool >/dev/null || skip_all "no $tool (make lab-deps)" "$name"
done

suggest=
lab_end_hook() {
	[ -z "$suggest" ] || kill -9 "$suggest" 2>/dev/null
	run_kill
	network_unmake 2>/dev/null
	[ -z "${LAB_KEEP-}" ] || cp -r "$work" "$LAB_KEEP"
}
lab_make "$name"
network_make 2>"$work/why" || skip_all "the network cannot be made: $(cat "$work/why")" "$name"
servers_start >"$work/why" 2>&1 || {
	not_ok 'every server of the lab runs' "$(cat "$work/why")" "$(tail -n 5 "$work"/*.log)"
	exit
}
run_units=(-c "$here/site.yaml")
run_start live || {
	not_ok 'the monitor watches the mirror' "$(cat "$work/live.err")"
	exit
}
inside_exec $near "$TLMON" suggest -i mirror0 --site Lab >"$work/site.yaml" 2>"$work/suggest.err" {never}<&- &
suggest=$!
watched_twice() { [ "$(inside $near awk 'NR > 1' /proc/net/packet | wc -l)" -gt 1 ]; }
within $((10 * SLOW)) watched_twice || {
	not_ok 'tlmon suggest watches the mirror' "$(cat "$work/suggest.err")"
	exit
}
lease_first || {
	not_ok 'a unit is given an address' "$(cat "$work"/udhcpc.log "$work/dhcp.log")"
	exit
}
rows_room
rows_onprem
rows_external
rows_online
rows_touch
housekeeping_all
blocked_all
field_proxy
settle
pause 6
kill -INT $suggest
within $((10 * SLOW)) gone $suggest || kill -9 $suggest
code=0
wait $suggest || code=$?
suggest=
run_end
is 'ctrl-C ends it with a proposal' "$code $(cat "$work/suggest.err")" '0 '

"$TLMON" rules lint -c "$work/site.yaml" >"$work/lint" 2>&1
is 'rules lint finds no error in it' "$(($? < 2)) $(grep -c '^tlmon:' "$work/lint")" '1 0'
is '... and warns of nothing but of who takes part in calls' \
	"$(grep '^warning' "$work/lint" | grep -vc "role 'other-client'")" 0

# holders ROLE: what is proposed of it, sorted
holders() {
	sed 's/#.*//' "$work/site.yaml" | awk -v role="  $1:" '
		/^  [a-z]/ { here = $0 == role }
		here && /^      - / { gsub(/["-]/, " ", $1); print $2 }' | tr -d '"' | sort | tr '\n' ' '
}
# named ROLE WORDS: these hold the role, and nobody else does
named() { is "who is $1" "$(holders "$1")" "$(tr ' ' '\n' <<<"$2" | sort | tr '\n' ' ')"; }
named dns-server "$dns $dns6 $dns_closed $dns_silent $dns6_prohibited"
named dhcp-server "${ip4[router]}"
named domain-controller "$dc dc2.corp.example"
named front-end "fe01.corp.example $fe_sip fe03.corp.example"
named sfb-auth sts.corp.example
named edge "$edge $edge_av av2.corp.example access.corp.example $edge_ms"
named touch-controller "${ip6[desk]}"
named web-proxy $proxy
is 'nobody is left commented out' "$(sed -n 's/^ *#- //p' "$work/site.yaml" | tr '\n' ' ')" ''
is 'nobody is an other-client' "$(holders other-client)" ''
has 'the domain' "$(cat "$work/site.yaml")" '^domains: \[corp\.example\]'

# unit MAC: its profiles
unit() { sed -n "s/.*macs: \[\"$1\"\], profiles: \[\(.*\)\]}/\1/p" "$work/site.yaml"; }
is 'boardroom by its MAC, with its profiles' "$(unit "${mac[boardroom]}")" 'room, online, touch'
is 'huddle' "$(unit "${mac[huddle]}")" 'room, onprem'
is 'studio' "$(unit "${mac[studio]}")" 'room, external'
is 'pod' "$(unit "${mac[pod]}")" 'room, online'
is 'nobody else is a unit' "$(grep -c '^  - {name' "$work/site.yaml")" 4

# Under the proposed file: of all that is documented by the one written by hand.
"$TLMON" flows -l "$work/live" --verdict documented -o jsonl >"$work/documented"
documented=$(wc -l <"$work/documented")
is 'more than a hundred flows were documented' "$((documented > 100)) ($documented)" "1 ($documented)"
"$TLMON" whatif -l "$work/live" -c "$work/site.yaml" >"$work/whatif" 2>&1
is 'all of them are judged by the proposed file' "$(grep -c 'not judged' "$work/whatif") $(grep -cE '^[0-9]+ flows judged' "$work/whatif")" '0 1'
"$TLMON" whatif -l "$work/live" -c "$work/site.yaml" --flows -o jsonl >"$work/flips"
is 'none that was documented is outside' "$(grep -cE '"from_verdict":"documented".*,"verdict":"(outside|undetermined)"' "$work/flips")" 0
