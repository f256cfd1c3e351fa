#!/bin/bash
# What happens to a live run when its processes are killed, stopped and starved, and when the interface
# goes: nothing that could be seen is lost, and what could not be seen is on record.
#   tests/lab/processes.sh [long] [PART...]     `long` is what `make test-processes` runs
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

if [ "${1:-}" = long ]; then
	shift
	kills=1000 seconds=60 rate=1000 sensor_kills=20 stopped=30
else
	kills=50 seconds=4 rate=1000 sensor_kills=4 stopped=5
fi
# A sanitizer build keeps up with fewer flows, and starts its processes more slowly.
rate=$((rate / SLOW)) kills=$((kills / SLOW))

lab_make 'killed, stopped and starved processes lose nothing that could be seen' \
	'what could not be seen is on record'

lab_end_hook() {
	run_kill
	umount "$work/disk" 2>/dev/null
}
begin() { run_start "$@" || not_ok "$1: a live run begins" "$(cat "$work/$1.err")"; }
send_behind() { inside_exec $far "$B/tools/send" replay0 "$@" >"$work/sent" {never}<&- & sender=$!; }
# every NAME RUN FLOWS: each flow sent has its row, and no other
every() {
	is "$1" "$(db "$2" "SELECT count(*), count(DISTINCT local_port || ' ' || remote || ' ' || remote_port) FROM flow")" "$3|$3"
}
blind() { db "$1" "SELECT coalesce(sum(count), 0) FROM v_blind WHERE cause = '$2'"; }
# Flows end soon and are told then: what a sensor had not told yet dies with it.
brief=(--idle 'udp=200ms,tcp-open=200ms')
# near NAME A B MILLISECONDS: two times in microseconds
near() {
	local apart=$(($2 - $3))
	[ ${apart#-} -le $(($4 * 1000 * $(patience))) ] && ok "$1" || not_ok "$1" "$apart us apart"
}
# at_most NAME SEEN BOUND
at_most() {
	local bound=$(($3 * $(patience)))
	[ "$2" -le $bound ] && ok "$1" || not_ok "$1" "$2, and $bound is allowed"
}
# written RUN FLOWS: waits until so many are committed
written() { within $((10 * SLOW)) eval '[ "$(db '"$1"' "SELECT count(*) FROM flow" 2>/dev/null || echo 0)" -ge '"$2"' ]'; }
fine() {
	is "$1: ends with 0" "$code" 0
	[ "$code" = 0 ] || sed 's/^/#   /' "$work/$1.err"
}

# It has slept, so it is at work: the first look at the ring comes right behind the sandbox.
busy() {
	local word value
	while read -r word value; do
		[ "$word" != voluntary_ctxt_switches: ] || { [ "$value" -ge 2 ]; return; }
	done 2>/dev/null <"/proc/$1/status"
	return 0
}

# An inspector that is killed costs opinions, never a flow.
inspector_killed() {
	local last='' one='' hits=0 begun ended next flows=$((rate * (seconds + 3)))
	begin inspector
	send_behind flows $flows $rate
	begun=$(now_us)
	for ((next = 1; next <= kills; next++)); do
		while [ "$(now_us)" -lt $((begun + next * (seconds * 1000000 - 300000) / kills)) ]; do pause 0.002; done
		within $((2 * SLOW)) eval 'role_set one inspector && [ "$one" != "$last" ]' || break
		# One that dies without having finished a packet is kept waiting: that is another matter.
		within 1 busy "$one"
		kill -9 "$one" && hits=$((hits + 1))
		last=$one
	done
	ended=$(now_us)
	wait $sender
	read -r _ sent <"$work/sent"
	pause 1
	run_end
	fine inspector
	is "inspector: it was killed $kills times in $seconds s" $hits $kills
	at_most 'inspector: ... and not much slower than that' $((ended - begun)) $(((seconds + 3 * SLOW) * 1000000))
	is 'inspector: every packet was seen' "$(db inspector 'SELECT seen FROM run')" "$sent"
	every "inspector: $flows flows sent, as many with a row" inspector $flows
	is 'inspector: every restart is counted' "$(blind inspector inspector-down)" $hits
	is 'inspector: nobody else died' "$(db inspector "SELECT count(*) FROM v_blind WHERE cause = 'sensor-down'")" 0
}

# Another sensor takes over with a new handle; the time between is on record, and right.
sensor_killed() {
	local i one='' killed=() recorder inspector row first
	begin sensor "${brief[@]}"
	recorder=$(role recorder) inspector=$(role inspector)
	send_behind flows $((400 * sensor_kills)) 200
	for ((i = 0; i < sensor_kills; i++)); do
		pause 0.7
		one=$(role sensor)
		killed+=("$(now_us)")
		kill -9 "$one"
		within $((2 * SLOW)) eval 'role_set next sensor && [ "$next" != "$one" ]' || not_ok 'sensor: another one begins'
		pause 0.3
	done
	is 'sensor: supervisor, recorder and inspector are the same as before' \
		"$(role recorder) $(role inspector) $(gone $pid || echo alive)" "$recorder $inspector alive"
	pause 1
	kill -9 $sender
	wait $sender 2>/dev/null
	pause 0.5
	run_end
	fine sensor
	is "sensor: $sensor_kills kills are $sensor_kills intervals" \
		"$(db sensor "SELECT count(*), sum(count) FROM v_blind WHERE cause = 'sensor-down'")" "$sensor_kills|$sensor_kills"
	i=0
	while IFS='|' read -r since until; do
		near "sensor: interval $((i + 1)) begins when the sensor was killed, to 100 ms" "$since" "${killed[i]}" $((100 * SLOW))
		at_most 'sensor: ... and is over within a second' $(((until - since) / 1000)) $((1000 * SLOW))
		# A flow begins every 5 ms: the first one behind the kill shows when somebody looked again.
		first=$(db sensor "SELECT coalesce(min(start_us), 0) FROM flow WHERE start_us > ${killed[i]}")
		near 'sensor: ... when flows are seen again, to 100 ms' "$until" "$first" $((100 * SLOW))
		i=$((i + 1))
	done < <(db sensor "SELECT since_us, until_us FROM blind WHERE cause = (SELECT id FROM word WHERE list = 'cause' AND word = 'sensor-down') ORDER BY since_us")
}

# While the recorder stands still, facts wait for it.
recorder_stopped() {
	local one flows=$((rate * stopped))
	begin recorder
	one=$(role recorder)
	kill -STOP "$one"
	lab_send flows $flows $rate
	kill -CONT "$one"
	pause 1
	run_end
	fine recorder
	is 'recorder: every packet was seen' "$(db recorder 'SELECT seen FROM run')" "$sent"
	every "recorder: stopped for $stopped s, $flows flows sent, as many with a row" recorder $flows
	is 'recorder: no ring was full' "$(blind recorder ring-full)" 0
}

# A recorder that dies is followed by one that goes on from the last commit: nothing is lost or counted twice.
recorder_killed() {
	local i one='' flows=$((rate * sensor_kills / 2))
	begin successor "${brief[@]}"
	send_behind flows $flows $((rate / 2))
	for ((i = 0; i < sensor_kills; i++)); do
		pause 0.8
		within $((2 * SLOW)) role_set one recorder
		kill -9 "$one"
	done
	wait $sender
	read -r _ sent <"$work/sent"
	pause 2
	run_end
	fine successor
	is 'successor: every packet was seen' "$(db successor 'SELECT seen FROM run')" "$sent"
	every "successor: $sensor_kills recorders killed, $flows flows sent, as many with a row" successor $flows
	is 'successor: each flow counts once under its finding, and its row too' \
		"$(db successor 'SELECT sum(flows), sum(kept) FROM finding')" \
		"$(db successor 'SELECT count(*), count(*) FROM flow WHERE finding IS NOT NULL')"
	is 'successor: no byte counts twice' "$(db successor 'SELECT sum(bytes) FROM finding')" \
		"$(db successor 'SELECT sum(bytes_out + bytes_in) FROM flow WHERE finding IS NOT NULL')"
	is 'successor: every restart is counted' "$(db successor 'SELECT recorder_restarts FROM run')" $sensor_kills
	is 'successor: one run, which ended in order' "$(db successor 'SELECT count(*), sum(ended) FROM run')" '1|1'
}

# A disk that is full for a while: flows wait, and then have their rows.
disk_full() {
	local flows=1000
	mkdir "$work/disk"
	mount -t tmpfs -o size=3m,mode=0750 tmpfs "$work/disk" || { skip 'disk: flows wait until there is room' 'skipped: no tmpfs'; return 0; }
	begin disk "${brief[@]}"
	lab_send flows 100 200
	written disk 100
	dd if=/dev/zero of="$work/disk/filler" bs=64k >/dev/null 2>&1
	lab_send flows $flows 500 1000
	within $((5 * SLOW)) grep -q 'disk is full' "$work/disk.err"
	is 'disk: that it is full is said' "$?" 0
	pause 2
	rm "$work/disk/filler"
	within $((10 * SLOW)) eval '[ "$(db disk "SELECT count(*) FROM flow")" = 1100 ]'
	run_end
	fine disk
	every 'disk: 1100 flows sent, as many with a row' disk 1100
	is 'disk: it is on record, and over' \
		"$(db disk "SELECT count(*), sum(until_us IS NULL), min(until_us - since_us) > 1000000 FROM blind WHERE cause = $(db disk "SELECT id FROM word WHERE list = 'cause' AND word = 'disk-full'")")" '1|0|1'
	is 'disk: that was said once' "$(grep -c 'disk is full' "$work/disk.err")" 1
	# Full for good, and the end asked for: it ends, and says what that costs.
	rm -r "${work:?}"/disk/*
	begin disk "${brief[@]}"
	dd if=/dev/zero of="$work/disk/filler" bs=64k >/dev/null 2>&1
	lab_send flows $flows 500
	within $((5 * SLOW)) grep -q 'disk is full' "$work/disk.err"
	run_end
	is 'disk: full for good it does not end with 0' "$([ "$code" != 0 ] && echo yes)" yes
	at_most 'disk: ... within a few seconds of TERM (milliseconds)' $took $((4000 * SLOW))
	has 'disk: ... and says that something is lost' "$(cat "$work/disk.err")" 'disk is full.*is lost'
	umount "$work/disk"
}

# The database is removed under its writer: that is said, and another one begun.
database_removed() {
	begin removed "${brief[@]}"
	lab_send flows 50 100
	written removed 50
	rm "$work"/removed/flows.db*
	within $((5 * SLOW)) grep -q 'removed or replaced' "$work/removed.err"
	is 'removed: that the database is gone is said' "$?" 0
	lab_send flows 50 100 100
	written removed 50
	run_end
	fine removed
	is 'removed: what came later is in another one' \
		"$(db removed "SELECT count(*) > 0, min(start_us) > 0 FROM flow WHERE local_port >= 0")" '1|1'
	is 'removed: ... with a run of its own, which ended in order' "$(db removed 'SELECT count(*), sum(ended) FROM run')" '1|1'
}

# Nobody outlives the supervisor; the next start knows since when nobody looked.
supervisor_killed() {
	local family died began row beat
	begin supervisor "${brief[@]}"
	lab_send flows 100 100
	written supervisor 100
	# Just behind a heartbeat, which is what the next start goes by.
	beat=$(db supervisor 'SELECT last_us FROM run')
	within $((4 * SLOW)) eval '[ "$(db supervisor "SELECT last_us FROM run")" != "$beat" ]'
	family=$(children $pid)
	is 'supervisor: its children are three or more' "$([ "$(wc -w <<<"$family")" -ge 3 ] && echo yes)" yes
	disown $pid # bash would say that it was killed
	kill -9 $pid
	died=$(now_us)
	# shellcheck disable=SC2086 # one word a child
	within 2 all_gone $family
	is 'supervisor: 2 s after its end no child is left' "$?" 0
	pause 2
	began=$(now_us)
	begin supervisor
	run_end
	fine supervisor
	row=$(db supervisor "SELECT since_us, until_us FROM blind WHERE cause = (SELECT id FROM word WHERE list = 'cause' AND word = 'not-running')")
	is 'supervisor: the next start writes one interval' "$(wc -w <<<"$row")" 1
	near 'supervisor: ... from when it died, to a second' "${row%|*}" $died $((1000 * SLOW))
	near 'supervisor: ... until another one looked, to a second' "${row#*|}" $began $((1000 * SLOW))
	every 'supervisor: what was committed is there' supervisor 100
}

# What the kernel had to drop while nobody read is counted, to the packet.
sensor_stalled() {
	local one before brought seen
	begin stalled
	lab_send flows 10 100
	before=$sent
	pause 0.5
	one=$(role sensor)
	brought=$(lab_received)
	kill -STOP "$one"
	lab_send packets 100000 1400
	kill -CONT "$one"
	is 'stalled: the interface brought every packet sent' $(($(lab_received) - brought)) "$sent"
	pause $((3 * SLOW))
	run_end
	fine stalled
	seen=$(db stalled 'SELECT seen FROM run')
	is 'stalled: kernel-drop is what was sent and not seen, exactly' "$(blind stalled kernel-drop)" $((before + sent - seen))
	is 'stalled: ... and there was some' "$([ "$(blind stalled kernel-drop)" -gt 0 ] && [ "$seen" -gt "$before" ] && echo yes)" yes
	is 'stalled: nobody was taken for dead' "$(db stalled "SELECT count(*) FROM v_blind WHERE cause IN ('sensor-down', 'inspector-down')")" 0
}

signals() {
	local family size
	begin signals --idle udp=1h
	lab_send flows 3000 3000
	size=$(wc -c <"$work/signals.err")
	kill -USR1 $pid
	within $((2 * SLOW)) eval '[ "$(wc -c <"$work/signals.err")" -gt '"$size"' ]'
	has 'signals: USR1 says how it goes, and of every role' "$(tail -c +$((size + 1)) "$work/signals.err")" sensor inspector recorder '[0-9]'
	pause 0.3
	run_end
	fine signals
	at_most 'signals: TERM ends it within 2 s (milliseconds)' $took $((2000 * SLOW))
	every 'signals: ... and every open flow is committed' signals 3000

	begin second
	lab_send flows 100 1000
	family=$(children $pid)
	kill -STOP "$(role recorder)"
	kill -INT $pid
	pause 0.5
	is 'signals: an INT waits for a recorder that stands still' "$(gone $pid || echo waits)" waits
	kill -INT $pid
	run_wait 5
	is 'signals: a second one does not' "$code" 130
	at_most 'signals: ... and is quick (milliseconds)' $took $((1000 * SLOW))
	# shellcheck disable=SC2086 # one word a child
	within 1 all_gone $family
	is 'signals: ... and leaves no child' "$?" 0
}

# Down, up, removed and made anew: recorded, and looked at again.
interface_gone() {
	local down up row
	begin link
	lab_send flows 20 100
	pause 0.3
	down=$(now_us)
	inside $near ip link set mirror0 down
	pause 1
	up=$(now_us)
	inside $near ip link set mirror0 up
	pause $((1 * SLOW))
	lab_send flows 20 100 20
	pause 0.3
	row=$(db link "SELECT since_us, until_us FROM blind WHERE cause = (SELECT id FROM word WHERE list = 'cause' AND word = 'link-down')")
	is 'link: down and up again is one interval' "$(wc -w <<<"$row")" 1
	near 'link: ... from when it went down' "${row%|*}" $down $((300 * SLOW))
	near 'link: ... until it was up' "${row#*|}" $up $((300 * SLOW))
	inside $near ip link del mirror0
	pause 1
	is 'link: without its interface the run goes on' "$(gone $pid || echo alive)" alive
	lab_link
	pause $((2 * SLOW))
	lab_send flows 20 100 40
	pause 0.5
	run_end
	fine link
	is 'link: the interface that was removed is the second' "$(db link "SELECT count(*) FROM v_blind WHERE cause = 'link-down'")" 2
	every 'link: every flow sent while it was up has its row' link 60
	is 'link: nobody died of it' "$(db link "SELECT count(*) FROM v_blind WHERE detail LIKE 'killed%'")" 0
}

# No packet at all: time passes all the same.
silence() {
	local early late
	begin silence --idle udp=1s,tcp-open=1s
	lab_send flows 8 100
	within $((6 * SLOW)) eval '[ "$(db silence "SELECT count(*) FROM flow")" = 8 ]'
	is 'silence: flows end by the clock, with no packet to tell the time' "$?" 0
	early=$(db silence 'SELECT last_us FROM run')
	pause 2.5
	late=$(db silence 'SELECT last_us FROM run')
	is 'silence: the heartbeat moves' "$([ "$late" -ge $((early + 1000000)) ] && echo yes)" yes
	run_end
	fine silence
	at_most 'silence: TERM ends it within 2 s (milliseconds)' $took $((2000 * SLOW))
	every 'silence: nothing was lost' silence 8
}

# A packet that the sensor dies of, and one that it hangs on, are kept and skipped.
poison() {
	local what=$1 text="poison-$1" began
	begin "$what" "${brief[@]}" --test "$what=$text"
	lab_send flows 20 100
	written "$what" 20
	began=$(now_us)
	lab_send text "$text"
	within $((6 * SLOW)) eval '[ "$(blind '"$what"' sensor-down)" = 1 ] && role sensor >/dev/null'
	is "$what: a sensor died of it, and another one is there" "$?" 0
	at_most "$what: ... soon (milliseconds)" $((($(now_us) - began) / 1000)) $((4500 * SLOW))
	pause 1
	lab_send flows 20 100 20
	pause 0.5
	run_end
	fine "$what"
	is "$what: flows before and after it have their rows" \
		"$(db "$what" "SELECT count(*) FROM v_flow WHERE remote LIKE '198.18.0.%' AND local_port BETWEEN 20000 AND 20039")" 40
	is "$what: once, no more" "$(blind "$what" sensor-down)" 1
	[ "$what" = hang ] || has "$what: the packet is kept" \
		"$(db "$what" 'SELECT CAST(substr(bytes, 43) AS TEXT) FROM evidence')" "^$text"
	[ "$what" = die ] || return 0
	# The same from a file, of four made into one: what comes behind it is read.
	"$B/tools/send" "$work/poison.pcap" flows 20 100 >/dev/null
	"$B/tools/send" "$work/later.pcap" text 'time passes' 1 >/dev/null
	"$B/tools/send" "$work/packet.pcap" text "$text" 2 >/dev/null
	"$B/tools/send" "$work/behind.pcap" flows 20 100 20 >/dev/null
	tail -qc +25 "$work/later.pcap" "$work/packet.pcap" "$work/behind.pcap" >>"$work/poison.pcap"
	"$TLMON" watch -r "$work/poison.pcap" --unit 10.20.0.15 --profile room,online,external -l "$work/file" \
		"${brief[@]}" --test "$what=$text" >"$work/out" 2>&1
	is "$what: from a file it ends with 0" "$?" 0
	is "$what: ... and every flow before and behind has its row" \
		"$(db file "SELECT count(*) FROM v_flow WHERE remote LIKE '198.18.0.%' AND local_port BETWEEN 20000 AND 20039")" 40
	has "$what: ... and the packet is kept" "$(db file 'SELECT CAST(substr(bytes, 43) AS TEXT) FROM evidence')" "^$text"
	is "$what: ... and sensor-down is on record" "$(blind file sensor-down)" 1
}

poison_die() { poison die; }
poison_hang() { poison hang; }

parts=(inspector_killed sensor_killed recorder_stopped recorder_killed disk_full database_removed
	supervisor_killed sensor_stalled signals interface_gone silence poison_die poison_hang)
[ $# = 0 ] || parts=("$@")
for part in "${parts[@]}"; do $part; done
