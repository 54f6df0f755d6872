#!/bin/sh
# Run once by the image when it makes the database: lets the second copy connect, with the password.
echo "host replication all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
