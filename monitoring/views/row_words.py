"""What a row of the worklist says, part by part: what is wanted, more of it, and its tone."""

from collections.abc import Callable, Mapping
from datetime import date

from monitoring.models import Treatment
from monitoring.rules.eligibility import after_the_last_tablet
from monitoring.worklist import draw_by
from patients.closed_days import SATURDAY, Days


def days(number: int) -> str:
    """1 day, 2 days."""
    return f"{number} day" if number == 1 else f"{number} days"


def written(day: date) -> str:
    """Thu 12 Nov: the weekday is always said."""
    return f"{day:%a} {day.day} {day:%b}"


Words = tuple[str, str, str]
"""What, more of it, and the tone."""


def _overdue(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.overdue_after is None or treatment.due_on is None:
        return "", "", ""
    return f"{days((day - treatment.overdue_after).days)} late", f"was due {written(treatment.due_on)}", "stop"


def _why_earlier(due_on: date) -> str:
    """A draw that a weekend or a closed day has moved to an open day before it."""
    why = "which is a weekend" if due_on.weekday() >= SATURDAY else "when the clinic is closed"
    return f"due {written(due_on)}, {why}"


def _late(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.overdue_after is None or treatment.due_on is None:
        return "", "", ""
    return "result late", f"was due {written(treatment.due_on)}; ask whether blood was drawn", "warn"


def _due(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.due_on is None or treatment.overdue_after is None:
        return "", "", ""
    if treatment.due_on > day:
        return "today", _why_earlier(treatment.due_on), "warn"
    if treatment.due_on < day:
        return "today", f"due since {written(treatment.due_on)}, late after {written(treatment.overdue_after)}", "warn"
    return "today", "", "warn"


def _soon(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.due_on is None:
        return "", "", ""
    draw_on = draw_by(treatment.due_on, treatment.frequency, closed)
    if draw_on != treatment.due_on:
        return written(draw_on), _why_earlier(treatment.due_on), ""
    return written(treatment.due_on), f"in {days((treatment.due_on - day).days)}", ""


def _paused(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.paused_since is None:
        return "", "", ""
    off = (day - treatment.paused_since).days
    breaks = treatment.protocol.breaks
    dose = "restart from 12.5 mg; " if off * 24 >= breaks.retitrate_hours else ""
    left = breaks.as_new_days - off
    if treatment.changes_on is None and treatment.advice == "may_resume":
        return f"{days(off)} off", f"{dose}after so long without a low count tests go on as before", ""
    if left > 0:
        return f"{days(off)} off", f"{dose}as a new patient in {days(left)}", "warn" if left <= 7 else ""
    return f"{days(off)} off", "a restart is as a new patient: fresh baseline first, then weekly tests", ""


def _tablets(treatment: Treatment, day: date, closed: Days) -> Words:
    """How long they last, and what a gap would mean, before it happens."""
    until = treatment.tablets_until
    if until is None:
        return "", "", ""
    left, first, *rest = (until - day).days + 1, *after_the_last_tablet(treatment.protocol, until)
    stones = [first, *rest] if left > 0 else rest
    means = "; ".join(f"{'since ' * (stone.on < day)}{written(stone.on)}: {stone.short}" for stone in stones)
    if left > 0:
        return f"tablets for {days(left)}", means, "stop" if left == 1 else "warn"
    return f"no tablets for {days(1 - left)}", means, "stop"


def _unreached(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.unreached_since is None:
        return "", "", ""
    since = written(treatment.unreached_since.astimezone(treatment.clinic.zone).date())
    return f"not reached since {since}", "two messages came back: ask for the new number or e-mail", "warn"


def _unreviewed(treatment: Treatment, day: date, closed: Days) -> Words:
    if treatment.unreviewed_since is None:
        return "", "", ""
    since = treatment.unreviewed_since.astimezone(treatment.clinic.zone)
    return "not looked at", f"received {written(since.date())}, {since:%H:%M}", ""


WORDS: Mapping[str, Callable[[Treatment, date, Days], Words]] = {
    "overdue": _overdue,
    "tablets": _tablets,
    "late": _late,
    "due": _due,
    "soon": _soon,
    "unreached": _unreached,
    "unreviewed": _unreviewed,
    "paused": _paused,
    "off": _paused,
}
