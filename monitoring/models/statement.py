"""The eligibility statement: paper for those who still ask for the REMS. Written once; its end is a row of its own."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from monitoring.models.dispense import FRESH
from monitoring.models.treatment import Treatment
from patients.models import APPEND_ONLY, Clinic, Integration, Staff


class Statement(models.Model):
    """What the card said at one moment, on paper. `code` opens nothing but the answer valid or not valid."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="statements")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    code = models.CharField(max_length=32, unique=True)
    entry = models.UUIDField()
    addressee = models.CharField(max_length=120, blank=True)
    basis_version = models.IntegerField()
    verdict = models.JSONField()
    until = models.DateField()
    """The last day that the supply on the paper may reach."""
    printed = models.JSONField()
    """Every text of the paper, so that it prints the same for ever."""
    issued_at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="+")
    valid_until = models.DateTimeField()

    class Meta:
        triggers: ClassVar = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="rests_on_now",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=FRESH.replace("authorisation rests", "statement rests"),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment", "entry"], name="statement_once"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("issued_at")), name="statement_holds_for_a_time"),
            models.CheckConstraint(
                condition=Q(staff__isnull=False, integration=None) | Q(staff=None, integration__isnull=False),
                name="statement_has_one_issuer",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["treatment", "-issued_at"], name="statements_by_time")]


class StatementRevoked(models.Model):
    """A person or a program took a statement back."""

    statement = models.OneToOneField(Statement, models.PROTECT, related_name="revoked")
    at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="+")
    reason = models.TextField()

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="statement_revoked_with_reason"),
        ]
