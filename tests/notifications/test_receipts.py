"""What providers tell later: signed, in any order, as often as they like. And what people answer."""

import base64
import itertools
import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction

from notifications.actions import claim
from notifications.bounces import bounced_twice
from notifications.inbound import Reply
from notifications.loop import deliver_due
from notifications.models import Delivery, DeliveryEvent, Inbound, PushSubscription, State
from patients.models import AuditEvent
from tests.cast import DAY, NOW
from tests.notifications.wired import NUMBER, a_message, story
from tests.wires.http import Gateway

pytestmark = pytest.mark.django_db
HEARD = []


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)
    HEARD.clear()
    cache.clear()


def now():
    return NOW


def sent(gateway, **fields):
    row = a_message(**fields)
    deliver_due(now)
    return row, gateway.messages[-1]


@pytest.mark.slow
def test_receipts_in_any_order_and_twice_each_come_to_the_same_end(gateway, client):
    for number, order in enumerate(itertools.permutations(["sent", "delivered", "queued"])):
        row, message = sent(gateway, once=f"k{number}")
        for word in order * 2:
            assert gateway.calls_back(client, message, word).status_code == 204
        row.refresh_from_db()
        assert row.state == State.DELIVERED
        assert len(story(row)) == 4


@pytest.mark.parametrize("word", ["undelivered", "failed"])
def test_a_bounce_is_shown_with_the_providers_code(gateway, client, word):
    row, message = sent(gateway)
    gateway.calls_back(client, message, word, ErrorCode="30005")
    row.refresh_from_db()
    assert row.state == State.BOUNCED
    assert row.events.get(kind="bounced").detail == f"{word} 30005"


def test_a_receipt_for_a_message_of_unknown_outcome_tells_the_outcome(gateway, client):
    gateway.status, gateway.accepts = 500, True
    row, message = sent(gateway, repeatable=False)
    gateway.calls_back(client, message, "delivered")
    row.refresh_from_db()
    assert (row.state, row.provider_id) == (State.DELIVERED, message["sid"])


def test_a_receipt_spares_staff_the_second_copy_of_a_message_whose_outcome_was_unknown(gateway, client):
    gateway.status, gateway.accepts = 500, True
    _, message = sent(gateway)
    gateway.calls_back(client, message, "sent")
    assert claim(now=NOW + DAY) == []


def test_a_wrong_signature_is_refused_audited_and_changes_nothing(gateway, client):
    row, message = sent(gateway)
    fields = {"MessageSid": message["sid"], "MessageStatus": "delivered"}
    good = Gateway.signed(message["StatusCallback"], fields)
    path = f"/messages/sms/{row.pk}/"
    for answer in (
        client.post(path, fields),
        client.post(path, fields | {"MessageStatus": "undelivered"}, headers=good),
        client.post(f"/messages/sms/{row.pk + 1}/", fields, headers=good),
        client.post("/messages/sms/inbound/", {"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}),
    ):
        assert answer.status_code == 403
    row.refresh_from_db()
    assert (row.state, Inbound.objects.count()) == (State.SENT, 0)
    assert set(AuditEvent.objects.filter(verb="receipt_refused").values_list("subject", flat=True)) == {
        "sms receipt",
        "sms reply",
    }
    assert AuditEvent.objects.filter(verb="receipt_refused").count() == 2  # one a minute, however many there are


def test_without_a_token_no_signature_is_right(gateway, client, settings):
    _, message = sent(gateway)
    settings.SMS = settings.SMS | {"token": ""}
    assert gateway.calls_back(client, message, "delivered").status_code == 403


def postmark(client, row, record, user="user", password="secret", **more):
    event = {"RecordType": record, "MessageID": row.provider_id, "Recipient": row.address, "Metadata": {}} | more
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return client.post(
        "/messages/mail/", json.dumps(event), "application/json", headers={"Authorization": f"Basic {basic}"}
    )


@pytest.mark.slow
def test_a_mail_providers_receipts_are_known_by_its_id_or_ours(provider, client):
    row = a_message(channel="email", address="a@b.example")
    deliver_due(now)
    row.refresh_from_db()
    answer = postmark(client, row, "Delivery", DeliveredAt="2026-09-14T12:00:01Z")
    row.refresh_from_db()
    assert (answer.status_code, row.state) == (200, State.DELIVERED)
    row.provider_id = "lost"
    bounce = {"Type": "HardBounce", "ID": 7, "BouncedAt": "2026-09-14T12:00:01Z", "Metadata": {"delivery": str(row.pk)}}
    postmark(client, row, "Bounce", **bounce)
    row.refresh_from_db()
    assert row.state == State.BOUNCED


def test_a_mail_receipt_with_a_wrong_secret_is_refused_and_without_a_provider_there_is_none(provider, client, settings):
    row = a_message(channel="email", address="a@b.example")
    assert postmark(client, row, "Delivery", password="guess").status_code == 403
    assert AuditEvent.objects.get(verb="receipt_refused").subject == "mail receipt"
    settings.ANYMAIL = {name: value for name, value in settings.ANYMAIL.items() if name != "WEBHOOK_SECRET"}
    assert postmark(client, row, "Delivery").status_code == 403
    settings.MAIL_PROVIDER = ""
    assert postmark(client, row, "Delivery").status_code == 404


def test_h32_an_address_that_bounced_twice_since_it_last_worked_is_told(gateway, client):
    ends = {
        "+15005550011": "bb",
        "+15005550012": "b",
        "+15005550013": "bbd",
        "+15005550014": "dbb",
        "+15005550015": "bdb",
    }
    for address, words in ends.items():
        for number, word in enumerate(words):
            at = NOW + timedelta(hours=number)
            row = a_message(f"{address}:{number}", address=address)
            said = {"delivered_at": at} if word == "d" else {"bounced_at": at}
            Delivery.objects.filter(pk=row.pk).update(sent_at=at, **said)
    assert set(bounced_twice()) == {"+15005550011", "+15005550014"}
    assert set(bounced_twice("email")) == set()


def replied(client, words, sid="SM9"):
    fields = {"MessageSid": sid, "From": NUMBER, "To": Gateway.sender, "Body": words}
    url = "http://localhost:8000/messages/sms/inbound/"
    return client.post("/messages/sms/inbound/", fields, headers=Gateway.signed(url, fields))


def heard(**said):
    HEARD.append(said)
    return Reply("You will get no more messages.", clinic_id=7, about="stop") if said["words"] == "STOP" else None


def failing(**said):
    HEARD.append(said)
    Inbound.objects.all().update(words="changed")
    raise RuntimeError


def test_an_answer_by_sms_is_kept_and_dealt_with_once_and_answered_through_the_outbox(gateway, client, settings):
    settings.INBOUND_SMS = f"{__name__}.heard"
    for _ in range(3):
        answer = replied(client, " STOP ")
        assert (answer.status_code, b"<Message>" in answer.content) == (200, False)
    assert HEARD == [{"sender": NUMBER, "words": "STOP", "now": NOW}]
    assert Inbound.objects.get().heard_at == NOW
    owed = Delivery.objects.get()
    assert (owed.address, owed.repeatable, owed.clinic_id, owed.about) == (NUMBER, False, 7, "stop")
    assert deliver_due(now) == 1
    assert gateway.messages[0]["Body"] == "You will get no more messages."


def test_words_that_need_no_answer_get_none(gateway, client, settings):
    settings.INBOUND_SMS = f"{__name__}.heard"
    replied(client, "thanks")
    assert (len(HEARD), Delivery.objects.count()) == (1, 0)


def test_an_answer_that_could_not_be_dealt_with_is_not_lost(gateway, client, settings, caplog):
    settings.INBOUND_SMS = f"{__name__}.failing"
    assert replied(client, "STOP").status_code == 200
    assert (Inbound.objects.get().heard_at, Inbound.objects.get().words) == (None, "STOP")
    settings.INBOUND_SMS = f"{__name__}.heard"
    deliver_due(lambda: NOW + timedelta(seconds=59))
    assert len(HEARD) == 1
    deliver_due(lambda: NOW + timedelta(minutes=1))
    deliver_due(lambda: NOW + timedelta(minutes=2))
    assert [said["words"] for said in HEARD] == ["STOP", "STOP"]
    assert Delivery.objects.count() == 1


def refused(**changes):
    row = a_message(repeatable=False)
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        Delivery.objects.filter(pk=row.pk).update(**changes)
    return str(error.value)


def test_what_cannot_be_is_refused_by_the_database():
    assert "unrepeatable_marked_before_sent" in refused(sent_at=NOW)
    assert "receipt_means_sent" in refused(delivered_at=NOW)
    assert "marked_only_when_unrepeatable" in refused(repeatable=True, handing_at=NOW)
    assert "sent_or_dead" in refused(sent_at=NOW, handing_at=NOW, dead_at=NOW)
    row = Delivery.objects.get()
    event = {"delivery": row, "at": NOW, "kind": "delivered", "receipt": "delivered:1"}
    DeliveryEvent.objects.create(**event)
    for wrong in (event, event | {"receipt": "", "kind": "lost"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DeliveryEvent.objects.create(**wrong)
    browser = {"holder": "staff:1", "endpoint": "https://p.example/1", "p256dh": "k", "auth": "a", "created_at": NOW}
    PushSubscription.objects.create(**browser)
    for wrong in (browser, browser | {"endpoint": "file:1"}, browser | {"endpoint": "https://2", "ended_at": NOW}):
        with pytest.raises(IntegrityError), transaction.atomic():
            PushSubscription.objects.create(**wrong)
