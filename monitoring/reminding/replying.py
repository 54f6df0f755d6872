"""What people answer by text message: STOP, START and HELP, in their languages. Registered as INBOUND_SMS."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from monitoring.reminding.agreeing import disagree
from monitoring.reminding.words import said
from notifications.inbound import Reply
from notifications.models import Delivery
from patients.consenting import Person, ReachingError, address_of_person, give_consent, latest_consents, wishes_of
from patients.reaching import Channel, Consent, FrontDesk, How

STOP = frozenset("stop stopall unsubscribe cancel end quit alto parar basta cancelar baja".split())
START = frozenset("start unstop yes si sí comenzar empezar iniciar alta".split())
HELP = frozenset("help info ayuda".split())
STARTED = _("You will get our messages again. Reply STOP to end.")
HELPED = _("These are automatic messages. To talk to us, call [phone]. Reply STOP to end.")
NOBODY_READS = _(
    "Nobody reads messages sent to this number. Please call [phone]. If you are very ill, call [emergency] now."
)


def heard(*, sender: str, words: str, now: datetime) -> Reply | None:
    """Do what was asked, for everybody who is reached at this number. None where there is nothing to answer.

    STOP is answered by the provider, or not at all: whoever said it gets no message any more.
    """
    people = _people_at(sender)
    word = words.strip().strip(".!").casefold()
    if not people:
        return None
    if word in STOP:
        for person, consent in people:
            if consent.given:
                disagree(person=person, channel=Channel.SMS, how=How.REPLY, by=None, now=now, words=words[:160])
        return None
    person, consent = people[0]
    if word in START:
        return _answer(person, STARTED) if _started(people, words, now) else None
    if not consent.given:
        return None
    if word in HELP:
        return _answer(person, HELPED)
    told = Delivery.objects.filter(about=f"reply:{person.key}", created_at__gt=now - timedelta(days=1))
    # Once a day: two machines that answer each other would never end.
    return None if told.exists() else _answer(person, NOBODY_READS)


def _started(people: list[tuple[Person, Consent]], words: str, now: datetime) -> bool:
    """Only what was ended by such a reply begins again by one; a number that changed since does not."""
    begun = False
    for person, consent in people:
        if consent.given or consent.how != How.REPLY:
            continue
        try:
            still, _contact = address_of_person(person, Channel.SMS)
        except ReachingError:
            continue
        if still == consent.address:
            give_consent(person=person, channel=Channel.SMS, how=How.REPLY, by=None, now=now, words=words[:160])
            begun = True
    return begun


def _people_at(number: str) -> list[tuple[Person, Consent]]:
    """Everybody whose latest word on text messages was about this number."""
    rows = Consent.objects.filter(channel=Channel.SMS, address=number).select_related("patient__clinic", "carer")
    people = {(row.patient_id, row.carer_id): Person(row.patient, row.carer) for row in rows}
    latest = [(person, latest_consents(person)[Channel.SMS]) for person in people.values()]
    return [(person, consent) for person, consent in latest if consent.address == number]


def _answer(person: Person, text: object) -> Reply:
    own = said(text, wishes_of(person).language)  # type: ignore[arg-type]  # lazy texts have no public type
    desk = FrontDesk.objects.filter(clinic=person.patient.clinic_id).first()
    own = own.replace("[phone]", desk.phone if desk else "…").replace(
        "[emergency]", desk.emergency_number if desk else "911"
    )
    return Reply(own, person.patient.clinic_id, f"reply:{person.key}")
