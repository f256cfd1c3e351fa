/*
 * capture_scope.c - see capture.h: which frames the kernel hands over at all. A program takes the place of the one before
 * between two frames (SO_ATTACH_FILTER), so that none is lost; libpcap's pcap_setfilter() would empty the ring. The
 * sensor may not do that: whoever else holds the same socket does.
 */
#include "monitor/capture/capture_pcap.h"
#include "monitor/capture/scope_program.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPTMEM_DEFAULT 20480
/* An instruction becomes up to so many bytes of the kernel's, and the program before is charged beside the new one. */
#define OPTMEM_EACH (2 * 20)
#define PROGRAM_LEAST 192

int capture_handle(const struct capture *capture, size_t index, struct capture_handle *ret)
{
	const struct input *input = &capture->inputs[index];
	int fd;

	if (!capture->live || !input->pcap)
		return -ENOENT;
	fd = fcntl(pcap_fileno(input->pcap), F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*ret = (struct capture_handle){.fd = fd,
	                               .type = pcap_datalink(input->pcap),
	                               .link = input->link};
	return 0;
}

/* How long a program may be: sk_filter_charge() of the kernel asks net.core.optmem_max. */
static size_t program_max(void)
{
	CLEANUP(fclosep) FILE *file = fopen("/proc/sys/net/core/optmem_max", "re");
	unsigned long bytes;

	if (!file || fscanf(file, "%lu", &bytes) != 1)
		bytes = OPTMEM_DEFAULT;
	return bytes / OPTMEM_EACH < BPF_MAXINSNS ? bytes / OPTMEM_EACH : BPF_MAXINSNS;
}

static size_t take_words(const struct capture *capture, const struct capture_handle *handle,
                         struct sock_filter **ret)
{
	const struct bpf_program *words = filter_program(capture->filter, handle->type);
	size_t count = words ? words->bf_len : 0;

	*ret = calloc(count + 1, sizeof(**ret));
	for (size_t i = 0; *ret && i < count; i++)
		(*ret)[i] = (struct sock_filter){words->bf_insns[i].code, words->bf_insns[i].jt,
		                                 words->bf_insns[i].jf, words->bf_insns[i].k};
	return count;
}

/* Nothing but the words, as before; without any nothing at all. */
static int attach_words(int fd, struct sock_filter *words, size_t count)
{
	struct sock_fprog program = {(unsigned short)count, words};
	int none = 0;

	if (count)
		return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) < 0 &&
	                       errno != ENOENT
	               ? -1
	               : 0;
}

int capture_scope(const struct capture *capture, const struct capture_handle *handle,
                  const struct scope *scope, struct err *err)
{
	CLEANUP(freep) struct sock_filter *words = NULL;
	CLEANUP(freep) struct sock_filter *code = calloc(BPF_MAXINSNS, sizeof(*code));
	size_t word_count = take_words(capture, handle, &words);

	if (!words || !code)
		return err_set(err, -ENOMEM, "out of memory");
	if (handle->link != LINK_ETHERNET && handle->link != LINK_RAW)
		return err_set(err, -EPROTONOSUPPORT, "not on this type of link");
	for (size_t max = program_max(); !scope->open && max >= PROGRAM_LEAST; max /= 2) {
		struct sock_fprog program = {.filter = code};
		size_t count = scope_program(scope, handle->link, words, word_count, code, max);

		program.len = (unsigned short)count;
		if (!count)
			break;
		if (!setsockopt(handle->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		                sizeof(program)))
			return (int)count;
		if (errno != ENOMEM && errno != EINVAL)
			return err_set(err, -errno, "%s", strerror(errno));
	}
	if (attach_words(handle->fd, words, word_count) < 0)
		return err_set(err, -errno, "%s", strerror(errno));
	return scope->open ? err_set(err, -E2BIG, "more addresses were learnt than there is room for")
	                   : err_set(err, -E2BIG, "the program would be too long for this kernel");
}
