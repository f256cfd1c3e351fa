/*
 * capture.c - see capture.h: files or interfaces behind one capture_next(). After capture_open()
 * nothing is opened any more.
 */
#include "monitor/capture/capture_pcap.h"

#include <unistd.h>

void input_close(struct input *input)
{
	if (input->pcap)
		pcap_close(input->pcap);
	input->pcap = NULL;
	plain_free(input->plain);
	input->plain = NULL;
	fclosep(&input->file);
}

/* The latest time of a packet; what the sensor adds to one still fits into events. */
#define STAMP_MAX_US (EVENT_NUMBER_MAX / 2)

int64_t stamp_us(const struct pcap_pkthdr *header)
{
	int64_t s = header->ts.tv_sec, us = header->ts.tv_usec;

	if (s < 0 || us < 0)
		return 0;
	return s < STAMP_MAX_US / 1000000 ? s * 1000000 + us % 1000000 : STAMP_MAX_US;
}

void frame_fill(struct input *input, unsigned index, const struct pcap_pkthdr *header,
                       const uint8_t *bytes, struct frame *frame)
{
	frame->time_us = stamp_us(header);
	frame->caplen = header->caplen;
	frame->wire_len = header->len > header->caplen ? header->len : header->caplen;
	frame->bytes = bytes;
	frame->link = input->link;
	frame->input = index;
	if (!input->told.packets++)
		input->told.first_us = frame->time_us;
	if (frame->time_us > input->told.last_us)
		input->told.last_us = frame->time_us;
}

int capture_open(const struct capture_options *options, struct capture **ret, struct err *err)
{
	CLEANUP(capture_closep) struct capture *capture = calloc(1, sizeof(*capture));
	int r = 0;

	if (!capture)
		return err_set(err, -ENOMEM, "out of memory");
	capture->epoll_fd = capture->timer_fd = -1;
	capture->live = options->live;
	capture->libpcap = options->libpcap;
	capture->inputs = calloc(options->input_count, sizeof(*capture->inputs));
	if (!capture->inputs)
		return err_set(err, -ENOMEM, "out of memory");
	r = filter_new(options->filter ? options->filter : "", &capture->filter, err);
	if (r < 0)
		return r;
	r = options->live ? live_timer(capture, err) : files_room(options->input_count, err);
	for (size_t i = 0; !r && i < options->input_count; i++) {
		struct input *input = &capture->inputs[capture->count];
		const char *slash = strrchr(options->inputs[i], '/');

		input->path = strdup(options->inputs[i]);
		if (!input->path)
			return err_set(err, -ENOMEM, "out of memory");
		input->told.name = input->path;
		if (!options->live && slash)
			input->told.name += slash + 1 - options->inputs[i];
		if (!options->live && !strcmp(input->path, "-"))
			input->told.name = "standard input";
		capture->count++;
		r = options->live ? live_open(capture, input, options, err)
		                  : file_open(input, err);
		capture->total += input->told.size;
	}
	if (r < 0)
		return r;
	*ret = TAKE(capture);
	return 0;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	for (size_t i = 0; i < capture->count; i++) {
		input_close(&capture->inputs[i]);
		free(capture->inputs[i].path);
	}
	closep(&capture->epoll_fd);
	closep(&capture->timer_fd);
	free(capture->inputs);
	filter_free(capture->filter);
	free(capture);
}

void capture_detach(struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++)
		input_close(&capture->inputs[i]);
	closep(&capture->epoll_fd);
	closep(&capture->timer_fd);
	capture->epoll_fd = capture->timer_fd = -1;
}

void capture_tell(struct capture *capture, const struct event_input *input)
{
	struct captured_input *told;

	if (input->index >= capture->count)
		return;
	told = &capture->inputs[input->index].told;
	told->packets = input->packets;
	told->first_us = input->first_us;
	told->last_us = input->last_us;
	told->cut = input->cut;
	memcpy(told->note, input->note, input->note_len);
	told->note[input->note_len] = '\0';
}

void capture_closep(struct capture **capture)
{
	capture_close(*capture);
	*capture = NULL;
}

int capture_next(struct capture *capture, struct frame *frame, struct err *err)
{
	return capture->live ? live_next(capture, frame) : file_next(capture, frame, err);
}

bool capture_stop(struct capture *capture, unsigned *ret_input)
{
	struct input *input = &capture->inputs[capture->current];

	if (capture->live || capture->current == capture->count || (!input->pcap && !input->plain))
		return false;
	input->told.cut = true;
	snprintf(input->told.note, sizeof(input->told.note), "interrupted after packet %llu",
	         (unsigned long long)input->told.packets);
	*ret_input = (unsigned)capture->current;
	return true;
}

size_t capture_input_count(const struct capture *capture)
{
	return capture->count;
}

const struct captured_input *capture_input(const struct capture *capture, size_t index)
{
	return &capture->inputs[index].told;
}

int capture_progress(const struct capture *capture)
{
	const struct input *input = &capture->inputs[capture->current];
	uint64_t at = capture->before;

	if (!capture->total || capture->current == capture->count)
		return -1;
	if (input->plain)
		at += plain_offset(input->plain);
	else if (input->pcap && *input->told.hash)
		at += (uint64_t)ftell(pcap_file(input->pcap));
	return (int)(at * 1000 / capture->total);
}
