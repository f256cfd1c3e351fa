/*
 * test_flowdb_migrate.c - every older version of the database becomes what a fresh one is, with what was in it.
 */
#include "tests/lib/dbkit.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define OLDEST 1
#define NEWEST 5
#define DIR_NAME "/tmp/tlmon-test-XXXXXX"

static const char *const ROWS[NEWEST] = {
	[1] = "INSERT INTO run (id, version, source, inputs, filter, first_us, last_us, ended, seen)"
	      " VALUES (1, '1', 'file', 'day.pcap', '', 1000000, 9000000, 1, 7);"
	      "INSERT INTO policy VALUES (1, 'abc', 'rows', 'site');"
	      "INSERT INTO unit VALUES (1, 'boardroom', 'room', 1);"
	      "INSERT INTO host VALUES (1, zeroblob(16), '::'), (2, x'01', 'x');"
	      "INSERT INTO unit_address VALUES (1, 1, NULL, 1000000, 9000000);"
	      "INSERT INTO flow VALUES (1, 1, 1, 1, 1000000, 5, 1, 6, 1, 50000, NULL, 2, 443, NULL,"
	      " NULL, NULL, 3, 1, 0, 1, 1, 1, 1, 0, NULL, 0, 0, NULL, 1, 1, 1, 1, 0, 1 << 27, 0, 0, 0);"
	      "INSERT INTO flow_more (flow, audio, video, data, duplicates) VALUES (1, 5, 6, 7, 8);",
	[2] = "INSERT INTO run (id, version, source, inputs, filter, first_us, last_us, ended, seen,"
	      " packet_us, roles_unknown, sensor_restarts)"
	      " VALUES (1, '2', 'file', 'day.pcap', '', 1000000, 9000000, 1, 7, 9000000, '', 3);"
	      "INSERT INTO policy VALUES (1, 'abc', 'rows', 'site');"
	      "INSERT INTO unit VALUES (1, 'boardroom', 'room', 1, 1);"
	      "INSERT INTO host VALUES (1, zeroblob(16), '::'), (2, x'01', 'x');"
	      "INSERT INTO unit_address VALUES (1, 1, NULL, 1000000, 9000000);"
	      "INSERT INTO flow VALUES (1, 1, 1, 1, 1000000, 5, 1, 6, 1, 50000, NULL, 2, 443, NULL,"
	      " NULL, NULL, 3, 1, 0, 1, 1, 1, 1, 0, NULL, 0, 0, NULL, 1, 1, 1, 1, 0, 1 << 27, 0, 0, 0);"
	      "INSERT INTO flow_more (flow, audio, video, data, duplicates) VALUES (1, 5, 6, 7, 8);"
	      "INSERT INTO blind VALUES (1, 1, 3, 1, 2000000, 3000000, 4, '');"
	      "INSERT INTO evidence VALUES (1, 1, 1, NULL, 2000000, 3, 0, 60, x'0102');"
	      "INSERT INTO finding VALUES (1, 1, 1, 4, NULL, '', '', 6, '443', 3, 1, 2, 1, 1, 5, 1, 'why', '');",
	[3] = "INSERT INTO run (id, version, source, inputs, filter, first_us, last_us, ended, seen,"
	      " packet_us, roles_unknown, sensor_restarts, tunnelled)"
	      " VALUES (1, '3', 'file', 'day.pcap', '', 1000000, 9000000, 1, 7, 9000000, '', 3, 0);"
	      "INSERT INTO policy VALUES (1, 'abc', 'rows', 'site');"
	      "INSERT INTO unit VALUES (1, 'boardroom', 'room', 1, 1);"
	      "INSERT INTO host VALUES (1, zeroblob(16), '::'), (2, x'01', 'x');"
	      "INSERT INTO unit_address VALUES (1, 1, NULL, 1000000, 9000000, 1);"
	      "INSERT INTO flow VALUES (1, 1, 1, 1, 1000000, 5, 1, 6, 1, 50000, NULL, 2, 443, NULL,"
	      " NULL, NULL, 3, 1, 0, 1, 1, 1, 1, 0, NULL, 0, 0, NULL, 1, 1, 1, 1, 0, 1 << 27, 0, 0, 0);"
	      "INSERT INTO flow_more (flow, audio, video, data, duplicates) VALUES (1, 5, 6, 7, 8);"
	      "INSERT INTO blind VALUES (1, 1, 3, 1, 2000000, 3000000, 4, '');"
	      "INSERT INTO evidence VALUES (1, 1, 1, NULL, 2000000, 3, 0, 60, x'0102');"
	      "INSERT INTO finding VALUES (1, 1, 1, 4, NULL, '', '', 6, '443', 3, 1, 2, 1, 1, 5, 1, 'why', '');"
	      "INSERT INTO name VALUES (7, 'sip.corp.example');"
	      "INSERT INTO name_seen VALUES (1, 2, 2, 7, 1000000, 2000000, 5000000);"
	      "INSERT INTO lease VALUES (1, 2, 1, 1000000, 2000000, NULL, NULL, 24, x'');",
	[4] = "INSERT INTO run (id, version, source, inputs, filter, first_us, last_us, ended, seen,"
	      " packet_us, roles_unknown, sensor_restarts, tunnelled)"
	      " VALUES (1, '4', 'file', 'day.pcap', '', 1000000, 9000000, 1, 7, 9000000, '', 3, 0);"
	      "INSERT INTO policy VALUES (1, 'abc', 'rows', 'site');"
	      "INSERT INTO unit VALUES (1, 'boardroom', 'room', 1, 1);"
	      "INSERT INTO host VALUES (1, zeroblob(16), '::'), (2, x'01', 'x');"
	      "INSERT INTO unit_address VALUES (1, 1, NULL, 1000000, 9000000, 1);"
	      "INSERT INTO flow VALUES (1, 1, 1, 1, 1000000, 5, 1, 6, 1, 50000, 2, 443, NULL,"
	      " NULL, 3, 1, NULL, 0, NULL, 1, 1, 1, 1, 0, 1 << 13, 0, 0, 0);"
	      "INSERT INTO tally VALUES (1, 1, 0, 1);"
	      "INSERT INTO flow_more (flow, audio, video, data, duplicates) VALUES (1, 5, 6, 7, 8);"
	      "INSERT INTO blind VALUES (1, 1, 3, 1, 2000000, 3000000, 4, '');"
	      "INSERT INTO evidence VALUES (1, 1, 1, NULL, 2000000, 3, 0, 60, x'0102');"
	      "INSERT INTO finding VALUES (1, 1, 1, 4, NULL, '', '', 6, '443', 3, 1, 2, 1, 1, 5, 1, 'why', '');"
	      "INSERT INTO name VALUES (7, 'sip.corp.example');"
	      "INSERT INTO name_seen VALUES (1, 1, 2, 2, 2, 7, 1000000, 2000000, 5000000, 1);"
	      "INSERT INTO lease VALUES (1, 1, 2, 1, 1000000, 2000000, NULL, NULL, 24, x'', 1);",
};

/* A database as that version made it (tests/data/), with something of all it kept. */
static void make_version(const char *dir, unsigned version)
{
	static char text[65536];
	char name[64];
	FILE *file;

	snprintf(name, sizeof(name), "tests/data/flowdb-%u.sql", version);
	file = fopen(name, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	dbkit_sql(dir, text);
	snprintf(text, sizeof(text),
	         "PRAGMA journal_mode = WAL; PRAGMA application_id = 0x544c4d4e;"
	         "PRAGMA user_version = %u;",
	         version);
	dbkit_sql(dir, text);
	dbkit_sql(dir, ROWS[version]);
}

static void remove_dir(const char *dir)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

/* What ALTER TABLE cannot help: comments, and blanks around them. */
static void plain(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++) {
		if (in[0] == '-' && in[1] == '-')
			in += strcspn(in, "\n");
		if (isspace((unsigned char)*in) || !*in)
			continue;
		*out++ = *in;
	}
	*out = '\0';
}

static void must_agree(const char *fresh, const char *dir, const char *question)
{
	CLEANUP(freep)
	char *wanted = dbkit_ask(fresh, question),
	     *seen = dbkit_ask(dir, question);

	plain(wanted);
	plain(seen);
	assert_string_equal(seen, wanted);
}

static void each_version_becomes_what_a_fresh_one_is(void **state)
{
	for (unsigned version = OLDEST; version < NEWEST; version++) {
		CLEANUP(flowdb_closep) struct flowdb *db = NULL;
		CLEANUP(freep) char *number = NULL;
		char dir[] = DIR_NAME;
		struct err err = {0};
		struct dbkit fresh;

		assert_non_null(mkdtemp(dir));
		make_version(dir, version);
		if (flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0)
			fail_msg("%s", err.text);
		flowdb_closep(&db);
		dbkit_open(&fresh);
		dbkit_done(&fresh);
		must_agree(
			fresh.dir, dir,
			"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
		must_agree(
			fresh.dir, dir,
			"SELECT m.name, c.* FROM sqlite_schema m, pragma_table_xinfo(m.name) c"
			" ORDER BY m.name, c.cid");
		must_agree(fresh.dir, dir, "SELECT * FROM word ORDER BY list, id");
		number = dbkit_ask(dir, "PRAGMA user_version");
		assert_string_equal(number, "5\n");
		dbkit_close(&fresh);
		remove_dir(dir);
	}
}

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct run_view *ret = context;

	*ret = *run;
	ret->row.roles_unknown = *run->row.roles_unknown ? "some" : "";
	return 0;
}

static int take_flow(void *context, const struct flow_view *flow, struct err *err)
{
	++*(unsigned *)context;
	assert_int_equal(flow->facts.media_packets[0], 5);
	assert_int_equal(flow->facts.media_packets[3], 0);
	assert_int_equal(flow->facts.tunnel, TUNNEL_NONE);
	assert_int_equal(flow->facts.connect_port, 0);
	return 0;
}

static int take_holding(void *context, const struct holding_view *holding, struct err *err)
{
	++*(unsigned *)context;
	assert_string_equal(holding->unit, "boardroom");
	assert_int_equal(holding->at.known_by, KNOWN_BY_PACKETS);
	assert_int_equal(holding->flows, 1);
	return 0;
}

static void what_they_held_is_still_there(void **state)
{
	for (unsigned version = OLDEST; version < NEWEST; version++) {
		CLEANUP(flowdb_closep) struct flowdb *db = NULL;
		CLEANUP(freep) char *broken = NULL, *kept = NULL;
		CLEANUP(freep) char *names = NULL, *leases = NULL;
		const struct flow_query query = {.unit = "boardroom"};
		unsigned flows = 0, holdings = 0;
		struct run_view run = {0};
		char dir[] = DIR_NAME;
		struct err err = {0};

		assert_non_null(mkdtemp(dir));
		make_version(dir, version);
		assert_int_equal(flowdb_open(dir, FLOWDB_WRITE, &db, &err), 0);
		flowdb_closep(&db);
		assert_int_equal(flowdb_open(dir, FLOWDB_READ, &db, &err), 0);
		assert_int_equal(flowdb_runs(db, take_run, &run, &err), 0);
		assert_int_equal(run.counters.seen, 7);
		assert_int_equal(run.counters.tunnelled, 0);
		assert_int_equal(run.packet_us, 9000000);
		assert_int_equal(run.row.begun_us, 0);
		assert_int_equal(run.restarts.sensor, version >= 2 ? 3 : 0);
		assert_string_equal(run.row.roles_unknown, "");
		assert_int_equal(flowdb_flows(db, &query, take_flow, &flows, &err), 0);
		assert_int_equal(flows, 1);
		assert_int_equal(flowdb_holdings(db, &query, take_holding, &holdings, &err), 0);
		assert_int_equal(holdings, 1);
		flowdb_closep(&db);
		broken = dbkit_ask(dir, "PRAGMA foreign_key_check");
		assert_string_equal(broken, "");
		kept = dbkit_ask(
			dir,
			"SELECT (SELECT count(*) FROM v_blind),"
			" (SELECT count(*) FROM v_evidence),"
			" (SELECT count(*) FROM v_finding), (SELECT known_by FROM v_unit)");
		assert_string_equal(kept, version >= 2 ? "1|1|1|packets\n" : "0|0|0|packets\n");
		names = dbkit_ask(dir, "SELECT run, unit, name, counted FROM name_seen;");
		leases = dbkit_ask(dir, "SELECT run, unit, mask_bits, counted FROM lease");
		assert_string_equal(names, version >= 3 ? "1|1|7|1\n" : "");
		assert_string_equal(leases, version >= 3 ? "1|1|24|1\n" : "");
		remove_dir(dir);
	}
}

static void a_reader_of_an_older_one_is_told_who_migrates_it(void **state)
{
	for (unsigned version = OLDEST; version < NEWEST; version++) {
		CLEANUP(freep) char *number = NULL;
		char dir[] = DIR_NAME, text[128];
		struct flowdb *db = NULL;
		struct err err = {0};

		assert_non_null(mkdtemp(dir));
		make_version(dir, version);
		assert_int_equal(flowdb_open(dir, FLOWDB_READ, &db, &err), -EPROTO);
		snprintf(text, sizeof(text),
		         "version %u, written by an older tlmon; this one reads 5", version);
		assert_non_null(strstr(err.text, text));
		snprintf(text, sizeof(text), "'tlmon watch -l %s'", dir);
		assert_non_null(strstr(err.text, text));
		number = dbkit_ask(dir, "PRAGMA user_version");
		assert_int_equal(strtoul(number, NULL, 10), version);
		remove_dir(dir);
	}
}

static void a_migration_that_fails_leaves_the_version_it_was(void **state)
{
	/* In the way of something that comes late in the first step, and in the last. */
	static const char *const CASES[NEWEST][2] = {
		[1] = {"CREATE TABLE evidence (mine)", "evidence already exists"},
		[2] = {"CREATE TABLE lease (mine)", "lease already exists"},
		[3] = {"CREATE TABLE policy_use (mine)", "policy_use already exists"},
		[4] = {"CREATE TABLE differs (mine)", "differs already exists"},
	};

	for (unsigned version = OLDEST; version < NEWEST; version++)
		for (unsigned step = version; step < NEWEST; step++) {
			CLEANUP(freep) char *number = NULL, *tables = NULL;
			char dir[] = DIR_NAME;
			struct flowdb *db = NULL;
			struct err err = {0};

			assert_non_null(mkdtemp(dir));
			make_version(dir, version);
			dbkit_sql(dir, CASES[step][0]);
			assert_true(flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0);
			assert_non_null(strstr(err.text, CASES[step][1]));
			number = dbkit_ask(dir, "PRAGMA user_version");
			assert_int_equal(strtoul(number, NULL, 10), version);
			tables = dbkit_ask(dir, "SELECT name FROM pragma_table_info('flow')"
			                        " WHERE name = 'differs'");
			assert_string_equal(tables, "");
			remove_dir(dir);
		}
}

/* A flow as versions 1 to 3 stored it, with something in every part of each column that is packed now. */
static const char PACKED[] =
	"INSERT INTO host VALUES (11, x'00000000000000000000ffff0a14000f', '10.20.0.15'),"
	" (12, x'00000000000000000000ffff34700109', '52.112.1.9'), (13, x'00268c010203', '00:26:8c:01:02:03'),"
	" (14, x'00005e000101', '00:00:5e:00:01:01');"
	"INSERT INTO name VALUES (1, 'sipdir.online.lync.com');"
	"INSERT INTO envelope_row VALUES (7, 'online.out.sip'), (3, 'online.out.audio'), (5, 'online.out.video');"
	"INSERT INTO phrase VALUES (1, '50000-50019'), (2, '50063');"
	/* two rows tie with the best one; both MACs, a VLAN; every bit of how */
	"INSERT INTO flow VALUES (5, 1, 1, 1, 2000000, 70, 9, 17, 11, 50063, 13, 12, 443, 14, 42, 1, 9, 2, 3, 3, 2,"
	" 1, 2, 4, 7, 10, 2, NULL, 11, 12, 1300, 1400, 1, 1 | (1 << 1) | (4 << 3) | (1 << 6) | (2 << 7) | (1 << 10)"
	" | (1 << 12) | (2 << 14) | (3 << 16) | (1 << 24) | (1 << 26) | (1 << 28) | (1 << 31), 6171, 257, 65540);"
	"INSERT INTO flow_row VALUES (5, 1, 3), (5, 2, 5);"
	/* a peer's first packet, untagged, one MAC; outside */
	"INSERT INTO flow VALUES (6, 1, 1, 1, 3000000, 70, 10, 17, 11, 50063, NULL, 12, 443, 14, NULL, NULL, 9, 1, 1, 2,"
	" 0, 2, 0, 0, NULL, 7, 3, NULL, 11, 12, 1300, 1400, 0, (1 << 13) | (1 << 25) | (1 << 30), 0, 0, 0);"
	"INSERT INTO flow_differs VALUES (6, 0, 6, 3, 1, 2);";

static int check_packed(void *context, const struct flow_view *flow, struct err *err)
{
	const struct flow_facts *f = &flow->facts;
	bool first = flow->id == 5;

	++*(unsigned *)context;
	if (flow->id < 5)
		return 0;
	assert_int_equal(flow->local, first);
	assert_int_equal(f->end[flow->local].port, 50063);
	assert_int_equal(f->end[flow->local].mac.b[5], first ? 3 : 0);
	assert_int_equal(f->end[!flow->local].mac.b[5], 1);
	assert_int_equal(f->vlan, first ? 42 : VLAN_NONE);
	assert_string_equal(flow->name, first ? "sipdir.online.lync.com" : "");
	assert_int_equal(flow->evidence, first ? EVIDENCE_INSPECTED : EVIDENCE_DISSECTOR);
	assert_int_equal(f->media, first ? 3 : 1);
	assert_int_equal(f->outcome, first ? 3 : 2);
	assert_int_equal(flow->direction, first ? 2 : 0);
	assert_int_equal(flow->ruling, first ? 1 : 2);
	assert_int_equal(flow->grade, first ? 2 : 0);
	assert_int_equal(flow->why, first ? 4 : 0);
	assert_int_equal(flow->kind, first ? 10 : 7);
	assert_int_equal(flow->severity, first ? 2 : 3);
	assert_int_equal(flow->blind, first);
	assert_int_equal(flow->lossy, first);
	assert_int_equal(flow->asked_again, !first);
	assert_int_equal(flow->told, 0);
	assert_int_equal(f->initiator, first ? 0 : 0);
	assert_int_equal(f->initiator_by, first ? INITIATOR_SYN : INITIATOR_UNKNOWN);
	assert_int_equal(f->midstream, first);
	assert_int_equal(f->settled_by, first ? SETTLED_BUDGET : SETTLED_NOT);
	assert_int_equal(f->name_kind, first ? NAME_SNI : NAME_NONE);
	assert_int_equal(f->ice, 2); /* first: the unit, at end 1, answered; then the peer at end 1 */
	assert_int_equal(f->mtls, first ? MTLS_YES : MTLS_UNKNOWN);
	assert_int_equal(f->tls_version, first ? 3 : 0);
	assert_int_equal(f->closed, first);
	assert_int_equal(f->ip_version, first ? 4 : 6);
	assert_int_equal(f->warmup, first);
	assert_int_equal(f->solicited, 0);
	assert_int_equal(f->tries, first);
	assert_int_equal(f->inspected_packets, first);
	assert_int_equal(flow->row_count, first ? 3 : 0);
	if (first) {
		assert_string_equal(flow->rows[0], "online.out.sip");
		assert_string_equal(flow->rows[1], "online.out.audio");
		assert_string_equal(flow->rows[2], "online.out.video");
	} else {
		assert_int_equal(flow->nearest_count, 1);
		assert_string_equal(flow->nearest[0].row, "online.out.audio");
		assert_string_equal(flow->nearest[0].differs[0].expected, "50000-50019");
		assert_string_equal(flow->nearest[0].differs[0].seen, "50063");
	}
	return 0;
}

static void packed_columns_say_what_the_old_ones_did(void **state)
{
	for (unsigned version = OLDEST; version < 4; version++) {
		CLEANUP(flowdb_closep) struct flowdb *db = NULL;
		CLEANUP(freep) char *beside = NULL, *temporary = NULL;
		const struct flow_query tied = {.row = "online.out.video"};
		char dir[] = DIR_NAME;
		struct err err = {0};
		unsigned flows = 0;

		assert_non_null(mkdtemp(dir));
		make_version(dir, version);
		dbkit_sql(dir, PACKED);
		if (flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(flowdb_flows(db, &(struct flow_query){0}, check_packed, &flows, &err), 0);
		assert_int_equal(flows, 3);
		flows = 0;
		assert_int_equal(flowdb_flows(db, &tied, check_packed, &flows, &err), 0);
		assert_int_equal(flows, 1);
		flowdb_closep(&db);
		beside = dbkit_ask(dir, "SELECT unit, verdict, grade, flows FROM tally UNION ALL"
		                        " SELECT unit, port, '', '' FROM media_port UNION ALL"
		                        " SELECT count(*), '', '', '' FROM pragma_foreign_key_check");
		assert_string_equal(beside, "1|1|1|1\n1|1|2|1\n1|2|0|1\n1|50063||\n0|||\n");
		temporary = dbkit_ask(dir, "SELECT name FROM sqlite_schema WHERE name LIKE '%\\_3' ESCAPE '\\'");
		assert_string_equal(temporary, "");
		remove_dir(dir);
	}
}

/* Outside, all alike but for the port that was seen: 1, 2 and 1 << 20 differ alike, 3 in one more field, 4 in a port. */
static const char SHARED[] =
	"INSERT INTO envelope_row VALUES (3, 'online.out.audio'), (5, 'online.out.video');"
	"INSERT INTO phrase VALUES (1, '50000-50019'), (2, '50063'), (3, '50064');"
	"INSERT INTO finding VALUES (2, 1, 7, 3, 3, '', '', 17, '', 0, 1, 2, 5, 5, 10, 1, 'why', '');"
	"INSERT INTO flow SELECT x.column1, 1, 1, 1, 3000000, 70, x.column1, 17, 1, 50063, 2, 443, NULL, NULL, 9,"
	" 2, NULL, 7, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0 FROM (VALUES (11), (12), (13), (14), (1048576)) x;"
	"INSERT INTO tally VALUES (1, 2, 0, 5);"
	"INSERT INTO flow_differs VALUES (11, 0, 6, 3, 1, 2), (11, 1, 6, 5, 1, 2), (12, 0, 6, 3, 1, 2),"
	" (12, 1, 6, 5, 1, 2), (13, 0, 6, 3, 1, 2), (13, 0, 7, 3, 1, 2), (13, 1, 6, 5, 1, 2), (14, 0, 6, 3, 1, 3),"
	" (14, 1, 6, 5, 1, 2), (1048576, 0, 6, 3, 1, 2), (1048576, 1, 6, 5, 1, 2);";

static void flows_that_differ_alike_share_it(void **state)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) char *before = NULL, *after = NULL;
	CLEANUP(freep) char *named = NULL, *lines = NULL, *broken = NULL;
	char dir[] = DIR_NAME;
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_version(dir, 4);
	dbkit_sql(dir, SHARED);
	dbkit_sql(dir, "INSERT INTO word VALUES ('field', 6, 'local-port'), ('field', 7, 'media')");
	before = dbkit_ask(dir, "SELECT * FROM v_flow ORDER BY id");
	if (flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0)
		fail_msg("%s", err.text);
	flowdb_closep(&db);
	dbkit_sql(dir, "DELETE FROM word WHERE list <> 'field' OR id NOT IN (6, 7)");
	after = dbkit_ask(dir, "SELECT * FROM v_flow ORDER BY id");
	assert_non_null(strstr(after, "online.out.audio: local-port 50064, expected 50000-50019"));
	assert_string_equal(after, before);
	named = dbkit_ask(dir, "SELECT id, differs FROM flow ORDER BY id");
	assert_string_equal(named, "1|NULL\n11|11\n12|11\n13|13\n14|14\n1048576|1048576\n");
	lines = dbkit_ask(dir, "SELECT id, count(*) FROM differs GROUP BY id");
	assert_string_equal(lines, "11|2\n13|3\n14|2\n1048576|2\n");
	broken = dbkit_ask(dir, "PRAGMA foreign_key_check");
	assert_string_equal(broken, "");
	remove_dir(dir);
}

/* An archive has the ids of flows that went there: those of the flow with the highest number, which stays, are above. */
static void ids_that_an_archive_may_have_are_not_given(void **state)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) char *highest = NULL, *broken = NULL;
	char dir[] = DIR_NAME;
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	make_version(dir, 4);
	dbkit_sql(dir, SHARED);
	dbkit_sql(dir, "DELETE FROM flow WHERE id BETWEEN 2 AND 14; DELETE FROM flow_differs;"
	               "INSERT INTO removed (how, until_us, flows, place) VALUES (2, 2000000, 4, '/old')");
	if (flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0)
		fail_msg("%s", err.text);
	flowdb_closep(&db);
	highest = dbkit_ask(dir, "SELECT max(id), count(*) FROM differs");
	assert_string_equal(highest, "1048576|1\n");
	broken = dbkit_ask(dir, "PRAGMA foreign_key_check");
	assert_string_equal(broken, "");
	remove_dir(dir);
}

static void rows_that_refer_to_nothing_stop_a_migration(void **state)
{
	CLEANUP(freep) char *number = NULL;
	char dir[] = DIR_NAME;
	struct flowdb *db = NULL;
	struct err err = {0};

	assert_non_null(mkdtemp(dir));
	make_version(dir, 3);
	dbkit_sql(dir, "INSERT INTO flow_more (flow, audio) VALUES (99, 1)");
	assert_int_equal(flowdb_open(dir, FLOWDB_WRITE, &db, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "row 99 of table flow_more refers to a row of flow that is not there"));
	number = dbkit_ask(dir, "PRAGMA user_version");
	assert_string_equal(number, "3\n");
	remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_becomes_what_a_fresh_one_is),
		cmocka_unit_test(what_they_held_is_still_there),
		cmocka_unit_test(packed_columns_say_what_the_old_ones_did),
		cmocka_unit_test(flows_that_differ_alike_share_it),
		cmocka_unit_test(ids_that_an_archive_may_have_are_not_given),
		cmocka_unit_test(rows_that_refer_to_nothing_stop_a_migration),
		cmocka_unit_test(a_reader_of_an_older_one_is_told_who_migrates_it),
		cmocka_unit_test(a_migration_that_fails_leaves_the_version_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
