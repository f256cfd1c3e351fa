#!/bin/bash
# `tlmon check --report`: four forms of one acceptance, the same bytes each time, files that are whole or not there, and readers
# that are not ours: SQLite for JSON, junitparser for JUnit XML, a browser for HTML.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TZ=UTC

cp tests/demo/site.yaml "$work/site.yaml"
cp tests/clean/site.yaml "$work/clean.yaml"
"$B/tools/mkdemo" "$work/demo.pcap"
"$B/tools/mkclean" "$work/clean.pcap"
"$B/tools/mkclean" "$work/less.pcap" --without boardroom/room.out.maestro
cd "$work" || exit 1

# check EXIT NAME WORDS...
check() {
	local wanted=$1 name=$2 code=0
	shift 2
	"$TLMON" check "$@" >out 2>err || code=$?
	is "$name" "$code" "$wanted"
}
ask() { sqlite3 :memory: "WITH t(text) AS (SELECT CAST(readfile('$1') AS TEXT)) SELECT $2 FROM t"; }
left() { find . -name '*.??????' ! -name '*.pcap' | wc -l; }

# ------------------------------------------------------------------ all forms
mkdir one two
check 1 'all forms in one go, and the exit is that of the result' -r demo.pcap -c site.yaml \
	--report one/a.html --report one/a.xml --report one/a.json --report one/a.txt
is 'the file of text is what stands on standard output' "$(cmp out one/a.txt && echo same)" same
has 'text says the result first, and last what it would be at the next level' \
	"$(head -1 out; tail -1 out)" '^NOT ACCEPTED: Demo office$' '^NOT ACCEPTED\. With --fail-on medium it would be: not accepted\.$'
is '... in 80 columns, but for lines to be copied' \
	"$(sed '/^What to do next/,/^Waivers/d' out | LC_ALL=C.UTF-8 awk 'length > 80')" ''
TZ=Asia/Tokyo LC_ALL=C "$TLMON" check -r demo.pcap -c site.yaml \
	--report two/a.html --report two/a.xml --report two/a.json --report two/a.txt >/dev/null
is 'twice gives the same bytes, whatever the time zone' "$(diff -r one two && echo same)" same
"$TLMON" check -r demo.pcap -c site.yaml --in-process --report two/a.html --report two/a.json >/dev/null
is '... and without processes' "$(diff -r one two && echo same)" same
is 'no name of this host, of its user or its folders is in them' \
	"$(grep -lF -e "$(uname -n)" -e "$work" -e "${HOME:-/nowhere/}" one/*)" ''

# ---------------------------------------------------------------------- JSON
is 'JSON is valid' "$(ask one/a.json 'json_valid(text)')" 1
is '... and has result, findings, packets and the policy in full' \
	"$(ask one/a.json "text->>'\$.result', text->>'\$.at.high', json_array_length(text, '\$.findings'),
		json_array_length(text, '\$.findings[0].packets') > 0, length(text->>'\$.envelope_text') > 20000,
		instr(text->>'\$.site_text', CAST(readfile('site.yaml') AS TEXT)) > 0")" \
	"not-accepted|not-accepted|$(grep -cE '^F[0-9]+ ' out)|1|1|1"
is '... who forbids, and how' \
	"$(ask one/a.json "text->>'\$.units[1].rows' LIKE '%\"router\":\"10.20.1.1\",\"icmp_type\":3,\"icmp_code\":13%'")" 1
check 1 'a form instead of the text on standard output' -r demo.pcap -c site.yaml --report -.json
is '... is that form and nothing else' "$(cmp out one/a.json && echo same)" same

# --------------------------------------------------------------------- JUnit
if command -v junitparser >/dev/null; then
	verify() { junitparser verify "$1" >/dev/null 2>&1; echo $?; }
	# tests, failures, errors as a reader counts them, and as the file says
	tell() {
		/usr/bin/python3 -c 'import sys, junitparser as j
x = j.JUnitXml.fromfile(sys.argv[1])
c = [r.__class__.__name__ for s in x for t in s for r in (t.result or [None])]
f, e, k = (c.count(n) for n in ("Failure", "Error", "Skipped"))
print(len(c) == x.tests and f == x.failures and e == x.errors, f > 0, e > 0, k > 0)' "$1"
	}
	is 'a JUnit reader is red where check ends 1' "$(verify one/a.xml) $(tell one/a.xml)" '1 True True False True'
	check 0 'a capture of all that is required is accepted' -r clean.pcap -c clean.yaml --report clean.xml
	is '... and the reader is green' "$(verify clean.xml) $(tell clean.xml)" '0 True False False True'
	check 3 'without a required row it stays open' -r less.pcap -c clean.yaml --report less.xml
	is '... and the reader sees errors and no failure' "$(verify less.xml) $(tell less.xml)" '1 True False True True'
	check 3 'where nothing was seen' -r clean.pcap -c clean.yaml --report none.xml host 192.0.2.200
	is '... so it does' "$(verify none.xml) $(tell none.xml)" '1 True False True True'
else
	skip 'a JUnit reader agrees with the exit' 'junitparser is not installed'
fi

# ---------------------------------------------------------------------- HTML
is 'HTML loads nothing and runs nothing' "$(grep -ciE '<script|<link|<img|<iframe|src=|@import|url\([^#]' one/a.html)" 0
if command -v chromium >/dev/null; then
	# Without any network there is nobody to ask; what the page may not do is said on its console.
	chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$work/profile" --enable-logging=stderr \
		--virtual-time-budget=2000 --dump-dom "file://$work/one/a.html" >dom 2>console
	is 'a browser reads it without a word on its console' \
		"$(grep -c 'CONSOLE' console) $(grep -c '</html>' dom) $(grep -o '<svg' dom | wc -l)" '0 1 2'
	rm -rf profile
else
	skip 'a browser reads it without a word on its console' 'chromium is not installed'
fi

# --------------------------------------------------------------------- files
for name in a.pdf html a.HTML; do
	check 2 "--report $name is not understood" -r demo.pcap -c site.yaml --report $name
	is '... and says what is' "$(cat err) $(wc -c <out)" \
		"tlmon: --report $name: what it is to be is told by its end; accepted: .html, .xml (JUnit), .json, .txt 0"
done
check 2 'a folder that is not there is said before any packet is read' -r - -c site.yaml --report no/such/a.html </dev/null
is '... by name' "$(cat err)" 'tlmon: --report no/such/a.html: No such file or directory'
mkdir taken.html
check 2 'so is a folder in its place' -r demo.pcap -c site.yaml --report ok.json --report taken.html
is '... and nothing is left of the others' "$(cat err) $(left) $(ls ok.json 2>/dev/null)" 'tlmon: --report taken.html: Is a directory 0 '
check 2 'two reports for one standard output are one too many' -r demo.pcap -c site.yaml --report -.xml --report -
if [ -w /dev/full ]; then
	ln -s /dev/full full.html
	check 2 'a full disk' -r demo.pcap -c site.yaml --report full.html
	has '... is said by name' "$(cat err)" 'full\.html: .*could not be written to its end'
fi

# Killed half way: what was there stays, and nothing lies beside it.
echo old >kept.html
mkfifo pipe
"$TLMON" check -r - -c site.yaml --report kept.html <pipe >/dev/null 2>&1 &
pid=$!
exec 9>pipe
for _ in $(seq 50); do [ "$(left)" = 0 ] || break; sleep 0.1; done
is 'while it runs the report is written beside its name' "$(left)" 1
kill -KILL $pid
exec 9>&-
wait $pid 2>/dev/null
for _ in $(seq 50); do [ "$(left)" != 0 ] || break; sleep 0.1; done
is 'killed half way it leaves the old one, and nothing beside it' "$(cat kept.html) $(left)" 'old 0'

# -------------------------------------------------------------- of a database
"$TLMON" watch -r demo.pcap -c site.yaml -l db >/dev/null 2>&1
check 1 'of what a recorder has on record' -l db --unit huddle --report huddle.html --report huddle.xml --report huddle.json
is '... of that unit alone, with the packets that were kept' \
	"$(ask huddle.json "json_array_length(text, '\$.units'), text->>'\$.of_unit', json_array_length(text, '\$.findings[0].packets') > 0")" '1|huddle|1'
