"""The pause that is open at a moment, and the days from which restarting asks for more."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitoring.rules.course import Course
from monitoring.rules.follow import follow
from monitoring.rules.history import Event, History, instant_of
from monitoring.rules.protocol import Protocol


@dataclass(frozen=True, slots=True)
class OpenBreak:
    """Off treatment. From `retitrate_on` the dose is built up again, from `as_new_on` a restart is a new start."""

    last_dose_on: date
    days: int
    for_good: bool
    retitrate_on: date
    retitrate_at: datetime | None
    """The instant, where the time of the last dose is known."""
    retitrate: bool
    as_new_on: date
    as_new: bool
    hours: int
    """The protocol's own limits, for the words on a page."""
    as_new_days: int
    waived: bool = False
    """A long clean history outweighs the break, where the protocol says so: tests go on as before."""


def would_be_waived(history: History, protocol: Protocol, last_dose: Event, until: datetime) -> bool:
    """Whether a break that began with that dose is outweighed by what was known until a moment."""
    course: Course = follow(history, protocol, until)
    return course.waived(course.civil(instant_of(last_dose.at, course.zone)))


def open_break(history: History, protocol: Protocol, as_of: datetime) -> OpenBreak | None:
    """What the break means now and later; None while on treatment or before it."""
    course: Course = follow(history, protocol, as_of)
    pause, breaks, today = course.pause, protocol.breaks, course.civil(as_of)
    if pause is None:
        return None
    long_enough = timedelta(hours=breaks.retitrate_hours)
    at = (pause.since + long_enough).astimezone(course.zone) if pause.time_known else None
    return OpenBreak(
        last_dose_on=pause.on,
        days=pause.days(today),
        for_good=pause.stop,
        retitrate_on=at.date() if at else pause.on + long_enough,
        retitrate_at=at,
        retitrate=pause.lasted(breaks.retitrate_hours, as_of, today),
        as_new_on=pause.on + timedelta(days=breaks.as_new_days),
        as_new=pause.days(today) >= breaks.as_new_days and not course.waived(pause.on),
        hours=breaks.retitrate_hours,
        as_new_days=breaks.as_new_days,
        waived=course.waived(pause.on),
    )
