"""The supply clock: how far the tablets reach, when the gap begins, and what it would mean day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from monitoring.models import Treatment
from monitoring.rules.eligibility import Milestone, after_the_last_tablet


@dataclass(frozen=True, slots=True)
class SupplyClock:
    """Null dates: no supply was recorded here, so nothing is known about tablets at home."""

    covered_until: date | None
    days_left: int | None
    milestones: Sequence[Milestone]


def supply_clock(treatment: Treatment, *, now: datetime) -> SupplyClock:
    """From the dispenses that stand. Days left count today; negative once the tablets are over."""
    until = treatment.tablets_until
    if until is None:
        return SupplyClock(None, None, ())
    today = now.astimezone(treatment.clinic.zone).date()
    return SupplyClock(until, (until - today).days + 1, after_the_last_tablet(treatment.protocol, until))
