/*
 * test_pcapng.c - the file, block by block, and as our own capture reads it.
 */
#include "monitor/capture/capture.h"
#include "monitor/commands/pcapng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

#define TIME_US INT64_C(1795305600123456)

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint16_t half(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static const uint8_t FRAME[61] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x06};

static const char *const COMMENTS[] = {"F17: four", "F18"};

static void write_file(FILE *file)
{
	struct pcapng pcapng;
	const struct pcapng_packet packet = {.link = LINK_ETHERNET,
	                                     .time_us = TIME_US,
	                                     .wire_len = 1514,
	                                     .len = sizeof(FRAME),
	                                     .bytes = FRAME,
	                                     .comment = "F17, flow 3, out"};

	pcapng_begin(&pcapng, file, "tlmon", COMMENTS, 2, 256);
	pcapng_put(&pcapng, &packet);
	pcapng_put(&pcapng, &packet);
}

static void every_block_is_as_the_draft_has_it(void **state)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0, at = 0;
	FILE *file = open_memstream(&text, &size);
	const uint8_t *b;

	write_file(file);
	fclose(file);
	b = (const uint8_t *)text;
	assert_int_equal(word(b), 0x0a0d0d0a);
	assert_int_equal(word(b + 8), 0x1a2b3c4d);
	assert_int_equal(half(b + 12), 1);
	assert_int_equal(half(b + 14), 0);
	assert_int_equal(word(b + 16), UINT32_MAX);
	assert_int_equal(word(b + 20), UINT32_MAX);
	assert_int_equal(half(b + 24), 1); /* opt_comment */
	assert_int_equal(half(b + 26), 9);
	assert_memory_equal(b + 28, "F17: four\0\0\0", 12);
	assert_int_equal(half(b + 40), 1);
	assert_memory_equal(b + 44, "F18\0", 4);
	assert_int_equal(half(b + 48), 4); /* shb_userappl */
	assert_memory_equal(b + 52, "tlmon\0\0\0", 8);
	assert_int_equal(word(b + 60), 0); /* opt_endofopt */
	assert_int_equal(word(b + 4), 68);
	assert_int_equal(word(b + 64), 68);
	at = 68;
	assert_int_equal(word(b + at), 1);
	assert_int_equal(half(b + at + 8), 1); /* LINKTYPE_ETHERNET */
	assert_int_equal(word(b + at + 12), 256);
	assert_int_equal(half(b + at + 16), 9); /* if_tsresol */
	assert_int_equal(b[at + 20], 6);
	assert_int_equal(word(b + at + 4), 32);
	assert_int_equal(word(b + at + 28), 32);
	at += 32;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t len = word(b + at + 4);

		assert_int_equal(word(b + at), 6);
		assert_int_equal(word(b + at + 8), 0);
		assert_true(((int64_t)word(b + at + 12) << 32 | word(b + at + 16)) == TIME_US);
		assert_int_equal(word(b + at + 20), sizeof(FRAME));
		assert_int_equal(word(b + at + 24), 1514);
		assert_memory_equal(b + at + 28, FRAME, sizeof(FRAME));
		assert_memory_equal(b + at + 28 + 61, "\0\0\0", 3);
		assert_int_equal(half(b + at + 92), 1);
		assert_int_equal(half(b + at + 94), 16);
		assert_memory_equal(b + at + 96, "F17, flow 3, out", 16);
		assert_int_equal(word(b + at + 112), 0);
		assert_int_equal(len, 120);
		assert_int_equal(word(b + at + 116), 120);
		at += len;
	}
	assert_int_equal(at, size);
}

static void our_own_capture_reads_it_back(void **state)
{
	CLEANUP(capture_closep) struct capture *capture = NULL;
	char path[] = "/tmp/tlmon-test-XXXXXX";
	const char *const inputs[] = {path};
	const struct capture_options options = {.inputs = inputs, .input_count = 1};
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct frame frame;
	struct err err = {0};

	write_file(file);
	fclose(file);
	assert_int_equal(capture_open(&options, &capture, &err), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_FRAME);
		assert_true(frame.time_us == TIME_US);
		assert_int_equal(frame.caplen, sizeof(FRAME));
		assert_int_equal(frame.wire_len, 1514);
		assert_int_equal(frame.link, LINK_ETHERNET);
		assert_memory_equal(frame.bytes, FRAME, sizeof(FRAME));
	}
	assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_INPUT_END);
	unlink(path);
}

static void each_link_type_has_an_interface_of_its_own(void **state)
{
	static const uint16_t types[LINK_COUNT] = {1, 113, 276, 101, 0};
	CLEANUP(freep) char *text = NULL;
	size_t size = 0, at;
	FILE *file = open_memstream(&text, &size);
	struct pcapng pcapng;

	pcapng_begin(&pcapng, file, "tlmon", NULL, 0, 256);
	for (unsigned i = 0; i < 2 * LINK_COUNT; i++)
		pcapng_put(&pcapng, &(struct pcapng_packet){.link = (enum link)(i % LINK_COUNT),
		                                            .comment = ""});
	fclose(file);
	at = word((const uint8_t *)text + 4);
	for (unsigned i = 0; i < 2 * LINK_COUNT; i++) {
		const uint8_t *b = (const uint8_t *)text + at;

		if (i < LINK_COUNT) {
			assert_int_equal(word(b), 1);
			assert_int_equal(half(b + 8), types[i]);
			b += 32;
			at += 32;
		}
		assert_int_equal(word(b), 6);
		assert_int_equal(word(b + 8), i % LINK_COUNT);
		at += word(b + 4);
	}
	assert_int_equal(at, size);
}

static void a_comment_longer_than_an_option_is_cut(void **state)
{
	CLEANUP(freep) char *text = NULL, *comment = malloc(100001);
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	struct pcapng pcapng;

	memset(comment, 'x', 100000);
	comment[100000] = '\0';
	pcapng_begin(&pcapng, file, "tlmon", (const char *const *)&comment, 1, 256);
	fclose(file);
	assert_int_equal(half((const uint8_t *)text + 26), 65532);
	assert_int_equal(word((const uint8_t *)text + 4), size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_block_is_as_the_draft_has_it),
		cmocka_unit_test(our_own_capture_reads_it_back),
		cmocka_unit_test(each_link_type_has_an_interface_of_its_own),
		cmocka_unit_test(a_comment_longer_than_an_option_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
