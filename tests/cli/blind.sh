#!/bin/bash
# When not everything could be seen, and how the monitor stands: `tlmon blind`, `tlmon status`, and what
# `explain` says of a flow that was not seen whole.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TZ=UTC TLMON_DIR=$work/db

if ! command -v sqlite3 >/dev/null; then
	skip 'blind and status' 'sqlite3 is not there'
	exit 0
fi
"$B/tools/mkdemo" "$work/demo.pcap"
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/db" >/dev/null 2>&1
sql() { sqlite3 "$work/$1/flows.db" "$2"; }
field() { sed -n "s/.*\"$1\":\(\"[^\"]*\"\|\[[^]]*\]\|{[^}]*}\|[^,}]*\).*/\1/p"; }
second=$((1772438400 * 1000000)) # 2026-03-02T08:00:00Z, when the demo begins

# ---------------------------------------------------------------- a recording
"$TLMON" blind >"$work/out" 2>"$work/err"
is 'a recording that was seen whole is blind at no time' "$? $(grep -c '^ *[0-9]' "$work/out")" '0 0'
has '... and the answer says what was looked at' "$(cat "$work/err")" 'no such blind intervals; the database covers'
is '... as JSON an empty list' "$("$TLMON" blind -o json 2>/dev/null | tr -d '\n')" '[]'

huddle=$(sql db "SELECT id FROM unit WHERE name = 'huddle'")
sql db "DELETE FROM blind;
	INSERT INTO blind VALUES (1, 1, 2, NULL, $second + 10000000, $second + 12500000, 120, ''),
	(2, 1, 10, $huddle, $second + 20000000, $second + 21000000, 3, ''),
	(3, 1, 2, NULL, $second + 11000000, $second + 13000000, 5, ''),
	(4, 1, 7, NULL, $second + 60000000, NULL, 1, 'eth1')"
said=$("$TLMON" blind)
has 'blind lists intervals with start, length, cause, unit, count, detail' "$said" \
	'^ID +START +LASTED +CAUSE +UNIT +COUNT +DETAIL' \
	'^ 1  2026-03-02 08:00:10.000 +2\.5 s  kernel-drop +all +120 packets' \
	'^ 2  2026-03-02 08:00:20.000 +1\.0 s  one-sided +huddle +3 flows' \
	'^ 4  2026-03-02 08:01:00.000 +goes on  link-down +all +1 time +eth1'
sql db "UPDATE blind SET until_us = since_us + 18000 WHERE id = 2"
has '... a short one in ms' "$("$TLMON" blind --cause one-sided)" ' 18 ms  one-sided' '^one-sided +1 interval, 18 ms, 3 flows'
sql db "UPDATE blind SET until_us = since_us + 1000000 WHERE id = 2"
is '... oldest first' "$("$TLMON" blind -o csv | tail -n +2 | cut -d, -f1 | tr '\n' ' ')" '1 3 2 4 '
has '... and what they add up to, time that two share once' "$said" \
	'^kernel-drop +2 intervals, 3\.0 s, 125 packets: the kernel dropped' '^link-down +1 interval, 14\.0 s, 1 time:'
is 'JSON has the promised fields' "$("$TLMON" blind -o jsonl --limit 1)" \
	'{"id":1,"cause":"kernel-drop","unit":null,"start":"2026-03-02T08:00:10.000000Z","end":"2026-03-02T08:00:12.500000Z","count":120,"detail":null,"sentence":"the kernel dropped packets before we read them"}'
is 'one that goes on has no end' "$("$TLMON" blind -o jsonl --cause link-down | field end)" null

ids() { "$TLMON" blind -o jsonl "$@" 2>/dev/null | field id | tr '\n' ' '; }
is '--unit takes in what concerns all' "$(ids --unit boardroom)" '1 3 4 '
is '... and what concerns this one' "$(ids --unit 10.20.1.21)" '1 3 2 4 '
is '--cause narrows' "$(ids --cause one-sided)" '2 '
is '--since and --until take in what overlaps' "$(ids --since 2026-03-02T08:00:12 --until 2026-03-02T08:00:20.5)" '1 3 2 '
is '--limit stops' "$(ids --limit 2)" '1 3 '
for words in '--cause asleep' '--unit attic' '--kind peer' 'now'; do
	# shellcheck disable=SC2086 # an option and its value
	"$TLMON" blind $words >"$work/out" 2>"$work/err"
	is "'$words' is refused" "$? $(cat "$work/out")$(wc -l <"$work/err")" '2 1'
done
has '... and the causes are named' "$("$TLMON" blind --cause asleep 2>&1)" 'not-running, kernel-drop, .*disk-full'

# Nobody reads silence as calm: time that no run covers.
said=$("$TLMON" blind -o jsonl --cause not-running --since 2026-03-02T07:00 --until 2026-03-02T09:00)
is 'a window wider than the recording was not watched at its ends' \
	"$(field start <<<"$said" | tr '\n' ' ')$(field end <<<"$said" | tr '\n' ' ')" \
	'"2026-03-02T07:00:00.000000Z" "2026-03-02T08:01:14.000000Z" "2026-03-02T08:00:00.000000Z" "2026-03-02T09:00:00.000000Z" '
is '... which no row says, so there is no id' "$(field id <<<"$said" | sort -u)" null
is '... listed where it belongs' "$(ids --since 2026-03-02T07:00 --until 2026-03-02T09:00)" 'null 1 3 2 4 null '
is '... and not for another cause' "$(ids --since 2026-03-02T07:00 --cause one-sided)" '2 '

# A window outside everything recorded was watched by nobody, whichever end is open.
outside() {
	"$TLMON" blind -o jsonl "$@" >"$work/out" 2>"$work/err"
	echo "$? $(field id <"$work/out") $(field cause <"$work/out") $(field start <"$work/out") $(field end <"$work/out")" \
		"$(grep -c 'nothing was recorded in that window: .* the database covers 2026-03-02' "$work/err")"
}
is 'a window after all that is recorded was not watched' "$(outside --cause not-running --since 2026-04-01 --until 2026-04-02)" \
	'1 null "not-running" "2026-04-01T00:00:00.000000Z" "2026-04-02T00:00:00.000000Z" 1'
is '... one of time to come: it is said that it has not come' "$(outside --cause not-running --since 2099-01-01) $(grep -c 'that time has not come yet; the database covers 2026-03-02' "$work/err")" \
	'1 null "not-running" "2099-01-01T00:00:00.000000Z" null 0 1'
is '... nor one before it' "$(outside --until 2020-01-01)" '1 null "not-running" null "2020-01-01T00:00:00.000000Z" 1'
is '... nor one with two ends' "$(outside --cause not-running --since 2026-03-02T09:00 --until 2026-03-02T09:00:10)" \
	'1 null "not-running" "2026-03-02T09:00:00.000000Z" "2026-03-02T09:00:10.000000Z" 1'
is '... which is said where another cause is asked for, too' "$(outside --until 2020-01-01 --cause evicted)" '1     1'
has '... and the sum of an open one is open' "$("$TLMON" blind --since 2099-01-01 2>&1)" '^not-running +1 interval, open: '
has 'the table leaves the open end open' "$("$TLMON" blind --until 2020-01-01 2>&1)" '^ +open  not-running +all$'
is 'a window that touches the recording is answered as ever' "$(outside --until 2026-03-02T08:00:05)" '0     0'

# The record of a window lies in a file that was set aside: nobody says that nobody watched.
cp -r "$work/db" "$work/aside"
printf 'not a database any more, whatever it was' | dd of="$work/aside/flows.db" conv=notrunc 2>/dev/null
"$B/tools/mkfleet" "$work/fleet.pcap"
"$TLMON" watch -r "$work/fleet.pcap" -c tests/demo/fleet.yaml -l "$work/aside" >/dev/null 2>&1
aside() { "$TLMON" "$1" -l "$work/aside" --since 2026-01-01 --until 2026-01-02 "${@:2}" 2>&1; }
is 'what a damaged file covered is set aside from the beginning, not known to be unwatched' \
	"$(aside blind -o jsonl | field cause) $(aside blind -o jsonl | field start)" '"set-aside" null'
aside blind >/dev/null
is '... which is an answer' $? 0
said=$(aside flows -o jsonl)
has '... and is cited where no flow is found' "$said" 'blind meanwhile: set-aside: 1 interval'
is '... nobody is said not to have watched' "$(grep -c 'nobody watched' <<<"$said")" 0
sql aside "UPDATE blind SET since_us = $second WHERE cause = (SELECT id FROM word WHERE list = 'cause' AND word = 'set-aside')"
has '... before what it is known to cover there was nobody' "$(aside flows)" 'nobody watched'

# Two recordings and what lies between them.
cp -r "$work/db" "$work/two"
sql two "DELETE FROM blind; INSERT INTO run (id, version, source, inputs, filter, first_us, last_us, ended) VALUES
	(2, '2', 'file', 'b.pcap', '', $second + 3600000000, $second + 3700000000, 1),
	(3, '2', 'file', 'c.pcap', '', $second + 3750000000, $second + 3800000000, 1)"
between() { "$TLMON" blind -l "$work/two" -o csv | tr -d '\r' | tail -n +2 | cut -d, -f2,4,5; }
hour=not-running,2026-03-02T08:01:14.000000Z,2026-03-02T09:00:00.000000Z
is 'between recordings lies time that nobody watched, also less than a minute' "$(between)" \
	"$hour
not-running,2026-03-02T09:01:40.000000Z,2026-03-02T09:02:30.000000Z"
# A file of each run, then both of one.
sql two "INSERT INTO input (run, name, size, hash, first_us, last_us, packets, cut, note) VALUES
	(2, 'b.pcap', 1, '', $second + 3600000000, $second + 3700000000, 1, 0, ''),
	(3, 'c.pcap', 1, '', $second + 3750000000, $second + 3800000000, 1, 0, '')"
is '... nor do files change that' "$(between | wc -l)" 2
sql two "DELETE FROM run WHERE id = 3; UPDATE input SET run = 2 WHERE run = 3; UPDATE run SET last_us = $second + 3800000000 WHERE id = 2"
is '... but between files of one run less than a minute is none' "$(between)" "$hour"

# --------------------------------------------------------------- live databases
# live NAME SECONDS-AGO-BEGUN SECONDS-AGO-HEARTBEAT ENDED
live() {
	local now
	now=$(($(date +%s) * 1000000))
	cp -r "$work/db" "$work/$1"
	sql "$1" "DELETE FROM blind; UPDATE run SET source = 'live', inputs = 'eth1', ended = $4,
		begun_us = $now - $2 * 1000000, first_us = $now - $2 * 1000000, last_us = $now - $3 * 1000000,
		packet_us = $now - $3 * 1000000, roles_unknown = 'edge,other-client', inspector_restarts = 3"
}
live up 600 1 0
is 'a live run whose heartbeat is fresh runs' "$("$TLMON" status -l "$work/up" -o json | field state)" '"running"'
is '... and up to now nothing was missed' "$("$TLMON" blind -l "$work/up" -o json 2>/dev/null | tr -d '\n')" '[]'
has '... but before it there was nobody' "$("$TLMON" blind -l "$work/up" --since 20m)" '^ +20.* (9 min 5[0-9]|10 min [0-9]) s  not-running'
live dead 600 60 0
is 'one whose heartbeat is old has died' "$("$TLMON" status -l "$work/dead" -o json | field state)" '"died"'
said=$("$TLMON" blind -l "$work/dead" -o jsonl)
is '... and since then nobody watches, which goes on' "$(field cause <<<"$said") $(field end <<<"$said")" '"not-running" null'
flock --no-fork "$work/dead" sleep 60 &
holder=$!
for _ in {1..100}; do flock -n -s "$work/dead" true || break; sleep 0.05; done
is 'while its writer is there it is not dead, but stalled' "$("$TLMON" status -l "$work/dead" -o json | field state)" '"stalled"'
has '... which is said in words' "$("$TLMON" status -l "$work/dead")" '^stalled +running, but its heartbeat is 6[0-9] s old: .*doctor --sandbox'
is '... and nobody says that it does not run' "$("$TLMON" blind -l "$work/dead" -o json 2>/dev/null | tr -d '\n')" '[]'
has '... but that it stands still' "$("$TLMON" blind -l "$work/dead" 2>&1)" "^tlmon: run [0-9]+ stands still, its heartbeat is 1 min [0-9] s old"
kill "$holder"
wait "$holder" 2>/dev/null
live just 600 3 1
is '... from the end of one that ended in order, at once' "$("$TLMON" blind -l "$work/just" -o jsonl | field cause)" '"not-running"'
live done 600 60 1
is 'one that ended has ended' "$("$TLMON" status -l "$work/done" -o json | field state)" '"ended"'
now=$(($(date +%s) * 1000000))
sql done "INSERT INTO blind SELECT 1, NULL, 1, NULL, last_us, NULL, 0, '' FROM run WHERE source = 'live'"
is 'what is on record is not computed again' "$("$TLMON" blind -l "$work/done" -o jsonl | field id)" 1

# --------------------------------------------------------------------- status
said=$("$TLMON" status)
has 'status tells how things stand' "$said" '^ended +a recording of 2026-03-02 08:00:00 \.\. ' '^packet +the last one at 2026-03-02 08:01:14' \
	'^units +all 2 listed ones seen' '^roles +none' '^findings +open: high [1-9]' '^ +kernel-drop +2 intervals, 3\.0 s, 125 packets' \
	'^restarts +inspector 0, sensor 0, recorder 0' '^flows +[1-9][0-9]* documented: [0-9.]+ % unproven, [0-9.]+ % wide' '^evidence +[1-9][0-9]* packets'
is '... and ends 0' "$("$TLMON" status >/dev/null 2>&1; echo $?)" 0
has '... of a live run too' "$("$TLMON" status -l "$work/up")" '^running +since .* \(10 min [0-9]+ s\)' '^reads +eth1 \(run 1\)' \
	'^roles +left empty, so that peers stay unproven: edge,other-client' '^restarts +inspector 3'
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
	sql up "INSERT INTO unit (name, profiles, listed, run) VALUES ('ghost-$i', 'room', 1, 1)"
done
has 'units that were never seen are named, the first ten' "$("$TLMON" status -l "$work/up")" \
	'^units +2 of 14 listed ones seen; never: ghost-01, ghost-02, .*ghost-10 and 2 more$'
said=$("$TLMON" status -l "$work/up" -o json)
is '... as JSON all' "$(field units_missing <<<"$said" | grep -o 'ghost-[0-9]*' | wc -l)" 12
is 'the keys of status are these' "$(grep -o '"[a-z_]*":' <<<"$said" | tr -d '":' | tr '\n' ' ')" \
	'state run source inputs begun last last_packet units units_seen units_missing roles_unknown findings high medium low info waived blind_since blind_until blind restarts inspector sensor recorder flows_documented flows_unproven flows_wide evidence '
is 'roles are a list' "$(field roles_unknown <<<"$said")" '["edge","other-client"]'
mkdir "$work/none"
"$TLMON" status -l "$work/none" >"$work/out" 2>"$work/err"
is 'where there is no database status says so' "$? $(cat "$work/out")$(grep -c 'no flow database there' "$work/err")" '2 1'

# ------------------------------------------------------------ an older version
mkdir "$work/old"
sqlite3 "$work/old/flows.db" '.read tests/data/flowdb-1.sql' 'PRAGMA application_id = 0x544c4d4e' 'PRAGMA user_version = 1'
"$TLMON" status -l "$work/old" >"$work/out" 2>"$work/err"
is 'a reader of a database of version 1 says what to do' \
	"$? $(cat "$work/out")$(grep -c "version 1, .*older tlmon; this one reads 5.*'tlmon watch -l $work/old'" "$work/err")" '2 1'
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/old" >/dev/null 2>&1
is '... and after that it is read' "$("$TLMON" status -l "$work/old" -o json | field state)" '"ended"'

# -------------------------------------------------------------------- explain
flow=$(sql db "SELECT f.id FROM flow f WHERE f.unit = $huddle AND f.start_us <= $second + 21000000
	AND f.start_us + f.lasted_us >= $second + 20000000 LIMIT 1")
[ -n "$flow" ] || flow=$(sql db "SELECT id FROM flow WHERE unit = $huddle LIMIT 1")
sql db "UPDATE flow SET said = said | (1 << 19) WHERE id = $flow; UPDATE blind SET (since_us, until_us) =
	(SELECT start_us, start_us + 1000 FROM flow WHERE id = $flow) WHERE id = 2"
has 'explain says why a flow was not seen whole' "$("$TLMON" explain "$flow")" \
	'^ +not all seen +one-sided, interval 2: the mirror showed one direction of conversations' \
	'^ +2026-03-02 08:00:[0-9]+ \.\. 2026-03-02 08:00:[0-9]+ local$' '^ +2026-03-02T08:00:[0-9.]+Z \.\. 2026-03-02T08:00:[0-9.]+Z$'
has '... as JSON with the facts that no column holds' "$("$TLMON" explain -o json "$flow")" \
	'"facts":{"midstream":(true|false),"warmup":(true|false).*"rtp_packets":{"audio":'
has '... and as JSON lists the intervals' "$("$TLMON" explain -o json "$flow")" \
	'"blind_intervals":\[(\{.*\},)?\{"id":2,"cause":"one-sided","start":"2026-03-02T08:00:[0-9.]+Z","end":"2026-03-02T08:00:[0-9.]+Z"\}(,\{.*\})?\],"facts":'
is '... and flows -o jsonl that it was not' "$("$TLMON" flows -o jsonl | grep -c '"blind":true')" 1
is '... and flows --blind lists it alone' "$("$TLMON" flows --blind -o jsonl | field id)" "$flow"
cp -r "$work/db" "$work/opinion"
sql opinion "UPDATE blind SET cause = 3 WHERE id = 2; DELETE FROM blind WHERE id <> 2; UPDATE flow SET said = said & ~3 | 2 WHERE id = $flow"
said=$("$TLMON" explain -l "$work/opinion" "$flow")
has 'where nDPI alone was missing explain says that, not that packets are' "$(grep -c 'not all seen' <<<"$said") $said" '^0 ' \
	'^ +seen +inspector-down, interval 2: nDPI was not there' "only nDPI's opinion may be missing; by it the verdict cannot change, but"
sql opinion "UPDATE flow SET said = said & ~3 | 1 WHERE id = $flow"
has '... and that the verdict cannot change where a dissector is certain' "$("$TLMON" explain -l "$work/opinion" "$flow")" \
	'the verdict cannot change by it: a dissector is certain'
