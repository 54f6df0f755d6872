"""What changes about people and the programs that speak for a clinic."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from patients import audit
from patients.access import VERBS
from patients.models import Actor, Clinic, ContactPoint, Integration, Patient, Staff


@transaction.atomic
def register_patient(
    *,
    clinic: Clinic,
    mrn: str,
    given_name: str,
    family_name: str,
    date_of_birth: date,
    by: Actor,
    now: datetime,
) -> Patient:
    """Add a person to a clinic. Raises ValueError for a birth in the future or an empty MRN."""
    if date_of_birth > now.astimezone(clinic.zone).date():
        raise ValueError(f"{date_of_birth} is in the future; give the date of birth")
    if not mrn.strip():
        raise ValueError("the MRN is empty; give the number by which the laboratory knows the patient")
    patient = Patient.objects.create(
        clinic=clinic,
        mrn=mrn.strip(),
        given_name=given_name,
        family_name=family_name,
        date_of_birth=date_of_birth,
        created_at=now,
    )
    audit.record("patient_registered", by=by, now=now, clinic_id=clinic.pk, patient_id=patient.pk)
    return patient


@transaction.atomic
def change_contacts(
    *, patient: Patient, values: Mapping[str, str], by: Actor, now: datetime, ip: str | None = None
) -> list[str]:
    """End the rows that differ and begin new ones; an empty value only ends. Which kinds were changed."""
    Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
    standing = {point.kind: point for point in patient.contact_points.filter(ended_at=None)}
    author = by if isinstance(by, Staff) else None
    changed = []
    for kind, value in values.items():
        former = standing.get(kind)
        if (former.value if former else "") == value.strip():
            continue
        changed.append(kind)
        ContactPoint.objects.filter(patient=patient, kind=kind, ended_at=None).update(ended_at=now, ended_by=author)
        if value.strip():
            ContactPoint.objects.create(
                patient=patient, kind=kind, value=value.strip(), recorded_at=now, recorded_by=author
            )
    if changed:
        audit.record(
            "contact_changed", by=by, now=now, clinic_id=patient.clinic_id, patient_id=patient.pk, ip=ip, kinds=changed
        )
    return changed


@transaction.atomic
def issue_token(*, clinic: Clinic, name: str, verbs: list[str], by: Actor, now: datetime) -> tuple[Integration, str]:
    """A token for a program, shown once. Raises ValueError for an unknown verb."""
    if unknown := set(verbs) - set(VERBS):
        raise ValueError(f"{', '.join(sorted(unknown))}: no such verb; known: {', '.join(VERBS)}")
    token = secrets.token_urlsafe(32)
    integration = Integration.objects.create(
        clinic=clinic, name=name, token_hash=token_hash(token), verbs=verbs, created_at=now
    )
    audit.record(
        "token_issued", by=by, now=now, clinic_id=clinic.pk, subject=f"integration:{integration.pk}", verbs=verbs
    )
    return integration, token


@transaction.atomic
def revoke_token(*, integration: Integration, by: Actor, now: datetime) -> None:
    """From now on the token opens nothing."""
    if Integration.objects.filter(pk=integration.pk, revoked_at=None).update(revoked_at=now):
        audit.record(
            "token_revoked", by=by, now=now, clinic_id=integration.clinic_id, subject=f"integration:{integration.pk}"
        )


def token_hash(token: str) -> str:
    """Tokens are long and random, so a plain hash is enough to keep them unreadable."""
    return hashlib.sha256(token.encode()).hexdigest()
