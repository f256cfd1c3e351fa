#!/bin/bash
# The database under faults: processes killed at random moments, disks that fill, locks that others hold, pages that are
# overwritten. What another reader saw committed is never lost, nothing is doubled, and what could not be seen is
# on record.
#   tests/lab/faults.sh [long] [PART...]     `long` is what `make test-faults-db` runs; SEED= draws the moments
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

if [ "${1:-}" = long ]; then
	shift
	rounds=34 kills=6 live_kills=20 flows=5000 pace=3000 locked=10
else
	rounds=3 kills=6 live_kills=3 flows=3000 pace=3000 locked=3
fi
RANDOM=${SEED:-20261122}
trap faults_end EXIT
faults_end() {
	run_kill
	umount "$work/disk" 2>/dev/null
	[ -n "$lab" ] && lab_end
	rm -rf "$work"
}
lab=''
lab_end_hook() { run_kill; }
brief=(--idle 'udp=200ms,tcp-open=200ms')

# ------------------------------------------------------------------------------ what must hold

# Of each flow what makes it itself, one a line.
keys() { sqlite3 -readonly "$1" '.timeout 5000' 'SELECT start, unit, transport, local, local_port, remote, remote_port FROM v_flow' 2>/dev/null | sort; }
sound() {
	is "$1: the database is sound" "$(sqlite3 "$2" '.timeout 5000' 'PRAGMA integrity_check' 'PRAGMA foreign_key_check')" ok
}
cause() { db "$1" "SELECT count(*), coalesce(sum(count), 0), coalesce(sum(\"end\" IS NULL), 0) FROM v_blind WHERE cause = '$2'"; }
# All of it, but for how often its recorder was started anew, and packets for findings: those that wait for one die with it.
dump() { sqlite3 -readonly "$1" .dump | sed -E '/^INSERT INTO (run|evidence|evidence_day) VALUES/d; /sqlite_sequence/d'; }
# Packets kept twice, and findings with more than their share.
strange() {
	sqlite3 -readonly "$1" "SELECT (SELECT count(*) FROM (SELECT 1 FROM evidence GROUP BY finding, flow, time_us, bytes HAVING count(*) > 1))
		+ (SELECT count(*) FROM (SELECT 1 FROM evidence WHERE finding NOT NULL GROUP BY finding HAVING count(DISTINCT flow) > 3))"
}
run_row() { sqlite3 -readonly "$1" 'SELECT first, last, ended, packet, seen, in_flows, flows FROM v_run'; }

# ------------------------------------------------------------------- replays, killed at random moments

"$B/tools/send" "$work/day.pcap" flows $flows 1000 >/dev/null
"$B/tools/mkfleet" "$work/fleet.pcap"
replay() { exec "$TLMON" watch -r "$work/day.pcap" "${run_units[@]}" -l "$work/$1" "${brief[@]}" --test "delay=$2,pace=$pace,commit=60000"; }
tally() { local -n one="killed_$1"; one=$((one + 1)); }

# kill_round NAME ROLE...: kills them, one after the other, and lets it come to its end
kill_round() {
	local name=$1 one='' role seed=$RANDOM hits=0
	shift
	rm -rf "${work:?}/$name"
	: >"$work/seen"
	replay "$name" $seed >"$work/$name.out" 2>&1 {never}<&- & pid=$!
	for role in "$@"; do
		pause 0.$((RANDOM % 3))$((RANDOM % 10))
		gone $pid && break
		# What anybody can see now is acknowledged.
		[ ! -e "$work/$name/flows.db" ] || keys "$work/$name/flows.db" >>"$work/seen"
		if [ "$role" = supervisor ]; then
			local family
			family=$(children $pid)
			disown $pid
			kill -9 $pid 2>/dev/null
			# shellcheck disable=SC2086 # one word a child
			within 5 all_gone $pid $family
			replay "$name" $seed >>"$work/$name.out" 2>&1 {never}<&- & pid=$!
		else
			within 2 role_set one "$role" || continue
			kill -9 "$one" 2>/dev/null || continue
		fi
		hits=$((hits + 1))
		tally "$role"
	done
	within $((60 * SLOW)) gone $pid || kill -9 $pid
	code=0
	wait $pid || code=$?
	pid=
	# One that died while it began ends the run; what it wrote is gone on with.
	if [ $code != 0 ] && grep -q 'could not begin' "$work/$name.out"; then
		code=0
		(replay "$name" $seed) >"$work/$name.out" 2>&1 || code=$?
	fi
	[ $code = 0 ] || not_ok "$name: it comes to its end" "$(cat "$work/$name.out")"
	[ -e "$work/$name/flows.db" ] || return
	keys "$work/$name/flows.db" >"$work/keys"
	sort -u "$work/seen" >"$work/acknowledged"
	acknowledged=$((acknowledged + $(wc -l <"$work/acknowledged")))
	lost=$((lost + $(comm -13 "$work/keys" "$work/acknowledged" | wc -l)))
	doubled=$((doubled + $(uniq -d "$work/keys" | wc -l)))
	[ "$(sqlite3 "$work/$name/flows.db" 'PRAGMA integrity_check' 'PRAGMA foreign_key_check')" = ok ] || unsound=$((unsound + 1))
	[ "$(db "$name" 'SELECT sum(flows), sum(bytes) FROM finding')" = \
		"$(db "$name" 'SELECT count(*), sum(bytes_out + bytes_in) FROM v_flow WHERE finding IS NOT NULL')" ] || miscounted=$((miscounted + 1))
	[ "$(db "$name" 'SELECT count(*) FROM handover')" = 0 ] || unsound=$((unsound + 1))
}

replays() {
	local round role roles
	killed_supervisor=0 killed_recorder=0 killed_inspector=0 killed_sensor=0
	acknowledged=0 lost=0 doubled=0 unsound=0 miscounted=0 different=0 unsaid=0
	(replay whole 1) >"$work/whole.out" 2>&1 || not_ok 'replay: an undisturbed one' "$(cat "$work/whole.out")"
	dump "$work/whole/flows.db" >"$work/whole.dump"
	keys "$work/whole/flows.db" >"$work/whole.keys"
	for ((round = 0; round < rounds; round++)); do
		roles=()
		for ((role = 0; role < kills; role++)); do
			case $((round % 3)) in
			0) roles+=(supervisor recorder) ;; # leaves no trace at all
			1) roles+=(recorder inspector supervisor) ;; # the packet in hand is not inspected
			*) roles+=(sensor recorder inspector) ;; # open flows are cut
			esac
		done
		kill_round killed "${roles[@]:$((round % 2)):$kills}"
		dump "$work/killed/flows.db" >"$work/killed.dump"
		case $((round % 3)) in
		0)
			cmp -s "$work/whole.dump" "$work/killed.dump" || { different=$((different + 1)); diff "$work/whole.dump" "$work/killed.dump" | head -4 | cut -c-160 | sed 's/^/#   /'; }
			[ "$(strange "$work/killed/flows.db")" = 0 ] || different=$((different + 1))
			[ "$(run_row "$work/whole/flows.db")" = "$(run_row "$work/killed/flows.db")" ] || different=$((different + 1))
			;;
		1)
			# The same flows, findings and coverage.
			cmp -s "$work/whole.keys" "$work/keys" || different=$((different + 1))
			[ "$(db whole 'SELECT sum(flows), sum(bytes) FROM finding')" = "$(db killed 'SELECT sum(flows), sum(bytes) FROM finding')" ] || different=$((different + 1))
			[ "$(db whole 'SELECT * FROM v_coverage')" = "$(db killed 'SELECT * FROM v_coverage')" ] || different=$((different + 1))
			;;
		*)
			# One that had told of everything before it was killed left nothing out.
			[ "$(db killed "SELECT count(*) > 0 FROM v_blind WHERE cause = 'sensor-down'")" = 1 ] ||
				cmp -s "$work/whole.keys" "$work/keys" || unsaid=$((unsaid + 1))
			;;
		esac
	done
	echo "# replays: killed: supervisor $killed_supervisor, recorder $killed_recorder, inspector $killed_inspector, sensor $killed_sensor times, in $rounds runs"
	echo "# replays: $acknowledged rows acknowledged before a kill, $lost of them lost, $doubled doubled"
	is 'replays: what was acknowledged is there' $lost 0
	is 'replays: no flow has two rows' $doubled 0
	is 'replays: databases are sound, and nothing is left over of those that died' $unsound 0
	is 'replays: findings count their flows and bytes once' $miscounted 0
	is 'replays: flows, findings and coverage are those of an undisturbed run' $different 0
	is 'replays: a sensor that died is on record' $unsaid 0
}

# A part of a file that a dead run had read is not read twice, whatever is said.
part_read() {
	local out
	rm -rf "$work/part"
	replay part 1 >/dev/null 2>&1 {never}<&- & pid=$!
	within $((10 * SLOW)) eval '[ "$(db part "SELECT count(*) FROM flow" 2>/dev/null || echo 0)" -gt 0 ]'
	disown $pid
	kill -9 $pid
	within 5 gone $pid
	pid=
	pause 0.3
	out=$("$TLMON" watch -r "$work/day.pcap" --unit 10.20.0.15 --profile room -l "$work/part" 2>&1)
	is 'part: with another policy it is refused' $? 2
	has 'part: ... and what would do is said' "$out" 'day.pcap: a run that died has read a part' 'same files, policy and options' '--again'
	out=$("$TLMON" watch -r "$work/day.pcap" "${run_units[@]}" -l "$work/part" "${brief[@]}" 2>&1)
	is 'part: with the same words it is gone on with' $? 0
	has 'part: ... which is said' "$out" 'gone on with behind what it had written'
	is 'part: ... as one run with every flow once' "$(db part 'SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM flow)')" "1|$flows"
	"$TLMON" watch -r "$work/day.pcap" "${run_units[@]}" -l "$work/part" "${brief[@]}" >/dev/null 2>&1
	is 'part: then it is held whole, and refused' $? 2
}

# ------------------------------------------------------------------------------ damage

# scribble FILE OFFSET BYTES
scribble() { head -c "$3" /dev/urandom | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

damage() {
	local out what
	for what in header root short text; do
		rm -rf "$work/bad"
		"$TLMON" watch -r "$work/fleet.pcap" -c tests/demo/fleet.yaml -l "$work/bad" >/dev/null 2>&1
		case $what in
		header) scribble "$work/bad/flows.db" 0 100 ;;
		root) scribble "$work/bad/flows.db" $((4096 * ($(db bad "SELECT rootpage FROM sqlite_schema WHERE name = 'run'") - 1))) 512 ;;
		short) truncate -s -1000 "$work/bad/flows.db" ;;
		text) echo 'not a database, but the minutes of a meeting that somebody put here by mistake, long enough for it' >"$work/bad/flows.db" ;;
		esac
		cp "$work/bad/flows.db" "$work/copy"
		out=$("$TLMON" watch -r "$work/fleet.pcap" -c tests/demo/fleet.yaml -l "$work/bad" 2>&1)
		is "damage: $what: the run goes on" $? 0
		has "damage: $what: that it is set aside is said" "$out" 'is set aside as flows.db.damaged-[0-9]{8}T[0-9]{6}Z' recover
		cmp -s "$work/copy" "$work"/bad/flows.db.damaged-*Z && ok "damage: $what: what was there is kept as it was" ||
			not_ok "damage: $what: what was there is kept as it was" "$(ls "$work/bad")"
		is "damage: $what: that is on record, and over" "$(cause bad set-aside)" '1|0|0'
		sound "damage: $what" "$work/bad/flows.db"
	done
	sqlite3 "$work/bad/flows.db" 'ALTER TABLE finding DROP COLUMN reason' 2>/dev/null || sqlite3 "$work/bad/flows.db" 'DROP TABLE coverage'
	out=$("$TLMON" watch -r "$work/day.pcap" "${run_units[@]}" -l "$work/bad" 2>&1)
	is 'damage: tables that are not ours any more: the run goes on' "$? $(ls "$work"/bad/flows.db.damaged-*Z* | grep -cv -e '-wal$' -e '-shm$')" '0 2'
}

# -------------------------------------------------------------------------- a disk that fills

disk_make() {
	mkdir -p "$work/disk"
	mount -t tmpfs -o size=$1,mode=0750 tmpfs "$work/disk" 2>"$work/why"
}
disk_fill() { dd if=/dev/zero of="$work/disk/filler" bs=64k >/dev/null 2>&1; dd if=/dev/zero of="$work/disk/filler" bs=1 count=65536 oflag=append conv=notrunc >/dev/null 2>&1; }

disk_replay() {
	disk_make 6m || { skip 'disk: a replay waits for room' "skipped: no tmpfs ($(cat "$work/why"))"; return 0; }
	mkdir "$work/disk/db"
	dd if=/dev/zero of="$work/disk/filler" bs=64k count=70 >/dev/null 2>&1
	"$TLMON" watch -r "$work/day.pcap" "${run_units[@]}" -l "$work/disk/db" >"$work/full.out" 2>&1 {never}<&- & pid=$!
	within $((20 * SLOW)) grep -q 'the disk is full; the files wait' "$work/full.out"
	is 'disk: a replay says that it waits' $? 0
	pause 3 # longer than the end is waited for, and the sensor has read it all
	gone $pid && not_ok 'disk: ... and waits' "$(cat "$work/full.out")" || ok 'disk: ... and waits'
	mount -o remount,size=64m "$work/disk"
	run_wait $((60 * SLOW))
	is 'disk: with room it comes to its end' "$code" 0
	[ "$code" = 0 ] || sed "s|^|#   |" "$work/full.out"
	is 'disk: ... with every flow once' "$(db disk/db 'SELECT count(*) FROM flow')" $flows
	is 'disk: ... and nothing of it is blind' "$(db disk/db 'SELECT count(*) FROM blind')" 0
	is 'disk: ... nor a restart' "$(db disk/db 'SELECT recorder_restarts FROM run')" 0
	sound 'disk: replay' "$work/disk/db/flows.db"
	# Asked to end while it is full, it does not wait.
	rm -r "$work"/disk/db/* "$work/full.out" # what the first one said must not be taken for this one's
	mount -o remount,size=6m "$work/disk"
	"$TLMON" watch -r "$work/day.pcap" "${run_units[@]}" -l "$work/disk/db" >"$work/full.out" 2>&1 {never}<&- & pid=$!
	within $((20 * SLOW)) grep -q 'the disk is full; the files wait' "$work/full.out"
	kill -INT $pid
	run_wait $((10 * SLOW))
	is 'disk: INT ends the waiting, with 2' "$code $(grep -c 'the same command goes on' "$work/full.out")" '2 1'
	umount "$work/disk"
}

disk_live() {
	local since until
	disk_make 6m || { skip 'disk: live capture and judging go on' "skipped: no tmpfs ($(cat "$work/why"))"; return 0; }
	mkdir "$work/disk/db"
	ln -s disk/db "$work/full"
	run_start full "${brief[@]}" || not_ok 'disk: a live run begins' "$(cat "$work/full.err")"
	lab_send flows 100 200
	pause 1.5
	is 'disk: a reserve is there' "$([ "$(stat -c %b "$work/disk/db/flows.db-reserve")" -gt 0 ] && echo yes)" yes
	disk_fill
	since=$(now_us)
	lab_send flows 400 400 1000
	within $((8 * SLOW)) grep -q 'the disk is full; flows are judged' "$work/full.err"
	is 'disk: live it is said' $? 0
	within $((4 * SLOW)) eval '[ ! -e "$work/disk/db/flows.db-reserve" ]'
	is 'disk: the reserve is given up' $? 0
	within $((4 * SLOW)) eval '[ "$(cause full disk-full)" = "1|0|1" ]'
	is 'disk: ... and while it is full, "full since" is on record' "$(cause full disk-full)" '1|0|1'
	near_s 'disk: ... from when it was full' "$(db full "SELECT since_us FROM blind WHERE until_us IS NULL")" "$since" 3
	# A kind of finding that was not there: told while nothing can be written.
	lab_send talk
	within $((6 * SLOW)) eval '[ "$(wc -l <"$work/full.out")" -gt 0 ]'
	is 'disk: findings are told meanwhile' $? 0
	told=$(sort "$work/full.out" | uniq -d | wc -l)
	rm "$work/disk/filler"
	until=$(now_us)
	within $((15 * SLOW)) eval '[ "$(db full "SELECT count(*) FROM flow WHERE local_port >= 0" 2>/dev/null)" -ge 500 ]'
	within $((5 * SLOW)) grep -q 'is written again' "$work/full.err"
	is 'disk: with room it is written again' $? 0
	run_end
	is 'disk: live it ends with 0' "$code" 0
	is 'disk: every flow has its row, once' "$(db full "SELECT count(*), count(DISTINCT local_port || remote || remote_port) FROM v_flow WHERE remote LIKE '198.18.%'")" '500|500'
	is 'disk: it is on record, and over' "$(cause full disk-full)" '1|1|0'
	near_s 'disk: ... until there was room' "$(db full "SELECT until_us FROM blind WHERE cause = (SELECT id FROM word WHERE list = 'cause' AND word = 'disk-full')")" "$until" 3
	is 'disk: no finding was told twice' "$told $(sort "$work/full.out" | uniq -d | wc -l)" '0 0'
	is 'disk: the reserve is made again' "$([ -e "$work/disk/db/flows.db-reserve" ] && echo yes)" yes
	is 'disk: nobody was started anew' "$(db full 'SELECT recorder_restarts FROM run')" 0
	sound 'disk: live' "$work/disk/db/flows.db"
	umount "$work/disk"
}

# near_s NAME A B SECONDS
near_s() {
	local apart=$((${2:-0} - $3))
	[ ${apart#-} -le $(($4 * 1000000 * SLOW * $(patience))) ] && ok "$1" || not_ok "$1" "$apart us apart"
}

# ----------------------------------------------------------------------------- live

lock_held() {
	local holder
	run_start locked "${brief[@]}" || not_ok 'lock: a live run begins' "$(cat "$work/locked.err")"
	lab_send flows 50 200
	pause 1
	sqlite3 "$work/locked/flows.db" '.timeout 20000' 'BEGIN IMMEDIATE' ".shell sleep $locked" 'COMMIT' {never}<&- & holder=$!
	lab_send flows $((100 * locked)) 100 100
	within $((5 * SLOW)) grep -q "locked by sqlite3 (pid $holder)" "$work/locked.err"
	is 'lock: who holds it is named' $? 0
	[ $? = 0 ] && wait $holder
	within $((5 * SLOW)) grep -q 'is free again, after' "$work/locked.err"
	is 'lock: that it is over is said' $? 0
	pause 1.5
	run_end
	is 'lock: it ends with 0' "$code" 0
	is "lock: held for $locked s, every flow has its row" "$(db locked 'SELECT count(*), count(DISTINCT local_port || remote || remote_port) FROM v_flow')" "$((50 + 100 * locked))|$((50 + 100 * locked))"
	is 'lock: nothing is blind for it' "$(db locked 'SELECT count(*) FROM v_blind')" 0
	is 'lock: nobody was started anew' "$(db locked 'SELECT recorder_restarts FROM run')" 0
	sound lock "$work/locked/flows.db"
	# Another writer of ours.
	run_start locked
	out=$("$TLMON" watch -r "$work/fleet.pcap" -c tests/demo/fleet.yaml -l "$work/locked" 2>&1)
	has 'lock: another tlmon is named' "$out" "another tlmon is writing here \(pid $(role recorder)\)"
	run_end
}

live_killed() {
	local i one='' roles=(recorder inspector) died began first
	run_start live "${brief[@]}" || not_ok 'live: a run begins' "$(cat "$work/live.err")"
	inside_exec $far "$B/tools/send" replay0 flows $((live_kills * 250)) 500 >"$work/sent" {never}<&- & sender=$!
	for ((i = 0; i < live_kills; i++)); do
		pause 0.$((RANDOM % 4 + 2))
		within $((2 * SLOW)) role_set one ${roles[i % 2]} && kill -9 "$one"
	done
	wait $sender
	pause 2
	run_end
	is 'live: it ends with 0' "$code" 0
	is "live: $live_kills kills, every flow sent has its row, once" \
		"$(db live 'SELECT count(*), count(DISTINCT local_port || remote || remote_port) FROM v_flow')" "$((live_kills * 250))|$((live_kills * 250))"
	is 'live: findings count flows and bytes once' "$(db live 'SELECT sum(flows), sum(kept), sum(bytes) FROM finding')" \
		"$(db live 'SELECT count(*), count(*), sum(bytes_out + bytes_in) FROM v_flow WHERE finding IS NOT NULL')"
	is 'live: every inspector that died is on record once' "$(db live "SELECT coalesce(sum(count), 0) FROM v_blind WHERE cause = 'inspector-down'")" $((live_kills / 2))
	sound live "$work/live/flows.db"
	# The supervisor: from when to when nobody looked.
	run_start live "${brief[@]}"
	lab_send flows 100 200 100000
	pause 1.5
	first=$(keys "$work/live/flows.db" | wc -l)
	disown $pid
	one=$(children $pid)
	kill -9 $pid
	died=$(now_us)
	# shellcheck disable=SC2086 # one word a child
	within 5 all_gone $pid $one
	pause 1
	began=$(now_us)
	run_start live "${brief[@]}"
	run_end
	is 'live: what was acknowledged before the supervisor died is there' "$(keys "$work/live/flows.db" | wc -l)" "$first"
	near_s 'live: not-running begins when it died' "$(db live "SELECT max(since_us) FROM blind WHERE run IS NULL")" "$died" 1
	near_s 'live: ... and ends when another one looked' "$(db live "SELECT max(until_us) FROM blind WHERE run IS NULL")" "$began" 1
	sound 'live: after the supervisor' "$work/live/flows.db"
}

# Pages overwritten while it runs, found by whoever reads them: the run goes on in a new database.
damage_live() {
	local pages i
	run_start struck "${brief[@]}" || not_ok 'damage: a live run begins' "$(cat "$work/struck.err")"
	lab_send flows 300 300
	pause 1.5
	sqlite3 "$work/struck/flows.db" '.timeout 5000' 'PRAGMA wal_checkpoint' >/dev/null
	pages=$(($(stat -c %s "$work/struck/flows.db") / 4096))
	for ((i = 1; i < pages; i++)); do scribble "$work/struck/flows.db" $((i * 4096)) 64; done
	kill -9 "$(role recorder)"
	within $((5 * SLOW)) grep -q 'is set aside as' "$work/struck.err"
	is 'damage: live it is set aside' $? 0
	lab_send flows 200 200 1000
	pause 1.5
	run_end
	is 'damage: live it ends with 0' "$code" 0
	is 'damage: what comes later is in the new one' "$(db struck "SELECT count(*) FROM v_flow WHERE local_port >= 0 AND remote LIKE '198.18.%'" | awk '{print ($1 >= 200)}')" 1
	is 'damage: live that is on record' "$(cause struck set-aside)" '1|0|0'
	sound 'damage: live' "$work/struck/flows.db"
}

lived=(lock_held live_killed disk_live damage_live)
parts=(replays part_read damage disk_replay lab "${lived[@]}")
[ $# = 0 ] || parts=("$@")
for part in "${parts[@]}"; do
	case $part in
	lab) ;;
	lock_held | live_killed | disk_live | damage_live)
		if [ -z "$lab" ]; then
			lab_make 'live: kills, locks and full disks lose nothing' || exit
			lab=made
			trap faults_end EXIT
		fi
		$part
		;;
	*) $part ;;
	esac
done
