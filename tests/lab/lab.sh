#!/bin/bash
# A whole office on one machine: units, their servers, a router with a firewall and a mirror port, and real
# programs that talk (network.sh, servers.sh). The monitor watches the mirror live, its roles locked in as
# ever. Each action writes down what the monitor must say of it by the document, before it acts; at the end
# that is held against flows and findings: every row, every violation, every block, and nothing else.
set -u
here=$PWD/tests/lab/lab
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh
PATH=$PATH:/usr/sbin:/sbin
for part in network servers expect actions rows violations blocked housekeeping rounds; do
	# shellcheck source=/dev/null
	. "$here/$part.sh"
done

name='the lab: real programs speak every row and every violation, and each is called by its name'
for tool in tc nft unshare dnsmasq kdig udhcpc nginx curl llmnrd llmnr-query krb5kdc kdb5_util kadmin.local kinit turnserver \
	turnutils_uclient turnutils_peer openssl sipp ffmpeg ssh sshd ssh-keygen telnet telnetd socat chronyd ping logger; do
	command -v $tool >/dev/null || skip_all "no $tool (make lab-deps)" "$name"
done

made_run_sshd='' rounds=${1:-3}
lab_end_hook() {
	run_kill
	network_unmake
	[ -z "$made_run_sshd" ] || rmdir /run/sshd
	[ -z "${LAB_KEEP-}" ] || cp -r "$work" "$LAB_KEEP"
}
lab_make "$name"
network_make 2>"$work/why" || skip_all "the network cannot be made: $(cat "$work/why")" "$name"

run_units=(-c "$here/site.yaml")
run_start live || {
	not_ok 'the monitor watches the mirror' "$(cat "$work/live.err")"
	exit
}
servers_start >"$work/why" 2>&1 || {
	not_ok 'every server of the lab runs' "$(cat "$work/why")" "$(tail -n 5 "$work"/*.log)"
	exit
}
ok 'every server of the lab runs'
begun=$(now_ms)
lease_first
rows_all
housekeeping_all
violations_all
blocked_all
rounds_all
pause 4 # what is silent is so after 3 s
"$TLMON" doctor --sandbox >"$work/doctor" 2>&1
is 'the monitor is locked in' "$?" 0
run_end
is 'the monitor ends with 0' "$code" 0
echo "# the actions took $((($(now_ms) - begun) / 1000)) s"
expect_compare "$work/live"
read -r documented findings violations <"$work/totals"
echo "# $documented documented flows, $findings findings, $violations kinds of violation"
