"""REMS and registry programmes as dated records: history where one has ended, a policy where a clinic asks."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.treatment import Treatment
from patients.models import APPEND_ONLY, NO_DELETE, Clinic, Staff

OF_PATIENT = ("enrolled", "disenrolled", "status_form", "dispense_rationale", "treatment_rationale", "authorisation")
OF_CLINIC = ("pharmacy_certified", "pharmacy_lapsed")
OF_PERSON = ("prescriber_certified", "prescriber_lapsed")


class Programme(models.TextChoices):
    """Whose records these are."""

    REMS = "us-rems", "US Clozapine REMS (ended 2025)"
    CLINIC = "clinic", "The clinic's own registry"


class RecordKind(models.TextChoices):
    """What a record says."""

    ENROLLED = "enrolled", "Patient enrolled"
    DISENROLLED = "disenrolled", "Patient disenrolled"
    STATUS_FORM = "status_form", "Patient Status Form submitted"
    DISPENSE_RATIONALE = "dispense_rationale", "Dispense rationale given"
    TREATMENT_RATIONALE = "treatment_rationale", "Treatment rationale given"
    AUTHORISATION = "authorisation", "REMS Dispense Authorization obtained"
    PRESCRIBER_CERTIFIED = "prescriber_certified", "Prescriber certified"
    PRESCRIBER_LAPSED = "prescriber_lapsed", "Prescriber's certification ended"
    PHARMACY_CERTIFIED = "pharmacy_certified", "Pharmacy certified"
    PHARMACY_LAPSED = "pharmacy_lapsed", "Pharmacy's certification ended"


class ProgrammeRecord(models.Model):
    """One dated fact. Never edited: a wrong one is voided, with who, when and why."""

    programme = models.CharField(max_length=16, choices=Programme.choices)
    kind = models.CharField(max_length=24, choices=RecordKind.choices)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="programme_records")
    treatment = models.ForeignKey(Treatment, models.PROTECT, null=True, related_name="programme_records")
    person = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="programme_records")
    on = models.DateField()
    code = models.CharField(max_length=40, blank=True)
    words = models.TextField(blank=True)
    drafted = models.JSONField(default=dict)
    """What the system filled in by itself, as the signer saw it."""
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    void_reason = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=OF_PATIENT, treatment__isnull=False, person=None)
                | Q(kind__in=OF_PERSON, treatment=None, person__isnull=False)
                | Q(kind__in=OF_CLINIC, treatment=None, person=None),
                name="programme_record_about_one",
            ),
            models.CheckConstraint(
                condition=Q(voided_at=None, voided_by=None)
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="programme_void_has_who_and_why",
            ),
            models.UniqueConstraint(
                fields=["programme", "kind", "treatment", "on"],
                condition=Q(voided_at=None, kind="status_form"),
                name="one_status_form_a_day",
            ),
        ]
        indexes: ClassVar = [models.Index("treatment", "programme", "on", name="programme_by_patient")]


class RegistryForm(models.Model):
    """The form of a clinic's own registry: what it asks beyond what is known. The newest one is in force."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="registry_forms")
    title = models.CharField(max_length=120)
    questions = models.JSONField(default=list)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(title=""), name="registry_form_has_title")]
        indexes: ClassVar = [models.Index(fields=["clinic", "-id"], name="registry_forms_by_clinic")]


class NonRechallenge(models.Model):
    """An entry in this service's non-rechallenge register: evidence, a date to look again, and how it ended."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="non_rechallenges")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    evidence = models.TextField()
    counts = models.JSONField(default=list)
    confirmed = models.BooleanField(null=True)
    population = models.CharField(max_length=8)
    other_drugs = models.TextField(blank=True)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    review_on = models.DateField()
    reviews = models.JSONField(default=list)
    """Each time that a prescriber looked at it again and kept it: when, who, why."""
    appeal = models.TextField(blank=True)
    appealed_at = models.DateTimeField(null=True)
    appealed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    outcome = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment"], condition=Q(ended_at=None), name="one_open_non_rechallenge"),
            models.CheckConstraint(condition=~Q(evidence=""), name="non_rechallenge_has_evidence"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None)
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(outcome="")),
                name="non_rechallenge_ends_with_outcome",
            ),
        ]
