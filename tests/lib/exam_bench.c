/*
 * exam_bench.c - see exam_bench.h.
 */
#include "tests/lib/exam_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void succeeded(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

struct mirror_host *host_add(struct bench *bench, const char *text, uint64_t sent,
                                    uint64_t got)
{
	/* Any free place from its own on would do; a search finds it there. */
	struct addr addr;
	struct mirror_host *host;

	assert_int_equal(addr_parse(text, &addr), 0);
	for (size_t i = 0; i < MIRROR_HOSTS; i++) {
		host = &bench->mirror->host[i];
		if (!addr_is_unspecified(&host->addr) && !addr_equal(&host->addr, &addr))
			continue;
		host->addr = addr;
		if (mirror_find(bench->mirror, &addr) == host)
			break;
		host->addr = (struct addr){0};
	}
	host->sent = sent;
	host->got = got;
	host->ttl[0] = 64;
	host->two_way = sent && got;
	return host;
}

struct bench *bench_new(const char *site)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct policy_args args = {
		.site_path = *site ? "site.yaml" : NULL, .site_text = site, .site_text_len = strlen(site)};
	const struct run_row run = {.version = "t", .source = "file", .inputs = "a.pcap", .filter = ""};
	struct err err = {0};

	assert_non_null(bench);
	succeeded(policy_load(&args, &bench->policy, &err), &err);
	succeeded(flowdb_open(NULL, FLOWDB_WRITE, &bench->db, &err), &err);
	succeeded(flowdb_run_begin(bench->db, &run, &bench->run, &err), &err);
	bench->mirror = mirror_new();
	assert_non_null(bench->mirror);
	bench->mirror->frames = bench->mirror->ip = bench->mirror->others = 1000;
	bench->mirror->two_way = 50;
	bench->mirror->v4 = 1000;
	bench->mirror->input[0] = (struct mirror_input){
		.frames = 1000, .first_us = START_US, .last_us = START_US + 60000000};
	bench->counters = (struct counters){.seen = 1000, .in_flows = 1000, .flows = 50, .bytes = 500000};
	for (unsigned i = 0; i < ARRAY_LEN(bench->inputs); i++)
		bench->inputs[i] = (struct exam_input){.name = i == 0 ? "eth1" : i == 1 ? "eth2" : "eth3",
		                                       .packets = 1000,
		                                       .first_us = START_US,
		                                       .last_us = START_US + 60000000};
	bench->subject = (struct exam_subject){
		.policy = bench->policy,
		.mirror = bench->mirror,
		.db = bench->db,
		.inputs = bench->inputs,
		.input_count = 1,
		.lasted_us = 30000000,
	};
	return bench;
}

void bench_freep(struct bench **at)
{
	struct bench *bench = *at;

	exam_free(bench->exam);
	mirror_free(bench->mirror);
	flowdb_close(bench->db);
	policy_free(bench->policy);
	free(bench);
}

void look(struct bench *bench)
{
	struct err err = {0};

	succeeded(flowdb_run_update(bench->db, bench->run, START_US, START_US + 60000000, true,
	                       &bench->counters, &err), &err);
	exam_free(bench->exam);
	bench->exam = NULL;
	succeeded(exam_new(&bench->subject, &bench->exam, &err), &err);
}

const struct exam_row *row_of(const struct bench *bench, enum check check, unsigned n)
{
	for (size_t i = 0; i < bench->exam->row_count; i++)
		if (bench->exam->rows[i].check == check && !n--)
			return &bench->exam->rows[i];
	return NULL;
}

void row_says(const struct bench *bench, enum check check, enum exam_state state,
                     const char *seen, const char *remedy)
{
	const struct exam_row *row = row_of(bench, check, 0);

	assert_non_null(row);
	assert_string_equal(exam_state_name(row->state), exam_state_name(state));
	assert_string_equal(row->seen, seen);
	if (!strstr(row->remedy, remedy))
		fail_msg("no '%s' in: %s", remedy, row->remedy);
	/* What is wrong comes with what to do. */
	if (state > EXAM_UNKNOWN)
		assert_true(*row->remedy);
}

void look_finds(struct bench *bench, enum check check, enum exam_state state,
                      const char *seen, const char *remedy)
{
	look(bench);
	row_says(bench, check, state, seen, remedy);
}

void list_unit(struct bench *bench, const char *name, const char *address)
{
	struct err err = {0};
	struct addr addr;
	int64_t id = 0;

	succeeded(flowdb_unit_put(bench->db, name, "room, touch", true, &id, &err), &err);
	if (!address)
		return;
	assert_int_equal(addr_parse(address, &addr), 0);
	succeeded(flowdb_unit_seen(bench->db, id, &addr, &(struct mac){0}, KNOWN_BY_PACKETS, START_US, START_US + 1, &err), &err);
}
