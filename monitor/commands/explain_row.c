/*
 * explain_row.c - a documented row for people, and the lines that such things are told in.
 */
#include "monitor/commands/explain.h"
#include "monitor/commands/paper.h"

#include <stdarg.h>
#include <unistd.h>

/* NULL: no memory. */
static char *PRINTF(1, 0) visible_of(const char *fmt, va_list args)
{
	CLEANUP(freep) char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	return text ? text_visible(text) : NULL;
}

static void PRINTF(2, 0) put_text(size_t indent, const char *fmt, va_list args)
{
	CLEANUP(freep) char *visible = visible_of(fmt, args);

	if (!visible)
		puts("(out of memory)");
	else if (isatty(STDOUT_FILENO))
		text_wrap(stdout, indent, visible);
	else
		puts(visible);
}

void explain_say(const char *fmt, ...)
{
	CLEANUP(freep) char *visible = NULL;
	va_list args;

	va_start(args, fmt);
	visible = visible_of(fmt, args);
	va_end(args);
	puts(visible ? visible : "(out of memory)");
}

void explain_text(size_t indent, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_text(indent, fmt, args);
	va_end(args);
}

void explain_line(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("  %-13s", name);
	va_start(args, fmt);
	put_text(15, fmt, args);
	va_end(args);
}

void explain_dir(const struct explain *explain)
{
	if (explain->dir) {
		printf(" -l ");
		shell_put(stdout, explain->dir);
	}
	putchar('\n');
}

static const char *roles_text(const struct envelope *envelope, uint32_t roles, char *buf,
                              size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < envelope->role_count; i++)
		if (roles >> i & 1)
			text_add(buf, size, "%s%s", *buf ? " or " : "", envelope->roles[i].id);
	return buf;
}

static void print_form(const struct envelope *envelope, const struct row *row,
                       const struct row_form *form)
{
	char local[128], remote[128], roles[256];
	bool out = form->directions & BIT(DIRECTION_OUT),
	     in = form->directions & BIT(DIRECTION_IN);

	port_set_print(&form->local, local, sizeof(local));
	port_set_print(&form->remote, remote, sizeof(remote));
	explain_line(form == row->form ? "documented" : "or",
	             "%s%s%s, %s%s%s, unit's port %s, peer %s port %s", out ? "out" : "",
	             out && in ? " and " : "", in ? "in" : "", form->udp ? "udp" : "",
	             form->udp && form->tcp ? " or " : "", form->tcp ? "tcp" : "",
	             *local ? local : "any",
	             roles_text(envelope, form->peers, roles, sizeof(roles)),
	             *remote ? remote : "any");
	if (*form->note && strcmp(form->note, row->note) != 0)
		explain_line("", "(%s)", form->note);
}

void explain_row(const struct envelope *envelope, const char *id)
{
	int index = envelope_find_row(envelope, id);
	const struct row *row;

	putchar('\n');
	explain_say("%s", id);
	if (index < 0) {
		printf("  not in the envelope compiled in; -e names the one it was judged by\n");
		return;
	}
	row = &envelope->rows[index];
	explain_line("document", "%s", row->document);
	for (unsigned i = 0; i < row->form_count; i++)
		print_form(envelope, row, &row->form[i]);
	if (*row->application_words)
		explain_line("speaks", "%s%s%s%s", row->application_words,
		             *row->media_words ? " (" : "", row->media_words,
		             *row->media_words ? ")" : "");
	if (*row->exercise)
		explain_line("to exercise", "%s", row->exercise);
	if (*row->note)
		explain_line("note", "%s", row->note);
}
