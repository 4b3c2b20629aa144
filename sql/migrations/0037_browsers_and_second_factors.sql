-- Sessions know the browser they belong to; failures in a row are counted; a company may want a second factor of everybody.

-- The browser by the hash of its cookie (null: opened before there was one, or without cookies), and when the person showed a
-- second factor in a session that was opened without one.
ALTER TABLE sessions ADD COLUMN device bytea, ADD COLUMN second_at timestamptz;
CREATE INDEX sessions_by_device ON sessions (device) WHERE revoked_at IS NULL AND device IS NOT NULL;

-- The session of a refresh token is this browser's now. What the browser had before ends (ASVS 5.0, 7.2.4): the sessions of the
-- same cookie, and that of the refresh token it came with. Says whose it is, and whether they were known to use this browser.
CREATE FUNCTION account_claim_browser(p_hash bytea, p_device bytea, p_before bytea)
RETURNS TABLE (user_id uuid, email text, name text, known text, ended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_session uuid;
    v_user uuid;
    v_ended bigint;
BEGIN
    -- Two sign-ins of one browser at once would end each other.
    PERFORM pg_advisory_xact_lock(hashtextextended(encode(p_device, 'hex'), 37));
    UPDATE sessions s SET device = p_device FROM refresh_tokens r
    WHERE r.hash = p_hash AND s.id = r.session_id RETURNING s.id, s.user_id INTO v_session, v_user;
    WITH gone AS (
        UPDATE sessions s SET revoked_at = now(), revoked_reason = 'signed in again in the same browser'
        WHERE s.revoked_at IS NULL AND s.id <> v_session
          AND (s.device = p_device OR s.id = (SELECT r.session_id FROM refresh_tokens r WHERE r.hash = p_before))
        RETURNING s.id, s.user_id, s.tenant_id
    ), told AS (
        INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
        SELECT 'session_revoked', g.tenant_id, g.user_id, g.id FROM gone g
    )
    SELECT count(*) INTO v_ended FROM gone;
    RETURN QUERY SELECT u.id, u.email, u.name, account_know_device(u.id, p_device), v_ended FROM users u WHERE u.id = v_user;
END $$;

-- May this browser go on with a refresh token? Not with that of a session which another browser opened. A cookie of the name that
-- was used before there were prefixes (`p_is_old`) counts only for sessions of that time: any host beside ours can plant one.
-- Nor with that of one which nobody has used for two weeks (ASVS 5.0, 7.3.1).
CREATE FUNCTION account_fits_browser(p_hash bytea, p_device bytea, p_is_old boolean) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((
        SELECT s.last_used_at > now() - interval '14 days'
            AND (s.device IS NULL OR (NOT p_is_old AND (p_device IS NULL OR s.device = p_device)))
        FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id WHERE r.hash = p_hash), true)
$$;

-- A session of the time before is this browser's from now on; others stay whose they are.
CREATE FUNCTION account_adopt_browser(p_session uuid, p_device bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE sessions s SET device = p_device WHERE s.id = p_session AND s.device IS NULL
$$;

CREATE OR REPLACE FUNCTION account_sessions(p_user uuid)
RETURNS TABLE (id uuid, company text, user_agent text, address text, method text, created_at timestamptz, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.id, t.name, s.user_agent, s.address, s.method, s.created_at, s.last_used_at
    FROM sessions s JOIN tenants t ON t.tenant_id = s.tenant_id
    WHERE s.user_id = p_user AND s.revoked_at IS NULL AND s.expires_at > now() AND s.last_used_at > now() - interval '14 days'
    ORDER BY s.last_used_at DESC, s.id
    LIMIT 200
$$;

-- Failures in a row --------------------------------------------------------------------------------------------------

-- Sign-ins that failed one after the other (NIST SP 800-63B-4, section 3.2.2), by the hash of what was tried: the address, or the
-- address from a known browser. Addresses without an account are counted alike, so that nothing tells them apart.
CREATE TABLE sign_in_streaks (
    key         bytea PRIMARY KEY,
    -- All of one address are forgotten together.
    subject     bytea NOT NULL,
    failures    int NOT NULL,
    last_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sign_in_streaks_by_subject ON sign_in_streaks (subject);
CREATE INDEX sign_in_streaks_by_time ON sign_in_streaks (last_at);
ALTER TABLE sign_in_streaks ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_streaks FORCE ROW LEVEL SECURITY;
SELECT open_table_to('sign_in_streaks', 'ringside_system');
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_streaks TO ringside_system;

-- Counts a try as one more that failed, before it is looked at; how many that makes in a row, and `p_most` + 1 at the most.
CREATE FUNCTION account_strike(p_key bytea, p_subject bytea, p_most int) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO sign_in_streaks AS s (key, subject, failures) VALUES (p_key, p_subject, 1)
    ON CONFLICT (key) DO UPDATE SET failures = least(s.failures, p_most) + 1, last_at = now()
    RETURNING s.failures
$$;

-- The person has shown who they are: one count starts anew, or all of an address where no key is given.
CREATE FUNCTION account_unstrike(p_key bytea, p_subject bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM sign_in_streaks s WHERE s.subject = p_subject AND (p_key IS NULL OR s.key = p_key)
$$;

CREATE OR REPLACE FUNCTION account_sweep() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM account_challenges WHERE expires_at < now();
    DELETE FROM password_resets WHERE expires_at < now();
    DELETE FROM known_devices WHERE last_at < now() - interval '1 year';
    DELETE FROM user_totp WHERE on_since IS NULL AND created_at < now() - interval '1 day';
    DELETE FROM sign_in_streaks WHERE last_at < now() - interval '1 year';
$$;

-- A second factor of everybody -----------------------------------------------------------------------------------------

-- What a company wants of its people's sign-ins; no row: nothing in particular.
CREATE TABLE sign_in_rules (
    tenant_id       uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    -- An authenticator app or a passkey, of everybody.
    second_factor   boolean NOT NULL DEFAULT false,
    -- Who comes through the company's own provider has shown one there.
    trusts_provider boolean NOT NULL DEFAULT false,
    updated_at      timestamptz NOT NULL DEFAULT now()
);
SELECT protect_table('sign_in_rules');
SELECT open_table_to('sign_in_rules', 'ringside_system');
GRANT SELECT ON sign_in_rules TO ringside_system;
GRANT SELECT, INSERT, UPDATE ON sign_in_rules TO ringside_app;

-- Does a company want a second factor that this session has not shown? A passkey is two in one.
CREATE FUNCTION account_must_enrol(p_session uuid, p_tenant uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM sign_in_rules r JOIN sessions s ON s.id = p_session
        WHERE r.tenant_id = p_tenant AND r.second_factor AND s.second_at IS NULL
          AND s.method NOT IN ('password+totp', 'password+recovery_code', 'password+passkey', 'passkey')
          AND NOT (r.trusts_provider AND s.sso_tenant_id IS NOT DISTINCT FROM p_tenant))
$$;

-- The person has shown a second factor in this session.
CREATE FUNCTION account_raise_session(p_session uuid, p_user uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE sessions s SET second_at = now() WHERE s.id = p_session AND s.user_id = p_user AND s.revoked_at IS NULL
$$;

-- A company of a person's that wants a second factor of them; null when none does.
CREATE FUNCTION account_second_wanted(p_user uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.name
    FROM members m JOIN sign_in_rules r ON r.tenant_id = m.tenant_id JOIN tenants t ON t.tenant_id = m.tenant_id
    WHERE m.user_id = p_user AND m.status = 'active' AND r.second_factor
    ORDER BY t.name LIMIT 1
$$;

-- The active members of the current company without a second factor here.
CREATE FUNCTION second_factor_lacking() RETURNS TABLE (user_id uuid, has_provider boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.user_id, EXISTS (SELECT FROM sso_identities i WHERE i.tenant_id = m.tenant_id AND i.user_id = m.user_id)
    FROM members m
    WHERE m.tenant_id = current_setting('ringside.tenant_id')::uuid AND m.status = 'active'
      AND NOT EXISTS (SELECT FROM user_totp t WHERE t.user_id = m.user_id AND t.on_since IS NOT NULL)
      AND NOT EXISTS (SELECT FROM passkeys k WHERE k.user_id = m.user_id)
$$;

-- Ends the sessions at the current company that have not shown what it wants now; how many.
CREATE FUNCTION second_factor_end_others() RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions s SET revoked_at = now(), revoked_reason = 'the company wants a second factor now'
        WHERE s.tenant_id = current_setting('ringside.tenant_id')::uuid AND s.revoked_at IS NULL
          AND account_must_enrol(s.id, s.tenant_id)
        RETURNING s.id, s.user_id, s.tenant_id
    ), told AS (
        INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
        SELECT 'session_revoked', tenant_id, user_id, id FROM ended RETURNING 1
    )
    SELECT count(*)::int FROM told
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'account_claim_browser(bytea,bytea,bytea)', 'account_fits_browser(bytea,bytea,boolean)', 'account_adopt_browser(uuid,bytea)',
    'account_strike(bytea,bytea,int)', 'account_unstrike(bytea,bytea)', 'account_must_enrol(uuid,uuid)',
    'account_raise_session(uuid,uuid)', 'account_second_wanted(uuid)', 'second_factor_lacking()', 'second_factor_end_others()'
]::regprocedure[]) AS f;
