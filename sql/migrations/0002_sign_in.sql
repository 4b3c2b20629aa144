-- Sign-in: passwords, sessions, rotating refresh tokens, throttling, and the log of withdrawn access.
-- The app role has no grant on any of these tables; it calls the functions below, which ringside_system owns.

CREATE TABLE user_passwords (
    user_id     uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash        text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    id              uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    user_agent      text NOT NULL DEFAULT '',
    address         text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_reason  text
);
CREATE INDEX sessions_by_user ON sessions (user_id) WHERE revoked_at IS NULL;

-- Every token ever issued to a session; only hashes are stored. An old one that comes back means theft.
CREATE TABLE refresh_tokens (
    hash        bytea PRIMARY KEY,
    session_id  uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at   timestamptz NOT NULL DEFAULT now(),
    rotated_at  timestamptz,
    rotated_by  text
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Failed sign-ins in the running window, keyed by account and by address.
CREATE TABLE sign_in_failures (
    key         text PRIMARY KEY,
    failures    int NOT NULL,
    window_ends_at timestamptz NOT NULL
);

-- Withdrawn access, read by every process a few times a second: sessions revoked, members changed.
CREATE TABLE access_changes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind        text NOT NULL CONSTRAINT access_changes_kind_known
                CHECK (kind IN ('session_revoked', 'role_changed', 'member_deactivated')),
    tenant_id   uuid,
    user_id     uuid NOT NULL,
    session_id  uuid
);
CREATE INDEX access_changes_by_time ON access_changes (at);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['user_passwords', 'sessions', 'refresh_tokens', 'sign_in_failures', 'access_changes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        PERFORM open_table_to(t::regclass, 'ringside_system');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ringside_system', t);
    END LOOP;
END $$;

-- The account behind an address, with its password hash; no row when there is none.
CREATE FUNCTION auth_find_user(p_email_lc text)
RETURNS TABLE (user_id uuid, email text, name text, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.email, u.name, p.hash
    FROM users u JOIN user_passwords p ON p.user_id = u.id
    WHERE u.email_lc = p_email_lc
$$;

-- A person's address and name.
CREATE FUNCTION auth_user(p_user uuid) RETURNS TABLE (email text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.email, u.name FROM users u WHERE u.id = p_user
$$;

-- The companies a person may enter, oldest membership first.
CREATE FUNCTION auth_companies(p_user uuid)
RETURNS TABLE (tenant_id uuid, name text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.name, m.role
    FROM members m JOIN tenants t ON t.tenant_id = m.tenant_id
    WHERE m.user_id = p_user AND m.status = 'active'
    ORDER BY m.created_at, t.tenant_id
$$;

-- Opens a session with its first refresh token.
CREATE FUNCTION auth_open_session(p_user uuid, p_tenant uuid, p_agent text, p_address text, p_hash bytea, p_ttl_s int)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH s AS (
        INSERT INTO sessions (user_id, tenant_id, user_agent, address, expires_at)
        VALUES (p_user, p_tenant, p_agent, p_address, now() + make_interval(secs => p_ttl_s))
        RETURNING id
    )
    INSERT INTO refresh_tokens (hash, session_id) SELECT p_hash, s.id FROM s RETURNING session_id
$$;

-- Ends one session and tells every process.
CREATE FUNCTION auth_revoke_session(p_session uuid, p_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_reason = p_reason
        WHERE id = p_session AND revoked_at IS NULL
        RETURNING id, user_id, tenant_id
    )
    INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
    SELECT 'session_revoked', tenant_id, user_id, id FROM ended
$$;

-- Ends every session of a person and tells every process.
CREATE FUNCTION auth_revoke_all_sessions(p_user uuid, p_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_reason = p_reason
        WHERE user_id = p_user AND revoked_at IS NULL
        RETURNING id, user_id, tenant_id
    )
    INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
    SELECT 'session_revoked', tenant_id, user_id, id FROM ended
$$;

-- Exchanges a refresh token for the next one. outcome: ok, unknown, expired, revoked, reused.
-- An already exchanged token is taken once more only from the very client that exchanged it, within the grace (its answer
-- was lost); otherwise the whole session ends (RFC 9700, section 4.14).
CREATE FUNCTION auth_rotate(p_hash bytea, p_new_hash bytea, p_agent text, p_grace_s int)
RETURNS TABLE (outcome text, session_id uuid, user_id uuid, tenant_id uuid, email text, name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tok refresh_tokens;
    ses sessions;
BEGIN
    SELECT * INTO tok FROM refresh_tokens t WHERE t.hash = p_hash;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown', NULL::uuid, NULL::uuid, NULL::uuid, NULL::text, NULL::text;
        RETURN;
    END IF;
    SELECT * INTO ses FROM sessions s WHERE s.id = tok.session_id FOR UPDATE;
    SELECT * INTO tok FROM refresh_tokens t WHERE t.hash = p_hash;
    IF ses.revoked_at IS NOT NULL THEN
        outcome := 'revoked';
    ELSIF ses.expires_at < now() THEN
        outcome := 'expired';
    ELSIF tok.rotated_at IS NOT NULL
          AND NOT (tok.rotated_by = p_agent AND tok.rotated_at > now() - make_interval(secs => p_grace_s)) THEN
        PERFORM auth_revoke_session(ses.id, 'a used refresh token came back');
        outcome := 'reused';
    ELSE
        UPDATE refresh_tokens t SET rotated_at = now(), rotated_by = p_agent WHERE t.hash = p_hash AND t.rotated_at IS NULL;
        INSERT INTO refresh_tokens (hash, session_id) VALUES (p_new_hash, ses.id);
        UPDATE sessions s SET last_used_at = now() WHERE s.id = ses.id;
        outcome := 'ok';
    END IF;
    RETURN QUERY SELECT outcome, ses.id, ses.user_id, ses.tenant_id, u.email, u.name FROM users u WHERE u.id = ses.user_id;
END $$;

-- Moves a live session to another company of the same person; false when they do not belong there.
CREATE FUNCTION auth_switch(p_session uuid, p_user uuid, p_tenant uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH moved AS (
        UPDATE sessions s SET tenant_id = p_tenant
        WHERE s.id = p_session AND s.user_id = p_user AND s.revoked_at IS NULL
          AND EXISTS (SELECT FROM members m WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.status = 'active')
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM moved)
$$;

-- Takes one attempt to sign in from each of these keys: 0 when it may be made, else the seconds to wait. It counts as a
-- failure from here on, before the password is looked at: attempts made side by side can't all slip through.
CREATE FUNCTION auth_take_attempt(p_keys text[], p_limits int[], p_window_s int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_wait int;
BEGIN
    -- What is throttled by one key (an address) must not use up the attempts of another (an account).
    SELECT max(ceil(extract(epoch FROM f.window_ends_at - now()))) INTO v_wait
    FROM unnest(p_keys, p_limits) AS k (key, allowed) JOIN sign_in_failures f ON f.key = k.key
    WHERE f.window_ends_at > now() AND f.failures >= k.allowed;
    IF v_wait IS NOT NULL THEN
        RETURN v_wait;
    END IF;
    INSERT INTO sign_in_failures AS f (key, failures, window_ends_at)
    SELECT k, 1, now() + make_interval(secs => p_window_s) FROM unnest(p_keys) AS k ORDER BY k
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN f.window_ends_at <= now() THEN 1 ELSE f.failures + 1 END,
        window_ends_at = CASE WHEN f.window_ends_at <= now() THEN excluded.window_ends_at ELSE f.window_ends_at END;
    SELECT max(ceil(extract(epoch FROM f.window_ends_at - now()))) INTO v_wait
    FROM unnest(p_keys, p_limits) AS k (key, allowed) JOIN sign_in_failures f ON f.key = k.key
    WHERE f.failures > k.allowed;
    RETURN coalesce(v_wait, 0);
END $$;

-- The attempt succeeded: the account starts anew, and the address gets this one attempt back.
CREATE FUNCTION auth_forgive(p_account text, p_address text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM sign_in_failures WHERE key = p_account;
    UPDATE sign_in_failures SET failures = failures - 1 WHERE key = p_address AND failures > 0;
$$;

-- Access withdrawn since a moment, for the processes' lists of refused sessions and members.
CREATE FUNCTION access_changes_since(p_since timestamptz)
RETURNS TABLE (id bigint, at timestamptz, kind text, tenant_id uuid, user_id uuid, session_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id, c.at, c.kind, c.tenant_id, c.user_id, c.session_id
    FROM access_changes c WHERE c.at > p_since ORDER BY c.at, c.id
$$;

-- Notes, in the current company, that a member's role or status changed; commits with that change.
CREATE FUNCTION access_note_member(p_user uuid, p_kind text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO access_changes (kind, tenant_id, user_id)
    VALUES (p_kind, current_setting('ringside.tenant_id')::uuid, p_user)
$$;

-- Deletes what nobody can need: dead sessions, old withdrawals, run-out windows.
CREATE FUNCTION auth_sweep(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM sessions WHERE expires_at < now() - p_keep OR revoked_at < now() - p_keep;
    DELETE FROM access_changes WHERE at < now() - p_keep;
    DELETE FROM sign_in_failures WHERE window_ends_at < now();
$$;

-- A person of a company; an address that already has an account joins with it and keeps its password.
CREATE FUNCTION create_member(p_tenant uuid, p_email text, p_name text, p_password_hash text, p_role text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_user uuid;
BEGIN
    INSERT INTO users (email, email_lc, name) VALUES (p_email, lower(p_email), p_name)
    ON CONFLICT (email_lc) DO NOTHING RETURNING id INTO v_user;
    IF v_user IS NULL THEN
        SELECT id INTO v_user FROM users WHERE email_lc = lower(p_email);
    ELSE
        INSERT INTO user_passwords (user_id, hash) VALUES (v_user, p_password_hash);
    END IF;
    INSERT INTO members (tenant_id, user_id, role) VALUES (p_tenant, v_user, p_role) ON CONFLICT DO NOTHING;
    RETURN v_user;
END $$;

-- Companies by name, for the shell commands.
CREATE FUNCTION find_companies(p_name text)
RETURNS TABLE (tenant_id uuid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.name FROM tenants t WHERE p_name IS NULL OR t.name = p_name ORDER BY t.created_at
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'auth_find_user(text)', 'auth_user(uuid)', 'auth_companies(uuid)', 'auth_open_session(uuid,uuid,text,text,bytea,int)',
    'auth_revoke_session(uuid,text)', 'auth_revoke_all_sessions(uuid,text)', 'auth_rotate(bytea,bytea,text,int)',
    'auth_switch(uuid,uuid,uuid)', 'auth_take_attempt(text[],int[],int)', 'auth_forgive(text,text)',
    'access_changes_since(timestamptz)', 'access_note_member(uuid,text)',
    'auth_sweep(interval)', 'create_member(uuid,text,text,text,text)', 'find_companies(text)'
]::regprocedure[]) AS f;
