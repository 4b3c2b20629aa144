-- What companies pay.

-- fragment: billing_standing_json
-- The plan in force as everybody in the company may see it; needs `billing_accounts a`.
json_build_object('plan', a.plan, 'standing', a.standing, 'reason', a.reason, 'until', a.changes_at, 'seats', a.seats)

-- fragment: billing_account_json
-- What was bought, as those may see it who may see what it costs; needs `billing_accounts a`.
json_build_object('plan', a.plan, 'every', a.every, 'seats', a.seats, 'standing', a.standing, 'reason', a.reason,
    'until', a.changes_at, 'trial_ends_at', a.trial_ends_at, 'status', a.status, 'is_subscribed',
    a.subscription_id IS NOT NULL AND a.status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused'),
    'period_ends_at', a.period_ends_at, 'cancel_at', a.cancel_at, 'card', a.card, 'coupon', a.coupon,
    'balance_minor', a.balance_minor, 'currency', a.currency, 'mirrored_at', a.mirrored_at, 'others', a.others)

-- fragment: billing_invoice_json
-- An invoice as clients get it; needs `billing_invoices i`.
json_build_object('id', i.id, 'number', i.number, 'status', i.status, 'total_minor', i.total_minor, 'due_minor', i.due_minor,
    'paid_minor', i.paid_minor, 'currency', i.currency, 'period_start', i.period_start, 'period_end', i.period_end,
    'attempts', i.attempts, 'next_attempt_at', i.next_attempt_at, 'created_at', i.created_at)

-- name: get_account
-- The company's account, with the moment at which it was read.
SELECT a.*, clock_timestamp() AS read_at FROM billing_accounts a WHERE a.tenant_id = :tenant_id AND a.is_billed

-- name: lock_account
-- The company's account, held while it is changed.
SELECT a.* FROM billing_accounts a WHERE a.tenant_id = :tenant_id AND a.is_billed FOR UPDATE

-- name: get_account_json
SELECT ({{billing_account_json}})::text AS json FROM billing_accounts a WHERE a.tenant_id = :tenant_id AND a.is_billed

-- name: get_standing_json
SELECT ({{billing_standing_json}})::text AS json FROM billing_accounts a WHERE a.tenant_id = :tenant_id AND a.is_billed

-- name: note_customer
-- The provider's customer, unless another request has made one meanwhile.
UPDATE billing_accounts SET customer_id = coalesce(customer_id, :customer), told_name = :name, told_email = :email
WHERE tenant_id = :tenant_id
RETURNING customer_id

-- name: billing_to_tell
SELECT tenant_id FROM billing_to_tell(:limit)

-- name: note_told
-- What the provider was told of the company; by the time that is written it may be called otherwise again, and is told again.
UPDATE billing_accounts SET told_name = :name, told_email = :email WHERE tenant_id = :tenant_id

-- name: write_account
-- What was fetched from the provider.
UPDATE billing_accounts SET
    plan = :plan, every = :every, seats = :seats, status = :status, customer_id = :customer_id,
    subscription_id = :subscription_id, trial_ends_at = :trial_ends_at, period_starts_at = :period_starts_at,
    period_ends_at = :period_ends_at,
    cancel_at = :cancel_at, ended_at = :ended_at, ended_unpaid = :ended_unpaid, past_due_since = :past_due_since,
    card = :card, coupon = :coupon, balance_minor = :balance_minor, currency = :currency, others = :others::jsonb,
    metered_since = CASE WHEN subscription_id IS DISTINCT FROM :subscription_id THEN :read_at ELSE metered_since END,
    version = version + 1, mirrored_at = :read_at
WHERE tenant_id = :tenant_id

-- name: note_checkout_page
-- The page to buy on that was opened last.
UPDATE billing_accounts SET checkout_page = :page WHERE tenant_id = :tenant_id

-- name: write_standing
UPDATE billing_accounts SET
    standing = :standing, reason = :reason, changes_at = :changes_at, next_look_at = :next_look_at, told = :told,
    standing_since = CASE WHEN (standing, reason) = (:standing, :reason) THEN standing_since ELSE :now END
WHERE tenant_id = :tenant_id

-- name: write_invoices
-- Those that are new or changed; their number.
INSERT INTO billing_invoices AS i (tenant_id, provider_id, number, status, total_minor, due_minor, paid_minor, currency,
    period_start, period_end, attempts, next_attempt_at, created_at)
SELECT :tenant_id, v.* FROM unnest(:provider_ids::text[], :numbers::text[], :statuses::text[], :totals::bigint[], :dues::bigint[],
    :paids::bigint[], :currencies::text[], :starts::timestamptz[], :ends::timestamptz[], :attempts::int[],
    :next_attempts::timestamptz[], :created::timestamptz[]) AS v
ON CONFLICT ON CONSTRAINT billing_invoices_once DO UPDATE SET
    number = excluded.number, status = excluded.status, total_minor = excluded.total_minor, due_minor = excluded.due_minor,
    paid_minor = excluded.paid_minor, attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at
WHERE (i.number, i.status, i.total_minor, i.due_minor, i.paid_minor, i.attempts, i.next_attempt_at) IS DISTINCT FROM
    (excluded.number, excluded.status, excluded.total_minor, excluded.due_minor, excluded.paid_minor, excluded.attempts,
     excluded.next_attempt_at)

-- name: forget_drafts
-- Drafts that the provider has deleted.
DELETE FROM billing_invoices WHERE tenant_id = :tenant_id AND status = 'draft' AND NOT provider_id = ANY (:provider_ids::text[])

-- name: list_invoices
-- A page of invoices, newest first.
SELECT ({{billing_invoice_json}})::text AS json, i.created_at::text AS key, i.id
FROM billing_invoices i
WHERE i.tenant_id = :tenant_id
--? after_at AND (i.created_at, i.id) < (:after_at, :after_id::uuid)
ORDER BY i.created_at DESC, i.id DESC
LIMIT :limit

-- name: get_invoice
SELECT provider_id FROM billing_invoices WHERE tenant_id = :tenant_id AND id = :id

-- name: note_difference
-- What can't be mended is noted once, and not again each night; no row then.
INSERT INTO billing_differences (tenant_id, field, ours, theirs, mended)
SELECT :tenant_id, :field, :ours, :theirs, :mended
WHERE :mended OR NOT EXISTS (
    SELECT FROM billing_differences d
    WHERE d.tenant_id = :tenant_id AND (d.field, d.ours, d.theirs) = (:field, :ours, :theirs)
      AND d.found_at > now() - interval '90 days')
RETURNING id

-- name: list_differences
-- What the nightly comparison found lately.
SELECT (coalesce(json_agg(json_build_object('field', d.field, 'ours', d.ours, 'theirs', d.theirs, 'mended', d.mended,
    'found_at', d.found_at) ORDER BY d.found_at DESC), '[]'))::text AS json
FROM (SELECT * FROM billing_differences WHERE tenant_id = :tenant_id AND found_at > now() - interval '90 days'
      ORDER BY found_at DESC LIMIT 20) d

-- name: count_people
SELECT count(*) FROM members WHERE tenant_id = :tenant_id AND status = 'active'

-- name: who_pays
-- Whom letters about payment go to, with the company's name.
SELECT u.email, t.name AS company
FROM members m JOIN users u ON u.id = m.user_id JOIN tenants t ON t.tenant_id = m.tenant_id
WHERE m.tenant_id = :tenant_id AND m.status = 'active' AND m.role IN ('owner', 'admin')
ORDER BY u.email

-- name: company_and_owner
-- Whom the provider's customer is made for: the company, and the owner that joined first.
SELECT t.name, (SELECT u.email FROM members m JOIN users u ON u.id = m.user_id
                WHERE m.tenant_id = t.tenant_id AND m.status = 'active' AND m.role = 'owner'
                ORDER BY m.created_at, m.user_id LIMIT 1) AS email
FROM tenants t WHERE t.tenant_id = :tenant_id

-- name: last_told_at
-- When the provider last told of something.
SELECT max(received_at) FROM webhook_deliveries WHERE tenant_id = :tenant_id AND provider = 'stripe'

-- name: is_mirroring_due
-- Is a job about to fetch the account, which nobody has begun yet? What it fetches is newer than whatever is known now.
SELECT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = :tenant_id AND j.kind = 'billing.mirror' AND j.state = 'ready'
    AND j.run_at <= now())

-- name: billing_tenant_of
SELECT tenant_id FROM billing_tenant_of(:customer)

-- name: billing_restricted
SELECT tenant_id, standing, reason FROM billing_restricted()

-- name: billing_due
SELECT tenant_id FROM billing_due(:now, :limit)

-- name: billing_plans
SELECT tenant_id, plan FROM billing_plans()

-- name: billing_customers
SELECT tenant_id FROM billing_customers()

-- name: billing_open_accounts
SELECT billing_open_accounts(:plan, :seats, :now, :trial_ends_at)

-- name: billing_close_accounts
SELECT billing_close_accounts()

-- name: used_minutes
-- Begun minutes of answered calls, by the day (UTC) on which the call was made.
SELECT (c.created_at AT TIME ZONE 'UTC')::date AS day,
    sum(ceil(extract(epoch FROM c.ended_at - c.answered_at) / 60.0))::bigint AS quantity
FROM calls c
WHERE c.tenant_id = :tenant_id AND c.created_at >= :since AND c.created_at < :until
  AND c.answered_at IS NOT NULL AND c.ended_at > c.answered_at
GROUP BY 1

-- name: used_messages
-- Text messages that went out, by the day (UTC) on which they were made.
SELECT (m.created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS quantity
FROM messages m
WHERE m.tenant_id = :tenant_id AND m.created_at >= :since AND m.created_at < :until AND m.direction = 'outbound'
  AND m.state IN ('sent', 'delivered', 'undelivered')
GROUP BY 1

-- name: count_usage
-- Raises what is counted of a day; a row with the difference when there is one. Two counts at once wait for each other.
WITH before AS (
    SELECT counted FROM billing_usage
    WHERE tenant_id = :tenant_id AND meter = :meter AND day = :day FOR UPDATE
), written AS (
    INSERT INTO billing_usage AS u (tenant_id, meter, day, counted) VALUES (:tenant_id, :meter, :day, :quantity)
    ON CONFLICT (tenant_id, meter, day) DO UPDATE SET counted = excluded.counted WHERE u.counted < excluded.counted
    RETURNING counted
)
SELECT w.counted - coalesce((SELECT counted FROM before), 0) AS added FROM written w

-- name: write_report
INSERT INTO billing_reports (tenant_id, meter, day, quantity, at) VALUES (:tenant_id, :meter, :day, :quantity, :at) RETURNING id

-- name: waiting_reports
-- Reports that the provider has not confirmed, oldest first.
SELECT id, meter, day, quantity, at FROM billing_reports
WHERE tenant_id = :tenant_id AND sent_at IS NULL AND refused = '' ORDER BY at LIMIT 100

-- name: note_reported
UPDATE billing_reports SET sent_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: give_report_up
-- A report that nobody takes any more, and why.
UPDATE billing_reports SET refused = :why WHERE tenant_id = :tenant_id AND id = :id AND sent_at IS NULL

-- name: reported_within
-- What was reported for a span of time, by meter, and whether something of it waits, or was sent so lately that the provider may
-- not have counted it yet.
SELECT meter, coalesce(sum(quantity) FILTER (WHERE sent_at IS NOT NULL), 0)::bigint AS quantity,
    bool_or(refused = '' AND (sent_at IS NULL OR sent_at > now() - interval '1 hour')) AS waits
FROM billing_reports WHERE tenant_id = :tenant_id AND at >= :since AND at < :until GROUP BY meter

-- name: usage_since
-- What was used since a moment, by meter.
SELECT meter, sum(quantity)::bigint AS quantity FROM billing_reports
WHERE tenant_id = :tenant_id AND at >= :since AND refused = '' GROUP BY meter
