-- The live log: what people must see. Append-only, gapless for each tenant, partitioned by week.

CREATE TABLE tenant_counters (
    tenant_id   uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    epoch       uuid NOT NULL DEFAULT gen_random_uuid(),
    seq         bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
SELECT protect_table('tenant_counters');
GRANT SELECT, UPDATE ON tenant_counters TO ringside_app;
GRANT SELECT, INSERT ON tenant_counters TO ringside_system;
SELECT open_table_to('tenant_counters', 'ringside_system');

-- frame is the whole event as its readers get it, so that live, replayed and fetched events are the same bytes.
CREATE TABLE events (
    tenant_id       uuid NOT NULL,
    seq             bigint NOT NULL,
    at              timestamptz NOT NULL,
    id              uuid NOT NULL,
    type            text NOT NULL,
    audience        text NOT NULL CONSTRAINT events_audience_known
                    CHECK (audience IN ('tenant', 'managers') OR audience ~ '^(user|team):[0-9a-f-]{36}$'),
    actor_id        uuid,
    subject_kind    text NOT NULL,
    subject_id      uuid,
    frame           text NOT NULL,
    PRIMARY KEY (tenant_id, seq, at)
) PARTITION BY RANGE (at);
CREATE INDEX events_by_subject ON events (tenant_id, subject_id, seq);
SELECT protect_table('events');
GRANT SELECT, INSERT ON events TO ringside_app;

-- Makes the weekly partitions from last week to some weeks ahead; safe to repeat.
CREATE FUNCTION ensure_event_partitions(p_weeks_ahead int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    monday date;
    part text;
BEGIN
    FOR i IN -1 .. least(greatest(p_weeks_ahead, 1), 60) LOOP
        monday := date_trunc('week', (now() AT TIME ZONE 'UTC'))::date + 7 * i;
        part := 'events_' || to_char(monday, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(7246003);
        CONTINUE WHEN to_regclass('public.' || part) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.events FOR VALUES FROM (%L) TO (%L)',
                       part, monday::text || ' 00:00+00', (monday + 7)::text || ' 00:00+00');
        PERFORM protect_table(('public.' || part)::regclass);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION ensure_event_partitions(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_event_partitions(int) TO ringside_app;
SELECT ensure_event_partitions(8);

-- Drops whole weeks older than what is kept; never less than seven days.
CREATE FUNCTION drop_old_events(p_keep interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    part text;
    dropped int := 0;
    edge text := to_char(((now() - greatest(p_keep, interval '7 days')) AT TIME ZONE 'UTC') - interval '7 days', 'YYYYMMDD');
BEGIN
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.events'::regclass AND substr(c.relname, 8) <= edge
    LOOP
        EXECUTE format('DROP TABLE public.%I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION drop_old_events(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_old_events(interval) TO ringside_app;

-- Appends events to the current tenant's log and returns them as they will be read.
-- Call it as the last statement of a transaction: the counter row stays locked until COMMIT.
-- p_events: [{"type", "audience", "actor": {..}, "actor_id", "subject_kind", "subject_id", "data": {..}}]
CREATE FUNCTION append_events(p_events json)
RETURNS TABLE (seq bigint, audience text, frame text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_count int := json_array_length(p_events);
    v_last bigint;
    v_at timestamptz;
BEGIN
    UPDATE tenant_counters c SET seq = c.seq + v_count WHERE c.tenant_id = v_tenant RETURNING c.seq INTO v_last;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the tenant % has no event counter', v_tenant;
    END IF;
    v_at := clock_timestamp();
    RETURN QUERY
    INSERT INTO events (tenant_id, seq, at, id, type, audience, actor_id, subject_kind, subject_id, frame)
    SELECT v_tenant, n.seq, v_at, n.id, e ->> 'type', e ->> 'audience', (e ->> 'actor_id')::uuid,
           e ->> 'subject_kind', (e ->> 'subject_id')::uuid,
           '{"seq":' || n.seq || ',"id":"' || n.id || '","type":' || (e -> 'type')::text
           || ',"at":' || to_json(v_at)::text || ',"actor":' || (e -> 'actor')::text
           || ',"subject":{"kind":' || (e -> 'subject_kind')::text || ',"id":' || (e -> 'subject_id')::text
           || '},"data":' || (e -> 'data')::text || '}'
    FROM json_array_elements(p_events) WITH ORDINALITY AS x (e, ord)
    CROSS JOIN LATERAL (SELECT v_last - v_count + x.ord AS seq, uuidv7() AS id OFFSET 0) AS n
    ORDER BY x.ord
    RETURNING events.seq, events.audience, events.frame;
END $$;
GRANT EXECUTE ON FUNCTION append_events(json) TO ringside_app;

-- Where the logs of these tenants stand: one query a tick for all the feeds of a process.
CREATE FUNCTION tenant_heads(p_tenants uuid[])
RETURNS TABLE (tenant_id uuid, epoch uuid, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.tenant_id, c.epoch, c.seq FROM tenant_counters c WHERE c.tenant_id = ANY (p_tenants)
$$;
SELECT give_to_system('tenant_heads(uuid[])');

-- A new company with its event counter.
CREATE FUNCTION create_company(p_name text) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH t AS (INSERT INTO tenants (name) VALUES (p_name) RETURNING tenant_id)
    INSERT INTO tenant_counters (tenant_id) SELECT tenant_id FROM t RETURNING tenant_id
$$;
SELECT give_to_system('create_company(text)');
