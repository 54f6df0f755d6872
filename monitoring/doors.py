"""The door to treatments, merges and alerts: those of the clinics at which somebody may do something, and no others."""

from django.db.models import QuerySet

from monitoring.models import Alert, Merge, Treatment
from monitoring.models.alert import AlertQuerySet
from monitoring.models.treatment import TreatmentQuerySet
from patients.access import clinics_of
from patients.models import Integration, Staff


def treatments_of(actor: Staff | Integration, verb: str = "see_patients") -> TreatmentQuerySet:
    """The treatments at those clinics, with their patients."""
    return Treatment.objects.filter(clinic__in=clinics_of(actor, verb)).select_related("patient", "clinic", "clinician")


def alerts_of(actor: Staff | Integration, verb: str = "see_patients") -> AlertQuerySet:
    """The alerts of those treatments."""
    return Alert.objects.filter(clinic__in=clinics_of(actor, verb)).select_related(
        "treatment__patient", "clinic", "owner"
    )


def merges_of(actor: Staff | Integration, verb: str = "see_patients") -> QuerySet[Merge]:
    """The merges of those treatments that stand: two records of one person."""
    return Merge.objects.filter(kept__clinic__in=clinics_of(actor, verb), undone_at=None).select_related(
        "kept__patient", "merged"
    )
