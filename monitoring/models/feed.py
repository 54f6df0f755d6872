"""What sends results for a clinic, and whether it has gone silent."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from patients.models import NO_DELETE, Clinic


class FeedQuerySet(models.QuerySet["Feed"]):
    """Feeds by whether they speak."""

    def silent(self, now: datetime) -> "FeedQuerySet":
        """Nothing has come for longer than is usual, or than the clinic has said."""
        return self.filter(silent_from__lte=now)


class Feed(models.Model):
    """One source of results at one clinic: when it last spoke, and when its silence begins to mean something."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="feeds")
    source = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    first_at = models.DateTimeField()
    """Since when it is watched."""
    last_at = models.DateTimeField()
    heard = models.IntegerField(default=1)
    """In how many looks something new had come."""
    longest_gap = models.DurationField(default=timedelta)
    """Learnt: the longest time between two messages that was no silence."""
    expected_hours = models.IntegerField(null=True)
    """Said by the clinic; null: as learnt."""
    silent_from = models.DateTimeField(null=True)
    """Null: nothing is expected yet."""
    told_at = models.DateTimeField(null=True)
    """When people were told of the silence that lasts."""

    objects = FeedQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "source"], name="one_feed_a_source"),
            models.CheckConstraint(
                condition=Q(expected_hours=None) | Q(expected_hours__gte=1, expected_hours__lte=24 * 60),
                name="feed_expected_within_two_months",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def silent_at(self, now: datetime) -> bool:
        """Whether it is silent at that moment."""
        return self.silent_from is not None and self.silent_from <= now
