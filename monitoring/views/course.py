"""The course of a treatment for the chart and the card: breaks, doses, and what else happened."""

from datetime import datetime

from monitoring.models import DoseChange, Draw
from monitoring.views.record import Record
from monitoring.views.timeline import EVENT_IN_WORDS, event_in_words

LETTERS = {
    "first_dose": "S",
    "restart": "R",
    "fever": "F",
    "rechallenge_approved": "A",
    "hospice_agreed": "H",
    "step_down_authorised": "D",
}
"""How the chart marks what happened; its key says each in words."""


def breaks(record: Record) -> list[tuple[datetime, datetime | None, str]]:
    """From a last dose to the restart after it, or on without end; each with its reason."""
    zone = record.treatment.clinic.zone
    found: list[tuple[datetime, datetime | None, str]] = []
    for event in record.standing_events:
        at = event.at.astimezone(zone)
        if event.kind == "last_dose":
            found = _ended(found, at)
            why = f": {event.reason}" if event.reason else ""
            found.append((at, None, f"{event_in_words(event)} {at:%Y-%m-%d}{why}"))
        elif event.kind == "restart":
            found = _ended(found, at)
    return found


def _ended(
    found: list[tuple[datetime, datetime | None, str]], at: datetime
) -> list[tuple[datetime, datetime | None, str]]:
    if not found or found[-1][1] is not None:
        return found
    begin, _, said = found[-1]
    days = (at.date() - begin.date()).days
    return [*found[:-1], (begin, at, f"{said}, restarted {at:%Y-%m-%d} after {days} day{'' if days == 1 else 's'}")]


def flags(record: Record) -> list[tuple[datetime, str, str]]:
    """Everything but counts, doses and breaks, by a letter."""
    zone = record.treatment.clinic.zone
    marked = [event for event in record.standing_events if event.kind in LETTERS]
    return [
        (at, LETTERS[event.kind], f"{event_in_words(event)}, {at:%Y-%m-%d}")
        for event in marked
        for at in [event.at.astimezone(zone)]
    ]


def letters(record: Record) -> list[tuple[str, str]]:
    """The key to the letters that the chart bears."""
    found = {event.kind for event in record.standing_events}
    return [(letter, EVENT_IN_WORDS[kind].lower()) for kind, letter in LETTERS.items() if kind in found]


def current_dose(record: Record) -> DoseChange | None:
    """The latest dose written down; what is taken today may be none of it, which the break says."""
    return record.doses[-1] if record.doses else None


def open_draw(record: Record) -> Draw | None:
    """Blood on its way to the laboratory."""
    return next((draw for draw in reversed(record.draws) if record.open(draw.ended_at)), None)
