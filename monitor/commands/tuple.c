/*
 * tuple.c - a flow written by hand -> facts and view. See tuple.h for the notation.
 */
#include "monitor/commands/tuple.h"
#include "schema/time.h"

#define TUPLE_MAX 1024
#define WORDS_MAX 16
#define TRIES 3                  /* of a request that nobody answered, ... */
#define AFTER_US (7 * SECOND_US) /* ... from the first to the last */
#define PLENTY 20                /* packets each way, where the tuple says nothing else */

static const char *const MEDIA[] = {"audio", "video", "data", "mixed"};
static const uint8_t MEDIA_MASKS[] = {MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_DATA,
                                      MEDIA_AUDIO | MEDIA_VIDEO};
static const char *const ANSWERS[] = {"no", "yes"};
static const char *const OUTCOMES[] = {"answered", "unanswered", "refused", "prohibited",
                                       "one-sided"};
static const char *const EVIDENCES[] = {"dissector", "inspected"};

static int word_index(const char *key, const char *value, const char *const *words,
                      unsigned count, struct err *err)
{
	char accepted[256] = "";

	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(value, words[i]))
			return (int)i;
		text_add(accepted, sizeof(accepted), "%s%s", i ? ", " : "", words[i]);
	}
	return err_set(err, -EINVAL, "'%s=%s': %s is one of %s", key, value, key, accepted);
}

/* Applications with a dissector or a word in the rows come first in THE LIST; name those. */
static int app_index(const char *key, const char *value, struct err *err)
{
	enum app app = app_parse(value);
	char accepted[256] = "";

	if (app < APP_COUNT)
		return (int)app;
	for (unsigned i = APP_DNS; i <= APP_QUIC; i++)
		text_add(accepted, sizeof(accepted), "%s, ", app_name((enum app)i));
	return err_set(err, -EINVAL,
	               "'%s=%s': no application '%s'; known are %sntp, ssh and others", key,
	               value, value, accepted);
}

static int take_name(const char *key, const char *value, char buf[NAME_MAX_LEN + 1],
                     struct err *err)
{
	if (!*value || !text_copy(buf, NAME_MAX_LEN + 1, value))
		return err_set(err, -EINVAL, "'%s=%.40s': a host name of 1 to %d characters",
		               key, value, NAME_MAX_LEN);
	for (char *c = buf; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return 0;
}

static int take_tries(const char *value, struct tuple *tuple, struct err *err)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits > 5 || value[digits])
		return err_set(err, -EINVAL, "'tries=%s': a number from 1 to 65535", value);
	tuple->tries = (unsigned)strtoul(value, NULL, 10);
	if (!tuple->tries || tuple->tries > UINT16_MAX)
		return err_set(err, -EINVAL, "'tries=%s': a number from 1 to 65535", value);
	return 0;
}

static int take_connect(const char *value, struct tuple *tuple, struct err *err)
{
	size_t digits = strspn(value, "0123456789");
	unsigned long port = strtoul(value, NULL, 10);

	if (!digits || digits > 5 || value[digits] || !port || port > UINT16_MAX)
		return err_set(err, -EINVAL, "'connect=%s': a port from 1 to 65535", value);
	tuple->facts.connect_port = (uint16_t)port;
	return 0;
}

static int take_after(const char *value, struct tuple *tuple, struct err *err)
{
	double seconds = strtod(value, NULL);

	if (!strpbrk(value, "0123456789") || value[strspn(value, "0123456789.")] ||
	    strchr(value, '.') != strrchr(value, '.') || seconds > 86400)
		return err_set(err, -EINVAL, "'after=%s': seconds, 0 to 86400, as in 3.5",
		               value);
	tuple->after_us = (int64_t)(seconds * SECOND_US);
	return 0;
}

static int take_not(char *value, struct tuple *tuple, struct err *err)
{
	char *save = NULL;

	for (char *app = strtok_r(value, ",", &save); app; app = strtok_r(NULL, ",", &save)) {
		int index = app_index("not", app, err);

		if (index < 0)
			return index;
		app_set_add(&tuple->facts.not_apps, (enum app)index);
	}
	return 0;
}

/* One word=value. `evidence` keeps what was said of it until the application is known. */
static int take_word(char *word, struct tuple *tuple, uint8_t *evidence, struct err *err)
{
	unsigned peer = !tuple->view.local;
	char *value = strchr(word, '=');
	int index;

	if (!value)
		return err_set(
			err, -EINVAL,
			"'%s': expected WORD=VALUE with app, media, name, bound, ice, outcome, "
			"tries, after, connect, evidence or not",
			word);
	*value++ = '\0';
	if (!strcmp(word, "app")) {
		index = app_index(word, value, err);
		tuple->view.app = (uint16_t)(index < 0 ? 0 : index);
	} else if (!strcmp(word, "media")) {
		index = word_index(word, value, MEDIA, ARRAY_LEN(MEDIA), err);
		tuple->facts.media = index < 0 ? 0 : MEDIA_MASKS[index];
	} else if (!strcmp(word, "name")) {
		index = take_name(word, value, tuple->name, err);
	} else if (!strcmp(word, "bound")) {
		index = take_name(word, value, tuple->bound, err);
	} else if (!strcmp(word, "ice")) {
		index = word_index(word, value, ANSWERS, ARRAY_LEN(ANSWERS), err);
		tuple->facts.ice = index == 1 ? (uint8_t)(1 << peer) : 0;
	} else if (!strcmp(word, "outcome")) {
		index = word_index(word, value, OUTCOMES, ARRAY_LEN(OUTCOMES), err);
		tuple->facts.outcome = (uint8_t)(OUTCOME_ANSWERED + index);
	} else if (!strcmp(word, "evidence")) {
		index = word_index(word, value, EVIDENCES, ARRAY_LEN(EVIDENCES), err);
		*evidence = (uint8_t)(EVIDENCE_DISSECTOR + index);
	} else if (!strcmp(word, "tries")) {
		index = take_tries(value, tuple, err);
	} else if (!strcmp(word, "after")) {
		index = take_after(value, tuple, err);
	} else if (!strcmp(word, "connect")) {
		index = take_connect(value, tuple, err);
	} else if (!strcmp(word, "not")) {
		index = take_not(value, tuple, err);
	} else {
		index = err_set(
			err, -EINVAL,
			"'%s=': no such word; accepted are app, media, name, bound, ice, outcome, "
			"tries, after, connect, evidence, not",
			word);
	}
	return index < 0 ? index : 0;
}

/* "10.1.2.3:443", "[2001:db8::1]:443"; without a port where the transport has none. */
static int take_endpoint(char *word, bool ports, struct endpoint *ret, struct err *err)
{
	char *addr = word, *colon = strrchr(word, ':'), *end = NULL;
	unsigned long port = 0;
	char whole[128];

	text_copy(whole, sizeof(whole), word);
	if (*word == '[') {
		char *bracket = strchr(word, ']');

		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return err_set(err, -EINVAL,
			               "'%s': an IPv6 address is written [2001:db8::1]:443",
			               whole);
		*bracket = '\0';
		addr = word + 1;
		colon = bracket[1] ? bracket + 1 : NULL;
	} else if (colon && strchr(word, ':') != colon) {
		if (ports)
			return err_set(err, -EINVAL,
			               "'%s': an IPv6 address with a port is written [%s]:443",
			               whole, whole);
		colon = NULL;
	}
	if (colon) {
		*colon++ = '\0';
		port = strtoul(colon, &end, 10);
		if (*colon < '0' || *colon > '9' || *end || port > 65535)
			return err_set(err, -EINVAL, "'%s': '%s' is no port; 0 to 65535", whole,
			               colon);
	} else if (ports) {
		return err_set(err, -EINVAL, "'%s': expected ADDRESS:PORT", whole);
	}
	if (addr_parse(addr, &ret->addr) < 0)
		return err_set(err, -EINVAL, "'%s': '%s' is no IPv4 or IPv6 address", whole,
		               addr);
	ret->port = (uint16_t)port;
	return 0;
}

static int take_direction(const char *word, struct tuple *tuple, struct err *err)
{
	bool tcp = tuple->facts.transport == TRANSPORT_TCP;

	tuple->facts.initiator_by = tcp ? INITIATOR_SYN : INITIATOR_REQUEST;
	if (!strcmp(word, "<>")) {
		tuple->facts.initiator = 2;
		tuple->facts.initiator_by = INITIATOR_UNKNOWN;
	} else if (!strcmp(word, "<")) {
		tuple->view.local = 1; /* end 0 is who spoke first */
	} else if (strcmp(word, ">") != 0) {
		return err_set(
			err, -EINVAL,
			"'%s': expected > (opened by the unit), < (by the peer) or <> (unknown)",
			word);
	}
	return 0;
}

/* What this outcome means for the counters: a request and its retries. */
static void outcome_facts(struct tuple *tuple)
{
	struct flow_facts *facts = &tuple->facts;

	switch (tuple->view.app) {
	case APP_DNS:
		facts->asked = ASKED_DNS;
		break;
	case APP_KERBEROS:
		facts->asked = ASKED_KERBEROS;
		break;
	case APP_STUN: /* asked of a server; to any other port it is an ICE check */
		if (facts->end[1].port == 443 ||
		    (facts->end[1].port >= 3478 && facts->end[1].port <= 3481))
			facts->asked = ASKED_STUN;
		break;
	case APP_MSTURN:
		facts->asked = ASKED_TURN_ALLOCATE;
		break;
	default:
		break;
	}
	if (facts->transport == TRANSPORT_TCP)
		facts->asked |= ASKED_SYN;
	facts->last_us = tuple->after_us < 0 ? AFTER_US : tuple->after_us;
	facts->last_try_us = facts->last_us;
	facts->tries = (uint16_t)(tuple->tries ? tuple->tries : TRIES);
	facts->packets[0] = facts->tries;
	facts->packets[1] = 0;
	facts->payload_packets = facts->transport == TRANSPORT_TCP ? 0 : facts->tries;
	facts->icmp_sender = facts->end[1].addr;
	if (facts->outcome == OUTCOME_PROHIBITED) {
		facts->icmp_type = facts->ip_version == 4 ? 3 : 1;
		facts->icmp_code = facts->ip_version == 4 ? 13 : 1;
	}
}

/* What follows from the words taken together. */
static void tuple_finish(struct tuple *tuple, uint8_t evidence)
{
	struct flow_facts *facts = &tuple->facts;
	struct view *view = &tuple->view;

	facts->id = 1;
	facts->ip_version = addr_is_v4(&facts->end[0].addr) ? 4 : 6;
	facts->vlan = VLAN_NONE;
	facts->settled_by = SETTLED_END;
	memset(facts->payload_types, 0xff, sizeof(facts->payload_types));
	if (facts->outcome == OUTCOME_UNKNOWN)
		facts->outcome = OUTCOME_ANSWERED;
	facts->packets[0] = facts->packets[1] = PLENTY;
	facts->payload_packets = 2 * PLENTY;
	if (facts->outcome == OUTCOME_ONE_SIDED)
		facts->packets[1] = 0;
	else if (facts->outcome != OUTCOME_ANSWERED)
		outcome_facts(tuple);
	if (view->app != APP_NONE)
		view->evidence = evidence;
	/* An answer to a query by multicast is a flow of its own: whoever gets it has asked (RFC 4795 2.5). */
	if (view->app == APP_LLMNR && facts->end[0].port == 5355 &&
	    facts->end[1].port != 5355 && facts->initiator == 0)
		facts->initiator = 1;
	if (view->evidence == EVIDENCE_DISSECTOR) {
		facts->app = view->app;
		facts->evidence = view->evidence;
	}
	if (tuple->name[0])
		facts->name_kind = view->app == APP_DNS ? NAME_DNS_QUESTION
		                   : view->app == APP_HTTP || facts->connect_port
		                           ? NAME_HTTP_HOST
		                           : NAME_SNI;
	view->facts = facts;
	view->name = tuple->name;
	if (tuple->bound[0])
		view->bound[view->bound_count++] = tuple->bound;
}

/* A word is taken once; those before words[at] are cut behind their names by now. */
static int check_once(char **words, unsigned at, struct err *err)
{
	size_t len = strcspn(words[at], "=");

	for (unsigned i = 4; i < at; i++)
		if (strlen(words[i]) == len && !strncmp(words[i], words[at], len))
			return err_set(err, -EINVAL, "'%s': %s= is given twice", words[at],
			               words[i]);
	return 0;
}

int tuple_parse(const char *text, struct tuple *ret, struct err *err)
{
	char copy[TUPLE_MAX], *words[WORDS_MAX], *save = NULL;
	uint8_t evidence = EVIDENCE_DISSECTOR;
	unsigned count = 0;
	bool ports;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->after_us = -1;
	if (!text_copy(copy, sizeof(copy), text))
		return err_set(err, -EINVAL, "the tuple is longer than %d characters",
		               TUPLE_MAX - 1);
	for (char *word = strtok_r(copy, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (count == WORDS_MAX)
			return err_set(err, -EINVAL, "'%s': a tuple has at most %d words", word,
			               WORDS_MAX);
		words[count++] = word;
	}
	if (count < 4)
		return err_set(err, -EINVAL,
		               "'%s': expected TRANSPORT UNIT:PORT > PEER:PORT, as in "
		               "'udp 10.1.2.3:50003 > 52.112.1.9:50011 app=rtp media=audio'",
		               text);
	ret->facts.transport = transport_parse(words[0]);
	if (!ret->facts.transport)
		return err_set(err, -EINVAL,
		               "'%s': no such transport; tcp, udp, icmp, icmp6, sctp, gre, ...",
		               words[0]);
	ports = ret->facts.transport == TRANSPORT_TCP || ret->facts.transport == TRANSPORT_UDP;
	r = take_direction(words[2], ret, err);
	if (!r)
		r = take_endpoint(words[1], ports, &ret->facts.end[ret->view.local], err);
	if (!r)
		r = take_endpoint(words[3], ports, &ret->facts.end[!ret->view.local], err);
	for (unsigned i = 4; !r && i < count; i++) {
		r = check_once(words, i, err);
		if (!r)
			r = take_word(words[i], ret, &evidence, err);
	}
	if (r < 0)
		return r;
	if ((ret->tries || ret->after_us >= 0) && (ret->facts.outcome < OUTCOME_UNANSWERED ||
	                                           ret->facts.outcome > OUTCOME_PROHIBITED))
		return err_set(err, -EINVAL,
		               "tries= and after= tell of requests without an answer: with "
		               "outcome=unanswered, refused or prohibited alone");
	if (addr_is_v4(&ret->facts.end[0].addr) != addr_is_v4(&ret->facts.end[1].addr))
		return err_set(err, -EINVAL, "both addresses must be IPv4, or both IPv6");
	tuple_finish(ret, evidence);
	return 0;
}

static bool tuple_find_unit(struct tuple *tuple, const struct policy *policy)
{
	const struct unit_rule *unit =
		policy_find_unit(policy, &tuple->facts.end[tuple->view.local].addr, NULL);

	tuple->view.unit = unit;
	tuple->view.profiles = unit ? unit->profiles : 0;
	/* The tuple's own binding is all that DNS has said. */
	tuple->view.bound_roles =
		tuple->bound[0] ? policy_roles_of_name(policy, tuple->bound) : 0;
	return unit;
}

int tuple_policy(struct tuple *tuple, const struct policy_options *options,
                 struct policy **ret_policy, struct err *err)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct policy_options with = *options;
	char addr[ADDR_TEXT];
	int r;

	addr_print(&tuple->facts.end[tuple->view.local].addr, addr);
	if (options->site || options->unit_count) {
		if (!options->unit_count)
			with.profiles = NULL; /* they are for the tuple's unit alone */
		r = policy_options_load(&with, &policy, err);
		if (r < 0)
			return r;
		if (tuple_find_unit(tuple, policy)) {
			if (options->profiles && !options->unit_count)
				return err_set(
					err, -EINVAL,
					"--profile: the unit at %s is in %s, with its profiles; "
					"leave one of the two away",
					addr, options->site);
			*ret_policy = TAKE(policy);
			return 0;
		}
		policy_freep(&policy);
		with.profiles = options->profiles;
	}
	if (!options->profiles)
		return err_set(
			err, -ENOENT,
			"no unit is at %s; say which profiles to judge it by: --profile room,online",
			addr);
	r = policy_option(&with, OPTION_UNIT, addr, err);
	if (r >= 0)
		r = policy_options_load(&with, &policy, err);
	if (r < 0)
		return r;
	if (!tuple_find_unit(tuple, policy))
		return err_set(err, -ENOENT, "no unit is at %s", addr);
	*ret_policy = TAKE(policy);
	return 0;
}
