/*
 * dns_answer.c - which names an answer binds to which addresses (RFC 1035 3.3, 4.1.3; RFC 2782).
 */
#include "dissectors/dns.h"

/* The names that an answer speaks of: the one asked for, and what CNAMEs make of it; or targets of SRV. */
#define CHAIN_MAX 8
struct chain {
	struct dns_name name[CHAIN_MAX];
	uint32_t ttl[CHAIN_MAX]; /* of the CNAME that leads there */
	unsigned count;
};

static int chain_find(const struct chain *chain, const struct dns_name *name)
{
	for (unsigned i = 0; i < chain->count; i++)
		if (!strcmp(chain->name[i].text, name->text))
			return (int)i;
	return -1;
}

static void chain_add(struct chain *chain, const struct dns_name *name, uint32_t ttl)
{
	if (chain->count == CHAIN_MAX || !name->len || chain_find(chain, name) >= 0)
		return;
	chain->name[chain->count] = *name;
	chain->ttl[chain->count++] = ttl;
}

/* RFC 2181 8: with the top bit it is 0. */
static uint32_t ttl_of(const struct dns_record *record)
{
	return record->ttl >> 31 ? 0 : record->ttl;
}

/* A section of the message. */
struct section {
	const uint8_t *message;
	uint32_t len, pos;
	unsigned count;
};

/* The next record of class IN that fits; false at the end of the section, or where one is broken off. */
static bool section_next(struct section *s, struct dns_name *owner, struct dns_record *record)
{
	while (s->count) {
		s->count--;
		if (!dns_read_record(s->message, s->len, &s->pos, owner, record))
			s->count = 0;
		else if (record->class == 1)
			return true;
	}
	return false;
}

/* Whoever may come first, RFC 1034 3.6.2: the chain from the name asked for. */
static void chain_follow(const struct section *answers, struct chain *chain)
{
	unsigned before;

	do {
		struct section s = *answers;
		struct dns_name owner, next;
		struct dns_record record;

		before = chain->count;
		while (chain->count == before && section_next(&s, &owner, &record)) {
			uint32_t at = record.data;

			if (record.type == TYPE_CNAME &&
			    chain_find(chain, &owner) == (int)before - 1 &&
			    dns_read_name(s.message, s.len, &at, &next))
				chain_add(chain, &next, ttl_of(&record));
		}
	} while (chain->count > before);
}

static void learn(struct look *look, const struct dns_name *name,
                  const struct dns_record *record, uint32_t ttl_s, const uint8_t *message,
                  bool asked)
{
	struct learnt *learnt = look->learnt;
	struct learnt_name *to;

	if (learnt->name_count == LEARNT_NAMES_MAX) {
		learnt->names_refused++;
		return;
	}
	to = &learnt->name[learnt->name_count++];
	to->client = look->packet->dst;
	to->server = look->packet->src;
	to->address = record->type == TYPE_A ? addr_from_v4(message + record->data)
	                                     : addr_from_v6(message + record->data);
	to->ttl_s = ttl_s;
	to->asked = asked;
	text_copy(to->name, sizeof(to->name), name->text);
}

/*
 * Addresses of names of the chain, each for its own name and those that lead there. That is as safe as
 * the answer: a resolver looks up what an alias leads to itself and takes no address of it from whoever
 * owns the alias (RFC 1034 5.3.3, RFC 2181 5.4.1), so asked for any of these names it would give the same
 * address; and only a dns-server's answers count at all. `links`: else each stands alone.
 */
static void learn_addresses(struct look *look, struct section s, const struct chain *chain,
                            bool links, bool asked)
{
	struct dns_record record;
	struct dns_name owner;

	while (section_next(&s, &owner, &record)) {
		uint32_t ttl = ttl_of(&record);
		int at = chain_find(chain, &owner);

		if (at < 0 || !((record.type == TYPE_A && record.len == 4) ||
		                (record.type == TYPE_AAAA && record.len == 16)))
			continue;
		learn(look, &chain->name[at], &record, ttl, s.message, asked);
		for (int i = at; links && i > 0; i--) {
			if (chain->ttl[i] < ttl)
				ttl = chain->ttl[i];
			learn(look, &chain->name[i - 1], &record, ttl, s.message, asked);
		}
	}
}

/*
 * What an answer binds: addresses of the name asked for, by way of its CNAMEs; of an SRV, those that the server
 * adds of its targets (RFC 2782). An address of another name is not an answer to the question and binds nothing.
 */
void dns_read_answers(struct look *look, const struct dns_message *m, bool asked)
{
	const struct section answers = {m->at, m->len, m->records, m->h.answers};
	struct chain chain = {.count = 0}, targets = {.count = 0};
	struct section s = answers;
	struct dns_record record;
	struct dns_name owner, target;

	chain_add(&chain, &m->asked, 0);
	if (!chain.count)
		return;
	chain_follow(&answers, &chain);
	learn_addresses(look, s, &chain, true, asked);
	while (section_next(&s, &owner, &record)) {
		uint32_t at = record.data + 6; /* | priority 2 | weight 2 | port 2 | target | */

		if (record.type == TYPE_SRV && record.len > 6 &&
		    chain_find(&chain, &owner) >= 0 &&
		    dns_read_name(s.message, s.len, &at, &target))
			chain_add(&targets, &target, 0);
	}
	s = answers;
	if (!targets.count ||
	    !dns_skip_records(s.message, s.len, &s.pos, m->h.answers + 0u + m->h.authorities))
		return;
	s.count = m->h.additional;
	learn_addresses(look, s, &targets, false, asked);
}
