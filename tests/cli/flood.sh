#!/bin/bash
# A flood under one finding is counted in full and stored as samples, every count says how many rows were kept; and
# the shorter way of flows that are alike leads to the same database, byte for byte.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/send" "$work/port.pcap" syns 6000 1000 8443 >/dev/null
"$B/tools/send" "$work/scan.pcap" syns 4000 1000 >/dev/null
"$B/tools/send" "$work/talk.pcap" talk >/dev/null
"$B/tools/send" "$work/later.pcap" syns 2 1 8443 >/dev/null
"$B/tools/mkdemo" "$work/demo.pcap"
"$B/tools/mkfleet" "$work/fleet.pcap"
cp tests/demo/site.yaml tests/demo/fleet.yaml "$work/"

# dump CAPTURE SITE OPTION...: the whole database as text, in $work/dump
dump() {
	local capture=$1 site=$2
	shift 2
	rm -rf "$work/db"
	(cd "$work" && "$TLMON" watch -r "$capture.pcap" -c "$site.yaml" -l db "$@" >out 2>&1) ||
		{ not_ok "$capture $*: ends with 0" "$(cat "$work/out")"; return 1; }
	sqlite3 -readonly "$work/db/flows.db" .dump >"$work/dump"
}

for capture in 'port site' 'scan site' 'demo site' 'fleet fleet' 'talk site'; do
	# shellcheck disable=SC2086 # a capture and its site
	dump $capture --test plain && mv "$work/dump" "$work/plain"
	[ "$(grep -c 'INSERT INTO flow VALUES' "$work/plain")" -ge 9 ] && ok "${capture% *}: flows are in the database" ||
		not_ok "${capture% *}: flows are in the database" "$(head -3 "$work/plain")"
	for way in '' --in-process '--test delay=7'; do
		# shellcheck disable=SC2086
		dump $capture $way || continue
		cmp -s "$work/plain" "$work/dump" && ok "${capture% *}: ${way:-in processes} the database is that of the plain way" ||
			not_ok "${capture% *}: ${way:-in processes} the database is that of the plain way" \
				"$(diff "$work/plain" "$work/dump" | head -6 | cut -c-200)"
	done
done

sql() { sqlite3 -readonly "$work/db/flows.db" "$1"; }
tlmon() { "$TLMON" "$@" -l "$work/db" 2>&1; }

# 6,000 SYNs within six seconds: the first thousand have a row, then one of each second has.
dump port site
has 'the run counts every flow' "$(cat "$work/out")" '6000 of their flows' '^flows counted: 6000, of which 1005 have a row'
is 'so does the finding' "$(sql 'SELECT sum(flows), sum(kept) FROM finding')" '6000|1005'
is 'its rows are there' "$(sql 'SELECT count(*) FROM flow')" 1005
is 'each second has some' "$(sql 'SELECT count(DISTINCT start_us / 1000000) FROM flow')" 6
is 'bytes are those of all' "$(sql 'SELECT sum(bytes) FROM finding')" "$(sql 'SELECT 6000 * (bytes_in + bytes_out) FROM flow LIMIT 1')"
is 'coverage counts all' "$(sql 'SELECT sum(outside) FROM coverage')" 6000
is 'its last one is the last of all' "$(sql "SELECT max(last_us) - min(first_us) FROM finding WHERE flows > 0")" 5999000
has 'the database is sound' "$(tlmon db check)" 'is sound'
has 'findings count all' "$(tlmon findings -o jsonl)" '"flows":6000,"kept":1005'
has 'flows say how many have no row' "$(tlmon flows --limit 3)" '4995 more flows counted under findings have no row'
has 'so do counts of flows' "$(tlmon flows --count-by peer --limit 1)" '4995 more flows'
is 'flows of what is documented do not' "$(tlmon flows --verdict documented | grep -c 'more flows')" 0
has 'so does whatif' "$(tlmon whatif)" '1005 flows judged' '4995 more flows'
has 'explain says so' "$(tlmon explain "$(sql "SELECT 'F' || id FROM finding WHERE flows > 0 LIMIT 1")")" '6000, .*; 1005 of them kept as rows'
has 'an incident says so' "$(tlmon incident --unit boardroom --since "$(sql "SELECT substr(min(start), 1, 19) || 'Z' FROM v_flow")" | tr '\n' ' ')" '4995 more are counted' 'of its +6000 +flows'
has 'acceptance counts all' "$(tlmon check --unit boardroom)" 'boardroom +not accepted +0 +6000'

# A trickle is no flood, though its finding has had one: each has its row.
(cd "$work" && "$TLMON" watch -r later.pcap -c site.yaml -l db --again >out 2>&1)
is 'in another run what was counted counts on' "$(sql 'SELECT sum(flows) FROM finding')" 6002
exit 0
