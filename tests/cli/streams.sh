#!/bin/bash
# Streams that are closed, and inputs that are no files: a sentence says what is wrong, whatever process met it.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
site=(-c tests/demo/site.yaml)

for input in /dev/null -; do
	"$TLMON" check -r $input "${site[@]}" </dev/null >"$work/out" 2>"$work/err"
	is "$input is no capture: ends with 2" $? 2
	has "$input is no capture: it says so" "$(cat "$work/err")" 'not a capture file|holds no packet'
done
"$TLMON" check -r /dev/zero "${site[@]}" >"$work/out" 2>"$work/err"
is '/dev/zero is no capture: ends with 2' $? 2
has '/dev/zero is no capture: it says so' "$(cat "$work/err")" 'not a capture file'

"$TLMON" check -r "$work/demo.pcap" "${site[@]}" 2>"$work/err" >&-
is 'without standard output check cannot answer: ends with 2' $? 2
has '... and says that nothing could be written' "$(cat "$work/err")" 'written'
"$TLMON" watch -r "$work/demo.pcap" "${site[@]}" -l "$work/db" 2>"$work/err" >&- <&-
is 'without input and output watch records all the same' \
	"$(sqlite3 "$work/db/flows.db" 'SELECT count(*) FROM flow')" 88
"$TLMON" watch -r "$work/demo.pcap" "${site[@]}" -l "$work/quiet" >/dev/null 2>&-
is 'without standard error watch records too' "$? $(sqlite3 "$work/quiet/flows.db" 'SELECT count(*) FROM flow')" '0 88'

cat "$work/demo.pcap" | "$TLMON" watch -r - "${site[@]}" -l "$work/pipe" >/dev/null 2>"$work/err"
is 'a pipe is read' "$(sqlite3 "$work/pipe/flows.db" 'SELECT count(*) FROM flow')" 88
"$TLMON" watch -r <(cat "$work/demo.pcap") "${site[@]}" -l "$work/fd" >/dev/null 2>"$work/err"
is 'a pipe by its name is read' "$(sqlite3 "$work/fd/flows.db" 'SELECT count(*) FROM flow')" 88

"$TLMON" watch -r "$work/demo.pcap" "${site[@]}" -l "$work/again" host 192.0.2.99 >/dev/null 2>&1
"$TLMON" watch -r "$work/demo.pcap" "${site[@]}" -l "$work/again" >/dev/null 2>"$work/err"
is 'a file of which a filter let nothing pass can be read' $? 0

# USR1 asks how it goes; it ends nothing, in one process or in many.
for how in --in-process --snaplen=65535; do
	mkfifo "$work/fifo"
	"$TLMON" watch -r "$work/fifo" "${site[@]}" -l "$work/usr1$how" $how >/dev/null 2>"$work/err" &
	pid=$!
	exec 9>"$work/fifo"
	cat "$work/demo.pcap" >&9
	sleep 1
	kill -USR1 $pid
	sleep 0.5
	exec 9>&-
	wait $pid
	is "$how: USR1 ends nothing" $? 0
	has "$how: ... and says how it goes" "$(cat "$work/err")" 'at 2026.*packets'
	rm "$work/fifo"
done
