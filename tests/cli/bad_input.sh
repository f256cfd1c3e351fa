#!/bin/bash
# What is wrong is said once, on stderr, with its place, the value and what is accepted; exit 2; nothing
# half written.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
good=$PWD/tests/demo/site.yaml
cp "$good" "$work/site.yaml"
cd "$work" || exit 1

# refused NAME PATTERN... -- COMMAND: exit 2, nothing on stdout, one message that has every pattern
refused() {
	local name=$1 code=0 patterns=()
	shift
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	rm -rf db
	"$@" >out 2>err </dev/null || code=$?
	if [ $code != 2 ]; then
		not_ok "$name" "exit $code" "$(head -20 out err)"
	elif [ "$(grep -c '^tlmon: ' err)" != 1 ]; then
		not_ok "$name" "not one message:" "$(cat err)"
	elif [ -s out ]; then
		not_ok "$name" "said on stdout:" "$(head -5 out)"
	elif [ -e db/flows.db ]; then
		not_ok "$name" "a database was left behind"
	else
		has "$name" "$(cat err)" "${patterns[@]}"
	fi
}
watch() { "$TLMON" watch -r "$1" -c "${2:-site.yaml}" -l db; }
# bad_site NAME TEXT PATTERN...: a site file of that text is refused
bad_site() {
	local name=$1
	printf '%s\n' "$2" >bad.yaml
	shift 2
	refused "$name" 'bad\.yaml:[0-9]+:[0-9]+' "$@" -- watch demo.pcap bad.yaml
}
unit='units: [{name: a, addresses: [10.20.0.15], profiles: [room]}]'

# Captures
: >empty.pcap
refused 'an empty capture is refused' 'empty\.pcap' -- watch empty.pcap
head -c 200 /dev/zero | tr '\0' 'x' >text.pcap
refused 'what is no capture is refused' 'text\.pcap' -- watch text.pcap
refused 'a capture that is not there is refused' 'none\.pcap' 'No such file' -- watch none.pcap
mkdir -p folder
refused 'a folder without captures is refused' 'folder' -- watch folder
{ head -c 20 demo.pcap; printf '\x69\0\0\0'; tail -c +25 demo.pcap; } >link.pcap # 105: 802.11
refused 'an unknown link type is refused by name' 'link\.pcap' 'IEEE802_11' 'Ethernet|EN10MB' -- watch link.pcap

# Damage after a good beginning: what came before is judged, and the place is said.
# cut_at NAME FILE PATTERN
cut_at() {
	local code=0
	rm -rf db
	watch "$2" >out 2>err || code=$?
	if [ $code != 0 ] || [ "$("$TLMON" flows -l db -o jsonl | wc -l)" -lt 5 ]; then
		not_ok "$1" "exit $code" "$(cat out err)"
	else
		has "$1" "$(cat out err)" "$3"
	fi
}
head -c 200000 demo.pcap >cut.pcap
cut_at 'a capture cut in mid-packet is judged up to there' cut.pcap 'cut.*packet [0-9]+|packet [0-9]+.*cut'
report=$("$TLMON" check -r cut.pcap -c site.yaml 2>&1)
has 'the report says where it was cut' "$report" 'cut.*packet [0-9]+|packet [0-9]+.*cut'
{ head -c 200000 demo.pcap; head -c 64 /dev/zero | tr '\0' '\377'; } >damaged.pcap
cut_at 'a capture damaged in the middle is judged up to there' damaged.pcap 'packet [0-9]+'

# Interfaces
refused 'an interface that is not there is refused' 'nosuch0' -- "$TLMON" watch -i nosuch0 -c site.yaml -l db
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work"
	cp "$TLMON" ./tlmon-copy
	refused 'an interface that is not permitted is refused' 'lo' 'ermi' -- \
		setpriv --reuid 65534 --regid 65534 --clear-groups ./tlmon-copy watch -i lo -c site.yaml -l db
else
	skip 'an interface that is not permitted is refused' 'needs root to become nobody'
fi

# Site files
bad_site 'a misspelt key is shown with its line and a caret' "untis: []" 'untis' '\^' 'units'
bad_site 'a misspelt key of a unit is shown' \
	'units: [{name: a, adresses: [10.0.0.1], profiles: [room]}]' 'adresses' '\^' 'addresses'
bad_site 'an address that is none is refused' \
	'units: [{name: a, addresses: [10.0.0.300], profiles: [room]}]' '10\.0\.0\.300'
bad_site 'a prefix with host bits is refused' \
	'units: [{name: a, addresses: [10.0.0.5/24], profiles: [room]}]' '10\.0\.0\.5/24'
bad_site 'an unknown profile is refused' \
	'units: [{name: a, addresses: [10.0.0.1], profiles: [cloud]}]' 'cloud' 'online'
bad_site 'an unknown role is refused' "$unit
roles: {dns-servre: {addresses: [10.0.0.53]}}" 'dns-servre' 'dns-server'
bad_site 'an unknown row is refused' "$unit
narrow: {onprem.out.media_upd: {local-ports: [50000-50059]}}" 'onprem\.out\.media_upd'
bad_site 'an impossible port range is refused' "$unit
narrow: {onprem.out.media_udp: {local-ports: [50059-50000]}}" '50059-50000'
bad_site 'a port past 65535 is refused' "$unit
narrow: {onprem.out.media_udp: {local-ports: [50000-70000]}}" '70000'
bad_site 'a narrow that widens is refused' "$unit
narrow: {online.out.audio: {local-ports: [50000-50039]}}" '50000-50019|widen'
bad_site 'units that overlap are refused' \
	'units: [{name: a, addresses: [10.0.0.1], profiles: [room]}, {name: b, addresses: [10.0.0.1], profiles: [room]}]' \
	'10\.0\.0\.1'
bad_site 'a waiver without an owner is refused' "$unit
waivers: [{kind: peer, reason: because, expires: 2026-12-31}]" 'owner'
bad_site 'a waiver without a scope is refused' "$unit
waivers: [{owner: me, reason: because, expires: 2026-12-31}]" 'scope|units'
bad_site 'a waiver that expires on no day is refused' "$unit
waivers: [{kind: peer, owner: me, reason: because, expires: 2026-02-30}]" '2026-02-30'
bad_site 'a waiver for an unknown kind is refused' "$unit
waivers: [{kind: pear, owner: me, reason: because, expires: 2026-12-31}]" 'pear' 'peer'
bad_site 'an unknown option is refused' "$unit
options: {nta: true}" 'nta' 'nat'
bad_site 'YAML that is none is refused' 'units: [{name: a' ''
refused 'a site file that is not there is refused' 'none\.yaml' -- watch demo.pcap none.yaml
head -c 3000 /dev/urandom >noise.yaml
refused 'a site file of noise is refused' 'noise\.yaml' -- watch demo.pcap noise.yaml

# rooms.csv: name,mac,address,profiles
printf 'units-file: rooms.csv\n' >rooms.yaml
# bad_room NAME LINE PATTERN...
bad_room() {
	local name=$1
	printf 'name,mac,address,profiles\nboardroom,,10.20.0.15,room online\n%s\n' "$2" >rooms.csv
	shift 2
	refused "$name" 'rooms\.csv:3' "$@" -- watch demo.pcap rooms.yaml
}
bad_room 'a room without profiles is refused' 'huddle,,10.20.1.21' 'profiles|fields|columns'
bad_room 'a room with an unknown profile is refused' 'huddle,,10.20.1.21,room cloud' 'cloud'
bad_room 'a room with a broken MAC is refused' 'huddle,00:26:8c:1,,room' '00:26:8c:1'
bad_room 'a room without address and MAC is refused' 'huddle,,,room' 'address|mac|MAC'
rm rooms.csv
refused 'a units-file that is not there is refused' 'rooms\.csv' -- watch demo.pcap rooms.yaml

# Envelopes
cp -r "$OLDPWD/rules/teamline" envelope
sed -i '0,/direction: \[out\]/s//direction: [sideways]/' envelope/room.yaml
refused 'a direction that is none is refused' 'room\.yaml:[0-9]+:[0-9]+' 'sideways' '\^' -- \
	"$TLMON" watch -r demo.pcap -e envelope -c site.yaml -l db

# Databases
mkdir db-text && echo 'this is no database, but long enough to be one' >db-text/flows.db
# kept NAME DIR PATTERN... -- COMMAND: refused, and the file there is not touched
kept() {
	local dir=$2 before
	before=$(sha256sum <"$dir/flows.db")
	refused "$1" "${@:3}"
	is "... and it is not touched" "$(sha256sum <"$dir/flows.db")" "$before"
}
kept 'flows refuses what is no database' db-text 'flows\.db' -- "$TLMON" flows -l db-text
cp db-text/flows.db text
has 'watch sets aside what is no database' "$("$TLMON" watch -r demo.pcap -c site.yaml -l db-text 2>&1)" 'is set aside as flows\.db\.damaged-'
cmp -s text db-text/flows.db.damaged-* && ok '... as it was' || not_ok '... as it was' "$(ls db-text)"
"$TLMON" watch -r demo.pcap -c site.yaml -l db-new >/dev/null 2>&1
if command -v sqlite3 >/dev/null; then
	sqlite3 db-new/flows.db 'PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version=999' >/dev/null
	kept 'watch refuses a database of a newer version' db-new '999' 'newer' -- \
		"$TLMON" watch -r demo.pcap -c site.yaml -l db-new --again
	kept 'findings refuses a database of a newer version' db-new '999' 'newer' -- "$TLMON" findings -l db-new
else
	skip 'a database of a newer version is refused' 'no sqlite3'
fi
refused 'a database that is not there is refused' 'nowhere' -- "$TLMON" flows -l nowhere
mkdir ro && refused 'a file seen before is refused' 'again' -- sh -c \
	"'$TLMON' watch -r demo.pcap -c site.yaml -l ro >/dev/null 2>&1; '$TLMON' watch -r demo.pcap -c site.yaml -l ro"

# Words on the command line
code=0
"$TLMON" >out 2>err || code=$?
is 'without a command the usage is shown on stderr' "$code $(wc -l <out) $(grep -c '^usage: tlmon' err)" '2 0 1'
refused 'an unknown command is refused' 'wacht' 'help|watch' -- "$TLMON" wacht
refused 'an unknown option is refused' 'nosuch' -- "$TLMON" watch --nosuch
refused 'watch without an input is refused' '-r|-i' -- "$TLMON" watch -c site.yaml -l db
refused 'an unknown profile is refused' 'cloud' 'online' -- \
	"$TLMON" watch -r demo.pcap --unit 10.20.0.15 --profile cloud -l db
refused 'a unit without a profile is refused' 'profile' -- "$TLMON" watch -r demo.pcap --unit 10.20.0.15 -l db
refused 'a unit that is no address is refused' '10\.20\.0' -- \
	"$TLMON" watch -r demo.pcap --unit 10.20.0 --profile room -l db
refused 'a filter that cannot be read is refused' 'porrt' -- "$TLMON" watch -r demo.pcap -c site.yaml -l db porrt 53
refused 'a file among the words of a filter is named' 'demo\.pcap' -- \
	"$TLMON" watch -r demo.pcap -c site.yaml -l db demo.pcap
"$TLMON" watch -r demo.pcap -c site.yaml -l good >/dev/null 2>&1
refused 'an output that is none is refused' 'xml' 'jsonl' -- "$TLMON" flows -l good -o xml
refused 'a verdict that is none is refused' 'outsied' 'outside' -- "$TLMON" flows -l good --verdict outsied
refused 'a row that is none is refused' 'online\.out\.adio' -- "$TLMON" flows -l good --row online.out.adio
refused 'a peer that is no prefix is refused' '10\.0\.0\.0/40' -- "$TLMON" flows -l good --peer 10.0.0.0/40
refused 'a time that is none is refused' 'yesterdey' -- "$TLMON" flows -l good --since yesterdey
refused 'a tuple that cannot be read is refused' '99999' '65535' -- \
	"$TLMON" explain 'udp 10.1.2.3:99999 > 1.2.3.4:5' --profile room
refused 'a finding that is not there is refused' 'F999' -- "$TLMON" explain F999 -l good

# A reader that goes away early is no error worth a word.
"$TLMON" flows -l good -o jsonl 2>err | head -1 >out
is 'a pipe closed early is silent' "$(wc -l <out)$(cat err)" 1
