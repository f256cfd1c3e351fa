#!/bin/bash
# `tlmon suggest`: what it proposes of the demo can be used as it is, and with the servers that it leaves commented out for
# want of proof it calls nothing outside that the site file written by hand documents; the same input gives the same
# text; and each thing it cannot do is said in a line.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

[[ $B = /* ]] || B=$PWD/$B
"$B/tools/mkdemo" "$work/demo.pcap"
cd "$work" || exit
"$TLMON" suggest -r demo.pcap --site Demo >site.yaml 2>err
is 'a capture alone is enough' "$? $(cat err)" '0 '
"$TLMON" suggest -r demo.pcap --site Demo | cmp -s - site.yaml
is 'the same input gives the same text' $? 0
"$TLMON" suggest -r demo.pcap --site Demo --in-process | cmp -s - site.yaml
is '... in one process too' $? 0
is 'no line of it is longer than a screen is wide' "$(grep -v '^#  - {units' site.yaml | awk 'length > 98')" ''

# boardroom and huddle by their MACs; the third one nobody listed.
is 'the units' "$(sed -n 's/^  - {name: //p' site.yaml)" \
	'room-1, macs: ["00:26:8c:01:02:03"], profiles: [room, online, touch]}
room-2, macs: ["00:26:8c:04:05:06"], profiles: [room, onprem, external, online]}
room-3, macs: ["00:26:8c:07:08:09"], profiles: [room]}'
sed 's/#.*//; /^ *$/d' site.yaml >plain.yaml
is 'the roles' "$(sed -n '/^roles:/,$p' plain.yaml | sed 's/^ *//; s/^- //' | tr '\n' ' ')" \
	'roles: dns-server: addresses: 10.20.0.53 dhcp-server: addresses: 10.20.0.1 10.20.1.1 domain-controller: addresses: 10.20.5.10 sfb-auth: names: sts.corp.example front-end: names: fe01.corp.example edge: addresses: 198.51.100.12 touch-controller: addresses: "2001:db8:20::99" '
is 'the domain' "$(grep ^domains plain.yaml)" 'domains: [corp.example]'
is 'neither ports nor another client nor a waiver' "$(grep -cE 'ports|other-client|waivers|narrow' plain.yaml)" 0
has 'a waiver is offered for the clock' "$(cat site.yaml)" '^#  - \{units: \[room-1, room-2\], remote: "?162\.159\.200\.1' 'owner: "", reason: "", expires: ""'
# What no protocol proved is ready to be used: "#" and no blank before a line of YAML. 8.8.8.8 is nobody's.
is 'what is not proven is commented out' "$(sed -n 's/^ *#- //p' site.yaml | tr '\n' ' ')" \
	'8.8.8.8 10.20.5.11 198.51.100.10 198.51.100.11 198.51.100.13 '
sed -E '/#- 8\.8\.8\.8$/! s/^( +)#([^ ])/\1\2/' site.yaml >whole.yaml
has 'the head says how many flows that leaves outside' "$(head -n 12 site.yaml | tr -s '\n# ' ' ')" \
	'Not documented under this file: 5 flows to servers that stand in it commented out \(dns-server, domain-controller, edge\); uncomment those that are yours'
# Each value has what speaks for it right above.
is 'every entry has its evidence' "$(awk '/^ +#?- / && prev !~ /^ *# / { print } { prev = $0 }' site.yaml)" ''
has 'the head says what was looked at, and what comes next' "$(head -n 12 site.yaml)" '3,?367 packets, 1' 'Blind: never' \
	'Hosts that spoke: 37; units proposed: 3' 'tlmon rules lint -c' 'tlmon check -r demo.pcap -c'

"$TLMON" rules lint -c site.yaml >lint 2>&1
is 'rules lint finds no error' "$(($? < 2)) $(grep -c '^tlmon' lint)" '1 0'
is '... and no warning that the site by hand has not, but of the empty role' "$(grep '^warning' lint | sed 's/room-2/huddle/' |
	grep -v "role 'other-client'" | grep -vcFf <("$TLMON" rules lint -c "$OLDPWD/tests/demo/site.yaml" | sed -n "s/^warning: //p"))" 0

# flows SITE: a line a flow of the two listed units: when, between whom, verdict
flows() {
	"$TLMON" watch -r demo.pcap -c "$1" -l "$2" >/dev/null 2>&1
	sqlite3 -readonly -separator ' ' "$2/flows.db" 'SELECT start, transport, local, local_port, remote, remote_port, verdict, kind FROM v_flow' | sort
}
flows "$OLDPWD/tests/demo/site.yaml" by-hand >by-hand.txt
flows site.yaml proposed >proposed.txt
grep ' documented ' by-hand.txt | cut -d' ' -f1-6 >documented.txt
is 'the demo has documented flows' "$(($(wc -l <documented.txt) > 60))" 1
# others NAME: documented flows, by port and server, that are not documented in NAME.txt
others() { grep -vFf <(grep ' documented ' "$1.txt" | cut -d' ' -f1-6) documented.txt | cut -d' ' -f4-6 | tr '\n' ';'; }
is 'none of them is outside, or missing, under the proposed file, but those to servers that are not proven' \
	"$(others proposed)" '49190 198.51.100.10 443;49191 198.51.100.11 443;50017 198.51.100.13 3478;49721 10.20.5.11 88;'
flows whole.yaml whole >whole.txt
is '... and none at all once these are uncommented' "$(others whole)" ''
is 'what is blocked is blocked then, of the same kind' "$(grep -cE ' documented (blocked|refused)' whole.txt) $(grep -E ' documented (blocked|refused)' whole.txt | md5sum)" \
	"3 $(grep -E ' documented (blocked|refused)' by-hand.txt | md5sum)"
# 19 by hand; one is media with a stranger, whom nothing speaks against while nobody lists who may take part.
is 'and what is outside stays so, but media with somebody unknown' "$(comm -23 <(grep ' outside ' by-hand.txt | cut -d' ' -f1-6) <(grep ' outside ' whole.txt | cut -d' ' -f1-6) | cut -d' ' -f3-)" \
	'10.20.0.15 50009 45.33.20.10 50500'

# Over a recording: the site file in force, with what is new.
"$TLMON" suggest -l by-hand >merged.yaml 2>err
is 'a database is asked as well' "$? $(cat err)" '0 '
is 'the site file in force is in it, line for line' "$(grep -vxFf merged.yaml "$OLDPWD/tests/demo/site.yaml")" ''
is 'with one new unit' "$(grep -A9 'new: room-1' merged.yaml | grep -c 'macs: \["00:26:8c:07:08:09"\]') $(grep -c 'new: ' merged.yaml)" '1 1'
has 'what speaks for it can be looked up' "$(cat merged.yaml)" '\(flow [0-9]+\)'
"$TLMON" rules lint -c merged.yaml >lint 2>&1
is 'and it can be used' "$(($? < 2))" 1

"$TLMON" suggest -l by-hand --site 'New name' >named.yaml 2>err
is 'a name is changed where it stands' "$(diff merged.yaml named.yaml | grep '^[<>]')" '< site: Demo office
> site: New name'

# A first look without a site file.
"$TLMON" watch -r demo.pcap --unit 10.20.0.15 --profile room -l look >/dev/null 2>&1
has 'of units named by --unit the whole file is proposed' "$("$TLMON" suggest -l look 2>&1)" \
	'name: room-1, macs: \["00:26:8c:01:02:03"\], profiles: \[room, online\]' '^ +- 10\.20\.0\.53'

is 'units can be named' "$("$TLMON" suggest -r demo.pcap --unit 10.20.2.40 2>err | grep -c '^  - {name: room-1, addresses: \[10.20.2.40\]') $(cat err)" '1 '
"$TLMON" suggest -r demo.pcap --unit 10.20.2.40 --unit 10.9.9.9 >out 2>err
has 'one that was not seen is said' "$(cat err)" '--unit 10.9.9.9: no such host was seen'
has 'what the filter let through is said' "$("$TLMON" suggest -r demo.pcap host 10.20.0.15 2>&1)" 'host 10\.20\.0\.15'

"$TLMON" suggest -r demo.pcap --output new.yaml >out 2>err
is 'it is written to a file' "$? $(cat out err)$(grep -c 'name: room-' new.yaml)" '0 3'
# refused NAME EXIT PATTERN ARG...: one line on stderr, nothing on stdout
refused() {
	local name=$1 wanted=$2 pattern=$3 code=0
	shift 3
	"$TLMON" suggest "$@" >out 2>err || code=$?
	if [ $code = "$wanted" ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ]; then
		has "$name" "$(cat err)" "$pattern"
	else
		not_ok "$name" "exit $code" "$(cat out err)"
	fi
}
refused 'a file that is there is left alone' 2 'new.yaml: File exists; it is left as it is' -r demo.pcap --output new.yaml
is '... byte for byte' "$(grep -c 'name: room-' new.yaml)" 3
refused 'a place that is none' 2 'no/such/site.yaml: No such file' -r demo.pcap --output no/such/site.yaml
head -c 24 demo.pcap >empty.pcap
refused 'no host that looks like a unit leaves no file' 1 'no unit is among' -r demo.pcap --output none.yaml host 93.184.216.34
is '... none at all' "$(ls none.yaml 2>&1 | grep -c 'No such file')" 1
refused 'an empty capture' 1 'the capture holds no packet' -r empty.pcap
refused 'a capture without any unit' 1 'no unit is among the [0-9]+ hosts that spoke in [0-9]+ packets.*--unit ADDRESS' -r demo.pcap host 93.184.216.34
refused 'a unit that is nowhere' 1 'none is one that --unit names' -r demo.pcap --unit 10.9.9.9
refused 'a file that is not there' 2 'nosuch.pcap: No such file' -r nosuch.pcap
refused 'a file that is no capture' 2 'site.yaml' -r site.yaml
refused 'no word of what to look at' 2 'what shall be looked at' --site x
refused 'files and a database' 2 '-l and -r: either' -r demo.pcap -l by-hand
refused 'files and interfaces' 2 '-r and -i: either' -r demo.pcap -i lo
refused 'a window of files' 2 'for a database' -r demo.pcap --since 1h
refused 'a filter for a database' 2 'a filter is for packets' -l by-hand host 10.20.0.15
refused 'a unit that is none' 2 '--unit 10.20.0.15/24: accepted' -r demo.pcap --unit 10.20.0.15/24
refused 'a window that nobody watched' 1 'nobody was looking in that window' -l by-hand --since 2020-01-01 --until 2020-01-02
refused 'a database that is none' 2 'nosuch' -l nosuch
"$TLMON" suggest -r demo.pcap -c site.yaml >out 2>err
is 'a site file is no input' $? 2
cat demo.pcap | "$TLMON" suggest -r - --site Demo 2>err | tail -n +4 | diff - <(tail -n +4 site.yaml) >out
is 'standard input is read' "$(grep -c '^[<>]' out)" "$(grep -c 'tlmon check' out)"
# Whose the packets are that a mirror wrapped shows what is in them, though its own ends speak as well.
"$B/tools/mkmirror" erspan erspan.pcap
is 'a mirror that wraps what it copies is looked into' "$("$TLMON" suggest -r erspan.pcap | grep '^  - {name')" \
	'  - {name: room-1, macs: ["00:26:8c:01:02:03"], profiles: [room, online]}
  - {name: room-2, macs: ["00:26:8c:04:05:06"], profiles: [room, online]}'
"$TLMON" suggest -r demo.pcap | head -1 >/dev/null
is 'a reader that goes away is no failure' "${PIPESTATUS[0]}" 0
size=$(stat -c %s demo.pcap)
head -c $((size - 10)) demo.pcap >cut.pcap
"$TLMON" suggest -r cut.pcap >out 2>err
has 'a capture that is cut is said' "$(cat err)" 'cut.pcap: .*everything before it was looked at'
