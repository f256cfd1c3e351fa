-- 2-to-3.sql - what dissectors learn of streams, media, tunnels and proxies, and how a unit's address is
-- known. Afterwards the database is as schema/flowdb.sql makes it.

ALTER TABLE run ADD COLUMN tunnelled INTEGER;
ALTER TABLE run ADD COLUMN streams_shed INTEGER;
ALTER TABLE flow_more ADD COLUMN other INTEGER;
ALTER TABLE flow_more ADD COLUMN by_shape INTEGER;
ALTER TABLE flow_more ADD COLUMN connect_port INTEGER;
ALTER TABLE flow_more ADD COLUMN tunnel INTEGER;
ALTER TABLE flow_more ADD COLUMN connect_status INTEGER;
ALTER TABLE unit_address ADD COLUMN known_by INTEGER NOT NULL DEFAULT 1;

-- Nothing was taken out of a tunnel, and no stream was put in order.
UPDATE run SET tunnelled = 0, streams_shed = 0;

-- What DHCP gave to units. Renewed it is the same row; given anew, or with other servers, another.
CREATE TABLE lease (
	unit      INTEGER NOT NULL REFERENCES unit(id),
	mac       INTEGER NOT NULL REFERENCES host(id),
	address   INTEGER NOT NULL REFERENCES host(id),
	first_us  INTEGER NOT NULL,  -- first and last ACK that said so
	last_us   INTEGER NOT NULL,
	until_us  INTEGER,           -- it is over, or given up; NULL: not told (the answer to an INFORM)
	server    INTEGER REFERENCES host(id), -- NULL: not told
	mask_bits INTEGER NOT NULL,  -- 0: not told
	dns       BLOB    NOT NULL,  -- servers, 16 bytes each
	PRIMARY KEY (unit, mac, address, first_us)
) STRICT, WITHOUT ROWID;

DROP VIEW v_unit;
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
		WHERE d.bytes = substr(l.dns, n.column1, 16)) AS dns
FROM lease l
JOIN unit u ON u.id = l.unit
JOIN host m ON m.id = l.mac
JOIN host h ON h.id = l.address
LEFT JOIN host s ON s.id = l.server
ORDER BY u.name, l.first_us, h.bytes;

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
	r.flows, r.kernel_dropped, r.inspect_shed, r.told_shed, r.tunnelled, r.streams_shed, r.version
FROM run r
ORDER BY r.id;
