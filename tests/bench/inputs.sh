#!/bin/bash
# The four inputs of `make bench`: tests/bench/inputs.sh DIR [FOLDER]. The mix is made of the captures in FOLDER; without
# it of the golden cases, which are few and made up, and then it says so. What is already there is kept. SHARE=n makes the
# n-th part of each. DIR/NAME.pcap, DIR/NAME.yaml its site, DIR/NAME.txt what it holds.
set -eu
dir=$1 folder=${2:-} share=${SHARE:-1}
: "${B:=build/gcc}"
mkdir -p "$dir"

# make NAME SOURCE... -- COMMAND: unless it was made by the same sources and words
make_one() {
	local name=$1 key sources=()
	shift
	while [ "$1" != -- ]; do
		sources+=("$1")
		shift
	done
	shift
	key=$({
		cat "${sources[@]}" tests/lib/bulk.c
		echo "$@"
		[ "$name" != mix ] || stat -c '%n %s' "$folder"/*
	} | cksum)
	cp "tests/bench/site/$name.yaml" "$dir/$name.yaml"
	if [ "$(cat "$dir/$name.key" 2>/dev/null)" != "$key" ] || [ ! -e "$dir/$name.pcap" ]; then
		rm -f "$dir/$name.key"
		"$@" >"$dir/$name.txt" || exit 2
		[ -z "$made_up" ] || [ "$name" != mix ] || sed -i "s/^mix:/mix $made_up:/" "$dir/$name.txt"
		echo "$key" >"$dir/$name.key"
	fi
	cat "$dir/$name.txt"
}

made_up=
if [ -z "$folder" ]; then
	made_up='(of the golden cases: PCAPS=folder for real ones)'
	folder=$dir/golden
	mkdir -p "$folder"
	for case in tests/golden/*/make; do
		name=${case%/make}
		TOOLS=$PWD/$B/tools "$case" "$folder/${name##*/}.pcap" >/dev/null
	done
fi

make_one mix tests/bench/mkmix.c tests/lib/recast.c -- \
	"$B/bench/mkmix" "$dir/mix.pcap" $((2900000 / share)) "$folder"
make_one media tests/bench/mkmedia.c tests/lib/message*.c -- "$B/bench/mkmedia" "$dir/media.pcap" $((1000 / share))
make_one flood tests/bench/mkflood.c -- "$B/bench/mkflood" "$dir/flood.pcap" $((2000000 / share))
make_one short tests/bench/mkshort.c tests/lib/message*.c -- "$B/bench/mkshort" "$dir/short.pcap" $((1000000 / share))
