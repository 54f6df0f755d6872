"""The page of messages: what became of each, its whole story, and nothing of what patients were told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.actions import claim, owe, retry, send
from notifications.models import Delivery, DeliveryEvent
from notifications.receipts import note_receipt
from patients.models import AuditEvent
from tests.cast import NOW, a_clinic, a_person

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
STATES = {
    "queued": {},
    "sent": {"sent_at": NOW},
    "delivered": {"sent_at": NOW, "delivered_at": NOW},
    "bounced": {"sent_at": NOW, "bounced_at": NOW},
    "dead": {"dead_at": NOW},
    "unknown": {"handing_at": NOW, "repeatable": False},
}


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="America/New_York")


@pytest.fixture
def nurse(client, clinic):
    client.force_login(a_person(clinic, "nurse"))
    return client


def a_message(clinic, once="k", **fields):
    given = {"channel": "sms", "address": "+15005550001", "subject": f"Subject of {once}", "body": "Body"}
    given |= {"clinic_id": clinic.pk, "created_at": NOW, "due_at": NOW} | fields
    return Delivery.objects.create(once=f"{once}:{clinic.pk}", **given)


def words(answer):
    return " ".join(answer.content.decode().split())


def test_the_filter_shows_each_state_alone(nurse, clinic):
    for name, fields in STATES.items():
        a_message(clinic, name, **fields)
    for name, label in (("queued", "Queued"), ("sent", "Sent"), ("bounced", "Bounced"), ("dead", "Not sent")):
        page = words(nurse.get(f"/messages/?state={name}"))
        assert page.count('class="letter"') == 1
        assert f"Subject of {name}" in page
        assert f">{label}</span>" in page
    assert words(nurse.get("/messages/")).count('class="letter"') == 6
    assert words(nurse.get("/messages/?to=patients")).count('class="letter"') == 1
    assert "No message answers this" in words(nurse.get("/messages/?channel=webhook"))


def test_a_patients_message_shows_neither_its_words_nor_the_whole_number(nurse, clinic):
    row = a_message(clinic, body="Your test is tomorrow", subject="Tomorrow", repeatable=False)
    for page in (words(nurse.get("/messages/")), words(nurse.get(f"/messages/{row.pk}/"))):
        assert "…001" in page
        for hidden in ("Your test is tomorrow", "Tomorrow", "+15005550001"):
            assert hidden not in page


def test_h33_messages_of_another_clinic_and_those_of_none_do_not_exist(nurse, clinic):
    theirs, nobodys = a_message(a_clinic("South")), a_message(clinic, "code", clinic_id=None)
    for row in (theirs, nobodys):
        assert nurse.get(f"/messages/{row.pk}/").status_code == 404
        assert nurse.post(f"/messages/{row.pk}/retry/").status_code == 404
    assert "Subject of" not in words(nurse.get("/messages/"))


def test_the_whole_story_stands_in_the_clinics_own_time(nurse, clinic):
    row = a_message(clinic, channel="carrier", dead_at=None)
    owe([row])
    kinds = [("failed", "the line is down"), ("sent", "SM1"), ("delivered", "delivered")]
    for number, (kind, detail) in enumerate(kinds):
        DeliveryEvent.objects.create(delivery=row, at=NOW + number * MINUTE, kind=kind, detail=detail)
    page = words(nurse.get(f"/messages/{row.pk}/"))
    told = ["Written", "the line is down", "SM1", "Delivered, says the provider"]
    assert [page.index(one) for one in told] == sorted(page.index(one) for one in told)
    assert "2026-09-14 08:02" in page


def test_one_that_was_given_up_is_tried_again_and_that_is_in_the_trail(nurse, clinic):
    row = a_message(clinic, dead_at=NOW, attempts=9)
    assert "Try again" in words(nurse.get(f"/messages/{row.pk}/"))
    nurse.post(f"/messages/{row.pk}/retry/")
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("queued", 0)
    assert AuditEvent.objects.get(verb="delivery_retried").subject == f"delivery:{row.pk}"


@pytest.mark.parametrize("name", ["unknown", "sent", "withdrawn", "stale"])
def test_h09_what_must_not_be_sent_again_has_no_button_and_no_way_round_it(nurse, clinic, name):
    row = a_message(clinic, repeatable=False, due_at=NOW - timedelta(days=name == "stale"))
    if name == "withdrawn":
        assert Delivery.objects.waiting().withdraw(now=NOW) == 1
    else:
        changes = {"sent": {"sent_at": NOW, "handing_at": NOW}, "stale": {"dead_at": NOW}}.get(
            name, {"handing_at": NOW}
        )
        Delivery.objects.filter(pk=row.pk).update(**changes)
    before = Delivery.objects.values().get(pk=row.pk)
    assert "Try again" not in words(nurse.get(f"/messages/{row.pk}/"))
    nurse.post(f"/messages/{row.pk}/retry/")
    assert Delivery.objects.values().get(pk=row.pk) == before
    assert retry(delivery=row, now=NOW) is False


def test_a_pharmacist_reads_and_does_not_send_again(client, clinic):
    client.force_login(a_person(clinic, "pharmacist"))
    row = a_message(clinic, dead_at=NOW)
    assert "Try again" not in words(client.get(f"/messages/{row.pk}/"))
    assert client.post(f"/messages/{row.pk}/retry/").status_code == 404


def test_thirty_messages_cost_as_many_queries_as_three(nurse, clinic):
    counted = []
    for number in (3, 27):
        for _ in range(number):
            row = a_message(clinic, f"{number}-{_}", sent_at=NOW)
            note_receipt(delivery=row, kind="delivered", word="delivered", provider_id="", now=NOW)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            nurse.get("/messages/")
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_older_ones_are_on_the_next_page_and_the_filter_stays(nurse, clinic):
    for number in range(27):
        a_message(clinic, f"n{number:02}", created_at=NOW + number * MINUTE, dead_at=NOW)
    first = nurse.get("/messages/?state=dead")
    older = first.context["page"].next
    second = words(nurse.get("/messages/", {"state": "dead", "after": older}))
    assert second.count('class="letter"') == 2
    assert "Subject of n00" in second
    assert "?state=dead&amp;after=" in words(first)


def test_what_a_hand_over_leaves_behind_is_its_story(clinic):
    row = a_message(clinic, channel="webpush", address="1")
    (leased,) = claim(now=NOW)
    assert send(leased, now=NOW) is False
    assert list(row.events.values_list("kind", flat=True)) == ["failed"]
