"""The first hour of a clinic on this service: the clinic itself, and the admin who sets up all the rest."""

from datetime import datetime

from django.db import transaction

from monitoring.actions.staffing import password_path
from monitoring.rules.errors import InputError
from notifications.actions import owe
from notifications.letters import letter
from patients import audit
from patients.models import Clinic, Membership, Role, Staff


@transaction.atomic
def found_clinic(
    *, slug: str, clinic_name: str, time_zone: str, on_call_email: str, count_unit: str, protocol: str, name: str,
    given_name: str, family_name: str, email: str, now: datetime,
) -> tuple[Clinic, Staff, str]:  # fmt: skip
    """A clinic, its first admin, and the path of the link that sets their password; empty when they have one.

    Whoever has an account of this name and address already becomes admin here as well. The on-call address is told what
    it is, which shows that messages arrive. Raises InputError for what is taken.
    """
    if Clinic.objects.filter(slug=slug).exists():
        raise InputError("slug", f"there is a clinic {slug} already; choose another short name")
    clinic = Clinic.objects.create(
        slug=slug, name=clinic_name, time_zone=time_zone, on_call_email=on_call_email, count_unit=count_unit,
        default_protocol=protocol,
    )  # fmt: skip
    admin = _known(name, email)
    if admin is None:
        admin = Staff(username=name, first_name=given_name, last_name=family_name, email=email, date_joined=now)
        admin.set_unusable_password()
        admin.save()
    Membership.objects.create(staff=admin, clinic=clinic, role=Role.CLINIC_ADMIN)
    Staff.objects.filter(pk=admin.pk).update(is_active=True)
    audit.record(
        "clinic_founded", by=None, now=now, clinic_id=clinic.pk, subject=f"staff:{admin.pk}", protocol=protocol
    )
    words = f"this is the on-call address of {clinic} from now on"
    owe([letter(on_call_email, words, "/", about=f"clinic:{clinic.pk}", clinic_id=clinic.pk, now=now)])
    return clinic, admin, "" if admin.has_usable_password() else password_path(admin)


@transaction.atomic
def show_password_link(*, person: Staff, now: datetime) -> str:
    """The path of a link that sets a new password, for whoever runs the service and knows the person's voice."""
    for clinic_id in sorted(set(person.memberships.filter(active=True).values_list("clinic_id", flat=True))):
        audit.record("password_link_shown", by=None, now=now, clinic_id=clinic_id, subject=f"staff:{person.pk}")
    return password_path(person)


def _known(name: str, email: str) -> Staff | None:
    person = Staff.objects.filter(username__iexact=name).first()
    if person and person.email.lower() == email.lower():
        return person
    if person:
        raise InputError("name", f"{name} is taken by an account with another e-mail address; choose another name")
    if owner := Staff.objects.filter(email__iexact=email).first():
        raise InputError(
            "email", f"{email} belongs to the account {owner.username}; name that account, or another address"
        )
    return None
