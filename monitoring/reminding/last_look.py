"""The last look at a message to a patient before it is handed over: is it still true, and is it day there?

Only now are links and codes made, so that none rests in the outbox.
"""

from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.urls import reverse

from monitoring.models import Treatment
from monitoring.reminding.browsers import takes_notices
from monitoring.reminding.dues import BY_KIND
from monitoring.reminding.planning import ONE, facts
from monitoring.reminding.words import YOUR_PAGE, said
from monitoring.rules.reminders import BY_NAME
from notifications.models import Delivery
from patients.consenting import Person, holds, latest_consents, make_code, make_link, wishes_of
from patients.models import Patient
from patients.reaching import CODE_LASTS, Carer, Channel

Answer = Literal[True] | datetime | None


def reminder(delivery: Delivery, *, now: datetime) -> Answer:
    """A reminder: asked again of the rows themselves, with the consent, the number and the hours as they are now."""
    treatment = Treatment.objects.filter(pk=int(delivery.about.split(":")[1])).first()
    found = _still_wanted(treatment, delivery, now) if treatment else None
    if found is None or found["address"] != delivery.address or _nobody_looks(delivery):
        return None
    if found["send_at"] > now:
        return datetime.fromisoformat(str(found["send_at"]))
    awake = next_awake(now, ZoneInfo(found["time_zone"]), found["awake_from"], found["awake_until"])
    if awake > now:
        return awake if awake < found["until_at"] else None
    delivery.worth_seconds = int((found["until_at"] - now).total_seconds())
    _give_link(person_of(found["patient_id"], found["carer_id"]), delivery, now)
    return True


def _still_wanted(treatment: Treatment, delivery: Delivery, now: datetime) -> dict[str, Any] | None:
    step = delivery.once.split(":")[3]
    kind = BY_KIND["test"] if step in BY_NAME else BY_KIND[step]
    sql = ONE.format(obligations=kind, only="AND r.patient_id = %(patient)s AND o.treatment_id = %(treatment)s")
    asked = facts(now=now, clinics=[treatment.clinic_id], address=delivery.address)
    asked |= {"once": delivery.once, "patient": treatment.patient_id, "treatment": treatment.pk}
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        row = cursor.fetchone()
        return dict(zip([column[0] for column in cursor.description], row, strict=True)) if row else None


def next_awake(now: datetime, zone: ZoneInfo, awake_from: time, awake_until: time) -> datetime:
    """Now, within the hours that the person chose; else the moment at which they begin again."""
    local = now.astimezone(zone)
    if awake_from <= local.time() < awake_until:
        return now
    day = local.date() if local.time() < awake_from else local.date() + timedelta(days=1)
    return datetime.combine(day, awake_from, zone)


def own(delivery: Delivery, *, now: datetime) -> Answer:
    """A code or a link that somebody has just asked for: `own:code:open:17:0:email`. Worthless after some minutes."""
    _, what, purpose, patient, carer, channel = delivery.about.split(":")
    if now >= delivery.created_at + CODE_LASTS:
        return None
    person = person_of(int(patient), int(carer) or None)
    consent = latest_consents(person).get(channel)
    # A new number is not agreed to yet: the code that goes there is how it comes to be.
    if what != "new" and (consent is None or not holds(consent) or consent.address != delivery.address):
        return None
    if _nobody_looks(delivery):
        return None
    if what == "link":
        _give_link(person, delivery, now)
    else:
        delivery.worth_seconds = int(CODE_LASTS.total_seconds())
        code = make_code(person=person, channel=channel, address=delivery.address, purpose=purpose, now=now)
        delivery.body = delivery.body.replace("[code]", code)
    return True


def person_of(patient_id: int, carer_id: int | None) -> Person:
    """The patient, or the carer of that patient."""
    patient = Patient.objects.select_related("clinic").get(pk=patient_id)
    return Person(patient, Carer.objects.get(pk=carer_id, patient=patient) if carer_id else None)


def _nobody_looks(delivery: Delivery) -> bool:
    """Whether it is a notice for a browser that takes none any more."""
    return delivery.channel == Channel.WEBPUSH and not takes_notices(delivery.address)


def _give_link(person: Person, delivery: Delivery, now: datetime) -> None:
    """A way to their own page, made now and kept nowhere: in the words, or behind a notice's touch."""
    token = make_link(person=person, channel=delivery.channel, address=delivery.address, purpose="page", now=now)
    path = reverse("own", args=[token])
    if delivery.channel == Channel.WEBPUSH:
        delivery.path, words = path, said(YOUR_PAGE, wishes_of(person).language)
    else:
        words = f"{settings.BASE_URL}{path}"
    delivery.body = delivery.body.replace("[link]", words)
