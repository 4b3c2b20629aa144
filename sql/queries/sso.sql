-- Signing in elsewhere. What happens before a company is known calls the functions of 0032_sso.sql.

-- name: provider_for
-- The provider of a mail domain, or of a company.
SELECT tenant_id, label, issuer, client_id, sealed, trusts_addresses FROM sso_provider_for(:domain, :tenant)

-- name: begin
SELECT sso_begin(:state, :browser, :purpose, :tenant, :issuer, :client, :user, :return_to)

-- name: take
SELECT browser_hash, purpose, tenant_id, issuer, client_id, user_id, return_to, is_late FROM sso_take(:state, :lasts)

-- name: look
-- What is known of whoever came from a provider.
SELECT known_user, user_of_address, other_subject, role, status, is_proven FROM sso_look(:tenant, :issuer, :subject, :email_lc, :domain)

-- name: link
SELECT sso_link(:user, :tenant, :issuer, :subject, :email) AS user_id

-- name: make_member
SELECT sso_make_member(:email, :name, :role)

-- name: open_session
SELECT sso_open_session(:user, :tenant, :agent, :address, :hash, :ttl_s) AS session_id

-- name: note_success
SELECT sso_note_success(:tenant, :issuer)

-- name: required_at
-- The companies of a person that want to be signed in to in their own way.
SELECT tenant_id, name FROM sso_required_at(:user)

-- name: holds_account
-- May a session change how its person signs in everywhere?
SELECT sso_holds_account(:session, :user) AS holds

-- name: user
SELECT email, name FROM auth_user(:user)

-- name: take_attempt
-- One of a number of attempts in a window: 0, or the seconds to wait.
SELECT auth_take_attempt(:keys::text[], :limits::int[], :window_s) AS wait_s

-- name: identities
-- What a person can sign in with elsewhere, at this company or anywhere.
SELECT i.id, i.tenant_id, i.issuer, i.email, i.linked_at, i.last_used_at, p.label
FROM sso_identities_of(:user, :tenant) i LEFT JOIN sso_provider_for(NULL, i.tenant_id) p ON p.issuer = i.issuer

-- name: forget_identity
SELECT sso_forget_identity(:user, :tenant, :id) AS gone

-- fragment: outside
-- Members who could not come through the provider: not known to it, and of no proven domain. Owners always get in otherwise, too.
SELECT m.user_id, u.name, u.email
FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.status = 'active' AND m.role <> 'owner'
  AND m.user_id <> ALL (ARRAY(SELECT c.user_id FROM sso_connected() c))
  AND split_part(u.email_lc, '@', 2) <> ALL (
      ARRAY(SELECT d.domain FROM sso_domains d WHERE d.tenant_id = :tenant_id AND d.verified_at IS NOT NULL))

-- name: get_settings
-- How the company signs in. The provider's secret stays here.
WITH outside AS ({{outside}})
SELECT json_build_object(
    'provider', (SELECT json_build_object(
            'label', p.label, 'issuer', p.issuer, 'client_id', p.client_id, 'joins', p.joins, 'role', p.role,
            'team_id', p.team_id, 'trusts_addresses', p.trusts_addresses, 'tested_at', p.tested_at, 'updated_at', p.updated_at)
        FROM sso_providers p WHERE p.tenant_id = :tenant_id),
    'enforced', coalesce((SELECT p.is_enforced FROM sso_providers p WHERE p.tenant_id = :tenant_id), false),
    'domains', coalesce((SELECT json_agg(json_build_object(
            'domain', d.domain, 'sent_to', d.sent_to, 'sent_at', d.sent_at, 'verified_at', d.verified_at) ORDER BY d.domain)
        FROM sso_domains d WHERE d.tenant_id = :tenant_id), '[]'::json),
    'connected_count', (SELECT count(*) FROM sso_connected()),
    'connected', coalesce((SELECT json_agg(json_build_object(
            'id', c.user_id, 'name', c.name, 'email', c.email, 'last_used_at', c.last_used_at) ORDER BY c.name, c.user_id)
        FROM (SELECT k.user_id, u.name, k.email, k.last_used_at FROM sso_connected() k JOIN users u ON u.id = k.user_id
              ORDER BY u.name, k.user_id LIMIT 500) c), '[]'::json),
    'outside_count', (SELECT count(*) FROM outside),
    'outside', coalesce((SELECT json_agg(json_build_object('id', o.user_id, 'name', o.name, 'email', o.email) ORDER BY o.name)
        FROM (SELECT * FROM outside ORDER BY name, user_id LIMIT 20) o), '[]'::json)
)::text

-- name: lock_provider
SELECT label, issuer, client_id, sealed, joins, role, team_id, trusts_addresses, is_enforced, tested_at
FROM sso_providers WHERE tenant_id = :tenant_id FOR UPDATE

-- name: get_provider
SELECT label, issuer, client_id, sealed, joins, role, team_id, trusts_addresses, is_enforced, tested_at
FROM sso_providers WHERE tenant_id = :tenant_id

-- name: put_provider
-- Another issuer or client has not been tried yet.
INSERT INTO sso_providers AS p (tenant_id, label, issuer, client_id, sealed, joins, role, team_id, trusts_addresses)
VALUES (:tenant_id, :label, :issuer, :client_id, :sealed, :joins, :role, :team_id, :trusts_addresses)
ON CONFLICT (tenant_id) DO UPDATE SET
    label = excluded.label, issuer = excluded.issuer, client_id = excluded.client_id, sealed = excluded.sealed,
    joins = excluded.joins, role = excluded.role, team_id = excluded.team_id, trusts_addresses = excluded.trusts_addresses,
    updated_at = now(),
    tested_at = CASE WHEN (p.issuer, p.client_id) = (excluded.issuer, excluded.client_id) THEN p.tested_at END

-- name: reseal
-- The same secret under the present key, unless it was changed meanwhile.
UPDATE sso_providers SET sealed = :sealed WHERE tenant_id = :tenant_id AND sealed = :was

-- name: delete_provider
DELETE FROM sso_providers WHERE tenant_id = :tenant_id

-- name: set_enforced
UPDATE sso_providers SET is_enforced = :enforced, updated_at = now() WHERE tenant_id = :tenant_id

-- name: end_others
SELECT sso_end_others()

-- name: end_ours
SELECT sso_end_ours()

-- name: disconnect_member
SELECT sso_disconnect_member(:member_id)

-- name: is_member
SELECT EXISTS (SELECT FROM members WHERE tenant_id = :tenant_id AND user_id = :member_id)

-- name: has_team
SELECT EXISTS (SELECT FROM teams WHERE tenant_id = :tenant_id AND id = :team_id)

-- name: join_team
-- The last in the order of a team.
INSERT INTO team_members (tenant_id, team_id, user_id, position)
SELECT :tenant_id, :team_id, :member_id,
       coalesce((SELECT max(tm.position) FROM team_members tm WHERE tm.tenant_id = :tenant_id AND tm.team_id = :team_id), 0) + 1
ON CONFLICT DO NOTHING

-- name: company
SELECT name FROM tenants WHERE tenant_id = :tenant_id

-- name: count_domains
SELECT count(*) FROM sso_domains WHERE tenant_id = :tenant_id

-- name: ask_domain
-- A code for a domain that is not proven yet; no row for one that is. The code before it is worth nothing any more.
INSERT INTO sso_domains AS d (tenant_id, domain, sent_to, sent_at, code_hash, code_ends_at)
VALUES (:tenant_id, :domain, :sent_to, now(), :hash, now() + make_interval(secs => :ttl_s))
ON CONFLICT (tenant_id, domain) DO UPDATE SET
    sent_to = excluded.sent_to, sent_at = now(), code_hash = excluded.code_hash, code_ends_at = excluded.code_ends_at, tries = 0
WHERE d.verified_at IS NULL
RETURNING d.domain

-- name: prove_domain
SELECT sso_prove_domain(:domain, :hash, :tries)

-- name: delete_domain
DELETE FROM sso_domains WHERE tenant_id = :tenant_id AND domain = :domain RETURNING domain

