"""Consent, codes, and what people answer by text message."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from monitoring.reminding.agreeing import agree, disagree, send_code, send_link
from monitoring.reminding.planning import plan
from monitoring.reminding.replying import heard
from notifications.models import Delivery
from patients.actions import change_contacts
from patients.consenting import (
    Person,
    ReachingError,
    add_carer,
    confirmed_at,
    end_carer,
    give_consent,
    holds,
    latest_consents,
    make_code,
    use_code,
    wish,
)
from patients.desk import set_front_desk
from patients.models import AuditEvent, ContactPoint
from patients.phones import phone_number
from patients.reaching import AddressCode, Consent, OwnLink, Reachable
from tests.cast import NOW, a_clinic, a_patient, a_person, a_treatment
from tests.reminding.people import Gateway, agreed, due_in

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
NUMBER = "+15550100001"


@pytest.fixture
def nurse():
    return a_person(a_clinic(time_zone="UTC"), "nurse")


@pytest.fixture
def person(nurse):
    patient = a_patient(nurse.memberships.get().clinic)
    ContactPoint.objects.create(patient=patient, kind="phone", value="+1 (555) 010-0001", recorded_at=NOW)
    a_treatment(patient.clinic, patient=patient)
    return Person(patient)


def open_code(person, typed=None, *, now=NOW, purpose="confirm"):
    place = {"person": person, "channel": "sms", "address": NUMBER, "purpose": purpose}
    code = make_code(**place, now=now)
    return place, code


def test_consent_says_who_recorded_it_how_and_for_which_number_and_owes_a_code(person, nurse):
    consent = agree(person=person, channel="sms", how="in_person", by=nurse, now=NOW)
    assert (consent.address, consent.recorded_by, consent.how) == (NUMBER, nurse, "in_person")
    assert AuditEvent.objects.get(verb="consent_given").detail["channel"] == "sms"
    code = Delivery.objects.get()
    assert (code.address, code.about.split(":")[:3]) == (NUMBER, ["own", "code", "confirm"])
    assert not Reachable.objects.exists()


def test_the_code_is_made_at_hand_over_and_rests_in_no_table(person, nurse, monkeypatch):
    gateway = Gateway(monkeypatch)
    agree(person=person, channel="sms", how="in_person", by=nurse, now=NOW)
    gateway.deliver(NOW + MINUTE)
    (code,) = [word.strip(".") for word in gateway.bodies[0].split() if word.strip(".").isdecimal()]
    assert code not in Delivery.objects.get().body
    assert code not in AddressCode.objects.get().code_hash
    use_code(person=person, channel="sms", address=NUMBER, purpose="confirm", typed=code, now=NOW + 2 * MINUTE)
    assert Reachable.objects.get().address == NUMBER


def test_consent_is_never_edited_or_deleted_and_names_a_contact(person, nurse):
    consent = give_consent(person=person, channel="sms", how="in_person", by=nurse, now=NOW)
    for change in (lambda rows: rows.update(given=False), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(Consent.objects.filter(pk=consent.pk))
    with pytest.raises(IntegrityError, match="consent_follows_a_contact"), transaction.atomic():
        Consent.objects.create(
            patient=person.patient,
            channel="sms",
            address=NUMBER,
            given=True,
            how="on_paper",
            at=NOW,
            recorded_by=nurse,
        )
    with pytest.raises(IntegrityError, match="consent_recorded_by"), transaction.atomic():
        Consent.objects.create(
            patient=person.patient, channel="sms", address="+15550109999", given=False, how="on_paper", at=NOW
        )


def test_h32_a_changed_number_or_a_carer_who_left_is_not_written_to(person, nurse):
    agreed(person.patient.treatments.get(), nurse=nurse)
    carer = add_carer(
        patient=person.patient, name="Kim", relation="sister", phone="+15550100002", email="", by=nurse, now=NOW
    )
    agreed(person.patient.treatments.get(), carer=carer, nurse=nurse)
    assert Reachable.objects.count() == 2
    end_carer(carer=carer, by=nurse, now=NOW)
    change_contacts(patient=person.patient, values={"phone": "+15550100003"}, by=nurse, now=NOW)
    assert not Reachable.objects.exists()
    assert not holds(latest_consents(person)["sms"])


def test_a_code_works_once_for_ten_minutes_and_in_five_tries(person):
    place, code = open_code(person)
    for _ in range(4):
        with pytest.raises(ReachingError, match="not the code"):
            use_code(**place, typed="000000" if code != "000000" else "111111", now=NOW)
    use_code(**place, typed=f" {code[:3]} {code[3:]} ", now=NOW)
    with pytest.raises(ReachingError, match="over"):
        use_code(**place, typed=code, now=NOW)
    place, code = open_code(person)
    with pytest.raises(ReachingError, match="over"):
        use_code(**place, typed=code, now=NOW + 10 * MINUTE)
    assert confirmed_at(person, "sms", NUMBER) == NOW


def test_after_five_wrong_tries_the_right_code_is_refused_too(person):
    place, code = open_code(person)
    for _ in range(5):
        with pytest.raises(ReachingError):
            use_code(**place, typed="x", now=NOW)
    with pytest.raises(ReachingError, match="over"):
        use_code(**place, typed=code, now=NOW)


def test_a_code_is_for_one_person_one_number_and_one_purpose(person, nurse):
    place, code = open_code(person)
    for other in ({"purpose": "open"}, {"address": "+15550100009"}, {"channel": "email"}):
        with pytest.raises(ReachingError):
            use_code(**place | other, typed=code, now=NOW)


def test_codes_are_sent_three_times_in_a_quarter_of_an_hour_at_most(person, nurse):
    agree(person=person, channel="sms", how="in_person", by=nurse, now=NOW)
    for n in (1, 2):
        send_code(person=person, channel="sms", purpose="confirm", now=NOW + n * MINUTE)
    with pytest.raises(ReachingError, match="quarter of an hour"):
        send_code(person=person, channel="sms", purpose="confirm", now=NOW + 3 * MINUTE)
    send_code(person=person, channel="sms", purpose="confirm", now=NOW + 20 * MINUTE)


def test_nothing_is_sent_to_somebody_who_did_not_agree(person):
    for ask in (lambda: send_link(person=person, channel="sms", now=NOW),
                lambda: send_code(person=person, channel="sms", purpose="open", now=NOW)):  # fmt: skip
        with pytest.raises(ReachingError, match="no consent"):
            ask()
    assert not Delivery.objects.exists()


def test_stop_ends_consent_for_that_number_at_once_and_takes_back_what_waits():
    treatment = due_in(1)
    plan(now=NOW)
    number = Delivery.objects.filter(about__startswith="reminder:").first().address
    assert heard(sender=number, words=" Stop. ", now=NOW) is None
    consent = Consent.objects.filter(patient=treatment.patient).latest("pk")
    assert (consent.given, consent.how, consent.words) == (False, "reply", "Stop.")
    assert not Delivery.objects.waiting().filter(about__startswith="reminder:").exists()
    assert plan(now=NOW + MINUTE) == (0, 0)
    assert not OwnLink.objects.filter(revoked_at=None).exists()


def test_start_brings_back_what_stop_ended_and_nothing_else():
    treatment = due_in(1)
    number = Consent.objects.get().address
    heard(sender=number, words="PARAR", now=NOW)
    assert "again" in heard(sender=number, words="start", now=NOW + MINUTE).words
    assert Reachable.objects.get().patient_id == treatment.patient_id
    nurse = a_person(treatment.clinic, "nurse")
    disagree(person=Person(treatment.patient), channel="sms", how="telephone", by=nurse, now=NOW)
    assert heard(sender=number, words="START", now=NOW + MINUTE) is None
    assert not Reachable.objects.exists()


def test_start_from_a_number_that_is_no_longer_theirs_does_nothing():
    treatment = due_in(1)
    number = Consent.objects.get().address
    heard(sender=number, words="STOP", now=NOW)
    change_contacts(patient=treatment.patient, values={"phone": "+15550100777"}, by=None, now=NOW)
    assert heard(sender=number, words="START", now=NOW) is None
    assert not Consent.objects.latest("pk").given


def test_help_and_other_words_are_answered_in_their_language_without_a_name():
    treatment = due_in(1)
    nurse = a_person(treatment.clinic, "nurse")
    set_front_desk(
        clinic=treatment.clinic, phone="555-0100", place="Room 1", emergency_number="112",
        emergency_place="the hospital", by=nurse, now=NOW,
    )  # fmt: skip
    number = Consent.objects.get().address
    assert "555-0100" in heard(sender=number, words="HELP", now=NOW).words
    wish(person=Person(treatment.patient), wishes={"language": "es"}, by=nurse, now=NOW)
    said = heard(sender=number, words="me siento mal", now=NOW)
    assert "112" in said.words
    assert "Nadie lee" in said.words
    assert said.clinic_id == treatment.clinic_id


def test_an_unknown_sender_is_not_answered():
    assert heard(sender="+15550000000", words="STOP", now=NOW) is None


@pytest.mark.parametrize("written", ["+1 (555) 010-0001", "001 555 010 0001", "+1.555.010.0001"])
def test_the_same_number_is_the_same_text(written):
    assert phone_number(written) == NUMBER


@pytest.mark.parametrize("written", ["555 0100", "", "+0 555", "call me", "+1555010000123456"])
def test_a_number_without_its_country_is_refused_with_an_example(written):
    with pytest.raises(ValueError, match=r"\+1 555 010 0123"):
        phone_number(written)
