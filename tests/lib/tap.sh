# tap.sh - what the test scripts share: sourced, never run. A test is one call of `ok` or `not_ok`;
# whatever is made lies in $work, which is removed on every exit.
# shellcheck shell=bash disable=SC2034

: "${B:=build/gcc}" "${TLMON:=$PWD/$B/tlmon}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ok() { echo "ok - $1"; }

# The name, and what was seen instead.
not_ok() {
	echo "not ok - $1"
	shift
	[ $# = 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

skip() { echo "ok - $1 # SKIP $2"; }

# is NAME SEEN WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "seen:   $2" "wanted: $3"; fi
}

# has NAME TEXT PATTERN...: every pattern (extended) is somewhere in the text
has() {
	local name=$1 text=$2 pattern
	shift 2
	for pattern in "$@"; do
		if ! grep -qE -- "$pattern" <<<"$text"; then
			not_ok "$name" "no '$pattern' in:" "$text"
			return
		fi
	done
	ok "$name"
}
