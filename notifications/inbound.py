"""What people send back to us. Kept first, then handed to whoever is registered (setting INBOUND_SMS, a dotted path).

The registered callable is called as heard(sender=, words=, now=) inside a transaction of its own, and returns the Reply
that is owed, or None. When it raises, nothing of what it did stays, and the message is handed to it again.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from notifications.actions import owe
from notifications.models import Delivery, Inbound

log = logging.getLogger(__name__)
AGAIN_AFTER = timedelta(minutes=1)
MOST = 20


class Reply(NamedTuple):
    """Words that answer, without any identifier, and where the answer belongs."""

    words: str
    clinic_id: int | None = None
    about: str = ""


Listener = Callable[..., Reply | None]


def keep(*, provider_id: str, sender: str, words: str, now: datetime) -> Inbound:
    """The message, written once however often the provider tells of it. Commits before anybody is asked."""
    with transaction.atomic():
        found, _ = Inbound.objects.get_or_create(
            provider_id=provider_id, defaults={"sender": sender, "words": words.strip(), "at": now}
        )
    return found


def hear(inbound_id: int, *, now: datetime) -> bool:
    """Hand one message to whoever is registered, unless that was done. True when it is dealt with."""
    if not settings.INBOUND_SMS:
        return False
    listener: Listener = import_string(settings.INBOUND_SMS)
    try:
        with transaction.atomic():
            waiting = Inbound.objects.select_for_update(skip_locked=True).filter(pk=inbound_id, heard_at=None).first()
            if waiting is None:
                return False
            reply = listener(sender=waiting.sender, words=waiting.words, now=now)
            Inbound.objects.filter(pk=waiting.pk).update(heard_at=now)
            if reply is not None and reply.words:
                owe([_answer(waiting, reply, now)])
    except Exception:  # whatever the listener raises, the message must not be lost with it
        log.exception("inbound message %s could not be dealt with; it is tried again", inbound_id)
        return False
    return True


def hear_waiting(now: datetime) -> int:
    """Hand over again what could not be dealt with; how many are dealt with now."""
    if not settings.INBOUND_SMS:
        return 0
    left = Inbound.objects.filter(heard_at=None, at__lte=now - AGAIN_AFTER).order_by("at")
    return sum(hear(pk, now=now) for pk in list(left.values_list("pk", flat=True)[:MOST]))


def _answer(waiting: Inbound, reply: Reply, now: datetime) -> Delivery:
    return Delivery(
        once=f"reply:{waiting.pk}",
        channel=waiting.channel,
        address=waiting.sender,
        subject="Answer to a message",
        body=reply.words,
        about=reply.about[:64],
        clinic_id=reply.clinic_id,
        repeatable=False,
        priority=2,
        created_at=now,
        due_at=now,
    )
