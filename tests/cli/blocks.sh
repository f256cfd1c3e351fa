#!/bin/bash
# A capture file that is read in blocks gives the database that it gives through libpcap, byte for byte: every golden
# case, in every form of capture file, cut short and damaged.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TOOLS=$PWD/$B/tools

# watched FILE SITE OPTION...: what is said of it, and the whole database as text, in $work/dump
watched() {
	local file=$1 site=$2
	shift 2
	rm -rf "$work/db"
	cp "$file" "$work/in.pcap"
	(cd "$work" && "$TLMON" watch -r in.pcap -c "$site" -l db --in-process "$@" >dump 2>&1
		echo "ended with $?" >>dump
		[ ! -e db/flows.db ] || sqlite3 -readonly db/flows.db .dump >>dump)
}

# same NAME FILE SITE OPTION...
same() {
	local name=$1 file=$2 site=$3
	shift 3
	watched "$file" "$site" --test libpcap "$@" && mv "$work/dump" "$work/wanted"
	watched "$file" "$site" "$@"
	if cmp -s "$work/wanted" "$work/dump" && grep -q 'INSERT INTO flow VALUES' "$work/dump"; then
		ok "$name"
	else
		not_ok "$name" "$(diff "$work/wanted" "$work/dump" | head -6 | cut -c-200)" "$(head -3 "$work/dump")"
	fi
}

for dir in tests/golden/*/; do
	case=$(basename "$dir")
	[ -e "$dir/site.yaml" ] || continue
	if [ -e "$dir/in.pcap" ]; then cp "$dir/in.pcap" "$work/$case.pcap"; else "$dir/make" "$work/$case.pcap"; fi
	same "$case: the same database" "$work/$case.pcap" "$PWD/$dir/site.yaml"
done

case=room site=$PWD/tests/golden/room/site.yaml
for form in $("$TOOLS/recode" forms); do
	"$TOOLS/recode" "$work/$case.pcap" "$form" "$work/form"
	same "$form: the same database" "$work/form" "$site"
	watched "$work/form" "$site"
	has "$form: it is read to its end" "$(grep -v INSERT "$work/dump" | head -20)" 'ended with 0'
	same "$form, with a filter: the same database" "$work/form" "$site" udp
	"$TOOLS/recode" "$work/$case.pcap" "$form" "$work/form" cut 7
	same "$form, cut short: the same database" "$work/form" "$site"
	has "$form, cut short: it is said where" "$(cat "$work/dump")" 'damaged or cut after packet [0-9]+: truncated'
	"$TOOLS/recode" "$work/$case.pcap" "$form" "$work/form" spoil 3000
	same "$form, damaged: the same database" "$work/form" "$site"
done

# Where a sensor dies in the middle another goes on behind what was read.
"$TOOLS/send" "$work/long.pcap" flows 3000 1000 >/dev/null
"$TOOLS/send" "$work/die.pcap" text DIE >/dev/null
tail -c +25 "$work/die.pcap" >>"$work/long.pcap"
"$TOOLS/send" "$work/more.pcap" flows 3000 1000 3000 >/dev/null
tail -c +25 "$work/more.pcap" >>"$work/long.pcap"
for test in libpcap,die=DIE die=DIE; do
	rm -rf "$work/db"
	(cd "$work" && "$TLMON" watch -r long.pcap -c "$OLDPWD/tests/demo/site.yaml" -l db --test $test) >"$work/out.$test" 2>&1
	sqlite3 -readonly "$work/db/flows.db" 'SELECT count(*), sum(packets_out) FROM v_flow' >>"$work/out.$test"
done
is 'a sensor that died: its successor goes on in blocks as through libpcap' "$(cat "$work/out.die=DIE")" "$(cat "$work/out.libpcap,die=DIE")"
has 'a sensor that died: it did' "$(cat "$work/out.die=DIE")" 'sensor was started again'
