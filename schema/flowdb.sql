-- flowdb.sql - the flow database, version 5. Compiled in; the program runs it on an empty file. An
-- older database gets there by schema/migrate/, one step a version.
--
-- To look around:  sqlite3 -readonly flows.db 'SELECT * FROM v_finding'
-- The views (v_flow v_finding v_finding_change v_blind v_evidence v_unit v_lease v_coverage v_run v_name v_removed) spell
-- out addresses, times and words;
-- the tables under them are integers, so that a flow is a short row. Times are microseconds since
-- 1970, UTC, by the packets' own clock. local is at the unit, remote at the peer; out is sent by
-- the unit. Numbers of words (verdict, application, ...) are explained by the table `word`.

-- What the numbers mean. Filled by the program from the lists it is compiled from, at every
-- opening for writing, so it cannot drift from what is stored.
CREATE TABLE word (
	list TEXT    NOT NULL,      -- which list: 'verdict', 'application', 'kind', ...
	id   INTEGER NOT NULL,      -- the number stored
	word TEXT    NOT NULL,
	PRIMARY KEY (list, id)
) STRICT, WITHOUT ROWID;

-- One run of the program: a stretch of time in which it looked.
CREATE TABLE run (
	id       INTEGER PRIMARY KEY,
	version  TEXT    NOT NULL,  -- of the program
	source   TEXT    NOT NULL,  -- 'file' or 'live'
	inputs   TEXT    NOT NULL,  -- names of files or interfaces
	filter   TEXT    NOT NULL,  -- tcpdump words; '' for none
	first_us INTEGER,           -- how far its clock came: of files the first and last packet, ...
	last_us  INTEGER,           -- ... live written anew at every commit, also in silence: its heartbeat
	ended    INTEGER NOT NULL DEFAULT 0, -- 1: it ended in order; 0: it runs, or it died
	-- What became of every packet:
	-- seen = out_of_scope + in_flows + malformed + fragments_lost + duplicates
	seen INTEGER, bytes INTEGER, out_of_scope INTEGER, arp INTEGER, igmp INTEGER, nd INTEGER,
	in_flows INTEGER, malformed INTEGER, fragments_lost INTEGER, duplicates INTEGER,
	truncated INTEGER,          -- cut by the snap length
	errors_lost INTEGER,        -- ICMP errors that quote no flow we know
	flows INTEGER, evicted INTEGER, names_refused INTEGER,
	kernel_received INTEGER, kernel_dropped INTEGER, interface_dropped INTEGER,
	inspected INTEGER, inspect_shed INTEGER, told_shed INTEGER, -- shed: no place in a ring
	begun_us           INTEGER, -- live: when it began to look, by the wall clock; NULL for files
	packet_us          INTEGER, -- the last packet, to a commit; NULL: none yet
	roles_unknown      TEXT    NOT NULL DEFAULT '', -- 'edge,other-client': the site leaves them empty
	inspector_restarts INTEGER NOT NULL DEFAULT 0,  -- of its processes
	sensor_restarts    INTEGER NOT NULL DEFAULT 0,
	recorder_restarts  INTEGER NOT NULL DEFAULT 0,
	tunnelled          INTEGER, -- packets taken out of a tunnel
	streams_shed       INTEGER, -- bytes of TCP streams that could not be put in order
	young_shed         INTEGER, -- flows that were looked into for less time than others
	evidence_shed      INTEGER, -- first packets of flows: no place in a ring
	evidence_lost      INTEGER NOT NULL DEFAULT 0, -- ... given up, for want of memory, before their flow came under a finding
	keep               INTEGER  -- what of packets was kept: 0 full, 1 headers, 2 off; NULL: nothing yet could be
) STRICT;

-- Intervals in which something was not seen, and why. What is said of flows overlapping one, or of
-- flows that never came, is said with that reserve.
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

-- Packets kept as they were: the first ones of flows under a finding, and one that a process died of.
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
CREATE INDEX evidence_finding ON evidence (finding) WHERE finding IS NOT NULL;

-- What was kept for findings of the packets of each day, against the budget of a day.
CREATE TABLE evidence_day (
	day     INTEGER PRIMARY KEY, -- since 1970, UTC
	bytes   INTEGER NOT NULL,
	refused INTEGER NOT NULL     -- packets for which the day had nothing left
) STRICT;

-- A capture file that a run read.
CREATE TABLE input (
	id       INTEGER PRIMARY KEY,
	run      INTEGER NOT NULL REFERENCES run(id),
	name     TEXT    NOT NULL,  -- without its folder
	size     INTEGER NOT NULL,  -- bytes
	hash     TEXT    NOT NULL,  -- of its content; '' if unknown (standard input)
	first_us INTEGER,           -- NULL: it held no packet
	last_us  INTEGER,
	packets  INTEGER NOT NULL,
	cut      INTEGER NOT NULL,  -- 1: it ended in the middle of a packet, or was damaged there
	note     TEXT    NOT NULL   -- where and why
) STRICT;

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

-- Every version of envelope and site file that flows were judged by, in full.
CREATE TABLE policy (
	id       INTEGER PRIMARY KEY,
	hash     TEXT    NOT NULL UNIQUE, -- SHA-256 of both texts
	envelope TEXT    NOT NULL,
	site     TEXT    NOT NULL
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

-- The documented rows that anything here refers to.
CREATE TABLE envelope_row (
	id   INTEGER PRIMARY KEY,
	text TEXT    NOT NULL UNIQUE -- the row's id in the envelope: 'online.out.audio'
) STRICT;

-- Addresses (16 bytes; IPv4 as ::ffff:a.b.c.d) and MACs (6 bytes).
CREATE TABLE host (
	id    INTEGER PRIMARY KEY,
	bytes BLOB    NOT NULL UNIQUE,
	text  TEXT    NOT NULL
) STRICT;

-- Texts of names: TLS server names, HTTP hosts, DNS questions and answers.
CREATE TABLE name (
	id   INTEGER PRIMARY KEY,
	text TEXT    NOT NULL UNIQUE
) STRICT;

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

-- The room systems we answer for.
CREATE TABLE unit (
	id       INTEGER PRIMARY KEY,
	name     TEXT    NOT NULL UNIQUE,
	profiles TEXT    NOT NULL,  -- 'room, online'
	listed   INTEGER NOT NULL,  -- 0: no list of units names it
	run      INTEGER REFERENCES run(id) -- the last one that listed or saw it
) STRICT;

-- Which unit had which address when.
CREATE TABLE unit_address (
	unit     INTEGER NOT NULL REFERENCES unit(id),
	address  INTEGER NOT NULL REFERENCES host(id),
	mac      INTEGER REFERENCES host(id), -- NULL: not known
	first_us INTEGER NOT NULL,
	last_us  INTEGER NOT NULL,
	known_by INTEGER NOT NULL DEFAULT 1   -- mask: 1 its packets, 2 DHCP, 4 ARP or neighbour discovery;
	                                      -- 0: others wrote to it there, and it never spoke
) STRICT;
CREATE UNIQUE INDEX unit_address_key ON unit_address (unit, address, coalesce(mac, 0));

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

-- Flows outside or blocked, gathered under one reason a person can act on.
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
	open        INTEGER NOT NULL,    -- 0: closed; if the judge did it, reason says why, else finding_change
	reason      TEXT    NOT NULL,
	waiver      TEXT    NOT NULL     -- 'owner: reason (until 2026-12-31)'; ''
) STRICT;
CREATE UNIQUE INDEX finding_key
	ON finding (unit, kind, coalesce(row, 0), remote, role, transport, port, application);

-- What became of findings: one opened, was waived, was closed, or was seen again in a later run. In the order in
-- which it was written, so that whoever tells others of it knows what is new. The triggers keep it: no writer of
-- findings can forget it, and it is rolled back with them.
CREATE TABLE finding_change (
	id      INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: readers go on after the last they saw
	finding INTEGER NOT NULL REFERENCES finding(id) ON DELETE CASCADE,
	run     INTEGER NOT NULL REFERENCES run(id),
	state   INTEGER NOT NULL, -- from then on: 1 open, 2 waived, 3 closed
	time_us INTEGER NOT NULL, -- of the flow that opened it, or of its last flow by then
	by_whom TEXT    NOT NULL DEFAULT '', -- a person closed or reopened it; '': the judge did
	why     TEXT    NOT NULL DEFAULT '', -- that person's reason
	at_us   INTEGER           -- and when, by the wall clock; NULL: the judge
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

-- Also where foreign keys are off.
CREATE TRIGGER finding_goes AFTER DELETE ON finding
BEGIN
	DELETE FROM finding_change WHERE finding = OLD.id;
END;

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
	payloads     INTEGER NOT NULL,   -- packets with payload + 65536 * packets inspected
	differs      INTEGER             -- the id, in that table, of what it differs in from the nearest rows; NULL: none
) STRICT;
CREATE INDEX flow_unit ON flow (unit, start_us);
CREATE INDEX flow_outside ON flow (finding, start_us) WHERE finding IS NOT NULL OR kind > 0;
-- Those longer than an hour, so that what overlaps a window is sought from an hour before it on.
CREATE INDEX flow_long ON flow (unit, start_us) WHERE lasted_us > 3600000000;

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
	INSERT INTO tally (unit, verdict, grade, flows) VALUES (OLD.unit, OLD.verdict, OLD.said >> 7 & 3, -1)
	ON CONFLICT DO UPDATE SET flows = flows - 1;
END;

-- Local ports of a unit's conversations that ever carried media, or checks for it.
CREATE TABLE media_port (
	unit INTEGER NOT NULL,
	port INTEGER NOT NULL,
	PRIMARY KEY (unit, port)
) STRICT, WITHOUT ROWID;

-- Facts that few flows have: one row where any of them is there.
CREATE TABLE flow_more (
	flow          INTEGER PRIMARY KEY REFERENCES flow(id) ON DELETE CASCADE,
	payload_types INTEGER,           -- of RTP, up to four, in order of appearance: + 256 * + ...; 255: none
	audio INTEGER, video INTEGER, data INTEGER, -- RTP packets of each; see other
	icmp          INTEGER,           -- the error that decided the outcome: code + 256 * type, ...
	icmp_sender   INTEGER REFERENCES host(id),
	fragments     INTEGER,
	truncated     INTEGER,
	duplicates    INTEGER,
	relayed       INTEGER REFERENCES host(id), -- the peer behind a TURN relay, ...
	relayed_port  INTEGER,
	first_try_us  INTEGER,           -- of the requests in `asked`
	last_try_us   INTEGER,
	not_apps_low  INTEGER,           -- mask: applications it cannot be, 0 to 63, ...
	not_apps_high INTEGER,           -- ... 64 to 127
	chaddr        INTEGER REFERENCES host(id), -- DHCP
	dhcp_xid      INTEGER,
	dhcp_type     INTEGER,
	remark        TEXT,              -- of the verdict: 'vbss', 'as_written', ...
	other         INTEGER,           -- RTP packets of no kind we know
	by_shape      INTEGER,           -- mask: 1 audio, 2 video, 4 data: known by the stream's shape
	connect_port  INTEGER,           -- HTTP CONNECT: the port asked for; its host is flow.name
	tunnel        INTEGER,           -- 1 GRE, 2 ERSPAN, 3 VXLAN, 4 Geneve, 5 TZSP
	connect_status INTEGER           -- what the proxy answered: 200, 403, ...
) STRICT;

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

-- Texts of differs.
CREATE TABLE phrase (
	id   INTEGER PRIMARY KEY,
	text TEXT    NOT NULL UNIQUE     -- '50000-50019'
) STRICT;

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

-- How a unit exercised a row, over all runs. What is not here was not exercised.
CREATE TABLE coverage (
	unit       INTEGER NOT NULL REFERENCES unit(id),
	row        INTEGER NOT NULL REFERENCES envelope_row(id),
	exact      INTEGER NOT NULL,     -- answered flows by grade
	unproven   INTEGER NOT NULL,
	wide       INTEGER NOT NULL,
	unanswered INTEGER NOT NULL,
	blocked    INTEGER NOT NULL,
	outside    INTEGER NOT NULL,     -- flows outside whose nearest row this is
	first_us   INTEGER,              -- of the answered ones
	last_us    INTEGER,
	PRIMARY KEY (unit, row)
) STRICT, WITHOUT ROWID;

-- For people ------------------------------------------------------------------------------------

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

CREATE VIEW v_unit AS SELECT
	u.name,
	u.profiles,
	u.listed,
	h.text AS address,
	m.text AS mac,
	strftime('%Y-%m-%dT%H:%M:%S', a.first_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', a.first_us % 1000000) AS first,
	strftime('%Y-%m-%dT%H:%M:%S', a.last_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', a.last_us % 1000000) AS last,
	nullif(substr(iif(a.known_by & 1, ', packets', '') || iif(a.known_by & 2, ', dhcp', '')
		|| iif(a.known_by & 4, ', arp/nd', ''), 3), '') AS known_by
FROM unit u
LEFT JOIN unit_address a ON a.unit = u.id
LEFT JOIN host h ON h.id = a.address
LEFT JOIN host m ON m.id = a.mac
ORDER BY u.name, a.first_us, h.bytes;

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

CREATE VIEW v_coverage AS SELECT
	u.name AS unit,
	e.text AS row,
	c.exact, c.unproven, c.wide, c.unanswered, c.blocked, c.outside,
	strftime('%Y-%m-%dT%H:%M:%S', c.first_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', c.first_us % 1000000) AS first,
	strftime('%Y-%m-%dT%H:%M:%S', c.last_us / 1000000, 'unixepoch')
		|| printf('.%06dZ', c.last_us % 1000000) AS last
FROM coverage c
JOIN unit u ON u.id = c.unit
JOIN envelope_row e ON e.id = c.row
ORDER BY u.name, e.text;

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
