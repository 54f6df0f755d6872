"""How people who work here are told of alerts: where they are reached, and what they wish for each severity."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from monitoring.models.alert import Severity
from notifications.models import PushSubscription
from patients.models import NO_DELETE, Staff

TRIES = 5


class Channel(models.TextChoices):
    """By what a message comes."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    WEBPUSH = "webpush", "Browser notification"
    WEBHOOK = "webhook", "Webhook (Slack, Teams, pager)"


class WayQuerySet(models.QuerySet["Way"]):
    """Ways by where they stand."""

    def standing(self) -> "WayQuerySet":
        """Added and not ended, also by the browser itself; the oldest first."""
        return self.filter(ended_at=None, subscription__ended_at=None).order_by("pk")

    def live(self) -> "WayQuerySet":
        """Confirmed as well: fit for messages."""
        return self.standing().exclude(confirmed_at=None)


class Way(models.Model):
    """A telephone, a browser or a webhook of somebody who works here; used once its owner typed the code sent there.

    E-mail needs none: its address is the account's.
    """

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="ways")
    channel = models.CharField(max_length=16, choices=Channel.choices)
    address = models.CharField(max_length=254, blank=True)
    subscription = models.ForeignKey(PushSubscription, models.PROTECT, null=True, related_name="+")
    label = models.CharField(max_length=80)
    added_at = models.DateTimeField()
    code_hash = models.CharField(max_length=64, blank=True)
    code_sent_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=80, blank=True)

    objects = WayQuerySet.as_manager()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(channel="webpush", address="", subscription__isnull=False)
                | (Q(channel__in=["sms", "webhook"], subscription=None) & ~Q(address="")),
                name="way_leads_somewhere",
            ),
            models.UniqueConstraint(
                fields=["staff", "channel"],
                condition=Q(ended_at=None, confirmed_at__isnull=False) & ~Q(channel="webpush"),
                name="one_live_way_a_channel",
            ),
            models.UniqueConstraint(
                fields=["staff", "channel"],
                condition=Q(ended_at=None, confirmed_at=None) & ~Q(channel="webpush"),
                name="one_way_to_confirm_a_channel",
            ),
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(ended_at=None), name="one_standing_way_a_browser"
            ),
            models.CheckConstraint(condition=Q(tries__gte=0, tries__lte=TRIES), name="way_code_tries_bounded"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None) | Q(code_hash=""), name="way_code_is_spent_when_confirmed"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_because="") | (Q(ended_at__isnull=False) & ~Q(ended_because="")),
                name="way_ended_with_a_reason",
            ),
        ]
        indexes: ClassVar = [models.Index("staff", name="ways_standing", condition=Q(ended_at=None))]

    @property
    def shown(self) -> str:
        """The number, the webhook's host, or the browser's name: enough to know it again, no secret."""
        if self.channel == Channel.WEBHOOK:
            return self.address.split("/")[2]
        return self.address or self.label


class Wish(models.Model):
    """By which channels somebody wants to be told of alerts of one severity. Without a row: by e-mail."""

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="wishes")
    severity = models.SmallIntegerField(choices=Severity.choices)
    channels = ArrayField(models.CharField(max_length=16))
    changed_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = NO_DELETE
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["staff", "severity"], name="one_wish_a_severity"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="wish_severity_known"),
            models.CheckConstraint(condition=Q(channels__contained_by=Channel.values), name="wish_channels_known"),
            models.CheckConstraint(
                condition=~Q(severity=Severity.SEVERE) | Q(channels__len__gt=0), name="severe_is_never_switched_off"
            ),
        ]


class Reach(models.Model):
    """A view: each channel and address by which one person is told of alerts of one severity.

    E-mail stands in where every channel that was wished for has ended, so that a lost telephone silences nobody.
    """

    key = models.CharField(max_length=300, primary_key=True)
    staff = models.ForeignKey(Staff, models.DO_NOTHING, related_name="+")
    severity = models.SmallIntegerField()
    channel = models.CharField(max_length=16)
    address = models.CharField(max_length=254)

    class Meta:
        managed = False
        db_table = "monitoring_reach"
