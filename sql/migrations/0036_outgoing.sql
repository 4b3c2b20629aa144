-- Webhooks that go out: where a company wants its events sent, and what became of each.

CREATE TABLE outgoing_endpoints (
    tenant_id     uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id            uuid NOT NULL DEFAULT uuidv7(),
    user_id       uuid NOT NULL,
    url           text NOT NULL CONSTRAINT outgoing_endpoints_url_length CHECK (length(url) BETWEEN 8 AND 2000),
    description   text NOT NULL DEFAULT '' CONSTRAINT outgoing_endpoints_description_length CHECK (length(description) <= 200),
    types         text[] CONSTRAINT outgoing_endpoints_types_count CHECK (cardinality(types) BETWEEN 1 AND 500),
    sealed        text NOT NULL,
    sealed_before text,
    before_until  timestamptz,
    state         text NOT NULL DEFAULT 'active' CONSTRAINT outgoing_endpoints_state_known CHECK (state IN ('active', 'paused', 'failing')),
    reason        text NOT NULL DEFAULT '' CONSTRAINT outgoing_endpoints_reason_length CHECK (length(reason) <= 500),
    position      bigint NOT NULL,
    missed        bigint NOT NULL DEFAULT 0,
    due_at        timestamptz,
    asked_at      timestamptz,
    fence         bigint NOT NULL DEFAULT 0,
    lease_until   timestamptz NOT NULL DEFAULT '-infinity',
    accepted_at   timestamptz,
    refused_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT outgoing_endpoints_user_is_member FOREIGN KEY (tenant_id, user_id)
        REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
COMMENT ON COLUMN outgoing_endpoints.user_id IS 'what they may see is sent, and nothing else';
COMMENT ON COLUMN outgoing_endpoints.types IS 'the types of events that are sent; null: all';
COMMENT ON COLUMN outgoing_endpoints.sealed_before IS 'the secret before, which signs as well until before_until';
COMMENT ON COLUMN outgoing_endpoints.position IS 'the last place of the log of which deliveries were made';
COMMENT ON COLUMN outgoing_endpoints.missed IS 'how many places of the log were gone before it came to them';
COMMENT ON COLUMN outgoing_endpoints.due_at IS 'when deliveries that wait are to be tried; null when none waits';
COMMENT ON COLUMN outgoing_endpoints.asked_at IS 'when a job was last asked for; null once it came';
CREATE INDEX outgoing_endpoints_active ON outgoing_endpoints (tenant_id, id) WHERE state = 'active';

-- The body is not kept: it is read from the log when it is sent or shown, and is erased there.
CREATE TABLE outgoing_deliveries (
    tenant_id     uuid NOT NULL,
    id            uuid NOT NULL DEFAULT uuidv7(),
    endpoint_id   uuid NOT NULL,
    place         bigint GENERATED ALWAYS AS IDENTITY,
    kind          text NOT NULL CONSTRAINT outgoing_deliveries_kind_known CHECK (kind IN ('event', 'replay', 'test')),
    event_id      uuid NOT NULL,
    event_seq     bigint,
    event_at      timestamptz NOT NULL,
    event_type    text NOT NULL,
    state         text NOT NULL DEFAULT 'waiting' CONSTRAINT outgoing_deliveries_state_known
                  CHECK (state IN ('waiting', 'accepted', 'failed', 'gone')),
    attempts      int NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL DEFAULT now(),
    tried_at      timestamptz,
    took_ms       int,
    status        int,
    words         text NOT NULL DEFAULT '',
    answer        text NOT NULL DEFAULT '' CONSTRAINT outgoing_deliveries_answer_length CHECK (length(answer) <= 2000),
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT outgoing_deliveries_endpoint FOREIGN KEY (tenant_id, endpoint_id)
        REFERENCES outgoing_endpoints (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN outgoing_deliveries.place IS 'the order in which they were made, and are sent';
CREATE INDEX outgoing_deliveries_waiting ON outgoing_deliveries (tenant_id, endpoint_id, place) WHERE state = 'waiting';
CREATE INDEX outgoing_deliveries_newest ON outgoing_deliveries (tenant_id, endpoint_id, created_at DESC, id DESC);
CREATE INDEX outgoing_deliveries_by_age ON outgoing_deliveries (created_at);

SELECT protect_table(t) FROM unnest(ARRAY['outgoing_endpoints', 'outgoing_deliveries']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE, DELETE ON outgoing_endpoints TO ringside_app;
GRANT SELECT, INSERT, UPDATE ON outgoing_deliveries TO ringside_app;
GRANT SELECT, UPDATE ON outgoing_endpoints TO ringside_system;
GRANT SELECT, DELETE ON outgoing_deliveries TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['outgoing_endpoints', 'outgoing_deliveries']::regclass[]) AS t;

-- Endpoints of any company with something to send that nobody sends already, marked as asked for.
CREATE FUNCTION outgoing_due(p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE outgoing_endpoints e SET asked_at = now()
    FROM (
        SELECT o.tenant_id, o.id FROM outgoing_endpoints o JOIN tenant_counters c ON c.tenant_id = o.tenant_id
        WHERE o.state = 'active' AND o.lease_until <= now() AND (o.asked_at IS NULL OR o.asked_at < now() - interval '30 seconds')
          AND CASE WHEN o.due_at IS NULL THEN c.seq > o.position ELSE o.due_at <= now() END
        ORDER BY o.due_at NULLS FIRST LIMIT p_limit
        FOR UPDATE OF o SKIP LOCKED
    ) AS due
    WHERE e.tenant_id = due.tenant_id AND e.id = due.id
    RETURNING e.tenant_id, e.id
$$;

-- Deletes what was delivered or given up long ago, some at a time; how many that were.
CREATE FUNCTION outgoing_forget(p_keep interval, p_limit int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM outgoing_deliveries d
        USING (SELECT o.tenant_id, o.id FROM outgoing_deliveries o
               WHERE o.created_at < now() - p_keep ORDER BY o.created_at LIMIT p_limit) AS old
        WHERE d.tenant_id = old.tenant_id AND d.id = old.id
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Jobs of sending are many and say little once they are done.
CREATE FUNCTION outgoing_jobs_forget() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM jobs
    WHERE state = 'done' AND kind = 'webhooks.deliver'
      AND finished_at > now() - interval '6 hours' AND finished_at < now() - interval '1 hour'
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'outgoing_due(int)', 'outgoing_forget(interval,int)', 'outgoing_jobs_forget()'
]::regprocedure[]) AS f;
