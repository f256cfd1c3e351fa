#!/bin/bash
# A whole office on one machine: units, their servers, a router with a firewall and a mirror port, and real
# programs that talk (network.sh, servers.sh). The monitor watches the mirror live, its roles locked in as
# ever. Each action writes down what the monitor must say of it by the document, before it acts; at the end
# that is held against flows and findings: every row, every violation, every block, and nothing else.
#
#   lab.sh [ROUNDS]   rounds of ordinary traffic: 2; thirteen make more than a thousand documented flows
set -u
rounds=${1:-2}
here=$PWD/tests/lab/lab
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh
PATH=$PATH:/usr/sbin:/sbin
for part in network servers expect actions rows violations blocked housekeeping rounds field; do
	# shellcheck source=/dev/null
	. "$here/$part.sh"
done

# explained NAME 'TRANSPORT > REMOTE:PORT' PATTERN: what explain says of the first such flow
explained() {
	local transport=${2%% *} remote=${2##* } id
	id=$(grep "\"transport\":\"$transport\".*\"remote\":\"${remote%:*}\",\"remote_port\":${remote##*:}," "$work/flows.jsonl" |
		sed -nE '1s/^\{"id":([0-9]+),.*/\1/p')
	has "$1" "$("$TLMON" explain "${id:-0}" -l "$work/live" 2>&1)" "$3"
}

name='the lab: real programs speak every row and every violation, and each is called by its name'
for tool in tc nft unshare dnsmasq kdig udhcpc nginx curl llmnrd llmnr-query krb5kdc kdb5_util kadmin.local kinit turnserver \
	turnutils_uclient turnutils_peer openssl sipp ffmpeg ssh sshd ssh-keygen telnet telnetd socat tinyproxy chronyd ping logger; do
	command -v $tool >/dev/null || skip_all "no $tool (make lab-deps)" "$name"
done

lab_end_hook() {
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
ok 'every server of the lab runs'
before_watch
run_units=(-c "$here/site.yaml")
run_start live || {
	not_ok 'the monitor watches the mirror' "$(cat "$work/live.err")"
	exit
}
begun=$(now_ms)
lease_first || {
	not_ok 'a unit is given an address' "$(cat "$work"/udhcpc.log "$work/dhcp.log")"
	exit
}
for part in rows housekeeping violations blocked rounds field; do
	${part}_all
	echo "# $part: after $((($(now_ms) - begun) / 1000)) s"
done
pause 4 # what is silent is so after 3 s
# Other runs of this machine are none of ours.
"$TLMON" doctor --sandbox 2>&1 | awk -v run="run of supervisor $pid" '/^run of / { ours = $0 == run } ours && NF' >"$work/doctor"
is 'the monitor is locked in, all four roles' "$(grep -cE '^(supervisor|sensor|inspector|recorder) .* OK$' "$work/doctor")" 4
run_end
is 'the monitor ends with 0' "$code" 0
expect_compare "$work/live"
read -r documented findings violations <"$work/totals"
echo "# $documented documented flows, $findings findings, $violations violations"
wanted=$((rounds * 67 + 130))
is "at least $wanted flows were documented without a finding" "$((documented >= wanted))" 1
is 'at least 25 violations were planted' "$((violations >= 25))" 1
is 'the router that forbids is named' "$("$TLMON" findings -l "$work/live" -o jsonl --kind blocked-prohibited |
	grep -oE '(10.20.0.1|2001:db8:20::1) forbids' | sort | tr '\n' ' ')" '10.20.0.1 forbids 2001:db8:20::1 forbids '
explained 'the client certificate of mutual TLS is seen' "tcp > $fe:5061" 'client certificate: yes'
explained 'the peer behind a relay is known' "udp > $sfb_av:3480" 'relayed to +192\.0\.2\.70 port 50010'
is 'nothing was shed or lost' "$(cat "$work/live.err")" ''
