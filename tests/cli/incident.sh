#!/bin/bash
# tlmon incident: blindness first, marks at the window's edges, what is new, and names that would like to be
# something else than text. Explain tells the rest of each flow.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TZ=UTC

"$B/tools/mkincident" "$work"
cat >"$work/site.yaml" <<'END'
site: Office
units:
  - {name: boardroom, addresses: [10.20.0.15], profiles: [room, online]}
  - {name: ghost, addresses: [10.20.9.9], profiles: [room]}
roles:
  dns-server: {addresses: [10.20.0.53]}
END
record() { # DIR CAPTURE...
	local dir=$1 capture
	shift
	for capture in "$@"; do
		"$TLMON" watch -r "$work/$capture.pcap" -c "$work/site.yaml" -l "$dir" >/dev/null 2>&1
	done
}
record "$work/db" before night1 night2
night=(--since 2026-03-05T02:00Z --until 2026-03-05T02:04Z)
incident() { "$TLMON" incident -l "$work/db" --unit boardroom "${night[@]}" "$@"; }

# ------------------------------------------------------------------------ text
said=$(incident)
has 'the answer stands first, in one sentence' "$(sed -n '4,5p' <<<"$said" | tr '\n' ' ')" \
	'^7 flows, 1 outside the envelope, with 1 peer not seen in the 7 days before .*; watched for all but 1 min 20 s\. $'
is 'blindness stands before anything that is claimed' \
	"$(grep -nE '^(Were we looking|Findings|New against|With whom|What it did|Its addresses|Judged by)' <<<"$said" | cut -d: -f2 | cut -c1-8 | tr '\n' ',')" \
	'Were we ,Findings,New agai,With who,What it ,Its addr,Judged b,'
has 'an interval in which nobody looked is told' "$said" \
	'^! 02:02:00 to 02:03:20 \(1 min 20 s\): not-running: no tlmon was watching$'
has 'a finding comes with the command that gets its packets' "$said" \
	'^medium +F[0-9]+ +peer +45\.33\.20\.0/24 +tcp 443 +1$' \
	"^    tlmon evidence F[0-9]+ -w F[0-9]+\.pcapng -l $work/db$"
has 'what is new is listed' "$said" '^peer +45\.33\.20\.9 ' '^kind of deviation +peer '
[ "$(grep -cE '^(peer|name) .*(52\.112\.1\.9|sipdir)' <<<"$said")" = 0 ] &&
	ok '... and habits are not' || not_ok '... and habits are not' "$said"
has 'of the days before it says how much was watched' "$said" '^Of these days 50\.0 s of 7 d 0 h were watched'
is 'flows that reach beyond the window are marked, and no others' \
	"$(sed -n '/^What it did/,/^Its addresses/p' <<<"$said" | awk '$4 == "s" && ($5 == "<" || $5 == ">") { print $2 $5 }' | tr '\n' ' ')" \
	'01:59:50< 02:03:50> '
has '... and the sums say so' "$(tr '\n' ' ' <<<"$said")" '1 of them began before the window, 1 went on after it'
has 'a name says how it is known' "$(tr -s ' \n' ' ' <<<"$said")" \
	'sipdir\.online\.lync\.com \(DNS answer of 10\.20\.0\.53, .*seen in its flows: sipdir\.online\.lync\.com \(sni\)'
has 'the unit had an address, and it says how that is known' "$(tr -s ' \n' ' ' <<<"$said")" \
	'10\.20\.0\.15, MAC 00:26:8c:01:02:03, from .* known by its packets'
has 'the policy is named with its rows as documented' "$said" "^policy +[0-9a-f]{64}$" \
	'^online\.out\.audio +2 +2 +0 +0$' '^    Skype for Business Online / Outbound / 6$'
is 'but commands no line is wider than 80 columns' "$(grep -v '^ *tlmon ' <<<"$said" | awk 'length > 80')" ''

# ----------------------------------------------------- the same bytes each time
incident -o html >"$work/a.html"
incident -o json >"$work/a.json"
record "$work/again" before night1 night2
for form in text html json; do
	"$TLMON" incident -l "$work/again" --unit boardroom "${night[@]}" -o $form |
		sed "s,$work/again,DIR," >"$work/b.$form"
	is "two recordings give the same $form" \
		"$(cmp "$work/b.$form" <(incident -o $form | sed "s,$work/db,DIR,") 2>&1)" ''
done
incident --report "$work/r.html" --report "$work/r.json" --report "$work/r.txt" >"$work/r"
is '--report writes what its end says' \
	"$(cmp "$work/r.html" "$work/a.html" && cmp "$work/r.json" "$work/a.json" && cmp "$work/r.txt" "$work/r" && echo same)" same
is 'a unit is found by an address it had, too' \
	"$(cmp <(incident) <("$TLMON" incident -l "$work/db" --unit 10.20.0.15 "${night[@]}") 2>&1)" ''

# ------------------------------------------------------------------------ HTML
html=$(cat "$work/a.html")
has 'HTML holds a drawing with a lane for each peer, and hatches blindness' "$html" '<svg viewBox=' \
	'<rect class="b" ' 'class="o"' '<path class="a" '
is 'a name that would be a script is text' "$(grep -ciE '<script|&amp;\.example' "$work/a.html")" \
	"$(grep -cE '&amp;amp;\.example' "$work/a.html" | awk '{ print $1 * 0 }')"
has '... and is read as it was sent' "$html" '&lt;script&gt;alert\(&#39;x&#39;\)&lt;/script&gt;&amp;amp;\.example'
is 'it asks nothing of the network' "$(grep -oiE '(src|href)=|url\([^#]|@import|https?:' "$work/a.html")" ''
is 'every element that is opened is closed' "$(for tag in table thead tbody tr td th ul li dl dt dd p pre div svg title text defs style; do
	[ "$(grep -oE "<$tag[ >]" "$work/a.html" | wc -l)" = "$(grep -o "</$tag>" "$work/a.html" | wc -l)" ] || echo $tag
done)" ''
sqlite3 "$work/again/flows.db" "UPDATE name SET text = 'a' || char(27) || '[31mred' || char(8238) || char(10) || 'b' WHERE text LIKE '%script%'"
is 'control characters reach no terminal, whoever wrote them' \
	"$("$TLMON" incident -l "$work/again" --unit boardroom "${night[@]}" | LC_ALL=C grep -cP '[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae')" 0
flow=$(sqlite3 "$work/again/flows.db" "SELECT f.id FROM flow f JOIN name n ON n.id = f.name WHERE n.text LIKE 'a%red%'")
sqlite3 "$work/again/flows.db" "UPDATE phrase SET text = text || char(27) || '[2J'; UPDATE finding SET reason = reason || char(27) || '[2J'"
is '... nor by what explain says of flow and finding' \
	"$(for what in "$flow" F1; do "$TLMON" explain -l "$work/again" "$what"; done | LC_ALL=C grep -cP '[\x00-\x09\x0b-\x1f\x7f]')" 0
has '... where they are seen' "$("$TLMON" explain -l "$work/again" "$flow")" '^  name +a\\x1b\[31mred\\u202e\\x0ab \(sni'

# ----------------------------------------------------------------- many names
cp -r "$work/db" "$work/aliases"
sqlite3 "$work/aliases/flows.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6)
		INSERT INTO name (text) SELECT 'alias' || i || '.example' FROM n;
	INSERT INTO name_seen SELECT x.run, x.unit, x.client, x.server, x.address, a.id, x.first_us, x.last_us, x.until_us, x.counted
		FROM name_seen x JOIN name n ON n.id = x.name JOIN name a ON a.text LIKE 'alias%' WHERE n.text = 'sipdir.online.lync.com'"
aliases() { "$TLMON" incident -l "$work/aliases" --unit boardroom "${night[@]}" "$@"; }
has 'of many names the one that was asked for stands first, and it says how many are not shown' "$(aliases | tr -s ' \n' ' ')" \
	'exact; sipdir\.online\.lync\.com \(DNS.* alias1\.example \(.* alias3\.example \([^)]*\), and 3 more; seen in'
is '... and JSON has them all' "$(aliases -o json | grep -o 'alias[1-6]\.example (DNS' | sort -u | wc -l)" 6

# ------------------------------------------------------------------------ JSON
ask() { sqlite3 :memory: "WITH j AS (SELECT CAST(readfile('$work/a.json') AS TEXT) AS text) SELECT $1 FROM j"; }
is 'JSON is valid' "$(ask 'json_valid(text)')" 1
is '... and says the same' \
	"$(ask "json_extract(text, '\$.sums.flows') || ' ' || json_extract(text, '\$.sums.outside') || ' ' || json_extract(text, '\$.window.unseen_s') || ' ' || json_array_length(text, '\$.flows') || ' ' || json_extract(text, '\$.flows[0].begun_before')")" \
	'7 1 80.0 7 1'

# --------------------------------------------------------------------- several
record "$work/one" before night1
record "$work/two" night2
"$TLMON" incident -l "$work/one" -l "$work/two" --unit boardroom "${night[@]}" >"$work/both" 2>&1
has 'of two sensors one report is made' "$(cat "$work/both")" '^7 flows, 1 outside' \
	'^! 02:02:00 to 02:03:20 \(1 min 20 s\): not-running' '^policy +[0-9a-f]{64}$'
is '... in which nothing is told twice' "$(grep -c not-running "$work/both")" 1
code=0
"$TLMON" incident -l "$work/one" -l "$work/one" --unit boardroom "${night[@]}" >"$work/out" 2>&1 || code=$?
is '... nor counted twice' "$code $(wc -l <"$work/out")" '2 1'
cp -r "$work/one" "$work/uno"
code=0
"$TLMON" explain -l "$work/one" -l "$work/uno" 1 >"$work/out" 2>"$work/err" || code=$?
has 'a flow that two databases hold is asked for by its own' "$code $(cat "$work/err")" \
	"^2 .*flow 1 is in 2 of the databases; say which: $work/one:1, $work/uno:1"
has '... and found so' "$("$TLMON" explain "$work/uno:1" | head -1)" '^flow 1: '

# ------------------------------------------------------------------ nothing there
code=0
said=$("$TLMON" incident -l "$work/db" --unit boardroom --since 2025-03-05T02:00Z --until 2025-03-05T04:00Z) || code=$?
has 'outside the recording it says that nobody watched, and ends 1' "$code $(sed -n 4,5p <<<"$said" | tr '\n' ' ')" \
	'^1 Nothing was recorded in this window: nobody watched\. That is not to say that nothing happened'
code=0
said=$("$TLMON" incident -l "$work/db" --unit ghost "${night[@]}") || code=$?
has 'a unit that was never seen is called so, and that ends 1' "$code $(sed -n 4,5p <<<"$said" | tr '\n' ' ')" \
	'^1 This unit was never seen'
refused() { # NAME PATTERN WORD...
	local name=$1 pattern=$2 code=0
	shift 2
	"$TLMON" incident -l "$work/db" "$@" >"$work/out" 2>"$work/err" || code=$?
	has "$name" "$code $(wc -l <"$work/err") $(cat "$work/out" "$work/err")" "^2 1 .*$pattern"
}
refused 'an unknown unit is refused' "no unit 'nobody'.*boardroom" --unit nobody "${night[@]}"
refused 'a report of no unit is refused' '--unit WHO is wanted' "${night[@]}"
refused 'a report of no time is refused' '--since T is wanted' --unit boardroom
refused 'a format that is none is refused' '-o csv.*text, html, json' --unit boardroom "${night[@]}" -o csv
refused 'a file of no kind is refused' '--report x.pdf.*\.html, \.json, \.txt' --unit boardroom "${night[@]}" --report x.pdf
refused 'a file that cannot be written is refused' '--report /nowhere/x.html: No such' --unit boardroom "${night[@]}" --report /nowhere/x.html

# ------------------------------------------ what was removed; a unit on no list
"$B/tools/mkdemo" "$work/demo.pcap"
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/demo" >/dev/null 2>&1
said=$("$TLMON" incident -l "$work/demo" --unit 10.20.3.30 --since 2026-03-02)
has 'flows of a unit on no list are not kept, and it says so' "$(tr '\n' ' ' <<<"$said")" \
	'No flow of this unit is kept: it is on no list, .* 1 finding of this time is on record\.'
has '... with the finding they are counted under' "$said" '^medium +F[0-9]+ +unlisted-unit '
"$TLMON" db archive --until 2026-03-02T08:00:40 -l "$work/demo" "$work/old" >/dev/null
removed() { "$TLMON" incident -l "$work/demo" --unit boardroom --since 2026-03-02T08:00 --until "2026-03-02T08:00:$1" "${@:2}"; }
code=0
said=$(removed 38) || code=$?
has 'what was removed is not said to have gone unwatched' "$(tr '\n' ' ' <<<"$said")" \
	'What was recorded of this window has been removed: ' 'of 38\.0 s, what ended in 38\.0 s was recorded and has been removed\.'
is '... anywhere' "$(grep -cE 'nobody watched|unseen' <<<"$said")" 0
has '... in JSON neither' "$(removed 38 -o json)" '"recorded":true' '"nobody_looked_s":0\.000000,"removed_s":38\.000000'
has '... of a window in part' "$(removed 50 | tr '\n' ' ')" '; what ended in 40\.0 s of it has been removed; watched all the time\. '
is '... and text has the findings that JSON has' "$(removed 38 | grep -oE '^[a-z]+ +F[0-9]+' | wc -l)" \
	"$(removed 38 -o json | grep -cE '^\{"id":"F')"

# --------------------------------------------------------------------- explain
flow=$(sqlite3 "$work/db/flows.db" "SELECT f.id FROM flow f JOIN host h ON h.id = f.remote WHERE h.text = '52.112.64.11' AND f.start_us > 1772600000000000")
said=$("$TLMON" explain -l "$work/db" "$flow")
has 'explain says which answer bound which name, and what it proves' "$said" \
	'^  bound by DNS sipdir\.online\.lync\.com: 10\.20\.0\.53 told 10\.20\.0\.15$' \
	'^ +it proves the peer as sfb-online$' "^  name +sipdir\.online\.lync\.com \(sni: the client's claim"
has '... which address the unit had' "$said" '^  address +10\.20\.0\.15, MAC 00:26:8c:01:02:03, known by its packets'
is '... every row of its profiles' \
	"$(grep -cE '^  (room|online)\.[a-z_.]+ +(NO|\?|\.) ' <<<"$said")" \
	"$("$TLMON" rules list -o csv | grep -cE '^(room|online)\.')"
has '... the policy and its run' "$said" '^  policy +[0-9a-f]{64}$' '^ +in force in run 2 from its first packet on$'
flow=$(sqlite3 "$work/db/flows.db" "SELECT id FROM flow WHERE finding")
has '... and the packets that are kept' "$("$TLMON" explain -l "$work/db" "$flow")" \
	'^  evidence +[1-9] packets? of it kept:$' "^ +tlmon evidence F1 -w F1\.pcapng -l $work/db$"
"$TLMON" explain -l "$work/db" -o json "$flow" >"$work/explain.json"
is '... all of it as JSON' "$(sqlite3 :memory: "WITH j AS (SELECT CAST(readfile('$work/explain.json') AS TEXT) AS text)
	SELECT json_array_length(text, '\$.tried'), json_array_length(text, '\$.addresses'), json_extract(text, '\$.evidence_packets') > 0 FROM j")" \
	"$("$TLMON" rules list -o csv | grep -cE '^(room|online)\.')|1|1"
