/*
 * capture_filter.c - see capture_pcap.h: link types, and tcpdump's words compiled for each of them.
 */
#include "monitor/capture/capture_pcap.h"

#define SNAP_MAX 262144

static const int TYPES[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_IPV4,
                            DLT_IPV6,   DLT_NULL,      DLT_LOOP};

struct filter {
	char *words;
	struct compiled {
		bool fine;
		struct bpf_program program;
		char why[PCAP_ERRBUF_SIZE]; /* it is not */
	} type[ARRAY_LEN(TYPES)];
};

static int link_of(int type, enum link *ret)
{
	switch (type) {
	case DLT_EN10MB:
		*ret = LINK_ETHERNET;
		return 0;
	case DLT_LINUX_SLL:
		*ret = LINK_SLL;
		return 0;
	case DLT_LINUX_SLL2:
		*ret = LINK_SLL2;
		return 0;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		*ret = LINK_RAW;
		return 0;
	case DLT_NULL:
	case DLT_LOOP:
		*ret = LINK_LOOPBACK;
		return 0;
	default:
		return -EINVAL;
	}
}

int input_link(struct input *input, struct err *err)
{
	int type = input->dlt = pcap_datalink(input->pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (link_of(type, &input->link) < 0)
		return err_set(
			err, -EPROTONOSUPPORT,
			"%s: link type %d (%s) is not read; Ethernet, Linux cooked (SLL, SLL2), "
			"raw IP and loopback are",
			input->path, type, name ? name : "unknown");
	return 0;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++)
		if (filter->type[i].fine)
			pcap_freecode(&filter->type[i].program);
	free(filter->words);
	free(filter);
}

static int words_refused(const struct filter *filter, const char *why, struct err *err)
{
	return err_set(err, -EINVAL,
	               "filter '%s': %s (trailing words are a filter as tcpdump has it; files "
	               "go behind -r)",
	               filter->words, why);
}

int filter_new(const char *words, struct filter **ret, struct err *err)
{
	struct filter *filter;
	bool any = false;
	int r;

	if (!*words)
		return 0;
	filter = calloc(1, sizeof(*filter));
	if (!filter || !(filter->words = strdup(words))) {
		filter_free(filter);
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		struct compiled *type = &filter->type[i];
		pcap_t *dead = pcap_open_dead(TYPES[i], SNAP_MAX);

		type->fine = dead && !pcap_compile(dead, &type->program, words, 1,
		                                   PCAP_NETMASK_UNKNOWN);
		if (!type->fine)
			text_copy(type->why, sizeof(type->why),
			          dead ? pcap_geterr(dead) : "out of memory");
		any |= type->fine;
		if (dead)
			pcap_close(dead);
	}
	if (any) {
		*ret = filter;
		return 0;
	}
	r = words_refused(filter, filter->type[0].why, err);
	filter_free(filter);
	return r;
}

/* NULL: input_link() has refused its link type. */
static const struct compiled *filter_of(const struct input *input, const struct filter *filter)
{
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++)
		if (TYPES[i] == input->dlt)
			return &filter->type[i];
	return NULL;
}

const struct bpf_program *filter_program(const struct filter *filter, int type)
{
	for (size_t i = 0; filter && i < ARRAY_LEN(TYPES); i++)
		if (TYPES[i] == type && filter->type[i].fine)
			return &filter->type[i].program;
	return NULL;
}

int filter_live(struct filter *filter, const struct input *input, struct err *err)
{
	struct compiled *type = filter ? (struct compiled *)filter_of(input, filter) : NULL;
	struct bpf_program program;

	if (!type)
		return 0;
	if (pcap_compile(input->pcap, &program, filter->words, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return words_refused(filter, pcap_geterr(input->pcap), err);
	if (type->fine)
		pcap_freecode(&type->program);
	type->program = program;
	type->fine = true;
	return 0;
}

int input_filter(struct input *input, const struct filter *filter, struct err *err)
{
	const struct compiled *type = filter ? filter_of(input, filter) : NULL;

	if (!type)
		return 0;
	if (!type->fine)
		return words_refused(filter, type->why, err);
	if (pcap_setfilter(input->pcap, (struct bpf_program *)&type->program) < 0)
		return words_refused(filter, pcap_geterr(input->pcap), err);
	return 0;
}

bool input_passes(const struct input *input, const struct filter *filter,
                  const struct pcap_pkthdr *header, const uint8_t *bytes)
{
	const struct compiled *type = filter ? filter_of(input, filter) : NULL;

	return !type || pcap_offline_filter(&type->program, header, bytes);
}
