"""Notices in a patient's or carer's own browser: agreed to there, confirmed there, and over when it is gone."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from monitoring.reminding.agreeing import (
    agree,
    agree_to_browser,
    disagree,
    end_gone,
    helps_no_longer,
    send_code,
    send_link,
)
from monitoring.reminding.planning import plan
from monitoring.tasks import remind
from notifications.actions import claim, send
from notifications.models import Delivery, PushSubscription
from patients.consenting import Person, ReachingError, add_carer, latest_consents, make_link, use_code, wish
from patients.models import AuditEvent
from patients.reaching import Consent, OwnLink, Reachable
from tests.cast import DAY, NOW, a_person
from tests.reminding.people import a_browser, agreed, due_in
from tests.wires.http import PushService

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVENING = NOW + 6 * HOUR + MINUTE
TELLING = re.compile(r"(?i)clozatrack|clozapin|quill|alex|M\d{5}|http|reminder:")


@pytest.fixture
def other_push(push):
    """Another browser at the same push service."""
    with PushService() as server:
        server.vapid = push.vapid
        yield server


@pytest.fixture
def treatment(time_machine):
    time_machine.move_to(NOW, tick=False)
    return due_in(1)


@pytest.fixture
def person(treatment):
    return Person(treatment.patient)


def a_carer(treatment, number="+15550107777"):
    nurse = a_person(treatment.clinic, "nurse")
    return add_carer(
        patient=treatment.patient, name="Kim", relation="sister", phone=number, email="", by=nurse, now=NOW
    )


def deliver(now):
    while leased := claim(now=now, limit=50, channel="webpush"):
        for delivery in leased:
            send(delivery, now=now)


def code_shown(push):
    return re.search(r"\b(\d{6})\b", push.shown()[-1]["body"])[1]


def confirmed(person, push, *, now=NOW):
    """Agreed in this browser, and the code typed that it showed."""
    consent = agree_to_browser(person=person, now=now, **push.subscription)
    deliver(now)
    place = {"channel": "webpush", "address": consent.address, "purpose": "confirm"}
    use_code(person=person, typed=code_shown(push), now=now, **place)
    return consent


def test_agreeing_writes_a_dated_row_for_that_browser_an_audit_line_and_owes_its_code(person, push):
    consent = agree_to_browser(person=person, now=NOW, ip="192.0.2.1", **push.subscription)
    browser = PushSubscription.objects.get()
    assert (browser.holder, browser.created_at, browser.ended_at) == (person.key, NOW, None)
    assert (consent.address, consent.how, consent.recorded_by) == (str(browser.pk), "own_page", None)
    line = AuditEvent.objects.filter(verb="consent_given").latest("pk")
    assert (line.detail["channel"], line.detail["how"], line.ip) == ("webpush", "own_page", "192.0.2.1")
    assert Delivery.objects.get(channel="webpush").about.startswith("own:code:confirm:")


def test_before_its_code_was_typed_a_browser_is_sent_the_code_and_nothing_else(person, push):
    consent = agree_to_browser(person=person, now=NOW, **push.subscription)
    assert not Reachable.objects.filter(channel="webpush").exists()
    plan(now=NOW)
    deliver(EVENING)
    assert not Delivery.objects.filter(channel="webpush", about__startswith="reminder:").exists()
    with pytest.raises(ReachingError, match="not confirmed yet"):
        send_code(person=person, channel="webpush", purpose="open", now=NOW)
    assert not Delivery.objects.filter(about__startswith="own:code:open", address=consent.address).exists()


@pytest.mark.slow
def test_h31_from_the_browser_to_the_reminder_whose_touch_opens_the_gate(person, push):
    confirmed(person, push)
    plan(now=NOW)
    deliver(EVENING)
    code, reminder = push.shown()
    assert code["title"] == reminder["title"] == "A message for you"
    assert code["path"] == ""
    assert reminder["body"] == (
        "Hello. The test is tomorrow. To see where, open your page. Questions? Call your clinic."
        " To end these messages, open your page and choose so."
    )
    assert not TELLING.search(str([code, reminder | {"path": ""}]))
    assert "Is it you?" in Client().get(reminder["path"]).content.decode()
    row = Delivery.objects.get(channel="webpush", about__endswith=":evening")
    assert (row.path, "[link]" in row.body, row.repeatable) == ("", True, False)
    assert reminder["path"].split("/")[2] not in str(list(OwnLink.objects.values()))


def test_a_notice_is_written_in_their_language(person, push):
    wish(person=person, wishes={"language": "es"}, by=None, now=NOW)
    confirmed(person, push)
    plan(now=NOW)
    deliver(EVENING)
    assert "abra su página" in push.shown()[-1]["body"]
    assert push.shown()[-1]["title"] == "Un mensaje para usted"


def test_a_link_that_staff_send_comes_as_a_touch_too(person, push):
    confirmed(person, push)
    send_link(person=person, channel="webpush", now=NOW)
    deliver(NOW)
    shown = push.shown()[-1]
    assert shown["body"] == "Hello. Touch here to open your own page."
    assert Client().get(shown["path"]).status_code == 200


@pytest.mark.slow
def test_the_push_service_keeps_a_message_no_longer_than_it_is_true(person, push):
    confirmed(person, push)
    plan(now=NOW)
    deliver(EVENING)
    kept = [int(asked.headers["Ttl"]) for asked in push.taken]
    assert kept[0] == 600
    assert 0 < kept[1] < 5 * 60 * 60  # until half past ten in the evening


def test_staff_cannot_agree_for_somebody_and_neither_can_any_other_way(person):
    nurse = a_person(person.patient.clinic, "nurse")
    with pytest.raises(ReachingError, match="in the browser that is to show them"):
        agree(person=person, channel="webpush", how="in_person", by=nurse, now=NOW)
    with pytest.raises(ReachingError, match="in the browser that is to show them"):
        agree(person=person, channel="webpush", how="own_page", by=None, now=NOW)
    assert not Consent.objects.filter(channel="webpush").exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("endpoint", "http://push.example/1", "without encryption"),
        ("endpoint", "javascript:1", "no address"),
        ("p256dh", "junk", "nothing can be encrypted"),
        ("p256dh", "é", "nothing can be encrypted"),
        ("auth", "c2hvcnQ", "nothing can be encrypted"),
    ],
)
def test_what_no_browser_would_name_is_refused_and_leaves_nothing(person, push, settings, field, value, said):
    settings.PRIVATE_ADDRESSES = field != "endpoint"
    with pytest.raises(ReachingError, match=said):
        agree_to_browser(person=person, now=NOW, **push.subscription | {field: value})
    assert not PushSubscription.objects.exists()


def test_codes_cannot_be_asked_for_without_end_and_a_refusal_leaves_the_last_browser(person, push):
    for n in range(3):
        agree_to_browser(person=person, now=NOW + n * MINUTE, **push.subscription)
    with pytest.raises(ReachingError, match="quarter of an hour"):
        agree_to_browser(person=person, now=NOW + 4 * MINUTE, **push.subscription)
    assert PushSubscription.objects.filter(ended_at=None).count() == 1
    assert latest_consents(person)["webpush"].address == str(PushSubscription.objects.get(ended_at=None).pk)


def test_agreeing_in_a_second_browser_ends_the_first_and_takes_back_what_waited_there(person, push, other_push):
    first = confirmed(person, push)
    plan(now=NOW)
    second = agree_to_browser(person=person, now=NOW + MINUTE, **other_push.subscription)
    ended = PushSubscription.objects.get(pk=first.address)
    assert (ended.ended_at, ended.ended_because != "") == (NOW + MINUTE, True)
    assert not Delivery.objects.waiting().filter(channel="webpush", address=first.address).exists()
    assert latest_consents(person)["webpush"] == second


@pytest.mark.slow
def test_h32_two_people_one_browser_and_only_the_later_sees_notices_there(person, push):
    confirmed(person, push)
    other = Person(due_in(1).patient)
    plan(now=NOW)
    confirmed(other, push, now=NOW + MINUTE)
    before = latest_consents(person)["webpush"]
    assert (before.given, before.how, before.at) == (False, "gone", NOW + MINUTE)
    plan(now=NOW + 2 * MINUTE)
    deliver(EVENING)
    told = Delivery.objects.filter(channel="webpush", about__startswith="reminder:").exclude(sent_at=None)
    assert {int(row.about.split(":")[1]) for row in told} == {other.patient.treatments.get().pk}
    assert latest_consents(other)["webpush"].given


def test_a_browser_that_shows_alerts_to_staff_stays_theirs(person, push):
    mine = PushSubscription.objects.create(holder="staff:1", created_at=NOW, **push.subscription)
    with pytest.raises(ReachingError, match="works here"):
        agree_to_browser(person=person, now=NOW, **push.subscription)
    mine.refresh_from_db()
    assert mine.ended_at is None


@pytest.mark.slow
@pytest.mark.parametrize("status", [404, 410])
def test_h32_a_browser_that_is_gone_is_asked_no_more_and_the_consent_ends_by_a_dated_row(person, push, status):
    consent = confirmed(person, push)
    link = make_link(person=person, channel="webpush", address=consent.address, purpose="page", now=NOW)
    plan(now=NOW)
    push.status = status
    deliver(EVENING)
    asked = len(push.taken)
    assert end_gone(now=EVENING + MINUTE) == 1
    assert end_gone(now=EVENING + 2 * MINUTE) == 0
    ended = latest_consents(person)["webpush"]
    assert (ended.given, ended.how, ended.at, ended.recorded_by) == (False, "gone", EVENING + MINUTE, None)
    line = AuditEvent.objects.filter(verb="consent_ended").get()
    assert (line.staff, line.detail["how"]) == (None, "gone")
    assert Client().get(f"/my/{link}/").status_code == 404
    plan(now=EVENING + 3 * MINUTE)
    deliver(NOW + DAY)
    assert len(push.taken) == asked
    assert Reachable.objects.filter(patient=person.patient).get().channel == "sms"


def test_h32_the_last_look_withdraws_what_waits_for_a_browser_that_is_gone(person, push):
    confirmed(person, push)
    send_code(person=person, channel="webpush", purpose="open", now=NOW)
    plan(now=NOW)
    PushSubscription.objects.update(ended_at=NOW, ended_because="the push service answered 410")
    deliver(NOW + MINUTE)
    deliver(EVENING)
    assert len(push.taken) == 1
    rows = Delivery.objects.filter(channel="webpush", sent_at=None, due_at__lte=EVENING)
    assert {row.last_error for row in rows} == {"withdrawn"}
    assert rows.count() == 2


def test_the_minute_task_finds_them_in_one_query_and_writes_nothing_where_nobody_is_gone(
    person, push, django_assert_num_queries
):
    confirmed(person, push)
    with django_assert_num_queries(1):
        assert end_gone(now=NOW) == 0
    assert latest_consents(person)["webpush"].given


def test_the_task_notes_who_is_gone_before_it_plans(person, push, time_machine):
    confirmed(person, push)
    time_machine.move_to(NOW + HOUR, tick=False)
    PushSubscription.objects.update(ended_at=NOW, ended_because="410")
    remind()
    assert not latest_consents(person)["webpush"].given
    assert not Delivery.objects.filter(channel="webpush", about__startswith="reminder:").exists()


def test_who_agreed_anew_meanwhile_is_not_taken_for_gone(person, push, other_push, monkeypatch):
    first = confirmed(person, push)
    agree_to_browser(person=person, now=NOW, **other_push.subscription)
    monkeypatch.setattr("monitoring.reminding.agreeing.gone", lambda: [(person, first.address)])
    assert end_gone(now=NOW + MINUTE) == 0
    assert latest_consents(person)["webpush"].given


def test_gone_is_nobodys_word_and_can_only_end():
    browser = a_browser(Person(due_in(3).patient))
    patient = Consent.objects.first().patient
    row = {"patient": patient, "channel": "webpush", "address": str(browser.pk), "how": "gone", "at": NOW}
    with pytest.raises(IntegrityError, match="consent_gone_only_ends"), transaction.atomic():
        Consent.objects.create(given=True, **row)
    Consent.objects.create(given=False, **row)


def test_ending_it_ends_the_browser_and_takes_back_what_waits(person, push):
    consent = confirmed(person, push)
    plan(now=NOW)
    nurse = a_person(person.patient.clinic, "nurse")
    ended = disagree(person=person, channel="webpush", how="telephone", by=nurse, now=NOW + MINUTE)
    assert (ended.given, ended.recorded_by) == (False, nurse)
    assert PushSubscription.objects.get().ended_at == NOW + MINUTE
    assert not Delivery.objects.waiting().filter(channel="webpush", address=consent.address).exists()
    deliver(EVENING)
    assert len(push.taken) == 1
    assert end_gone(now=EVENING) == 0


@pytest.mark.slow
def test_a_carer_is_told_of_the_test_in_their_own_browser_until_they_help_no_longer(treatment, push):
    carer = a_carer(treatment)
    helper = Person(treatment.patient, carer)
    confirmed(helper, push)
    assert PushSubscription.objects.get().holder == f"carer:{carer.pk}"
    plan(now=NOW)
    deliver(EVENING)
    assert "The test is tomorrow" in push.shown()[-1]["body"]
    plan(now=EVENING)
    helps_no_longer(carer=carer, by=a_person(treatment.clinic, "nurse"), now=EVENING + MINUTE)
    assert PushSubscription.objects.get().ended_at == EVENING + MINUTE
    plan(now=EVENING + HOUR)
    deliver(NOW + DAY)
    assert len(push.taken) == 2
    assert end_gone(now=NOW + DAY) == 0


def test_they_agree_again_after_it_ended(person, push):
    confirmed(person, push)
    disagree(person=person, channel="webpush", how="own_page", by=None, now=NOW)
    again = confirmed(person, push, now=NOW + MINUTE)
    assert again.given
    assert Reachable.objects.filter(channel="webpush").get().address == again.address


@pytest.mark.slow
def test_keys_that_cannot_encrypt_are_refused_on_their_row_and_hold_back_nobody(person, push):
    agreed(person.patient.treatments.get(), channel="webpush")
    other = due_in(1)
    confirmed(Person(other.patient), push)
    plan(now=NOW)
    deliver(EVENING)
    assert len(push.taken) == 2
    broken = Delivery.objects.get(channel="webpush", dead_at__isnull=False)
    assert "encrypted" in broken.last_error
