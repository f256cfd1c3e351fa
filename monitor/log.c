/*
 * log.c - see log.h.
 */
#include "monitor/log.h"
#include "monitor/commands.h"

#include <stdarg.h>
#include <unistd.h>

static void PRINTF(3, 0)
	say(const char *colour, const char *word, const char *fmt, va_list args)
{
	bool terminal = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	CLEANUP(freep) char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	if (text)
		text_tame(text);
	fflush(stdout);
	/* A line of status may stand there. */
	fprintf(stderr, terminal ? "\r\033[K\033[%smtlmon:\033[0m %s" : "%.0stlmon: %s", colour,
	        word);
	fprintf(stderr, "%s\n", text ? text : "out of memory");
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("1;31", "", fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("1;33", "warning: ", fmt, args);
	va_end(args);
}

void log_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("1", "", fmt, args);
	va_end(args);
}

int log_err(const struct err *err)
{
	log_error("%s", err->text[0] ? err->text : strerror(-err->code));
	return EXIT_USAGE;
}
