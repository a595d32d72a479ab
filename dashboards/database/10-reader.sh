#!/bin/sh
# Grafana's own user, who may read and nothing else. Run once, when the database is made.
set -eu
psql --set ON_ERROR_STOP=1 --set reader="$READER_PASSWORD" \
     --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE grafana LOGIN PASSWORD :'reader';
GRANT pg_read_all_data TO grafana;
ALTER ROLE grafana SET statement_timeout = '30s';
ALTER ROLE grafana SET default_transaction_read_only = on;
SQL
