# measure.sh - what the measurements share: sourced, never run.
# shellcheck shell=bash

stop() {
	echo "bench: $*" >&2
	# Also out of $(...).
	kill -TERM $$
	exit 2
}
trap 'exit 2' TERM

# median COLUMN FILE
median() {
	awk -v c="$1" '{ print $c }' "$2" | sort -g | awk '{ v[NR] = $1 } END {
		print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

mib() { awk '{ printf "%.0f", $3 / 1024 }' <<<"$1"; }

peer_version() {
	local package
	package=$(dpkg-query -W -f '${Version}' libndpi-bin 2>/dev/null) || package=$("$1" -h 2>&1 | head -1)
	echo "${1##*/} $package"
}

# Lines "# WORD TAB TEXT": where, with what and of which commit.
machine() {
	printf '# date\t%s\n' "$(date -u +%F)"
	printf '# commit\t%s\n' "$(git describe --always --dirty --exclude='*' 2>/dev/null || echo unknown)"
	printf '# machine\t%s, %s cores, %s GiB\n' "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
		"$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)"
	printf '# versions\tkernel %s, %s %s, libpcap %s, nDPI %s, SQLite %s\n' "$(uname -r)" "${CC:-gcc}" \
		"$(${CC:-gcc} -dumpfullversion)" "$(pkg-config --modversion libpcap)" "$(pkg-config --modversion libndpi)" \
		"$(pkg-config --modversion sqlite3)"
	printf '# load\t%s\n' "$(cut -d' ' -f1 /proc/loadavg) when it began"
}
