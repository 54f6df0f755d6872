"""A person's own page: behind a link and a code, and telling nothing to anybody else."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from icalendar import Calendar

from monitoring.actions.dispensing import authorise, hand_over
from monitoring.actions.treating import record_event
from monitoring.models import Alert, Draw, SelfCheck, TreatmentEvent
from monitoring.reminding.agreeing import disagree, send_link
from monitoring.reminding.own_page import own_page_of
from notifications.models import Delivery
from patients.consenting import Person, add_carer, end_carer, make_link, revoke_links, wish
from patients.desk import set_front_desk
from patients.models import AuditEvent, ContactPoint
from patients.reaching import Consent, OwnLink
from tests.cast import DAY, NOW, a_clinic, a_count, a_person
from tests.reminding.people import Gateway, agreed, due_in

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
OVER = "This link has ended"


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def gateway(monkeypatch):
    return Gateway(monkeypatch)


@pytest.fixture
def treatment(clock):
    clinic = a_clinic(time_zone="UTC")
    set_front_desk(
        clinic=clinic, phone="555-0100", place="Room 12, ground floor", emergency_number="911",
        emergency_place="the nearest emergency department", by=a_person(clinic, "clinic_admin"), now=NOW,
    )  # fmt: skip
    return due_in(3, clinic=clinic)


def link_to(treatment, carer=None, **more):
    person = Person(treatment.patient, carer)
    consent = Consent.objects.filter(patient=treatment.patient, carer=carer, channel="sms").latest("pk")
    return make_link(person=person, channel="sms", address=consent.address, purpose="page", now=NOW, **more)


def code_in(gateway):
    return re.search(r"\b(\d{6})\b", gateway.bodies[-1])[1]


def came_in(treatment, gateway, carer=None):
    """A browser in which the link was opened and the code typed."""
    client, token = Client(), link_to(treatment, carer)
    client.post(f"/my/{token}/code/")
    gateway.deliver(NOW)
    client.post(f"/my/{token}/code/", {"code": code_in(gateway)})
    return client, f"/my/{token}/"


def test_the_link_alone_shows_nothing_of_anybody(treatment):
    page = Client().get(f"/my/{link_to(treatment)}/")
    assert "Is it you?" in page.content.decode()
    assert_nothing_of(treatment, page)
    assert "Call 911" in page.content.decode()


def assert_nothing_of(treatment, page):
    text = page.content.decode()
    contact = ContactPoint.objects.filter(patient=treatment.patient).first()
    for secret in (
        treatment.patient.family_name,
        treatment.patient.mrn,
        contact.value,
        "test",
        "Room 12",
        treatment.clinic.name + " ",
    ):
        assert secret not in text, secret


def test_link_and_code_open_the_page_in_that_browser_for_half_an_hour(treatment, gateway, clock):
    client, page = came_in(treatment, gateway)
    shown = client.get(page).content.decode()
    assert "Thursday" in shown
    assert "Room 12" in shown
    assert "It was as we hoped." in shown
    assert "Quill" not in shown
    assert "Is it you?" in Client().get(page).content.decode()
    clock.move_to(NOW + 31 * MINUTE, tick=False)
    assert "Is it you?" in client.get(page).content.decode()


@pytest.mark.slow
def test_h31_no_number_band_or_drug_stands_on_any_of_the_pages(treatment, gateway):
    a_count(treatment, 640, at=NOW - DAY, now=NOW - DAY)
    client, page = came_in(treatment, gateway)
    for place in ("", "unwell/", "choices/", "drawn/", "calendar/"):
        text = client.get(page + place).content.decode()
        for never in ("640", "0.64", "clozapin", "ANC", "neutro", "moderate", "severe"):
            assert never not in text, (place, never)
    assert "before you take more tablets" in client.get(page).content.decode()


@pytest.mark.parametrize("end", ["late", "revoked", "consent", "number", "unknown"])
def test_a_link_that_has_ended_opens_the_same_empty_page_whatever_the_reason(treatment, gateway, clock, end):
    client, page = came_in(treatment, gateway)
    person, nurse = Person(treatment.patient), a_person(treatment.clinic, "nurse")
    if end == "late":
        clock.move_to(NOW + 14 * DAY, tick=False)
    elif end == "revoked":
        revoke_links(person=person, by=nurse, now=NOW)
    elif end == "consent":
        disagree(person=person, channel="sms", how="telephone", by=nurse, now=NOW)
    elif end == "number":
        ContactPoint.objects.filter(patient=treatment.patient).update(ended_at=NOW)
    else:
        page = "/my/nobody-has-this-token/"
    for place in ("", "unwell/", "choices/", "drawn/", "calendar/", "code/"):
        answer = client.get(page + place)
        assert (answer.status_code, OVER in answer.content.decode()) == (404, True)
        assert_nothing_of(treatment, answer)


def test_the_token_is_kept_as_a_hash_alone(treatment):
    token = link_to(treatment)
    assert token not in str(list(OwnLink.objects.values()))
    assert len(token) >= 20


def test_h32_a_wrong_code_opens_nothing_and_the_sixth_try_not_even_the_right_one(treatment, gateway):
    client, token = Client(), link_to(treatment)
    client.post(f"/my/{token}/code/")
    gateway.deliver(NOW)
    right = code_in(gateway)
    for _ in range(5):
        answer = client.post(f"/my/{token}/code/", {"code": "000000" if right != "000000" else "1"})
        assert "not right" in answer.content.decode()
    client.post(f"/my/{token}/code/", {"code": right})
    assert "Is it you?" in client.get(f"/my/{token}/").content.decode()


@pytest.mark.slow
def test_codes_cannot_be_asked_for_without_end(treatment, gateway, clock):
    client, token, answers = Client(), link_to(treatment), []
    for second in range(5):
        clock.move_to(NOW + timedelta(seconds=second), tick=False)
        answers.append(client.post(f"/my/{token}/code/").status_code)
    assert answers == [200, 200, 200, 400, 400]


def test_getting_pages_changes_nothing(treatment, gateway):
    client, page = came_in(treatment, gateway)
    before = [model.objects.count() for model in (Consent, Draw, SelfCheck, OwnLink, Delivery, AuditEvent)]
    for place in ("", "unwell/", "choices/", "drawn/", "calendar/", "code/"):
        client.get(page + place)
    assert [model.objects.count() for model in (Consent, Draw, SelfCheck, OwnLink, Delivery, AuditEvent)] == before


def test_a_carer_sees_the_day_and_the_place_and_no_result(treatment, gateway):
    nurse = a_person(treatment.clinic, "nurse")
    carer = add_carer(
        patient=treatment.patient, name="Kim", relation="sister", phone="+15550105555", email="", by=nurse, now=NOW
    )
    agreed(treatment, carer=carer, nurse=nurse)
    client, page = came_in(treatment, gateway, carer)
    shown = client.get(page).content.decode()
    assert "Thursday" in shown
    for own in ("as we hoped", "tablets should be left", "pharmacy", "last tests"):
        assert own not in shown
    assert "A new number" not in client.get(page + "choices/").content.decode()


def test_a_carer_who_is_added_twice_is_one_until_they_help_no_longer(treatment):
    nurse = a_person(treatment.clinic, "nurse")
    kim = {"name": "Kim", "relation": "sister", "phone": "+15550105555", "email": ""}

    def add(**changed):
        return add_carer(patient=treatment.patient, by=nurse, now=NOW, **kim | changed)

    carer = add()
    assert add(name=" Kim ", phone="+1 555 010 5555") == carer
    assert add(relation="aunt") != carer
    end_carer(carer=carer, by=nurse, now=NOW)
    assert add() != carer
    assert AuditEvent.objects.filter(verb="carer_added").count() == 3


@pytest.mark.slow
def test_i_have_had_it_moves_them_to_drawn_and_twice_is_once(treatment, gateway):
    client, page = came_in(treatment, gateway)
    assert "now wait for the result" in client.post(page + "drawn/", follow=True).content.decode()
    assert "know already" in client.post(page + "drawn/", follow=True).content.decode()
    assert Draw.objects.get().treatment == treatment
    assert AuditEvent.objects.filter(verb="patient_said_drawn").count() == 1
    assert "We wait for the result" in client.get(page).content.decode()


def answers(**ticked):
    return {"entry": str(uuid.uuid4()), "smoking": ""} | ticked


def test_a_measured_fever_is_an_event_an_alert_and_blood_today(treatment, gateway):
    client, page = came_in(treatment, gateway)
    said = client.post(page + "unwell/", answers(fever="on", temperature="101.8")).content.decode()
    assert "Have your blood tested today" in said
    assert "nearest emergency department" in said
    assert TreatmentEvent.objects.get(kind="fever").celsius == Decimal("38.8")
    assert set(Alert.objects.values_list("cause", flat=True)) >= {"fever", "unwell"}
    treatment.refresh_from_db()
    assert treatment.due_on == NOW.date()


def test_a_fever_that_nobody_measured_tells_staff_all_the_same(treatment, gateway):
    client, page = came_in(treatment, gateway)
    client.post(page + "unwell/", answers(fever="on"))
    alert = Alert.objects.get(cause="unwell")
    assert "blood count today" in alert.summary
    assert not TreatmentEvent.objects.filter(kind="fever").exists()


def test_two_missed_days_are_told_not_to_restart_at_the_old_dose(treatment, gateway):
    client, page = came_in(treatment, gateway)
    said = client.post(page + "unwell/", answers(missed_days="2")).content.decode()
    assert "Do not start again at the old dose" in said
    assert "Call us first" in said
    assert "12.5 mg" in Alert.objects.get(cause="unwell").summary


def test_chest_pain_gets_the_emergency_words_first_and_a_severe_alert(treatment, gateway):
    client, page = came_in(treatment, gateway)
    said = client.post(page + "unwell/", answers(chest_pain="on", sore_throat="on")).content.decode()
    assert said.index("Get help now") < said.index("Have your blood tested today")
    assert Alert.objects.get(cause="unwell").severity == 1


def test_the_same_answers_sent_twice_are_one_check_and_other_ones_are_told_with_the_first(treatment, gateway):
    client, page = came_in(treatment, gateway)
    first = answers(chest_pain="on")
    for sent in (first, first, answers(constipated="on")):
        client.post(page + "unwell/", sent)
    assert SelfCheck.objects.count() == 2
    alert = Alert.objects.get(cause="unwell")
    assert "constipation" in alert.summary
    assert "Chest pain" in alert.summary
    assert alert.severity == 1
    assert alert.notes.filter(verb__in=["raised", "worsened"]).count() == 2


def test_other_answers_on_the_same_form_are_kept_and_told_once(treatment, gateway):
    client, page = came_in(treatment, gateway)
    well = answers()
    worse = well | {"chest_pain": "on"}
    for sent in (well, worse, worse, well):
        client.post(page + "unwell/", sent)
    assert [row.found for row in SelfCheck.objects.order_by("pk")] == [[], ["chest_pain"]]
    assert Alert.objects.get(cause="unwell").severity == 1


def test_all_well_is_kept_and_raises_no_alert(treatment, gateway):
    client, page = came_in(treatment, gateway)
    assert "nothing that we must act on" in client.post(page + "unwell/", answers()).content.decode()
    assert SelfCheck.objects.get().found == []
    assert not Alert.objects.filter(cause="unwell").exists()


@pytest.mark.parametrize(("typed", "said"), [("120", "look again"), ("hot", "")])
def test_a_temperature_that_cannot_be_is_asked_again_and_what_was_ticked_is_kept(treatment, gateway, typed, said):
    client, page = came_in(treatment, gateway)
    answer = client.post(page + "unwell/", answers(fever="on", temperature=typed)).content.decode()
    assert said in answer
    assert "Not sent yet" in answer
    assert re.search(r'name="fever"[^>]*checked', answer)
    assert not SelfCheck.objects.exists()


def test_the_calendar_says_appointment_and_a_day_and_moves_with_it(treatment, gateway):
    client, page = came_in(treatment, gateway)
    address = re.search(r"/my/[\w-]+\.ics", client.post(page + "calendar/").content.decode())[0]
    first = Client().get(address)
    assert first["Content-Type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(first.content).walk("VEVENT")
    assert (str(event["summary"]), event["dtstart"].dt) == ("Appointment", treatment.due_on)
    a_count(treatment, 2500, at=NOW, now=NOW)
    (moved,) = Calendar.from_ical(Client().get(address).content).walk("VEVENT")
    assert moved["uid"] == event["uid"]
    assert moved["dtstart"].dt == NOW.date() + 7 * DAY
    assert moved["sequence"] > event["sequence"]
    assert not re.search(rb"(?i)quill|room|north|cloza", first.content)


def test_a_calendars_link_opens_no_page_and_a_pages_link_no_calendar(treatment, gateway):
    client, page = came_in(treatment, gateway)
    feed = re.search(r"/my/([\w-]+)\.ics", client.post(page + "calendar/").content.decode())[1]
    assert OVER in client.get(f"/my/{feed}/").content.decode()
    assert OVER in client.get(page[:-1] + ".ics").content.decode()


def test_they_end_messages_themselves_and_the_link_ends_with_them(treatment, gateway):
    client, page = came_in(treatment, gateway)
    said = client.post(page + "choices/", {"do": "end", "channel": "sms"}).content.decode()
    assert "this link has ended" in said
    consent = Consent.objects.latest("pk")
    assert (consent.given, consent.how) == (False, "own_page")
    assert OVER in client.get(page).content.decode()


@pytest.mark.slow
def test_a_new_number_counts_after_its_code_and_the_day_of_birth(treatment, gateway):
    client, page = came_in(treatment, gateway)
    new = "+15550108888"
    client.post(page + "choices/", {"do": "new", "channel": "sms", "address": "+1 555 010 8888"})
    gateway.deliver(NOW)
    assert gateway.sent[-1][1] == new
    typed = {"do": "confirm", "channel": "sms", "address": new, "code": code_in(gateway)}
    assert "not right" in client.post(page + "choices/", typed | {"born": "1980-05-18"}).content.decode()
    assert not ContactPoint.objects.filter(value=new).exists()
    answer = client.post(page + "choices/", typed | {"born": "1980-05-17"}, follow=True)
    assert "write to you there from now on" in answer.content.decode()
    assert ContactPoint.objects.get(patient=treatment.patient, kind="phone", ended_at=None).value == new
    assert Consent.objects.latest("pk").address == new
    assert OVER in client.get(page).content.decode()
    assert "new address for your calendar" not in answer.content.decode()


@pytest.mark.slow
def test_who_had_a_calendar_is_told_that_a_new_number_needs_a_new_address_for_it(treatment, gateway):
    client, page = came_in(treatment, gateway)
    feed = re.search(r"/my/[\w-]+\.ics", client.post(page + "calendar/").content.decode())[0]
    new = {"channel": "sms", "address": "+15550108888"}
    client.post(page + "choices/", {"do": "new"} | new)
    gateway.deliver(NOW)
    typed = {"do": "confirm", "code": code_in(gateway), "born": "1980-05-17"} | new
    said = client.post(page + "choices/", typed, follow=True).content.decode()
    assert OVER in Client().get(feed).content.decode()
    again = re.search(r'does not show the next test any more. <a href="(/my/[\w-]+/calendar/)">Make a new', said)[1]
    assert "Make an address for my calendar" in client.get(again).content.decode()


def test_language_and_large_print_are_theirs_to_choose(treatment, gateway):
    client, page = came_in(treatment, gateway)
    client.post(page + "choices/", {"do": "wishes", "language": "es", "large_print": "on", "on_the_day": "on"})
    shown = client.get(page).content.decode()
    assert '<html lang="es" class="large">' in shown
    assert "La próxima prueba" in shown
    assert "jueves" in shown


def test_the_pharmacy_has_seen_it_when_somebody_there_opened_the_record_after_the_result(treatment, client):
    assert not own_page_of(treatment, now=NOW).pharmacy_saw
    client.force_login(a_person(treatment.clinic, "pharmacist"))
    client.get(f"/patients/{treatment.patient_id}/supply/")
    assert own_page_of(treatment, now=NOW).pharmacy_saw


def test_who_is_to_take_no_tablets_is_told_nothing_of_tablets(treatment, gateway):
    pharmacist = a_person(treatment.clinic, "pharmacist")
    leave = authorise(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)
    hand_over(authorisation=leave, strength_mg=Decimal(100), quantity=9, days=3, by=pharmacist, now=NOW)
    client, page = came_in(treatment, gateway)
    assert "tablets should be left" in client.get(page).content.decode()
    record_event(treatment=treatment, kind="last_dose", at=NOW, reason="Stopped for good", stop=True, by=None, now=NOW)
    treatment.refresh_from_db()
    assert treatment.paused_since is None
    assert "Your tablets" not in client.get(page).content.decode()


def test_staff_send_a_link_and_see_what_was_sent_without_its_words(treatment, client, gateway):
    nurse = a_person(treatment.clinic, "nurse")
    send_link(person=Person(treatment.patient), channel="sms", now=NOW)
    gateway.deliver(NOW)
    client.force_login(nurse)
    page = client.get(f"/patients/{treatment.patient_id}/reminders/").content.decode()
    assert "link to their own page" in page
    assert re.search(r"/my/[\w-]{20}", gateway.bodies[-1])
    assert not re.search(r"/my/[\w-]{20}", page)


def test_nobody_learns_from_a_wish_of_somebody_else(treatment, gateway):
    wish(person=Person(treatment.patient), wishes={"language": "es"}, by=None, now=NOW)
    page = Client().get(f"/my/{link_to(treatment)}/").content.decode()
    assert "¿Es usted?" in page
