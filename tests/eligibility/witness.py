"""What was committed, and in which order, told by the database alone.

A trigger keeps every row as it was written, with the transaction that wrote it. The order is that of PostgreSQL's own
commit times (`track_commit_timestamp`): one is taken as the transaction commits, while its locks are still held, so
of two transactions that queue for one lock the second is always later. Version numbers would not do: the product
writes them, and without the lock it writes them wrong. Neither would transaction ids, which are given at a beginning.
"""

import json
from collections import defaultdict
from typing import NamedTuple

from django.db import connection

TABLES = ("treatment", "result", "treatmentevent", "override", "authorisation", "dispense", "alert", "programmerecord")
BEGIN = """
    CREATE TABLE witness (id bigserial PRIMARY KEY, by xid8 NOT NULL, kind text NOT NULL, told jsonb NOT NULL);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO witness (by, kind, told) VALUES (pg_current_xact_id(), TG_ARGV[0], to_jsonb(NEW));
        RETURN NULL;
    END $$;
"""
WATCH = """
    CREATE TRIGGER witnessed AFTER INSERT OR UPDATE ON monitoring_{0}
    FOR EACH ROW EXECUTE FUNCTION witness('{0}');
"""
END = "DROP FUNCTION witness() CASCADE; DROP TABLE witness;"
READ = """
    SELECT by::text, kind, told FROM witness WHERE coalesce(told ->> 'treatment_id', told ->> 'id')::bigint = %s
      AND (kind = 'treatment' OR told ? 'treatment_id')
    ORDER BY pg_xact_commit_timestamp(by::xid), id
"""


class Written(NamedTuple):
    """One row as it was written."""

    kind: str
    row: dict


def watch():
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        for table in TABLES:
            cursor.execute(WATCH.format(table))


def stop_watching():
    with connection.cursor() as cursor:
        cursor.execute(END)


def committed(treatment_id):
    """The transactions that wrote something of this treatment, in the order of their commits."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [treatment_id])
        written = cursor.fetchall()
    commits = defaultdict(list)
    for by, kind, told in written:
        commits[by].append(Written(kind, json.loads(told)))
    return list(commits.values())


def forget():
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE witness")
