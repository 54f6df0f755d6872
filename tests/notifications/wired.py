"""A message of each channel, and the servers that take it."""

from notifications.actions import owe
from notifications.models import Delivery, PushSubscription
from tests.cast import NOW
from tests.wires.http import Gateway, PushService, Server

NUMBER = "+15005550001"


def a_message(once="k1", **fields):
    given = {"channel": "sms", "address": NUMBER, "subject": "s", "body": "Please sign in", "path": "/alerts/1/"}
    owe([Delivery(once=once, **given | {"created_at": NOW, "due_at": NOW} | fields)])
    return Delivery.objects.get(once=once)


def to_a_browser(push, once="k1", **fields):
    row = PushSubscription.objects.create(holder="staff:1", created_at=NOW, **push.subscription)
    return a_message(once, channel="webpush", address=str(row.pk), **fields)


def story(delivery):
    return list(delivery.events.values_list("kind", flat=True))


__all__ = ["NUMBER", "Gateway", "PushService", "Server", "a_message", "story", "to_a_browser"]
