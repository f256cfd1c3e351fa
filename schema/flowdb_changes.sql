-- flowdb_changes.sql - the step from version 1 to 2: what became of findings, in the order in which it
-- was written, so that whoever tells others of it knows what is new. The triggers keep it: no writer of
-- findings can forget it, and it is rolled back with them.

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
