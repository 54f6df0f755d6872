"""A stretch of neutropenia and a pause in treatment, while they last."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.rules.history import Count
from monitoring.rules.protocol import Tail


@dataclass(slots=True)
class OpenEpisode:
    """A stretch of neutropenia while it lasts. `worst` ranks the bands from 0, the best.

    `repeat_of` is the count whose repeat is still owed, `proven` the worst band that needs no confirming.
    `owed` is the tail that this episode broke, `tail` the one that follows it. `recovered` is true of the latest
    count, `recovered_before` of any.
    """

    opened: Count
    opened_at: datetime
    worst: int
    owed: Tail | None
    repeat_of: Count | None = None
    proven: int = 0
    deep: bool = False
    """A count of the episode was below the level at which haematology is consulted."""
    tail: Tail | None = None
    confirmed: bool | None = None
    recovered: bool = False
    recovered_before: bool = False
    restarted: bool = False
    tail_left: int = 0
    last_weekly_on: date | None = None
    in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """Off treatment since the last dose."""

    since: datetime
    on: date
    time_known: bool
    stop: bool

    def days(self, day: date) -> int:
        """Civil days off."""
        return (day - self.on).days

    def lasts_on(self, hours: int, zone: ZoneInfo) -> date:
        """The day on which it has lasted so many hours; dates are counted where the time is unknown."""
        if self.time_known:
            return (self.since + timedelta(hours=hours)).astimezone(zone).date()
        return self.on + timedelta(days=-(-hours // 24))

    def exceeded(self, hours: int, until: datetime, until_on: date, *, until_time_known: bool) -> bool:
        """More than so many elapsed hours when both times are known, else more than so many dates."""
        if self.time_known and until_time_known:
            return until - self.since > timedelta(hours=hours)
        return self.days(until_on) * 24 > hours

    def lasted(self, hours: int, until: datetime, until_on: date, *, until_time_known: bool = True) -> bool:
        """Elapsed hours when both times are known, else so many dates."""
        if self.time_known and until_time_known:
            return until - self.since >= timedelta(hours=hours)
        return self.days(until_on) * 24 >= hours
