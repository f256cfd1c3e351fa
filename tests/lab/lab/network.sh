# network.sh - the office of the lab: each host a network namespace, a switch between those on the
# units' segment, a router with a firewall before all others, and a mirror of the units' ports.
#
#   desk, unit... -- switch ($far) -- router -- world
#                       `-- replay0 => mirror0 ($near: the monitor)
#
# Every server beyond the router is an address of `world`. Sourced behind net.sh, never run.
#
#   network_make            all of it; says why and fails
#   network_unmake          ends what runs in it, removes it
#   on HOST CMD...          runs a command there, 20 s at most
#   serve HOST NAME CMD...  starts a server there; its output is $work/NAME.log
# shellcheck shell=bash disable=SC2034,SC2154

units=(boardroom huddle studio pod)
hosts=(router world desk "${units[@]}")

# Addresses on the segment; pod has its own from DHCP.
declare -A ip4=([router]=10.20.0.1 [desk]=10.20.0.99 [boardroom]=10.20.0.15 [huddle]=10.20.0.21 [studio]=10.20.0.22)
declare -A ip6=([router]=2001:db8:20::1 [desk]=2001:db8:20::99 [boardroom]=2001:db8:20::15
	[huddle]=2001:db8:20::21 [studio]=2001:db8:20::22 [pod]=2001:db8:20::23)
declare -A mac=([router]=02:00:00:00:00:01 [desk]=02:00:00:00:00:99 [boardroom]=00:26:8c:00:00:15
	[huddle]=00:26:8c:00:00:21 [studio]=00:26:8c:00:00:22 [pod]=00:26:8c:00:00:23)

dns=10.20.5.53 dns6=2001:db8:5::53 dns_closed=10.20.5.54 dns_silent=10.20.5.55 dns6_prohibited=2001:db8:5::54
dc=10.20.5.10 dc_silent=10.20.5.11
discover=10.20.5.20 sts=10.20.5.21
fe=10.20.5.30 fe_sip=10.20.5.31 fe_prohibited=10.20.5.32
edge=198.51.100.8 edge_av=198.51.100.9 edge_silent=198.51.100.10 edge_reset=198.51.100.11 edge_ms=198.51.100.12
maestro=203.0.113.20 maestro_closed=203.0.113.21 maestro_http=203.0.113.22
sfb=52.112.64.12 sfb_silent=52.112.64.13 sfb_ssh=52.112.64.14 sfb_av=52.112.1.9 sfb_relay=52.112.200.10
sfb6=2603:1037::12 proxy=10.20.5.80
login=40.126.1.1
client=192.0.2.60 relayed=192.0.2.61
resolver=8.8.8.8 impostor=203.0.113.66 stranger=203.0.113.80
world=("$dns" $dns_closed $dns_silent $dc $dc_silent $discover $sts $fe $fe_sip $fe_prohibited $edge $edge_av
	$edge_silent $edge_reset $edge_ms $maestro $maestro_closed $maestro_http $sfb $sfb_silent $sfb_ssh $sfb_av
	$sfb_relay $login $client $relayed $resolver $impostor $stranger $proxy)
world6=($dns6 $dns6_prohibited $sfb6)

ns() { echo "tlmon-$1-$$"; }

on() {
	local host=$1
	shift
	inside "$(ns "$host")" timeout 20 "$@" </dev/null
}

serve() {
	local host=$1 name=$2
	shift 2
	inside_exec "$(ns "$host")" "$@" >"$work/$name.log" 2>&1 </dev/null {never}<&- &
}

# Nothing may leave a segment to the card: the mirror shows what a wire would.
plain() { inside "$1" ethtool -K "$2" gro off gso off tso off tx off rx off >/dev/null 2>&1 || :; }

# sysctl NS KEY VALUE; in a container /proc/sys may be hidden in /proc, but not in one's own.
sysctl_set() {
	inside "$1" sh -c "echo $3 >/proc/sys/net/$2" 2>/dev/null ||
		inside "$1" unshare -m sh -c "mount -t proc proc /proc && echo $3 >/proc/sys/net/$2"
}

# host_link HOST: its eth0 is plugged into the switch.
host_link() {
	local host=$1 space
	space=$(ns "$host")
	inside "$space" ip link add eth0 address "${mac[$host]}" type veth peer name "$host" netns "/run/netns/$far" &&
		inside $far ip link set "$host" master br0 up || return
	# Addresses are those of the plan, whatever a router advertises.
	sysctl_set "$space" ipv6/conf/eth0/accept_ra 0
	plain "$space" eth0
	plain $far "$host"
	inside "$space" ip link set eth0 up || return
	[ -z "${ip4[$host]-}" ] || inside "$space" ip addr add "${ip4[$host]}/24" dev eth0 || return
	inside "$space" ip addr add "${ip6[$host]}/64" dev eth0 nodad
}

# What passes a unit's port in either direction goes to the mirror port as well.
mirror_port() {
	local way
	inside $far tc qdisc add dev "$1" clsact || return
	for way in ingress egress; do
		inside $far tc filter add dev "$1" $way protocol all prio 1 u32 match u32 0 0 \
			action mirred egress mirror dev replay0 || return
	done
}

# The firewall: one that drops, one that forbids, one that resets (design.md 5).
firewall() {
	cat <<-END
		table inet lab {
			chain gate {
				type filter hook forward priority 0; policy accept;
				ip daddr { $dc_silent, $dns_silent, $sfb_silent, $edge_silent } drop
				ip daddr $fe_prohibited tcp dport 5061 reject with icmp type admin-prohibited
				ip6 daddr $dns6_prohibited udp dport 53 reject with icmpv6 type admin-prohibited
				ip daddr $edge_reset tcp dport 443 reject with tcp reset
			}
		}
	END
}

network_make() {
	local host addr router world_ns
	router=$(ns router) world_ns=$(ns world)
	for host in "${hosts[@]}"; do
		ip netns add "$(ns "$host")" || return
		inside "$(ns "$host")" ip link set lo up || return
		# Ports that a kernel gives are none of those that an action names.
		sysctl_set "$(ns "$host")" ipv4/ip_local_port_range '24000 31999' || return
	done
	# Without snooping: groups are flooded, as a plain switch does.
	inside $far ip link add br0 type bridge mcast_snooping 0 &&
		inside $far ip link set br0 addrgenmode none up || return
	for host in router desk "${units[@]}"; do host_link "$host" || return; done
	inside "$router" ip link add wan0 type veth peer name wan0 netns "/run/netns/$world_ns" &&
		inside "$router" ip link set wan0 up && inside "$world_ns" ip link set wan0 up || return
	plain "$router" wan0
	plain "$world_ns" wan0
	inside "$router" ip addr add 10.99.0.1/30 dev wan0 && inside "$router" ip addr add 2001:db8:99::1/64 dev wan0 nodad &&
		inside "$world_ns" ip addr add 10.99.0.2/30 dev wan0 &&
		inside "$world_ns" ip addr add 2001:db8:99::2/64 dev wan0 nodad || return
	for addr in "${world[@]}"; do inside "$world_ns" ip addr add "$addr/32" dev lo || return; done
	for addr in "${world6[@]}"; do inside "$world_ns" ip addr add "$addr/128" dev lo nodad || return; done
	sysctl_set "$router" ipv4/ip_forward 1 && sysctl_set "$router" ipv6/conf/all/forwarding 1 || return
	inside "$router" ip route add default via 10.99.0.2 && inside "$router" ip route add default via 2001:db8:99::2 &&
		inside "$world_ns" ip route add default via 10.99.0.1 &&
		inside "$world_ns" ip route add default via 2001:db8:99::1 || return
	for host in desk "${units[@]}"; do
		inside "$(ns "$host")" ip route add default via 2001:db8:20::1 || return
		[ -z "${ip4[$host]-}" ] || inside "$(ns "$host")" ip route add default via 10.20.0.1 || return
	done
	firewall | inside "$router" nft -f - || return
	for host in "${units[@]}"; do mirror_port "$host" || return; done
}

# Whatever runs in our namespaces was started by us.
network_unmake() {
	local host signal
	for signal in TERM KILL; do
		for host in "${hosts[@]}"; do
			for one in $(ip netns pids "$(ns "$host")" 2>/dev/null); do kill -$signal "$one" 2>/dev/null; done
		done
		[ $signal = KILL ] || pause 0.5
	done
	wait 2>/dev/null
	for host in "${hosts[@]}"; do ip netns del "$(ns "$host")" 2>/dev/null; done
}
