#!/bin/bash
# The handshake that Debian's nDPI dies of (DTLS 1.2, a certificate that names a known vendor), given to
# it on purpose: from a file and live it costs an opinion. The flow has its row, so has every later one, what
# happened is on record, and the packet is kept.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

name='a DTLS handshake that nDPI dies of costs an opinion, from a file and live'
command -v openssl >/dev/null || skip_all 'no openssl' "$name"
lab_make "$name"
server=''
lab_end_hook() {
	[ -z "$server" ] || kill -9 "$server" 2>/dev/null
	run_kill
}

# A sanitizer must not end the process in its own way: nDPI's is no fault of ours.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0" UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}handle_segv=0"

unit=(--unit 10.20.0.15 --profile room,online,external)
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj '/O=Fortinet/OU=FortiGate/CN=FortiGate' \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl" || not_ok 'a certificate is made' "$(cat "$work/openssl")"

# The unit is at the far end, the server at ours; what passes is watched and captured at once.
inside $near ip addr add 10.20.0.99/24 dev mirror0
inside $far ip addr add 10.20.0.15/24 dev replay0
run_start live --test ndpi-dtls || not_ok 'a live run begins' "$(cat "$work/live.err")"
watcher=$(role inspector)
inside_exec $near "$B/tools/capture" mirror0 "$work/dtls.pcap" 60 >"$work/capture" {never}<&- &
capture=$!
inside_exec $near openssl s_server -quiet -dtls1_2 -mtu 1400 -accept 10.20.0.99:4433 -cert "$work/cert.pem" \
	-key "$work/key.pem" >"$work/server" 2>&1 </dev/null {never}<&- &
server=$!
within 5 grep -q listening "$work/capture" || not_ok 'the capture begins'
within 5 eval 'inside $near grep -qi "630014[0-9A-F]*:1151\|:1151 " /proc/net/udp' || not_ok 'the server listens'
inside $far timeout 10 openssl s_client -dtls1_2 -connect 10.20.0.99:4433 >"$work/client" 2>&1 < <(pause 0.5)
has 'the handshake is one of DTLS 1.2, and complete' "$(cat "$work/client")" 'DTLSv1.2' 'FortiGate' 'Cipher is [A-Z]+'
within $((5 * SLOW)) eval '[ "$(role inspector)" != "$watcher" ] && role inspector >/dev/null'
is 'live the inspector dies of it, and another one is there' "$?" 0
kill $server
wait $server 2>/dev/null
server=
inside $near ip addr flush dev mirror0
inside $far ip addr flush dev replay0
pause 0.5
lab_send talk
pause 0.5
kill $capture
wait $capture
run_end
is 'the live run ends with 0' "$code" 0

# The premise: without a process of its own for nDPI this is the end.
{ "$TLMON" watch -r "$work/dtls.pcap" "${unit[@]}" -l "$work/premise" --in-process --test ndpi-dtls; } >"$work/out" 2>&1
code=$?
if [ $code = 139 ]; then
	ok 'nDPI in the same process dies of this handshake'
else
	not_ok 'nDPI in the same process dies of this handshake' \
		"IT DOES NOT: ended with $code; all that follows proves nothing" "$(tail -3 "$work/out")"
fi

"$TLMON" watch -r "$work/dtls.pcap" "${unit[@]}" -l "$work/plain" >"$work/out" 2>&1
is 'from the file, without the switch: ends with 0' "$?" 0
"$TLMON" watch -r "$work/dtls.pcap" "${unit[@]}" -l "$work/file" --test ndpi-dtls >"$work/out" 2>&1
is 'from the file: ends with 0' "$?" 0

rows() {
	db "$1" "SELECT transport, local_port, remote, remote_port, application, evidence, outcome, verdict, row, kind
		FROM v_flow WHERE $2 ORDER BY transport, local_port, remote"
}
later="remote <> '10.20.0.99'"
rows plain "$later" >"$work/wanted"
is 'there are ten later flows' "$(wc -l <"$work/wanted")" 10
has '... of some only nDPI knows what they are' "$(cat "$work/wanted")" 'ssh\|inspected' 'ldap\|inspected'
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
hex "$work/dtls.pcap" >"$work/dtls.hex"
for run in file live; do
	has "$run: the DTLS flow has its row" "$(rows $run "remote = '10.20.0.99'")" '^udp\|[0-9]+\|10.20.0.99\|4433\|dtls\|dissector\|'
	is "$run: and only one" "$(rows $run "remote = '10.20.0.99'" | wc -l)" 1
	rows $run "$later" >"$work/seen"
	if cmp -s "$work/wanted" "$work/seen"; then
		ok "$run: every later flow has its row, the same as without the switch"
	else
		not_ok "$run: every later flow has its row, the same as without the switch" "$(diff "$work/wanted" "$work/seen")"
	fi
	has "$run: tlmon blind says inspector-down" "$("$TLMON" blind -l "$work/$run" -o jsonl)" '"cause":"inspector-down"'
	has "$run: ... of what it died of in one process" \
		"$(db $run "SELECT detail FROM v_blind WHERE cause = 'inspector-down'")" SIGSEGV
	evidence=$(db $run "SELECT lower(hex(bytes)) FROM evidence WHERE cause NOT NULL LIMIT 1")
	has "$run: the packet is kept" "$evidence" '^4[0-9a-f]+466f727469476174' # version 4, "FortiGat"
	is "$run: whole, by its own length" "$((16#0${evidence:4:4} * 2))" ${#evidence}
	if [ -n "$evidence" ] && grep -q "0800$evidence" "$work/dtls.hex"; then
		ok "$run: byte for byte as it was on the wire"
	else
		not_ok "$run: byte for byte as it was on the wire" "${evidence:0:200}"
	fi
	is "$run: nothing else is kept" "$(db $run 'SELECT count(*) FROM evidence WHERE cause NOT NULL')" "$(db $run "SELECT sum(count) FROM v_blind WHERE cause = 'inspector-down'")"
done
is 'without the switch DTLS is never shown to nDPI' "$(db plain "SELECT count(*) FROM blind")" 0
