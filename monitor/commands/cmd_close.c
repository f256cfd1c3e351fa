/*
 * cmd_close.c - a finding is settled: who says so, and why.
 */
#include "monitor/commands.h"
#include "monitor/commands/closing.h"
#include "monitor/commands/options.h"

static const char HELP[] =
	"usage: tlmon close FINDING --reason TEXT [--by WHO] [-l DIR]\n\n"
	"Closes a finding: it was looked into and is settled. The next flow that belongs\n"
	"under it opens it again. Who closed it and why is on record (v_finding_change).\n"
	"What shall not be told of for some time is better waived: 'tlmon waive' prints\n"
	"the stanza for the site file.\n\n"
	"      --reason TEXT     why: one line\n"
	"      --by WHO          who (default: your login name)\n" LOG_HELP
	"  -h, --help            this text\n\n"
	"  tlmon close F17 --reason 'port opened on the firewall, CHG-4711'\n"
	"  tlmon findings --state closed\n";
int cmd_close(int argc, char **argv)
{
	return close_or_reopen("close", HELP, false, argc, argv);
}
