-- A contact of one member, with one of everything that hangs on a contact; the word {mark} stands in each. Ids are the contact's.
INSERT INTO contacts (tenant_id, id, first_name, company, owner_id, stage) VALUES ('{tenant}', '{id}', '{mark}', '{mark} Ltd', {owner}, '{mark}');
INSERT INTO contact_emails (tenant_id, contact_id, position, address) VALUES ('{tenant}', '{id}', 0, '{mark}@example.com');
INSERT INTO contact_phones (tenant_id, contact_id, position, e164) VALUES ('{tenant}', '{id}', 0, '+1202555{number}');
INSERT INTO contact_tags (tenant_id, contact_id, tag) VALUES ('{tenant}', '{id}', '{mark}');
INSERT INTO contact_search (tenant_id, contact_id, terms) VALUES ('{tenant}', '{id}', ' {mark} {mark} ltd {mark}@example.com');
INSERT INTO consents (tenant_id, contact_id, channel, state, source) VALUES ('{tenant}', '{id}', 'call', 'granted', '{mark}');
INSERT INTO leases (tenant_id, contact_id, user_id, purpose, lease_until) VALUES ('{tenant}', '{id}', '{user}', 'call', now() + interval '1 hour');
INSERT INTO calls (tenant_id, id, contact_id, user_id, state, to_number, from_number, outcome, note, created_at, answered_at, ended_at, provider_sid, queue_id)
VALUES ('{tenant}', '{id}', '{id}', '{user}', 'completed', '+1202555{number}', '+14155550100', 'connected', '{mark}', now() - interval '1 minute',
    now() - interval '1 minute', now(), 'CA{id}', NULL);
INSERT INTO call_legs (tenant_id, call_id, kind, user_id, address, state) VALUES ('{tenant}', '{id}', 'rep', '{user}', '{mark}', 'left');
INSERT INTO call_audit (tenant_id, call_id, actor_id, action, detail) VALUES ('{tenant}', '{id}', '{user}', 'joined', '{"why": "{mark}"}');
INSERT INTO activities (tenant_id, contact_id, kind, actor_id, call_id) VALUES ('{tenant}', '{id}', 'call', '{user}', '{id}');
INSERT INTO activities (tenant_id, id, contact_id, kind, actor_id, body) VALUES ('{tenant}', '{id}', '{id}', 'note', '{user}', '{mark}');
INSERT INTO voicemails (tenant_id, call_id) VALUES ('{tenant}', '{id}');
INSERT INTO recordings (tenant_id, id, call_id, contact_id, user_id, state, wanted, provider_sid, object_key, bytes, duration_s, keep_until)
VALUES ('{tenant}', '{id}', '{id}', '{id}', '{user}', 'stored', 'off', 'RE{id}', 'recordings/{id}.wav', 16044, 1, now() + interval '40 days');
INSERT INTO transcripts (tenant_id, recording_id, user_id, contact_id, at, text, words)
VALUES ('{tenant}', '{id}', '{user}', '{id}', now(), '{mark}', to_tsvector('simple', '{mark}'));
INSERT INTO spoken_pieces (tenant_id, recording_id, sid, sequence, speaker, text) VALUES ('{tenant}', '{id}', 'GT1', 1, 'leg', '{mark}');
INSERT INTO messages (tenant_id, id, contact_id, direction, to_number, from_number, body, state, provider_sid, user_id)
VALUES ('{tenant}', '{id}', '{id}', 'outbound', '+1202555{number}', '+14155550100', '{mark}', 'delivered', 'SM{id}', '{user}');
INSERT INTO message_threads (tenant_id, contact_id, last_id, last_at) VALUES ('{tenant}', '{id}', '{id}', now());
INSERT INTO tasks (tenant_id, id, kind, title, contact_id, assignee_id, due_at, created_by)
VALUES ('{tenant}', '{id}', 'to_do', '{mark}', '{id}', '{user}', now(), '{user}');
INSERT INTO permits (tenant_id, id, contact_id, channel, address, user_id, allowed, code, explanation, rule_version, facts)
VALUES ('{tenant}', '{id}', '{id}', 'call', '+1202555{number}', '{user}', false, 'outside_hours', '{mark}', '1', '{}');
INSERT INTO mail_threads (tenant_id, id, mailbox_id, subject, subject_key, last_at, last_inbound_at, messages, unread, state, contact_id)
VALUES ('{tenant}', '{id}', '{mailbox}', '{mark}', '{mark}', now(), now(), 1, 1, 'open', '{id}');
INSERT INTO mail_messages (tenant_id, id, mailbox_id, thread_id, provider_id, provider_thread_id, message_id, direction, from_address, subject,
    sent_at, received_at, snippet)
VALUES ('{tenant}', '{id}', '{mailbox}', '{id}', 'p{id}', 't{id}', '<{id}@example.com>', 'inbound', '{mark}@example.com', '{mark}', now(), now(), '{mark}');
INSERT INTO mail_message_contacts (tenant_id, message_id, contact_id, thread_id, role) VALUES ('{tenant}', '{id}', '{id}', '{id}', 'author');
INSERT INTO mail_words (tenant_id, message_id, thread_id, mailbox_id, at, words)
VALUES ('{tenant}', '{id}', '{id}', '{mailbox}', now(), to_tsvector('simple', '{mark}'));
INSERT INTO mail_attachments (tenant_id, message_id, index, filename) VALUES ('{tenant}', '{id}', 1, '{mark}.pdf');
INSERT INTO activities (tenant_id, contact_id, kind, mail_message_id) VALUES ('{tenant}', '{id}', 'email', '{id}');
INSERT INTO mail_sends (tenant_id, id, mailbox_id, user_id, contact_id, state, source, subject, message_id, asked_at, sent_at)
VALUES ('{tenant}', '{id}', '{mailbox}', '{user}', '{id}', 'sent', 'composer', '{mark}', '<s{id}@example.com>', now(), now());
INSERT INTO tracked_sends (tenant_id, send_id, mailbox_id, contact_id, address_lc, opens, clicks) VALUES ('{tenant}', '{id}', '{mailbox}', '{id}', '{mark}@example.com', true, true);
INSERT INTO tracking_hits (tenant_id, id, send_id, kind, method, agent, human) VALUES ('{tenant}', '{id}', '{id}', 'open', 'GET', '{mark}', true);
INSERT INTO mail_bounces (tenant_id, id, mailbox_id, send_id, contact_id, address_lc, permanent) VALUES ('{tenant}', '{id}', '{mailbox}', '{id}', '{id}', '{mark}@example.com', true);
INSERT INTO unsubscribes (tenant_id, id, send_id, contact_id, address_lc, way) VALUES ('{tenant}', '{id}', '{id}', '{id}', '{mark}@example.com', 'page');
INSERT INTO meetings (tenant_id, id, contact_id, mailbox_id, user_id, uid, sequence, direction, state, summary, start_at, end_at, attendees)
VALUES ('{tenant}', '{id}', '{id}', '{mailbox}', '{user}', 'u{id}', 0, 'inbound', 'confirmed', '{mark}', now(), now(), '[]');
INSERT INTO activities (tenant_id, contact_id, kind, meeting_id, body) VALUES ('{tenant}', '{id}', 'meeting', '{id}', '{mark}');
INSERT INTO enrolments (tenant_id, id, sequence_id, contact_id, user_id, state, phase, step_id, base_at, due_at, zone)
VALUES ('{tenant}', '{id}', '{sequence}', '{id}', '{user}', 'active', 'act', '{step}', now(), now() + interval '9 days', '{mark}');
INSERT INTO dial_items (tenant_id, id, queue_id, contact_id, state, created_key, name_key, reason, phone)
VALUES ('{tenant}', '{id}', '{queue}', '{id}', 'waiting', now(), '{mark}', '{mark}', '+1202555{number}');
