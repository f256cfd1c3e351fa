#!/bin/bash
# What can be asked of a flow database: every option of every command, over one sensor and several, and what
# is refused: one line that names the value and what is accepted, exit 2.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TZ=UTC

"$B/tools/mkdemo" "$work/demo.pcap"
cp tests/demo/site.yaml "$work/site.yaml"
cd "$work" || exit 1
"$TLMON" watch -r demo.pcap -c site.yaml -l db >/dev/null 2>&1
mkdir north south empty
cp db/flows.db north/
cp db/flows.db south/
T() { "$TLMON" "$@" -l db; }
# rows NAME WANTED COMMAND WORD...: so many JSON lines
rows() {
	is "$1" "$("$TLMON" "$3" -l db -o jsonl "${@:4}" 2>&1 | grep -c '^{')" "$2"
}
# sql NAME CONDITION WORD...: flows that the command finds are those that SQL finds
sql() {
	rows "$1" "$(sqlite3 -readonly db/flows.db "SELECT count(*) FROM v_flow WHERE $2")" flows "${@:3}"
}

# What narrows, held against plain SQL
sql 'all flows' 1
sql '--unit by name' "unit = 'huddle'" --unit huddle
sql '--unit by address, twice' "unit IN ('huddle', 'boardroom')" --unit 10.20.1.21 --unit boardroom
sql '--peer an address' "remote = '52.112.1.9'" --peer 52.112.1.9
sql '--peer a prefix' "remote LIKE '52.112.%' OR remote LIKE '52.113.%' OR remote LIKE '52.114.%' OR remote LIKE '52.115.%'" --peer 52.112.0.0/14
sql '--port of the peer' 'remote_port = 53 OR local_port = 53' --port 53
sql '--port a range' 'local_port BETWEEN 50000 AND 50019 OR remote_port BETWEEN 50000 AND 50019' --port 50000-50019
sql '--transport' "transport = 'tcp'" --transport tcp
sql '--application' "application = 'stun'" --application stun
sql '--media' "media IN ('audio', 'mixed')" --media audio
sql '--direction' "direction = 'in'" --direction in
sql '--outcome' "outcome = 'unanswered'" --outcome unanswered
sql '--verdict' "verdict = 'outside'" --verdict outside
sql '--grade' "grade = 'wide'" --grade wide
sql '--kind' "kind = 'local-port'" --kind local-port
sql '--severity' "severity IN ('medium', 'high')" --severity medium
sql '--finding' "finding = 'F10'" --finding F10
sql '--blind' 'blind = 1' --blind
sql 'a window' "start <= '2026-03-02T08:00:10' AND \"end\" >= '2026-03-02T08:00:02'" --since 2026-03-02T08:00:02Z --until 2026-03-02T08:00:10Z
sql 'several at once' "unit = 'boardroom' AND transport = 'udp' AND verdict = 'outside'" --unit boardroom --transport udp --verdict outside
sql '--row' "row = 'room.out.dns' OR nearest LIKE 'room.out.dns:%'" --row room.out.dns
named=$(sqlite3 -readonly db/flows.db "SELECT count(*) FROM v_flow WHERE name LIKE '%.lync.com' OR EXISTS
	(SELECT 1 FROM v_name n WHERE n.address = remote AND n.name LIKE '%.lync.com' AND n.first <= \"end\")")
rows '--peer a name: shown, or bound by DNS by then' "$named" flows --peer '*.lync.com'
ok "($named flows of *.lync.com)"
rows '--peer a name that nobody has' 0 flows --peer nobody.example

# tcpdump's words
sql 'words: host and port' "(local = '10.20.0.53' OR remote = '10.20.0.53') AND transport = 'udp' AND 53 IN (local_port, remote_port)" host 10.20.0.53 and udp port 53
sql 'words after options' "unit = 'boardroom' AND transport = 'tcp' AND 443 IN (local_port, remote_port)" --unit boardroom tcp port 443
sql 'words: IPv6' 'ip_version = 6' ip6
rows 'words narrow findings by their flows' "$(sqlite3 -readonly db/flows.db "SELECT count(DISTINCT finding) FROM v_flow f JOIN v_finding g ON g.id = f.finding WHERE f.transport = 'tcp' AND g.state <> 'closed'")" findings tcp

# Order, counts
is '--sort falling' "$(T flows -o jsonl --sort -bytes_in | grep -o '"bytes_in":[0-9]*' | cut -d: -f2)" \
	"$(sqlite3 -readonly db/flows.db 'SELECT bytes_in FROM flow ORDER BY 1 DESC')"
is '--count-by' "$(T flows --count-by unit,verdict -o csv | tr -d '\r' | cut -d, -f1-4)" \
	"$(echo unit,verdict,count,bytes; sqlite3 -readonly -csv db/flows.db 'SELECT unit, verdict, count(*), sum(bytes_in + bytes_out) FROM v_flow GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2' | tr -d '\r')"
is '--count-by hour, --limit' "$(T flows --count-by hour --limit 1 -o csv | tr -d '\r' | tail -1 | cut -d, -f1,2)" \
	"2026-03-02 08:00,$(sqlite3 -readonly db/flows.db 'SELECT count(*) FROM flow')"
has 'findings are counted too' "$(T findings --count-by kind --state all)" '^KIND +COUNT' '^local-port +[0-9]+ '
for format in json jsonl csv table; do
	is "-o $format twice is the same" "$(T flows -o $format | sha256sum)" "$(T flows -o $format | sha256sum)"
done
has '--limit says that there may be more' "$(T flows --limit 2)" '^\(the first 2; there may be more\)'

# Coverage and names
has 'coverage: one line a row' "$(T coverage)" '^ROW +OK +WEAK +UNANSWERED +BLOCKED +OUTSIDE +SILENT$' '^room\.out\.dns +'
has 'coverage: what nobody exercised is there' "$(T coverage --per-unit)" '^huddle +room\.in\.web_ui +not exercised +0 '
is 'coverage of a window around all is what all runs counted' \
	"$(T coverage -o csv --since 2026-03-02T07:00Z --until 2026-03-02T09:00Z | sha256sum)" "$(T coverage -o csv | sha256sum)"
has 'names by pattern' "$(T names --name '*.lync.com')" '^sipdir\.online\.lync\.com +52\.112\.64\.11 +boardroom '
is 'names by unit' "$(T names -o jsonl --unit huddle | grep -c '"unit":"huddle"')" "$(T names -o jsonl | grep -c '"unit":"huddle"')"
mkdir again
cp db/flows.db again/
sqlite3 again/flows.db "INSERT INTO name_seen SELECT run, unit, client, server, address, name, first_us + 86400000000,
	last_us + 86400000000, until_us + 86400000000, counted FROM name_seen"
is 'names: after a gap there is another answer' "$("$TLMON" names -l again -o jsonl | wc -l)" \
	"$(sqlite3 -readonly again/flows.db 'SELECT count(*) FROM v_name')"

# Nothing found: what the database covers, and when it was blind
sqlite3 db/flows.db "INSERT INTO blind (run, cause, since_us, until_us, count, detail) VALUES (1, 2, 1772438405000000, 1772438407000000, 7, '')"
has 'no row: what is covered, and the blind intervals' "$(T flows --peer 192.0.2.1 2>&1)" \
	'^recorded  2026-03-02' 'no such flows$' 'blind meanwhile: kernel-drop: 1 interval, 2\.0 s, 7 packets'
T flows --peer 192.0.2.1 >/dev/null 2>err
has '... what is covered is said where the answer is not read' "$(cat err)" 'no such flows; the database covers 2026-03-02'
for asked in 'flows --peer 192.0.2.1' 'flows --since 2026-03-03' 'blind --since 2026-03-03'; do
	# shellcheck disable=SC2086
	is "... and once: $asked" "$(T $asked 2>&1 | grep -c '2026-03-02 08:00:00 \.\.')" 1
done
has 'rows: how often it was blind' "$(T flows --limit 1 2>&1)" "blind meanwhile: 1 interval; 'tlmon blind' lists it"
cp -r db closed
"$TLMON" close -l closed F2 --reason moved >/dev/null
is 'a finding that is named is listed, closed too' "$("$TLMON" findings -l closed --finding F2 -o jsonl | grep -c '"state":"closed"')" 1
is '... unless its state is asked for' "$("$TLMON" findings -l closed --finding F2 --state open -o jsonl 2>/dev/null)" ''
is 'v_finding and JSON agree on the transport of a unit on no list' \
	"$(sqlite3 -readonly db/flows.db "SELECT ifnull(transport, 'null') FROM v_finding WHERE kind = 'unlisted-unit'") $(T findings --kind unlisted-unit -o jsonl | grep -o '"transport":[^,]*')" \
	'null "transport":null'
for asked in coverage 'coverage --per-unit' whatif findings units names; do
	# shellcheck disable=SC2086
	is "$asked: a window that nobody watched is said, once" "$(T $asked --since 2026-03-03 2>&1 | grep -c 'nobody watched')" 1
done
has 'outside: nobody watched' "$(T flows --since 2026-03-03 2>&1)" 'nothing was recorded in that window: nobody watched'

has 'a clock time to come, without an end, is last night' "$(T flows --since 23:00 --limit 1 2>&1)" '^window +from 2026-03-01 23:00:00 local' '^ID'
said=$(T flows --since 2126-03-03 2>&1)
has 'time to come: it has not come' "$said" 'that time has not come yet'
is '... and nobody is blamed' "$(grep -c 'nobody watched' <<<"$said")" 0

# Several sensors
two() { "$TLMON" "$@" -l north -l south; }
is 'flows of two sensors' "$(two flows -o jsonl | grep -c '"sensor":"south"')" "$(T flows -o jsonl | grep -c '^{')"
has '... stand side by side' "$(two flows --limit 2)" '^SENSOR +ID' '^north +' '^south +'
is '... one sensor has no such column' "$(T flows -o jsonl | grep -c sensor)" 0
has '... counted together' "$(two flows --count-by unit -o csv)" "^boardroom,$((2 * $(T flows -o jsonl --unit boardroom | wc -l))),"
has '... findings of one unit stay one unit' "$(two findings --limit 1)" ' boardroom +2 +F10 \.\.\.'
has '... units added up' "$(two units)" '^north +boardroom .* 104 +30$' '^south +10|^south +'
has '... coverage added up' "$(two coverage --unit boardroom --row room.in.dhcp -o csv)" '^boardroom,room\.in\.dhcp,2,|^boardroom,room\.in\.dhcp,[0-9]*,'
has '... blind, each by itself' "$("$TLMON" blind -l north -l db)" '^db .*kernel-drop'
# shellcheck disable=SC2016
sqlite3 south/flows.db 'PRAGMA user_version = 3' && mv south old
has 'an older one among them is named' "$("$TLMON" flows -l north -l old 2>&1)" 'old/flows\.db: version 3, written by an older tlmon'

# Follow: what is recorded from now on, one line a row, until a signal
"$TLMON" flows -l live --follow -o jsonl >early 2>&1
is 'following nothing is refused' "$?" 2
"$TLMON" watch -r demo.pcap --unit 10.20.1.21 --profile room,onprem -l live >/dev/null 2>&1
had=$("$TLMON" flows -l live -o jsonl | wc -l)
"$TLMON" flows -l live --follow >flows.out 2>flows.err &
flows=$!
"$TLMON" findings -l live --follow -o jsonl >findings.out 2>findings.err &
findings=$!
sleep 1
"$TLMON" watch -r demo.pcap --again -c site.yaml -l live >/dev/null 2>&1
all=$("$TLMON" flows -l live -o jsonl | wc -l)
for _ in $(seq 50); do
	[ "$(grep -cE '^ *[0-9]+ ' flows.out)" -ge $((all - had)) ] && [ -s findings.out ] && break
	sleep 0.2
done
is 'followed flows are those recorded since' "$(grep -cE '^ *[0-9]+ ' flows.out)" $((all - had))
is '... with one heading' "$(grep -c 'VERDICT' flows.out)" 1
has '... and findings' "$(head -1 findings.out)" '"state":"open"'
rm -f live/flows.db*
"$TLMON" watch -r demo.pcap -c site.yaml -l live >/dev/null 2>&1
for _ in $(seq 50); do
	[ "$(grep -cE '^ *[0-9]+ ' flows.out)" -ge $((all - had + 88)) ] && break
	sleep 0.2
done
is '... also in a database begun anew' "$(grep -cE '^ *[0-9]+ ' flows.out)" $((all - had + 88))
kill -TERM $flows
wait $flows
is '... and TERM ends it with 0' "$?" 0
kill -INT $findings
wait $findings
is '... INT too' "$?" 0

# What is refused
# refused NAME PATTERN -- COMMAND...
refused() {
	local code=0
	"$TLMON" "${@:4}" >out 2>err </dev/null || code=$?
	if [ $code = 2 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ]; then
		has "$1" "$(cat err)" "$2"
	else
		not_ok "$1" "exit $code" "$(head -5 out err)"
	fi
}
refused 'a misspelt kind' '--kind local-prot: no such kind \(did you mean local-port\?\); accepted: .*blocked-silent' -- flows -l db --kind local-prot
refused 'a misspelt application' '--application sturn: .*did you mean stun\?' -- flows -l db --application sturn
refused 'a misspelt transport' '--transport icmpp: .*did you mean icmp\?' -- flows -l db --transport icmpp
refused 'a misspelt media' '--media vidoe: .*did you mean video\?.*accepted: audio, video, data, mixed' -- flows -l db --media vidoe
refused 'a misspelt direction' '--direction outt: .*did you mean out\?' -- flows -l db --direction outt
refused 'a misspelt outcome' '--outcome refussed: .*did you mean refused\?' -- flows -l db --outcome refussed
refused 'a misspelt verdict' '--verdict outsid: .*did you mean outside\?' -- flows -l db --verdict outsid
refused 'a misspelt grade' '--grade exakt: .*did you mean exact\?' -- flows -l db --grade exakt
refused 'a misspelt severity' '--severity hihg: .*accepted: info, low, medium, high' -- findings -l db --severity hihg
refused 'a misspelt state' '--state opne: .*accepted: open, waived, closed, all' -- findings -l db --state opne
refused 'a misspelt cause' '--cause kernel-drops: .*did you mean kernel-drop\?' -- blind -l db --cause kernel-drops
refused 'a misspelt format' '-o jsn: .*did you mean json\?.*accepted: table, json, jsonl, csv' -- flows -l db -o jsn
refused 'a misspelt row' '--row room\.out\.dsn: .*did you mean room\.out\.dns\?' -- flows -l db --row room.out.dsn
refused 'a misspelt field to sort by' '--sort byte_in: no such field; accepted: .*bytes_in' -- flows -l db --sort byte_in
refused 'a misspelt field to count by' '--count-by pear: no such field; accepted: .*peer' -- flows -l db --count-by pear
refused 'a misspelt option' '--uint \(did you mean --unit\?\)' -- flows -l db --uint boardroom
refused 'an option of another command' 'no option --state' -- flows -l db --state open
refused 'an unknown unit' "no unit 'attic' in .*recorded: .*boardroom" -- units -l db --unit attic
refused 'an unknown unit among known ones' "no unit 'attic'" -- flows -l db --unit boardroom --unit attic
refused 'a prefix with host bits' '--peer 10\.0\.0\.9/8: accepted: an address' -- flows -l db --peer 10.0.0.9/8
refused 'no name' "--name 'a b'|--name a b: accepted: a name" -- names -l db --name 'a b'
refused 'a port that is none' '--port 70000: accepted: a port' -- flows -l db --port 70000
refused 'a range the wrong way round' '--port 9-2: accepted' -- flows -l db --port 9-2
refused 'a finding that is none' '--finding 17: accepted: the ID of a finding' -- flows -l db --finding 17
refused 'a limit of nothing' '--limit 0: accepted' -- flows -l db --limit 0
refused 'a time that is none' '25:99' -- flows -l db --since 25:99
refused 'since after until' '--until .* is not after --since' -- flows -l db --since 2026-03-03 --until 2026-03-02
refused 'a folder without a database' 'empty/flows\.db: no flow database there' -- flows -l empty
refused 'one of several without a database' 'empty/flows\.db: no flow database there' -- flows -l north -l empty
refused 'a database twice' 'are one database' -- flows -l db -l "$work/db"
refused 'a finding of several sensors' '--finding F1: each database numbers its own' -- flows -l north -l db --finding F1
for command in flows findings; do
	refused "$command of a finding that is not there" 'no finding F999 in db/flows\.db; it holds [0-9]+ flows and [0-9]+ findings' -- $command -l db --finding F999
done
refused '... nor is its evidence' 'no finding F999 in db/flows\.db; it holds' -- evidence -l db F999
refused 'an empty field to sort by' '--sort: an empty field; accepted: id,' -- flows -l db --sort -
refused 'words about the interface' 'which way a packet passed the interface \(--direction' -- flows -l db outbound
refused 'two findings to close at once' "'F2' is one too many" -- close -l db F1 F2 --reason a
refused 'none to close' 'close: a finding is wanted: F17$' -- close -l db --reason a
refused 'words that are no filter' "filter 'hots 10\.0\.0\.1': .*syntax error" -- flows -l db hots 10.0.0.1
refused 'words about payload' "no recorded flow knows that" -- flows -l db 'tcp[tcpflags] & tcp-syn != 0'
refused 'a file among the words' "'demo\.pcap' is a file" -- flows -l db demo.pcap
refused 'an option behind the words' '--limit stands behind the words of a filter' -- flows -l db udp --limit 3
for command in units coverage blind names status; do
	refused "$command takes no filter, and says so" "$command: 'udp' is an argument.*go with flows and findings" -- $command -l db udp
done
refused '--follow and --until' '--follow: it has no end, so no --until' -- flows -l db --follow --until 1h
refused '--follow as json' '--follow: json has an end; use -o jsonl' -- flows -l db --follow -o json
