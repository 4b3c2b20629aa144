-- Joining and leaving: companies that sign up, people who are invited, and what one person leaves to another.

ALTER TABLE tenants ADD COLUMN zone text NOT NULL DEFAULT 'UTC' CONSTRAINT tenants_zone_length CHECK (length(zone) BETWEEN 1 AND 64);
GRANT UPDATE (name, zone) ON tenants TO ringside_app;
GRANT UPDATE ON tenants TO ringside_system;

-- Who left by themselves comes back by an invitation only; who was deactivated may be reactivated.
ALTER TABLE members ADD COLUMN left_at timestamptz;
GRANT UPDATE ON members TO ringside_system;

-- Companies that are not live yet: the address has to be verified first. Nobody chooses a password before: who signs somebody
-- else's address up gets nothing by it.
CREATE TABLE signups (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    token_hash  bytea NOT NULL CONSTRAINT signups_token_key UNIQUE,
    email       text NOT NULL,
    email_lc    text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(email)) STORED,
    name        text NOT NULL,
    company     text NOT NULL,
    zone        text NOT NULL DEFAULT 'UTC',
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX signups_by_email ON signups (email_lc) WHERE used_at IS NULL;
CREATE INDEX signups_by_age ON signups (expires_at);
ALTER TABLE signups ENABLE ROW LEVEL SECURITY;
ALTER TABLE signups FORCE ROW LEVEL SECURITY;
SELECT open_table_to('signups', 'ringside_system');
GRANT SELECT, INSERT, UPDATE, DELETE ON signups TO ringside_system;

-- Somebody is asked to join. `expires_at` is renewed when it is sent again, with a new token; the old one is worth nothing then.
CREATE TABLE invitations (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    email       text NOT NULL CONSTRAINT invitations_email_length CHECK (length(email) BETWEEN 3 AND 254),
    email_lc    text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(email)) STORED,
    name        text NOT NULL DEFAULT '' CONSTRAINT invitations_name_length CHECK (length(name) <= 120),
    role        text NOT NULL CONSTRAINT invitations_role_known CHECK (role IN ('owner', 'admin', 'manager', 'rep')),
    role_id     uuid,
    token_hash  bytea NOT NULL,
    invited_by  uuid NOT NULL,
    sent        int NOT NULL DEFAULT 1,
    sent_at     timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    accepted_at timestamptz,
    accepted_by uuid,
    withdrawn_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT invitations_inviter_is_member FOREIGN KEY (tenant_id, invited_by) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, accepted_by) REFERENCES members (tenant_id, user_id)
);
-- One open invitation for an address: the constraint's name is the rule's name.
CREATE UNIQUE INDEX invitations_one_is_open ON invitations (tenant_id, email_lc) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX invitations_by_age ON invitations (expires_at);
CREATE INDEX invitations_newest ON invitations (tenant_id, created_at, id);
CREATE INDEX invitations_by_inviter ON invitations (tenant_id, invited_by) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;
-- Not unique, as it would have to lead with the tenant: a token has 256 random bits.
CREATE INDEX invitations_by_token ON invitations (token_hash);

-- The teams somebody is to be in from the start.
CREATE TABLE invitation_teams (
    tenant_id       uuid NOT NULL,
    invitation_id   uuid NOT NULL,
    team_id         uuid NOT NULL,
    PRIMARY KEY (tenant_id, invitation_id, team_id),
    FOREIGN KEY (tenant_id, invitation_id) REFERENCES invitations (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT invitation_teams_are_teams FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX invitation_teams_by_team ON invitation_teams (tenant_id, team_id);

-- What one person leaves to another, or to nobody (to_id is null), kind after kind. `kinds` are what is handed over, `counts`
-- how much of each was there at the beginning, `done` how much of each is the other's by now.
CREATE TABLE handovers (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    from_id     uuid NOT NULL,
    to_id       uuid,
    asked_by    uuid,
    kinds       text[] NOT NULL,
    state       text NOT NULL DEFAULT 'running' CONSTRAINT handovers_state_known CHECK (state IN ('running', 'done')),
    counts      jsonb NOT NULL DEFAULT '{}',
    done        jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT handovers_from_is_member FOREIGN KEY (tenant_id, from_id) REFERENCES members (tenant_id, user_id),
    CONSTRAINT handovers_to_is_member FOREIGN KEY (tenant_id, to_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, asked_by) REFERENCES members (tenant_id, user_id),
    CONSTRAINT handovers_end_is_said CHECK ((state = 'done') = (finished_at IS NOT NULL))
);
-- One at a time from one person: the constraint's name is the rule's name.
CREATE UNIQUE INDEX handovers_one_at_a_time ON handovers (tenant_id, from_id) WHERE state = 'running';
CREATE INDEX handovers_newest ON handovers (tenant_id, created_at, id);

SELECT protect_table(t) FROM unnest(ARRAY['invitations', 'invitation_teams', 'handovers']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON invitations, handovers TO ringside_app;
GRANT SELECT, INSERT, DELETE ON invitation_teams TO ringside_app;
GRANT SELECT, UPDATE, DELETE ON invitations TO ringside_system;
GRANT SELECT ON invitation_teams TO ringside_system;
GRANT SELECT, INSERT ON team_members TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['invitations', 'invitation_teams', 'team_members']::regclass[]) AS t;
GRANT UPDATE (name) ON users TO ringside_system;

-- Along these what a person has is found. Each holds only what is still to be done.
CREATE INDEX enrolments_of_user ON enrolments (tenant_id, user_id, id) WHERE state IN ('active', 'paused');
CREATE INDEX sequences_of_owner ON sequences (tenant_id, owner_id, id) WHERE deleted_at IS NULL;
CREATE INDEX templates_of_owner ON templates (tenant_id, owner_id, id) WHERE archived_at IS NULL;
CREATE INDEX mail_threads_of_assignee ON mail_threads (tenant_id, assignee_id, id) WHERE assignee_id IS NOT NULL AND state <> 'done';
CREATE INDEX dial_items_of_callback ON dial_items (tenant_id, callback_for, id) WHERE callback_for IS NOT NULL AND state = 'callback';
CREATE INDEX dial_queue_members_by_user ON dial_queue_members (tenant_id, user_id, queue_id);

-- A company wants to be: it is made when the address turns out to be the person's.
CREATE FUNCTION signup_begin(p_hash bytea, p_email text, p_name text, p_company text, p_zone text, p_ttl_s int) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO signups (token_hash, email, name, company, zone, expires_at)
    VALUES (p_hash, p_email, p_name, p_company, p_zone, now() + make_interval(secs => p_ttl_s))
    RETURNING id
$$;

-- The account of an address, if there is one, and whether it belongs to any company: who belongs to none can't sign in.
CREATE FUNCTION account_of(p_email_lc text, OUT user_id uuid, OUT has_company boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, EXISTS (SELECT FROM members m WHERE m.user_id = u.id AND m.status = 'active') FROM users u WHERE u.email_lc = p_email_lc
$$;
REVOKE ALL ON FUNCTION account_of(text) FROM PUBLIC;

-- What the holder of a letter may know; no row for a token there is not. state: open, used, expired.
CREATE FUNCTION signup_look(p_hash bytea)
RETURNS TABLE (state text, email text, name text, company text, has_account boolean, has_company boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN s.used_at IS NOT NULL THEN 'used' WHEN s.expires_at < now() THEN 'expired' ELSE 'open' END,
           s.email, s.name, s.company, a.user_id IS NOT NULL, coalesce(a.has_company, false)
    FROM signups s CROSS JOIN LATERAL account_of(s.email_lc) AS a WHERE s.token_hash = p_hash
$$;

-- Makes the account of an address that was verified. Null when the address has one already.
CREATE FUNCTION make_account(p_user uuid, p_email text, p_name text, p_password_hash text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_user uuid;
BEGIN
    INSERT INTO users (id, email, email_lc, name) VALUES (p_user, p_email, lower(p_email), p_name)
    ON CONFLICT (email_lc) DO NOTHING RETURNING id INTO v_user;
    IF v_user IS NOT NULL THEN
        INSERT INTO user_passwords (user_id, hash) VALUES (v_user, p_password_hash);
    END IF;
    RETURN v_user;
END $$;
REVOKE ALL ON FUNCTION make_account(uuid, text, text, text) FROM PUBLIC;

-- The company becomes live: with the account p_user, which must have that address, or, with a password's hash, with a new one of
-- that id. Without p_user: with the address' account, if it belongs to no company, so that nobody can sign in with it; having
-- become a member, the person still has to. outcome: ok, unknown, used, expired, has_account, other_account.
CREATE FUNCTION signup_finish(p_hash bytea, p_user uuid, p_name text, p_password_hash text)
RETURNS TABLE (outcome text, tenant_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    s signups;
    v_tenant uuid;
    v_user uuid := p_user;
BEGIN
    SELECT * INTO s FROM signups x WHERE x.token_hash = p_hash FOR UPDATE;
    IF p_user IS NULL THEN
        SELECT a.user_id INTO v_user FROM account_of(s.email_lc) AS a WHERE NOT a.has_company;
    END IF;
    outcome := CASE WHEN s.id IS NULL THEN 'unknown' WHEN s.used_at IS NOT NULL THEN 'used' WHEN s.expires_at < now() THEN 'expired'
                    WHEN v_user IS NULL THEN 'has_account'
                    WHEN p_password_hash IS NULL AND NOT EXISTS (SELECT FROM users u WHERE u.id = v_user AND u.email_lc = s.email_lc)
                    THEN 'other_account'
                    WHEN p_password_hash IS NOT NULL AND make_account(p_user, s.email, p_name, p_password_hash) IS NULL
                    THEN 'has_account' ELSE 'ok' END;
    IF outcome = 'ok' THEN
        v_tenant := create_company(s.company);
        UPDATE tenants t SET zone = s.zone WHERE t.tenant_id = v_tenant;
        INSERT INTO members (tenant_id, user_id, role) VALUES (v_tenant, v_user, 'owner');
        UPDATE signups x SET used_at = now() WHERE x.id = s.id;
        DELETE FROM signups x WHERE x.email_lc = s.email_lc AND x.used_at IS NULL;
    END IF;
    RETURN QUERY SELECT outcome, v_tenant;
END $$;

-- Deletes sign-ups and invitations that led to nothing, and those that are long done: addresses of people who are not here. The
-- audit log keeps that there was an invitation.
CREATE FUNCTION signups_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM signups WHERE expires_at < now() - p_keep;
    DELETE FROM invitations WHERE expires_at < now() - 3 * p_keep;
$$;

-- What the holder of an invitation may know; no row for a token there is not. state: open, accepted, withdrawn, expired.
CREATE FUNCTION invitation_look(p_hash bytea)
RETURNS TABLE (tenant_id uuid, id uuid, state text, email text, name text, role text, company text, inviter text, account_id uuid,
               has_company boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT i.tenant_id, i.id,
           CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted' WHEN i.withdrawn_at IS NOT NULL THEN 'withdrawn'
                WHEN i.expires_at < now() THEN 'expired' ELSE 'open' END,
           i.email, i.name, i.role, t.name, u.name, a.user_id, coalesce(a.has_company, false)
    FROM invitations i JOIN tenants t ON t.tenant_id = i.tenant_id JOIN users u ON u.id = i.invited_by
    CROSS JOIN LATERAL account_of(i.email_lc) AS a
    WHERE i.token_hash = p_hash
$$;

-- Lets the person in, in the current company: with the account p_user, which must have the invited address, or, with a
-- password's hash, with a new one of that id. Without p_user: with the address' account, as in signup_finish. outcome: ok, unknown, accepted, withdrawn, expired, has_account, other_account,
-- is_member, role_is_gone.
CREATE FUNCTION invitation_accept(p_hash bytea, p_user uuid, p_name text, p_password_hash text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    i invitations;
    v_role text;
    v_user uuid := p_user;
BEGIN
    SELECT * INTO i FROM invitations x WHERE x.token_hash = p_hash AND x.tenant_id = v_tenant FOR UPDATE;
    IF p_user IS NULL THEN
        SELECT a.user_id INTO v_user FROM account_of(i.email_lc) AS a WHERE NOT a.has_company;
    END IF;
    SELECT r.base INTO v_role FROM roles r WHERE r.tenant_id = v_tenant AND r.id = i.role_id;
    IF i.id IS NULL THEN
        RETURN 'unknown';
    ELSIF i.accepted_at IS NOT NULL THEN
        RETURN 'accepted';
    ELSIF i.withdrawn_at IS NOT NULL THEN
        RETURN 'withdrawn';
    ELSIF i.expires_at < now() THEN
        RETURN 'expired';
    ELSIF i.role_id IS NOT NULL AND v_role IS NULL THEN
        -- A role of the company's own may do less than its base: without it nobody is let in as that.
        RETURN 'role_is_gone';
    ELSIF v_user IS NULL THEN
        RETURN 'has_account';
    ELSIF p_password_hash IS NULL THEN
        IF NOT EXISTS (SELECT FROM users u WHERE u.id = v_user AND u.email_lc = i.email_lc) THEN
            RETURN 'other_account';
        END IF;
    ELSIF make_account(p_user, i.email, p_name, p_password_hash) IS NULL THEN
        RETURN 'has_account';
    END IF;
    -- Who was deactivated meanwhile does not come back by an older invitation.
    INSERT INTO members AS m (tenant_id, user_id, role, role_id) VALUES (v_tenant, v_user, coalesce(v_role, i.role), i.role_id)
    ON CONFLICT (tenant_id, user_id) DO UPDATE SET role = excluded.role, role_id = excluded.role_id, status = 'active', left_at = NULL
    WHERE m.status = 'deactivated' AND m.left_at IS NOT NULL;
    IF NOT FOUND THEN
        RETURN 'is_member';
    END IF;
    INSERT INTO team_members (tenant_id, team_id, user_id, position)
    SELECT v_tenant, it.team_id, v_user,
           coalesce((SELECT max(tm.position) FROM team_members tm WHERE tm.tenant_id = v_tenant AND tm.team_id = it.team_id), 0) + 1
    FROM invitation_teams it WHERE it.tenant_id = v_tenant AND it.invitation_id = i.id
    ON CONFLICT DO NOTHING;
    UPDATE invitations x SET accepted_at = now(), accepted_by = v_user WHERE x.tenant_id = v_tenant AND x.id = i.id;
    RETURN 'ok';
END $$;

-- Is there a member of the current company with this address? Null, active, deactivated or left.
CREATE FUNCTION member_by_address(p_email_lc text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN m.status = 'active' THEN 'active' WHEN m.left_at IS NOT NULL THEN 'left' ELSE 'deactivated' END
    FROM users u JOIN members m ON m.user_id = u.id
    WHERE u.email_lc = p_email_lc AND m.tenant_id = current_setting('ringside.tenant_id')::uuid
$$;

-- Whoever acts is called otherwise, in every company they belong to. Nobody else can be named.
CREATE FUNCTION rename_oneself(p_name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE users SET name = p_name WHERE id = nullif(current_setting('ringside.user_id', true), '')::uuid
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'signup_begin(bytea,text,text,text,text,int)', 'signup_look(bytea)', 'signup_finish(bytea,uuid,text,text)',
    'signups_forget(interval)', 'invitation_look(bytea)', 'invitation_accept(bytea,uuid,text,text)',
    'member_by_address(text)', 'rename_oneself(text)', 'make_account(uuid,text,text,text)', 'account_of(text)'
]::regprocedure[]) AS f;
-- An account is only made, or looked for, by the functions above, for the address of a letter.
REVOKE EXECUTE ON FUNCTION account_of(text) FROM ringside_app;
REVOKE EXECUTE ON FUNCTION make_account(uuid, text, text, text) FROM ringside_app;
