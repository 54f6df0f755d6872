"""Preview of another protocol for a whole clinic, beside the bare reading of the same rows in psycopg.

python -m benchmarks.protocol_change [--quick] [--treatments N] [--counts N] [--processes N]
"""

import argparse
import subprocess
import sys
import time

import psycopg
from django.db import connection
from django.utils import timezone

from benchmarks.machine import cpu_of, database, say, table
from monitoring.actions.foreseeing import CHUNK, begin_change, counts_of, foresee_chunk
from monitoring.models import ChangeRow
from tests.cast import a_clinic, a_person

FILL = """
SET session_replication_role = replica;
INSERT INTO patients_patient (clinic_id, mrn, given_name, family_name, date_of_birth, created_at)
SELECT %(clinic)s, 'B' || n, 'Given', 'Family' || n, '1980-01-01', now() - interval '4 years'
FROM generate_series(1, %(count)s) n;
INSERT INTO monitoring_treatment (patient_id, clinic_id, protocol_key, created_at, version, band, advice, frequency)
SELECT id, clinic_id, 'us-label-2025', now() - interval '4 years', %(tests)s + 1, 'normal', 'continue', 'weekly'
FROM patients_patient;
INSERT INTO monitoring_treatmentevent (treatment_id, kind, at, date_only, stop, reason, recorded_at, void_reason)
SELECT id, 'first_dose', began, false, false, '', began, ''
FROM monitoring_treatment, LATERAL (SELECT now() - ((id %% 1000) + 10) * interval '1 day' AS began) b;
INSERT INTO monitoring_result (treatment_id, clinic_id, source, accession, version, status, drawn_at, received_at,
    received, anc, anc_bound, wbc, wbc_bound, supported, flags, reason, by_hand)
SELECT t.id, t.clinic_id, 'lab', t.id || '-' || n, 1, 'final', drawn_at, drawn_at + interval '2 hours', %(received)s,
    anc, '', anc + 3100, '', false, '[]', '', false
FROM monitoring_treatment t, generate_series(0, %(tests)s - 1) n,
    -- Weekly for half a year, then every two weeks, then every four; the last one a few days ago.
    LATERAL (SELECT now() - interval '3 days' - interval '1 day' * (n * ((t.id %% 1000) + 10)::float8 / %(tests)s)
        + interval '1 second' * ((t.id * 31 + n * 17) %% 9000) AS drawn_at) d,
    LATERAL (SELECT CASE WHEN (t.id * 7919 + n * 104729) %% 300 = 0 THEN 700 + (t.id + n) %% 800
        ELSE 1550 + (t.id * 13 + n * 37) %% 3500 END AS anc) a;
"""
RECEIVED = '{"anc": "2.6", "unit": "10*9/L", "status": "final", "drawn_at": "2026-09-14T09:00:00+00:00"}'
BARE = """
SELECT treatment_id, source, accession, version, status, drawn_at, anc, anc_bound, wbc, wbc_bound, supported, flags
FROM monitoring_result WHERE treatment_id = ANY(%s) ORDER BY treatment_id, drawn_at, id
"""
BARE_EVENTS = "SELECT * FROM monitoring_treatmentevent WHERE treatment_id = ANY(%s) ORDER BY at, id"
FORGET = """
SET session_replication_role = replica;
TRUNCATE monitoring_protocolchange, monitoring_changechunk, monitoring_changerow, patients_auditevent CASCADE;
"""


def bare(place, clinic, size):
    """The same rows in chunks of the same size, read and thrown away; on a connection of its own."""
    with psycopg.connect(**place) as own:
        ids = [row[0] for row in own.execute("SELECT id FROM monitoring_treatment WHERE clinic_id = %s", [clinic])]
        begun, rows = time.monotonic(), 0
        for start in range(0, len(ids), size):
            chunk = ids[start : start + size]
            rows += len(own.execute(BARE, [chunk]).fetchall())
            own.execute(BARE_EVENTS, [chunk]).fetchall()
        return time.monotonic() - begun, rows


def measure(count, tests, processes):
    with database() as server:
        clinic = a_clinic()
        by = a_person(clinic, "prescriber")
        place = {"host": "127.0.0.1", "port": server.port, "user": "postgres", "dbname": "clozatrack"}
        admin = psycopg.connect(**place, autocommit=True, cursor_factory=psycopg.ClientCursor)
        filled = time.monotonic()
        admin.execute(FILL, {"clinic": clinic.pk, "count": count, "tests": tests, "received": RECEIVED})
        admin.execute("VACUUM ANALYZE")
        print(f"filled in {time.monotonic() - filled:.0f} s")

        def preview(hands):
            admin.execute(FORGET)
            asked = {"clinic": clinic, "by": by, "reason": "The letter of September 2025"}
            connection.ensure_connection()
            backend = connection.connection.info.backend_pid
            begun, cpu = time.monotonic(), time.process_time() + cpu_of(backend)
            change = begin_change(protocol_key="eu-2025-09", now=timezone.now(), **asked)
            if hands == 1:
                while foresee_chunk(change, now=timezone.now()):
                    pass
            else:
                command = [sys.executable, "manage.py", "change_protocol", "--go-on", str(change.pk)]
                subprocess.run([*command, "--processes", str(hands), "--quiet"], check=True)
            took, cpu = time.monotonic() - begun, time.process_time() + cpu_of(backend) - cpu
            assert ChangeRow.objects.filter(change=change).count() == count
            return took, cpu, counts_of(change)

        rows = []
        for hands in sorted({1, processes}):
            bare_before, read = bare(place, clinic.pk, CHUNK)
            took, cpu, found = preview(hands)
            bare_after, _ = bare(place, clinic.pk, CHUNK)
            reading = (bare_before + bare_after) / 2
            each = f"{1000 * cpu / count:.2f}" if hands == 1 else ""
            speeds = [f"{took:.1f}", f"{count / took:.0f}", f"{count / reading:.0f}", f"{took / reading:.1f}", each]
            rows.append([count, read, hands, *speeds])
        print(dict(found))
        admin.close()
        connection.close()
        return rows


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--treatments", type=int, default=5000)
    options.add_argument("--counts", type=int, default=60)
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    say(
        ", PostgreSQL durable; US label 2025 to EU 2025-09; bare: the same rows read in psycopg, mean of before and after"
    )
    rows = measure(500 if chosen.quick else chosen.treatments, chosen.counts, chosen.processes)
    print("CPU: this process and its PostgreSQL; two processes also begin anew, which counts in their seconds")
    table(
        [
            "treatments",
            "counts",
            "processes",
            "preview s",
            "treatments/s",
            "bare reading/s",
            "times the bare",
            "CPU ms each",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
