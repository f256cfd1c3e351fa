#!/bin/bash
# tlmon units: who had which address when, how that is known, how many ports carried media.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/db" >/dev/null 2>&1

table=$("$TLMON" units -l "$work/db")
has 'the table says who had which address, and how it is known' "$table" \
	'^boardroom +room, online, touch +10\.20\.0\.15 +00:26:8c:01:02:03 +packets, dhcp, arp/nd +2026-03-02 ' \
	'^ +fe80::226:8cff:fe01:203 +00:26:8c:01:02:03 +packets ' \
	'^huddle .* packets, dhcp ' \
	'^10\.20\.3\.30 +\(on no list\)'
lines=$("$TLMON" units -l "$work/db" -o jsonl --unit boardroom)
is 'one line an address, for programs' "$(wc -l <<<"$lines")" 3
has '... with all fields in each' "$(tail -1 <<<"$lines")" \
	'^\{"unit":"boardroom","profiles":"room, online, touch","listed":true,"address":"2001:db8:20::15","mac":"00:26:8c:01:02:03","known_by":\["packets"\],"first":"2026-03-02T08:00:0[0-9.]*Z","last":"[^"]*Z","media_ports":[0-9]+,"media_ports_ever":[0-9]+,"flows":[0-9]+,"findings_open":[0-9]+\}$'
is 'media ports are those of the flow table' \
	"$(grep -o '"media_ports_ever":[0-9]*' <<<"$lines" | sort -u)" \
	"\"media_ports_ever\":$("$TLMON" flows -l "$work/db" --unit boardroom -o csv |
		awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			($at["media"] != "" || $at["application"] ~ /^(stun|rtp|rtcp|turn-channel)$/) { print $at["local_port"] }' |
		sort -u | wc -l)"
is 'an address finds its unit' "$("$TLMON" units -l "$work/db" -o jsonl --unit 10.20.1.21 | grep -o '^{"unit":"[a-z]*"' | sort -u)" '{"unit":"huddle"'
has '... and all it had' "$("$TLMON" units -l "$work/db" -o csv --unit fe80::226:8cff:fe01:203)" '10\.20\.0\.15'
window=$("$TLMON" units -l "$work/db" -o jsonl --unit boardroom --since 2026-03-02T08:01:00Z)
is 'a window takes in what was seen in it' "$(wc -l <<<"$window")" 1
[ "$(grep -o '"media_ports":[0-9]*' <<<"$window" | cut -d: -f2)" -lt "$(grep -o '"media_ports_ever":[0-9]*' <<<"$window" | cut -d: -f2)" ] &&
	ok '... and counts ports of that time' || not_ok '... and counts ports of that time' "$window"
is 'a limit is kept' "$("$TLMON" units -l "$work/db" -o jsonl --limit 2 | wc -l)" 2
code=0
"$TLMON" units -l "$work/db" --since 1990-01-01T00:00Z --until 1990-01-02T00:00Z >"$work/out" 2>"$work/err" || code=$?
has 'an answer with no row says what the database covers' "$code $(cat "$work/err")" \
	'^0 tlmon: nothing was recorded in that window: nobody watched; the database covers 2026-03-02'
code=0
"$TLMON" units -l "$work/db" --unit nobody >"$work/out" 2>"$work/err" || code=$?
has 'a unit that is none is refused' "$code $(cat "$work/err")" "^2 .*no unit 'nobody'.*boardroom"
code=0
"$TLMON" units -l "$work/db" --row x >"$work/out" 2>"$work/err" || code=$?
has 'what narrows flows does not narrow units' "$code $(cat "$work/err")" '^2 .*--row'

printf '%s\n' 'units: [{name: absent, addresses: [10.77.0.1], profiles: [room]}, {name: boardroom, addresses: [10.20.0.15], profiles: [room]}]' >"$work/site.yaml"
"$TLMON" watch -r "$work/demo.pcap" -c "$work/site.yaml" -l "$work/absent" >/dev/null 2>&1
has 'a unit that never showed is there' "$("$TLMON" units -l "$work/absent")" '^absent +room +never seen'
has '... and has no address' "$("$TLMON" units -l "$work/absent" -o jsonl --unit absent)" \
	'"address":null,"mac":null,"known_by":\[\],"first":null,"last":null'
"$TLMON" units -l "$work/absent" --since 1h -o csv | grep -q ^absent &&
	not_ok '... but not in a window' || ok '... but not in a window'
has 'sqlite3 shows the same' "$(sqlite3 "$work/db/flows.db" "SELECT known_by FROM v_unit WHERE address = '10.20.0.15'")" \
	'^packets, dhcp, arp/nd$'
has '... and leases with their servers' "$(sqlite3 "$work/db/flows.db" "SELECT unit, address, server, mask_bits, dns FROM v_lease")" \
	'^boardroom\|10\.20\.0\.15\|[0-9.]+\|[0-9]+\|[0-9.]+$'
