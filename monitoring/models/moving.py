"""A patient who changes clinic, and two records that are one person. People can undo both; nothing is deleted."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from monitoring.models.treatment import Treatment
from patients.models import NO_DELETE, Clinic, Staff


class Transfer(models.Model):
    """A request that another clinic take over. Until it accepts, the patient stays on the old clinic's lists."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="transfers")
    from_clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="transfers_out")
    to_clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="transfers_in")
    reason = models.TextField()
    old_mrn = models.CharField(max_length=40)
    new_mrn = models.CharField(max_length=40, blank=True)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    answer = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["treatment"],
                condition=Q(accepted_at=None, declined_at=None, withdrawn_at=None),
                name="one_open_transfer",
            ),
            models.CheckConstraint(condition=~Q(from_clinic=F("to_clinic")), name="transfer_between_two_clinics"),
            models.CheckConstraint(condition=~Q(reason=""), name="transfer_has_reason"),
            models.CheckConstraint(condition=Q(declined_at=None) | ~Q(answer=""), name="transfer_declined_with_reason"),
        ]
        indexes: ClassVar = [models.Index("to_clinic", "requested_at", name="transfers_by_receiver")]

    @property
    def state(self) -> str:
        """requested, accepted, declined or withdrawn."""
        answers = {"accepted": self.accepted_at, "declined": self.declined_at, "withdrawn": self.withdrawn_at}
        return next((name for name, at in answers.items() if at), "requested")


class Merge(models.Model):
    """Two records found to be one person. The kept treatment reads the other's rows too until this is undone."""

    kept = models.ForeignKey(Treatment, models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Treatment, models.PROTECT, related_name="merged_in")
    reason = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    undo_reason = models.TextField(blank=True)
    old_mrn = models.CharField(max_length=40, blank=True)
    """Its MRN before it went along to another clinic, which has no number for it."""
    old_clinic = models.ForeignKey(Clinic, models.PROTECT, null=True, related_name="+")

    just_stored = True

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merged"], condition=Q(undone_at=None), name="merged_once"),
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="merge_of_two"),
            models.CheckConstraint(condition=~Q(reason=""), name="merge_has_reason"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None)
                | (Q(undone_at__isnull=False, undone_by__isnull=False) & ~Q(undo_reason="")),
                name="merge_undone_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(old_mrn="", old_clinic=None) | (~Q(old_mrn="") & Q(old_clinic__isnull=False)),
                name="merge_old_mrn_has_clinic",
            ),
        ]
