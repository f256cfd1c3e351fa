#!/bin/bash
# What cannot matter to the units is not looked into, and nothing that is told of them changes for it: flows, findings,
# coverage, names, leases, evidence, byte for byte as when everything is looked into.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
"$B/tools/mkfleet" "$work/fleet.pcap"
"$B/tools/mkincident" "$work" >/dev/null
"$B/tools/send" "$work/flows.pcap" flows 2000 1000 >/dev/null
"$B/tools/send" "$work/talk.pcap" talk >/dev/null
"$B/tools/mkscope" "$work/office.pcap" office 4000
"$B/tools/mkscope" "$work/hello.pcap" hello
tail -c +25 "$work/office.pcap" | cat "$work/demo.pcap" - >"$work/both.pcap"

profiles=room,onprem,external,online,touch
# dump CAPTURE UNIT OPTION...: the database as text in $work/dump, without the sums of packets; sets $in_flows
dump() {
	local capture=$1 unit=$2
	shift 2
	rm -rf "$work/db"
	(cd "$work" && "$TLMON" watch -r "$capture.pcap" --unit "$unit" --profile $profiles -l db "$@" >out 2>&1) ||
		{ not_ok "$capture of $unit $*: ends with 0" "$(cat "$work/out")"; return 1; }
	sqlite3 -readonly "$work/db/flows.db" .dump | grep -v '^INSERT INTO run VALUES' >"$work/dump"
	in_flows=$(sqlite3 -readonly "$work/db/flows.db" 'SELECT in_flows FROM run')
	is "$capture of $unit $*: every packet is in one sum" \
		"$(sqlite3 -readonly "$work/db/flows.db" 'SELECT seen - out_of_scope - in_flows - malformed - fragments_lost - duplicates FROM run')" 0
}

dump hello 10.20.0.15 --scope off
all_of_hello=$in_flows
left_out=0
# compare CAPTURE UNIT [OPTION...]
compare() {
	local capture=$1 unit=$2 name all
	shift 2
	dump "$capture" "$unit" --scope off "$@" || return
	mv "$work/dump" "$work/wanted"
	all=$in_flows
	dump "$capture" "$unit" "$@" || return
	name="$capture of $unit${*:+ $*}: the scope changes nothing that is told ($in_flows of $all packets in flows)"
	[ "$in_flows" = "$all" ] || left_out=$((left_out + 1))
	if cmp -s "$work/wanted" "$work/dump"; then
		ok "$name"
	else
		not_ok "$name" "$(diff "$work/wanted" "$work/dump" | head -6 | cut -c-200)"
	fi
}

compare demo 10.20.0.15
compare demo 10.20.1.0/24
compare demo 2001:db8:20::15
compare demo 00:26:8c:01:02:03
compare both 10.20.1.21
compare fleet 10.20.0.0/22
compare fleet 10.30.0.0/16 --in-process
compare night1 10.20.0.15
compare flows 198.18.0.0/24
compare flows 198.19.1.7
compare talk 10.20.0.15
compare talk 192.0.2.200
compare office 10.20.9.15 --in-process
compare office 10.20.0.15
compare office 10.20.0.15 --test delay=7
[ $left_out -ge 6 ] && ok "packets were left out of $left_out of these" ||
	not_ok 'packets were left out of most of these' "of $left_out"

# All of it once more, as the responder sees it.
dump office 10.20.0.15
unlisted() {
	sqlite3 -readonly "$work/db/flows.db" \
		"SELECT group_concat(unit || ' ' || flows, ', ') FROM (SELECT * FROM v_finding WHERE kind = 'unlisted-unit' ORDER BY unit)"
}
is 'hosts on no list are found by MAC, and by a question with what follows it' "$(unlisted)" '10.20.0.40 1, 10.20.0.41 2'
dump hello 10.20.0.15
is '... and by a name in TLS alone, though all before it is left out' "$(unlisted) $in_flows" \
	"10.20.0.42 1 $((all_of_hello - 103))"
dump office 10.20.9.15
is 'a unit that only shows inside of ERSPAN is found' \
	"$(sqlite3 -readonly "$work/db/flows.db" "SELECT count(*) || ' ' || sum(packets_out) FROM flow WHERE unit = (SELECT id FROM unit WHERE name = '10.20.9.15')")" '1 6'
is 'what is wrapped, and what others asked of names, is all that is looked into' \
	"$([ "$in_flows" -lt 100 ] && echo few)" few

# A sensor that dies, and its successor, leave the sums right.
dump office 10.20.0.15 --test die='a long'
has '... though one died' "$(cat "$work/out")" 'the sensor was started again'
has 'an unknown scope is refused' \
	"$("$TLMON" watch -r "$work/talk.pcap" --unit 10.20.0.15 --profile room --scope none -l "$work/none" 2>&1; echo $?)" \
	'--scope none: no such scope.*accepted: on, off' '^2$'
