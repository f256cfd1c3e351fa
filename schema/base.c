/*
 * base.c - see base.h. Digests come from libmd.
 */
#include "schema/base.h"

#include <sha2.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	text_tame(err->text);
	return code;
}

void freep(void *pointer_to_pointer)
{
	void **p = pointer_to_pointer;

	free(*p);
	*p = NULL;
}

void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int array_reserve(void *items, size_t *room, size_t want, size_t size)
{
	void **p = items;
	size_t wider = *room ? *room : 8;
	void *grown;

	if (want <= *room)
		return 0;
	while (wider < want)
		wider *= 2;
	grown = reallocarray(*p, wider, size);
	if (!grown)
		return -ENOMEM;
	memset((char *)grown + *room * size, 0, (wider - *room) * size);
	*p = grown;
	*room = wider;
	return 0;
}

void *pages_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void pages_wide(void *pages, size_t bytes)
{
	if (pages)
		(void)madvise(pages, bytes, MADV_HUGEPAGE);
}

void pages_free(void *pages, size_t bytes)
{
	if (pages)
		munmap(pages, bytes);
}

bool text_copy(char *buf, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	if (!size)
		return false;
	if (len < size) {
		memcpy(buf, text, len + 1);
		return true;
	}
	memcpy(buf, text, size - 1);
	buf[size - 1] = '\0';
	return false;
}

void text_add(char *buf, size_t size, const char *fmt, ...)
{
	size_t used = strnlen(buf, size);
	va_list args;

	if (used >= size)
		return;
	va_start(args, fmt);
	vsnprintf(buf + used, size - used, fmt, args);
	va_end(args);
}

char *digits_put(char *at, uint32_t number)
{
	char digits[DIGITS_MAX];
	unsigned left = DIGITS_MAX;

	do {
		digits[--left] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(at, digits + left, DIGITS_MAX - left);
	return at + DIGITS_MAX - left;
}

void text_append(char *buf, size_t size, const char *text)
{
	size_t used = strnlen(buf, size);

	text_copy(buf + used, size - used, text);
}

void text_number(char *buf, size_t size, uint32_t number)
{
	char digits[DIGITS_MAX + 1];

	*digits_put(digits, number) = '\0';
	text_append(buf, size, digits);
}

void text_tame(char *text)
{
	for (uint8_t *s = (uint8_t *)text; *s; s++)
		if ((*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f)
			*s = '?';
		else if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) /* C1 in UTF-8 */
			*s = s[1] = '?';
}

void digest_hex(const void *data, size_t len, char hex[65])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, data, len);
	SHA256End(&ctx, hex);
}
