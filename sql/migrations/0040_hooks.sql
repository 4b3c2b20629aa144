-- Webhooks that go out at once, and whose secrets are sealed anew although nothing is sent.

-- Companies that have an endpoint which is sent to.
CREATE FUNCTION outgoing_companies() RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT o.tenant_id FROM outgoing_endpoints o WHERE o.state = 'active'
$$;

-- Endpoints of any company with a secret that another key than the present one has sealed, or whose time is over; page by page.
CREATE FUNCTION outgoing_to_reseal(p_prefix text, p_after uuid, p_limit int) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.tenant_id, o.id FROM outgoing_endpoints o
    WHERE o.id > p_after AND (NOT o.sealed ^@ p_prefix OR NOT o.sealed_before ^@ p_prefix OR o.before_until <= now())
    ORDER BY o.id LIMIT p_limit
$$;

-- Erases what is left of somebody outside of what is theirs: invitations to their addresses (unless a member came of it), what went
-- wrong with jobs as far as it names them, and, when an account went, letters to it that belong to no company.
CREATE FUNCTION erase_traces(p_words text[], p_account boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    v_words text[] := ARRAY(SELECT DISTINCT lower(w.word) FROM unnest(p_words) AS w (word) WHERE length(w.word) > 2);
BEGIN
    DELETE FROM invitations i WHERE i.tenant_id = t AND i.email_lc = ANY (v_words) AND NOT EXISTS (
        SELECT FROM members m WHERE m.tenant_id = t AND m.user_id = i.accepted_by AND m.status = 'active');
    UPDATE jobs j SET last_error = 'The reason named somebody who was erased.'
    WHERE j.tenant_id = t AND j.last_error IS NOT NULL AND EXISTS (
        SELECT FROM unnest(v_words) AS w (word) WHERE strpos(lower(j.last_error), w.word) > 0);
    IF p_account THEN
        DELETE FROM letters l WHERE l.tenant_id = '00000000-0000-0000-0000-000000000000' AND lower(l.to_address) = ANY (v_words)
            AND NOT EXISTS (SELECT FROM users u WHERE u.email_lc = lower(l.to_address));
    END IF;
END $$;

-- As in 0033, whatever the case in which an address was typed: an invitation keeps it as it came.
CREATE OR REPLACE FUNCTION erase_from_events(p_needles text[], p_after bigint, p_upto bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    v_words text[] := ARRAY(SELECT DISTINCT lower(w.word) FROM unnest(p_needles) AS w (word) WHERE w.word <> '');
    n bigint;
BEGIN
    UPDATE events e SET type = 'record.erased', subject_kind = 'record', subject_id = NULL, actor_id = NULL,
        frame = '{"seq":' || e.seq || ',"id":"' || e.id || '","type":"record.erased","at":' || to_json(e.at)::text
            || ',"actor":{"kind":"system","id":null,"name":"Ringside"},"subject":{"kind":"record","id":null},"data":{"kind":null,"id":null}}'
    FROM (SELECT x.seq, x.at, lower(x.frame) AS said FROM events x
          WHERE x.tenant_id = t AND x.seq > p_after AND x.seq <= p_upto AND x.type <> 'record.erased' OFFSET 0) AS x
    WHERE e.tenant_id = t AND e.seq = x.seq AND e.at = x.at
      AND EXISTS (SELECT FROM unnest(v_words) AS w (word) WHERE strpos(x.said, w.word) > 0);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

SELECT give_to_system(f) FROM unnest(ARRAY['outgoing_companies()', 'outgoing_to_reseal(text,uuid,int)', 'erase_traces(text[],boolean)']::regprocedure[]) AS f;
