"""What a report is asked about: whose treatments, which days, and as known at which instant."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from patients.models import Clinic

ASKED = """
WITH stay AS (
    SELECT treatment_id, from_clinic_id AS clinic_id,
           coalesce(lag(accepted_at) OVER (PARTITION BY treatment_id ORDER BY accepted_at), '-infinity') AS since,
           accepted_at AS until
    FROM monitoring_transfer WHERE accepted_at IS NOT NULL
    UNION ALL
    SELECT t.id, t.clinic_id,
           coalesce((SELECT max(x.accepted_at) FROM monitoring_transfer x WHERE x.treatment_id = t.id), '-infinity'),
           'infinity'
    FROM monitoring_treatment t WHERE t.clinic_id = ANY(%(clinics)s)
), asked AS MATERIALIZED (
    SELECT stay.treatment_id, c.time_zone AS zone, stay.since, least(stay.until, merged.at) AS until,
           (%(known_at)s AT TIME ZONE c.time_zone)::date AS today,
           EXISTS (
               SELECT 1 FROM monitoring_benstatus b WHERE b.treatment_id = t.id AND b.confirmed_at <= %(known_at)s
           ) AS ben
    FROM stay
    JOIN monitoring_treatment t ON t.id = stay.treatment_id AND t.created_at <= %(known_at)s
    JOIN patients_clinic c ON c.id = stay.clinic_id
    LEFT JOIN LATERAL (
        SELECT min(m.at) AS at FROM monitoring_merge m
        WHERE m.merged_id = t.id AND m.at <= %(known_at)s AND (m.undone_at IS NULL OR m.undone_at > %(known_at)s)
    ) merged ON true
    WHERE stay.clinic_id = ANY(%(clinics)s)
      AND (%(clinician)s::bigint IS NULL OR t.clinician_id = %(clinician)s::bigint)
      AND (%(protocol)s = '' OR %(protocol)s = (
          SELECT a.protocol_key FROM monitoring_assessment a
          WHERE a.treatment_id = t.id AND coalesce(a.replaces_id, 0) = 0 AND a.as_of <= %(known_at)s
          ORDER BY a.as_of DESC, a.version DESC LIMIT 1
      ))
), wanted AS (
    SELECT * FROM asked WHERE %(population)s = '' OR (%(population)s = 'ben') = ben
)"""
"""Opens every report. A `stay` is the time that a treatment was at one clinic; what happened in it counts there.
A record merged into another ends with the merge. Nothing recorded after `known_at` is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whose treatments, from which day to which (both counted, on each clinic's calendar), as known at an instant."""

    clinics: tuple[Clinic, ...]
    since: date
    until: date
    known_at: datetime
    clinician_id: int | None = None
    protocol: str = ""
    population: str = ""

    def parameters(self) -> dict[str, Any]:
        """For the SQL."""
        return {
            "clinics": [clinic.pk for clinic in self.clinics],
            "since": self.since,
            "until": self.until,
            "known_at": self.known_at,
            "clinician": self.clinician_id,
            "protocol": self.protocol,
            "population": self.population,
        }

    def months(self) -> list[date]:
        """The first day of every month that the question touches."""
        first = self.since.replace(day=1)
        count = (self.until.year - first.year) * 12 + self.until.month - first.month + 1
        return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]


def end_of_day(day: date, clinics: tuple[Clinic, ...]) -> datetime:
    """The last instant of the day, where it ends last among these clinics."""
    ends = [datetime.combine(day + timedelta(days=1), time(), clinic.zone) for clinic in clinics]
    return max(ends) - timedelta(microseconds=1)


def ask(sql: str, question: Question) -> list[tuple[Any, ...]]:
    """The rows that answer it; `sql` goes on from ASKED."""
    with connection.cursor() as cursor:
        cursor.execute(ASKED + sql, question.parameters())
        return list(cursor.fetchall())
