"""Blood that was drawn, until its result comes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.result import Result
from monitoring.models.treatment import Treatment
from patients.models import NO_DELETE, Clinic, Staff


class Draw(models.Model):
    """A sample on its way. It ends with its result, or with a person's word that none will come."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="draws")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    result = models.ForeignKey(Result, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    end_reason = models.TextField(blank=True)

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment"], condition=Q(ended_at=None), name="one_open_draw"),
            models.CheckConstraint(
                condition=Q(ended_at=None, result=None)
                | Q(ended_at__isnull=False, result__isnull=False)
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="draw_ends_with_result_or_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index("clinic", "drawn_at", "id", name="draws_waiting", condition=Q(ended_at=None)),
        ]
