"""The day on which blood is to be drawn."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from monitoring.models.treatment import Treatment
from patients.models import NO_DELETE, Clinic, Integration, Staff


class Booking(models.Model):
    """A blood test that is booked. It ends with that blood, with another day, or with a person's reason."""

    treatment = models.ForeignKey(Treatment, models.PROTECT, related_name="bookings")
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="+")
    day = models.DateField()
    booked_at = models.DateTimeField()
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    integration = models.ForeignKey(Integration, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    end_reason = models.TextField(blank=True)

    just_stored = True
    """False on a row that was there already when the same was told again."""

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["treatment"], condition=Q(ended_at=None), name="one_open_booking"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None, end_reason="")
                | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="booking_ends_with_reason",
            ),
        ]
