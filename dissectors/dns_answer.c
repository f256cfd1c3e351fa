/*
 * dns_answer.c - which names an answer binds to which addresses (RFC 1035 3.3, 4.1.3; RFC 2782). Every name is
 * read once, as a hash; text is made only of those that are learnt.
 */
#include "dissectors/dns.h"

#define RECORDS_MAX 64 /* of a section; of the types that count here */
#define CHAIN_MAX 8

/* The names that an answer speaks of: the one asked for, and what CNAMEs make of it; or targets of SRV. */
struct chain {
	struct link {
		uint64_t hash;
		uint32_t at;  /* where it stands in the message */
		uint32_t ttl; /* of the CNAME that leads there */
		struct dns_name name; /* once it is learnt */
	} link[CHAIN_MAX];
	unsigned count;
};

/* A record, and the names in it; `target`: of a CNAME or SRV. */
struct entry {
	struct dns_record record;
	uint64_t owner, target;
	uint32_t target_at;
};

struct section {
	struct entry entry[RECORDS_MAX];
	unsigned count;
};

static int chain_find(const struct chain *chain, uint64_t hash)
{
	for (unsigned i = 0; i < chain->count; i++)
		if (chain->link[i].hash == hash)
			return (int)i;
	return -1;
}

static bool chain_add(struct chain *chain, uint64_t hash, uint32_t at, uint32_t ttl)
{
	struct link *link = &chain->link[chain->count];

	if (chain->count == CHAIN_MAX || !hash || chain_find(chain, hash) >= 0)
		return false;
	link->hash = hash;
	link->at = at;
	link->ttl = ttl;
	link->name.len = 0;
	chain->count++;
	return true;
}

static bool is_address(const struct dns_record *record)
{
	return (record->type == TYPE_A && record->len == 4) ||
	       (record->type == TYPE_AAAA && record->len == 16);
}

/* The records of class IN from *pos on that may bind a name, up to the first that is broken off. */
static void section_read(struct look *look, const struct dns_message *m, uint32_t *pos,
                         unsigned count, struct section *ret)
{
	struct dns_record record;

	ret->count = 0;
	while (count-- && dns_read_record(m->at, m->len, pos, &record)) {
		struct entry *entry = &ret->entry[ret->count];
		bool srv = record.type == TYPE_SRV && record.len > 6;

		if (record.class != 1 || !(is_address(&record) || record.type == TYPE_CNAME || srv))
			continue;
		if (ret->count == RECORDS_MAX) {
			look->learnt->names_refused++;
			continue;
		}
		if (record.ttl >> 31)
			record.ttl = 0; /* RFC 2181 8 */
		entry->record = record;
		entry->owner = dns_hash_name(m->at, m->len, record.owner);
		entry->target_at = record.data + (srv ? 6 : 0); /* | priority 2 | weight 2 | port 2 | */
		entry->target = is_address(&record)
		                        ? 0
		                        : dns_hash_name(m->at, m->len, entry->target_at);
		ret->count++;
	}
}

/* Whoever may come first, RFC 1034 3.6.2: the chain from the name asked for. */
static void chain_follow(const struct section *answers, struct chain *chain)
{
	bool longer;

	do {
		uint64_t last = chain->link[chain->count - 1].hash;

		longer = false;
		for (unsigned i = 0; i < answers->count && !longer; i++) {
			const struct entry *entry = &answers->entry[i];

			if (entry->record.type == TYPE_CNAME && entry->owner == last)
				longer = chain_add(chain, entry->target, entry->target_at,
				                   entry->record.ttl);
		}
	} while (longer);
}

static void learn(struct look *look, const struct dns_message *m, struct link *link,
                  const struct dns_record *record, uint32_t ttl_s, bool asked)
{
	struct learnt *learnt = look->learnt;
	uint32_t at = link->at;
	struct learnt_name *to;

	if (learnt->name_count == LEARNT_NAMES_MAX ||
	    (!link->name.len && !dns_read_name(m->at, m->len, &at, &link->name))) {
		learnt->names_refused++;
		return;
	}
	to = &learnt->name[learnt->name_count++];
	to->client = look->packet->dst;
	to->client_mac = look->packet->dst_mac;
	to->server = look->packet->src;
	to->address = record->type == TYPE_A ? addr_from_v4(m->at + record->data)
	                                     : addr_from_v6(m->at + record->data);
	to->ttl_s = ttl_s;
	to->asked = asked;
	text_copy(to->name, sizeof(to->name), link->name.text);
}

/*
 * Addresses of names of the chain, each for its own name and those that lead there. That is as safe as
 * the answer: a resolver looks up what an alias leads to itself and takes no address of it from whoever
 * owns the alias (RFC 1034 5.3.3, RFC 2181 5.4.1), so asked for any of these names it would give the same
 * address; and only a dns-server's answers count at all. `links`: else each stands alone.
 */
static void learn_addresses(struct look *look, const struct dns_message *m,
                            const struct section *section, struct chain *chain, bool links,
                            bool asked)
{
	for (unsigned n = 0; n < section->count; n++) {
		const struct entry *entry = &section->entry[n];
		uint32_t ttl = entry->record.ttl;
		int at = chain_find(chain, entry->owner);

		if (at < 0 || !is_address(&entry->record))
			continue;
		learn(look, m, &chain->link[at], &entry->record, ttl, asked);
		for (int i = at; links && i > 0; i--) {
			if (chain->link[i].ttl < ttl)
				ttl = chain->link[i].ttl;
			learn(look, m, &chain->link[i - 1], &entry->record, ttl, asked);
		}
	}
}

/*
 * What an answer binds: addresses of the name asked for, by way of its CNAMEs; of an SRV, those that the server
 * adds of its targets (RFC 2782). An address of another name is not an answer to the question and binds nothing.
 */
void dns_read_answers(struct look *look, const struct dns_message *m, bool asked)
{
	struct section section;
	struct chain chain, targets;
	uint32_t pos = m->records;

	chain.count = targets.count = 0;
	if (!chain_add(&chain, dns_hash_name(m->at, m->len, 12), 12, 0))
		return;
	section_read(look, m, &pos, m->h.answers, &section);
	chain_follow(&section, &chain);
	learn_addresses(look, m, &section, &chain, true, asked);
	for (unsigned i = 0; i < section.count; i++)
		if (section.entry[i].record.type == TYPE_SRV &&
		    chain_find(&chain, section.entry[i].owner) >= 0)
			(void)chain_add(&targets, section.entry[i].target,
			                section.entry[i].target_at, 0);
	pos = m->records;
	if (!targets.count ||
	    !dns_skip_records(m->at, m->len, &pos, m->h.answers + 0u + m->h.authorities))
		return;
	section_read(look, m, &pos, m->h.additional, &section);
	learn_addresses(look, m, &section, &targets, false, asked);
}
