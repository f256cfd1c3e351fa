/*
 * person.c - see person.h.
 */
#include "monitor/person.h"
#include "rules/text_file.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

const char *person_name(const char *given, char buf[PERSON_MAX])
{
	const struct passwd *user = given ? NULL : getpwuid(getuid());

	if (given)
		text_copy(buf, PERSON_MAX, given);
	else if (user)
		text_copy(buf, PERSON_MAX, user->pw_name);
	else
		snprintf(buf, PERSON_MAX, "uid %u", (unsigned)getuid());
	return buf;
}

int person_check(const char *name, struct err *err)
{
	if (text_is_plain(name) && strlen(name) < PERSON_MAX)
		return 0;
	return err_set(err, -EINVAL, "--by: accepted: a name of at most %d letters", PERSON_MAX - 1);
}

int64_t person_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
