/*
 * cmd_reopen.c - a finding that was closed is open again: who says so, and why.
 */
#include "monitor/commands.h"
#include "monitor/commands/closing.h"
#include "monitor/commands/options.h"

static const char HELP[] =
	"usage: tlmon reopen FINDING --reason TEXT [--by WHO] [-l DIR]\n\n"
	"Opens a finding again that a person or the judge closed. Who did it and why is\n"
	"on record (v_finding_change).\n\n"
	"      --reason TEXT     why: one line\n"
	"      --by WHO          who (default: your login name)\n" LOG_HELP
	"  -h, --help            this text\n\n"
	"  tlmon reopen F17 --reason 'it came back after the reboot'\n";


int cmd_reopen(int argc, char **argv)
{
	return close_or_reopen("reopen", HELP, true, argc, argv);
}
