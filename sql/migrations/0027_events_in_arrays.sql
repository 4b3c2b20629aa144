-- What a transaction commits is given to the log as arrays, one element an event, and no longer as one large JSON: the data of an
-- event is kept as it came anyway, and reading it only to find its end was a quarter of what a hundred events cost.
-- Whoever reads the log sees no difference: the same JSON, byte for byte, in the same order.
--
-- The ids of one transaction are UUIDs of version 7 with a counter as their last 32 bits (RFC 9562, section 6.2, method 1).
-- p_actor and each of p_data are JSON; what the app role gives is believed, as the frame it asks for always was.
CREATE FUNCTION append_events(
    p_actor text, p_actor_id uuid, p_types text[], p_audiences text[], p_subject_kinds text[], p_subject_ids uuid[], p_data text[]
)
RETURNS TABLE (seq bigint, audience text, frame text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_before bigint;
    v_at timestamptz;
    v_said text;
    v_id text := left(uuidv7()::text, 28);
BEGIN
    UPDATE tenant_counters c SET seq = c.seq + cardinality(p_types) WHERE c.tenant_id = v_tenant
    RETURNING c.seq - cardinality(p_types) INTO v_before;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the tenant % has no event counter', v_tenant;
    END IF;
    v_at := clock_timestamp();
    v_said := ',"at":' || to_json(v_at)::text || ',"actor":' || p_actor || ',"subject":{"kind":';
    RETURN QUERY
    INSERT INTO events (tenant_id, seq, at, id, type, audience, actor_id, subject_kind, subject_id, frame)
    SELECT v_tenant, v_before + x.ord, v_at, n.id::uuid, x.type, x.audience, p_actor_id, x.subject_kind, x.subject_id,
           '{"seq":' || v_before + x.ord || ',"id":"' || n.id || '","type":' || to_json(x.type)::text || v_said
           || to_json(x.subject_kind)::text || ',"id":' || coalesce('"' || x.subject_id || '"', 'null') || '},"data":' || x.data || '}'
    FROM unnest(p_types, p_audiences, p_subject_kinds, p_subject_ids, p_data)
         WITH ORDINALITY AS x (type, audience, subject_kind, subject_id, data, ord)
    CROSS JOIN LATERAL (SELECT v_id || lpad(to_hex(x.ord), 8, '0') AS id OFFSET 0) AS n
    ORDER BY x.ord
    RETURNING events.seq, events.audience, events.frame;
END $$;
REVOKE ALL ON FUNCTION append_events(text, uuid, text[], text[], text[], uuid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events(text, uuid, text[], text[], text[], uuid[], text[]) TO ringside_app;

-- Nothing asks for the events of one subject, and each event was entered here at a random place.
DROP INDEX events_by_subject;
