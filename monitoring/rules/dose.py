"""The dose: what to warn of. Warns, never refuses. Milligrams a day; days are the clinic's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from monitoring.rules.units import plain

SOURCE = "Clozaril prescribing information, June 2025, section 2"
FIRST_DAY_MOST = 25
"""12.5 mg once or twice on day 1."""
STEP_MOST = 50
TARGET = (300, 450)
TITRATION_DAYS = 14
LATER_STEP_MOST = 100
LATER_STEPS_A_WEEK = 2
MOST = 900
RECORDED_MOST = 2000
"""More than this is a slip of the keys, and the database refuses it."""


class Dose(NamedTuple):
    """The daily dose from a day on."""

    on: date
    mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What changes the level of clozapine at the same dose, and whether any is being taken."""

    cyp1a2_inhibitor: bool = False
    cyp3a4_inducer: bool = False
    stops_smoking: bool = False
    starts_smoking: bool = False
    off_treatment: bool = False


def dose_warnings(
    dose: Dose, *, earlier: Iterable[Dose], built_up_from: date | None, around: Circumstances | None = None
) -> list[str]:
    """Sentences about a new daily dose.

    `built_up_from`: the first dose, or the restart after 48 hours or more, whichever is later; null before either.
    """
    around = around or Circumstances()
    known = sorted(earlier, key=lambda one: one.on)
    since = [one for one in known if built_up_from is None or built_up_from <= one.on <= dose.on]
    before = next((one for one in reversed(known) if one.on < dose.on), None)
    found = _not_taking(dose, built_up_from, around)
    if built_up_from is not None and dose.on >= built_up_from:
        day = (dose.on - built_up_from).days + 1
        found += _building_up(dose, since, day) if day <= TITRATION_DAYS else _later(dose, since)
    if dose.mg > MOST:
        found.append(f"{_mg(dose.mg)} a day is above the maximum of {MOST} mg.")
    return found + _interactions(dose, before, around)


def _not_taking(dose: Dose, built_up_from: date | None, around: Circumstances) -> list[str]:
    if built_up_from is None:
        return ["No first dose is recorded yet."]
    if dose.on < built_up_from:
        return [f"This is before the day on which the dose was begun, {built_up_from}."]
    if around.off_treatment and dose.mg:
        return ["Treatment is interrupted: record the restart as well. After 48 hours off it begins with 12.5 mg."]
    return []


def _building_up(dose: Dose, since: Sequence[Dose], day: int) -> list[str]:
    """The first two weeks: 12.5 mg once or twice on day 1, then 25 to 50 mg more a day."""
    found = []
    if day == 1 and dose.mg > FIRST_DAY_MOST:
        found.append(f"Day 1: 12.5 mg once or twice, so at most {FIRST_DAY_MOST} mg, not {_mg(dose.mg)}.")
    if day > 1:
        last = _last_before(since, dose)
        rise = dose.mg - (last.mg if last else FIRST_DAY_MOST)
        if rise > STEP_MOST:
            more = f"{_mg(rise)} more than the dose before"
            found.append(
                f"{more if last else f'{_mg(dose.mg)}, and no earlier dose is recorded since it was begun'}:"
                f" in the first two weeks steps are 25 to {STEP_MOST} mg a day."
                " If there were steps in between, record them too."
            )
    if dose.mg > TARGET[1]:
        found.append(f"Day {day}: the aim by the end of week 2 is {TARGET[0]} to {TARGET[1]} mg a day.")
    return found


def _later(dose: Dose, since: Sequence[Dose]) -> list[str]:
    """After week 2: at most 100 mg more, once or twice a week."""
    last = _last_before(since, dose)
    if last is None or dose.mg <= last.mg:
        return []
    found = []
    if dose.mg - last.mg > LATER_STEP_MOST:
        found.append(
            f"{_mg(dose.mg - last.mg)} more at once: after week 2 at most {LATER_STEP_MOST} mg, once or twice a week."
        )
    rises = _rises_within_a_week(since, dose)
    if rises >= LATER_STEPS_A_WEEK:
        found.append(f"The dose was raised {rises} times in the 7 days before: once or twice a week at most.")
    return found


def _rises_within_a_week(since: Sequence[Dose], dose: Dose) -> int:
    return sum(later.mg > former.mg and 0 <= (dose.on - later.on).days < 7 for former, later in pairwise(since))


def _last_before(since: Sequence[Dose], dose: Dose) -> Dose | None:
    return next((one for one in reversed(since) if one.on < dose.on), None)


def _interactions(dose: Dose, before: Dose | None, around: Circumstances) -> list[str]:
    found = []
    if around.cyp1a2_inhibitor:
        # Rounded down to half a milligram: what is advised is never more than a third.
        third = f", about {_mg(before.mg * 2 // 3 / 2)} instead of {_mg(before.mg)}" if before and before.mg else ""
        found.append(
            "Strong CYP1A2 inhibitor (fluvoxamine, ciprofloxacin, enoxacin): a third of the dose"
            f"{third}. When it ends, back to the former dose."
        )
        if before and before.mg and dose.mg * 3 > before.mg:
            found.append(f"{_mg(dose.mg)} is more than a third of {_mg(before.mg)}.")
    if around.cyp3a4_inducer:
        found.append(
            "Strong CYP3A4 inducer (carbamazepine, phenytoin, rifampicin, St John's wort): not recommended together."
        )
    if around.stops_smoking:
        found.append("On stopping smoking levels rise by about half: watch closely and consider a lower dose.")
    if around.starts_smoking:
        found.append("Tobacco smoke lowers the level: watch whether the effect is lost, and again when smoking stops.")
    return found


def _mg(amount: Decimal) -> str:
    return f"{plain(Decimal(round(amount * 2)) / 2)} mg"
