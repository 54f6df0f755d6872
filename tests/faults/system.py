"""The whole service in real processes, each of which can be killed and comes back."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clozatrack.embedded import PROJECT, Postgres, Valkey, free_port, wait_for_port

LONGEST = 300.0
"""Seconds that a client may need beyond those over which it spreads its work."""
SEED = """
import itertools, json
from django.db import connection, transaction
from django.utils import timezone
from monitoring.sweep import LOCK
from patients.actions import issue_token
import tests.cast
from tests.cast import *
tests.cast._number = itertools.count({first})
now = timezone.now()
clinic = a_clinic()
owner = a_person(clinic, "prescriber")
made = [a_treatment(clinic, clinician=owner, started=now - 92 * DAY) for _ in range({count} + {late})]
# A sweep between two of its looks would escalate these alerts of the past before it calls them late.
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    for treatment in made[{count}:]:
        a_count(treatment, 900, at=now - 2 * DAY, now=now - 2 * DAY)
token = issue_token(clinic=clinic, name="load", verbs=["results:write"], by=None, now=now)[1]
print(json.dumps([token, [one.pk for one in made[:{count}]]]))
"""
DIES = ("worker", "beat", "deliver", "deliver2", "sweep", "sweep2", "web", "a web worker", "valkey", "postgres")


class System:
    """Web, worker, beat, two delivery loops, two sweeps, a mail server, PostgreSQL and Valkey."""

    def __init__(self, place):
        place.chmod(0o755)
        self.place, self.mail = place, place / "mail"
        self.postgres = Postgres(state=place, durable=True)
        self.valkey = Valkey()
        self.smtp, self.web = free_port(), free_port()
        self.children, self.clients, self.token, self.seeded = {}, [], "", 0

    @property
    def environment(self):
        return os.environ | self.postgres.environment | self.valkey.environment | {
            "CLOZATRACK_ENV": "development",
            "CLOZATRACK_SMTP_PORT": str(self.smtp),
            "CLOZATRACK_LOAD_UNTIL": str(time.time() + 7200),
            "DJANGO_SETTINGS_MODULE": "clozatrack.settings",
        }  # fmt: skip

    def commands(self):
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "-A", "clozatrack"]
        manage = [sys.executable, "manage.py"]
        sink = [*python, "clozatrack.demo_mail", str(self.mail)]
        web = [*python, "gunicorn", "clozatrack.wsgi", "--bind", f"127.0.0.1:{self.web}", "--workers", "2"]
        return {
            "sink": [*sink, "--smtp", str(self.smtp), "--http", str(free_port())],
            "worker": [*celery, "worker", "--concurrency", "1", "--loglevel", "ERROR"],
            "beat": [*celery, "beat", "--schedule", str(self.place / "beat"), "--loglevel", "ERROR"],
            "deliver": [*manage, "deliver"],
            "deliver2": [*manage, "deliver"],
            "sweep": [*python, "tests.faults.sweeping"],
            "sweep2": [*python, "tests.faults.sweeping"],
            "web": [*web, "--worker-class", "gthread", "--threads", "4", "--log-level", "error", "--no-control-socket"],
        }

    def start(self, name):
        log = (self.place / f"{name}.log").open("ab")
        pool = {"CLOZATRACK_DB_POOL": "1"} if name == "web" else {}
        self.children[name] = subprocess.Popen(
            self.commands()[name],
            cwd=PROJECT,
            env=self.environment | pool,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def __enter__(self):
        try:
            self.postgres.start()
            self.valkey.start()
            self.run("manage.py", "migrate", "-v0")
            for name in self.commands():
                self.start(name)
            wait_for_port(self.smtp)
            wait_for_port(self.web)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        for client in self.clients:
            client.kill()
            client.wait()
        for name in list(self.children):
            self.kill(name)
        self.valkey.stop()
        self.postgres.stop()

    def run(self, *arguments):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
        return done.stdout

    def kill(self, name):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.children[name].pid, signal.SIGKILL)
        self.children[name].wait()

    @contextlib.contextmanager
    def without_celery(self):
        """Valkey, worker and beat are gone while the block lasts."""
        for name in ("worker", "beat"):
            self.kill(name)
        self.valkey.kill()
        yield
        self.valkey.start()
        for name in ("worker", "beat"):
            self.start(name)

    def strike(self, name, away):
        """One kill -9 and, after so many seconds, the return. A web worker is started again by gunicorn itself."""
        if name == "a web worker":
            master = self.children["web"].pid
            workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(int(workers[0]), signal.SIGKILL)
        elif name in ("valkey", "postgres"):
            server = getattr(self, name)
            server.kill()
            time.sleep(away)
            server.start()
        else:
            self.kill(name)
            time.sleep(away)
            self.start(name)

    def people(self, count, late=0):
        """Treatments to load; and so many beside them whose repeat is late and whose alert nobody answered."""
        self.seeded += 1
        seeding = SEED.format(count=count, late=late, first=self.seeded * 100_000)
        said = self.run("manage.py", "shell", "-v0", "-c", seeding).strip().splitlines()[-1]
        self.token, ids = json.loads(said)
        self.drawn_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        return ids

    def loads(self, ids, *, clients=2, last=1.0, api=False):
        """Clients that share the work and spread it over so many seconds; each keeps a log of its own."""
        settings = {
            "CLOZATRACK_LOAD_PAUSE": str(last * clients / max(len(ids), 1)),
            "CLOZATRACK_LOAD_UNTIL": str(time.time() + last + LONGEST),
            "CLOZATRACK_LOAD_DRAWN_AT": self.drawn_at,
        }
        if api:
            settings |= {"CLOZATRACK_LOAD_API": str(self.web), "CLOZATRACK_LOAD_TOKEN": self.token}
        started = []
        for number in range(clients):
            log = self.place / f"client-{len(self.clients)}.log"
            log.touch()
            mine = [str(pk) for pk in ids[number::clients]]
            command = [
                sys.executable,
                "-m",
                "tests.faults.load_api" if api else "tests.faults.load_action",
                str(log),
                *mine,
            ]
            errors = (self.place / "clients.err").open("ab")
            started.append(subprocess.Popen(command, cwd=PROJECT, env=self.environment | settings, stderr=errors))
            self.clients.append(started[-1])
        return started

    def finished(self, clients, last=1.0):
        """Every client came to its end with everything acknowledged; none may hang beyond its deadline."""
        for client in clients:
            status = client.wait(last + LONGEST + 30)
            assert status == 0, (self.place / "clients.err").read_text()[-2000:]

    def judged(self, clients, wait=45):
        """The separate judge's verdict, once everything has had time to be delivered; figures are these clients'."""
        logs = [str(self.place / f"client-{self.clients.index(client)}.log") for client in clients]
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
