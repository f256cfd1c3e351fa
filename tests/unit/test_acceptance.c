/*
 * test_acceptance.c - from flows to states, from states to groups, from all of it to a result: the tables of README.md,
 * "Acceptance". No database is asked.
 */
#include "monitor/acceptance/acceptance.h"
#include "schema/blind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define S INT64_C(1000000)

static const char SITE[] =
	"units:\n"
	"  - {name: attic, addresses: [10.20.0.16], profiles: [room]}\n"
	"  - {name: boardroom, addresses: [10.20.0.15], profiles: [room, online]}\n";

/* A policy of our own, whose envelope has the groups of the test at hand. */
struct bench {
	struct policy *policy;
	struct envelope envelope;
};

static int setup(void **state)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = SITE, .site_text_len = strlen(SITE)};
	struct bench *bench = calloc(1, sizeof(*bench));
	struct err err = {0};

	if (policy_load(&args, &bench->policy, &err) < 0)
		fail_msg("%s", err.text);
	bench->envelope = *bench->policy->envelope;
	bench->envelope.group_count = 0;
	bench->policy->envelope = &bench->envelope;
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	policy_free(bench->policy);
	free(bench);
	return 0;
}

static uint16_t row_of(const struct bench *bench, const char *id)
{
	int row = envelope_find_row(&bench->envelope, id);

	if (row < 0)
		fail_msg("no row %s", id);
	return (uint16_t)row;
}

/* "a, b" */
static void add_group(struct bench *bench, const char *id, enum group_rule rule, uint8_t media,
                      const char *rows)
{
	struct row_group *group = &bench->envelope.groups[bench->envelope.group_count++];
	char list[512], *rest, *word;

	*group = (struct row_group){.reason = "", .rule = (uint8_t)rule, .media = media};
	text_copy(group->id, sizeof(group->id), id);
	text_copy(list, sizeof(list), rows);
	for (word = strtok_r(list, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		group->rows[group->row_count] = row_of(bench, word);
		group->profile = bench->envelope.rows[group->rows[group->row_count++]].profile;
	}
}

/* ------------------------------------------------------------------- cells */

static struct cell_count documented(enum grade grade, enum kind kind, enum outcome outcome)
{
	return (struct cell_count){
		.ruling = RULING_DOCUMENTED,
		.grade = (uint8_t)grade,
		.kind = (uint8_t)kind,
		.outcome = (uint8_t)outcome,
		.transport = TRANSPORT_TCP,
		.flows = 1,
		.first_us = 10 * S,
		.last_us = 20 * S,
		.flow = 7,
	};
}

static void a_state_follows_from_the_flows(void **state)
{
	static const struct {
		struct cell cell;
		enum cell_state state;
		enum grade grade;
		enum kind blocked;
		uint8_t whys;
	} CASES[] = {
		{{0}, CELL_NOT_EXERCISED, GRADE_NONE, KIND_NONE, 0},
		{{.exact = 1}, CELL_OK, GRADE_EXACT, KIND_NONE, 0},
		{{.unproven = 1, .wide = 9}, CELL_OK, GRADE_UNPROVEN, KIND_NONE, 0},
		{{.wide = 1}, CELL_OK, GRADE_WIDE, KIND_NONE, 0},
		/* A yes beside a no: it works, and the counts still say so. */
		{{.exact = 1, .silent = 5, .unwaived = 5}, CELL_OK, GRADE_EXACT, KIND_BLOCKED_SILENT, 0},
		{{.wide = 1, .outside = 5, .undetermined = 1},
		 CELL_OK, GRADE_WIDE, KIND_NONE, CELL_WHY_VERDICT},
		{{.silent = 1, .unwaived = 1}, CELL_BLOCKED, GRADE_NONE, KIND_BLOCKED_SILENT, 0},
		{{.silent = 9, .refused = 1}, CELL_BLOCKED, GRADE_NONE, KIND_REFUSED, 0},
		{{.silent = 9, .refused = 9, .prohibited = 1},
		 CELL_BLOCKED, GRADE_NONE, KIND_BLOCKED_PROHIBITED, 0},
		{{.refused = 1, .outside = 9}, CELL_BLOCKED, GRADE_NONE, KIND_REFUSED, 0},
		{{.outside = 1, .unanswered = 9},
		 CELL_OUTSIDE, GRADE_NONE, KIND_NONE, CELL_WHY_UNANSWERED},
		{{.unanswered = 1}, CELL_UNDETERMINED, GRADE_NONE, KIND_NONE, CELL_WHY_UNANSWERED},
		{{.one_sided = 1}, CELL_UNDETERMINED, GRADE_NONE, KIND_NONE, CELL_WHY_ONE_SIDED},
		{{.undetermined = 1, .unanswered = 1},
		 CELL_UNDETERMINED, GRADE_NONE, KIND_NONE, CELL_WHY_VERDICT | CELL_WHY_UNANSWERED},
	};

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct cell cell = CASES[i].cell;

		cell_settle(&cell);
		if (cell.state != CASES[i].state || cell.grade != CASES[i].grade ||
		    cell.blocked != CASES[i].blocked || cell.whys != CASES[i].whys)
			fail_msg("case %zu: %s, grade %u, blocked %u, whys %u", i,
			         cell_state_name((enum cell_state)cell.state), cell.grade,
			         cell.blocked, cell.whys);
		assert_int_equal(cell.waived, cell.state == CELL_BLOCKED && !CASES[i].cell.unwaived);
	}
}

static void flows_are_counted_by_what_became_of_them(void **state)
{
	const struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	uint16_t row = row_of(bench, "online.out.relay_udp");
	struct cell_count count = documented(GRADE_EXACT, KIND_NONE, OUTCOME_ANSWERED);
	const struct cell *cell = &cells[row];

	count.media = MEDIA_AUDIO;
	cells_count(bench->policy, cells, &row, 1, &count);
	count.grade = GRADE_WIDE;
	count.media = 0;
	count.first_us = 5 * S;
	count.last_us = 6 * S;
	count.flow = 3;
	cells_count(bench->policy, cells, &row, 1, &count);
	assert_int_equal(cell->exact, 1);
	assert_int_equal(cell->wide, 1);
	assert_int_equal(cell->media, MEDIA_AUDIO);
	assert_int_equal(cell->media_unknown, 1);
	assert_int_equal(cell->first_us, 5 * S);
	assert_int_equal(cell->last_us, 20 * S);
	assert_int_equal(cell->ok_flow, 3);
	assert_int_equal(cell->flow, 0);
	/* Blocked flows are documented, whatever their outcome. */
	count = documented(GRADE_EXACT, KIND_BLOCKED_SILENT, OUTCOME_UNANSWERED);
	cells_count(bench->policy, cells, &row, 1, &count);
	count = documented(GRADE_EXACT, KIND_BLOCKED_PROHIBITED, OUTCOME_PROHIBITED);
	cells_count(bench->policy, cells, &row, 1, &count);
	count = documented(GRADE_EXACT, KIND_REFUSED, OUTCOME_REFUSED);
	cells_count(bench->policy, cells, &row, 1, &count);
	count = documented(GRADE_EXACT, KIND_NONE, OUTCOME_UNANSWERED);
	cells_count(bench->policy, cells, &row, 1, &count);
	count = documented(GRADE_EXACT, KIND_NONE, OUTCOME_ONE_SIDED);
	count.flow = 2;
	cells_count(bench->policy, cells, &row, 1, &count);
	assert_int_equal(cell->silent, 1);
	assert_int_equal(cell->prohibited, 1);
	assert_int_equal(cell->refused, 1);
	assert_int_equal(cell->unanswered, 1);
	assert_int_equal(cell->one_sided, 1);
	assert_int_equal(cell->flow, 2);
	count.ruling = RULING_UNDETERMINED;
	count.why = WHY_MIDSTREAM;
	count.flows = 4;
	cells_count(bench->policy, cells, &row, 1, &count);
	count.ruling = RULING_OUTSIDE;
	cells_count(bench->policy, cells, &row, 1, &count);
	count.ruling = RULING_HOUSEKEEPING;
	cells_count(bench->policy, cells, &row, 1, &count);
	assert_int_equal(cell->undetermined, 4);
	assert_int_equal(cell->verdict_whys, BIT(WHY_MIDSTREAM));
	assert_int_equal(cell->outside, 4);
	assert_int_equal(cell->exact, 1);
}

static void one_udp_flow_exercises_the_row_and_its_mirror(void **state)
{
	const struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	uint16_t out = row_of(bench, "room.out.dhcp"), in = row_of(bench, "room.in.dhcp");
	struct cell_count count = documented(GRADE_EXACT, KIND_NONE, OUTCOME_ANSWERED);

	cells_count(bench->policy, cells, &out, 1, &count);
	assert_int_equal(cells[in].exact, 0); /* TCP mirrors nothing */
	count.transport = TRANSPORT_UDP;
	cells_count(bench->policy, cells, &out, 1, &count);
	cell_settle(&cells[out]);
	cell_settle(&cells[in]);
	assert_int_equal(cells[out].exact, 2);
	assert_false(cells[out].carried);
	assert_int_equal(cells[in].state, CELL_OK);
	assert_int_equal(cells[in].exact, 1);
	assert_true(cells[in].carried);
	assert_int_equal(cells[in].grade, GRADE_UNPROVEN); /* at best */
	/* One of its own: nobody needs to carry it. */
	cells_count(bench->policy, cells, &in, 1, &count);
	cell_settle(&cells[in]);
	assert_false(cells[in].carried);
	/* One that fits both counts once for each. */
	cells_count(bench->policy, cells, (const uint16_t[]){out, in}, 2, &count);
	assert_int_equal(cells[in].exact, 3);
}

static void a_row_that_the_policy_does_not_have_is_left_alone(void **state)
{
	const struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	const struct cell_count count = documented(GRADE_EXACT, KIND_NONE, OUTCOME_ANSWERED);

	cells_count(bench->policy, cells, (const uint16_t[]){60000, 0, 0}, 3, &count);
	assert_int_equal(cells[0].exact, 1);
}

/* ------------------------------------------------------------------ groups */

static const struct cell OK_AUDIO = {.exact = 1, .media = MEDIA_AUDIO};
static const struct cell OK_VIDEO = {.unproven = 1, .media = MEDIA_VIDEO};
static const struct cell OK_WHAT = {.exact = 1, .media_unknown = 1};
static const struct cell BLOCKED = {.silent = 1, .unwaived = 1};
static const struct cell WAIVED = {.silent = 1};
static const struct cell TRIED = {.unanswered = 1};
static const struct cell OUTSIDE = {.outside = 1};
static const struct cell IDLE = {0};

static void a_group_is_what_its_best_row_is(void **state)
{
	static const struct {
		enum group_rule rule;
		uint8_t media;
		const struct cell *direct, *relay;
		enum cell_state state;
		bool unknown;
		/* what becomes of the row `direct` */
		enum cell_state direct_state;
		bool excused, carried;
	} CASES[] = {
		{GROUP_ONE_OF, 0, &IDLE, &IDLE, CELL_NOT_EXERCISED, false, CELL_NOT_EXERCISED, false, false},
		{GROUP_ONE_OF, 0, &IDLE, &OK_WHAT, CELL_OK, false, CELL_NOT_EXERCISED, true, false},
		{GROUP_ONE_OF, 0, &BLOCKED, &OK_VIDEO, CELL_OK, false, CELL_BLOCKED, true, false},
		{GROUP_ONE_OF, 0, &OK_AUDIO, &BLOCKED, CELL_OK, false, CELL_OK, false, false},
		{GROUP_ONE_OF, 0, &BLOCKED, &IDLE, CELL_BLOCKED, false, CELL_BLOCKED, false, false},
		{GROUP_ONE_OF, 0, &TRIED, &IDLE, CELL_UNDETERMINED, false, CELL_UNDETERMINED, false, false},
		{GROUP_ONE_OF, 0, &OUTSIDE, &TRIED, CELL_OUTSIDE, false, CELL_OUTSIDE, false, false},
		/* What did not carry the kind of media does not count. */
		{GROUP_ONE_OF, MEDIA_AUDIO, &IDLE, &OK_AUDIO, CELL_OK, false, CELL_NOT_EXERCISED, true, false},
		{GROUP_ONE_OF, MEDIA_AUDIO, &IDLE, &OK_VIDEO, CELL_NOT_EXERCISED, false, CELL_NOT_EXERCISED,
		 false, false},
		{GROUP_ONE_OF, MEDIA_AUDIO, &IDLE, &OK_WHAT, CELL_UNDETERMINED, true, CELL_NOT_EXERCISED,
		 false, false},
		{GROUP_ONE_OF, MEDIA_AUDIO, &OK_AUDIO, &OK_WHAT, CELL_OK, false, CELL_OK, false, false},
		{GROUP_ONE_OF, MEDIA_AUDIO, &BLOCKED, &OK_VIDEO, CELL_BLOCKED, false, CELL_BLOCKED, false,
		 false},
		/* What cannot be told apart works where one of them does. */
		{GROUP_TOGETHER, 0, &IDLE, &OK_WHAT, CELL_OK, false, CELL_OK, false, true},
		{GROUP_TOGETHER, 0, &IDLE, &IDLE, CELL_NOT_EXERCISED, false, CELL_NOT_EXERCISED, false, false},
		{GROUP_TOGETHER, 0, &IDLE, &BLOCKED, CELL_BLOCKED, false, CELL_NOT_EXERCISED, false, false},
	};
	struct bench *bench = *state;
	uint16_t direct = row_of(bench, "online.out.audio");
	uint16_t relay = row_of(bench, "online.out.relay_udp");

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		CLEANUP(freep) struct cell *cells =
			calloc(bench->policy->row_count, sizeof(*cells));
		struct group_cell groups[GROUPS_MAX];

		bench->envelope.group_count = 0;
		add_group(bench, "g", CASES[i].rule, CASES[i].media,
		          "online.out.audio, online.out.relay_udp");
		cells[direct] = *CASES[i].direct;
		cells[relay] = *CASES[i].relay;
		for (size_t k = 0; k < bench->policy->row_count; k++)
			cell_settle(&cells[k]);
		assert_int_equal(unit_groups(bench->policy, UINT32_MAX, cells, groups), 1);
		if (groups[0].state != CASES[i].state || groups[0].media_unknown != CASES[i].unknown)
			fail_msg("case %zu: %s, unknown %d", i,
			         cell_state_name((enum cell_state)groups[0].state),
			         groups[0].media_unknown);
		if (cells[direct].state != CASES[i].direct_state ||
		    cells[direct].excused != CASES[i].excused ||
		    cells[direct].carried != CASES[i].carried)
			fail_msg("case %zu: the row is %s, excused %d, carried %d", i,
			         cell_state_name((enum cell_state)cells[direct].state),
			         cells[direct].excused, cells[direct].carried);
		assert_int_equal(cells[direct].group, CASES[i].excused || CASES[i].carried ? 0 : -1);
		assert_int_equal(groups[0].need, NEED_REQUIRED);
	}
}

static void groups_of_other_profiles_are_not_the_unit_s(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	struct group_cell groups[GROUPS_MAX];

	add_group(bench, "g", GROUP_ONE_OF, 0, "online.out.audio, online.out.relay_udp");
	assert_int_equal(unit_groups(bench->policy, 1, cells, groups), 0);
}

static void what_rows_carry_together_excuses_others(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	uint16_t audio = row_of(bench, "online.out.audio");
	uint16_t relay = row_of(bench, "online.out.relay_tcp");
	struct group_cell groups[GROUPS_MAX];

	/* The order in the envelope does not matter. */
	add_group(bench, "way", GROUP_ONE_OF, 0, "online.out.audio, online.out.relay_tcp");
	add_group(bench, "443", GROUP_TOGETHER, 0, "online.out.relay_tcp, online.out.sip_tls");
	cells[row_of(bench, "online.out.sip_tls")].exact = 1;
	for (size_t k = 0; k < bench->policy->row_count; k++)
		cell_settle(&cells[k]);
	assert_int_equal(unit_groups(bench->policy, UINT32_MAX, cells, groups), 2);
	assert_int_equal(groups[0].state, CELL_OK);
	assert_true(cells[relay].carried);
	assert_int_equal(cells[relay].grade, GRADE_UNPROVEN);
	assert_int_equal(cells[row_of(bench, "online.out.sip_tls")].grade, GRADE_EXACT);
	assert_int_equal(cells[relay].group, 1);
	assert_true(cells[audio].excused);
	assert_int_equal(cells[audio].group, 0);
}

static void what_the_site_asks_for_itself_no_other_row_excuses(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	struct group_cell groups[GROUPS_MAX];
	uint16_t audio = row_of(bench, "online.out.audio"), relay = row_of(bench, "online.out.relay_udp");

	add_group(bench, "way", GROUP_ONE_OF, 0, "online.out.audio, online.out.relay_udp");
	for (int alone = 0; alone < 2; alone++) {
		bench->policy->rows[audio].need_alone = alone;
		cells[relay].exact = 1;
		for (size_t i = 0; i < bench->policy->row_count; i++)
			cell_settle(&cells[i]);
		assert_int_equal(unit_groups(bench->policy, UINT32_MAX, cells, groups), 1);
		assert_int_equal(cells[audio].excused, !alone);
		assert_int_equal(cells[audio].group, alone ? -1 : 0);
	}
}

static void a_live_run_is_decided_when_all_that_is_required_is(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) struct cell *cells = calloc(bench->policy->row_count, sizeof(*cells));
	uint32_t room = bench->policy->units[0].profiles;
	uint16_t dns = row_of(bench, "room.out.dns"), maestro = row_of(bench, "room.out.maestro");

	for (size_t i = 0; i < bench->policy->row_count; i++) {
		cells[i].exact = bench->policy->rows[i].need == NEED_REQUIRED;
		cell_settle(&cells[i]);
	}
	assert_true(unit_is_decided(bench->policy, room, cells));
	cells[dns] = TRIED;
	cell_settle(&cells[dns]);
	assert_false(unit_is_decided(bench->policy, room, cells));
	cells[dns] = BLOCKED;
	cell_settle(&cells[dns]);
	assert_true(unit_is_decided(bench->policy, room, cells));
	cells[dns] = IDLE;
	cell_settle(&cells[dns]);
	assert_false(unit_is_decided(bench->policy, room, cells));
	add_group(bench, "g", GROUP_ONE_OF, 0, "room.out.dns, room.out.maestro");
	assert_true(unit_is_decided(bench->policy, room, cells));
	cells[maestro] = IDLE;
	cell_settle(&cells[maestro]);
	assert_false(unit_is_decided(bench->policy, room, cells));
	assert_int_equal(cells[dns].excused, 0); /* nothing was changed */
}

/* ------------------------------------------------------------------ result */

/* One line of the table; what is zero does not differ from a run in which all that is required works. */
struct line {
	const char *what;
	const char *row; /* of the boardroom, ... */
	const struct cell *cell; /* ... stands so; with a group of it and ... */
	const char *other;       /* ... this one, which is idle: "ok" says that it works */
	bool other_ok;
	const struct cell *other_cell; /* or stands so */
	uint8_t media; /* ... where that group is of a kind of media */
	enum severity finding;
	bool waived, stranger, unseen, absent, no_unit, no_profile, empty, unrecorded, window, until;
	bool alone;               /* the site asks for `row` itself */
	const char *silent_about; /* no reason has these words */
	uint64_t unfinished, running;
	int64_t settled_us;
	uint64_t undetermined, cuts, dropped, evicted, silent, other_policies;
	enum blind_cause blind;
	const char *blind_unit;
	enum acceptance_result low, medium, high;
	enum acceptance_result boardroom; /* alone, at low */
	const char *reason;               /* some reason has these words */
};

#define A ACCEPTED
#define N NOT_ACCEPTED
#define U ACCEPTANCE_UNDETERMINED
/* At low, medium, high; and the boardroom alone. */
#define AT(l, m, h, b) .low = (l), .medium = (m), .high = (h), .boardroom = (b)
#define ALL(x) AT(x, x, x, x)

static const struct line LINES[] = {
	{.what = "all that is required works", ALL(A)},
	/* not accepted */
	{.what = "a finding, high", .finding = SEVERITY_HIGH, ALL(N), .reason = "1 open finding of severity high"},
	{.what = "a finding, medium", .finding = SEVERITY_MEDIUM, AT(N, N, A, N),
	 .reason = "1 open finding of severity medium"},
	{.what = "a finding, low", .finding = SEVERITY_LOW, AT(N, A, A, N),
	 .reason = "1 open finding of severity low"},
	{.what = "a finding, info", .finding = SEVERITY_INFO, ALL(A)},
	{.what = "a finding, waived", .finding = SEVERITY_HIGH, .waived = true, ALL(A)},
	{.what = "a finding of a unit on no list", .finding = SEVERITY_MEDIUM, .stranger = true, AT(N, N, A, A)},
	{.what = "required, blocked", .row = "room.out.dns", .cell = &BLOCKED, ALL(N),
	 .reason = "required: room.out.dns is blocked: boardroom"},
	{.what = "required, blocked, waived", .row = "room.out.dns", .cell = &WAIVED, ALL(A)},
	{.what = "required, blocked, and the other way works", .row = "online.out.audio", .cell = &BLOCKED,
	 .other = "online.out.relay_udp", .other_ok = true, ALL(A)},
	{.what = "required, blocked, and the other way idle", .row = "online.out.audio", .cell = &BLOCKED,
	 .other = "online.out.relay_udp", ALL(N),
	 .reason = "required: one of online.out.audio, online.out.relay_udp is blocked: boardroom"},
	{.what = "required, blocked, waived, and the other way idle", .row = "online.out.audio", .cell = &WAIVED,
	 .other = "online.out.relay_udp", ALL(A)},
	{.what = "... tried", .row = "online.out.audio", .cell = &WAIVED, .other = "online.out.relay_udp",
	 .other_cell = &TRIED, ALL(U),
	 .reason = "one of online.out.audio, online.out.relay_udp was tried"},
	{.what = "... outside", .row = "online.out.audio", .cell = &WAIVED, .other = "online.out.relay_udp",
	 .other_cell = &OUTSIDE, ALL(U), .reason = "one of online.out.audio, online.out.relay_udp was not seen to work"},
	{.what = "... carries what nobody can tell", .row = "online.out.audio", .cell = &WAIVED,
	 .other = "online.out.relay_udp", .other_cell = &OK_WHAT, .media = MEDIA_AUDIO, ALL(U),
	 .reason = "was not seen: one of them works"},
	{.what = "... blocked, and not waived", .row = "online.out.audio", .cell = &WAIVED,
	 .other = "online.out.relay_udp", .other_cell = &BLOCKED, ALL(N)},
	{.what = "required by the site, idle, and the other way works", .row = "online.out.audio", .cell = &IDLE,
	 .alone = true, .other = "online.out.relay_udp", .other_ok = true, ALL(U),
	 .reason = "required: online.out.audio was not exercised: boardroom"},
	{.what = "required by the site, blocked, and the other way works", .row = "online.out.audio", .cell = &BLOCKED,
	 .alone = true, .other = "online.out.relay_udp", .other_ok = true, ALL(N),
	 .reason = "required: online.out.audio is blocked: boardroom"},
	{.what = "recommended, blocked", .row = "room.in.web_ui", .cell = &BLOCKED, ALL(A)},
	{.what = "if-used, blocked", .row = "room.out.llmnr", .cell = &BLOCKED, ALL(A)},
	{.what = "of another profile, blocked", .row = "onprem.out.sip", .cell = &BLOCKED, ALL(A)},
	{.what = "... and no unit was seen", .finding = SEVERITY_MEDIUM, .stranger = true, .unseen = true,
	 .absent = true, ALL(U), .reason = "no packet of a listed unit was seen: attic, boardroom"},
	/* undetermined */
	{.what = "required, idle", .row = "room.out.dns", .cell = &IDLE, ALL(U),
	 .reason = "required: room.out.dns was not exercised: boardroom"},
	{.what = "required, unanswered", .row = "room.out.dns", .cell = &TRIED, ALL(U),
	 .reason = "required: room.out.dns was tried"},
	{.what = "required, outside alone", .row = "room.out.dns", .cell = &OUTSIDE, ALL(U),
	 .reason = "required: room.out.dns was not seen to work"},
	{.what = "required, outside, and a finding refuses", .row = "room.out.dns", .cell = &OUTSIDE,
	 .finding = SEVERITY_MEDIUM, AT(N, N, U, N)},
	{.what = "required, idle, and the other way works", .row = "online.out.audio", .cell = &IDLE,
	 .other = "online.out.relay_udp", .other_ok = true, ALL(A)},
	{.what = "required, idle, and the other way too", .row = "online.out.audio", .cell = &IDLE,
	 .other = "online.out.relay_udp", ALL(U),
	 .reason = "one of online.out.audio, online.out.relay_udp was not exercised: boardroom"},
	{.what = "audio went neither way, and what did nobody can tell", .row = "online.out.audio", .cell = &OK_WHAT,
	 .other = "online.out.relay_udp", .media = MEDIA_AUDIO, ALL(U),
	 .reason = "required: audio by one of online.out.audio, online.out.relay_udp was not seen: one of them works"},
	{.what = "audio went another way", .row = "online.out.audio", .cell = &OK_AUDIO,
	 .other = "online.out.relay_udp", .media = MEDIA_AUDIO, ALL(A)},
	{.what = "recommended, idle", .row = "room.in.web_ui", .cell = &IDLE, ALL(A)},
	{.what = "if-used, tried", .row = "room.out.llmnr", .cell = &TRIED, ALL(A)},
	{.what = "an undetermined flow", .undetermined = 1, ALL(U), .reason = "1 flow nothing certain"},
	{.what = "a listed unit never seen", .unseen = true, AT(U, U, U, A),
	 .reason = "no packet of a listed unit was seen: attic"},
	{.what = "of a unit that was not seen rows are not told", .row = "room.out.dns", .cell = &IDLE, .absent = true,
	 ALL(U), .reason = "no packet of a listed unit was seen: boardroom", .silent_about = "room.out.dns"},
	{.what = "no unit at all", .no_unit = true, ALL(U), .reason = "no unit was seen"},
	{.what = "a unit of no profile", .no_profile = true, ALL(U), .reason = "no documented row"},
	{.what = "an entry for many, no host", .silent = 1, AT(U, U, U, A),
	 .reason = "of 1 entry of the list of units no host was seen: attic"},
	{.what = "many such entries", .silent = 6, AT(U, U, U, A),
	 .reason = "of 6 entries of the list of units no host was seen: attic, boardroom, attic, boardroom and 2 more"},
	{.what = "a window of zero length", .empty = true, ALL(U), .reason = "has no length"},
	{.what = "nothing recorded in the window", .unrecorded = true, .window = true, ALL(U),
	 .reason = "nothing was recorded in the window"},
	{.what = "nothing recorded at all", .unrecorded = true, ALL(U), .reason = "no packet at all"},
	{.what = "judged by another policy", .other_policies = 2, ALL(U), .reason = "2 flows were judged"},
	{.what = "a run that died", .unfinished = 1, ALL(U), .reason = "run 7 died early"},
	{.what = "a file being read", .unfinished = 1, .running = 7, ALL(U), .reason = "run 7 is not over"},
	{.what = "flows too young", .settled_us = 1, ALL(U), .reason = "may not be written yet"},
	{.what = "all is written", .settled_us = INT64_MAX, ALL(A)},
	{.what = "a file cut", .cuts = 1, ALL(U), .reason = "1 file ends in the middle"},
	{.what = "the kernel dropped", .dropped = 120, ALL(U), .reason = "the kernel dropped 120 packets"},
	{.what = "... but in a window its intervals tell", .dropped = 120, .window = true, ALL(A)},
	{.what = "... also where it has but an end", .dropped = 120, .until = true, ALL(A)},
	{.what = "the flow table was full", .evicted = 1, ALL(U), .reason = "1 flow ended early"},
	{.what = "not-running", .blind = BLIND_NOT_RUNNING, ALL(U), .reason = "not-running"},
	{.what = "kernel-drop", .blind = BLIND_KERNEL_DROP, ALL(U), .reason = "kernel-drop"},
	{.what = "inspector-down", .blind = BLIND_INSPECTOR_DOWN, ALL(A)},
	{.what = "sensor-down", .blind = BLIND_SENSOR_DOWN, ALL(U), .reason = "sensor-down"},
	{.what = "ring-full", .blind = BLIND_RING_FULL, ALL(A)},
	{.what = "evicted", .blind = BLIND_EVICTED, ALL(U), .reason = "evicted"},
	{.what = "link-down", .blind = BLIND_LINK_DOWN, ALL(U), .reason = "link-down"},
	{.what = "mirror-silent", .blind = BLIND_MIRROR_SILENT, ALL(U), .reason = "mirror-silent"},
	{.what = "truncated", .blind = BLIND_TRUNCATED, ALL(A)},
	{.what = "one-sided", .blind = BLIND_ONE_SIDED, ALL(A)},
	{.what = "clock-step", .blind = BLIND_CLOCK_STEP, ALL(U), .reason = "clock-step"},
	{.what = "disk-full", .blind = BLIND_DISK_FULL, ALL(U), .reason = "disk-full"},
	{.what = "mac-shared", .blind = BLIND_MAC_SHARED, ALL(U), .reason = "mac-shared"},
	{.what = "mac-shared of another unit", .blind = BLIND_MAC_SHARED, .blind_unit = "attic", AT(U, U, U, A)},
	{.what = "stream-gap", .blind = BLIND_STREAM_GAP, ALL(A)},
	{.what = "dissect-full", .blind = BLIND_DISSECT_FULL, ALL(A)},
	{.what = "set-aside", .blind = BLIND_SET_ASIDE, ALL(U), .reason = "set-aside"},
	{.what = "removed", .blind = BLIND_REMOVED, ALL(U), .reason = "removed"},
	/* what worked may be what is gone */
	{.what = "blocked, and flows removed", .row = "room.out.dns", .cell = &BLOCKED, .blind = BLIND_REMOVED, ALL(U),
	 .reason = "room.out.dns is blocked in what is left, and may have worked in what was removed: boardroom"},
	{.what = "a finding, and flows removed", .finding = SEVERITY_LOW, .blind = BLIND_REMOVED, AT(N, U, U, N)},
	/* no beats undetermined */
	{.what = "blocked, and packets unseen", .row = "room.out.dns", .cell = &BLOCKED, .blind = BLIND_KERNEL_DROP, ALL(N)},
	{.what = "a finding, and packets unseen", .finding = SEVERITY_LOW, .blind = BLIND_KERNEL_DROP, AT(N, U, U, N)},
	{.what = "blocked, and a file cut", .row = "room.out.dns", .cell = &BLOCKED, .cuts = 1, ALL(N)},
};

static void make_unit(const struct policy *policy, size_t at, struct acceptance_unit *unit)
{
	*unit = (struct acceptance_unit){
		.name = policy->units[at].name, .profiles = policy->units[at].profiles, .seen = true};
	unit->cells = calloc(policy->row_count, sizeof(*unit->cells));
	for (size_t i = 0; i < policy->row_count; i++)
		unit->cells[i].exact = policy->rows[i].need == NEED_REQUIRED;
}

static void settle(struct acceptance *a, struct acceptance_unit *unit)
{
	for (size_t i = 0; i < a->policy->row_count; i++) {
		cell_settle(&unit->cells[i]);
		unit->cells[i].applies = unit->profiles & BIT(a->policy->rows[i].profile);
	}
	unit->groups = calloc(GROUPS_MAX, sizeof(*unit->groups));
	unit->group_count = unit_groups(a->policy, unit->profiles, unit->cells, unit->groups);
}

static void apply(struct bench *bench, const struct line *line, struct acceptance *a)
{
	struct acceptance_unit *attic = &a->units[0], *boardroom = &a->units[1];

	bench->envelope.group_count = 0;
	for (size_t i = 0; i < a->policy->row_count; i++)
		a->policy->rows[i].need_alone = line->alone && (int)i == row_of(bench, line->row);
	if (line->row)
		boardroom->cells[row_of(bench, line->row)] = *line->cell;
	if (line->other) {
		char rows[2 * ROW_ID_MAX];

		snprintf(rows, sizeof(rows), "%s, %s", line->row, line->other);
		add_group(bench, "way", GROUP_ONE_OF, line->media, rows);
		if (!line->other_ok)
			boardroom->cells[row_of(bench, line->other)] =
				line->other_cell ? *line->other_cell : IDLE;
	}
	attic->seen = !line->unseen;
	boardroom->seen = !line->absent;
	if (line->no_profile)
		boardroom->profiles = 0;
	boardroom->undetermined = line->undetermined;
	boardroom->other_policies = a->other_policies = line->other_policies;
	a->finding_count = line->finding > 0;
	a->findings[0] = (struct acceptance_finding){
		.unit = line->stranger ? SIZE_MAX : 1,
		.finding.severity = (uint8_t)line->finding,
		.waived = line->waived,
		.refuses = !line->waived && line->finding >= SEVERITY_LOW,
	};
	a->blind_count = line->blind > 0;
	a->blinds[0].row.cause = (uint8_t)line->blind;
	a->blind_causes = line->blind ? (uint32_t)BIT(line->blind) : 0;
	if (line->blind_unit)
		text_copy(a->blinds[0].unit, sizeof(a->blinds[0].unit), line->blind_unit);
	a->until_us = line->empty ? a->since_us : a->since_us + S;
	a->unrecorded = line->unrecorded;
	a->options.since_us = line->window ? a->since_us : 0;
	a->options.until_us = line->until ? a->until_us : 0;
	a->unfinished = line->unfinished;
	a->unfinished_run = 7;
	a->options.running = (int64_t)line->running;
	a->settled_us = line->settled_us;
	a->cuts = line->cuts;
	a->silent_entries = line->silent;
	a->silent = calloc(line->silent + 1, sizeof(*a->silent));
	for (size_t i = 0; i < line->silent; i++)
		a->silent[i] = &a->policy->units[i % 2];
	a->counters.kernel_dropped = line->dropped;
	a->counters.evicted = line->evicted;
}

static void has_reason(const struct acceptance *a, const struct line *line)
{
	bool any = !line->reason;

	for (size_t i = 0; i < a->reason_count && !any; i++)
		any = strstr(a->reasons[i].text, line->reason);
	if (!any)
		fail_msg("%s: no reason '%s', but %zu others: %s", line->what, line->reason,
		         a->reason_count, a->reason_count ? a->reasons[0].text : "");
	for (size_t i = 0; i < a->reason_count && line->silent_about; i++)
		if (strstr(a->reasons[i].text, line->silent_about))
			fail_msg("%s: %s", line->what, a->reasons[i].text);
	/* Nothing keeps a result open without being said, and what is said does. */
	if ((a->reason_count > 0) != (a->result != ACCEPTED || line->finding > SEVERITY_INFO) &&
	    !line->waived)
		fail_msg("%s: %zu reasons for %s", line->what, a->reason_count,
		         acceptance_result_name(a->result));
}

/* What of a group is not waived: the one that says most stands for it, wherever it is listed. */
static void a_waived_group_is_as_its_other_rows_are(void **state)
{
	static const char *const ORDERS[] = {"online.out.audio, online.out.relay_udp, online.out.video",
	                                     "online.out.video, online.out.relay_udp, online.out.audio"};
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(ORDERS); i++) {
		struct acceptance *a = calloc(1, sizeof(*a));
		struct err err = {0};

		bench->envelope.group_count = 0;
		add_group(bench, "g", GROUP_ONE_OF, 0, ORDERS[i]);
		a->policy = bench->policy;
		a->until_us = S;
		a->units = calloc(1, sizeof(*a->units));
		a->unit_count = 1;
		make_unit(bench->policy, 1, &a->units[0]);
		a->units[0].cells[row_of(bench, "online.out.audio")] = OUTSIDE;
		a->units[0].cells[row_of(bench, "online.out.relay_udp")] = WAIVED;
		a->units[0].cells[row_of(bench, "online.out.video")] = TRIED;
		settle(a, &a->units[0]);
		assert_int_equal(acceptance_judge(a, &err), 0);
		assert_int_equal(a->reason_count, 1);
		assert_non_null(strstr(a->reasons[0].text, "only flows outside of it"));
		a->units[0].name = NULL;
		free(a->units[0].cells);
		free(a->units[0].groups);
		a->unit_count = 0;
		acceptance_free(a);
	}
}

static void the_result_follows_from_the_table(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
		const struct line *line = &LINES[i];
		struct acceptance *a = calloc(1, sizeof(*a));
		struct err err = {0};

		a->policy = bench->policy;
		a->options.fail_on = SEVERITY_LOW;
		a->since_us = 100 * S;
		a->unit_count = 2;
		a->units = calloc(2, sizeof(*a->units));
		a->findings = calloc(1, sizeof(*a->findings));
		a->blinds = calloc(1, sizeof(*a->blinds));
		make_unit(bench->policy, 0, &a->units[0]);
		make_unit(bench->policy, 1, &a->units[1]);
		apply(bench, line, a);
		settle(a, &a->units[0]);
		settle(a, &a->units[1]);
		if (line->no_unit)
			a->unit_count = 0;
		assert_int_equal(acceptance_judge(a, &err), 0);
		if (a->result != line->low ||
		    acceptance_result_at(a, SEVERITY_LOW) != line->low ||
		    acceptance_result_at(a, SEVERITY_MEDIUM) != line->medium ||
		    acceptance_result_at(a, SEVERITY_HIGH) != line->high)
			fail_msg("%s: %s, at medium %s, at high %s", line->what,
			         acceptance_result_name(a->result),
			         acceptance_result_name(acceptance_result_at(a, SEVERITY_MEDIUM)),
			         acceptance_result_name(acceptance_result_at(a, SEVERITY_HIGH)));
		if (!line->no_unit && a->units[1].result != line->boardroom)
			fail_msg("%s: the boardroom alone is %s", line->what,
			         acceptance_result_name((enum acceptance_result)a->units[1].result));
		has_reason(a, line);
		for (size_t k = 0; k < 2; k++) {
			a->units[k].name = NULL; /* the policy's */
			free(a->units[k].cells);
			free(a->units[k].groups);
		}
		a->unit_count = 0;
		acceptance_free(a);
	}
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_state_follows_from_the_flows),
		WITH(flows_are_counted_by_what_became_of_them),
		WITH(one_udp_flow_exercises_the_row_and_its_mirror),
		WITH(a_row_that_the_policy_does_not_have_is_left_alone),
		WITH(a_group_is_what_its_best_row_is),
		WITH(groups_of_other_profiles_are_not_the_unit_s),
		WITH(what_rows_carry_together_excuses_others),
		WITH(what_the_site_asks_for_itself_no_other_row_excuses),
		WITH(a_live_run_is_decided_when_all_that_is_required_is),
		WITH(a_waived_group_is_as_its_other_rows_are),
		WITH(the_result_follows_from_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
