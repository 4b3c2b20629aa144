-- Accounts: second factors, passkeys, resets, sessions that say how and when their person was last confirmed, known devices.
-- An account belongs to no company, so the app role has no grant on any of these; it calls the functions below.

-- When the person last proved who they are in this session, and by what.
ALTER TABLE sessions
    ADD COLUMN confirmed_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN method text NOT NULL DEFAULT 'password' CONSTRAINT sessions_method_length CHECK (length(method) BETWEEN 1 AND 40);

-- Too short to stand alone: accepted only because a second factor is asked for, too (NIST SP 800-63B-4, section 3.1.1.2).
ALTER TABLE user_passwords ADD COLUMN needs_second boolean NOT NULL DEFAULT false;

-- Links to choose a new password; only hashes are stored.
CREATE TABLE password_resets (
    hash        bytea PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);

-- The seed of the authenticator app, sealed. A time step that was used once is not taken again (RFC 6238, section 5.2).
CREATE TABLE user_totp (
    user_id     uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    seed        text NOT NULL,
    on_since    timestamptz,
    last_step   bigint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_codes (
    user_id     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash        bytea NOT NULL,
    used_at     timestamptz,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE passkeys (
    id              uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id         uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id   bytea NOT NULL CONSTRAINT passkeys_credential_taken UNIQUE,
    public_key      bytea NOT NULL,
    sign_count      bigint NOT NULL DEFAULT 0,
    name            text NOT NULL CONSTRAINT passkeys_name_length CHECK (length(name) BETWEEN 1 AND 100),
    synced          boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz
);
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at);

-- What was begun and not finished: second steps of a sign-in, and challenges that a passkey should sign.
CREATE TABLE account_challenges (
    hash        bytea PRIMARY KEY,
    kind        text NOT NULL CONSTRAINT account_challenges_kind_known
                CHECK (kind IN ('second_step', 'passkey_sign_in', 'passkey_add', 'confirm')),
    user_id     uuid REFERENCES users (id) ON DELETE CASCADE,
    tenant_id   uuid REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    challenge   bytea NOT NULL,
    tries       int NOT NULL DEFAULT 0,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX account_challenges_by_end ON account_challenges (expires_at);

-- Browsers that somebody has signed in with, by the hash of their cookie: a new one is told of by letter.
CREATE TABLE known_devices (
    user_id     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash        bytea NOT NULL,
    first_at    timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, hash)
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['password_resets', 'user_totp', 'recovery_codes', 'passkeys', 'account_challenges', 'known_devices'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        PERFORM open_table_to(t::regclass, 'ringside_system');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ringside_system', t);
    END LOOP;
END $$;

-- Sessions ----------------------------------------------------------------------------------------------------------

-- Opens a session with its first refresh token, by a way of signing in (password, passkey, ...).
CREATE FUNCTION account_open_session(
    p_user uuid, p_tenant uuid, p_agent text, p_address text, p_hash bytea, p_ttl_s int, p_method text)
RETURNS TABLE (session_id uuid, confirmed_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH s AS (
        INSERT INTO sessions (user_id, tenant_id, user_agent, address, expires_at, method)
        VALUES (p_user, p_tenant, p_agent, p_address, now() + make_interval(secs => p_ttl_s), p_method)
        RETURNING id, confirmed_at
    ), t AS (
        INSERT INTO refresh_tokens (hash, session_id) SELECT p_hash, s.id FROM s
    )
    SELECT s.id, s.confirmed_at FROM s
$$;

-- When the person of a session last proved who they are.
CREATE FUNCTION account_confirmed_at(p_session uuid) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.confirmed_at FROM sessions s WHERE s.id = p_session
$$;

-- They proved it just now; null when the session has ended meanwhile.
CREATE FUNCTION account_confirm_session(p_session uuid, p_user uuid) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE sessions s SET confirmed_at = now()
    WHERE s.id = p_session AND s.user_id = p_user AND s.revoked_at IS NULL AND s.expires_at > now()
    RETURNING s.confirmed_at
$$;

-- A person's live sessions, the last used first.
CREATE FUNCTION account_sessions(p_user uuid)
RETURNS TABLE (id uuid, company text, user_agent text, address text, method text, created_at timestamptz, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.id, t.name, s.user_agent, s.address, s.method, s.created_at, s.last_used_at
    FROM sessions s JOIN tenants t ON t.tenant_id = s.tenant_id
    WHERE s.user_id = p_user AND s.revoked_at IS NULL AND s.expires_at > now()
    ORDER BY s.last_used_at DESC, s.id
    LIMIT 200
$$;

-- Ends one of a person's own sessions and tells every process; false when there is no such live one.
CREATE FUNCTION account_end_session(p_user uuid, p_session uuid, p_reason text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_reason = p_reason
        WHERE id = p_session AND user_id = p_user AND revoked_at IS NULL
        RETURNING id, user_id, tenant_id
    ), told AS (
        INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
        SELECT 'session_revoked', tenant_id, user_id, id FROM ended
    )
    SELECT EXISTS (SELECT FROM ended)
$$;

-- Ends all of a person's sessions but one and tells every process; how many they were.
CREATE FUNCTION account_end_other_sessions(p_user uuid, p_keep uuid, p_reason text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_reason = p_reason
        WHERE user_id = p_user AND id <> p_keep AND revoked_at IS NULL
        RETURNING id, user_id, tenant_id
    ), told AS (
        INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
        SELECT 'session_revoked', tenant_id, user_id, id FROM ended
    )
    SELECT count(*) FROM ended
$$;

-- Notes the browser of a sign-in: known, first (the account has no other), or new.
CREATE FUNCTION account_know_device(p_user uuid, p_hash bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_others boolean;
BEGIN
    UPDATE known_devices d SET last_at = now() WHERE d.user_id = p_user AND d.hash = p_hash;
    IF FOUND THEN
        RETURN 'known';
    END IF;
    v_others := EXISTS (SELECT FROM known_devices d WHERE d.user_id = p_user);
    INSERT INTO known_devices (user_id, hash) VALUES (p_user, p_hash) ON CONFLICT DO NOTHING;
    RETURN CASE WHEN v_others THEN 'new' ELSE 'first' END;
END $$;

-- Has somebody signed in to the account behind an address with this browser before?
CREATE FUNCTION account_has_device(p_email_lc text, p_hash bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM users u JOIN known_devices d ON d.user_id = u.id WHERE u.email_lc = p_email_lc AND d.hash = p_hash)
$$;

-- Passwords ---------------------------------------------------------------------------------------------------------

-- How a person can prove who they are.
CREATE FUNCTION account_means(p_user uuid)
RETURNS TABLE (email text, name text, password_hash text, password_changed_at timestamptz, needs_second boolean,
               totp_since timestamptz, recovery_codes bigint, passkeys bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.email, u.name, p.hash, p.changed_at, coalesce(p.needs_second, false), t.on_since,
           (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL),
           (SELECT count(*) FROM passkeys k WHERE k.user_id = u.id)
    FROM users u
    LEFT JOIN user_passwords p ON p.user_id = u.id
    LEFT JOIN user_totp t ON t.user_id = u.id AND t.on_since IS NOT NULL
    WHERE u.id = p_user
$$;

-- Gives a person a new password. Links that could set another one are void.
CREATE FUNCTION account_set_password(p_user uuid, p_hash text, p_needs_second boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO user_passwords AS p (user_id, hash, needs_second) VALUES (p_user, p_hash, p_needs_second)
    ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, needs_second = excluded.needs_second, changed_at = now();
    DELETE FROM password_resets r WHERE r.user_id = p_user;
$$;

-- The same password under a hash of today's costs, unless it was changed meanwhile.
CREATE FUNCTION account_rehash(p_user uuid, p_old text, p_new text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE user_passwords p SET hash = p_new WHERE p.user_id = p_user AND p.hash = p_old
$$;

-- Keeps a link to choose a new password for the account behind an address, and says whose it is; no row when there is none.
-- Of the links before it only the last two stay good: a letter that comes late still opens something.
CREATE FUNCTION account_begin_reset(p_email_lc text, p_hash bytea, p_ttl_s int) RETURNS TABLE (user_id uuid, email text, name text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM password_resets r USING users u
    WHERE u.email_lc = p_email_lc AND r.user_id = u.id AND r.hash NOT IN (
        SELECT l.hash FROM password_resets l WHERE l.user_id = u.id ORDER BY l.expires_at DESC LIMIT 2);
    INSERT INTO password_resets (hash, user_id, expires_at)
    SELECT p_hash, u.id, now() + make_interval(secs => p_ttl_s) FROM users u WHERE u.email_lc = p_email_lc;
    SELECT u.id, u.email, u.name FROM users u WHERE u.email_lc = p_email_lc;
$$;

-- Whose link it is, as long as it is good.
CREATE FUNCTION account_reset_of(p_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.user_id FROM password_resets r WHERE r.hash = p_hash AND r.expires_at > now()
$$;

-- Uses a link up: sets the password and ends every session. Null when somebody was faster or it has run out.
CREATE FUNCTION account_finish_reset(p_hash bytea, p_password_hash text, p_needs_second boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_user uuid;
BEGIN
    DELETE FROM password_resets r WHERE r.hash = p_hash AND r.expires_at > now() RETURNING r.user_id INTO v_user;
    IF v_user IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM account_set_password(v_user, p_password_hash, p_needs_second);
    PERFORM auth_revoke_all_sessions(v_user, 'a new password was chosen');
    RETURN v_user;
END $$;

-- The authenticator app -------------------------------------------------------------------------------------------------

-- A person's sealed seed, and since when it is asked for.
CREATE FUNCTION account_totp(p_user uuid) RETURNS TABLE (seed text, on_since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.seed, t.on_since FROM user_totp t WHERE t.user_id = p_user
$$;

-- Keeps a seed that is not asked for yet; false when one is.
CREATE FUNCTION account_begin_totp(p_user uuid, p_seed text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO user_totp AS t (user_id, seed) VALUES (p_user, p_seed)
    ON CONFLICT (user_id) DO UPDATE SET seed = excluded.seed, created_at = now() WHERE t.on_since IS NULL;
    RETURN FOUND;
END $$;

-- A first code was right: from now on it is asked for. False when it was on already.
CREATE FUNCTION account_start_totp(p_user uuid, p_step bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE user_totp t SET on_since = now(), last_step = p_step WHERE t.user_id = p_user AND t.on_since IS NULL;
    RETURN FOUND;
END $$;

-- Uses a time step up; false when it, or a later one, was used.
CREATE FUNCTION account_take_totp(p_user uuid, p_step bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE user_totp t SET last_step = p_step WHERE t.user_id = p_user AND t.on_since IS NOT NULL AND t.last_step < p_step;
    RETURN FOUND;
END $$;

-- Seals the seed anew, unless it was changed meanwhile.
CREATE FUNCTION account_reseal_totp(p_user uuid, p_old text, p_new text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE user_totp t SET seed = p_new WHERE t.user_id = p_user AND t.seed = p_old
$$;

-- No code is asked for any more, and the recovery codes are void; false when none was.
CREATE FUNCTION account_stop_totp(p_user uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM recovery_codes r WHERE r.user_id = p_user;
    DELETE FROM user_totp t WHERE t.user_id = p_user AND t.on_since IS NOT NULL;
    RETURN FOUND;
END $$;

-- Replaces a person's recovery codes.
CREATE FUNCTION account_set_recovery_codes(p_user uuid, p_hashes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM recovery_codes r WHERE r.user_id = p_user;
    INSERT INTO recovery_codes (user_id, hash) SELECT p_user, h FROM unnest(p_hashes) AS h;
$$;

-- Uses a recovery code up; how many are left, or null when it is none of theirs.
CREATE FUNCTION account_take_recovery_code(p_user uuid, p_hash bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE recovery_codes r SET used_at = now() WHERE r.user_id = p_user AND r.hash = p_hash AND r.used_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT count(*) FROM recovery_codes r WHERE r.user_id = p_user AND r.used_at IS NULL);
END $$;

-- Passkeys ------------------------------------------------------------------------------------------------------------

-- A person's passkeys, oldest first.
CREATE FUNCTION account_passkeys(p_user uuid)
RETURNS TABLE (id uuid, credential_id bytea, name text, synced boolean, created_at timestamptz, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT k.id, k.credential_id, k.name, k.synced, k.created_at, k.last_used_at
    FROM passkeys k WHERE k.user_id = p_user ORDER BY k.created_at, k.id
$$;

-- Adds a passkey; null when the person has as many as there may be.
CREATE FUNCTION account_add_passkey(
    p_user uuid, p_credential bytea, p_key bytea, p_count bigint, p_name text, p_synced boolean, p_most int) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO passkeys (user_id, credential_id, public_key, sign_count, name, synced)
    SELECT p_user, p_credential, p_key, p_count, p_name, p_synced
    WHERE (SELECT count(*) FROM passkeys k WHERE k.user_id = p_user) < p_most
    RETURNING id
$$;

CREATE FUNCTION account_rename_passkey(p_user uuid, p_id uuid, p_name text) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE passkeys k SET name = p_name WHERE k.user_id = p_user AND k.id = p_id RETURNING k.id
$$;

CREATE FUNCTION account_remove_passkey(p_user uuid, p_id uuid) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM passkeys k WHERE k.user_id = p_user AND k.id = p_id RETURNING k.name
$$;

-- The passkey of a credential, and whose it is.
CREATE FUNCTION account_find_passkey(p_credential bytea)
RETURNS TABLE (id uuid, user_id uuid, email text, name text, public_key bytea, sign_count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT k.id, k.user_id, u.email, u.name, k.public_key, k.sign_count
    FROM passkeys k JOIN users u ON u.id = k.user_id WHERE k.credential_id = p_credential
$$;

-- It signed. Two that sign side by side with one counter are one too many: false for the second.
CREATE FUNCTION account_use_passkey(p_id uuid, p_before bigint, p_after bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE passkeys k SET sign_count = p_after, last_used_at = now()
    WHERE k.id = p_id AND (p_after = 0 OR k.sign_count = p_before);
    RETURN FOUND;
END $$;

-- Challenges ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION account_add_challenge(
    p_hash bytea, p_kind text, p_user uuid, p_tenant uuid, p_challenge bytea, p_ttl_s int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO account_challenges (hash, kind, user_id, tenant_id, challenge, expires_at)
    VALUES (p_hash, p_kind, p_user, p_tenant, p_challenge, now() + make_interval(secs => p_ttl_s))
$$;

-- One try at what was begun; no row when it has run out or was tried too often.
CREATE FUNCTION account_try_challenge(p_hash bytea, p_kind text, p_tries int)
RETURNS TABLE (user_id uuid, tenant_id uuid, challenge bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE account_challenges c SET tries = c.tries + 1
    WHERE c.hash = p_hash AND c.kind = p_kind AND c.expires_at > now() AND c.tries < p_tries
    RETURNING c.user_id, c.tenant_id, c.challenge
$$;

-- It is done: nobody can try it again. False when somebody was faster.
CREATE FUNCTION account_end_challenge(p_hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM account_challenges c WHERE c.hash = p_hash;
    RETURN FOUND;
END $$;

-- Deletes what nobody can finish any more, and browsers that have not been seen for a year.
CREATE FUNCTION account_sweep() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM account_challenges WHERE expires_at < now();
    DELETE FROM password_resets WHERE expires_at < now();
    DELETE FROM known_devices WHERE last_at < now() - interval '1 year';
    DELETE FROM user_totp WHERE on_since IS NULL AND created_at < now() - interval '1 day';
$$;

-- Nothing of an account lets anybody in any more, and nothing tells of their devices: its person was erased.
CREATE FUNCTION account_forget(p_user uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM user_passwords WHERE user_id = p_user;
    DELETE FROM password_resets WHERE user_id = p_user;
    DELETE FROM user_totp WHERE user_id = p_user;
    DELETE FROM recovery_codes WHERE user_id = p_user;
    DELETE FROM passkeys WHERE user_id = p_user;
    DELETE FROM account_challenges WHERE user_id = p_user;
    DELETE FROM known_devices WHERE user_id = p_user;
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'account_open_session(uuid,uuid,text,text,bytea,int,text)', 'account_confirmed_at(uuid)', 'account_confirm_session(uuid,uuid)',
    'account_sessions(uuid)', 'account_end_session(uuid,uuid,text)', 'account_end_other_sessions(uuid,uuid,text)',
    'account_know_device(uuid,bytea)', 'account_has_device(text,bytea)', 'account_means(uuid)', 'account_set_password(uuid,text,boolean)',
    'account_rehash(uuid,text,text)', 'account_begin_reset(text,bytea,int)', 'account_reset_of(bytea)',
    'account_finish_reset(bytea,text,boolean)', 'account_totp(uuid)', 'account_begin_totp(uuid,text)',
    'account_start_totp(uuid,bigint)', 'account_take_totp(uuid,bigint)', 'account_reseal_totp(uuid,text,text)',
    'account_stop_totp(uuid)', 'account_set_recovery_codes(uuid,bytea[])', 'account_take_recovery_code(uuid,bytea)',
    'account_passkeys(uuid)', 'account_add_passkey(uuid,bytea,bytea,bigint,text,boolean,int)',
    'account_rename_passkey(uuid,uuid,text)', 'account_remove_passkey(uuid,uuid)', 'account_find_passkey(bytea)',
    'account_use_passkey(uuid,bigint,bigint)', 'account_add_challenge(bytea,text,uuid,uuid,bytea,int)',
    'account_try_challenge(bytea,text,int)', 'account_end_challenge(bytea)', 'account_sweep()', 'account_forget(uuid)'
]::regprocedure[]) AS f;
