-- Who comes back begins anew.

-- As in 0030, but that who left and is invited again does not come back into the teams they were in.
GRANT DELETE ON team_members TO ringside_system;
CREATE OR REPLACE FUNCTION invitation_accept(p_hash bytea, p_user uuid, p_name text, p_password_hash text) RETURNS text
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
    -- Whoever was here before is in the teams they are invited to now, and manages none: what they did stays theirs, and what they
    -- may see and do is given anew.
    DELETE FROM team_members tm WHERE tm.tenant_id = v_tenant AND tm.user_id = v_user;
    INSERT INTO team_members (tenant_id, team_id, user_id, position)
    SELECT v_tenant, it.team_id, v_user,
           coalesce((SELECT max(tm.position) FROM team_members tm WHERE tm.tenant_id = v_tenant AND tm.team_id = it.team_id), 0) + 1
    FROM invitation_teams it WHERE it.tenant_id = v_tenant AND it.invitation_id = i.id
    ON CONFLICT DO NOTHING;
    UPDATE invitations x SET accepted_at = now(), accepted_by = v_user WHERE x.tenant_id = v_tenant AND x.id = i.id;
    RETURN 'ok';
END $$;
