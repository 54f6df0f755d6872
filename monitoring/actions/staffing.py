"""Who works at a clinic, and as what. Nobody changes their own roles; somebody always keeps the place."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from monitoring.actions.alerting import tell_owner
from monitoring.models import Alert, AlertNote, Treatment
from monitoring.rules.errors import InputError
from notifications.actions import owe
from notifications.letters import letter
from patients import audit
from patients.access import SEES_PATIENTS
from patients.models import AuditEvent, Clinic, Membership, Role, Staff

INVITED = "you have a place at {clinic}, please choose a password"
RENEWED = "please choose a new password"
PRESSED_TWICE = timedelta(minutes=10)
CALL = "Choose it here within 3 days (the link works once)"


@transaction.atomic
def invite(
    *, clinic: Clinic, name: str, given_name: str, family_name: str, email: str, roles: Collection[str], by: Staff,
    now: datetime, show: bool = False, ip: str | None = None,
) -> tuple[Staff, str]:  # fmt: skip
    """A new account with its roles, and the path of the link that sets its password: e-mailed unless it is shown.

    The same invitation again, by the same admin within minutes, is the same account and link, and no second e-mail.
    Raises InputError when the name or the address belongs to an account already.
    """
    Clinic.objects.select_for_update().only("pk").get(pk=clinic.pk)
    said = {"username": name, "first_name": given_name, "last_name": family_name, "email": email}
    if person := _invited_just_now(clinic, said, set(roles), by, now):
        return person, password_path(person) if show else ""
    if Staff.objects.filter(username__iexact=name).exists():
        raise InputError("name", f"{name} is taken; choose another sign-in name")
    if Staff.objects.filter(email__iexact=email).exists():
        raise InputError("email", f"{email} belongs to an account already; give that account a role at this clinic")
    person = Staff(**said, date_joined=now)
    person.set_unusable_password()
    person.save()
    link = password_path(person)
    audit.record("staff_invited", by=by, now=now, clinic_id=clinic.pk, subject=f"staff:{person.pk}", ip=ip)
    set_roles(clinic=clinic, person=person, roles=roles, by=by, now=now, ip=ip)
    if not show:
        _send_link(person, link, INVITED.format(clinic=clinic), clinic, now)
    return person, link if show else ""


def _invited_just_now(
    clinic: Clinic, said: Mapping[str, str], roles: set[str], by: Staff, now: datetime
) -> Staff | None:
    """Whom this admin has invited just so, with a place here alone and no password yet: the button came twice."""
    person = Staff.objects.filter(**said, date_joined__gt=now - PRESSED_TWICE).first()
    if person is None or person.has_usable_password() or person.memberships.exclude(clinic=clinic).exists():
        return None
    invited = AuditEvent.objects.filter(
        verb="staff_invited", subject=f"staff:{person.pk}", clinic_id=clinic.pk, staff=by
    )
    return person if roles_at(clinic, person) == roles and invited.exists() else None


@transaction.atomic
def send_password_link(*, clinic: Clinic, person: Staff, by: Staff, now: datetime, ip: str | None = None) -> None:
    """A new link for somebody who forgot the password: to their own address and nobody else's eyes."""
    if not person.email:
        raise InputError("email", f"{person} has no e-mail address, so no link can be sent")
    _send_link(person, password_path(person), RENEWED, clinic, now)
    audit.record("password_link_sent", by=by, now=now, clinic_id=clinic.pk, subject=f"staff:{person.pk}", ip=ip)


@transaction.atomic
def set_roles(
    *, clinic: Clinic, person: Staff, roles: Collection[str], by: Staff, now: datetime, successor: Staff | None = None,
    ip: str | None = None,
) -> set[str]:  # fmt: skip
    """Exactly these roles at this clinic; none ends the person's work there. Returns the roles held before.

    Whoever loses sight of the clinic's patients hands them and their open alerts over. Raises InputError.
    """
    # Two admins who change each other queue here, so that one of them is an admin afterwards.
    Clinic.objects.select_for_update().only("pk").get(pk=clinic.pk)
    before = roles_at(clinic, person)
    _check_roles(clinic, person, set(roles), before, by)
    for role in set(roles) - before:
        Membership.objects.update_or_create(staff=person, clinic=clinic, role=role, defaults={"active": True})
    Membership.objects.filter(staff=person, clinic=clinic, role__in=before - set(roles)).update(active=False)
    works = Membership.objects.filter(staff=person, active=True).exists()
    Staff.objects.filter(pk=person.pk).update(is_active=works)
    handed = 0
    if before & set(SEES_PATIENTS) and not set(roles) & set(SEES_PATIENTS):
        handed = _hand_over(clinic, person, successor, by=by, now=now)
    audit.record(
        "roles_changed", by=by, now=now, clinic_id=clinic.pk, subject=f"staff:{person.pk}", ip=ip,
        before=sorted(before), after=sorted(roles), patients_handed_over=handed,
    )  # fmt: skip
    return before


def roles_at(clinic: Clinic, person: Staff) -> set[str]:
    """What somebody is at a clinic now."""
    return set(person.memberships.filter(clinic=clinic, active=True).values_list("role", flat=True))


def password_path(person: Staff) -> str:
    """A link that sets the password once: it dies when the password is set, and after three days."""
    return f"/welcome/{urlsafe_base64_encode(force_bytes(person.pk))}/{default_token_generator.make_token(person)}/"


def _check_roles(clinic: Clinic, person: Staff, roles: set[str], before: set[str], by: Staff) -> None:
    if person.pk == by.pk:
        raise InputError("roles", "nobody changes their own roles; ask another clinic admin")
    if Role.CLINIC_ADMIN not in roles_at(clinic, by):
        raise InputError("roles", f"you are no longer a clinic admin of {clinic}")
    if unknown := roles - set(Role.values):
        raise InputError("roles", f"{', '.join(sorted(unknown))}: no such role; known: {', '.join(Role.values)}")
    admins = Membership.objects.filter(clinic=clinic, role=Role.CLINIC_ADMIN, active=True, staff__is_active=True)
    last = not admins.exclude(staff=person).exists()
    if Role.CLINIC_ADMIN in before - roles and last:
        raise InputError("roles", f"{person} is the last clinic admin of {clinic}; give somebody else the role first")


def _hand_over(clinic: Clinic, person: Staff, successor: Staff | None, *, by: Staff, now: datetime) -> int:
    """Patients and open alerts get the successor, or nobody: then the on-call address is told."""
    patients = Treatment.objects.filter(clinic=clinic, clinician=person).update(clinician=successor)
    waiting = Alert.objects.filter(clinic=clinic, owner=person, resolved_at=None)
    for alert in list(waiting.select_related("treatment__clinic", "treatment__clinician", "clinic").order_by("pk")):
        Alert.objects.filter(pk=alert.pk).update(owner=successor)
        alert.owner = alert.treatment.clinician = successor
        text = f"Handed over from {person} to {successor or 'the on-call address'}."
        AlertNote.objects.bulk_create([AlertNote(alert=alert, at=now, staff=by, verb="handed_over", text=text)])
        tell_owner(alert, alert.treatment, now=now, step=f"handed:{now.isoformat()}")
    return patients


def _send_link(person: Staff, path: str, words: str, clinic: Clinic, now: datetime) -> None:
    about = f"staff:{person.pk}"
    owe([letter(person.email, words, path, about=about, clinic_id=clinic.pk, now=now, call=CALL)])
