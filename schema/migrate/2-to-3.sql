-- 2-to-3.sql - what dissectors learn of streams, media, tunnels and proxies, and how a unit's address is
-- known. Afterwards the database is as schema/flowdb.sql makes it.

ALTER TABLE run ADD COLUMN tunnelled INTEGER;
ALTER TABLE run ADD COLUMN streams_shed INTEGER;
ALTER TABLE flow_more ADD COLUMN other INTEGER;
ALTER TABLE flow_more ADD COLUMN by_shape INTEGER;
ALTER TABLE flow_more ADD COLUMN connect_port INTEGER;
ALTER TABLE flow_more ADD COLUMN tunnel INTEGER;
ALTER TABLE unit_address ADD COLUMN known_by INTEGER NOT NULL DEFAULT 1;

-- Nothing was taken out of a tunnel, and no stream was put in order.
UPDATE run SET tunnelled = 0, streams_shed = 0;

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
