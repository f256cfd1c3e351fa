/*
 * test_flowdb.c - the flow database: what it refuses to open, and that it gives back what it got.
 */
#include "tests/lib/dbkit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Runs SQL on DIR/flows.db as any program could; makes it if need be. */
static void sql(const char *dir, const char *text)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void file_write(const char *dir, const char *name, const void *data, size_t len)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	fclose(file);
}

static size_t file_read(const char *dir, const char *name, char *data, size_t room)
{
	char path[128];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file)
		return 0;
	len = fread(data, 1, room, file);
	fclose(file);
	return len;
}

/* Opening fails with this code and a message that holds these words. */
static void refused(const char *dir, enum flowdb_mode mode, int code, const char *words)
{
	struct flowdb *db = NULL;
	struct err err = {0};
	int r = flowdb_open(dir, mode, &db, &err);

	assert_null(db);
	assert_int_equal(r, code);
	if (!strstr(err.text, words))
		fail_msg("no '%s' in: %s", words, err.text);
}

static int setup(void **state)
{
	struct dbkit *kit = malloc(sizeof(*kit));

	dbkit_open(kit);
	*state = kit;
	return 0;
}

static int teardown(void **state)
{
	dbkit_close(*state);
	free(*state);
	return 0;
}

static void a_missing_database_is_refused_to_readers_and_not_made(void **state)
{
	refused("/tmp/tlmon-no-such-dir", FLOWDB_READ, -ENOENT, "no flow database there");
	assert_int_equal(access("/tmp/tlmon-no-such-dir", F_OK), -1);
	refused("/tmp/tlmon-no-such-dir/deeper", FLOWDB_WRITE, -ENOENT,
		"the directory cannot be made");
	assert_int_equal(access("/tmp/tlmon-no-such-dir", F_OK), -1);
}

static void a_writer_makes_directory_and_file_readable_by_group_alone(void **state)
{
	struct dbkit *kit = *state;
	char dir[96], path[128];
	struct flowdb *db = NULL;
	struct err err = {0};
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/new", kit->dir);
	snprintf(path, sizeof(path), "%s/flows.db", dir);
	assert_int_equal(flowdb_open(dir, FLOWDB_WRITE, &db, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	flowdb_close(db);
	unlink(path);
	rmdir(dir);
}

static void a_second_writer_is_refused_while_the_first_lives(void **state)
{
	struct dbkit *kit = *state;
	struct flowdb *db = NULL;
	struct err err = {0};

	refused(kit->dir, FLOWDB_WRITE, -EBUSY, "another tlmon is writing here");
	dbkit_done(kit);
	assert_int_equal(flowdb_open(kit->dir, FLOWDB_WRITE, &db, &err), 0);
	flowdb_close(db);
}

static void a_file_that_is_no_database_is_refused_and_left_alone(void **state)
{
	static const char text[] =
		"These are the minutes of a meeting, long enough to be looked at as a header, "
		"and they are certainly not a database of anybody's.";
	struct dbkit *kit = *state;
	char after[256];

	dbkit_done(kit);
	file_write(kit->dir, "flows.db", text, sizeof(text));
	refused(kit->dir, FLOWDB_READ, -EBADMSG, "not a database");
	refused(kit->dir, FLOWDB_WRITE, -EBADMSG, "not a database");
	assert_int_equal(file_read(kit->dir, "flows.db", after, sizeof(after)), sizeof(text));
	assert_memory_equal(after, text, sizeof(text));
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
	struct dbkit *kit = *state;
	static char before[65536], after[65536];
	char path[128];
	size_t len;

	dbkit_done(kit);
	snprintf(path, sizeof(path), "%s/flows.db", kit->dir);
	unlink(path);
	sql(kit->dir, "CREATE TABLE mine (a); PRAGMA application_id = 7");
	len = file_read(kit->dir, "flows.db", before, sizeof(before));
	refused(kit->dir, FLOWDB_READ, -EINVAL,
		"a database of another program (application_id 0x00000007");
	refused(kit->dir, FLOWDB_WRITE, -EINVAL, "a database of another program");
	assert_int_equal(file_read(kit->dir, "flows.db", after, sizeof(after)), len);
	assert_memory_equal(after, before, len);
	unlink(path);
	sql(kit->dir, "CREATE TABLE mine (a)"); /* says nothing of whose it is */
	refused(kit->dir, FLOWDB_WRITE, -EINVAL, "a database of another program");
}

static void a_newer_version_is_refused_by_number(void **state)
{
	struct dbkit *kit = *state;

	dbkit_done(kit);
	sql(kit->dir, "PRAGMA user_version = 9");
	refused(kit->dir, FLOWDB_READ, -EINVAL,
		"version 9, written by a newer tlmon; this one knows up to 5");
	refused(kit->dir, FLOWDB_WRITE, -EINVAL, "version 9");
}

static void an_empty_file_is_refused_to_readers(void **state)
{
	struct dbkit *kit = *state;

	dbkit_done(kit);
	file_write(kit->dir, "flows.db", "", 0);
	refused(kit->dir, FLOWDB_READ, -ENODATA, "nothing was ever recorded here");
}

static void a_truncated_database_fails_with_a_message_wherever_it_is_cut(void **state)
{
	static char whole[1 << 20];
	struct dbkit *kit = *state;
	size_t len;

	for (int i = 0; i < 200; i++) {
		struct flow_facts facts = dbkit_facts(i, "52.112.1.9", 443);

		dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	}
	dbkit_done(kit);
	len = file_read(kit->dir, "flows.db", whole, sizeof(whole));
	assert_true(len > 16384);
	for (size_t cut = 50; cut < len; cut += 2048) {
		struct flowdb *db = NULL;
		struct err err = {0};
		struct span span;
		int r;

		file_write(kit->dir, "flows.db", whole, cut);
		r = flowdb_open(kit->dir, FLOWDB_READ, &db, &err);
		if (r >= 0)
			r = flowdb_span(db, &span, &err);
		assert_int_equal(r, -EBADMSG);
		assert_non_null(strstr(err.text, "flows.db"));
		flowdb_close(db);
	}
}

/* Whether all is there for a reader: one unit, one flow. */
static int read_all(const char *dir)
{
	struct flowdb *db = NULL;
	struct err err = {0};
	struct span span = {0};
	int r = flowdb_open(dir, FLOWDB_READ, &db, &err);

	if (r >= 0)
		r = flowdb_span(db, &span, &err);
	if (r >= 0)
		r = flowdb_check(db, &err);
	flowdb_close(db);
	if (r < 0)
		fprintf(stderr, "reader: %s\n", err.text);
	return r < 0 ? r : span.units == 1 && span.flows == 1 ? 0 : 1;
}

/* As another user, who can write nothing there. */
static int read_as_nobody(const char *dir)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(3);
		_exit(read_all(dir) ? 1 : 0);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void chmod_all(const struct dbkit *kit, mode_t dir, mode_t file)
{
	static const char *const names[] = {"flows.db", "flows.db-wal", "flows.db-shm"};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", kit->dir, names[i]);
		chmod(path, file);
	}
	chmod(kit->dir, dir);
}

static void a_reader_works_in_a_read_only_directory_and_leaves_nothing(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(1, "52.112.1.9", 443);
	char path[128];

	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	dbkit_done(kit);
	chmod_all(kit, 0555, 0444);
	assert_int_equal(read_as_nobody(kit->dir), 0);
	chmod_all(kit, 0755, 0644);
	assert_int_equal(read_all(kit->dir), 0);
	snprintf(path, sizeof(path), "%s/flows.db-wal", kit->dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/flows.db-shm", kit->dir);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_reader_sees_what_a_living_writer_committed(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(1, "52.112.1.9", 443);
	struct err err;

	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	assert_int_equal(flowdb_commit(kit->db, &err), 0);
	assert_int_equal(flowdb_begin(kit->db, &err), 0);
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0); /* not yet committed */
	assert_int_equal(read_all(kit->dir), 0);
	chmod_all(kit, 0555,
		  0444); /* a reader who may not write: shares the -shm that is there */
	assert_int_equal(read_as_nobody(kit->dir), 0);
	chmod_all(kit, 0755, 0644);
	flowdb_rollback(kit->db);
}

static void what_is_committed_survives_a_writer_that_is_killed(void **state)
{
	struct dbkit *kit = *state;
	int status;
	pid_t child;

	dbkit_done(kit);
	child = fork();
	if (!child) {
		struct flow_facts facts = dbkit_facts(1, "52.112.1.9", 443);
		struct err err;

		if (flowdb_open(kit->dir, FLOWDB_WRITE, &kit->db, &err) < 0 ||
		    flowdb_begin(kit->db, &err) < 0)
			_exit(1);
		dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
		if (flowdb_commit(kit->db, &err) < 0 || flowdb_begin(kit->db, &err) < 0)
			_exit(1);
		dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(read_all(kit->dir), 0);
	chmod_all(kit, 0555, 0444);
	assert_int_equal(read_as_nobody(kit->dir), 0);
	chmod_all(kit, 0755, 0644);
}

/* Copies of flows.db and its -wal without the -shm, where a reader can make none. */
static void a_wal_is_read_where_nothing_can_be_written_unless_somebody_writes_there(void **state)
{
	static char whole[1 << 20], wal[1 << 20];
	struct dbkit *kit = *state, copy = {.dir = "/tmp/tlmon-test-XXXXXX"};
	struct flow_facts facts = dbkit_facts(1, "52.112.1.9", 443);
	size_t len, wal_len;
	struct err err;
	int status, lock;
	pid_t child;

	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	assert_int_equal(flowdb_commit(kit->db, &err), 0);
	len = file_read(kit->dir, "flows.db", whole, sizeof(whole));
	wal_len = file_read(kit->dir, "flows.db-wal", wal, sizeof(wal));
	assert_true(wal_len > 0);
	assert_non_null(mkdtemp(copy.dir));
	file_write(copy.dir, "flows.db", whole, len);
	file_write(copy.dir, "flows.db-wal", wal, wal_len);
	chmod_all(&copy, 0555, 0444);
	assert_int_equal(read_as_nobody(copy.dir), 0);
	lock = open(copy.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	child = fork();
	if (!child) {
		struct flowdb *db = NULL;

		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(3);
		_exit(flowdb_open(copy.dir, FLOWDB_READ, &db, &err) < 0 &&
				      strstr(err.text, "while they are written")
			      ? 0
			      : 1);
	}
	assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status));
	chmod_all(&copy, 0755, 0644);
	close(lock);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(read_all(copy.dir), 0); /* where one can write it is all there */
	chmod_all(&copy, 0755, 0644);
	file_write(copy.dir, "flows.db-wal", "", 0);
	dbkit_close(&copy);
}

static void a_reader_is_told_when_a_writer_changed_the_file_under_it(void **state)
{
	struct dbkit *kit = *state;
	struct flowdb *reader = NULL;
	struct err err = {0};

	dbkit_done(kit);
	assert_int_equal(flowdb_open(kit->dir, FLOWDB_READ, &reader, &err), 0);
	assert_int_equal(flowdb_check(reader, &err), 0);
	sql(kit->dir,
	    "INSERT INTO name (text) VALUES ('late'); PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(flowdb_check(reader, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "changed while it was read"));
	flowdb_close(reader);
}

/* A flow in which every fact is there. */
static struct flow_facts full_facts(void)
{
	struct flow_facts f = dbkit_facts(100, "2001:db8::9", 50011);

	f.end[0].addr = dbkit_addr("2001:db8::15");
	f.icmp_sender = dbkit_addr("2001:db8::1");
	f.relayed = dbkit_addr("203.0.113.7");
	f.end[0].mac = dbkit_mac("00:26:8c:01:02:03");
	f.end[1].mac = dbkit_mac("02:00:00:00:00:01");
	f.chaddr = dbkit_mac("00:26:8c:0a:0b:0c");
	f.ip_version = 6;
	f.vlan = 4094;
	f.initiator = 1;
	f.initiator_by = INITIATOR_REQUEST;
	f.midstream = 1;
	f.tcp_flags[0] = TCP_SYN | TCP_ACK;
	f.tcp_flags[1] = TCP_RST;
	f.outcome = OUTCOME_PROHIBITED;
	f.icmp_type = 3;
	f.icmp_code = 13;
	f.asked = ASKED_SYN | ASKED_TURN_ALLOCATE;
	f.settled_by = SETTLED_AGE;
	f.tries = 300;
	f.first_try_us = f.first_us + 5;
	f.last_try_us = f.first_us + 3000005;
	f.name_kind = NAME_HTTP_HOST;
	f.not_apps.w[0] = UINT64_C(0x8000000000000004);
	f.not_apps.w[1] = 3;
	f.media = MEDIA_AUDIO | MEDIA_VIDEO;
	f.payload_types[0] = 104;
	f.payload_types[1] = 0;
	f.ice = 2;
	f.tls_version = 4;
	f.mtls = MTLS_YES;
	f.media_packets[0] = 4000000000;
	f.media_packets[1] = 2;
	f.media_packets[2] = 1;
	f.media_packets[3] = 9;
	f.by_shape = MEDIA_VIDEO;
	f.warmup = 1;
	f.solicited = 1;
	f.connect_port = 443;
	f.connect_status = 403;
	f.silent_s = 200;
	f.tunnel = TUNNEL_ERSPAN;
	f.fragments = 11;
	f.truncated = 12;
	f.duplicates = 13;
	f.relayed_port = 50003;
	f.inspected_packets = 8;
	f.closed = 1;
	f.payload_packets = 65535;
	f.dhcp_xid = 0xdeadbeef;
	f.dhcp_type = 5;
	return f;
}

#define SAME(field) assert_int_equal(a->field, b->field)
#define SAME_BYTES(field) assert_memory_equal(&a->field, &b->field, sizeof(a->field))

static void same_facts(const struct flow_facts *a, const struct flow_facts *b)
{
	SAME(id), SAME(first_us), SAME(last_us);
	for (unsigned i = 0; i < 2; i++) {
		SAME_BYTES(end[i].addr), SAME_BYTES(end[i].mac), SAME(end[i].port);
		SAME(packets[i]), SAME(bytes[i]), SAME(tcp_flags[i]), SAME(not_apps.w[i]);
	}
	SAME(transport), SAME(ip_version), SAME(vlan), SAME(initiator), SAME(initiator_by),
		SAME(midstream);
	SAME(outcome), SAME(icmp_type), SAME(icmp_code), SAME_BYTES(icmp_sender), SAME(asked),
		SAME(settled_by);
	SAME(tries), SAME(first_try_us), SAME(last_try_us), SAME(app), SAME(evidence),
		SAME(name_kind);
	SAME(media), SAME_BYTES(payload_types), SAME(ice), SAME(tls_version), SAME(mtls),
		SAME_BYTES(media_packets);
	SAME(fragments), SAME(truncated), SAME(duplicates), SAME_BYTES(relayed),
		SAME(relayed_port);
	SAME(inspected_packets), SAME(closed), SAME_BYTES(chaddr), SAME(payload_packets),
		SAME(dhcp_xid);
		SAME(by_shape);
		SAME(warmup);
		SAME(solicited);
		SAME(connect_port);
		SAME(connect_status);
		SAME(silent_s);
		SAME(tunnel);
	SAME(dhcp_type);
}

struct expected {
	const struct flow_facts *facts;
	const struct flow_row *row;
	bool called;
};

static int compare(void *context, const struct flow_view *view, struct err *err)
{
	struct expected *expected = context;
	const struct verdict *v = expected->row->verdict;

	expected->called = true;
	same_facts(expected->facts, &view->facts);
	assert_int_equal(view->local, expected->row->local);
	assert_string_equal(view->unit, "boardroom");
	assert_string_equal(view->policy, "0123456789abcdef");
	assert_string_equal(view->name, expected->row->name);
	assert_int_equal(view->app, expected->row->app);
	assert_int_equal(view->evidence, expected->row->evidence);
	assert_int_equal(view->ruling, v->ruling);
	assert_int_equal(view->grade, v->grade);
	assert_int_equal(view->why, v->why);
	assert_int_equal(view->kind, v->kind);
	assert_int_equal(view->severity, v->severity);
	assert_int_equal(view->direction, v->direction);
	assert_string_equal(view->remark, v->reason);
	assert_int_equal(view->finding, expected->row->finding);
	assert_int_equal(view->blind, expected->row->blind);
	assert_int_equal(view->row_count, v->row_count);
	for (unsigned i = 0; i < v->row_count; i++)
		assert_string_equal(view->rows[i], expected->row->rows[i]);
	assert_int_equal(view->nearest_count, v->nearest_count);
	for (unsigned i = 0; i < v->nearest_count; i++) {
		assert_string_equal(view->nearest[i].row, expected->row->nearest[i]);
		assert_int_equal(view->nearest[i].count, v->nearest[i].count);
		for (unsigned j = 0; j < v->nearest[i].count; j++) {
			assert_int_equal(view->nearest[i].differs[j].field,
					 v->nearest[i].differs[j].field);
			assert_string_equal(view->nearest[i].differs[j].expected,
					    v->nearest[i].differs[j].expected);
			assert_string_equal(view->nearest[i].differs[j].seen,
					    v->nearest[i].differs[j].seen);
		}
	}
	return 0;
}

static void comes_back(struct dbkit *kit, const struct flow_row *row, int64_t id)
{
	struct expected expected = {.facts = row->facts, .row = row};
	struct err err = {0};

	assert_int_equal(flowdb_flow(kit->db, id, compare, &expected, &err), 1);
	assert_true(expected.called);
}

static struct verdict outside_verdict(void)
{
	return (struct verdict){
		.ruling = RULING_OUTSIDE,
		.kind = KIND_LOCAL_PORT,
		.severity = SEVERITY_HIGH,
		.direction = DIRECTION_IN,
		.why = WHY_MIDSTREAM,
		.nearest_count = 3,
		.nearest = {{.count = 1,
			     .differs = {{FIELD_LOCAL_PORT, "50000-50019", "50063"}}},
			    {.count = 2,
			     .differs = {{FIELD_PEER, "sfb-online", "203.0.113.9"},
					 {FIELD_MEDIA, "video", "audio"}}},
			    {.count = 1, .differs = {{FIELD_TRANSPORT, "tcp", "udp"}}}},
		.reason = "vbss",
	};
}

static void every_fact_of_a_flow_comes_back_from_either_end(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = full_facts();
	struct verdict verdict = outside_verdict();
	int64_t finding = dbkit_finding(kit, kit->unit, KIND_LOCAL_PORT, SEVERITY_HIGH, "", 1);

	for (uint8_t local = 0; local < 2; local++) {
		struct flow_row row = {
			.run = kit->run,
			.policy = kit->policy,
			.unit = kit->unit,
			.facts = &facts,
			.name = "sip.corp.example",
			.local = local,
			.app = facts.app,
			.evidence = EVIDENCE_DISSECTOR,
			.verdict = &verdict,
			.nearest = {"online.out.audio", "online.out.video", "room.out.dns"},
			.finding = finding,
			.blind = local,
		};
		struct err err = {0};
		int64_t id = 0;

		facts.initiator = local ? 2 : 1;
		assert_int_equal(flowdb_flow_put(kit->db, &row, &id, &err), 0);
		comes_back(kit, &row, id);
	}
}

static void a_plain_flow_comes_back_and_is_rewritten_whole(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(5, "52.112.1.9", 443);
	struct verdict outside = outside_verdict();
	struct verdict documented = {
		.ruling = RULING_DOCUMENTED, .grade = GRADE_UNPROVEN, .row_count = 3};
	struct flow_row row = {
		.run = kit->run,
		.policy = kit->policy,
		.unit = kit->unit,
		.facts = &facts,
		.name = "",
		.app = APP_SSH,
		.evidence = EVIDENCE_INSPECTED,
		.verdict = &outside,
		.nearest = {"online.out.audio", "online.out.video", "room.out.dns"},
		.rows = {"online.out.relay_udp", "external.out.turn_3478",
			 "onprem.out.turn_udp"},
	};
	struct err err = {0};
	int64_t id = 0, same;

	facts.app = APP_NONE; /* what nDPI thinks is not the sensor's word */
	facts.evidence = EVIDENCE_NONE;
	facts.media_packets[0] = 3;
	assert_int_equal(flowdb_flow_put(kit->db, &row, &id, &err), 0);
	comes_back(kit, &row, id);
	same = id;
	row.verdict = &documented;
	facts.media_packets[0] = 0;
	facts.bytes[0] = UINT64_C(1) << 40;
	assert_int_equal(flowdb_flow_put(kit->db, &row, &same, &err), 0);
	assert_int_equal(same, id);
	comes_back(kit, &row, id);
	row.verdict = &outside;
	assert_int_equal(flowdb_flow_put(kit->db, &row, &same, &err), 0);
	comes_back(kit, &row, id);
}

static void a_finding_is_found_by_its_key_and_rewritten(void **state)
{
	struct dbkit *kit = *state;
	struct finding_row key = {.unit = kit->unit,
				  .kind = KIND_PEER,
				  .severity = SEVERITY_LOW,
				  .transport = TRANSPORT_UDP,
				  .port = "123",
				  .remote = "10.0.0.0/24",
				  .app = APP_NTP,
				  .first_us = 5,
				  .last_us = 6,
				  .flows = 1,
				  .kept = 1,
				  .bytes = 76,
				  .open = true,
				  .reason = "a",
				  .waiver = ""};
	struct finding_row found;
	struct err err = {0};
	int64_t id = 0, found_id = 0;

	assert_int_equal(flowdb_finding_find(kit->db, &key, &found, &found_id, &err), 0);
	assert_int_equal(flowdb_finding_put(kit->db, &key, &id, &err), 0);
	key.flows = 99;
	key.open = false;
	text_copy(key.reason, sizeof(key.reason), "closed now");
	text_copy(key.waiver, sizeof(key.waiver), "netops: until");
	assert_int_equal(flowdb_finding_put(kit->db, &key, &id, &err), 0);
	assert_int_equal(flowdb_finding_find(kit->db, &key, &found, &found_id, &err), 1);
	assert_int_equal(found_id, id);
	assert_int_equal(found.flows, 99);
	assert_int_equal(found.bytes, 76);
	assert_false(found.open);
	assert_string_equal(found.reason, "closed now");
	assert_string_equal(found.waiver, "netops: until");
	assert_string_equal(found.row, "");
	text_copy(key.port, sizeof(key.port), "124"); /* another key */
	assert_int_equal(flowdb_finding_find(kit->db, &key, &found, &found_id, &err), 0);
	text_copy(key.port, sizeof(key.port), "123");
	text_copy(key.row, sizeof(key.row), "room.out.dns");
	assert_int_equal(flowdb_finding_find(kit->db, &key, &found, &found_id, &err), 0);
}

static int one_coverage(void *context, const struct coverage_view *view, struct err *err)
{
	struct coverage_row *sum = context;
	assert_string_equal(view->unit, "boardroom");
	assert_string_equal(view->row.row, "room.out.dns");
	*sum = view->row;
	return 0;
}

static void coverage_adds_up_and_zeros_are_not_stored(void **state)
{
	struct dbkit *kit = *state;
	struct coverage_row row = {.unit = kit->unit, .row = "room.out.dns"}, sum = {0};
	struct err err = {0};

	assert_int_equal(flowdb_coverage_add(kit->db, &row, &err), 0);
	assert_int_equal(flowdb_coverage(kit->db, &(struct flow_query){0}, NULL, 0, one_coverage, &sum, &err), 0);
	assert_null(sum.row);
	row.unanswered = 2;
	assert_int_equal(flowdb_coverage_add(kit->db, &row, &err), 0);
	row = (struct coverage_row){.unit = kit->unit,
				    .row = "room.out.dns",
				    .exact = 3,
				    .first_us = 50,
				    .last_us = 60};
	assert_int_equal(flowdb_coverage_add(kit->db, &row, &err), 0);
	row = (struct coverage_row){.unit = kit->unit,
				    .row = "room.out.dns",
				    .exact = 1,
				    .blocked = 7,
				    .first_us = 40,
				    .last_us = 45};
	assert_int_equal(flowdb_coverage_add(kit->db, &row, &err), 0);
	assert_int_equal(
		flowdb_coverage(kit->db, &(struct flow_query){.unit = "boardroom", .row = "room.out.dns"},
				NULL, 0, one_coverage, &sum, &err),
		0);
	assert_int_equal(sum.exact, 4);
	assert_int_equal(sum.unanswered, 2);
	assert_int_equal(sum.blocked, 7);
	assert_int_equal(sum.outside, 0);
	assert_int_equal(sum.first_us, 40);
	assert_int_equal(sum.last_us, 60);
}

static void a_file_read_once_is_known_by_size_and_hash(void **state)
{
	struct dbkit *kit = *state;
	struct input_row input = {.name = "a.pcap",
				  .size = 24,
				  .hash = "00ff",
				  .packets = 0,
				  .cut = true,
				  .note = "after packet 7"};
	struct err err = {0};

	assert_int_equal(flowdb_has_input(kit->db, 24, "00ff", &err), 0);
	assert_int_equal(flowdb_input_put(kit->db, kit->run, &input, &err), 0);
	assert_int_equal(flowdb_has_input(kit->db, 24, "00ff", &err), 0); /* nothing of it was read */
	input.packets = 7;
	assert_int_equal(flowdb_input_put(kit->db, kit->run, &input, &err), 0);
	assert_int_equal(flowdb_has_input(kit->db, 24, "00ff", &err), 1);
	assert_int_equal(flowdb_has_input(kit->db, 25, "00ff", &err), 0);
	input.hash = "";
	assert_int_equal(flowdb_input_put(kit->db, kit->run, &input, &err), 0);
	assert_int_equal(flowdb_has_input(kit->db, 24, "", &err), 0); /* unknown is not known */
}

static void ids_given_in_a_transaction_rolled_back_are_forgotten(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(1, "198.51.100.1", 443);
	struct err err = {0};
	int64_t id;

	assert_int_equal(flowdb_commit(kit->db, &err), 0);
	assert_int_equal(flowdb_begin(kit->db, &err), 0);
	dbkit_flow(kit, &facts, "room.out.dns", 0);
	flowdb_rollback(kit->db);
	flowdb_rollback(kit->db); /* nothing is open: harmless */
	assert_int_equal(flowdb_begin(kit->db, &err), 0);
	facts = dbkit_facts(2, "198.51.100.2", 443);
	dbkit_flow(kit, &facts, "room.out.llmnr", 0);
	facts = dbkit_facts(3, "198.51.100.1", 443);
	id = dbkit_flow(kit, &facts, "room.out.dns", 0);
	assert_true(id > 0);
	assert_int_equal(flowdb_commit(kit->db, &err), 0);
	assert_int_equal(flowdb_begin(kit->db, &err), 0);
}

static void write_some(struct dbkit *kit)
{
	struct name_row name = {
		.run = kit->run, .unit = kit->unit, .name = "sip.corp.example", .first_us = 1, .last_us = 2, .until_us = 3};
	struct mac mac = {{0, 0x26, 0x8c, 1, 2, 3}};
	struct err err = {0};

	name.client = dbkit_addr("10.20.0.15");
	name.server = dbkit_addr("10.0.0.53");
	name.address = dbkit_addr("10.0.0.7");
	assert_int_equal(flowdb_name_put(kit->db, &name, &err), 0);
	assert_int_equal(flowdb_name_put(kit->db, &name, &err), 0);
	assert_int_equal(flowdb_unit_seen(kit->db, kit->unit, &name.client, &mac, 1, 5, 6, &err),
			 0);
	assert_int_equal(flowdb_unit_seen(kit->db, kit->unit, &name.client, &mac, 4, 4, 9, &err),
			 0);
	for (int i = 0; i < 300; i++) {
		char peer[32];
		struct flow_facts facts;

		snprintf(peer, sizeof(peer), "52.112.%d.%d", i % 3, i % 7);
		facts = dbkit_facts(i, peer, (uint16_t)(443 + i % 5));
		facts.id = (uint64_t)i + 1;
		dbkit_flow(kit, &facts, i % 4 ? "online.out.sip_tls" : NULL, 0);
	}
}

static int take_name_row(void *context, const struct name_row *name, struct err *err)
{
	char *text = context;

	(void)err;
	text_add(text, 256, "%d-%d%s ", (int)name->first_us, (int)name->until_us,
	         name->counted ? "" : " not counted");
	return 0;
}

static void a_name_keeps_its_gaps(void **state)
{
	struct dbkit *kit = *state;
	/* answered at, over at */
	static const int64_t answers[][3] = {{10, 20, 1}, {15, 25, 1}, {25, 30, 1}, {31, 40, 1}, {35, 50, 0}, {50, 60, 0}};
	char text[256] = "";
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct name_row row = {
			.run = kit->run,
			.unit = kit->unit,
			.client = dbkit_addr("10.20.0.15"),
			.server = dbkit_addr("10.0.0.53"),
			.address = dbkit_addr("10.0.0.7"),
			.name = "gap.corp.example",
			.first_us = answers[i][0],
			.last_us = answers[i][0],
			.until_us = answers[i][1],
			.counted = answers[i][2],
		};

		assert_int_equal(flowdb_name_put(kit->db, &row, &err), 0);
	}
	assert_int_equal(flowdb_names_held(kit->db, kit->run, 0, INT64_MAX, take_name_row, text, &err), 0);
	assert_string_equal(text, "10-30 31-40 35-60 not counted ");
	*text = '\0';
	assert_int_equal(flowdb_names_held(kit->db, kit->run + 1, 0, INT64_MAX, take_name_row, text, &err), 0);
	assert_string_equal(text, "");
}

/* All rows of all tables and views, as one text. */
static char *dump(const char *dir)
{
	char path[128], *text = NULL;
	sqlite3_stmt *tables, *rows;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(
			db,
			"SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY rowid",
			-1, &tables, NULL),
		SQLITE_OK);
	while (sqlite3_step(tables) == SQLITE_ROW) {
		char query[256];

		fprintf(out, "%s\n", sqlite3_column_text(tables, 0));
		snprintf(query, sizeof(query), "SELECT * FROM %s",
			 sqlite3_column_text(tables, 0));
		assert_int_equal(sqlite3_prepare_v2(db, query, -1, &rows, NULL), SQLITE_OK);
		while (sqlite3_step(rows) == SQLITE_ROW)
			for (int i = 0; i < sqlite3_column_count(rows); i++)
				fprintf(out, "%s|",
					sqlite3_column_text(rows, i)
						? (const char *)sqlite3_column_text(rows, i)
						: "");
		fputc('\n', out);
		sqlite3_finalize(rows);
	}
	sqlite3_finalize(tables);
	sqlite3_close(db);
	fclose(out);
	return text;
}

static void the_same_writes_give_the_same_content(void **state)
{
	struct dbkit *one = *state, two;
	char *a, *b;

	dbkit_open(&two);
	write_some(one);
	write_some(&two);
	dbkit_done(one);
	dbkit_done(&two);
	a = dump(one->dir);
	b = dump(two.dir);
	assert_string_equal(a, b);
	assert_non_null(strstr(a, "sip.corp.example"));
	assert_non_null(strstr(a, "online.out.audio: remote-port 16332, expected 50000-59999"));
	free(a);
	free(b);
	dbkit_close(&two);
}

static void every_reference_points_somewhere(void **state)
{
	struct dbkit *kit = *state;
	sqlite3_stmt *stmt;
	char path[128];
	sqlite3 *db;

	write_some(kit);
	dbkit_done(kit);
	snprintf(path, sizeof(path), "%s/flows.db", kit->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(stmt, 0), "ok");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void a_flow_takes_at_most_120_bytes(void **state)
{
	struct dbkit *kit = *state;
	sqlite3_stmt *stmt;
	char path[128];
	sqlite3 *db;

	for (int i = 0; i < 2000; i++) {
		struct flow_facts facts = dbkit_facts(i, "52.112.1.9", 443);

		facts.id = (uint64_t)i * 500;
		facts.last_us += 1234567;
		facts.packets[0] = 40000;
		facts.bytes[0] = 40000000;
		facts.bytes[1] = 4000000000;
		facts.tcp_flags[0] = facts.tcp_flags[1] = 0x1b;
		facts.asked = ASKED_SYN;
		facts.tries = 1;
		facts.first_try_us = facts.last_try_us = facts.first_us;
		facts.payload_packets = 65535;
		dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	}
	dbkit_done(kit);
	snprintf(path, sizeof(path), "%s/flows.db", kit->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, "SELECT sum(pgsize) / 2000 FROM dbstat WHERE name = 'flow'",
			       -1, &stmt, NULL)) {
		sqlite3_close(db);
		skip(); /* this SQLite counts no pages */
	}
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_in_range(sqlite3_column_int(stmt, 0), 50, 120);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* A person may be quicker than a recorder's first commit. */
static void what_others_write_is_noticed_from_the_opening_on(void **state)
{
	struct err err = {0};
	struct dbkit kit;

	dbkit_open(&kit);
	dbkit_finding(&kit, kit.unit, KIND_PEER, SEVERITY_LOW, "x", 1);
	assert_int_equal(flowdb_commit(kit.db, &err), 0);
	dbkit_sql(kit.dir, "UPDATE finding SET open = 0, reason = 'a person'");
	assert_int_equal(flowdb_begin(kit.db, &err), 0);
	assert_int_equal(flowdb_others_wrote(kit.db, &err), 1);
	assert_int_equal(flowdb_others_wrote(kit.db, &err), 0);
	dbkit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_write_is_noticed_from_the_opening_on),
		cmocka_unit_test(a_missing_database_is_refused_to_readers_and_not_made),
		WITH(a_name_keeps_its_gaps),
		WITH(a_writer_makes_directory_and_file_readable_by_group_alone),
		WITH(a_second_writer_is_refused_while_the_first_lives),
		WITH(a_file_that_is_no_database_is_refused_and_left_alone),
		WITH(another_programs_database_is_refused_and_left_alone),
		WITH(a_newer_version_is_refused_by_number),
		WITH(an_empty_file_is_refused_to_readers),
		WITH(a_truncated_database_fails_with_a_message_wherever_it_is_cut),
		WITH(a_reader_works_in_a_read_only_directory_and_leaves_nothing),
		WITH(a_reader_sees_what_a_living_writer_committed),
		WITH(what_is_committed_survives_a_writer_that_is_killed),
		WITH(a_wal_is_read_where_nothing_can_be_written_unless_somebody_writes_there),
		WITH(a_reader_is_told_when_a_writer_changed_the_file_under_it),
		WITH(every_fact_of_a_flow_comes_back_from_either_end),
		WITH(a_plain_flow_comes_back_and_is_rewritten_whole),
		WITH(a_finding_is_found_by_its_key_and_rewritten),
		WITH(coverage_adds_up_and_zeros_are_not_stored),
		WITH(a_file_read_once_is_known_by_size_and_hash),
		WITH(ids_given_in_a_transaction_rolled_back_are_forgotten),
		WITH(the_same_writes_give_the_same_content),
		WITH(every_reference_points_somewhere),
		WITH(a_flow_takes_at_most_120_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
