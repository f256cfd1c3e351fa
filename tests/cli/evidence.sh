#!/bin/bash
# The packets kept for findings: `tlmon evidence` as a list and as a file, what the site file's `evidence` lets stay, and
# why there is nothing.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TZ=UTC TLMON_DIR=$work/full

if ! command -v sqlite3 >/dev/null; then
	skip 'evidence' 'sqlite3 is not there'
	exit 0
fi
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
sql() { sqlite3 "$work/$1/flows.db" "$2"; }
pcap=$work/demo.pcap
"$B/tools/mkdemo" "$pcap"
for keep in full headers off; do
	{ cat tests/demo/site.yaml; echo "evidence: $keep"; } >"$work/$keep.yaml"
	"$TLMON" watch -r "$pcap" -c "$work/$keep.yaml" -l "$work/$keep" >/dev/null 2>&1
done

# ------------------------------------------------------------------------ as a list
said=$("$TLMON" evidence F1)
has 'evidence lists packets with finding, flow, unit, direction, ends and bytes kept' "$said" \
	'^TIME +FINDING +FLOW +UNIT +DIR +PROTO +SOURCE +DESTINATION +INFO +KEPT +OF' \
	'^2026-03-02 08:00:36.000000  F1 +36  boardroom  out +udp +10.20.0.15:50063 +52.112.1.9:50011 +104 bytes +146 +146' \
	' in +udp +52.112.1.9:50011 +10.20.0.15:50063 ' '^F1: packets of 1 of 1 flow$'
is '... the first eight of a flow' "$(grep -c '^2026' <<<"$said")" 8
is 'JSON has the promised fields' "$("$TLMON" evidence F12 -o jsonl --limit 1)" \
	'{"time":"2026-03-02T08:00:43.000000Z","finding":"F12","flow":47,"unit":"boardroom","direction":"out","transport":"udp","source":"10.20.0.15","source_port":52020,"destination":"8.8.8.8","destination_port":53,"info":"45 bytes","kept":87,"wire":87,"link":"ethernet","run":1,"packet":3095,"cause":null}'
is 'a flow is asked for by its number' "$("$TLMON" evidence 36 -o csv)" "$("$TLMON" evidence F1 -o csv)"
is 'several are listed by time' "$("$TLMON" evidence F12 F1 -o csv)" \
	"$({ "$TLMON" evidence F1 -o csv; "$TLMON" evidence F12 -o csv | tail -n +2; })"
is 'a host on no list has evidence too' \
	"$("$TLMON" findings -o csv | grep -c unlisted-unit) $("$TLMON" evidence F17 -o csv | tail -n +2 | wc -l)" '1 10'
count() { "$TLMON" evidence -o csv "$@" 2>/dev/null | tail -n +2 | wc -l; }
is '--unit takes in all findings of a unit' "$(count --unit boardroom)" \
	"$(sql full "SELECT count(*) FROM evidence e JOIN finding f ON f.id = e.finding WHERE f.unit = (SELECT id FROM unit WHERE name = 'boardroom')")"
is '--since and --until narrow it' "$(count --unit boardroom --since 08:00:43 --until 08:00:43.002)" 2
is '--limit stops' "$(count --unit boardroom --limit 3)" 3
is 'no finding has more than 3 flows of 8 packets of 256 bytes' "$(sql full 'SELECT max(flows), max(packets), max(bytes)
	FROM (SELECT count(DISTINCT flow) AS flows FROM evidence GROUP BY finding),
	(SELECT count(*) AS packets, max(length(bytes)) AS bytes FROM evidence GROUP BY finding, flow)')" '2|8|256'

# ------------------------------------------------------------------------ as a file
"$TLMON" evidence F1 F16 -w "$work/out.pcapng" 2>"$work/err"
is '-w writes a file and says so' "$? $(cat "$work/err")" \
	"0 tlmon: 16 packets of 2 flows written to $work/out.pcapng"
is '... the same bytes each time, also to standard output' \
	"$("$TLMON" evidence F1 F16 -w - 2>/dev/null | cksum)" "$(cksum <"$work/out.pcapng")"
text=$(tr -d '\0' <"$work/out.pcapng" | grep -a .)
has '... with the findings in its comments, and who wrote it' "$text" \
	'F1: local-port at boardroom, severity medium, open' \
	'UDP audio from local port 50063 to 52.112.1.9:50011: online.out.audio allows local ports 50000-50019' \
	'^seen: 2026-03-02T08:00:36.000000Z' '^policy: [0-9a-f]{64}' 'tlmon [0-9]' 'F16, flow 51, out'
is 'every packet kept is in the capture, byte for byte' \
	"$(sql full "SELECT count(*), sum(instr(readfile('$pcap'), bytes) = 0) FROM evidence" | sed 's/^[1-9][0-9]*|/some|/')" 'some|0'
is '... and in the file' "$(sql full "SELECT sum(instr(readfile('$work/out.pcapng'), bytes) = 0) FROM evidence
	WHERE finding IN (1, 16)")" 0
"$TLMON" watch -r "$work/out.pcapng" -c "$work/off.yaml" -l "$work/again" >/dev/null 2>&1
is 'read again the packets are those of the flows' \
	"$("$TLMON" flows -l "$work/again" -o jsonl | sed 's/.*"community_id":"\([^"]*\)".*/\1/' | sort)" \
	"$("$TLMON" flows -o jsonl | grep -E '"id":(36|51),' | sed 's/.*"community_id":"\([^"]*\)".*/\1/' | sort)"
if command -v tcpdump >/dev/null; then
	is 'tcpdump opens it' "$(tcpdump -nr "$work/out.pcapng" 2>/dev/null | wc -l)" 16
else
	skip 'tcpdump opens it' 'tcpdump is not there'
fi
echo old >"$work/old.pcapng"
"$TLMON" evidence F1 -w "$work/old.pcapng" 2>/dev/null
is 'a file that is there is overwritten' "$? $(head -c 4 "$work/old.pcapng" | hex)" '0 0a0d0d0a'
if [ -e /dev/full ]; then
	"$TLMON" evidence F1 -w /dev/full 2>"$work/err"
	is 'a full disk is said' "$? $(wc -l <"$work/err")" '2 1'
fi
script=$(command -v script)
if [ -n "$script" ]; then
	has 'no file is written to a terminal' \
		"$(script -qec "$TLMON evidence F1 -w -" /dev/null </dev/null)" 'standard output is a terminal'
fi

# --------------------------------------------------------------------- what may stay
# Of each packet the last 24 bytes that were kept, where they are payload.
payloads="SELECT substr(bytes, -24) AS payload FROM evidence WHERE length(bytes) > 110 AND payload <> zeroblob(24)"
found() { # how many of them are in any file of the database
	cat "$work/$1"/* >"$work/bytes"
	sql full "SELECT sum(instr(readfile('$work/bytes'), payload) > 0) FROM ($payloads)"
}
is 'evidence: full keeps payload' "$(found full)" "$(sql full "SELECT count(*) FROM ($payloads)")"
is 'evidence: headers lets no byte of it into the database' "$(found headers)" 0
is '... and of each packet the headers' "$(sql headers 'SELECT count(*) FROM evidence')" "$(sql full 'SELECT count(*) FROM evidence')"
is '... which tell who spoke' "$("$TLMON" evidence F1 -l "$work/headers" -o jsonl --limit 1 | grep -o '"source_port":50063.*"kept":[0-9]*')" \
	'"source_port":50063,"destination":"52.112.1.9","destination_port":50011,"info":"104 bytes","kept":42'
is 'evidence: off keeps nothing' "$(found off) $(sql off 'SELECT count(*) FROM evidence')" '0 0'
"$TLMON" evidence F1 -l "$work/off" -w "$work/none.pcapng" 2>"$work/err"
is '... evidence says so, ends with 1 and writes no file' "$? $(cat "$work/err") $(ls "$work/none.pcapng" 2>/dev/null)" \
	"1 tlmon: of F1 no packets are kept: the site file said 'evidence: off' "
is 'verdicts do not change with it' "$("$TLMON" findings -l "$work/off" -o csv)" "$("$TLMON" findings -o csv)"
{ cat tests/demo/site.yaml; echo 'evidence: some'; } >"$work/wrong.yaml"
"$TLMON" rules lint -c "$work/wrong.yaml" >"$work/out" 2>"$work/err"
is 'another word is refused' "$?" 2
has '... with its place and what is accepted' "$(cat "$work/err")" "wrong.yaml:[0-9]+:11: .*'some'.*full, headers, off" '\^~~~'
has 'rules lint says what is kept' "$("$TLMON" rules lint -c "$work/headers.yaml" 2>&1)" 'evidence: headers: .* no payload'

# ------------------------------------------------------------------- what is not there
"$TLMON" evidence --died >"$work/out" 2>"$work/err"
is 'nobody died' "$? $(cat "$work/err")" '1 tlmon: no process died of a packet that was kept'
for words in '' 'F99' '999999' 'seventeen' '--unit attic' 'F1 --since yesterday' 'F1 --died' "F1 -o json -w $work/x" "F1 -w $work" \
	'F1 --limit 0'; do
	# shellcheck disable=SC2086 # an option and its value
	"$TLMON" evidence $words >"$work/out" 2>"$work/err"
	is "'${words//$work/DIR}' is refused" "$? $(cat "$work/out")$(wc -l <"$work/err")" '2 1'
done
sql full "DELETE FROM evidence WHERE finding = 1; UPDATE evidence_day SET refused = 8;
	UPDATE evidence SET link = 99 WHERE finding = 2; UPDATE evidence SET bytes = x'' WHERE finding = 3;
	UPDATE evidence SET bytes = randomblob(200), time_us = -5, wire_len = -1, flow = -7 WHERE finding = 4;
	INSERT INTO evidence (run, flow, time_us, cause, link, wire_len, bytes) VALUES (1, 5, 1772438400000000, 4, 3, 60, x'4500')"
"$TLMON" evidence F1 2>"$work/err"
is 'a day without budget is named' "$? $(cat "$work/err")" \
	'1 tlmon: of F1 no packets are kept: the budget of 2026-03-02 was used up'
sql full "DELETE FROM evidence WHERE finding = 17 AND flow = 3309"
has '... also where a part is there' "$("$TLMON" evidence F17)" '^F17: packets of 1 of 2 flows; the budget of 2026-03-02 was used up'
documented=$(sql full "SELECT min(id) FROM v_flow WHERE finding IS NULL")
"$TLMON" evidence "$documented" >"$work/out" 2>"$work/err"
is 'of a sound flow nothing is kept: that is no misspelling, and ends as every "nothing kept"' \
	"$? $(cat "$work/out" "$work/err")" "1 tlmon: of flow $documented no packets are kept: it is under no finding"
has '... and hides nothing of what is kept' "$("$TLMON" evidence "$documented" F2 2>/dev/null)" '^F2: packets of'
has 'what a process died of is listed' "$("$TLMON" evidence --died)" 'CAUSE' '2026-03-02 08:00:00.000000 .* 2 +60 '
is '... and written' "$("$TLMON" evidence --died -w - 2>/dev/null | head -c 4 | hex)" 0a0d0d0a
"$TLMON" evidence F2 F3 F4 -w "$work/odd.pcapng" 2>/dev/null
first=$?
"$TLMON" evidence F2 F3 F4 >/dev/null 2>&1
is 'a database another program changed harms nobody' "$first $?" '0 0'

# ----------------------------------------------------------------------- judged again
"$TLMON" watch -r "$pcap" -c "$work/full.yaml" -l "$work/judged" >/dev/null 2>&1
of_flow() { sql judged "SELECT group_concat(hex(bytes)) FROM evidence WHERE flow = $1"; }
astray() {
	sql judged 'SELECT count(*) FROM evidence e JOIN finding g ON g.id = e.finding
		JOIN flow f ON f.run = e.run AND f.packet = e.flow AND f.unit = g.unit WHERE f.finding IS NOT e.finding'
}
before=$(of_flow 2557) before_none=$(of_flow 3095)
all() { sql judged 'SELECT finding, run, flow, time_us, hex(bytes) FROM evidence ORDER BY 1, 2, 3, 4' | sha256sum; }
before_all=$(all)
is 'evidence stands under the finding of its flow' "$(astray)" 0
sed -e 's/room, online, touch/room, touch/' -e 's/\[10.20.0.53\]/[10.20.0.53, 8.8.8.8]/' "$work/full.yaml" >"$work/other.yaml"
"$TLMON" rejudge -c "$work/other.yaml" -l "$work/judged" >/dev/null 2>"$work/err"
is '... and goes along when it is judged again' "$? $(of_flow 2557)" "0 $before"
is '... to another finding' "$(sql judged 'SELECT count(*) FROM evidence WHERE flow = 2557 AND finding = 1')" 0
is '... or stays with the finding that was left' "$(of_flow 3095)" "$before_none"
"$TLMON" rejudge -c "$work/full.yaml" -l "$work/judged" >/dev/null 2>"$work/err"
is '... and judged as before, all packets stand where they stood' "$(astray) $(all)" "0 $before_all"
