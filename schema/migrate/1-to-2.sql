-- 1-to-2.sql - what became of a process or a packet we could not see: tables blind and evidence, and
-- what `tlmon status` tells of a run. Afterwards the database is as schema/flowdb.sql makes it.

ALTER TABLE run ADD COLUMN told_shed INTEGER;
ALTER TABLE run ADD COLUMN begun_us INTEGER;
ALTER TABLE run ADD COLUMN packet_us INTEGER;
ALTER TABLE run ADD COLUMN roles_unknown TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN inspector_restarts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN sensor_restarts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN recorder_restarts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unit ADD COLUMN run INTEGER REFERENCES run(id);

-- Until now a run's clock was that of its packets; who was seen by which run was not kept.
UPDATE run SET packet_us = last_us, told_shed = 0;

CREATE TABLE blind (
	id       INTEGER PRIMARY KEY,
	run      INTEGER REFERENCES run(id),  -- NULL: between two runs
	cause    INTEGER NOT NULL,
	unit     INTEGER REFERENCES unit(id), -- NULL: all of them
	since_us INTEGER NOT NULL,
	until_us INTEGER,           -- NULL: it goes on
	count    INTEGER NOT NULL,  -- packets, flows, restarts, ..., as the cause counts; 0: not known
	detail   TEXT    NOT NULL   -- the interface, what a process died of; ''
) STRICT;

-- Packets kept as they were: one that a process died of.
CREATE TABLE evidence (
	id       INTEGER PRIMARY KEY,
	run      INTEGER NOT NULL REFERENCES run(id),
	flow     INTEGER,           -- number of its flow's first packet in the run (flow.packet); NULL: not known
	finding  INTEGER REFERENCES finding(id), -- what it is kept for; NULL: for `cause`
	time_us  INTEGER NOT NULL,
	cause    INTEGER,           -- as in blind: who died of it; NULL: nobody
	link     INTEGER NOT NULL,  -- what it begins with: 0 Ethernet, 1 Linux SLL, 2 SLL2, 3 IP, 4 loopback
	wire_len INTEGER NOT NULL,  -- bytes on the wire; kept are
	bytes    BLOB    NOT NULL
) STRICT;

DROP VIEW v_run;
CREATE VIEW v_run AS SELECT
	r.id, r.source, r.inputs, nullif(r.filter, '') AS filter,
	strftime('%Y-%m-%dT%H:%M:%S', r.first_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', r.first_us % 1000000) AS first,
	strftime('%Y-%m-%dT%H:%M:%S', r.last_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', r.last_us % 1000000) AS last,
	r.ended,
	strftime('%Y-%m-%dT%H:%M:%S', r.packet_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', r.packet_us % 1000000) AS packet,
	r.inspector_restarts, r.sensor_restarts, r.recorder_restarts,
	nullif(r.roles_unknown, '') AS roles_unknown,
	r.seen, r.in_flows, r.out_of_scope, r.malformed, r.fragments_lost, r.duplicates,
	r.flows, r.kernel_dropped, r.inspect_shed, r.told_shed, r.version
FROM run r
ORDER BY r.id;

CREATE VIEW v_blind AS SELECT
	b.id, b.run,
	(SELECT word FROM word WHERE list = 'cause' AND id = b.cause) AS cause,
	u.name AS unit,
	strftime('%Y-%m-%dT%H:%M:%S', b.since_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', b.since_us % 1000000) AS start,
	iif(b.until_us IS NULL, NULL, strftime('%Y-%m-%dT%H:%M:%S', b.until_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', b.until_us % 1000000)) AS "end",
	round((b.until_us - b.since_us) / 1e6, 3) AS seconds,
	b.count,
	(SELECT word FROM word WHERE list = 'counted' AND id = b.cause) AS counted,
	nullif(b.detail, '') AS detail,
	(SELECT word FROM word WHERE list = 'sentence' AND id = b.cause) AS sentence
FROM blind b
LEFT JOIN unit u ON u.id = b.unit
ORDER BY b.since_us, b.id;

CREATE VIEW v_evidence AS SELECT
	e.id, e.run, e.flow,
	'F' || e.finding AS finding,
	strftime('%Y-%m-%dT%H:%M:%S', e.time_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', e.time_us % 1000000) AS time,
	(SELECT word FROM word WHERE list = 'cause' AND id = e.cause) AS cause,
	e.link, e.wire_len,
	length(e.bytes) AS kept,
	lower(hex(substr(e.bytes, 1, 32))) AS head
FROM evidence e
ORDER BY e.id;

-- What became of findings, in the order in which it was written, so that whoever tells others of it
-- knows what is new. The triggers keep it: no writer of findings can forget it, and it is rolled back
-- with them.
-- A finding opened, was waived, was closed, or was seen again in a later run.
CREATE TABLE finding_change (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: readers go on after the last they saw
	finding INTEGER NOT NULL REFERENCES finding(id) ON DELETE CASCADE,
	run     INTEGER NOT NULL REFERENCES run(id),
	state   INTEGER NOT NULL, -- from then on: 1 open, 2 waived, 3 closed
	time_us INTEGER NOT NULL  -- of the flow that opened it, or of its last flow by then
) STRICT;
CREATE INDEX finding_change_run ON finding_change (finding, run);

CREATE TRIGGER finding_opens AFTER INSERT ON finding WHEN NEW.open
BEGIN
	INSERT INTO finding_change (finding, run, state, time_us)
	VALUES (NEW.id, (SELECT max(id) FROM run), iif(NEW.waiver = '', 1, 2), NEW.first_us);
END;

CREATE TRIGGER finding_changes AFTER UPDATE ON finding WHEN
	iif(OLD.open, OLD.waiver <> '', 2) <> iif(NEW.open, NEW.waiver <> '', 2)
	OR (NEW.open AND NEW.flows > OLD.flows AND NOT EXISTS (SELECT 1 FROM finding_change
		WHERE finding = NEW.id AND run = (SELECT max(id) FROM run)))
BEGIN
	INSERT INTO finding_change (finding, run, state, time_us)
	VALUES (NEW.id, (SELECT max(id) FROM run), iif(NEW.open, iif(NEW.waiver = '', 1, 2), 3),
		iif(EXISTS (SELECT 1 FROM finding_change WHERE finding = NEW.id), NEW.last_us, NEW.first_us));
END;

CREATE VIEW v_finding_change AS SELECT
	c.id,
	'F' || c.finding AS finding,
	c.run,
	CASE c.state WHEN 1 THEN 'open' WHEN 2 THEN 'waived' ELSE 'closed' END AS state,
	strftime('%Y-%m-%dT%H:%M:%S', c.time_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', c.time_us % 1000000) AS time
FROM finding_change c
ORDER BY c.id;
