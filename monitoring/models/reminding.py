"""A clinic's own wording of its reminders, and what patients say of themselves."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.treatment import Treatment
from monitoring.rules.reminders import KINDS
from patients.models import APPEND_ONLY, Clinic, Staff
from patients.reaching import Carer, Language


class Wording(models.Model):
    """How a clinic words one kind of reminder in one language. The latest row holds; empty: the product's own words."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="wordings")
    kind = models.CharField(max_length=16, choices=[(kind, kind) for kind in KINDS])
    language = models.CharField(max_length=2, choices=Language.choices)
    body = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="wording_kind_known"),
            models.CheckConstraint(condition=Q(language__in=Language.values), name="wording_language_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["clinic", "kind", "language", "-id"], name="wordings_latest")]


class SelfCheck(models.Model):
    """What a patient, or a carer for them, answered to "Feeling unwell?", and what the rules made of it then."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="self_checks")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    carer = models.ForeignKey(Carer, models.PROTECT, null=True, related_name="+")
    """Who answered, where it was not the patient."""
    entry = models.UUIDField()
    """The form's own key: the same answers sent twice are one check."""
    answers = models.JSONField()
    found = models.JSONField()
    """The codes of what the rules found, the most urgent first."""
    at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment", "entry"], name="self_check_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["treatment", "-at"], name="self_checks_by_time")]
