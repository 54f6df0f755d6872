"""A clinic's mornings, made up but believable, and the slips that people make when they type its results.

Within one person neutrophils vary by about 17 % from week to week (EFLM biological variation: 14 to 20 %), people
differ from each other by far more, an infection doubles a count for a while, and now and then somebody falls.
"""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from monitoring.rules.history import Count

NOW = datetime(2026, 9, 14, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
LOW_RUNS = ((1350, 1300, 1420, 1600), (1200, 1100, 1700), (900, 1150, 1300, 1650), (700, 850, 1200, 1400, 1800),
            (400, 450, 700, 1150, 1600))  # fmt: skip


class Style(NamedTuple):
    """How a laboratory prints a count: its unit, and to which step."""

    unit: str
    scale: int
    step: str


STYLES = (Style("/uL", 1, "10"), Style("10*9/L", 1000, "0.01"), Style("10*9/L", 1000, "0.1"))


class Row(NamedTuple):
    """One report on the morning's pile: whose history, what it says."""

    earlier: list
    truth: Count
    white: Decimal
    percent: int
    population: str
    style: Style


def a_series(chance, length, ben):
    """One person's counts per microlitre, oldest first."""
    usual = 2000 * 2 ** chance.gauss(0, 0.25) if ben else 4000 * 2 ** chance.gauss(0, 0.45)
    values = []
    while len(values) < length:
        roll = chance.random()
        if roll < 0.003:
            values += [value * chance.uniform(0.93, 1.07) * (0.67 if ben else 1) for value in chance.choice(LOW_RUNS)]
        elif roll < 0.013:
            values.append(usual * chance.uniform(1.5, 2.6))
        else:
            values.append(usual * 2.718 ** chance.gauss(0, 0.17))
    return values[:length]


def written(value, style):
    """As the report prints it."""
    return f"{(Decimal(str(value)) / style.scale).quantize(Decimal(1) if style.scale == 1 else Decimal(style.step))}"


def printed(value, style):
    """The count as the report says it, per microlitre: in steps of ten, or of one or two decimals."""
    rounded = round(float(value), -1) if style.scale == 1 else value
    return Decimal(written(rounded, style)) * style.scale


def a_morning(chance, style, rows=40):
    """A pile of reports, in the order in which they are typed."""
    made = []
    for _ in range(rows):
        ben = chance.random() < 0.06
        values = a_series(chance, chance.randrange(2, 30), ben)
        counts = [
            Count(at=NOW - WEEK * (len(values) - 1 - week), anc=printed(value, style))
            for week, value in enumerate(values)
        ]
        percent = chance.randrange(45, 75)
        white = (counts[-1].anc * 100 / percent).quantize(Decimal(10))
        made.append(Row(counts[:-1], counts[-1], white, percent, "ben" if ben else "general", style))
    return made


def factor(chance, row, _pile):
    """A zero or the decimal point: ten or a thousand times too much or too little."""
    return written(row.truth.anc * Decimal(chance.choice(["10", "0.1", "1000", "0.001", "10", "0.1"])),
                   row.style._replace(step="0.001"))  # fmt: skip


def swapped_digits(chance, row, _pile):
    """Two neighbouring digits the other way round; None where they are alike."""
    text = written(row.truth.anc, row.style)
    places = [place for place, sign in enumerate(text) if sign.isdigit()]
    first, second = chance.choice(list(pairwise(places)))
    signs = list(text)
    signs[first], signs[second] = signs[second], signs[first]
    return None if "".join(signs) == text else "".join(signs)


def wrong_column(chance, row, _pile):
    """The white cells, or the percentage, where the ANC belongs."""
    return written(row.white, row.style) if chance.random() < 0.6 else str(row.percent)


def neighbour(chance, row, pile):
    """The number of the report above or below."""
    place = next(index for index, other in enumerate(pile) if other is row)
    other = pile[max(place - 1, 0) if chance.random() < 0.5 and place else min(place + 1, len(pile) - 1)]
    return None if other is row else written(other.truth.anc, row.style)


SLIPS = (factor, swapped_digits, wrong_column, neighbour)


def piles(seed, number):
    """Mornings without end of one random seed."""
    chance = random.Random(seed)
    for turn in range(number):
        yield chance, a_morning(chance, STYLES[turn % len(STYLES)])
