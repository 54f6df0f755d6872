"""The supply clock: how far the tablets reach, when the gap begins, and what it would mean day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitoring.models import Treatment
from monitoring.rules.eligibility import Milestone, after_the_last_tablet


@dataclass(frozen=True, slots=True)
class SupplyClock:
    """Null dates: no supply was recorded here, so nothing is known about tablets at home."""

    covered_until: date | None
    days_left: int | None
    gap_on: date | None
    """The first day without tablets."""
    milestones: Sequence[Milestone]


def supply_clock(treatment: Treatment, *, now: datetime) -> SupplyClock:
    """From the dispenses that stand. Days left count today; negative once the tablets are over."""
    until = treatment.tablets_until
    if until is None:
        return SupplyClock(None, None, None, ())
    today = now.astimezone(treatment.clinic.zone).date()
    stones = after_the_last_tablet(treatment.protocol, until)
    return SupplyClock(until, (until - today).days + 1, until + timedelta(days=1), stones)
