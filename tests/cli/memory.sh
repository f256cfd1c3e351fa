#!/bin/bash
# --memory: what all processes of a run take together stays under it, while more flows come than there are slots for;
# each is counted, and what of it ended early.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

peak=$PWD/tests/bench/peak.sh
cp tests/demo/site.yaml "$work/site.yaml"
"$B/tools/send" "$work/flood.pcap" flows 30000 20000 >"$work/sent"
cd "$work" || exit 1

refuses() {
	"$TLMON" watch -r flood.pcap -c site.yaml -l no --memory "$1" >out 2>&1
	is "--memory $1 is refused" "$? $(grep -c -e "--memory $1.*$2" out)" '2 1'
}
refuses 1M 'the least that works is'
refuses 2X 'a size is wanted'
least=$("$TLMON" watch -r flood.pcap -c site.yaml -l no --memory 1M 2>&1 | sed -n 's/.*least that works is \([0-9]*\)M.*/\1/p')

# peak_of NAME OPTION...: KiB, and the run's output in NAME.out
peak_of() {
	local name=$1
	shift
	"$peak" -o "$name.peak" "$TLMON" watch -r flood.pcap -c site.yaml -l "$name" "$@" >"$name.out" 2>&1
	sed -n 's/^peak //p' "$name.peak"
}
kib=$(peak_of least --memory "${least}M")
is 'of the least memory all processes end well' "$(grep -c 'packets (' least.out)" 1
if grep -q sanitizer <("$TLMON" doctor 2>&1) || [ "$kib" = unknown ]; then
	skip "their memory stays under ${least}M" 'it cannot be read, or is a sanitizer'"'"'s'
else
	[ "$kib" -le $((least * 1024)) ] && ok "their memory stays under ${least}M" ||
		not_ok "their memory stays under ${least}M" "$(cat least.peak)"
fi
is 'every flow is counted' "$(sqlite3 -readonly least/flows.db 'SELECT flows FROM run')" 30000
[ "$(sqlite3 -readonly least/flows.db 'SELECT evicted FROM run')" -gt 10000 ] &&
	ok '... and those that ended early' || not_ok '... and those that ended early' "$(cat least.out)"
is 'a full table is a time in which not all was seen' \
	"$(sqlite3 -readonly least/flows.db "SELECT count(*) > 0 FROM v_blind WHERE cause = 'evicted'")" 1

"$TLMON" watch -r flood.pcap -c site.yaml -l flows --memory "${least}M" --flows 100000 >flows.out 2>&1
is '--flows wins, and what that comes to is said' "$(grep -c 'flows 100000: with so many it may take' flows.out)" 1
is '... and no flow ends early' "$(sqlite3 -readonly flows/flows.db 'SELECT evicted FROM run')" 0
is 'doctor prints the split' "$("$TLMON" doctor --memory 512M -o csv | awk -F, 'NR > 1 { sum += $NF } END { print (sum <= 512 * 1048576 && sum >= 500 * 1048576) }')" 1
