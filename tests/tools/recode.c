/*
 * recode.c - the packets of a capture file as our tools write it in another form of capture file (lib/capform.h),
 * or damaged.
 *
 *   recode IN FORM OUT [cut BYTES | spoil BYTES]   without that many bytes of its end; with zero bits turned to ones
 *                                                  that many before its end
 *   recode forms                                   prints their names
 */
#include "tests/lib/capform.h"

static int stop(const char *what, const char *why)
{
	fprintf(stderr, "recode: %s: %s\n", what, why);
	return 1;
}

static enum capform form_of(const char *name)
{
	unsigned form = 0;

	while (form < CAPFORM_COUNT && strcmp(name, capform_name(form)) != 0)
		form++;
	return form;
}

int main(int argc, char **argv)
{
	CLEANUP(freep) uint8_t *in = NULL;
	CLEANUP(freep) uint8_t *out = NULL;
	CLEANUP(fclosep) FILE *file = NULL;
	size_t len, out_len = 0, back = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;
	enum capform form;

	if (argc == 2 && !strcmp(argv[1], "forms")) {
		for (unsigned i = 0; i < CAPFORM_COUNT; i++)
			puts(capform_name(i));
		return 0;
	}
	if (argc != 4 && argc != 6)
		return stop("usage", "recode IN FORM OUT [cut BYTES | spoil BYTES]");
	form = form_of(argv[2]);
	in = capform_load(argv[1], &len);
	out = in && form < CAPFORM_COUNT ? capform_of(in, len, form, &out_len) : NULL;
	if (!out || back > out_len)
		return stop(argv[1], "cannot become that");
	if (back && !strcmp(argv[4], "spoil"))
		out[out_len - back] |= 0xff;
	else
		out_len -= back;
	file = fopen(argv[3], "wbe");
	if (!file || fwrite(out, 1, out_len, file) != out_len || fflush(file))
		return stop(argv[3], strerror(errno));
	return 0;
}
