/*
 * check_live.c - see check_live.h. On a terminal there is a line of status below what was said; elsewhere, and with
 * NO_COLOR, there are plain lines alone.
 */
#include "monitor/commands/check_live.h"
#include "monitor/acceptance/watcher.h"
#include "monitor/commands/feed.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define QUIET_US INT64_C(30000000) /* without news: what could be done next is said */
#define PATIENT_US \
	INT64_C(3000000) /* a row that is only tried may yet be answered: it is said later */
#define TRIED_MAX 64
#define LINES_MAX 50 /* a second; the others are counted */
#define UNIT_WIDTH_MAX 24
#define SECOND INT64_C(1000000)

/* Rows that turned out to be undetermined: said when they still are. */
struct tried {
	size_t unit_index, row;
	const char *unit;
	int64_t due_us;
};

struct live {
	const struct run_options *options;
	const struct policy *policy;
	struct watcher *watcher;
	bool lively; /* colour, and a line of status */
	int unit_width, row_width;
	int64_t begun_us, news_us; /* monotonic: the latest news or word what to do */
	int64_t decided_us;        /* since when all is decided; 0: it is not */
	bool enough;
	int64_t second_us; /* in which `lines` were said, and `unsaid` were not */
	unsigned lines, unsaid;
	struct tried tried[TRIED_MAX];
	unsigned tried_count;
	const char *todo; /* said last */
	const char *todo_unit;
	char blind_said[BLIND_CAUSE_COUNT]
		       [64]; /* the detail of the latest that was said; "-": none was */
};

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

/* ------------------------------------------------------------------- lines */

enum { PAINT_NONE, PAINT_GOOD, PAINT_WARN, PAINT_BAD };

static const char *const PAINTS[] = {[PAINT_NONE] = "",
                                     [PAINT_GOOD] = "\033[32m",
                                     [PAINT_WARN] = "\033[33m",
                                     [PAINT_BAD] = "\033[1;31m"};

/* How many there were that nobody could have read. */
static bool has_room(struct live *live)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	if (now_us - live->second_us >= SECOND) {
		unsigned unsaid = live->unsaid;

		live->second_us = now_us;
		live->lines = live->unsaid = 0;
		if (unsaid) {
			progress_clear();
			fprintf(stderr, "          ... and %u more lines within a second\n",
			        unsaid);
		}
	}
	if (++live->lines <= LINES_MAX)
		return true;
	live->unsaid++;
	return false;
}

/* "12:03:11  boardroom  online.out.audio  ok (exact)"; `what` may be "". */
static void PRINTF(5, 6) say(struct live *live, const char *unit, const char *what, int paint,
                             const char *fmt, ...)
{
	char time[TIME_TEXT], text[1024], who[UNIT_NAME_MAX];
	bool painted = live->lively && paint;
	va_list args;

	if (!has_room(live))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_copy(who, sizeof(who), unit);
	text_tame(text);
	text_tame(who);
	progress_clear();
	fprintf(stderr, "%.8s  %-*s  %-*s  %s%s%s\n",
	        time_print_local(clock_us(CLOCK_REALTIME), time) + 11, live->unit_width, who,
	        live->row_width, what, painted ? PAINTS[paint] : "", text,
	        painted ? "\033[0m" : "");
	live->news_us = clock_us(CLOCK_MONOTONIC);
}

static int longest_name(const struct policy *policy)
{
	size_t width = 4;

	for (size_t i = 0; i < policy->unit_count; i++)
		if (strlen(policy->units[i].name) > width)
			width = strlen(policy->units[i].name);
	return (int)(width < UNIT_WIDTH_MAX ? width : UNIT_WIDTH_MAX);
}

static int longest_row(const struct policy *policy)
{
	size_t width = 0;

	for (size_t row = 0; row < policy->row_count; row++)
		if (strlen(policy->rows[row].id) > width)
			width = strlen(policy->rows[row].id);
	return (int)width;
}

/* -------------------------------------------------------------------- rows */

/* "tcp 52.112.64.12:443" */
static void add_peer(const struct exercised *by, char *buf, size_t size)
{
	char remote[ADDR_TEXT];

	if (!by || !by->transport)
		return;
	addr_print(&by->remote, remote);
	text_add(buf, size, strchr(remote, ':') ? ": %s [%s]:%u" : ": %s %s:%u",
	         transport_name(by->transport), remote,
	         by->direction == DIRECTION_IN ? by->local_port : by->remote_port);
}

static void blocked_words(const struct watcher_news *news, char *buf, size_t size)
{
	char sender[ADDR_TEXT] = "";

	if (news->by && !addr_is_unspecified(&news->by->sender))
		addr_print(&news->by->sender, sender);
	switch (news->cell->blocked) {
	case KIND_BLOCKED_PROHIBITED:
		text_add(buf, size, "blocked, %s forbids it", *sender ? sender : "a router");
		break;
	case KIND_REFUSED:
		text_add(buf, size, "blocked, refused");
		break;
	default:
		text_add(buf, size, "blocked, silently dropped");
	}
	add_peer(news->by, buf, size);
}

static void undetermined_words(const struct cell *cell, char *buf, size_t size)
{
	if (cell->whys & CELL_WHY_ONE_SIDED)
		text_add(buf, size, "undetermined, the mirror shows one direction");
	else if (cell->whys & CELL_WHY_UNANSWERED)
		text_add(buf, size, "tried, no answer so far");
	else
		text_add(buf, size, "undetermined");
	for (unsigned why = WHY_NONE + 1; why <= WHY_NO_INSPECTOR; why++)
		if (cell->whys & CELL_WHY_VERDICT && cell->verdict_whys & BIT(why))
			text_add(buf, size, ", %s", why_name((enum why)why));
}

static void tried_note(struct live *live, const struct watcher_news *news)
{
	if (live->tried_count == TRIED_MAX)
		return; /* the report says it */
	live->tried[live->tried_count++] =
		(struct tried){news->unit_index, news->row, news->unit,
	                       clock_us(CLOCK_MONOTONIC) + PATIENT_US};
}

static void row_turns(void *context, const struct watcher_news *news)
{
	struct live *live = context;
	const struct cell *cell = news->cell;
	const char *row = live->policy->rows[news->row].id;
	char words[256] = "";
	int paint = PAINT_BAD;

	switch (cell->excused ? CELL_STATE_COUNT : cell->state) {
	case CELL_OK:
		text_add(words, sizeof(words), "ok (%s)", grade_name((enum grade)cell->grade));
		if (news->group && cell->carried)
			text_add(words, sizeof(words), ", as %s", news->group);
		paint = PAINT_GOOD;
		break;
	case CELL_STATE_COUNT:
		text_add(words, sizeof(words), "not needed, another row of %s is ok",
		         news->group);
		paint = PAINT_NONE;
		break;
	case CELL_OUTSIDE:
		text_add(words, sizeof(words), "outside");
		add_peer(news->by, words, sizeof(words));
		break;
	case CELL_BLOCKED:
		blocked_words(news, words, sizeof(words));
		break;
	case CELL_UNDETERMINED:
		tried_note(live, news);
		return;
	default:
		text_add(words, sizeof(words), "taken back: not exercised");
		paint = PAINT_WARN;
	}
	say(live, news->unit, row, paint, "%s", words);
}

static void exercised(void *context, const char *unit, const struct exercised *exercised)
{
	struct live *live = context;

	watcher_take(live->watcher, unit, exercised);
}

static void tried_say(struct live *live)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC);
	unsigned kept = 0;

	for (unsigned i = 0; i < live->tried_count; i++) {
		const struct tried *tried = &live->tried[i];
		char words[256] = "";
		struct cell cell;

		if (now_us < tried->due_us) {
			live->tried[kept++] = *tried;
			continue;
		}
		if (!watcher_undetermined(live->watcher, tried->unit_index, tried->row, &cell))
			continue;
		undetermined_words(&cell, words, sizeof(words));
		say(live, tried->unit, live->policy->rows[tried->row].id, PAINT_WARN, "%s",
		    words);
	}
	live->tried_count = kept;
}

/* -------------------------------------------------- findings, what is unseen */

static void found(void *context, const struct run_found *finding)
{
	struct live *live = context;
	const char *severity = severity_name(finding->severity);

	say(live, finding->unit,
	    finding->waived ? "waived"
	    : severity      ? severity
	                    : "info",
	    finding->waived                      ? PAINT_NONE
	    : finding->severity >= SEVERITY_HIGH ? PAINT_BAD
	                                         : PAINT_WARN,
	    "%s: %s", kind_name(finding->kind), finding->reason);
}

/* What goes on saying the same is said once. */
static void blind(void *context, const struct run_blind *blind)
{
	struct live *live = context;
	char *said = live->blind_said[blind->cause], count[BLIND_COUNT_TEXT];
	bool over = blind->until_us && blind->until_us > blind->since_us + 2 * SECOND;

	if (!over && !strncmp(said, blind->detail, sizeof(live->blind_said[0]) - 1))
		return;
	text_copy(said, sizeof(live->blind_said[0]), over ? "-" : blind->detail);
	blind_count_print(blind->cause, blind->count, count);
	say(live, "", blind_cause_name(blind->cause), PAINT_WARN, "%s%s%s%s%s%s%s",
	    blind_cause_sentence(blind->cause), *blind->detail ? ": " : "", blind->detail,
	    *count ? " (" : "", count, *count ? ")" : "", over ? "; over" : "");
}

/* ------------------------------------------------------------------ status */

static unsigned columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col
	                                                                        : 80;
}

/* "3:07" */
static const char *print_elapsed(int64_t us, char buf[32])
{
	long long s = us / SECOND;

	if (s < 3600)
		snprintf(buf, 32, "%lld:%02lld", s / 60, s % 60);
	else
		snprintf(buf, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	return buf;
}

static void status(const struct live *live, const struct run_state *state)
{
	const struct watcher_sums *sums = watcher_sums(live->watcher);
	char elapsed[32], of[32], text[256] = "";

	print_elapsed(clock_us(CLOCK_MONOTONIC) - live->begun_us, elapsed);
	text_add(text, sizeof(text), "%s", elapsed);
	if (live->options->for_us)
		text_add(text, sizeof(text), " of %s",
		         print_elapsed(live->options->for_us, of));
	text_add(text, sizeof(text), "  %zu of %zu required rows  %llu packets  %llu findings",
	         sums->decided, sums->required, (unsigned long long)state->seen,
	         (unsigned long long)state->findings);
	if (state->dropped)
		text_add(text, sizeof(text), "  %llu dropped",
		         (unsigned long long)state->dropped);
	text[columns() - 1 < sizeof(text) ? columns() - 1 : sizeof(text) - 1] = '\0';
	progress_line(text);
}

static void say_todo(struct live *live)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC);
	struct watcher_todo todo;
	char rows[512] = "";

	if (now_us - live->news_us < QUIET_US || !watcher_todo(live->watcher, &todo))
		return;
	live->news_us = now_us;
	if (todo.exercise == live->todo && todo.unit == live->todo_unit)
		return;
	live->todo = todo.exercise;
	live->todo_unit = todo.unit;
	for (size_t i = 0; i < todo.row_count; i++)
		text_add(rows, sizeof(rows), "%s%s", i ? ", " : "",
		         live->policy->rows[todo.rows[i]].id);
	say(live, todo.unit, "next", PAINT_NONE, "%s%s (%s)",
	    todo.seen ? "" : "no packet of it was seen yet; is its port mirrored? Then ",
	    *todo.exercise ? todo.exercise : "exercise what is still missing", rows);
}

static void progress(void *context, const struct run_state *state)
{
	struct live *live = context;

	tried_say(live);
	say_todo(live);
	if (live->lively)
		status(live, state);
}

static bool enough(void *context)
{
	struct live *live = context;
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	if (!watcher_is_decided(live->watcher))
		live->decided_us = 0;
	else if (!live->decided_us)
		live->decided_us = now_us;
	live->enough = live->decided_us && now_us - live->decided_us >= CHECK_SETTLED_US;
	return live->enough;
}

/* ----------------------------------------------------------------- the run */

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void say_begin(const struct live *live)
{
	const struct watcher_sums *sums = watcher_sums(live->watcher);
	char span[TIME_TEXT], end[64] = "";

	if (live->options->for_us)
		text_add(end, sizeof(end), ", after %s",
		         time_print_span(live->options->for_us, span));
	if (sums->units)
		log_note(
			"watching %zu required row%s of %zu unit%s; it ends when all of them are decided%s, or by ctrl-C",
			sums->required, plural(sums->required), sums->units,
			plural(sums->units), end);
	else
		log_note(
			"watching for units of the list; it ends when all their required rows are decided%s, or by ctrl-C",
			end);
}

static void say_end(const struct live *live)
{
	const struct watcher_sums *sums = watcher_sums(live->watcher);
	int64_t lasted_us = clock_us(CLOCK_MONOTONIC) - live->begun_us;
	char span[TIME_TEXT];

	log_note("ended after %s, %s: %zu of %zu required rows are decided",
	         time_print_span(lasted_us, span),
	         live->enough ? "all is decided"
	         : live->options->for_us && lasted_us >= live->options->for_us
	                 ? "the time is over"
	                 : "at a signal",
	         sums->decided, sums->required);
}

static int run_live(const struct run_options *asked, struct capture *capture,
                    struct run_result *result, struct flowdb **ret_db, struct err *err)
{
	const char *terminal = getenv("TERM");
	struct live live = {
		.options = asked,
		.policy = asked->policy,
		.lively = isatty(STDERR_FILENO) && !getenv("NO_COLOR") &&
	                  !(terminal && !strcmp(terminal, "dumb")),
		.unit_width = longest_name(asked->policy),
		.row_width = longest_row(asked->policy),
		.begun_us = clock_us(CLOCK_MONOTONIC),
	};
	struct run_options options = *asked;
	int r = watcher_new(live.policy, row_turns, &live, &live.watcher, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < BLIND_CAUSE_COUNT; i++)
		text_copy(live.blind_said[i], sizeof(live.blind_said[i]), "-");
	live.news_us = live.begun_us;
	options.found = found;
	options.blind = blind;
	options.exercised = exercised;
	options.progress = progress;
	options.enough = enough;
	options.context = &live;
	say_begin(&live);
	r = run(&options, capture, result, ret_db, err);
	progress_clear();
	if (r >= 0)
		say_end(&live);
	watcher_free(live.watcher);
	return r;
}

int check_run(const struct run_options *options, struct capture *capture,
              struct run_result *result, struct flowdb **ret_db, struct err *err)
{
	int r;

	if (options->capture.live)
		return run_live(options, capture, result, ret_db, err);
	r = run(options, capture, result, ret_db, err);
	progress_clear();
	return r;
}
