#!/bin/bash
# Live on a veth pair in network namespaces of its own: replaying the demo capture at its own pace gives
# the verdicts and rows of reading the file (silence is judged after 3 s, so the pace must be real).
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh

name='live on a veth pair the demo is judged as from the file'
command -v tcpreplay >/dev/null || skip_all 'no tcpreplay' "$name"
pid=
lab_end_hook() { [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; }
lab_make "$name"

set -e
"$B/tools/mkdemo" "$work/demo.pcap"
"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/file" >/dev/null 2>&1
# Its reader goes after one line: the run must not.
nsenter --net="/run/netns/$near" "$TLMON" watch -i mirror0 -c tests/demo/site.yaml -l "$work/live" > >(head -1 >"$work/out") 2>"$work/err" &
pid=$!
for _ in $(seq 50); do
	[ ! -e "$work/live/flows.db" ] || break
	sleep 0.1
done
sleep 1
inside $far timeout 120 tcpreplay -q --timer=nano -i replay0 "$work/demo.pcap" >"$work/replay" 2>&1
sleep 2
ranks=$(ps --ppid $pid -o ni=,args= |
	sed -nE 's/^ *(-?[0-9]+) tlmon: (sensor|inspector|recorder) .*/\2 \1/p' | sort | xargs)
kill -INT $pid
code=0
wait $pid || code=$?
pid=
set +e
is 'the live run ends with 0 on INT' $code 0
is "... though its reader went after one line" "$(wc -l <"$work/out") $(grep -c written "$work/err")" "1 0"

own=$(nice) # a run begun nice is so as a whole
is 'only the inspector gives way where CPU is short' "$ranks" \
	"inspector $((own + 10 < 19 ? own + 10 : 19)) recorder $own sensor $own"

# What must agree, in an order of its own: numbers and times differ.
facts() {
	"$TLMON" flows -l "$1" -o jsonl | sed -nE \
		's/.*"local":("[^"]*"|null),"local_port":([^,]*),.*"remote":("[^"]*"|null),"remote_port":([^,]*),.*"verdict":("[^"]*"|null),.*"row":("[^"]*"|null),.*"kind":("[^"]*"|null).*/\1 \2 \3 \4 \5 \6 \7/p' |
		sort
}
facts "$work/file" >"$work/file.facts"
facts "$work/live" >"$work/live.facts"
if [ "$(wc -l <"$work/file.facts")" -lt 60 ]; then
	not_ok "$name" "only $(wc -l <"$work/file.facts") flows in the file" "$(head -3 "$work/file.facts")"
elif diff "$work/file.facts" "$work/live.facts" >"$work/diff"; then
	ok "$name"
else
	not_ok "$name" "$(cat "$work/diff" "$work/err" "$work/replay" | head -60)"
fi
