/*
 * test_file_hash.c - the hash of a file is XXH3 of its bytes, in whatever pieces they come and whatever registers
 * the machine has.
 */
#include "monitor/capture/file_hash.h"
#include "monitor/capture/file_hash_wide.h"
#include "tests/lib/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <xxhash.h>

#define BYTES 300000

static uint8_t *bytes_new(void)
{
	uint8_t *bytes = malloc(BYTES);
	uint32_t state = 7;

	assert_non_null(bytes);
	for (size_t i = 0; i < BYTES; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
	return bytes;
}

/* As the library says it, with whatever registers it was built for. */
static void wanted(const uint8_t *bytes, size_t len, char text[FILE_HASH_TEXT])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		snprintf(text + 2 * i, 3, "%02x", canonical.digest[i]);
}

static void it_is_xxh3_however_it_comes(void **state)
{
	static const size_t lens[] = {0, 1, 16, 17, 240, 241, 256, 257, 1023, 1024, 1025, 65536, BYTES};
	static const size_t pieces[] = {1, 63, 64, 255, 1024, 4095, 65536, BYTES};
	CLEANUP(freep) uint8_t *bytes = bytes_new();

	for (size_t i = 0; i < ARRAY_LEN(lens) * ARRAY_LEN(pieces); i++) {
		size_t len = lens[i / ARRAY_LEN(pieces)], piece = pieces[i % ARRAY_LEN(pieces)];
		struct file_hash *hash = file_hash_new();
		char want[FILE_HASH_TEXT], got[FILE_HASH_TEXT];

		assert_non_null(hash);
		for (size_t at = 0; at < len; at += piece)
			file_hash_add(hash, at, bytes + at, len - at < piece ? len - at : piece);
		wanted(bytes, len, want);
		assert_int_equal(file_hash_text(hash, got), len);
		assert_memory_equal(got, want, sizeof(got));
		file_hash_free(hash);
	}
}

/* Both ways on one state, in turn: what one leaves the other goes on from. */
static void wide_and_narrow_go_on_from_each_other(void **state)
{
	CLEANUP(freep) uint8_t *bytes = bytes_new();
	XXH3_state_t *sum = XXH3_createState();
	XXH128_hash_t got, want = XXH3_128bits(bytes, BYTES);

	if (!file_hash_is_wide()) {
		XXH3_freeState(sum);
		skip();
	}
	XXH3_128bits_reset(sum);
	for (size_t at = 0, turn = 0; at < BYTES; at += 1000, turn++)
		if (turn % 2)
			file_hash_wide(sum, bytes + at, 1000);
		else
			XXH3_128bits_update(sum, bytes + at, 1000);
	got = XXH3_128bits_digest(sum);
	assert_true(XXH128_isEqual(got, want));
	XXH3_freeState(sum);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_xxh3_however_it_comes),
		cmocka_unit_test(wide_and_narrow_go_on_from_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
