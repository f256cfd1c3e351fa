/*
 * driver.c - feeds a fuzz target its corpus where no fuzzer is installed: each file of the folders
 * given, in name order, then a few inputs that no corpus should be without. A fuzz target defines
 * LLVMFuzzerTestOneInput alone (llvm.org/docs/LibFuzzer.html).
 */
#include "schema/base.h"

#include <dirent.h>

#define INPUT_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Heap memory of exactly that size, so that a sanitizer sees the first byte past it. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	if (size)
		memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static int feed_file(const char *path, uint8_t *buf)
{
	FILE *file = fopen(path, "rbe");
	size_t size;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	size = fread(buf, 1, INPUT_MAX, file);
	fclose(file);
	feed(buf, size);
	for (size_t cut = size < 64 ? size : 64; cut-- > 0;)
		feed(buf, cut); /* every early end of it */
	return 0;
}

static int feed_folder(const char *path, uint8_t *buf)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort), fed = 0;

	if (count < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	for (int i = 0; i < count; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && fed >= 0)
			fed = feed_file(file, buf) < 0 ? -1 : fed + 1;
		free(entries[i]);
	}
	free(entries);
	return fed;
}

int main(int argc, char **argv)
{
	uint8_t *buf = calloc(1, INPUT_MAX);
	const char *self = strrchr(argv[0], '/');

	if (!buf)
		return 1;
	feed(buf, 0);
	feed(buf, 1500);
	memset(buf, 0xff, INPUT_MAX);
	feed(buf, 1500);
	for (int i = 1; i < argc; i++) {
		int fed = feed_folder(argv[i], buf);

		if (fed <= 0) {
			printf("not ok - %s has no corpus in %s\n", self ? self + 1 : argv[0],
			       argv[i]);
			free(buf);
			return 1;
		}
		printf("ok - %s survives the %d files of its corpus\n",
		       self ? self + 1 : argv[0], fed);
	}
	free(buf);
	return 0;
}
