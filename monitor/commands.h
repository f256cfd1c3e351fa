/*
 * commands.h - THE LIST of subcommands. Each is a function cmd_<name>() in
 * monitor/commands/cmd_<name>.c that gets its own argv (argv[0] is the word) and returns the
 * exit code: 0 fine, 1 no (not accepted, nothing found where that is an error), 2 usage or configuration,
 * 3 undetermined (check alone).
 */
#ifndef MONITOR_COMMANDS_H
#define MONITOR_COMMANDS_H

#define COMMANDS(X) \
	X(watch, "judge every flow of the units, live or from capture files") \
	X(check, "acceptance: every documented row against what was seen") \
	X(suggest, "a site file proposed from what was seen, with its evidence") \
	X(flows, "recorded flows and their verdicts") \
	X(findings, "what left the envelope or was blocked, worst first") \
	X(units, "who had which address when, and how that is known") \
	X(coverage, "which documented rows the units used, and how") \
	X(blind, "when not everything could be seen, and why") \
	X(names, "which address held which name, as DNS said") \
	X(status, "how the monitor stands: running, units, findings, blindness") \
	X(incident, "a report: what a unit did in a window, and were we looking") \
	X(whatif, "recorded flows under another site or envelope: what flips") \
	X(evidence, "the packets kept for a finding, as a list or as a pcapng file") \
	X(explain, "why a flow, a finding or a tuple by hand is judged so") \
	X(rules, "the documented rows: list, lint, diff") \
	X(rejudge, "recorded flows under another site or envelope, for good") \
	X(close, "a finding is settled: who says so, and why") \
	X(reopen, "a finding that was closed is open again") \
	X(db, "upkeep of the database: stats, check, compact, snapshot, archive") \
	X(waive, "print the waiver to add to the site file for a finding") \
	X(doctor, "is a mirror fit to judge by? this host? --sandbox: the roles")

#define X(name, help) int cmd_##name(int argc, char **argv);
COMMANDS(X)
#undef X

enum { EXIT_FINE = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_UNDETERMINED = 3 };

#endif
