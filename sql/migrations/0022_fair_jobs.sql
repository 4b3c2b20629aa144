-- Fair jobs: whoever has a hundred thousand due jobs must not hide the others' from the workers that look for them.

CREATE INDEX jobs_ready_of_tenant ON jobs (tenant_id, run_at) WHERE state = 'ready';

-- Jobs of any tenant that are due and that nobody holds: those whose worker died, then the oldest of each tenant, then the second
-- of each. Where any is due, one look into the index a tenant finds whose, and no more than p_limit of each are read: what it
-- costs depends on how many tenants wait, not on how much one of them has queued.
CREATE OR REPLACE FUNCTION jobs_due(p_overdue_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid, attempts int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE waiting (tenant_id, run_at) AS (
        (SELECT j.tenant_id, j.run_at FROM jobs j
         WHERE j.state = 'ready'
           AND (SELECT min(d.run_at) FROM jobs d WHERE d.state = 'ready') <= now() - make_interval(secs => p_overdue_s)
         ORDER BY j.tenant_id, j.run_at LIMIT 1)
        UNION ALL
        (SELECT n.tenant_id, n.run_at FROM waiting w CROSS JOIN LATERAL (
            SELECT j.tenant_id, j.run_at FROM jobs j
            WHERE j.state = 'ready' AND j.tenant_id > w.tenant_id
            ORDER BY j.tenant_id, j.run_at LIMIT 1) n)
    ), due AS (
        (SELECT j.tenant_id, j.id, j.attempts, 0::bigint AS turn, j.lease_until AS since FROM jobs j
         WHERE j.state = 'running' AND j.lease_until <= now()
         ORDER BY j.lease_until LIMIT p_limit)
        UNION ALL
        (SELECT w.tenant_id, o.id, o.attempts, o.turn, o.run_at FROM waiting w CROSS JOIN LATERAL (
            SELECT j.id, j.attempts, j.run_at, row_number() OVER (ORDER BY j.run_at) AS turn FROM jobs j
            WHERE j.state = 'ready' AND j.tenant_id = w.tenant_id AND j.run_at <= now() - make_interval(secs => p_overdue_s)
            ORDER BY j.run_at LIMIT p_limit) o
         WHERE w.run_at <= now() - make_interval(secs => p_overdue_s))
    )
    SELECT d.tenant_id, d.id, d.attempts FROM due d ORDER BY d.turn, d.since LIMIT p_limit
$$;

-- Where the trace stands that a job goes on with: W3C's traceparent, empty when nothing was traced.
ALTER TABLE jobs ADD COLUMN trace text NOT NULL DEFAULT '' CONSTRAINT jobs_trace_length CHECK (length(trace) <= 64);

-- Claims those of a tenant's jobs that are due, or whose lease ran out: the context, the claim and its commit in one round trip,
-- because a job that waits behind many others waits once for each. As whoever calls it, so under row-level security. The commit
-- does not wait for the disk: a claim that a crash forgets is one that was never made. The tolerance is for clocks that differ a
-- little.
CREATE FUNCTION claim_jobs(p_tenant uuid, p_ids uuid[], p_worker text, p_leases jsonb, p_default_lease_s double precision)
RETURNS TABLE (id uuid, kind text, args text, attempts int, tries int, max_attempts int, request_id text, trace text,
    created_by uuid, created_at timestamptz, waited_s double precision)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('ringside.tenant_id', p_tenant::text, true), set_config('synchronous_commit', 'off', true);
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT d.id FROM jobs d
        WHERE d.tenant_id = p_tenant AND d.id = ANY (p_ids)
          AND ((d.state = 'ready' AND d.run_at <= now() + interval '50 milliseconds')
               OR (d.state = 'running' AND d.lease_until <= now()))
        FOR UPDATE SKIP LOCKED)
    UPDATE jobs j
    SET state = 'running', attempts = j.attempts + 1, leased_by = p_worker, started_at = now(),
        lease_until = now() + make_interval(secs => coalesce((p_leases ->> j.kind)::double precision, p_default_lease_s))
    FROM due
    WHERE j.tenant_id = p_tenant AND j.id = due.id
    RETURNING j.id, j.kind, j.args::text, j.attempts, j.attempts - j.pardoned, j.max_attempts, j.request_id, j.trace,
        j.created_by, j.created_at, extract(epoch FROM clock_timestamp() - greatest(j.run_at, j.created_at))::double precision;
END $$;
REVOKE ALL ON FUNCTION claim_jobs(uuid, uuid[], text, jsonb, double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_jobs(uuid, uuid[], text, jsonb, double precision) TO ringside_app;
