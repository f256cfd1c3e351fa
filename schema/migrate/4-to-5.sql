-- 4-to-5.sql - flows that differ alike from the nearest rows share the lines that say in what.
-- Afterwards the database is as schema/flowdb.sql makes it.

DROP VIEW v_flow;
DROP TRIGGER flow_goes;
ALTER TABLE flow ADD COLUMN differs INTEGER;

-- In what flows outside differ from the nearest rows. Flows that differ alike share an id (flow.differs). An id is never
-- given again, and not below the number of a flow that names it, rounded down to a multiple of 1048576: what stands
-- below the first flow, rounded so, is named by none, and goes.
CREATE TABLE differs (
	id       INTEGER NOT NULL,
	rank     INTEGER NOT NULL,       -- of the row: 0 is the nearest
	field    INTEGER NOT NULL,
	row      INTEGER NOT NULL REFERENCES envelope_row(id),
	expected INTEGER NOT NULL REFERENCES phrase(id),
	seen     INTEGER NOT NULL REFERENCES phrase(id),
	PRIMARY KEY (id, rank, field)
) STRICT, WITHOUT ROWID;

-- An id is that of the first such flow, of the same 1048576 numbers.
CREATE TABLE alike (flow INTEGER PRIMARY KEY, era INTEGER, text TEXT);
INSERT INTO alike SELECT flow, flow >> 20, group_concat(rank || ',' || field || ',' || row || ',' || expected || ',' || seen, ';')
	FROM (SELECT * FROM flow_differs ORDER BY flow, rank, field) GROUP BY flow;
CREATE INDEX alike_text ON alike (era, text, flow);
UPDATE flow SET differs = (SELECT x.flow FROM alike a JOIN alike x ON x.era = a.era AND x.text = a.text
	WHERE a.flow = flow.id ORDER BY x.flow LIMIT 1) WHERE id IN (SELECT flow FROM alike);
INSERT INTO differs SELECT flow, rank, field, row, expected, seen FROM flow_differs
	WHERE flow IN (SELECT min(flow) FROM alike GROUP BY era, text) ORDER BY 1, 2, 3;
DROP TABLE alike;
DROP TABLE flow_differs;
-- An archive becomes of this version on its own, and names ids by its flows: the next one given here lies above all of them.
-- No flow names this one.
INSERT INTO differs SELECT id, 0, 0, (SELECT max(id) FROM envelope_row), (SELECT max(id) FROM phrase),
	(SELECT max(id) FROM phrase) FROM flow
	WHERE id = (SELECT max(id) FROM flow) AND id NOT IN (SELECT id FROM differs)
	AND EXISTS (SELECT 1 FROM removed WHERE how = 2) AND EXISTS (SELECT 1 FROM phrase);

-- With a flow goes what hangs from it, also where foreign keys are off.
CREATE TRIGGER flow_goes AFTER DELETE ON flow
BEGIN
	DELETE FROM flow_more WHERE flow = OLD.id;
	INSERT INTO tally (unit, verdict, grade, flows) VALUES (OLD.unit, OLD.verdict, OLD.said >> 7 & 3, -1)
	ON CONFLICT DO UPDATE SET flows = flows - 1;
END;

CREATE VIEW v_flow AS SELECT
	f.id,
	strftime('%Y-%m-%dT%H:%M:%S', f.start_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', f.start_us % 1000000) AS start,
	strftime('%Y-%m-%dT%H:%M:%S', (f.start_us + f.lasted_us) / 1000000, 'unixepoch')
		|| printf('.%06dZ', (f.start_us + f.lasted_us) % 1000000) AS "end",
	u.name AS unit,
	(SELECT word FROM word WHERE list = 'transport' AND id = f.transport) AS transport,
	4 + 2 * (f.how >> 26 & 1) AS ip_version,
	(SELECT word FROM word WHERE list = 'direction' AND id = f.said >> 5 & 3) AS direction,
	(SELECT word FROM word WHERE list = 'initiator' AND id = f.how >> 3 & 7) AS initiator,
	l.text AS local,
	iif(f.transport IN (1, 58), NULL, f.local_port) AS local_port,
	r.text AS remote,
	iif(f.transport IN (1, 58), NULL, f.remote_port) AS remote_port,
	n.text AS name,
	(SELECT word FROM word WHERE list = 'application' AND id = nullif(f.application, 0)) AS application,
	(SELECT word FROM word WHERE list = 'evidence' AND id = f.said & 3) AS evidence,
	(SELECT word FROM word WHERE list = 'media' AND id = f.said >> 9 & 7) AS media,
	(SELECT word FROM word WHERE list = 'outcome' AND id = f.said >> 2 & 7) AS outcome,
	(SELECT word FROM word WHERE list = 'verdict' AND id = f.verdict) AS verdict,
	(SELECT word FROM word WHERE list = 'grade' AND id = f.said >> 7 & 3) AS grade,
	(SELECT word FROM word WHERE list = 'why' AND id = f.said >> 12 & 15) AS why,
	(SELECT text FROM envelope_row WHERE id = f.row) AS row,
	(SELECT word FROM word WHERE list = 'kind' AND id = f.kind) AS kind,
	(SELECT word FROM word WHERE list = 'severity' AND id = f.said >> 16 & 7) AS severity,
	'F' || f.finding AS finding,
	(SELECT group_concat(x.text || ': ' || w.word || ' ' || s.text || ', expected ' || e.text, '; ')
		FROM differs d
		JOIN envelope_row x ON x.id = d.row
		JOIN word w ON w.list = 'field' AND w.id = d.field
		JOIN phrase e ON e.id = d.expected
		JOIN phrase s ON s.id = d.seen
		WHERE d.id = f.differs AND d.rank = 0) AS nearest,
	f.packets_out, f.packets_in, f.bytes_out, f.bytes_in, k.vlan, f.said >> 19 & 1 AS blind,
	substr(p.hash, 1, 12) AS policy
FROM flow f
JOIN unit u ON u.id = f.unit
JOIN host l ON l.id = f.local
JOIN host r ON r.id = f.remote
JOIN policy p ON p.id = f.policy
LEFT JOIN name n ON n.id = f.name
LEFT JOIN link k ON k.id = f.link;
