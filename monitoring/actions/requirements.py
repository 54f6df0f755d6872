"""What a programme asks of patient, prescriber and pharmacy, and how each of it stands on a day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from monitoring.actions.programmes import ENDS, beginning, form_state, records_of
from monitoring.models import Treatment
from monitoring.models.programme import Programme, ProgrammeRecord
from monitoring.rules.rems import ERAS, RATIONALE_MONTHS, RATIONALES, psf_due, rationales_used

ENDED_ON = ERAS[-1].begins
LAST_DAY = date.fromordinal(ENDED_ON.toordinal() - 1)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a programme asks. `met`: null where it is not asked, or only counted."""

    name: str
    whose: str
    state: str
    met: bool | None
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For a program."""
        return asdict(self)


def of_rems(treatment: Treatment, on: date) -> list[Requirement]:
    """The US REMS on a day; after it has ended as it stood on its last day."""
    day = min(on, LAST_DAY)
    rows = [row for row in records_of(treatment, Programme.REMS) if row.on <= day]
    people = [
        _certified("Pharmacy", "Certification", rows, "pharmacy_certified"),
        _certified("Prescriber", "Certification", rows, "prescriber_certified"),
    ]
    begins_on, known = beginning(treatment, rows)
    if not any(row.treatment_id for row in rows) and (begins_on is None or begins_on > day):
        state = "not on treatment" if known else "not on record here"
        detail = f"before {begins_on}" if begins_on else "no first dose is on record"
        return [*people, Requirement("Enrolment, forms and rationales", "Patient", state, met=None, detail=detail)]
    return [
        *people,
        _certified("Patient", "Enrolment", rows, "enrolled", yes="enrolled"),
        _status_form(rows, day),
        _latest("REMS Dispense Authorization (RDA)", rows, "authorisation", none="none on record"),
        _rationales(rows, day),
        _latest("Treatment rationale", rows, "treatment_rationale", none="none given"),
    ]


def of_clinic(treatment: Treatment, on: date) -> list[Requirement]:
    """The clinic's own registry: asked only where its policy is switched on."""
    rows = [row for row in records_of(treatment, Programme.CLINIC) if row.on <= on]
    asked = treatment.clinic.policy("registry_enrolments") == 1
    enrolment = _certified("Patient", "Enrolment", rows, "enrolled", yes="enrolled")
    words = "needed before a supply" if asked else "not needed for a supply: the clinic's policy is off"
    detail = f"{enrolment.detail}; {words}" if enrolment.detail else words
    found = [Requirement(enrolment.name, "Patient", enrolment.state, enrolment.met if asked else None, detail)]
    return [*found, _status_form(rows, on)] if enrolment.met else found


def _certified(
    whose: str, name: str, rows: Sequence[ProgrammeRecord], kind: str, *, yes: str = "certified"
) -> Requirement:
    latest = [row for row in rows if row.kind in (kind, ENDS[kind])][-1:]
    if not latest:
        return Requirement(name, whose, "no record", met=False)
    (row,) = latest
    about = f", {row.person}" if row.person else ""
    if row.kind == kind:
        return Requirement(name, whose, yes, met=True, detail=f"since {row.on}{about}{_code(row)}")
    return Requirement(name, whose, "ended", met=False, detail=f"on {row.on}{about}")


def _status_form(rows: Sequence[ProgrammeRecord], on: date) -> Requirement:
    last = max((row.on for row in rows if row.kind == "status_form"), default=None)
    state, due = form_state(last, on), psf_due(last)
    detail = f"last on {last}, the next by {due}" if last else "none was submitted"
    return Requirement("Monthly Patient Status Form", "Prescriber", state, state in ("submitted", "due"), detail)


def _latest(name: str, rows: Sequence[ProgrammeRecord], kind: str, *, none: str) -> Requirement:
    found = [row for row in rows if row.kind == kind]
    whose = "Pharmacy" if kind == "authorisation" else "Prescriber"
    if not found:
        return Requirement(name, whose, none, met=None)
    times = f"; {len(found)} in all" if len(found) > 1 else ""
    return Requirement(name, whose, f"on {found[-1].on}", met=None, detail=f"{_code(found[-1]).lstrip(', ')}{times}")


def _rationales(rows: Sequence[ProgrammeRecord], on: date) -> Requirement:
    used = rationales_used([row.on for row in rows if row.kind == "dispense_rationale"], on)
    detail = f"in the {RATIONALE_MONTHS} months up to {on}"
    return Requirement("Dispense rationales", "Pharmacy", f"{used} of {RATIONALES} used", used < RATIONALES, detail)


def _code(row: ProgrammeRecord) -> str:
    return f", code {row.code}" if row.code else ""
