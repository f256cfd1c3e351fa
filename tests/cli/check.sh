#!/bin/bash
# What `tlmon check` may never do: pass on silence, on half a capture, or on a filter it does not name. And that
# it can be passed: by units that do all that is required, and nothing else.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TZ=UTC

# check NAME WANTED WORDS...: exit and first word of the result; what it said lies in $work/out
check() {
	local name=$1 wanted=$2 code=0
	shift 2
	"$TLMON" check "$@" >"$work/out" 2>"$work/err" || code=$?
	is "$name" "$code $(head -1 "$work/out" | grep -oE '^(NOT ACCEPTED|ACCEPTED|UNDETERMINED)')" "$wanted"
}
says() { has "$1" "$(cat "$work/out")" "${@:2}"; }
# refused NAME PATTERN WORDS...: not understood, which is one line that says why
refused() {
	local name=$1 pattern=$2 code=0
	shift 2
	"$TLMON" check "$@" >"$work/out" 2>"$work/err" || code=$?
	is "$name" "$code $(wc -l <"$work/err") $(grep -cE -- "$pattern" "$work/err") $(wc -c <"$work/out")" '2 1 1 0'
}
last() { tail -1 "$work/out"; }

# ------------------------------------------------------------------ what passes
clean=tests/clean/site.yaml
"$B/tools/mkclean" "$work/clean.pcap"
check 'two units that do all that is required, and nothing else, are accepted' '0 ACCEPTED' \
	-r "$work/clean.pcap" -c $clean
has '... and the last line says what it would be at the next level' "$(last)" '--fail-on medium.*accepted'
cp "$work/out" "$work/first"
"$TLMON" check -r "$work/clean.pcap" -c $clean >"$work/second" 2>&1
is '... and says so in the same bytes again' "$(cmp "$work/first" "$work/second" && echo same)" same
check '... also without processes' '0 ACCEPTED' -r "$work/clean.pcap" -c $clean --in-process
check '... at every level' '0 ACCEPTED' -r "$work/clean.pcap" -c $clean --fail-on high

# --------------------------------------------------------- what was not exercised
for row in boardroom/room.out.maestro huddle/onprem.out.kerberos huddle/onprem.out.sip; do
	"$B/tools/mkclean" "$work/less.pcap" --without $row
	check "without $row it stays open" '3 UNDETERMINED' -r "$work/less.pcap" -c $clean
	says '... and names the row and the unit' "${row#*/}.*not exercised"
done
"$B/tools/mkclean" "$work/less.pcap" --without boardroom/room.in.web_ui --without huddle/room.in.web_ui
check 'a recommended row that nobody exercised does not refuse' '0 ACCEPTED' -r "$work/less.pcap" -c $clean
says '... and is said' 'room\.in\.web_ui.*not exercised'
media=(--without boardroom/online.out.audio --without boardroom/online.in.audio)
"$B/tools/mkclean" "$work/less.pcap" "${media[@]}"
check 'audio that went by the relay alone suffices' '0 ACCEPTED' -r "$work/less.pcap" -c $clean
"$B/tools/mkclean" "$work/less.pcap" "${media[@]}" --without boardroom/online.out.relay_udp
check 'audio that went neither way stays open' '3 UNDETERMINED' -r "$work/less.pcap" -c $clean
says '... and names the ways' 'audio by one of' 'online\.out\.audio'
"$B/tools/mkclean" "$work/less.pcap" --without boardroom/online.out.appshare
check 'a shared screen that went over the relay is enough' '0 ACCEPTED' -r "$work/less.pcap" -c $clean
says '... and is not called seen' 'or one of those of which one is' 'another way'
{ cat $clean; echo 'need: {online.out.appshare: {need: required, reason: the relay is closed at night}}'; } >"$work/alone.yaml"
check '... but not where the site asks for that very row' '3 UNDETERMINED' -r "$work/less.pcap" -c "$work/alone.yaml"
says '... which is named' 'required: online\.out\.appshare was not exercised: boardroom'
"$B/tools/mkclean" "$work/less.pcap" --without boardroom/online.out.sip_tls
check 'signing in shows what nobody can tell apart from it' '0 ACCEPTED' -r "$work/less.pcap" -c $clean
check 'where all is filtered out it stays open' '3 UNDETERMINED' -r "$work/clean.pcap" -c $clean host 192.0.2.200
says '... and no unit was seen' 'boardroom, huddle'
head -c 24 "$work/clean.pcap" >"$work/empty.pcap"
check 'an empty capture stays open' '3 UNDETERMINED' -r "$work/empty.pcap" -c $clean
says '... and says that there is no packet' 'no packet'
check 'a capture without any packet of a unit stays open' '3 UNDETERMINED' -r "$work/clean.pcap" \
	--unit 10.99.0.1 --profile room
says '... and names it' '10\.99\.0\.1'
check 'so does a prefix of which no host was seen' '3 UNDETERMINED' -r "$work/clean.pcap" \
	--unit 10.99.0.0/24 --profile room
for jump in -600 7200; do
	"$B/tools/mkclean" "$work/jump.pcap" --jump $jump --without huddle/onprem.out.sip
	"$TLMON" check -r "$work/jump.pcap" -c $clean >"$work/out" 2>"$work/err"
	is "a clock that jumps by $jump s is never accepted" "$([ $? != 0 ] && echo refused)" refused
done
"$B/tools/mkclean" "$work/jump.pcap" --jump -600
check 'a clock that is set back keeps it open' '3 UNDETERMINED' -r "$work/jump.pcap" -c $clean
says '... and says so' 'clock-step'
"$B/tools/mkclean" "$work/jump.pcap" --jump -0.5
check 'set back by less than the silence before the next packet it shows in no time' '0 ACCEPTED' -r "$work/jump.pcap" -c $clean

# ---------------------------------------------------------------------- the demo
"$B/tools/mkdemo" "$work/demo.pcap"
check 'the demo is not accepted' '1 NOT ACCEPTED' -r "$work/demo.pcap" -c tests/demo/site.yaml
says '... for its findings' 'severity high' 'severity medium' 'severity low'
check '... nor where only high ones refuse' '1 NOT ACCEPTED' -r "$work/demo.pcap" -c tests/demo/site.yaml --fail-on high
has '... and there is no next level' "$(last)" 'NOT ACCEPTED'

cat >"$work/good.yaml" <<'YAML'
units:
  - {name: boardroom, addresses: [10.20.0.15], macs: ["00:26:8c:01:02:03"], profiles: [room]}
roles:
  dns-server: {addresses: [10.20.0.53]}
  dhcp-server: {addresses: [10.20.0.1]}
YAML
# Only what the profile documents: then nothing is left to find fault with.
fine='host 10.20.0.15 and (port 53 or port 67 or (dst host 203.0.113.20 or src host 203.0.113.20)) and not host 8.8.8.8 and not port 8443 or port 67'

check 'a unit that did all that is required and nothing else is accepted' '0 ACCEPTED' \
	-r "$work/demo.pcap" -c "$work/good.yaml" "$fine"
says '... and the report names the filter it was seen through' "host 10\.20\.0\.15"

# What is outside or blocked in the demo, and the room system that nobody listed, filtered out.
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/demo" >/dev/null 2>&1
near='not host 10.20.3.30'
while IFS=, read -r local port remote; do
	near+=" and not (host $local and host $remote and port $port)"
done < <(sqlite3 -csv -readonly "$work/demo/flows.db" 'SELECT local, local_port, remote FROM v_flow WHERE kind NOTNULL')
check 'without what is outside or blocked the demo stays open' '3 UNDETERMINED' \
	-r "$work/demo.pcap" -c tests/demo/site.yaml "$near"
says '... and names the rows that nobody exercised' 'online\.out\.appshare.*not exercised'

sed '/^roles/i\  - {name: ghost, addresses: [10.99.0.1], profiles: [room]}' "$work/good.yaml" >"$work/ghost.yaml"
check 'a listed unit that was never seen keeps the result open' '3 UNDETERMINED' \
	-r "$work/demo.pcap" -c "$work/ghost.yaml" "$fine"
says '... and stands in the matrix' 'ROW.*boardroom.*ghost' 'room.out.dns.*ok exact.*not exercised'

sed '/^roles/i\  - {name: floor, addresses: [10.98.0.0/24], profiles: [room]}' "$work/good.yaml" >"$work/floor.yaml"
check 'a prefix of units of which none was seen keeps the result open' '3 UNDETERMINED' \
	-r "$work/demo.pcap" -c "$work/floor.yaml" "$fine"

size=$(stat -c %s "$work/demo.pcap")
head -c $((size - 10)) "$work/demo.pcap" >"$work/cut.pcap"
check 'a capture cut in a packet keeps the result open' '3 UNDETERMINED' \
	-r "$work/cut.pcap" -c "$work/good.yaml" "$fine"
says '... and the report says where' 'cut\.pcap: .*cut after packet [0-9]+|damaged or cut after packet [0-9]+'

# Standard input that goes silent, and a person who has waited enough.
mkfifo "$work/pipe"
"$TLMON" check -r - -c "$work/good.yaml" "$fine" <"$work/pipe" >"$work/out" 2>"$work/err" &
pid=$!
exec 9>"$work/pipe"
cat "$work/demo.pcap" >&9
sleep 1
kill -INT $pid
wait $pid
is 'an interrupted check keeps the result open' "$? $(head -1 "$work/out" | grep -o UNDETERMINED)" '3 UNDETERMINED'
exec 9>&-
says '... and says that it was interrupted' 'interrupted after packet [0-9]+'

"$TLMON" check -r "$work/demo.pcap" -c tests/demo/site.yaml 2>"$work/err" | head -1 >/dev/null
is 'a reader that goes away does not change the result' "${PIPESTATUS[0]} $(wc -l <"$work/err")" '1 0'

# --------------------------------------------------- what a recorder has on record
"$TLMON" watch -r "$work/clean.pcap" -c $clean -l "$work/db" >/dev/null 2>&1
check 'on record it is accepted as well' '0 ACCEPTED' -l "$work/db"
check '... one unit alone' '0 ACCEPTED' -l "$work/db" --unit boardroom
check '... by an address that it had' '0 ACCEPTED' -l "$work/db" --unit 10.40.1.21
check '... in a window that holds all of it' '0 ACCEPTED' -l "$work/db" \
	--since 2026-03-02T08:01:40Z --until 2026-03-02T08:02:58Z
check 'a window that holds a part of it stays open' '3 UNDETERMINED' -l "$work/db" --since 20s
says '... and names rows' 'room\.out\.dns.*not exercised'
at=2026-03-02T08:02:00Z
check 'a window of zero length stays open' '3 UNDETERMINED' -l "$work/db" --since $at --until $at
says '... and says so' 'no length'
check 'a window in which nothing was recorded stays open' '3 UNDETERMINED' -l "$work/db" \
	--since 2026-03-01T08:00:00Z --until 2026-03-01T09:00:00Z
says '... and says so' 'nothing was recorded'
check 'a window that begins before does too' '3 UNDETERMINED' -l "$work/db" --since 2026-03-02T07:00:00Z
says '... and says that nobody was watching' 'not-running'
cp -r "$work/db" "$work/copy" && chmod -R a-w "$work/copy"
check 'a copy that nobody may write is judged alike' '0 ACCEPTED' -l "$work/copy"
chmod -R u+w "$work/copy"
"$TLMON" db snapshot -l "$work/db" "$work/snapshot" >/dev/null
check '... so is a snapshot' '0 ACCEPTED' -l "$work/snapshot"
"$TLMON" db archive -l "$work/db" --until 2027-01-01 "$work/archive" >/dev/null
check '... and an archive' '0 ACCEPTED' -l "$work/archive"
check '... and what is left without it stays open' '3 UNDETERMINED' -l "$work/db"
says '... for its flows are elsewhere' 'removed'
TLMON_DIR="$work/copy" "$TLMON" check -l "$work/copy" --unit huddle >"$work/out" 2>&1
is 'one unit is judged by itself' "$? $(grep -c 'boardroom' "$work/out")" '0 0'

# What a person closed refuses no more, and stands in the report.
"$TLMON" watch -r "$work/demo.pcap" -c "$work/good.yaml" -l "$work/closed" "$fine or port 8443" >/dev/null 2>&1
check 'a flow that is outside refuses' '1 NOT ACCEPTED' -l "$work/closed"
while IFS= read -r id; do
	"$TLMON" close -l "$work/closed" "F$id" --by auditor --reason 'known, and harmless' >/dev/null
done < <(sqlite3 -readonly "$work/closed/flows.db" 'SELECT id FROM finding WHERE open')
check 'closed by a person it does not' '0 ACCEPTED' -l "$work/closed"
says '... and the report says by whom, and why' 'None is open; [0-9]+ (was|were) closed' 'closed by auditor: known,'
is '... and not that nothing was outside' "$(grep -c 'nothing was outside' "$work/out")" 0

# A recorder that died: nobody looks any more.
cp -r "$work/snapshot" "$work/dead"
sqlite3 "$work/dead/flows.db" "UPDATE run SET source = 'live', begun_us = first_us, ended = 0"
check 'a recorder that died keeps open what it had not written' '3 UNDETERMINED' -l "$work/dead"
says '... and says when it died' 'run 1 died at 2026-03-02'
cp -r "$work/dead" "$work/long"
sqlite3 "$work/long/flows.db" "UPDATE run SET last_us = last_us + 70000000"
check '... what it had is judged' '0 ACCEPTED' -l "$work/long" --until 2026-03-02T08:03:00Z
check '... but not what was asked for until now' '3 UNDETERMINED' -l "$work/dead" --since 2026-03-02T08:01:40Z
says '... for nobody was watching' 'not-running'
check '... nor what never came' '3 UNDETERMINED' -l "$work/dead" --since 10m
says '... of which nothing was recorded' 'nothing was recorded'

# ... and a file that is read after it hides nothing.
"$B/tools/mkclean" "$work/tiny.pcap" --without boardroom/room.out.maestro
"$TLMON" watch -r "$work/tiny.pcap" --again -c $clean -l "$work/dead" >/dev/null 2>&1
check 'a file that is read later does not hide that nobody was watching' '3 UNDETERMINED' -l "$work/dead" \
	--since 2026-03-02T08:01:40Z
says '... nor that it died' 'run 1 died' 'not-running'
cp -r "$work/snapshot" "$work/killed"
sqlite3 "$work/killed/flows.db" "UPDATE run SET ended = 0"
check 'a file that was not read to its end stays open' '3 UNDETERMINED' -l "$work/killed"
says '... and says so' 'run 1 died'
# Between two files of one run nobody looked, and flows go on; between two runs they do not.
cp -r "$work/snapshot" "$work/gap"
sqlite3 "$work/gap/flows.db" "INSERT INTO input (run, name, size, hash, first_us, last_us, packets, cut, note)
	SELECT 1, 'b.pcap', 1, '', max(last_us) + 30000000, max(last_us) + 40000000, 1, 0, '' FROM input;
	UPDATE run SET last_us = last_us + 40000000"
check 'a gap of half a minute between two files of a run keeps nothing open' '0 ACCEPTED' -l "$work/gap"
says '... and is said' '1 gap, the longest of'
sqlite3 "$work/gap/flows.db" "INSERT INTO run (version, source, inputs, filter, first_us, last_us, ended)
	SELECT version, 'file', 'b.pcap', '', last_us - 10000000, last_us, 1 FROM run;
	UPDATE input SET run = 2 WHERE name = 'b.pcap'; UPDATE run SET last_us = last_us - 40000000 WHERE id = 1"
check '... between two runs it does' '3 UNDETERMINED' -l "$work/gap"
says '... for nobody was watching' 'not-running'
# A recorder that goes on, of which a heartbeat is fresh.
cp -r "$work/snapshot" "$work/live"
now=$(date +%s)000000
sqlite3 "$work/live/flows.db" "UPDATE run SET source = 'live', begun_us = first_us, ended = 0, last_us = $now + 3000000"
check 'of a recorder that goes on what is written is judged' '0 ACCEPTED' -l "$work/live"
says '... and it says up to when' 'may not be yet'
check '... what is younger stays open' '3 UNDETERMINED' -l "$work/live" --since 2026-03-02T08:01:40Z --until 5s
says '... and says so' 'what began after .* may not be written'
check '... so does a window in which nothing is older' '3 UNDETERMINED' -l "$work/live" --since 20s
says '... and says so' 'what began after .* may not be written'

sed 's/boardroom/parlour/; s/10\.40\.0\.15/10.40.0.15/' $clean >"$work/other.yaml"
cp -r "$work/snapshot" "$work/two"
"$TLMON" rejudge -l "$work/two" -c "$work/other.yaml" >/dev/null 2>&1
check 'judged again it is judged by the policy in force' '0 ACCEPTED' -l "$work/two" --unit parlour
sed 's/^site: .*/site: Another name/' $clean >"$work/renamed.yaml"
"$TLMON" watch -r "$work/clean.pcap" --again -c "$work/renamed.yaml" -l "$work/snapshot" >/dev/null 2>&1
check 'flows judged by another policy than the one in force keep it open' '3 UNDETERMINED' -l "$work/snapshot"
says '... and it says what judges them by one' 'tlmon rejudge'
sed '/^roles/i\  - {name: ghost, addresses: [10.99.0.1], profiles: [room]}' "$work/good.yaml" >"$work/ghost.yaml"
"$TLMON" watch -r "$work/demo.pcap" -c "$work/ghost.yaml" -l "$work/ghosts" "$fine" >/dev/null 2>&1
check 'a listed unit that never showed stays open' '3 UNDETERMINED' -l "$work/ghosts" --unit ghost
says '... and is named' 'ghost'
check '... by its address, too' '3 UNDETERMINED' -l "$work/ghosts" --unit 10.99.0.1
check 'the other one is accepted' '0 ACCEPTED' -l "$work/ghosts" --unit boardroom

# ------------------------------------------------------------- what is misspelt
refused 'a unit that nobody knows is named, with those there are' "cellar.*boardroom" -l "$work/copy" --unit cellar
refused 'no database is an error' 'no flow database' -l "$work/nowhere"
refused 'a policy beside -l says what to do' 'rejudge.*whatif' -l "$work/copy" -c $clean
refused '... so does an envelope' 'rejudge.*whatif' -l "$work/copy" -e rules/teamline
refused '... so do profiles' 'rejudge.*whatif' -l "$work/copy" --unit boardroom --profile room
refused 'a file beside -l' '-r: -l .*' -l "$work/copy" -r "$work/clean.pcap"
refused 'an interface beside -l' '-i: -l .*' -l "$work/copy" -i eth1
refused 'a span beside -l' '--for: -l .*' -l "$work/copy" --for 15m
refused 'a filter beside -l' 'filter' -l "$work/copy" udp port 53
refused 'two units of -l' 'one unit' -l "$work/copy" --unit boardroom --unit huddle
refused '--since beside a file' '--since goes with -l' -r "$work/clean.pcap" -c $clean --since 1h
refused '--until beside a file' '--until goes with -l' -r "$work/clean.pcap" -c $clean --until 1h
refused 'a time that is none' '--since|yesteryear' -l "$work/copy" --since yesteryear
refused 'an end before the beginning' 'before --since' -l "$work/copy" --since 2026-03-02T09:00Z --until 2026-03-02T08:00Z
refused '... or before anything there is' '--until 2026-03-02T08:00Z is 2026-03-02T08:00:00Z, before .* of 2026-03-02T08:01:40Z to ' \
	-l "$work/copy" --until 2026-03-02T08:00Z
refused 'a level that is none' 'low, medium or high' -l "$work/copy" --fail-on info
refused 'no input at all' 'what shall be read' -c $clean
refused 'no unit at all' 'whose flows' -r "$work/clean.pcap"
