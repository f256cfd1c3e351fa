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

-- Flows of the time that runs cover which are not here, so that a question about that time is not answered
-- with silence. A flow that went beyond until_us is here.
CREATE TABLE removed (
	id       INTEGER PRIMARY KEY,
	how      INTEGER NOT NULL, -- 1 deleted by retention; 2 moved to an archive; 3 (of an archive) never moved here
	since_us INTEGER,          -- NULL: from the beginning; flows that ended in between are gone; ...
	until_us INTEGER,          -- ... NULL: to the end
	flows    INTEGER NOT NULL, -- rows, so far
	place    TEXT    NOT NULL  -- the folder they are in; ''
) STRICT;
CREATE UNIQUE INDEX removed_key ON removed (how, place);

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

CREATE VIEW v_removed AS SELECT
	CASE r.how WHEN 1 THEN 'retention' WHEN 2 THEN 'archived' ELSE 'elsewhere' END AS how,
	strftime('%Y-%m-%dT%H:%M:%S', r.since_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', r.since_us % 1000000) AS since,
	strftime('%Y-%m-%dT%H:%M:%S', r.until_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', r.until_us % 1000000) AS until,
	r.flows,
	nullif(r.place, '') AS place
FROM removed r
ORDER BY r.id;
