"""kill -9 of every part at random moments under load: nothing is lost, nothing is told twice under two keys."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
import yaml

from clozatrack.embedded import PROJECT, Postgres, working_in
from notifications.actions import BATCH
from tests.faults.system import DIES, System
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200)]
ROUNDS = int(os.environ.get("CLOZATRACK_ROUNDS", str(len(DIES))))
PEOPLE = 12
A_ROUND = 5
LATE = 4
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
PARTS = ("web", "worker", "beat", "deliver")
HEALTHY = 200 if ROUNDS >= 100 else 40


@pytest.fixture
def place():
    """A folder that the database's unprivileged user can reach."""
    made = Path(tempfile.mkdtemp(prefix="clozatrack-faults-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def system():
    """Everything runs at the beginning of a test and runs again at its end."""
    made = Path(tempfile.mkdtemp(prefix="clozatrack-faults-"))
    with System(made) as running:
        yield running
    shutil.rmtree(made, ignore_errors=True)


def a_deck(chance):
    """What is struck: everything as often as anything else, in random order."""
    while True:
        yield from chance.sample(DIES, len(DIES))


def allowed(seconds):
    """Where several others wait for each core, what was killed needs many seconds to start: only the loss is judged."""
    return seconds * (12 if os.getloadavg()[0] > 3 * os.cpu_count() else 1)


def both_ways(system, ids, last=1.0):
    """Half of the results through record_result itself, half through the API of the web process."""
    half = len(ids) // 2
    return [*system.loads(ids[:half], last=last), *system.loads(ids[half:], last=last, api=True)]


def test_h03_h04_h36_nothing_is_lost_when_anything_is_killed_at_any_moment(system, capsys):
    seed = random.randrange(10**6)
    chance, struck = random.Random(seed), Counter()
    ids, last = system.people(ROUNDS * A_ROUND, late=LATE), ROUNDS * 1.2
    clients, deck = both_ways(system, ids, last), a_deck(chance)
    for _ in range(ROUNDS):
        time.sleep(chance.random() * 1.2)
        name = next(deck)
        system.strike(name, away=chance.random() * 0.3)
        struck[name] += 1
    system.finished(clients, last)
    verdict = system.judged(clients)
    with capsys.disabled():
        print(f"\n{ROUNDS} kills (seed {seed}) of {dict(sorted(struck.items()))}: {verdict}")
    assert verdict["problems"] == []
    assert verdict["acknowledged"] == verdict["results"] == len(ids)
    assert verdict["steps in all"]["late"] == verdict["steps in all"]["on_call"] == LATE
    # Only what was under way when its sender died is sent again.
    assert verdict["repeated in all"] <= BATCH * (ROUNDS + 3)
    assert verdict["p99"] < allowed(5)


def test_h03_while_all_is_well_a_severe_result_is_handed_over_within_a_second(system, capsys):
    last = HEALTHY / 16
    clients = both_ways(system, system.people(HEALTHY), last)
    system.finished(clients, last)
    verdict = system.judged(clients)
    with capsys.disabled():
        print(f"\nall well: {verdict}")
    assert verdict["problems"] == []
    assert verdict["handed over"] == HEALTHY
    assert verdict["p99"] < allowed(1)


def test_h05_with_valkey_and_celery_gone_throughout_every_message_is_handed_over(system, capsys):
    ids = system.people(PEOPLE)
    with system.without_celery():
        clients = both_ways(system, ids)
        system.finished(clients)
        verdict = system.judged(clients)
    with capsys.disabled():
        print(f"\nwithout Valkey and Celery: {verdict}")
    assert verdict["problems"] == []
    assert verdict["results"] == PEOPLE
    assert verdict["p99"] < allowed(5)


def test_h17_eight_processes_with_the_same_message_at_once_make_one_result_and_one_alert(system):
    (one,) = system.people(1)
    clients = [client for api in (False, True) * 4 for client in system.loads([one], clients=1, api=api)]
    system.finished(clients)
    verdict = system.judged(clients)
    assert verdict["problems"] == []
    assert (verdict["acknowledged"], verdict["results"], verdict["handed over"]) == (8, 1, 1)


def test_h36_a_commit_that_was_acknowledged_outlives_a_kill_of_the_database(place):
    server = Postgres(state=place, durable=True)
    server.start()
    with connected(server) as database:
        database.execute("CREATE TABLE acknowledged (n int)")
    for number in range(1, 4):
        with connected(server) as database:
            database.execute("INSERT INTO acknowledged VALUES (%s)", [number])
        server.kill()
        assert working_in(server.cluster) == []
        server.start()
        with connected(server) as database:
            assert database.execute("SELECT count(*) FROM acknowledged").fetchone()[0] == number
    server.stop()


def test_h36_a_second_server_never_starts_beside_a_session_of_the_killed_one(place):
    server = Postgres(state=place, durable=True)
    server.start()
    lasting = connected(server)
    session = lasting.info.backend_pid
    os.kill(session, signal.SIGSTOP)
    server.child.kill()
    server.child.wait()
    server.longest_start = 1.0
    try:
        with pytest.raises(RuntimeError, match=f"PostgreSQL's processes .*{session}.* still work"):
            server.start()
        assert (server.cluster / "postmaster.pid").exists()
    finally:
        os.kill(session, signal.SIGKILL)
    lasting.close()
    server.longest_start = 30.0
    server.start()
    server.stop()


def test_each_parts_health_check_in_production_passes_while_it_runs_and_fails_without_it(system):
    checks = {name: service["healthcheck"]["test"] for name, service in COMPOSE["services"].items() if name in PARTS}
    for name in PARTS:
        wait_until(lambda name=name: well(system, checks[name]))
    for name in ("web", "worker"):
        system.kill(name)
        assert not well(system, checks[name])
        system.start(name)


def well(system, check):
    """Whether the health check passes, run as the container would."""
    how, *words = [word.replace("$$", "$") for word in check]
    command = ["sh", "-c", *words] if how == "CMD-SHELL" else words
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command += [str(system.web)] if "clozatrack.probe" in command else []
    run = subprocess.run(
        command, cwd=PROJECT, env=system.environment | {"PATH": path}, capture_output=True, timeout=60, check=False
    )
    return run.returncode == 0


def connected(server):
    return psycopg.connect(host="127.0.0.1", port=server.port, user="clozatrack", dbname="clozatrack")
