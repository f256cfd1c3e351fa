/*
 * test_capture.c - capture files: what is read, what is refused and how, where a cut file ends.
 * Live interfaces are tested in tests/lab.
 */
#include "monitor/capture/capture.h"
#include "tests/lib/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/test_capture.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[2][64];
	static unsigned turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void write_capture(const char *name, enum wire_link link, unsigned packets, double at)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct err err;

	wire_link(w, link);
	wire_at(w, at);
	for (unsigned i = 0; i < packets; i++) {
		wire_udp(w, "10.0.0.1:5000 > 10.0.0.2:6000", "hello", 5);
		wire_wait(w, 1);
	}
	assert_int_equal(wire_write(w, path_of(name), &err), 0);
}

static int open_one(const char *name, struct capture **ret, struct err *err)
{
	const char *inputs[] = {path_of(name)};
	struct capture_options options = {.inputs = inputs, .input_count = 1, .filter = ""};

	int r;

	*err = (struct err){0};
	r = capture_open(&options, ret, err);
	return r < 0 ? r : capture_check(*ret, err);
}

static void a_file_is_read_to_its_end(void **state)
{
	CLEANUP(capture_closep) struct capture *capture = NULL;
	const struct captured_input *input;
	struct frame frame;
	struct err err;

	write_capture("a.pcap", WIRE_ETHERNET, 3, 0);
	assert_int_equal(open_one("a.pcap", &capture, &err), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_FRAME);
		assert_int_equal(frame.time_us, (WIRE_EPOCH + i) * 1000000);
		assert_int_equal(frame.link, LINK_ETHERNET);
	}
	assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_INPUT_END);
	assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_END);
	input = capture_input(capture, 0);
	assert_string_equal(input->name, "a.pcap");
	assert_int_equal(input->packets, 3);
	assert_int_equal(strlen(input->hash), 32);
	assert_false(input->cut);
}

static void a_cut_file_gives_what_is_before_the_cut_and_says_where(void **state)
{
	CLEANUP(capture_closep) struct capture *capture = NULL;
	struct frame frame;
	struct stat st;
	struct err err;
	unsigned count = 0;

	write_capture("cut.pcap", WIRE_ETHERNET, 3, 0);
	assert_int_equal(stat(path_of("cut.pcap"), &st), 0);
	assert_int_equal(truncate(path_of("cut.pcap"), st.st_size - 4), 0);
	assert_int_equal(open_one("cut.pcap", &capture, &err), 0);
	while (capture_next(capture, &frame, &err) == CAPTURED_FRAME)
		count++;
	assert_int_equal(count, 2);
	assert_true(capture_input(capture, 0)->cut);
	assert_non_null(strstr(capture_input(capture, 0)->note, "after packet 2"));
}

static void what_is_no_capture_is_refused_by_name(void **state)
{
	static const struct {
		const char *name, *content;
		size_t len;
		const char *says;
	} cases[] = {
		{"empty.pcap", "", 0, "the file is empty (0 bytes)"},
		{"text.pcap", "this is no capture file at all", 30, "not a capture file"},
		{"header.pcap", "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0", 24,
		 "the capture holds no packet"},
		{"hdlc.pcap", "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x68\0\0\0", 24, "C_HDLC"},
		{"first.pcap", "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0garbage", 31,
		 "damaged at its first packet"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(capture_closep) struct capture *capture = NULL;
		FILE *file = fopen(path_of(cases[i].name), "w");
		struct err err;

		assert_non_null(file);
		assert_int_equal(fwrite(cases[i].content, 1, cases[i].len, file), cases[i].len);
		fclose(file);
		assert_true(open_one(cases[i].name, &capture, &err) < 0);
		assert_non_null(strstr(err.text, cases[i].name));
		assert_non_null(strstr(err.text, cases[i].says));
	}
}

static void every_link_type_we_know_is_told(void **state)
{
	static const struct {
		enum wire_link written;
		enum link read;
	} cases[] = {
		{WIRE_ETHERNET, LINK_ETHERNET}, {WIRE_SLL, LINK_SLL},       {WIRE_SLL2, LINK_SLL2},
		{WIRE_RAW, LINK_RAW},           {WIRE_NULL, LINK_LOOPBACK}, {WIRE_LOOP, LINK_LOOPBACK},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(capture_closep) struct capture *capture = NULL;
		struct frame frame;
		struct err err;

		write_capture("link.pcap", cases[i].written, 1, 0);
		assert_int_equal(open_one("link.pcap", &capture, &err), 0);
		assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_FRAME);
		assert_int_equal(frame.link, cases[i].read);
	}
}

static void a_filter_chooses_and_a_wrong_one_is_named(void **state)
{
	CLEANUP(capture_closep) struct capture *capture = NULL, *other = NULL;
	const char *inputs[] = {path_of("f.pcap")};
	struct capture_options options = {.inputs = inputs, .input_count = 1, .filter = "udp port 7"};
	struct frame frame;
	struct err err;

	write_capture("f.pcap", WIRE_ETHERNET, 2, 0);
	options.inputs = (const char *[]){path_of("f.pcap")};
	assert_int_equal(capture_open(&options, &capture, &err), 0);
	assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_INPUT_END);
	options.filter = "udp prot 7";
	assert_true(capture_open(&options, &other, &err) < 0);
	assert_non_null(strstr(err.text, "udp prot 7"));
}

static void a_folder_is_its_files_in_name_order(void **state)
{
	char **paths = NULL;
	size_t room = 0, count = 0;
	struct err err;

	assert_int_equal(mkdir(path_of("day"), 0755), 0);
	write_capture("day/b.pcap", WIRE_ETHERNET, 1, 60);
	write_capture("day/a.pcap", WIRE_ETHERNET, 1, 0);
	write_capture("day/.hidden", WIRE_ETHERNET, 1, 0);
	assert_int_equal(capture_expand(path_of("day"), &paths, &room, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(strrchr(paths[0], '/'), "/a.pcap");
	assert_string_equal(strrchr(paths[1], '/'), "/b.pcap");
	assert_true(capture_expand(path_of("nothing"), &paths, &room, &count, &err) < 0);
	assert_non_null(strstr(err.text, "nothing"));
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}

/* What a sensor does that takes the place of another. */
static void a_reader_goes_on_where_another_stopped(void **state)
{
	static const struct {
		unsigned input;
		uint64_t packets;
		unsigned frames;
	} cases[] = {{0, 0, 6}, {0, 2, 4}, {0, 3, 3}, {1, 0, 3}, {1, 1, 2}, {1, 3, 0}, {1, 9, 0}};

	write_capture("one.pcap", WIRE_ETHERNET, 3, 0);
	write_capture("two.pcap", WIRE_ETHERNET, 3, 10);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(capture_closep) struct capture *capture = NULL;
		const char *inputs[] = {path_of("one.pcap"), path_of("two.pcap")};
		struct capture_options options = {.inputs = inputs, .input_count = 2};
		unsigned frames = 0, ends = 0;
		struct frame frame;
		struct err err;
		int r;

		assert_int_equal(capture_open(&options, &capture, &err), 0);
		capture_skip(capture, cases[i].input, cases[i].packets);
		assert_int_equal(capture_check(capture, &err), 0);
		while ((r = capture_next(capture, &frame, &err)) != CAPTURED_END) {
			assert_true(r == CAPTURED_FRAME || r == CAPTURED_INPUT_END);
			if (r == CAPTURED_FRAME && !frames++ && cases[i].packets < 3)
				assert_int_equal(frame.time_us,
				                 (WIRE_EPOCH + 10 * cases[i].input +
				                  (int64_t)cases[i].packets) *
				                         1000000);
			ends += r == CAPTURED_INPUT_END;
		}
		assert_int_equal(frames, cases[i].frames);
		assert_int_equal(ends, 2 - cases[i].input);
		assert_int_equal(capture_input(capture, 1)->packets, 3);
		assert_int_equal(capture_input(capture, 1)->first_us, (WIRE_EPOCH + 10) * 1000000);
		assert_false(capture_input(capture, 1)->cut);
	}
}

static void a_pipe_cannot_be_gone_on_with_and_says_so(void **state)
{
	CLEANUP(capture_closep) struct capture *capture = NULL;
	struct frame frame;
	char command[256];
	struct err err;

	write_capture("piped.pcap", WIRE_ETHERNET, 3, 0);
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	snprintf(command, sizeof(command), "cat %s >%s &", path_of("piped.pcap"), path_of("fifo"));
	assert_int_equal(system(command), 0);
	assert_int_equal(open_one("fifo", &capture, &err), 0);
	capture_skip(capture, 0, 2);
	assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_INPUT_END);
	assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_END);
	assert_true(capture_input(capture, 0)->cut);
	assert_int_equal(capture_input(capture, 0)->packets, 2);
	assert_non_null(strstr(capture_input(capture, 0)->note, "after packet 2"));
}

/* Two processes share the place in a file: each reads it from its beginning all the same. */
static void a_successor_reads_the_handle_that_another_process_used_up(void **state)
{
	CLEANUP(capture_closep) struct capture *capture = NULL;
	struct err err;

	write_capture("shared.pcap", WIRE_ETHERNET, 3, 0);
	assert_int_equal(open_one("shared.pcap", &capture, &err), 0);
	assert_int_equal(unlink(path_of("shared.pcap")), 0); /* it is not opened again */
	for (unsigned turn = 0; turn < 2; turn++) {
		pid_t pid = fork();
		struct frame frame;
		int status;

		assert_true(pid >= 0);
		if (!pid) {
			int frames = 0;

			while (capture_next(capture, &frame, &err) == CAPTURED_FRAME)
				frames++;
			_exit(frames);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 3);
	}
}

static void more_files_than_descriptors_raise_the_soft_limit(void **state)
{
	const char *inputs[100];
	struct capture_options options = {.inputs = inputs, .input_count = ARRAY_LEN(inputs)};
	pid_t pid;
	int status;

	write_capture("many.pcap", WIRE_ETHERNET, 1, 0);
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
		inputs[i] = strdup(path_of("many.pcap"));
	pid = fork(); /* limits are a process's own */
	assert_true(pid >= 0);
	if (!pid) {
		struct rlimit limit = {50, 400};
		struct capture *capture = NULL;
		struct frame frame;
		struct err err;
		int ends = 0, r;

		if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		    capture_open(&options, &capture, &err) < 0)
			_exit(101);
		while ((r = capture_next(capture, &frame, &err)) != CAPTURED_END)
			ends += r == CAPTURED_INPUT_END;
		capture_close(capture);
		if (ends != ARRAY_LEN(inputs))
			_exit(102);
		limit = (struct rlimit){50, 150};
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		    capture_open(&options, &capture, &err) != -EMFILE)
			_exit(103);
		_exit(strstr(err.text, "100 files: only 150 ") && strstr(err.text, "ulimit -n") ? 0
		                                                                               : 104);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
		free((void *)(uintptr_t)inputs[i]);
}

/* Read to its end, interrupted, or not read at all: the hash is that of the whole content. */
static void a_file_has_one_hash_however_it_is_read(void **state)
{
	char hash[3][FILE_HASH_TEXT];

	write_capture("hashed.pcap", WIRE_ETHERNET, 3000, 0);
	for (unsigned way = 0; way < 3; way++) {
		CLEANUP(capture_closep) struct capture *capture = NULL;
		struct frame frame;
		struct err err;
		unsigned input;
		int r = CAPTURED_NOTHING;

		assert_int_equal(open_one("hashed.pcap", &capture, &err), 0);
		assert_string_equal(capture_input(capture, 0)->hash, "");
		assert_int_equal(strlen(capture_input(capture, 0)->mark), FILE_HASH_TEXT - 1);
		if (way == 0) {
			while (r != CAPTURED_INPUT_END)
				r = capture_next(capture, &frame, &err);
		} else if (way == 1) {
			assert_int_equal(capture_next(capture, &frame, &err), CAPTURED_FRAME);
			while (capture_hash_rest(capture))
				;
			assert_true(capture_stop(capture, &input));
			assert_non_null(strstr(capture_input(capture, 0)->note, "after packet 1"));
		} else {
			assert_int_equal(capture_hash(capture, 0, &err), 0);
		}
		text_copy(hash[way], sizeof(hash[way]), capture_input(capture, 0)->hash);
		assert_int_equal(strlen(hash[way]), FILE_HASH_TEXT - 1);
		assert_string_equal(hash[way], hash[0]);
	}
}

/* Of files longer than the pieces too: one byte at either end, or one more of them, is another mark. */
static void files_that_differ_at_their_ends_or_in_size_have_other_marks(void **state)
{
	static const size_t SIZES[] = {100, 65536, 1048576, 3000000};

	for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
		CLEANUP(closep) int fd = memfd_create("marked", MFD_CLOEXEC);
		char mark[FILE_HASH_TEXT], other[FILE_HASH_TEXT];
		const size_t places[] = {0, SIZES[i] - 1, SIZES[i]};

		assert_int_equal(ftruncate(fd, (off_t)SIZES[i]), 0);
		assert_int_equal(file_mark(fd, SIZES[i], mark), 0);
		for (size_t place = 0; place < ARRAY_LEN(places); place++) {
			assert_int_equal(pwrite(fd, "x", 1, (off_t)places[place]), 1);
			assert_int_equal(file_mark(fd, SIZES[i] + (place == 2), other), 0);
			assert_string_not_equal(mark, other);
			assert_int_equal(pwrite(fd, "", 1, (off_t)places[place]), 1);
		}
	}
}

static void drops_of_an_interface_are_read_by_its_name(void **state)
{
	uint64_t drops = UINT64_MAX;

	assert_int_equal(capture_interface_drops("lo", &drops), 0);
	assert_true(drops < UINT64_MAX);
	assert_int_equal(capture_interface_drops("l", &drops), -ENODEV);
	assert_int_equal(capture_interface_drops("no-such-one", &drops), -ENODEV);
}

static int begin(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_to_its_end),
		cmocka_unit_test(a_cut_file_gives_what_is_before_the_cut_and_says_where),
		cmocka_unit_test(what_is_no_capture_is_refused_by_name),
		cmocka_unit_test(every_link_type_we_know_is_told),
		cmocka_unit_test(a_filter_chooses_and_a_wrong_one_is_named),
		cmocka_unit_test(a_folder_is_its_files_in_name_order),
		cmocka_unit_test(a_reader_goes_on_where_another_stopped),
		cmocka_unit_test(a_pipe_cannot_be_gone_on_with_and_says_so),
		cmocka_unit_test(a_successor_reads_the_handle_that_another_process_used_up),
		cmocka_unit_test(more_files_than_descriptors_raise_the_soft_limit),
		cmocka_unit_test(a_file_has_one_hash_however_it_is_read),
		cmocka_unit_test(files_that_differ_at_their_ends_or_in_size_have_other_marks),
		cmocka_unit_test(drops_of_an_interface_are_read_by_its_name),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
