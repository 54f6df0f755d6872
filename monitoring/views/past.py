"""A page as it stood on a day gone by."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.http import HttpRequest

from monitoring.models import Treatment

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the page speaks of. `known_at` is None for now; `refused` says why an asked-for day is not shown."""

    at: datetime
    known_at: datetime | None = None
    day: date | None = None
    refused: str = ""


def moment_of(request: HttpRequest, treatment: Treatment, *, now: datetime) -> Moment:
    """`?as_of=2026-09-14` is the end of that day at the clinic; what was known then, and nothing later."""
    asked = request.GET.get("as_of", "").strip()
    if not asked:
        return Moment(now)
    zone = treatment.clinic.zone
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        return Moment(now, refused=f"“{asked}” is no day. Write one as 2026-09-14. This is the page as it stands now.")
    if day >= now.astimezone(zone).date():
        return Moment(
            now,
            refused=""
            if day == now.astimezone(zone).date()
            else f"{day} has not come yet. This is the page as it stands now.",
        )
    end = datetime.combine(day + timedelta(days=1), time(), zone) - TICK
    if day < treatment.created_at.astimezone(zone).date():
        began = treatment.created_at.astimezone(zone).date()
        return Moment(now, refused=f"Nothing was known here before {began}. This is the page as it stands now.")
    return Moment(end, known_at=end, day=day)
