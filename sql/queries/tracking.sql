-- Opens and clicks: the settings, what is in a mail of ours, what was fetched, and who it was.

-- fragment: tracking_settings_json
-- The settings as clients get them; needs `tracking_settings s`.
json_build_object('opens', CASE WHEN s.opens THEN 'on' ELSE 'off' END, 'clicks', CASE WHEN s.clicks THEN 'on' ELSE 'off' END,
    'off_regions', s.off_regions, 'unknown_region', s.unknown_region, 'domain', s.domain)

-- fragment: mail_activity_json
-- What people did with a mail; needs `tracked_sends t`.
json_build_object('send_id', t.send_id, 'contact_id', t.contact_id,
    'thread_id', (SELECT s.thread_id FROM mail_sends s WHERE s.tenant_id = t.tenant_id AND s.id = t.send_id),
    'subject', coalesce((SELECT s.subject FROM mail_sends s WHERE s.tenant_id = t.tenant_id AND s.id = t.send_id), ''),
    'opens', t.open_count, 'clicks', t.click_count, 'first_opened_at', t.first_opened_at, 'last_opened_at', t.last_opened_at,
    'first_clicked_at', t.first_clicked_at, 'last_clicked_at', t.last_clicked_at,
    'url', (SELECT l.url FROM tracking_hits h
        JOIN tracked_links l ON l.tenant_id = h.tenant_id AND l.send_id = h.send_id AND l.position = h.position
        WHERE h.tenant_id = t.tenant_id AND h.send_id = t.send_id AND h.kind = 'click' AND h.human ORDER BY h.at DESC LIMIT 1))

-- name: get_settings
SELECT ({{tracking_settings_json}})::text FROM (
    SELECT coalesce(k.opens, false) AS opens, coalesce(k.clicks, false) AS clicks, coalesce(k.off_regions, '{}') AS off_regions,
           coalesce(k.unknown_region, 'on') AS unknown_region, coalesce(k.domain, '') AS domain
    FROM (SELECT 1) AS always LEFT JOIN tracking_settings k ON k.tenant_id = :tenant_id) AS s

-- name: save_settings
INSERT INTO tracking_settings AS s (tenant_id, opens, clicks, off_regions, unknown_region, domain)
VALUES (:tenant_id, :opens, :clicks, :off_regions::text[], :unknown_region, :domain)
ON CONFLICT (tenant_id) DO UPDATE SET opens = excluded.opens, clicks = excluded.clicks, off_regions = excluded.off_regions,
    unknown_region = excluded.unknown_region, domain = excluded.domain, updated_at = now(),
    domain_seen_at = CASE WHEN s.domain = excluded.domain THEN s.domain_seen_at END,
    domain_checked_at = CASE WHEN s.domain = excluded.domain THEN s.domain_checked_at END,
    domain_problem = CASE WHEN s.domain = excluded.domain THEN s.domain_problem END
RETURNING ({{tracking_settings_json}})::text AS json

-- name: get_domain
-- How the domain for links stands, in words.
SELECT json_build_object('domain', coalesce(s.domain, ''), 'is_used', coalesce(s.domain <> '' AND s.domain_seen_at IS NOT NULL, false),
    'checked_at', s.domain_checked_at,
    'words', CASE WHEN coalesce(s.domain, '') = '' THEN 'Links lead to this server''s own address.'
        WHEN s.domain_seen_at IS NOT NULL THEN s.domain || ' leads here and is used in links.'
        WHEN s.domain_checked_at IS NULL THEN s.domain || ' was not looked at yet and is not used until it was seen to lead here.'
        ELSE s.domain || ' is not used, because it was not seen to lead here: ' || coalesce(s.domain_problem, '') END)::text
FROM (SELECT 1) AS always LEFT JOIN tracking_settings s ON s.tenant_id = :tenant_id

-- name: domain_set
SELECT s.domain FROM tracking_settings s WHERE s.tenant_id = :tenant_id

-- name: domain_in_use
-- The domain for links, if it was seen to lead here.
SELECT s.domain FROM tracking_settings s WHERE s.tenant_id = :tenant_id AND s.domain <> '' AND s.domain_seen_at IS NOT NULL

-- name: note_domain
-- What looking at the domain has shown, and whether it was used until now; no row when another one is set by now.
UPDATE tracking_settings s SET domain_checked_at = :at::timestamptz, domain_problem = :problem,
    domain_seen_at = CASE WHEN :problem::text IS NULL THEN :at::timestamptz END
FROM (SELECT k.tenant_id, k.domain_seen_at IS NOT NULL AS was_used FROM tracking_settings k
    WHERE k.tenant_id = :tenant_id AND k.domain = :domain FOR UPDATE) AS before
WHERE s.tenant_id = :tenant_id AND before.tenant_id = s.tenant_id
RETURNING before.was_used

-- name: domains_to_check
SELECT tenant_id, domain FROM tracking_domains_to_check(:after::interval, :limit)

-- name: places_of_contact
-- What says where a contact may be.
SELECT coalesce((SELECT array_agg(p.e164 ORDER BY p.position) FROM contact_phones p WHERE p.tenant_id = :tenant_id AND p.contact_id = :contact_id), '{}') AS numbers,
       coalesce((SELECT array_agg(e.address_lc ORDER BY e.position) FROM contact_emails e WHERE e.tenant_id = :tenant_id AND e.contact_id = :contact_id), '{}') AS addresses

-- name: begin_tracking
-- A mail that is about to go out; repeated, it stays what was decided first.
INSERT INTO tracked_sends AS t (tenant_id, send_id, mailbox_id, contact_id, address_lc, opens, clicks, reason)
VALUES (:tenant_id, :send_id, :mailbox_id, :contact_id, :address_lc, :opens, :clicks, :reason)
ON CONFLICT (tenant_id, send_id) DO UPDATE SET sent_at = now()
RETURNING t.opens, t.clicks

-- name: keep_links
INSERT INTO tracked_links (tenant_id, send_id, position, url)
SELECT :tenant_id, :send_id, u.position, u.url FROM unnest(:urls::text[], :positions::int[]) AS u (url, position)
ON CONFLICT (tenant_id, send_id, position) DO NOTHING

-- name: links_of
SELECT l.url, l.position FROM tracked_links l WHERE l.tenant_id = :tenant_id AND l.send_id = :send_id ORDER BY l.position

-- name: link_of
-- Where a link leads.
SELECT l.url FROM tracked_links l WHERE l.tenant_id = :tenant_id AND l.send_id = :send_id AND l.position = :position

-- name: add_hit
-- Something was fetched; no row for a mail that is not known, or of which enough is known.
INSERT INTO tracking_hits (tenant_id, send_id, kind, position, method, agent, address)
SELECT :tenant_id, t.send_id, :kind, :position, :method, :agent, :address
FROM tracked_sends t
WHERE t.tenant_id = :tenant_id AND t.send_id = :send_id
  AND (SELECT count(*) FROM (SELECT FROM tracking_hits h WHERE h.tenant_id = :tenant_id AND h.send_id = :send_id LIMIT 500) AS few) < 500
RETURNING id, (extract(epoch FROM now()) / 4)::bigint AS moment

-- name: lock_tracked
-- A mail, kept from other judges.
SELECT t.sent_at, t.first_opened_at, t.first_clicked_at,
       (SELECT count(*) FROM tracked_links l WHERE l.tenant_id = t.tenant_id AND l.send_id = t.send_id) AS links
FROM tracked_sends t WHERE t.tenant_id = :tenant_id AND t.send_id = :send_id FOR UPDATE OF t

-- name: hits_of
-- Everything that was fetched of a mail, in order.
SELECT h.id, h.kind, h.position, h.at, h.method, h.agent, h.address, h.human, h.rule
FROM tracking_hits h WHERE h.tenant_id = :tenant_id AND h.send_id = :send_id ORDER BY h.at, h.id

-- name: judge_hits
-- Keeps the verdicts and forgets the network addresses.
UPDATE tracking_hits h SET human = (v.rule IS NULL), rule = v.rule, address = NULL
FROM unnest(:ids::uuid[], :rules::text[]) AS v (id, rule)
WHERE h.tenant_id = :tenant_id AND h.id = v.id

-- name: count_hits
-- Counts anew what people and what machines did. Who follows a link has the mail open, pictures or not.
UPDATE tracked_sends t SET
    open_count = n.opens, click_count = n.clicks, bot_open_count = n.bot_opens, bot_click_count = n.bot_clicks,
    first_opened_at = least(n.first_open, n.first_click), last_opened_at = greatest(n.last_open, n.last_click),
    first_clicked_at = n.first_click, last_clicked_at = n.last_click
FROM (
    SELECT count(*) FILTER (WHERE h.kind = 'open' AND h.human) AS opens, count(*) FILTER (WHERE h.kind = 'click' AND h.human) AS clicks,
           count(*) FILTER (WHERE h.kind = 'open' AND NOT h.human) AS bot_opens,
           count(*) FILTER (WHERE h.kind = 'click' AND NOT h.human) AS bot_clicks,
           min(h.at) FILTER (WHERE h.kind = 'open' AND h.human) AS first_open, max(h.at) FILTER (WHERE h.kind = 'open' AND h.human) AS last_open,
           min(h.at) FILTER (WHERE h.kind = 'click' AND h.human) AS first_click, max(h.at) FILTER (WHERE h.kind = 'click' AND h.human) AS last_click
    FROM tracking_hits h WHERE h.tenant_id = :tenant_id AND h.send_id = :send_id
) AS n
WHERE t.tenant_id = :tenant_id AND t.send_id = :send_id
RETURNING ({{mail_activity_json}})::text AS json

-- name: thread_of
-- The thread that a mail belongs to.
SELECT s.thread_id FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :send_id

-- name: note_reply
UPDATE tracked_sends SET replied_at = coalesce(replied_at, :at::timestamptz, now()) WHERE tenant_id = :tenant_id AND send_id = :send_id

-- name: get_tracked
-- One mail with everything that was fetched of it, for who wrote it and who may see its thread.
SELECT json_build_object('send_id', t.send_id, 'opens_tracked', t.opens, 'clicks_tracked', t.clicks, 'reason', t.reason,
    'opens', t.open_count, 'clicks', t.click_count, 'bot_opens', t.bot_open_count, 'bot_clicks', t.bot_click_count,
    'hits', coalesce((SELECT json_agg(json_build_object('kind', h.kind, 'at', h.at, 'agent', h.agent, 'human', h.human, 'rule', h.rule,
        'url', (SELECT l.url FROM tracked_links l WHERE l.tenant_id = h.tenant_id AND l.send_id = h.send_id AND l.position = h.position))
        ORDER BY h.at DESC, h.id DESC)
        FROM (SELECT * FROM tracking_hits x WHERE x.tenant_id = :tenant_id AND x.send_id = t.send_id ORDER BY x.at DESC, x.id DESC LIMIT 100) AS h),
        '[]'::json))::text AS json
FROM tracked_sends t
JOIN mail_sends s ON s.tenant_id = t.tenant_id AND s.id = t.send_id
JOIN mailboxes b ON b.tenant_id = s.tenant_id AND b.id = s.mailbox_id
LEFT JOIN mail_threads d ON d.tenant_id = s.tenant_id AND d.id = s.thread_id
WHERE t.tenant_id = :tenant_id AND t.send_id = :send_id AND (s.user_id = :user_id OR b.user_id = :user_id OR (
    NOT coalesce(d.private, false) AND (b.visibility = 'everyone' OR (b.visibility = 'team' AND EXISTS (
        SELECT FROM team_members m WHERE m.tenant_id = b.tenant_id AND m.team_id = b.team_id AND m.user_id = :user_id)))))
