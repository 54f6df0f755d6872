"""The one door to patient rows, and who may do what."""

from django.db.models import QuerySet
from django.http import Http404

from patients.models import Clinic, Integration, Patient, PatientQuerySet, Role, Staff

SEES_PATIENTS = (Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST)

MAY: dict[str, tuple[Role, ...]] = {
    "see_patients": SEES_PATIENTS,
    "record_result": (Role.NURSE, Role.PRESCRIBER),
    "record_event": (Role.NURSE, Role.PRESCRIBER),
    "approve_rechallenge": (Role.PRESCRIBER,),
    "acknowledge": SEES_PATIENTS,
    "resolve": (Role.NURSE, Role.PRESCRIBER),
    "retry_delivery": (Role.CLINIC_ADMIN,),
}
VERBS = ("patients:read", "results:read", "results:write", "alerts:read", "worklist:read")
"""What a token may be given."""


def clinics_of(actor: Staff | Integration, verb: str = "see_patients") -> QuerySet[Clinic]:
    """The clinics at which this person or program may do this."""
    if isinstance(actor, Integration):
        return Clinic.objects.filter(pk=actor.clinic_id)
    return Clinic.objects.filter(
        memberships__staff=actor, memberships__active=True, memberships__role__in=MAY[verb]
    ).distinct()


def patients_of(actor: Staff | Integration, verb: str = "see_patients") -> PatientQuerySet:
    """The patients that this person or program may know of. Others do not exist for them."""
    return Patient.objects.filter(clinic__in=clinics_of(actor, verb))


def may(actor: Staff, verb: str, clinic_id: int) -> bool:
    """Whether a person's roles at this clinic allow the verb."""
    return actor.memberships.filter(clinic_id=clinic_id, active=True, role__in=MAY[verb]).exists()


def allowed_or_404(actor: Staff, verb: str, clinic_id: int) -> None:
    """To those who may not, the thing does not exist."""
    if not may(actor, verb, clinic_id):
        raise Http404
