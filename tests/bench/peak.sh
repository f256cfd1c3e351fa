#!/bin/bash
# peak.sh - runs a command and says how much memory it and all processes below it took at most: the sum of
# their Pss (proc(5)), so what several of them share counts once. Asked 20 times a second.
#
#   peak.sh [-o FILE] COMMAND...    FILE (stderr): "peak KIB", and what each process had then; ends as the command does
#
# Root reads it of every process; others of their own only, and not of those that locked themselves in:
# "peak unknown" then.
set -u

out=/dev/stderr
[ "${1-}" != -o ] || {
	out=$2
	shift 2
}

# tree PID: it and all below it
tree() {
	local child
	echo "$1"
	for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do tree "$child"; done
}

"$@" &
pid=$!
trap 'kill "$pid" 2>/dev/null' INT TERM
peak=0 then='' unknown=''
while [ -e "/proc/$pid/smaps_rollup" ]; do
	sum=0 now=''
	for one in $(tree "$pid"); do
		kib=$(awk '/^Pss:/ { print $2 }' "/proc/$one/smaps_rollup" 2>/dev/null) || kib=
		[ -n "$kib" ] || {
			[ ! -e "/proc/$one/exe" ] || [ -r "/proc/$one/smaps_rollup" ] || unknown=1
			continue
		}
		sum=$((sum + kib))
		now+="$kib $(tr '\0' ' ' <"/proc/$one/cmdline" | cut -c-60)"$'\n'
	done
	[ "$sum" -le "$peak" ] || peak=$sum then=$now
	[ -d "/proc/$pid" ] && [ "$(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null)" != Z ] || break
	sleep 0.05
done
wait "$pid"
status=$?
[ -z "$unknown" ] && [ "$peak" -gt 0 ] && echo "peak $peak" >"$out" || echo 'peak unknown' >"$out"
[ "$out" = /dev/stderr ] && printf '%s' "$then" >&2 || printf '%s' "$then" >>"$out"
exit "$status"
