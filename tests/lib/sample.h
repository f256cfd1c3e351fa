/*
 * sample.h - what each dissector of the list knows, message by message: with the lengths that lie in it,
 * and how much of it must be there before anybody may be certain (domain.md 1).
 */
#ifndef TESTS_LIB_SAMPLE_H
#define TESTS_LIB_SAMPLE_H

#include "schema/proto.h"
#include "tests/lib/message.h"

#define SAMPLE_BEFORE 4
#define SAMPLE_FIELDS 20

/* A big-endian length or count. `fits`: with any other value the message is none, and nobody is certain. */
struct sample_field {
	uint16_t at;
	uint8_t size;
	bool fits;
};

struct sample {
	const char *dissector, *what;
	enum app app;
	uint8_t transport;
	bool midstream;   /* TCP: without its SYN */
	uint16_t port[2]; /* of end 0, who sent the first packet and the SYN; of end 1 */

	/* What went before it on the same flow, each a datagram or segment of its own. */
	struct {
		unsigned side;
		struct message m;
	} before[SAMPLE_BEFORE];
	unsigned before_count;

	unsigned side; /* the end that says it */
	struct message m;
	struct sample_field field[SAMPLE_FIELDS];
	unsigned field_count;

	/*
	 * So many bytes are enough to be certain, and fewer are not: `alone` where no more of it went over
	 * the wire (in this segment), `cut` where the snap length took the rest. Their reason stands with
	 * the sample. `also`: so many bytes of it happen to be a whole message as well; 0: none.
	 */
	uint32_t alone, cut, also[3];
	uint32_t teaches; /* names and leases are learnt of so many bytes, and of no fewer */
};

struct samples {
	struct sample *list;
	unsigned count;
};

/* Of every dissector of DISSECTORS. */
struct samples samples_new(void);
void samples_free(struct samples *samples);

/* For the files that make them: a new one, which is whole only with all of its bytes. */
struct sample *sample_add(struct samples *to, const char *dissector, const char *what,
                          enum app app, const struct message *m);
void sample_udp(struct sample *sample, uint16_t from,
                uint16_t to); /* of the end that says it */
void sample_tcp(struct sample *sample, uint16_t from, uint16_t to);
void sample_reply(struct sample *sample); /* end 1 says it; the ports change places */
void sample_before(struct sample *sample, unsigned side, const struct message *m);
void sample_field(struct sample *sample, size_t at, unsigned size, bool fits);

void samples_of_names(struct samples *to);      /* dns, llmnr, dhcp */
void samples_of_signalling(struct samples *to); /* tls, http, sip, kerberos */
void samples_of_media(struct samples *to);      /* stun, dtls, rtp, rtcp, framed, channel */
void samples_of_msturn(struct samples *to);     /* msturn, msturn_tcp */

#endif
