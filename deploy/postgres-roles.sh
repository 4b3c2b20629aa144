#!/bin/sh
# Run once by the postgres image, when it makes the database: the two roles that log in, with passwords from secrets.
# `ringside migrate` makes the others, the database's owner and everything in it.
set -eu
psql -v ON_ERROR_STOP=1 -v owner="$(cat /run/secrets/owner_password)" -v app="$(cat /run/secrets/app_password)" \
    -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE ringside_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner';
CREATE ROLE ringside_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app';
SQL
