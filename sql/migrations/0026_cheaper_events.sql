-- append_events reads what it is given once (`->` and `->>` parsed each event again for each of its parts), and asks for
-- randomness once a transaction, which is a file opened, read and closed where Postgres is built without OpenSSL.
-- Whoever reads the log sees no difference: the same JSON, byte for byte, in the same order.
--
-- The ids of one transaction are UUIDs of version 7 with a counter as their last 32 bits (RFC 9562, section 6.2, method 1).
CREATE OR REPLACE FUNCTION append_events(p_events json)
RETURNS TABLE (seq bigint, audience text, frame text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_count int := json_array_length(p_events);
    v_last bigint;
    v_at timestamptz;
    v_said text;
    v_id text := left(uuidv7()::text, 28);
BEGIN
    UPDATE tenant_counters c SET seq = c.seq + v_count WHERE c.tenant_id = v_tenant RETURNING c.seq INTO v_last;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the tenant % has no event counter', v_tenant;
    END IF;
    v_at := clock_timestamp();
    v_said := ',"at":' || to_json(v_at)::text || ',"actor":';
    RETURN QUERY
    INSERT INTO events (tenant_id, seq, at, id, type, audience, actor_id, subject_kind, subject_id, frame)
    SELECT v_tenant, n.seq, v_at, n.id::uuid, x.type, x.audience, x.actor_id, x.subject_kind, x.subject_id,
           '{"seq":' || n.seq || ',"id":"' || n.id || '","type":' || to_json(x.type)::text || v_said || x.actor::text
           || ',"subject":{"kind":' || to_json(x.subject_kind)::text || ',"id":' || coalesce('"' || x.subject_id || '"', 'null')
           || '},"data":' || x.data::text || '}'
    FROM ROWS FROM (json_to_recordset(p_events)
                    AS (type text, audience text, actor json, actor_id uuid, subject_kind text, subject_id uuid, data json))
         WITH ORDINALITY AS x (type, audience, actor, actor_id, subject_kind, subject_id, data, ord)
    CROSS JOIN LATERAL (SELECT v_last - v_count + x.ord AS seq, v_id || lpad(to_hex(x.ord), 8, '0') AS id OFFSET 0) AS n
    ORDER BY x.ord
    RETURNING events.seq, events.audience, events.frame;
END $$;
