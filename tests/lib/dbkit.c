/*
 * dbkit.c - see dbkit.h. What fails here ends the program: a test cannot go on.
 */
#include "tests/lib/dbkit.h"

#include <dirent.h>
#include <sqlite3.h>
#include <unistd.h>

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "dbkit: %s\n", err->text);
	exit(70);
}

struct addr dbkit_addr(const char *text)
{
	struct addr addr = {0};
	struct err err = {0};

	must(addr_parse(text, &addr) < 0 ? err_set(&err, -EINVAL, "%s", text) : 0, &err);
	return addr;
}

struct mac dbkit_mac(const char *text)
{
	struct mac mac = {0};
	struct err err = {0};

	must(mac_parse(text, &mac) < 0 ? err_set(&err, -EINVAL, "%s", text) : 0, &err);
	return mac;
}

void dbkit_open(struct dbkit *kit)
{
	const struct run_row run = {
		.version = "1", .source = "file", .inputs = "day.pcap", .filter = ""};
	const struct counters counters = {
		.seen = 100, .in_flows = 90, .out_of_scope = 10, .flows = 3};
	struct err err = {0};

	memset(kit, 0, sizeof(*kit));
	text_copy(kit->dir, sizeof(kit->dir), "/tmp/tlmon-test-XXXXXX");
	if (!mkdtemp(kit->dir))
		must(err_set(&err, -errno, "%s: %s", kit->dir, strerror(errno)), &err);
	must(flowdb_open(kit->dir, FLOWDB_WRITE, &kit->db, &err), &err);
	must(flowdb_begin(kit->db, &err), &err);
	must(flowdb_run_begin(kit->db, &run, &kit->run, &err), &err);
	must(flowdb_run_update(kit->db, kit->run, DBKIT_DAY,
	                       DBKIT_DAY + 86400 * INT64_C(1000000), true, &counters, &err),
	     &err);
	must(flowdb_policy_put(kit->db, "0123456789abcdef", "rows", "site", &kit->policy, &err),
	     &err);
	kit->unit = dbkit_unit(kit, "boardroom");
}

int64_t dbkit_unit(struct dbkit *kit, const char *name)
{
	struct err err = {0};
	int64_t id = 0;

	must(flowdb_unit_put(kit->db, name, "room, online", true, &id, &err), &err);
	return id;
}

void dbkit_done(struct dbkit *kit)
{
	struct err err = {0};

	must(flowdb_commit(kit->db, &err), &err);
	flowdb_close(kit->db);
	kit->db = NULL;
}

void dbkit_close(struct dbkit *kit)
{
	DIR *dir = opendir(kit->dir);
	char path[512];

	flowdb_close(kit->db);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		snprintf(path, sizeof(path), "%s/%s", kit->dir, entry->d_name);
		unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(kit->dir);
}

struct flow_facts dbkit_facts(int second, const char *peer, uint16_t port)
{
	static uint64_t number;
	struct flow_facts facts = {
		.id = ++number,
		.first_us = DBKIT_DAY + second * INT64_C(1000000),
		.last_us = DBKIT_DAY + (second + 10) * INT64_C(1000000),
		.packets = {10, 9},
		.bytes = {1000, 9000},
		.transport = TRANSPORT_TCP,
		.ip_version = 4,
		.vlan = VLAN_NONE,
		.initiator_by = INITIATOR_SYN,
		.outcome = OUTCOME_ANSWERED,
		.app = APP_TLS,
		.evidence = EVIDENCE_DISSECTOR,
		.payload_types = {0xff, 0xff, 0xff, 0xff},
	};

	facts.end[0].addr = dbkit_addr("10.20.0.15");
	facts.end[1].addr = dbkit_addr(peer);
	facts.end[0].port = 50000;
	facts.end[1].port = port;
	return facts;
}

int64_t dbkit_flow(struct dbkit *kit, const struct flow_facts *facts, const char *row,
                   int64_t finding)
{
	struct verdict verdict = {.ruling = RULING_DOCUMENTED,
	                          .grade = GRADE_EXACT,
	                          .direction = DIRECTION_OUT,
	                          .row_count = 1};
	struct flow_row flow = {
		.run = kit->run,
		.policy = kit->policy,
		.unit = kit->unit,
		.facts = facts,
		.name = "",
		.app = facts->app,
		.evidence = facts->evidence,
		.verdict = &verdict,
		.rows = {row},
		.finding = finding,
	};
	struct err err = {0};
	int64_t id = 0;

	if (!row) {
		verdict = (struct verdict){
			.ruling = RULING_OUTSIDE,
			.kind = KIND_REMOTE_PORT,
			.severity = SEVERITY_MEDIUM,
			.direction = DIRECTION_OUT,
			.nearest_count = 1,
			.nearest = {{.count = 1,
		                     .differs = {{FIELD_REMOTE_PORT, "50000-59999", "16332"}}}},
		};
		flow.nearest[0] = "online.out.audio";
	}
	must(flowdb_flow_put(kit->db, &flow, &id, &err), &err);
	return id;
}

int64_t dbkit_finding(struct dbkit *kit, int64_t unit, enum kind kind, enum severity severity,
                      const char *remote, uint64_t flows)
{
	struct finding_row row = {
		.unit = unit,
		.kind = (uint8_t)kind,
		.severity = (uint8_t)severity,
		.transport = TRANSPORT_UDP,
		.row = "online.out.audio",
		.port = "50000-59999",
		.app = APP_RTP,
		.first_us = DBKIT_DAY,
		.last_us = DBKIT_DAY + 3600 * INT64_C(1000000),
		.flows = flows,
		.kept = flows,
		.bytes = 1000 * flows,
		.open = true,
	};
	struct err err = {0};
	int64_t id = 0;

	text_copy(row.remote, sizeof(row.remote), remote);
	snprintf(row.reason, sizeof(row.reason), "%s, as %llu flows show", kind_sentence(kind),
	         (unsigned long long)flows);
	must(flowdb_finding_put(kit->db, &row, &id, &err), &err);
	return id;
}

static void fail(const char *what, const char *why)
{
	struct err err;

	must(err_set(&err, -EIO, "%s: %s", what, why), &err);
}

static void print_rows(sqlite3_stmt *stmt, FILE *out)
{
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			fprintf(out, "%s%s", i ? "|" : "",
			        sqlite3_column_text(stmt, i)
			                ? (const char *)sqlite3_column_text(stmt, i)
			                : "NULL");
		fputc('\n', out);
	}
}

char *dbkit_ask(const char *dir, const char *text)
{
	char path[128], *lines = NULL;
	size_t size = 0;
	sqlite3 *db;
	FILE *out = open_memstream(&lines, &size);

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	if (sqlite3_open(path, &db))
		fail(path, sqlite3_errmsg(db));
	while (*text) {
		sqlite3_stmt *stmt = NULL;

		if (sqlite3_prepare_v2(db, text, -1, &stmt, &text))
			fail(text, sqlite3_errmsg(db));
		print_rows(stmt, out);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	fclose(out);
	return lines;
}

void dbkit_sql(const char *dir, const char *text)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	if (sqlite3_open(path, &db))
		fail(path, sqlite3_errmsg(db));
	if (sqlite3_exec(db, text, NULL, NULL, NULL))
		fail(text, sqlite3_errmsg(db));
	sqlite3_close(db);
}
