"""A clinic's own wording of a reminder."""

from datetime import datetime

from django.db import transaction

from monitoring.models import Wording
from monitoring.reminding.words import filled, objections
from monitoring.rules.errors import InputError
from patients import audit
from patients.models import Clinic, Patient, Staff
from patients.reaching import Channel, FrontDesk


def names_at(clinic: Clinic) -> set[str]:
    """The family names of a clinic's patients: no wording may hold one."""
    return set(Patient.objects.filter(clinic=clinic).values_list("family_name", flat=True))


@transaction.atomic
def set_wording(
    *, clinic: Clinic, kind: str, language: str, body: str, by: Staff, now: datetime, ip: str | None = None
) -> Wording:
    """From now on this clinic's reminders of that kind read so; an empty text means the product's own words again.

    Raises InputError for a wording that could tell who somebody is or what they are treated for.
    """
    body = " ".join(body.split())
    if body and (found := objections(body, kind=kind, names=names_at(clinic))):
        raise InputError("body", "; ".join(found))
    row = Wording.objects.create(clinic=clinic, kind=kind, language=language, body=body, at=now, by=by)
    audit.record(
        "wording_changed", by=by, now=now, clinic_id=clinic.pk, subject=f"wording:{row.pk}", ip=ip, kind=kind,
        language=language, after=body,
    )  # fmt: skip
    return row


def preview(clinic: Clinic, body: str, language: str, *, link: str, day: str) -> dict[str, str]:
    """How it would read, by channel."""
    desk = FrontDesk.objects.filter(clinic=clinic).first()
    phone = desk.phone if desk else ""
    return {
        str(channel.label): filled(body, channel=channel, language=language, link=link, phone=phone, day=day)
        for channel in (Channel.SMS, Channel.EMAIL)
    }
