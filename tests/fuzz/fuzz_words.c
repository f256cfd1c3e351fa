/*
 * fuzz_words.c - words of a filter over recorded flows, whatever was typed.
 */
#include "monitor/capture/capture_words.h"

#include <ctype.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name would be asked of DNS: words of letters alone are those of the language, or nothing. */
static bool asks_for_names(const char *text)
{
	return strstr(text, "host") || strstr(text, "net") || strstr(text, "gateway") ||
	       strstr(text, "src") || strstr(text, "dst") || strstr(text, "wlan");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flow_head heads[] = {
		{.transport = TRANSPORT_UDP, .ip_version = 4, .vlan = VLAN_NONE, .sent = {true, true}},
		{.transport = TRANSPORT_TCP, .ip_version = 6, .vlan = 7, .sent = {true, true}},
		{.transport = TRANSPORT_ICMP, .ip_version = 4, .vlan = 4095, .sent = {true, true}},
	};
	struct capture_words *words = NULL;
	struct err err = {0};
	char text[512];

	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < size; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	if (asks_for_names(text))
		return 0;
	if (capture_words_new(text, &words, &err) < 0) {
		if (!err.text[0])
			abort(); /* a refusal says why */
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		capture_words_take(words, &heads[i]);
	capture_words_free(words);
	return 0;
}
