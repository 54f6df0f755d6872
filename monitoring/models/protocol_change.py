"""Another protocol for a whole clinic: who asked, what was foreseen for whom, and what became of each."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.treatment import Treatment
from monitoring.rules.protocols import PROTOCOLS
from patients.models import NO_DELETE, Clinic, Staff


class Kind(models.TextChoices):
    """What another protocol makes of a treatment, the gravest first; each treatment is one of them."""

    CANNOT = "cannot", "Cannot be judged by it"
    STRICTER = "stricter", "Advice becomes stricter"
    LOOSER = "looser", "Advice becomes looser"
    SOONER = "sooner", "Next test is due sooner"
    LATER = "later", "Next test is due later"
    OTHER = "other", "Only the band or the frequency changes"
    SAME = "same", "Nothing changes"


class RowState(models.TextChoices):
    """What became of one treatment."""

    FORESEEN = "foreseen", "Foreseen"
    SWITCHED = "switched", "Switched"
    REFUSED = "refused", "Refused"


class ProtocolChange(models.Model):
    """One change for one clinic: foreseen in chunks, confirmed by a prescriber, then carried out patient by patient."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="protocol_changes")
    protocol_key = models.CharField(max_length=32)
    reason = models.TextField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    patients = models.IntegerField()
    """So many treatments were there to be foreseen when it was asked for."""
    foreseen_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["clinic"],
                condition=Q(finished_at=None, cancelled_at=None),
                name="one_open_protocol_change",
            ),
            models.CheckConstraint(condition=Q(protocol_key__in=list(PROTOCOLS)), name="change_protocol_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="change_has_reason"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, confirmed_by=None, finished_at=None)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False, foreseen_at__isnull=False),
                name="change_confirmed_after_foresight",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False, finished_at=None),
                name="change_cancelled_by_somebody",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["clinic", "-asked_at"], name="changes_by_time")]

    @property
    def open(self) -> bool:
        """Neither finished nor cancelled."""
        return self.finished_at is None and self.cancelled_at is None


class ChangeChunk(models.Model):
    """Treatments that are foreseen in one transaction: all of them or, after a kill, none."""

    change = models.ForeignKey(ProtocolChange, models.PROTECT, related_name="chunks")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    patients = models.IntegerField()
    foreseen_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    """How many there were of each kind, of each changed line, and of each change of advice."""

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["change", "first_id"], name="chunk_once"),
        ]
        indexes: ClassVar = [
            models.Index("change", "id", name="chunks_to_foresee", condition=Q(foreseen_at=None)),
        ]


class ChangeRow(models.Model):
    """One treatment: what is said of it, what the other protocol would say, and whether it was switched."""

    change = models.ForeignKey(ProtocolChange, models.PROTECT, related_name="rows")
    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="protocol_changes")
    version = models.IntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    was_band = models.CharField(max_length=16, blank=True)
    band = models.CharField(max_length=16, blank=True)
    was_advice = models.CharField(max_length=16, blank=True)
    advice = models.CharField(max_length=16, blank=True)
    was_frequency = models.CharField(max_length=24, blank=True)
    frequency = models.CharField(max_length=24, blank=True)
    was_due_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    state = models.CharField(max_length=12, choices=RowState.choices, default=RowState.FORESEEN)
    ended_at = models.DateTimeField(null=True)
    why = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["change", "treatment"], name="one_row_per_treatment"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="change_kind_known"),
            models.CheckConstraint(
                condition=Q(state="foreseen", ended_at=None)
                | Q(state="switched", ended_at__isnull=False)
                | (Q(state="refused", ended_at__isnull=False) & ~Q(why="")),
                name="change_row_ends_switched_or_refused",
            ),
            models.CheckConstraint(condition=~Q(kind="cannot", state="switched"), name="what_cannot_is_not_switched"),
        ]
        indexes: ClassVar = [
            models.Index("change", "kind", "id", name="change_rows_by_kind"),
            models.Index("change", "id", name="change_rows_to_switch", condition=Q(state="foreseen")),
            models.Index("change", "id", name="change_rows_refused", condition=Q(state="refused")),
        ]
