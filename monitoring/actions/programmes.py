"""Dated records of REMS and registry programmes, and what a programme would have said on a date."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from monitoring.actions.judging import judge, judge_now, locked
from monitoring.models import Treatment
from monitoring.models.programme import OF_PATIENT, OF_PERSON, Programme, ProgrammeRecord, RecordKind
from monitoring.rules.rems import Facts, Said, psf_due, would_have_said
from patients import audit
from patients.models import Clinic, Staff

ENDS = {
    "enrolled": "disenrolled",
    "prescriber_certified": "prescriber_lapsed",
    "pharmacy_certified": "pharmacy_lapsed",
}


@transaction.atomic
def record_fact(
    *,
    clinic: Clinic,
    programme: str,
    kind: str,
    on: date,
    by: Staff,
    now: datetime,
    treatment: Treatment | None = None,
    person: Staff | None = None,
    code: str = "",
    words: str = "",
    drafted: dict[str, Any] | None = None,
    ip: str | None = None,
) -> ProgrammeRecord:
    """One dated fact. Raises ValueError for a future day, an unknown kind, or one about nobody."""
    if on > now.astimezone(clinic.zone).date():
        raise ValueError(f"{on} is in the future; record what has happened")
    if kind not in RecordKind.values or programme not in Programme.values:
        raise ValueError(f"{programme} {kind} is not known; known: {', '.join(RecordKind.values)}")
    if (kind in OF_PATIENT) != (treatment is not None) or (kind in OF_PERSON) != (person is not None):
        raise ValueError(f"say whom {RecordKind(kind).label.lower()} is about")
    row = ProgrammeRecord.objects.create(
        clinic=clinic, programme=programme, kind=kind, treatment=treatment, person=person, on=on, code=code,
        words=words, drafted=drafted or {}, recorded_at=now, recorded_by=by,
    )  # fmt: skip
    audit.record(
        f"programme_{kind}", by=by, now=now, clinic_id=clinic.pk, subject=f"programme_record:{row.pk}", ip=ip,
        patient_id=treatment.patient_id if treatment else None,
    )  # fmt: skip
    return row


@transaction.atomic
def void_fact(*, row: ProgrammeRecord, by: Staff, now: datetime, reason: str, ip: str | None = None) -> None:
    """Take back a record. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("say why the record is taken back")
    if row.treatment_id:
        # An enrolment decides about supplies where the clinic's policy says so. A new record waits for the treatment's
        # lock by its foreign key; taking one back would not.
        locked(row.treatment_id)
    ProgrammeRecord.objects.filter(pk=row.pk, voided_at=None).update(voided_at=now, voided_by=by, void_reason=reason)
    audit.record(
        "programme_voided", by=by, now=now, clinic_id=row.clinic_id, subject=f"programme_record:{row.pk}", ip=ip,
        patient_id=row.treatment.patient_id if row.treatment else None,
    )  # fmt: skip


def records_of(treatment: Treatment, programme: str) -> list[ProgrammeRecord]:
    """Everything that stands about the patient, the clinic's pharmacy and the treatment's prescriber, oldest first."""
    about = Q(treatment=treatment) | Q(clinic=treatment.clinic, treatment=None, person=None)
    if treatment.clinician_id:
        about |= Q(person_id=treatment.clinician_id)
    rows = ProgrammeRecord.objects.filter(about, programme=programme, voided_at=None)
    return list(rows.select_related("recorded_by", "person").order_by("on", "pk"))


def rems_said(treatment: Treatment, on: date) -> Said:
    """What the US REMS would have answered on a day. Raises ValueError before the shared programme began."""
    return would_have_said(facts_on(treatment, on), on)


def facts_on(treatment: Treatment, on: date) -> Facts:
    """What was on record by the end of that day: programme records, the judgement and the last count then."""
    rows = [row for row in records_of(treatment, Programme.REMS) if row.on <= on]
    end = datetime(on.year, on.month, on.day, tzinfo=treatment.clinic.zone) + timedelta(days=1, microseconds=-1)
    versions = list(treatment.every_result())
    judgement = judge(treatment, versions, as_of=end)
    history = treatment.history_of(treatment.results.current())
    drawn = [at for at, item in history.timeline if hasattr(item, "anc") and at <= end]
    zone = treatment.clinic.zone
    return Facts(
        population="ben" if treatment.ben else "general",
        frequency=judgement.phase or "weekly",
        prescriber_certified=_stands(rows, "prescriber_certified"),
        pharmacy_certified=_stands(rows, "pharmacy_certified"),
        patient_enrolled=_stands(rows, "enrolled"),
        treatment_held=judgement.treatment in ("stop", "interrupt"),
        anc_on=drawn[-1].astimezone(zone).date() if drawn else None,
        band=judgement.band,
        treatment_rationale=bool(_days(rows, "treatment_rationale")),
        dispenses=[day for day in _dispensed(treatment) if day < on],
        status_forms=_days(rows, "status_form"),
        dispense_rationales=[day for day in _days(rows, "dispense_rationale") if day < on],
        with_rationale=on in _days(rows, "dispense_rationale"),
    )


def _stands(rows: Iterable[ProgrammeRecord], kind: str) -> bool:
    """Whether the latest word on it is yes."""
    latest = [row.kind for row in rows if row.kind in (kind, ENDS[kind])]
    return bool(latest) and latest[-1] == kind


def _days(rows: Iterable[ProgrammeRecord], kind: str) -> Sequence[date]:
    return [row.on for row in rows if row.kind == kind]


def _dispensed(treatment: Treatment) -> Sequence[date]:
    rows = treatment.dispenses.filter(voided_at=None).values_list("handed_over_at", flat=True)
    return [at.astimezone(treatment.clinic.zone).date() for at in rows]


def is_enrolled(treatment: Treatment) -> bool:
    """In the clinic's own registry, for the policy that a clinic may switch on."""
    return _stands([row for row in records_of(treatment, Programme.CLINIC) if row.treatment_id], "enrolled")


def draft_status_form(treatment: Treatment, *, now: datetime) -> dict[str, Any]:
    """A Patient Status Form as far as the system knows it; a prescriber reads it and signs."""
    judgement = judge_now(treatment, list(treatment.every_result()), now=now)
    last = ProgrammeRecord.objects.filter(treatment=treatment, kind="status_form", voided_at=None).order_by("on").last()
    due = psf_due(last.on if last else None)
    return {
        "anc": judgement.anc,
        "band": judgement.band,
        "treatment": judgement.treatment,
        "frequency": judgement.phase,
        "ben": treatment.ben is not None,
        "last_form": last.on.isoformat() if last else None,
        "due": due.isoformat() if due else None,
    }


def form_state(last: date | None, today: date) -> str:
    """due, submitted, late or missing: of the monthly form, on a day."""
    due = psf_due(last)
    if last is None or due is None:
        return "missing"
    if today > due:
        return "late"
    return "due" if (due - today).days <= 7 else "submitted"  # a week of notice
