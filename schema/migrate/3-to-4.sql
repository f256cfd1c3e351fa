-- 3-to-4.sql - evidence of findings, who closed one and why, from when on which policy judged.
-- Afterwards the database is as schema/flowdb.sql makes it.

CREATE INDEX evidence_finding ON evidence (finding) WHERE finding IS NOT NULL;
ALTER TABLE finding_change ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';
ALTER TABLE finding_change ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE finding_change ADD COLUMN at_us INTEGER;

-- From when on which policy judged: a row for each run, and one for each time that recorded flows were
-- judged again.
CREATE TABLE policy_use (
	id      INTEGER PRIMARY KEY,
	policy  INTEGER NOT NULL REFERENCES policy(id),
	run     INTEGER REFERENCES run(id), -- NULL: `tlmon rejudge`
	from_us INTEGER, -- live: of the run's first commit; rejudged: its first flow; NULL: from the run's first packet on
	at_us   INTEGER, -- rejudged: when, by the wall clock; NULL: a run
	by_whom TEXT    NOT NULL DEFAULT ''
) STRICT;

-- A run had one policy; of one without flows it is not known.
INSERT INTO policy_use (policy, run) SELECT DISTINCT policy, run FROM flow ORDER BY run, policy;

DROP VIEW v_finding_change;
CREATE VIEW v_finding_change AS SELECT
	c.id,
	'F' || c.finding AS finding,
	c.run,
	CASE c.state WHEN 1 THEN 'open' WHEN 2 THEN 'waived' ELSE 'closed' END AS state,
	strftime('%Y-%m-%dT%H:%M:%S', c.time_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', c.time_us % 1000000) AS time,
	nullif(c.by_whom, '') AS by_whom,
	nullif(c.why, '') AS why,
	strftime('%Y-%m-%dT%H:%M:%S', c.at_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', c.at_us % 1000000) AS at
FROM finding_change c
ORDER BY c.id;

-- Names and leases of a run; names with their gaps. What was known of a gap is lost.
DROP VIEW v_name;
DROP VIEW v_lease;
ALTER TABLE name_seen RENAME TO name_seen_3;
ALTER TABLE lease RENAME TO lease_3;

-- DNS answers: client asked server, and from first to until the address held the name. After a gap
-- there is another row.
CREATE TABLE name_seen (
	run      INTEGER NOT NULL REFERENCES run(id),
	unit     INTEGER REFERENCES unit(id), -- the client was then; NULL: not known
	client   INTEGER NOT NULL REFERENCES host(id),
	server   INTEGER NOT NULL REFERENCES host(id),
	address  INTEGER NOT NULL REFERENCES host(id),
	name     INTEGER NOT NULL REFERENCES name(id),
	first_us INTEGER NOT NULL,  -- first and last answer that said so
	last_us  INTEGER NOT NULL,
	until_us INTEGER NOT NULL,  -- its time to live and an hour are over
	counted  INTEGER NOT NULL,  -- 0: the site did not believe that server; kept for another policy
	PRIMARY KEY (client, address, name, server, run, first_us)
) STRICT, WITHOUT ROWID;
INSERT INTO name_seen SELECT coalesce((SELECT r.id FROM run r WHERE r.first_us <= x.first_us ORDER BY r.first_us DESC, r.id DESC LIMIT 1),
	(SELECT min(id) FROM run)),
	(SELECT max(a.unit) FROM unit_address a WHERE a.address = x.client
		AND a.first_us <= x.last_us AND a.last_us >= x.first_us),
	x.client, x.server, x.address, x.name, x.first_us, x.last_us, x.until_us, 1
FROM name_seen_3 x;
DROP TABLE name_seen_3;

-- What DHCP gave to units. Renewed it is the same row; given anew, or with other servers, another.
CREATE TABLE lease (
	run       INTEGER NOT NULL REFERENCES run(id),
	unit      INTEGER NOT NULL REFERENCES unit(id),
	mac       INTEGER NOT NULL REFERENCES host(id),
	address   INTEGER NOT NULL REFERENCES host(id),
	first_us  INTEGER NOT NULL,  -- first and last ACK that said so
	last_us   INTEGER NOT NULL,
	until_us  INTEGER,           -- it is over, or given up; NULL: not told (the answer to an INFORM)
	server    INTEGER REFERENCES host(id), -- NULL: not told
	mask_bits INTEGER NOT NULL,  -- 0: not told
	dns       BLOB    NOT NULL,  -- servers, 16 bytes each
	PRIMARY KEY (unit, mac, address, first_us, run)
) STRICT, WITHOUT ROWID;
INSERT INTO lease SELECT coalesce((SELECT r.id FROM run r WHERE r.first_us <= x.first_us ORDER BY r.first_us DESC, r.id DESC LIMIT 1),
	(SELECT min(id) FROM run)),
	x.unit, x.mac, x.address, x.first_us, x.last_us, x.until_us, x.server, x.mask_bits, x.dns
FROM lease_3 x;
DROP TABLE lease_3;

CREATE VIEW v_name AS SELECT
	n.text AS name,
	a.text AS address,
	c.text AS client,
	s.text AS server,
	strftime('%Y-%m-%dT%H:%M:%S', x.first_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', x.first_us % 1000000) AS first,
	strftime('%Y-%m-%dT%H:%M:%S', x.last_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', x.last_us % 1000000) AS last,
	strftime('%Y-%m-%dT%H:%M:%S', x.until_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', x.until_us % 1000000) AS until,
	x.counted, x.run
FROM name_seen x
JOIN name n ON n.id = x.name
JOIN host a ON a.id = x.address
JOIN host c ON c.id = x.client
JOIN host s ON s.id = x.server
ORDER BY n.text, a.bytes, c.bytes, s.bytes, x.run, x.first_us;

CREATE VIEW v_lease AS SELECT
	u.name AS unit,
	m.text AS mac,
	h.text AS address,
	strftime('%Y-%m-%dT%H:%M:%S', l.first_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', l.first_us % 1000000) AS first,
	strftime('%Y-%m-%dT%H:%M:%S', l.last_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', l.last_us % 1000000) AS last,
	strftime('%Y-%m-%dT%H:%M:%S', l.until_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', l.until_us % 1000000) AS until,
	s.text AS server,
	nullif(l.mask_bits, 0) AS mask_bits,
	(SELECT group_concat(d.text, ', ') FROM host d, (VALUES (1), (17), (33), (49)) n
		WHERE d.bytes = substr(l.dns, n.column1, 16)) AS dns
FROM lease l
JOIN unit u ON u.id = l.unit
JOIN host m ON m.id = l.mac
JOIN host h ON h.id = l.address
LEFT JOIN host s ON s.id = l.server
ORDER BY u.name, l.first_us, h.bytes;

ALTER TABLE flow_more ADD COLUMN told INTEGER;
