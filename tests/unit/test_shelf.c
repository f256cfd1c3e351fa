/*
 * test_shelf.c - an open flow comes off the shelf as it was put there, its event whatever bytes it has.
 */
#include "monitor/record/shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void event_draw(struct event_flow *event, size_t name_len, unsigned seed)
{
	size_t len = (offsetof(struct event_flow, name) + name_len + 7) & ~(size_t)7;
	uint8_t *bytes = (uint8_t *)event;

	/* Many zeros, in runs and alone. */
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = seed >> 28 & 1 || seed >> 20 & 4 ? 0 : (uint8_t)(seed >> 16);
	}
	event->head.len = (uint32_t)len;
	event->name_len = (uint8_t)name_len;
}

static void what_is_put_is_got(void **state)
{
	union {
		struct event_flow event;
		uint8_t room[1024];
	} a[64];
	struct unit units[2];
	struct finding finding;
	struct shelf shelf;
	struct event_flow **latest;
	size_t count;

	shelf_init(&shelf, 64);
	for (unsigned i = 0; i < 64; i++) {
		struct open_flow open = {0}, got;

		memset(&a[i], i % 3 ? 0 : 0xff, sizeof(a[i]));
		event_draw(&a[i].event, i * 4, i);
		a[i].event.facts.id = i + 1;
		for (unsigned end = 0; end < 2; end++) {
			struct sheet *sheet = &open.sheet[end];

			if (!(i >> end & 1))
				continue;
			sheet->unit = &units[end];
			sheet->id = i * 1000 + end;
			sheet->over = i >> 2 & 1;
			sheet->waited = i >> 3 & 1;
			if (i >> (4 + end) & 1)
				sheet->gathered = (struct gathered){&finding, i * 77, true};
			if (i % 7 == 0)
				sheet->exhibit = (struct exhibit){&finding, 3, NULL};
		}
		shelf_get(&shelf, i + 1, &got);
		assert_false(got.told);
		assert_null(got.sheet[0].unit);
		assert_int_equal(shelf_put(&shelf, &open, &a[i].event), 0);
		open.told = true;
		/* Put again it takes the place of what was. */
		assert_int_equal(shelf_put(&shelf, &open, &a[i].event), 0);
		shelf_get(&shelf, i + 1, &got);
		assert_true(got.told);
		for (unsigned end = 0; end < 2; end++) {
			assert_ptr_equal(got.sheet[end].unit, open.sheet[end].unit);
			assert_int_equal(got.sheet[end].id, open.sheet[end].id);
			assert_ptr_equal(got.sheet[end].gathered.finding,
			                 open.sheet[end].gathered.finding);
			assert_int_equal(got.sheet[end].gathered.bytes, open.sheet[end].gathered.bytes);
			assert_int_equal(got.sheet[end].gathered.kept, open.sheet[end].gathered.kept);
			assert_ptr_equal(got.sheet[end].exhibit.finding,
			                 open.sheet[end].exhibit.finding);
			assert_int_equal(got.sheet[end].exhibit.next, open.sheet[end].exhibit.next);
			assert_int_equal(got.sheet[end].over, open.sheet[end].over);
			assert_int_equal(got.sheet[end].waited, open.sheet[end].waited);
			if (open.sheet[end].exhibit.finding)
				assert_ptr_equal(shelf_exhibited(&shelf, i + 1, end)->exhibit.finding,
				                 &finding);
		}
	}
	latest = shelf_latest(&shelf, &count);
	assert_int_equal(count, 64);
	for (size_t i = 0; i < count; i++) {
		const struct event_flow *was = &a[latest[i]->facts.id - 1].event;

		assert_int_equal(latest[i]->head.len, was->head.len);
		assert_memory_equal(latest[i], was, was->head.len);
		free(latest[i]);
	}
	free(latest);
	shelf_release(&shelf);
}

static void a_full_shelf_refuses_and_keeps(void **state)
{
	struct event_flow event = {.head.len = sizeof(event)};
	struct open_flow open = {0}, got;
	struct shelf shelf;

	shelf_init(&shelf, 1);
	event.facts.id = 1;
	assert_int_equal(shelf_put(&shelf, &open, &event), 0);
	event.facts.id = 2;
	assert_int_equal(shelf_put(&shelf, &open, &event), -ENOSPC);
	shelf_get(&shelf, 1, &got);
	assert_true(got.told);
	shelf_drop(&shelf, 1);
	shelf_get(&shelf, 1, &got);
	assert_false(got.told);
	assert_int_equal(shelf_put(&shelf, &open, &event), 0);
	shelf_release(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(a_full_shelf_refuses_and_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
