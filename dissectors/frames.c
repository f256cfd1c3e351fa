/*
 * frames.c - see frames.h. A walk remembers where each side's next frame begins.
 */
#include "dissectors/frames.h"

/* Whether the lengths lead from the start to the segment's end, or at least over one whole frame. */
static bool chain_fits(const struct look *look, const struct framing *framing)
{
	uint32_t pos = 0, frames = 0;

	while (look->len - pos >= framing->header) {
		uint32_t len = framing->body_len(look->data + pos);

		if (!len)
			return false;
		if (len > look->len - pos - framing->header)
			return frames || look->from_start;
		pos += framing->header + len;
		frames++;
	}
	return frames;
}

enum answer frames_walk(struct look *look, const struct framing *framing)
{
	struct frame_walk *walk = &look->young->walk[framing->which];
	unsigned side = look->side;
	uint32_t begin = look->seq;
	enum answer answer = ANSWER_NO;
	uint32_t pos = 0;

	if (walk->known[side]) {
		int32_t ahead = (int32_t)(walk->next_seq[side] - begin);

		if (ahead < 0 || (uint32_t)ahead >= look->wire_len)
			return ANSWER_MAYBE; /* sent again, or all of it inside a frame */
		walk->known[side] = (uint32_t)ahead < look->len;
		if (!walk->known[side])
			return ANSWER_MAYBE; /* the snap length took the next header */
		pos = (uint32_t)ahead;
	} else if (!framing->begins(look->data, look->len) ||
	           (look->len >= framing->header && !chain_fits(look, framing))) {
		return ANSWER_NO;
	}
	walk->known[side] = false;
	while (look->len - pos >= framing->header) {
		const uint8_t *header = look->data + pos;
		uint32_t len = framing->body_len(header);
		uint32_t here = look->len - pos - framing->header;
		enum answer body;

		if (!len)
			return answer;
		if (here > len)
			here = len;
		body = framing->body(look, header, header + framing->header, here, len);
		if (body == ANSWER_NO && answer != ANSWER_YES)
			return ANSWER_NO;
		if (body > answer)
			answer = body;
		if (body != ANSWER_NO && here == len && walk->frames < UINT16_MAX)
			walk->frames++;
		pos += framing->header + len;
		if (pos >= look->wire_len || pos > look->len)
			break;
	}
	walk->next_seq[side] = begin + pos;
	walk->known[side] = pos <= look->len || pos >= look->wire_len;
	if (pos >= look->len)
		return answer;
	look->keep = true;
	look->keep_from = pos;
	return answer == ANSWER_NO ? ANSWER_MAYBE : answer;
}
