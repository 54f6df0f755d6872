"""What a clinic's patients are told of it."""

from datetime import datetime

from django.db import transaction

from patients import audit
from patients.models import Clinic, Staff
from patients.reaching import FrontDesk


@transaction.atomic
def set_front_desk(
    *, clinic: Clinic, phone: str, place: str, emergency_number: str, emergency_place: str, by: Staff, now: datetime,
    ip: str | None = None,
) -> FrontDesk:  # fmt: skip
    """Telephone, place, and the number for emergencies, as patients read them from now on."""
    said = {
        "phone": phone.strip(), "place": place.strip(), "emergency_number": emergency_number.strip(),
        "emergency_place": emergency_place.strip(),
    }  # fmt: skip
    desk, _ = FrontDesk.objects.update_or_create(clinic=clinic, defaults=said)
    audit.record("front_desk_changed", by=by, now=now, clinic_id=clinic.pk, ip=ip, after=said)
    return desk
