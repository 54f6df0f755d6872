"""Whether an event can have happened where somebody says it did. Pure; sentences for what cannot be."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from monitoring.rules.errors import InputError
from monitoring.rules.history import Event, instant_of

COLDEST, HOTTEST = Decimal(30), Decimal(44)
Standing = Literal["not begun", "on", "off"]
AFTER: dict[str, Standing] = {"first_dose": "on", "restart": "on", "last_dose": "off"}


def dosing(events: Iterable[Event], zone: ZoneInfo) -> list[Event]:
    """The events that begin and end the taking of doses, in their order."""
    found = [event for event in events if event.kind in AFTER]
    return sorted(found, key=lambda event: (instant_of(event.at, zone), event.kind != "last_dose", event.stop))


def last_dosing(events: Iterable[Event], at: datetime | date, zone: ZoneInfo) -> Event | None:
    """The latest of them up to a moment."""
    moment = instant_of(at, zone)
    return next((event for event in reversed(dosing(events, zone)) if instant_of(event.at, zone) <= moment), None)


def check_event(event: Event, *, events: Iterable[Event], born: date, now: datetime, zone: ZoneInfo) -> None:
    """Raises InputError saying what is wrong and what would be right."""
    instant, known = instant_of(event.at, zone), list(events)
    if instant > now:
        raise InputError("at", f"{_said(event.at, zone)} is in the future; record what has happened")
    if instant.astimezone(zone).date() < born:
        raise InputError("at", f"{_said(event.at, zone)} is before the patient was born, {born}")
    if event.celsius is not None and not COLDEST <= event.celsius <= HOTTEST:
        raise InputError("celsius", f"{event.celsius} °C is not a body temperature; look at the number and its unit")
    checks = {"first_dose": _first_dose, "last_dose": _last_dose, "restart": _restart}
    if check := checks.get(event.kind):
        check(event, known, zone)


def _first_dose(event: Event, known: list[Event], zone: ZoneInfo) -> None:
    for other in known:
        if other.kind == "first_dose":
            raise InputError(
                "at", f"the first dose is recorded already, {_said(other.at, zone)}; take that back if it was wrong"
            )


def _last_dose(event: Event, known: list[Event], zone: ZoneInfo) -> None:
    first = _first(known, zone)
    before = last_dosing(known, event.at, zone)
    paused = before if before and before.kind == "last_dose" else None
    if paused is not None and not (event.stop and not paused.stop and event.at == paused.at):
        raise InputError(
            "at",
            f"treatment is interrupted since the last dose, {_said(paused.at, zone)}; to stop for good, keep that last"
            " dose; to correct it, take it back first",
        )
    if instant_of(event.at, zone) < instant_of(first.at, zone):
        raise InputError("at", f"that is before the first dose, {_said(first.at, zone)}")


def _restart(event: Event, known: list[Event], zone: ZoneInfo) -> None:
    first, instant = _first(known, zone), instant_of(event.at, zone)
    if instant < instant_of(first.at, zone):
        raise InputError("at", f"that is before the first dose, {_said(first.at, zone)}")
    latest = dosing(known, zone)[-1]
    if latest.kind == "last_dose" and instant < instant_of(latest.at, zone):
        before = last_dosing(known, event.at, zone)
        if before is None or before.kind != "last_dose":
            raise InputError("at", f"that is before the last dose, {_said(latest.at, zone)}; give a later moment")


def _first(known: list[Event], zone: ZoneInfo) -> Event:
    first = next((other for other in dosing(known, zone) if other.kind == "first_dose"), None)
    if first is None:
        raise InputError("at", "no first dose is recorded yet; record that treatment was started first")
    return first


def _said(at: datetime | date, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(at, datetime) else at.isoformat()
