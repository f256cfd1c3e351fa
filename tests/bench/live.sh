#!/bin/bash
# The program live on a veth pair under load: tests/bench/live.sh [SECONDS]. trafgen sends media (300 flows, packets of 300
# bytes) and then a flood in which every packet is a new flow to one unit, as fast as it can (PACE=n: n packets a second, which of
# one core it keeps up to some 350,000), 400,000 packets for each of SECONDS; it must reach that rate, and no packet may be dropped. Ends 1 and
# names what misses; without root or trafgen it says why it is skipped. LOADS chooses among media, new.
set -u
seconds=${1:-10} pace=${PACE:-0} loads=${LOADS:-media new}
bar=400000 # packets a second
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh
. tests/bench/measure.sh
result=build/bench/live.tsv # only what is whole stands in the README
[ "$loads $pace" != 'media new 0' ] || [ "$seconds" -lt 10 ] || result=tests/bench/LIVE.tsv
result=${RESULT:-$result}

skip() { echo "bench-live: $2"; } # of lab_make
command -v trafgen >/dev/null || skip_all 'no trafgen: make bench-deps' live
lab_make live
# Whatever else runs here must not take the cores from sender and program. Where the kernel shares time out by
# sessions (sched(7), autogroup), that of this one counts. The sender goes before the program: a mirror waits for nobody.
session_nice=$(sed 's/.*nice //' /proc/self/autogroup 2>/dev/null)
[ -z "$session_nice" ] || echo -19 2>/dev/null >/proc/self/autogroup
lab_end_hook() {
	run_kill
	[ -z "$session_nice" ] || echo "$session_nice" 2>/dev/null >/proc/self/autogroup
}
inside $far ip addr add 192.0.2.1/24 dev replay0 # trafgen asks for one; it sends none

# Both write a configuration of trafgen. Addresses are those of the sites of the same names (tests/bench/site).
load_media() {
	awk -v size=300 'BEGIN {
		for (i = 0; i < 300; i++) {
			video = i % 3 == 2
			room = int(i / 3)
			printf "{ eth(da=02:40:0a:40:00:%02x, sa=00:00:5e:00:01:01), ", room + 1
			printf "ipv4(sa=10.64.0.%d, da=52.112.%d.%d, ttl=64), ", room + 1, 1 + room % 9, 1 + room
			printf "udp(sp=%d, dp=%d), ", video ? 50020 : 50000 + 2 * (i % 3), 50100 + 7 * i
			# RTP: version 2, the type, a number that rises, time, source; noise
			printf "0x80, %d, c8(%d), dinc(0, 255), c32(%d), c32(%d), ", video ? 122 : 104, i % 256, i * 7919, 1358954496 + i
			printf "rnd(%d) }\n", size - 14 - 20 - 8 - 12
		}
	}'
}
load_new() {
	echo '{ eth(da=02:40:0a:40:00:0f, sa=00:00:5e:00:01:01),
	  ipv4(sa=dinc(0x14000001, 0x17fffffe, 1), da=10.64.0.15, ttl=64),
	  udp(sp=dinc(1024, 65535, 7), dp=5000), fill(0xb1, 58) }'
}
declare -A site=([media]=media [new]=flood)
declare -A title=([media]="media, 300 flows, 300 bytes a packet" [new]="every packet a new flow, to one unit")

# Sets $cpu_ms: CPU of all that this shell has waited for.
cpu_of_children() {
	times >"$work/times" # in $(...) they would be another shell's
	cpu_ms=$(awk -F '[ms ]+' 'NR == 2 { printf "%d", ($1 * 60 + $2 + $3 * 60 + $4) * 1000 }' "$work/times")
}

# run LOAD: one line of figures, tab-separated, in $work/line
run() {
	local load=$1 before sent began lasted ticks figures
	local count=$((pace * seconds)) pacing=(-b "${pace}pps")

	[ "$pace" != 0 ] || count=$((bar * seconds)) pacing=()
	"load_$load" >"$work/$load.cfg"
	run_units=(-c "tests/bench/site/${site[$load]}.yaml")
	run_start "$load" || stop "tlmon does not run: $(cat "$work/$load.err")"
	before=$(lab_received) began=$(now_ms)
	inside $far nice -n -5 trafgen --no-sock-mem -P 1 -q -o replay0 -i "$work/$load.cfg" -n $count "${pacing[@]}" \
		>"$work/trafgen" 2>&1 || stop "trafgen ended with $?: $(tail -3 "$work/trafgen")"
	lasted=$(($(now_ms) - began))
	pause 2
	sent=$(($(lab_received) - before))
	cpu_of_children
	ticks=$cpu_ms
	kill -TERM $pid
	run_wait 600
	cpu_of_children
	[ "$code" = 0 ] || stop "tlmon ended with $code: $(tail -3 "$work/$load.err")"
	figures=$(db "$load" -separator $'\t' 'SELECT seen, kernel_dropped + interface_dropped, flows, inspected, inspect_shed, told_shed, evicted FROM run')
	printf '%s\t%s\t%s\t%s\t%s\n' "$load" "$sent" "$((sent * 1000 / lasted))" "$figures" \
		"$(awk "BEGIN { printf \"%.2f\", ($cpu_ms - $ticks) * 1e3 / $sent }")" >"$work/line"
	rm -rf "${work:?}/$load"
}

mkdir -p "$(dirname "$result")"
{
	machine
	printf '# sender\ttrafgen %s, %s\n' "$(dpkg-query -W -f '${Version}' netsniff-ng 2>/dev/null)" \
		"$([ "$pace" = 0 ] && echo "$((bar * seconds)) packets as fast as it can" || echo "$pace packets a second for $seconds s")"
	printf 'load\tsent\ta_second\tseen\tdropped\tflows\tinspected\tinspections_shed\tnames_shed\tflows_ended_early\tcpu_us_a_packet\n'
} >"$result"
sed -n 's/^# \([a-z]*\)\t/\1: /p' "$result"
echo "note: sender, veth pair and tlmon share these $(nproc) cores; CPU is that of tlmon alone;"
echo "      this session goes before others on the machine, and in it the sender before tlmon"
missed=()
for load in $loads; do
	run "$load"
	cat "$work/line" >>"$result"
	IFS=$'\t' read -r _ sent rate seen dropped flows inspected shed names early cpu <"$work/line"
	printf '\n%s\n' "${title[$load]}"
	printf '  %-34s %12s   %s\n' sent "$sent" '' 'a second' "$rate" "at least $bar" 'seen by tlmon' "$seen" 'all that were not dropped' \
		'dropped by kernel and interface' "$dropped" 'limit: 0' flows "$flows" '' 'packets given to nDPI' "$inspected" '' \
		'inspections shed, counted' "$shed" '' 'names shed, counted' "$names" '' 'flows ended early, table full' "$early" '' \
		'CPU a packet, us' "$cpu" ''
	[ "$dropped" = 0 ] || missed+=("$load: $dropped of $sent packets were dropped")
	[ $((seen + dropped)) -ge "$sent" ] || missed+=("$load: $((sent - seen - dropped)) packets were lost without being counted")
	[ "$rate" -ge "$bar" ] || missed+=("$load: the sender reached $rate packets a second, so that $bar remain unproven")
done
[ "$result" != tests/bench/LIVE.tsv ] || tests/bench/readme.sh
[ ${#missed[@]} = 0 ] && exit 0
printf '\nMISSED:\n'
printf '  %s\n' "${missed[@]}"
exit 1
