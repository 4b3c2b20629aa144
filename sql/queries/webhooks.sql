-- Providers' webhooks.

-- name: store_delivery
-- A verified webhook; no row when the same one is already here.
INSERT INTO webhook_deliveries (tenant_id, provider, dedupe_key, payload)
VALUES (:tenant_id, :provider, :dedupe_key, :payload::jsonb)
ON CONFLICT ON CONSTRAINT webhook_deliveries_once DO NOTHING
RETURNING id

-- name: get_delivery
SELECT payload::text AS payload FROM webhook_deliveries WHERE tenant_id = :tenant_id AND id = :id
