#!/bin/bash
# What `tlmon check` may never do: pass on silence, on half a capture, or on a filter it does not name.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
cat >"$work/good.yaml" <<'YAML'
units:
  - {name: boardroom, addresses: [10.20.0.15], macs: ["00:26:8c:01:02:03"], profiles: [room]}
roles:
  dns-server: {addresses: [10.20.0.53]}
  dhcp-server: {addresses: [10.20.0.1]}
YAML
# Only what the profile documents: then nothing is left to find fault with.
fine='host 10.20.0.15 and (port 53 or port 67 or (dst host 203.0.113.20 or src host 203.0.113.20)) and not host 8.8.8.8 and not port 8443 or port 67'

"$TLMON" check -r "$work/demo.pcap" -c "$work/good.yaml" "$fine" >"$work/out" 2>"$work/err"
code=$?
is 'a unit that did all that is required and nothing else is accepted' "$code $(head -1 "$work/out")" '0 ACCEPTED'
has '... and the report names the filter it was seen through' "$(cat "$work/out")" "of what 'host 10\.20\.0\.15"

sed '/^roles/i\  - {name: ghost, addresses: [10.99.0.1], profiles: [room]}' "$work/good.yaml" >"$work/ghost.yaml"
"$TLMON" check -r "$work/demo.pcap" -c "$work/ghost.yaml" "$fine" >"$work/out" 2>"$work/err"
is 'a listed unit that was never seen keeps the result open' "$? $(head -1 "$work/out")" '3 UNDETERMINED'
has '... and stands in the matrix' "$(cat "$work/out")" 'ROW.*boardroom.*ghost' 'room.out.dns.*ok exact.*not exercised'

sed '/^roles/i\  - {name: floor, addresses: [10.98.0.0/24], profiles: [room]}' "$work/good.yaml" >"$work/floor.yaml"
"$TLMON" check -r "$work/demo.pcap" -c "$work/floor.yaml" "$fine" >"$work/out" 2>"$work/err"
is 'a prefix of units of which none was seen keeps the result open' "$? $(head -1 "$work/out")" '3 UNDETERMINED'

size=$(stat -c %s "$work/demo.pcap")
head -c $((size - 10)) "$work/demo.pcap" >"$work/cut.pcap"
"$TLMON" check -r "$work/cut.pcap" -c "$work/good.yaml" "$fine" >"$work/out" 2>"$work/err"
is 'a capture cut in a packet keeps the result open' "$? $(head -1 "$work/out")" '3 UNDETERMINED'
has '... and the report says where' "$(cat "$work/out")" 'cut\.pcap: damaged or cut after packet [0-9]+'

# Standard input that goes silent, and a person who has waited enough.
mkfifo "$work/pipe"
"$TLMON" check -r - -c "$work/good.yaml" "$fine" <"$work/pipe" >"$work/out" 2>"$work/err" &
pid=$!
exec 9>"$work/pipe"
cat "$work/demo.pcap" >&9
sleep 1
kill -INT $pid
wait $pid
is 'an interrupted check keeps the result open' "$? $(head -1 "$work/out")" '3 UNDETERMINED'
exec 9>&-
has '... and says that it was interrupted' "$(cat "$work/out")" 'standard input: interrupted after packet [0-9]+'

"$TLMON" check -r "$work/demo.pcap" -c tests/demo/site.yaml 2>"$work/err" | head -1 >/dev/null
is 'a reader that goes away does not change the result' "${PIPESTATUS[0]} $(wc -l <"$work/err")" '1 0'
