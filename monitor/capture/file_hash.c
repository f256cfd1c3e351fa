/*
 * file_hash.c - see file_hash.h.
 */
#include "monitor/capture/file_hash.h"
#include "monitor/capture/file_hash_wide.h"

#include <unistd.h>
#define XXH_INLINE_ALL /* its state is shared with file_hash_wide.c: one header for both */
#include <xxhash.h>

#define STEP ((uint64_t)64 << 20)
#define PIECE ((size_t)64 * 1024) /* stays in the cache between reading and hashing */
#define PIECES 16

struct file_hash {
	XXH3_state_t state;
	bool wide;
	uint64_t len;
	uint8_t piece[PIECE];
};

struct file_hash *file_hash_new(void)
{
	struct file_hash *hash = aligned_alloc(_Alignof(struct file_hash), sizeof(*hash));

	if (!hash)
		return NULL;
	hash->len = 0;
	hash->wide = file_hash_is_wide();
	XXH3_INITSTATE(&hash->state);
	XXH3_128bits_reset(&hash->state);
	return hash;
}

void file_hash_free(struct file_hash *hash)
{
	free(hash);
}

void file_hash_add(struct file_hash *hash, uint64_t offset, const uint8_t *bytes, size_t len)
{
	if (offset != hash->len)
		return;
	if (hash->wide)
		file_hash_wide(&hash->state, bytes, len);
	else
		XXH3_128bits_update(&hash->state, bytes, len);
	hash->len += len;
}

int file_hash_step(struct file_hash *hash, int fd)
{
	for (uint64_t end = hash->len + STEP; hash->len < end;) {
		ssize_t n = pread(fd, hash->piece, PIECE, (off_t)hash->len);

		if (n <= 0)
			return n < 0 ? -errno : 0;
		file_hash_add(hash, hash->len, hash->piece, (size_t)n);
	}
	return 1;
}

uint64_t file_hash_text(const struct file_hash *hash, char text[FILE_HASH_TEXT])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&hash->state));
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		snprintf(text + 2 * i, 3, "%02x", canonical.digest[i]);
	return hash->len;
}

int file_mark(int fd, uint64_t size, char text[FILE_HASH_TEXT])
{
	struct file_hash *mark = file_hash_new();
	ssize_t n = 0;

	if (!mark)
		return -ENOMEM;
	for (unsigned i = 0; i < PIECES; i++) {
		uint64_t at = size > PIECE * PIECES ? (size - PIECE) * i / (PIECES - 1) : PIECE * i;

		n = pread(fd, mark->piece, PIECE, (off_t)at);
		if (n < 0)
			break;
		file_hash_add(mark, mark->len, mark->piece, (size_t)n);
	}
	file_hash_add(mark, mark->len, (const uint8_t *)&size, sizeof(size));
	if (n >= 0)
		file_hash_text(mark, text);
	file_hash_free(mark);
	return n < 0 ? -errno : 0;
}
