#!/bin/sh
# Keeps a second copy of all that is committed in $COPY: a base backup, and the log since, on disk before a commit is
# acknowledged. PGHOST, PGUSER and PGPASSWORD say where PostgreSQL is. Runs until it is stopped; starting it again goes on.
set -eu
pg_receivewal --slot second_copy --create-slot --if-not-exists
mkdir -p "$COPY/wal"
if [ ! -d "$COPY/base" ]; then
    rm -rf "$COPY/base.begun"
    pg_basebackup --pgdata "$COPY/base.begun" --checkpoint fast
    mv "$COPY/base.begun" "$COPY/base"
fi
exec pg_receivewal --directory "$COPY/wal" --slot second_copy --synchronous --dbname "application_name=second_copy"
