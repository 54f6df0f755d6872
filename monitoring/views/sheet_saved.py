"""A row of the sheet that was saved and says something else now: its answer was lost, and then it was changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.actions.record_result import Report
from monitoring.doors import treatments_of
from monitoring.models import Result, Treatment
from monitoring.models.result import Status
from monitoring.views.asking import in_unit
from patients.models import Clinic, Patient, Staff


@dataclass(frozen=True, slots=True)
class Already:
    """What stands instead of what the row says."""

    result: Result
    patient: Patient | None
    """Nobody where the patient has left this clinic's list."""
    anc: str

    @property
    def taken_back(self) -> bool:
        """Whether it was marked as entered in error since."""
        return self.result.status == Status.ENTERED_IN_ERROR


def already(
    versions: Sequence[Result], typed: Report | None, treatment: Treatment | None, *, clinic: Clinic, staff: Staff
) -> Already | None:
    """What the row was saved as, unless the row says just that. `versions`: never none, the one that stands last."""
    stands = versions[-1]
    taken_back = stands.status == Status.ENTERED_IN_ERROR
    theirs = typed is not None and treatment is not None and stands.treatment_id in treatment.records
    if theirs and not taken_back and any(_said(row, typed) for row in versions):
        return None
    mine = treatments_of(staff, "record_result")
    found = mine.filter(merged_here=stands.treatment_id).first() or mine.filter(pk=stands.treatment_id).first()
    anc = in_unit(stands.anc, clinic, stands.anc_bound) if stands.anc is not None else ""
    return Already(stands, found.patient if found else None, anc)


def _said(row: Result, typed: Report | None) -> bool:
    return typed is not None and row.received == typed.received() and not row.by_hand
