"""Something that a person must answer."""

import hashlib
from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.result import Result
from monitoring.models.treatment import Treatment
from patients.models import APPEND_ONLY, NO_DELETE, Clinic, Staff


class Cause(models.TextChoices):
    """Why an alert stands."""

    NEUTROPENIA = "neutropenia", "Low neutrophil count"
    REPEAT_OWED = "repeat_owed", "Repeat count owed"
    TEST_OVERDUE = "test_overdue", "Blood test overdue"
    FEVER = "fever", "Fever reported"
    CORRECTION = "correction", "Count corrected"
    AGAINST_ADVICE = "against_advice", "Dose given against the advice"
    LOOSENED = "loosened", "Typed result that loosens the advice"
    TRANSFER = "transfer", "Transfer to answer"
    SUPPLY_ENDS = "supply_ends", "Tablets run out and no test is booked"
    CONTRADICTED = "contradicted", "Supply that a later fact contradicts"
    REGISTER_REVIEW = "register_review", "Entry in the non-rechallenge register to look at again"
    OVERRIDE = "override", "Supply against the answer: to confirm or to review"
    BEN_TO_CONFIRM = "ben_to_confirm", "BEN to be confirmed"
    UNWELL = "unwell", "Patient says they are unwell"
    LIMITS_END = "limits_end", "Limits agreed for this patient end"
    CALL_PATIENT = "call_patient", "Reminders unanswered: call the patient"


class Severity(models.IntegerChoices):
    """How soon an answer is owed; the lower, the sooner."""

    SEVERE = 1, "Severe"
    MODERATE = 2, "Moderate"
    MILD = 3, "Mild"
    ROUTINE = 4, "Routine"


class Outcome(models.TextChoices):
    """How an alert ended."""

    ACTED = "acted", "Acted on the advice"
    PRESCRIBER_DECIDED = "prescriber_decided", "Prescriber decided otherwise"
    TESTED = "tested", "Blood was tested"
    NOT_REAL = "not_real", "The result was not real"
    OTHER = "other", "Other, see the note"


class Step(models.IntegerChoices):
    """Who was told last of an alert that nobody has answered."""

    OWNER = 0, "The owner"
    DEPUTY = 1, "The deputy"
    ON_CALL = 2, "On-call"
    ALARM = 3, "The clinic's alarm"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts by where they stand."""

    def standing(self) -> "AlertQuerySet":
        """Not resolved, the most severe and then the oldest first."""
        return self.filter(resolved_at=None).order_by("severity", "raised_at", "pk")

    def sounding(self) -> "AlertQuerySet":
        """Nobody has answered them after every step: the clinic's alarm stands."""
        return self.filter(resolved_at=None, acknowledged_at=None, step=Step.ALARM)


class Alert(models.Model):
    """One open alert a treatment and cause; it is updated when it worsens, and only a person's outcome ends it."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="alerts")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="alerts")
    cause = models.CharField(max_length=16, choices=Cause.choices)
    severity = models.SmallIntegerField(choices=Severity.choices)
    summary = models.TextField()
    result = models.ForeignKey(Result, models.PROTECT, null=True, related_name="alerts")
    owner = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="alerts")
    raised_at = models.DateTimeField()
    worsened_at = models.DateTimeField()
    step = models.SmallIntegerField(choices=Step.choices, db_default=Step.OWNER)
    """How far it was told since it was raised, became worse or came back."""
    escalate_at = models.DateTimeField()
    """When the next step is taken, or, of an acknowledged alert, when it comes back."""
    escalated_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=24, choices=Outcome.choices, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["treatment", "cause"], condition=Q(resolved_at=None), name="one_open_alert_per_cause"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, outcome="") | (Q(resolved_at__isnull=False) & ~Q(outcome="")),
                name="alert_resolved_with_outcome",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None, acknowledged_by=None)
                | Q(acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="alert_acknowledged_by_somebody",
            ),
            models.CheckConstraint(condition=Q(cause__in=Cause.values), name="alert_cause_known"),
            models.CheckConstraint(condition=Q(step__in=Step.values), name="alert_step_known"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["clinic", "severity", "raised_at", "id"],
                include=["cause"],
                name="alerts_standing",
                condition=Q(resolved_at=None),
            ),
            models.Index("owner", "severity", "raised_at", "id", name="alerts_of_owner", condition=Q(resolved_at=None)),
            models.Index(
                fields=["clinic", "-resolved_at", "-id"],
                name="alerts_resolved",
                condition=Q(resolved_at__isnull=False),
            ),
            models.Index(
                "escalate_at",
                name="alerts_unanswered",
                condition=Q(resolved_at=None) & (Q(step__lt=Step.ALARM) | Q(acknowledged_at__isnull=False)),
            ),
            models.Index(
                "clinic",
                name="alerts_sounding",
                condition=Q(resolved_at=None, acknowledged_at=None, step=Step.ALARM),
            ),
        ]

    @property
    def state(self) -> str:
        """open, acknowledged or resolved."""
        if self.resolved_at:
            return "resolved"
        return "acknowledged" if self.acknowledged_at else "open"

    @property
    def basis(self) -> str:
        """What it says in one word: a page carries it, and an answer from there is an answer to this and no more."""
        said = f"{self.severity}:{self.worsened_at.timestamp()}:{self.summary}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def ticked(self) -> str:
        """The alert and what it says, for a box to tick."""
        return f"{self.pk}:{self.basis}"


class AlertNote(models.Model):
    """The alert's story: what was added to it, by whom and when."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="notes")
    at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=16)
    text = models.TextField(blank=True)
    severity = models.SmallIntegerField(choices=Severity.choices, null=True)
    """How severe the alert is from this note on: a later worsening must not rewrite an earlier report."""

    class Meta:
        triggers: ClassVar = APPEND_ONLY
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "staff"], condition=Q(verb="seen"), name="alert_seen_once_each")
        ]
