"""A signed POST to an address that a person named: Slack, Teams, a pager, or a program of their own.

X-Clozatrack-Timestamp   seconds since 1970
X-Clozatrack-Signature   sha256=HMAC-SHA256(key, timestamp + "." + body), in hexadecimal

Whoever receives it computes the same and refuses what is older than five minutes. The key is the address's own.
"""

import hashlib
import hmac
import json
import time

import requests
from django.conf import settings

from notifications.channels.errors import ChannelError, NotSetUpError, RefusedError, UnsureError
from notifications.channels.wire import TIMEOUT, broken, session
from notifications.models import Delivery


def signing_key(address: str) -> str:
    """The key with which messages to this address are signed; who knows one knows no other."""
    return hmac.new(settings.WEBHOOK_SECRET.encode(), address.encode(), hashlib.sha256).hexdigest()


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What X-Clozatrack-Signature says."""
    return "sha256=" + hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def send_webhook(delivery: Delivery) -> str:
    """Post the message. Any answer from 200 to 299 means that it was taken."""
    if not settings.WEBHOOK_SECRET:
        raise NotSetUpError("Webhooks are not set up here: set CLOZATRACK_WEBHOOK_SECRET")
    if not delivery.address.startswith("https://") and not settings.PRIVATE_ADDRESSES:
        raise RefusedError("a webhook's address begins with https://; name such a one")
    body = _body(delivery)
    stamp = str(int(time.time()))  # noqa: TID251  # the wire is an edge: a signature is of the moment that it is sent
    headers = {
        "Content-Type": "application/json",
        "X-Clozatrack-Timestamp": stamp,
        "X-Clozatrack-Signature": signature(signing_key(delivery.address), stamp, body),
        "X-Once": delivery.once,
    }
    try:
        answer = session(private=settings.PRIVATE_ADDRESSES).post(
            delivery.address, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        raise broken(error) from error
    if not answer.ok or answer.is_redirect:
        raise _refusal(answer.status_code)
    return ""


def _body(delivery: Delivery) -> bytes:
    """`text` is what Slack and Teams show; the rest is for pagers and programs."""
    said = {
        "text": delivery.body,
        "title": delivery.subject,
        "severity": delivery.priority,
        "url": settings.BASE_URL + delivery.path,
        "dedup_key": delivery.about or delivery.once,
        "once": delivery.once,
    }
    return json.dumps(said).encode()


def _refusal(status: int) -> ChannelError:
    said = f"the address answered {status}"
    if 300 <= status < 400:
        return RefusedError(f"{said}, a redirect, which is not followed; name the place itself")
    return UnsureError(said) if status >= 500 else ChannelError(said)
