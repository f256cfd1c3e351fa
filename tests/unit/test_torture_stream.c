/*
 * test_torture_stream.c - TCP cuts messages where it likes: however the segments lie, the answer is that of
 * the whole message.
 */
#include "tests/lib/showing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct torture {
	struct samples samples;
	struct showing *showing;
};

struct facts_told {
	bool certain;
	uint8_t initiator, mtls, tls_version;
	char name[NAME_MAX_LEN + 1];
};

static struct facts_told told(const struct showing *showing, const struct sample *sample)
{
	struct facts_told told = {
		.certain = showing_is_certain(showing, sample->app),
		.initiator = showing->facts.initiator,
		.mtls = showing->facts.mtls,
		.tls_version = showing->facts.tls_version,
	};

	text_copy(told.name, sizeof(told.name), showing->name);
	return told;
}

static void piece(struct showing *showing, const struct sample *sample, uint32_t from,
                  uint32_t to)
{
	if (to > from)
		showing_payload(showing, sample->side, sample->m.b + from, to - from,
		                to - from);
}

#define TELL_MAX 20

static void tell(unsigned *wrong, const struct sample *sample, const char *what, uint32_t at)
{
	if (++*wrong > TELL_MAX)
		return;
	print_error("%s, %s (%u > %u): %s, cut at %u\n", sample->dissector, sample->what,
	            sample->port[sample->side], sample->port[!sample->side], what, at);
}

static void same(unsigned *wrong, const struct sample *sample, const struct showing *showing,
                 const struct facts_told *whole, uint32_t at)
{
	struct facts_told now = told(showing, sample);

	if (now.certain != whole->certain)
		tell(wrong, sample, "not known any more", at);
	else if (strcmp(now.name, whole->name))
		tell(wrong, sample, "another name", at);
	else if (now.initiator != whole->initiator)
		tell(wrong, sample, "another opener", at);
	else if (now.mtls != whole->mtls || now.tls_version != whole->tls_version)
		tell(wrong, sample, "another handshake", at);
}

/* Ways to send a message in two parts that meet at `cut`. */
static void in_order(struct showing *showing, const struct sample *sample, uint32_t cut)
{
	piece(showing, sample, 0, cut);
	piece(showing, sample, cut, (uint32_t)sample->m.len);
}

static void at(struct showing *showing, const struct sample *sample, uint32_t from, uint32_t to)
{
	if (to > from)
		showing_segment(showing, sample->side, showing->seq[sample->side] + from,
		                sample->m.b + from, to - from, to - from);
}

static void swapped(struct showing *showing, const struct sample *sample, uint32_t cut)
{
	at(showing, sample, cut, (uint32_t)sample->m.len);
	at(showing, sample, 0, cut);
}

/* The first part once more, and then all of it: what came already is passed over. */
static void repeated(struct showing *showing, const struct sample *sample, uint32_t cut)
{
	at(showing, sample, 0, cut);
	at(showing, sample, 0, cut);
	at(showing, sample, 0, (uint32_t)sample->m.len);
}

static void each_cut(struct torture *torture,
                     void (*send)(struct showing *showing, const struct sample *sample,
                                  uint32_t cut))
{
	struct showing *showing = torture->showing;
	unsigned wrong = 0;

	for (unsigned i = 0; i < torture->samples.count; i++) {
		const struct sample *sample = &torture->samples.list[i];
		struct facts_told whole;

		if (sample->transport != TRANSPORT_TCP || sample->midstream)
			continue;
		showing_begin(showing, sample);
		piece(showing, sample, 0, (uint32_t)sample->m.len);
		whole = told(showing, sample);
		for (uint32_t cut = 1; cut < sample->m.len; cut++) {
			showing_begin(showing, sample);
			send(showing, sample, cut);
			same(&wrong, sample, showing, &whole, cut);
		}
	}
	assert_int_equal(wrong, 0);
}

static void a_message_in_two_segments_is_the_message(void **state)
{
	each_cut(*state, in_order);
}

static void a_message_whose_second_part_comes_first_is_the_message(void **state)
{
	each_cut(*state, swapped);
}

static void a_message_whose_first_part_is_sent_again_is_the_message(void **state)
{
	each_cut(*state, repeated);
}

static void a_message_byte_by_byte_is_the_message(void **state)
{
	struct torture *torture = *state;
	struct showing *showing = torture->showing;
	unsigned wrong = 0;

	for (unsigned i = 0; i < torture->samples.count; i++) {
		const struct sample *sample = &torture->samples.list[i];
		struct facts_told whole;

		if (sample->transport != TRANSPORT_TCP || sample->midstream)
			continue;
		showing_begin(showing, sample);
		piece(showing, sample, 0, (uint32_t)sample->m.len);
		whole = told(showing, sample);
		showing_begin(showing, sample);
		for (uint32_t from = 0; from < sample->m.len; from++)
			piece(showing, sample, from, from + 1);
		same(&wrong, sample, showing, &whole, 1);
	}
	assert_int_equal(wrong, 0);
}

static int begin(void **state)
{
	struct torture *torture = calloc(1, sizeof(*torture));

	assert_non_null(torture);
	torture->samples = samples_new();
	torture->showing = showing_new();
	*state = torture;
	return 0;
}

static int end(void **state)
{
	struct torture *torture = *state;

	showing_free(torture->showing);
	samples_free(&torture->samples);
	free(torture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_in_two_segments_is_the_message),
		cmocka_unit_test(a_message_whose_second_part_comes_first_is_the_message),
		cmocka_unit_test(a_message_whose_first_part_is_sent_again_is_the_message),
		cmocka_unit_test(a_message_byte_by_byte_is_the_message),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
