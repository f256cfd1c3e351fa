/*
 * capform.h - the forms in which the same packets may lie in a capture file. draft-ietf-opsawg-pcap,
 * draft-ietf-opsawg-pcapng.
 */
#ifndef TESTS_LIB_CAPFORM_H
#define TESTS_LIB_CAPFORM_H

#include "schema/base.h"

/* Byte orders, and the unit of the times. */
#define CAPFORMS(X)     \
	X(pcap_little)  \
	X(pcap_big)     \
	X(pcap_nano)    \
	X(pcap_nano_big) \
	X(ng_little)    \
	X(ng_big)       \
	X(ng_nano)      /* and between packets stands what readers skip */

enum capform {
#define ENTRY(name) CAPFORM_##name,
	CAPFORMS(ENTRY)
#undef ENTRY
		CAPFORM_COUNT
};

const char *capform_name(enum capform form);
/*
 * The file `data`, of the first form as wire_write() makes it, in another one. The caller's, to be freed; NULL if it
 * is no such file, or memory is out.
 */
uint8_t *capform_of(const uint8_t *data, size_t len, enum capform form, size_t *ret_len);
/* The bytes of a file, the caller's; NULL with a word on standard error. */
uint8_t *capform_load(const char *path, size_t *ret_len);

#endif
