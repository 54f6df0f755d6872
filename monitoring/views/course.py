"""The course of a treatment for the chart and the card: breaks, doses, and what else happened."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monitoring.models import Booking, Draw
from monitoring.views.chart import Chart
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


@dataclass(frozen=True, slots=True)
class CurrentDose:
    """A daily dose; `stale` when a break came after it, so that nobody takes it for the dose of today."""

    daily_mg: Decimal
    at: datetime
    stale: bool


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


def letters(chart: Chart) -> list[tuple[str, str]]:
    """The key to the letters that the chart bears."""
    found = {flag.letter for flag in chart.flags}
    return [(letter, EVENT_IN_WORDS[kind].lower()) for kind, letter in LETTERS.items() if letter in found]


def current_dose(record: Record) -> CurrentDose | None:
    """The latest dose written down."""
    if not record.doses:
        return None
    dose = record.doses[-1]
    stopped = [event.at for event in record.standing_events if event.kind == "last_dose"]
    return CurrentDose(dose.daily_mg, dose.at, stale=any(at >= dose.at for at in stopped))


def open_draw(record: Record) -> Draw | None:
    """Blood on its way to the laboratory."""
    return next((draw for draw in reversed(record.draws) if record.open(draw.ended_at)), None)


def open_booking(record: Record) -> Booking | None:
    """The test that is booked."""
    return next((row for row in reversed(record.bookings) if record.open(row.ended_at)), None)
