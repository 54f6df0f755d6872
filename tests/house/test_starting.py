"""Real processes in production settings, on a database that was altered to another zone."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.house.test_refusals import GOOD
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
SENTENCE = "Clozatrack does not start in production: the database's TimeZone is Europe/Berlin; set it to UTC"
CELERY = [sys.executable, "-m", "celery", "-A", "clozatrack"]
PARTS = {
    "worker": [*CELERY, "worker", "--concurrency", "1"],
    "beat": [*CELERY, "beat", "--schedule", "{place}/beat"],
    "deliver": [sys.executable, "manage.py", "deliver"],
    "deliver --once": [sys.executable, "manage.py", "deliver", "--once"],
    "web": [sys.executable, "-m", "gunicorn", "clozatrack.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"],
}


class Elsewhere:
    """A database of this test alone, made only when asked for."""

    def __init__(self):
        self.name = f"elsewhere_{uuid4().hex[:12]}"
        reach = {name.lower(): os.environ[f"CLOZATRACK_DB_{name}"] for name in ("HOST", "PORT", "USER")}
        self.admin = psycopg.connect(dbname="postgres", autocommit=True, **reach)

    def make(self, zone="Europe/Berlin"):
        self.admin.execute(f"CREATE DATABASE {self.name}")
        self.admin.execute(f"ALTER DATABASE {self.name} SET timezone TO '{zone}'")

    def started(self, part, place):
        environment = os.environ | GOOD | {"CLOZATRACK_DB_NAME": self.name, "HOME": str(place)}
        command = [word.format(place=place) for word in PARTS[part]]
        errors = (place / "said").open("wb")
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=errors, stderr=errors)


@pytest.fixture
def elsewhere():
    made = Elsewhere()
    yield made
    made.admin.execute(f"DROP DATABASE IF EXISTS {made.name} WITH (FORCE)")
    made.admin.close()


@pytest.fixture
def run(elsewhere, tmp_path):
    """Starts a part and ends it whatever happens."""
    children = []

    def start(part):
        children.append(elsewhere.started(part, tmp_path))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_h21_no_part_serves_on_a_database_in_another_zone(part, elsewhere, run, tmp_path):
    elsewhere.make()
    assert run(part).wait(60) != 0
    assert SENTENCE in (tmp_path / "said").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("part", ["worker", "beat", "deliver"])
def test_h21_a_part_waits_for_a_database_that_is_down_and_then_looks_at_its_zone(part, elsewhere, run, tmp_path):
    child = run(part)
    wait_until(lambda: "does not answer, trying again" in (tmp_path / "said").read_text())
    assert child.poll() is None
    elsewhere.make()
    assert child.wait(60) != 0
    assert SENTENCE in (tmp_path / "said").read_text()
