"""Results a second and p99 through record_result and through the API under gunicorn, beside raw psycopg.

The processor time of a result is that of client, web server and PostgreSQL together: on a busy machine it says more
than the clock.

python -m benchmarks.record_result [--quick] [--seconds N]
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.db import connection

from benchmarks.machine import cpu_of, database, say, table
from clozatrack.embedded import free_port, wait_for_port
from monitoring.actions.record_result import Report, record_result
from monitoring.models import Result, Treatment, TreatmentEvent
from patients.actions import issue_token
from tests.cast import DAY, NOW, a_clinic, a_count, a_treatment

CLIENTS = (1, 8, 16)
WEEKS = 20
SHAPES = 8
A_FIGURE = 800
"""Treatments for one figure, which no other figure touches."""


# The same treatments again, as often as asked, so that no figure is taken on longer histories than another.
CLONES = """
SET session_replication_role = replica;
INSERT INTO patients_patient (id, clinic_id, mrn, given_name, family_name, date_of_birth, created_at)
    SELECT id + n * 100000, clinic_id, mrn || '-' || n, given_name, family_name, date_of_birth, created_at
    FROM patients_patient, generate_series(1, %(copies)s) n;
INSERT INTO monitoring_treatment ({treatment}, id, patient_id)
    SELECT {treatment}, id + n * 100000, patient_id + n * 100000
    FROM monitoring_treatment, generate_series(1, %(copies)s) n;
INSERT INTO monitoring_result ({result}, treatment_id, accession)
    SELECT {result}, treatment_id + n * 100000, accession || '-' || n
    FROM monitoring_result, generate_series(1, %(copies)s) n;
INSERT INTO monitoring_treatmentevent ({event}, treatment_id)
    SELECT {event}, treatment_id + n * 100000
    FROM monitoring_treatmentevent, generate_series(1, %(copies)s) n;
"""


def cloning():
    """CLONES with all columns that the tables have."""

    def columns(model, *but):
        return ", ".join(field.column for field in model._meta.concrete_fields if field.column not in ("id", *but))

    return CLONES.format(
        treatment=columns(Treatment, "patient_id"),
        result=columns(Result, "treatment_id", "accession"),
        event=columns(TreatmentEvent, "treatment_id"),
    )


def people(server, count):
    """For each figure its own treatments with twenty weeks of history; and a token."""

    clinic = a_clinic()
    for _ in range(SHAPES):
        treatment = a_treatment(clinic, started=NOW - 150 * DAY)
        for week in range(WEEKS, 0, -1):
            a_count(treatment, 2500, at=NOW - week * 7 * DAY, now=NOW - week * 7 * DAY)
    reach = {"host": "127.0.0.1", "port": server.port, "user": "postgres", "dbname": "clozatrack"}
    with psycopg.connect(**reach, autocommit=True, cursor_factory=psycopg.ClientCursor) as admin:
        admin.execute(cloning(), {"copies": count // SHAPES})
        admin.execute("VACUUM ANALYZE")
    _, token = issue_token(clinic=clinic, name="bench", verbs=["results:write"], by=None, now=NOW)
    return clinic.pk, list(Treatment.objects.order_by("pk").values_list("pk", flat=True)), token


def raw(clinic, ids, number, connection=None):
    """The same reads, inserts and update in one transaction, without Django and without the rules."""

    reach = {name.lower(): os.environ[f"CLOZATRACK_DB_{name}"] for name in ("HOST", "PORT", "USER")}
    connection = connection or psycopg.connect(dbname=os.environ["CLOZATRACK_DB_NAME"], **reach)
    said = json.dumps({"treatment": "continue", "reasons": ["x" * 900]})

    def once(turn):
        pk, at = ids[turn % len(ids)], datetime.now(UTC)
        with connection.transaction():
            run = connection.execute
            run(
                "SELECT t.*, p.*, c.* FROM monitoring_treatment t JOIN patients_patient p ON p.id = t.patient_id"
                " JOIN patients_clinic c ON c.id = t.clinic_id WHERE t.id = %s FOR UPDATE OF t",
                [pk],
            ).fetchone()
            run("SELECT * FROM monitoring_result WHERE treatment_id = %s ORDER BY drawn_at, id", [pk]).fetchall()
            run("SELECT * FROM monitoring_treatmentevent WHERE treatment_id = %s", [pk]).fetchall()
            run("SELECT * FROM monitoring_benstatus WHERE treatment_id = %s", [pk]).fetchall()
            row = run(
                "INSERT INTO monitoring_result (treatment_id, clinic_id, source, accession, version, status, drawn_at,"
                " received_at, received, anc, anc_bound, wbc_bound, supported, flags, reason, by_hand)"
                " VALUES (%s, %s, 'raw', %s, 1, 'final', %s, %s, '{}', 2500, '', '', false, '[]', '', false) RETURNING id",
                [pk, clinic, f"R{number}-{turn}", at, at],
            ).fetchone()
            run(
                "UPDATE monitoring_treatment SET version = version + 1, band = 'normal', advice = 'continue',"
                " due_on = current_date + 7, overdue_after = current_date + 7, assessed_at = %s WHERE id = %s",
                [at, pk],
            )
            run(
                "INSERT INTO monitoring_assessment (treatment_id, result_id, version, as_of, created_at, protocol_key,"
                " severe, judgement) VALUES (%s, %s, 1, %s, %s, 'us-label-2025', false, %s)",
                [pk, row[0], at, at, said],
            )
            run("SELECT * FROM monitoring_alert WHERE treatment_id = %s AND resolved_at IS NULL", [pk]).fetchall()
            run(
                "INSERT INTO patients_auditevent (at, verb, clinic_id, subject, detail)"
                " VALUES (%s, 'result_recorded', %s, %s, '{}')",
                [at, clinic, f"result:{row[0]}"],
            )

    return once  # fmt: skip


def action(clinic, ids, number):
    known = {row.pk: row for row in Treatment.objects.filter(pk__in=ids).select_related("patient", "clinic")}

    def once(turn):
        now = datetime.now(UTC)
        report = Report(source="act", accession=f"A{number}-{turn}", drawn_at=now, count={"anc": "2500", "unit": "/uL"})
        record_result(treatment=known[ids[turn % len(ids)]], report=report, by=None, now=now)

    return once


def api(port, token):
    def made(clinic, ids, number):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        def once(turn):
            body = {"source": "api", "accession": f"W{number}-{turn}", "status": "final", "anc": "2500", "unit": "/uL"}
            body["drawn_at"] = datetime.now(UTC).isoformat()
            connection.request("POST", f"/api/v1/treatments/{ids[turn % len(ids)]}/results/", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201, answer.status

        return once

    return made


def family(pid):
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def client(make, clinic, ids, number, seconds, answers):
    once, waits, turn = make(clinic, ids, number), [], 0
    end, begun_cpu = time.monotonic() + seconds, time.process_time()
    while time.monotonic() < end:
        begun = time.monotonic()
        once(turn)
        waits.append(time.monotonic() - begun)
        turn += 1
    answers.put((waits, time.process_time() - begun_cpu))


def measure(make, clinic, ids, clients, seconds, mark):
    """The waits of each result, and the processor time of the clients."""
    answers = multiprocessing.Queue()
    started = [
        multiprocessing.Process(
            target=client, args=(make, clinic, ids[number::clients], f"{mark}-{number}", seconds, answers)
        )
        for number in range(clients)
    ]
    [one.start() for one in started]
    told = [answers.get() for _ in started]
    [one.join() for one in started]
    return [wait for waits, _ in told for wait in waits], sum(cpu for _, cpu in told)


class Figure:
    """One way at one number of clients, measured in turns with the others, so that all see the same machine."""

    def __init__(self, name, make, clinic, ids, clients):
        self.name, self.make, self.clinic, self.ids, self.clients = name, make, clinic, ids, clients
        self.waits, self.cpu, self.took = [], 0.0, 0.0

    def turn(self, servers, seconds, number):
        before = sum(map(cpu_of, servers()))
        mark = f"{self.name[0]}{self.clients}-{number}"
        waits, cpu = measure(self.make, self.clinic, self.ids, self.clients, seconds, mark)
        self.cpu += cpu + sum(map(cpu_of, servers())) - before
        self.waits += waits
        self.took += seconds

    @property
    def rate(self):
        return len(self.waits) / self.took

    @property
    def each(self):
        return self.cpu / len(self.waits) * 1000

    def row(self, base):
        late = sorted(self.waits)[int(len(self.waits) * 0.99)] * 1000
        return (
            self.clients, self.name, f"{self.rate:.0f}", f"{late:.1f}", f"{self.rate / base.rate:.2f}",
            f"{self.each:.1f}", f"{base.each / self.each:.2f}",
        )  # fmt: skip


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--turns", type=int, default=4)
    chosen = options.parse_args()
    seconds = 2 if chosen.quick else chosen.seconds
    with database() as server:
        clinic, ids, token = people(server, A_FIGURE * (len(CLIENTS) * 3 + 1))
        fresh = (ids[first : first + A_FIGURE] for first in itertools.count(0, A_FIGURE))
        connection.close()
        port = free_port()
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "clozatrack.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2",
             "--worker-class", "gthread", "--threads", "8", "--log-level", "error", "--keep-alive", "30", "--no-control-socket"],
            env=os.environ | {"CLOZATRACK_DB_POOL": "1"}, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        try:
            wait_for_port(port)
            ways = {"raw psycopg": raw, "record_result": action, "API, gunicorn": api(port, token)}
            measure(ways["API, gunicorn"], clinic, next(fresh), 8, 2, "warm")
            rows = []
            for clients in CLIENTS:
                figures = [Figure(name, make, clinic, next(fresh), clients) for name, make in ways.items()]
                for number in range(chosen.turns):
                    for figure in figures:
                        figure.turn(lambda: family(server.child.pid) + family(web.pid), seconds / chosen.turns, number)
                rows += [figure.row(figures[0]) for figure in figures]
        finally:
            web.terminate()
            web.wait()
    say(f", PostgreSQL durable, {WEEKS} earlier counts each, {seconds:.0f} s a figure in {chosen.turns} turns")
    table(["clients", "way", "results/s", "p99 ms", "of raw", "CPU ms each", "raw's CPU of it"], rows)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
