"""The morning's mail: how much the day's list holds, in numbers alone, to whoever of the staff wants it."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet

from monitoring.feed_health import feeds_of, silent_sources
from monitoring.models import Alert, Cause, Draw, Severity, Treatment
from monitoring.worklist import SECTIONS, closed_ahead, not_merged, section_of
from notifications.actions import owe
from notifications.letters import letter
from patients.models import Clinic, Role, Staff

USUAL = (Role.NURSE, Role.PRESCRIBER)
"""Whose day the list is: they get the mail unless they turn it off; others turn it on."""
FROM, UNTIL = time(7, 30), time(12)
"""The clinic's own clock. No zone changes its clocks in these hours; after them a mail of the morning is late news."""

READERS = """
WITH morning AS MATERIALIZED (
    SELECT id, (%(now)s AT TIME ZONE time_zone)::date AS day FROM patients_clinic
    WHERE (%(now)s AT TIME ZONE time_zone)::time >= %(from)s AND (%(now)s AT TIME ZONE time_zone)::time < %(until)s
), readers AS MATERIALIZED (
    SELECT m.clinic_id, s.id, s.email, morning.day,
        'morning:' || s.id || ':' || m.clinic_id || ':' || morning.day AS once
    FROM morning
    JOIN patients_membership m ON m.clinic_id = morning.id AND m.active
    JOIN patients_staff s ON s.id = m.staff_id AND s.is_active AND s.email <> ''
    GROUP BY m.clinic_id, s.id, morning.day
    HAVING coalesce(bool_or(m.daily_mail), bool_or(m.role = ANY(%(usual)s)))
)
SELECT clinic_id, id, email, day FROM readers r
WHERE NOT EXISTS (SELECT FROM notifications_delivery d WHERE d.once = r.once)
"""


class Reader(NamedTuple):
    """Somebody whose mail of the day has not been written yet."""

    clinic_id: int
    staff_id: int
    address: str
    day: date

    @property
    def once(self) -> str:
        """The key that makes a second mail of the day impossible."""
        return f"morning:{self.staff_id}:{self.clinic_id}:{self.day}"


def wants_mail(staff: Staff, clinic: Clinic) -> bool:
    """Whether the mail comes to this person from this clinic: what they said, else what is usual."""
    rows = list(staff.memberships.filter(clinic=clinic, active=True))
    said = [row.daily_mail for row in rows if row.daily_mail is not None]
    return any(said) if said else any(row.role in USUAL for row in rows)


def owe_digests(*, now: datetime) -> int:
    """A mail a person, clinic and day, from half past seven on. How many were written."""
    readers = _readers(now)
    if not readers:
        return 0
    clinics = {clinic.pk: clinic for clinic in Clinic.objects.filter(pk__in={one.clinic_id for one in readers})}
    words = _words(clinics, now)
    mails = []
    for reader in readers:
        mail = letter(
            reader.address, words[reader.clinic_id], "/", about=f"morning:{reader.day}", clinic_id=reader.clinic_id,
            now=now,
        )  # fmt: skip
        mail.once = reader.once
        mails.append(mail)
    owe(mails)
    return len(mails)


def _readers(now: datetime) -> list[Reader]:
    with connection.cursor() as cursor:
        cursor.execute(READERS, {"now": now, "from": f"{FROM}", "until": f"{UNTIL}", "usual": list(USUAL)})
        return [Reader(*row) for row in cursor.fetchall()]


def _words(clinics: Mapping[int, Clinic], now: datetime) -> dict[int, str]:
    """What each clinic's mail says."""
    standing = Q(resolved_at=None) & ~Q(cause=Cause.TEST_OVERDUE)
    alerts = _counted(Alert.objects.filter(standing, clinic__in=clinics))
    severe = _counted(Alert.objects.filter(standing, clinic__in=clinics, severity=Severity.SEVERE))
    drawn = _counted(Draw.objects.filter(not_merged("treatment"), clinic__in=clinics, ended_at=None))
    due = _due(clinics.values(), now)
    return {
        pk: f"today at {clinic}: {alerts.get(pk, 0)} alerts ({severe.get(pk, 0)} severe),"
        f" {due['overdue'].get(pk, 0)} tests overdue, {due['late'].get(pk, 0)} results late,"
        f" {due['due'].get(pk, 0)} due today, {drawn.get(pk, 0)} drawn without a result"
        for pk, clinic in clinics.items()
    }


def _due(clinics: Iterable[Clinic], now: datetime) -> dict[str, dict[int, int]]:
    """The worklist's own sections, counted. Clinics that share the day, closed days and sources are asked together."""
    here = list(clinics)
    silent, closed = silent_sources(feeds_of(here), now), closed_ahead(here, now)
    groups: dict[tuple[date, frozenset[date], tuple[str, ...]], list[Clinic]] = {}
    for clinic in here:
        key = now.astimezone(clinic.zone).date(), frozenset(closed[clinic.pk]), tuple(silent.get(clinic.pk, ()))
        groups.setdefault(key, []).append(clinic)
    found: dict[str, dict[int, int]] = {"overdue": {}, "late": {}, "due": {}}
    for section in (section for section in SECTIONS if section.name in found):
        for (_, days, sources), group in groups.items():
            for wanted in section_of(section, group[0], now, days, list(sources)):
                rows = Treatment.objects.filter(wanted, not_merged(), clinic__in=group)
                for pk, number in _counted(rows).items():
                    found[section.name][pk] = found[section.name].get(pk, 0) + number
    return found


def _counted(rows: "QuerySet[Treatment] | QuerySet[Alert] | QuerySet[Draw]") -> dict[int, int]:
    return dict(rows.order_by().values_list("clinic").annotate(Count("pk")))
