/*
 * channel.c - ChannelData of TURN (RFC 5766 11.4), which shares a 5-tuple with media (RFC 7983 7).
 *   | channel 2: 4000-7fff, since RFC 8656 4000-4fff | length 2 | one packet | padding |
 * It means nothing without a binding.
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"

/* Seen, or seen before the flow settled: of that the peer behind the relay is left. */
static bool is_bound(const struct look *look)
{
	return look->young->channel || (look->facts->app == APP_STUN &&
	                                !addr_is_unspecified(&look->facts->relayed));
}

static enum answer channel_look(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint16_t number = cursor_be16(&c), len = cursor_be16(&c);

	if (c.short_read || !is_bound(look) || number < 0x4000 || number > 0x7fff ||
	    !len || len + 4u > look->wire_len || len + 7u < look->wire_len)
		return ANSWER_NO;
	(void)look_inside(look, c.at, len < c.left ? len : c.left, len, true);
	return ANSWER_YES;
}

const struct dissector dissector_channel = {.name = "channel",
                                            .app = APP_TURN_CHANNEL,
                                            .udp = true,
                                            .media = true,
                                            .look = channel_look};
