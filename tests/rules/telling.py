"""Telling a history in a few words, for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from monitoring.rules.assess import assess
from monitoring.rules.history import Count, Event, History
from monitoring.rules.protocols import PROTOCOLS

START = datetime(2025, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def on(day, hours=0):
    """So many days after the first dose, at 09:00 UTC."""
    return START + day * DAY + hours * HOUR


def anc(day, value, **fields):
    """A count drawn on that day."""
    bound = fields.pop("bound", "")
    return Count(at=on(day, fields.pop("hours", 0)), anc=Decimal(str(value)), anc_bound=bound, **fields)


def event(kind, day, **fields):
    """Something that happened on that day."""
    return Event(kind=kind, at=on(day, fields.pop("hours", 0)), **fields)


def treated(*events):
    """A baseline, the first dose on day 0, and then what is told."""
    return [anc(-2, 3000), event("first_dose", 0), *events]


def judged(events, day, *, hours=3, protocol="us-label-2025", population="general", baseline=None, zone="UTC"):
    """What the rules say on that day."""
    known = Decimal(baseline) if baseline else None
    history = History(time_zone=zone, population=population, baseline_anc=known, events=events)
    return assess(history, PROTOCOLS[protocol], on(day, hours))
