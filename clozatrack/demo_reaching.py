"""Who of the demo agreed to be reminded: some by text message, some by e-mail, one with a sister who helps."""

from datetime import datetime, timedelta

from monitoring.models import Treatment
from monitoring.reminding.planning import plan
from notifications.channels import CHANNELS
from patients.actions import change_contacts
from patients.consenting import Person, add_carer, give_consent, make_code, use_code, wish
from patients.desk import set_front_desk
from patients.models import Clinic, Role, Staff
from patients.reaching import Channel

DAY = timedelta(days=1)


def agree_to_reminders(clinic: Clinic, now: datetime) -> None:
    """Every second person by e-mail, which the demo's mail catcher shows; every fifth by text message too."""
    roles = {row.role: row.staff for row in clinic.memberships.select_related("staff")}
    nurse = roles[Role.NURSE]
    set_front_desk(
        clinic=clinic, phone="+1 555 010 0100", place="Room 12, ground floor, 8 to 11 in the morning",
        emergency_number="911", emergency_place="the nearest emergency department", by=roles[Role.CLINIC_ADMIN],
        now=now,
    )  # fmt: skip
    for n, treatment in enumerate(Treatment.objects.filter(clinic=clinic).select_related("patient").order_by("pk")):
        person, since = Person(treatment.patient), now - 30 * DAY
        values = {"phone": f"+1555010{n:04}", "email": f"person{n}@home.example"}
        change_contacts(patient=treatment.patient, values=values, by=nurse, now=since)
        if n % 2 == 0:
            _agree(person, "email", values["email"], nurse, since)
        if n % 5 == 0 and Channel.SMS in CHANNELS:
            _agree(person, "sms", values["phone"], nurse, since)
        if n % 7 == 0:
            wish(person=person, wishes={"language": "es", "large_print": True}, by=nurse, now=since)
        if n == 4:
            carer = add_carer(
                patient=treatment.patient, name="Kim Example", relation="sister", phone="", email="kim@home.example",
                by=nurse, now=since,
            )  # fmt: skip
            _agree(Person(treatment.patient, carer), "email", carer.email, nurse, since)
    plan(now=now)


def _agree(person: Person, channel: str, address: str, nurse: Staff, since: datetime) -> None:
    give_consent(person=person, channel=channel, how="in_person", by=nurse, now=since)
    code = make_code(person=person, channel=channel, address=address, purpose="confirm", now=since)
    use_code(person=person, channel=channel, address=address, purpose="confirm", typed=code, now=since, by=nurse)
