/*
 * flowdb_image.c - see flowdb.h: a private database handed from one process to another, whole, in a
 * file that has no name.
 */
#include "schema/flowdb_sql.h"

#include <unistd.h>

static int write_all(int fd, const uint8_t *bytes, size_t len, struct err *err)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = pwrite(fd, bytes + at, len - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, n < 0 ? -errno : -EIO,
			               "the database cannot be handed over: %s", strerror(errno));
		at += (size_t)n;
	}
	return 0;
}

int flowdb_save(struct flowdb *db, int fd, struct err *err)
{
	sqlite3_int64 size = 0;
	uint8_t *image = sqlite3_serialize(db->sql, "main", &size, 0);
	int r;

	if (!image)
		return err_set(err, -ENOMEM, "out of memory for the database");
	r = write_all(fd, image, (size_t)size, err);
	sqlite3_free(image);
	return r;
}

int flowdb_load(int fd, struct flowdb **ret_db, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t *image = size > 0 ? sqlite3_malloc64((sqlite3_uint64)size) : NULL;
	int rc, r;

	if (!image || pread(fd, image, (size_t)size, 0) != size) {
		sqlite3_free(image);
		return err_set(err, -EIO, "the database of the run cannot be read");
	}
	r = flowdb_open(NULL, FLOWDB_WRITE, &db, err);
	if (r < 0) {
		sqlite3_free(image);
		return r;
	}
	/* From here on the image is SQLite's. */
	rc = sqlite3_deserialize(db->sql, "main", image, size, size,
	                         SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
	if (rc)
		return sql_error(db, rc, err);
	*ret_db = TAKE(db);
	return 0;
}

int flowdb_know(struct flowdb *db, const char *dir, struct err *err)
{
	static const char COPY[] =
		"BEGIN;"
		"INSERT INTO run SELECT * FROM disk.run;"
		"INSERT INTO unit SELECT * FROM disk.unit;"
		"INSERT INTO envelope_row SELECT * FROM disk.envelope_row;"
		"INSERT INTO policy SELECT * FROM disk.policy;"
		"INSERT INTO host SELECT * FROM disk.host; INSERT INTO name SELECT * FROM disk.name;"
		"INSERT INTO name_seen SELECT * FROM disk.name_seen;"
		"INSERT INTO unit_address SELECT * FROM disk.unit_address;"
		"INSERT INTO lease SELECT * FROM disk.lease; INSERT INTO blind SELECT * FROM disk.blind;"
		"INSERT INTO finding SELECT * FROM disk.finding; DELETE FROM finding_change;"
		"INSERT INTO finding_change SELECT * FROM disk.finding_change"
		" WHERE run = (SELECT max(id) FROM run);"
		"INSERT INTO handover SELECT * FROM disk.handover; INSERT INTO held SELECT * FROM disk.held;"
		"COMMIT; DETACH disk";
	CLEANUP(freep) char *path = NULL, *uri = NULL, *text = NULL;
	int r;

	if (asprintf(&path, "%s/flows.db", dir) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	uri = sql_uri(path, "?mode=ro");
	text = uri ? sqlite3_mprintf("ATTACH %Q AS disk", uri) : NULL;
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	r = sql_exec(db, text, err);
	sqlite3_free(text);
	text = NULL;
	if (r >= 0)
		r = sql_exec(db, COPY, err);
	intern_forget(db);
	return r;
}
