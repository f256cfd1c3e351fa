/*
 * proposal.c - see proposal.h.
 */
#include "tests/lib/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROUTER "00:00:5e:00:01:01"
/* Whoever speaks is recorded, as a census does. */
#define EVERYBODY "units: [{name: all, addresses: [0.0.0.0/0, \"::/0\"], profiles: [room]}]\n"

/* Lines that are no comment. */
static char *without_comments(const char *text)
{
	char *plain = calloc(1, strlen(text) + 1);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), blanks = strspn(line, " ");

		len += line[len] == '\n';
		if (line[blanks] != '#')
			strncat(plain, line, len);
		line += len;
	}
	return plain;
}

/* "#" before a line of YAML has blanks before it, and none behind. */
static char *uncommented(const char *text)
{
	char *whole = calloc(1, strlen(text) + 1);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), blanks = strspn(line, " ");

		len += line[len] == '\n';
		strncat(whole, line, blanks);
		blanks += blanks && line[blanks] == '#' && line[blanks + 1] != ' ';
		strncat(whole, line + blanks, len - blanks);
		line += len;
	}
	return whole;
}

/* It can be used. */
static void loads(const char *text)
{
	struct policy_args args = {.site_path = "proposed.yaml"};
	struct policy *policy = NULL;
	struct err err = {0};

	args.site_text = text;
	args.site_text_len = strlen(text);
	if (policy_load(&args, &policy, &err) < 0)
		fail_msg("%s\n%s", err.text, text);
	policy_free(policy);
}

void propose(struct proposal *p, const char *site, const struct wire *w,
             const char *const *units)
{
	struct suggestion_options options = {.units = units, .source = "-r test.pcap"};
	struct policy_args args = {.site_path = "proposed.yaml"};
	CLEANUP(freep) char *whole = NULL;
	struct err err = {0};
	size_t len;
	FILE *file;

	*p = (struct proposal){.run = run_new(site ? site : EVERYBODY)};
	run_wire(p->run, w, 64);
	assert_int_equal(envelope_load(NULL, &p->envelope, &err), 0);
	options.db = run_db(p->run);
	options.envelope = p->envelope;
	if (site) {
		args.site_text = site;
		args.site_text_len = strlen(site);
		assert_int_equal(policy_load(&args, &p->policy, &err), 0);
		options.recorded = true;
		options.in_force = p->policy;
	}
	if (suggestion_new(&options, &p->suggestion, &err) < 0)
		fail_msg("%s", err.text);
	file = open_memstream(&p->text, &len);
	assert_int_equal(suggestion_write(p->suggestion, file, &err), 0);
	fclose(file);
	p->plain = without_comments(p->text);
	loads(p->text);
	whole = uncommented(p->text);
	loads(whole);
	p->whole = without_comments(whole);
}

void proposal_release(struct proposal *p)
{
	free(p->text);
	free(p->plain);
	free(p->whole);
	suggestion_free(p->suggestion);
	policy_free(p->policy);
	envelope_free(p->envelope);
	run_free(p->run);
	*p = (struct proposal){0};
}

/* The whole of it, which is more than cmocka prints. */
static void wrong(const struct proposal *p, const char *what, const char *words)
{
	fputs(p->text, stderr);
	fail_msg("%s: '%s'", what, words);
}

void must(const struct proposal *p, const char *line)
{
	if (!strstr(p->plain, line))
		wrong(p, "does not stand there", line);
}

void must_not(const struct proposal *p, const char *line)
{
	if (strstr(p->plain, line))
		wrong(p, "stands there", line);
}

void must_offer(const struct proposal *p, const char *line)
{
	if (strstr(p->plain, line) || !strstr(p->whole, line))
		wrong(p, "is not commented out", line);
}

/* In one line, without what makes them comments. The caller frees it. */
static char *said_in(const char *text)
{
	char *said = calloc(1, strlen(text) + 1), *to = said;

	for (const char *from = text; *from; from++) {
		if (*from == '\n') {
			from += 1 + strspn(from + 1, " ");
			from += strspn(from, "#");
			from += strspn(from, " ");
			from--;
			*to++ = ' ';
		} else {
			*to++ = *from;
		}
	}
	return said;
}

void must_say(const struct proposal *p, const char *words)
{
	CLEANUP(freep) char *said = said_in(p->text);

	if (!strstr(said, words))
		wrong(p, "is not said", words);
}

void must_not_say(const struct proposal *p, const char *words)
{
	CLEANUP(freep) char *said = said_in(p->text);

	if (strstr(said, words))
		wrong(p, "is said", words);
}

struct wire *office(void)
{
	struct wire *w = wire_new();

	wire_router(w, "10.0.0.0/8", ROUTER);
	wire_mac(w, "10.20.0.15", ROOM);
	wire_mac(w, "2001:db8:20::15", ROOM);
	wire_mac(w, "10.20.0.21", OTHER);
	wire_at(w, 0);
	return w;
}

void lease(struct wire *w, const char *mac, const char *address, const char *server)
{
	talk_dhcp(w, &(struct dhcp_case){mac, address, server, "255.255.255.0", "10.20.0.1",
	                                 "10.20.0.53", 0x11223301});
}
