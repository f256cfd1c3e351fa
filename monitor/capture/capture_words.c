/*
 * capture_words.c - see capture_words.h. Whether words ask for more than a flow remembers is found by walking
 * the compiled program once for each form a made-up packet can have: what is the same in all packets of a form
 * (type, version, protocol) is followed as a number, all else both ways; a load of a byte that nobody knows is
 * then one that some packet would come to. Programs jump forward alone, so one pass in order does it.
 *
 * A VLAN tag is there for words that speak of `vlan`, and else taken off, as the kernel does for tcpdump.
 */
#include "monitor/capture/capture_words.h"

#include <ctype.h>
#include <pcap/pcap.h>

#define MADE_MAX 96 /* tagged Ethernet, IPv6, ports, and zeros */
#define SNAP_MAX 262144
#define TRANSPORT_SCTP 132 /* libpcap's `port` means it too */

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100 };

struct capture_words {
	struct bpf_program program;
	bool tagged; /* the words speak of VLANs */
};

/* What is known of a byte: nothing, that flows have it, or its value in every packet of this form. */
enum known { UNKNOWN, RECORDED, FIXED };

struct made {
	uint8_t bytes[MADE_MAX], known[MADE_MAX];
	size_t ip, ports; /* where they begin */
	uint8_t transport, ip_version;
};

static void put(struct made *made, size_t at, const void *bytes, size_t len, enum known known)
{
	memcpy(made->bytes + at, bytes, len);
	memset(made->known + at, known, len);
}

static void put_be16(struct made *made, size_t at, uint16_t value, enum known known)
{
	put(made, at, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2, known);
}

static void put_ip(struct made *made, const struct flow_head *head, const struct endpoint *src,
                   const struct endpoint *dst)
{
	size_t ip = made->ip;

	if (head->ip_version == 6) {
		made->bytes[ip] = 0x60;
		put(made, ip + 6, &head->transport, 1, FIXED);
		put(made, ip + 8, src->addr.b, 16, RECORDED);
		put(made, ip + 24, dst->addr.b, 16, RECORDED);
		made->ports = ip + 40;
	} else {
		made->bytes[ip] = 0x45;
		put_be16(made, ip + 6, 0, FIXED); /* the first fragment, or the only one */
		put(made, ip + 9, &head->transport, 1, FIXED);
		put(made, ip + 12, src->addr.b + 12, 4, RECORDED);
		put(made, ip + 16, dst->addr.b + 12, 4, RECORDED);
		made->ports = ip + 20;
	}
}

static void make(const struct flow_head *head, bool to_unit, bool tagged, struct made *made)
{
	const struct endpoint *src = to_unit ? &head->remote : &head->local;
	const struct endpoint *dst = to_unit ? &head->local : &head->remote;

	memset(made, 0, sizeof(*made));
	made->transport = head->transport;
	made->ip_version = head->ip_version;
	put(made, 0, dst->mac.b, 6, RECORDED);
	put(made, 6, src->mac.b, 6, RECORDED);
	made->ip = 14;
	if (tagged && head->vlan != VLAN_NONE) {
		put_be16(made, 12, TYPE_VLAN, FIXED);
		put_be16(made, 14, head->vlan, RECORDED);
		made->ip = 18;
	}
	put_be16(made, made->ip - 2, head->ip_version == 6 ? TYPE_IPV6 : TYPE_IPV4, FIXED);
	put_ip(made, head, src, dst);
	if (head->transport == TRANSPORT_TCP || head->transport == TRANSPORT_UDP ||
	    head->transport == TRANSPORT_SCTP) {
		put_be16(made, made->ports, src->port, RECORDED);
		put_be16(made, made->ports + 2, dst->port, RECORDED);
	}
}

bool capture_words_take(const void *context, const struct flow_head *head)
{
	const struct capture_words *words = context;
	const struct pcap_pkthdr header = {.caplen = MADE_MAX, .len = MADE_MAX};
	struct made made;

	for (int to_unit = 0; to_unit < 2; to_unit++) {
		if (!head->sent[to_unit])
			continue;
		make(head, to_unit, words->tagged, &made);
		if (pcap_offline_filter(&words->program, &header, made.bytes))
			return true;
	}
	return false;
}

/* A register: a number that is the same in every packet of the form, or not. */
struct value {
	bool fixed;
	uint32_t number;
};

struct state {
	bool reached;
	struct value a, x, memory[BPF_MEMWORDS];
};

struct walk {
	const struct bpf_program *program;
	const struct made *made;
	struct state *states; /* as instructions are come to */
	bool takes;           /* some packet may be taken */
	const char *wants;    /* what nobody knows; NULL */
};

static void join_value(struct value *to, const struct value *from)
{
	if (to->fixed && (!from->fixed || from->number != to->number))
		to->fixed = false;
}

static void walk_to(struct walk *walk, size_t at, const struct state *state)
{
	struct state *to;

	if (at >= walk->program->bf_len) {
		walk->wants = "more than one header (a loop)";
		return;
	}
	to = &walk->states[at];
	if (!to->reached) {
		*to = *state;
		return;
	}
	join_value(&to->a, &state->a);
	join_value(&to->x, &state->x);
	for (size_t i = 0; i < BPF_MEMWORDS; i++)
		join_value(&to->memory[i], &state->memory[i]);
}

/* From here on loads are of no byte, but of what the kernel knows of a packet beside it. */
#define KERNEL_KNOWS UINT64_C(0xfffff000)

static const char *what_at(const struct made *made, uint64_t at)
{
	if (at >= KERNEL_KNOWS)
		return "which way a packet passed the interface (--direction asks who opened a flow)";
	if (at < made->ports)
		return "a field of the IP header that differs from packet to packet (length, TTL, TOS, ...)";
	if (made->transport == TRANSPORT_TCP)
		return "the TCP header behind the ports (flags, sequence numbers) or the payload";
	if (made->transport == TRANSPORT_ICMP || made->transport == TRANSPORT_ICMP6)
		return "the ICMP message (type, code, payload)";
	return "the payload";
}

static struct value load(struct walk *walk, uint64_t at, size_t width)
{
	const struct made *made = walk->made;
	struct value value = {.fixed = true};

	for (size_t i = 0; i < width; i++, at++) {
		if (at >= MADE_MAX || made->known[at] == UNKNOWN) {
			walk->wants = what_at(made, at);
			return value;
		}
		value.fixed &= made->known[at] == FIXED;
		value.number = value.number << 8 | made->bytes[at];
	}
	return value;
}

static size_t width_of(uint16_t code)
{
	return BPF_SIZE(code) == BPF_B ? 1 : BPF_SIZE(code) == BPF_H ? 2 : 4;
}

static struct value ld(struct walk *walk, const struct bpf_insn *insn, const struct state *state)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		return (struct value){true, insn->k};
	case BPF_MEM:
		return state->memory[insn->k % BPF_MEMWORDS];
	case BPF_ABS:
		return load(walk, insn->k, width_of(insn->code));
	case BPF_IND:
		if (state->x.fixed)
			return load(walk, (uint64_t)state->x.number + insn->k,
			            width_of(insn->code));
		walk->wants = "a place that only the packet itself tells";
		return (struct value){0};
	case BPF_MSH: /* the length of an IPv4 header: recorded flows have no options */
		if (insn->k == walk->made->ip && walk->made->ip_version == 4)
			return (struct value){true, 20};
		walk->wants = what_at(walk->made, insn->k);
		return (struct value){0};
	default:
		walk->wants = "the length of a packet";
		return (struct value){0};
	}
}

static struct value alu(const struct bpf_insn *insn, const struct state *state)
{
	struct value b = BPF_SRC(insn->code) == BPF_X ? state->x : (struct value){true, insn->k};
	uint32_t a = state->a.number, n = b.number;

	if (!state->a.fixed || (!b.fixed && BPF_OP(insn->code) != BPF_NEG))
		return (struct value){0};
	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		return (struct value){true, a + n};
	case BPF_SUB:
		return (struct value){true, a - n};
	case BPF_MUL:
		return (struct value){true, a * n};
	case BPF_AND:
		return (struct value){true, a & n};
	case BPF_OR:
		return (struct value){true, a | n};
	case BPF_XOR:
		return (struct value){true, a ^ n};
	case BPF_LSH:
		return (struct value){true, n < 32 ? a << n : 0};
	case BPF_RSH:
		return (struct value){true, n < 32 ? a >> n : 0};
	case BPF_NEG:
		return (struct value){true, -a};
	default: /* a division: whatever comes of it */
		return (struct value){0};
	}
}

static bool compare(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return a & b;
	}
}

static void jump(struct walk *walk, size_t at, const struct bpf_insn *insn,
                 const struct state *state)
{
	struct value b = BPF_SRC(insn->code) == BPF_X ? state->x : (struct value){true, insn->k};
	bool fixed = state->a.fixed && b.fixed;
	bool met = fixed && compare(insn->code, state->a.number, b.number);

	if (BPF_OP(insn->code) == BPF_JA) {
		walk_to(walk, at + 1 + insn->k, state);
		return;
	}
	if (!fixed || met)
		walk_to(walk, at + 1 + insn->jt, state);
	if (!fixed || !met)
		walk_to(walk, at + 1 + insn->jf, state);
}

static void walk_one(struct walk *walk, size_t at)
{
	const struct bpf_insn *insn = &walk->program->bf_insns[at];
	struct state next = walk->states[at];

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		next.a = ld(walk, insn, &next);
		break;
	case BPF_LDX:
		next.x = ld(walk, insn, &next);
		break;
	case BPF_ST:
		next.memory[insn->k % BPF_MEMWORDS] = next.a;
		break;
	case BPF_STX:
		next.memory[insn->k % BPF_MEMWORDS] = next.x;
		break;
	case BPF_ALU:
		next.a = alu(insn, &next);
		break;
	case BPF_JMP:
		jump(walk, at, insn, &next);
		return;
	case BPF_RET:
		walk->takes |= BPF_RVAL(insn->code) == BPF_A ? !next.a.fixed || next.a.number
		                                             : insn->k > 0;
		return;
	default:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			next.x = next.a;
		else
			next.a = next.x;
	}
	walk_to(walk, at + 1, &next);
}

static int walk_form(struct walk *walk, const struct made *made, struct err *err)
{
	size_t len = walk->program->bf_len;

	walk->states = calloc(len + 1, sizeof(*walk->states));
	if (!walk->states)
		return err_set(err, -ENOMEM, "out of memory");
	walk->made = made;
	walk->states[0] = (struct state){.reached = true};
	for (size_t at = 0; at < len && !walk->wants; at++)
		if (walk->states[at].reached)
			walk_one(walk, at);
	free(walk->states);
	return 0;
}

/* Headers behind which words look for another one; recorded flows have nothing there. */
static bool leads_on(uint8_t transport)
{
	return transport == 0 || transport == 43 || transport == 44 || transport == 51 ||
	       transport == 60;
}

/* How often "vlan" stands as a word of its own. */
static unsigned vlans_spoken_of(const char *text)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, "vlan")); at += 4)
		count += (at == text || !isalnum((unsigned char)at[-1])) &&
		         !isalnum((unsigned char)at[4]);
	return count;
}

static int check(const struct capture_words *words, const char *text, struct err *err)
{
	struct walk walk = {.program = &words->program};

	for (unsigned form = 0; form < 4 * 256 && !walk.wants; form++) {
		const struct flow_head head = {
			.transport = (uint8_t)(form / 4),
			.ip_version = form & 1 ? 6 : 4,
			.vlan = form & 2 ? 1 : VLAN_NONE,
		};
		struct made made;
		int r;

		make(&head, false, words->tagged, &made);
		r = walk_form(&walk, &made, err);
		if (r < 0)
			return r;
		if (leads_on(head.transport))
			walk.wants = NULL;
	}
	if ((walk.wants || !walk.takes) && vlans_spoken_of(text) > 1)
		return err_set(err, -EINVAL,
		               "filter '%.400s': each 'vlan' looks behind the tag before it, as tcpdump's does, and "
		               "recorded flows have one tag at most; of one tag or another: 'vlan and "
		               "(ether[14:2] & 0xfff = 20 or ether[14:2] & 0xfff = 30)'",
		               text);
	if (walk.wants)
		return err_set(err, -EINVAL,
		               "filter '%.400s': it looks at %s, and no recorded flow knows that; known are "
		               "Ethernet addresses and type, VLAN, IP version, protocol, addresses, ports",
		               text, walk.wants);
	if (!walk.takes)
		return err_set(err, -EINVAL,
		               "filter '%.400s': no recorded flow can meet it: each is IPv4 or IPv6, with "
		               "one VLAN tag at most",
		               text);
	return 0;
}

int capture_words_new(const char *text, struct capture_words **ret, struct err *err)
{
	struct capture_words *words = calloc(1, sizeof(*words));
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, SNAP_MAX);
	int r = 0;

	if (!words || !dead)
		r = err_set(err, -ENOMEM, "out of memory");
	else if (pcap_compile(dead, &words->program, text, 1, PCAP_NETMASK_UNKNOWN))
		r = err_set(err, -EINVAL,
		            "filter '%.400s': %s (trailing words are a filter as tcpdump has it)", text,
		            pcap_geterr(dead));
	if (dead)
		pcap_close(dead);
	if (r >= 0) {
		words->tagged = vlans_spoken_of(text) > 0;
		r = check(words, text, err);
	}
	if (r < 0) {
		capture_words_free(words);
		return r;
	}
	*ret = words;
	return 0;
}

void capture_words_free(struct capture_words *words)
{
	if (!words)
		return;
	pcap_freecode(&words->program);
	free(words);
}
