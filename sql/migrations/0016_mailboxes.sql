-- Mailboxes: people's and teams' mail at their providers, how far it has been taken in, and who may see it.

-- `sealed` is the refresh token, or the account's JSON of an IMAP server, sealed for this tenant and this row (kind mailbox).
-- `cursor` is the provider's place in the history up to which everything was taken in. `behind` is measured by comparing with
-- the provider; null means that nobody has looked. `version` counts what people change, not what the sync notes.
CREATE TABLE mailboxes (
    tenant_id     uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id            uuid NOT NULL DEFAULT uuidv7(),
    user_id       uuid NOT NULL,
    team_id       uuid,
    kind          text NOT NULL CONSTRAINT mailboxes_kind_known CHECK (kind IN ('gmail', 'imap')),
    address       text NOT NULL CONSTRAINT mailboxes_address_length CHECK (length(address) BETWEEN 3 AND 320),
    address_lc    text COLLATE "C" NOT NULL,
    display_name  text NOT NULL DEFAULT '' CONSTRAINT mailboxes_display_name_length CHECK (length(display_name) <= 200),
    state         text NOT NULL DEFAULT 'connecting' CONSTRAINT mailboxes_state_known
                  CHECK (state IN ('connecting', 'syncing', 'active', 'revoked', 'failing', 'paused', 'disconnected')),
    visibility    text NOT NULL DEFAULT 'private' CONSTRAINT mailboxes_visibility_known
                  CHECK (visibility IN ('private', 'team', 'everyone')),
    signature_html text NOT NULL DEFAULT '' CONSTRAINT mailboxes_signature_length CHECK (length(signature_html) <= 50000),
    sealed        text,
    cursor        text,
    sync_since    timestamptz NOT NULL DEFAULT now() - interval '90 days',
    -- {state: waiting|running|done, total, done, before, page, why}; `before` is what was done before the page at hand
    first_sync    jsonb NOT NULL DEFAULT '{"state": "waiting", "total": null, "done": 0}',
    watch_until   timestamptz,
    watch_checked_at timestamptz,
    last_push_at  timestamptz,
    last_sync_at  timestamptz,
    next_poll_at  timestamptz NOT NULL DEFAULT now(),
    queued_at     timestamptz,
    -- When somebody was last at its old mail, or waited for a turn at it.
    history_at    timestamptz,
    failures      int NOT NULL DEFAULT 0,
    behind        int CONSTRAINT mailboxes_behind_counts CHECK (behind >= 0),
    oldest_behind_at timestamptz,
    measured_at   timestamptz,
    next_measure_at timestamptz NOT NULL DEFAULT now(),
    -- When everything since sync_since was compared, not only the last days.
    compared_at   timestamptz,
    error         text,
    sync_read     boolean NOT NULL DEFAULT false,
    sync_labels   boolean NOT NULL DEFAULT false,
    per_hour      int NOT NULL DEFAULT 60 CONSTRAINT mailboxes_per_hour_range CHECK (per_hour BETWEEN 1 AND 10000),
    per_day       int NOT NULL DEFAULT 400 CONSTRAINT mailboxes_per_day_range CHECK (per_day BETWEEN 1 AND 100000),
    per_week      int NOT NULL DEFAULT 2000 CONSTRAINT mailboxes_per_week_range CHECK (per_week BETWEEN 1 AND 500000),
    min_gap_s     int NOT NULL DEFAULT 30 CONSTRAINT mailboxes_min_gap_range CHECK (min_gap_s BETWEEN 0 AND 86400),
    -- {started_on: date, start: a day's mails at first, add: more each day}; null: no warm-up
    warm_up       jsonb,
    bounce_limit_permille int NOT NULL DEFAULT 50 CONSTRAINT mailboxes_bounce_limit_range
                  CHECK (bounce_limit_permille BETWEEN 1 AND 1000),
    stopped_reason text,
    stopped_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    connected_at  timestamptz,
    disconnected_at timestamptz,
    version       int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT mailboxes_team_sees_it CHECK (visibility <> 'team' OR team_id IS NOT NULL OR state = 'disconnected'),
    CONSTRAINT mailboxes_user_is_member FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    CONSTRAINT mailboxes_of_team FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id) ON DELETE SET NULL (team_id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX mailboxes_address_taken ON mailboxes (tenant_id, address_lc) WHERE state <> 'disconnected';
CREATE INDEX mailboxes_by_address ON mailboxes (address_lc) WHERE state <> 'disconnected';
CREATE INDEX mailboxes_of_user ON mailboxes (tenant_id, user_id);
CREATE INDEX mailboxes_due ON mailboxes (next_poll_at) WHERE state IN ('connecting', 'syncing', 'active', 'failing');
CREATE INDEX mailboxes_unmeasured ON mailboxes (next_measure_at) WHERE state IN ('syncing', 'active', 'failing');

-- Who is at what of a mailbox just now: `changes` as they come, `history` for the first sync and for listing everything anew,
-- `outgoing` for what the provider is told. The fence
-- only ever grows; whoever records something must still hold the number it was given.
CREATE TABLE mailbox_leases (
    tenant_id   uuid NOT NULL,
    mailbox_id  uuid NOT NULL,
    kind        text NOT NULL CONSTRAINT mailbox_leases_kind_known CHECK (kind IN ('changes', 'history', 'outgoing')),
    fence       bigint NOT NULL DEFAULT 1,
    until       timestamptz NOT NULL,
    -- Something came while it was held: its holder goes round once more.
    again       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, mailbox_id, kind),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 70);

-- Every message of the provider's that was taken in, written in the transaction that stored it; and those that could not be.
-- What the provider has and this has not is what a mailbox is behind by.
CREATE TABLE mailbox_messages (
    tenant_id   uuid NOT NULL,
    mailbox_id  uuid NOT NULL,
    provider_id text COLLATE "C" NOT NULL,
    thread_id   text COLLATE "C" NOT NULL DEFAULT '',
    received_at timestamptz,
    taken_at    timestamptz,
    deleted_at  timestamptz,
    attempts    int NOT NULL DEFAULT 0,
    problem     text,
    PRIMARY KEY (tenant_id, mailbox_id, provider_id),
    CONSTRAINT mailbox_messages_taken_or_not CHECK (taken_at IS NOT NULL OR problem IS NOT NULL),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mailbox_messages_newest ON mailbox_messages (tenant_id, mailbox_id, received_at);

CREATE TABLE mailbox_labels (
    tenant_id   uuid NOT NULL,
    mailbox_id  uuid NOT NULL,
    provider_id text COLLATE "C" NOT NULL,
    name        text NOT NULL,
    private     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, mailbox_id, provider_id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE
);

-- Mail that only its mailbox's owner sees: by address, by domain, by label (the provider's id) or by a word of the subject. A rule
-- without a mailbox holds for all of the company's.
CREATE TABLE mail_privacy_rules (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    mailbox_id  uuid,
    kind        text NOT NULL CONSTRAINT mail_privacy_rules_kind_known CHECK (kind IN ('address', 'domain', 'label', 'subject')),
    value_lc    text COLLATE "C" NOT NULL CONSTRAINT mail_privacy_rules_value_length CHECK (length(value_lc) BETWEEN 1 AND 320),
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);
CREATE UNIQUE INDEX mail_privacy_rules_once ON mail_privacy_rules (tenant_id, mailbox_id, kind, value_lc) NULLS NOT DISTINCT;

-- Changes of labels that the provider is still to be told.
CREATE TABLE mailbox_changes (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    mailbox_id  uuid NOT NULL,
    provider_id text NOT NULL,
    thread_id   text NOT NULL DEFAULT '',
    added       text[] NOT NULL DEFAULT '{}',
    removed     text[] NOT NULL DEFAULT '{}',
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX mailbox_changes_waiting ON mailbox_changes (tenant_id, mailbox_id, id);

-- A person is at Google's consent page. `state_hash` and `browser_hash` are SHA-256: of what comes back, and of the cookie that
-- only the browser has in which it began. `sealed` is the code verifier (RFC 7636).
CREATE TABLE oauth_states (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL DEFAULT uuidv7(),
    state_hash   bytea NOT NULL,
    browser_hash bytea NOT NULL,
    user_id      uuid NOT NULL,
    team_id      uuid,
    mailbox_id   uuid,
    visibility   text,
    since_days   int NOT NULL DEFAULT 90,
    sealed       text NOT NULL,
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '15 minutes',
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX oauth_states_by_hash ON oauth_states (state_hash);
CREATE INDEX oauth_states_by_age ON oauth_states (expires_at);

SELECT protect_table(t) FROM unnest(ARRAY['mailboxes', 'mailbox_leases', 'mailbox_messages', 'mailbox_labels', 'mail_privacy_rules',
    'mailbox_changes', 'oauth_states']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON mailboxes, mailbox_leases TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON mailbox_messages, mailbox_labels, mail_privacy_rules, mailbox_changes TO ringside_app;
GRANT INSERT ON oauth_states TO ringside_app;
GRANT SELECT ON mailboxes TO ringside_system;
GRANT SELECT, DELETE ON oauth_states TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['mailboxes', 'oauth_states']::regclass[]) AS t;

-- Every mailbox of an address, for a push, and for whether a grant is used by another company, too.
CREATE FUNCTION mailboxes_of_address(p_address text)
RETURNS TABLE (tenant_id uuid, id uuid, kind text, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT b.tenant_id, b.id, b.kind, b.state FROM mailboxes b
    WHERE b.address_lc = p_address AND b.state <> 'disconnected' LIMIT 100
$$;

-- Mailboxes of any tenant whose turn to be asked it is, the longest waiting first.
CREATE FUNCTION mailboxes_to_poll(p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT b.tenant_id, b.id FROM mailboxes b
    WHERE b.state IN ('connecting', 'syncing', 'active', 'failing') AND b.next_poll_at <= now()
    ORDER BY b.next_poll_at LIMIT p_limit
$$;

-- Mailboxes of any tenant that are to be compared with their provider.
CREATE FUNCTION mailboxes_to_measure(p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT b.tenant_id, b.id FROM mailboxes b
    WHERE b.state IN ('syncing', 'active', 'failing') AND b.next_measure_at <= now()
    ORDER BY b.next_measure_at LIMIT p_limit
$$;

-- Mailboxes of any tenant whose pushes end soon, or which were not asked to push for a while.
CREATE FUNCTION mailboxes_to_watch(p_ends_within interval, p_checked_before interval, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT b.tenant_id, b.id FROM mailboxes b
    WHERE b.state IN ('syncing', 'active', 'failing') AND b.kind = 'gmail'
      AND (b.watch_until IS NULL OR b.watch_until < now() + p_ends_within)
      AND (b.watch_checked_at IS NULL OR b.watch_checked_at < now() - p_checked_before)
    LIMIT p_limit
$$;

-- Mailboxes of any tenant whose secret was sealed with another key than the one whose seals begin like this.
CREATE FUNCTION mailboxes_to_reseal(p_prefix text, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT b.tenant_id, b.id FROM mailboxes b
    WHERE b.sealed IS NOT NULL AND NOT b.sealed ^@ p_prefix LIMIT p_limit
$$;

-- Whose consent it was that comes back; it can be asked once.
CREATE FUNCTION oauth_state_take(p_state_hash bytea)
RETURNS TABLE (tenant_id uuid, id uuid, browser_hash bytea, user_id uuid, team_id uuid, mailbox_id uuid, visibility text,
    since_days int, sealed text, is_late boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM oauth_states s WHERE s.state_hash = p_state_hash
    RETURNING s.tenant_id, s.id, s.browser_hash, s.user_id, s.team_id, s.mailbox_id, s.visibility, s.since_days, s.sealed, s.expires_at < now()
$$;

CREATE FUNCTION oauth_states_forget() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM oauth_states WHERE expires_at < now() - interval '1 day'
$$;

-- Jobs of polling are many and say little once they are done.
CREATE FUNCTION mailbox_jobs_forget() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM jobs
    WHERE state = 'done' AND kind IN ('mailboxes.sync', 'mailboxes.measure')
      AND finished_at > now() - interval '6 hours' AND finished_at < now() - interval '1 hour'
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'mailboxes_of_address(text)', 'mailboxes_to_poll(int)', 'mailboxes_to_measure(int)',
    'mailboxes_to_watch(interval,interval,int)', 'mailboxes_to_reseal(text,int)', 'oauth_state_take(bytea)', 'oauth_states_forget()',
    'mailbox_jobs_forget()'
]::regprocedure[]) AS f;
