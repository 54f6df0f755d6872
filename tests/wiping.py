"""After a test that commits only the tables that it wrote to are emptied; all are made afresh now and then.

Django truncates all of them and makes the content types and permissions anew after each: that costs half a second, and
a tenth of it is enough. As there, whoever is still writing is waited for, and the triggers that forbid deletion are not
asked, which takes PostgreSQL's superuser: the app's own role cannot do it.

What tests roll back stays in the files until they are vacuumed. But a vacuum that finds a table empty makes the planner
believe so, and a test with two hundred clinics then waits for plans made for one. So there is no vacuum, and truncating
takes away what has gathered and what is believed.
"""

import psycopg
from django.db import connection

OPTIONS = ("autovacuum=off",)
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
"""What a migrated database has from the start, and no test writes to."""
SUPERUSER = "postgres"
EVERY = 100
"""Tests of one worker between two truncations."""


def _tables():
    return sorted(set(connection.introspection.django_table_names(include_views=False)) - KEPT)


def _admin():
    known = connection.get_connection_params()
    return psycopg.connect(**{name: known[name] for name in ("host", "port", "dbname")}, user=SUPERUSER)


def wipe():
    names = _tables()
    written = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
    with _admin() as admin:
        admin.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
        admin.execute("SET LOCAL session_replication_role = replica")
        for (name,) in admin.execute(written).fetchall():
            admin.execute(f"DELETE FROM {name}")


def make_afresh():
    """Between two tests, when no transaction is open."""
    with _admin() as admin:
        admin.execute("SET LOCAL lock_timeout = '10s'")
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(f"TRUNCATE {', '.join(_tables())}")
