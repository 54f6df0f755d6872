"""Real services for every test run, started before Django reads its settings: one PostgreSQL, one Valkey.

A pytest plugin (`-p tests.services`). Parallel workers inherit the addresses and use a database each.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from clozatrack.embedded import Postgres, Valkey
from tests import cluster, wiping

MARK = "CLOZATRACK_TEST_SERVICES"


def start():
    """Start both on free ports in a folder of their own, and stop them when this process ends."""
    place = Path(tempfile.mkdtemp(prefix="clozatrack-test-"))
    place.chmod(0o755)
    os.environ[MARK] = str(place)
    cluster.lay_out(place)
    postgres = Postgres(state=place, durable=False, more_options=(*cluster.OPTIONS, *wiping.OPTIONS))
    services = [postgres, Valkey()]
    atexit.register(stop, services, place)
    for service in services:
        service.start()
        os.environ.update(service.environment)


def stop(services, place):
    """Nothing is left behind."""
    for service in reversed(services):
        service.stop()
    shutil.rmtree(place, ignore_errors=True)


os.environ["CLOZATRACK_ENV"] = "test"
os.environ["CLOZATRACK_BASE_URL"] = "http://localhost:8000"
os.environ.pop("CLOZATRACK_DB_PASSWORD", None)
if MARK not in os.environ:
    start()
