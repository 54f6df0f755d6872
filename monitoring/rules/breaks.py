"""What a break in treatment means at its end: the dose's clock and the monitoring's clock, with their dates."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.rules.calendar import add_months
from monitoring.rules.episode import Pause
from monitoring.rules.history import Event, instant_of
from monitoring.rules.protocol import Frequency, Protocol


@dataclass(frozen=True, slots=True)
class Break:
    """From the last dose to a restart, or to now. `from_12_5` is a date where a time of day is unknown."""

    days: int
    rebuild: bool
    """Long enough that the dose has to be built up anew."""
    from_12_5: datetime | date
    as_new: bool
    as_new_on: date
    waived: bool = False
    """A long clean history outweighs it, where the protocol says so: however long, tests go on as before."""
    extra_weekly: bool = False
    """It is long enough for weekly tests for some weeks, and not as new."""


def break_until(
    last_dose: Event, until: datetime | date, protocol: Protocol, zone: ZoneInfo, *, waived: bool = False
) -> Break:
    """The break between the last dose and a moment. `waived`: see would_be_waived."""
    since, ends = instant_of(last_dose.at, zone), instant_of(until, zone)
    on, ends_on = since.astimezone(zone).date(), ends.astimezone(zone).date()
    timed = isinstance(last_dose.at, datetime)
    pause = Pause(since=since, on=on, time_known=timed, stop=last_dose.stop)
    breaks = protocol.breaks
    hours, days, over = breaks.retitrate_hours, breaks.as_new_days, breaks.extra_weekly_over_hours
    as_new = pause.days(ends_on) >= days and not waived
    exceeded = over is not None and pause.exceeded(over, ends, ends_on, until_time_known=isinstance(until, datetime))
    return Break(
        days=pause.days(ends_on),
        rebuild=pause.lasted(hours, ends, ends_on, until_time_known=isinstance(until, datetime)),
        from_12_5=since + timedelta(hours=hours) if timed else pause.lasts_on(hours, zone),
        as_new=as_new,
        as_new_on=on + timedelta(days=days),
        waived=waived,
        extra_weekly=exceeded and not as_new and not waived,
    )


def phases_from(started_on: date, protocol: Protocol) -> list[tuple[Frequency, date | None]]:
    """How often tests are taken while all is normal, each until its day; the last without an end."""
    found: list[tuple[Frequency, date | None]] = []
    for phase in protocol.phases:
        if phase.weeks is not None:
            found.append((phase.frequency, started_on + timedelta(weeks=phase.weeks)))
        else:
            found.append((phase.frequency, add_months(started_on, phase.months) if phase.months else None))
    return found
