/*
 * sample.c - the list of samples; its parts are made in files of their own.
 */
#include "tests/lib/sample.h"

#define SAMPLES_MAX 128

struct sample *sample_add(struct samples *to, const char *dissector, const char *what,
                          enum app app, const struct message *m)
{
	struct sample *sample = &to->list[to->count++];

	if (to->count > SAMPLES_MAX)
		abort();
	sample->dissector = dissector;
	sample->what = what;
	sample->app = app;
	sample->m = *m;
	sample->alone = sample->cut = sample->teaches = (uint32_t)m->len;
	return sample;
}

static void ports(struct sample *sample, uint8_t transport, uint16_t from, uint16_t to)
{
	sample->transport = transport;
	sample->port[sample->side] = from;
	sample->port[!sample->side] = to;
}

void sample_udp(struct sample *sample, uint16_t from, uint16_t to)
{
	ports(sample, TRANSPORT_UDP, from, to);
}

void sample_tcp(struct sample *sample, uint16_t from, uint16_t to)
{
	ports(sample, TRANSPORT_TCP, from, to);
}

void sample_reply(struct sample *sample)
{
	uint16_t port = sample->port[0];

	sample->side = 1;
	sample->port[0] = sample->port[1];
	sample->port[1] = port;
}

void sample_before(struct sample *sample, unsigned side, const struct message *m)
{
	if (sample->before_count == SAMPLE_BEFORE)
		abort();
	sample->before[sample->before_count].side = side;
	sample->before[sample->before_count++].m = *m;
}

void sample_field(struct sample *sample, size_t at, unsigned size, bool fits)
{
	if (sample->field_count == SAMPLE_FIELDS || at + size > sample->m.len)
		abort();
	sample->field[sample->field_count++] =
		(struct sample_field){(uint16_t)at, (uint8_t)size, fits};
}

struct samples samples_new(void)
{
	struct samples samples = {.list = calloc(SAMPLES_MAX, sizeof(*samples.list))};

	if (!samples.list)
		abort();
	samples_of_names(&samples);
	samples_of_signalling(&samples);
	samples_of_media(&samples);
	samples_of_msturn(&samples);
	return samples;
}

void samples_free(struct samples *samples)
{
	free(samples->list);
	samples->list = NULL;
}
