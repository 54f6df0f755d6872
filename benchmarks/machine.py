"""The machine, a durable database of our own, and tables of figures.

Importing this sets Django up on that database, which `database()` starts; so models can be imported at the top. Where
Django is set up already, as in the tests that try the SQL, it stays on its own database.
"""

import contextlib
import os
import platform
import shutil
import tempfile
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command

from clozatrack.embedded import Postgres, Valkey

PLACE = Path(tempfile.gettempdir()) / f"clozatrack-bench-{os.getpid()}"
POSTGRES, VALKEY = Postgres(state=PLACE, durable=True), Valkey()
if not apps.ready:
    os.environ |= POSTGRES.environment | VALKEY.environment
    os.environ |= {"DJANGO_SETTINGS_MODULE": "clozatrack.settings", "CLOZATRACK_LOG_LEVEL": "ERROR"}
    django.setup()


def say(database=""):
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{cores} cores, {memory:.0f} GiB, Python {platform.python_version()}{database}")


def table(head, rows):
    cells = [head, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def cpu_of(pid):
    """Seconds of processor time of a process and of the children that it has buried."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in said[11:15]) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def database():
    """A durable PostgreSQL (fsync, synchronous_commit and full_page_writes on) with our tables."""
    PLACE.mkdir()
    PLACE.chmod(0o755)
    try:
        POSTGRES.start()
        VALKEY.start()
        call_command("migrate", verbosity=0)
        yield POSTGRES
    finally:
        VALKEY.stop()
        POSTGRES.stop()
        shutil.rmtree(PLACE, ignore_errors=True)
