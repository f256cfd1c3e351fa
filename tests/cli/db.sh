#!/bin/bash
# tlmon db: what grows old, moves, is copied. Whatever reads a database reads every copy of it, also where
# nobody may write.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

export TZ=UTC
"$B/tools/mkdemo" "$work/demo.pcap"
cp tests/demo/site.yaml "$work/site.yaml"
data=$(realpath tests/data)
mkflows=$(realpath "$B")/bench/mkflows
cd "$work" || exit 1
record() { "$TLMON" watch -r demo.pcap -c site.yaml -l "$1" "${@:2}" >/dev/null 2>&1; }
record db

# refused NAME PATTERN... -- COMMAND: exit 2, one line on stderr that has every pattern
refused() {
	local name=$1 code=0 patterns=()
	shift
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	"$@" >out 2>err </dev/null || code=$?
	if [ $code != 2 ] || [ "$(wc -l <err)" != 1 ] || [ -s out ]; then
		not_ok "$name" "exit $code" "$(head -5 out err)"
	else
		has "$name" "$(cat err)" "${patterns[@]}"
	fi
}
tl() { "$TLMON" "$@"; }

# Every command that reads, with what it is asked. What a command says of a copy it says of the original.
commands() {
	printf '%s\n' 'flows -o jsonl' 'flows' 'findings -o jsonl' 'units -o jsonl' 'blind -o jsonl' 'status' \
		'explain F1' 'explain 1' 'db check' 'db stats -o csv' 'waive F1 --owner a --reason b --expires 2030-01-01'
	local one
	for one in 'coverage -o jsonl' 'names -o jsonl' 'evidence --unit boardroom' \
		'incident --unit boardroom --since 2026-03-02T08:00Z --until 2026-03-02T08:01Z' "whatif -c $work/site.yaml"; do
		"$TLMON" "${one%% *}" --help >/dev/null 2>&1 && printf '%s\n' "$one"
	done
}
# ask DIR: all answers
ask() {
	local line
	while read -r line; do
		echo "== $line"
		# shellcheck disable=SC2086
		(cd "$1" && "$TLMON" $line -l . 2>&1)
		echo "exit $?"
	done < <(commands) | sed '/log beside it/d'
}
ask db >wanted
same() {
	ask "$2" >seen
	if cmp -s wanted seen; then ok "$1"; else not_ok "$1" "$(diff wanted seen | cut -c1-150 | head -12)"; fi
}

# Copies
is 'a snapshot says what is in it' "$(tl db snapshot -l db copy | head -1)" \
	"copy/flows.db: 1 run, $(sqlite3 db/flows.db 'SELECT count(*) FROM flow') flows, $(sqlite3 db/flows.db 'SELECT count(*) FROM finding') findings"
same 'a snapshot answers every command as the database does' copy
is 'it has the mode of a database' "$(stat -c %a copy/flows.db)" 640
refused 'a snapshot overwrites nothing' 'copy/flows\.db' 'nothing is overwritten' -- tl db snapshot -l db copy
mkdir cp && cp db/flows.db cp/
same 'a plain copy does, too' cp
chmod 500 cp copy && chmod 400 cp/flows.db copy/flows.db
if [ "$(id -u)" = 0 ]; then
	chmod 755 . "$work"
	mkdir ro
	if mount --bind copy ro 2>/dev/null; then
		mount -o remount,bind,ro ro
		same 'on a read-only mount every command answers' ro
		refused 'and what would write there says why not' 'ro/flows\.db' 'not writable' -- tl db compact -l ro
		umount ro
	else
		skip 'on a read-only mount every command answers' 'no mounts here'
	fi
	chmod -R a+rX copy site.yaml
	setpriv --reuid 65534 --clear-groups "$TLMON" flows -o jsonl -l copy >seen 2>err &&
		cmp -s seen <(tl flows -o jsonl -l db) && ok 'another user reads a folder that is not theirs' ||
		not_ok 'another user reads a folder that is not theirs' "$(head -3 err)"
fi
chmod 700 cp copy
chmod 600 cp/flows.db copy/flows.db

# With a log beside it, as a writer that died leaves it
mkdir wal
sqlite3 cp/flows.db 'PRAGMA wal_autocheckpoint = 0; BEGIN; UPDATE run SET version = version || 1;
	UPDATE run SET version = rtrim(version, 1); COMMIT' '.shell cp cp/flows.db cp/flows.db-wal wal/' >/dev/null
if [ -s wal/flows.db-wal ]; then same 'a copy with its log answers' wal; else not_ok 'a copy with its log answers' "$(ls wal)"; fi
# ... and where no -shm can be made: the last commits count there as well
cp -r copy lw
sqlite3 lw/flows.db 'PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; INSERT INTO blind
	(run, cause, since_us, until_us, count, detail) VALUES (1, 2, 1772438405000000, 1772438407000000, 7, "")' \
	'.shell mkdir lw2; cp lw/flows.db lw/flows.db-wal lw2/' >/dev/null 2>&1
if [ "$(id -u)" = 0 ]; then
	chmod -R a+rX lw2
	chmod 555 lw2
	sums=$(cat lw2/* | sha256sum)
	as_nobody() { setpriv --reuid 65534 --clear-groups "$TLMON" "$@" -l lw2 2>&1; }
	has 'another user reads a copy with its log' "$(as_nobody blind)" 'kernel-drop .* 7 '
	has '... and more than once' "$(as_nobody status)" 'kernel-drop +1 interval'
	is '... and nothing was written' "$(cat lw2/* | sha256sum)" "$sums"
	mkdir rw
	if mount --bind lw2 rw 2>/dev/null; then
		mount -o remount,bind,ro rw
		has 'on a read-only mount the log is read' "$(tl blind -l rw 2>&1)" 'kernel-drop .* 7 '
		umount rw
	fi
	exec {held}<lw2
	flock -x "$held"
	has 'while somebody writes there it is refused' "$(as_nobody status)" 'cannot be read here while they are written'
	exec {held}<&-
fi

# Archives
before=$(tl flows -l db -o jsonl | sort)
tl db snapshot -l db arch-src >/dev/null
moved=$(tl db archive -l arch-src --until 2026-03-02T08:00:40Z archive | sed -n '1s/ .*//p')
is 'an archive and what is left make the whole' \
	"$({ tl flows -l arch-src -o jsonl; tl flows -l archive -o jsonl; } 2>/dev/null | sort)" "$before"
is 'as many moved as it says' "$(tl flows -l archive -o jsonl | wc -l)" "$moved"
is 'both are sound' "$(tl db check -l arch-src | grep -c sound) $(tl db check -l archive | grep -c sound)" '1 1'
first=$(sqlite3 archive/flows.db 'SELECT min(id) FROM flow')
is 'a flow keeps its number' "$(tl explain "$first" -l archive | grep -v ^policy)" "$(tl explain "$first" -l db | grep -v ^policy)"
while read -r line; do
	# shellcheck disable=SC2086
	"$TLMON" $line -l archive >/dev/null 2>err
	[ $? -le 1 ] || not_ok "an archive answers '$line'" "$(cat err)"
done < <(commands | sed "s/explain 1$/explain $first/")
has 'what moved is said where it is missed' "$(tl flows -l arch-src --since 2026-03-02T08:00Z --until 2026-03-02T08:00:05Z 2>&1)" \
	'before 2026-03-02 08:00:40' 'nothing of that window is here: .* another database has them'
code=0
tl blind -l arch-src --since 2026-03-02T08:00:10Z --until 2026-03-02T08:00:20Z -o jsonl >out 2>&1 || code=$?
is 'a window that moved counts as not covered' "$code $(grep -c '"cause":"removed"' out)" '1 1'
refused 'a flow that moved is said to be elsewhere' 'what ended before 2026-03-02T08:00:40Z was moved to another database: -l .*/archive' -- \
	tl explain "$first" -l arch-src
has '... and so are packets' "$(tl evidence -l arch-src --since 2026-03-02T08:00Z --until 2026-03-02T08:00:05Z 2>&1)" \
	'no packets are kept of findings there' 'was moved to another database: -l .*/archive'
is 'both together lack nothing, and are of one run' \
	"$(tl flows -l arch-src -l archive --port 4444 2>&1 | grep -c -e 'not here' -e removed -e '2 runs')" 0
is 'nobody watched is not said of what moved' "$(tl names -l arch-src --until 2026-03-02T08:00:05Z 2>&1 | grep -c 'nobody watched')" 0
has 'stats say where to' "$(tl db stats -l arch-src)" "archived +before 2026-03-02T08:00:40.000000Z, in .*/archive"
cp -r db late
tl db archive -l late --until 2026-03-02T08:01:05Z late-archive >/dev/null
is 'a unit whose addresses moved was seen all the same' \
	"$(tl units -l late | grep -c 'never seen')$(tl status -l late | grep -c 'never:')" 00
has '... and its line says why there is none' "$(tl units -l late)" '^huddle .* removed '
refused '... by address' "no unit '10.20.1.21'" "old addresses were removed there: ask by the unit's name" -- \
	tl flows -l late --unit 10.20.1.21
both() { tl "$@" -l late -l late-archive 2>/dev/null; }
for line in 'coverage -o csv' 'names -o csv' 'findings -o csv --state all' 'findings -o csv --port 5061' \
	'findings -o csv --peer 52.112.1.9' 'findings -o csv --count-by kind'; do
	# shellcheck disable=SC2086
	is "together with its archive a database tells nothing twice: $line" "$(both $line | wc -l)" "$(tl $line -l db 2>/dev/null | wc -l)"
done
is '... coverage is what it was' "$(both coverage -o csv | sha256sum)" "$(tl coverage -o csv -l db | sha256sum)"
figures='s/.*"unit":"([^"]*)".*"media_ports_ever":([0-9]*),"flows":([0-9]*),"findings_open":([0-9]*).*/\1 \2 \3 \4/p'
is '... and the figures of units are' "$(both units -o jsonl | sed -nE "$figures" | sort -u)" \
	"$(tl units -o jsonl -l db | sed -nE "$figures" | sort -u)"
of_incident() { tl incident --unit huddle --since 2026-03-02T08:00Z -o json "$@" | grep -oE '"id":("F[0-9]+"|[0-9]+)' | sort; }
is '... an incident has each flow and finding once' "$(of_incident -l late -l late-archive)" "$(of_incident -l db)"
is '... and of two sensors each flow of both' "$(of_incident -l db -l copy | wc -l)" "$((2 * $(of_incident -l db | wc -l)))"
refused 'an archive without a time' '--until' -- tl db archive -l arch-src archive
refused 'a time that is none' 'yesterweek' -- tl db archive -l arch-src --until yesterweek archive
refused 'into itself' 'is the database itself' -- tl db archive -l arch-src --until now arch-src
refused "into another's database" 'is no archive' -- tl db archive -l arch-src --until now copy

# Killed at any moment: nothing lost, nothing doubled. A database of some thousand flows
"$mkflows" many 30000 20 10 >/dev/null 2>&1
if [ -e many/flows.db ]; then
	ids() { sqlite3 "$1" 'SELECT id FROM flow' 2>/dev/null; }
	wanted=$(ids many/flows.db | sort -n | md5sum)
	last=$(sqlite3 many/flows.db "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', max(start_us + lasted_us) / 1000000, 'unixepoch') FROM flow")
	killed=0
	for pause in 0.02 0.05 0.08 0.1 0.15 0.2 0.25 0.3 0.4; do
		"$TLMON" db archive -l many --until "$last" many-archive >/dev/null 2>&1 &
		pid=$!
		sleep $pause
		kill -9 $pid 2>/dev/null && killed=$((killed + 1))
		wait $pid 2>/dev/null
	done
	tl db archive -l many --until "$last" many-archive >/dev/null 2>err || not_ok 'the call after kills' "$(cat err)"
	is "killed $killed times, an archive has lost and doubled nothing" \
		"$({ ids many/flows.db; ids many-archive/flows.db; } | sort -n | md5sum)" "$wanted"
	is 'and both are sound' "$(tl db check -l many | grep -c sound) $(tl db check -l many-archive | grep -c sound)" '1 1'
	size=$(stat -c %s many/flows.db)
	tl db compact -l many >/dev/null && [ "$(stat -c %s many/flows.db)" -lt "$size" ] &&
		ok 'compacting gives the room back' || not_ok 'compacting gives the room back' "$size, $(stat -c %s many/flows.db)"
else
	skip 'killed at random, an archive loses nothing' 'no generator of flows'
fi

# Retention of replays
record old && "$TLMON" watch -r demo.pcap -c site.yaml -l old --again --keep 2h >/dev/null 2>&1
is 'a replay deletes nothing it is not asked to' "$(sqlite3 old/flows.db 'SELECT count(*) FROM removed')" 0
sqlite3 old/flows.db 'UPDATE flow SET start_us = start_us - 86400000000 WHERE run = 1'
cat demo.pcap >demo2.pcap && "$TLMON" watch -r demo2.pcap -c site.yaml -l old --again --keep 2h >/dev/null 2>&1
is 'asked to, it deletes what is older than that, of runs before' \
	"$(sqlite3 old/flows.db 'SELECT count(*) FROM flow WHERE run = 1; SELECT count(*) > 0 FROM flow WHERE run = 3')" "0
1"
is 'and the database is sound' "$(tl db check -l old | grep -c sound)" 1
for bad in 1h 90 soon -5d; do
	refused "--keep $bad is refused" "--keep $bad" "forever" -- tl watch -r demo.pcap -c site.yaml -l new --keep $bad
done
for bad in 20 20X 0G 9999999G G; do
	refused "--keep-size $bad is refused" "--keep-size $bad" "unlimited" -- \
		tl watch -r demo.pcap -c site.yaml -l new --keep-size $bad
done

# Who writes
exec {lock}<old
flock -x $lock
refused 'while a tlmon writes, compacting is refused' 'writing here' -- tl db compact -l old
sqlite3 old/flows.db 'PRAGMA user_version = 3'
refused 'an older program that writes is told of' 'older tlmon' 'version 3' -- tl watch -r demo.pcap -c site.yaml -l old
refused '... to readers as well' 'version 3' 'being written' -- tl flows -l old
flock -u $lock
exec {lock}<&-
refused 'an older database that nobody writes' 'version 3' "tlmon watch -l old" -- tl flows -l old
sqlite3 old/flows.db 'PRAGMA user_version = 9'
refused 'a newer one' 'version 9' 'newer tlmon' -- tl flows -l old

# An older one that is idle: readers and what writes beside a recorder refuse it alike; who has the writer's
# place turns it into this version, and says so.
older() {
	rm -rf v3 v3-archive
	mkdir v3
	{ cat "$data/flowdb-3.sql"; echo "PRAGMA application_id = 0x544c4d4e; PRAGMA user_version = 3;"; } | sqlite3 v3/flows.db
}
older
for line in flows 'db snapshot v3-copy' 'close F1 --reason a'; do
	# shellcheck disable=SC2086
	refused "idle and older: $line refuses, and names the ways out" 'version 3' 'tlmon watch -l v3' 'tlmon db compact -l v3' -- tl $line -l v3
done
for line in 'db compact' 'db archive --until 2026-01-01 v3-archive' 'rejudge' \
	'watch -r demo.pcap -c site.yaml' 'watch --in-process -r demo.pcap -c site.yaml'; do
	older
	# shellcheck disable=SC2086
	has "idle and older: $line says what it became" "$(tl $line -l v3 2>&1)" '^tlmon: v3/flows\.db: was version 3, .* is version 5 now'
done
is '... once' "$(tl db compact -l v3 2>&1 | grep -c 'was version')" 0

# Damage
mkdir bad && cp db/flows.db bad/
dd if=/dev/urandom of=bad/flows.db bs=1024 seek=40 count=60 conv=notrunc 2>/dev/null
code=0
tl db check -l bad >out 2>err || code=$?
is 'check of a damaged one ends 1' "$code $([ -s out ] && echo told)" '1 told'
# What does not add up is told.
while IFS='|' read -r name wrong said; do
	rm -rf harmed
	mkdir harmed
	"$TLMON" watch -r demo.pcap -c site.yaml -l harmed >/dev/null 2>&1
	sqlite3 harmed/flows.db "$wrong"
	has "check: $name" "$(tl db check -l harmed 2>&1)" "$said"
done <<'EOF'
coverage is gone|DELETE FROM coverage|^coverage: [0-9]+ flows of unit 1 are documented by row
bytes of a finding|UPDATE finding SET bytes = 1|^F1: its bytes or times
differences are gone|DELETE FROM differs|in what it differs is not there
a trigger is gone|DROP TRIGGER flow_goes|^trigger flow_goes:
a packet too long|UPDATE evidence SET bytes = zeroblob(300), wire_len = 400|^packet 1 of evidence: 300
EOF
refused 'check of none' 'no flow database' -- tl db check -l nowhere
refused 'compact makes none' 'no flow database' -- tl db compact -l nowhere
[ ! -e nowhere ] && ok 'and nothing was made' || not_ok 'and nothing was made'

# A copy whose bytes are turned over: a command answers or refuses, it does not die
died=''
for turn in $(seq 12); do
	cp db/flows.db bad/flows.db
	for _ in $(seq 40); do
		printf "\\x$(printf %x $((RANDOM % 256)))" |
			dd of=bad/flows.db bs=1 seek=$(((RANDOM * 32768 + RANDOM) % $(stat -c %s db/flows.db))) conv=notrunc 2>/dev/null
	done
	while read -r line; do
		# shellcheck disable=SC2086
		timeout 20 "$TLMON" $line -l bad >out 2>err
		code=$?
		[ $code -le 3 ] || { died="$turn: $line: exit $code $(tail -3 err)"; cp bad/flows.db "$OLDPWD/build/died.db"; }
	done < <(commands)
done
is 'no command dies of a database that was turned over' "$died" ''

refused 'db alone' 'which of them' 'snapshot' -- tl db
refused 'a word that is none' 'vacuum' 'accepted: stats' -- tl db vacuum
refused 'an argument too many' 'too many' -- tl db check db
refused 'snapshot to nowhere' 'to where' -- tl db snapshot -l db
has 'help teaches' "$(tl db --help)" 'tlmon db archive --until' snapshot compact
