"""The demo's rota: who is on call, a gap, somebody who goes away, and a laboratory that has gone silent."""

from datetime import datetime, time, timedelta

from monitoring.actions.rota import add_shifts, go_away, name_deputy, offer_shift
from monitoring.models import Feed
from patients.models import Clinic, Role, Staff

DAY = timedelta(days=1)


def plan(clinic: Clinic, *, now: datetime) -> None:
    """Nights for three weeks, all but one; a deputy; a shift that a colleague is asked to take; a week away."""
    people: dict[str, Staff] = {row.role: row.staff for row in clinic.memberships.select_related("staff")}
    nurse, prescriber = people[Role.NURSE], people[Role.PRESCRIBER]
    by, today = people[Role.CLINIC_ADMIN], now.astimezone(clinic.zone).date()
    name_deputy(clinic=clinic, staff=None, deputy=nurse, by=by, now=now)
    for ahead, staff in enumerate((prescriber, people[Role.PHARMACIST], prescriber, None, nurse, prescriber, nurse)):
        if staff is None:
            continue
        first = today + ahead * DAY
        made = add_shifts(
            clinic=clinic, staff=staff, first_day=first, starts=time(8), last_day=first + DAY, ends=time(8), weeks=3,
            by=by, now=now,
        )  # fmt: skip
    offer_shift(shift=made[0], taker=prescriber, by=nurse, now=now)
    gone = people[Role.PHARMACIST]
    first, last = today + 10 * DAY, today + 17 * DAY
    go_away(clinic=clinic, staff=gone, cover=nurse, first_day=first, last_day=last, by=gone, now=now)


def listen_to(clinic: Clinic, *, hours_ago: int, now: datetime) -> None:
    """A laboratory that spoke so long ago, and is expected every two days."""
    last = now - timedelta(hours=hours_ago)
    Feed.objects.create(
        clinic=clinic, source="lab", name="Central Laboratory", first_at=now - 60 * DAY, last_at=last, heard=60,
        expected_hours=48, silent_from=last + 2 * DAY,
    )  # fmt: skip
