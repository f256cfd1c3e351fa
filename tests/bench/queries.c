/*
 * queries.c - how long the questions of an incident take on a database of tests/lib/flowgen.h: the whole program,
 * from exec to exit, by the wall clock. Each restricted to a unit and a day drawn anew, or over everything.
 */
#include "schema/time.h"
#include "tests/lib/flowgen.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 40, TIMES = 3, WORDS_MAX = 32 };
#define DAY_S (24 * 3600)

/* THE LIST of what is asked. */
static const struct {
	const char *words; /* UNIT, DAY, FLOW and FINDING stand for what is drawn */
	double limit_ms;
} COMMANDS[] = {
	{"flows UNIT DAY", 50},
	{"flows UNIT DAY -o jsonl", 50},
	{"flows UNIT DAY --limit 20", 50},
	{"flows UNIT DAY --verdict outside", 50},
	{"flows UNIT DAY --verdict undetermined", 50},
	{"flows UNIT DAY --grade wide", 50},
	{"flows UNIT DAY --kind local-port", 50},
	{"flows UNIT DAY --severity high", 50},
	{"flows UNIT DAY --row online.out.audio", 50},
	{"flows UNIT DAY --peer 52.112.0.0/14", 50},
	{"flows UNIT DAY --peer *.lync.com", 50},
	{"flows UNIT DAY --port 50000-50019", 50},
	{"flows UNIT DAY --transport udp --application rtp", 50},
	{"flows UNIT DAY --media audio --direction in", 50},
	{"flows UNIT DAY --outcome unanswered", 50},
	{"flows UNIT DAY --finding FINDING", 50},
	{"flows UNIT DAY --blind", 50},
	{"flows UNIT DAY --sort -bytes_in", 50},
	{"flows UNIT DAY --count-by peer,hour", 50},
	{"flows UNIT DAY --count-by verdict,row", 50},
	{"flows UNIT DAY net 52.112.0.0/14 and udp", 50},
	{"findings UNIT DAY", 50},
	{"findings UNIT DAY --peer 162.159.0.0/16", 50},
	{"findings UNIT DAY --row online.out.audio", 50},
	{"coverage UNIT DAY", 50},
	{"units UNIT DAY", 50},
	{"blind UNIT DAY", 50},
	{"names UNIT DAY", 50},
	{"evidence UNIT DAY", 50},
	{"incident UNIT DAY", 50},
	{"explain FLOW", 50},
	{"explain FINDING", 50},
	{"findings", 100},
	{"coverage", 100},
	{"units", 100},
	{"status", 100},
};

struct database {
	char *tlmon, *dir;
	unsigned flows, units, days;
};

static unsigned draw(uint64_t *random, unsigned below)
{
	*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*random >> 33) % below;
}

static double wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Its exit code, or -1. */
static int run(const char *const *words)
{
	pid_t child = fork();
	int status;

	if (!child) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null >= 0) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO); /* "no such flows" */
		}
		execv(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Splits `text` and puts unit and day in; returns how many words. */
static unsigned fill_in(char *text, const struct database *db, uint64_t *random,
                        const char **words, char room[5][64])
{
	unsigned count = 0, day = draw(random, db->days);
	char *save = NULL;

	snprintf(room[0], 64, FLOWGEN_UNIT, 1 + draw(random, db->units));
	snprintf(room[3], 64, "%u", 1 + draw(random, db->flows));
	snprintf(room[4], 64, "F%u", 1 + draw(random, 10 * db->units));
	time_print(FLOWGEN_DAY + day * DAY_S * SECOND_US, room[1]);
	time_print(FLOWGEN_DAY + (day + 1) * DAY_S * SECOND_US - 1, room[2]);
	for (char *word = strtok_r(text, " ", &save); word && count < WORDS_MAX - 6;
	     word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "UNIT")) {
			words[count++] = "--unit";
			words[count++] = room[0];
		} else if (!strcmp(word, "DAY")) {
			words[count++] = "--since";
			words[count++] = room[1];
			words[count++] = "--until";
			words[count++] = room[2];
		} else if (!strcmp(word, "FLOW")) {
			words[count++] = room[3];
		} else if (!strcmp(word, "FINDING")) {
			words[count++] = room[4];
		} else {
			words[count++] = word;
		}
		if (count == 1) { /* the command; words of a filter come last */
			words[count++] = "-l";
			words[count++] = db->dir;
		}
	}
	return count;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 1: within its limit; 0: not; -1: it failed. */
static int measure(const struct database *db, unsigned command, uint64_t *random)
{
	double took[PAIRS], worst, cpu = cpu_ms();

	for (unsigned i = 0; i < PAIRS; i++) {
		const char *words[WORDS_MAX] = {db->tlmon};
		char text[256], room[5][64];
		unsigned count;
		int code = -1;

		text_copy(text, sizeof(text), COMMANDS[command].words);
		count = 1 + fill_in(text, db, random, words + 1, room);
		words[count] = NULL;
		/* The least of a few: what else the machine did meanwhile is not the query's. */
		took[i] = 1e9;
		for (unsigned again = 0; again < TIMES; again++) {
			double begun = wall_ms();

			code = run(words);
			begun = wall_ms() - begun;
			if (begun < took[i])
				took[i] = begun;
		}
		if (code && code != 1) {
			fprintf(stderr, "queries: 'tlmon %s' ends with %d\n",
			        COMMANDS[command].words, code);
			return -1;
		}
	}
	qsort(took, PAIRS, sizeof(took[0]), compare);
	worst = took[PAIRS * 95 / 100 - 1];
	cpu = (cpu_ms() - cpu) / (PAIRS * TIMES);
	printf("%-52s %12.1f ms     at most  %8.0f  %-6s  %5.1f\n", COMMANDS[command].words,
	       worst, COMMANDS[command].limit_ms,
	       worst <= COMMANDS[command].limit_ms ? "" : "MISSED", cpu);
	fflush(stdout);
	return worst <= COMMANDS[command].limit_ms;
}

int main(int argc, char **argv)
{
	uint64_t random = 5;
	int ret = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: queries TLMON DIR FLOWS UNITS DAYS\n");
		return 2;
	}
	const struct database db = {argv[1], argv[2], (unsigned)strtoul(argv[3], NULL, 10),
	                            (unsigned)strtoul(argv[4], NULL, 10),
	                            (unsigned)strtoul(argv[5], NULL, 10)};

	printf("p95 of %d, each of a unit and a day drawn anew, the least of %d times; %21s\n",
	       PAIRS, TIMES, "mean CPU, ms");
	for (unsigned i = 0; i < ARRAY_LEN(COMMANDS); i++) {
		int r = measure(&db, i, &random);

		if (r < 0)
			return 2;
		ret |= !r;
	}
	return ret;
}
