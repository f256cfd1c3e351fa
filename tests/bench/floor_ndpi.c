/*
 * floor_ndpi.c - the least a program pays that has a flow table and asks nDPI about the first packets of each flow:
 * libpcap, the two IP headers, a hash table of tuples, nDPI on at most 8 packets with payload (TCP 10) until it
 * says something. No judging, no database, no end of a flow but the file's.
 */
#include "schema/base.h"
#include "schema/proto.h"

#include <ndpi_api.h>
#include <pcap/pcap.h>
#include <xxhash.h>

#define SLOTS (1u << 23) /* more than twice the flows of any input */
#define ETHERNET 14

struct tuple {
	uint8_t lower[16], upper[16]; /* of the two ends */
	uint16_t lower_port, upper_port;
	uint32_t transport;
};

struct flow {
	struct tuple tuple;
	uint32_t looks; /* of nDPI; */
	bool used, done;
	struct ndpi_flow_struct *state;
};

struct seen {
	const uint8_t *ip;
	uint32_t ip_len, payload_len;
	struct tuple tuple;
};

static unsigned long long flow_count, look_count, named_count;

static uint32_t be16(const uint8_t *b)
{
	return (uint32_t)b[0] << 8 | b[1];
}

/* Headers of IPv4, or of IPv6 without extensions, and the ports. */
static bool look_at(const uint8_t *frame, uint32_t len, struct seen *seen)
{
	const uint8_t *ip = frame + ETHERNET, *src, *dst, *rest;
	uint32_t version, head, size, header, ports[2] = {0};
	bool swap;

	if (len < ETHERNET + 40)
		return false;
	version = ip[0] >> 4;
	size = version == 4 ? 4 : 16;
	head = version == 4 ? (ip[0] & 15u) * 4 : 40;
	src = ip + (version == 4 ? 12 : 8);
	dst = src + size;
	seen->ip = ip;
	seen->ip_len = version == 4 ? be16(ip + 2) : be16(ip + 4) + 40;
	if ((version != 4 && version != 6) || seen->ip_len > len - ETHERNET ||
	    head + 4 > seen->ip_len)
		return false;
	memset(&seen->tuple, 0, sizeof(seen->tuple));
	seen->tuple.transport = version == 4 ? ip[9] : ip[6];
	rest = ip + head;
	header = 0;
	if (seen->tuple.transport == TRANSPORT_TCP || seen->tuple.transport == TRANSPORT_UDP) {
		ports[0] = be16(rest);
		ports[1] = be16(rest + 2);
		header = seen->tuple.transport == TRANSPORT_UDP ? 8
		         : head + 13 > seen->ip_len             ? 20
		                                                : (uint32_t)(rest[12] >> 4) * 4;
	}
	seen->payload_len = head + header < seen->ip_len ? seen->ip_len - head - header : 0;
	swap = memcmp(src, dst, size) > 0 || (!memcmp(src, dst, size) && ports[0] > ports[1]);
	memcpy(seen->tuple.lower, swap ? dst : src, size);
	memcpy(seen->tuple.upper, swap ? src : dst, size);
	seen->tuple.lower_port = (uint16_t)ports[swap];
	seen->tuple.upper_port = (uint16_t)ports[!swap];
	return true;
}

static struct flow *flow_of(struct flow *flows, const struct tuple *tuple)
{
	uint32_t at = (uint32_t)XXH3_64bits(tuple, sizeof(*tuple)) % SLOTS;

	while (flows[at].used && memcmp(&flows[at].tuple, tuple, sizeof(*tuple)))
		at = (at + 1) % SLOTS;
	if (!flows[at].used) {
		flows[at].used = true;
		flows[at].tuple = *tuple;
		flow_count++;
	}
	return &flows[at];
}

static void flow_end(struct ndpi_detection_module_struct *module, struct flow *flow, bool named)
{
	uint8_t guessed;

	if (flow->state && !named)
		ndpi_detection_giveup(module, flow->state, 0, &guessed);
	if (flow->state)
		ndpi_free_flow(flow->state);
	flow->state = NULL;
	flow->done = true;
	named_count += named;
}

static void flow_look(struct ndpi_detection_module_struct *module, struct flow *flow,
                      const struct seen *seen, uint64_t time_ms)
{
	ndpi_protocol said;
	bool named;

	if (!flow->state)
		flow->state = ndpi_flow_malloc(SIZEOF_FLOW_STRUCT);
	if (!flow->state)
		exit(1);
	if (!flow->looks)
		memset(flow->state, 0, SIZEOF_FLOW_STRUCT);
	look_count++;
	said = ndpi_detection_process_packet(module, flow->state, seen->ip,
	                                     (uint16_t)seen->ip_len, time_ms);
	named = said.app_protocol != NDPI_PROTOCOL_UNKNOWN ||
	        said.master_protocol != NDPI_PROTOCOL_UNKNOWN;
	if (named || ++flow->looks == (flow->tuple.transport == TRANSPORT_TCP ? 10 : 8))
		flow_end(module, flow, named);
}

static struct ndpi_detection_module_struct *module_new(void)
{
	struct ndpi_detection_module_struct *module = ndpi_init_detection_module(ndpi_no_prefs);
	NDPI_PROTOCOL_BITMASK all;

	if (!module)
		return NULL;
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(module, &all);
	ndpi_finalize_initialization(module);
	return module;
}

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	struct ndpi_detection_module_struct *module = module_new();
	struct flow *flows = pages_new(SLOTS * sizeof(struct flow));
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
	struct pcap_pkthdr *head;
	const uint8_t *frame;
	struct seen seen;

	if (!pcap || !module || !flows) {
		fprintf(stderr, "usage: floor_ndpi FILE\n");
		return 2;
	}
	while (pcap_next_ex(pcap, &head, &frame) == 1 && flow_count < SLOTS / 4 * 3) {
		struct flow *flow;

		if (!look_at(frame, head->caplen, &seen))
			continue;
		flow = flow_of(flows, &seen.tuple);
		if (!flow->done && seen.payload_len)
			flow_look(module, flow, &seen,
			          (uint64_t)head->ts.tv_sec * 1000 +
			                  (uint64_t)head->ts.tv_usec / 1000);
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		if (flows[i].state)
			flow_end(module, &flows[i], false);
	printf("%llu flows, %llu packets for nDPI, %llu flows named\n", flow_count, look_count,
	       named_count);
	pcap_close(pcap);
	pages_free(flows, SLOTS * sizeof(struct flow));
	ndpi_exit_detection_module(module);
	return 0;
}
