-- People's own accounts, which belong to no company: every statement calls one of the functions of 0031_accounts.sql.

-- name: open_session
SELECT session_id, confirmed_at FROM account_open_session(:user, :tenant, :agent, :address, :hash, :ttl_s, :method)

-- name: confirmed_at
SELECT account_confirmed_at(:session) AS confirmed_at

-- name: confirm_session
SELECT account_confirm_session(:session, :user) AS confirmed_at

-- name: sessions
SELECT id, company, user_agent, address, method, created_at, last_used_at FROM account_sessions(:user)

-- name: end_session
SELECT account_end_session(:user, :session, :reason) AS ended

-- name: end_other_sessions
SELECT account_end_other_sessions(:user, :keep, :reason) AS ended

-- name: has_device
SELECT account_has_device(:email_lc, :hash) AS known

-- name: means
-- How a person can prove who they are.
SELECT email, name, password_hash, password_changed_at, needs_second, totp_since, recovery_codes, passkeys
FROM account_means(:user)

-- name: set_password
SELECT account_set_password(:user, :hash, :needs_second)

-- name: rehash
SELECT account_rehash(:user, :old, :new)

-- name: begin_reset
SELECT user_id, email, name FROM account_begin_reset(:email_lc, :hash, :ttl_s)

-- name: reset_of
SELECT account_reset_of(:hash) AS user_id

-- name: finish_reset
SELECT account_finish_reset(:hash, :password_hash, :needs_second) AS user_id

-- name: totp
SELECT seed, on_since FROM account_totp(:user)

-- name: begin_totp
SELECT account_begin_totp(:user, :seed) AS begun

-- name: start_totp
SELECT account_start_totp(:user, :step) AS started

-- name: take_totp
SELECT account_take_totp(:user, :step) AS taken

-- name: reseal_totp
SELECT account_reseal_totp(:user, :old, :new)

-- name: stop_totp
SELECT account_stop_totp(:user) AS stopped

-- name: set_recovery_codes
SELECT account_set_recovery_codes(:user, :hashes::bytea[])

-- name: take_recovery_code
SELECT account_take_recovery_code(:user, :hash) AS codes_left

-- name: passkeys
SELECT id, credential_id, name, synced, created_at, last_used_at FROM account_passkeys(:user)

-- name: add_passkey
SELECT account_add_passkey(:user, :credential, :key, :count, :name, :synced, :most) AS id

-- name: rename_passkey
SELECT account_rename_passkey(:user, :id, :name) AS id

-- name: remove_passkey
SELECT account_remove_passkey(:user, :id) AS name

-- name: find_passkey
SELECT id, user_id, email, name, public_key, sign_count FROM account_find_passkey(:credential)

-- name: use_passkey
SELECT account_use_passkey(:id, :before, :after) AS used

-- name: add_challenge
SELECT account_add_challenge(:hash, :kind, :user, :tenant, :challenge, :ttl_s)

-- name: try_challenge
SELECT user_id, tenant_id, challenge FROM account_try_challenge(:hash, :kind, :tries)

-- name: end_challenge
SELECT account_end_challenge(:hash) AS ended

-- name: claim_browser
SELECT user_id, email, name, known, ended FROM account_claim_browser(:hash, :device, :before)

-- name: adopt_browser
SELECT account_adopt_browser(:session, :device)

-- name: strike
SELECT account_strike(:key, :subject, :most) AS failures

-- name: unstrike
SELECT account_unstrike(:key, :subject)

-- name: must_enrol
SELECT account_must_enrol(:session, :tenant) AS must_enrol

-- name: raise_session
SELECT account_raise_session(:session, :user)

-- name: second_wanted
SELECT account_second_wanted(:user) AS company
