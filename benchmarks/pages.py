"""The worklist, the search and the patient page with very many patients: server time, queries and bytes.

python -m benchmarks.pages [--quick] [--patients N ...] [--explain]
"""

import argparse
import os
import sys
import time
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.machine import database, say, table
from clozatrack.demo_clinic import FAMILY, GIVEN
from monitoring.views.today import SECTIONS
from monitoring.worklist import Filter, section_page
from patients.models import Staff
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

# Two thirds under one prescriber would be no clinic: twenty share them. 1 % overdue, an eightieth paused, a tenth of
# the overdue with an alert of their own, a two-hundredth drawn, a thousandth of all merged into another record.
FILL = """
INSERT INTO patients_patient (clinic_id, mrn, given_name, family_name, date_of_birth, created_at)
SELECT %(clinic)s, 'B' || n, (%(given)s::text[])[1 + (n * 7919) %% %(givens)s],
    (%(family)s::text[])[1 + (n * 104729) %% %(families)s] || CASE WHEN n %% 3 = 0 THEN '' ELSE '-' || chr((65 + n %% 26)::int) || (n %% 500) END,
    date '1950-01-01' + (n * 31 %% 20000)::int, now() FROM generate_series(1::bigint, %(count)s) n;
INSERT INTO monitoring_treatment (patient_id, clinic_id, protocol_key, clinician_id, created_at, version, band, advice,
    frequency, due_on, overdue_after, paused_since, changes_on, latest_draw_at, assessed_at)
SELECT id, clinic_id, 'us-label-2025', (%(owners)s::bigint[])[1 + id %% 20], now(), 1,
    CASE WHEN id %% 500 = 0 THEN 'severe' WHEN id %% 250 = 1 THEN 'moderate' WHEN id %% 100 = 2 THEN 'mild' ELSE 'normal' END,
    CASE WHEN id %% 500 = 0 THEN 'stop' WHEN id %% 250 = 1 THEN 'interrupt' WHEN id %% 80 = 7 THEN 'may_resume' ELSE 'continue' END,
    CASE WHEN id %% 4 = 0 THEN 'weekly' ELSE 'monthly' END,
    day, day + CASE WHEN id %% 4 = 0 THEN 0 ELSE 3 END,
    CASE WHEN id %% 80 = 7 THEN current_date - (id %% 90)::int END,
    CASE WHEN id %% 80 = 7 AND id %% 90 < 30 THEN current_date - (id %% 90)::int + 30 END,
    now() - interval '10 days', now() - interval '10 days'
FROM (SELECT *, current_date + CASE WHEN id %% 100 = 0 THEN -4 - (id %% 37)::int ELSE (id %% 29)::int END AS day FROM patients_patient WHERE mrn LIKE 'B%%') p;
INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at, worsened_at,
    escalate_at, outcome)
SELECT id, clinic_id, 'neutropenia', CASE WHEN band = 'severe' THEN 1 ELSE 2 END, 'ANC 480 /uL, severe. Stop treatment.',
    clinician_id, now() - (id %% 100) * interval '1 hour', now(), now(), ''
FROM monitoring_treatment WHERE band IN ('severe', 'moderate');
INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at, worsened_at,
    escalate_at, outcome)
SELECT id, clinic_id, 'test_overdue', 4, 'The blood test is overdue.', clinician_id, now(), now(), now(), ''
FROM monitoring_treatment WHERE overdue_after < current_date;
INSERT INTO monitoring_draw (treatment_id, clinic_id, drawn_at, recorded_at, end_reason)
SELECT id, clinic_id, now() - (id %% 60) * interval '1 hour', now(), '' FROM monitoring_treatment WHERE id %% 200 = 5;
INSERT INTO monitoring_merge (kept_id, merged_id, reason, at, by_id, undo_reason, old_mrn)
SELECT id, id + 1, 'the same person', now(), (%(owners)s::bigint[])[1], '', '' FROM monitoring_treatment
WHERE id %% 1000 = 10 AND id < (SELECT max(id) FROM monitoring_treatment);
"""
WATCHED = 60
"""Counts of the one patient whose page is opened."""


def fill(server, clinic, owners, count):
    admin = psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", dbname="clozatrack", autocommit=True,
        cursor_factory=psycopg.ClientCursor,
    )  # fmt: skip
    admin.execute(
        FILL,
        {"clinic": clinic.pk, "owners": owners, "count": count, "family": list(FAMILY), "families": len(FAMILY),
         "given": list(GIVEN), "givens": len(GIVEN)},
    )  # fmt: skip
    admin.execute("VACUUM ANALYZE")
    admin.close()


def one_with_history(clinic):
    """A patient with sixty counts, made by the real actions."""

    treatment = a_treatment(clinic, patient=a_patient(clinic, mrn="WATCHED"), started=NOW - 800 * DAY)
    for number in range(WATCHED):
        at = NOW - (800 - 13 * number) * DAY
        a_count(treatment, 2500, at=at, now=at)
    return treatment


def used(pid):
    """Seconds of processor time of this process and of the database session that serves it."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def visit(client, address, times, **headers):
    """Milliseconds of so many visits, processor time included, and the queries and bytes of the last."""

    client.get(address, **headers)
    took, session = [], connection.connection.info.backend_pid
    before = used(session)
    for _ in range(times):
        begun = time.perf_counter()
        answer = client.get(address, **headers)
        took.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (address, answer.status_code)
    busy = (used(session) - before) * 1000 / times
    with CaptureQueriesContext(connection) as asked:
        client.get(address, **headers)
    took.sort()
    return took, busy, asked.captured_queries, len(answer.content)


def measure(count, times, explain):
    with database() as server:
        settings.ALLOWED_HOSTS = ["testserver"]

        clinic = a_clinic()
        owners = [a_person(clinic, "prescriber").pk for _ in range(20)]
        nurse = a_person(clinic, "nurse")
        watched = one_with_history(clinic)
        fill(server, clinic, owners, count)
        client, prescriber = Client(), Client()
        client.force_login(nurse, backend="django.contrib.auth.backends.ModelBackend")

        prescriber.force_login(Staff.objects.get(pk=owners[3]), backend="django.contrib.auth.backends.ModelBackend")
        asked = Filter(clinics=[clinic])
        soon = next(section for section in SECTIONS if section.name == "soon")
        second = section_page(soon, staff=nurse, asked=asked, now=timezone.now(), mark="", silent={}, size=25).next
        pages = [
            ("worklist", client, "/", {}),
            ("its refresh (fragment)", client, "/", {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "worklist"}),
            ("its second page of a part", client, f"/?soon={second}", {}),
            ("my patients", prescriber, "/?mine=1", {}),
            ("in one state: severe", client, "/?state=band:severe", {}),
            ("in one state: continue", client, "/?state=advice:continue", {}),
            ("search, whole MRN", client, "/?q=b4711", {}),
            ("search, date of birth", client, "/?q=1980-05-17", {}),
            ("search, family name", client, "/?q=okafor", {}),
            ("search, one letter", client, "/?q=o", {}),
            ("search, given and family", client, "/?q=ada+oka", {}),
            ("search, nobody", client, "/?q=zzzz", {}),
            ("alerts, everybody's", client, "/alerts/?show=all", {}),
            ("patient, 60 counts", client, f"/patients/{watched.patient_id}/", {}),
            ("morning print", client, "/print/", {}),
        ]
        rows = []
        for name, who, address, headers in pages:
            took, busy, queries, size = visit(who, address, times, **headers)
            slowest = max(queries, key=lambda query: float(query["time"]))
            rows.append((f"{count:,}", name, f"{took[0]:.1f}", f"{took[len(took) // 2]:.1f}", f"{took[int(len(took) * 0.95)]:.1f}",
                         f"{busy:.1f}", len(queries), f"{size / 1024:.0f}"))  # fmt: skip
            print(*rows[-1], sep="\t", file=sys.stderr, flush=True)
            if explain and float(slowest["time"]) >= 0.005:
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + slowest["sql"])
                    print(f"--- {name}: {slowest['sql'][:1500]}")
                    print("\n".join(line for (line,) in cursor.fetchall()), flush=True)
        connection.close()
    return rows


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--visits", type=int, default=60)
    options.add_argument("--explain", action="store_true", help="print the plan of each page's slowest query over 5 ms")
    options.add_argument("--patients", type=int, nargs="+", default=[200_000, 2_000_000])
    chosen = options.parse_args()
    times = 20 if chosen.quick else chosen.visits
    rows = [
        row
        for count in ([20_000] if chosen.quick else chosen.patients)
        for row in measure(count, times, chosen.explain)
    ]
    say(f", PostgreSQL durable, one clinic, {times} visits a page through Django's test client with all middleware")
    table(["patients", "page", "best ms", "median ms", "p95 ms", "CPU ms", "queries", "KiB"], rows)


if __name__ == "__main__":
    main()
