"""Dated records of REMS and registry programmes, and what a programme would have said on a date."""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from monitoring.actions.judging import judge, locked
from monitoring.models import TakeOver, Treatment
from monitoring.models.programme import OF_PATIENT, OF_PERSON, Programme, ProgrammeRecord, RecordKind
from monitoring.rules.rems import Facts, Said, psf_due, would_have_said
from patients import audit
from patients.models import Clinic, Staff

ENDS = {
    "enrolled": "disenrolled",
    "prescriber_certified": "prescriber_lapsed",
    "pharmacy_certified": "pharmacy_lapsed",
}
OF_TREATED = ("status_form", "dispense_rationale", "treatment_rationale", "authorisation")
"""Records that nobody makes of a patient without tablets."""
OF_DISPENSES = ("authorisation", "dispense_rationale")
LABEL = "us-label-2015"
"""The label in force as long as the programme asked anything."""
NOTICE_DAYS = 7


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
    if kind == RecordKind.AUTHORISATION and not code.strip():
        raise ValueError("give the code of the authorisation (RDA) that was obtained")
    row = ProgrammeRecord.objects.create(
        clinic=clinic, programme=programme, kind=kind, treatment=treatment, person=person, on=on, code=code.strip(),
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
    """What was on record by the end of that day: programme records, the judgement by the label of then, the count."""
    rows = [row for row in records_of(treatment, Programme.REMS) if row.on <= on]
    zone = treatment.clinic.zone
    end = datetime(on.year, on.month, on.day, tzinfo=zone) + timedelta(days=1, microseconds=-1)
    then = _as_then(treatment, end)
    judgement = judge(then, list(then.every_result()), as_of=end)
    history = then.history_of(then.results.current())
    drawn = [at for at, item in history.timeline if hasattr(item, "anc") and at <= end]
    dispenses = _dispensed(treatment)
    begins_on, known = beginning(treatment, rows)
    return Facts(
        begun=begins_on is not None and begins_on <= on,
        begins_on=begins_on,
        beginning_known=known,
        population="ben" if then.ben else "general",
        frequency=judgement.phase or "weekly",
        prescriber_certified=_stands(rows, "prescriber_certified"),
        pharmacy_certified=_stands(rows, "pharmacy_certified"),
        patient_enrolled=_stands(rows, "enrolled"),
        treatment_held=judgement.treatment in ("stop", "interrupt"),
        anc_on=drawn[-1].astimezone(zone).date() if drawn else None,
        band=judgement.band,
        treatment_rationale=bool(_days(rows, "treatment_rationale")),
        # Before this service kept dispenses, an authorisation or a rationale on record is what is left of one.
        dispenses=[day for day in [*dispenses, *(row.on for row in rows if row.kind in OF_DISPENSES)] if day < on],
        status_forms=_days(rows, "status_form"),
        dispense_rationales=[day for day in _days(rows, "dispense_rationale") if day < on],
        with_rationale=on in _days(rows, "dispense_rationale"),
    )


def _as_then(treatment: Treatment, end: datetime) -> Treatment:
    """A copy (never saved) under the US label of the programme's time, with BEN only where it was documented by then.

    What happened before the record came here was documented elsewhere: then BEN counts as it is known today.
    """
    then = copy(treatment)
    then.protocol_key = LABEL
    if treatment.created_at <= end:
        then.ben = treatment.ben_statuses.filter(confirmed_at__lte=end).order_by("confirmed_at").last()
    return then


def beginning(treatment: Treatment, rows: Iterable[ProgrammeRecord]) -> tuple[date | None, bool]:
    """The first day with tablets, or with a record that somebody gave some; and whether that is really the first."""
    first_doses = [event for event in treatment.every_event() if event.kind == "first_dose" and event.stands()]
    taken = TakeOver.objects.filter(treatment=treatment).first()
    known = taken is None or taken.first_dose_on is not None
    doses = [event.at.astimezone(treatment.clinic.zone).date() for event in first_doses]
    given = [*_dispensed(treatment), *(row.on for row in rows if row.kind in OF_TREATED)]
    if given and (not doses or min(given) < min(doses)):
        return min(given), known
    return min(doses, default=None), known


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


def form_state(last: date | None, today: date) -> str:
    """due, submitted, late or missing: of the monthly form, on a day."""
    due = psf_due(last)
    if last is None or due is None:
        return "missing"
    if today > due:
        return "late"
    return "due" if (due - today).days <= NOTICE_DAYS else "submitted"
