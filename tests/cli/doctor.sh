#!/bin/bash
# What the host offers, and what the processes of a run may do: told from /proc, of processes that are
# only named like ours, and of real ones. Others' runs on this machine are told apart by their pids.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

started=()
end_all() {
	for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	rm -rf "$work"
}
trap end_all EXIT

doctor() { "$TLMON" doctor "$@"; }
# as_nobody COMMAND...: as an ordinary user
as_nobody() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi; }
# row PID: its line of the table
row() { doctor --sandbox | awk -v pid="$1" '$2 == pid'; }

# The host
host=$(doctor)
has 'doctor names kernel, seccomp, Landlock, user and capture' "$host" \
	'^kernel +[0-9]+\.' '^seccomp +(yes|no) ' '^landlock +([0-9]+|no) ' '^user ' '^become-user ' '^capture '
cp "$TLMON" "$work/tlmon"
chmod 755 "$work" "$work/tlmon"
code=0
host=$(as_nobody "$work/tlmon" doctor) || code=$?
has 'an ordinary user is told what is missing' "$host" '^become-user +no +no$' '^capture +no +no$' "^ +no CAP_NET_RAW: .*'sudo tlmon watch -i eth1 "
is 'and the exit code says so' "$code" 1
is 'the host as JSON lines is one object a line' "$(doctor -o jsonl | grep -cvE '^\{"what":"[a-z-]+","found":".*","fit":(true|false),"note":".*"\}$')" 0

# Processes with such names: a shell as the supervisor, sleeps as its roles
mkdir "$work/fake" "$work/other"
cp "$(readlink -f /proc/$$/exe)" "$work/fake/tlmon"
cp "$(command -v sleep)" "$work/other/tlmon"
cat >"$work/family" <<EOF
(exec -a 'tlmon: sensor (landlock)' $work/other/tlmon 60) & echo \$! >$work/sensor
(exec -a 'tlmon: inspector (no landlock)' $work/other/tlmon 60) & echo \$! >$work/inspector
(exec -a 'tlmon: spy' $work/other/tlmon 60) & echo \$! >$work/spy
(exec -a 'tlmon: sensory' $work/other/tlmon 60) & echo \$! >$work/sensory
(exec -a 'tlmon: recorder (landlock)' $(command -v sleep) 60) & echo \$! >$work/stranger
echo ready >$work/ready
wait
EOF
"$work/fake/tlmon" "$work/family" &
family=$!
disown "$family"
started+=("$family")
for _ in {1..100}; do
	[ -e "$work/ready" ] && grep -aqs '^tlmon: recorder' "/proc/$(cat "$work/stranger")/cmdline" && break
	sleep 0.05
done
for name in sensor inspector spy sensory stranger; do started+=("$(cat "$work/$name")"); done

has 'the parent of a role is a supervisor' "$(row "$family")" '^supervisor '
has 'a title with Landlock is told' "$(row "$(cat "$work/sensor")")" '^sensor .* yes +[^ ]+'
has 'a title without Landlock is told' "$(row "$(cat "$work/inspector")")" '^inspector .* no +[^ ]+'
has 'a run is headed by its supervisor, and what it lacks' "$(doctor --sandbox)" "^run of supervisor $family, which has no recorder$"
has 'a role with too much is weaker than it should be' "$(row "$(cat "$work/inspector")")" ' none +no .* weaker$'
has '... by what' "$(doctor --sandbox -o jsonl | grep "\"pid\":$(cat "$work/inspector"),")" '"weaker":".*no_new_privs, a seccomp filter, landlock"'
has '... in the table too' "$(doctor --sandbox)" '^ +weaker: it should have .*a seccomp filter, landlock$'
code=0
doctor --sandbox >/dev/null || code=$?
is '... and the exit code says so' "$code" 1
is 'a role that there is not is none of ours' "$(row "$(cat "$work/spy")")$(row "$(cat "$work/sensory")")" ''
is 'another program with such a title is none of ours' "$(row "$(cat "$work/stranger")")" ''
json=$(doctor --sandbox -o jsonl | grep "\"pid\":$(cat "$work/sensor"),")
has 'a role knows its supervisor' "$json" "^\{\"supervisor\":$family,\"role\":\"sensor\""
if [ "$(id -u)" = 0 ]; then
	has 'its files are counted for root' "$json" '"files":[0-9]+,'
	has 'and not for others' "$(as_nobody "$work/tlmon" doctor --sandbox | awk -v pid="$family" '$2 == pid')" ' \?  weaker$'
	has 'capabilities that are there are told' "$json" '"effective":"(all|[a-z].*, .*)"'
fi

# A run that reads a pipe nobody writes to: its roles are there until it is ended
mkfifo "$work/pipe"
"$B/tools/mkdemo" "$work/demo.pcap"
mkdir "$work/db"
"$TLMON" watch -r - -c tests/demo/site.yaml -l "$work/db" <"$work/pipe" >/dev/null 2>&1 &
watch=$!
started+=("$watch")
exec 3>"$work/pipe"
head -c 5000 "$work/demo.pcap" >&3
for _ in {1..100}; do
	rows=$(doctor --sandbox -o jsonl | grep "^{\"supervisor\":$watch,")
	[ "$(grep -cE '"(sensor|inspector|recorder)".*"seccomp":1' <<<"$rows")" = 3 ] && break
	sleep 0.05
done
is 'a run has a supervisor and three roles at least' "$(grep -cE '"role":"(supervisor|sensor|inspector|recorder)"' <<<"$rows")" 4
is 'no role has a capability' "$(grep -v '"supervisor","pid"' <<<"$rows" | grep -cv '"effective":"none","permitted":"none","no_new_privs":true,"seccomp":1')" 0
has 'the supervisor of a file has none either' "$(grep '"role":"supervisor"' <<<"$rows")" '"effective":"none","permitted":"none","no_new_privs":true'
if [ "$(id -u)" = 0 ]; then
	is 'sensor and inspector are not root' "$(grep -E '"role":"(sensor|inspector)"' <<<"$rows" | grep -c '"user":"root"')" 0
fi
if ! grep -q 'has a sanitizer' <<<"$(doctor)"; then
	is 'sensor and inspector have a limit of memory' "$(grep -E '"role":"(sensor|inspector)"' <<<"$rows" | grep -cE '"memory_limit":[0-9]+')" 2
fi
exec 3>&-
wait "$watch"

# Alone in its own /proc
if [ "$(id -u)" = 0 ] && unshare --fork --pid --mount-proc true 2>/dev/null; then
	code=0
	alone() { unshare --fork --pid --mount-proc "$TLMON" doctor --sandbox "$@"; }
	json=$(alone -o json 2>"$work/err") || code=$?
	is 'where none runs the JSON is an empty list, and the exit code says so' "$code $json" '1 []'
	has '... in words too' "$(cat "$work/err")" 'no process of tlmon runs here'
	cat >"$work/alone" <<EOF
tail -f -n +1 $work/demo.pcap | "$TLMON" watch -r - -c tests/demo/site.yaml -l $work/alone.db >/dev/null 2>&1 &
for _ in {1..100}; do
	"$TLMON" doctor --sandbox >/dev/null 2>&1 && break
	sleep 0.05
done
script -qec "stty cols 80; '$TLMON' doctor --sandbox" /dev/null </dev/null
"$TLMON" doctor --sandbox >/dev/null
echo "ends \$?"
EOF
	said=$(unshare --fork --pid --kill-child --mount-proc bash "$work/alone" | tr -d '\r')
	if ! grep -q 'has a sanitizer' <<<"$(doctor)" && [ "$(doctor -o jsonl | grep -E '"(seccomp|landlock)"' | grep -c '"fit":true')" = 2 ]; then
		has 'a run that is locked in as it should be is fine' "$said" '^run of supervisor [0-9]+$' '^ends 0$'
		is '... without what finds no room: its files' "$(grep -o 'ROLE.*' <<<"$said" | tr -s ' ')" 'ROLE PID USER CAPS NNP SECCOMP LANDLOCK MEMORY STATE'
		is '... which every role says' "$(grep -cE '^(supervisor|sensor|inspector|recorder) .*OK' <<<"$said")" 4
	fi
	is '... and 80 columns hold it' "$(sed 's/\x1b\[[0-9;]*m//g' <<<"$said" | awk 'length > 80')" ''
else
	skip 'doctor in its own /proc' 'not root, or no namespaces'
fi

# Options
code=0
doctor --sandbox --nonsense >/dev/null 2>"$work/err" || code=$?
is 'an option that is none is refused' "$code" 2
code=0
doctor sandbox >/dev/null 2>"$work/err" || code=$?
is 'so is a word' "$code" 2
has 'by name' "$(cat "$work/err")" "doctor: 'sandbox' is an argument, and it takes none"
