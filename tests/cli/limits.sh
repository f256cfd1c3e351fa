#!/bin/bash
# The limits of the flow table: what is set holds, what no longer fits is counted and said.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
watch() { "$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/$1" "${@:2}" 2>&1; }
rows() { "$TLMON" flows -l "$work/$1" -o jsonl | wc -l; }

watch whole >/dev/null
said=$(watch small --flows 16)
has 'a table too small says how many flows ended early' "$said" 'the flow table was full: [0-9]+ flows ended early'
# One that nobody answers may end between two tries, and then has two rows.
conversations() {
	sqlite3 -readonly "$work/$1/flows.db" \
		'SELECT DISTINCT unit, transport, local, local_port, remote, remote_port FROM v_flow ORDER BY 1, 2, 3, 4, 5, 6'
}
is '... and every conversation is there all the same' "$(conversations small)" "$(conversations whole)"

watch hasty --idle udp=300ms,tcp-open=1h >/dev/null
if [ "$(rows hasty)" -gt "$(rows whole)" ]; then
	ok 'a shorter silence ends flows earlier'
else
	not_ok 'a shorter silence ends flows earlier' "$(rows hasty) rows"
fi

for words in '--idle upd=3s' '--idle udp' '--idle udp=3x' '--idle udp=0s' '--flows 3' '--flows many'; do
	# shellcheck disable=SC2086 # an option and its value
	said=$(watch none $words)
	is "$words is refused" $? 2
	has '... and names the value and what is accepted' "$said" "${words#* }" 'wanted|as 500ms'
	[ ! -e "$work/none" ] || not_ok "$words leaves nothing behind"
done
