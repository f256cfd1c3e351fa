/*
 * test_torture.c - each dissector is given its own traffic spoilt: cut at every byte, with every length
 * wrong, every byte wiped, and bits flipped. Nothing is read past its end (the sanitizers look), nothing
 * is said that the recorder would refuse, and nobody is certain of half a message.
 */
#include "dissectors/list.h"
#include "tests/lib/showing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FLIPS 3000 /* spoilt copies of each sample */

struct torture {
	struct samples samples;
	struct showing *showing;
};

/* The message alone, in a datagram or segment of `wire_len` of which `len` bytes were captured. */
static bool is_certain(struct showing *showing, const struct sample *sample,
                       const uint8_t *data, uint32_t len, uint32_t wire_len)
{
	showing_begin(showing, sample);
	showing_payload(showing, sample->side, data, len, wire_len);
	return showing_is_certain(showing, sample->app);
}

#define TELL_MAX 20

/* More than the first thing that is wrong is told before the test fails. */
static void tell(unsigned *wrong, const struct sample *sample, const char *what, uint32_t at)
{
	if (++*wrong > TELL_MAX)
		return;
	print_error("%s, %s (%s %u > %u): %s, at %u\n", sample->dissector, sample->what,
	            sample->transport == TRANSPORT_TCP ? "TCP" : "UDP",
	            sample->port[sample->side], sample->port[!sample->side], what, at);
}

static void every_dissector_of_the_list_has_samples(void **state)
{
	static const char *const names[] = {
#define NAME(name) #name,
		DISSECTORS(NAME)
#undef NAME
	};
	struct torture *torture = *state;
	const struct samples *samples = &torture->samples;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		unsigned of_it = 0;

		for (unsigned s = 0; s < samples->count; s++)
			of_it += !strcmp(samples->list[s].dissector, names[i]);
		if (!of_it)
			fail_msg("no sample of %s: see tests/lib/sample.h", names[i]);
	}
}

static void every_sample_is_known_when_it_is_whole(void **state)
{
	struct torture *torture = *state;
	const struct samples *samples = &torture->samples;
	unsigned wrong = 0;

	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		struct showing *before = torture->showing;

		showing_begin(before, sample);
		if (showing_is_certain(before, sample->app))
			tell(&wrong, sample, "certain before it was said", 0);
		if (!is_certain(torture->showing, sample, sample->m.b, (uint32_t)sample->m.len,
		                (uint32_t)sample->m.len))
			tell(&wrong, sample, "not known", (uint32_t)sample->m.len);
	}
	assert_int_equal(wrong, 0);
}

static bool is_whole_too(const struct sample *sample, uint32_t cut)
{
	for (unsigned i = 0; i < ARRAY_LEN(sample->also); i++)
		if (sample->also[i] == cut)
			return true;
	return false;
}

static void cut_everywhere(struct torture *torture, bool snap)
{
	const struct samples *samples = &torture->samples;
	unsigned wrong = 0;

	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		uint32_t len = (uint32_t)sample->m.len;
		uint32_t enough = snap ? sample->cut : sample->alone;

		for (uint32_t cut = 0; cut < len; cut++) {
			bool certain = is_certain(torture->showing, sample, sample->m.b, cut,
			                          snap ? len : cut);

			if (certain && cut < enough && (snap || !is_whole_too(sample, cut)))
				tell(&wrong, sample,
				     snap ? "snapped, and certain" : "cut, and certain", cut);
			if (!certain && cut == enough)
				tell(&wrong, sample,
				     snap ? "snapped, and not certain yet"
				          : "cut, and not certain yet",
				     cut);
		}
	}
	assert_int_equal(wrong, 0);
}

static void
a_message_cut_on_the_wire_is_certain_only_where_its_rest_does_not_matter(void **state)
{
	cut_everywhere(*state, false);
}

static void
a_message_cut_by_the_snap_length_is_certain_only_where_its_rest_does_not_matter(void **state)
{
	cut_everywhere(*state, true);
}

static void nothing_is_learnt_of_a_datagram_that_is_cut_on_the_wire(void **state)
{
	struct torture *torture = *state;
	const struct samples *samples = &torture->samples;
	unsigned wrong = 0, teaching = 0;

	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		bool taught = false;

		if (sample->transport != TRANSPORT_UDP)
			continue;
		for (uint32_t cut = 1; cut <= sample->m.len; cut++) {
			struct showing *showing = torture->showing;

			showing_begin(showing, sample);
			showing_payload(showing, sample->side, sample->m.b, cut, cut);
			taught = showing->learnt.name_count || showing->learnt.has_lease;
			if (taught && cut < sample->teaches)
				tell(&wrong, sample, "taught something", cut);
		}
		teaching += taught;
	}
	assert_true(teaching >= 4); /* two addresses of DNS at each of two ports, a lease */
	assert_int_equal(wrong, 0);
}

static uint64_t field_get(const uint8_t *b, const struct sample_field *field)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < field->size; i++)
		value = value << 8 | b[field->at + i];
	return value;
}

static void field_set(uint8_t *b, const struct sample_field *field, uint64_t value)
{
	for (unsigned i = field->size; i-- > 0; value >>= 8)
		b[field->at + i] = (uint8_t)value;
}

static void a_wrong_length_is_survived_and_believed_nowhere_it_must_fit(void **state)
{
	struct torture *torture = *state;
	const struct samples *samples = &torture->samples;
	unsigned wrong = 0;

	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		uint32_t len = (uint32_t)sample->m.len;

		for (unsigned f = 0; f < sample->field_count; f++) {
			const struct sample_field *field = &sample->field[f];
			uint64_t most = (UINT64_C(1) << 8 * field->size) - 1;
			uint64_t right = field_get(sample->m.b, field);
			const uint64_t values[] = {0,         1,        most,        right - 1,
			                           right + 1, most / 2, most / 2 + 1};

			for (unsigned v = 0; v < ARRAY_LEN(values); v++) {
				struct message m = sample->m;

				if ((values[v] & most) == right)
					continue;
				field_set(m.b, field, values[v]);
				if (is_certain(torture->showing, sample, m.b, len, len) &&
				    field->fits)
					tell(&wrong, sample, "certain with a wrong length",
					     field->at);
				(void)is_certain(torture->showing, sample, m.b, len,
				                 len + 1000);
			}
		}
	}
	assert_int_equal(wrong, 0);
}

static void every_byte_may_be_wiped(void **state)
{
	static const uint8_t values[] = {0x00, 0xff, 0x80, 0x7f};
	struct torture *torture = *state;
	const struct samples *samples = &torture->samples;

	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];
		uint32_t len = (uint32_t)sample->m.len;

		for (uint32_t at = 0; at < len; at++)
			for (unsigned v = 0; v < ARRAY_LEN(values); v++) {
				struct message m = sample->m;

				m.b[at] = values[v];
				(void)is_certain(torture->showing, sample, m.b, len, len);
			}
	}
}

/* xorshift32 (Marsaglia 2003) */
static uint32_t next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void spoil(struct message *m, uint32_t *x)
{
	for (unsigned i = next(x) % 6; i-- > 0 && m->len;) {
		uint32_t at = next(x) % m->len;

		switch (next(x) % 4) {
		case 0:
			m->b[at] ^= (uint8_t)(1U << next(x) % 8);
			break;
		case 1:
			m->b[at] = (uint8_t)next(x);
			break;
		case 2:
			m->len -= next(x) % (m->len - at);
			break;
		default: /* a piece of it once more */
			message_add(m, m->b + at, m->len - at < 60 ? m->len - at : 60);
			break;
		}
	}
}

/* Twice spoilt and once whole: what the first one left behind must do no harm either. */
static void bits_may_flip(void **state)
{
	struct torture *torture = *state;
	const struct samples *samples = &torture->samples;
	uint32_t x = 20260302;

	for (unsigned i = 0; i < samples->count; i++) {
		const struct sample *sample = &samples->list[i];

		for (unsigned n = 0; n < FLIPS; n++) {
			struct showing *showing = torture->showing;

			showing_begin(showing, sample);
			for (unsigned k = 0; k < 3; k++) {
				struct message m = sample->m;
				uint32_t more = next(&x) % 4 ? 0 : next(&x) % 100;

				if (k < 2)
					spoil(&m, &x);
				showing_payload(showing, sample->side ^ (next(&x) % 8 == 0),
				                m.b, (uint32_t)m.len, (uint32_t)m.len + more);
			}
		}
	}
}

/* Four payloads that begin with the two bytes `head`, and go on with `fill` or, without, with noise. */
static bool is_somebodys(struct showing *showing, const struct sample *flow, uint16_t head,
                         int fill, uint32_t *x)
{
	showing_begin(showing, flow);
	for (unsigned n = 0; n < 4; n++) {
		uint32_t len = fill < 0 ? 2 + next(x) % 200 : 44;
		uint8_t b[202];

		memset(b, fill, sizeof(b));
		for (uint32_t i = 2; fill < 0 && i < len; i++)
			b[i] = (uint8_t)(next(x) >> 24);
		b[0] = (uint8_t)(head >> 8);
		b[1] = (uint8_t)head;
		showing_payload(showing, n % 2, b, len, len);
	}
	return showing->facts.evidence != EVIDENCE_NONE;
}

static void noise_and_emptiness_are_nobodys(void **state)
{
	static const uint16_t ports[] = {53, 50010};
	static const int fills[] = {0, 0xff, -1};
	struct torture *torture = *state;
	struct sample *flow = calloc(1, sizeof(*flow));
	uint32_t x = 20260302;
	unsigned wrong = 0;

	assert_non_null(flow);
	flow->dissector = flow->what = "noise";
	for (unsigned way = 0; way < ARRAY_LEN(ports) * 3; way++) {
		flow->midstream = way % 3 == 2;
		if (way % 3)
			sample_tcp(flow, 50016, ports[way / 3]);
		else
			sample_udp(flow, 50016, ports[way / 3]);
		for (unsigned f = 0; f < ARRAY_LEN(fills); f++)
			for (uint32_t head = 0; head <= UINT16_MAX; head += f == 2 ? 11 : 1)
				if (is_somebodys(torture->showing, flow, (uint16_t)head,
				                 fills[f], &x))
					tell(&wrong, flow,
					     app_name(torture->showing->facts.app), head);
	}
	free(flow);
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
		cmocka_unit_test(every_dissector_of_the_list_has_samples),
		cmocka_unit_test(every_sample_is_known_when_it_is_whole),
		cmocka_unit_test(
			a_message_cut_on_the_wire_is_certain_only_where_its_rest_does_not_matter),
		cmocka_unit_test(
			a_message_cut_by_the_snap_length_is_certain_only_where_its_rest_does_not_matter),
		cmocka_unit_test(nothing_is_learnt_of_a_datagram_that_is_cut_on_the_wire),
		cmocka_unit_test(a_wrong_length_is_survived_and_believed_nowhere_it_must_fit),
		cmocka_unit_test(every_byte_may_be_wiped),
		cmocka_unit_test(bits_may_flip),
		cmocka_unit_test(noise_and_emptiness_are_nobodys),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
