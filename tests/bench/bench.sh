#!/bin/bash
# The whole program against a peer on the four inputs: tests/bench/bench.sh PEER, where PEER is ndpiReader. They run in turn,
# ROUNDS (5) pairs an input; CPU is user and system time of all processes. Ends 1 and names what misses its bar. INPUTS
# chooses among mix, media, flood, short; DIR is where tests/bench/inputs.sh made them. What was measured lands in RESULT, of a whole
# run in tests/bench/RESULTS.tsv and the README.
set -u
peer=${1:-ndpiReader} rounds=${ROUNDS:-5} dir=${DIR:-build/bench} inputs=${INPUTS:-mix media flood short}
B=${B:-build/gcc} TLMON=${TLMON:-./tlmon}
# Only what is whole stands in the README.
result=build/bench/results.tsv
[ "$inputs" != 'mix media flood short' ] || [ "$rounds" -lt 5 ] || result=tests/bench/RESULTS.tsv
result=${RESULT:-$result}
work=$(mktemp -d "${TMPDIR:-/tmp}/tlmon-bench-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
. tests/bench/measure.sh

case ${peer##*/} in
ndpiReader) ;;
*) stop "PEER=$peer: only ndpiReader is known how to run" ;;
esac
command -v "$peer" >/dev/null || stop "no $peer: make bench-deps"

# The ratio of CPU that is asked for, and the one that is aimed at.
declare -A bar=([mix]=0.33 [media]=0.50 [flood]=0.06 [short]=0.22)
declare -A aim=([mix]=0.22 [media]=0.35 [flood]=0.03 [short]=0.12)
# Of the line the program ends with: what must stand there, or it did not do the work.
declare -A flows=([media]=300 [flood]=2000000 [short]=1000000)

# ours INPUT [-m], theirs INPUT [-m]: "CPU WALL KIB" on standard output
ours() {
	rm -rf "$work/db"
	"$B/bench/runner" "${@:2}" -o "$work/cost" -- "$TLMON" watch -r "$dir/$1.pcap" -c "$dir/$1.yaml" \
		-l "$work/db" >"$work/said" 2>"$work/err" || stop "tlmon on $1 ended with $?: $(tail -3 "$work/err")"
	[ -z "${flows[$1]:-}" ] || grep -q " ${flows[$1]} of their flows" "$work/said" ||
		stop "tlmon did not count ${flows[$1]} flows of $1: $(cat "$work/said")"
	cat "$work/cost"
}
theirs() {
	"$B/bench/runner" "${@:2}" -o "$work/cost" -- "$peer" -q -i "$dir/$1.pcap" >/dev/null 2>"$work/err" ||
		stop "$peer on $1 ended with $?: $(tail -3 "$work/err")"
	cat "$work/cost"
}
bare() {
	"$B/bench/runner" -o "$work/cost" -- "$B/bench/floor_$2" "$dir/$1.pcap" >"$work/said" 2>&1 ||
		stop "floor_$2 on $1 ended with $?: $(cat "$work/said")"
	cat "$work/cost"
}

# pairs INPUT: $work/ours and $work/theirs, a line a round, and $work/floor_*
pairs() {
	local round kind
	rm -f "$work"/ours "$work"/theirs "$work"/floor_*
	cat "$dir/$1.pcap" >/dev/null
	for round in $(seq "$rounds"); do
		if [ $((round % 2)) = 1 ]; then
			ours "$1" >>"$work/ours"
			theirs "$1" >>"$work/theirs"
		else
			theirs "$1" >>"$work/theirs"
			ours "$1" >>"$work/ours"
		fi
		for kind in pcap blocks ndpi; do
			bare "$1" $kind >>"$work/floor_$kind"
		done
		[ ! -t 2 ] || printf '\r%s %s of %s ' "$1" "$round" "$rounds" >&2
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

{
	machine
	echo "# peer	$(peer_version "$peer")"
	echo "# rounds	$rounds"
	for input in $inputs; do
		echo "# input	$(cat "$dir/$input.txt" 2>/dev/null || echo "$input")"
	done
	printf '%s\t' input ours_cpu ours_wall ours_mib peer_cpu peer_wall peer_mib least median most bar aim pcap blocks ndpi
	echo met
} >"$work/result"

sed -n 's/^# \([a-z]*\)\t/\1: /p' "$work/result"
printf '\nCPU in seconds, of all processes; wall time; the peak of memory (Pss, summed over the processes) in MiB; the ratio of CPU, of %s pairs\n' "$rounds"
printf '%-6s %-23s %-23s %-20s %5s %5s %s\n' '' "tlmon: CPU  wall   MiB" "peer: CPU  wall   MiB" 'least median most' bar aim ''
missed=()
for input in $inputs; do
	[ -e "$dir/$input.pcap" ] || stop "$dir/$input.pcap is not there: make bench-inputs PCAPS=folder"
	pairs "$input"
	mine=$(ours "$input" -m) their=$(theirs "$input" -m)
	paste "$work/ours" "$work/theirs" | awk '{ print $1 / $4 }' >"$work/ratio"
	line=$(printf '%s\t' "$input" "$(median 1 "$work/ours")" "$(median 2 "$work/ours")" "$(mib "$mine")" \
		"$(median 1 "$work/theirs")" "$(median 2 "$work/theirs")" "$(mib "$their")" \
		"$(sort -g "$work/ratio" | head -1)" "$(median 1 "$work/ratio")" "$(sort -g "$work/ratio" | tail -1)" \
		"${bar[$input]}" "${aim[$input]}" \
		"$(median 1 "$work/floor_pcap")" "$(median 1 "$work/floor_blocks")" "$(median 1 "$work/floor_ndpi")")
	met=$(awk -F '\t' '{ print ($9 > $11) ? "MISSED" : ($9 > $12) ? "bar" : "aim" }' <<<"$line")
	printf '%s%s\n' "$line" "$met" >>"$work/result"
	[ "$met" != MISSED ] || missed+=("$input")
	awk -F '\t' -v met="$met" '{
		printf "%-6s %10.2f %5.1f %6d %10.2f %5.1f %6d %7.3f %6.3f %6.3f %5.2f %5.2f  %s\n", $1, $2, $3, $4, $5, $6, $7,
			$8, $9, $10, $11, $12, met
		printf "       bare, CPU and ratio: libpcap %.2f %.3f, block reads %.2f %.3f, flow table and nDPI on first packets %.2f %.3f\n",
			$13, $13 / $5, $14, $14 / $5, $15, $15 / $5
	}' <<<"$line"
done
mkdir -p "$(dirname "$result")"
cp "$work/result" "$result"
[ "$result" != tests/bench/RESULTS.tsv ] || tests/bench/readme.sh
[ ${#missed[@]} = 0 ] && exit 0
printf '\nMISSED, above the bar: %s\n' "${missed[*]}"
exit 1
