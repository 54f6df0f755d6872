"""What changes about people and the programs that speak for a clinic."""

import hashlib
import secrets
from datetime import date, datetime

from django.db import transaction

from patients import audit
from patients.access import VERBS
from patients.models import Actor, Clinic, Integration, Patient


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
    Integration.objects.filter(pk=integration.pk, revoked_at=None).update(revoked_at=now)
    audit.record(
        "token_revoked", by=by, now=now, clinic_id=integration.clinic_id, subject=f"integration:{integration.pk}"
    )


def token_hash(token: str) -> str:
    """Tokens are long and random, so a plain hash is enough to keep them unreadable."""
    return hashlib.sha256(token.encode()).hexdigest()
