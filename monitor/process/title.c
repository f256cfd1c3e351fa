/*
 * title.c - see title.h. proc(5): cmdline is what lies in the memory that the kernel put argv's
 * strings in, and, if that does not end in a NUL any more, in the memory of the environment behind it.
 */
#include "monitor/process/title.h"
#include "schema/base.h"

#include <unistd.h>

static struct {
	char *begin;
	size_t room;
} place;

int title_init(int argc, char **argv)
{
	char *end = argc ? argv[0] : NULL;

	for (int i = 0; i < argc && argv[i] == end; i++)
		end = argv[i] + strlen(argv[i]) + 1;
	if (!argc || end == argv[0])
		return 0;
	/* The environment follows, if nobody moved it: long titles may have it, for it is copied too. */
	for (char **word = environ; *word && *word == end; word++) {
		end = *word + strlen(*word) + 1;
		*word = strdup(*word);
		if (!*word)
			return -ENOMEM;
	}
	place.begin = argv[0];
	place.room = (size_t)(end - argv[0]);
	for (int i = 0; i < argc; i++) {
		argv[i] = strdup(argv[i]);
		if (!argv[i])
			return -ENOMEM;
	}
	return 0;
}

void title_set(const char *title)
{
	if (!place.room)
		return;
	memset(place.begin, 0, place.room);
	text_copy(place.begin, place.room, title);
}
