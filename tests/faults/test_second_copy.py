"""The disk is lost, and with it the server: what was acknowledged is in the second copy."""

import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from itertools import count
from pathlib import Path

import psycopg
import pytest
import yaml

from clozatrack.embedded import PROJECT, Postgres, _unprivileged, postgres_bin
from tests.waiting import wait_until

pytestmark = pytest.mark.faults

DRILLS = int(os.environ.get("CLOZATRACK_DRILLS", "2"))
OVERLAY = yaml.safe_load((PROJECT / "docker-compose.second-copy.yml").read_text())["services"]
SETTINGS = [word for word in OVERLAY["postgres"]["command"] if word.startswith("synchronous")]
"""As the compose file has them, so that the drill proves what is deployed."""


def connected(server, **more):
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", dbname="clozatrack", autocommit=True, **more
    )


class Copy:
    """The second machine: the script of the deployment, and the directory that it fills."""

    def __init__(self, server, place):
        self.place = place
        self.path = f"{postgres_bin(server.state)}:{os.environ['PATH']}"
        place.mkdir()
        if dropped := _unprivileged():
            os.chown(place, dropped["user"], dropped["group"])
        self.environment = {"PATH": self.path, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres"}
        self.child = subprocess.Popen(
            ["/bin/sh", str(PROJECT / OVERLAY["second-copy"]["command"][0].lstrip("/"))],
            env=self.environment | {"COPY": str(place)}, cwd="/", start_new_session=True, **_unprivileged(),
        )  # fmt: skip

    def restored(self, state):
        server = Postgres(state=state)
        made = ["/bin/sh", str(PROJECT / "deploy/restore.sh"), str(self.place), str(server.cluster)]
        subprocess.run(made, env=self.environment, cwd="/", check=True, **_unprivileged())
        server.start()
        return server

    def signal(self, what):
        os.killpg(self.child.pid, what)


def write(server, acknowledged, numbers):
    """Commits until the server dies; keeps what it was told is done."""
    try:
        with connected(server) as mine:
            for number in numbers:
                mine.execute("INSERT INTO kept VALUES (%s)", [number])
                acknowledged.append(number)
    except psycopg.OperationalError:
        return


def copied(server):
    """Wait until commits wait for the copy, where the deployment asks for it."""
    copies = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'second_copy'"
    with connected(server) as mine:
        wait_until(lambda: mine.execute(copies).fetchone() != (0,), longest=30)
        for name, value in (setting.split("=") for setting in SETTINGS):
            mine.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        mine.execute("SELECT pg_reload_conf()")


@pytest.fixture
def place():
    # As root the server is another user, who cannot enter pytest's own directory.
    made = Path(tempfile.mkdtemp(prefix="clozatrack-copy-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def drill(place, chance):
    """One loss: returns what was acknowledged, and what the restored server has."""
    (place / "first").mkdir(parents=True)
    (place / "second").mkdir()
    for each in (place, place / "first", place / "second"):
        each.chmod(0o777)
    server, acknowledged = Postgres(state=place / "first"), []
    server.start()
    with connected(server) as mine:
        mine.execute("CREATE TABLE kept (number integer PRIMARY KEY)")
    copy = Copy(server, place / "copy")
    try:
        copied(server)
        writers = [threading.Thread(target=write, args=(server, acknowledged, count(start, 4))) for start in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.2, 0.8))
        # The line to the copy hangs for a moment, and just then server and disk are lost.
        copy.signal(signal.SIGSTOP)
        time.sleep(0.3)
        server.kill()
        shutil.rmtree(server.cluster)
        for writer in writers:
            writer.join()
    finally:
        server.kill()
        copy.signal(signal.SIGKILL)
        copy.child.wait()
    again = copy.restored(place / "second")
    try:
        with connected(again) as mine:
            return set(acknowledged), {number for (number,) in mine.execute("SELECT number FROM kept")}
    finally:
        again.kill()


@pytest.mark.timeout(60 * DRILLS + 60)
def test_h36_nothing_that_was_acknowledged_is_lost_with_the_disk(place, capsys):
    chance, total = random.Random(), 0
    for number in range(DRILLS):
        acknowledged, restored = drill(place / str(number), chance)
        assert len(acknowledged) > 20
        assert acknowledged - restored == set()
        total += len(acknowledged)
        shutil.rmtree(place / str(number))
    with capsys.disabled():
        print(f"\n{DRILLS} losses of the disk: {total} commits acknowledged, 0 lost")
