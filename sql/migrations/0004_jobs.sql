-- The job ledger: what must still be done. A job is inserted with the change that asks for it; Redis only hurries it.

CREATE TABLE jobs (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    kind            text NOT NULL,
    args            jsonb NOT NULL DEFAULT '{}',
    state           text NOT NULL DEFAULT 'ready' CONSTRAINT jobs_state_known
                    CHECK (state IN ('ready', 'running', 'done', 'dead', 'dropped')),
    key             text,
    run_at          timestamptz NOT NULL DEFAULT now(),
    attempts        int NOT NULL DEFAULT 0,
    pardoned        int NOT NULL DEFAULT 0,
    max_attempts    int NOT NULL DEFAULT 8,
    leased_by       text,
    lease_until     timestamptz,
    last_error      text,
    request_id      text NOT NULL DEFAULT '',
    created_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT jobs_key_taken UNIQUE (tenant_id, kind, key),
    CONSTRAINT jobs_lease_while_running CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
COMMENT ON COLUMN jobs.attempts IS 'only ever grows, so that a worker that lost its lease can be told from the one that has it';
COMMENT ON COLUMN jobs.pardoned IS 'attempts that do not count: before an admin''s retry, or given back by a worker that stopped';
CREATE INDEX jobs_ready ON jobs (run_at) WHERE state = 'ready';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_newest ON jobs (tenant_id, created_at DESC, id DESC);
CREATE INDEX jobs_unfinished ON jobs (tenant_id, state, created_at DESC, id DESC) WHERE state <> 'done';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state IN ('done', 'dropped');
SELECT protect_table('jobs');
GRANT SELECT, INSERT, UPDATE ON jobs TO ringside_app;
GRANT SELECT, DELETE ON jobs TO ringside_system;
SELECT open_table_to('jobs', 'ringside_system');

-- Jobs of any tenant that are due and that nobody holds, oldest first: those whose hint was lost, and those whose worker died.
CREATE FUNCTION jobs_due(p_overdue_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid, attempts int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    (SELECT j.tenant_id, j.id, j.attempts FROM jobs j
     WHERE j.state = 'ready' AND j.run_at <= now() - make_interval(secs => p_overdue_s)
     ORDER BY j.run_at LIMIT p_limit)
    UNION ALL
    (SELECT j.tenant_id, j.id, j.attempts FROM jobs j
     WHERE j.state = 'running' AND j.lease_until <= now()
     ORDER BY j.lease_until LIMIT p_limit)
    LIMIT p_limit
$$;

-- How many jobs stand in each state and how old the oldest waiting one is, for the metrics.
CREATE FUNCTION jobs_census()
RETURNS TABLE (state text, jobs bigint, oldest_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT j.state, count(*), coalesce(extract(epoch FROM now() - min(j.run_at)), 0)::double precision
    FROM jobs j WHERE j.state IN ('ready', 'running', 'dead') GROUP BY j.state
$$;

-- Deletes finished jobs after a while; dead letters stay until someone decides.
CREATE FUNCTION jobs_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM jobs WHERE state IN ('done', 'dropped') AND finished_at < now() - p_keep
$$;

SELECT give_to_system(f) FROM unnest(ARRAY['jobs_due(double precision,int)', 'jobs_census()', 'jobs_forget(interval)']::regprocedure[]) AS f;

-- Answers to writes that came with an Idempotency-Key, so that a repeat gets the same answer.
CREATE TABLE idempotency_keys (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    user_id     uuid NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    status      int,
    body        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
SELECT protect_table('idempotency_keys');
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO ringside_app;
GRANT SELECT, DELETE ON idempotency_keys TO ringside_system;
SELECT open_table_to('idempotency_keys', 'ringside_system');

CREATE FUNCTION idempotency_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM idempotency_keys WHERE created_at < now() - p_keep
$$;
SELECT give_to_system('idempotency_forget(interval)');
