-- An account that is deleted, as with the last company that it belonged to, leaves no sign-up and no letter to its address behind.

CREATE FUNCTION users_leave_nothing() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM signups s WHERE s.email_lc = OLD.email_lc;
    -- Letters of a company go with the company; these belong to none.
    DELETE FROM letters l WHERE l.tenant_id = '00000000-0000-0000-0000-000000000000' AND lower(l.to_address) = OLD.email_lc;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION users_leave_nothing() FROM PUBLIC;
CREATE TRIGGER users_leave_nothing AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION users_leave_nothing();
