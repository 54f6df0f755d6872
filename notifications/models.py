"""The outbox: messages owed to people, what became of them, and what people answered. Knows nothing clinical."""

from datetime import datetime, timedelta
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Case, Q, Value, When

LEASE = timedelta(seconds=30)
DELAYS = (5, 15, 60, 300, 900, 3600, 3600, 3600)
"""Seconds to the next try after each failed one; after the last the message is dead and visible."""
URGENT, REMINDER = 1, 7
"""Priorities: an urgent message waits for nobody; reminders are sent when nothing that staff are owed is due."""
WITHDRAWN = "withdrawn before it was sent, because it no longer held"
KEPT = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)
APPENDED = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class Session(models.Model):
    """A connection that the database serves now. A worker that was killed has none, so its leases are free at once."""

    pid = models.IntegerField(primary_key=True)

    class Meta:
        managed = False
        db_table = "pg_stat_activity"


class State(models.TextChoices):
    """Where a message stands, as far as anybody knows."""

    QUEUED = "queued", "Queued"
    UNKNOWN = "unknown", "Outcome unknown"
    SENT = "sent", "Sent"
    DELIVERED = "delivered", "Delivered"
    BOUNCED = "bounced", "Bounced"
    DEAD = "dead", "Not sent"


STATE = Case(
    When(bounced_at__isnull=False, then=Value(State.BOUNCED.value)),
    When(delivered_at__isnull=False, then=Value(State.DELIVERED.value)),
    When(dead_at__isnull=False, then=Value(State.DEAD.value)),
    When(sent_at__isnull=False, then=Value(State.SENT.value)),
    When(handing_at__isnull=False, then=Value(State.UNKNOWN.value)),
    default=Value(State.QUEUED.value),
)
"""The furthest that is known, so the order in which receipts arrive does not matter."""
RECEIPT = Q(delivered_at__isnull=False) | Q(bounced_at__isnull=False)
UNTOUCHED = Q(sent_at=None, dead_at=None, handing_at=None)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries by where they stand."""

    def waiting(self) -> "DeliveryQuerySet":
        """Neither handed over nor given up, nor handed over with an outcome that nobody knows."""
        return self.filter(UNTOUCHED)

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """Those to send now, the most urgent and then the oldest first; leased ones are somebody's."""
        dead_holder = ~models.Exists(Session.objects.filter(pid=models.OuterRef("leased_by")))
        free = Q(leased_until=None) | Q(leased_until__lt=now) | dead_holder
        return self.waiting().filter(free, due_at__lte=now).order_by("priority", "due_at", "pk")

    def dead(self) -> "DeliveryQuerySet":
        """Given up after the last try."""
        return self.exclude(dead_at=None)

    def withdraw(self, *, now: datetime) -> int:
        """Not to be sent any more, because what they say no longer holds; how many there were. Use after waiting()."""
        return self.filter(UNTOUCHED).update(dead_at=now, leased_until=None, last_error=WITHDRAWN)


class Delivery(models.Model):
    """One message to one address. `once` makes writing it twice impossible.

    A repeatable one is handed over at least once: after an outcome that nobody knows it is sent again. One that is not
    repeatable is handed over at most once: it is marked before the call, and an unknown outcome stays as it is.
    """

    once = models.CharField(max_length=160, unique=True)
    channel = models.CharField(max_length=16, default="email")
    address = models.CharField(max_length=254)
    """An e-mail address, a telephone number (E.164), the key of a PushSubscription, or the address of a webhook."""
    subject = models.CharField(max_length=200)
    body = models.TextField()
    path = models.CharField(max_length=200, blank=True, db_default="")
    """Where the message leads, below BASE_URL; for channels whose messages are opened by a touch."""
    about = models.CharField(max_length=64, blank=True)
    clinic_id = models.BigIntegerField(null=True)
    priority = models.SmallIntegerField(default=5)
    repeatable = models.BooleanField(db_default=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    leased_by = models.IntegerField(null=True)
    """The database session of the worker that holds the lease."""
    attempts = models.SmallIntegerField(default=0)
    handing_at = models.DateTimeField(null=True)
    """Of one that is not repeatable: committed before it is handed over, taken back when it surely was not."""
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, blank=True, db_default="")
    last_error = models.TextField(blank=True)
    state = models.GeneratedField(
        expression=STATE, output_field=models.CharField(max_length=16, choices=State.choices), db_persist=True
    )

    objects = DeliveryQuerySet.as_manager()
    worth_seconds: int | None = None
    """No column: how long a provider may keep it, once the last look has said how long it will be true."""

    class Meta:
        triggers: ClassVar = [
            KEPT,
            pgtrigger.Trigger(
                name="wake",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                level=pgtrigger.Statement,
                func="PERFORM pg_notify('deliveries', ''); RETURN NULL;",
            ),
        ]
        indexes: ClassVar = [
            models.Index("priority", "due_at", "id", name="deliveries_to_send", condition=UNTOUCHED),
            # Of one channel alone, while another one's provider takes no more: its queue is not read through.
            models.Index("channel", "priority", "due_at", "id", name="deliveries_of_channel", condition=UNTOUCHED),
            models.Index("about", name="deliveries_about"),
            models.Index(fields=["clinic_id", "-created_at", "-id"], name="deliveries_of_clinic"),
            models.Index(fields=["clinic_id", "state", "-created_at", "-id"], name="deliveries_by_state"),
            models.Index("provider_id", name="deliveries_at_provider", condition=~Q(provider_id="")),
            models.Index("channel", "address", name="deliveries_with_receipt", condition=RECEIPT),
            # Few bounce: who is asked for them must not read through what was delivered.
            models.Index("channel", "address", name="deliveries_bounced", condition=Q(bounced_at__isnull=False)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sent_at=None) | Q(dead_at=None), name="delivery_sent_or_dead"),
            models.CheckConstraint(
                condition=Q(handing_at=None) | Q(repeatable=False), name="delivery_marked_only_when_unrepeatable"
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(repeatable=True) | Q(handing_at__isnull=False),
                name="delivery_unrepeatable_marked_before_sent",
            ),
            models.CheckConstraint(
                condition=Q(delivered_at=None, bounced_at=None) | Q(sent_at__isnull=False),
                name="delivery_receipt_means_sent",
            ),
        ]


class Happened(models.TextChoices):
    """What a line of a message's story tells."""

    HANDING = "handing", "Being handed over"
    SENT = "sent", "Handed over"
    FAILED = "failed", "Not handed over"
    UNSURE = "unsure", "Outcome unknown"
    DEAD = "dead", "Given up"
    RETRIED = "retried", "Tried again by a person"
    ON_ITS_WAY = "on_its_way", "On its way, says the provider"
    DELIVERED = "delivered", "Delivered, says the provider"
    BOUNCED = "bounced", "Bounced, says the provider"


class DeliveryEvent(models.Model):
    """The story of a message, written once. The same receipt twice is one line."""

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Happened.choices)
    detail = models.CharField(max_length=300, blank=True)
    """The provider's word, or why it failed; never words of the message."""
    receipt = models.CharField(max_length=80, blank=True)
    """What makes a receipt the same receipt; empty for what was not told by the provider."""

    class Meta:
        triggers: ClassVar = [APPENDED]
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=Happened.values), name="delivery_event_known"),
            models.UniqueConstraint(
                fields=["delivery", "receipt"], condition=~Q(receipt=""), name="one_line_a_receipt"
            ),
        ]


class Inbound(models.Model):
    """A message that somebody sent us, kept once however often the provider tells of it."""

    provider_id = models.CharField(max_length=80, unique=True)
    channel = models.CharField(max_length=16, default="sms")
    sender = models.CharField(max_length=254)
    words = models.TextField()
    at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True)
    """When whoever is registered for it had dealt with it; until then it is handed to them again."""

    class Meta:
        triggers: ClassVar = [KEPT]
        indexes: ClassVar = [models.Index("at", name="inbound_unheard", condition=Q(heard_at=None))]


class PushSubscription(models.Model):
    """A browser that agreed to show our messages. `holder` is whoever uses it, such as staff:17."""

    holder = models.CharField(max_length=40)
    endpoint = models.TextField()
    p256dh = models.CharField(max_length=120)
    auth = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=80, blank=True)

    class Meta:
        triggers: ClassVar = [KEPT]
        indexes: ClassVar = [models.Index("holder", name="push_of_holder", condition=Q(ended_at=None))]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint"], condition=Q(ended_at=None), name="one_live_push_a_browser"),
            models.CheckConstraint(condition=Q(endpoint__startswith="http"), name="push_endpoint_is_an_address"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_because="") | (Q(ended_at__isnull=False) & ~Q(ended_because="")),
                name="push_ended_with_a_reason",
            ),
        ]


class Heartbeat(models.Model):
    """When a recurring task last came to its end."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
