#!/bin/bash
# The README's tables of speed, out of tests/bench/RESULTS.tsv and LIVE.tsv (make bench, make bench-live write them): puts them
# between the two marks. With --check it writes nothing and ends 1, showing how they differ.
set -eu
readme=README.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# note FILE WORD: what the line "# WORD TAB TEXT" says
note() { sed -n "s/^# $2\t//p" "$1"; }

speed() {
	local file=tests/bench/RESULTS.tsv
	[ -e $file ] || return 0
	printf '%s, %s; load %s; %s pairs with %s; %s (`%s`).\n\n' "$(note $file machine)" "$(note $file versions)" \
		"$(note $file load)" "$(note $file rounds)" "$(note $file peer)" "$(note $file date)" "$(note $file commit)"
	echo '| input | CPU, s | peer | ratio (least to most) | bar | aim | wall, s | peer | memory, MiB | peer | bare libpcap | block reads | nDPI on first packets |'
	echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|'
	awk -F '\t' '/^#/ || $1 == "input" { next } {
		printf "| %s | %.2f | %.2f | %s%.3f%s (%.3f to %.3f) | %.2f | %.2f | %.1f | %.1f | %d | %d | %.3f | %.3f | %.3f |\n",
			$1, $2, $5, ($16 == "MISSED") ? "**missed:** " : "", $9, "", $8, $10, $11, $12, $3, $6, $4, $7,
			$13 / $5, $14 / $5, $15 / $5 }' $file
	echo
	sed -n 's/^# input\t\([^ ]* ..*\)/* \1/p' $file # of which it is known what they were made of
}
live() {
	local file=tests/bench/LIVE.tsv
	[ -e $file ] || return 0
	printf '\nLive on a veth pair, sender and `tlmon` on the same cores: %s; load %s; %s (`%s`).\n\n' "$(note $file sender)" \
		"$(note $file load)" "$(note $file date)" "$(note $file commit)"
	echo '| load | sent | a second | seen | dropped | flows | given to nDPI | inspections shed | CPU a packet, us |'
	echo '|---|---|---|---|---|---|---|---|---|'
	awk -F '\t' '/^#/ || $1 == "load" { next } {
		printf "| %s | %d | %d | %d | %d | %d | %d | %d | %.2f |\n", $1, $2, $3, $4, $5, $6, $7, $8, $11 }' $file
}

{ speed; live; } >"$work/tables"
awk -v tables="$work/tables" '
	/^<!-- measured:/ { print; while ((getline line < tables) > 0) print line; skip = 1 }
	/^<!-- end -->/ { skip = 0 }
	!skip { print }' $readme >"$work/readme"
if [ "${1:-}" = --check ]; then
	diff $readme "$work/readme"
else
	cat "$work/readme" >$readme
fi
