"""What a typed result means and what it is asked about, in words for a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitoring.actions.previewing import Weighed
from monitoring.models import Treatment
from monitoring.rules.history import Count
from monitoring.rules.slips import Question
from monitoring.rules.units import PER_MICROLITRE, plain, scale_of
from monitoring.views.words import AdviceCard, advice_card
from patients.access import colleagues_of
from patients.models import Clinic, Staff

UNIT_IN_WORDS = {
    1: "cells per microlitre, so a usual ANC is about 2000 to 7000",
    1000: "thousands per microlitre, so a usual ANC is about 2.0 to 7.0",
}


UNIT_SHOWN = {"10*9/L": "×10⁹/L", "x10^9/L": "×10⁹/L", "10*3/uL": "×10³/µL", "x10^3/uL": "×10³/µL", "/uL": "/µL"}
"""The codes of programs, as people write them."""


@dataclass(frozen=True, slots=True)
class Said:
    """A weighed result for a page: the card, the change against the last count, and what is asked."""

    card: AdviceCard
    change: str
    asked: Sequence[Question]
    wants: frozenset[str]
    codes: str
    ready: bool


def said_of(weighed: Weighed, treatment: Treatment) -> Said:
    """In the words and the unit of the clinic."""
    return Said(
        card=advice_card(weighed.judgement, treatment),
        change=change_in_words(weighed.count, weighed.last, treatment.clinic),
        asked=weighed.asked,
        wants=frozenset(want for question in weighed.asked for want in question.wants),
        codes=",".join(question.code for question in weighed.asked),
        ready=not weighed.still_open,
    )


def change_in_words(count: Count, last: Count | None, clinic: Clinic) -> str:
    """Such as: 1.42, was 2.4 on 3 Nov 2026: down 41 %. Exact numbers; only the percentage is rounded."""
    if count.anc is None:
        return ""
    now_is = in_unit(count.anc, clinic, count.anc_bound)
    if last is None or last.anc is None:
        return f"{now_is}, the first count here"
    day = last.at.astimezone(clinic.zone)
    was = f"{now_is}, was {in_unit(last.anc, clinic, last.anc_bound)} on {day.day} {day:%b %Y}"
    return f"{was}: {_direction(count.anc, last.anc)}"


def _direction(value: Decimal, before: Decimal) -> str:
    if value == before:
        return "unchanged"
    if not before:
        return "up from none"
    percent = abs(value / before - 1) * 100
    return f"{'up' if value > before else 'down'} {percent:.0f} %"


def in_unit(anc: Decimal, clinic: Clinic, bound: str = "") -> str:
    """A count per microlitre as this clinic writes it, exact."""
    return plain(anc / scale_of(clinic.count_unit), bound)


def unit_shown(clinic: Clinic) -> str:
    """The unit in which this clinic types, as it stands on paper."""
    return UNIT_SHOWN.get(clinic.count_unit, clinic.count_unit)


def unit_in_words(clinic: Clinic) -> str:
    """So that nobody has to guess what a number means here."""
    return UNIT_IN_WORDS[1 if clinic.count_unit in PER_MICROLITRE else 1000]


def colleague_choices(staff: Staff, clinic: Clinic) -> list[tuple[int, str]]:
    """Who may be the second person."""
    return [(colleague.pk, str(colleague)) for colleague in colleagues_of(staff, clinic.pk)]
