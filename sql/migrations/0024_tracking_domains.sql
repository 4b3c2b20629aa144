-- Domains for links are looked at every day, so that no mail goes out with links to one that leads elsewhere by now.

GRANT SELECT ON tracking_settings TO ringside_system;
SELECT open_table_to('tracking_settings', 'ringside_system');

-- Domains for links of any tenant that nobody looked at for so long; those that have waited longest come first.
CREATE FUNCTION tracking_domains_to_check(p_after interval, p_limit int)
RETURNS TABLE (tenant_id uuid, domain text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.tenant_id, s.domain FROM tracking_settings s
    WHERE s.domain <> '' AND coalesce(s.domain_checked_at, s.updated_at) < now() - p_after
    ORDER BY coalesce(s.domain_checked_at, s.updated_at)
    LIMIT p_limit
$$;
SELECT give_to_system('tracking_domains_to_check(interval,int)');
