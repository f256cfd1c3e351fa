#!/bin/bash
# Every dissector decides something: the program is built without it, and at least one golden case must turn
# red. The cases are tried in an order that finds it soon.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

cc=${B#build/}
make=(make --no-print-directory -s AGAIN=1 "CC=${cc%%-*}")
case $cc in *-san*) make+=(SAN=1) ;; esac
case $cc in *-cov*) make+=(COV=1) ;; esac
cases=$(for dir in tests/golden/*/; do stat -c '%s %n' "$dir/report.txt"; done | sort -n | sed 's|.*golden/\([^/]*\)/.*|\1|')

# red PROGRAM CASE...: the first case that turns red, or nothing
red() {
	local program=$1 case
	shift
	for case in "$@"; do
		if ! TLMON=$program tests/golden/run "$case" >"$work/said" 2>&1; then
			echo "$case"
			return
		fi
	done
}

# One that is red anyhow proves nothing.
green=()
for case in $cases; do
	[ -n "$(red "$TLMON" "$case")" ] || green+=("$case")
done
is 'with all of them every golden case is green' "${#green[@]}" "$(wc -l <<<"$cases")"
for name in $(sed -n 's/^\tX(\([a-z_]*\)).*/\1/p' dissectors/list.h); do
	test="without $name a golden case turns red"
	if ! "${make[@]}" "$B/without/$name/tlmon" >"$work/make" 2>&1; then
		not_ok "$test" 'it was not built' "$(tail -20 "$work/make")"
	elif case=$(red "$PWD/$B/without/$name/tlmon" "${green[@]}"); [ -z "$case" ]; then
		not_ok "$test" 'all are green'
	elif grep -q 'ended with' "$work/said"; then
		not_ok "$test" "$(cat "$work/said")"
	else
		ok "$test"
	fi
done
