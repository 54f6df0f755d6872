"""Consent to messages, codes that confirm an address, and links to one's own page. Messages are owed by others."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from patients import audit
from patients.actions import token_hash
from patients.models import Actor, ContactPoint, Patient, Staff
from patients.phones import phone_number
from patients.reaching import CODE_LASTS, MOST_TRIES, AddressCode, Carer, Channel, Consent, How, OwnLink, Wishes

KIND_OF = {Channel.SMS: "phone", Channel.EMAIL: "email"}
"""The contact detail that a channel's address is read from."""
GIVING = tuple(how for how in How.values if how != How.GONE)
OWN_BROWSER = "notices are agreed to by the person, on their own page, in the browser that is to show them"
LINK_LASTS = {"page": timedelta(days=14), "calendar": timedelta(days=366)}
TRIES_A_DAY = 20


class ReachingError(ValueError):
    """This cannot be recorded or sent, and why, in words for the person who asked."""


class Person(NamedTuple):
    """The patient, or (with a carer) somebody who helps them."""

    patient: Patient
    carer: Carer | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that say whose a row is."""
        return {"patient": self.patient, "carer": self.carer}

    @property
    def key(self) -> str:
        """The same person in one word, such as patient:17 or carer:5."""
        return f"carer:{self.carer.pk}" if self.carer else f"patient:{self.patient.pk}"


def address_of_person(person: Person, channel: str) -> tuple[str, ContactPoint | None]:
    """Where a channel reaches this person, and the contact detail that says so. Raises ReachingError."""
    if channel == Channel.WEBPUSH:
        raise ReachingError(OWN_BROWSER)
    kind = KIND_OF[Channel(channel)]
    if person.carer:
        found, contact = getattr(person.carer, kind), None
    else:
        contact = person.patient.contact_points.filter(kind=kind, ended_at=None).first()
        found = contact.value if contact else ""
    if not found:
        raise ReachingError(f"there is no {'telephone number' if kind == 'phone' else 'e-mail address'} on record")
    if kind == "email":
        return found.strip(), contact
    try:
        return phone_number(found), contact
    except ValueError as error:
        raise ReachingError(str(error)) from error


def latest_consents(person: Person) -> dict[str, Consent]:
    """The row that holds, by channel."""
    rows = Consent.objects.filter(**person.columns).select_related("contact", "carer").order_by("pk")
    return {row.channel: row for row in rows}


def holds(consent: Consent | None) -> bool:
    """Whether this latest row allows a message: given, and neither the number nor the carer has ended since."""
    if consent is None or not consent.given:
        return False
    contact, carer = consent.contact, consent.carer
    return (contact is None or contact.ended_at is None) and (carer is None or carer.ended_at is None)


@transaction.atomic
def give_consent(
    *, person: Person, channel: str, how: str, by: Actor, now: datetime, words: str = "", ip: str | None = None,
    browser: str = "",
) -> Consent:  # fmt: skip
    """This person agrees to messages there. Nothing is sent before the address is confirmed. Raises ReachingError.

    `browser`: for notices, what names the browser in which the person agreed to them, and by nobody else's hand.
    """
    lock_person(person)
    if channel == Channel.WEBPUSH and browser and how == How.OWN_PAGE and by is None:
        address, contact = browser, None
    else:
        address, contact = address_of_person(person, channel)
    if how not in GIVING:
        raise ReachingError(f"{how!r} is no way of giving consent; known: {', '.join(GIVING)}")
    standing = latest_consents(person).get(channel)
    if standing is not None and holds(standing) and standing.address == address:
        return standing
    return _write(person, channel, address, contact, True, how, words, by, now, ip)


@transaction.atomic
def end_consent(
    *, person: Person, channel: str, how: str, by: Actor, now: datetime, words: str = "", ip: str | None = None,
    address: str = "",
) -> Consent | None:  # fmt: skip
    """From now on nothing is sent there. None where nothing was agreed to, or for another address than this one."""
    lock_person(person)
    standing = latest_consents(person).get(channel)
    if standing is None or not standing.given or (address and standing.address != address):
        return None
    OwnLink.objects.filter(**person.columns, address=standing.address, revoked_at=None).update(revoked_at=now)
    return _write(person, channel, standing.address, standing.contact, False, how, words, by, now, ip)


def _write(
    person: Person, channel: str, address: str, contact: ContactPoint | None, given: bool, how: str, words: str,
    by: Actor, now: datetime, ip: str | None,
) -> Consent:  # fmt: skip
    consent = Consent.objects.create(
        **person.columns, channel=channel, address=address, contact=contact, given=given, how=how, words=words.strip(),
        at=now, recorded_by=by if isinstance(by, Staff) else None,
    )  # fmt: skip
    verb = "consent_given" if given else "consent_ended"
    audit.record(
        verb, by=by, now=now, clinic_id=person.patient.clinic_id, patient_id=person.patient.pk,
        subject=f"consent:{consent.pk}", ip=ip, channel=channel, how=how, who="carer" if person.carer else "patient",
    )  # fmt: skip
    return consent


@transaction.atomic
def wish(*, person: Person, wishes: Mapping[str, Any], by: Actor, now: datetime, ip: str | None = None) -> Wishes:
    """How this person wants to be written to from now on; what is not named stays."""
    lock_person(person)
    known = Wishes.objects.filter(**person.columns).order_by("pk").last()
    columns = {
        field.name: getattr(known, field.name) if known else field.get_default()
        for field in Wishes._meta.concrete_fields
        if field.name not in ("id", "patient", "carer", "at", "recorded_by")
    }
    made = Wishes(
        **person.columns, **(columns | dict(wishes)), at=now, recorded_by=by if isinstance(by, Staff) else None
    )
    made.save(force_insert=True)
    audit.record(
        "wishes_changed", by=by, now=now, clinic_id=person.patient.clinic_id, patient_id=person.patient.pk, ip=ip,
        who="carer" if person.carer else "patient",
    )  # fmt: skip
    return made


def wishes_of(person: Person) -> Wishes:
    """What holds; the defaults where nothing was wished."""
    return Wishes.objects.filter(**person.columns).order_by("pk").last() or Wishes(**person.columns)


@transaction.atomic
def add_carer(
    *, patient: Patient, name: str, relation: str, phone: str, email: str, by: Staff, now: datetime,
    ip: str | None = None,
) -> Carer:  # fmt: skip
    """Somebody who helps the patient; who stands there just so already is not added twice. They agree to messages
    themselves. Raises ReachingError."""
    if not name.strip():
        raise ReachingError("write the name of the person who helps")
    if not (phone.strip() or email.strip()):
        raise ReachingError("write a telephone number or an e-mail address, else nobody can be reached")
    try:
        number = phone_number(phone) if phone.strip() else ""
    except ValueError as error:
        raise ReachingError(str(error)) from error
    lock_person(Person(patient))
    said = {"name": name.strip(), "relation": relation.strip() or "helps", "phone": number, "email": email.strip()}
    if known := Carer.objects.filter(patient=patient, ended_at=None, **said).first():
        return known
    carer = Carer.objects.create(patient=patient, **said, recorded_at=now, recorded_by=by)
    _audit_carer("carer_added", carer, by, now, ip)
    return carer


@transaction.atomic
def end_carer(*, carer: Carer, by: Staff, now: datetime, ip: str | None = None) -> None:
    """This person helps no longer: nothing is sent to them and their links open nothing."""
    if Carer.objects.filter(pk=carer.pk, ended_at=None).update(ended_at=now, ended_by=by):
        OwnLink.objects.filter(carer=carer, revoked_at=None).update(revoked_at=now)
        _audit_carer("carer_ended", carer, by, now, ip)


def _audit_carer(verb: str, carer: Carer, by: Staff, now: datetime, ip: str | None) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=carer.patient.clinic_id, patient_id=carer.patient_id,
        subject=f"carer:{carer.pk}", ip=ip,
    )  # fmt: skip


def may_try(person: Person, channel: str, address: str, *, now: datetime) -> None:
    """Raises ReachingError when too many wrong codes were typed for this address today."""
    today = AddressCode.objects.filter(
        patient=person.patient, channel=channel, address=address, made_at__gt=now - timedelta(days=1)
    )
    if sum(today.values_list("tries", flat=True)) >= TRIES_A_DAY:
        raise ReachingError("too many wrong codes were typed today; ask again tomorrow, or call us")


def make_code(*, person: Person, channel: str, address: str, purpose: str, now: datetime) -> str:
    """Six digits, to be sent and never kept. Earlier codes for the same purpose are void from now on."""
    code = f"{secrets.randbelow(1_000_000):06}"
    AddressCode.objects.create(
        **person.columns, channel=channel, address=address, purpose=purpose, made_at=now,
        code_hash=_hash(code, address),
    )  # fmt: skip
    return code


def use_code(
    *, person: Person, channel: str, address: str, purpose: str, typed: str, now: datetime, by: Actor = None,
    ip: str | None = None,
) -> None:  # fmt: skip
    """The code that was sent last, once, within ten minutes, in five tries. Raises ReachingError.

    A wrong try is counted whatever becomes of the caller, so this is not to be called inside a transaction that ends
    with the error.
    """
    wrong = ReachingError("this is not the code that we sent last; look again, or ask for a new one")
    with transaction.atomic():
        found = (
            AddressCode.objects.select_for_update()
            .filter(**person.columns, channel=channel, address=address, purpose=purpose)
            .order_by("-made_at", "-pk")
            .first()
        )
        if found is None or found.used_at or found.tries >= MOST_TRIES or now >= found.made_at + CODE_LASTS:
            raise ReachingError("this code is over; ask for a new one")
        digits = "".join(letter for letter in typed if letter.isdecimal())
        right = constant_time_compare(found.code_hash, _hash(digits, address))
        AddressCode.objects.filter(pk=found.pk).update(tries=F("tries") + 1, used_at=now if right else None)
        if right:
            audit.record(
                "address_confirmed" if purpose == "confirm" else "own_page_opened",
                by=by, now=now, clinic_id=person.patient.clinic_id, patient_id=person.patient.pk, ip=ip,
                channel=channel, who="carer" if person.carer else "patient",
            )  # fmt: skip
    if not right:
        raise wrong


def confirmed_at(person: Person, channel: str, address: str) -> datetime | None:
    """When somebody last proved to read there."""
    codes = AddressCode.objects.filter(**person.columns, channel=channel, address=address, purpose="confirm")
    return codes.exclude(used_at=None).order_by("used_at").values_list("used_at", flat=True).last()


def make_link(
    *, person: Person, channel: str, address: str, purpose: str, now: datetime, by: Staff | None = None
) -> str:
    """A new way in, to be sent and never kept: the token."""
    token = secrets.token_urlsafe(16)
    OwnLink.objects.create(
        **person.columns, purpose=purpose, channel=channel, address=address, token_hash=token_hash(token), made_at=now,
        made_by=by, expires_at=now + LINK_LASTS[purpose],
    )  # fmt: skip
    return token


@transaction.atomic
def revoke_links(*, person: Person, by: Actor, now: datetime, ip: str | None = None) -> int:
    """Every link of this person opens nothing from now on. How many there were."""
    ended = OwnLink.objects.filter(**person.columns, revoked_at=None).update(revoked_at=now)
    audit.record(
        "own_links_revoked", by=by, now=now, clinic_id=person.patient.clinic_id, patient_id=person.patient.pk, ip=ip,
        who="carer" if person.carer else "patient",
    )  # fmt: skip
    return ended


def lock_person(person: Person) -> None:
    """Consents of one patient queue here, as contacts do."""
    Patient.objects.select_for_update(of=("self",)).get(pk=person.patient.pk)


def _hash(code: str, address: str) -> str:
    """Keyed, since six digits alone are guessed within a second from any plain hash."""
    return salted_hmac("clozatrack.address_code", f"{address}:{code}", algorithm="sha256").hexdigest()
