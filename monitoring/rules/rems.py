"""What the US REMS would have answered on a date: four eras, read from dated facts. History since 2025-02-24.

Source: clinical rules, section 2. The counts and windows are data of an era, because some are not verified yet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from monitoring.rules.calendar import add_months
from monitoring.rules.protocol import Frequency

Outcome = Literal["authorised", "refused", "not_asked", "not_begun", "not_on_record"]
NOT_ACCEPTABLE = {"general": ("moderate", "severe"), "ben": ("severe",)}
ANC_DAYS: dict[Frequency, int] = {"weekly": 7, "every_2_weeks": 15, "monthly": 31}
PSF_DAYS = 37
RATIONALES, RATIONALE_MONTHS, RATIONALE_ANC_DAYS = 3, 6, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the programme knew on that day. Dates are civil; null or empty is not on record."""

    begun: bool = True
    """Whether the day asked about is the first day with tablets, or a later one."""
    begins_on: date | None = None
    """That first day, for the words; null: none is on record."""
    beginning_known: bool = True
    """False: the treatment was taken over on `begins_on`, and nobody knew since when it ran."""
    population: Literal["general", "ben"] = "general"
    frequency: Frequency = "weekly"
    prescriber_certified: bool = False
    pharmacy_certified: bool = False
    patient_enrolled: bool = False
    treatment_held: bool = False
    """Interrupted or discontinued."""
    anc_on: date | None = None
    band: str | None = None
    treatment_rationale: bool = False
    dispenses: Sequence[date] = ()
    """Earlier dispenses on record."""
    status_forms: Sequence[date] = ()
    dispense_rationales: Sequence[date] = ()
    """Earlier ones; the one asked about is `with_rationale`."""
    with_rationale: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """The programme's answer. `tolerated`: the FDA did not expect the answer to be followed on that day."""

    era: str
    outcome: Outcome
    because: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    tolerated: bool = False
    discharge_days: int | None = None
    """The longest supply at discharge from hospital; null: no rule of its own."""


@dataclass(frozen=True, slots=True)
class Era:
    """One stretch of the programme: its first day, and the question it asked."""

    key: str
    title: str
    begins: date
    ask: Callable[[Facts, date], tuple[list[str], list[str]]]


def would_have_said(facts: Facts, on: date) -> Said:
    """The programme's answer on a day. Raises ValueError before there was a shared programme."""
    era = era_on(on)
    if era.key == "ended":
        return Said(era.key, "not_asked", ("No REMS question has been asked since 2025-02-24.",))
    if not facts.begun:
        return Said(era.key, "not_begun" if facts.beginning_known else "not_on_record", (_before(facts),))
    refusals, warnings = era.ask(facts, on)
    return Said(
        era.key,
        "refused" if refusals else "authorised",
        tuple(refusals),
        tuple(warnings),
        tolerated=bool(refusals) and on >= date(2021, 11, 19),
        discharge_days=_discharge_days(facts, on),
    )


def _before(facts: Facts) -> str:
    """Why there is no answer for a day before the first tablets."""
    if not facts.beginning_known:
        return (
            f"The treatment was taken over on {facts.begins_on}. When it began elsewhere is not known, and nothing"
            " before is on record here, so there is no answer for this day."
        )
    if facts.begins_on is None:
        return "Treatment had not begun on this day: no first dose is on record. There was nothing to dispense."
    return f"Treatment had not begun on this day: it began on {facts.begins_on}. There was nothing to dispense."


def rationales_used(given: Sequence[date], on: date) -> int:
    """How many dispense rationales count against the three of a day: those of the months before it, that day too."""
    since = add_months(on, -RATIONALE_MONTHS)
    return sum(since < one <= on for one in given)


def era_on(on: date) -> Era:
    """The era in force. Raises ValueError before 2015-10-12, when each brand had a registry of its own."""
    found = [era for era in ERAS if era.begins <= on]
    if not found:
        raise ValueError(f"{on} is before the shared programme began on {ERAS[0].begins}; ask about a later day")
    return found[-1]


def psf_due(last: date | None) -> date | None:
    """The last day on which a Patient Status Form submitted then still serves: day 37 passes, day 38 fails."""
    return last + timedelta(days=PSF_DAYS) if last else None


def _rationale_missing(facts: Facts) -> bool:
    return facts.band in NOT_ACCEPTABLE[facts.population] and not facts.treatment_rationale


def _is_current(facts: Facts, on: date) -> bool:
    days = ANC_DAYS.get(facts.frequency, ANC_DAYS["weekly"])
    return facts.anc_on is not None and 0 <= (on - facts.anc_on).days <= days


def _of_2015(facts: Facts, on: date) -> tuple[list[str], list[str]]:
    if facts.treatment_rationale:
        return [], []
    refusals = [] if _is_current(facts, on) else ["There is no current ANC on file."]
    if _rationale_missing(facts):
        refusals.append(f"The latest ANC is {facts.band}, and no treatment rationale is on record.")
    return refusals, []


def _of_2019(facts: Facts, on: date) -> tuple[list[str], list[str]]:
    refusals = [] if facts.prescriber_certified else ["The prescriber is not certified."]
    refusals += [] if facts.patient_enrolled else ["The patient is not enrolled."]
    if _rationale_missing(facts):
        refusals.append(f"The latest ANC is {facts.band}, and no treatment rationale is on record.")
    old = "There is no ANC on file" if facts.anc_on is None else "The ANC on file is out of date"
    return refusals, [] if _is_current(facts, on) else [f"{old}; that warns and does not block."]


def _of_2021(facts: Facts, on: date) -> tuple[list[str], list[str]]:
    refusals = [] if facts.pharmacy_certified else ["The pharmacy is not certified."]
    refusals += [] if facts.patient_enrolled else ["The patient is not enrolled."]
    refusals += ["Treatment is interrupted or discontinued."] if facts.treatment_held else []
    if not facts.dispenses or _has_form(facts, on):
        return refusals, []
    if facts.with_rationale:
        return refusals + _against_rationale(facts, on), []
    return [*refusals, f"No Patient Status Form was submitted in the last {PSF_DAYS} days."], []


def _has_form(facts: Facts, on: date) -> bool:
    return any(0 <= (on - form).days <= PSF_DAYS for form in facts.status_forms)


def _against_rationale(facts: Facts, on: date) -> list[str]:
    """What stands against dispensing on the pharmacy's own rationale while the form is missing."""
    used = rationales_used(facts.dispense_rationales, on)
    found = []
    if used >= RATIONALES:
        found.append(
            f"{used} dispense rationales were used in the last {RATIONALE_MONTHS} months; {RATIONALES} are allowed."
        )
    recent = facts.anc_on is not None and 0 <= (on - facts.anc_on).days <= RATIONALE_ANC_DAYS
    if not recent or facts.band in NOT_ACCEPTABLE[facts.population]:
        found.append(f"A dispense rationale needs an ANC in range from the last {RATIONALE_ANC_DAYS} days.")
    return found


def _discharge_days(facts: Facts, on: date) -> int | None:
    if on < date(2021, 11, 15):
        return None
    by_frequency = {"every_2_weeks": 14, "monthly": 30}
    return by_frequency.get(facts.frequency, 7) if on >= date(2022, 11, 2) else 7


def _nothing(_facts: Facts, _on: date) -> tuple[list[str], list[str]]:
    return [], []


ERAS = (
    Era("2015", "to 2019-02-27: a current, acceptable ANC or a treatment rationale", date(2015, 10, 12), _of_2015),
    Era("2019", "to 2021-11-14: certification and enrolment; an old ANC warns", date(2019, 2, 28), _of_2019),
    Era("2021", "to 2025-02-23: dispense authorisation and status form", date(2021, 11, 15), _of_2021),
    Era("ended", "no REMS question is asked", date(2025, 2, 24), _nothing),
)  # fmt: skip
"""In order; each ends on the day before the next begins."""
