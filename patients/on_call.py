"""The rota as it is read: who is on call when, where nobody is, and clock times of a zone as instants."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch

from patients.models import Clinic, Shift, ShiftOffer


class ClockError(ValueError):
    """On that day the clocks are changed, and this time does not exist or exists twice."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one instant to another: somebody's shift, or a gap in which the clinic's address is told."""

    starts_at: datetime
    ends_at: datetime
    shift: Shift | None


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """That time of that day in the zone. Raises ClockError for one that the clocks skip or show twice.

    In UTC: Python compares and subtracts two times of one zone by their clocks.
    """
    local = datetime.combine(day, clock, zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ClockError(f"{clock:%H:%M} does not exist on {day}: the clocks go forward then; choose another time")
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise ClockError(f"{clock:%H:%M} comes twice on {day}: the clocks go back then; choose another time")
    return local.astimezone(UTC)


def standing(clinic: Clinic, since: datetime, until: datetime) -> list[Shift]:
    """The shifts that reach into this time, in their order; each with its `offers_waiting`."""
    found = Shift.objects.filter(clinic=clinic, cancelled_at=None, ends_at__gt=since, starts_at__lt=until)
    waiting = Prefetch("offers", ShiftOffer.objects.waiting().select_related("taker"), to_attr="offers_waiting")
    return list(found.select_related("staff").prefetch_related(waiting).order_by("starts_at"))


def on_call_now(clinic: Clinic, now: datetime) -> Shift | None:
    """Whose shift it is."""
    return next(iter(standing(clinic, now, now + timedelta(microseconds=1))), None)


def stretches(shifts: Iterable[Shift], since: datetime, until: datetime) -> list[Stretch]:
    """The time from since to until without a hole: shifts, and the gaps between them."""
    found, reached = [], since
    for shift in shifts:
        if shift.starts_at > reached:
            found.append(Stretch(reached, shift.starts_at, None))
        found.append(Stretch(shift.starts_at, shift.ends_at, shift))
        reached = max(reached, shift.ends_at)
    if reached < until:
        found.append(Stretch(reached, until, None))
    return found
