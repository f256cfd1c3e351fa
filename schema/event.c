/*
 * event.c - see event.h. Whoever wrote the event parsed hostile bytes and may be taken over: every
 * field that is used as an index, a length, an enum or in a sum is checked here.
 */
#include "schema/event_brief.h"
#include "schema/link.h"

static bool time_is_sound(int64_t us)
{
	return us >= 0 && us <= EVENT_NUMBER_MAX;
}

static bool counts_are_sound(const uint64_t *counts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (counts[i] > EVENT_NUMBER_MAX)
			return false;
	return true;
}

/* 0 is no flow's. */
static bool id_is_sound(uint64_t flow)
{
	return flow && flow <= EVENT_NUMBER_MAX;
}

static bool flow_is_sound(const struct event_flow *event, size_t len)
{
	const struct flow_facts *f = &event->facts;

	return offsetof(struct event_flow, name) + event->name_len <= len && id_is_sound(f->id) &&
	       time_is_sound(f->first_us) &&
	       time_is_sound(f->last_us) && f->first_us <= f->last_us &&
	       time_is_sound(f->first_try_us) && time_is_sound(f->last_try_us) &&
	       counts_are_sound(f->packets, 2) && counts_are_sound(f->bytes, 2) && (f->ip_version == 4 || f->ip_version == 6) &&
	       f->initiator <= 2 && f->initiator_by <= INITIATOR_SYN &&
	       f->outcome <= OUTCOME_ONE_SIDED && f->settled_by <= SETTLED_END &&
	       f->app < APP_COUNT && f->evidence <= EVIDENCE_DISSECTOR &&
	       f->name_kind <= NAME_DNS_QUESTION &&
	       !(f->media & ~(MEDIA_AUDIO | MEDIA_VIDEO | MEDIA_DATA)) && f->ice <= 3 &&
	       f->mtls <= MTLS_YES && (f->vlan == VLAN_NONE || f->vlan < 4096) &&
	       f->midstream <= 1 && f->closed <= 1 && f->warmup <= 1 && f->solicited <= 1 &&
	       f->tunnel < TUNNEL_COUNT && f->connect_status < 600 &&
	       !(f->by_shape & ~(MEDIA_AUDIO | MEDIA_VIDEO | MEDIA_DATA)) &&
	       (f->name_kind != NAME_NONE || !event->name_len) &&
	       !memchr(event->name, 0, event->name_len);
}

/* Text that ends the event: inside it, without a NUL. */
static bool text_is_sound(const struct event *event, const char *text, size_t text_len)
{
	return text + text_len <= (const char *)event + event->len &&
	       !memchr(text, 0, text_len);
}

static bool hash_is_sound(const char *hash, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", hash[i]) || !hash[i])
			return false;
	return true;
}

static bool exercised_is_sound(const struct event_exercised *event)
{
	const struct exercised *e = &event->exercised;

	return text_is_sound(&event->head, event->unit, event->unit_len) && event->unit_len &&
	       time_is_sound(e->time_us) && time_is_sound(e->teller) &&
	       e->standing.what < BIT(STANDS_COUNT) &&
	       e->standing.media < BIT(STANDS_MEDIA_COUNT) &&
	       e->standing.whys < BIT(WHY_NO_INSPECTOR + 1) && e->direction <= DIRECTION_IN;
}

int event_check(const struct event *event, size_t len)
{
	static const size_t sizes[EVENT_TYPE_COUNT] = {
		[EVENT_FLOW_SETTLED] = sizeof(struct event_flow),
		[EVENT_FLOW_UPDATE] = sizeof(struct event_flow),
		[EVENT_FLOW_END] = sizeof(struct event_flow),
		[EVENT_NAME] = sizeof(struct event_name),
		[EVENT_LEASE] = sizeof(struct event_lease),
		[EVENT_HEALTH] = sizeof(struct event_health),
		[EVENT_INPUT] = sizeof(struct event_input),
		[EVENT_PACKET] = sizeof(struct event_packet),
		[EVENT_FORGET] = sizeof(struct event_forget),
		[EVENT_OPINION] = sizeof(struct event_opinion),
		[EVENT_BEGIN] = sizeof(struct event_begin),
		[EVENT_BLIND] = sizeof(struct event_blind),
		[EVENT_EVIDENCE] = sizeof(struct event_evidence),
		[EVENT_FOUND] = sizeof(struct event_found),
		[EVENT_NEIGHBOUR] = sizeof(struct event_neighbour),
		[EVENT_SAMPLE] = sizeof(struct event_sample),
		[EVENT_EXERCISED] = sizeof(struct event_exercised),
		[EVENT_FLOW_BRIEF] = sizeof(struct event_brief),
	};
	bool sound = true;

	if (len < sizeof(*event) || event->len != len || len % 8 || len > EVENT_MAX ||
	    !event->type || event->type >= EVENT_TYPE_COUNT || len < sizes[event->type])
		return -EBADMSG;
	switch (event->type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END:
		sound = flow_is_sound((const struct event_flow *)event, len);
		break;
	case EVENT_FLOW_BRIEF: {
		struct event_flow whole;

		sound = event_whole(event, &whole) != event && flow_is_sound(&whole, sizeof(whole));
		break;
	}
	case EVENT_NAME: {
		const struct event_name *name = (const struct event_name *)event;

		sound = name->name_len && name->asked <= 1 &&
		        name->tunnel < TUNNEL_COUNT && time_is_sound(name->time_us) &&
		        offsetof(struct event_name, name) + name->name_len <= len &&
		        !memchr(name->name, 0, name->name_len);
		break;
	}
	case EVENT_LEASE: {
		const struct event_lease *lease = (const struct event_lease *)event;

		sound = lease->mask_bits <= 32 && lease->dns_count <= LEASE_SERVERS &&
		        lease->asked <= 1 && lease->tunnel < TUNNEL_COUNT &&
		        (lease->word == LEASE_GIVEN || lease->word == LEASE_RELEASED ||
		         lease->word == LEASE_DECLINED) &&
		        time_is_sound(lease->time_us);
		break;
	}
	case EVENT_NEIGHBOUR: {
		const struct event_neighbour *neighbour = (const struct event_neighbour *)event;

		sound = neighbour->tunnel < TUNNEL_COUNT && time_is_sound(neighbour->time_us);
		break;
	}
	case EVENT_HEALTH: {
		const struct event_health *health = (const struct event_health *)event;

		sound = time_is_sound(health->time_us) &&
		        counts_are_sound((const uint64_t *)&health->counters,
		                         sizeof(health->counters) / sizeof(uint64_t));
		break;
	}
	case EVENT_BEGIN:
		sound = time_is_sound(((const struct event_begin *)event)->time_us);
		break;
	case EVENT_PACKET: {
		const struct event_packet *packet = (const struct event_packet *)event;

		sound = packet->ip_len <= INSPECT_MAX &&
		        sizeof(*packet) + packet->ip_len <= len &&
		        time_is_sound(packet->time_us) && id_is_sound(packet->flow);
		break;
	}
	case EVENT_FORGET:
		sound = id_is_sound(((const struct event_forget *)event)->flow);
		break;
	case EVENT_INPUT: {
		const struct event_input *input = (const struct event_input *)event;

		sound = text_is_sound(event, input->note, input->note_len) &&
		        time_is_sound(input->first_us) && time_is_sound(input->last_us) &&
		        input->first_us <= input->last_us &&
		        counts_are_sound(&input->packets, 1) &&
		        counts_are_sound(&input->size, 1) &&
		        (!input->hashed || hash_is_sound(input->hash, sizeof(input->hash)));
		break;
	}
	case EVENT_BLIND: {
		const struct event_blind *blind = (const struct event_blind *)event;

		sound = blind->cause && blind->cause < BLIND_CAUSE_COUNT &&
		        text_is_sound(event, blind->detail, blind->detail_len) &&
		        time_is_sound(blind->since_us) && time_is_sound(blind->until_us) &&
		        counts_are_sound(&blind->count, 1) &&
		        (!blind->until_us || blind->since_us <= blind->until_us);
		break;
	}
	case EVENT_EVIDENCE: {
		const struct event_evidence *evidence = (const struct event_evidence *)event;

		sound = evidence->len <= EVIDENCE_MAX &&
		        sizeof(*evidence) + evidence->len <= len &&
		        evidence->cause < BLIND_CAUSE_COUNT && evidence->link < LINK_COUNT &&
		        time_is_sound(evidence->time_us) &&
		        counts_are_sound(&evidence->flow, 1);
		break;
	}
	case EVENT_SAMPLE: {
		const struct event_sample *sample = (const struct event_sample *)event;

		sound = sample->len <= SAMPLE_BYTES &&
		        offsetof(struct event_sample, bytes) + sample->len <= len &&
		        sample->headers_len <= sample->len && sample->wire_len >= sample->len &&
		        sample->link < LINK_COUNT && sample->number < SAMPLE_PACKETS &&
		        time_is_sound(sample->time_us) && id_is_sound(sample->flow);
		break;
	}
	case EVENT_FOUND: {
		const struct event_found *found = (const struct event_found *)event;

		sound = text_is_sound(event, found->text, found->text_len) &&
		        found->unit_len <= found->text_len && found->kind < KIND_COUNT &&
		        found->severity <= SEVERITY_HIGH && found->waived <= 1 && time_is_sound(found->time_us);
		break;
	}
	case EVENT_EXERCISED:
		sound = exercised_is_sound((const struct event_exercised *)event);
		break;
	case EVENT_OPINION: {
		const struct event_opinion *opinion = (const struct event_opinion *)event;

		sound = opinion->app < APP_COUNT && id_is_sound(opinion->flow);
		break;
	}
	default:
		break;
	}
	return sound ? 0 : -EBADMSG;
}
