"""Who answers when: deputies, people who are away and who covers for them, and the shifts on call."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from patients.models import NO_DELETE, Clinic, Staff


def _same(column: str) -> Func:
    """Equality of a number as ranges overlap: an exclusion constraint then needs no extension of PostgreSQL."""
    return Func(F(column), F(column), Value("[]"), function="int8range")


DAYS = Func(F("first_day"), F("last_day"), Value("[]"), function="daterange", output_field=DateRangeField())
HOURS = Func(F("starts_at"), F("ends_at"), Value("[)"), function="tstzrange", output_field=DateTimeRangeField())


class Deputy(models.Model):
    """Who is told next when somebody does not answer. Without `staff`: of everybody here who has none of their own."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="deputies")
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    deputy = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    """Null: nobody any more."""

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "staff"], nulls_distinct=False, name="one_deputy_each"),
            models.CheckConstraint(
                condition=Q(staff=None) | Q(deputy=None) | ~Q(staff=F("deputy")), name="deputy_is_somebody_else"
            ),
        ]


class Absence(models.Model):
    """Days of the clinic's calendar, the first and the last included, on which somebody is away and another covers."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="absences")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="absences")
    cover = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(staff=F("cover")), name="cover_is_somebody_else"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="absence_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                name="absence_cancelled_by_somebody",
            ),
            ExclusionConstraint(
                name="away_once_at_a_time",
                expressions=[
                    (_same("clinic_id"), RangeOperators.OVERLAPS),
                    (_same("staff_id"), RangeOperators.OVERLAPS),
                    (DAYS, RangeOperators.OVERLAPS),
                ],
                condition=Q(cancelled_at=None),
            ),
        ]


class Shift(models.Model):
    """One person on call at a clinic, from one instant to another."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="shifts")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
                name="shift_cancelled_by_somebody",
            ),
            ExclusionConstraint(
                name="one_on_call_at_a_time",
                expressions=[(_same("clinic_id"), RangeOperators.OVERLAPS), (HOURS, RangeOperators.OVERLAPS)],
                condition=Q(cancelled_at=None),
            ),
        ]


class ShiftOfferQuerySet(models.QuerySet["ShiftOffer"]):
    """Offers by where they stand."""

    def waiting(self) -> "ShiftOfferQuerySet":
        """Not answered and not withdrawn."""
        return self.filter(accepted_at=None, declined_at=None, withdrawn_at=None)


class ShiftOffer(models.Model):
    """Somebody asks a colleague to take a shift over. Until the colleague accepts, it stays with whoever has it."""

    shift = models.ForeignKey(Shift, models.PROTECT, related_name="offers")
    giver = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    taker = models.ForeignKey(Staff, models.PROTECT, related_name="shift_offers")
    asked_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = ShiftOfferQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["shift"],
                condition=Q(accepted_at=None, declined_at=None, withdrawn_at=None),
                name="one_open_offer_a_shift",
            ),
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="shift_offered_to_somebody_else"),
        ]


def absent(clinic: Clinic, now: datetime) -> "models.QuerySet[Absence, int]":
    """The people who are away from this clinic today, by their numbers."""
    today = now.astimezone(clinic.zone).date()
    return Absence.objects.filter(
        clinic=clinic, cancelled_at=None, first_day__lte=today, last_day__gte=today
    ).values_list("staff_id", flat=True)
