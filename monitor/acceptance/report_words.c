/*
 * report_words.c - see report_parts.h: what an acceptance says by number, in words.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

const char *moment_print(int64_t us, char buf[TIME_TEXT])
{
	char whole[TIME_TEXT];

	if (us)
		snprintf(buf, TIME_TEXT, "%.19sZ", time_print(us, whole));
	else
		snprintf(buf, TIME_TEXT, "?");
	return buf;
}

const char *clock_print(const struct acceptance *acceptance, int64_t us, char buf[TIME_TEXT])
{
	char since[TIME_TEXT], until[TIME_TEXT], whole[TIME_TEXT];

	time_print(acceptance->since_us, since);
	time_print(acceptance->until_us, until);
	time_print(us, whole);
	if (!us)
		snprintf(buf, TIME_TEXT, "?");
	else if (!strncmp(since, until, 11) && !strncmp(since, whole, 11))
		snprintf(buf, TIME_TEXT, "%.8s", whole + 11);
	else
		snprintf(buf, TIME_TEXT, "%.10s %.8s", whole, whole + 11);
	return buf;
}

static size_t next_char(const char *text, size_t at)
{
	at++;
	while (((unsigned char)text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

const char *name_cut(const char *name, size_t len, char buf[NAME_CUT])
{
	CLEANUP(freep) char *visible = text_visible(name);
	const char *from = visible ? visible : "";
	size_t end = 0, kept = 0;

	for (size_t count = 0; from[end] && count < len; count++) {
		if (count + 1 < len)
			kept = next_char(from, end);
		end = next_char(from, end);
	}
	if (from[end])
		snprintf(buf, NAME_CUT, "%.*s\u2026", (int)kept, from);
	else
		snprintf(buf, NAME_CUT, "%s", from);
	return buf;
}

/* ------------------------------------------------------------------ result */

const char *result_words(enum acceptance_result result)
{
	static const char *const words[] = {
		[ACCEPTED] = "accepted",
		[NOT_ACCEPTED] = "not accepted",
		[ACCEPTANCE_UNDETERMINED] = "undetermined",
	};

	return words[result];
}

enum tone result_tone(uint8_t result)
{
	return result == ACCEPTED ? TONE_GOOD : result == NOT_ACCEPTED ? TONE_BAD : TONE_DOUBT;
}

bool reason_holds(const struct acceptance *acceptance, const struct acceptance_reason *reason)
{
	return reason->severity == SEVERITY_NONE ||
	       reason->severity >= acceptance->options.fail_on;
}

/* How many of the rows that carry an acceptance rest on peers or services that nothing proved. */
static const char *unproven_words(const struct acceptance *a, char buf[48])
{
	uint64_t count = 0;

	for (size_t i = 0; i < a->unit_count; i++)
		for (size_t k = 0; k < a->policy->row_count; k++) {
			const struct cell *cell = &a->units[i].cells[k];

			count += cell->applies && a->policy->rows[k].need == NEED_REQUIRED &&
			         cell->state == CELL_OK && cell->grade != GRADE_EXACT;
		}
	*buf = '\0';
	if (count)
		snprintf(buf, 48, " (%llu row%s unproven or wide)",
		         (unsigned long long)count, plural(count));
	return buf;
}

const char *filter_mark(const struct acceptance *acceptance)
{
	return !acceptance->filtered                      ? ""
	       : acceptance->filtered < acceptance->runs ? " (partly filtered)"
	                                                  : " (filtered)";
}

const char *filter_words(const struct acceptance *acceptance, char buf[FILTER_TEXT])
{
	bool whole = strlen(acceptance->filter) <= FILTER_TEXT / 2;

	*buf = '\0';
	if (acceptance->filtered && acceptance->filtered < acceptance->runs)
		text_add(buf, FILTER_TEXT, "in %llu of %llu runs ",
		         (unsigned long long)acceptance->filtered,
		         (unsigned long long)acceptance->runs);
	if (acceptance->filtered)
		text_add(buf, FILTER_TEXT, "only what '%.*s%s' lets through was judged",
		         FILTER_TEXT / 2, acceptance->filter, whole ? "" : "...");
	return buf;
}

void answer_print(const struct acceptance *acceptance, char *buf, size_t size)
{
	char unproven[48], filter[FILTER_TEXT];
	const struct acceptance_reason *first = NULL;
	uint64_t more = 0;

	for (size_t i = 0; i < acceptance->reason_count; i++) {
		const struct acceptance_reason *reason = &acceptance->reasons[i];

		if (!reason_holds(acceptance, reason))
			continue;
		if (first)
			more++;
		else
			first = reason;
	}
	*buf = '\0';
	if (acceptance->filtered)
		text_add(buf, size, "%s; ", filter_words(acceptance, filter));
	if (!first) {
		text_add(
			buf, size,
			"every required row, or one of those of which one is enough, was seen to work at "
			"%zu unit%s%s, and no finding of severity %s or worse stands",
			acceptance->unit_count, plural(acceptance->unit_count),
			unproven_words(acceptance, unproven),
			severity_words((uint8_t)acceptance->options.fail_on));
		if (acceptance->closed_by_hand)
			text_add(buf, size, "; %zu %s closed by a person",
			         acceptance->closed_by_hand,
			         acceptance->closed_by_hand == 1 ? "was" : "were");
	} else if (more) {
		text_add(buf, size, "%s; and %llu reason%s more", first->text,
		         (unsigned long long)more, plural(more));
	} else {
		text_add(buf, size, "%s", first->text);
	}
}

/* ------------------------------------------------------------- rows, cells */

bool row_is_asked(const struct acceptance *acceptance, size_t row)
{
	for (size_t i = 0; i < acceptance->unit_count; i++)
		if (acceptance->units[i].cells[row].applies)
			return true;
	return false;
}

void row_counts(const struct acceptance *acceptance, size_t row,
                uint64_t counts[CELL_STATE_COUNT])
{
	memset(counts, 0, CELL_STATE_COUNT * sizeof(*counts));
	for (size_t i = 0; i < acceptance->unit_count; i++) {
		const struct cell *cell = &acceptance->units[i].cells[row];

		if (cell->applies && cell->state < CELL_STATE_COUNT)
			counts[cell->state]++;
	}
}

const char *need_words(const struct row *row)
{
	static const char *const words[NEED_COUNT][2] = {
		[NEED_REQUIRED] = {"required", "required (site)"},
		[NEED_RECOMMENDED] = {"recommended", "recommended (site)"},
		[NEED_IF_USED] = {"if used", "if used (site)"},
	};

	return row->need < NEED_COUNT ? words[row->need][row->need_by_site] : "";
}

const char *block_word(uint8_t kind)
{
	return kind == KIND_BLOCKED_SILENT       ? "silent"
	       : kind == KIND_BLOCKED_PROHIBITED ? "prohibited"
	       : kind == KIND_REFUSED            ? "refused"
	                                         : NULL;
}

const char *whys_print(const struct cell *cell, char buf[CELL_TEXT])
{
	*buf = '\0';
	if (cell->whys & CELL_WHY_UNANSWERED)
		text_add(buf, CELL_TEXT, "unanswered");
	if (cell->whys & CELL_WHY_ONE_SIDED)
		text_add(buf, CELL_TEXT, "%sone-sided", *buf ? ", " : "");
	for (unsigned why = WHY_NONE + 1; cell->whys & CELL_WHY_VERDICT && why < 32; why++)
		if (cell->verdict_whys & BIT(why) && why_name((enum why)why))
			text_add(buf, CELL_TEXT, "%s%s", *buf ? ", " : "",
			         why_name((enum why)why));
	if (!*buf)
		text_add(buf, CELL_TEXT, "undetermined");
	return buf;
}

/* The router that is named first. */
static const struct addr *sender_of(const struct cell *cell)
{
	for (unsigned i = 0; i < cell->block_count; i++)
		if (!addr_is_unspecified(&cell->blocks[i].sender))
			return &cell->blocks[i].sender;
	return NULL;
}

static void add_blocked(const struct cell *cell, char buf[CELL_TEXT])
{
	const struct addr *sender = sender_of(cell);
	char addr[ADDR_TEXT];

	if (cell->blocked == KIND_REFUSED)
		text_add(buf, CELL_TEXT, "REFUSED");
	else if (cell->blocked == KIND_BLOCKED_PROHIBITED && sender)
		text_add(buf, CELL_TEXT, "BLOCKED by %s", addr_print(sender, addr));
	else
		text_add(buf, CELL_TEXT, "BLOCKED %s",
		         block_word(cell->blocked) ? block_word(cell->blocked) : "");
	if (cell->waived)
		text_add(buf, CELL_TEXT, " (waived)");
}

static void add_count(char buf[CELL_TEXT], uint64_t count, const char *words)
{
	if (count)
		text_add(buf, CELL_TEXT, ", %llu %s", (unsigned long long)count, words);
}

const char *cell_words(const struct acceptance_unit *unit, const struct cell *cell,
                       char buf[CELL_TEXT])
{
	char whys[CELL_TEXT];

	*buf = '\0';
	switch (cell->state) {
	case CELL_OK:
		text_add(buf, CELL_TEXT, "ok %s", grade_name((enum grade)cell->grade));
		if (cell->carried)
			text_add(buf, CELL_TEXT, " (by another row)");
		add_count(buf, cell->outside, "outside");
		add_count(buf, cell->silent + cell->prohibited + cell->refused, "blocked");
		add_count(buf, cell->unanswered, "unanswered");
		break;
	case CELL_BLOCKED:
		add_blocked(cell, buf);
		add_count(buf, cell->outside, "outside");
		break;
	case CELL_OUTSIDE:
		text_add(buf, CELL_TEXT, "%llu outside", (unsigned long long)cell->outside);
		break;
	case CELL_UNDETERMINED:
		text_add(buf, CELL_TEXT, "undetermined: %s", whys_print(cell, whys));
		break;
	default:
		text_add(buf, CELL_TEXT, "not exercised%s", unit->blind ? "*" : "");
	}
	if (cell->excused)
		text_add(buf, CELL_TEXT, " (another way works)");
	return buf;
}

const char *cell_word(const struct cell *cell)
{
	static const char *const ok[] = {[GRADE_NONE] = "ok",
	                                 [GRADE_EXACT] = "ok exact",
	                                 [GRADE_UNPROVEN] = "ok unproven",
	                                 [GRADE_WIDE] = "ok wide"};

	switch (cell->state) {
	case CELL_OK:
		return ok[cell->grade < ARRAY_LEN(ok) ? cell->grade : 0];
	case CELL_BLOCKED:
		return block_word(cell->blocked) ? block_word(cell->blocked) : "blocked";
	case CELL_OUTSIDE:
		return "outside";
	case CELL_UNDETERMINED:
		return "undetermined";
	default:
		return "not exercised";
	}
}

enum tone cell_tone(const struct cell *cell, const struct row *row)
{
	bool open = row->need == NEED_REQUIRED && !cell->excused;

	switch (cell->state) {
	case CELL_OK:
		return cell->refusing ? TONE_BAD : TONE_GOOD;
	case CELL_BLOCKED:
	case CELL_OUTSIDE:
		return cell->refusing || open ? TONE_BAD : TONE_DOUBT;
	case CELL_UNDETERMINED:
		return TONE_DOUBT;
	default:
		return open ? TONE_DOUBT : TONE_QUIET;
	}
}

static const char *block_end(const struct cell_block *block, bool remote, char buf[END_TEXT])
{
	return end_print(
		remote ? &(struct endpoint){.addr = block->remote, .port = block->remote_port}
		       : &(struct endpoint){.addr = block->local, .port = block->local_port},
		block->transport, buf);
}

const char *block_print(const struct cell_block *block, char buf[CELL_TEXT])
{
	bool in = block->direction == DIRECTION_IN;
	char local[END_TEXT], remote[END_TEXT], sender[ADDR_TEXT];

	*buf = '\0';
	text_add(buf, CELL_TEXT, "%s %s > %s: ", transport_name(block->transport),
	         block_end(block, in, remote), block_end(block, !in, local));
	if (block->kind == KIND_REFUSED)
		text_add(buf, CELL_TEXT, "refused");
	else if (block->kind == KIND_BLOCKED_PROHIBITED)
		text_add(buf, CELL_TEXT, "prohibited");
	else
		text_add(buf, CELL_TEXT, "no answer, silently dropped");
	if (!addr_is_unspecified(&block->sender))
		text_add(buf, CELL_TEXT, " by %s (%s %u/%u)",
		         addr_print(&block->sender, sender),
		         addr_is_v4(&block->sender) ? "ICMP" : "ICMPv6", block->icmp_type,
		         block->icmp_code);
	text_add(buf, CELL_TEXT, ", %llu flow%s", (unsigned long long)block->flows,
	         plural(block->flows));
	return buf;
}

/* ---------------------------------------------------------------- findings */

const char *severity_words(uint8_t severity)
{
	const char *name = severity_name((enum severity)severity);

	return name ? name : "info";
}

const char *finding_peer(const struct finding_row *finding)
{
	return *finding->role ? finding->role : finding->remote;
}

const char *finding_port(const struct finding_row *finding, char buf[CELL_TEXT])
{
	*buf = '\0';
	if (finding->transport)
		text_add(buf, CELL_TEXT, "%s", transport_name(finding->transport));
	if (*finding->port)
		text_add(buf, CELL_TEXT, "%s%s", *buf ? " " : "", finding->port);
	if (finding->app)
		text_add(buf, CELL_TEXT, "%s%s", *buf ? ", " : "",
		         app_name((enum app)finding->app));
	return buf;
}

const char *closed_words(const struct acceptance_closed *closed, char buf[CLOSED_TEXT])
{
	bool by_hand = *closed->by;

	snprintf(buf, CLOSED_TEXT, "closed by %.128s: %.768s",
	         by_hand ? closed->by : "the judge",
	         by_hand ? closed->why : closed->finding.finding.reason);
	return buf;
}

/* ------------------------------------------------------------------ groups */

const char *group_words(const struct row_group *group, char buf[CELL_TEXT])
{
	const char *media = media_name(group->media);

	if (group->rule == GROUP_TOGETHER)
		snprintf(buf, CELL_TEXT, "one that works shows all");
	else
		snprintf(buf, CELL_TEXT, "one is enough%s%s", media ? ", for " : "",
		         media ? media : "");
	return buf;
}

const char *group_rows(const struct policy *policy, const struct row_group *group, char *buf,
                       size_t size)
{
	*buf = '\0';
	for (unsigned i = 0; i < group->row_count; i++)
		text_add(buf, size, "%s%s", i ? ", " : "", policy->rows[group->rows[i]].id);
	return buf;
}

/* ----------------------------------------------------------------- waivers */

static void add_scope(char *buf, size_t size, const char *name, const char *value)
{
	text_add(buf, size, "%s%s%s", *buf ? "; " : "", name, value);
}

const char *waiver_scope(const struct policy *policy, const struct waiver *waiver, char *buf,
                         size_t size)
{
	char text[PREFIX_TEXT > 256 ? PREFIX_TEXT : 256];

	*buf = '\0';
	for (size_t i = 0; i < waiver->unit_count; i++)
		if (i)
			text_add(buf, size, ", %s", waiver->units[i]);
		else
			add_scope(buf, size, "units ", waiver->units[i]);
	if (waiver->kind)
		add_scope(buf, size, "kind ", kind_name((enum kind)waiver->kind));
	if (waiver->row >= 0)
		add_scope(buf, size, "row ", policy->rows[waiver->row].id);
	if (waiver->remote.bits)
		add_scope(buf, size, "peer ", prefix_print(&waiver->remote, text));
	if (waiver->transport)
		add_scope(buf, size, "", transport_name(waiver->transport));
	if (waiver->local.count)
		add_scope(buf, size, "local ports ",
		          port_set_print(&waiver->local, text, sizeof(text)));
	if (waiver->remote_ports.count)
		add_scope(buf, size, "remote ports ",
		          port_set_print(&waiver->remote_ports, text, sizeof(text)));
	if (waiver->app)
		add_scope(buf, size, "application ", app_name((enum app)waiver->app));
	return buf;
}

/* Against the end of the window: what it excused in it stays excused. */
bool waiver_is_over(const struct acceptance *acceptance, const struct waiver *waiver)
{
	return acceptance->until_us && waiver->expires_us < acceptance->until_us;
}

/* A finding gathers peers under a prefix, or under their role alone. */
static bool may_be_of(const struct prefix *waived, const char *remote)
{
	struct prefix found;

	return !waived->bits || !*remote || prefix_parse(remote, &found) < 0 ||
	       prefix_covers(waived, &found.addr) || prefix_covers(&found, &waived->addr);
}

bool waiver_excuses(const struct acceptance *acceptance, const struct waiver *waiver,
                    const struct acceptance_finding *finding)
{
	char text[sizeof(finding->finding.waiver)];
	bool named = !waiver->unit_count;

	for (size_t i = 0; i < waiver->unit_count && !named; i++) {
		size_t len = strlen(waiver->units[i]);

		/* An entry for many names all its hosts. */
		named = !strncmp(finding->who, waiver->units[i], len) &&
		        (!finding->who[len] || finding->who[len] == '/');
	}
	return finding->waived && named &&
	       (!waiver->kind || waiver->kind == finding->finding.kind) &&
	       (waiver->row < 0 || waiver->row == finding->row) &&
	       (!waiver->transport || waiver->transport == finding->finding.transport) &&
	       (waiver->app == APP_NONE || waiver->app == finding->finding.app) &&
	       may_be_of(&waiver->remote, finding->finding.remote) &&
	       !strcmp(waiver_print(waiver, text, sizeof(text)), finding->finding.waiver);
}
