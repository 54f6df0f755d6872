"""Browsers in which patients and carers see notices: whose they are, whether they still take any, and ending them.

A consent to notices has the key of its PushSubscription as its address. A browser ends by itself too: the outbox ends
the subscription when the push service says that it is gone, and knows nothing of consent.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from monitoring.reminding.outbox import withdraw
from notifications.models import PushSubscription
from patients.consenting import Person, ReachingError
from patients.models import Patient
from patients.reaching import Carer, Channel, Consent

GONE = """
SELECT c.id, c.patient_id, c.carer_id, c.address FROM (
    SELECT DISTINCT ON (patient_id, coalesce(carer_id, 0)) * FROM patients_consent WHERE channel = 'webpush'
    ORDER BY patient_id, coalesce(carer_id, 0), id DESC
) c
LEFT JOIN patients_carer h ON h.id = c.carer_id
LEFT JOIN notifications_pushsubscription s ON s.id::text = c.address AND s.ended_at IS NULL
WHERE c.given AND h.ended_at IS NULL AND s.id IS NULL
"""


def browser_of(consent: Consent) -> PushSubscription | None:
    """The browser in which this consent was given."""
    return PushSubscription.objects.filter(pk=int(consent.address)).first() if consent.address.isdecimal() else None


def takes_notices(address: str) -> bool:
    """Whether the browser with this key still does."""
    return PushSubscription.objects.filter(pk=int(address), ended_at=None).exists()


def former(person: Person, endpoint: str) -> "QuerySet[PushSubscription]":
    """What a new browser takes the place of: the same one, whoever used it, and the person's earlier one."""
    return PushSubscription.objects.filter(Q(endpoint=endpoint) | Q(holder=person.key), ended_at=None)


def end_browsers(found: "QuerySet[PushSubscription]", because: str, now: datetime) -> None:
    """Nothing is shown in these any more, and what waits for them is taken back."""
    keys = list(found.filter(ended_at=None).values_list("pk", flat=True))
    PushSubscription.objects.filter(pk__in=keys, ended_at=None).update(ended_at=now, ended_because=because)
    for key in keys:
        withdraw(channel=Channel.WEBPUSH, address=str(key), now=now)


def end_browsers_of(person: Person, because: str, now: datetime) -> None:
    """Every browser of this person."""
    end_browsers(PushSubscription.objects.filter(holder=person.key), because, now)


def people_with(browsers: Iterable[PushSubscription]) -> list[Person]:
    """Who sees notices in them. Raises ReachingError where somebody who works here sees alerts there: those stay."""
    return [_person(browser.holder) for browser in browsers]


def _person(holder: str) -> Person:
    kind, _, key = holder.partition(":")
    if kind == "carer":
        carer = Carer.objects.select_related("patient").get(pk=int(key))
        return Person(carer.patient, carer)
    if kind == "patient":
        return Person(Patient.objects.get(pk=int(key)))
    raise ReachingError("this browser shows alerts to somebody who works here; use another one")


def gone() -> Iterator[tuple[Person, str]]:
    """Everybody who agreed to notices in a browser that takes none any more, with that browser's key; one query."""
    for consent in Consent.objects.raw(GONE).prefetch_related("patient", "carer"):
        yield Person(consent.patient, consent.carer), consent.address
