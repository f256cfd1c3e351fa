-- 3-to-4.sql - evidence of findings, who closed one and why, from when on which policy judged.
-- Afterwards the database is as schema/flowdb.sql makes it.

CREATE INDEX evidence_finding ON evidence (finding) WHERE finding IS NOT NULL;
ALTER TABLE finding_change ADD COLUMN by_whom TEXT NOT NULL DEFAULT '';
ALTER TABLE finding_change ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE finding_change ADD COLUMN at_us INTEGER;

ALTER TABLE run ADD COLUMN evidence_shed INTEGER;
ALTER TABLE run ADD COLUMN evidence_lost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN keep INTEGER;

-- What was kept for findings of the packets of each day, against the budget of a day.
CREATE TABLE evidence_day (
	day     INTEGER PRIMARY KEY, -- since 1970, UTC
	bytes   INTEGER NOT NULL,
	refused INTEGER NOT NULL     -- packets for which the day had nothing left
) STRICT;

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
	r.flows, r.kernel_dropped, r.inspect_shed, r.told_shed, r.tunnelled, r.streams_shed, r.young_shed,
	(SELECT word FROM word WHERE list = 'keep' AND id = r.keep) AS evidence,
	r.evidence_shed, r.evidence_lost,
	r.version
FROM run r
ORDER BY r.id;
