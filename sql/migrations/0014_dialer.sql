-- The power dialer: queues of contacts, the sessions of the reps who work them, and every call the dialer placed.

-- A calling campaign. `filter` is a saved contact filter that a job turned into items; null for a list.
-- `counts` is what the items came to when they were last counted: lists and events show it, so that they need not count.
CREATE TABLE dial_queues (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    name            text NOT NULL CONSTRAINT dial_queues_name_length CHECK (length(name) BETWEEN 1 AND 200),
    filter          jsonb,
    dial_order      text NOT NULL DEFAULT 'local_time' CONSTRAINT dial_queues_order_known
                    CHECK (dial_order IN ('local_time', 'newest', 'oldest', 'name')),
    state           text NOT NULL DEFAULT 'draft' CONSTRAINT dial_queues_state_known
                    CHECK (state IN ('draft', 'running', 'paused', 'done')),
    lines           int NOT NULL DEFAULT 1 CONSTRAINT dial_queues_lines_range CHECK (lines BETWEEN 1 AND 5),
    -- 16 CFR 310.4(b)(4): let it ring for 15 seconds, abandon no more than three percent.
    ring_s          int NOT NULL DEFAULT 25 CONSTRAINT dial_queues_ring_range CHECK (ring_s BETWEEN 15 AND 120),
    abandon_cap_per_mille int NOT NULL DEFAULT 30 CONSTRAINT dial_queues_cap_range CHECK (abandon_cap_per_mille BETWEEN 0 AND 30),
    countdown_s     int NOT NULL DEFAULT 5 CONSTRAINT dial_queues_countdown_range CHECK (countdown_s BETWEEN 0 AND 300),
    -- Null: as the company's dispositions say, or a common default.
    attempt_limit   int CONSTRAINT dial_queues_attempts_range CHECK (attempt_limit BETWEEN 1 AND 20),
    retry_busy_s    int CONSTRAINT dial_queues_retry_busy_range CHECK (retry_busy_s BETWEEN 60 AND 2592000),
    retry_no_answer_s int CONSTRAINT dial_queues_retry_no_answer_range CHECK (retry_no_answer_s BETWEEN 60 AND 2592000),
    fill_state      text NOT NULL DEFAULT 'filled' CONSTRAINT dial_queues_fill_known CHECK (fill_state IN ('filling', 'filled', 'failed')),
    fill_after      uuid,
    fill_error      text,
    counts          jsonb NOT NULL DEFAULT '{}',
    counted_at      timestamptz NOT NULL DEFAULT now(),
    one_line_since  timestamptz,
    started_at      timestamptz,
    created_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX dial_queues_newest ON dial_queues (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX dial_queues_open ON dial_queues (tenant_id, id) WHERE deleted_at IS NULL AND state <> 'done';

-- Who may work a queue. Nobody named: everybody.
CREATE TABLE dial_queue_members (
    tenant_id   uuid NOT NULL,
    queue_id    uuid NOT NULL,
    user_id     uuid NOT NULL,
    PRIMARY KEY (tenant_id, queue_id, user_id),
    FOREIGN KEY (tenant_id, queue_id) REFERENCES dial_queues (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT dial_queue_members_are_members FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);

-- A rep at work in a queue. `next_item_id` is the contact prepared while the rep still wraps up; `call_id` the call they are on,
-- or write up. `dial_at` is when the countdown ends; `look_at` when preparing is worth another try; `note` says in words what it
-- waits for.
CREATE TABLE dial_sessions (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL DEFAULT uuidv7(),
    queue_id        uuid NOT NULL,
    user_id         uuid NOT NULL,
    state           text NOT NULL DEFAULT 'preparing' CONSTRAINT dial_sessions_state_known
                    CHECK (state IN ('preparing', 'ready', 'dialing', 'talking', 'wrap_up', 'paused', 'ended')),
    since           timestamptz NOT NULL DEFAULT now(),
    next_item_id    uuid,
    call_id         uuid,
    lines           int NOT NULL DEFAULT 1 CONSTRAINT dial_sessions_lines_range CHECK (lines BETWEEN 1 AND 5),
    lines_used      int NOT NULL DEFAULT 1,
    lines_note      text,
    is_automatic    boolean NOT NULL DEFAULT false,
    pause_asked     boolean NOT NULL DEFAULT false,
    leave_asked     boolean NOT NULL DEFAULT false,
    dial_at         timestamptz,
    look_at         timestamptz,
    note            text,
    calls           int NOT NULL DEFAULT 0,
    connected       int NOT NULL DEFAULT 0,
    started_at      timestamptz NOT NULL DEFAULT now(),
    ended_at        timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, queue_id) REFERENCES dial_queues (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id),
    CONSTRAINT dial_sessions_end_is_said CHECK ((state = 'ended') = (ended_at IS NOT NULL))
);
-- One session for a rep at a time: the constraint's name is the rule's name.
CREATE UNIQUE INDEX dial_sessions_rep_is_in_one ON dial_sessions (tenant_id, user_id) WHERE state <> 'ended';
CREATE INDEX dial_sessions_live_of_queue ON dial_sessions (tenant_id, queue_id) WHERE state <> 'ended';
CREATE INDEX dial_sessions_live ON dial_sessions (state) WHERE state <> 'ended';

-- A contact of a queue. Waiting with `not_before` is a retry; `zone_key` are the time zones its number may be in, sorted and
-- joined by commas; `created_key` and `name_key` are the contact's when it was added, for the orders.
CREATE TABLE dial_items (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL DEFAULT uuidv7(),
    queue_id        uuid NOT NULL,
    contact_id      uuid NOT NULL,
    state           text NOT NULL DEFAULT 'waiting' CONSTRAINT dial_items_state_known
                    CHECK (state IN ('waiting', 'callback', 'claimed', 'dialing', 'done', 'skipped')),
    attempts        int NOT NULL DEFAULT 0,
    not_before      timestamptz,
    callback_for    uuid,
    last_outcome    text,
    reason_code     text,
    reason          text,
    phone           text,
    permit_id       uuid,
    claimed_by      uuid,
    claimed_at      timestamptz,
    call_id         uuid,
    zone_key        text COLLATE "C" NOT NULL DEFAULT '',
    created_key     timestamptz NOT NULL,
    name_key        text COLLATE "C" NOT NULL DEFAULT '',
    added_at        timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT dial_items_once_in_a_queue UNIQUE (tenant_id, queue_id, contact_id),
    FOREIGN KEY (tenant_id, queue_id) REFERENCES dial_queues (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, claimed_by) REFERENCES dial_sessions (tenant_id, id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id),
    FOREIGN KEY (tenant_id, callback_for) REFERENCES members (tenant_id, user_id),
    CONSTRAINT dial_items_claim_fits_state CHECK ((claimed_by IS NOT NULL) = (state IN ('claimed', 'dialing'))),
    CONSTRAINT dial_items_callback_has_time CHECK (state <> 'callback' OR not_before IS NOT NULL)
);

-- The queue a call was dialed from: the calls behind a queue's numbers.
ALTER TABLE calls
    ADD COLUMN queue_id uuid,
    ADD FOREIGN KEY (tenant_id, queue_id) REFERENCES dial_queues (tenant_id, id);
CREATE INDEX calls_of_queue ON calls (tenant_id, queue_id, created_at, id) WHERE queue_id IS NOT NULL;
CREATE INDEX dial_items_fresh_by_zone ON dial_items (tenant_id, queue_id, zone_key, created_key, id)
    WHERE state = 'waiting' AND not_before IS NULL;
CREATE INDEX dial_items_fresh_by_age ON dial_items (tenant_id, queue_id, created_key, id)
    WHERE state = 'waiting' AND not_before IS NULL;
CREATE INDEX dial_items_fresh_by_name ON dial_items (tenant_id, queue_id, name_key, id)
    WHERE state = 'waiting' AND not_before IS NULL;
CREATE INDEX dial_items_due ON dial_items (tenant_id, queue_id, state, not_before, id)
    WHERE state IN ('waiting', 'callback') AND not_before IS NOT NULL;
CREATE INDEX dial_items_claimed ON dial_items (tenant_id, claimed_by) WHERE state IN ('claimed', 'dialing');
CREATE INDEX dial_items_census ON dial_items (tenant_id, queue_id, state, last_outcome, reason_code) INCLUDE (not_before);
CREATE INDEX dial_items_in_order ON dial_items (tenant_id, queue_id, id);
CREATE INDEX dial_items_by_state ON dial_items (tenant_id, queue_id, state, id);
CREATE INDEX dial_items_changed ON dial_items (tenant_id, queue_id, changed_at);

ALTER TABLE dial_sessions ADD FOREIGN KEY (tenant_id, next_item_id) REFERENCES dial_items (tenant_id, id);

-- Every call the dialer placed. `period` counts the campaign's thirty days from its start. A parallel one is reserved as if it
-- were to be abandoned from the moment it is placed until somebody talks or it is over.
CREATE TABLE dial_attempts (
    tenant_id       uuid NOT NULL,
    call_id         uuid NOT NULL,
    session_id      uuid NOT NULL,
    queue_id        uuid NOT NULL,
    item_id         uuid NOT NULL,
    number          int NOT NULL,
    is_parallel     boolean NOT NULL DEFAULT false,
    day             date NOT NULL,
    period          int NOT NULL,
    placed_at       timestamptz NOT NULL DEFAULT now(),
    answered_at     timestamptz,
    connected_at    timestamptz,
    abandoned_at    timestamptz,
    settled_at      timestamptz,
    result          text CONSTRAINT dial_attempts_result_known CHECK (result IN
                    ('connected', 'voicemail', 'busy', 'no_answer', 'failed', 'canceled', 'abandoned', 'not_needed')),
    PRIMARY KEY (tenant_id, call_id),
    -- Nobody is called twice in one attempt, whatever is killed.
    CONSTRAINT dial_attempts_once UNIQUE (tenant_id, item_id, number),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES dial_sessions (tenant_id, id),
    FOREIGN KEY (tenant_id, queue_id) REFERENCES dial_queues (tenant_id, id),
    FOREIGN KEY (tenant_id, item_id) REFERENCES dial_items (tenant_id, id),
    CONSTRAINT dial_attempts_end_is_said CHECK ((settled_at IS NOT NULL) = (result IS NOT NULL))
);
CREATE INDEX dial_attempts_open ON dial_attempts (tenant_id, session_id) WHERE settled_at IS NULL;
CREATE INDEX dial_attempts_reserved ON dial_attempts (tenant_id, queue_id)
    WHERE is_parallel AND settled_at IS NULL AND connected_at IS NULL AND abandoned_at IS NULL;
CREATE INDEX dial_attempts_unsettled ON dial_attempts (placed_at) WHERE settled_at IS NULL;

-- Calls answered and abandoned, by campaign and the day on which they were placed.
CREATE TABLE dial_days (
    tenant_id   uuid NOT NULL,
    queue_id    uuid NOT NULL,
    period      int NOT NULL,
    day         date NOT NULL,
    answered    int NOT NULL DEFAULT 0,
    abandoned   int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, queue_id, period, day),
    FOREIGN KEY (tenant_id, queue_id) REFERENCES dial_queues (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT dial_days_abandoned_were_answered CHECK (0 <= abandoned AND abandoned <= answered)
);

SELECT protect_table(t) FROM unnest(ARRAY['dial_queues', 'dial_queue_members', 'dial_sessions', 'dial_items', 'dial_attempts', 'dial_days']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON dial_queues, dial_sessions, dial_items, dial_attempts, dial_days TO ringside_app;
GRANT SELECT, INSERT, DELETE ON dial_queue_members TO ringside_app;
GRANT SELECT ON dial_queues, dial_sessions, dial_items, dial_attempts TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['dial_queues', 'dial_sessions', 'dial_items', 'dial_attempts']::regclass[]) AS t;

-- How long a number may still be called today, in minutes, by the strictest of the zones it may be in; negative or zero when it
-- may not be called now. A number without a zone may be called as far as this goes. The permit decides, this only sorts.
CREATE FUNCTION dial_minutes_left(p_zone_key text, p_at timestamptz, p_from_minute int, p_to_minute int) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(min(CASE WHEN m.minute >= p_from_minute THEN p_to_minute - m.minute ELSE 0 END), 1440)
    FROM unnest(string_to_array(nullif(p_zone_key, ''), ',')) AS z
    CROSS JOIN LATERAL (
        SELECT (extract(hour FROM p_at AT TIME ZONE z) * 60 + extract(minute FROM p_at AT TIME ZONE z))::int AS minute) AS m
$$;
REVOKE ALL ON FUNCTION dial_minutes_left(text,timestamptz,int,int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dial_minutes_left(text,timestamptz,int,int) TO ringside_app;

-- The zones of a number as items keep them: those that the database knows, sorted, joined by commas.
CREATE FUNCTION dial_zone_key(p_zones text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_zone text;
    v_known text[] := '{}';
BEGIN
    FOR v_zone IN SELECT DISTINCT z FROM unnest(p_zones) AS z WHERE z <> '' AND z !~ ',' ORDER BY z LOOP
        BEGIN
            PERFORM now() AT TIME ZONE v_zone;
            v_known := v_known || v_zone;
        EXCEPTION WHEN invalid_parameter_value THEN
            NULL;
        END;
    END LOOP;
    RETURN array_to_string(v_known, ',');
END $$;
REVOKE ALL ON FUNCTION dial_zone_key(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dial_zone_key(text[]) TO ringside_app;

-- Ids of the current tenant's contacts in which every word of the query stands, for queues: all of them, in order, page by page.
CREATE FUNCTION search_contacts_after(p_query text, p_after uuid, p_limit int) RETURNS TABLE (contact_id uuid)
LANGUAGE plpgsql STABLE ROWS 1000 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_query text := trim(both '.,;:-_@()+ ' from search_fold(left(p_query, 200)));
    v_is_number boolean := p_query ~ '^[-+().\s0-9]+$';
    v_words text[];
    v_where text := '';
BEGIN
    IF v_query = '' THEN
        RETURN;
    END IF;
    IF v_is_number THEN
        v_words := ARRAY['%' || ltrim(regexp_replace(p_query, '[^0-9]', '', 'g'), '0') || '%'];
    ELSE
        SELECT array_agg(CASE WHEN length(w) >= 3 THEN '%' || w || '%' ELSE '% ' || w || '%' END ORDER BY length(w) DESC)
        INTO v_words
        FROM (SELECT DISTINCT replace(replace(replace(x, '\', '\\'), '%', '\%'), '_', '\_') AS w
              FROM regexp_split_to_table(v_query, ' ') AS x LIMIT 6) AS split;
    END IF;
    FOR i IN 1 .. cardinality(v_words) LOOP
        v_where := v_where || format(' AND s.terms LIKE $1[%s]', i);
    END LOOP;
    RETURN QUERY EXECUTE
        'SELECT s.contact_id FROM contact_search s WHERE s.tenant_id = $2 AND s.contact_id > $3' || v_where ||
        ' ORDER BY s.contact_id LIMIT $4'
        USING v_words, v_tenant, coalesce(p_after, '00000000-0000-0000-0000-000000000000'::uuid), least(greatest(p_limit, 1), 5000);
END $$;
SELECT give_function_to('search_contacts_after(text,uuid,int)', 'ringside_search');

-- Sessions of any tenant in which something is due: a countdown that has run out, a call that was answered or is over, a wrap-up
-- that has ended, a contact to look for, a rep who is gone.
CREATE FUNCTION dial_sessions_due(p_gone_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.tenant_id, s.id FROM dial_sessions s
    LEFT JOIN presence p ON p.tenant_id = s.tenant_id AND p.user_id = s.user_id
    WHERE s.state <> 'ended' AND (
        (s.state = 'ready' AND s.dial_at <= now())
        OR (s.state IN ('preparing', 'ready', 'wrap_up') AND s.look_at <= now())
        OR (s.state = 'wrap_up' AND (p.state IS DISTINCT FROM 'wrap_up' OR p.call_id IS DISTINCT FROM s.call_id))
        OR (s.state IN ('preparing', 'ready') AND coalesce(p.state, 'offline') = 'offline'
            AND coalesce(p.since, s.started_at) <= now() - make_interval(secs => p_gone_s)
            AND s.since <= now() - make_interval(secs => p_gone_s))
        OR (s.state IN ('dialing', 'talking') AND NOT EXISTS (
            SELECT FROM dial_attempts a WHERE a.tenant_id = s.tenant_id AND a.session_id = s.id AND a.settled_at IS NULL))
        OR EXISTS (
            SELECT FROM dial_attempts a JOIN calls c ON c.tenant_id = a.tenant_id AND c.id = a.call_id
            WHERE a.tenant_id = s.tenant_id AND a.session_id = s.id AND a.settled_at IS NULL
              AND (c.state NOT IN ('queued', 'dialing', 'ringing', 'in_progress')
                   OR (c.state = 'in_progress' AND a.answered_at IS NULL))))
    LIMIT p_limit
$$;

-- Queues of any tenant whose items changed since they were last counted. A transaction may commit some seconds after the time
-- it wrote, so the last seconds are looked at again. One that is done was counted when it became so.
CREATE FUNCTION dial_queues_moved(p_margin_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT q.tenant_id, q.id FROM dial_queues q
    WHERE q.deleted_at IS NULL AND q.state <> 'done' AND EXISTS (
        SELECT FROM dial_items i WHERE i.tenant_id = q.tenant_id AND i.queue_id = q.id
          AND i.changed_at > q.counted_at - make_interval(secs => p_margin_s))
    LIMIT p_limit
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'dial_sessions_due(double precision,int)', 'dial_queues_moved(double precision,int)'
]::regprocedure[]) AS f;
