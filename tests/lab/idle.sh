#!/bin/bash
# A run that sees nothing costs nothing: the CPU time of all its processes together while no packet comes.
# Of CPU time another's load changes little, of the clock everything.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

seconds=10
lab_make 'idle, all processes together take less than 0.5 % of a core' 'idle, all processes are there'

# Nanoseconds on a processor so far: of the supervisor and its children.
spent() {
	local one sum=0 ns
	for one in $pid $(children $pid); do
		read -r ns _ <"/proc/$one/schedstat" || return 1
		sum=$((sum + ns))
	done
	echo $sum
}

if [ ! -r /proc/self/schedstat ]; then
	skip 'idle, all processes together take less than 0.5 % of a core' 'skipped: no schedstat'
	exit 0
fi
run_start idle || not_ok 'the run begins' "$(cat "$work/idle.err")"
pause 2 # what is done once, behind the start
before=$(spent)
pause $seconds
after=$(spent)
is 'idle, all processes are there' "$(children $pid | wc -w)" 3
used=$(((after - before) / 1000))
bound=$((seconds * 5000 * SLOW)) # microseconds
if [ -n "$before" ] && [ $used -gt 0 ] && [ $used -le $bound ]; then
	ok 'idle, all processes together take less than 0.5 % of a core'
else
	not_ok 'idle, all processes together take less than 0.5 % of a core' "$used us in $seconds s, $bound are allowed"
fi
echo "# $used us of CPU in $seconds s"
run_end
is 'an idle run ends with 0' "$code" 0
