"""The door to treatments, merges and alerts: those of the clinics at which somebody may do something, and no others."""

from django.db.models import Q, QuerySet

from monitoring.models import Alert, Merge, Override, ProtocolChange, Transfer, Treatment
from monitoring.models.alert import AlertQuerySet
from monitoring.models.treatment import TreatmentQuerySet
from notifications.models import Delivery, DeliveryQuerySet
from patients.access import clinics_of
from patients.models import Clinic, Integration, Role, Staff
from patients.reaching import OwnLink


def treatments_of(actor: Staff | Integration, verb: str = "see_patients") -> TreatmentQuerySet:
    """The treatments at those clinics, with their patients."""
    return Treatment.objects.filter(clinic__in=clinics_of(actor, verb)).select_related("patient", "clinic", "clinician")


def treatment_behind(link: OwnLink) -> Treatment | None:
    """The treatment of the one person whose own link this is; of two records that are one person, the kept one."""
    found = Treatment.objects.select_related("clinic", "patient").filter(patient=link.patient_id).first()
    if found is None or found.merged_into_id is None:
        return found
    return Treatment.objects.select_related("clinic", "patient").get(pk=found.merged_into_id)


def alerts_of(actor: Staff | Integration, verb: str = "see_patients") -> AlertQuerySet:
    """The alerts at those clinics. Those of a patient who has left are the new clinic's to see."""
    clinics = clinics_of(actor, verb)
    return Alert.objects.filter(clinic__in=clinics, treatment__clinic__in=clinics).select_related(
        "treatment__patient", "clinic", "owner"
    )


def alerts_with_past_of(actor: Staff | Integration, verb: str = "see_patients") -> AlertQuerySet:
    """The same, with those that were resolved before the patient came here. For one alert, not for a list."""
    return Alert.objects.filter(treatment__clinic__in=clinics_of(actor, verb)).select_related(
        "treatment__patient", "clinic", "owner"
    )


def alerts_on_record(treatment: Treatment) -> AlertQuerySet:
    """Every alert of a treatment that was found through this door, those of the records merged into it too."""
    found = Alert.objects.filter(treatment_id__in=treatment.records)
    return found.select_related("owner", "acknowledged_by", "resolved_by").order_by("raised_at", "pk")


def in_the_hands_of(person: Staff, clinic: Clinic) -> tuple[TreatmentQuerySet, AlertQuerySet]:
    """The treatments at a clinic whose clinician somebody is, and the open alerts there that are theirs."""
    alerts = Alert.objects.filter(clinic=clinic, owner=person, resolved_at=None)
    return Treatment.objects.filter(clinic=clinic, clinician=person), alerts


def transfers_of(actor: Staff, verb: str = "transfer") -> "QuerySet[Transfer]":
    """The transfers from and to those clinics."""
    clinics = clinics_of(actor, verb)
    return Transfer.objects.filter(Q(from_clinic__in=clinics) | Q(to_clinic__in=clinics)).select_related(
        "treatment__patient", "treatment__clinic", "from_clinic", "to_clinic", "requested_by", "answered_by"
    )


def overrides_of(actor: Staff, verb: str = "see_patients") -> "QuerySet[Override]":
    """The overrides and bridge supplies of those treatments."""
    return Override.objects.filter(treatment__clinic__in=clinics_of(actor, verb)).select_related(
        "treatment__patient", "treatment__clinic", "asked_by", "confirmed_by"
    )


def deliveries_of(actor: Staff, verb: str = "see_deliveries") -> DeliveryQuerySet:
    """The messages of those clinics. What belongs to no clinic, such as a code, is shown to nobody."""
    clinics = clinics_of(actor, verb).values_list("pk", flat=True)
    return Delivery.objects.filter(clinic_id__in=list(clinics))


def receivers_for(clinic: Clinic) -> "QuerySet[Clinic]":
    """The clinics to which a patient of this one can go."""
    return Clinic.objects.exclude(pk=clinic.pk).order_by("name", "slug")


def prescribers_at(clinic: Clinic) -> "QuerySet[Staff]":
    """Who can be the clinician of a patient there."""
    mine = {"memberships__clinic": clinic, "memberships__role": Role.PRESCRIBER, "memberships__active": True}
    return Staff.objects.filter(is_active=True, **mine).order_by("last_name", "first_name", "pk")


def people_of(clinic: Clinic) -> "QuerySet[Staff]":
    """Everybody who works or has worked at a clinic."""
    return Staff.objects.filter(memberships__clinic=clinic).distinct().order_by("last_name", "first_name", "pk")


def person_by_email(email: str) -> Staff | None:
    """The account with this address, wherever it works."""
    return Staff.objects.filter(email__iexact=email).first()


def merges_of(actor: Staff | Integration, verb: str = "see_patients") -> QuerySet[Merge]:
    """The merges of those treatments that stand: two records of one person."""
    return Merge.objects.filter(kept__clinic__in=clinics_of(actor, verb), undone_at=None).select_related(
        "kept__patient", "merged"
    )


def changes_of(actor: Staff, verb: str = "foresee_protocol") -> "QuerySet[ProtocolChange]":
    """The changes of protocol of those clinics."""
    found = ProtocolChange.objects.filter(clinic__in=clinics_of(actor, verb))
    return found.select_related("clinic", "asked_by", "confirmed_by", "cancelled_by")
