/*
 * floor_pcap.c - the least a program pays that reads a capture file through libpcap: packets and bytes counted.
 */
#include "schema/base.h"

#include <pcap/pcap.h>

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	unsigned long long packets = 0, bytes = 0;
	struct pcap_pkthdr *head;
	const uint8_t *frame;
	pcap_t *pcap;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: floor_pcap FILE\n");
		return 2;
	}
	pcap = pcap_open_offline(argv[1], why);
	if (!pcap) {
		fprintf(stderr, "floor_pcap: %s\n", why);
		return 1;
	}
	while ((r = pcap_next_ex(pcap, &head, &frame)) == 1) {
		packets++;
		bytes += head->len;
	}
	if (r != PCAP_ERROR_BREAK)
		fprintf(stderr, "floor_pcap: %s\n", pcap_geterr(pcap));
	pcap_close(pcap);
	printf("%llu packets, %llu bytes\n", packets, bytes);
	return r == PCAP_ERROR_BREAK ? 0 : 1;
}
