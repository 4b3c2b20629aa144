-- One large company, all in sets: 40 members, 40,000 contacts with what hangs on them, 20,000 calls, 40,000 activities,
-- 60,000 events, 20,000 jobs, imports, sessions. Values are skewed as they are in life: a stage that most have and one that
-- twenty have. {tenant} is its id, {slug} a word that is nobody else's, {series} what numbers the rows: generate_series, or a
-- function like it that leaves some out. Run as an administrator.
SET session_replication_role = replica;
SET synchronous_commit = off;

WITH u AS (
    INSERT INTO users (email, email_lc, name)
    SELECT 'rep' || n || '@{slug}.test', 'rep' || n || '@{slug}.test', 'Rep ' || n || ' of {slug}' FROM generate_series(1, 40) AS n
    RETURNING id, email
), p AS (
    INSERT INTO user_passwords (user_id, hash) SELECT id, '!' FROM u
)
INSERT INTO members (tenant_id, user_id, role)
SELECT uuid '{tenant}', id, CASE WHEN email LIKE 'rep1@%' THEN 'owner' ELSE 'rep' END FROM u;

CREATE TEMPORARY TABLE reps AS
SELECT row_number() OVER (ORDER BY user_id) - 1 AS n, user_id FROM members WHERE tenant_id = uuid '{tenant}';
CREATE TEMPORARY TABLE people AS
SELECT n, uuidv7() AS id, timestamptz '2024-01-01Z' + n * interval '25 minutes' AS at,
       (ARRAY['Ada', 'Bob', 'Cyd', 'Dee', 'Eve', 'Fay', 'Gus', 'Hal'])[1 + n % 8] AS first_name,
       'Family' || (n * 7919) % 9000 AS last_name, 'Firm ' || (n * 7919::bigint) % 4000 AS company
FROM {series}(1, 40000) AS n;

INSERT INTO contacts (tenant_id, id, first_name, last_name, company, stage, owner_id, created_at, updated_at, deleted_at)
SELECT uuid '{tenant}', p.id, p.first_name, p.last_name, CASE WHEN p.n % 2000 = 0 THEN 'Zenith' ELSE p.company END,
       CASE WHEN p.n % 2000 = 1 THEN 'rare' WHEN p.n % 10 < 6 THEN 'lead' ELSE 'stage ' || p.n % 10 END,
       CASE WHEN p.n < 12 THEN (SELECT user_id FROM reps WHERE reps.n = 39)
            WHEN p.n % 3 > 0 THEN (SELECT user_id FROM reps WHERE reps.n = p.n % 39) END,
       p.at, p.at + interval '1 day' * (p.n % 300), CASE WHEN p.n % 25 = 3 THEN p.at + interval '2 days' END
FROM people p;

INSERT INTO contact_emails (tenant_id, contact_id, position, address)
SELECT uuid '{tenant}', id, 0, lower(first_name || '.' || last_name || '.' || n || '@firm' || n % 4000 || '.example.com') FROM people
UNION ALL
SELECT uuid '{tenant}', id, 1, 'home' || n || '@mail.example.org' FROM people WHERE n % 5 = 0;
INSERT INTO contact_phones (tenant_id, contact_id, position, e164)
SELECT uuid '{tenant}', id, 0, '+1415' || 2000000 + n FROM people;
INSERT INTO contact_tags (tenant_id, contact_id, tag)
SELECT uuid '{tenant}', id, 'Common' FROM people WHERE (n * 31) % 1009 < 500
UNION ALL
SELECT uuid '{tenant}', id, 'tag ' || n % 100 FROM people
UNION ALL
SELECT uuid '{tenant}', id, 'Rare' FROM people WHERE n % 2000 = 7;
INSERT INTO contact_search (tenant_id, contact_id, terms)
SELECT uuid '{tenant}', id, ' ' || lower(concat_ws(' ', first_name, last_name, company,
    first_name || '.' || last_name || '.' || n || '@firm' || n % 4000 || '.example.com', 'firm' || n % 4000 || '.example.com',
    '1415' || 2000000 + n))
FROM people WHERE n % 25 <> 3;

INSERT INTO calls (tenant_id, id, contact_id, user_id, state, to_number, from_number, created_at, answered_at, ended_at, checked_at,
                   outcome, disposition, provider_sid)
SELECT uuid '{tenant}', uuidv7(), p.id, r.user_id, CASE WHEN p.n > 39985 THEN 'ringing' ELSE 'completed' END, '+1415' || 2000000 + p.n,
       '+14155550100', now() - (40000 - p.n) * interval '5 minutes',
       CASE WHEN p.n % 3 = 0 THEN now() - (40000 - p.n) * interval '5 minutes' END,
       CASE WHEN p.n <= 39985 THEN now() - (40000 - p.n) * interval '5 minutes' + interval '2 minutes' END,
       now() - (40000 - p.n) * interval '5 minutes', CASE WHEN p.n <= 39985 THEN 'connected' END, 'connected', 'CA{slug}' || p.n
FROM people p JOIN reps r ON r.n = (p.n / 2) % 39 WHERE p.n % 2 = 0;
INSERT INTO activities (tenant_id, contact_id, kind, at, actor_id, call_id, body)
SELECT uuid '{tenant}', contact_id, 'call', created_at, user_id, id, '' FROM calls WHERE tenant_id = uuid '{tenant}'
UNION ALL
SELECT uuid '{tenant}', p.id, 'note', now() - (40000 - p.n) * interval '5 minutes', r.user_id, NULL, 'note ' || p.n
FROM people p JOIN reps r ON r.n = p.n % 39 WHERE p.n % 2 = 1
UNION ALL
SELECT uuid '{tenant}', p.id, 'note', now() - h * interval '1 hour', NULL, NULL, 'one of many'
FROM (SELECT id FROM people WHERE n = 5) AS p, generate_series(1, 1000) AS h;

INSERT INTO tenant_counters (tenant_id, seq) VALUES (uuid '{tenant}', 60000) ON CONFLICT (tenant_id) DO UPDATE SET seq = 60000;
INSERT INTO events (tenant_id, seq, at, id, type, audience, actor_id, subject_kind, subject_id, frame)
SELECT uuid '{tenant}', n, now() - (60000 - n) * interval '6 seconds', gen_random_uuid(), 'contact.updated',
       CASE WHEN n % 3 = 0 THEN 'managers' ELSE 'tenant' END, NULL, 'contact', NULL,
       '{"seq":' || n || ',"data":{"text":"' || repeat('x', 300) || '"}}'
FROM generate_series(1, 60000) AS n;

INSERT INTO jobs (tenant_id, kind, args, state, run_at, created_at, finished_at, lease_until, leased_by)
SELECT uuid '{tenant}', CASE WHEN n % 4000 = 9 THEN 'imports.run' ELSE 'calls.dial' END, json_build_object('import_id', n), x.state, x.at,
       x.at, CASE WHEN x.state IN ('done', 'dead') THEN x.at END, CASE WHEN x.state = 'running' THEN now() END, 'w'
FROM {series}(1, 20000) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN n % 400 = 1 THEN 'dead' WHEN n % 1000 = 2 THEN 'ready' WHEN n % 2500 = 3 THEN 'running' ELSE 'done' END
    AS state, now() - n * interval '30 seconds' AS at) AS x;
INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint, status, body, created_at)
SELECT uuid '{tenant}', r.user_id, 'key ' || k, 'f', 200, '{}', now() - k * interval '8 seconds'
FROM {series}(1, 10000) AS k JOIN reps r ON r.n = k % 40;
INSERT INTO webhook_deliveries (tenant_id, provider, dedupe_key, payload, received_at)
SELECT uuid '{tenant}', 'twilio', '{slug}' || n, '{}', now() - n * interval '30 seconds' FROM {series}(1, 20000) AS n;

INSERT INTO imports (tenant_id, filename, state, created_by, created_at)
SELECT uuid '{tenant}', n || '.csv', CASE WHEN n = 1 THEN 'running' ELSE 'done' END, (SELECT user_id FROM reps WHERE reps.n = 0),
       now() - n * interval '1 hour'
FROM generate_series(1, 2000) AS n;
CREATE TEMPORARY TABLE newest AS SELECT id FROM imports WHERE tenant_id = uuid '{tenant}' ORDER BY created_at DESC LIMIT 1;
INSERT INTO import_changes (tenant_id, import_id, contact_id, version) SELECT uuid '{tenant}', (SELECT id FROM newest), id, 1 FROM people;
INSERT INTO import_created (tenant_id, import_id, start, contact_ids)
SELECT uuid '{tenant}', (SELECT id FROM newest), n * 1000, ARRAY(SELECT uuidv7() FROM generate_series(1, 1000)) FROM generate_series(0, 99) n;
INSERT INTO import_failures (tenant_id, import_id, line, cells, reason)
SELECT uuid '{tenant}', (SELECT id FROM newest), n, ARRAY['Ada'], 'no number' FROM {series}(1, 10000) AS n;
INSERT INTO import_chunks (tenant_id, import_id, position, data)
SELECT uuid '{tenant}', (SELECT id FROM newest), n, repeat('x', 1000)::bytea FROM generate_series(1, 200) AS n;

INSERT INTO tasks (tenant_id, kind, title, contact_id, assignee_id, due_at, done_at, told_at, created_at)
SELECT uuid '{tenant}', 'to_do', 'task ' || p.n, p.id, r.user_id, x.at, CASE WHEN p.n % 20 > 0 THEN x.at + interval '1 hour' END, x.at,
       x.at - interval '1 day'
FROM people p JOIN reps r ON r.n = (p.n / 2) % 39
CROSS JOIN LATERAL (SELECT now() - (35000 - p.n) * interval '10 minutes' AS at) AS x WHERE p.n % 2 = 0;
INSERT INTO notifications (tenant_id, user_id, kind, title, created_at, read_at)
SELECT uuid '{tenant}', r.user_id, 'task_due', 'task ' || p.n, now() - (40000 - p.n) * interval '5 minutes',
       CASE WHEN p.n < 38000 THEN now() END
FROM people p JOIN reps r ON r.n = (p.n / 2) % 39 WHERE p.n % 2 = 0;

UPDATE notifications SET mail_due_at = created_at, mailed_at = CASE WHEN read_at IS NOT NULL THEN read_at END, push_due_at = created_at,
       pushed_at = CASE WHEN read_at IS NOT NULL THEN read_at END WHERE tenant_id = uuid '{tenant}' AND read_at IS NOT NULL;
INSERT INTO letters (tenant_id, id, template, to_address, subject, state, created_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8035-' || lpad(n::text, 12, '0'))::uuid, 'invite', 'home' || n || '@mail.example.org',
       'You are invited', CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'sent' END, now() - n * interval '3 minutes'
FROM {series}(1, 10000) AS n;

INSERT INTO permits (tenant_id, contact_id, channel, address, user_id, allowed, code, explanation, rule_version, facts, created_at)
SELECT uuid '{tenant}', p.id, 'call', '+1415' || 2000000 + p.n, r.user_id, p.n % 50 > 0, 'allowed', 'It is noon.', '1', '{}',
       now() - (40000 - p.n) * interval '5 minutes'
FROM people p JOIN reps r ON r.n = p.n % 39;
INSERT INTO suppressions (tenant_id, kind, value_lc, created_at)
SELECT uuid '{tenant}', CASE WHEN n % 2 = 0 THEN 'phone' WHEN n % 101 = 0 THEN 'domain' ELSE 'email' END,
       CASE WHEN n % 2 = 0 THEN '+1415' || 2000000 + n ELSE 'gone' || n || '.example.net' END, now() - (40000 - n) * interval '5 minutes'
FROM people;
INSERT INTO consents (tenant_id, contact_id, channel, state) SELECT uuid '{tenant}', id, 'call', 'granted' FROM people WHERE n % 3 = 0;
INSERT INTO leases (tenant_id, contact_id, user_id, purpose, lease_until)
SELECT uuid '{tenant}', p.id, r.user_id, 'dialer', now() + interval '1 hour' FROM people p JOIN reps r ON r.n = p.n WHERE p.n < 39;

INSERT INTO alerts (tenant_id, kind, subject_kind, subject_id, subject_name, message, raised_at, cleared_at)
SELECT uuid '{tenant}', 'rep_idle', 'user', gen_random_uuid(), 'Rep', 'idle', now() - n * interval '5 minutes',
       CASE WHEN n > 5 THEN now() END
FROM {series}(1, 20000) AS n;
INSERT INTO dial_queues (tenant_id, name, state, created_at)
SELECT uuid '{tenant}', 'queue ' || n, CASE WHEN n % 1000 = 1 THEN 'running' ELSE 'done' END, now() - n * interval '1 hour'
FROM generate_series(1, 4000) AS n;
CREATE TEMPORARY TABLE queues AS
SELECT id, row_number() OVER (ORDER BY created_at DESC) AS n FROM dial_queues WHERE tenant_id = uuid '{tenant}';
INSERT INTO dial_items (tenant_id, queue_id, contact_id, state, created_key)
SELECT uuid '{tenant}', q.id, p.id, CASE WHEN p.n % 10 = 0 THEN 'waiting' ELSE 'done' END, p.at
FROM people p JOIN queues q ON q.n = 1 + p.n % 20;
INSERT INTO dial_days (tenant_id, queue_id, period, day, answered, abandoned)
SELECT uuid '{tenant}', q.id, 0, current_date - d, 100, 2 FROM queues q, generate_series(1, 60) AS d WHERE q.n <= 100;
INSERT INTO dial_sessions (tenant_id, queue_id, user_id, state, started_at, ended_at)
SELECT uuid '{tenant}', q.id, r.user_id, CASE WHEN s = 1 THEN 'ready' ELSE 'ended' END, now() - s * interval '1 hour',
       CASE WHEN s > 1 THEN now() - s * interval '1 hour' + interval '30 minutes' END
FROM generate_series(1, 200) AS s CROSS JOIN reps r JOIN queues q ON q.n = 1 + (s + r.n) % 20;
INSERT INTO call_legs (tenant_id, call_id, kind, user_id, address, state, created_at)
SELECT uuid '{tenant}', id, 'rep', user_id, 'client:rep', CASE WHEN state = 'ringing' THEN 'joined' ELSE 'left' END, created_at
FROM calls WHERE tenant_id = uuid '{tenant}';

-- Each with its call's id. Everybody says hello, few say zenith.
INSERT INTO recordings (tenant_id, id, call_id, contact_id, user_id, state, wanted, provider_sid, object_key, bytes, duration_s,
                        created_at, keep_until)
SELECT k.tenant_id, k.id, k.id, k.contact_id, k.user_id, 'stored', 'off', 'RE' || k.provider_sid, 'recordings/' || k.id || '.wav', 16044, 1,
       k.created_at, k.created_at + interval '400 days'
FROM calls k WHERE k.tenant_id = uuid '{tenant}' AND k.state = 'completed';
INSERT INTO transcripts (tenant_id, recording_id, user_id, contact_id, at, text, words)
SELECT t.tenant_id, t.id, t.user_id, t.contact_id, t.created_at, t.text, to_tsvector('simple', t.text)
FROM (SELECT r.*, 'hello ' || CASE WHEN n % 200 = 0 THEN 'zenith ' ELSE '' END
             || (SELECT string_agg('word' || (n * 31 + i * i) % 3000, ' ') FROM generate_series(1, 80) AS i) AS text
      FROM (SELECT r.*, row_number() OVER (ORDER BY r.created_at) AS n FROM recordings r WHERE r.tenant_id = uuid '{tenant}') AS r
      WHERE n % 3 = 0) AS t;
INSERT INTO spoken_pieces (tenant_id, recording_id, sid, sequence, speaker, text)
SELECT r.tenant_id, r.id, 'GT1', 1, 'leg', 'hello' FROM recordings r WHERE r.tenant_id = uuid '{tenant}';
INSERT INTO call_audit (tenant_id, call_id, at, actor_id, action)
SELECT k.tenant_id, k.id, k.created_at, k.user_id, 'joined' FROM calls k WHERE k.tenant_id = uuid '{tenant}';
INSERT INTO voicemail_drops (tenant_id, user_id, name, object_key, content_type, bytes, duration_ms)
SELECT uuid '{tenant}', r.user_id, 'message ' || i, 'drops/' || i || '.wav', 'audio/wav', 16044, 1000
FROM generate_series(1, 4000) AS i LEFT JOIN reps r ON r.n = i % 39 AND i % 2000 > 5;
INSERT INTO call_drops (tenant_id, call_id, drop_id)
SELECT k.tenant_id, k.id, (SELECT d.id FROM voicemail_drops d WHERE d.tenant_id = k.tenant_id LIMIT 1)
FROM calls k WHERE k.tenant_id = uuid '{tenant}' AND k.state = 'completed' ORDER BY k.created_at LIMIT 5000;

INSERT INTO teams (tenant_id, name) SELECT uuid '{tenant}', 'team ' || n FROM generate_series(1, 8) AS n;
INSERT INTO team_members (tenant_id, team_id, user_id)
SELECT t.tenant_id, t.id, r.user_id FROM teams t CROSS JOIN reps r WHERE t.tenant_id = uuid '{tenant}' AND r.n < 20;
INSERT INTO numbers (tenant_id, e164, state, country, region, area_code, provider_sid)
SELECT uuid '{tenant}', '+1415555' || 1000 + n, CASE WHEN n % 3 = 0 THEN 'released' ELSE 'active' END, 'US', 'CA', '415', 'PN{slug}' || n
FROM generate_series(1, 300) AS n;
INSERT INTO messages (tenant_id, contact_id, direction, to_number, from_number, body, state, provider_sid, user_id, created_at, changed_at)
SELECT uuid '{tenant}', p.id, CASE WHEN p.n % 3 = 0 THEN 'inbound' ELSE 'outbound' END, '+1415' || 2000000 + p.n, '+14155550100',
       'message ' || p.n, CASE WHEN p.n % 3 = 0 THEN 'received' WHEN p.n % 4000 = 1 THEN 'sending' ELSE 'delivered' END, 'SM{slug}' || p.n,
       r.user_id, x.at, x.at
FROM people p JOIN reps r ON r.n = p.n % 39
CROSS JOIN LATERAL (SELECT now() - (40000 - p.n) * interval '5 minutes' AS at) AS x;
INSERT INTO message_threads (tenant_id, contact_id, last_id, last_at, unread)
SELECT g.tenant_id, g.contact_id, g.id, g.created_at, CASE WHEN g.direction = 'inbound' AND right(g.to_number, 2) = '07' THEN 1 ELSE 0 END
FROM messages g WHERE g.tenant_id = uuid '{tenant}';
INSERT INTO message_stops (tenant_id, e164) SELECT uuid '{tenant}', '+1415' || 2000000 + n FROM people WHERE n % 20 = 0;
INSERT INTO inbound_rings (tenant_id, call_id, user_id, address, until, result)
SELECT k.tenant_id, k.id, k.user_id, 'client:x', k.created_at, CASE WHEN k.state = 'completed' THEN 'missed' END
FROM calls k WHERE k.tenant_id = uuid '{tenant}';
INSERT INTO voicemails (tenant_id, call_id) SELECT k.tenant_id, k.id FROM calls k WHERE k.tenant_id = uuid '{tenant}';

INSERT INTO lines (tenant_id, user_id, kind, address, from_number, state, provider_sid)
SELECT uuid '{tenant}', r.user_id, 'simulated', 'client:x', '+14155550100', 'ended', 'CAline{slug}' || r.n || ' ' || i
FROM reps r, generate_series(1, 500) AS i;

INSERT INTO presence (tenant_id, user_id, state) SELECT uuid '{tenant}', user_id, 'online' FROM reps;
INSERT INTO sessions (user_id, tenant_id, expires_at, revoked_at)
SELECT r.user_id, uuid '{tenant}', now() + interval '1 day', CASE WHEN s % 5 > 0 THEN now() END
FROM {series}(1, 10000) AS s JOIN reps r ON r.n = s % 40;
INSERT INTO refresh_tokens (hash, session_id) SELECT decode(md5('{slug}' || s.id || n), 'hex'), s.id
FROM sessions s, generate_series(1, 3) AS n WHERE s.tenant_id = uuid '{tenant}';
INSERT INTO access_changes (at, kind, tenant_id, user_id)
SELECT now() - n * interval '10 seconds', 'role_changed', uuid '{tenant}', (SELECT user_id FROM reps WHERE reps.n = 3)
FROM generate_series(1, 8000) AS n;
INSERT INTO api_keys (tenant_id, user_id, name, hint, hash, scopes, created_at, expires_at)
SELECT uuid '{tenant}', r.user_id, 'Key ' || k, 'rsk_', decode(md5('{slug} key ' || k), 'hex'), '{}', now() - k * interval '1 hour', now() + interval '30 days'
FROM generate_series(1, 5000) AS k JOIN reps r ON r.n = k % 40;
-- Two webhooks with a month of deliveries, a few of which wait; ids that tests/outgoing/plan_cases.py knows.
INSERT INTO outgoing_endpoints (tenant_id, id, user_id, url, sealed, position, refused_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8036-00000000000' || n)::uuid, (SELECT user_id FROM reps WHERE reps.n = 3),
    'https://example.com/' || n, 'v1', 59000, now() - interval '3 days' FROM generate_series(1, 2) AS n;
INSERT INTO outgoing_deliveries (tenant_id, endpoint_id, kind, event_id, event_seq, event_at, event_type, state, tried_at, created_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8036-00000000000' || 1 + s % 2)::uuid, 'event', uuidv7(), s, now() - interval '1 hour',
    'contact.updated', CASE WHEN s > 39990 THEN 'waiting' WHEN s % 100 = 0 THEN 'failed' ELSE 'accepted' END,
    now() - (40000 - s) * interval '1 minute', now() - (40000 - s) * interval '1 minute'
FROM {series}(1, 40000) AS s;
INSERT INTO sign_in_failures (key, failures, window_ends_at)
SELECT '{slug}' || n, 1, now() + interval '5 minutes' FROM {series}(1, 10000) AS n;
-- A queue of 100,000, most of them still to be called; ids that tests/dialer/plan_cases.py knows.
INSERT INTO dial_queues (tenant_id, id, name, state, lines, filter, started_at, created_at)
VALUES (uuid '{tenant}', uuid '00000000-0000-7000-8000-00000000d001', 'large', 'running', 3, '{}', now() - interval '40 days', now());
INSERT INTO dial_queue_members (tenant_id, queue_id, user_id)
SELECT q.tenant_id, q.id, r.user_id FROM dial_queues q JOIN reps r ON r.n < 5 WHERE q.tenant_id = uuid '{tenant}';
INSERT INTO dial_days (tenant_id, queue_id, period, day, answered, abandoned)
SELECT uuid '{tenant}', uuid '00000000-0000-7000-8000-00000000d001', d / 30, current_date - 40 + d, 100, 1 FROM generate_series(0, 40) AS d;
UPDATE dial_sessions SET id = '00000000-0000-7000-8000-00000000d002', queue_id = '00000000-0000-7000-8000-00000000d001',
    next_item_id = '00000000-0000-7000-8000-00000000d003', call_id = '00000000-0000-7000-8000-00000000d004'
WHERE tenant_id = uuid '{tenant}' AND state <> 'ended'
  AND user_id = (SELECT user_id FROM members WHERE tenant_id = uuid '{tenant}' AND role = 'owner');
INSERT INTO dial_items (tenant_id, id, queue_id, contact_id, state, attempts, not_before, last_outcome, reason_code, reason, phone,
    claimed_by, zone_key, created_key, name_key, changed_at)
SELECT uuid '{tenant}', CASE WHEN k = 100000 THEN uuid '00000000-0000-7000-8000-00000000d003' ELSE uuidv7() END,
       uuid '00000000-0000-7000-8000-00000000d001', coalesce(p.id, uuidv7()), x.state, 1,
       CASE WHEN x.state = 'callback' OR k BETWEEN 22001 AND 26000 THEN now() + (k - 22050) * interval '1 minute' END,
       CASE WHEN k <= 26000 THEN (ARRAY['connected', 'busy', 'no_answer', 'voicemail'])[1 + k % 4] END,
       CASE WHEN x.state = 'skipped' THEN 'suppressed' END, 'It is noon in Chicago.', '+1415' || 2000000 + k,
       CASE WHEN x.state IN ('claimed', 'dialing') THEN uuid '00000000-0000-7000-8000-00000000d002' END,
       (ARRAY['America/Chicago', 'America/New_York', 'America/Denver', 'America/Los_Angeles', 'America/Chicago,America/Denver', ''])[1 + k % 6],
       now() - k * interval '1 minute', 'name ' || k, now() - interval '1 day'
FROM {series}(1, 100000) AS g (k) LEFT JOIN people p ON p.n = k
CROSS JOIN LATERAL (SELECT CASE WHEN k <= 20000 THEN 'done' WHEN k <= 22000 THEN 'skipped' WHEN k <= 25900 THEN 'waiting'
    WHEN k <= 26000 THEN 'callback' WHEN k = 100000 THEN 'dialing' WHEN k > 99995 THEN 'claimed' ELSE 'waiting' END AS state) AS x;
INSERT INTO dial_attempts (tenant_id, call_id, session_id, queue_id, item_id, number, day, period, placed_at, settled_at, result)
SELECT uuid '{tenant}', uuidv7(), s.id, s.queue_id, uuidv7(), 1, current_date, 1, now() - n * interval '1 minute', now(), 'busy'
FROM generate_series(1, 10) AS n, dial_sessions s WHERE s.tenant_id = uuid '{tenant}';
INSERT INTO dial_attempts (tenant_id, call_id, session_id, queue_id, item_id, number, is_parallel, day, period)
SELECT uuid '{tenant}', CASE WHEN n = 1 THEN uuid '00000000-0000-7000-8000-00000000d004' ELSE uuidv7() END,
       uuid '00000000-0000-7000-8000-00000000d002', uuid '00000000-0000-7000-8000-00000000d001',
       uuid '00000000-0000-7000-8000-00000000d003', n, true, current_date, 1
FROM generate_series(1, 3) AS n;

-- Mail: 30 mailboxes, every third private, 12,000 conversations of two messages, 8,000 mails of ours. The ids are numbers, so that
-- tests/mail/plan_cases.py knows them: 8000 for mailboxes, 8001 for threads, 8002 for messages, 8003 for sends.
INSERT INTO mailboxes (tenant_id, id, user_id, kind, address, address_lc, state, visibility, next_poll_at, next_measure_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8000-' || lpad(g.i::text, 12, '0'))::uuid, r.user_id, 'gmail', 'box' || g.i || '@{slug}.test',
       'box' || g.i || '@{slug}.test', 'active', CASE WHEN g.i % 3 = 0 THEN 'private' ELSE 'everyone' END, now() + interval '1 day',
       now() + interval '1 day'
FROM generate_series(101, 130) AS g (i) JOIN reps r ON r.n = g.i - 100;
INSERT INTO mail_threads (tenant_id, id, mailbox_id, subject, subject_key, last_at, last_inbound_at, last_outbound_at, messages, unread, state,
    assignee_id, snoozed_until, contact_id)
SELECT uuid '{tenant}', ('00000000-0000-7000-8001-' || lpad(g.i::text, 12, '0'))::uuid,
       ('00000000-0000-7000-8000-' || lpad((101 + g.i % 30)::text, 12, '0'))::uuid, 'Subject ' || g.i, 'subject ' || g.i,
       now() - g.i * interval '5 minutes', CASE WHEN g.i % 4 > 0 THEN now() - g.i * interval '5 minutes' END, now() - g.i * interval '6 minutes', 2,
       CASE WHEN g.i % 10 = 0 THEN 1 ELSE 0 END, (ARRAY['open', 'done', 'done', 'snoozed', 'open', 'done', 'done', 'done'])[1 + g.i % 8],
       CASE WHEN g.i % 20 = 0 THEN (SELECT user_id FROM reps WHERE reps.n = 1) END,
       CASE WHEN g.i % 8 = 3 THEN now() + g.i * interval '1 minute' END, p.id
FROM {series}(1, 12000) AS g (i) JOIN people p ON p.n = 1 + g.i % 6000;
INSERT INTO mail_messages (tenant_id, id, mailbox_id, thread_id, provider_id, provider_thread_id, message_id, direction, from_address,
    subject, sent_at, received_at, snippet, is_read)
SELECT t.tenant_id, ('00000000-0000-7000-8002-' || right(t.id::text, 11) || k)::uuid, t.mailbox_id, t.id, 'p' || right(t.id::text, 6) || k,
       't' || right(t.id::text, 6), '<m' || right(t.id::text, 6) || k || '@{slug}.test>', CASE k WHEN 1 THEN 'outbound' ELSE 'inbound' END,
       'someone@example.com', t.subject, t.last_at, t.last_at, 'snippet', true
FROM mail_threads t, generate_series(1, 2) AS k WHERE t.tenant_id = uuid '{tenant}';
INSERT INTO mail_copies (tenant_id, mailbox_id, provider_id, message_id, received_at)
SELECT m.tenant_id, m.mailbox_id, m.provider_id, m.id, m.received_at FROM mail_messages m WHERE m.tenant_id = uuid '{tenant}';
INSERT INTO mailbox_messages (tenant_id, mailbox_id, provider_id, received_at, taken_at)
SELECT m.tenant_id, m.mailbox_id, m.provider_id, m.received_at, m.received_at FROM mail_messages m WHERE m.tenant_id = uuid '{tenant}';
INSERT INTO mail_message_contacts (tenant_id, message_id, contact_id, thread_id, role)
SELECT m.tenant_id, m.id, t.contact_id, t.id, 'author' FROM mail_messages m JOIN mail_threads t ON t.tenant_id = m.tenant_id AND t.id = m.thread_id
WHERE m.tenant_id = uuid '{tenant}';
INSERT INTO mail_attachments (tenant_id, message_id, index)
SELECT m.tenant_id, m.id, 1 FROM mail_messages m WHERE m.tenant_id = uuid '{tenant}' AND m.direction = 'inbound';
INSERT INTO mail_words (tenant_id, message_id, thread_id, mailbox_id, at, words)
SELECT m.tenant_id, m.id, m.thread_id, m.mailbox_id, m.received_at, to_tsvector('simple', m.subject || CASE WHEN m.id::text LIKE '%777%' THEN ' zebra' ELSE ' horse' END)
FROM mail_messages m WHERE m.tenant_id = uuid '{tenant}';
INSERT INTO mail_sends (tenant_id, id, mailbox_id, user_id, contact_id, state, source, message_id, send_at, asked_at, created_at, sent_at, step_run_id, counts_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8003-' || lpad(g.i::text, 12, '0'))::uuid,
       ('00000000-0000-7000-8000-' || lpad((101 + g.i % 30)::text, 12, '0'))::uuid, (SELECT user_id FROM reps WHERE reps.n = 1 + g.i % 5), p.id, x.state,
       CASE WHEN g.i % 5 = 3 THEN 'composer' ELSE 'sequence' END, '<s' || g.i || '@{slug}.test>', CASE WHEN x.state = 'scheduled' THEN now() + g.i * interval '1 minute' END,
       CASE WHEN x.state = 'sent' THEN now() END, now() - g.i * interval '3 minutes', CASE WHEN x.state = 'sent' THEN now() END, uuidv7(),
       now() - g.i * interval '3 minutes'
FROM generate_series(1, 8000) AS g (i) JOIN people p ON p.n = g.i
CROSS JOIN LATERAL (SELECT CASE WHEN g.i % 100 = 0 THEN 'scheduled' WHEN g.i % 100 = 1 THEN 'draft' WHEN g.i % 100 = 2 THEN 'failed' ELSE 'sent' END AS state) AS x;
INSERT INTO mail_send_domains (tenant_id, send_id, domain_lc, counts_at)
SELECT s.tenant_id, s.id, 'firm' || right(s.id::text, 6)::int % 400 || '.example', s.counts_at
FROM mail_sends s WHERE s.tenant_id = uuid '{tenant}';

-- What became of that mail: 2,000 templates (ids 8004) of three versions, mail written from 200 of them, tracked with what was
-- fetched of every third (ids 8005), people who unsubscribed, mail that came back.
INSERT INTO templates (tenant_id, id, name, shared, owner_id, current_version, archived_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8004-' || lpad(n::text, 12, '0'))::uuid, 'template ' || n, n % 4 < 3,
       (SELECT user_id FROM reps WHERE reps.n = 1 + n % 5), 3, CASE WHEN n % 10 = 0 THEN now() END
FROM generate_series(1, 2000) AS n;
INSERT INTO template_versions (tenant_id, template_id, version)
SELECT t.tenant_id, t.id, v FROM templates t, generate_series(1, 3) AS v WHERE t.tenant_id = uuid '{tenant}';
INSERT INTO template_uses (tenant_id, send_id, template_id, version)
SELECT s.tenant_id, s.id, ('00000000-0000-7000-8004-' || lpad((1 + right(s.id::text, 6)::int % 200)::text, 12, '0'))::uuid, 3
FROM mail_sends s WHERE s.tenant_id = uuid '{tenant}' AND s.state = 'sent';
INSERT INTO tracked_sends (tenant_id, send_id, mailbox_id, contact_id, address_lc, opens, clicks)
SELECT s.tenant_id, s.id, s.mailbox_id, s.contact_id, 'someone@example.com', true, true
FROM mail_sends s WHERE s.tenant_id = uuid '{tenant}' AND s.state = 'sent';
INSERT INTO tracked_links (tenant_id, send_id, position, url)
SELECT t.tenant_id, t.send_id, k, 'https://example.com/' || k FROM tracked_sends t, generate_series(1, 2) AS k WHERE t.tenant_id = uuid '{tenant}';
INSERT INTO tracking_hits (tenant_id, id, send_id, kind, method, agent, human)
SELECT t.tenant_id, replace(t.send_id::text, '-8003-', '-8005-')::uuid, t.send_id, 'open', 'GET', 'agent', true
FROM tracked_sends t WHERE t.tenant_id = uuid '{tenant}' AND right(t.send_id::text, 6)::int % 3 = 0;
INSERT INTO unsubscribes (tenant_id, send_id, contact_id, address_lc, way, at)
SELECT s.tenant_id, s.id, s.contact_id, 'gone' || right(s.id::text, 6)::int || '@mail.example.org', 'page', s.created_at
FROM mail_sends s WHERE s.tenant_id = uuid '{tenant}' AND right(s.id::text, 6)::int % 4 = 1;
INSERT INTO mail_bounces (tenant_id, mailbox_id, send_id, contact_id, address_lc, permanent, at)
SELECT s.tenant_id, s.mailbox_id, s.id, s.contact_id, 'bounced' || right(s.id::text, 6)::int || '@mail.example.org', true, s.created_at
FROM mail_sends s WHERE s.tenant_id = uuid '{tenant}' AND right(s.id::text, 6)::int % 4 = 1;

-- Sequences: 200 of three steps (ids 8006, steps 8007), 20,000 contacts in the first and ten in each other (ids 8008), steps that
-- were taken (ids 8009).
INSERT INTO sequence_settings (tenant_id) VALUES (uuid '{tenant}');
INSERT INTO sequences (tenant_id, id, name, state, schedule, stop_on, created_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8006-' || lpad(n::text, 12, '0'))::uuid, 'sequence ' || n,
       (ARRAY['active', 'active', 'paused', 'draft'])[n % 4], '{}', '{"stage": []}', now() - n * interval '1 hour'
FROM generate_series(1, 200) AS n WHERE n % 4 > 0;
INSERT INTO sequence_steps (tenant_id, id, sequence_id, position, kind)
SELECT s.tenant_id, ('00000000-0000-7000-8007-' || right(s.id::text, 11) || k)::uuid, s.id, k, CASE k WHEN 3 THEN 'call' ELSE 'email' END
FROM sequences s, generate_series(1, 3) AS k WHERE s.tenant_id = uuid '{tenant}';
INSERT INTO step_variants (tenant_id, id, step_id, label)
SELECT t.tenant_id, replace(t.id::text, '-8007-', '-8010-')::uuid, t.id, 'A' FROM sequence_steps t WHERE t.tenant_id = uuid '{tenant}' AND t.kind = 'email';
INSERT INTO enrolments (tenant_id, id, sequence_id, contact_id, user_id, mailbox_id, state, phase, step_id, base_at, due_at, slot_kind, domain_lc,
    reason, resume_at, finished_at, created_at, changed_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8008-' || lpad(g.i::text, 12, '0'))::uuid, s.id, p.id, (SELECT user_id FROM reps WHERE reps.n = 1 + g.i % 5),
       ('00000000-0000-7000-8000-' || lpad((101 + g.i % 30)::text, 12, '0'))::uuid, x.state, x.phase, ('00000000-0000-7000-8007-' || right(s.id::text, 11) || 1)::uuid,
       now() - interval '1 day', now() + (g.i - 4000) * interval '1 minute', CASE WHEN x.phase = 'act' THEN 'email' END, 'firm' || g.i % 900 || '.example',
       CASE WHEN x.state IN ('active', 'finished') THEN NULL ELSE 'person' END, CASE WHEN x.state = 'paused' AND g.i % 2 = 0 THEN now() + g.i * interval '1 hour' END,
       CASE WHEN x.state IN ('finished', 'stopped') THEN now() END, now() - interval '2 days', now() - interval '1 day'
FROM {series}(1, 22000) AS g (i) JOIN people p ON p.n = g.i
JOIN sequences s ON s.tenant_id = uuid '{tenant}' AND s.id = CASE WHEN g.i <= 20000 THEN uuid '00000000-0000-7000-8006-000000000001'
    ELSE ('00000000-0000-7000-8006-' || lpad((g.i % 200)::text, 12, '0'))::uuid END
CROSS JOIN LATERAL (SELECT CASE WHEN g.i % 20 < 8 THEN 'active' WHEN g.i % 20 = 8 THEN 'paused' WHEN g.i % 20 = 9 THEN 'stopped' ELSE 'finished' END AS state,
    CASE WHEN g.i % 20 < 2 THEN 'plan' ELSE 'act' END AS phase) AS x;
INSERT INTO step_runs (tenant_id, id, enrolment_id, sequence_id, step_id, variant_id, kind, state, slot_at, mailbox_id, domain_lc, send_id, look_at)
SELECT e.tenant_id, replace(e.id::text, '-8008-', '-8009-')::uuid, e.id, e.sequence_id, e.step_id, replace(e.step_id::text, '-8007-', '-8010-')::uuid, 'email',
       CASE WHEN right(e.id::text, 5)::int % 500 = 10 THEN 'intended' ELSE 'done' END, now() - right(e.id::text, 5)::int * interval '3 minutes', e.mailbox_id, e.domain_lc,
       ('00000000-0000-7000-8003-' || right(e.id::text, 12))::uuid, now() + interval '1 minute'
FROM enrolments e
WHERE e.tenant_id = uuid '{tenant}' AND e.state = 'finished' AND right(e.id::text, 6)::int % 40 = 10 OR e.tenant_id = uuid '{tenant}' AND right(e.id::text, 6)::int > 20000;

RESET session_replication_role;

-- 10,000 meetings (ids 8011), most of them with their own entry on a timeline.
INSERT INTO meetings (tenant_id, id, contact_id, mailbox_id, user_id, uid, direction, state, summary, start_at, end_at)
SELECT uuid '{tenant}', ('00000000-0000-7000-8011-' || lpad(g.i::text, 12, '0'))::uuid, p.id,
       ('00000000-0000-7000-8000-' || lpad((101 + g.i % 30)::text, 12, '0'))::uuid, (SELECT user_id FROM reps WHERE reps.n = 1 + g.i % 5),
       'meeting-' || g.i, 'inbound', 'confirmed', 'Meeting ' || g.i, now() - g.i * interval '1 hour', now() - g.i * interval '1 hour'
FROM {series}(1, 10000) AS g (i) JOIN people p ON p.n = 1 + g.i % 6000;

-- 30,000 entries of the audit log, most of them of listening.
INSERT INTO audit_entries (tenant_id, at, action, actor_id, subject_kind, subject_id)
SELECT uuid '{tenant}', now() - g.i * interval '5 minutes', CASE WHEN g.i % 4 > 0 THEN 'recording.listened' WHEN g.i = 400 THEN 'rare.thing' ELSE 'member.updated' END,
       (SELECT user_id FROM reps WHERE reps.n = 1 + g.i % 5), 'contact', p.id
FROM {series}(1, 30000) AS g (i) JOIN people p ON p.n = 1 + g.i % 6000;

DROP TABLE reps, people, newest, queues;
