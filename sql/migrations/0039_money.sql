-- What the payment provider was told of a company, the page it may be buying on, what runs besides its plan, what of it rests
-- under a smaller plan, and use that is too old to be reported.

ALTER TABLE billing_accounts
    ADD COLUMN told_name text NOT NULL DEFAULT '',
    ADD COLUMN told_email text NOT NULL DEFAULT '',
    ADD COLUMN checkout_page text,
    ADD COLUMN others jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN rests text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN billing_accounts.told_name IS 'the name that the provider was given last; another one there was typed in by a person, and stays';
COMMENT ON COLUMN billing_accounts.checkout_page IS 'the page to buy on that was opened last; there is at most one';
COMMENT ON COLUMN billing_accounts.others IS 'subscriptions that live besides the one that counts';
COMMENT ON COLUMN billing_accounts.rests IS 'features that were put to rest since the plan has them no more';

-- What a role of the company's own allowed before the plan lost such roles; null while it allows what it says.
ALTER TABLE roles ADD COLUMN rested_permissions text[];

-- Why a report was given up; empty for those that were sent or wait.
ALTER TABLE billing_reports ADD COLUMN refused text NOT NULL DEFAULT '';
DROP INDEX billing_reports_waiting;
CREATE INDEX billing_reports_waiting ON billing_reports (tenant_id, at) WHERE sent_at IS NULL AND refused = '';

-- Customers whose company, or the owner who joined first, is called otherwise than the provider was told, and for whom no job is
-- under way or has failed for good.
CREATE FUNCTION billing_to_tell(p_limit int) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.tenant_id
    FROM billing_accounts a
    JOIN tenants t ON t.tenant_id = a.tenant_id
    LEFT JOIN LATERAL (
        SELECT u.email FROM members m JOIN users u ON u.id = m.user_id
        WHERE m.tenant_id = a.tenant_id AND m.status = 'active' AND m.role = 'owner'
        ORDER BY m.created_at, m.user_id LIMIT 1) o ON true
    WHERE a.is_billed AND a.customer_id IS NOT NULL
      AND (a.told_name <> t.name OR a.told_email <> coalesce(o.email, a.told_email))
      AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = a.tenant_id AND j.kind = 'billing.tell_customer'
                      AND j.state IN ('ready', 'running', 'dead'))
    LIMIT p_limit
$$;
SELECT give_to_system('billing_to_tell(int)');
