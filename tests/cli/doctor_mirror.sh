#!/bin/bash
# Is a mirror fit to judge by? Captures of one office as mirrors give them that are set up wrongly (tests/tools/mkmirror.c):
# each must be named, with a remedy, and nothing else may be.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

cat >"$work/site.yaml" <<'END'
site: Mirrored office
units:
  - {name: boardroom, addresses: [10.20.0.15], macs: ["00:26:8c:01:02:03"], profiles: [room, online]}
  - {name: huddle, addresses: [10.20.0.16], macs: ["00:26:8c:04:05:06"], profiles: [room, online]}
roles:
  dns-server:  {addresses: [10.20.0.53]}
  dhcp-server: {addresses: [10.20.0.1]}
END

# look CASE [OPTION...]: sets $said and $code; the site is that of above, unless options say whose
look() {
	local name=$1
	shift
	[ $# -gt 0 ] || set -- -c "$work/site.yaml"
	"$B/tools/mkmirror" "$name" "$work/$name.pcap" || not_ok "a capture of $name"
	code=0
	said=$("$TLMON" doctor -r "$work/$name.pcap" "$@" 2>"$work/err") || code=$?
}
# wrong: check, state and whose of each row that is not fine; roles and names follow from what is missing
wrong() { grep -E '^[a-z0-9-]+ +(warn|bad) ' <<<"$said" | grep -vE '^(roles|names) ' | awk '{ print $1, $2 ($3 ~ /^(boardroom|huddle|[a-z-]+\.pcap)$/ ? " " $3 : "") }' | paste -sd, | sed 's/,/, /g'; }
# named CASE CODE WRONG PATTERN...: the patterns are somewhere in what is said
named() {
	local case=$1 exit=$2 what=$3
	shift 3
	look "$case"
	is "$case: exit and what is wrong" "$code: $(wrong)" "$exit: $what"
	[ $# = 0 ] || has "$case: figures and remedy" "$said" "$@"
}

named fit 0 '' '^fit to judge 2 units by' '^mirror +ok +542 packets, 6 hosts$' '^directions +ok +one way: 0 of 16 ' '^units +ok +2 of 2 seen$' \
	'^translation +ok +none: 2 of 2 with full TTL$' '^drops +unknown +a file does not say$' '^roles +ok +4 of 5 were seen$'
is 'a fit mirror: every check has its say' "$(awk 'NR > 1 && $1 ~ /^[a-z0-9-]+$/ && $2 ~ /^(ok|unknown|warn|bad)$/ { print $1 }' <<<"$said" | sort -u | paste -sd' ')" \
	'checksums clock directions drops duplicates ipv6 load mac-shared mirror names offload roles silence translation truncation tunnels units vlan'
again=$said
look fit
is 'the same capture, the same words' "$said" "$again"
is '... in one process too' "$("$TLMON" doctor --in-process -r "$work/fit.pcap" -c "$work/site.yaml")" "$again"

# Directions
named from-units 1 'directions bad boardroom, directions bad huddle' '^directions +bad +boardroom +140 packets from it, none to it$' \
	"must copy both directions of the unit's port" '^not fit: directions of boardroom: .*; and 1 more$'
named to-units 1 'directions bad boardroom, directions bad huddle, units bad boardroom, units bad huddle' \
	'^directions +bad +boardroom +127 packets to it, none from it$' '^units +bad +huddle +silent; 127 packets came for it$'
code=0
said=$("$TLMON" doctor -r "$work/from-units.pcap" -r "$work/to-units.pcap" -c "$work/site.yaml") || code=$?
has 'a direction in each of two files: exit 1, and how to put them together' "$code $said" '^1 ' '^directions +bad +boardroom +one way: 13 of 13 \(100 %\) flows' \
	'^clock +bad +to-units.pcap +of one time with from-units.pcap' 'mergecap -w both.pcap from-units.pcap to-units.pcap'

# What is not there
named broadcast 1 'mirror bad' 'broadcast and multicast alone' 'set up a SPAN session with this port as its destination'
has '... says so in its first line, and asks nothing else' "$(sed -n 2p <<<"$said") $(wc -l <<<"$said")" '^mirror +bad .* 4$'
named empty 1 'mirror bad' '^mirror +bad +no packet at all$' '^not fit: mirror: no packet at all$'
named without-huddle 1 'units bad huddle' '^units +bad +huddle +no packet of it, nor for it$' 'is it on, and its port a source of the session' '^not fit: units of huddle'
look fit --unit 10.20.0.15 --unit 10.77.0.0/24 --profile room
has 'an entry for many hosts of which none is there is missing too' "$code $said" '^1 ' '^units +bad +10.77.0.0/24 +no host of this entry was seen$'
has 'a unit on no list is a stranger' "$said" '^units +warn +10.20.0.16 +looks like a unit, on no list$' "by the maker's MAC: list it \(00:26:8c:04:05:06\)"
look one-mac -c <(echo 'units: [{name: boardroom, macs: ["00:00:5e:00:01:01"], profiles: [room]}]')
has 'two units behind one MAC, which a site takes for a unit: exit 1' "$code $said" '^1 ' '^mac-shared +bad +boardroom +its MAC stands before many addresses$' "list the unit's address instead"

# What becomes of packets
named twice 0 'duplicates warn' '542 of 1084 \(50.0 %\) packets' 'shown where they come in and where they go out'
named routed-twice 0 'duplicates warn' '542 of 1084 \(50.0 %\) packets' 'shown before and behind a router'
named cut 1 'truncation bad cut.pcap' '^truncation +bad +cut.pcap +cut at 96 bytes: 322 of 542 \(59.4 %\)$' 'a snap length of 1600 at least'
named half-tagged 0 'vlan warn' '^vlan +warn +untagged, VLAN 20$' '254 packets are tagged otherwise, or not at all' "encapsulation replicate"
named erspan 0 '' '^tunnels +ok +opened: ERSPAN$' '^vlan +ok +VLAN 321$' '^units +ok +2 of 2 seen$'
named nested 1 'tunnels bad, units bad boardroom, units bad huddle' 'a tunnel inside a tunnel: 542 of 542 \(100 %\)'
look erspan --unit 10.20.0.15 --unit 10.99.0.1 --profile room
has 'a mirror whose tunnel begins at what the site calls a unit stays closed, and that is said' "$code $said" '^1 ' '^tunnels +warn +a unit.s own, left closed: 542 of 542 \(100 %\)$'
named merged 0 'offload warn merged.pcap' 'up to 60040 bytes: 8 of 553' "ethtool -K IF gro off lro off tso off gso off"
named unsummed 0 'checksums warn' 'not summed yet: 142 of 542' 'before its own firewall and cable'
named routed 0 '' '^translation +unknown +boardroom +2 hops on the way here \(TTL 126\)$' 'cannot be told from here' '^translation +ok +none: 1 of 2 with full TTL$'
named translated 0 'translation warn boardroom' 'routed, as of several hosts: 2 hops' 'options.nat'
look translated -c <(cat "$work/site.yaml"; echo 'options: {nat: true}')
has '... which the site may know' "$said" '^translation +ok +boardroom +as options.nat says$'

# Clocks
named clock-back 1 'clock bad clock-back.pcap' '^clock +bad +clock-back.pcap +back by 59 min 59 s, 1 time$' 'set it by NTP'
named clock-unset 0 'clock warn clock-unset.pcap' '^clock +warn +clock-unset.pcap +begins 1970-01-01$'
"$B/tools/later" "$work/fit.pcap" "$work/gap.pcap" 300 7200
said=$("$TLMON" doctor -r "$work/gap.pcap" -c "$work/site.yaml")
has 'hours without a packet are told' "$said" '^silence +warn +2 h 0 min without a packet$' 'from 2026-03-02T08:00:'

look fit -c "$work/site.yaml" udp
has 'a filter is named' "$said" "^ +all that follows is of what the filter lets through: 'udp'$"

# Without a list of units
look fit --profile room
has 'profiles without units are refused' "$code $(cat "$work/err")" '^2 ' 'of which unit'
"$B/tools/mkmirror" from-board "$work/from-board.pcap"
code=0
said=$("$TLMON" doctor -r "$work/from-board.pcap") || code=$?
has 'without a site the directions are those of who looks like a unit' "$code $said" '^1 ' '^directions +bad +00:26:8c:01:02:03 +140 packets from it, none to it$' '^units +warn +1 look like units, none is named$'
is '... and what only rows can ask is not asked' "$(grep -cE '^(roles|names|mac-shared) ' <<<"$said")" 0
look fit -e rules/teamline
has 'a mirror that is fit as such' "$code $said" '^0 ' '^fit as a mirror; no unit was named to judge by it'

# The demo
"$B/tools/mkdemo" "$work/demo.pcap"
code=0
said=$("$TLMON" doctor -r "$work/demo.pcap" -c tests/demo/site.yaml) || code=$?
has 'the demo capture is fit' "$code $said" '^0 ' '^fit to judge 2 units by' '^units +ok +2 of 2 seen$'

# Forms
look nested
for format in json jsonl csv; do
	"$TLMON" doctor -r "$work/nested.pcap" -c "$work/site.yaml" -o $format >"$work/out.$format" || :
done
is 'the last row of JSON lines is the result' "$(tail -1 "$work/out.jsonl" | sed -E 's/"seen":"[^"]*"/S/')" '{"check":"result","state":"not-fit","of":null,S,"count":null,"total":null,"remedy":null}'
has 'figures stand apart' "$(cat "$work/out.jsonl")" '^\{"check":"tunnels","state":"bad","of":null,"seen":"[^"]*","count":542,"total":542,"remedy":"'
is 'all forms have the same rows' "$(grep -c '^{' "$work/out.json") $(($(wc -l <"$work/out.csv") - 1))" "$(wc -l <"$work/out.jsonl") $(wc -l <"$work/out.jsonl")"
wide=$(script -qec "stty cols 80; '$TLMON' doctor -r '$work/nested.pcap' -c '$work/site.yaml'" /dev/null </dev/null | tr -d '\r' | sed -E 's/^.*\x1b\[K//; s/\x1b\[[0-9;]*m//g')
is '80 columns hold the table' "$(awk 'length > 80' <<<"$wide")" ''
is '... uncut' "$(grep -c '…' <<<"$wide")" 0

# Options
refused() {
	local name=$1 pattern=$2
	shift 2
	code=0
	"$TLMON" doctor "$@" >/dev/null 2>"$work/err" || code=$?
	has "$name" "$code $(cat "$work/err")" '^2 ' "$pattern"
}
refused 'a site without a mirror is refused' 'of which mirror\?' -c "$work/site.yaml"
refused 'so are processes of a mirror' 'one of them' --sandbox -r "$work/fit.pcap"
refused 'and a file that is none' 'nosuch.pcap' -r "$work/nosuch.pcap"
refused 'a time for a file' 'a file ends by itself' -r "$work/fit.pcap" --for 5s
has 'the help lists every check' "$("$TLMON" doctor --help)" '^  mac-shared +units known by a MAC' '^  mirror +whether it is one'
