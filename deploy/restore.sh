#!/bin/sh
# restore.sh COPY NEW: makes the data directory NEW out of a second copy. Start PostgreSQL on it: it reads the log to its
# end, with every commit that was ever acknowledged. COPY is only read.
set -eu
[ ! -e "$2" ] || { echo "$2 is there already; name a directory that is not"; exit 1; }
pg_verifybackup --quiet "$1/base"
cp -R "$1/base" "$2"
chmod 700 "$2"
echo "restore_command = 'cp $1/wal/%f %p || cp $1/wal/%f.partial %p'" >> "$2/postgresql.auto.conf"
touch "$2/recovery.signal"
