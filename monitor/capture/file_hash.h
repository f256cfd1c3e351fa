/*
 * file_hash.h - what tells one capture file from another: the hash of its whole content, which is made while it is
 * read, and its mark, which is made of pieces of it before.
 */
#ifndef MONITOR_CAPTURE_FILE_HASH_H
#define MONITOR_CAPTURE_FILE_HASH_H

#include "schema/base.h"

#define FILE_HASH_TEXT 33

struct file_hash;

struct file_hash *file_hash_new(void);
void file_hash_free(struct file_hash *hash);

/* Bytes that were read at `offset`: what is not next is left for file_hash_step(). */
void file_hash_add(struct file_hash *hash, uint64_t offset, const uint8_t *bytes, size_t len);
/*
 * Reads on in `fd` for a while, from where nothing was added yet: 1, and there is more; 0 at its end; negative
 * errno. Moves no place in the file.
 */
int file_hash_step(struct file_hash *hash, int fd) MUST_CHECK;
/* Of what was added so far; returns how much that is. */
uint64_t file_hash_text(const struct file_hash *hash, char text[FILE_HASH_TEXT]);

/* Of a file of `size` bytes: its size, its first and last bytes, and some between; of a small one all. */
int file_mark(int fd, uint64_t size, char text[FILE_HASH_TEXT]) MUST_CHECK;

#endif
