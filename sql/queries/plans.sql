-- What a company's plan allows.

-- name: get_plan
-- The plan in force; no row where nothing is limited.
SELECT a.plan, ({{billing_standing_json}})::text AS json FROM billing_accounts a WHERE a.tenant_id = :tenant_id AND a.is_billed

-- name: lock_plan
-- The plan, held while a seat is taken, so that two people can't take the last one.
SELECT plan, seats, standing FROM billing_accounts WHERE tenant_id = :tenant_id AND is_billed FOR NO KEY UPDATE

-- name: count_seats
-- Active members.
SELECT count(*) FROM members WHERE tenant_id = :tenant_id AND status = 'active'
