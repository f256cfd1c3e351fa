-- compare.sql - holds what the actions wrote down (expect.sh) against what the monitor recorded.
-- In: expected, flows.jsonl, findings.jsonl in the folder it runs in. Out: the views table_line, tap_line, total.
-- A flow belongs to the pattern that fits it most closely; nobody's flow is one that nobody meant.

CREATE TABLE expected (label, unit, transport, local_port, way, remote, remote_port, verdict, grade, "row", kind,
	severity, why, app, media);
.mode tabs
.import expected expected
CREATE TABLE line (j);
CREATE TABLE finding_line (j);
.mode list
.separator "\037" "\n"
.import flows.jsonl line
.import findings.jsonl finding_line

CREATE TABLE flow AS
SELECT json_extract(j, '$.id') AS id, json_extract(j, '$.unit') AS unit, json_extract(j, '$.transport') AS transport,
	CAST(json_extract(j, '$.local_port') AS TEXT) AS local_port, json_extract(j, '$.direction') AS way, json_extract(j, '$.remote') AS remote,
	CAST(json_extract(j, '$.remote_port') AS TEXT) AS remote_port, json_extract(j, '$.verdict') AS verdict,
	coalesce(json_extract(j, '$.grade'), '') AS grade,
	coalesce(json_extract(j, '$.row'), json_extract(j, '$.nearest[0].row'), '') AS "row",
	CASE json_array_length(j, '$.rows') WHEN 0 THEN json_array(coalesce(json_extract(j, '$.nearest[0].row'), ''))
		ELSE json_extract(j, '$.rows') END AS rows,
	coalesce(json_extract(j, '$.kind'), '') AS kind, coalesce(json_extract(j, '$.severity'), '') AS severity,
	coalesce(json_extract(j, '$.why'), '') AS why, coalesce(json_extract(j, '$.application'), '') AS app,
	coalesce(json_extract(j, '$.media'), '') AS media, coalesce(json_extract(j, '$.outcome'), '') AS outcome,
	json_extract(j, '$.finding') AS finding
FROM line WHERE j <> '';
CREATE TABLE finding AS SELECT json_extract(j, '$.id') AS id, json_extract(j, '$.kind') AS kind, json_extract(j, '$.unit') AS unit,
	json_extract(j, '$.reason') AS reason FROM finding_line
	WHERE j <> '' AND json_extract(j, '$.reason') NOT LIKE 'folded into %';

-- The same action again and again is one pattern, so many times.
CREATE TABLE pattern AS SELECT min(rowid) AS seq, count(*) AS times, * FROM expected
	GROUP BY label, unit, transport, local_port, way, remote, remote_port, verdict, grade, "row", kind, severity, why, app, media;

CREATE TABLE claim AS
SELECT f.*, (SELECT p.seq FROM pattern p WHERE p.unit = f.unit AND p.transport = f.transport
		AND p.local_port IN ('*', f.local_port) AND p.remote IN ('*', f.remote)
		AND p.remote_port IN ('*', f.remote_port) AND (p.way IN ('*', f.way) OR f.way = 'unknown')
	ORDER BY (p.local_port <> '*') + (p.remote <> '*') + (p.remote_port <> '*') DESC, p.seq LIMIT 1) AS seq
FROM flow f;

CREATE TABLE held AS
SELECT c.*, p.label, trim(c.verdict || ' ' || iif(c.verdict = 'outside', c.kind || ' ' || c.severity || ' ' || c."row",
		c.grade || ' ' || c.why || ' ' || c."row" || ' ' || c.kind)) || rtrim(' ' || c.app || ' ' || c.media) AS got,
	p.verdict = c.verdict AND (p.kind = '*' OR instr('|' || p.kind || '|', '|' || c.kind || '|')) AND p.severity IN ('*', c.severity)
		AND (p.grade = '*' OR instr('|' || p.grade || '|', '|' || c.grade || '|'))
		AND (p."row" = '*' OR p."row" IN (SELECT value FROM json_each(c.rows)))
		AND (p.why = '*' OR instr('|' || p.why || '|', '|' || c.why || '|'))
		AND (p.app = '*' OR instr('|' || p.app || '|', '|' || c.app || '|')) AND p.media IN ('*', c.media) AS fits
FROM claim c JOIN pattern p USING (seq);

CREATE TABLE pattern_held AS
SELECT p.*, (SELECT count(*) FROM held h WHERE h.seq = p.seq) AS flows, (SELECT count(*) FROM held h WHERE h.seq = p.seq AND h.fits) AS fit,
	(SELECT h.got || ' (' || h.id || ')' FROM held h WHERE h.seq = p.seq ORDER BY h.fits, h.id LIMIT 1) AS got,
	trim(replace(p.verdict || ' ' || iif(p.verdict = 'outside', p.kind || ' ' || p.severity || ' ' || p."row",
		p.grade || ' ' || p.why || ' ' || p."row" || ' ' || p.kind), ' *', '')) || replace(rtrim(' ' || p.app || ' ' || p.media), ' *', '')
		AS wanted
FROM pattern p;

CREATE VIEW label_held AS
SELECT min(seq) AS seq, label, sum(times) AS times, sum(flows) AS flows, sum(fit) AS fit, min(flows >= times AND fit = flows) AS good,
	group_concat(DISTINCT wanted) AS wanted, group_concat(DISTINCT coalesce(got, 'nothing')) AS got,
	(SELECT group_concat('wanted ' || times || ' of ' || unit || ' ' || transport || ' ' || local_port || ' ' || remote || ':' || remote_port ||
		': ' || wanted || '; got ' || flows || ': ' || coalesce(got, 'nothing'), char(10) || '#   ') FROM pattern_held x
		WHERE x.label = p.label AND NOT (x.flows >= x.times AND x.fit = x.flows)) AS wrong
FROM pattern_held p GROUP BY label;

CREATE VIEW table_line AS
SELECT printf('%-44s %-62s %5s  %s', 'ROW OR VIOLATION', 'EXPECTED', 'FLOWS', 'GOT') AS line, -1 AS seq
UNION ALL SELECT printf('%-44s %-62s %5d  %s', label, wanted, flows, iif(good, 'the same', got)), seq FROM label_held
ORDER BY 2;

CREATE VIEW tap_line AS
SELECT iif(good, 'ok - ' || label, 'not ok - ' || label || char(10) || '#   ' || wrong) AS line, seq FROM label_held
UNION ALL SELECT iif(count(*) = 0, 'ok - no unit has a flow that nobody meant', 'not ok - no unit has a flow that nobody meant' || char(10) ||
	group_concat('#   ' || unit || ' ' || transport || ' ' || local_port || ' ' || way || ' ' || remote || ':' || remote_port || ' ' || verdict ||
		' ' || kind || ' ' || app || ' (' || id || ')', char(10))), 1e9 FROM claim WHERE seq IS NULL
UNION ALL SELECT iif(count(*) = 0, 'ok - no false finding', 'not ok - no false finding' || char(10) ||
	group_concat('#   ' || id || ' ' || unit || ' ' || kind || ': ' || reason, char(10))), 1e9 + 1 FROM finding
	WHERE id NOT IN (SELECT finding FROM held h JOIN pattern p USING (seq) WHERE h.finding IS NOT NULL AND h.fits
		AND (p.verdict = 'outside' OR p.kind <> ''))
ORDER BY seq;

CREATE VIEW total AS
SELECT (SELECT count(*) FROM flow WHERE verdict = 'documented' AND kind = ''), (SELECT count(*) FROM finding),
	(SELECT count(DISTINCT label) FROM pattern WHERE verdict = 'outside');
