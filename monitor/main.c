/*
 * main.c - argv -> one entry of THE LIST of subcommands.
 */
#include "monitor/commands.h"
#include "monitor/commands/options.h"
#include "monitor/commands/out.h"
#include "monitor/log.h"
#include "monitor/process/title.h"
#include "dissectors/ndpi.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

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
	        "usage: tlmon COMMAND [options]      (tlmon help COMMAND explains each)\n\n"
	        "Holds the traffic of Teamline room systems against the documented envelope of\n"
	        "ports and protocols, and says of every flow why it fits or what differs.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		fprintf(out, "  %-9s %s\n", LIST[i].name, LIST[i].help);
	fprintf(out, "\nA first look at a capture:\n"
	             "  tlmon check -r FILE.pcap --unit 192.168.1.6 --profile room,online\n"
	             "At a mirror port:\n"
	             "  tlmon watch -i eth1 -c site.yaml -l /var/lib/tlmon\n");
}

static int no_command(const char *word)
{
	const char *names[ARRAY_LEN(LIST)], *nearest;

	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		names[i] = LIST[i].name;
	nearest = nearest_word(word, names, ARRAY_LEN(LIST));
	log_error("no command '%s'%s%s%s; 'tlmon --help' lists them", word,
	          nearest ? " (did you mean " : "", nearest ? nearest : "",
	          nearest ? "?)" : "");
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		if (!strcmp(argv[0], LIST[i].name))
			return LIST[i].run(argc, argv);
	return no_command(argv[0]);
}

static int command(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") && argc > 2)
		return run(2, (char *[]){argv[2], (char[]){"--help"}, NULL});
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("tlmon %s (nDPI %s)\n", TLMON_VERSION, ndpi_version());
		return EXIT_FINE;
	}
	return run(argc - 1, argv + 1);
}

/*
 * A standard stream that the caller has closed would be taken by the first file that is opened. Now it is
 * there, and fails as a closed one does: what cannot be written is an error.
 */
static int streams_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -EBADF;
	return 0;
}

int main(int argc, char **argv)
{
	struct err err = {0};
	int exit_code;

	/* A reader that has had enough ends nothing: a live run goes on recording. */
	signal(SIGPIPE, SIG_IGN);
	if (streams_open() < 0 || title_init(argc, argv) < 0)
		return EXIT_USAGE;
	exit_code = command(argc, argv);
	if (exit_code == EXIT_USAGE) /* said already */
		return exit_code;
	return stream_end(stdout, &err) < 0 ? log_err(&err) : exit_code;
}
