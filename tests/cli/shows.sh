#!/bin/bash
# What the program promises its readers, seen from outside: the rows, lint, explain, and a list of
# findings that a person still reads when every unit of a fleet does the same wrong thing.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

rows=$("$TLMON" rules list -o jsonl)
is 'rules list prints 35 rows' "$(wc -l <<<"$rows")" 35
is '... over 5 profiles' "$(grep -o '"profile":"[^"]*"' <<<"$rows" | sort -u | wc -l)" 5

printf '%s\n' 'units: [{name: a, addresses: [10.0.0.1], profiles: [room, onprem, external]}]' >"$work/site.yaml"
lint=$("$TLMON" rules lint -c "$work/site.yaml" 2>&1)
has 'lint names the rows that suffer from a role left empty' "$lint" edge onprem.out.turn_udp external.out.edge_udp

flow='udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio'
said=$("$TLMON" explain "$flow" --profile room,online)
has 'explain says outside, the nearest row, what differs, what is allowed' "$said" outside local-port \
	online.out.audio 50000-50019
flow='udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio'
has 'wide rows do not excuse audio from a wrong port to a stranger' \
	"$("$TLMON" explain "$flow" --profile room,online,onprem,external)" outside local-port
flow='udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=audio'
has 'explain says documented, by which row and how well' "$("$TLMON" explain "$flow" --profile room,online)" \
	documented online.out.audio exact

"$B/tools/mkfleet" "$work/fleet.pcap"
"$TLMON" watch -r "$work/fleet.pcap" -c tests/demo/fleet.yaml -l "$work/fleet" >/dev/null 2>&1
lines=$("$TLMON" findings -l "$work/fleet")
if [ "$(wc -l <<<"$lines")" -le 20 ]; then
	has '120 units that err alike fill at most 20 lines' "$lines" local-port ntp mdns 120
else
	not_ok '120 units that err alike fill at most 20 lines' "$(wc -l <<<"$lines") lines"
fi

"$B/tools/mkdemo" "$work/demo.pcap"
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/demo" >/dev/null 2>&1
outside=$("$TLMON" flows -l "$work/demo" --verdict outside -o jsonl)
for field in ip-version transport direction remote-port peer application local-port media; do
	has "the demo differs in $field" "$outside" "\"field\":\"$field\""
done
findings=$("$TLMON" findings -l "$work/demo" -o jsonl)
for kind in ip-version direction remote-port peer application local-port media service blocked-silent \
	blocked-prohibited refused unlisted-unit; do
	has "the demo has a finding $kind" "$findings" "\"kind\":\"$kind\""
done
code=0
matrix=$("$TLMON" check -r "$work/demo.pcap" -c tests/demo/site.yaml) || code=$?
is 'the demo is not accepted' $code 1
has 'the matrix says of a row nobody used that it was not exercised' "$matrix" 'not exercised'
waiver=$("$TLMON" waive F1 -l "$work/demo" --owner netops --reason 'until the update' --expires 2026-12-31 \
	2>/dev/null)
has 'waive prints the stanza to add' "$waiver" owner reason 2026-12-31
{ cat tests/demo/site.yaml; echo waivers:; echo "$waiver"; } >"$work/waived.yaml"
"$TLMON" watch -r "$work/demo.pcap" -c "$work/waived.yaml" -l "$work/waived" >"$work/out" 2>&1 &&
	ok 'the stanza can be added to the site file' ||
	not_ok 'the stanza can be added to the site file' "$(cat "$work/out" "$work/waived.yaml")"
has '... and waives that finding' "$("$TLMON" findings -l "$work/waived" --state waived -o jsonl)" \
	'"kind":"local-port"' 'until the update'
