# expect.sh - what each action is about to do, written down before it does it, and held against what
# the monitor recorded. Sourced, never run.
#
#   expect LABEL UNIT 'TRANSPORT LOCAL-PORT WAY REMOTE:PORT' WHAT...
#       WAY: '>' the unit opens, '<' the peer does, '-' whichever; '*' any local or remote port
#       WHAT: documented GRADE ROW [KIND] | outside KIND SEVERITY ROW | undetermined WHY | housekeeping
#             and of either app=APP media=MEDIA; '*' any, 'a|b' either
#   expect_compare DIR      against the flows and findings in DIR; a TAP line for each label
# shellcheck shell=bash disable=SC2154

: >"$work/expected"

expect() {
	local label=$1 unit=$2 tuple=$3 verdict=$4 word way peer transport port
	local grade='*' row='*' kind='*' severity='*' why='*' app='*' media='*'
	read -r transport port way peer <<<"$tuple"
	shift 4
	case $verdict in
	documented)
		grade=$1 row=$2 kind=''
		shift 2
		;;
	outside)
		kind=$1 severity=$2 row=$3
		shift 3
		;;
	undetermined)
		why=$1
		shift
		;;
	esac
	for word in "$@"; do
		case $word in
		app=*) app=${word#*=} ;;
		media=*) media=${word#*=} ;;
		*) kind=$word ;;
		esac
	done
	case $way in '>') way=out ;; '<') way=in ;; *) way='*' ;; esac
	word=${peer%:*} word=${word#[} word=${word%]}
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$label" "$unit" "$transport" "$port" "$way" \
		"$word" "${peer##*:}" "$verdict" "$grade" "$row" "$kind" "$severity" "$why" "$app" "$media" >>"$work/expected"
}

# Prints a table, then a TAP line for each label, one for flows nobody meant, one for findings nobody meant.
expect_compare() {
	"$TLMON" flows -l "$1" -o jsonl >"$work/flows.jsonl" && "$TLMON" findings -l "$1" -o jsonl --state all >"$work/findings.jsonl" ||
		return
	(cd "$work" && sqlite3 -bail :memory: ".read $here/compare.sql" '.mode list' '.separator " "' '.once table' \
		'SELECT line FROM table_line' '.once tap' 'SELECT line FROM tap_line' '.once totals' 'SELECT * FROM total') || return
	sed 's/^/# /' "$work/table"
	cat "$work/tap"
}
