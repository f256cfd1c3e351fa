#!/bin/bash
# A person closes a finding while a recorder is running: it is closed at once, stays so through what goes on and
# the recorder's next commits, and the next flow opens it again.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

name='a finding is closed beside a running recorder'
lab_make "$name"
# shellcheck disable=SC2119
run_start live || { not_ok "$name" "$(cat "$work/live.err")"; exit; }

state() { [ "$(db live "SELECT state FROM v_finding WHERE id = 'F1'")" = "$1" ]; }

# Flows of the unit that no dissector knows, on ports of its own.
lab_send flows 20 50
# All of them: one that comes after the close opens it again.
told() { [ "$(db live "SELECT flows FROM v_finding WHERE id = 'F1'")" = "$1" ]; }
within $((15 * SLOW)) told 5 && state open || not_ok 'the finding is there' "$(db live 'SELECT * FROM v_finding')"
said=$("$TLMON" close F1 --reason 'CHG-4711' --by netops -l "$work/live" 2>&1)
is "$name" "$? $said" '0 F1 is closed'
state closed && ok '... at once' || not_ok '... at once' "$(db live 'SELECT * FROM v_finding')"
pause $((3 * SLOW))
is '... and three commits later, with who and why' \
	"$(db live "SELECT state, by_whom, why FROM v_finding_change WHERE finding = 'F1' ORDER BY id DESC LIMIT 1")" \
	'closed|netops|CHG-4711'
state closed && ok '... the finding too' || not_ok '... the finding too' "$(db live 'SELECT * FROM v_finding')"
has 'closing it twice is refused' "$("$TLMON" close F1 --reason again -l "$work/live" 2>&1)" 'F1 is closed already, by netops'
has 'rejudge says who is in the way' "$("$TLMON" rejudge -l "$work/live" 2>&1)" 'writing here|held by|tlmon watch'

lab_send flows 20 50 100
within $((15 * SLOW)) state open && ok 'the next flow opens it again' ||
	not_ok 'the next flow opens it again' "$(db live 'SELECT * FROM v_finding; SELECT * FROM v_finding_change')"
within $((15 * SLOW)) told 10 || not_ok 'all flows are there' "$(db live 'SELECT count(*) FROM flow')"
said=$("$TLMON" close F1 --reason 'once more' -l "$work/live" 2>&1) &&
	said=$("$TLMON" reopen F1 --reason 'it came back' --by noc -l "$work/live" 2>&1)
is 'reopen beside a running recorder' "$? $said" '0 F1 is open again'
pause $((2 * SLOW))
is '... its sentence is back' \
	"$(db live "SELECT state, reason GLOB '??P from local port *' FROM v_finding WHERE id = 'F1'")" 'open|1'
run_end
is 'the run ends with 0' "$code" 0
is 'who did what is on record' \
	"$(db live "SELECT group_concat(state || ' ' || coalesce(by_whom, 'judge'), ', ') FROM (SELECT * FROM v_finding_change WHERE finding = 'F1' ORDER BY id)" | sed "s/closed $(id -un)/closed me/")" \
	'open judge, closed netops, open judge, closed me, open noc'
