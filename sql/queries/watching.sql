-- What the workers show of the database to whoever watches it.

-- name: database_state
-- Its size, how many connections there are of how many there may be, and the age of our oldest transaction.
SELECT pg_database_size(current_database()) AS bytes,
       (SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL) AS connections,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections_most,
       (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8
        FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()) AS oldest_s
