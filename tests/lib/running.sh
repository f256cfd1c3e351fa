# running.sh - a running tlmon and its processes, read from /proc: sourced behind tap.sh and net.sh.
#
#   run_start NAME ARG...   tlmon watch in $near, database $work/NAME; sets $pid, waits until it reads packets;
#                           the units are $run_units
#   run_end                 TERM; sets $code and $took (milliseconds)
#   role ROLE               its pid, as a child of $pid; nothing and false if there is none
#   within SECONDS CMD...   until the command succeeds; false after that time
#   db NAME SQL             of the run's database
# shellcheck shell=bash disable=SC2034,SC2154

pid='' code='' took=''
run_units=(--unit 10.20.0.15 --profile room,online,external)

run_kill() {
	local child
	[ -n "$pid" ] || return
	for child in $(children $pid); do kill -9 "$child" 2>/dev/null; done
	kill -9 "$pid" 2>/dev/null
}
lab_end_hook() { run_kill; }

now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
now_us() { echo "${EPOCHREALTIME/[.,]/}"; }

# No process is started here: tests call it a thousand times.
children() {
	local list=''
	{ read -r list <"/proc/$1/task/$1/children"; } 2>/dev/null
	echo "$list"
}

# role_set VARIABLE ROLE
role_set() {
	local list='' child title
	{ read -r list <"/proc/$pid/task/$pid/children"; } 2>/dev/null
	for child in $list; do
		title=
		{ IFS= read -r -d '' title <"/proc/$child/cmdline"; } 2>/dev/null
		if [[ $title == "tlmon: $2"* ]]; then
			printf -v "$1" %s "$child"
			return 0
		fi
	done
	printf -v "$1" ''
	return 1
}

role() {
	local found
	role_set found "$1" && echo "$found"
}

# Waits without a process of its own: nobody ever writes to this descriptor.
exec {never}<> <(:)
pause() { read -rt "$1" -u $never || :; }

within() {
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt $end ] || return 1
		pause 0.02
	done
}

# gone PID: it does not run any more (a zombie that nobody has waited for does not)
gone() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	stat=${stat##*) }
	[[ $stat == [ZX]* ]]
}
all_gone() {
	local one
	for one in "$@"; do gone "$one" || return 1; done
}

db() {
	local name=$1
	shift
	sqlite3 -readonly "$work/$name/flows.db" ".timeout 5000" "$@"
}

# A socket of the packet family is open on mirror0, and every role is there.
run_is_ready() {
	local one
	for one in sensor inspector recorder; do role_set one $one || return 1; done
	[ -e "$work/$1/flows.db" ] && [ "$(inside $near awk 'NR > 1' /proc/net/packet | wc -l)" -gt 0 ]
}

run_start() {
	local name=$1
	shift
	inside_exec $near "$TLMON" watch -i mirror0 -l "$work/$name" "${run_units[@]}" "$@" >"$work/$name.out" 2>"$work/$name.err" {never}<&- &
	pid=$!
	within $((10 * SLOW)) run_is_ready "$name" || return 1
	pause 0.3
}

# run_wait SECONDS: until it has ended by itself or by a signal sent before
run_wait() {
	local begun
	begun=$(now_ms)
	within "$1" gone $pid || kill -9 $pid
	code=0
	wait $pid 2>/dev/null || code=$?
	took=$(($(now_ms) - begun))
	pid=
}

run_end() {
	kill -TERM $pid
	run_wait $((10 * SLOW))
}

# lab_send ARG...: from the far end; sets $sent
lab_send() {
	sent=$(inside $far "$B/tools/send" replay0 "$@") && sent=${sent#sent }
}
