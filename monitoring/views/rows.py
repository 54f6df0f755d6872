"""A row of the worklist in words: who, what is wanted, since when, and what it means."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from django.utils.timesince import timesince

from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.models import Alert, Draw, Treatment
from monitoring.worklist import draw_by
from patients.models import Patient

UNREMARKABLE = ("continue", "")
Ready = TypeVar("Ready")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `tone` colours the tag, and the tag says it in words too."""

    key: str
    patient: Patient
    clinic: str
    what: str
    more: str = ""
    tone: str = ""
    last: str = ""
    advice: str = ""
    drawn: str = ""
    alert: Alert | None = None
    owner: str = ""
    state: str = ""


def days(number: int) -> str:
    """1 day, 2 days."""
    return f"{number} day" if number == 1 else f"{number} days"


def written(day: date) -> str:
    """Thu 12 Nov: the weekday is always said."""
    return f"{day:%a} {day.day} {day:%b}"


def _overdue(treatment: Treatment, day: date) -> tuple[str, str, str]:
    if treatment.overdue_after is None or treatment.due_on is None:
        return "", "", ""
    return f"{days((day - treatment.overdue_after).days)} late", f"was due {written(treatment.due_on)}", "stop"


def _due(treatment: Treatment, day: date) -> tuple[str, str, str]:
    if treatment.due_on is None or treatment.overdue_after is None:
        return "", "", ""
    if treatment.due_on > day:
        return "today", f"due {written(treatment.due_on)}, which is a weekend", "warn"
    if treatment.due_on < day:
        return "today", f"due since {written(treatment.due_on)}, late after {written(treatment.overdue_after)}", "warn"
    return "today", "", "warn"


def _soon(treatment: Treatment, day: date) -> tuple[str, str, str]:
    if treatment.due_on is None:
        return "", "", ""
    draw_on = draw_by(treatment.due_on, treatment.frequency)
    if draw_on != treatment.due_on:
        return written(draw_on), f"due {written(treatment.due_on)}, which is a weekend", ""
    return written(treatment.due_on), f"in {days((treatment.due_on - day).days)}", ""


def _paused(treatment: Treatment, day: date) -> tuple[str, str, str]:
    if treatment.paused_since is None:
        return "", "", ""
    off = (day - treatment.paused_since).days
    breaks = treatment.protocol.breaks
    dose = "restart from 12.5 mg; " if off * 24 >= breaks.retitrate_hours else ""
    left = breaks.as_new_days - off
    if left > 0:
        return f"{days(off)} off", f"{dose}as a new patient in {days(left)}", "warn" if left <= 7 else ""
    return f"{days(off)} off", "a restart is as a new patient: fresh baseline first, then weekly tests", ""


WORDS: Mapping[str, Callable[[Treatment, date], tuple[str, str, str]]] = {
    "overdue": _overdue,
    "due": _due,
    "soon": _soon,
    "paused": _paused,
    "off": _paused,
}


def treatment_row(name: str, treatment: Treatment, draw: Draw | None, now: datetime) -> Row:
    """A treatment in the section of this name."""
    zone = treatment.clinic.zone
    what, more, tone = WORDS[name](treatment, now.astimezone(zone).date())
    return Row(
        key=f"{name}-{treatment.pk}",
        patient=treatment.patient,
        clinic=treatment.clinic.name,
        what=what,
        more=more,
        tone=tone,
        last=_last(treatment),
        advice=_advice(treatment),
        drawn=_drawn(draw, now) if draw else "",
    )


def _last(treatment: Treatment) -> str:
    if treatment.latest_draw_at is None:
        return "no count yet"
    return f"{treatment.band}, {written(treatment.latest_draw_at.astimezone(treatment.clinic.zone).date())}"


def _advice(treatment: Treatment) -> str:
    return "" if treatment.advice in UNREMARKABLE else ADVICE_IN_WORDS[treatment.advice]


def _drawn(draw: Draw, now: datetime) -> str:
    zone = draw.clinic.zone
    at, today = draw.drawn_at.astimezone(zone), now.astimezone(zone).date()
    if at.date() == today:
        return f"drawn today at {at:%H:%M}"
    return f"drawn {written(at.date())} at {at:%H:%M}, {days((today - at.date()).days)} ago"


def draw_row(draw: Draw, now: datetime) -> Row:
    """Blood that was drawn and has no result yet; from the second day on somebody should ask for it."""
    zone = draw.clinic.zone
    old = (now.astimezone(zone).date() - draw.drawn_at.astimezone(zone).date()).days
    return Row(
        key=f"drawn-{draw.treatment_id}",
        patient=draw.treatment.patient,
        clinic=draw.clinic.name,
        what=_drawn(draw, now),
        more="ask the laboratory" if old else "",
        tone="warn" if old else "",
        last=_last(draw.treatment),
        advice=_advice(draw.treatment),
    )


def alert_row(alert: Alert, now: datetime) -> Row:
    """An alert with its age and its owner."""
    state = alert.state
    if alert.state == "acknowledged":
        state = f"acknowledged by {alert.acknowledged_by}"
    elif alert.escalated_at:
        state = "nobody answered: on-call was told"
    return Row(
        key=f"alert-{alert.pk}",
        patient=alert.treatment.patient,
        clinic=alert.clinic.name,
        what=alert.get_severity_display(),
        more=age(alert.raised_at, now),
        tone={1: "stop", 2: "warn"}.get(alert.severity, ""),
        alert=alert,
        owner=str(alert.owner) if alert.owner else "On-call",
        state=state,
    )


def age(since: datetime, now: datetime) -> str:
    """How long ago, in its largest unit: 12 minutes, 3 hours, 2 days."""
    return timesince(since, now, depth=1).replace("\xa0", " ")


def lasted(since: datetime, until: datetime) -> str:
    """How long something took, in its two largest units."""
    return timesince(since, until, depth=2).replace("\xa0", " ")


def in_order(ids: Iterable[int], found: Mapping[int, Ready]) -> list[Ready]:
    """The rows of a page in the page's order; one that has gone since is left out."""
    return [found[pk] for pk in ids if pk in found]
