-- 3-to-4.sql - evidence of findings, who closed one and why, from when on which policy judged; rows of flow
-- of two thirds the size.
-- Afterwards the database is of version 4.

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

-- Numbers of blind intervals, packets and findings are never given again. The name in REFERENCES stays as it is.
ALTER TABLE blind RENAME TO blind_3;
CREATE TABLE blind (
	id       INTEGER PRIMARY KEY AUTOINCREMENT, -- never given again: an archive has those that went from here
	run      INTEGER REFERENCES run(id),  -- NULL: between two runs
	cause    INTEGER NOT NULL,
	unit     INTEGER REFERENCES unit(id), -- NULL: all of them
	since_us INTEGER NOT NULL,
	until_us INTEGER,           -- NULL: it goes on
	count    INTEGER NOT NULL,  -- packets, flows, restarts, ..., as the cause counts; 0: not known
	detail   TEXT    NOT NULL   -- the interface, what a process died of; ''
) STRICT;
INSERT INTO blind SELECT * FROM blind_3 ORDER BY id;
DROP TABLE blind_3;

ALTER TABLE evidence RENAME TO evidence_3;
CREATE TABLE evidence (
	id       INTEGER PRIMARY KEY AUTOINCREMENT, -- as in blind
	run      INTEGER NOT NULL REFERENCES run(id),
	flow     INTEGER,           -- number of its flow's first packet in the run (flow.packet); NULL: not known
	finding  INTEGER REFERENCES finding(id), -- what it is kept for; NULL: for `cause`
	time_us  INTEGER NOT NULL,
	cause    INTEGER,           -- as in blind: who died of it; NULL: nobody
	link     INTEGER NOT NULL,  -- what it begins with: 0 Ethernet, 1 Linux SLL, 2 SLL2, 3 IP, 4 loopback
	wire_len INTEGER NOT NULL,  -- bytes on the wire; kept are
	bytes    BLOB    NOT NULL
) STRICT;
INSERT INTO evidence SELECT * FROM evidence_3 ORDER BY id;
DROP TABLE evidence_3;
CREATE INDEX evidence_finding ON evidence (finding) WHERE finding IS NOT NULL;

DROP INDEX finding_key;
DROP TRIGGER finding_opens;
DROP TRIGGER finding_changes;
ALTER TABLE finding RENAME TO finding_3;
CREATE TABLE finding (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- F17 is 17, and never another one
	unit        INTEGER NOT NULL REFERENCES unit(id),
	kind        INTEGER NOT NULL,
	severity    INTEGER NOT NULL,    -- 1 info .. 4 high
	row         INTEGER REFERENCES envelope_row(id), -- nearest, or the one that is blocked; NULL: none comes near
	remote      TEXT    NOT NULL,    -- the peers gathered: a prefix or an address; '' where the role says it
	role        TEXT    NOT NULL,    -- ''
	transport   INTEGER NOT NULL,
	port        TEXT    NOT NULL,    -- the peer's: '123', '50000-59999'; ''
	application INTEGER NOT NULL,
	first_us    INTEGER NOT NULL,
	last_us     INTEGER NOT NULL,
	flows       INTEGER NOT NULL,    -- counted in full; of these
	kept        INTEGER NOT NULL,    -- have a row in flow
	bytes       INTEGER NOT NULL,    -- both ways
	open        INTEGER NOT NULL,    -- 0: closed, and reason says why
	reason      TEXT    NOT NULL,
	waiver      TEXT    NOT NULL     -- 'owner: reason (until 2026-12-31)'; ''
) STRICT;
INSERT INTO finding SELECT * FROM finding_3 ORDER BY id;
DROP TABLE finding_3;
CREATE UNIQUE INDEX finding_key
	ON finding (unit, kind, coalesce(row, 0), remote, role, transport, port, application);

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

-- Also where foreign keys are off.
CREATE TRIGGER finding_goes AFTER DELETE ON finding
BEGIN
	DELETE FROM finding_change WHERE finding = OLD.id;
END;

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

DROP VIEW v_finding;
CREATE VIEW v_finding AS SELECT
	'F' || f.id AS id,
	u.name AS unit,
	(SELECT word FROM word WHERE list = 'kind' AND id = f.kind) AS kind,
	(SELECT word FROM word WHERE list = 'severity' AND id = f.severity) AS severity,
	(SELECT text FROM envelope_row WHERE id = f.row) AS row,
	nullif(f.remote, '') AS remote,
	nullif(f.role, '') AS role,
	(SELECT word FROM word WHERE list = 'transport' AND id = nullif(f.transport, 0)) AS transport,
	nullif(f.port, '') AS port,
	(SELECT word FROM word WHERE list = 'application' AND id = nullif(f.application, 0)) AS application,
	strftime('%Y-%m-%dT%H:%M:%S', f.first_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', f.first_us % 1000000) AS first,
	strftime('%Y-%m-%dT%H:%M:%S', f.last_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', f.last_us % 1000000) AS last,
	f.flows, f.kept, f.bytes,
	iif(f.open, iif(f.waiver = '', 'open', 'waived'), 'closed') AS state,
	f.reason,
	nullif(f.waiver, '') AS waiver
FROM finding f
JOIN unit u ON u.id = f.unit
ORDER BY f.severity DESC, f.flows DESC, f.id;

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

-- Flows, packed. They and what hangs from them keep their ids. Foreign keys are off meanwhile, and the
-- name in REFERENCES stays as it is (legacy_alter_table), so that flow_more refers to the new one.
DROP VIEW v_flow;
DROP INDEX flow_unit;
DROP INDEX flow_outside;
ALTER TABLE flow RENAME TO flow_3;

-- The ends of frames: the MACs of unit and peer (a router's where one is not near), and the VLAN.
CREATE TABLE link (
	id         INTEGER PRIMARY KEY,
	local_mac  INTEGER REFERENCES host(id), -- NULL: not known
	remote_mac INTEGER REFERENCES host(id),
	vlan       INTEGER                      -- of the first packet; NULL: untagged
) STRICT;
CREATE UNIQUE INDEX link_key ON link (coalesce(local_mac, 0), coalesce(remote_mac, 0), coalesce(vlan, -1));

-- Rows of the envelope that cover a flow equally well, best first.
CREATE TABLE row_set (
	id   INTEGER PRIMARY KEY,
	text TEXT    NOT NULL UNIQUE     -- 'online.out.audio, online.out.video'
) STRICT;

INSERT INTO link (local_mac, remote_mac, vlan) SELECT DISTINCT local_mac, remote_mac, vlan FROM flow_3
	WHERE coalesce(local_mac, remote_mac, vlan) IS NOT NULL ORDER BY 1, 2, 3;

CREATE TEMP TABLE rows_of (
	flow INTEGER PRIMARY KEY,
	text TEXT
);
INSERT INTO rows_of SELECT flow, group_concat(text, ', ') FROM (
	SELECT f.id AS flow, 0 AS rank, e.text FROM flow_3 f JOIN envelope_row e ON e.id = f.row
		WHERE f.id IN (SELECT flow FROM flow_row)
	UNION ALL SELECT r.flow, r.rank, e.text FROM flow_row r JOIN envelope_row e ON e.id = r.row
	ORDER BY 1, 2) GROUP BY flow;
INSERT INTO row_set (text) SELECT DISTINCT text FROM rows_of ORDER BY text;

-- One conversation of one unit. Between two units there are two rows, judged apart. This is the one
-- large table: a row takes some 80 bytes and its entry in flow_unit some 25. The program writes with foreign
-- keys off: it takes the ids out of those tables in the same transaction, and looking them up again would
-- take half of its time. PRAGMA foreign_key_check, in `tlmon db check`, holds it to them.
CREATE TABLE flow (
	id           INTEGER PRIMARY KEY,
	run          INTEGER NOT NULL REFERENCES run(id),
	policy       INTEGER NOT NULL REFERENCES policy(id), -- it was judged by
	unit         INTEGER NOT NULL REFERENCES unit(id),
	start_us     INTEGER NOT NULL,
	lasted_us    INTEGER NOT NULL,   -- to the last packet
	packet       INTEGER NOT NULL,   -- number of its first packet in the run
	transport    INTEGER NOT NULL,   -- IP protocol number
	local        INTEGER NOT NULL REFERENCES host(id),
	local_port   INTEGER NOT NULL,
	remote       INTEGER NOT NULL REFERENCES host(id),
	remote_port  INTEGER NOT NULL,
	link         INTEGER REFERENCES link(id), -- NULL: neither MAC nor VLAN is known
	name         INTEGER REFERENCES name(id), -- the name seen in it; NULL: none
	application  INTEGER NOT NULL,
	verdict      INTEGER NOT NULL,
	row          INTEGER REFERENCES envelope_row(id), -- the best one that covers it; all that do: row_set
	kind         INTEGER NOT NULL,   -- what is wrong with it; 0: nothing
	finding      INTEGER REFERENCES finding(id),
	packets_out  INTEGER NOT NULL,
	packets_in   INTEGER NOT NULL,
	bytes_out    INTEGER NOT NULL,   -- IP total lengths
	bytes_in     INTEGER NOT NULL,
	said         INTEGER NOT NULL,   -- packed, from bit 0: 2 how the application is known; 3 outcome; 2
	                                 -- direction (0 unknown, 1 out, 2 in); 2 grade; 3 media, a mask (1 audio,
	                                 -- 2 video, 4 data); 4 why; 3 severity; 1 we did not see all of its time;
	                                 -- 5 beside its facts the judge was told, a mask: 1 no two-way flow of the
	                                 -- unit near it, 2 no inspector was there, 4 names of the unit had found no
	                                 -- place, 8 the lease came after it, 16 it was not over yet; the rest
	                                 -- row_set, 0: no other row than `row`. v_flow unpacks
	how          INTEGER NOT NULL,   -- packed, from bit 0: 1 the peer sent the first packet; 2 who opened
	                                 -- (0 unit, 1 peer, 2 unknown); 3 how that is known; 1 begun before
	                                 -- we looked; 3 settled by; 2 what the name is; 1 closed; 1 has
	                                 -- flow_more; 1, 1 unit, peer answered an ICE check; 2 client
	                                 -- certificate; 8 TLS version, low byte; 1 IPv6; 1 begun before we
	                                 -- looked and seen first of all; 1 answers a query seen; 1 the same
	                                 -- was asked in another flow, unanswered there too; 1 packets were
	                                 -- lost meanwhile: that no answer came says nothing
	tcp_flags    INTEGER NOT NULL,   -- all seen, or-ed: unit's + 256 * peer's
	asked        INTEGER NOT NULL,   -- requests that must be answered: mask, how many << 8, silent seconds << 24
	payloads     INTEGER NOT NULL    -- packets with payload + 65536 * packets inspected
) STRICT;
CREATE INDEX flow_unit ON flow (unit, start_us);
CREATE INDEX flow_outside ON flow (finding, start_us) WHERE finding IS NOT NULL OR kind > 0;
-- Those longer than an hour, so that what overlaps a window is sought from an hour before it on.
CREATE INDEX flow_long ON flow (unit, start_us) WHERE lasted_us > 3600000000;

INSERT INTO flow (id, run, policy, unit, start_us, lasted_us, packet, transport, local, local_port, remote, remote_port,
	link, name, application, verdict, row, kind, finding, packets_out, packets_in, bytes_out, bytes_in, said, how,
	tcp_flags, asked, payloads)
SELECT f.id, f.run, f.policy, f.unit, f.start_us, f.lasted_us, f.packet, f.transport, f.local, f.local_port, f.remote,
	f.remote_port, k.id, f.name, f.application, f.verdict, f.row, f.kind, f.finding, f.packets_out, f.packets_in,
	f.bytes_out, f.bytes_in,
	f.evidence | (f.outcome << 2) | (f.direction << 5) | (f.grade << 7) | (f.media << 9) | (f.why << 12)
		| (f.severity << 16) | (f.blind << 19) | (coalesce(s.id, 0) << 25),
	(f.how & 4095) | ((f.how >> 24 & 1) << 12) | ((f.how >> 27 & 1) << 13) | ((f.how >> 12 & 4095) << 14)
		| ((f.how >> 25 & 1) << 26) | ((f.how >> 28 & 15) << 27), -- bit 26 said that flow_row had some
	f.tcp_flags, f.asked, f.payloads
FROM flow_3 f
LEFT JOIN link k ON coalesce(k.local_mac, 0) = coalesce(f.local_mac, 0)
	AND coalesce(k.remote_mac, 0) = coalesce(f.remote_mac, 0) AND coalesce(k.vlan, -1) = coalesce(f.vlan, -1)
LEFT JOIN rows_of x ON x.flow = f.id
LEFT JOIN row_set s ON s.text = x.text
ORDER BY f.id;
DROP TABLE rows_of;

ALTER TABLE flow_differs RENAME TO flow_differs_3;
-- Of a flow outside: in what it differs from the nearest rows.
CREATE TABLE flow_differs (
	flow     INTEGER NOT NULL REFERENCES flow(id) ON DELETE CASCADE,
	rank     INTEGER NOT NULL,       -- of the row: 0 is the nearest
	field    INTEGER NOT NULL,
	row      INTEGER NOT NULL REFERENCES envelope_row(id),
	expected INTEGER NOT NULL REFERENCES phrase(id),
	seen     INTEGER NOT NULL REFERENCES phrase(id),
	PRIMARY KEY (flow, rank, field)
) STRICT, WITHOUT ROWID;
INSERT INTO flow_differs SELECT flow, rank, field, row, expected, seen FROM flow_differs_3 ORDER BY 1, 2, 3;
DROP TABLE flow_differs_3;
DROP TABLE flow_row;
DROP TABLE flow_3;

-- How many rows of flow each unit has, so that nobody has to count them. The program adds at every
-- commit; what is deleted the trigger takes off.
CREATE TABLE tally (
	unit    INTEGER NOT NULL,
	verdict INTEGER NOT NULL,
	grade   INTEGER NOT NULL,
	flows   INTEGER NOT NULL,
	PRIMARY KEY (unit, verdict, grade)
) STRICT, WITHOUT ROWID;

-- With a flow goes what hangs from it, also where foreign keys are off.
CREATE TRIGGER flow_goes AFTER DELETE ON flow
BEGIN
	DELETE FROM flow_more WHERE flow = OLD.id;
	DELETE FROM flow_differs WHERE flow = OLD.id;
	INSERT INTO tally (unit, verdict, grade, flows) VALUES (OLD.unit, OLD.verdict, OLD.said >> 7 & 3, -1)
	ON CONFLICT DO UPDATE SET flows = flows - 1;
END;

-- Local ports of a unit's conversations that ever carried media, or checks for it.
CREATE TABLE media_port (
	unit INTEGER NOT NULL,
	port INTEGER NOT NULL,
	PRIMARY KEY (unit, port)
) STRICT, WITHOUT ROWID;

INSERT INTO tally SELECT unit, verdict, said >> 7 & 3, count(*) FROM flow GROUP BY 1, 2, 3;
INSERT INTO media_port SELECT DISTINCT unit, local_port FROM flow WHERE transport IN (6, 17)
	AND (said >> 9 & 7 OR how >> 14 & 3 OR (said & 3 = 1 AND application IN (7, 9, 10, 13))); -- stun rtp rtcp turn-channel

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
		FROM flow_differs d
		JOIN envelope_row x ON x.id = d.row
		JOIN word w ON w.list = 'field' AND w.id = d.field
		JOIN phrase e ON e.id = d.expected
		JOIN phrase s ON s.id = d.seen
		WHERE d.flow = f.id AND d.rank = 0) AS nearest,
	f.packets_out, f.packets_in, f.bytes_out, f.bytes_in, k.vlan, f.said >> 19 & 1 AS blind,
	substr(p.hash, 1, 12) AS policy
FROM flow f
JOIN unit u ON u.id = f.unit
JOIN host l ON l.id = f.local
JOIN host r ON r.id = f.remote
JOIN policy p ON p.id = f.policy
LEFT JOIN name n ON n.id = f.name
LEFT JOIN link k ON k.id = f.link;

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
	counted   INTEGER NOT NULL,  -- 0: the site did not believe that server; kept for another policy
	PRIMARY KEY (unit, mac, address, first_us, run)
) STRICT, WITHOUT ROWID;
INSERT INTO lease SELECT coalesce((SELECT r.id FROM run r WHERE r.first_us <= x.first_us ORDER BY r.first_us DESC, r.id DESC LIMIT 1),
	(SELECT min(id) FROM run)),
	x.unit, x.mac, x.address, x.first_us, x.last_us, x.until_us, x.server, x.mask_bits, x.dns, 1
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
		WHERE d.bytes = substr(l.dns, n.column1, 16)) AS dns,
	l.counted, l.run
FROM lease l
JOIN unit u ON u.id = l.unit
JOIN host m ON m.id = l.mac
JOIN host h ON h.id = l.address
LEFT JOIN host s ON s.id = l.server
ORDER BY u.name, l.first_us, h.bytes;

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
