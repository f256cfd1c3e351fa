#!/bin/bash
# Whoever takes over a role finds nothing in it: from inside each one, locked in as it is, what it must not
# do is tried, and refused or its end; `tlmon doctor --sandbox` shows it of a running watch.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
# shellcheck source=tests/lib/running.sh
. tests/lib/running.sh

roles='sensor inspector recorder exporter'
words='open socket execve ptrace write mprotect fork kill'
unit=(--unit 10.20.0.15 --profile room,online)

# Everybody may look at what is made here, and run the program, wherever it was built.
chmod 711 "$work"
cp "$TLMON" "$work/tlmon"
"$B/tools/mkdemo" "$work/demo.pcap"
chmod 644 "$work/demo.pcap"

# tries WHO COMMAND...: every role tries every word; the command runs the program as WHO
tries() {
	local who=$1 role word said holes eve
	shift
	for role in $roles; do
		holes=
		eve=
		[ $role != exporter ] || eve="--eve $work/tried/eve.json"
		for word in $words; do
			rm -rf "$work/tried"
			install -d ${owner:+-o $owner} "$work/tried"
			# shellcheck disable=SC2086 # an option and its value
			said=$("$@" "$work/tlmon" watch -r "$work/demo.pcap" "${unit[@]}" -l "$work/tried" $eve \
				--test "try=$role:$word" 2>&1 >/dev/null </dev/null)
			if grep -qE "$role.*(SIGSYS|[Bb]ad system call)" <<<"$said"; then
				continue # killed
			elif grep -E "test: $role: $word: refused \(" <<<"$said" | grep -vqi 'invalid argument'; then
				continue
			fi
			holes+="$word: ${said:-nothing was said of it}"$'\n'
		done
		if [ -z "$holes" ]; then
			ok "as $who: the $role can do none of: $words"
		else
			not_ok "as $who: the $role can do none of: $words" "$holes"
		fi
	done
}

# What kills a role must be the try, and nothing that it does anyway.
is 'with nothing tried nobody is killed' "$("$work/tlmon" watch -r "$work/demo.pcap" "${unit[@]}" -l "$work/untried" \
	--eve "$work/untried.json" 2>&1 >/dev/null)" ''
owner=
tries "$(id -un)" env
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	owner=65534
	tries nobody setpriv --reuid 65534 --regid 65534 --clear-groups
	rm -rf "$work/nobody"
	install -d -o 65534 "$work/nobody"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$work/tlmon" watch -r "$work/demo.pcap" \
		-c tests/demo/site.yaml -l "$work/nobody" >"$work/out" 2>&1
	is 'nobody can watch a file' "$?" 0
	"$TLMON" watch -r "$work/demo.pcap" -c tests/demo/site.yaml -l "$work/root" >/dev/null 2>&1
	is '... and sees the same flows' "$(sqlite3 "$work/nobody/flows.db" 'SELECT count(*), sum(verdict), sum(kind) FROM flow')" \
		"$(sqlite3 "$work/root/flows.db" 'SELECT count(*), sum(verdict), sum(kind) FROM flow')"
else
	skip 'as nobody: no role can do what it must not' 'skipped: not root, or no setpriv'
fi

# A live run, and what /proc says of its processes.
lab_make 'live: no role has a capability, the supervisor CAP_NET_RAW alone'
run_start live --eve "$work/live.json" || not_ok 'live: a run begins' "$(cat "$work/live.err")"
lab_send flows 10 100
# status PID FIELD
status() { awk -v f="$2:" '$1 == f {print $2}' "/proc/$1/status"; }
for one in sensor inspector recorder exporter; do
	process=$(role $one)
	is "live: the $one has no capability, and can get none" \
		"$(for set in CapEff CapPrm CapInh CapAmb; do status "$process" $set; done | sort | uniq -c | tr -s ' ')" ' 4 0000000000000000'
	is "live: ... gains no privilege, is under seccomp, is not root" \
		"$(status "$process" NoNewPrivs) $(status "$process" Seccomp) $([ "$(status "$process" Uid)" != 0 ] || [ $one = recorder ] && echo fine)" '1 2 fine'
done
is 'live: the supervisor has CAP_NET_RAW alone' "$(status $pid CapEff)" 0000000000002000
is 'live: ... and gains no privilege' "$(status $pid NoNewPrivs)" 1
inside $near "$TLMON" doctor --sandbox >"$work/all"
code=$?
# Other runs of this machine are none of ours; one that is weaker is in what the exit code says.
is 'doctor --sandbox ends with 0 if nothing is weaker' "$code" "$(grep -qE ' weaker$|which has no' "$work/all" && echo 1 || echo 0)"
awk -v run="run of supervisor $pid" '/^run of / { ours = $0 == run } ours' "$work/all" >"$work/doctor"
for one in supervisor $roles; do
	may=none
	[ $one != supervisor ] || may=net_raw
	# role, process, user, capabilities, no new privileges
	has "doctor --sandbox tells of the $one" "$(cat "$work/doctor")" "^$one +[0-9]+ +[^ ]+ +$may +yes .* OK$"
done
run_end
is 'live: ends with 0' "$code" 0
is 'live: ... and nobody was killed' "$(db live 'SELECT count(*) FROM blind')" 0
