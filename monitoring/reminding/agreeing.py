"""Agreeing to messages and taking it back, with the messages that this owes or withdraws."""

from datetime import datetime, timedelta

from django.db import transaction

from monitoring.actions.nudge import nudge
from monitoring.reminding.browsers import end_browsers, end_browsers_of, former, gone, people_with
from monitoring.reminding.outbox import message, withdraw
from monitoring.reminding.words import CODE, NOTICE, PAGE, SUBJECT, said
from notifications.actions import owe
from notifications.channels.webpush import objection
from notifications.models import Delivery, PushSubscription
from patients.consenting import (
    Person,
    ReachingError,
    confirmed_at,
    end_carer,
    end_consent,
    give_consent,
    holds,
    latest_consents,
    lock_person,
    may_try,
    wishes_of,
)
from patients.models import Actor, Staff
from patients.reaching import Carer, Channel, Consent, How, OwnLink

CODES_A_WHILE, A_WHILE = 3, timedelta(minutes=15)
CODES_A_DAY = 10


@transaction.atomic
def agree(
    *, person: Person, channel: str, how: str, by: Actor, now: datetime, words: str = "", ip: str | None = None
) -> Consent:
    """Consent, and the code that confirms the address; until it is confirmed nothing else is sent there."""
    consent = give_consent(person=person, channel=channel, how=how, by=by, now=now, words=words, ip=ip)
    send_code(person=person, channel=channel, purpose="confirm", now=now)
    return consent


@transaction.atomic
def agree_to_browser(
    *, person: Person, endpoint: str, p256dh: str, auth: str, now: datetime, ip: str | None = None
) -> Consent:
    """Consent to notices in the browser that says so, and the code that confirms it. Raises ReachingError.

    Whoever saw notices in this browser before sees none there any more, and neither does the person in an earlier one.
    """
    if why := objection(endpoint=endpoint, p256dh=p256dh, auth=auth):
        raise ReachingError(why)
    before = former(person, endpoint)
    others = people_with(before.exclude(holder=person.key))
    # In one order, so that two people who swap browsers wait for each other and never both.
    for one in sorted([person, *others], key=lambda one: one.patient.pk):
        lock_person(one)
    end_browsers(before, "another browser or person took its place", now)
    for other in others:
        disagree(person=other, channel=Channel.WEBPUSH, how=How.GONE, by=None, now=now)
    made = PushSubscription.objects.create(
        holder=person.key, endpoint=endpoint, p256dh=p256dh, auth=auth, created_at=now
    )
    consent = give_consent(
        person=person, channel=Channel.WEBPUSH, how=How.OWN_PAGE, by=None, now=now, ip=ip, browser=str(made.pk)
    )
    send_code(person=person, channel=Channel.WEBPUSH, purpose="confirm", now=now)
    return consent


@transaction.atomic
def disagree(
    *, person: Person, channel: str, how: str, by: Actor, now: datetime, words: str = "", ip: str | None = None,
    address: str = "",
) -> Consent | None:  # fmt: skip
    """No more messages there, from this moment on: what waits is withdrawn. None where nothing was agreed to."""
    ended = end_consent(person=person, channel=channel, how=how, by=by, now=now, words=words, ip=ip, address=address)
    if ended is not None:
        withdraw(channel=channel, address=ended.address, now=now)
        if channel == Channel.WEBPUSH:
            end_browsers_of(person, "the person wants no more notices", now)
    return ended


def end_gone(*, now: datetime) -> int:
    """Whoever agreed to notices in a browser that takes none any more has not agreed to any: a row each; how many."""
    return sum(
        disagree(person=person, channel=Channel.WEBPUSH, how=How.GONE, by=None, now=now, address=address) is not None
        for person, address in gone()
    )


@transaction.atomic
def helps_no_longer(*, carer: Carer, by: Staff, now: datetime, ip: str | None = None) -> Carer:
    """Nothing more is sent to this carer, and their links open nothing."""
    for channel, consent in latest_consents(Person(carer.patient, carer)).items():
        if consent.given:
            withdraw(channel=channel, address=consent.address, now=now)
    end_browsers_of(Person(carer.patient, carer), "the person helps no longer", now)
    end_carer(carer=carer, by=by, now=now, ip=ip)
    return carer


@transaction.atomic
def send_code(*, person: Person, channel: str, purpose: str, now: datetime) -> None:
    """Owe a code to the address that was agreed to. Raises ReachingError without consent, or when asked too often."""
    address = _agreed(person, channel).address
    if purpose == "open" and channel == Channel.WEBPUSH and confirmed_at(person, channel, address) is None:
        raise ReachingError("this browser is not confirmed yet, so its codes open nothing")
    _send_code(person, channel, address, f"code:{purpose}", now)


@transaction.atomic
def send_code_to_new(*, person: Person, channel: str, address: str, now: datetime) -> None:
    """Owe a code to an address that is not agreed to yet, for whoever is on their own page. Raises ReachingError."""
    _send_code(person, channel, address, "new:confirm", now)


def _send_code(person: Person, channel: str, address: str, what: str, now: datetime) -> None:
    may_try(person, channel, address, now=now)
    about = _about(person, channel, what)
    sent = Delivery.objects.filter(about=about, created_at__gt=now - timedelta(days=1))
    if sent.filter(created_at__gt=now - A_WHILE).count() >= CODES_A_WHILE:
        raise ReachingError("several codes were sent already; wait a quarter of an hour, then ask again")
    if sent.count() >= CODES_A_DAY:
        raise ReachingError("too many codes were asked for today; ask again tomorrow, or call us")
    _owe(person, channel, address, about, said(CODE, wishes_of(person).language), now)


@transaction.atomic
def send_link(*, person: Person, channel: str, now: datetime) -> Consent:
    """Owe a new link to their own page. Raises ReachingError without consent."""
    consent = _agreed(person, channel)
    about = _about(person, channel, "link:page")
    text = NOTICE if channel == Channel.WEBPUSH else PAGE
    _owe(person, channel, consent.address, about, said(text, wishes_of(person).language), now)
    return consent


def _agreed(person: Person, channel: str) -> Consent:
    consent = latest_consents(person).get(channel)
    if consent is None or not holds(consent):
        raise ReachingError("there is no consent for this; record it first")
    return consent


def _about(person: Person, channel: str, what: str) -> str:
    """As the last look reads it."""
    return f"own:{what}:{person.patient.pk}:{person.carer.pk if person.carer else 0}:{channel}"


def _owe(person: Person, channel: str, address: str, about: str, body: str, now: datetime) -> None:
    row = message(
        once=f"{about}:{now.isoformat()}", about=about, channel=channel, address=address,
        subject=said(SUBJECT, wishes_of(person).language), body=body, clinic_id=person.patient.clinic_id, now=now,
    )  # fmt: skip
    owe([row])
    transaction.on_commit(nudge)


def links_open(person: Person, now: datetime) -> int:
    """How many of their links still open their page or calendar."""
    return OwnLink.objects.filter(**person.columns, revoked_at=None, expires_at__gt=now).count()
