"""The outbox: messages owed to people. Knows nothing clinical."""

from datetime import datetime, timedelta
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

LEASE = timedelta(seconds=30)
DELAYS = (5, 15, 60, 300, 900, 3600, 3600, 3600)
"""Seconds to the next try after each failed one; after the last the message is dead and visible."""


class Session(models.Model):
    """A connection that the database serves now. A worker that was killed has none, so its leases are free at once."""

    pid = models.IntegerField(primary_key=True)

    class Meta:
        managed = False
        db_table = "pg_stat_activity"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries by where they stand."""

    def waiting(self) -> "DeliveryQuerySet":
        """Neither handed over nor given up."""
        return self.filter(sent_at=None, dead_at=None)

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """Those to send now, the most urgent and then the oldest first; leased ones are somebody's."""
        dead_holder = ~models.Exists(Session.objects.filter(pid=models.OuterRef("leased_by")))
        free = Q(leased_until=None) | Q(leased_until__lt=now) | dead_holder
        return self.waiting().filter(free, due_at__lte=now).order_by("priority", "due_at", "pk")

    def dead(self) -> "DeliveryQuerySet":
        """Given up after the last try."""
        return self.exclude(dead_at=None)


class Delivery(models.Model):
    """One message to one address. `once` makes writing it twice impossible."""

    once = models.CharField(max_length=160, unique=True)
    channel = models.CharField(max_length=16, default="email")
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    about = models.CharField(max_length=64, blank=True)
    clinic_id = models.BigIntegerField(null=True)
    priority = models.SmallIntegerField(default=5)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    leased_by = models.IntegerField(null=True)
    """The database session of the worker that holds the lease."""
    attempts = models.SmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="wake",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                level=pgtrigger.Statement,
                func="PERFORM pg_notify('deliveries', ''); RETURN NULL;",
            ),
        ]
        indexes: ClassVar = [
            models.Index("priority", "due_at", "id", name="deliveries_due", condition=Q(sent_at=None, dead_at=None)),
            models.Index("about", name="deliveries_about"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sent_at=None) | Q(dead_at=None), name="delivery_sent_or_dead")
        ]


class Heartbeat(models.Model):
    """When a recurring task last came to its end."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
