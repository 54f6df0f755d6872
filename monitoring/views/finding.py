"""Finding what a page is about, through the one door; what a person may not see does not exist."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from monitoring.models import Alert, Treatment
from monitoring.models.alert import AlertQuerySet
from monitoring.models.treatment import TreatmentQuerySet
from patients.access import clinics_of, patients_of
from patients.models import Staff


def staff_of(request: HttpRequest) -> Staff:
    """The person who is signed in; views are behind login_required."""
    if not isinstance(request.user, Staff):
        raise TypeError("this view needs login_required")
    return request.user


def treatments_of(staff: Staff, verb: str = "see_patients") -> TreatmentQuerySet:
    """The treatments at the clinics where this person may do this."""
    return Treatment.objects.filter(clinic__in=clinics_of(staff, verb)).select_related("patient", "clinic")


def treatment_or_404(request: HttpRequest, patient_id: int, verb: str = "see_patients") -> Treatment:
    """A patient's treatment, if this person may know of it."""
    patient = get_object_or_404(patients_of(staff_of(request), verb), pk=patient_id)
    return get_object_or_404(Treatment.objects.select_related("patient", "clinic", "clinician"), patient=patient)


def alerts_of(staff: Staff, verb: str = "see_patients") -> AlertQuerySet:
    """The alerts of those treatments."""
    return Alert.objects.filter(clinic__in=clinics_of(staff, verb)).select_related(
        "treatment__patient", "clinic", "owner"
    )


def address_of(request: HttpRequest) -> str | None:
    """From where the request came."""
    address = request.META.get("REMOTE_ADDR")
    return address or None
