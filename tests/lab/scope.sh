#!/bin/bash
# Live, what cannot matter to the units stays in the kernel, and what does comes through: also a unit inside ERSPAN, hosts on no
# list, and a unit that gets new addresses, again and again under load, without a packet lost while the filter changes.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

name='live, what cannot matter to the units stays in the kernel'
command -v tcpreplay >/dev/null || skip_all 'no tcpreplay' "$name"
lab_make "$name"

LOUD=20000 LOAD=40000 MOVES=8 EACH=500
run_units=(--unit 10.20.0.15 --unit 10.20.9.15 --unit 52:54:00:00:00:99 --profile room,online,external)
"$B/tools/mkscope" "$work/office.pcap" office $LOUD
"$B/tools/mkscope" "$work/hello.pcap" hello
"$B/tools/mkscope" "$work/load.pcap" load $LOAD
"$B/tools/mkscope" "$work/foreign.pcap" foreign $LOAD

# play NAME RATE: a capture, so many packets a second
play() { inside $far timeout 60 tcpreplay -q --pps="$2" -i replay0 "$work/$1.pcap" >"$work/$1.replay" 2>&1; }
sum() { db live "SELECT $1 FROM run"; }
# Packets of the flows at an address of a unit.
packets_of() { db live "SELECT coalesce(sum(packets_out), 0) FROM v_flow WHERE local = '$1' AND local_port = 6000"; }

run_start live || { not_ok "$name" "$(cat "$work/live.err")"; exit; }
before=$(lab_received)
play office 20000
play hello 2000
office=$(($(lab_received) - before))

# Two streams at once, of a unit and of others, and over them a unit moves.
play load 10000 &
load=$!
play foreign 10000 &
foreign=$!
for n in $(seq $MOVES); do
	"$B/tools/mkscope" "$work/lease.pcap" lease "$n"
	"$B/tools/mkscope" "$work/moved.pcap" moved "$n" $EACH
	play lease 100
	# The supervisor looks ten times a second.
	pause $((SLOW)).25
	play moved 2000
done
wait $load $foreign
pause 1
received=$(($(lab_received) - before))
run_end
is 'the run ends with 0' "$code" 0
[ ! -s "$work/live.err" ] || ! grep -q 'hands over all packets' "$work/live.err" && ok 'the kernel takes each program' ||
	not_ok 'the kernel takes each program' "$(cat "$work/live.err")"

is 'nothing was dropped' "$(sum kernel_dropped)" 0
is 'every packet of a unit under load is counted' "$(packets_of 10.20.0.15)" $LOAD
for n in $(seq $MOVES); do
	[ "$(packets_of "10.20.7.$n")" = $EACH ] || not_ok "all packets of 10.20.7.$n are counted" "$(packets_of "10.20.7.$n") of $EACH"
done
is 'a unit that moved is seen at all its addresses, with all its packets' \
	"$(db live "SELECT count(DISTINCT local) || ' ' || sum(packets_out) FROM v_flow WHERE local GLOB '10.20.7.*' AND local_port = 6000")" \
	"$MOVES $((MOVES * EACH))"

is 'a unit that only shows inside of ERSPAN is there, with all its packets' "$(db live "SELECT sum(packets_out) FROM v_flow WHERE local = '10.20.9.15'")" 6
unlisted=$(db live "SELECT group_concat(unit, ' ') FROM (SELECT DISTINCT unit FROM v_finding WHERE kind = 'unlisted-unit' ORDER BY unit)")
is 'hosts on no list are found' "$unlisted" '10.20.0.40 10.20.0.41 10.20.0.42'
is '... and what came in fragments, in tags, and as an error behind a translator' \
	"$(db live "SELECT count(*) FROM v_flow WHERE local = '10.20.0.15' AND remote IN ('192.0.2.81', '192.0.2.82', '192.0.2.83') AND packets_out > 1") $(sum errors_lost) $(sum fragments_lost)" '3 0 0'

seen=$(sum seen)
strangers=$((LOUD + LOAD))
[ "$seen" -le $((received - strangers + 200)) ] && ok "no stranger came as far as the sensor ($seen of $received packets did)" ||
	not_ok 'no stranger came as far as the sensor' "$seen of $received packets did, $strangers are of strangers"
is '... and every packet that did is in one sum' "$(sum 'seen - out_of_scope - in_flows - malformed - fragments_lost - duplicates')" 0
is '... while the mirror is not called silent' "$(db live "SELECT count(*) FROM v_blind WHERE cause = 'mirror-silent'")" 0

# Where all is asked for all comes.
run_start all --scope off || { not_ok 'a run without a scope begins' "$(cat "$work/all.err")"; exit; }
before=$(lab_received)
play office 20000
pause 1
received=$(($(lab_received) - before))
run_end
is '--scope off: all packets come to the sensor' "$(db all 'SELECT seen FROM run')" "$received"

# Words of a filter are held against as well.
run_start words 'not port 22' || { not_ok 'a run with words begins' "$(cat "$work/words.err")"; exit; }
play office 20000
pause 1
run_end
is "with words what they leave out is not there, nor are strangers" \
	"$(db words "SELECT count(*) FROM v_flow WHERE remote_port = 22 AND vlan IS NULL") $(db words "SELECT seen < 400 FROM run") $(db words "SELECT count(*) > 3 FROM v_flow")" '0 1 1'

# The kernel takes a tag off before it asks the filter: words that speak of it are about that one all the same.
run_start tagged 'vlan 7' || { not_ok 'a run with words of VLANs begins' "$(cat "$work/tagged.err")"; exit; }
play office 20000
pause 1
run_end
is 'words of VLANs find what is tagged, and nothing else' \
	"$(db tagged "SELECT count(*) > 0, sum(vlan IS NULL OR vlan <> 7) FROM v_flow")" '1|0'
