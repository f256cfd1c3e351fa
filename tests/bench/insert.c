/*
 * insert.c - how fast flows are written. The same flows go through flowdb_flow_put(), with commits as
 * the recorder does them, and as bare statements of the same columns into a second database of the same tables
 * and indices; by turns, so that what else the machine does meets both. Counts CPU, not waiting.
 */
#include "schema/flowdb_sql.h"
#include "tests/lib/flowgen.h"

#include <time.h>
#include <unistd.h>

/*
 * The recorder commits once a second (monitor/recorder.c): at the least rate that is asked for, every 200,000 rows. Half
 * of that is taken; they are made in portions.
 */
enum { PORTION = 10000, COMMIT_ROWS = 100000 };
#define RATE_MIN 200000
#define RATIO_MAX 1.5

/* The tables that a flow is written to, with what they are asked and told. */
static const struct {
	const char *read, *write;
	int columns;
} TABLES[] = {
#define FLOW \
	"run, policy, unit, start_us, lasted_us, packet, transport, local, local_port, remote," \
	" remote_port, link, name, application, verdict, row, kind, finding, packets_out, packets_in," \
	" bytes_out, bytes_in, said, how, tcp_flags, asked, payloads, differs"
	{"SELECT id, " FLOW " FROM flow WHERE id > ?1 ORDER BY id",
         "INSERT INTO flow (" FLOW
         ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
         " ?, ?, ?, ?, ?, ?, ?)",
         29},
#define MORE \
	"flow, payload_types, audio, video, data, icmp, icmp_sender, fragments, truncated, duplicates," \
	" relayed, relayed_port, first_try_us, last_try_us, not_apps_low, not_apps_high, chaddr, dhcp_xid," \
	" dhcp_type, other, by_shape, connect_port, tunnel, connect_status"
	{"SELECT " MORE " FROM flow_more WHERE flow > ?1 ORDER BY flow",
         "INSERT INTO flow_more (" MORE
         ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
         24},
#define DIFFERS "id, rank, field, row, expected, seen"
	{"SELECT " DIFFERS " FROM differs WHERE id > ?1 ORDER BY id, rank, field",
         "INSERT INTO differs (" DIFFERS ") VALUES (?, ?, ?, ?, ?, ?)", 6},
};
/* The last one has its own numbers, as the last column of the first names them: by the first flow that has it. */
enum { OF_FLOW = 0, OF_DIFFERS = ARRAY_LEN(TABLES) - 1 };

struct bare {
	struct flowdb *db;
	sqlite3_stmt *write[ARRAY_LEN(TABLES)];
	int64_t *values[ARRAY_LEN(TABLES)]; /* of the flows in hand, in order */
	size_t count[ARRAY_LEN(TABLES)], room[ARRAY_LEN(TABLES)];
};

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What the flows behind `after` have become in the first database, and the differences behind `shared`. */
static int take_over(struct bare *bare, struct flowdb *from, int64_t after, int64_t shared,
                     struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
		int r = sql_prepare(from, TABLES[i].read, &stmt, err);

		bare->count[i] = 0;
		if (r < 0)
			return r;
		sqlite3_bind_int64(stmt, 1, i == OF_DIFFERS ? shared : after);
		while ((r = sql_step(from, stmt, err)) > 0) {
			int columns = TABLES[i].columns;
			size_t want = (bare->count[i] + 1) * (size_t)columns;
			int64_t *row;

			if (array_reserve(&bare->values[i], &bare->room[i], want,
			                  sizeof(int64_t)) < 0)
				return err_set(err, -ENOMEM, "out of memory");
			row = bare->values[i] + bare->count[i]++ * (size_t)columns;
			for (int j = 0; j < columns; j++)
				row[j] = sqlite3_column_type(stmt, j) == SQLITE_NULL
				                 ? SQL_NULL
				                 : sqlite3_column_int64(stmt, j);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_bare(struct bare *bare, bool commit, double *seconds, struct err *err)
{
	double begun = cpu_s();
	int r = 0;

	/* Flow by flow, as they come: a table of few rows is written between them. */
	size_t at[ARRAY_LEN(TABLES)] = {0};

	for (size_t flow = 0; flow < bare->count[0]; flow++) {
		const int64_t *values =
			&bare->values[OF_FLOW][flow * (size_t)TABLES[OF_FLOW].columns];

		for (size_t i = 0; i < ARRAY_LEN(TABLES); i++)
			for (; at[i] < bare->count[i]; at[i]++) {
				const int64_t *row =
					bare->values[i] + at[i] * (size_t)TABLES[i].columns;

				if (row[0] !=
				    values[i == OF_DIFFERS ? TABLES[OF_FLOW].columns - 1 : 0])
					break;
				/* A flow is appended without its id, as flowdb_flow_put() does it. */
				bind_all(bare->write[i], row + !i,
				         (size_t)TABLES[i].columns - !i);
				if (sqlite3_step(bare->write[i]) != SQLITE_DONE)
					return sql_error(bare->db, SQLITE_ERROR, err);
				sqlite3_reset(bare->write[i]);
			}
	}
	if (commit)
		r = sql_exec(bare->db, "COMMIT; BEGIN IMMEDIATE", err);
	*seconds += cpu_s() - begun;
	return r;
}

static int put_flows(struct flowdb *db, const struct flow_row *flows, size_t count, bool commit,
                     double *seconds, struct err *err)
{
	double begun = cpu_s();
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		int64_t id = 0;

		r = flowdb_flow_put(db, &flows[i], &id, err);
	}
	if (r >= 0 && commit)
		r = flowdb_commit(db, err);
	if (r >= 0 && commit)
		r = flowdb_begin(db, err);
	*seconds += cpu_s() - begun;
	return r;
}

static int open_bare(struct bare *bare, const char *dir, struct err *err)
{
	int r = flowdb_open(dir, FLOWDB_WRITE, &bare->db, err);

	if (r >= 0)
		r = sql_exec(bare->db, "BEGIN IMMEDIATE", err);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(TABLES); i++)
		r = sql_prepare(bare->db, TABLES[i].write, &bare->write[i], err);
	return r;
}

static void close_bare(struct bare *bare)
{
	for (size_t i = 0; i < ARRAY_LEN(TABLES); i++) {
		sqlite3_finalize(bare->write[i]);
		free(bare->values[i]);
	}
	flowdb_close(bare->db);
}

/* A name lives until the next flow only. */
static void free_names(struct flow_row *flows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)flows[i].name);
		flows[i].name = NULL;
	}
}

static int race(struct flowdb *db, struct bare *bare, uint64_t total, double *ours,
                double *theirs, struct err *err)
{
	const struct flowgen_size size = {.flows = total, .units = 300, .days = 30, .seed = 5};
	CLEANUP(freep) struct flow_row *flows = calloc(PORTION, sizeof(*flows));
	CLEANUP(freep) struct flow_facts *facts = calloc(PORTION, sizeof(*facts));
	CLEANUP(freep) struct verdict *verdicts = calloc(PORTION, sizeof(*verdicts));
	CLEANUP(flowgen_freep) struct flowgen *gen = NULL;
	int64_t last = 0, shared = 0;
	int r = flows && facts && verdicts ? flowgen_new(db, &size, &gen, err) : -ENOMEM;

	for (uint64_t done = PORTION; r >= 0; done += PORTION) {
		bool commit = done % COMMIT_ROWS == 0 || done >= total;
		size_t count = 0;

		while (count < PORTION && (r = flowgen_next(gen, &flows[count], &facts[count],
		                                            &verdicts[count], err)) > 0) {
			flows[count].name = strdup(flows[count].name);
			count++;
		}
		if (r >= 0 && count)
			r = put_flows(db, flows, count, commit, ours, err);
		free_names(flows, count);
		if (r < 0 || !count)
			break;
		r = take_over(bare, db, last, shared, err);
		last += (int64_t)count;
		if (r >= 0 && bare->count[OF_DIFFERS])
			shared = bare->values[OF_DIFFERS][(bare->count[OF_DIFFERS] - 1) *
			                                  (size_t)TABLES[OF_DIFFERS].columns];
		if (r >= 0)
			r = put_bare(bare, commit, theirs, err);
	}
	return r;
}

static int measure(uint64_t total, const char *dirs[2], double *ours, double *theirs,
                   struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct bare bare = {0};
	int r = flowdb_open(dirs[0], FLOWDB_WRITE, &db, err);

	if (r >= 0)
		r = flowdb_begin(db, err);
	if (r >= 0)
		r = open_bare(&bare, dirs[1], err);
	if (r >= 0)
		r = race(db, &bare, total, ours, theirs, err);
	close_bare(&bare);
	return r;
}

static bool line(const char *what, double value, const char *unit, double limit, bool least)
{
	bool holds = least ? value >= limit : value <= limit;

	printf("%-52s %12.*f %-6s %-8s %8.*f  %s\n", what, limit < 10 ? 2 : 0, value, unit,
	       least ? "at least" : "at most", limit < 10 ? 1 : 0, limit,
	       holds ? "" : "MISSED");
	return holds;
}

int main(int argc, char **argv)
{
	double ours = 0, theirs = 0;
	uint64_t total = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
	struct err err = {0};
	bool holds;

	if (!total) {
		fprintf(stderr, "usage: insert FLOWS DIR DIR\n");
		return 2;
	}
	if (measure(total, (const char *[]){argv[2], argv[3]}, &ours, &theirs, &err) < 0) {
		fprintf(stderr, "insert: %s\n", err.text);
		return 2;
	}
	printf("%-52s %12.0f /s\n", "bare statements, flows a second of CPU",
	       (double)total / theirs);
	holds = line("flowdb_flow_put(), flows a second of CPU", (double)total / ours, "/s",
	             RATE_MIN, true);
	holds &= line("... its CPU, times that of bare statements", ours / theirs, "",
	              RATIO_MAX, false);
	return holds ? 0 : 1;
}
