-- Calls and the timeline. Activities are what happened with a contact; a call has exactly one.

CREATE TABLE calls (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    contact_id      uuid NOT NULL,
    user_id         uuid NOT NULL,
    state           text NOT NULL DEFAULT 'queued' CONSTRAINT calls_state_known CHECK (state IN
                    ('queued', 'dialing', 'ringing', 'in_progress', 'completed', 'busy', 'no_answer', 'failed', 'canceled')),
    direction       text NOT NULL DEFAULT 'outbound' CONSTRAINT calls_direction_known CHECK (direction IN ('outbound', 'inbound')),
    to_number       text NOT NULL,
    from_number     text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    asked_at        timestamptz,
    provider_sid    text,
    answered_at     timestamptz,
    ended_at        timestamptz,
    hangup_asked_at timestamptz,
    checked_at      timestamptz NOT NULL DEFAULT now(),
    outcome         text CONSTRAINT calls_outcome_known CHECK (outcome IN ('connected', 'voicemail', 'busy', 'no_answer', 'failed', 'canceled')),
    disposition     text,
    note            text NOT NULL DEFAULT '',
    error           text,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT calls_sid_taken UNIQUE (tenant_id, provider_sid),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id)
);
-- One live call for a contact, and one for a rep, whatever races: the constraint's name is the rule's name.
CREATE UNIQUE INDEX calls_contact_is_busy ON calls (tenant_id, contact_id) WHERE state IN ('queued', 'dialing', 'ringing', 'in_progress');
CREATE UNIQUE INDEX calls_rep_is_busy ON calls (tenant_id, user_id) WHERE state IN ('queued', 'dialing', 'ringing', 'in_progress');
CREATE INDEX calls_newest ON calls (tenant_id, created_at, id);
CREATE INDEX calls_of_contact ON calls (tenant_id, contact_id, created_at, id);
CREATE INDEX calls_by_state ON calls (tenant_id, state, created_at, id);
CREATE INDEX calls_of_user ON calls (tenant_id, user_id, created_at, id);
CREATE INDEX calls_unsettled ON calls (checked_at) WHERE state IN ('queued', 'dialing', 'ringing', 'in_progress');
SELECT protect_table('calls');
GRANT SELECT, INSERT, UPDATE ON calls TO ringside_app;
GRANT SELECT ON calls TO ringside_system;
SELECT open_table_to('calls', 'ringside_system');

-- Live calls of any tenant that have not been heard of for a while, for the reaper.
CREATE FUNCTION calls_unheard(p_silent_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.tenant_id, c.id FROM calls c
    WHERE c.state IN ('queued', 'dialing', 'ringing', 'in_progress')
      AND c.checked_at <= now() - make_interval(secs => p_silent_s)
    ORDER BY c.checked_at LIMIT p_limit
$$;
SELECT give_to_system('calls_unheard(double precision,int)');

CREATE TABLE activities (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    contact_id  uuid NOT NULL,
    kind        text NOT NULL CONSTRAINT activities_kind_known CHECK (kind IN ('call', 'email', 'sms', 'note', 'task', 'system')),
    at          timestamptz NOT NULL DEFAULT now(),
    actor_id    uuid,
    call_id     uuid,
    body        text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT activities_one_for_a_call UNIQUE (tenant_id, call_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id),
    FOREIGN KEY (tenant_id, actor_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX activities_newest ON activities (tenant_id, at, id);
CREATE INDEX activities_of_contact ON activities (tenant_id, contact_id, at, id);
SELECT protect_table('activities');
GRANT SELECT, INSERT, UPDATE ON activities TO ringside_app;

-- Webhooks as they came, verified and stored once; the work on them is a job.
CREATE TABLE webhook_deliveries (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    provider    text NOT NULL,
    dedupe_key  text NOT NULL,
    payload     jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT webhook_deliveries_once UNIQUE (tenant_id, provider, dedupe_key)
);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (received_at);
SELECT protect_table('webhook_deliveries');
GRANT SELECT, INSERT ON webhook_deliveries TO ringside_app;
GRANT SELECT, DELETE ON webhook_deliveries TO ringside_system;
SELECT open_table_to('webhook_deliveries', 'ringside_system');

CREATE FUNCTION webhook_deliveries_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM webhook_deliveries WHERE received_at < now() - p_keep
$$;
SELECT give_to_system('webhook_deliveries_forget(interval)');
