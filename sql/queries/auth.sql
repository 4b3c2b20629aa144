-- Sign-in, before a tenant is known: every statement calls one of the functions of 0002_sign_in.sql.

-- name: find_user
SELECT user_id, email, name, password_hash FROM auth_find_user(:email_lc)

-- name: companies
SELECT tenant_id, name, role FROM auth_companies(:user)

-- name: open_session
SELECT auth_open_session(:user, :tenant, :agent, :address, :hash, :ttl_s) AS session_id

-- name: rotate
SELECT outcome, session_id, user_id, tenant_id, email, name FROM auth_rotate(:hash, :new_hash, :agent, :grace_s)

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
