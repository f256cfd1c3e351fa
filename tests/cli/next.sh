#!/bin/bash
# What `tlmon check` says to do next, done: every rule for a firewall is one that nft takes, and whoever changes the site
# file as a proven step says is rid of the findings that it names, and of no other.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

"$B/tools/mkdemo" "$work/demo.pcap"
site=$PWD/tests/demo/site.yaml
check() { "$TLMON" check -r "$work/demo.pcap" "${@:2}" --report "$1" >/dev/null 2>"$work/err"; }
# What a report holds: ask FILE SQL, where a step is json_each's `value`.
ask() { sqlite3 -noheader "" "$(printf "$2" "json_each(readfile('$1'), '\$.next')")"; }
field() { ask "$1" "SELECT json_extract(value, '\$.$3') FROM %s WHERE key = $2"; }
# Open findings, by what they are and not by their numbers.
open_ones() {
	sqlite3 -noheader "" "SELECT json_extract(value, '\$.unit'), json_extract(value, '\$.kind'), json_extract(value, '\$.reason')
		FROM json_each(readfile('$1'), '\$.findings') WHERE json_extract(value, '\$.state') = 'open' ORDER BY 1, 2, 3"
}
one() {
	sqlite3 -noheader "" "SELECT json_extract(value, '\$.unit'), json_extract(value, '\$.kind'), json_extract(value, '\$.reason')
		FROM json_each(readfile('$1'), '\$.findings') WHERE json_extract(value, '\$.id') = '$2'"
}

check "$work/before.json" -c "$site"
check "$work/again.json" -c "$site"
is 'two runs say the same' "$(cmp "$work/before.json" "$work/again.json" && echo same)" same

# In the room.
is 'what is required and not exercised comes first, then what is recommended' \
	"$(ask "$work/before.json" "SELECT group_concat(json_extract(value, '\$.unit') || ' ' || json_extract(value, '\$.row'), ', ')
		FROM %s WHERE json_extract(value, '\$.kind') = 'exercise'")" \
	'huddle online.out.appshare, huddle room.in.web_ui'

# On the way.
is 'every blocked finding has a step' "$(sqlite3 "" "SELECT json_extract(value, '\$.id') FROM json_each(readfile('$work/before.json'), '\$.findings')
	WHERE json_extract(value, '\$.kind') IN ('blocked-silent', 'blocked-prohibited', 'refused') AND json_extract(value, '\$.id') NOT IN
	(SELECT json_extract(value, '\$.finding') FROM json_each(readfile('$work/before.json'), '\$.next') WHERE json_extract(value, '\$.finding') IS NOT NULL)")" ''
openers=$(ask "$work/before.json" "SELECT key FROM %s WHERE json_extract(value, '\$.kind') = 'firewall'")
rule='insert rule inet filter forward'
is '... two of them rules, each with its answers' \
	"$(for step in $openers; do field "$work/before.json" "$step" lines | sed -nE "s/^$rule (ip|ct) .*/\\1/p"; done | tr '\n' ' ')" 'ip ct ip ct '
has '... for the unit, the peer, the row' "$(for step in $openers; do field "$work/before.json" "$step" lines; done)" \
	"^$rule ip saddr 10\\.20\\.0\\.15 ip daddr 203\\.0\\.113\\.21 tcp sport 1024-65535 tcp dport 443 accept comment \"room\\.out\\.maestro: " \
	"^$rule ip saddr 10\\.20\\.1\\.21 ip daddr 198\\.51\\.100\\.8/29 udp sport 1024-65535 udp dport 3478 accept comment \"onprem\\.out\\.turn_udp: "
has 'who forbids it is named; silence names nobody; a closed port is no matter of firewalls' \
	"$(ask "$work/before.json" "SELECT json_extract(value, '\$.kind') || ' ' || json_extract(value, '\$.say') FROM %s")" \
	'^firewall .*10\.20\.1\.1 forbids it now \(ICMP 3/13\)' '^firewall .*between the mirror and 203\.0\.113\.21' \
	'^network 10\.20\.5\.11 itself refuses TCP port 88'
# A firewall that drops whatever no rule before its last lets through.
cat >"$work/closed.nft" <<-end
	table inet filter {
		chain forward {
			type filter hook forward priority 0; policy accept;
			drop
		}
	}
end
for step in $openers; do
	field "$work/before.json" "$step" lines >"$work/rules.nft"
	if unshare -n nft list tables >/dev/null 2>&1; then
		is "nft takes step $step by itself" "$(cat "$work/closed.nft" "$work/rules.nft" | nft -c -f - 2>&1)" ''
		said=$(unshare -n sh -c "nft -f '$work/closed.nft' && nft -f '$work/rules.nft' && nft list chain inet filter forward")
		is '... then answers pass, and what it opens, before the rest is dropped' \
			"$(sed -nE 's/^\t\t(ct state established,related accept|ip .* accept|drop).*/\1/p' <<<"$said" | cut -c1-3 | tr '\n' ' ')" 'ct  ip  dro '
	else
		skip "nft takes step $step by itself" 'no nft here, or no namespaces'
	fi
done

# In the site file: each change by itself, line by line as the sentence says.
# change SAY LINES FROM TO
change() {
	local first last
	if [[ $1 =~ behind\ line\ ([0-9]+)\ of\ site\.yaml ]]; then
		first=${BASH_REMATCH[1]} last=$first
	elif [[ $1 =~ (take|in\ place\ of)\ lines?\ ([0-9]+)(-([0-9]+))? ]]; then
		first=$((BASH_REMATCH[2] - 1)) last=${BASH_REMATCH[4]:-${BASH_REMATCH[2]}}
	else
		return 1
	fi
	{
		head -n "$first" "$3"
		cat "$2"
		tail -n "+$((last + 1))" "$3"
	} >"$4"
}
# Whom it proves beside those whom it names: by the word of a resolver.
also() { grep -oE 'this also makes [^;]*' | grep -oE 'F[0-9]+'; }
mkdir "$work/site"
proven=$(ask "$work/before.json" "SELECT key FROM %s WHERE json_extract(value, '\$.proven')")
is 'changes of the site file are proven' "$([ "$(wc -w <<<"$proven")" -ge 4 ] && echo some)" some
for step in $proven; do
	say=$(field "$work/before.json" "$step" say)
	settled=$(grep -oE 'settles F[0-9, and]*[0-9F]+' <<<"$say" | grep -oE 'F[0-9]+')
	settled=${settled:-$(field "$work/before.json" "$step" finding)}
	is "step $step settles as many as it names" "$(wc -w <<<"$settled")" "$(field "$work/before.json" "$step" settles)"
	settled+=" $(also <<<"$say")"
	field "$work/before.json" "$step" lines | sed -e '$ { /^$/d }' >"$work/lines"
	change "$say" "$work/lines" "$site" "$work/site/site.yaml" || not_ok "step $step says where" "$say"
	if grep -q WHO "$work/lines"; then
		has "step $step is none until somebody answers for it" "$("$TLMON" rules lint -c "$work/site/site.yaml" 2>&1)" \
			"/site\.yaml:$(grep -n WHO "$work/site/site.yaml" | cut -d: -f1):[0-9]+: 'WHO': fill in who answers for it" '^ +\^~~$'
		sed -i 's/WHO/ann/' "$work/site/site.yaml"
		has '... and says why' "$("$TLMON" rules lint -c "$work/site/site.yaml" 2>&1)" "'WHY': fill in why it is let be"
		sed -i 's/WHY/old/' "$work/site/site.yaml"
	fi
	check "$work/after.json" -c "$work/site/site.yaml"
	is "... and when done so, $(tr '\n' ' ' <<<"$settled")are gone and all else stays" "$(open_ones "$work/after.json")" \
		"$(open_ones "$work/before.json" | grep -vxF -f <(for id in $settled; do one "$work/before.json" "$id"; done))"
	is '... with no complaint' "$(grep -v '^tlmon: .*waiver' "$work/err")" ''
done

resolver=$(ask "$work/before.json" "SELECT key FROM %s WHERE json_extract(value, '\$.row') = 'room.out.dns'")
say=$(field "$work/before.json" "$resolver" say)
has 'a resolver that is trusted makes whomever it names: that is said' "$say" '; this also makes 45\.33\.20\.9 a proven maestro \(F[0-9]+\); if not, '
has '... and whoever was so made keeps a step of his own' "$(ask "$work/before.json" "SELECT json_extract(value, '\$.say') FROM %s
	WHERE json_extract(value, '\$.finding') = '$(also <<<"$say")'")" '^If 45\.33\.20\.9 is yours to trust as maestro, list it'

# A host on no list: nothing is recorded of it that could be proven, yet the entry is one that loads.
step=$(ask "$work/before.json" "SELECT key FROM %s WHERE json_extract(value, '\$.unit') = '10.20.3.30'")
is 'a host on no list is offered its entry, and nothing is claimed' "$(field "$work/before.json" "$step" proven)" 0
field "$work/before.json" "$step" lines | sed -e '$ { /^$/d }' >"$work/lines"
change "$(field "$work/before.json" "$step" say)" "$work/lines" "$site" "$work/site/site.yaml"
check "$work/after.json" -c "$work/site/site.yaml"
is '... with it the host is a unit' \
	"$(open_ones "$work/after.json" | grep -c unlisted-unit) $(sqlite3 "" "SELECT group_concat(json_extract(value, '\$.unit')) FROM json_each(readfile('$work/after.json'), '\$.units')")" \
	'0 boardroom,huddle,new-10.20.3.30'

# Without a site file the change is one.
"$TLMON" check -r "$work/demo.pcap" --unit 10.20.0.15 --profile room,online --report "$work/words.json" >/dev/null 2>&1
step=$(ask "$work/words.json" "SELECT key FROM %s WHERE json_extract(value, '\$.proven') LIMIT 1")
has 'without a site file the change is a file of its own' "$(field "$work/words.json" "$step" say)" 'in a site file of its own \(-c\)'
field "$work/words.json" "$step" lines >"$work/site/own.yaml"
check "$work/after.json" -c "$work/site/own.yaml" --unit 10.20.0.15 --profile room,online
is '... and with it the findings that it settles are gone' \
	"$(($(open_ones "$work/words.json" | wc -l) - $(open_ones "$work/after.json" | wc -l)))" \
	"$(($(field "$work/words.json" "$step" settles) + $(field "$work/words.json" "$step" say | also | wc -l)))"

# One finding by itself: what settles it is tried for who asks, and is what the report says.
"$TLMON" watch -r "$work/demo.pcap" -c "$site" -l "$work/db" >/dev/null 2>&1
finding=$(sqlite3 "$work/db/flows.db" "SELECT id FROM v_finding WHERE state = 'open' AND kind = 'peer' AND row = 'room.out.dns'")
step=$(ask "$work/before.json" "SELECT key FROM %s WHERE json_extract(value, '\$.finding') = '$finding'")
explain() { "$TLMON" explain "$finding" -l "$work/db" "$@"; }
settle() { explain -o json "$@" >"$work/explain.json" && sqlite3 "" "SELECT json_extract(readfile('$work/explain.json'), '\$.settle$at')"; }
said=$(explain)
is 'explain tries nothing unasked; its last line is the command that does' "$(grep -c Proven <<<"$said"): $(tail -n 1 <<<"$said")" \
	"0:     tlmon explain $finding --settle -l $work/db"
is '... nor does it as JSON' "$(at='' settle) $(grep -c '"settle":null' "$work/explain.json")" ' 1'
said=$(explain --settle)
is '... asked it prints the lines of the report' "$(grep -cxF -f <(field "$work/before.json" "$step" lines | sed '/^$/d; s/^/    /') <<<"$said")" \
	"$(field "$work/before.json" "$step" lines | grep -c .)"
is '... and its sentence' "$(grep -cF "  $(field "$work/before.json" "$step" say) Proven: " <<<"$said")" 1
has '... proven, and does not name the command again' "$(grep -c -- --settle <<<"$said")$said" '^0' ' Proven: '
is '... as JSON too' "$(at='[0].lines' settle --settle)" "$(field "$work/before.json" "$step" lines)"
for what in 1 'udp 10.1.2.3:50063 > 52.112.1.9:50011'; do
	said=$("$TLMON" explain "$what" --settle -l "$work/db" 2>&1)
	has "--settle is of findings, not of $what" "$? $said" '^2 tlmon: .*--settle: .*\(F17\)$'
done
step=$(head -n 1 <<<"$openers") finding=$(field "$work/before.json" "$(head -n 1 <<<"$openers")" finding)
is 'of a blocked finding explain prints the same commands' "$(at='[0].lines' settle --settle)" "$(field "$work/before.json" "$step" lines)"
