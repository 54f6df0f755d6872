"""Doses, what can have happened, and breaks."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from zoneinfo import ZoneInfo

from monitoring.rules.breaks import break_until, phases_from
from monitoring.rules.dose import Circumstances, Dose, dose_warnings
from monitoring.rules.history import Event, History
from monitoring.rules.open_break import open_break
from monitoring.rules.plausible import check_event, last_dosing
from monitoring.rules.protocols import PROTOCOLS
from tests.rules.telling import DAY, HOUR, START, anc, on, treated
from tests.rules.transcripts.lines import Lines, shown, tried

AUCKLAND = ZoneInfo("Pacific/Auckland")
SPRING = datetime(2025, 9, 27, 23, 30, tzinfo=AUCKLAND)
"""The evening before the clocks go forward."""


def doses() -> Lines:
    """The warnings about a dose, at the edges of the titration."""
    began = date(2026, 3, 2)

    def at(day: int, mg: str | int) -> Dose:
        return Dose(began + timedelta(days=day - 1), Decimal(mg))

    before = {
        "none": [],
        "unsorted": [at(4, 175), at(1, 25)],
        "steady": [at(1, 25), at(14, 300), at(20, 300)],
        "rising": [at(14, 300), at(20, 350), at(22, 400), at(23, 400), at(27, 450)],
        "same day": [at(14, 300), at(28, 350)],
        "before it began": [at(-30, 400)],
        "nothing": [at(20, 0)],
        "small start": [at(1, "12.5")],
        "twice in a day": [at(14, 300), at(14, 200)],
    }
    for (name, earlier), day in product(before.items(), (0, 1, 2, 14, 15, 16, 27, 28, 29, 30)):
        for mg in ("12.5", 25, "25.5", 75, "75.5", 300, 450, 451, 900, "900.5"):
            said = dose_warnings(at(day, mg), earlier=earlier, built_up_from=began)
            yield f"{name}, day {day}, {mg} mg", shown(said)
    yield "no first dose", shown(dose_warnings(at(1, 25), earlier=[], built_up_from=None))
    for name in ("cyp1a2_inhibitor", "cyp3a4_inducer", "stops_smoking", "starts_smoking", "off_treatment"):
        for earlier, mg in product(([], [at(20, 300)], [at(20, 0)], [at(20, 300), at(30, 200)]), (0, 100, 101)):
            around = Circumstances(**{name: True})
            said = dose_warnings(at(30, mg), earlier=earlier, built_up_from=began, around=around)
            yield f"{name}, {mg} mg after {shown(earlier)}", shown(said)


def happenings() -> Lines:
    """Whether an event can have happened, and what the break it ends or begins means."""
    zone, born, now = AUCKLAND, date(1980, 5, 17), on(300)
    known = {
        "nothing": [],
        "begun": [Event("first_dose", START)],
        "begun that day": [Event("first_dose", START.date())],
        "paused": [Event("last_dose", on(100)), Event("first_dose", START)],
        "stopped": [Event("first_dose", START), Event("last_dose", on(100), stop=True)],
        "resumed": [Event("first_dose", START), Event("restart", on(110)), Event("last_dose", on(100))],
        "two pauses": [Event("last_dose", on(200)), Event("first_dose", START), Event("last_dose", on(100).date())],
        "at once": [Event("restart", on(100)), Event("first_dose", START), Event("last_dose", on(100))],
        "by dates": [
            Event("first_dose", START.date()), Event("last_dose", on(100).date()), Event("restart", on(110).date()),
        ],
        "twice": [
            Event("first_dose", START), Event("last_dose", on(100)), Event("restart", on(100)),
            Event("last_dose", on(200)), Event("last_dose", on(200), stop=True),
        ],
    }  # fmt: skip
    near_midnight = [on(day, hours) for day in (-1, 99, 109) for hours in (3, 14)]
    days = map(on, (99, 100, 105, 110, 150, 200))
    moments = [on(-1), START, START - HOUR / 60, START.date(), *days, now, *near_midnight]
    for (name, events), kind, at in product(known.items(), ("first_dose", "last_dose", "restart"), moments):
        for stop in (False, True) if kind == "last_dose" else (False,):
            asked = Event(kind, at, stop=stop)
            said = tried(check_event, asked, events=events, born=born, now=now, zone=zone)
            yield f"{name}: {kind}{' for good' if stop else ''} {at.isoformat()}", said or "possible"
    for name, events in known.items():
        for at in (
            on(-1),
            START,
            on(100),
            on(100).date(),
            on(101).date(),
            on(110),
            on(250),
            on(99, 3),
            on(109, 3),
            on(-1, 3),
        ):
            yield f"{name}, last before {at.isoformat()}", shown(last_dosing(events, at, zone))
    for celsius in ("29.9", "30", "44", "44.1"):
        fever = Event("fever", on(1), celsius=Decimal(celsius))
        yield f"fever {celsius}", tried(check_event, fever, events=[], born=born, now=now, zone=zone) or "possible"
    for at in (born, born - DAY, START - 50 * 365 * DAY, now + HOUR / 3600, now):
        said = tried(check_event, Event("fever", at), events=[], born=born, now=now, zone=zone)
        yield f"fever at {at.isoformat()}", said or "possible"


def breaks() -> Lines:
    """What a pause means while it lasts, and what it would have meant when it ended."""
    for key, protocol in PROTOCOLS.items():
        for last, day, hours in product((on(100), on(100).date()), (100, 102, 103, 104, 105, 128, 130), (-1, 0)):
            history = History(
                time_zone=AUCKLAND.key, events=[*treated(anc(90, 5000, wbc=Decimal(8000))), Event("last_dose", last)]
            )
            yield (
                f"{key}, off since {last.isoformat()}, {day} {hours}",
                shown(open_break(history, protocol, on(day, hours))),
            )
        spring = History(time_zone=AUCKLAND.key, events=[*treated(), Event("last_dose", SPRING)])
        yield f"{key}, over the change of the clocks", shown(open_break(spring, protocol, on(275)))
        yield f"{key}, not off", shown(open_break(History(events=treated()), protocol, on(50)))
        for since, until in product((on(100), on(100).date()), (on(102), on(102, -1), on(104, 1), on(130))):
            yield (
                f"{key}, {since.isoformat()} to {until.isoformat()}",
                shown(tried(break_until, Event("last_dose", since), until, protocol, AUCKLAND)),
            )
        yield f"{key}, steps", shown(phases_from(START.date(), protocol))
