#include "monitor/suggest/parts.h"
int site_merge(const struct suggestion *suggestion, const char *text, size_t len, FILE *file,
               struct err *err)
{
	return err_set(err, -ENOSYS, "not yet");
}
