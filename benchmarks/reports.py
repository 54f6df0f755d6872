"""Each report over a year of weekly tests, for a database that knows its own statistics and for one that does not yet.

python -m benchmarks.reports [--quick] [--treatments N ...]
"""

import argparse
import time
from datetime import timedelta

import psycopg
from django.db import connection
from django.utils import timezone

from benchmarks.machine import database, say, table
from monitoring.reports.every import ONE, every
from monitoring.reports.question import Question
from tests.cast import a_clinic, a_person

TESTS = 52
FILL = """
SET session_replication_role = replica;
INSERT INTO patients_patient (clinic_id, mrn, given_name, family_name, date_of_birth, created_at)
SELECT CASE WHEN n %% 4 = 0 THEN %(other)s ELSE %(clinic)s END, 'B' || n, 'Given', 'Family' || n, '1980-01-01',
    now() - interval '2 years' FROM generate_series(1, %(count)s) n;
INSERT INTO monitoring_treatment (patient_id, clinic_id, protocol_key, created_at, version, band, advice, frequency)
SELECT id, clinic_id, 'us-label-2025', now() - interval '370 days', %(tests)s + 1, 'normal', 'continue', 'weekly'
FROM patients_patient;
INSERT INTO monitoring_treatmentevent (treatment_id, kind, at, date_only, stop, reason, recorded_at, void_reason)
SELECT id, 'first_dose', now() - interval '366 days', false, false, '', now() - interval '366 days', ''
FROM monitoring_treatment;
INSERT INTO monitoring_result (treatment_id, clinic_id, source, accession, version, status, drawn_at, received_at,
    received, anc, anc_bound, wbc_bound, supported, flags, reason, by_hand)
SELECT t.id, t.clinic_id, 'lab', t.id || '-' || n, 1, 'final', drawn_at, drawn_at + interval '2 hours', '{}', 2600, '', '',
    false, '[]', '', false
FROM monitoring_treatment t, generate_series(1, %(tests)s) n,
    LATERAL (SELECT now() - interval '366 days' + n * interval '7 days'
        + (((t.id * 31 + n * 17) %% 100) / 97) * interval '30 hours' AS drawn_at) d;
INSERT INTO monitoring_assessment (treatment_id, result_id, version, as_of, created_at, protocol_key, severe, judgement)
SELECT treatment_id, id, 1 + split_part(accession, '-', 2)::int, received_at, received_at, 'us-label-2025', false,
    jsonb_build_object('band', 'normal', 'treatment', 'continue', 'frequency', 'weekly', 'due_on', d, 'overdue_after', d,
        'episode', CASE WHEN id %% 200 = 0 THEN jsonb_build_object('worst_band', 'mild', 'opened_at', drawn_at) END,
        'reasons', %(reasons)s::text)
FROM monitoring_result, LATERAL (SELECT (drawn_at AT TIME ZONE 'UTC')::date + 7 AS d) x;
INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, raised_at, worsened_at, escalate_at, resolved_at,
    outcome)
SELECT treatment_id, clinic_id, 'neutropenia', 1 + id %% 4, 'low', received_at, received_at, received_at,
    received_at + interval '5 hours', 'acted'
FROM monitoring_result WHERE id %% 50 = 0;
INSERT INTO monitoring_alertnote (alert_id, at, verb, text, severity, staff_id)
SELECT id, raised_at + minutes * interval '1 minute', verb, '', severity, CASE WHEN minutes > 0 THEN %(staff)s END
FROM monitoring_alert, (VALUES (0, 'raised'), (17, 'acknowledged'), (300, 'resolved')) told (minutes, verb) ORDER BY 2;
"""


def measure(counts):
    with database() as server:
        clinic, other = a_clinic(), a_clinic("South")
        asked = {"clinic": clinic.pk, "other": other.pk, "tests": TESTS, "staff": a_person(clinic, "nurse").pk}
        admin = psycopg.connect(
            host="127.0.0.1", port=server.port, user="postgres", dbname="clozatrack", autocommit=True,
            cursor_factory=psycopg.ClientCursor,
        )  # fmt: skip
        admin.execute("ALTER SYSTEM SET autovacuum = off")
        admin.execute("SELECT pg_reload_conf()")
        for count in counts:
            admin.execute("SET session_replication_role = replica; TRUNCATE patients_patient CASCADE")
            admin.execute(FILL, asked | {"count": count, "reasons": "because " * 120})
            now = timezone.now()
            year = {"since": now.date() - timedelta(days=330), "until": now.date(), "known_at": now}
            question = Question(clinics=(clinic,), **year)
            for analyzed in ("no", "yes"):
                if analyzed == "yes":
                    admin.execute("VACUUM ANALYZE")
                figures = [seconds(lambda make=make: make(question)) for make in [*ONE.values(), every]]
                yield [count, analyzed, *(f"{figure:.2f}" for figure in figures)]
        admin.close()
        connection.close()


def seconds(ask):
    took = []
    for _ in range(3):
        begun = time.monotonic()
        ask()
        took.append(time.monotonic() - begun)
    return sorted(took)[1]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--treatments", type=int, nargs="+", default=[500, 4000])
    chosen = options.parse_args()
    say(f", {TESTS} tests each, three of four patients in the clinic asked about, seconds, medians of 3")
    rows = list(measure([500] if chosen.quick else chosen.treatments))
    table(["treatments", "statistics", "on time", "missed", "answers", "neutropenia", "people", "page"], rows)


if __name__ == "__main__":
    main()
