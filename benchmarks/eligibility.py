"""Eligibility checks a second and p99: asked, and asked and authorised, beside the same SQL in raw psycopg; the card.

The ways take turns on treatments of their own, as in benchmarks.record_result. Server time of the pharmacist's card is
that of Django's test client with all middleware, and its processor time that of this process and its database session.

python -m benchmarks.eligibility [--quick] [--seconds N] [--clients N ...]
"""

import argparse
import itertools
import json
import multiprocessing
import os
import uuid
from datetime import timedelta

import psycopg
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client

from benchmarks.machine import database, say, table
from benchmarks.pages import visit
from benchmarks.record_result import A_FIGURE, WEEKS, Figure, family, people
from monitoring.actions.dispensing import authorise, verdict_of
from monitoring.models import Treatment
from patients.models import Clinic, Staff
from tests.cast import NOW, a_person

READ = (
    "SELECT id FROM monitoring_treatment WHERE merged_into_id = %s ORDER BY id",
    "SELECT * FROM monitoring_result WHERE treatment_id = %s ORDER BY drawn_at, id",
    "SELECT * FROM monitoring_benstatus WHERE treatment_id = %s ORDER BY confirmed_at DESC LIMIT 1",
    "SELECT * FROM monitoring_treatmentevent WHERE treatment_id = %s ORDER BY at, id",
)
FOUND = (
    "SELECT t.*, p.*, c.* FROM monitoring_treatment t JOIN patients_patient p ON p.id = t.patient_id"
    " JOIN patients_clinic c ON c.id = t.clinic_id WHERE t.id = %s"
)
GIVE = (
    "INSERT INTO monitoring_authorisation (treatment_id, clinic_id, basis_version, entry, day, days, until, verdict,"
    " given_at, staff_id, expires_at, revoked_because) SELECT id, clinic_id, version, %s, %s, 7, %s, %s, %s, %s, %s, ''"
    " FROM monitoring_treatment WHERE id = %s RETURNING id"
)
NOTE = (
    "INSERT INTO patients_auditevent (at, verb, clinic_id, patient_id, staff_id, subject, detail)"
    " SELECT %s, 'supply_authorised', clinic_id, patient_id, %s, %s, '{}' FROM monitoring_treatment WHERE id = %s"
)


def raw():
    reach = {name.lower(): os.environ[f"CLOZATRACK_DB_{name}"] for name in ("HOST", "PORT", "USER")}
    return psycopg.connect(dbname=os.environ["CLOZATRACK_DB_NAME"], autocommit=True, **reach)


def raw_read(clinic, ids, number, session=None):
    run = (session or raw()).execute

    def once(turn):
        pk = ids[turn % len(ids)]
        run(FOUND, [pk]).fetchone()
        for sql in READ:
            run(sql, [pk]).fetchall()

    return once


def raw_record(clinic, ids, number, session=None):
    session, said = session or raw(), json.dumps({"answer": "may_supply", "why": ["x" * 900]})
    run, day, staff = session.execute, NOW.date(), Staff.objects.values_list("pk", flat=True).first()

    def once(turn):
        pk, entry = ids[turn % len(ids)], uuid.uuid4()
        with session.transaction():
            run(f"{FOUND} FOR UPDATE OF t", [pk]).fetchone()
            run("SELECT * FROM monitoring_authorisation WHERE treatment_id = %s AND entry = %s", [pk, entry]).fetchone()
            for sql in READ:
                run(sql, [pk]).fetchall()
            until, ends = day + timedelta(days=6), NOW + timedelta(hours=24)
            (given,) = run(GIVE, [entry, day, until, said, NOW, staff, ends, pk]).fetchone()
            run(NOTE, [NOW, staff, f"authorisation:{given}", pk])

    return once


def product_read(clinic, ids, number):
    found = Treatment.objects.select_related("patient", "clinic")

    def once(turn):
        assert verdict_of(found.get(pk=ids[turn % len(ids)]), now=NOW).answer == "may_supply"

    return once


def product_record(clinic, ids, number):
    by, known = Staff.objects.first(), Treatment.objects.in_bulk(ids)

    def once(turn):
        authorise(treatment=known[ids[turn % len(ids)]], entry=uuid.uuid4(), by=by, now=NOW)

    return once


WAYS = (
    (("asked, raw psycopg", raw_read), ("asked", product_read)),
    (("authorised, raw psycopg", raw_record), ("authorised", product_record)),
)


def card(clinic, ids, times):
    """Milliseconds of the pharmacist's page: best, median, p95, p99, processor time."""
    browser = Client()
    browser.force_login(a_person(clinic, "pharmacist"), backend="django.contrib.auth.backends.ModelBackend")
    with time_machine.travel(NOW, tick=True):
        took, busy, queries, size = visit(
            browser, f"/patients/{Treatment.objects.get(pk=ids[0]).patient_id}/supply/", times
        )
    at = [took[int(len(took) * part)] for part in (0, 0.5, 0.95, 0.99)]
    return [*(f"{one:.1f}" for one in at), f"{busy:.1f}", len(queries), f"{size / 1024:.0f}"]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--turns", type=int, default=4)
    options.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    options.add_argument("--visits", type=int, default=100)
    chosen = options.parse_args()
    seconds, settings.ALLOWED_HOSTS = 2 if chosen.quick else chosen.seconds, ["testserver"]
    with database() as server:
        clinic, ids, _ = people(server, A_FIGURE * len(chosen.clients) * 4)
        fresh = (ids[first : first + A_FIGURE] for first in itertools.count(0, A_FIGURE))
        page = card(Clinic.objects.get(pk=clinic), ids, 20 if chosen.quick else chosen.visits)
        connection.close()
        rows = []
        for clients, ways in itertools.product(chosen.clients, WAYS):
            figures = [Figure(name, make, clinic, next(fresh), clients) for name, make in ways]
            for number in range(chosen.turns):
                for figure in figures:
                    figure.turn(lambda: family(server.child.pid), seconds / chosen.turns, number)
            rows += [figure.row(figures[0]) for figure in figures]
    say(f", PostgreSQL durable, {WEEKS} counts each, {seconds:.0f} s a figure in {chosen.turns} turns")
    table(["clients", "way", "checks/s", "p99 ms", "of raw", "CPU ms each", "raw's CPU of it"], rows)
    table(["the card: best ms", "median ms", "p95 ms", "p99 ms", "CPU ms", "queries", "KiB"], [page])


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
