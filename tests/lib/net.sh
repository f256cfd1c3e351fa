# net.sh - the lab: two network namespaces and a veth pair between them, `mirror0` in $near, where the
# program looks, and `replay0` in $far, where packets come from. No address is set, so that nothing
# is on the wire but what a test sends. Sourced behind tap.sh, never run.
#
#   lab_make NAME...       or says of each NAME why it is skipped, and exits
#   inside NS CMD...       runs a command in the network of $near or $far
#   inside_exec NS CMD...  the same to be put behind with &
#   lab_end_hook           if a script defines it, it is called first at every exit
# shellcheck shell=bash disable=SC2034,SC2154

near=tlmon-near-$$ far=tlmon-far-$$

# Sanitizers make everything slower; bounds of time are multiplied by that.
case $B in *-san*) SLOW=5 ;; *) SLOW=1 ;; esac
# Bounds of time hold where there is CPU to give: they are wider where somebody waited for it in a fifth of the last ten
# seconds or a tenth of the last minute, and where nobody knows.
patience() {
	awk -F'[= ]' '/^some/ { wide = $3 > 20 || $5 > 10 } END { print NR && !wide ? 1 : 5 }' /proc/pressure/cpu 2>/dev/null || echo 5
}

# `ip netns exec` would mount /sys anew, which a chroot does not allow; entering the network is enough.
inside() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# The same to be put behind: `inside_exec NS CMD... &` makes $! the command itself.
inside_exec() {
	local ns=$1
	shift
	exec nsenter --net="/run/netns/$ns" "$@"
}

lab_end() {
	! declare -F lab_end_hook >/dev/null || lab_end_hook
	ip netns del $near 2>/dev/null
	ip netns del $far 2>/dev/null
	rm -rf "$work"
}

# skip_all REASON NAME...
skip_all() {
	local why=$1 name
	shift
	for name in "$@"; do skip "$name" "skipped: $why"; done
	exit 0
}

# The pair; also made anew after it was removed.
lab_link() {
	local ns end
	inside $near ip link add mirror0 type veth peer name replay0 netns "/run/netns/$far" || return
	for end in mirror0 replay0; do
		ns=$near
		[ $end = mirror0 ] || ns=$far
		# The kernel's own packets must not be counted; /proc/sys/net is that of whoever opens it.
		for one in all default $end; do
			inside $ns sh -c "echo 1 >/proc/sys/net/ipv6/conf/$one/disable_ipv6" 2>/dev/null
		done
		inside $ns ip link set $end addrgenmode none 2>/dev/null
		inside $ns ethtool -K $end gro off gso off tso off tx off rx off >/dev/null 2>&1
		inside $ns ip link set $end mtu 9000 up || return
	done
}

lab_make() {
	local tool
	for tool in ip ethtool nsenter sqlite3; do
		command -v $tool >/dev/null || skip_all "no $tool" "$@"
	done
	[ "$(id -u)" = 0 ] || skip_all 'not root' "$@"
	ip netns add $near 2>"$work/why" || skip_all "no network namespaces: $(cat "$work/why")" "$@"
	trap lab_end EXIT
	{ inside $near true && ip netns add $far; } 2>"$work/why" ||
		skip_all "network namespaces cannot be entered: $(cat "$work/why")" "$@"
	lab_link 2>"$work/why" || skip_all "no veth pairs: $(cat "$work/why")" "$@"
}

# Packets that mirror0 has received, as the kernel counts them.
lab_received() { inside $near awk '$1 == "mirror0:" {print $3}' /proc/net/dev; }
