/*
 * text_file.c - see text_file.h. Columns count characters, not bytes, and so does the caret.
 */
#include "rules/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SHOWN 88 /* characters of a line that a message shows */
#define WORD_MAX 64   /* longer ones resemble nothing */

int text_file_of(const char *name, const char *text, size_t len, struct text_file *ret_file,
                 struct err *err)
{
	struct text_file file = {.len = len};

	if (len > TEXT_FILE_MAX)
		return err_set(err, -EFBIG, "%s: larger than %u bytes, the most we read", name,
		               TEXT_FILE_MAX);
	file.name = strdup(name);
	file.text = calloc(1, len + 1);
	if (!file.name || !file.text) {
		text_file_release(&file);
		return err_set(err, -ENOMEM, "%s: out of memory", name);
	}
	if (len)
		memcpy(file.text, text, len);
	*ret_file = file;
	return 0;
}

int text_file_open(const char *path, struct text_file *ret_file, struct err *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP(freep) char *text = NULL;
	size_t len = 0, room = 0;
	struct stat st;
	ssize_t got;

	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		return err_set(err, -EISDIR, "%s: a folder, not a file", path);
	fcntl(fd, F_SETFL,
	      0); /* a pipe nobody writes to must not hold us at open, one in use may at read */
	do {
		if (array_reserve(&text, &room, len + 65536, 1) < 0)
			return err_set(err, -ENOMEM, "%s: out of memory", path);
		got = read(fd, text + len, room - len);
		if (got < 0)
			return err_set(err, -errno, "%s: %s", path, strerror(errno));
		len += (size_t)got;
	} while (got > 0 && len <= TEXT_FILE_MAX);
	return text_file_of(path, text, len, ret_file, err);
}

void text_file_release(struct text_file *file)
{
	free(file->name);
	free(file->text);
	*file = (struct text_file){0};
}

/* The line, from 1, in which the byte at `offset` stands. */
static unsigned line_of(const struct text_file *file, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < file->len; i++)
		line += file->text[i] == '\n';
	return line;
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80; /* RFC 3629: what is no continuation byte */
}

size_t character_len(const char *p)
{
	unsigned char first = (unsigned char)p[0], second = first ? (unsigned char)p[1] : 0;
	size_t len = first < 0x80   ? 1
	             : first < 0xc2 ? 0
	             : first < 0xe0 ? 2
	             : first < 0xf0 ? 3
	             : first < 0xf5 ? 4
	                            : 0;

	if (first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0))
		return 0; /* control characters */
	if ((first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90) ||
	    (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f))
		return 0; /* overlong, surrogates, past U+10FFFF */
	for (size_t i = 1; i < len; i++)
		if (begins_character(p[i]))
			return 0;
	return len;
}

int text_file_vfail(const struct text_file *file, size_t offset, size_t width, struct err *err,
                    int code, const char *fmt, va_list args)
{
	const char *text = file->text;
	size_t start, end, column = 0, shown = 0, skip;
	char message[1536], line[4 * LINE_SHOWN + 1], caret[2 * LINE_SHOWN + 1];
	size_t l = 0, c = 0;

	vsnprintf(message, sizeof(message), fmt, args);
	if (offset > file->len)
		offset = file->len;
	for (start = offset; start && text[start - 1] != '\n'; start--)
		;
	for (end = offset; end < file->len && text[end] != '\n'; end++)
		;
	for (size_t i = start; i < offset; i++)
		column += begins_character(text[i]);
	skip = column + (width < 24 ? width : 24) > LINE_SHOWN
	               ? column - LINE_SHOWN / 2
	               : 0; /* of a long line its part about the caret */
	for (size_t i = start, at = 0; i < end && shown < LINE_SHOWN; i++) {
		size_t width_here = character_len(text + i);

		at += begins_character(text[i]);
		if (at <= skip || text[i] == '\r')
			continue;
		shown += begins_character(text[i]);
		if (l + 4 >= sizeof(line))
			break;
		if (width_here > 1) {
			memcpy(line + l, text + i, width_here);
			l += width_here;
			i += width_here - 1;
		} else {
			line[l++] = text[i] == '\t' ? ' ' : width_here ? text[i] : '?';
		}
	}
	line[l] = '\0';
	for (size_t i = skip; i < column; i++)
		caret[c++] = ' ';
	caret[c++] = '^';
	for (size_t i = offset + 1; i < offset + width && i < end && c < LINE_SHOWN; i++)
		if (begins_character(text[i]))
			caret[c++] = '~';
	caret[c] = '\0';
	return err_set(err, code, "%s:%u:%zu: %s\n    %s\n    %s", file->name,
	               line_of(file, offset), column + 1, message, line, caret);
}

int text_file_fail(const struct text_file *file, size_t offset, size_t width, struct err *err,
                   int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_file_vfail(file, offset, width, err, code, fmt, args);
	va_end(args);
	return code;
}

int text_file_check(const struct text_file *file, struct err *err)
{
	size_t len;

	for (size_t i = 0; i < file->len; i += len) {
		unsigned char byte = (unsigned char)file->text[i];
		bool control = byte < 0x20 || byte == 0x7f ||
		               (byte == 0xc2 && (file->text[i + 1] & 0xe0) == 0x80);

		len = 1;
		if ((byte < 0x20 || byte > 0x7e) && byte != '\t' && byte != '\r' && byte != '\n')
			len = character_len(file->text + i);
		if (!len)
			return text_file_fail(
				file, i, 1, err, -EINVAL,
				control ? "a control character (byte 0x%02x); accepted: text in UTF-8"
					: "byte 0x%02x is not UTF-8; accepted: text in UTF-8",
				byte);
	}
	return 0;
}

/* Edits that turn a into b: insert, delete, replace, swap two neighbours (optimal string alignment). */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
			 *two = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

const char *words_near(const struct words *words, const char *text)
{
	size_t len = strlen(text);
	unsigned least = len < 6 ? len > 1 : (unsigned)len / 3; /* a third of it may be wrong */
	const char *near = NULL;

	for (size_t i = 0; len <= WORD_MAX && i < words->count; i++) {
		unsigned d = distance(text, words->word[i]);

		if (least && d <= least && (!near || d < least)) {
			least = d;
			near = words->word[i];
		}
	}
	return near;
}

const char *words_offer(const struct words *words, const char *text, char *buf, size_t size)
{
	const char *near = words_near(words, text);

	buf[0] = '\0';
	text_add(buf, size, "accepted: ");
	for (size_t i = 0; i < words->count; i++)
		text_add(buf, size, "%s%s", i ? ", " : "", words->word[i]);
	if (near)
		text_add(buf, size, "; did you mean '%s'?", near);
	return buf;
}

bool text_is_plain(const char *text)
{
	size_t len;

	while ((len = character_len(text)))
		text += len;
	return !*text;
}

const char *text_shown(const char *text, char buf[SHOWN_MAX])
{
	size_t len = 0;

	while (*text) {
		size_t width = character_len(text), step = width ? width : 1;

		if (len + step > SHOWN_MAX - 4) {
			strcpy(buf + len, "...");
			return buf;
		}
		memcpy(buf + len, width ? text : "?", step);
		len += step;
		text += step;
	}
	buf[len] = '\0';
	return buf;
}
