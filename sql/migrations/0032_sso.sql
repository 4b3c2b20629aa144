-- Signing in elsewhere: a company's own OpenID provider, the mail domains it has proven, and whom it knows as whom.

-- One provider a company. The client's secret is sealed for the tenant (hub.sealing).
CREATE TABLE sso_providers (
    tenant_id   uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    label       text NOT NULL CONSTRAINT sso_providers_label_length CHECK (length(label) BETWEEN 1 AND 80),
    issuer      text NOT NULL CONSTRAINT sso_providers_issuer_length CHECK (length(issuer) BETWEEN 8 AND 500),
    client_id   text NOT NULL CONSTRAINT sso_providers_client_length CHECK (length(client_id) BETWEEN 1 AND 500),
    sealed      text NOT NULL,
    -- Does who is not a member yet become one by signing in? As what, and in which team.
    joins       boolean NOT NULL DEFAULT false,
    role        text NOT NULL DEFAULT 'rep' CONSTRAINT sso_providers_role_known CHECK (role IN ('manager', 'rep')),
    team_id     uuid,
    -- For providers that don't say whether they verified an address (email_verified).
    trusts_addresses boolean NOT NULL DEFAULT false,
    -- Nobody but owners signs in to the company in another way.
    is_enforced boolean NOT NULL DEFAULT false,
    -- When somebody came through it first; before that it can't be enforced.
    tested_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sso_providers_team FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id) ON DELETE SET NULL (team_id),
    CONSTRAINT sso_providers_tested_first CHECK (tested_at IS NOT NULL OR NOT is_enforced)
);
CREATE INDEX sso_providers_by_team ON sso_providers (tenant_id, team_id) WHERE team_id IS NOT NULL;
SELECT protect_table('sso_providers');
GRANT SELECT, INSERT, UPDATE, DELETE ON sso_providers TO ringside_app;

-- The domains whose addresses the company's provider may speak for. A domain counts once somebody has read the letter to its
-- postmaster; only sso_prove_domain() says so.
CREATE TABLE sso_domains (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    domain          text COLLATE "C" NOT NULL CONSTRAINT sso_domains_length CHECK (length(domain) BETWEEN 3 AND 253),
    sent_to         text NOT NULL,
    sent_at         timestamptz NOT NULL DEFAULT now(),
    code_hash       bytea NOT NULL,
    code_ends_at    timestamptz NOT NULL,
    tries           int NOT NULL DEFAULT 0,
    verified_at     timestamptz,
    PRIMARY KEY (tenant_id, domain)
);
SELECT protect_table('sso_domains');
GRANT SELECT, DELETE ON sso_domains TO ringside_app;
GRANT INSERT (tenant_id, domain, sent_to, sent_at, code_hash, code_ends_at),
      UPDATE (sent_to, sent_at, code_hash, code_ends_at, tries) ON sso_domains TO ringside_app;

-- A domain is one company's at most.
CREATE TABLE sso_domain_claims (
    domain      text COLLATE "C" PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    FOREIGN KEY (tenant_id, domain) REFERENCES sso_domains (tenant_id, domain) ON DELETE CASCADE
);
CREATE INDEX sso_domain_claims_by_tenant ON sso_domain_claims (tenant_id, domain);

-- As whom a provider knows a person. By the issuer and its subject, which stay; an address may be somebody else's tomorrow
-- (OpenID Connect Core, 5.7). Without a tenant: Google as this installation knows it.
CREATE TABLE sso_identities (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id     uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id   uuid REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    issuer      text NOT NULL,
    subject     text COLLATE "C" NOT NULL,
    email       text NOT NULL,
    linked_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    CONSTRAINT sso_identities_key UNIQUE NULLS NOT DISTINCT (tenant_id, issuer, subject),
    CONSTRAINT sso_identities_one_each UNIQUE NULLS NOT DISTINCT (user_id, tenant_id, issuer)
);

-- Sign-ins that were begun, until the browser comes back.
CREATE TABLE sso_states (
    state_hash      bytea PRIMARY KEY,
    browser_hash    bytea NOT NULL,
    purpose         text NOT NULL CONSTRAINT sso_states_purpose_known CHECK (purpose IN ('sign_in', 'connect')),
    tenant_id       uuid REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    issuer          text NOT NULL,
    client_id       text NOT NULL,
    user_id         uuid REFERENCES users (id) ON DELETE CASCADE,
    return_to       text NOT NULL DEFAULT '/',
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sso_states_by_time ON sso_states (created_at);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sso_domain_claims', 'sso_identities', 'sso_states'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        PERFORM open_table_to(t::regclass, 'ringside_system');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ringside_system', t);
    END LOOP;
END $$;
SELECT open_table_to('sso_providers', 'ringside_system'), open_table_to('sso_domains', 'ringside_system');
GRANT SELECT, UPDATE ON sso_providers, sso_domains TO ringside_system;

-- Which company's provider let this session in; it counts at that company only. Null: the installation's own ways.
ALTER TABLE sessions ADD COLUMN sso_tenant_id uuid REFERENCES tenants (tenant_id) ON DELETE CASCADE;

-- Must this person come through the company's provider? Owners need not, so that somebody can still mend it. The row is held,
-- so that nobody slips in while it is being switched on.
CREATE FUNCTION sso_is_required(p_tenant uuid, p_user uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_enforced boolean;
BEGIN
    SELECT p.is_enforced INTO v_enforced FROM sso_providers p WHERE p.tenant_id = p_tenant FOR SHARE;
    RETURN coalesce(v_enforced, false)
        AND NOT EXISTS (SELECT FROM members m WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.role = 'owner');
END $$;

-- Whatever opens, moves or goes on with a session passes here: passwords, passkeys, switching companies, refreshing.
CREATE FUNCTION sso_guard_session() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.revoked_at IS NOT NULL THEN
        RETURN NEW;
    END IF;
    IF NEW.sso_tenant_id IS NOT NULL THEN
        IF NEW.sso_tenant_id <> NEW.tenant_id THEN
            RAISE EXCEPTION 'this session counts at another company' USING ERRCODE = '23514', CONSTRAINT = 'sessions_sso_elsewhere';
        END IF;
    ELSIF sso_is_required(NEW.tenant_id, NEW.user_id) THEN
        RAISE EXCEPTION 'this company has a sign-in of its own' USING ERRCODE = '23514', CONSTRAINT = 'sessions_sso_required';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sso_guard BEFORE INSERT OR UPDATE OF tenant_id, last_used_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION sso_guard_session();

-- The provider to ask for an address's domain, or of a company; no row when there is none.
CREATE FUNCTION sso_provider_for(p_domain text, p_tenant uuid)
RETURNS TABLE (tenant_id uuid, label text, issuer text, client_id text, sealed text, trusts_addresses boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.tenant_id, p.label, p.issuer, p.client_id, p.sealed, p.trusts_addresses
    FROM sso_providers p
    WHERE p.tenant_id = coalesce(p_tenant, (SELECT c.tenant_id FROM sso_domain_claims c WHERE c.domain = p_domain))
$$;

-- Notes a sign-in that was begun, and forgets the old ones.
CREATE FUNCTION sso_begin(
    p_state bytea, p_browser bytea, p_purpose text, p_tenant uuid, p_issuer text, p_client text, p_user uuid,
    p_return text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM sso_states WHERE created_at < now() - interval '1 hour';
    INSERT INTO sso_states (state_hash, browser_hash, purpose, tenant_id, issuer, client_id, user_id, return_to)
    VALUES (p_state, p_browser, p_purpose, p_tenant, p_issuer, p_client, p_user, p_return)
$$;

-- Takes it: a state serves once.
CREATE FUNCTION sso_take(p_state bytea, p_lasts interval)
RETURNS TABLE (browser_hash bytea, purpose text, tenant_id uuid, issuer text, client_id text, user_id uuid,
               return_to text, is_late boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM sso_states s WHERE s.state_hash = p_state
    RETURNING s.browser_hash, s.purpose, s.tenant_id, s.issuer, s.client_id, s.user_id, s.return_to,
              s.created_at < now() - p_lasts
$$;

-- What is known of whoever came from a provider: the person the subject stands for, the one the address belongs to with the
-- subject they are known by already, and their place in the company.
CREATE FUNCTION sso_look(p_tenant uuid, p_issuer text, p_subject text, p_email_lc text, p_domain text)
RETURNS TABLE (known_user uuid, user_of_address uuid, other_subject boolean, role text, status text, is_proven boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH known AS (
        SELECT (SELECT i.user_id FROM sso_identities i
                WHERE i.tenant_id IS NOT DISTINCT FROM p_tenant AND i.issuer = p_issuer AND i.subject = p_subject) AS known_user,
               (SELECT u.id FROM users u WHERE u.email_lc = p_email_lc) AS user_of_address
    )
    SELECT k.known_user, k.user_of_address,
           EXISTS (SELECT FROM sso_identities i WHERE i.user_id = k.user_of_address
                   AND i.tenant_id IS NOT DISTINCT FROM p_tenant AND i.issuer = p_issuer AND i.subject <> p_subject),
           m.role, m.status,
           EXISTS (SELECT FROM sso_domain_claims c WHERE c.domain = p_domain AND c.tenant_id = p_tenant)
    FROM known k
    LEFT JOIN members m ON m.tenant_id = p_tenant AND m.user_id = coalesce(k.known_user, k.user_of_address)
$$;

-- From now on the subject stands for this person; whom it stands for already stays. Whom it stands for.
CREATE FUNCTION sso_link(p_user uuid, p_tenant uuid, p_issuer text, p_subject text, p_email text) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO sso_identities AS i (user_id, tenant_id, issuer, subject, email, last_used_at)
    VALUES (p_user, p_tenant, p_issuer, p_subject, p_email, now())
    ON CONFLICT ON CONSTRAINT sso_identities_key DO UPDATE SET last_used_at = now(), email = excluded.email
    RETURNING i.user_id
$$;

-- A member of the current company who came through its provider: the person is made where the address is new.
CREATE FUNCTION sso_make_member(p_email text, p_name text, p_role text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_user uuid;
BEGIN
    IF p_role NOT IN ('manager', 'rep') THEN
        RAISE EXCEPTION 'nobody becomes % by signing in', p_role;
    END IF;
    INSERT INTO users (email, email_lc, name) VALUES (p_email, lower(p_email), p_name)
    ON CONFLICT (email_lc) DO NOTHING RETURNING id INTO v_user;
    IF v_user IS NULL THEN
        SELECT id INTO v_user FROM users WHERE email_lc = lower(p_email);
    END IF;
    INSERT INTO members (tenant_id, user_id, role) VALUES (v_tenant, v_user, p_role) ON CONFLICT DO NOTHING;
    RETURN v_user;
END $$;

-- Opens a session that a company's provider let in, at that company; null for who is no active member.
CREATE FUNCTION sso_open_session(p_user uuid, p_tenant uuid, p_agent text, p_address text, p_hash bytea, p_ttl_s int) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH s AS (
        INSERT INTO sessions (user_id, tenant_id, sso_tenant_id, user_agent, address, expires_at, method)
        SELECT p_user, p_tenant, p_tenant, p_agent, p_address, now() + make_interval(secs => p_ttl_s), 'sso'
        WHERE EXISTS (SELECT FROM members m WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.status = 'active')
        RETURNING id
    )
    INSERT INTO refresh_tokens (hash, session_id) SELECT p_hash, s.id FROM s RETURNING session_id
$$;

-- Somebody came through: it works.
CREATE FUNCTION sso_note_success(p_tenant uuid, p_issuer text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE sso_providers SET tested_at = now() WHERE tenant_id = p_tenant AND issuer = p_issuer AND tested_at IS NULL
$$;

-- Which of a person's companies want to be signed in to in their own way.
CREATE FUNCTION sso_required_at(p_user uuid) RETURNS TABLE (tenant_id uuid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.name
    FROM members m JOIN sso_providers p ON p.tenant_id = m.tenant_id JOIN tenants t ON t.tenant_id = m.tenant_id
    WHERE m.user_id = p_user AND m.status = 'active' AND m.role <> 'owner' AND p.is_enforced
$$;

-- May this session change how its person signs in everywhere? One that a company's provider let in may not while the person belongs
-- to other companies, too: whoever runs that provider could get into those.
CREATE FUNCTION sso_holds_account(p_session uuid, p_user uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM sessions s JOIN members m ON m.user_id = s.user_id AND m.tenant_id <> s.sso_tenant_id AND m.status = 'active'
        WHERE s.id = p_session AND s.user_id = p_user AND s.sso_tenant_id IS NOT NULL)
$$;

-- Ends the sessions at the current company that came in another way than through its provider, but for the owners'; how many.
CREATE FUNCTION sso_end_others() RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions s SET revoked_at = now(), revoked_reason = 'the company has a sign-in of its own now'
        WHERE s.tenant_id = current_setting('ringside.tenant_id')::uuid AND s.sso_tenant_id IS NULL AND s.revoked_at IS NULL
          AND EXISTS (SELECT FROM members m
                      WHERE m.tenant_id = s.tenant_id AND m.user_id = s.user_id AND m.role <> 'owner')
        RETURNING s.id, s.user_id, s.tenant_id
    ), told AS (
        INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
        SELECT 'session_revoked', tenant_id, user_id, id FROM ended RETURNING 1
    )
    SELECT count(*)::int FROM told
$$;
CREATE INDEX sessions_by_tenant ON sessions (tenant_id) WHERE revoked_at IS NULL;

-- Ends the sessions that the current company's provider let in; how many. For when it is taken away or becomes another.
CREATE FUNCTION sso_end_ours() RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH ended AS (
        UPDATE sessions s SET revoked_at = now(), revoked_reason = 'the company''s sign-in has changed'
        WHERE s.tenant_id = current_setting('ringside.tenant_id')::uuid AND s.sso_tenant_id = s.tenant_id AND s.revoked_at IS NULL
        RETURNING s.id, s.user_id, s.tenant_id
    ), told AS (
        INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
        SELECT 'session_revoked', tenant_id, user_id, id FROM ended RETURNING 1
    )
    SELECT count(*)::int FROM told
$$;

-- The members of the current company whom its provider knows already.
CREATE FUNCTION sso_connected() RETURNS TABLE (user_id uuid, email text, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT i.user_id, i.email, i.last_used_at
    FROM sso_identities i JOIN sso_providers p ON p.tenant_id = i.tenant_id AND p.issuer = i.issuer
    WHERE i.tenant_id = current_setting('ringside.tenant_id')::uuid
$$;

-- Forgets as whom the current company's provider knows a member.
CREATE FUNCTION sso_disconnect_member(p_user uuid) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM sso_identities
        WHERE tenant_id = current_setting('ringside.tenant_id')::uuid AND user_id = p_user RETURNING 1
    )
    SELECT count(*)::int FROM gone
$$;

-- A person's own: what they can sign in with elsewhere. A company's is shown at that company only.
CREATE FUNCTION sso_identities_of(p_user uuid, p_tenant uuid)
RETURNS TABLE (id uuid, tenant_id uuid, issuer text, email text, linked_at timestamptz, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT i.id, i.tenant_id, i.issuer, i.email, i.linked_at, i.last_used_at
    FROM sso_identities i
    WHERE i.user_id = p_user AND (i.tenant_id IS NULL OR i.tenant_id = p_tenant)
    ORDER BY i.linked_at, i.id
$$;

-- Forgets one of them; false when it is not theirs.
CREATE FUNCTION sso_forget_identity(p_user uuid, p_tenant uuid, p_id uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM sso_identities i
        WHERE i.id = p_id AND i.user_id = p_user AND (i.tenant_id IS NULL OR i.tenant_id = p_tenant) RETURNING 1
    )
    SELECT EXISTS (SELECT FROM gone)
$$;

-- The code of the letter was given: the current company has the domain. ok, wrong, late, unknown or taken.
CREATE FUNCTION sso_prove_domain(p_domain text, p_hash bytea, p_tries int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_row sso_domains;
    v_has uuid;
BEGIN
    SELECT * INTO v_row FROM sso_domains d WHERE d.tenant_id = v_tenant AND d.domain = p_domain FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF v_row.verified_at IS NOT NULL THEN
        RETURN 'ok';
    END IF;
    IF v_row.code_ends_at < now() OR v_row.tries >= p_tries THEN
        RETURN 'late';
    END IF;
    IF v_row.code_hash <> p_hash THEN
        UPDATE sso_domains d SET tries = d.tries + 1 WHERE d.tenant_id = v_tenant AND d.domain = p_domain;
        RETURN 'wrong';
    END IF;
    INSERT INTO sso_domain_claims (domain, tenant_id) VALUES (p_domain, v_tenant) ON CONFLICT (domain) DO NOTHING;
    SELECT c.tenant_id INTO v_has FROM sso_domain_claims c WHERE c.domain = p_domain;
    IF v_has <> v_tenant THEN
        RETURN 'taken';
    END IF;
    UPDATE sso_domains d SET verified_at = now() WHERE d.tenant_id = v_tenant AND d.domain = p_domain;
    RETURN 'ok';
END $$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'sso_is_required(uuid,uuid)', 'sso_provider_for(text,uuid)',
    'sso_begin(bytea,bytea,text,uuid,text,text,uuid,text)', 'sso_take(bytea,interval)',
    'sso_look(uuid,text,text,text,text)', 'sso_link(uuid,uuid,text,text,text)', 'sso_make_member(text,text,text)',
    'sso_open_session(uuid,uuid,text,text,bytea,int)', 'sso_note_success(uuid,text)', 'sso_required_at(uuid)',
    'sso_holds_account(uuid,uuid)',
    'sso_end_others()', 'sso_end_ours()', 'sso_connected()', 'sso_disconnect_member(uuid)',
    'sso_identities_of(uuid,uuid)', 'sso_forget_identity(uuid,uuid,uuid)', 'sso_prove_domain(text,bytea,int)'
]::regprocedure[]) AS f;
