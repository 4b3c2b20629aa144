-- Letters that Ringside itself sends, where each person wants to be told what, quiet hours, and devices that take pushes.

-- What an installation makes for itself once and keeps sealed, such as the key that it signs pushes with.
CREATE TABLE installation_secrets (
    name        text PRIMARY KEY,
    sealed      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE installation_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE installation_secrets FORCE ROW LEVEL SECURITY;
SELECT open_table_to('installation_secrets', 'ringside_system');
GRANT SELECT, INSERT, UPDATE ON installation_secrets TO ringside_system;

-- A letter to one address. Those that belong to no company (a reset, a sign-up) have the nil UUID for one, which no session of
-- a company has; that is why there is no foreign key to tenants.
CREATE TABLE letters (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    template    text NOT NULL CONSTRAINT letters_template_shape CHECK (template ~ '^[a-z][a-z0-9_]{0,59}$'),
    to_address  text NOT NULL CONSTRAINT letters_to_address_length CHECK (length(to_address) BETWEEN 3 AND 320),
    subject     text NOT NULL CONSTRAINT letters_subject_length CHECK (length(subject) BETWEEN 1 AND 500),
    -- Text and HTML, sealed; gone as soon as the letter is sent, since there are links in it that let people in.
    content     text,
    key         text COLLATE "C",
    state       text NOT NULL DEFAULT 'waiting' CONSTRAINT letters_state_known
                CHECK (state IN ('waiting', 'sent', 'kept', 'failed')),
    attempts    int NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT now(),
    last_error  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT letters_key_taken UNIQUE (tenant_id, key)
);
COMMENT ON COLUMN letters.state IS 'kept: no mail server is set up, so it lies in the local outbox';
COMMENT ON COLUMN letters.due_at IS 'when it is tried next; while it is being tried, when somebody else may take it over';
CREATE INDEX letters_due ON letters (due_at) WHERE state = 'waiting';
CREATE INDEX letters_newest ON letters (tenant_id, created_at DESC, id DESC);
CREATE INDEX letters_by_age ON letters (created_at);

-- Where a person wants to be told of a topic, as far as they said so.
CREATE TABLE notification_choices (
    tenant_id   uuid NOT NULL,
    user_id     uuid NOT NULL,
    topic       text COLLATE "C" NOT NULL CONSTRAINT notification_choices_topic_shape CHECK (topic ~ '^[a-z][a-z_]{0,39}$'),
    console     boolean NOT NULL,
    email       boolean NOT NULL,
    push        boolean NOT NULL,
    PRIMARY KEY (tenant_id, user_id, topic),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);

-- When a person wants neither mail nor pushes: minutes after midnight in their zone, over midnight when it ends before it begins.
CREATE TABLE notification_hours (
    tenant_id       uuid NOT NULL,
    user_id         uuid NOT NULL,
    quiet           boolean NOT NULL,
    quiet_from      int NOT NULL CONSTRAINT notification_hours_from_range CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_until     int NOT NULL CONSTRAINT notification_hours_until_range CHECK (quiet_until BETWEEN 0 AND 1439),
    quiet_weekends  boolean NOT NULL DEFAULT false,
    zone            text NOT NULL CONSTRAINT notification_hours_zone_length CHECK (length(zone) BETWEEN 1 AND 64),
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);

-- A browser that takes pushes for a person. Its address and keys are sealed: who has them can write on its screen.
CREATE TABLE push_subscriptions (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL DEFAULT uuidv7(),
    user_id         uuid NOT NULL,
    session_id      uuid NOT NULL,
    endpoint_hash   text COLLATE "C" NOT NULL,
    sealed          text NOT NULL,
    device          text NOT NULL CONSTRAINT push_subscriptions_device_length CHECK (length(device) BETWEEN 1 AND 100),
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_sent_at    timestamptz,
    last_error      text,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT push_subscriptions_endpoint_taken UNIQUE (tenant_id, endpoint_hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX push_subscriptions_of_user ON push_subscriptions (tenant_id, user_id, created_at, id);

ALTER TABLE notifications
    ADD COLUMN in_console boolean NOT NULL DEFAULT true,
    ADD COLUMN mail_due_at timestamptz,
    ADD COLUMN mailed_at timestamptz,
    ADD COLUMN push_due_at timestamptz,
    ADD COLUMN pushed_at timestamptz;
CREATE INDEX notifications_to_mail ON notifications (tenant_id, user_id, mail_due_at)
    WHERE mail_due_at IS NOT NULL AND mailed_at IS NULL;
CREATE INDEX notifications_to_push ON notifications (tenant_id, user_id, push_due_at)
    WHERE push_due_at IS NOT NULL AND pushed_at IS NULL;

SELECT protect_table(t) FROM unnest(ARRAY[
    'letters', 'notification_choices', 'notification_hours', 'push_subscriptions'
]::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE, DELETE ON letters, notification_choices, notification_hours, push_subscriptions TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON letters TO ringside_system;
SELECT open_table_to('letters', 'ringside_system');

-- Keeps a secret of the installation unless there is one of this name; the one that is kept.
CREATE FUNCTION installation_secret(p_name text, p_sealed text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_sealed IS NOT NULL THEN
        INSERT INTO installation_secrets (name, sealed) VALUES (p_name, p_sealed) ON CONFLICT DO NOTHING;
    END IF;
    RETURN (SELECT s.sealed FROM installation_secrets s WHERE s.name = p_name);
END $$;

-- Seals a secret of the installation anew, unless somebody else has done so meanwhile.
CREATE FUNCTION installation_secret_reseal(p_name text, p_before text, p_after text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE installation_secrets SET sealed = p_after WHERE name = p_name AND sealed = p_before
$$;

-- A letter that is written before a company is known, or outside a transaction of one; null when its key was used before.
CREATE FUNCTION letters_post(
    p_tenant uuid, p_id uuid, p_template text, p_to text, p_subject text, p_content text, p_key text
) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO letters (tenant_id, id, template, to_address, subject, content, key)
    VALUES (p_tenant, p_id, p_template, p_to, p_subject, p_content, p_key)
    ON CONFLICT ON CONSTRAINT letters_key_taken DO NOTHING
    RETURNING id
$$;

-- Takes letters of any company, and of none, that are due; nobody else does until the lease is over.
CREATE FUNCTION letters_claim(p_limit int, p_lease_s int)
RETURNS TABLE (
    tenant_id uuid, id uuid, template text, to_address text, subject text, content text, attempts int, created_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH due AS (
        SELECT l.tenant_id, l.id FROM letters l
        WHERE l.state = 'waiting' AND l.due_at <= now()
        ORDER BY l.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    )
    UPDATE letters l SET attempts = l.attempts + 1, due_at = now() + make_interval(secs => p_lease_s)
    FROM due WHERE l.tenant_id = due.tenant_id AND l.id = due.id
    RETURNING l.tenant_id, l.id, l.template, l.to_address, l.subject, l.content, l.attempts, l.created_at
$$;

-- What became of an attempt: sent, kept, failed, or waiting for the next after so many seconds. False when it was not the last one.
CREATE FUNCTION letters_settle(p_tenant uuid, p_id uuid, p_attempt int, p_state text, p_error text, p_delay_s double precision)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH settled AS (
        UPDATE letters l
        SET state = p_state, last_error = p_error, due_at = now() + make_interval(secs => p_delay_s),
            settled_at = CASE WHEN p_state <> 'waiting' THEN now() END,
            content = CASE WHEN p_state <> 'sent' THEN l.content END
        WHERE l.tenant_id = p_tenant AND l.id = p_id AND l.attempts = p_attempt AND l.state = 'waiting'
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM settled)
$$;

-- The newest letters that belong to no company.
CREATE FUNCTION letters_of_nobody(p_limit int)
RETURNS TABLE (id uuid, template text, to_address text, subject text, content text, state text, last_error text, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.id, l.template, l.to_address, l.subject, l.content, l.state, l.last_error, l.created_at
    FROM letters l WHERE l.tenant_id = '00000000-0000-0000-0000-000000000000'
    ORDER BY l.created_at DESC, l.id DESC LIMIT p_limit
$$;

CREATE FUNCTION letters_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM letters WHERE created_at < now() - p_keep
$$;

-- Is the sign-in still good that a device was set up with?
CREATE FUNCTION session_lives(p_session uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM sessions s WHERE s.id = p_session AND s.revoked_at IS NULL AND s.expires_at > now())
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'installation_secret(text,text)', 'installation_secret_reseal(text,text,text)',
    'letters_post(uuid,uuid,text,text,text,text,text)', 'letters_claim(int,int)',
    'letters_settle(uuid,uuid,int,text,text,double precision)', 'letters_of_nobody(int)', 'letters_forget(interval)',
    'session_lives(uuid)'
]::regprocedure[]) AS f;
