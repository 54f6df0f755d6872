"""Web push to a browser that agreed to it, signed with this service's VAPID key."""

import json

import requests
from django.conf import settings
from pywebpush import WebPushException, webpush

from notifications.channels.errors import ChannelError, NotSetUpError, RefusedError, UnsureError
from notifications.channels.wire import TIMEOUT, broken, session
from notifications.models import Delivery, PushSubscription

GONE = (404, 410)
KEPT_FOR = 24 * 60 * 60
"""Seconds for which the push service keeps a message for a browser that is off."""


def send_webpush(delivery: Delivery) -> str:
    """Hand the message to the browser's push service, encrypted for that browser alone."""
    keys = settings.WEBPUSH
    if not keys["private_key"]:
        raise NotSetUpError("Web push is not set up here: set CLOZATRACK_VAPID_PRIVATE_KEY")
    subscription = PushSubscription.objects.filter(pk=int(delivery.address)).first()
    if subscription is None or subscription.ended_at:
        raise RefusedError("this browser is no longer subscribed")
    shown = {"title": delivery.subject, "body": delivery.body, "path": delivery.path, "tag": delivery.about}
    try:
        answer = webpush(
            {"endpoint": subscription.endpoint, "keys": {"p256dh": subscription.p256dh, "auth": subscription.auth}},
            data=json.dumps(shown),
            vapid_private_key=keys["private_key"],
            vapid_claims={"sub": keys["contact"]},
            timeout=TIMEOUT,
            ttl=KEPT_FOR,
            headers={"Urgency": "high" if delivery.priority <= 2 else "normal"},
            requests_session=session(private=settings.PRIVATE_ADDRESSES),
        )
    except WebPushException as error:
        raise _refusal(error, subscription, delivery) from error
    except requests.RequestException as error:
        raise broken(error) from error
    return "" if isinstance(answer, str) else answer.headers.get("Location", "")[:200]


def _refusal(error: WebPushException, subscription: PushSubscription, delivery: Delivery) -> ChannelError:
    status = error.status_code
    if status in GONE:
        # The moment of the hand-over: the clock is the edge's, and this row's own is near enough.
        PushSubscription.objects.filter(pk=subscription.pk, ended_at=None).update(
            ended_at=max(delivery.due_at, subscription.created_at), ended_because=f"the push service answered {status}"
        )
        return RefusedError(f"this browser is no longer subscribed: the push service answered {status}")
    said = f"the push service answered {status}"
    return UnsureError(said) if status and status >= 500 else ChannelError(said)
