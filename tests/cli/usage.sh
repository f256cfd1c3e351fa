#!/bin/bash
# The command line itself: help that fits a screen, usage errors of one line, answers that a pipe gets
# whole, readers that go away, what a run's filter left out.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

commands='watch check flows findings units coverage blind names status incident suggest whatif evidence explain rules rejudge close reopen db waive doctor'
is 'every command is tried' "$("$TLMON" --help | sed -n '/^  watch/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort | tr '\n' ' ')" "$(tr ' ' '\n' <<<"$commands" | sort | tr '\n' ' ')"
for command in '' $commands; do
	# shellcheck disable=SC2086
	long=$("$TLMON" $command --help | awk 'length > 80')
	is "every line of 'tlmon $command --help' fits 80 columns" "$long" ''
done
for command in $commands; do
	is "'tlmon help $command' is its --help" "$("$TLMON" help $command)" "$("$TLMON" $command --help)"
	code=0
	"$TLMON" $command --nosuch >"$work/out" 2>"$work/err" || code=$?
	is "$command refuses an unknown option in one line" \
		"$code $(cat "$work/out")$(wc -l <"$work/err") $(grep -c "^tlmon: $command: .*--nosuch.*tlmon $command --help" "$work/err")" \
		'2 1 1'
done
causes=$("$TLMON" blind --cause '?' 2>&1 | sed 's/.*accepted: //' | tr -d ',')
for cause in $causes; do
	grep -qE -- "[ ,]$cause(,|$)" <<<"$("$TLMON" blind --help)" || not_ok "blind --help names $cause"
done
has 'blind --help names every cause' "$causes" 'set-aside'
is 'status --help does not promise several databases' "$("$TLMON" status --help | grep -c several)" 0
is '... as findings --help does' "$("$TLMON" findings --help | grep -c 'several: one answer')" 1
has 'a command misspelt is guessed' "$("$TLMON" wacht 2>&1)" 'did you mean watch'

"$B/tools/mkdemo" "$work/demo.pcap"
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/db" >/dev/null 2>&1

# refused NAME PATTERN COMMAND...: exit 2 and one line on stderr
refused() {
	local name=$1 pattern=$2 code=0
	shift 2
	"$TLMON" "$@" >"$work/out" 2>"$work/err" || code=$?
	if [ $code = 2 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ]; then
		has "$name" "$(cat "$work/err")" "$pattern"
	else
		not_ok "$name" "exit $code" "$(cat "$work/out" "$work/err")"
	fi
}
refused 'there is no finding F0' 'no finding F0' explain F0 -l "$work/db"
refused '... nor one to waive' 'no finding F0' waive F0 -l "$work/db" --owner a --reason b --expires 2026-12-31
refused 'there is no flow 0' 'no flow 0' explain 0 -l "$work/db"
refused 'what is nothing to explain is refused' 'F-1.*neither' explain F-1 -l "$work/db"
refused 'lint has one form' 'rules lint.*-o' rules lint -o json
refused 'an empty -l is refused' '-l: an empty value' findings -l ''
refused 'two sites are refused' 'site.yaml, b.yaml' check -r "$work/demo.pcap" -c site.yaml -c b.yaml
refused 'two times are refused' '--since: given twice \(1h, 2h\)' flows -l "$work/db" --since 1h --since 2h

refused 'a word too many is called an argument' "status: 'foo' is an argument, and it takes none" status foo -l "$work/db"
if command -v script >/dev/null; then
	said=$(script -qec "stty cols 80; TZ=UTC '$TLMON' flows -l '$work/db' --since 08:00 --until 08:01" /dev/null </dev/null | tr -d '\r' |
		sed 's/\x1b\[[0-9;]*m//g' | grep -B9 '^ *ID ')
	is 'on a terminal the lines above a table fit it' "$(awk 'length > 80' <<<"$said")" ''
	rm -rf "$work/wide"
	cp -r rules/teamline "$work/wide"
	sed -i '/id: online.out.audio/,/local-ports/s/50000-50019/50000-50063/' "$work/wide/online.yaml"
	for asked in 'evidence F1 F10' 'evidence --died' 'coverage --per-unit' 'flows --count-by peer,hour,unit' \
		"whatif --flows -e '$work/wide'" 'explain F1' 'explain F24' flows findings names; do
		seen=$(script -qec "stty cols 80; NO_COLOR=1 TZ=UTC '$TLMON' $asked -l '$work/db'" /dev/null </dev/null | tr -d '\r' | grep -vE -- ' -l /|^ *ip6? saddr' | LC_ALL=C.UTF-8 wc -L)
		is "tlmon ${asked%% -e *} fits a terminal of 80" "$((seen <= 80))" 1
	done
	seen=$(script -qec "stty cols 80; NO_COLOR=1 '$TLMON' rules list" /dev/null </dev/null | tr -d '\r' | LC_ALL=C.UTF-8 wc -L)
	is 'tlmon rules list fits a terminal of 80' "$((seen <= 80))" 1
	has 'a narrow terminal keeps addresses whole' \
		"$(script -qec "stty cols 80; NO_COLOR=1 TZ=UTC '$TLMON' evidence F1 -l '$work/db'" /dev/null </dev/null)" \
		'10\.20\.0\.15:50063  52\.112\.1\.9:50011'
	is 'a dumb terminal gets no colour' "$(TERM=dumb script -qec "'$TLMON' findings -l '$work/db'" /dev/null </dev/null | grep -c $'\x1b')" 0
	is '... another does' "$(($(TERM=xterm script -qec "'$TLMON' findings -l '$work/db'" /dev/null </dev/null | grep -c $'\x1b') > 0))" 1
	has '... and go on below themselves' "$said" '^window    2026-03-02 08:00:00 \.\. 08:01:00 local,' '^          2026-03-02T08:01:00Z$|^          [^ ]+Z .*2026-03-02T08:01:00Z$'
fi
is 'a zone that is none is named once' \
	"$(TZ=Mars/Base "$TLMON" flows -l "$work/db" 2>&1 >/dev/null)" 'tlmon: TZ=Mars/Base is no time zone that this host knows: local times are UTC'
is '... one that is spelt out is one' "$(TZ=CET-1CEST,M3.5.0,M10.5.0/3 "$TLMON" flows -l "$work/db" 2>&1 >/dev/null)" ''
has 'a pipe gets tables whole' "$(COLUMNS=40 "$TLMON" findings -l "$work/db")" 'touch\.in\.control +touch-controller '
is '... without dots' "$("$TLMON" flows -l "$work/db" | grep -c '…')" 0
has '22:00 to 06:00 is last night' "$(TZ=UTC "$TLMON" flows -l "$work/db" --since 22:00 --until 06:00 2>/dev/null)" \
	'^window +2026-03-01 22:00:00 \.\. 2026-03-02 06:00:00 local'
refused '... but nothing else turns round' 'until 07:00 is before --since 08:00' flows -l "$work/db" --since 08:00 --until 07:00
refused 'of two that count back the longer comes first' 'both count back: swap them' flows -l "$work/db" --since 1h --until 2h
has 'an open window says so' "$("$TLMON" flows -l "$work/db" --since 08:01)" '^window .* to the end$'

# A site with a waiver: the finding is open and says so in one word.
{
	cat tests/demo/site.yaml
	echo waivers:
	"$TLMON" waive F1 -l "$work/db" --owner netops --reason 'until the update' --expires 2026-12-31 2>/dev/null
} >"$work/waived.yaml"
"$TLMON" watch -r "$work/demo.pcap" -c "$work/waived.yaml" -l "$work/waived" >/dev/null 2>&1
states=$("$TLMON" findings -l "$work/waived" --state waived -o jsonl | grep -o '"state":"[a-z]*"' | sort -u)
is 'the state of a waived finding is waived' "$states" '"state":"waived"'
if command -v sqlite3 >/dev/null; then
	is '... in v_finding too' "$(sqlite3 "$work/waived/flows.db" \
		"SELECT DISTINCT state FROM v_finding WHERE waiver IS NOT NULL")" waived
fi

# Who are the units?
said=$(cd "$work" && "$TLMON" watch -r demo.pcap -l 'a place' 'udp or tcp' 2>/dev/null)
has 'a unit with three addresses is one candidate' "$said" '00:26:8c:01:02:03 +10\.20\.0\.15, 2001:db8:20::15, fe80'
line=$(sed -n 's/^  tlmon watch /watch /p' <<<"$said")
(cd "$work" && eval "\"$TLMON\" $line" >out 2>err)
has 'the line to go on with works as it stands' "$(cat "$work/out" "$work/err")" "^3 units" "findings -l 'a place'$"
[ -e "$work/a place/flows.db" ] && ok '... into the folder that was asked for' ||
	not_ok '... into the folder that was asked for' "$line"
has 'the filter of a run heads the answers' "$("$TLMON" flows -l "$work/a place")" \
	"1 run, only what 'udp or tcp' lets through"
has '... of findings too' "$("$TLMON" findings -l "$work/a place")" "only what 'udp or tcp' lets through"

# Whoever has read enough is no error worth a word.
for command in "watch -r $work/demo.pcap -c tests/demo/site.yaml -l $work/again" "flows -l $work/db" \
	"findings -l $work/db" "explain F1 -l $work/db" '--help' 'rules list'; do
	# shellcheck disable=SC2086
	{ "$TLMON" $command 2>"$work/err"; echo $? >"$work/code"; } | :
	is "'$command' to nobody ends well" "$(cat "$work/code" "$work/err")" 0
done
"$TLMON" flows -l "$work/db" >/dev/full 2>"$work/err"
is 'a full disk is an error' "$? $(grep -c '^tlmon: the answer could not be written' "$work/err")" '2 1'
