/*
 * frames.c - see frames.h. A walk remembers where each side's next frame begins; a body is shown
 * once it is whole, or cut for good.
 */
#include "dissectors/frames.h"

#include "dissectors/media.h"

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

uint32_t frames_pos(struct look *look, unsigned framing)
{
	struct frame_walk *walk = &look->young->walk[framing];
	uint32_t pos = walk->next_seq[look->side] - look->seq;

	walk->known[look->side] = walk->known[look->side] && (int32_t)pos >= 0;
	return walk->known[look->side] ? pos : 0;
}

void frames_next(struct look *look, unsigned framing, uint32_t pos)
{
	struct frame_walk *walk = &look->young->walk[framing];

	walk->next_seq[look->side] = look->seq + pos;
	walk->known[look->side] = true;
}

bool frame_body_fits(const uint8_t *data, uint32_t len, uint32_t wire_len)
{
	if (!len)
		return true;
	if (data[0] > 3)
		return media_begins(data[0]);
	return len < 4 || (data[2] << 8 | data[3]) + 20u == wire_len;
}

static enum answer lost(struct frame_walk *walk, unsigned side, enum answer answer)
{
	walk->known[side] = false;
	walk->frames = 0;
	return answer;
}

enum answer frames_walk(struct look *look, const struct framing *framing)
{
	struct frame_walk *walk = &look->young->walk[framing->which];
	unsigned side = look->side;
	bool cut = look->len < look->wire_len;
	enum answer answer = ANSWER_NO;
	uint32_t pos = frames_pos(look, framing->which);

	if (pos >= look->len)
		return ANSWER_MAYBE; /* inside a frame, or in what was cut */
	if (!walk->known[side] &&
	    (!framing->begins(look->data, look->len) ||
	     (look->len >= framing->header && !chain_fits(look, framing))))
		return lost(walk, side, ANSWER_NO);
	while (look->len - pos >= framing->header) {
		const uint8_t *header = look->data + pos, *data = header + framing->header;
		uint32_t len = framing->body_len(header);
		uint32_t here = look->len - pos - framing->header;
		enum answer body;

		if (here > len)
			here = len;
		if (!len || !framing->fits(look, header, data, here, len))
			return lost(walk, side, answer);
		if (here < len && !cut)
			break;
		body = framing->body(look, header, data, here, len);
		if (body == ANSWER_NO)
			return lost(walk, side, answer);
		if (body > answer)
			answer = body;
		if (walk->frames < UINT16_MAX)
			walk->frames++;
		pos += framing->header + len;
		frames_next(look, framing->which, pos);
		if (pos >= look->len)
			return answer;
	}
	frames_next(look, framing->which, pos);
	look->keep = !cut;
	look->keep_from = pos;
	return answer == ANSWER_NO ? ANSWER_MAYBE : answer;
}
