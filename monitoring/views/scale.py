"""Where a number and a moment stand on the paper. Pure: pixels down, per cent across, so that one drawing fits all."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from monitoring.rules.calendar import add_months

TOP, BOTTOM = 46, 306
HIGHEST_LINEAR = 10_000
LEAST_TOP = 4_000
SHORTEST = timedelta(days=28)
EDGE = 0.025
MOST_TICKS = 7
APART = 17
"""Pixels between two numbers on the axis, so that they can be read."""


@dataclass(frozen=True, slots=True)
class CountScale:
    """Counts per microlitre, linear from zero or logarithmic."""

    low: float
    high: float
    log: bool

    def y(self, anc: Decimal | float) -> float:
        """Pixels from the top; what lies beyond the scale stands on its edge."""
        value = min(max(float(anc), self.low), self.high)
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return round(BOTTOM - part * (BOTTOM - TOP), 1)

    def beyond(self, anc: Decimal | float) -> bool:
        """Above the top of the scale."""
        return float(anc) > self.high


def count_scale(counts: Iterable[Decimal], *, log: bool) -> CountScale:
    """A scale that shows every count; a linear one ends at 10000, so that the low bands stay wide enough to read."""
    values = [float(count) for count in counts] or [float(LEAST_TOP)]
    highest = max(*values, LEAST_TOP)
    if log:
        steps = [lead * 10**power for power in range(3, 6) for lead in (1, 2, 5)]
        high = next((step for step in steps if step >= highest), steps[-1])
        return CountScale(low=100 if min(values) > 100 else 10, high=high, log=True)
    return CountScale(low=0, high=min(math.ceil(highest / 1000) * 1000, HIGHEST_LINEAR), log=False)


def count_ticks(scale: CountScale, thresholds: Sequence[int]) -> list[tuple[float, int, bool]]:
    """Where, which number, and whether a band ends there. Thresholds first; round numbers only where there is room."""
    found = [(scale.y(number), number, True) for number in thresholds]
    rounds = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
    wanted = rounds if scale.log else range(0, HIGHEST_LINEAR + 1, 2000 if scale.high > LEAST_TOP else 1000)
    for number in wanted:
        y = scale.y(number)
        if scale.low <= number <= scale.high and all(abs(y - other) >= APART for other, _, _ in found):
            found.append((y, number, False))
    return sorted(found)


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Moments from left to right."""

    start: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Per cent of the width."""
        return round(min(max(100 * ((at - self.start) / (self.end - self.start)), 0), 100), 2)

    def holds(self, at: datetime) -> bool:
        """Whether the moment is on the paper."""
        return self.start <= at <= self.end


def time_scale(*, first: datetime | None, now: datetime, days: int | None) -> TimeScale:
    """From the first thing there is to show, or so many days back, to now; never less than four weeks."""
    begin = min(first or now, now - SHORTEST)
    if days is not None:
        begin = max(begin, now - timedelta(days=days))
    edge = (now - begin) * EDGE
    return TimeScale(begin - edge, now + edge)


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A day on the axis. Every second one is left out on a narrow page."""

    x: float
    label: str
    minor: bool


def time_ticks(scale: TimeScale) -> list[TimeTick]:
    """Weeks, months or years, so few that they can be read, and none at the very edge."""
    days = _ticked_days(scale)
    zone = scale.start.tzinfo
    pattern = "{day.day} {day:%b}" if (scale.end - scale.start).days < 100 else "{day:%b %Y}"
    found = [(scale.x(datetime.combine(day, time(), zone)), pattern.format(day=day)) for day in days]
    inside = [tick for tick in found if 4 <= tick[0] <= 96]
    return [TimeTick(x, label, minor=(len(inside) - 1 - place) % 2 == 1) for place, (x, label) in enumerate(inside)]


def _ticked_days(scale: TimeScale) -> list[date]:
    first, last = scale.start.date(), scale.end.date()
    span = (last - first).days
    if span < 70:
        step = 7 if span <= 7 * MOST_TICKS else 14
        return [first + timedelta(days=number) for number in range(0, span + 1, step)]
    months = next((step for step in (1, 2, 3, 6, 12, 24, 60, 120) if span / 30.4 / step <= MOST_TICKS), 240)
    begin = date(first.year, 1, 1) if months >= 12 else date(first.year, (first.month - 1) // months * months + 1, 1)
    days = [add_months(begin, number * months) for number in range(span // (28 * months) + 3)]
    return [day for day in days if first <= day <= last]
