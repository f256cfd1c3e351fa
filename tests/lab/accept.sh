#!/bin/bash
# `tlmon check -i` beside a unit that is exercised: a unit, a router with a firewall, a world behind it, and a mirror of
# the unit's port (lab/network.sh). What the network swallows, forbids and refuses stands against its row; a mirror
# that shows one direction proves none of it; a run in which everything works ends by itself.
set -u
here=$PWD/tests/lab/lab
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh
# shellcheck source=tests/lab/lab/network.sh
. "$here/network.sh"
PATH=$PATH:/usr/sbin:/sbin

# A smaller office: the unit `boardroom`, `desk`, the router, and these addresses of the world.
units=(boardroom) hosts=(router world desk boardroom)
unit=${ip4[boardroom]} dropped=203.0.113.20 forbidden=10.20.5.53 closed=10.20.5.30 answers=10.20.5.54
world=($dropped $forbidden $closed $answers) world6=(2001:db8:5::53)

firewall() {
	cat <<-END
		table inet lab {
			chain gate {
				type filter hook forward priority 0; policy accept;
				ip daddr $dropped drop
				ip daddr $forbidden udp dport 53 reject with icmp type admin-prohibited
			}
		}
	END
}

names=('what is dropped, forbidden and refused stands against its row' 'a mirror of one direction proves none of it'
	'a run in which all works ends by itself' 'ctrl-C ends a run with its whole report')
for tool in tc nft unshare socat dnsmasq timeout; do
	command -v $tool >/dev/null || skip_all "no $tool (make lab-deps)" "${names[@]}"
done
lab_end_hook() {
	run_kill
	network_unmake 2>/dev/null
}
lab_make "${names[@]}"
network_make 2>"$work/why" || skip_all "the network cannot be made: $(cat "$work/why")" "${names[@]}"

cat >"$work/site.yaml" <<END
site: Lab
units:
  - {name: boardroom, addresses: [$unit], profiles: [room, onprem]}
subnets: [10.20.0.0/24]
roles:
  dns-server: {addresses: [$forbidden]}
  maestro:    {addresses: [$dropped]}
  front-end:  {addresses: [$closed]}
waivers:
  - {units: [boardroom], remote: $answers, transport: udp, remote-ports: [53], owner: netops, reason: the old resolver,
     expires: 2099-12-31}
END

# An envelope of two rows, so that all of it can be exercised.
mkdir "$work/tiny"
cat >"$work/tiny/roles.yaml" <<END
profiles: [tiny]
roles:
  dns-server: {meaning: the resolver}
  any: {meaning: anybody, anyone: true}
END
cat >"$work/tiny/tiny.yaml" <<END
profile: tiny
title: Two rows
rows:
  - {id: tiny.out.dns, document: 1, direction: [out], transport: [udp], local-ports: [1024-65535], remote-ports: [53],
     peer: [dns-server], application: [dns], need: required, exercise: look up a name}
  - {id: tiny.in.web, document: 2, direction: [in], transport: [tcp], local-ports: [80], remote-ports: [1024-65535],
     peer: [any], application: [http], need: required, exercise: open the page of the unit}
END
cat >"$work/tiny.site.yaml" <<END
site: Tiny
units:
  - {name: boardroom, addresses: [$unit], profiles: [tiny]}
roles:
  dns-server: {addresses: [$answers]}
END

serve boardroom page socat "TCP-LISTEN:80,bind=$unit,fork,reuseaddr" \
	'SYSTEM:read -r line; printf "HTTP/1.0 200 OK\r\nContent-Length\: 2\r\n\r\nok"'
serve world names dnsmasq --no-daemon --no-resolv --no-hosts --bind-interfaces --user=root --group=root \
	--listen-address=$answers --pid-file="$work/names.pid" --host-record=here.example,$answers
listens() { inside "$(ns "$1")" ss -Hln$([ "$2" = tcp ] && echo t || echo u) "src $3" | grep -q .; }
if ! { within 10 listens boardroom tcp $unit:80 && within 10 listens world udp $answers:53; }; then
	not_ok 'the servers of the lab listen' "$(cat "$work/page.log" "$work/names.log")"
	exit
fi

# ------------------------------------------------------------------ actions

# Somebody asks the unit for its page: it talks with somebody both ways.
page_asked() { on world bash -c "exec 3<>/dev/tcp/$unit/80 && printf 'GET / HTTP/1.0\r\nHost: unit\r\n\r\n' >&3 && timeout 2 cat <&3" >/dev/null 2>&1; }
# A connection is tried for five seconds: with one retry after one second, and another after three.
connect() { on boardroom timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }
# One question for here.example, over UDP.
name_asked() { on boardroom bash -c "exec 3<>/dev/udp/$1/53 && printf '\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04here\x07example\x00\x00\x01\x00\x01' >&3 && timeout 1 head -c 1 <&3" >/dev/null 2>&1; }

# check_start NAME ARG...: `tlmon check` on the mirror, until it reads packets; sets $pid
check_reads() {
	local one
	for one in sensor inspector recorder; do role_set one $one || return 1; done
	[ "$(inside $near awk 'NR > 1' /proc/net/packet | wc -l)" -gt 0 ]
}
check_start() {
	local name=$1
	shift
	inside_exec $near "$TLMON" check -i mirror0 "$@" >"$work/$name.out" 2>"$work/$name.err" {never}<&- &
	pid=$!
	within $((10 * SLOW)) check_reads
}

# What cannot work, at once; the unit talks with somebody before.
try_all() {
	page_asked
	connect $dropped 443 &
	local waits=$!
	name_asked $forbidden
	name_asked $answers
	connect $closed 5061
	wait $waits 2>/dev/null
}

# of NAME ROW: what was said of the row while it ran
of() { sed -nE "s/^..:..:.. +boardroom +$2 +(.*)/\1/p" "$work/$1.err"; }
is_plain() { ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$work/$1.out" "$work/$1.err"; }

# -------------------------------------------------------------------- shows

begun=$(now_ms)
# The connection that is dropped is tried shortly before the time is over: it is waited for.
check_start blocked -c "$work/site.yaml" --for $((4 * SLOW))s
pause 1.5
try_all &
tries=$!
run_wait $((20 * SLOW))
wait $tries 2>/dev/null
is "${names[0]}: not accepted" "$code" 1
has '... a connection that the firewall drops is blocked, silently' "$(of blocked room.out.maestro)" "^blocked, silently dropped"
has '... a question that the router turns down is blocked, and the router is named' "$(of blocked room.out.dns)" "^blocked, ${ip4[router]} forbids it"
has '... a closed port is refused' "$(of blocked onprem.out.sip)" '^blocked, refused'
has '... and the report names the rows and the router' "$(cat "$work/blocked.out")" 'room\.out\.maestro.*BLOCKED|BLOCKED.*room\.out\.maestro|blocked-silent' "${ip4[router]}"
has '... a finding is told with its severity and sentence, or as waived' "$(cat "$work/blocked.err")" \
	'boardroom +medium +blocked-prohibited: UDP dns from local port [0-9]+ to 10.20.5.53:53: documented by room.out.dns' \
	'boardroom +waived +peer: UDP dns'
has '... what works is ok' "$(of blocked room.in.control_api)" '^ok \(exact|^ok \(wide|^ok \(unproven'
if is_plain blocked; then ok 'into a file nothing steers a terminal'; else not_ok 'into a file nothing steers a terminal' "$(cat -v "$work/blocked.err" "$work/blocked.out")"; fi

inside $far tc filter del dev boardroom egress
inside $near timeout $((30 * SLOW)) "$TLMON" doctor -i mirror0 --for $((5 * SLOW))s -c "$work/site.yaml" >"$work/doctor.out" 2>&1 &
doctor=$!
check_start one-sided -c "$work/site.yaml" --for $((4 * SLOW))s
pause $SLOW
try_all &
tries=$!
run_wait $((20 * SLOW))
wait $tries 2>/dev/null
fit=0
wait $doctor || fit=$?
is "${names[1]}: undetermined" "$code" 3
is '... no row is called blocked' "$(grep -ciE 'blocked, |blocked-|refused' "$work/one-sided.err")" 0
has '... the run says that one direction is shown' "$(cat "$work/one-sided.err")" 'one-sided +the mirror showed one direction'
has '... the report as the reason' "$(tr '\n' ' ' <"$work/one-sided.out" | tr -s ' ')" 'room.out.maestro was tried, and nobody can say that it works, for the mirror showed one direction'
is '... the doctor calls the mirror unfit' "$fit" 1
has '... and says why' "$(cat "$work/doctor.out")" '^directions +bad +boardroom +[0-9]+ packets from it, none to it'
inside $far tc filter add dev boardroom egress protocol all prio 1 u32 match u32 0 0 action mirred egress mirror dev replay0

check_start works -e "$work/tiny" -c "$work/tiny.site.yaml" --for 60s
page_asked
name_asked $answers
run_wait $((30 * SLOW))
is "${names[2]}: accepted" "$code" 0
has '... its rows turned as they were exercised' "$(cat "$work/works.err")" 'boardroom +tiny.out.dns +ok \(exact\)' 'boardroom +tiny.in.web +ok' 'all is decided: 2 of 2 required rows'
is "... long before its time" "$((took < 30000 * SLOW))" 1

check_start ended -c "$work/site.yaml"
page_asked
pause 0.5
kill -INT $pid
run_wait $((10 * SLOW))
is "${names[3]}: undetermined" "$code" 3
has '... with every row and why' "$(cat "$work/ended.out")" 'room\.out\.dns' 'room\.out\.maestro' 'UNDETERMINED'
has '... and it said what it waits for' "$(cat "$work/ended.err")" 'ends when all of them are decided, or by ctrl-C' 'ended after'
# On a terminal, where ctrl-C goes to every process of the run: pressed when the row has turned and the line under it
# counts it, and the terminal stays until the run has ended. The run takes the shell's place: a shell that waits for it
# (dash) would die of the key itself. terminal_run NAME [VARIABLE=VALUE]
typed() { [ -f "$work/$1.typescript" ] && tr -d '\r' <"$work/$1.typescript" | grep -qE "$2"; }
turned() {
	page_asked
	pause 0.5
	typed "$1" 'tiny\.in\.web'
}
terminal_run() {
	local name=$1
	shift
	{
		within $((10 * SLOW)) typed "$name" 'or by ctrl-C'
		within $((10 * SLOW)) turned "$name"
		pause 1.5
		printf '\003'
		within $((10 * SLOW)) typed "$name" COMMAND_EXIT_CODE
	} | inside $near env "$@" TERM=xterm timeout $((60 * SLOW)) script -qefc \
		"exec '$TLMON' check -i mirror0 -e '$work/tiny' -c '$work/tiny.site.yaml'" "$work/$name.typescript" >/dev/null 2>&1
	grep -oE 'COMMAND_EXIT_CODE="[0-9]+"' "$work/$name.typescript"
}
if ! command -v script >/dev/null; then
	skip 'on a terminal a line shows how far it is' 'skipped: no script'
else
	is 'on a terminal ctrl-C ends it with its report' "$(terminal_run terminal)" 'COMMAND_EXIT_CODE="3"'
	has '... a line shows how far it is' "$(tr '\r' '\n' <"$work/terminal.typescript")" '^0:[0-9][0-9]  1 of 2 required rows  [0-9]+ packets'
	has '... what turns is in colour' "$(cat -v "$work/terminal.typescript")" 'tiny.in.web +\^\[\[32mok'
	terminal_run plain NO_COLOR=1 >/dev/null
	is '... with NO_COLOR there is neither' "$(tr -d '\r' <"$work/plain.typescript" | LC_ALL=C grep -cP '\x1b|of 2 required rows  ')" 0
	has '... but all the rest' "$(tr -d '\r' <"$work/plain.typescript")" 'tiny.in.web +ok' 'ended after' UNDETERMINED
fi
echo "# $(($(now_ms) - begun)) ms"
