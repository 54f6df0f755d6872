"""The overdue sweep, 1 % overdue, beside the bare SQL and beside one look a patient.

python -m benchmarks.sweep [--quick] [--treatments N ...]
"""

import argparse
import time

import psycopg
from django.db import connection
from django.utils import timezone

from benchmarks.machine import cpu_of, database, say, table
from monitoring.models import Treatment
from monitoring.sweep import sweep
from tests.cast import a_clinic, a_person

FILL = """
INSERT INTO patients_patient (clinic_id, mrn, given_name, family_name, date_of_birth, created_at)
SELECT %(clinic)s, 'B' || n, 'Given', 'Family' || n, '1980-01-01', now() FROM generate_series(1, %(count)s) n;
INSERT INTO monitoring_treatment (patient_id, clinic_id, protocol_key, clinician_id, created_at, version, band, advice,
    frequency, due_on, overdue_after, assessed_at, tablets_until)
SELECT id, clinic_id, 'us-label-2025', %(owner)s, now(), 1, 'normal', 'continue', 'weekly',
    current_date + CASE WHEN id %% 100 = 0 THEN -3 ELSE 4 END, current_date + CASE WHEN id %% 100 = 0 THEN -3 ELSE 4 END,
    now() - interval '10 days', current_date + 4 + (id %% 28)::int
FROM patients_patient;
"""
BARE = """
WITH raised AS (
    INSERT INTO monitoring_alert (treatment_id, clinic_id, cause, severity, summary, owner_id, raised_at, worsened_at,
        escalate_at, outcome)
    SELECT id, clinic_id, 'test_overdue', 4, 'overdue', clinician_id, now(), now(), now(), ''
    FROM monitoring_treatment WHERE clinic_id = %(clinic)s AND overdue_after < current_date
    RETURNING id, treatment_id, clinic_id
), told AS (
    INSERT INTO notifications_delivery (once, channel, address, subject, body, about, clinic_id, priority, created_at,
        due_at, attempts, last_error)
    SELECT 'bare:' || id, 'email', 'a@b.example', 's', 'b', 'alert:' || id, clinic_id, 4, now(), now(), 0, '' FROM raised
), noted AS (
    INSERT INTO monitoring_alertnote (alert_id, at, verb, text) SELECT id, now(), 'raised', 'overdue' FROM raised
), audited AS (
    INSERT INTO patients_auditevent (at, verb, clinic_id, patient_id, subject, detail)
    SELECT now(), 'alert_raised', r.clinic_id, t.patient_id, 'alert:' || r.id, '{}'
    FROM raised r JOIN monitoring_treatment t ON t.id = r.treatment_id
) SELECT count(*) FROM raised
"""
FORGET = """
SET session_replication_role = replica;
TRUNCATE monitoring_alert, monitoring_alertnote, notifications_delivery, patients_auditevent CASCADE;
"""


def measure(count):
    with database() as server:
        clinic = a_clinic()
        owner = a_person(clinic, "prescriber")
        admin = psycopg.connect(
            host="127.0.0.1",
            port=server.port,
            user="postgres",
            dbname="clozatrack",
            autocommit=True,
            cursor_factory=psycopg.ClientCursor,
        )
        admin.execute(FILL, {"clinic": clinic.pk, "owner": owner.pk, "count": count})
        admin.execute("VACUUM ANALYZE")
        figures, cpu = {"sweep": [], "bare": []}, {"sweep": 0.0, "bare": 0.0}
        connection.ensure_connection()
        backend = connection.connection.info.backend_pid
        for _ in range(5):
            for name in figures:
                admin.execute(FORGET)
                begun, begun_cpu = time.monotonic(), cpu_of(backend)
                if name == "sweep":
                    touched = sweep(now=timezone.now())["overdue"]
                else:
                    with connection.cursor() as cursor:
                        cursor.execute(BARE, {"clinic": clinic.pk})
                        touched = cursor.fetchone()[0]
                figures[name].append(time.monotonic() - begun)
                cpu[name] += cpu_of(backend) - begun_cpu
                assert touched == count // 100
        sample = min(2000, count)
        begun = time.monotonic()
        for pk in range(1, sample + 1):
            Treatment.objects.overdue(timezone.now()).filter(pk=pk).exists()
        one_each = (time.monotonic() - begun) * count / sample
        admin.close()
        connection.close()
    swept, bare = sorted(figures["sweep"])[2], sorted(figures["bare"])[2]
    return (
        count, f"{swept:.3f}", f"{bare:.3f}", f"{swept / bare:.2f}", f"{cpu['sweep'] / cpu['bare']:.2f}",
        f"{one_each:.0f}", f"{one_each / swept:.0f}",
    )  # fmt: skip


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--treatments", type=int, nargs="+", default=[200_000, 1_000_000])
    chosen = options.parse_args()
    say(", PostgreSQL durable, 1 % overdue, medians of 5 taken in turns; `one look each` is scaled from 2,000 looks")
    rows = [measure(count) for count in ([20_000] if chosen.quick else chosen.treatments)]
    table(
        [
            "treatments",
            "sweep s",
            "bare SQL s",
            "ratio",
            "ratio of PostgreSQL's CPU",
            "one look each s",
            "times the sweep",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
