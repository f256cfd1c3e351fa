#!/bin/bash
# Recorded flows under another policy: under the one in force nothing flips; under another one exactly that
# flips which a recorder under it would have judged otherwise.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export TOOLS=$PWD/$B/tools TZ=UTC

# A line a flow: when, whose, between whom, and the verdict.
verdicts() {
	"$TLMON" flows -l "$1" -o csv --columns start,unit,transport,local,local_port,remote,remote_port,verdict,grade,why,row,kind,severity
}
