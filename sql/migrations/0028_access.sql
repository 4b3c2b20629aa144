-- Access: roles a company makes itself, and API keys.

-- A role of a company's own: what it may do, and the built-in role whose events it hears and whose say over others' things it
-- has (`base`).
CREATE TABLE roles (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    name        text NOT NULL CONSTRAINT roles_name_length CHECK (length(name) BETWEEN 1 AND 60),
    name_lc     text COLLATE "C" NOT NULL,
    base        text NOT NULL CONSTRAINT roles_base_known CHECK (base IN ('admin', 'manager', 'rep')),
    permissions text[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT roles_base_of_members UNIQUE (tenant_id, id, base),
    CONSTRAINT roles_name_key UNIQUE (tenant_id, name_lc)
);
SELECT protect_table('roles'), open_table_to('roles', 'ringside_system');
GRANT SELECT, INSERT, UPDATE, DELETE ON roles TO ringside_app;
GRANT SELECT ON roles TO ringside_system;

-- members.role stays what every rule asks; who has a role of the company's own has its base there.
ALTER TABLE members ADD COLUMN role_id uuid;
ALTER TABLE members ADD CONSTRAINT members_own_role FOREIGN KEY (tenant_id, role_id, role)
    REFERENCES roles (tenant_id, id, base) ON UPDATE CASCADE;
CREATE INDEX members_by_own_role ON members (tenant_id, role_id) WHERE role_id IS NOT NULL;

-- Who is given another built-in role leaves the company's own one. A new base of that one comes here as well, and changes nothing.
CREATE FUNCTION members_leave_own_role() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM roles r WHERE r.tenant_id = new.tenant_id AND r.id = new.role_id AND r.base = new.role) THEN
        new.role_id := NULL;
    END IF;
    RETURN new;
END $$;
REVOKE ALL ON FUNCTION members_leave_own_role() FROM PUBLIC;
CREATE TRIGGER members_leave_own_role BEFORE UPDATE OF role ON members
    FOR EACH ROW WHEN (new.role_id IS NOT DISTINCT FROM old.role_id AND new.role_id IS NOT NULL AND new.role <> old.role)
    EXECUTE FUNCTION members_leave_own_role();

-- Notes, in the current company, that what a role may do changed; commits with that change.
CREATE FUNCTION access_note_role(p_role uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO access_changes (kind, tenant_id, user_id)
    SELECT 'role_changed', m.tenant_id, m.user_id
    FROM members m
    WHERE m.tenant_id = current_setting('ringside.tenant_id')::uuid AND m.role_id = p_role AND m.status = 'active'
$$;

-- The companies a person may enter and what they may do there, oldest membership first. `permissions` is null for a built-in role.
CREATE FUNCTION auth_memberships(p_user uuid)
RETURNS TABLE (tenant_id uuid, name text, role text, role_name text, permissions text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.name, m.role, r.name, r.permissions
    FROM members m
    JOIN tenants t ON t.tenant_id = m.tenant_id
    LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
    WHERE m.user_id = p_user AND m.status = 'active'
    ORDER BY m.created_at, t.tenant_id
$$;

-- Keys with which programs act as the person who made them, as far as the key's scopes and the person's own role go. Only a
-- key's SHA-256 is kept; `hint` is how it begins.
CREATE TABLE api_keys (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    user_id         uuid NOT NULL,
    name            text NOT NULL CONSTRAINT api_keys_name_length CHECK (length(name) BETWEEN 1 AND 80),
    hint            text NOT NULL,
    hash            bytea NOT NULL,
    scopes          text[] NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    last_used_from  text,
    ended_at        timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX api_keys_by_hash ON api_keys (hash);
CREATE INDEX api_keys_by_time ON api_keys (tenant_id, created_at, id);
CREATE INDEX api_keys_by_owner ON api_keys (tenant_id, user_id);
SELECT protect_table('api_keys'), open_table_to('api_keys', 'ringside_system');
GRANT SELECT, INSERT, UPDATE (ended_at) ON api_keys TO ringside_app;
GRANT SELECT, UPDATE (last_used_at, last_used_from, ended_at) ON api_keys TO ringside_system;

-- Whose key this is and what both may do; no row when it is unknown, run out, ended, or its person is no active member. Its
-- use is noted at most once a minute.
CREATE FUNCTION api_key_use(p_hash bytea, p_address text)
RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, name text, role text, role_name text, permissions text[], scopes text[],
               expires_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE api_keys k SET last_used_at = now(), last_used_from = p_address
    WHERE k.hash = p_hash AND k.ended_at IS NULL AND k.expires_at > now()
      AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute');
    SELECT k.id, k.tenant_id, k.user_id, u.name, m.role, r.name, r.permissions, k.scopes, k.expires_at
    FROM api_keys k
    JOIN members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id AND m.status = 'active'
    JOIN users u ON u.id = k.user_id
    LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
    WHERE k.hash = p_hash AND k.ended_at IS NULL AND k.expires_at > now()
$$;

-- Notes, in the current company, that a key was ended, as every process hears of an ended session; commits with that change.
CREATE FUNCTION access_note_key(p_key uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO access_changes (kind, tenant_id, user_id, session_id)
    SELECT 'session_revoked', k.tenant_id, k.user_id, k.id
    FROM api_keys k WHERE k.tenant_id = current_setting('ringside.tenant_id')::uuid AND k.id = p_key
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'access_note_role(uuid)', 'auth_memberships(uuid)', 'api_key_use(bytea,text)', 'access_note_key(uuid)'
]::regprocedure[]) AS f;

-- Whoever ends a membership, and however: the person's keys end with it, and do not come back with it.
CREATE FUNCTION members_end_keys() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE api_keys SET ended_at = now()
    WHERE tenant_id = new.tenant_id AND user_id = new.user_id AND ended_at IS NULL;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION members_end_keys() FROM PUBLIC;
CREATE TRIGGER members_end_keys AFTER UPDATE OF status ON members
    FOR EACH ROW WHEN (new.status <> 'active' AND old.status = 'active') EXECUTE FUNCTION members_end_keys();
