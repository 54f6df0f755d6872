"""After a test that commits: only the tables that it wrote to are emptied.

Django truncates all of them and makes the content types and permissions anew: that costs half a second a test, and a
tenth of it is enough. As there, whoever is still writing is waited for, and the triggers that forbid deletion are not
asked, which takes PostgreSQL's superuser: the app's own role cannot do it.
"""

import psycopg

KEPT = {"django_migrations", "django_content_type", "auth_permission"}
"""What a migrated database has from the start, and no test writes to."""
SUPERUSER = "postgres"


def wipe(connection):
    names = sorted(set(connection.introspection.django_table_names(include_views=False)) - KEPT)
    known = connection.get_connection_params()
    reach = {name: known[name] for name in ("host", "port", "dbname")}
    written = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names)
    with psycopg.connect(**reach, user=SUPERUSER) as admin:
        admin.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
        admin.execute("SET LOCAL session_replication_role = replica")
        for (name,) in admin.execute(written).fetchall():
            admin.execute(f"DELETE FROM {name}")
