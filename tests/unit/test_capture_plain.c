/*
 * test_capture_plain.c - capture files that are read in blocks: in every form, cut and damaged at every place, they
 * give what libpcap makes of them. The corpus of fuzz_capture holds what neither should be without.
 */
#include "monitor/capture/capture_plain.h"
#include "tests/lib/capform.h"
#include "tests/lib/reading.h"
#include "tests/lib/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct reading WHOLE;

/* The bytes of the capture in that form; the caller's. */
static uint8_t *formed(const struct wire *w, enum capform form, size_t *ret_len)
{
	char path[] = "/tmp/test_capture_plain.XXXXXX";
	int fd = mkstemp(path);
	struct err err;
	uint8_t *file, *ret;
	size_t len;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(wire_write(w, path, &err), 0);
	file = capform_load(path, &len);
	unlink(path);
	assert_non_null(file);
	ret = capform_of(file, len, form, ret_len);
	free(file);
	assert_non_null(ret);
	return ret;
}

static void must_be_same(const uint8_t *data, size_t len, const struct reading *how,
                         const char *what, size_t at)
{
	char why[256];

	if (!reading_same(data, len, how, why))
		fail_msg("%s, %zu: %s", what, at, why);
}

static struct wire *some_packets(uint32_t snap)
{
	struct wire *w = wire_new();

	wire_snap(w, snap);
	for (unsigned i = 0; i < 3; i++) {
		wire_udp(w, "10.0.0.1:5000 > 10.0.0.2:6000", "hello, nothing is kept of the end of this", 41);
		wire_wait(w, 0.25);
		wire_tcp(w, "10.0.0.1:5000 > 10.0.0.2:443", "S", NULL, 0);
	}
	return w;
}

static void every_form_gives_the_same_packets(void **state)
{
	static const enum wire_link LINKS[] = {WIRE_ETHERNET, WIRE_SLL,  WIRE_SLL2,
	                                       WIRE_RAW,      WIRE_NULL, WIRE_LOOP};
	static const struct reading WAYS[] = {
		{0}, {.filter = "tcp"}, {.filter = "host 10.9.9.9"}, {.skip = 2}, {.skip = 9}};

	for (size_t link = 0; link < ARRAY_LEN(LINKS); link++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();

		wire_link(w, LINKS[link]);
		wire_udp(w, "10.0.0.1:5000 > 10.0.0.2:6000", "hello", 5);
		wire_wait(w, 0.1);
		wire_tcp(w, "[2001:db8::7]:50016 > [2001:db8::9]:443", "S", NULL, 0);
		wire_udp(w, "10.0.0.1:5000 > 10.0.0.2:6000", "hello", 5);
		for (unsigned form = 0; form < CAPFORM_COUNT; form++) {
			CLEANUP(freep) uint8_t *data = NULL;
			size_t len;

			data = formed(w, form, &len);
			for (size_t way = 0; way < ARRAY_LEN(WAYS); way++)
				must_be_same(data, len, &WAYS[way], capform_name(form), way);
		}
	}
}

/* Else all of this would hold libpcap against itself. */
static void every_form_is_read_to_its_end_without_libpcap(void **state)
{
	CLEANUP(wire_freep) struct wire *w = some_packets(70);

	for (unsigned form = 0; form < CAPFORM_COUNT; form++) {
		CLEANUP(freep) uint8_t *data = NULL;
		CLEANUP(closep) int fd = memfd_create("capture", MFD_CLOEXEC);
		struct pcap_pkthdr header;
		const uint8_t *bytes;
		struct plain *plain;
		size_t len, count = 0;
		enum plain_next next;

		data = formed(w, form, &len);
		assert_int_equal(write(fd, data, len), len);
		plain = plain_new(fd, DLT_EN10MB);
		assert_non_null(plain);
		while ((next = plain_next(plain, &header, &bytes)) == PLAIN_PACKET)
			count++;
		assert_int_equal(next, PLAIN_END);
		assert_int_equal(count, wire_count(w));
		assert_int_equal(plain_offset(plain), len);
		plain_free(plain);
		plain = plain_new(fd, DLT_RAW); /* libpcap said otherwise */
		assert_true(!plain || plain_next(plain, &header, &bytes) == PLAIN_STRANGE);
		plain_free(plain);
	}
}

static void a_file_cut_anywhere_ends_as_libpcap_says(void **state)
{
	CLEANUP(wire_freep) struct wire *w = some_packets(70);

	for (unsigned form = 0; form < CAPFORM_COUNT; form++) {
		CLEANUP(freep) uint8_t *data = NULL;
		size_t len;

		data = formed(w, form, &len);
		for (size_t cut = 0; cut < len; cut++)
			must_be_same(data, cut, &WHOLE, capform_name(form), cut);
	}
}

/* Of each byte: all bits, the lowest, the highest; so every field of every head is wrong in its turn. */
static void damage_everywhere(const struct wire *w, enum capform form)
{
	static const uint8_t SPOILS[] = {0xff, 0x01, 0x80};
	CLEANUP(freep) uint8_t *data = NULL;
	size_t len;

	data = formed(w, form, &len);
	for (size_t at = 0; at < len; at++)
		for (size_t i = 0; i < ARRAY_LEN(SPOILS); i++) {
			data[at] ^= SPOILS[i];
			must_be_same(data, len, &WHOLE, capform_name(form), at);
			data[at] ^= SPOILS[i];
		}
}

static void a_file_damaged_anywhere_gives_what_libpcap_gives(void **state)
{
	CLEANUP(wire_freep) struct wire *cut = some_packets(70);
	CLEANUP(wire_freep) struct wire *whole = some_packets(0);

	for (unsigned form = 0; form < CAPFORM_COUNT; form++) {
		damage_everywhere(cut, form);
		damage_everywhere(whole, form);
	}
}

/* Packets of all lengths lie across the blocks' ends, the longest over a whole block. */
static void packets_across_blocks_are_whole(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) uint8_t *bytes = calloc(1, 262144);
	static const size_t LENS[] = {262144, 1, 60, 1514, 65535, 262130, 9000, 0};

	assert_non_null(bytes);
	for (unsigned i = 0; i < 120; i++) {
		size_t len = LENS[i % ARRAY_LEN(LENS)];

		memset(bytes, (int)i, len);
		wire_frame(w, bytes, len);
		wire_wait(w, 0.001);
	}
	for (unsigned form = 0; form < CAPFORM_COUNT; form++) {
		CLEANUP(freep) uint8_t *data = NULL;
		size_t len;

		data = formed(w, form, &len);
		must_be_same(data, len, &WHOLE, capform_name(form), len);
		must_be_same(data, len - 1, &WHOLE, capform_name(form), len - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_gives_the_same_packets),
		cmocka_unit_test(every_form_is_read_to_its_end_without_libpcap),
		cmocka_unit_test(a_file_cut_anywhere_ends_as_libpcap_says),
		cmocka_unit_test(a_file_damaged_anywhere_gives_what_libpcap_gives),
		cmocka_unit_test(packets_across_blocks_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
