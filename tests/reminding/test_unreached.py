"""Messages that come back: who is not reached stands on the worklist until somebody has mended it."""

from datetime import timedelta

import pytest

from monitoring.reminding.agreeing import disagree
from monitoring.reminding.planning import plan
from monitoring.tasks import remind
from monitoring.unreached import mark_unreached
from monitoring.worklist import SECTIONS
from notifications.models import Delivery
from patients.actions import change_contacts
from patients.consenting import Person, add_carer, end_carer
from tests.cast import DAY, NOW, a_clinic, a_person
from tests.reminding.people import a_number, agreed, due_in

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="UTC")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


def told(address, words, channel="sms"):
    """Receipts for one message each: b bounced, d delivered."""
    for number, word in enumerate(words):
        at = NOW - DAY + number * HOUR
        Delivery.objects.create(
            once=f"{address}:{number}:{word}", channel=channel, address=address, body="x", created_at=at, due_at=at,
            sent_at=at, **({"bounced_at": at} if word == "b" else {"delivered_at": at}),
        )  # fmt: skip


def address_of(treatment, channel="sms"):
    return treatment.patient.consents.get(channel=channel, carer=None).address


def since(treatment):
    mark_unreached(now=NOW)
    treatment.refresh_from_db()
    return treatment.unreached_since


@pytest.mark.parametrize(("words", "lost"), [("b", False), ("bb", True), ("bbd", False), ("dbb", True), ("", False)])
def test_h32_two_messages_that_came_back_put_the_contact_on_the_worklist(clinic, words, lost):
    treatment = due_in(2, clinic=clinic)
    told(address_of(treatment), words)
    assert (since(treatment) is not None) is lost
    assert mark_unreached(now=NOW + HOUR) == 0, "told once, it stays as it was"


def test_e_mail_counts_as_texts_do_and_a_message_of_staff_at_the_same_number_does_not_mend_it(clinic):
    treatment = due_in(2, clinic=clinic, channel="email")
    told(address_of(treatment, "email"), "bb", channel="email")
    assert since(treatment) == NOW


@pytest.mark.slow
def test_the_new_number_ends_it_and_so_does_the_end_of_consent(clinic, nurse):
    moved, refused, other = due_in(2, clinic=clinic), due_in(2, clinic=clinic), due_in(2, clinic=clinic)
    for treatment in (moved, refused):
        told(address_of(treatment), "bb")
        assert since(treatment) == NOW
    change_contacts(patient=moved.patient, values={"phone": a_number()}, by=nurse, now=NOW)
    disagree(person=Person(refused.patient), channel="sms", how="in_person", by=nurse, now=NOW)
    assert [since(one) for one in (moved, refused, other)] == [None, None, None]


def test_a_carer_counts_until_they_help_no_longer(clinic, nurse):
    treatment = due_in(2, clinic=clinic)
    carer = add_carer(
        patient=treatment.patient, name="Ada", relation="sister", phone=a_number(), email="", by=nurse, now=NOW - DAY
    )
    told(agreed(treatment, carer=carer).address, "bb")
    assert since(treatment) == NOW
    end_carer(carer=carer, by=nurse, now=NOW)
    assert since(treatment) is None


def test_agreeing_anew_to_a_number_that_is_dead_is_still_unreached(clinic, nurse):
    treatment = due_in(2, clinic=clinic)
    address = address_of(treatment)
    told(address, "bb")
    disagree(person=Person(treatment.patient), channel="sms", how="in_person", by=nurse, now=NOW)
    assert since(treatment) is None
    agreed(treatment, now=NOW)
    assert since(treatment) == NOW


@pytest.mark.slow
def test_nothing_is_planned_for_a_dead_number(clinic):
    treatment = due_in(1, clinic=clinic)
    told(address_of(treatment), "bb")
    plan(now=NOW)
    assert not Delivery.objects.waiting().filter(address=address_of(treatment)).exists()


@pytest.mark.slow
def test_the_worklist_says_who_is_not_reached_and_leads_to_where_it_is_mended(client, clinic, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    treatment = due_in(2, clinic=clinic)
    due_in(3, clinic=clinic)
    assert "Messages come back" not in client.get("/").content.decode(), "nothing is said while all is well"
    told(address_of(treatment), "bb")
    remind()
    page = client.get("/").content.decode()
    part = " ".join(page.partition('id="unreached"')[2].partition("</section>")[0].split())
    assert "Messages come back (1)" in part
    assert str(treatment.patient) in part
    assert "not reached since Mon 14 Sep" in part
    assert "ask for the new number or e-mail" in part
    where = f"/patients/{treatment.patient_id}/reminders/"
    assert f'href="{where}"' in part
    told_there = " ".join(client.get(where).content.decode().split())
    assert "two messages came back" in told_there
    assert f'href="/patients/{treatment.patient_id}/act/contact/"' in told_there
    assert "Code that they read out" not in told_there, "no code arrives at a dead number"
    assert "Confirmed until" not in told_there
    assert "Messages come back (1)" in client.get("/print/").content.decode()


def test_a_nurse_of_another_clinic_sees_nothing_of_it(client, clinic, time_machine):
    time_machine.move_to(NOW, tick=False)
    treatment = due_in(2, clinic=clinic)
    told(address_of(treatment), "bb")
    mark_unreached(now=NOW)
    client.force_login(a_person(a_clinic(), "nurse"))
    assert "Messages come back" not in client.get("/").content.decode()
    assert "unreached" in {section.name for section in SECTIONS}
