#!/bin/bash
# However the processes were scheduled, the database is the same, byte for byte (design.md 9.6): all
# roles in one process, each in its own, and each sleeping at random times.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
"$B/tools/mkfleet" "$work/fleet.pcap"
# Conversations that only nDPI can say anything of, thousands of them at once.
"$B/tools/send" "$work/unknown.pcap" flows 3000 1000 >/dev/null
"$B/tools/send" "$work/talk.pcap" talk >/dev/null
cp tests/demo/site.yaml "$work/demo.yaml"
cp tests/demo/fleet.yaml "$work/fleet.yaml"
cp tests/demo/site.yaml "$work/unknown.yaml"
cp tests/demo/site.yaml "$work/talk.yaml"

# dump CAPTURE OPTION...: the whole database as text, in $work/dump; its directory has the same name each time
dump() {
	local capture=$1
	shift
	rm -rf "$work/db"
	(cd "$work" && "$TLMON" watch -r "$capture.pcap" -c "$capture.yaml" -l db "$@" >out 2>&1) ||
		{ not_ok "$capture $*: ends with 0" "$(cat "$work/out")"; return 1; }
	sqlite3 -readonly "$work/db/flows.db" .dump >"$work/dump"
}

for capture in demo fleet unknown talk; do
	: >"$work/wanted" # not that of the capture before
	dump $capture --in-process && mv "$work/dump" "$work/wanted"
	[ "$(grep -c 'INSERT INTO flow VALUES' "$work/wanted")" -ge 10 ] && ok "$capture: flows are in the database" ||
		not_ok "$capture: flows are in the database" "$(head -3 "$work/wanted")"
	# Commits by the dozen, also behind the last packet.
	for way in '--in-process --test commit=1' '' '--test delay=1' '--test delay=2' '--test delay=3' '--test delay=4' '--test delay=5'; do
		name="$capture: in processes${way:+ with $way} the database is that of --in-process"
		[[ $way != --in-process* ]] || name="$capture: with $way the database is that of --in-process"
		# shellcheck disable=SC2086 # an option and its value
		dump $capture $way || continue
		if cmp -s "$work/wanted" "$work/dump"; then
			ok "$name"
		else
			not_ok "$name" "$(diff "$work/wanted" "$work/dump" | head -6 | cut -c-200)"
		fi
	done
done
