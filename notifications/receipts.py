"""What providers tell of a message later. In any order and as often as they like: the furthest that is known counts."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Coalesce

from notifications.models import Delivery, DeliveryEvent, Happened

SMS_WORDS: Mapping[str, Happened] = {
    "accepted": Happened.ON_ITS_WAY,
    "scheduled": Happened.ON_ITS_WAY,
    "queued": Happened.ON_ITS_WAY,
    "sending": Happened.ON_ITS_WAY,
    "sent": Happened.ON_ITS_WAY,
    "delivered": Happened.DELIVERED,
    "read": Happened.DELIVERED,
    "undelivered": Happened.BOUNCED,
    "failed": Happened.BOUNCED,
    "canceled": Happened.BOUNCED,
}
MAIL_WORDS: Mapping[str, Happened] = {
    "queued": Happened.ON_ITS_WAY,
    "sent": Happened.ON_ITS_WAY,
    "deferred": Happened.ON_ITS_WAY,
    "delivered": Happened.DELIVERED,
    "opened": Happened.DELIVERED,
    "clicked": Happened.DELIVERED,
    "rejected": Happened.BOUNCED,
    "failed": Happened.BOUNCED,
    "bounced": Happened.BOUNCED,
}


@transaction.atomic
def note_receipt(
    *, delivery: Delivery, kind: Happened, word: str, provider_id: str, now: datetime, detail: str = ""
) -> None:
    """Write down what the provider said, once. It also says that the message was handed over, if we never learned."""
    event = DeliveryEvent(
        delivery=delivery,
        at=now,
        kind=kind,
        detail=f"{word} {detail}".strip()[:300],
        receipt=f"{word}:{provider_id}"[:80],
    )
    DeliveryEvent.objects.bulk_create([event], ignore_conflicts=True)
    row = Delivery.objects.filter(pk=delivery.pk)
    marked = {} if delivery.repeatable else {"handing_at": Coalesce("handing_at", now)}
    row.filter(sent_at=None).update(sent_at=now, dead_at=None, leased_until=None, last_error="", **marked)
    if provider_id:
        row.filter(provider_id="").update(provider_id=provider_id[:200])
    if kind == Happened.DELIVERED:
        row.filter(delivered_at=None).update(delivered_at=now)
    if kind == Happened.BOUNCED:
        row.filter(bounced_at=None).update(bounced_at=now)


def mail_receipt(*, delivery_id: str, message_id: str, word: str, detail: str, now: datetime) -> bool:
    """A receipt for a mail, which names our own number, or else the provider's. False when it is none of ours."""
    found = Delivery.objects.filter(channel="email")
    named = found.filter(pk=int(delivery_id)) if delivery_id.isdecimal() else found.none()
    ours = named.first() or (found.filter(provider_id=message_id).first() if message_id else None)
    kind = MAIL_WORDS.get(word)
    if ours is None or kind is None:
        return False
    note_receipt(delivery=ours, kind=kind, word=word, provider_id=message_id, now=now, detail=detail)
    return True
