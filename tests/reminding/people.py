"""Patients who agreed to be reminded, and a gateway that remembers."""

from datetime import timedelta

from notifications.actions import claim, send
from notifications.channels import CHANNELS
from notifications.models import PushSubscription
from patients.consenting import Person, give_consent, make_code, use_code, wish
from patients.models import ContactPoint
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment, count

_numbers = count(1)


def a_number():
    return f"+1555010{next(_numbers):04}"


def agreed(treatment, *, channel="sms", carer=None, now=NOW - 30 * DAY, confirmed=True, nurse=None, **wishes):
    """Consent to one channel, confirmed by the code that came there."""
    person = Person(treatment.patient, carer)
    nurse = nurse or a_person(treatment.clinic, "nurse")
    if channel == "webpush":
        own = {"how": "own_page", "by": None, "browser": str(a_browser(person, now=now).pk)}
        consent = give_consent(person=person, channel=channel, now=now, **own)
    else:
        _numbered(person, {"sms": "phone", "email": "email"}[channel], now)
        consent = give_consent(person=person, channel=channel, how="in_person", by=nurse, now=now)
    if confirmed:
        confirm(person, consent, now=now)
    if wishes:
        wish(person=person, wishes=wishes, by=nurse, now=now)
    return consent


def _numbered(person, kind, now):
    known = ContactPoint.objects.filter(patient=person.patient, kind=kind, ended_at=None)
    if person.carer is None and not known.exists():
        value = a_number() if kind == "phone" else f"p{next(_numbers)}@home.example"
        ContactPoint.objects.create(patient=person.patient, kind=kind, value=value, recorded_at=now)


def a_browser(person, *, now=NOW, **keys):
    named = {"endpoint": f"https://push.example/{next(_numbers)}", "p256dh": "k", "auth": "a"} | keys
    return PushSubscription.objects.create(holder=person.key, created_at=now, **named)


def confirm(person, consent, *, now):
    place = {"person": person, "channel": consent.channel, "address": consent.address, "purpose": "confirm"}
    use_code(**place, typed=make_code(**place, now=now), now=now)


def due_in(days, *, clinic=None, now=NOW, **agreement):
    """Somebody on weekly tests whose next one is so many days ahead, and who agreed to text messages."""
    clinic = clinic or a_clinic(time_zone="UTC")
    treatment = a_treatment(clinic, started=now - 92 * DAY, patient=a_patient(clinic))
    drawn = now + (days - 7) * DAY - timedelta(hours=3)
    a_count(treatment, 2400, at=drawn, now=drawn + timedelta(hours=1))
    treatment.refresh_from_db()
    if agreement.pop("agreed", True):
        agreed(treatment, **agreement)
    return treatment


class Gateway:
    """The outermost wire: it remembers what went out."""

    def __init__(self, monkeypatch):
        self.sent, self.paths, self.subjects = [], [], []
        ours = dict.fromkeys(("sms", "email", "webpush"), self)
        monkeypatch.setattr("notifications.actions.CHANNELS", dict(CHANNELS) | ours)

    def __call__(self, delivery):
        self.sent.append((delivery.channel, delivery.address, delivery.body, delivery.once))
        self.paths.append(delivery.path)
        self.subjects.append(delivery.subject)
        return f"SM{len(self.sent)}"

    def deliver(self, now):
        while leased := claim(now=now, limit=50):
            for delivery in leased:
                send(delivery, now=now)

    @property
    def bodies(self):
        return [body for _, _, body, _ in self.sent]
