-- Billing: what a company has bought and how it stands, mirrored from the payment provider; its invoices; what it used and how
-- much of that was reported. No row in billing_accounts, or one with is_billed = false: nothing is limited (no provider is set up).

CREATE TABLE billing_accounts (
    tenant_id       uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    is_billed       boolean NOT NULL DEFAULT true,
    plan            text NOT NULL CONSTRAINT billing_plan_known CHECK (plan IN ('basic', 'pro', 'enterprise')),
    every           text NOT NULL DEFAULT 'month' CONSTRAINT billing_every_known CHECK (every IN ('month', 'year')),
    seats           int NOT NULL CONSTRAINT billing_seats_positive CHECK (seats > 0),
    standing        text NOT NULL DEFAULT 'trial' CONSTRAINT billing_standing_known
                    CHECK (standing IN ('trial', 'active', 'grace', 'read_only', 'suspended')),
    standing_since  timestamptz NOT NULL DEFAULT now(),
    reason          text NOT NULL DEFAULT '' CONSTRAINT billing_reason_known
                    CHECK (reason IN ('', 'trial_over', 'payment_failed', 'canceled')),
    changes_at      timestamptz,
    next_look_at    timestamptz,
    told            text NOT NULL DEFAULT '',
    trial_ends_at   timestamptz NOT NULL,
    customer_id     text,
    subscription_id text,
    status          text NOT NULL DEFAULT 'none',
    period_starts_at timestamptz,
    period_ends_at  timestamptz,
    cancel_at       timestamptz,
    ended_at        timestamptz,
    ended_unpaid    boolean NOT NULL DEFAULT false,
    past_due_since  timestamptz,
    card            text NOT NULL DEFAULT '',
    coupon          text NOT NULL DEFAULT '',
    balance_minor   bigint NOT NULL DEFAULT 0,
    currency        text NOT NULL DEFAULT 'usd',
    metered_since   timestamptz,
    version         bigint NOT NULL DEFAULT 0,
    mirrored_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN billing_accounts.changes_at IS 'when time alone changes how the company stands';
COMMENT ON COLUMN billing_accounts.next_look_at IS 'when time alone changes how the company stands, or what it must be told';
COMMENT ON COLUMN billing_accounts.metered_since IS 'what was used before the subscription was first seen costs nothing';
COMMENT ON COLUMN billing_accounts.version IS 'grows with every mirroring: who asked the provider before another one wrote asks again';
CREATE INDEX billing_accounts_due ON billing_accounts (next_look_at) WHERE is_billed;
CREATE INDEX billing_accounts_restricted ON billing_accounts (standing) WHERE is_billed AND standing IN ('read_only', 'suspended');
CREATE INDEX billing_accounts_by_customer ON billing_accounts (customer_id) WHERE customer_id IS NOT NULL;
SELECT protect_table('billing_accounts');
GRANT SELECT, UPDATE ON billing_accounts TO ringside_app;
GRANT SELECT, INSERT, UPDATE ON billing_accounts TO ringside_system;
SELECT open_table_to('billing_accounts', 'ringside_system');

CREATE TABLE billing_invoices (
    tenant_id   uuid NOT NULL REFERENCES billing_accounts (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    provider_id text NOT NULL,
    number      text NOT NULL DEFAULT '',
    status      text NOT NULL,
    total_minor bigint NOT NULL,
    due_minor   bigint NOT NULL,
    paid_minor  bigint NOT NULL,
    currency    text NOT NULL,
    period_start timestamptz NOT NULL,
    period_end  timestamptz NOT NULL,
    attempts    int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT billing_invoices_once UNIQUE (tenant_id, provider_id)
);
CREATE INDEX billing_invoices_newest ON billing_invoices (tenant_id, created_at DESC, id DESC);
SELECT protect_table('billing_invoices');
GRANT SELECT, INSERT, UPDATE, DELETE ON billing_invoices TO ringside_app;

-- What was used on a day (UTC), by meter, as far as it has been handed to a report; a later count adds the difference.
CREATE TABLE billing_usage (
    tenant_id   uuid NOT NULL REFERENCES billing_accounts (tenant_id) ON DELETE CASCADE,
    meter       text NOT NULL CONSTRAINT billing_meter_known CHECK (meter IN ('call_minutes', 'sms')),
    day         date NOT NULL,
    counted     bigint NOT NULL,
    PRIMARY KEY (tenant_id, meter, day)
);
SELECT protect_table('billing_usage');
GRANT SELECT, INSERT, UPDATE ON billing_usage TO ringside_app;

-- One report to the provider's meter. Its id is the identifier by which the provider counts it once.
CREATE TABLE billing_reports (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    meter       text NOT NULL,
    day         date NOT NULL,
    quantity    bigint NOT NULL CONSTRAINT billing_reports_positive CHECK (quantity > 0),
    at          timestamptz NOT NULL,
    sent_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, meter, day) REFERENCES billing_usage (tenant_id, meter, day) ON DELETE CASCADE
);
CREATE INDEX billing_reports_waiting ON billing_reports (tenant_id, at) WHERE sent_at IS NULL;
CREATE INDEX billing_reports_by_time ON billing_reports (tenant_id, at);
SELECT protect_table('billing_reports');
GRANT SELECT, INSERT, UPDATE ON billing_reports TO ringside_app;

-- What the nightly comparison found to differ from the provider, and that it was mended.
CREATE TABLE billing_differences (
    tenant_id   uuid NOT NULL REFERENCES billing_accounts (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    field       text NOT NULL,
    ours        text NOT NULL,
    theirs      text NOT NULL,
    mended      boolean NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
SELECT protect_table('billing_differences');
GRANT SELECT, INSERT ON billing_differences TO ringside_app;

-- Usage is counted by the day on which a message was made.
CREATE INDEX messages_newest ON messages (tenant_id, created_at) WHERE direction = 'outbound';

-- The company that a customer of the provider is; no row for one that is none of ours.
CREATE FUNCTION billing_tenant_of(p_customer text) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.tenant_id FROM billing_accounts a WHERE a.customer_id = p_customer LIMIT 1
$$;

-- Companies that may only read, or not even that.
CREATE FUNCTION billing_restricted() RETURNS TABLE (tenant_id uuid, standing text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.tenant_id, a.standing, a.reason FROM billing_accounts a
    WHERE a.is_billed AND a.standing IN ('read_only', 'suspended')
$$;

-- Companies whose standing, or what they must be told, time has changed by p_now.
CREATE FUNCTION billing_due(p_now timestamptz, p_limit int) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.tenant_id FROM billing_accounts a
    WHERE a.is_billed AND a.next_look_at <= p_now ORDER BY a.next_look_at LIMIT p_limit
$$;

-- Companies that are customers of the provider.
CREATE FUNCTION billing_customers() RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.tenant_id FROM billing_accounts a WHERE a.is_billed AND a.customer_id IS NOT NULL
$$;

-- The plans of the companies that are billed and have more than the smallest one.
CREATE FUNCTION billing_plans() RETURNS TABLE (tenant_id uuid, plan text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.tenant_id, a.plan FROM billing_accounts a WHERE a.is_billed AND a.plan <> 'basic'
$$;

-- Bills every company from now on: those that are new to it begin with a trial. How many began.
CREATE FUNCTION billing_open_accounts(p_plan text, p_seats int, p_now timestamptz, p_trial_ends_at timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH back AS (
        UPDATE billing_accounts SET is_billed = true, next_look_at = p_now WHERE NOT is_billed
    ), opened AS (
        INSERT INTO billing_accounts (tenant_id, plan, seats, trial_ends_at, standing_since, next_look_at)
        SELECT t.tenant_id, p_plan, greatest(p_seats, m.people), p_trial_ends_at, p_now, p_now
        FROM tenants t CROSS JOIN LATERAL (
            SELECT count(*)::int AS people FROM members m WHERE m.tenant_id = t.tenant_id AND m.status = 'active') m
        WHERE NOT EXISTS (SELECT FROM billing_accounts a WHERE a.tenant_id = t.tenant_id)
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT count(*) FROM opened
$$;

-- Bills nobody any more: no provider is set up.
CREATE FUNCTION billing_close_accounts() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE billing_accounts SET is_billed = false WHERE is_billed
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'billing_tenant_of(text)', 'billing_restricted()', 'billing_due(timestamptz,int)', 'billing_customers()', 'billing_plans()',
    'billing_open_accounts(text,int,timestamptz,timestamptz)', 'billing_close_accounts()']::regprocedure[]) AS f;
