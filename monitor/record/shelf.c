/*
 * shelf.c - see shelf.h. A piece is a struct kept, the sheets of ends that have a unit (in full, or row and unit
 * alone), then the latest event: of its words of eight bytes those that are not zero, of these the bytes that are not.
 */
#include "monitor/record/shelf.h"

enum { WORDS_MAX = EVENT_MAX / 8 };

struct kept {
	uint8_t has;    /* bit i: end i has a sheet */
	uint8_t full;   /* ... and in full */
	uint8_t over;   /* what the sheets say */
	uint8_t waited;
	uint16_t words; /* of the event */
	uint8_t spare[2];
};

/* A sheet without a finding. */
struct brief {
	int64_t id;
	struct unit *unit;
};

struct packed {
	uint8_t bytes[WORDS_MAX / 8 + WORDS_MAX * 9];
};

void shelf_init(struct shelf *shelf, size_t max)
{
	idmap_init(&shelf->flows, max);
}

void shelf_release(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->flows.size; i++)
		free(shelf->flows.slots[i].value);
	idmap_release(&shelf->flows);
}

/* Bit i: byte i is not zero. */
static uint8_t filled(uint64_t word)
{
	word |= word >> 4;
	word |= word >> 2;
	word |= word >> 1;
	word &= UINT64_C(0x0101010101010101);
	return (uint8_t)(word * UINT64_C(0x0102040810204080) >> 56);
}

/* Returns how many bytes it takes. */
static size_t pack(const struct event_flow *event, uint8_t *to)
{
	size_t words = event->head.len / 8, used = (words + 7) / 8;

	memset(to, 0, used);
	for (size_t i = 0; i < words; i++) {
		uint64_t word;
		uint8_t mask;

		memcpy(&word, (const uint8_t *)event + 8 * i, sizeof(word));
		if (!word)
			continue;
		to[i / 8] |= (uint8_t)(1u << i % 8);
		mask = filled(word);
		to[used++] = mask;
		for (unsigned left = mask; left; left &= left - 1)
			to[used++] = (uint8_t)(word >> 8 * __builtin_ctz(left));
	}
	return used;
}

static void unpack(const uint8_t *from, size_t words, struct event_flow *event)
{
	const uint8_t *at = from + (words + 7) / 8;

	for (size_t i = 0; i < words; i++) {
		uint64_t word = 0;

		if (from[i / 8] >> i % 8 & 1)
			for (unsigned left = *at++; left; left &= left - 1)
				word |= (uint64_t)*at++ << 8 * __builtin_ctz(left);
		memcpy((uint8_t *)event + 8 * i, &word, sizeof(word));
	}
}

static size_t sheet_size(const struct kept *kept, unsigned end)
{
	return !(kept->has >> end & 1)   ? 0
	       : kept->full >> end & 1 ? sizeof(struct sheet)
	                               : sizeof(struct brief);
}

static uint8_t *sheet_of(struct kept *kept, unsigned end)
{
	return (uint8_t *)(kept + 1) + (end ? sheet_size(kept, 0) : 0);
}

static const uint8_t *event_of(struct kept *kept)
{
	return sheet_of(kept, 1) + sheet_size(kept, 1);
}

void shelf_get(const struct shelf *shelf, uint64_t flow, struct open_flow *ret)
{
	struct kept *kept = idmap_find(&shelf->flows, flow);

	*ret = (struct open_flow){.told = kept};
	for (unsigned end = 0; kept && end < 2; end++) {
		struct sheet *sheet = &ret->sheet[end];
		struct brief brief;

		if (kept->full >> end & 1) {
			memcpy(sheet, sheet_of(kept, end), sizeof(*sheet));
		} else if (kept->has >> end & 1) {
			memcpy(&brief, sheet_of(kept, end), sizeof(brief));
			sheet->id = brief.id;
			sheet->unit = brief.unit;
		}
		sheet->over = kept->over >> end & 1;
		sheet->waited = kept->waited >> end & 1;
	}
}

static bool is_brief(const struct sheet *sheet)
{
	return !sheet->gathered.finding && !sheet->exhibit.finding && !sheet->exhibit.refused &&
	       !sheet->exhibit.next;
}

static void kept_fill(struct kept *kept, const struct open_flow *open)
{
	for (unsigned end = 0; end < 2; end++) {
		const struct sheet *sheet = &open->sheet[end];
		const struct brief brief = {sheet->id, sheet->unit};

		if (kept->full >> end & 1)
			memcpy(sheet_of(kept, end), sheet, sizeof(*sheet));
		else if (kept->has >> end & 1)
			memcpy(sheet_of(kept, end), &brief, sizeof(brief));
	}
}

int shelf_put(struct shelf *shelf, const struct open_flow *open, const struct event_flow *latest)
{
	uint64_t flow = latest->facts.id;
	struct packed packed;
	size_t len = pack(latest, packed.bytes), size;
	struct kept head = {.words = (uint16_t)(latest->head.len / 8)}, *kept;
	int r;

	for (unsigned end = 0; end < 2; end++) {
		const struct sheet *sheet = &open->sheet[end];

		head.has |= (uint8_t)((sheet->unit || sheet->id) << end);
		head.full |= (uint8_t)((head.has >> end & 1 && !is_brief(sheet)) << end);
		head.over |= (uint8_t)(sheet->over << end);
		head.waited |= (uint8_t)(sheet->waited << end);
	}
	size = sizeof(head) + sheet_size(&head, 0) + sheet_size(&head, 1) + len;
	kept = malloc(size);
	if (!kept)
		return -ENOMEM;
	*kept = head;
	kept_fill(kept, open);
	memcpy((uint8_t *)kept + size - len, packed.bytes, len);
	if (open->told)
		free(idmap_take(&shelf->flows, flow));
	r = idmap_add(&shelf->flows, flow, kept);
	if (r < 0)
		free(kept);
	return r;
}

void shelf_drop(struct shelf *shelf, uint64_t flow)
{
	free(idmap_take(&shelf->flows, flow));
}

struct sheet *shelf_exhibited(const struct shelf *shelf, uint64_t flow, unsigned end)
{
	struct kept *kept = idmap_find(&shelf->flows, flow);

	/* Pieces are aligned to eight bytes, and so is what lies before a sheet. */
	return kept && kept->full >> end & 1 ? (struct sheet *)(void *)sheet_of(kept, end) : NULL;
}

struct event_flow **shelf_latest(const struct shelf *shelf, size_t *ret_count)
{
	struct event_flow **events = calloc(shelf->flows.count + 1, sizeof(struct event_flow *));
	size_t count = 0;

	for (size_t i = 0; events && i < shelf->flows.size; i++) {
		struct kept *kept = shelf->flows.slots[i].value;

		if (!kept)
			continue;
		events[count] = malloc(8u * kept->words);
		if (events[count])
			unpack(event_of(kept), kept->words, events[count++]);
	}
	*ret_count = count;
	return events;
}
