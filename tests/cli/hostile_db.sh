#!/bin/bash
# A database whose texts steer a terminal: no control character leaves in an answer or an error. And one that
# somebody holds: it is said who, and for how long it was waited for.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

export TZ=UTC
"$B/tools/mkdemo" "$work/demo.pcap"
cp tests/demo/site.yaml "$work/site.yaml"
cd "$work" || exit 1
"$TLMON" watch -r demo.pcap -c site.yaml -l db >/dev/null 2>&1

# Somebody holds the lock for longer than a command that changes a finding waits; it is looked at in the end.
cp -r db held
{ printf '%s\n' 'BEGIN IMMEDIATE;' '.shell touch locked'; for _ in $(seq 600); do [ -s waited ] && break; sleep 0.1; done; } |
	sqlite3 held/flows.db &
holder=$!
for _ in $(seq 100); do
	[ -e locked ] && break
	sleep 0.1
done
{
	"$TLMON" close F1 --reason x -l held 2>waited.err
	echo $? >waited
} &
waiter=$!

cp -r db texts
sqlite3 texts/flows.db <<'Q'
CREATE TEMP TABLE bad AS SELECT char(27) || '[31m' || char(7) || char(155) || char(127) AS t;
UPDATE unit SET name = name || (SELECT t FROM bad), profiles = (SELECT t FROM bad) || id;
UPDATE name SET text = '=cmd' || (SELECT t FROM bad) || id;
UPDATE finding SET reason = 'r' || (SELECT t FROM bad), remote = 'x' || (SELECT t FROM bad) || id,
	role = 'o' || (SELECT t FROM bad), waiver = 'w' || (SELECT t FROM bad);
UPDATE run SET inputs = 'in' || (SELECT t FROM bad), roles_unknown = 'e' || (SELECT t FROM bad);
UPDATE envelope_row SET text = text || (SELECT t FROM bad);
UPDATE phrase SET text = 'p' || (SELECT t FROM bad) || id;
UPDATE finding_change SET by_whom = (SELECT t FROM bad), why = (SELECT t FROM bad);
UPDATE policy_use SET by_whom = (SELECT t FROM bad);
INSERT INTO blind VALUES (99, 1, 1, NULL, 1772438400000000, 1772438410000000, 3, (SELECT t FROM bad));
Q
while read -r line; do
	# shellcheck disable=SC2086
	timeout 30 "$TLMON" $line -l texts >out 2>err
	# The one letter that a terminal obeys as one byte or two: C0, DEL, C1 in UTF-8.
	bad=$(cat out err | LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' || true)
	case $line in *csv*) bad=$(tr -d '\r' <out | LC_ALL=C grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' || true) ;; esac
	if [ "$bad" = 0 ] && [ -s out -o -s err ]; then
		ok "'$line' sends a terminal nothing that steers it"
	else
		not_ok "'$line' sends a terminal nothing that steers it" "$(cat out err | cat -v | grep -m3 '\^\[\|M-')"
	fi
done <<'C'
flows
flows -o csv
flows --count-by name
findings --state all
findings --state all -o csv
units
units -o csv
names
names -o csv
coverage --per-unit
blind
status
explain F1
explain F2
explain 5
explain 20
flows --unit nosuch
explain F999
evidence F1
db stats
db check
incident --unit 10.20.0.15 --since 2026-03-02
close F1 --reason x
waive F1 --owner x --reason y --expires 2030-01-01
C
is 'no value of CSV begins as a formula' "$("$TLMON" names -l texts -o csv | tr ',' '\n' | grep -cE "^\"?'=cmd") $("$TLMON" names -l texts -o csv | tr ',' '\n' | grep -cE '^"?=')" \
	"$("$TLMON" names -l texts -o jsonl | grep -c '"=cmd') 0"

wait $waiter
is 'a command beside a writer waits for it' "$(cat waited)" 2
has '... and says how long, and for whom' "$(cat waited.err)" "locked by sqlite3 \(pid [0-9]+\) for more than 15 s; try again"
wait $holder
