"""Slips of the hand: what a typed count is asked about before it is believed. Plain, without clock or database."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from monitoring.rules.errors import InputError
from monitoring.rules.history import Count
from monitoring.rules.protocol import Table
from monitoring.rules.units import plain

Want = Literal["again", "proof", "reason", "sure"]

RISE = math.log(2.1)
FALL = math.log(2.5)
MISREAD_RISE = math.log(1.55)
"""Asked from here on where swapping two digits, or moving the point, gives a count in a worse band."""
FITS = math.log(1.8)
"""A reading that lies so near to the earlier counts is named as the one that was probably meant."""
UNUSUAL = 20_000
"""/uL. Asked about where there is no earlier count to compare with."""
LATE = timedelta(hours=72)
SAME_DRAW = timedelta(minutes=30)
DAY = timedelta(days=1)
COMPARED = 5
FACTORS = (10, 1000, 100)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to look at again: a stable code, the sentence, and the answers that it wants."""

    code: str
    text: str
    wants: tuple[Want, ...]


class DoubtError(InputError):
    """A typed result that has to be looked at again: the questions, until they are answered."""

    def __init__(self, asked: Sequence[Question]) -> None:
        super().__init__("answers", " ".join(question.text for question in asked))
        self.asked = tuple(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a person answered. `confirmed` holds the codes of the questions that were shown."""

    confirmed: tuple[str, ...] = ()
    again: str = ""
    document: str = ""
    second: int | None = None
    """Who has read the report too and has signed in beside the typist for it."""
    reason: str = ""
    sure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A count as somebody typed it: `written` is its main number in a unit of `scale` per microlitre."""

    count: Count
    written: str
    scale: int
    unit: str

    def shown(self, value: Decimal, bound: str = "") -> str:
        """A count per microlitre in the unit of the typist."""
        return f"{plain(value / self.scale, bound)} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The row that the same person typed just before, for another patient, and that patient's counts before it."""

    name: str
    count: Count
    earlier: Sequence[Count]


def questions(
    typed: Typed,
    earlier: Sequence[Count],
    table: Table,
    *,
    now: datetime,
    zone: ZoneInfo,
    neighbour: Neighbour | None = None,
) -> list[Question]:
    """What has to be looked at again before this count is stored. `earlier`: the counts that stand, in draw order."""
    before = [count for count in earlier if count.at <= typed.count.at]
    asked = [
        _duplicate(typed, earlier, zone),
        _out_of_time(typed, earlier, now),
        _loosens(typed, before, table, zone),
        _change(typed, before, table, zone),
        _neighbour(typed, before, neighbour),
    ]
    return [question for question in asked if question is not None]


def loosened_from(count: Count, earlier: Sequence[Count], table: Table) -> Count | None:
    """The count before this one, where this one is in a better band; else None."""
    before = [other for other in earlier if other.at <= count.at]
    return before[-1] if before and table.rank(count) < table.rank(before[-1]) else None


def _duplicate(typed: Typed, earlier: Sequence[Count], zone: ZoneInfo) -> Question | None:
    count = typed.count
    day = count.at.astimezone(zone).date()
    for other in (other for other in earlier if abs(other.at - count.at) < DAY):
        near = abs(other.at - count.at) <= SAME_DRAW
        same = other.anc == count.anc and other.at.astimezone(zone).date() == day
        if near or same:
            what = "the same value on the same day" if same else "a count of the same draw"
            when = f"{other.at.astimezone(zone):%Y-%m-%d %H:%M}"
            text = f"There is {what} already: {_value(typed, other)}, drawn {when}. Is this another blood sample?"
            return Question("duplicate", text, ("sure",))
    return None


def _out_of_time(typed: Typed, earlier: Sequence[Count], now: datetime) -> Question | None:
    if earlier and typed.count.at < earlier[-1].at:
        text = "This blood was drawn before the latest count that is stored. Say why it comes only now."
    elif now - typed.count.at > LATE:
        text = "This blood was drawn more than 72 hours ago. Say why it comes only now."
    else:
        return None
    return Question("late", text, ("reason",))


def _loosens(typed: Typed, before: Sequence[Count], table: Table, zone: ZoneInfo) -> Question | None:
    last = loosened_from(typed.count, before, table)
    if last is None:
        return None
    was, is_now = table.bands[table.rank(last)].name, table.bands[table.rank(typed.count)].name
    text = (
        f"The last count, {_value(typed, last)} on {_day(last, zone)}, was {was}; this one would be {is_now}."
        " Type the number again from the report, and give the report's number or a second person who has read it."
    )
    return Question("loosens", text, ("again", "proof"))


def _change(typed: Typed, before: Sequence[Count], table: Table, zone: ZoneInfo) -> Question | None:
    value = typed.count.anc
    known = [count for count in before if count.anc is not None][-COMPARED:]
    if value is None:
        return None
    if not known:
        unusual = value > UNUSUAL
        text = f"{_value(typed, typed.count)} is unusually high, and there is no earlier count. Type the number again."
        return Question("change", text, ("again",)) if unusual else None
    step = _step(value, known)
    far = step > RISE or step < -FALL
    if not far and not (step > MISREAD_RISE and _hides_worse(typed, table)):
        return None
    meant = next((reading for reading in _misreadings(typed) if abs(_step(reading, known)) < FITS), None)
    now, last = _value(typed, typed.count), known[-1]
    was = f"{now} is far from the last count, {_value(typed, last)} on {_day(last, zone)}."
    probably = f" Probably {typed.shown(meant)} was meant." if meant is not None and far else ""
    return Question("change", f"{was}{probably} Correct it, or type the same number again.", ("again",))


def _neighbour(typed: Typed, before: Sequence[Count], neighbour: Neighbour | None) -> Question | None:
    """Two rows changed places, or one number went into both: it fits badly here and well there."""
    mine, theirs = typed.count.anc, neighbour.count.anc if neighbour else None
    own = [count for count in before if count.anc is not None][-COMPARED:]
    if neighbour is None or mine is None or theirs is None or not own:
        return None
    other = [count for count in neighbour.earlier if count.anc is not None][-COMPARED:]
    if not other:
        return None
    here, there = abs(_step(mine, own)), abs(_step(mine, other))
    back = abs(_step(theirs, own))
    repeated = mine == theirs and max(here, there) > MISREAD_RISE / 2
    changed_places = here - there > MISREAD_RISE and abs(_step(theirs, other)) - back > MISREAD_RISE
    if not repeated and not changed_places:
        return None
    what = "is the number just typed" if repeated else "would fit better to the row just typed,"
    text = f"{typed.shown(mine)} {what} for {neighbour.name}. Is it this patient's? Check the name on the report."
    return Question("neighbour", text, ("sure",))


def _step(value: Decimal, known: Sequence[Count]) -> float:
    """The logarithm of the change against the last count or the usual one, whichever is nearer."""
    numbers = [float(count.anc) for count in known if count.anc is not None]
    steps = [math.log(max(float(value), 1) / max(number, 1)) for number in (numbers[-1], median(numbers))]
    return min(steps, key=abs)


def _misreadings(typed: Typed) -> Iterator[Decimal]:
    """What may have been on the report: another place of the point, or two digits the other way round."""
    value = typed.count.anc
    if value is None:
        return
    for factor in FACTORS:
        yield value / factor
        yield value * factor
    yield from _swapped(typed)


def _swapped(typed: Typed) -> Iterator[Decimal]:
    """The typed number with each pair of neighbouring digits changed, per microlitre; for a plain ANC only."""
    digits = typed.written.strip().lstrip("<>").strip()
    places = [place for place, sign in enumerate(digits) if sign.isdigit()]
    for first, second in pairwise(places):
        if digits[first] != digits[second]:
            signs = list(digits)
            signs[first], signs[second] = signs[second], signs[first]
            yield Decimal("".join(signs)) * typed.scale


def _hides_worse(typed: Typed, table: Table) -> bool:
    rank = table.rank(typed.count)
    readings: Iterable[Decimal] = _swapped(typed)
    return any(table.rank(typed.count._replace(anc=reading)) > rank for reading in readings)


def _value(typed: Typed, count: Count) -> str:
    return "a count without ANC" if count.anc is None else typed.shown(count.anc, count.anc_bound)


def _day(count: Count, zone: ZoneInfo) -> str:
    return f"{count.at.astimezone(zone):%Y-%m-%d}"
