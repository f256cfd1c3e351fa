#!/bin/bash
# Speed and size of the flow database, each figure beside its limit: tests/bench/db.sh FLOWS. Ends 1 where one
# is missed. Kept for another look with BENCH_KEEP=DIR (made if it is not there, and used if it is).
set -u
flows=${1:-10000000} units=300 days=30
B=${B:-build/gcc} TLMON=${TLMON:-./tlmon}
work=$(mktemp -d "${TMPDIR:-/tmp}/tlmon-bench-XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
db=${BENCH_KEEP:-$work/db}
missed=0

printf '%-52s %15s %-8s %9s\n' '' figure '' limit
if [ ! -e "$db/flows.db" ]; then
	"$B/bench/mkflows" "$db" "$flows" $units $days >"$work/made" || exit 2
fi
size=$(stat -c %s "$db/flows.db")
per=$(awk "BEGIN { printf \"%.1f\", $size / $flows }")
over=$(awk "BEGIN { print ($per > 120) ? \"MISSED\" : \"\" }")
printf '%-52s %12s %-6s %-8s %8s  %s\n' "size, all tables and indices, a flow of $flows" "$per" bytes 'at most' 120 "$over"
[ -z "$over" ] || missed=1

"$B/bench/insert" 500000 "$work/ours" "$work/bare" || missed=1
rm -rf "$work/ours" "$work/bare"
[ ! -s "$work/made" ] || printf 'for comparison: %s, drawing them included\n' "$(cat "$work/made")"

"$B/bench/queries" "$TLMON" "$db" "$flows" $units $days
case $? in 0) ;; 1) missed=1 ;; *) exit 2 ;; esac
[ $missed = 0 ] || printf '\nWhat is marked MISSED is above its limit.\n'
exit $missed
