"""The fold: a history followed event by event up to one moment."""

from datetime import UTC, datetime

from monitoring.rules.counting import take_count
from monitoring.rules.course import Course
from monitoring.rules.errors import InputError
from monitoring.rules.happening import take_event
from monitoring.rules.history import Count, History
from monitoring.rules.protocol import Protocol


def follow(history: History, protocol: Protocol, as_of: datetime) -> Course:
    """Fold the history up to and including `as_of`; later events have not happened yet."""
    try:
        table = protocol.tables[history.population]
    except KeyError:
        raise InputError(
            "population", f"{protocol.key} knows {', '.join(protocol.tables)}, not {history.population!r}"
        ) from None
    course = Course(history, protocol, table)
    moment = as_of.astimezone(UTC)
    for at, item in history.timeline:
        if at > moment:
            break
        if isinstance(item, Count):
            take_count(course, at, item)
        else:
            take_event(course, at, item)
    return course
