"""The fixed cast: one clinic with a nurse, her prescriber and a pharmacist; another clinic with an outsider."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

from monitoring.actions.record_result import Report, record_result
from monitoring.actions.treating import begin_monitoring, record_event
from monitoring.models import Treatment
from patients.actions import register_patient
from patients.models import Absence, Clinic, Deputy, Membership, Shift, Staff

NOW = datetime(2026, 9, 14, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
_number = count(1)


def a_clinic(name="North", **fields):
    slug = f"{name.lower()}-{next(_number)}"
    return Clinic.objects.create(name=name, slug=slug, **{"on_call_email": f"oncall@{slug}.example"} | fields)


def a_person(clinic, role, **fields):
    name = f"{role}-{next(_number)}"
    staff = Staff.objects.create_user(
        username=name, email=f"{name}@staff.example", password="a long password", **fields
    )
    Membership.objects.create(staff=staff, clinic=clinic, role=role)
    return staff


def a_patient(clinic, mrn=None, **fields):
    given = {"given_name": "Alex", "family_name": "Quill", "date_of_birth": date(1980, 5, 17)} | fields
    return register_patient(clinic=clinic, mrn=mrn or f"M{next(_number):05}", by=None, now=NOW - 400 * DAY, **given)


def a_treatment(clinic=None, *, started=NOW - 92 * DAY, clinician=None, protocol=None, patient=None) -> Treatment:
    """On treatment since `started`, with a baseline two days before; not started when None."""
    clinic = clinic or a_clinic()
    patient = patient or a_patient(clinic)
    early = (started or NOW) - 3 * DAY
    treatment = begin_monitoring(patient=patient, by=None, now=early, clinician=clinician, protocol_key=protocol)
    if started:
        a_count(treatment, 2600, at=started - 2 * DAY, now=started - 2 * DAY)
        record_event(treatment=treatment, kind="first_dose", at=started, by=None, now=started)
    treatment.refresh_from_db()
    return treatment


def a_report(anc=2000, *, at=NOW, unit="/uL", accession=None, **fields):
    sent = {"anc": None if anc is None else str(anc), "unit": unit} | fields.pop("count", {})
    return Report(source="lab", accession=accession or f"A{next(_number):06}", drawn_at=at, count=sent, **fields)


def a_count(treatment, anc=2000, *, at=NOW, now=None, by=None, **fields):
    return record_result(treatment=treatment, report=a_report(anc, at=at, **fields), by=by, now=now or max(at, NOW))


def a_deputy(clinic, deputy, *, staff=None):
    return Deputy.objects.create(clinic=clinic, staff=staff, deputy=deputy)


def a_shift(clinic, staff, starts_at=NOW - DAY, ends_at=NOW + 30 * DAY):
    return Shift.objects.create(
        clinic=clinic, staff=staff, starts_at=starts_at, ends_at=ends_at, recorded_at=NOW, recorded_by=staff
    )


def an_absence(clinic, staff, cover, first_day=TODAY, last_day=TODAY):
    days = {"first_day": first_day, "last_day": last_day}
    return Absence.objects.create(clinic=clinic, staff=staff, cover=cover, recorded_at=NOW, recorded_by=staff, **days)


__all__ = [
    "DAY",
    "NOW",
    "Decimal",
    "a_clinic",
    "a_count",
    "a_deputy",
    "a_patient",
    "a_person",
    "a_report",
    "a_shift",
    "a_treatment",
    "an_absence",
]
