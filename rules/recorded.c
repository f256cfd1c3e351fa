/*
 * recorded.c - see recorded.h.
 */
#include "rules/recorded.h"

#define FILE_WORD "# FILE "
#define UNIT_WORD "# --unit "
#define PROFILE_WORD " --profile "

/* Byte by byte: a sanitizer's strncmp() measures all of the text behind it, at every line. */
static bool begins(const char *text, const char *word)
{
	while (*word && *text == *word) {
		text++;
		word++;
	}
	return !*word;
}

/* A line that recorded_read() would take for one of ours, or for one that was told apart from them. */
static bool is_like_ours(const char *line)
{
	while (*line == '\\')
		line++;
	return begins(line, FILE_WORD) || begins(line, UNIT_WORD);
}

static size_t line_len(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? (size_t)(newline - line) + 1 : (size_t)(end - line);
}

void recorded_put(FILE *out, const struct text_file *file)
{
	const char *end = file->text + file->len;
	size_t len;

	fprintf(out, FILE_WORD "%s\n", file_name(file->name));
	for (const char *line = file->text; line < end; line += len) {
		len = line_len(line, end);
		if (is_like_ours(line))
			fputc('\\', out);
		fwrite(line, 1, len, out);
	}
	if (file->len && file->text[file->len - 1] != '\n')
		fputc('\n', out);
}

void recorded_put_unit(FILE *out, const char *who, const char *profiles)
{
	fprintf(out, UNIT_WORD "%s" PROFILE_WORD "%s\n", who, profiles);
}

/* The bytes of one file, without the backslashes. */
static int take_file(const char *name, const char *text, const char *end, struct folder *files,
                     struct err *err)
{
	CLEANUP(freep) char *plain = malloc((size_t)(end - text) + 1);
	size_t len, kept = 0;
	int r;

	if (!plain)
		return err_set(err, -ENOMEM, "out of memory");
	if (files->count == FOLDER_MAX)
		return err_set(err, -E2BIG, "recorded policy: more than %d files", FOLDER_MAX);
	for (; text < end; text += len) {
		bool marked = *text == '\\' && is_like_ours(text);

		len = line_len(text, end);
		memcpy(plain + kept, text + marked, len - marked);
		kept += len - marked;
	}
	r = text_file_of(name, plain, kept, &files->files[files->count], err);
	if (r >= 0)
		files->count++;
	return r;
}

static int read_files(const char **text, struct folder *files, struct err *err)
{
	while (begins(*text, FILE_WORD)) {
		const char *all = *text + strlen(*text), *end;
		size_t len = line_len(*text, all);
		char name[256];
		int r;

		snprintf(name, sizeof(name), "%.*s",
		         (int)(len - strlen(FILE_WORD) - ((*text)[len - 1] == '\n')),
		         *text + strlen(FILE_WORD));
		*text = end = *text + len;
		while (*end && !begins(end, FILE_WORD) && !begins(end, UNIT_WORD))
			end += line_len(end, all);
		r = take_file(name, *text, end, files, err);
		if (r < 0)
			return r;
		*text = end;
	}
	return 0;
}

int recorded_read(const char *text, struct folder *ret_files, const char **ret_units,
                  struct err *err)
{
	struct folder files = {.count = 0};
	int r = read_files(&text, &files, err);

	if (r >= 0 && *text && !begins(text, UNIT_WORD))
		r = err_set(err, -EINVAL, "recorded policy: it does not begin with the name of a file");
	if (r < 0) {
		folder_release(&files);
		return r;
	}
	*ret_files = files;
	*ret_units = text;
	return 0;
}

int recorded_with(const char *text, const char *name, const char *bytes, size_t len,
                  char **ret_text, struct err *err)
{
	CLEANUP(text_file_release) struct text_file first = {0};
	CLEANUP(folder_release) struct folder files = {.count = 0};
	CLEANUP(freep) char *made = NULL;
	const char *units = "";
	size_t made_len = 0;
	FILE *out;
	int r = recorded_read(text, &files, &units, err);

	if (r >= 0)
		r = text_file_of(name, bytes, len, &first, err);
	if (r < 0)
		return r;
	out = open_memstream(&made, &made_len);
	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	recorded_put(out, &first);
	for (size_t i = 1; i < files.count; i++)
		recorded_put(out, &files.files[i]);
	fputs(units, out);
	if (fclose(out))
		return err_set(err, -ENOMEM, "out of memory");
	*ret_text = TAKE(made);
	return 0;
}

int recorded_next_unit(const char **units, char *who, size_t who_size, char *profiles,
                       size_t profiles_size, struct err *err)
{
	const char *line = *units, *end = line + strlen(line), *word;
	size_t len = line_len(line, end);

	if (!*line)
		return 0;
	*units += len;
	len -= line[len - 1] == '\n';
	word = begins(line, UNIT_WORD) ? strstr(line, PROFILE_WORD) : NULL;
	if (!word || word > line + len)
		return err_set(err, -EINVAL, "recorded policy: a line that is none of --unit: %.*s",
		               len > 60 ? 60 : (int)len, line);
	line += strlen(UNIT_WORD);
	end = word + strlen(PROFILE_WORD);
	snprintf(who, who_size, "%.*s", (int)(word - line), line);
	snprintf(profiles, profiles_size, "%.*s", (int)(*units - end - (*(*units - 1) == '\n')), end);
	return 1;
}
