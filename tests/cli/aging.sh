#!/bin/bash
# What grew old goes, or moves; what stays is judged as before, also where the names and leases that it was judged by
# are long over. Of what a replay wrote itself nothing goes.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TOOLS=$PWD/$B/tools TZ=UTC

watch() { "$TLMON" watch -r "$1" -c "$2" -l "$3" "${@:4}" >/dev/null 2>&1; }
sql() { sqlite3 -readonly "$1/flows.db" "$2"; }
# flips DB...: what the policy in force judges otherwise now, and what is not sound
flips() {
	local db
	for db; do
		"$TLMON" whatif -l "$db" --flows -o jsonl 2>&1
		"$TLMON" db check -l "$db" >"$work/said" 2>&1 || cat "$work/said"
	done
}
everything() {
	local table
	for table in flow finding evidence evidence_day blind name_seen lease unit_address removed; do
		sql "$1" "SELECT '$table', * FROM $table"
	done
}
for make in tests/golden/*/make; do
	case=$(basename "$(dirname "$make")") site=tests/golden/$(basename "$(dirname "$make")")/site.yaml
	dir=$work/$case
	mkdir "$dir"
	"$make" "$dir/in.pcap" >/dev/null
	[ -s "$dir/in.pcap" ] || continue
	"$TOOLS/later" "$dir/in.pcap" "$dir/days.pcap" 1 432000
	packets=$("$TLMON" watch -r "$dir/in.pcap" -c "$site" -l "$dir/whole" >/dev/null 2>&1
		sql "$dir/whole" 'SELECT seen FROM run')
	for part in 3 2; do
		"$TOOLS/later" "$dir/in.pcap" "$dir/gap.pcap" $((packets / part)) 172800
		watch "$dir/gap.pcap" "$site" "$dir/db$part"
		start=$(sql "$dir/db$part" 'SELECT min(start_us) / 1000000 FROM flow')
		cp -r "$dir/db$part" "$dir/old$part"
		is "$case, a gap behind 1/$part: nothing flips at first" "$(flips "$dir/db$part")" ''
		for hours in 20 40; do
			"$TLMON" db archive -l "$dir/db$part" \
				--until "$(date -u -d "@$((start + hours * 3600))" +%FT%TZ)" "$dir/archive$part" >/dev/null 2>&1
		done
		is "... nor when what was before it is in an archive, here or there" \
			"$(flips "$dir/db$part" "$dir/archive$part")" ''
		watch "$dir/days.pcap" "$site" "$dir/old$part" --keep 4d
		is '... nor when a later run has deleted it' "$(flips "$dir/old$part")" ''
		is '... which it did' "$(sql "$dir/old$part" "SELECT count(*) FROM flow
			WHERE start_us + lasted_us < ($start + 86400) * 1000000")" 0
		[ $part = 2 ] || continue
		watch "$dir/gap.pcap" "$site" "$dir/kept" --keep 3h
		watch "$dir/gap.pcap" "$site" "$dir/all"
		is "$case: a replay deletes nothing of its own" "$(everything "$dir/kept")" "$(everything "$dir/all")"
	done
	rm -rf "$dir"
done

# Open findings whose rows are all in an archive are still found by what they gather.
"$TOOLS/mkdemo" "$work/demo.pcap"
watch "$work/demo.pcap" tests/demo/site.yaml "$work/demo"
ids() { "$TLMON" findings -l "$work/demo" -o jsonl "$@" 2>&1 | sed -E 's/^\{"id":"?F?([0-9]+).*/\1/' | sort; }
asked=('--peer 52.112.1.9' '--port 53' '--port 50011' '--media audio' '--peer 8.8.8.8' '--transport udp' 'host 8.8.8.8')
for i in "${!asked[@]}"; do
	# shellcheck disable=SC2086
	ids ${asked[i]} >"$work/before$i"
done
"$TLMON" db archive -l "$work/demo" --until 2027-01-01 "$work/old" >/dev/null 2>&1
for i in "${!asked[@]}"; do
	# shellcheck disable=SC2086
	is "findings ${asked[i]}: none is missed whose rows are in an archive" \
		"$(ids ${asked[i]} | comm -13 - "$work/before$i")" ''
done
is '... where the peers are known, those of others are not told' \
	"$(ids --peer 9.9.9.9 | grep -c .)" "$(sql "$work/demo" "SELECT count(*) FROM finding WHERE open AND kept = 0 AND remote = '' AND kind <>
		(SELECT id FROM word WHERE list = 'kind' AND word = 'unlisted-unit')")"
is '... nor those of other ports' "$(ids --port 1 | grep -c .)" "$(ids --port 2 | grep -c .)"

# One number that adds up to more than there is: what ends a query leads to the row.
sqlite3 "$work/old/flows.db" 'UPDATE finding SET flows = 9223372036854775807, bytes = 9223372036854775807;
	UPDATE tally SET flows = 9223372036854775807'
has 'a number too large to add up is told, and who names its row' "$("$TLMON" status -l "$work/old" 2>&1)" \
	"too large to be added up; 'tlmon db check' names its row"
has '... which db check does' "$("$TLMON" db check -l "$work/old" 2>&1)" '^F1: a number of it is too large' \
	'flows of unit [0-9]+: a number of it is too large'
