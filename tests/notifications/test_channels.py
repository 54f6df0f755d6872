"""Each wire against a real server: what it sends, and what it makes of every answer."""

import json
import re
from datetime import timedelta

import pytest

from notifications.actions import retry
from notifications.channels import CHANNELS, ChannelError, RefusedError, UnsureError
from notifications.channels.webhook import signature, signing_key
from notifications.channels.wire import outside
from notifications.loop import deliver_due
from notifications.models import PushSubscription, State
from tests.cast import NOW
from tests.notifications.wired import NUMBER, a_message, story, to_a_browser
from tests.wires.smtp import mail_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    for channel in ("sms", "webpush", "webhook"):
        monkeypatch.setattr(f"notifications.channels.{channel}.TIMEOUT", 0.4)


def now():
    return NOW


def test_an_sms_goes_to_the_provider_with_where_to_report_and_keeps_its_id(gateway, settings):
    row = a_message()
    assert deliver_due(now) == 1
    (taken,) = gateway.messages
    row.refresh_from_db()
    assert (taken["To"], taken["From"], taken["Body"]) == (NUMBER, gateway.sender, "Please sign in")
    assert taken["StatusCallback"] == f"{settings.BASE_URL}/messages/sms/{row.pk}/"
    assert (row.state, row.provider_id, story(row)) == (State.SENT, taken["sid"], ["sent"])


@pytest.mark.slow
def test_h04_a_staff_message_whose_outcome_nobody_knows_is_sent_again(gateway):
    row, gateway.delay = a_message(), 0.8
    assert deliver_due(now) == 0
    gateway.delay = 0
    assert deliver_due(lambda: NOW + timedelta(seconds=6)) == 1
    assert len(gateway.messages) == 2
    assert story(row) == ["unsure", "sent"]


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["late", "dropped", "500 and taken"])
def test_h09_a_patients_message_whose_outcome_nobody_knows_is_never_sent_again_but_shown(gateway, broken):
    row = a_message(repeatable=False)
    gateway.delay, gateway.drop = (0.8 if broken == "late" else 0), broken == "dropped"
    gateway.status, gateway.accepts = (500, True) if broken == "500 and taken" else (None, False)
    assert deliver_due(now) == 0
    gateway.delay, gateway.drop, gateway.status = 0, False, None
    for days in range(3):
        deliver_due(lambda late=days: NOW + timedelta(days=late))
    row.refresh_from_db()
    assert len(gateway.messages) == 1
    assert (row.state, story(row)) == (State.UNKNOWN, ["handing", "unsure"])
    assert retry(delivery=row, now=NOW) is False


def test_a_patients_message_that_surely_was_not_taken_is_tried_again(gateway):
    row, gateway.status = a_message(repeatable=False), 429
    deliver_due(now)
    row.refresh_from_db()
    assert (row.state, row.handing_at) == (State.QUEUED, None)
    gateway.status = None
    assert deliver_due(lambda: NOW + timedelta(seconds=6)) == 1
    assert len(gateway.messages) == 1


def test_a_gateway_that_is_down_took_nothing(gateway, settings):
    row = a_message(repeatable=False)
    settings.SMS = gateway.settings | {"base_url": "http://127.0.0.1:9"}
    deliver_due(now)
    row.refresh_from_db()
    assert (row.state, story(row)) == (State.QUEUED, ["handing", "failed"])


def test_a_number_that_the_provider_will_never_take_is_given_up_at_once(gateway):
    row, gateway.status, gateway.code = a_message(), 400, 21211
    deliver_due(now)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.DEAD, 1)
    assert "400, code 21211" in row.last_error


@pytest.mark.parametrize(
    ("channel", "address", "named"),
    [
        ("sms", NUMBER, "CLOZATRACK_SMS_ACCOUNT, CLOZATRACK_SMS_TOKEN, CLOZATRACK_SMS_SENDER"),
        ("webpush", "1", "CLOZATRACK_VAPID_PRIVATE_KEY"),
        ("webhook", "https://hooks.example/1", "CLOZATRACK_WEBHOOK_SECRET"),
    ],
)
def test_a_channel_that_is_not_set_up_says_so_on_the_row(channel, address, named):
    row = a_message(channel=channel, address=address)
    deliver_due(now)
    row.refresh_from_db()
    assert "not set up here: set " + named in row.last_error
    assert row.state == State.QUEUED


def test_a_number_with_a_blank_in_it_is_refused_with_what_would_be_right(gateway):
    with pytest.raises(RefusedError, match=r"\+15551234567"):
        CHANNELS["sms"](a_message(address="0555 1234"))


def test_a_push_is_signed_with_our_key_and_only_that_browser_can_read_it(push):
    row = to_a_browser(push, subject="An alert waits", priority=1)
    assert deliver_due(now) == 1
    (shown,) = push.shown()
    assert shown == {"title": "An alert waits", "body": "Please sign in", "path": "/alerts/1/", "tag": ""}
    assert push.taken[0].headers["Urgency"] == "high"
    row.refresh_from_db()
    assert row.state == State.SENT


def test_a_pushs_tag_is_the_same_for_one_thing_and_tells_no_number_of_ours(push):
    for once, about in (("k1", "alert:17"), ("k2", "alert:17"), ("k3", "alert:18")):
        row = PushSubscription.objects.create(
            holder="staff:1", created_at=NOW, **push.subscription | {"endpoint": f"{push.url}/push/{once}"}
        )
        a_message(once, channel="webpush", address=str(row.pk), about=about)
    assert deliver_due(now) == 3
    first, second, third = (shown["tag"] for shown in push.shown())
    assert first == second != third
    assert re.fullmatch("[0-9a-f]{16}", first)


@pytest.mark.slow
def test_keys_that_cannot_encrypt_are_refused_and_the_message_behind_is_sent(push):
    broken = PushSubscription.objects.create(
        holder="staff:2", created_at=NOW, endpoint=f"{push.url}/push/2", p256dh="junk", auth="junk"
    )
    row = a_message("k1", channel="webpush", address=str(broken.pk), priority=1)
    to_a_browser(push, "k2")
    assert deliver_due(now) == 1
    row.refresh_from_db()
    assert (row.state, "nothing can be encrypted" in row.last_error) == (State.DEAD, True)


def test_a_key_of_ours_that_cannot_sign_is_named_and_the_message_is_tried_again(push, settings):
    settings.WEBPUSH = settings.WEBPUSH | {"private_key": "é"}
    row = to_a_browser(push)
    assert deliver_due(now) == 0
    row.refresh_from_db()
    assert (row.state, "CLOZATRACK_VAPID_PRIVATE_KEY" in row.last_error) == (State.QUEUED, True)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_ends_its_subscription_and_gets_nothing_more(push, status):
    row, push.status = to_a_browser(push), status
    deliver_due(now)
    row.refresh_from_db()
    ended = PushSubscription.objects.get()
    assert (row.state, bool(ended.ended_at)) == (State.DEAD, True)
    assert str(status) in ended.ended_because
    a_message("k2", channel="webpush", address=str(ended.pk))
    deliver_due(now)
    assert len(push.taken) == 1


def test_a_webhook_is_signed_over_its_moment_and_its_body(hook):
    row = a_message(channel="webhook", address=f"{hook.url}/hook", subject="An alert waits", priority=1)
    assert deliver_due(now) == 1
    (taken,) = hook.taken
    stamp = taken.headers["X-Clozatrack-Timestamp"]
    assert taken.headers["X-Clozatrack-Signature"] == signature(signing_key(row.address), stamp, taken.body)
    assert (
        signature(signing_key(row.address), str(int(stamp) + 1), taken.body) != taken.headers["X-Clozatrack-Signature"]
    )
    assert (taken.json["text"], taken.json["severity"]) == ("Please sign in", 1)
    assert taken.json["url"].endswith("/alerts/1/")


def test_no_two_addresses_are_signed_with_one_key(hook):
    assert signing_key("https://a.example/") != signing_key("https://b.example/")


def test_a_webhook_that_redirects_is_not_followed(hook):
    row = a_message(channel="webhook", address=f"{hook.url}/hook")
    hook.answer = lambda asked: (302, {"Location": f"{hook.url}/elsewhere"}, b"")
    deliver_due(now)
    row.refresh_from_db()
    assert (row.state, len(hook.taken)) == (State.DEAD, 1)
    assert "name the place itself" in row.last_error


def test_nothing_is_sent_into_our_own_network_whatever_its_name(hook, push, settings):
    settings.PRIVATE_ADDRESSES = False
    row = a_message(channel="webhook", address=f"https://localhost:{hook.port}/hook")
    browser = to_a_browser(push, "k2")
    deliver_due(now)
    for one in (row, browser):
        one.refresh_from_db()
        assert (one.state, "private network" in one.last_error) == (State.DEAD, True)
    assert (hook.taken, push.taken) == ([], [])


def test_a_webhook_needs_https(hook, settings):
    settings.PRIVATE_ADDRESSES = False
    with pytest.raises(RefusedError, match="https://"):
        CHANNELS["webhook"](a_message(channel="webhook", address="http://hooks.example/1"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("10.0.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False), ("192.168.1.1", False),
        ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False),
        ("fd00::1", False), ("::ffff:10.0.0.1", False), ("93.184.216.34", True), ("2606:4700::1111", True),
    ],
)  # fmt: skip
def test_which_addresses_are_outside(address, public):
    assert outside(address) is public


def test_mail_goes_through_a_provider_when_one_is_set_and_keeps_its_id(provider):
    row = a_message(channel="email", address="a@b.example")
    assert deliver_due(now) == 1
    row.refresh_from_db()
    assert row.provider_id == "pm-1"
    assert provider.taken[0].json["Metadata"] == {"delivery": str(row.pk)}


@pytest.mark.parametrize(("status", "error"), [(422, ChannelError), (503, UnsureError)])
def test_a_mail_provider_that_says_no_took_nothing_and_one_that_fails_may_have(provider, status, error):
    provider.status = status
    with pytest.raises(ChannelError) as raised:
        CHANNELS["email"](a_message(channel="email", address="a@b.example"))
    assert type(raised.value) is error


@pytest.mark.parametrize("answer", ["451 later", "554 no"])
def test_a_mail_server_that_answers_no_took_nothing(settings, answer):
    row = a_message(channel="email", address="a@b.example")
    with mail_server(settings) as sink:
        sink.answer = answer
        with pytest.raises(ChannelError) as raised:
            CHANNELS["email"](row)
    assert type(raised.value) is ChannelError


@pytest.mark.slow
def test_a_mail_server_that_falls_silent_after_the_message_may_have_taken_it(settings):
    row = a_message(channel="email", address="a@b.example", repeatable=False)
    with mail_server(settings) as sink:
        sink.answer, settings.EMAIL_TIMEOUT = None, 0.3
        deliver_due(now)
    row.refresh_from_db()
    assert (row.state, len(sink.messages)) == (State.UNKNOWN, 1)


def test_no_message_carries_more_than_its_row_says(gateway, push, hook):
    """What goes over each wire is the row's own subject, body and path: nothing about a person is added."""
    a_message()
    to_a_browser(push, "k2")
    a_message("k3", channel="webhook", address=f"{hook.url}/hook")
    assert deliver_due(now) == 3
    assert set(gateway.messages[0]) == {"To", "From", "Body", "StatusCallback", "sid"}
    assert set(json.loads(hook.taken[0].body)) == {"text", "title", "severity", "url", "dedup_key", "once"}
    assert set(push.shown()[0]) == {"title", "body", "path", "tag"}
