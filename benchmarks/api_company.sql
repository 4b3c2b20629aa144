-- Contacts by the hundred thousand for measuring, in sets. {tenant} is the company, {first} and {last} the numbers of its contacts,
-- {slug} a word that is nobody else's. Run as an administrator, with the indexes dropped before and made again after.
CREATE TEMPORARY TABLE people ON COMMIT DROP AS
SELECT n, uuidv7(interval '-1 microsecond' * ({last} - n)) AS id, now() - ({last} - n) * interval '1 minute' AS at,
       (ARRAY['Ada', 'Bob', 'Cyd', 'Dee', 'Eve', 'Fay', 'Gus', 'Hal', 'Ida', 'Jan', 'Kim', 'Lou', 'Mia', 'Ned', 'Oda', 'Pam'])[1 + n % 16]
           AS first_name,
       initcap((ARRAY['ar', 'bel', 'cor', 'dun', 'el', 'fen', 'gar', 'hol', 'in', 'jor', 'kel', 'lan', 'mor', 'nor', 'os', 'pel'])[1 + n / 16 % 16]
           || (ARRAY['ton', 'ley', 'man', 'sen', 'ford', 'by', 'wick', 'stead', 'er', 'ski', 'ner', 'well'])[1 + n / 256 % 12]
           || chr(97 + n / 3072 % 26)) AS last_name,
       'Firm ' || (n * 7919::bigint) % 40000 || ' ' || (ARRAY['Ltd', 'Inc', 'GmbH', 'Group'])[1 + n % 4] AS company
FROM generate_series({first}, {last}) AS n;

INSERT INTO contacts (tenant_id, id, first_name, last_name, company, title, stage, owner_id, custom, created_at, updated_at)
SELECT uuid '{tenant}', p.id, p.first_name, p.last_name, p.company, (ARRAY['Head of Sales', 'Buyer', 'CTO', ''])[1 + p.n % 4],
       (ARRAY['lead', 'lead', 'working', 'customer', 'lost'])[1 + p.n % 5],
       ({reps}::uuid[])[1 + p.n % greatest(cardinality({reps}::uuid[]), 1)],
       jsonb_build_object('source', 'list ' || p.n % 9), p.at, p.at + interval '1 hour' * (p.n % 300)
FROM people p;
INSERT INTO contact_emails (tenant_id, contact_id, position, address)
SELECT uuid '{tenant}', id, 0, lower(first_name || '.' || last_name || n || '@firm' || n % 40000 || '.example.com') FROM people
UNION ALL
SELECT uuid '{tenant}', id, 1, 'home' || n || '@mail.example.org' FROM people WHERE n % 5 = 0;
INSERT INTO contact_phones (tenant_id, contact_id, position, e164, kind, time_zones)
SELECT uuid '{tenant}', id, 0, '+1415' || 2000000 + n, 'mobile', '{America/Los_Angeles}' FROM people;
INSERT INTO contact_tags (tenant_id, contact_id, tag)
SELECT uuid '{tenant}', id, 'tag ' || n % 50 FROM people WHERE n % 2 = 0
UNION ALL
SELECT uuid '{tenant}', id, 'Newsletter' FROM people WHERE n % 3 = 0;
INSERT INTO contact_search (tenant_id, contact_id, terms)
SELECT uuid '{tenant}', id, ' ' || lower(concat_ws(' ', first_name, last_name, company,
    first_name || '.' || last_name || n || '@firm' || n % 40000 || '.example.com', 'firm' || n % 40000 || '.example.com', '1415' || 2000000 + n))
FROM people;

-- What the measured company has beside its contacts: calls of a day, timelines, a log.
INSERT INTO calls (tenant_id, id, contact_id, user_id, state, to_number, from_number, created_at, answered_at, ended_at, checked_at,
                   outcome, disposition, provider_sid)
SELECT uuid '{tenant}', uuidv7(), p.id, ({reps}::uuid[])[1 + p.n % greatest(cardinality({reps}::uuid[]), 1)],
       CASE WHEN p.n > {last} - {live} THEN 'ringing' ELSE 'completed' END, '+1415' || 2000000 + p.n, '+14155550100', x.at,
       CASE WHEN p.n % 3 = 0 AND p.n <= {last} - {live} THEN x.at + interval '9 seconds' END,
       CASE WHEN p.n <= {last} - {live} THEN x.at + interval '2 minutes' END, x.at,
       CASE WHEN p.n <= {last} - {live} THEN (ARRAY['connected', 'no_answer', 'voicemail'])[1 + p.n % 3] END,
       CASE WHEN p.n % 3 = 0 THEN 'connected' END, 'CA{slug}' || p.n
FROM people p CROSS JOIN LATERAL (SELECT now() - ({last} - p.n) * interval '10 seconds' AS at) AS x
WHERE cardinality({reps}::uuid[]) > 0 AND p.n > {last} - {calls};
INSERT INTO activities (tenant_id, contact_id, kind, at, actor_id, call_id, body)
SELECT tenant_id, contact_id, 'call', created_at, user_id, id, '' FROM calls WHERE tenant_id = uuid '{tenant}'
UNION ALL
SELECT uuid '{tenant}', p.id, 'note', now() - p.n * interval '1 minute', ({reps}::uuid[])[1 + p.n % greatest(cardinality({reps}::uuid[]), 1)], NULL,
       'Asked for an offer; call again on ' || p.n
FROM people p WHERE cardinality({reps}::uuid[]) > 0
UNION ALL
SELECT uuid '{tenant}', (SELECT id FROM people WHERE n = {last}), 'note', now() - k * interval '1 hour', NULL, NULL, 'one of many'
FROM generate_series(1, 500) AS k WHERE cardinality({reps}::uuid[]) > 0;
INSERT INTO events (tenant_id, seq, at, id, type, audience, actor_id, subject_kind, subject_id, frame)
SELECT uuid '{tenant}', n, now() - ({calls} * 10 - n) * interval '1 second', gen_random_uuid(), 'contact.updated',
       CASE WHEN n % 3 = 0 THEN 'managers' ELSE 'tenant' END, NULL, 'contact', NULL, '{"seq":' || n || ',"data":{"text":"' || repeat('x', 300) || '"}}'
FROM generate_series(1, {calls} * 10) AS n WHERE cardinality({reps}::uuid[]) > 0;
UPDATE tenant_counters SET seq = {calls} * 10 WHERE tenant_id = uuid '{tenant}' AND cardinality({reps}::uuid[]) > 0;
INSERT INTO presence (tenant_id, user_id, state) SELECT uuid '{tenant}', u, 'online' FROM unnest({reps}::uuid[]) AS u ON CONFLICT DO NOTHING;
