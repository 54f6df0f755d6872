"""One's own messages, as pages: everything without JavaScript but the browser's own subscription."""

import pytest

from monitoring.actions.reaching import wished
from monitoring.models import Way
from notifications.models import Delivery
from tests.cast import NOW, a_clinic, a_person

pytestmark = pytest.mark.django_db
PAGE = "/own/messages/"
SET_UP = {"account": "AC1", "token": "t", "sender": "+15005550006", "base_url": "http://127.0.0.1:9"}
BROWSER = {"endpoint": "https://push.example/1", "p256dh": "k", "auth": "a", "label": "Firefox on Linux"}
ALL = {"severe": "email", "moderate": "email", "mild": "email", "routine": "email"}


@pytest.fixture(autouse=True)
def _set_up(settings, time_machine):
    time_machine.move_to(NOW, tick=False)
    settings.SMS, settings.WEBHOOK_SECRET = SET_UP, "s"
    settings.WEBPUSH = {"private_key": "p", "public_key": "q", "contact": "c"}


@pytest.fixture
def nurse():
    return a_person(a_clinic(), "nurse")


@pytest.fixture
def signed_in(client, nurse):
    client.force_login(nurse)
    return client


def words(answer):
    return answer.content.decode()


def test_a_change_says_what_it_means_and_is_made_when_that_is_confirmed(signed_in, nurse):
    typed = ALL | {"routine": []}
    shown = words(signed_in.post(PAGE, typed))
    assert "Routine alerts are not sent to you" in shown
    assert "on-call, by default after 24 hours" in shown
    assert wished(nurse)[4] == ["email"]
    signed_in.post(PAGE, typed | {"confirm": "1"})
    assert wished(nurse)[4] == []


def test_severe_without_any_channel_is_refused_and_what_was_ticked_is_kept(signed_in, nurse):
    shown = words(signed_in.post(PAGE, ALL | {"severe": [], "mild": [], "confirm": "1"}))
    assert "leave one channel on" in shown
    assert wished(nurse) == {1: ["email"], 2: ["email"], 3: ["email"], 4: ["email"]}
    assert 'name="mild" value="email" id="id_mild_0" checked' not in shown.replace("\n", "")


def test_a_telephone_from_the_number_to_the_code_to_the_choice(signed_in, nurse):
    signed_in.post(f"{PAGE}add/phone/", {"number": "+1 500 555 0001"})
    way = Way.objects.get()
    assert "Waits for its code" in words(signed_in.get(PAGE))
    refused = words(signed_in.post(f"{PAGE}{way.pk}/confirm/", {"code": "12"}))
    assert "The code has six digits" in refused
    signed_in.post(f"{PAGE}{way.pk}/confirm/", {"code": Delivery.objects.get().body[:6]})
    signed_in.post(PAGE, ALL | {"severe": ["email", "sms"], "confirm": "1"})
    assert wished(nurse)[1] == ["email", "sms"]
    assert "SMS" in words(signed_in.get(PAGE))


def test_a_bad_number_keeps_what_was_typed_and_says_what_would_be_right(signed_in):
    shown = words(signed_in.post(f"{PAGE}add/phone/", {"number": "555 0001"}))
    assert 'value="555 0001"' in shown
    assert "such as +1 555 123 4567" in shown


@pytest.mark.parametrize(
    ("kind", "typed", "channel"),
    [("webhook", {"address": "https://hooks.example/a"}, "webhook"), ("browser", BROWSER, "webpush")],
)
def test_a_webhook_and_a_browser_get_a_code_as_well(signed_in, kind, typed, channel):
    signed_in.post(f"{PAGE}add/{kind}/", typed)
    assert Delivery.objects.get().channel == channel
    assert Way.objects.get().confirmed_at is None


@pytest.mark.slow
def test_an_address_without_encryption_is_refused(signed_in):
    assert "begin with https://" in words(signed_in.post(f"{PAGE}add/webhook/", {"address": "http://a.example/"}))
    signed_in.post(f"{PAGE}add/browser/", BROWSER | {"endpoint": "http://a.example/"})
    assert not Way.objects.exists()


def test_what_is_not_set_up_is_not_offered(signed_in, settings):
    settings.SMS = SET_UP | {"token": ""}
    assert "Send a code by SMS" not in words(signed_in.get(PAGE))
    assert signed_in.post(f"{PAGE}add/phone/", {"number": "+15005550001"}).status_code == 404


def test_another_persons_way_does_not_exist_for_me(signed_in):
    other = Way.objects.create(
        staff=a_person(a_clinic(), "nurse"), channel="sms", address="+15005550009", label="p", added_at=NOW
    )
    for verb in ("confirm", "remove"):
        assert signed_in.post(f"{PAGE}{other.pk}/{verb}/", {"code": "000000"}).status_code == 404
    assert "+15005550009" not in words(signed_in.get(PAGE))


def test_a_way_is_removed(signed_in, nurse):
    way = Way.objects.create(
        staff=nurse, channel="sms", address="+15005550009", label="p", added_at=NOW, confirmed_at=NOW
    )
    assert "gets no more messages" in words(signed_in.post(f"{PAGE}{way.pk}/remove/", follow=True))
    assert "+15005550009" not in words(signed_in.get(PAGE))


@pytest.mark.slow
def test_the_service_worker_is_a_script_of_our_own_origin_at_its_root(client):
    answer = client.get("/push-worker.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert b"showNotification" in answer.content
