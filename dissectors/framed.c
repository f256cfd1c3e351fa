/*
 * framed.c - RFC 4571 2: | length 2 | one RTP, RTCP or STUN packet |. Media over TCP, and ICE checks
 * over TCP ([MS-ICE2] 2.1).
 */
#include "dissectors/frames.h"

#define BODY_MIN 12
#define BODY_MAX 1500

static bool begins(const uint8_t *data, uint32_t len)
{
	return data[0] <= BODY_MAX >> 8;
}

static uint32_t body_len(const uint8_t *header)
{
	uint32_t len = (uint32_t)header[0] << 8 | header[1];

	return len >= BODY_MIN && len <= BODY_MAX ? len : 0;
}

static bool fits(const struct look *look, const uint8_t *header, const uint8_t *data,
                 uint32_t len, uint32_t wire_len)
{
	return frame_body_fits(data, len, wire_len);
}

static enum answer body(struct look *look, const uint8_t *header, const uint8_t *data,
                        uint32_t len, uint32_t wire_len)
{
	(void)header;
	if (len < wire_len && len < 20)
		return ANSWER_MAYBE;
	return look_inside(look, data, len, wire_len, false);
}

static const struct framing FRAMING = {.which = FRAMING_RFC4571,
                                       .header = 2,
                                       .begins = begins,
                                       .body_len = body_len,
                                       .fits = fits,
                                       .body = body};

static enum answer framed_look(struct look *look)
{
	return frames_walk(look, &FRAMING);
}

const struct dissector dissector_framed = {.name = "framed",
                                           .app = APP_RTP,
                                           .tcp = true,
                                           .media = true,
                                           .begins =
                                                   BIT(APP_STUN) | BIT(APP_RTP) | BIT(APP_RTCP),
                                           .look = framed_look};
