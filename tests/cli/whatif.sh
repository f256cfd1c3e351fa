#!/bin/bash
# Recorded flows under another policy: under the one in force nothing flips; under another one exactly that
# flips which a recorder under it would have judged otherwise, and after rejudge all is as it would have it.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TOOLS=$PWD/$B/tools TZ=UTC

watch() { "$TLMON" watch -r "$1" -c "$2" -l "$3" "${@:4}" >/dev/null 2>&1; }
# Of a flow what is told of it, and what was judged.
facts='start, unit, transport, local, local_port, remote, remote_port'
judged='verdict, grade, why, row, kind, severity, nearest'
# differ DB DB COLUMNS TABLE: rows that the two do not share
differ() {
	sqlite3 -readonly "$1/flows.db" "ATTACH '$2/flows.db' AS other;
		SELECT '<', * FROM (SELECT $3 FROM main.$4 EXCEPT SELECT $3 FROM other.$4);
		SELECT '>', * FROM (SELECT $3 FROM other.$4 EXCEPT SELECT $3 FROM main.$4)"
}
# Every golden case, the demo and the fleet among them.
cases=()
for make in tests/golden/*/make; do
	case=$(basename "$(dirname "$make")")
	mkdir "$work/$case"
	"$make" "$work/$case/in.pcap" >/dev/null
	cp "tests/golden/$case/site.yaml" "$work/$case/"
	watch "$work/$case/in.pcap" "$work/$case/site.yaml" "$work/$case/db"
	cases+=("$case")
done
mkdir "$work/fleet"
"$B/tools/mkfleet" "$work/fleet/in.pcap"
cp tests/demo/fleet.yaml "$work/fleet/site.yaml"
watch "$work/fleet/in.pcap" "$work/fleet/site.yaml" "$work/fleet/db"
for case in "${cases[@]}" fleet; do
	is "$case: the policy in force flips nothing" "$("$TLMON" whatif -l "$work/$case/db" --flows -o csv)" \
		"$("$TLMON" whatif -l "$work/$case/db" --flows -o csv | head -1)"
	has "$case: ... of all its flows" "$("$TLMON" whatif -l "$work/$case/db")" \
		"^$(sqlite3 "$work/$case/db/flows.db" 'SELECT count(*) FROM flow') flows? judged: .* 0 flip$"
done

# All of them in one database, each under its own site.
for case in "${cases[@]}"; do
	watch "$work/$case/in.pcap" "$work/$case/site.yaml" "$work/all"
done
is 'several policies in one database: each judges its own flows, and nothing flips' \
	"$("$TLMON" whatif -l "$work/all" --flows -o csv | wc -l)" 1
has '... of all flows' "$("$TLMON" whatif -l "$work/all")" \
	"^$(sqlite3 "$work/all/flows.db" 'SELECT count(*) FROM flow') flows judged: .* 0 flip$" \
	'judged by the policy that judged each'

# One range of a copy of the envelope is widened.
cp -r rules/teamline "$work/wide"
sed -i '/id: online.out.audio/,/local-ports/s/50000-50019/50000-50063/' "$work/wide/online.yaml"
is 'rules diff names the one field that was widened' \
	"$("$TLMON" rules diff "$work/wide" -o csv | tr -d '\r')" "$(printf '%s\n' change,row,field,old,new \
		changed,online.out.audio,local-ports,50000-50019,50000-50063)"
"$TLMON" rules diff "$work/wide" >/dev/null
is '... and ends with 1' $? 1
"$TLMON" rules diff rules/teamline >/dev/null
is '... with 0 where nothing differs' $? 0
watch "$work/demo/in.pcap" "$work/demo/site.yaml" "$work/demo/wide" -e "$work/wide"
wanted=$(sqlite3 -readonly "$work/demo/db/flows.db" "ATTACH '$work/demo/wide/flows.db' AS other;
	SELECT a.id, b.verdict FROM main.v_flow a JOIN other.v_flow b USING ($facts)
	WHERE (a.verdict, a.grade, a.why, a.row, a.kind, a.severity, substr(a.nearest, 1, instr(a.nearest, ':'))) IS NOT
		(b.verdict, b.grade, b.why, b.row, b.kind, b.severity, substr(b.nearest, 1, instr(b.nearest, ':')))
	ORDER BY a.id")
seen=$("$TLMON" whatif -l "$work/demo/db" -e "$work/wide" --flows -o jsonl |
	sed -E 's/^\{"id":([0-9]+),.*"from_row":[^,]*,"verdict":"([a-z]*)".*/\1|\2/' | sort -n)
is 'with one range widened those flows flip that a fresh watch judges otherwise' "$seen" "$wanted"
has '... documented among them' "$wanted" 'documented'
is '... and nothing was changed' "$("$TLMON" whatif -l "$work/demo/db" --flows -o jsonl)" ''

# Every capture under the sites of others.
bad=0 flows=0
mkdir "$work/nat"
for case in "${cases[@]}"; do
	sed '/^options:/d' "$work/$case/site.yaml" >"$work/nat/site.yaml"
	echo 'options: {nat: true, allow-vbss: true}' >>"$work/nat/site.yaml"
	for other in demo learned onprem room nat; do
		rm -rf "$work/a" "$work/b"
		cp -r "$work/$case/db" "$work/a"
		watch "$work/$case/in.pcap" "$work/$other/site.yaml" "$work/b"
		"$TLMON" rejudge -c "$work/$other/site.yaml" -l "$work/a" --by tester >"$work/said" 2>&1 ||
			{ not_ok "$case under the site of $other is judged again" "$(cat "$work/said")"; bad=1; }
		# What is of no unit of the other site keeps the verdict and the policy that it had.
		apart=$(sqlite3 "$work/a/flows.db" "ATTACH '$work/b/flows.db' AS other;
			CREATE TEMP VIEW mine AS SELECT $facts, $judged FROM main.v_flow WHERE policy =
				(SELECT substr(p.hash, 1, 12) FROM policy_use u JOIN policy p ON p.id = u.policy ORDER BY u.id DESC);
			CREATE TEMP VIEW theirs AS SELECT $facts, $judged FROM other.v_flow;
			SELECT '<', * FROM (SELECT * FROM mine EXCEPT SELECT * FROM theirs);
			SELECT '>', * FROM (SELECT * FROM theirs EXCEPT SELECT * FROM mine);")
		[ -z "$apart" ] || { not_ok "$case rejudged under the site of $other is as watched under it" "$apart"; bad=1; }
		apart=$("$TLMON" whatif -l "$work/a" --flows -o jsonl)
		[ -z "$apart" ] || { not_ok "$case: what was rejudged by $other is in force" "$apart"; bad=1; }
		# Sentences name rows and ports of the new policy: each is one that a watch under it gives too.
		[ "$other" != nat ] || apart=$(sqlite3 "$work/a/flows.db" "ATTACH '$work/b/flows.db' AS other;
			SELECT reason FROM main.v_finding WHERE state = 'open' AND unit IN (SELECT unit FROM other.v_finding)
				EXCEPT SELECT reason FROM other.v_finding WHERE state = 'open'")
		[ -z "$apart" ] || { not_ok "$case: sentences of findings are as under $other" "$apart"; bad=1; }
		flows=$((flows + $(sqlite3 "$work/b/flows.db" 'SELECT count(*) FROM flow')))
	done
done
[ $bad = 1 ] || ok "rejudged is as watched, verdict by verdict ($flows flows under the sites of others)"

# A flip names what flips: what it was and what it becomes read differently, in JSON field by field.
"$TLMON" whatif -c "$work/learned/site.yaml" -l "$work/onprem/db" --flows -o jsonl >"$work/flips"
has 'flows flip' "$(wc -l <"$work/flips")" '^[1-9]'
is '... and nothing flips into what it was' "$(sed -E 's/.*("from_verdict".*),"transport".*/\1/;
	s/"from_rows":(\[[^]]*\]),"rows":\1/same/; /same/!d
	/"from_verdict":([^,]*),"from_grade":([^,]*),"from_kind":([^,]*),"from_severity":([^,]*),"from_why":([^,]*),"from_row":([^,]*),"verdict":\1,"grade":\2,"kind":\3,"severity":\4,"why":\5,"row":\6,/!d' "$work/flips")" ''
is '... a flow that is not documented has no row but the nearest' \
	"$(grep -c '"verdict":"undetermined","grade":null,"kind":null,"severity":null,"why":[^,]*,"row":"' "$work/flips")" 0

# Findings and coverage follow; who did it is on record.
rm -rf "$work/a"
cp -r "$work/demo/db" "$work/a"
"$TLMON" rejudge -e "$work/wide" -l "$work/a" --by tester >/dev/null
is 'findings follow' "$(differ "$work/a" "$work/demo/wide" \
	'unit, kind, severity, row, remote, role, transport, port, application, first, last, flows, kept, bytes' \
	"v_finding WHERE state = 'open'")" ''
is 'coverage follows' "$(differ "$work/a" "$work/demo/wide" '*' v_coverage)" ''
is 'a finding without flows is closed, by whom and why is on record' "$(sqlite3 "$work/a/flows.db" \
	"SELECT c.state, c.by_whom, c.why LIKE 'rejudged under policy %', f.reason, f.flows FROM v_finding_change c
	JOIN v_finding f ON f.id = c.finding WHERE c.by_whom IS NOT NULL AND f.kind = 'local-port' AND f.state = 'closed' LIMIT 1")" \
	'closed|tester|1|rejudged under another policy: no flow is left under it|0'
is 'the policy in use is on record' "$(sqlite3 "$work/a/flows.db" \
	'SELECT count(*), max(by_whom), max(at_us) > 0 FROM policy_use')" '2|tester|1'
is '... its packets are kept' "$(differ "$work/a" "$work/demo/db" 'run, flow, time' v_evidence)" ''
has '... and evidence says whose they were' "$("$TLMON" evidence "$(sqlite3 "$work/a/flows.db" \
	"SELECT id FROM v_finding WHERE kind = 'local-port' AND state = 'closed' LIMIT 1")" -l "$work/a")" \
	'packets of 1 flow; 0 flows are under it now, others were before they were judged again'
is '... and explain advises nothing where it is settled' \
	"$("$TLMON" explain "$(sqlite3 "$work/a/flows.db" "SELECT id FROM v_finding WHERE state = 'closed' LIMIT 1")" -l "$work/a" |
		grep -c 'To settle it')" 0
has 'explain makes no stranger listen at a documented port' "$("$TLMON" explain F1 --settle -l "$work/mirror/db")" \
	'^  Nothing tells that 192\.0\.2\.9 is the server that this row means\. If it is, make it listen at 67; if not, '
"$TLMON" rejudge -e - -l "$work/a" >/dev/null
is 'and back: open findings are as they were' "$(differ "$work/a" "$work/demo/db" \
	'unit, kind, severity, row, flows, kept, bytes' "v_finding WHERE state = 'open'")" ''
is '... coverage too' "$(differ "$work/a" "$work/demo/db" '*' v_coverage)" ''
is '... and packets of each' "$(differ "$work/a" "$work/demo/db" 'run, flow, finding, time' v_evidence)" ''

# A waiver flips no verdict, yet a finding.
rm -rf "$work/a"
cp -r "$work/demo/db" "$work/a"
F=$(sqlite3 "$work/a/flows.db" "SELECT id FROM v_finding WHERE kind = 'direction'")
{
	cat "$work/demo/site.yaml"
	grep -q '^waivers:' "$work/demo/site.yaml" || echo 'waivers:'
	"$TLMON" waive "$F" --owner me --reason known --expires 2027-01-01 -l "$work/a" 2>/dev/null
} >"$work/waived.yaml"
has 'whatif tells what would be waived' "$("$TLMON" whatif -c "$work/waived.yaml" -l "$work/a")" \
	' 0 flip$' "^$F would be waived by me: known \(until 2027-01-01\)$"
has 'rejudge counts it as waived, not as opened' "$("$TLMON" rejudge -c "$work/waived.yaml" -l "$work/a")" \
	'^findings: 0 opened or open again, 1 waived, 0 closed$'
is '... then it is in force' "$("$TLMON" whatif -l "$work/a" | grep -c would)" 0
has '... and whatif tells what would be waived no longer' "$("$TLMON" whatif -c "$work/demo/site.yaml" -l "$work/a")" \
	"^$F would be waived no longer; it is by me: known"
sums=$("$TLMON" whatif -e "$work/wide" -l "$work/demo/db")
is 'the sums of whatif add up' "$(awk '/^  [0-9]+ / { all += $1 } END { print all }' <<<"$sums")" \
	"$(sed -n 's/.*as before, \([0-9]*\) flip$/\1/p' <<<"$sums")"

# Who closes or reopens a finding stands beside its sentence.
sentence=$(sqlite3 "$work/a/flows.db" "SELECT reason FROM v_finding WHERE id = 'F2'")
"$TLMON" close F2 --reason 'port moved' --by ann -l "$work/a" >/dev/null
is 'a finding that is closed keeps its sentence' "$(sqlite3 "$work/a/flows.db" \
	"SELECT state, reason FROM v_finding WHERE id = 'F2'")" "closed|$sentence"
has '... findings say who closed it and why' "$("$TLMON" findings --state closed -l "$work/a")" \
	'^    closed by ann: port moved; '
has '... as fields too' "$("$TLMON" findings --state closed -o jsonl -l "$work/a")" \
	'"changed_by":"ann","changed_why":"port moved","changed_at":"20'
has '... and the incident report' "$("$TLMON" incident --unit huddle --since 2026-03-02 -l "$work/a" | tr -s ' \n' ' ')" \
	'; closed by ann: port moved '
said=$("$TLMON" close F2 --reason y -l "$work/a" 2>&1)
is '... and who would close it again' "$said" 'tlmon: F2 is closed already, by ann: port moved'
"$TLMON" reopen F2 --reason 'it came back' --by bob -l "$work/a" >/dev/null
has 'explain tells of both' "$("$TLMON" explain F2 -l "$work/a")" "^  $(cut -c1-40 <<<"$sentence")" \
	'^  closed by +ann, 20.* local: port moved$' '^  opened by +bob, 20.* local: it came back$'

# What the operator may get wrong.
refused() {
	local name=$1 pattern=$2 code=0
	shift 2
	said=$("$TLMON" "$@" 2>&1 >/dev/null) || code=$?
	is "$name: exit" $code 2
	has "$name: one line that says it" "$(wc -l <<<"$said"): $said" "^1: .*($pattern)"
}
refused 'whatif without a database' 'no flow database there' whatif -l "$work/none"
refused 'whatif with a site file that is none' 'No such file' whatif -c "$work/none.yaml" -l "$work/a"
refused 'whatif of a unit that is none' "no unit 'attic'" whatif --unit attic -l "$work/a"
refused 'rejudge without a database' 'no flow database there' rejudge -l "$work/none"
refused 'rejudge with a word too many' 'all|word' rejudge all -l "$work/a"
refused 'close without a reason' '--reason' close F1 -l "$work/a"
refused 'close of no finding' 'F17' close 17x --reason y -l "$work/a"
refused 'close of one that is not there' 'no finding F9999' close F9999 --reason y -l "$work/a"
refused 'reopen of an open one' 'open already' reopen F2 --reason y -l "$work/a"
refused 'rules diff without envelopes' 'one or two envelopes' rules diff
