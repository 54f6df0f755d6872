"""The one door to patient rows, and who may do what."""

from django.db.models import QuerySet
from django.http import Http404

from patients.models import Clinic, Integration, Patient, PatientQuerySet, Role, Staff

CARES = (Role.NURSE, Role.PRESCRIBER)
SEES_PATIENTS = (*CARES, Role.PHARMACIST)

MAY: dict[str, tuple[Role, ...]] = {
    "see_patients": SEES_PATIENTS,
    "register": CARES,
    "record_result": CARES,
    "record_event": CARES,
    "book_test": SEES_PATIENTS,
    "record_dose": CARES,
    "document_ben": CARES,
    "confirm_ben": (Role.PRESCRIBER,),
    "agree_hospice": (Role.PRESCRIBER,),
    "approve_rechallenge": (Role.PRESCRIBER,),
    "override_advice": (Role.PRESCRIBER,),
    "foresee_protocol": CARES,
    "change_protocol": (Role.PRESCRIBER,),
    "agree_limits": (Role.PRESCRIBER,),
    "merge": (Role.PRESCRIBER,),
    "transfer": CARES,
    "import_results": CARES,
    "acknowledge": SEES_PATIENTS,
    "resolve": CARES,
    "dispense": (Role.PHARMACIST,),
    "ask_override": (Role.PHARMACIST,),
    "confirm_override": (Role.PRESCRIBER, Role.PHARMACIST),
    "review_override": SEES_PATIENTS,
    "issue_statement": (Role.PRESCRIBER, Role.PHARMACIST),
    "record_programme": SEES_PATIENTS,
    "sign_status_form": (Role.PRESCRIBER,),
    "appeal_non_rechallenge": SEES_PATIENTS,
    "register_non_rechallenge": (Role.PRESCRIBER,),
    "hand_over": SEES_PATIENTS,
    "add_note": SEES_PATIENTS,
    "see_reports": (*CARES, Role.CLINIC_ADMIN, Role.AUDITOR),
    "read_manual": tuple(Role),
    "set_up_clinic": (Role.CLINIC_ADMIN,),
    "see_deliveries": (*SEES_PATIENTS, Role.CLINIC_ADMIN),
    "retry_delivery": (*CARES, Role.CLINIC_ADMIN),
    "read_audit": (Role.AUDITOR,),
}
VERBS = (
    "patients:read",
    "results:read",
    "results:write",
    "alerts:read",
    "worklist:read",
    "eligibility:read",
    "bookings:write",
    "statements:write",
)
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


def staff_who_may(verb: str, clinic_id: int) -> QuerySet[Staff]:
    """Who can be reached and may do this at a clinic, by name."""
    return (
        Staff.objects.filter(
            is_active=True,
            memberships__clinic_id=clinic_id,
            memberships__active=True,
            memberships__role__in=MAY[verb],
        )
        .exclude(email="")
        .distinct()
        .order_by("last_name", "first_name", "username")
    )


def verbs_of(actor: Staff) -> set[str]:
    """Everything that a person may do somewhere; one query."""
    roles = set(actor.memberships.filter(active=True).values_list("role", flat=True))
    return {verb for verb, allowed in MAY.items() if roles & set(allowed)}


def colleagues_of(actor: Staff, clinic_id: int) -> QuerySet[Staff]:
    """The others who see patients at this clinic: a second person is one of them."""
    there = Staff.objects.filter(
        is_active=True,
        memberships__clinic=clinic_id,
        memberships__active=True,
        memberships__role__in=MAY["see_patients"],
    )
    return there.exclude(pk=actor.pk).order_by("last_name", "first_name", "username").distinct()
