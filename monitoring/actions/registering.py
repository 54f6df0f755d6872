"""A new patient and the treatment to which counts are filed, in one step."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from monitoring.actions.treating import begin_monitoring
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from patients.actions import register_patient
from patients.models import Actor, Clinic, Patient, Staff

OLDEST = 120
"""Years. Nobody older has ever been treated: the year is a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is to be registered."""

    mrn: str
    family_name: str
    given_name: str
    date_of_birth: date


def age_on(day: date, born: date) -> int:
    """Full years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def check_person(person: Person, *, clinic: Clinic, now: datetime) -> None:
    """What can be said without looking at others. Raises InputError naming the field."""
    for name in ("family_name", "given_name", "mrn"):
        if not getattr(person, name).strip():
            raise InputError(name, f"the {name.replace('_', ' ')} is empty")
    for name, longest in (("family_name", 80), ("given_name", 80), ("mrn", 40)):
        if len(getattr(person, name)) > longest:
            raise InputError(name, f"the {name.replace('_', ' ')} is longer than {longest} letters; shorten it")
    today = now.astimezone(clinic.zone).date()
    if person.date_of_birth > today:
        raise InputError("date_of_birth", f"{person.date_of_birth} is in the future; give the date of birth")
    if (age := age_on(today, person.date_of_birth)) > OLDEST:
        raise InputError("date_of_birth", f"born {person.date_of_birth} would be {age} years old; look at the year")


def same_mrn(person: Person, clinic: Clinic) -> Patient | None:
    """Who has this MRN already, whatever its case."""
    return Patient.objects.filter(clinic=clinic, mrn__iexact=person.mrn.strip()).first()


def same_person(person: Person, clinic: Clinic) -> Patient | None:
    """Who has the same name and date of birth already."""
    return Patient.objects.filter(
        clinic=clinic,
        date_of_birth=person.date_of_birth,
        family_name__iexact=person.family_name.strip(),
        given_name__iexact=person.given_name.strip(),
    ).first()


def enrol(
    *, clinic: Clinic, person: Person, by: Actor, now: datetime, clinician: Staff | None = None, another: bool = False
) -> Treatment:
    """Register a person and begin monitoring. `another`: a person has said that it is not the one with the same name.

    Raises InputError naming the field.
    """
    check_person(person, clinic=clinic, now=now)
    if found := same_mrn(person, clinic):
        raise InputError("mrn", f"{found.mrn} is the MRN of {found}, born {found.date_of_birth}; look at that record")
    if not another and (found := same_person(person, clinic)):
        raise InputError("another", f"{found}, born {found.date_of_birth}, is registered with the MRN {found.mrn}")
    try:
        with transaction.atomic():
            patient = register_patient(
                clinic=clinic,
                mrn=person.mrn.strip(),
                given_name=person.given_name.strip(),
                family_name=person.family_name.strip(),
                date_of_birth=person.date_of_birth,
                by=by,
                now=now,
            )
            return begin_monitoring(patient=patient, by=by, now=now, clinician=clinician)
    except IntegrityError as error:
        if "one_patient_per_mrn" not in str(error):
            raise
        raise InputError("mrn", f"{person.mrn} was registered a moment ago; look at that record") from error
