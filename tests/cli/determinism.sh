#!/bin/bash
# The same capture and policy give the same flows and findings, byte for byte (design.md 9.6): two runs,
# and a run that reads the capture from standard input.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

for tool in mkdemo mkfleet; do
	site=tests/demo/$([ $tool = mkdemo ] && echo site || echo fleet).yaml
	"$B/tools/$tool" "$work/$tool.pcap"
	"$B/tools/$tool" "$work/again.pcap"
	cmp -s "$work/$tool.pcap" "$work/again.pcap" && ok "$tool makes the same capture twice" ||
		not_ok "$tool makes the same capture twice"
	for run in first second; do
		"$TLMON" watch -r "$work/$tool.pcap" -c $site -l "$work/$tool-$run" >"$work/out" 2>&1 ||
			not_ok "$tool is watched" "$(cat "$work/out")"
	done
	"$TLMON" watch -r - -c $site -l "$work/$tool-stdin" <"$work/$tool.pcap" >"$work/out" 2>&1 ||
		not_ok "$tool is watched from standard input" "$(cat "$work/out")"
	for what in flows findings; do
		for run in first second stdin; do
			"$TLMON" $what -l "$work/$tool-$run" -o jsonl >"$work/$run.jsonl"
		done
		[ -s "$work/first.jsonl" ] && ok "$tool has $what" || not_ok "$tool has $what"
		cmp -s "$work/first.jsonl" "$work/second.jsonl" && ok "two runs over $tool give the same $what" ||
			not_ok "two runs over $tool give the same $what" \
				"$(diff "$work/first.jsonl" "$work/second.jsonl" | head -5)"
		cmp -s "$work/first.jsonl" "$work/stdin.jsonl" && ok "standard input gives the same $what of $tool" ||
			not_ok "standard input gives the same $what of $tool" \
				"$(diff "$work/first.jsonl" "$work/stdin.jsonl" | head -5)"
	done
done
