#!/bin/bash
# Upkeep while a recorder writes 1,000 flows a second: old flows go in steps and no new one is lost, a reader that holds
# is waited for, and a snapshot is of one moment.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

names=('live, what is older than --keep goes' 'no flow is lost meanwhile' 'nothing goes while somebody reads'
	'a snapshot under load is sound' 'it holds what was written by then, and all of it' 'the database is sound')
[ -x "$B/bench/mkflows" ] || { for name in "${names[@]}"; do skip "$name" 'no generator of flows'; done; exit 0; }
lab_make "${names[@]}"

rate=1000 seconds=12
[ $SLOW = 1 ] || rate=200
"$B/bench/mkflows" "$work/live" 20000 20 5 >/dev/null
# As if the last of them had ended a day ago.
sqlite3 "$work/live/flows.db" "UPDATE flow SET start_us = start_us - (SELECT max(start_us + lasted_us) FROM flow)
	+ $(now_us) - 86400000000; UPDATE blind SET since_us = 1, until_us = 2;
	UPDATE finding SET first_us = (SELECT min(start_us) FROM flow), last_us = (SELECT max(start_us + lasted_us) FROM flow)" >/dev/null
old() { db live "SELECT count(*) FROM flow WHERE run < (SELECT max(id) FROM run)"; }

run_start live --keep 12h --idle udp=1s,tcp-opening=1s,tcp-closed=1s || not_ok 'the run begins' "$(cat "$work/live.err")"
sent=0
inside $far "$B/tools/send" replay0 flows $((rate * seconds)) $rate >"$work/sent" &
sender=$!
pause 1
sqlite3 -readonly "$work/live/flows.db" 'BEGIN; SELECT count(*) FROM flow' '.shell sleep 3' 'COMMIT' >/dev/null &
holder=$!
pause 1.2
held=$(old)
pause 1.2
is "${names[2]}" "$(old)" "$held"
wait $holder
for n in 1 2; do
	"$TLMON" db snapshot -l "$work/live" "$work/copy$n" >"$work/out" 2>&1 || not_ok "snapshot $n" "$(cat "$work/out")"
	pause 0.7
done
wait $sender
wanted=$((rate * seconds))
old_gone() { [ "$(old)" = 0 ]; }
within $((40 * SLOW)) old_gone && ok "${names[0]}" || not_ok "${names[0]}" "$(old) of 20000 are left" "$(cat "$work/live.err")"
gone $pid && not_ok 'the run goes on' "$(cat "$work/live.out" "$work/live.err")"
run_end
is "${names[1]}" "$(db live 'SELECT sum(seen), sum(kernel_dropped) FROM run WHERE source = "live" AND version NOT LIKE "bench%"' | cut -d'|' -f2) $(
	db live 'SELECT count(*) FROM flow WHERE run = (SELECT max(id) FROM run)')" "0 $wanted"

is "${names[3]}" "$("$TLMON" db check -l "$work/copy1" | grep -c sound) $("$TLMON" db check -l "$work/copy2" | grep -c sound)" '1 1'
# By the numbers of the run's flows: whatever has one below the last that is there must be there, and be the same.
differ=0
for n in 1 2; do
	differ=$((differ + $(sqlite3 "$work/live/flows.db" "ATTACH '$work/copy$n/flows.db' AS copy" "
		SELECT count(*) FROM main.flow f LEFT JOIN copy.flow c ON c.id = f.id
		WHERE f.run = (SELECT max(id) FROM main.run) AND f.id <= (SELECT max(id) FROM copy.flow)
		AND (c.id IS NULL OR (c.start_us, c.local_port, c.remote, c.packet) <> (f.start_us, f.local_port, f.remote, f.packet))")))
done
some=$(sqlite3 "$work/copy2/flows.db" 'SELECT count(*) > 100 FROM flow WHERE run = (SELECT max(id) FROM run)')
is "${names[4]}" "$differ $some" '0 1'
is "${names[5]}" "$("$TLMON" db check -l "$work/live" | grep -c sound)" 1
