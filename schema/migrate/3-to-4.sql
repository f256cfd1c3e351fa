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

-- Where a run stands at its last commit: should its recorder die, another one goes on from there, and
-- nothing is counted twice. A run that has ended has no row here; one of files that died is gone on with
-- by whoever reads the same files again.
CREATE TABLE handover (
	run      INTEGER PRIMARY KEY REFERENCES run(id),
	session  INTEGER NOT NULL,  -- number of the program that wrote this: for that one alone are ...
	facts    INTEGER NOT NULL,  -- ... the positions on its rings,
	opinions INTEGER NOT NULL,
	control  INTEGER NOT NULL,
	skip     INTEGER NOT NULL,  -- and so many of the facts to come are in the database already
	reads    TEXT    NOT NULL,  -- what is read, by which policy, in which way: a hash; '' where that cannot be had again
	inputs   TEXT    NOT NULL,  -- the files: 'size:hash,', one behind the other
	sums     BLOB    NOT NULL   -- what the recorder has counted so far
) STRICT;

-- Flows of such a run that are over and wait for their last word, in order.
CREATE TABLE held (
	id      INTEGER PRIMARY KEY,
	run     INTEGER NOT NULL REFERENCES run(id),
	opinion INTEGER NOT NULL,   -- what nDPI thinks of it
	marks   INTEGER NOT NULL,   -- mask: 1, 2 judged to the end for the unit at end 0, 1; 4, 8 has waited there
	event   BLOB    NOT NULL    -- its last facts, as the sensor told them
) STRICT;
