"""kill -9 of worker, beat, delivery loop, Valkey and PostgreSQL at random moments under load: nothing is lost."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from clozatrack.embedded import PROJECT, Postgres, Valkey, free_port, wait_for_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]
ROUNDS = int(os.environ.get("CLOZATRACK_ROUNDS", "8"))
PEOPLE = 12
A_ROUND = 8
SEED = """
from tests.cast import *
clinic = a_clinic()
owner = a_person(clinic, "prescriber")
print([a_treatment(clinic, clinician=owner).pk for _ in range({count})])
"""


@pytest.fixture
def place():
    """A folder that the database's unprivileged user can reach."""
    made = Path(tempfile.mkdtemp(prefix="clozatrack-faults-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


class System:
    """The whole service in real processes, each of which can be killed and comes back."""

    def __init__(self, place, *, valkey=True):
        place.chmod(0o755)
        self.place, self.mail = place, place / "mail"
        self.postgres = Postgres(state=place, durable=True)
        self.valkey = Valkey()
        self.with_valkey = valkey
        self.smtp, self.children = free_port(), {}

    @property
    def environment(self):
        return os.environ | self.postgres.environment | self.valkey.environment | {
            "CLOZATRACK_ENV": "development",
            "CLOZATRACK_SMTP_PORT": str(self.smtp),
            "DJANGO_SETTINGS_MODULE": "clozatrack.settings",
        }  # fmt: skip

    def commands(self):
        celery = [sys.executable, "-m", "celery", "-A", "clozatrack"]
        manage = [sys.executable, "manage.py"]
        sink = [sys.executable, "-m", "clozatrack.demo_mail", str(self.mail)]
        return {
            "sink": [*sink, "--smtp", str(self.smtp), "--http", str(free_port())],
            "worker": [*celery, "worker", "--concurrency", "1", "--loglevel", "ERROR"],
            "beat": [*celery, "beat", "--schedule", str(self.place / "beat"), "--loglevel", "ERROR"],
            "deliver": [*manage, "deliver"],
            "deliver2": [*manage, "deliver"],
        }

    def start(self, name):
        log = (self.place / f"{name}.log").open("ab")
        self.children[name] = subprocess.Popen(
            self.commands()[name], cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def __enter__(self):
        self.postgres.start()
        if self.with_valkey:
            self.valkey.start()
        self.run("manage.py", "migrate", "-v0")
        for name in self.commands():
            if self.with_valkey or name not in ("worker", "beat"):
                self.start(name)
        wait_for_port(self.smtp)
        return self

    def __exit__(self, *error):
        for name in list(self.children):
            self.kill(name)
        self.valkey.stop()
        self.postgres.stop()

    def run(self, *arguments, **options):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
        return done.stdout

    def kill(self, name):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.children[name].pid, signal.SIGKILL)
        self.children[name].wait()

    def strike(self, chance):
        """One kill -9 and, a moment later, the return."""
        name = chance.choice(["worker", "beat", "deliver", "deliver2", "valkey", "postgres", "postgres"])
        if name in ("valkey", "postgres"):
            server = getattr(self, name)
            server.kill()
            time.sleep(chance.random() * 0.3)
            server.start()
        else:
            self.kill(name)
            time.sleep(chance.random() * 0.3)
            self.start(name)
        return name

    def people(self, count):
        seeding = SEED.format(count=count)
        return json.loads(self.run("manage.py", "shell", "-v0", "-c", seeding).strip().splitlines()[-1])

    def loads(self, ids, clients=3, last=1.0):
        """Clients that share the work and spread it over so many seconds; each keeps a log of its own."""
        pause = {"CLOZATRACK_LOAD_PAUSE": str(last * clients / len(ids))}
        started = []
        for number in range(clients):
            log = self.place / f"client{number}-{len(list(self.place.glob('client*')))}.log"
            log.touch()
            mine = [str(pk) for pk in ids[number::clients]]
            command = [sys.executable, "-m", "tests.faults.load", str(log), *mine]
            errors = (self.place / "clients.err").open("ab")
            started.append(subprocess.Popen(command, cwd=PROJECT, env=self.environment | pause, stderr=errors))
        return started

    def judged(self, wait=30):
        """The separate judge's verdict, once everything has had time to be delivered."""
        logs = [str(path) for path in self.place.glob("client*.log")]
        end = time.monotonic() + wait
        while True:
            command = [sys.executable, "-m", "tests.faults.judge", str(self.mail), *logs]
            done = subprocess.run(
                command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False
            )
            assert done.stdout, done.stderr[-2000:]
            verdict = json.loads(done.stdout)
            if not verdict["problems"] or time.monotonic() > end:
                return verdict
            time.sleep(1)


def test_h03_h04_h36_nothing_is_lost_when_anything_is_killed_at_any_moment(place, capsys):
    seed = random.randrange(10**6)
    chance, struck = random.Random(seed), []
    with System(place) as system:
        clients = system.loads(system.people(max(PEOPLE, ROUNDS * A_ROUND)), last=ROUNDS * 1.3)
        for _ in range(ROUNDS):
            time.sleep(chance.random() * 1.5)
            struck.append(system.strike(chance))
        for client in clients:
            assert client.wait(600) == 0, (place / "clients.err").read_text()[-2000:]
        verdict = system.judged()
    with capsys.disabled():
        print(f"\n{ROUNDS} kills (seed {seed}): {verdict}")
    assert verdict["problems"] == []
    assert verdict["acknowledged"] >= PEOPLE
    assert len(struck) == ROUNDS


def test_h36_a_commit_that_was_acknowledged_outlives_a_kill_of_the_database(place):
    place.chmod(0o755)
    server = Postgres(state=place, durable=True)
    server.start()
    reach = {"host": "127.0.0.1", "port": server.port, "user": "clozatrack", "dbname": "clozatrack"}
    with psycopg.connect(**reach) as database:
        database.execute("CREATE TABLE acknowledged (n int)")
    for number in range(1, 4):
        with psycopg.connect(**reach) as database:
            database.execute("INSERT INTO acknowledged VALUES (%s)", [number])
        server.kill()
        server.start()
        with psycopg.connect(**reach) as database:
            assert database.execute("SELECT count(*) FROM acknowledged").fetchone()[0] == number
    server.stop()


def test_h05_with_valkey_and_celery_gone_throughout_every_message_is_handed_over(place, capsys):
    with System(place, valkey=False) as system:
        for client in system.loads(system.people(PEOPLE)):
            assert client.wait(300) == 0, (place / "clients.err").read_text()[-2000:]
        verdict = system.judged()
    with capsys.disabled():
        print(f"\nwithout Valkey: {verdict}")
    assert verdict["problems"] == []
    assert verdict["acknowledged"] == PEOPLE


def test_eight_processes_with_the_same_message_at_once_make_one_result_and_one_alert(place):
    with System(place, valkey=False) as system:
        (one,) = system.people(1)
        clients = [client for _ in range(8) for client in system.loads([one], clients=1)]
        assert [client.wait(120) for client in clients] == [0] * 8
        verdict = system.judged()
    assert verdict["problems"] == []
    assert (verdict["acknowledged"], verdict["messages"]) == (8, 1)
