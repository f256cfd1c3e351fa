/*
 * main.c - argv -> one entry of THE LIST of subcommands.
 */
#include "monitor/commands.h"
#include "monitor/log.h"
#include "dissectors/ndpi.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} LIST[] = {
#define X(name, help) {#name, help, cmd_##name},
	COMMANDS(X)
#undef X
};

static void help(FILE *out)
{
	fprintf(out,
	        "usage: tlmon COMMAND [options]      (tlmon COMMAND --help explains each)\n\n"
	        "Holds the traffic of Teamline room systems against the documented envelope of\n"
	        "ports and protocols, and says of every flow why it fits or what differs.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		fprintf(out, "  %-9s %s\n", LIST[i].name, LIST[i].help);
	fprintf(out, "\nA first look at a capture:\n"
	             "  tlmon check -r FILE.pcap --unit 192.168.1.6 --profile room,online\n"
	             "At a mirror port:\n"
	             "  tlmon watch -i eth1 -c site.yaml -l /var/lib/tlmon\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tlmon %s (nDPI %s)\n", TLMON_VERSION, ndpi_version());
		return EXIT_FINE;
	}
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		if (!strcmp(argv[1], LIST[i].name))
			return LIST[i].run(argc - 1, argv + 1);
	log_error("no command '%s'; 'tlmon --help' lists them", argv[1]);
	return EXIT_USAGE;
}
