/*
 * frames.h - walks length-prefixed frames of a TCP stream from segment to segment.
 */
#ifndef DISSECTORS_FRAMES_H
#define DISSECTORS_FRAMES_H

#include "dissectors/list.h"

/* One framing. `body_len` returns the length of the body behind a whole header, 0 if it is none. */
struct framing {
	unsigned which; /* FRAMING_* */
	uint32_t header;
	bool (*begins)(const uint8_t *data,
	               uint32_t len); /* whether so few bytes can begin one */
	uint32_t (*body_len)(const uint8_t *header);
	/* Whether a body may begin with the `len` bytes that are here. */
	bool (*fits)(const struct look *look, const uint8_t *header, const uint8_t *body,
	             uint32_t len, uint32_t wire_len);
	enum answer (*body)(struct look *look, const uint8_t *header, const uint8_t *body,
	                    uint32_t len, uint32_t wire_len);
};

/*
 * Shows every frame that begins in the piece at hand to framing->body. Where frames begin is known
 * from the ones before; else the piece must begin with one. no: it does not; yes: some body said
 * yes; maybe: else. Sets look->keep where a frame goes on behind the piece. A body that says no, or a hole in
 * which frames end, and the place is lost.
 */
enum answer frames_walk(struct look *look, const struct framing *framing);
/*
 * Where the next frame begins in the piece at hand: known from the ones before, else at its start. At or
 * past its end: the piece lies inside a frame.
 */
uint32_t frames_pos(struct look *look, unsigned framing);
/* ... and that the next one begins at `pos`, which may lie behind the piece. */
void frames_next(struct look *look, unsigned framing, uint32_t pos);
/* Whether a body can be one RTP, RTCP or STUN packet, by its first bytes (RFC 7983 7). */
bool frame_body_fits(const uint8_t *data, uint32_t len, uint32_t wire_len);

#endif
