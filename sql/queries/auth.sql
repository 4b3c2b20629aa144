-- Sign-in, before a tenant is known: every statement calls one of the functions of 0002_sign_in.sql.

-- name: find_user
SELECT user_id, email, name, password_hash FROM auth_find_user(:email_lc)

-- name: companies
SELECT tenant_id, name, role, role_name, permissions FROM auth_memberships(:user)

-- name: rotate
-- No row for a browser that is not the session's: nothing is exchanged then.
SELECT outcome, session_id, user_id, tenant_id, email, name, account_confirmed_at(session_id) AS confirmed_at
FROM auth_rotate(:hash, :new_hash, :agent, :grace_s)
WHERE account_fits_browser(:hash, :device, :is_old)

-- name: revoke_session
SELECT auth_revoke_session(:session, :reason)

-- name: revoke_all_sessions
SELECT auth_revoke_all_sessions(:user, :reason)

-- name: switch
SELECT auth_switch(:session, :user, :tenant) AS moved

-- name: take_attempt
SELECT auth_take_attempt(:keys::text[], :limits::int[], :window_s) AS wait_s

-- name: forgive
SELECT auth_forgive(:account, :address)

-- name: user
SELECT email, name FROM auth_user(:user)
