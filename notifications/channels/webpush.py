"""Web push to a browser that agreed to it, signed with this service's VAPID key."""

import base64
import json

import requests
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from django.conf import settings
from django.utils.crypto import salted_hmac
from pywebpush import WebPushException, webpush

from notifications.channels.errors import ChannelError, NotSetUpError, RefusedError, UnsureError
from notifications.channels.wire import TIMEOUT, broken, session
from notifications.models import Delivery, PushSubscription

GONE = (404, 410)
KEPT_FOR = 24 * 60 * 60
"""Seconds for which the push service keeps a message for a browser that is off, where the message says nothing else."""
NO_KEYS = "the browser named keys with which nothing can be encrypted"


def set_up() -> bool:
    """Whether this installation can push: it has both halves of its key."""
    return bool(settings.WEBPUSH["private_key"] and settings.WEBPUSH["public_key"])


def objection(*, endpoint: str, p256dh: str, auth: str) -> str:
    """Why a browser that names these cannot be pushed to; empty when it can."""
    if not endpoint.startswith(("https://", "http://")):
        return "the browser named no address"
    if not (endpoint.startswith("https://") or settings.PRIVATE_ADDRESSES):
        return "the browser named an address without encryption"
    return "" if _keys_fit(p256dh, auth) else NO_KEYS


def _keys_fit(p256dh: str, auth: str) -> bool:
    """Whether a message can be encrypted with them: else one browser would stop the messages behind it."""
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _read(p256dh))
        return len(_read(auth)) == 16
    except ValueError:
        return False


def _read(written: str) -> bytes:
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def send_webpush(delivery: Delivery) -> str:
    """Hand the message to the browser's push service, encrypted for that browser alone."""
    keys = settings.WEBPUSH
    if not keys["private_key"]:
        raise NotSetUpError("Web push is not set up here: set CLOZATRACK_VAPID_PRIVATE_KEY")
    subscription = PushSubscription.objects.filter(pk=int(delivery.address)).first()
    if subscription is None or subscription.ended_at:
        raise RefusedError("this browser is no longer subscribed")
    if not _keys_fit(subscription.p256dh, subscription.auth):
        raise RefusedError(NO_KEYS)
    shown = {"title": delivery.subject, "body": delivery.body, "path": delivery.path, "tag": _tag(delivery.about)}
    try:
        answer = webpush(
            {"endpoint": subscription.endpoint, "keys": {"p256dh": subscription.p256dh, "auth": subscription.auth}},
            data=json.dumps(shown),
            vapid_private_key=keys["private_key"],
            vapid_claims={"sub": keys["contact"]},
            timeout=TIMEOUT,
            ttl=min(KEPT_FOR, KEPT_FOR if delivery.worth_seconds is None else delivery.worth_seconds),
            headers={"Urgency": "high" if delivery.priority <= 2 else "normal"},
            requests_session=session(private=settings.PRIVATE_ADDRESSES),
        )
    except WebPushException as error:
        raise _refusal(error, subscription, delivery) from error
    except requests.RequestException as error:
        raise broken(error) from error
    except ValueError as error:
        # Our own key, since theirs was looked at: tried again when it was set right.
        raise ChannelError("the message could not be signed; look at CLOZATRACK_VAPID_PRIVATE_KEY") from error
    return "" if isinstance(answer, str) else answer.headers.get("Location", "")[:200]


def _tag(about: str) -> str:
    """The same for messages of which the later takes the place of the earlier; tells no number of ours."""
    return salted_hmac("clozatrack.push_tag", about, algorithm="sha256").hexdigest()[:16] if about else ""


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
