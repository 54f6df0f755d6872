"""Planning reminders: everybody's test is tomorrow, beside planning again when nothing is new, and one last look.

python -m benchmarks.reminders [--people N]
"""

import argparse
import time
from datetime import UTC, datetime

import psycopg
from django.db import connection

from benchmarks.machine import database, say, table
from monitoring.reminding.last_look import reminder
from monitoring.reminding.planning import plan
from notifications.models import Delivery
from tests.cast import a_clinic

FILL = """
INSERT INTO patients_patient (clinic_id, mrn, given_name, family_name, date_of_birth, created_at)
SELECT %(clinic)s, 'B' || n, 'Given', 'Family' || n, '1980-01-01', now() FROM generate_series(1, %(count)s) n;
INSERT INTO monitoring_treatment (patient_id, clinic_id, protocol_key, clinician_id, created_at, version, band, advice,
    frequency, due_on, overdue_after, assessed_at)
SELECT id, clinic_id, 'us-label-2025', NULL, now(), 1, 'normal', 'continue', 'weekly', %(due)s, %(due)s, now()
FROM patients_patient;
INSERT INTO patients_contactpoint (patient_id, kind, value, recorded_at)
SELECT id, 'phone', '+1555' || lpad(id::text, 7, '0'), now() FROM patients_patient;
INSERT INTO patients_consent (patient_id, contact_id, channel, address, given, how, words, at)
SELECT patient_id, id, 'sms', value, true, 'own_page', '', now() FROM patients_contactpoint;
INSERT INTO patients_addresscode (patient_id, channel, address, purpose, code_hash, made_at, tries, used_at)
SELECT patient_id, 'sms', value, 'confirm', '', now(), 1, %(now)s FROM patients_contactpoint;
INSERT INTO patients_wishes (patient_id, language, large_print, awake_from, awake_until, time_zone, days_before,
    before_test, evening_before, on_the_day, when_missed, tablets, at)
SELECT id, CASE id %% 2 WHEN 0 THEN 'en' ELSE 'es' END, false, '08:00', '21:00', '', 2, true, true, true, true, true, now()
FROM patients_patient;
"""


def measure(count):
    with database() as server:
        now = datetime(2026, 9, 14, 17, tzinfo=UTC)  # a Monday; the evening before Tuesday's tests begins in an hour
        clinic = a_clinic(time_zone="UTC")
        admin = psycopg.connect(
            host="127.0.0.1", port=server.port, user="postgres", dbname="clozatrack", autocommit=True,
            cursor_factory=psycopg.ClientCursor,
        )  # fmt: skip
        admin.execute(FILL, {"clinic": clinic.pk, "count": count, "due": datetime(2026, 9, 15).date(), "now": now})
        admin.execute("VACUUM ANALYZE")
        begun = time.monotonic()
        owed, _ = plan(now=now)
        first = time.monotonic() - begun
        admin.execute("VACUUM ANALYZE notifications_delivery")
        begun = time.monotonic()
        assert plan(now=now) == (0, 0)
        again = time.monotonic() - begun
        rows = list(Delivery.objects.filter(about__endswith=":evening")[:50])
        begun = time.monotonic()
        for row in rows:
            assert reminder(row, now=now.replace(hour=18)) is True
        look = (time.monotonic() - begun) / len(rows)
        admin.close()
        connection.close()
    return count, owed, f"{first:.1f}", f"{owed / first:.0f}", f"{again:.1f}", f"{1000 * look:.1f}"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=100_000)
    chosen = options.parse_args()
    say(", PostgreSQL durable, one channel each, the evening's and the day's reminder planned at once")
    rows = [measure(chosen.people)]
    table(["people", "reminders", "planned in s", "a second", "planned again in s", "one last look ms"], rows)


if __name__ == "__main__":
    main()
