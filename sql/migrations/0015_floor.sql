-- What managers are warned of: each company's alert rules, and the alerts they raised.

-- A company without a row has the defaults.
CREATE TABLE alert_rules (
    tenant_id           uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    rep_idle_on         boolean NOT NULL DEFAULT true,
    rep_idle_minutes    int NOT NULL DEFAULT 10 CONSTRAINT alert_rules_minutes_range CHECK (rep_idle_minutes BETWEEN 1 AND 480),
    queue_empty_on      boolean NOT NULL DEFAULT true,
    queue_empty_left    int NOT NULL DEFAULT 0 CONSTRAINT alert_rules_left_range CHECK (queue_empty_left BETWEEN 0 AND 1000),
    abandonment_on      boolean NOT NULL DEFAULT true,
    abandonment_percent int NOT NULL DEFAULT 80 CONSTRAINT alert_rules_percent_range CHECK (abandonment_percent BETWEEN 10 AND 100),
    notifies            boolean NOT NULL DEFAULT true,
    updated_at          timestamptz NOT NULL DEFAULT now()
);
SELECT protect_table('alert_rules');
GRANT SELECT, INSERT, UPDATE ON alert_rules TO ringside_app;

CREATE TABLE alerts (
    tenant_id    uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id           uuid NOT NULL DEFAULT uuidv7(),
    kind         text NOT NULL CONSTRAINT alerts_kind_known CHECK (kind IN ('rep_idle', 'queue_empty', 'abandonment')),
    subject_kind text NOT NULL CONSTRAINT alerts_subject_known CHECK (subject_kind IN ('user', 'queue')),
    subject_id   uuid NOT NULL,
    subject_name text NOT NULL,
    message      text NOT NULL,
    raised_at    timestamptz NOT NULL DEFAULT now(),
    cleared_at   timestamptz,
    PRIMARY KEY (tenant_id, id)
);
-- Nobody is warned twice of what has not passed.
CREATE UNIQUE INDEX alerts_open ON alerts (tenant_id, kind, subject_id) WHERE cleared_at IS NULL;
CREATE INDEX alerts_newest ON alerts (tenant_id, raised_at, id);
CREATE INDEX alerts_by_age ON alerts (raised_at);
SELECT protect_table('alerts');
GRANT SELECT, INSERT, UPDATE ON alerts TO ringside_app;
GRANT SELECT, DELETE ON alerts TO ringside_system;
SELECT open_table_to('alerts', 'ringside_system');

-- Companies in which there may be something to warn of, or to clear: somebody is there, or an alert is open.
CREATE FUNCTION alerts_tenants() RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.tenant_id FROM presence p WHERE p.state <> 'offline'
    UNION
    SELECT a.tenant_id FROM alerts a WHERE a.cleared_at IS NULL
$$;

CREATE FUNCTION alerts_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM alerts WHERE raised_at < now() - p_keep AND cleared_at IS NOT NULL
$$;
SELECT give_to_system(f) FROM unnest(ARRAY['alerts_tenants()', 'alerts_forget(interval)']::regprocedure[]) AS f;

-- The calls behind a number of the floor.
CREATE INDEX calls_by_outcome ON calls (tenant_id, outcome, created_at, id) WHERE outcome IS NOT NULL;
CREATE INDEX calls_by_disposition ON calls (tenant_id, disposition, created_at, id) WHERE disposition IS NOT NULL;
