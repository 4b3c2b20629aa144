-- The canaries: what lies in them, and what they try in SQL.

-- name: pair
-- The two canaries, made now if there are none.
SELECT tenant_id, side, user_id, planted FROM canary_pair()

-- name: note_planted
-- What lies in a canary.
SELECT canary_planted(:tenant, :planted::jsonb)

-- name: plant
-- Something of each kind to be found, at rest: no sweep and no worker has anything to do with it. Everything carries the mark.
WITH call AS (
    INSERT INTO calls (tenant_id, contact_id, user_id, state, to_number, from_number, answered_at, ended_at, provider_sid)
    VALUES (:tenant_id, :contact_id, :user_id, 'completed', '+12025550199', '+12025550198', now(), now(), :mark)
    RETURNING tenant_id, id
), recording AS (
    INSERT INTO recordings (tenant_id, id, call_id, contact_id, user_id, state, object_key, bytes, duration_s, channels, stored_at)
    SELECT call.tenant_id, :recording_id, call.id, :contact_id, :user_id, 'stored', :object_key, :bytes, 1, 1, now() FROM call
    RETURNING tenant_id, id
), transcript AS (
    INSERT INTO transcripts (tenant_id, recording_id, user_id, contact_id, at, text, words)
    SELECT tenant_id, id, :user_id, :contact_id, now(), :mark, to_tsvector('simple', :mark) FROM recording
), mailbox AS (
    INSERT INTO mailboxes (tenant_id, user_id, kind, address, address_lc, state, visibility)
    VALUES (:tenant_id, :user_id, 'imap', :mark || '@ringside.invalid', :mark || '@ringside.invalid', 'disconnected', 'everyone')
    RETURNING tenant_id, id
), thread AS (
    INSERT INTO mail_threads (tenant_id, mailbox_id, subject, last_at)
    SELECT tenant_id, id, :mark, now() FROM mailbox
    RETURNING tenant_id, id, mailbox_id
), message AS (
    INSERT INTO mail_messages (tenant_id, mailbox_id, thread_id, direction, sent_at, received_at, subject, snippet)
    SELECT tenant_id, mailbox_id, id, 'inbound', now(), now(), :mark, :mark FROM thread
    RETURNING tenant_id, id, thread_id, mailbox_id
), words AS (
    INSERT INTO mail_words (tenant_id, message_id, thread_id, mailbox_id, at, words)
    SELECT tenant_id, id, thread_id, mailbox_id, now(), to_tsvector('simple', :mark) FROM message
), task AS (
    INSERT INTO tasks (tenant_id, kind, title, contact_id, assignee_id, done_at)
    VALUES (:tenant_id, 'to_do', :mark, :contact_id, :user_id, now())
    RETURNING id
), job AS (
    INSERT INTO jobs (tenant_id, kind, args, state)
    VALUES (:tenant_id, 'canary', jsonb_build_object('mark', :mark::text), 'dropped')
    RETURNING id
), import AS (
    INSERT INTO imports (tenant_id, filename, state, rows, processed, created_by, finished_at)
    VALUES (:tenant_id, :mark || '.csv', 'done', 0, 0, :user_id, now())
    RETURNING id
)
SELECT call.id AS call, recording.id AS recording, mailbox.id AS mailbox, thread.id AS thread, message.id AS message,
       task.id AS task, job.id AS job, import.id AS import
FROM call, recording, mailbox, thread, message, task, job, import

-- name: targets
-- What there is to try.
SELECT kind, id, name FROM isolation_targets() ORDER BY kind, name

-- name: try_table
-- Every way into one table.
SELECT tried, came_back, verdict FROM isolation_try_table(:target::oid::regclass, :tenant_id, :other)

-- name: try_reference
-- A row of one's own that points at the other's.
SELECT tried, came_back, verdict FROM isolation_try_reference(:target::oid, :tenant_id, :other)

-- name: try_function
-- A function with others' rights, given what is the other's.
SELECT tried, came_back, verdict FROM isolation_try_function(:target::oid::regprocedure, :words, :ids::uuid[], :secrets::text[])

-- name: see_own
-- The proof that there is something to be seen at all: one's own contact, by the role that everything runs as.
SELECT current_user::text AS role, (SELECT count(*) FROM contacts WHERE tenant_id = :tenant_id AND id = :contact_id) AS contacts,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypasses

-- name: see_person
-- Another company's person, whom row-level security hides by membership.
SELECT name FROM users WHERE id = :person

-- name: wake_job
-- Makes the canary's job due, in a transaction that is rolled back.
UPDATE jobs SET state = 'ready', run_at = now() - interval '1 minute' WHERE tenant_id = :tenant_id AND id = :job RETURNING id

-- name: enter
-- From here on in another company, in a transaction that is rolled back.
SELECT set_config('ringside.tenant_id', :to::text, true)

-- name: claim_of
-- The worker's claim with another company's context: nothing may be had.
UPDATE jobs SET state = 'running', attempts = attempts + 1, leased_by = 'canary', lease_until = now() + interval '1 minute'
WHERE tenant_id = :of AND id = :job AND state = 'ready'
RETURNING id

-- name: stored_keys
-- Where a company's files lie.
SELECT object_key FROM recordings WHERE tenant_id = :tenant_id AND object_key IS NOT NULL

-- name: note
-- What a look found.
SELECT isolation_note(:breaches::jsonb, :attempts, :whole)

-- name: clear
-- An operator's word that it is mended.
SELECT isolation_clear() AS cleared

-- name: standing
-- What is open, and when everything was last tried.
SELECT breaches, said, checked_at FROM isolation_standing()
