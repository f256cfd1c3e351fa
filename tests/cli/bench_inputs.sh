#!/bin/bash
# What `make bench` measures must be what it says: the inputs, in small, are the same each time, every packet of
# them is in scope, every flow has one unit, and each short flow is a row.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

export B SHARE=200
tests/bench/inputs.sh "$work/once" >"$work/said" || not_ok 'the inputs are made' "$(cat "$work/said")"
tests/bench/inputs.sh "$work/again" >/dev/null
for name in mix media flood short; do
	if cmp "$work/once/$name.pcap" "$work/again/$name.pcap" 2>"$work/why"; then
		ok "the $name is the same each time"
	else
		not_ok "the $name is the same each time" "$(cat "$work/why")"
	fi
done

# ask NAME SQL
ask() { sqlite3 -readonly "$work/db-$1/flows.db" "$2"; }
for name in mix media flood short; do
	"$TLMON" watch -r "$work/once/$name.pcap" -c "$work/once/$name.yaml" -l "$work/db-$name" >"$work/$name.out" 2>&1
	read -r seen _ <"$work/$name.out"
	is "every packet of the $name has a flow, or is a copy" "$(ask "$name" 'SELECT seen - in_flows - duplicates FROM run')" 0
	is "the $name has the packets it says" "$seen" "$(grep -oE '[0-9]+ packets' "$work/once/$name.txt" | head -1 | cut -d' ' -f1)"
done
for name in mix media short; do
	is "each flow of the $name is one unit's" "$(ask "$name" 'SELECT flows - (SELECT COUNT(*) FROM flow) FROM run')" 0
done
is 'the media are 300 flows, documented' "$(ask media "SELECT COUNT(*), SUM(verdict = 'documented') FROM v_flow")" '300|300'
is 'each short flow is a row, documented' "$(ask short "SELECT COUNT(*), SUM(verdict = 'documented') FROM v_flow")" '5000|5000'
has 'each SYN of the flood is counted as a flow' "$(cat "$work/flood.out")" '^1 units, 10000 of their flows: '
