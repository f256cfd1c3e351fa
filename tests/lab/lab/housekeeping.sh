# housekeeping.sh - the upkeep of the link, and what others send on it: never a finding (domain.md 7.1).
# Sourced behind rows.sh.
# shellcheck shell=bash disable=SC2034,SC2154

housekeeping_all() {
	local unit eth
	for unit in boardroom huddle; do
		expect 'ping' $unit 'icmp * - 10.20.0.1:*' housekeeping
		act $unit ping -c 2 -i 0.2 10.20.0.1
		expect 'ping over IPv6' $unit 'icmp6 * - [2001:db8:20::1]:*' housekeeping
		act $unit ping -6 -c 2 -i 0.2 2001:db8:20::1
	done
	expect 'ping, answered by a router on the way' studio "icmp * - $stranger:*" housekeeping
	act studio ping -c 1 -W 1 -t 1 $stranger
	expect 'the unit is pinged' studio 'icmp * - 10.20.0.99:*' housekeeping
	act desk ping -c 2 -i 0.2 10.20.0.22
	expect 'DHCPv6 (socat)' boardroom 'udp 546 > [ff02::1:2]:547' housekeeping
	act boardroom sh -c "printf '\\001\\020\\010\\164\\000\\001\\000\\012\\000\\003\\000\\001\\000\\046\\214\\000\\000\\025' |
		socat - 'UDP6-SENDTO:[ff02::1:2%eth0]:547,bind=[::]:546'"
	# Groups are joined and left: IGMP and MLD.
	act boardroom timeout 1 socat -u UDP4-RECVFROM:5353,reuseaddr,ip-add-membership=224.0.0.251:10.20.0.15 /dev/null
	act boardroom timeout 1 socat -u 'UDP6-RECVFROM:5354,reuseaddr,ipv6-join-group=[ff02::fb]:eth0' /dev/null
	# LLDP, 802.1X, a spanning tree and flow control, as a unit and its switch send them.
	eth=00268c000015
	for frame in 0180c200000e${eth}88cc0207040026$eth 0180c2000003${eth}888e01010000 \
		0180c2000000${eth}0026424203000000000080000000000000010000000080000000000000018001000014000200 \
		01000ccccccc${eth}0010aaaa0300000c200002b4 0180c2000001${eth}88080001ffff; do
		act boardroom "$PWD/$B/tools/send" eth0 frame "$frame"
	done
	# What the desk tells everybody is not the units'.
	act desk kdig +retry=0 +time=1 -p 5353 @224.0.0.251 _ipp._tcp.local PTR
	act desk sh -c "echo hello | socat - UDP4-SENDTO:239.255.255.250:1900"
	act desk sh -c "echo hello | socat - UDP4-SENDTO:255.255.255.255:17500,broadcast"
	act desk sh -c "echo hello | socat - UDP4-SENDTO:10.20.0.255:137,broadcast"
	act desk llmnr-query -I eth0 -T A nobody
	settle
}
