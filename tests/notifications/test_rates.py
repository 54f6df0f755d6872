"""How fast each provider is asked: never faster than it takes, and never a severe alert behind a reminder."""

import itertools
import os

import pytest

from notifications import rates
from notifications.loop import deliver_due
from notifications.models import REMINDER, URGENT, Delivery
from notifications.rates import KEY, Alone, Buckets
from tests.cast import NOW
from tests.notifications.wired import a_message

pytestmark = pytest.mark.django_db
_number = itertools.count()


@pytest.fixture
def sms_rate(settings):
    """A bucket of this test alone."""

    def at(rate, address=None):
        name = f"sms-{os.getpid()}-{next(_number)}"
        rates_key = rates.KEY
        settings.CELERY_BROKER_URL = address or settings.CELERY_BROKER_URL
        settings.RATES = {"sms": rate}
        rates.KEY = KEY + name
        undo.append(rates_key)
        rates._buckets.cache_clear()

    undo = []
    yield at
    rates.KEY = undo[0]
    rates._buckets.cache_clear()


def now():
    return NOW


def test_reminders_wait_for_tokens_and_a_severe_alert_never_does(gateway, sms_rate):
    sms_rate(3)
    for number in range(6):
        a_message(f"r{number}", priority=REMINDER, body="reminder")
    assert deliver_due(now) in (3, 4)  # what was there, and perhaps what came in meanwhile
    a_message("severe", priority=URGENT, body="severe")
    deliver_due(now)
    assert "severe" in [message["Body"] for message in gateway.messages]
    assert len(gateway.messages) < 7


def test_a_severe_alert_that_is_written_while_reminders_go_out_is_the_next(gateway, sms_rate, monkeypatch):
    sms_rate(100)
    for number in range(4):
        a_message(f"r{number}", priority=REMINDER, body="reminder")
    answer = gateway.answer

    def and_then_something_severe(asked):
        if not gateway.messages:
            severe.append(True)
        return answer(asked)

    severe = []
    gateway.answer = and_then_something_severe
    told = []

    def ticking():
        if severe and not told:
            told.append(a_message("severe", priority=URGENT, body="severe"))
        return NOW

    assert deliver_due(ticking) == 5
    assert [message["Body"] for message in gateway.messages][:3].count("severe") == 1


def test_an_urgent_message_spends_a_token_so_that_the_others_make_room(sms_rate, settings):
    sms_rate(2)
    found = rates.buckets()
    assert [found.take("sms", urgent=True) for _ in range(4)] == [True] * 4
    assert found.take("sms", urgent=False) is False
    assert found.take("email", urgent=False) is True


@pytest.mark.slow
def test_a_provider_that_takes_no_more_holds_up_no_other_channel(gateway, hook, sms_rate):
    sms_rate(1)
    for number in range(4):
        a_message(f"r{number}", priority=REMINDER)
    a_message("hook", channel="webhook", address=f"{hook.url}/hook", priority=REMINDER)
    deliver_due(now)
    assert (len(hook.taken), 1 <= len(gateway.messages) < 4) == (1, True)
    assert Delivery.objects.exclude(leased_until=None).filter(sent_at=None).count() == 0


def test_without_valkey_each_process_goes_slower_and_severe_still_goes(gateway, sms_rate):
    sms_rate(8, address="redis://127.0.0.1:9/0")
    for number in range(6):
        a_message(f"r{number}", priority=REMINDER, body="reminder")
    a_message("severe", priority=URGENT, body="severe")
    deliver_due(now)
    bodies = [message["Body"] for message in gateway.messages]
    assert bodies[0] == "severe"
    assert 1 <= len(bodies) < 7


def test_a_bucket_of_ones_own_fills_with_time_and_never_over_its_rim(monkeypatch):
    at = [0.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: at[0])
    bucket = Alone(2.0, at=0.0)
    assert [bucket.ask("take") for _ in range(2)] == [True, False]
    at[0] = 0.5
    assert [bucket.ask("take") for _ in range(2)] == [True, False]
    at[0] = 100.0
    assert [bucket.ask("take") for _ in range(3)] == [True, True, False]


def test_two_workers_share_one_bucket(sms_rate, settings):
    sms_rate(5)
    workers = [Buckets(settings.CELERY_BROKER_URL, settings.RATES) for _ in range(2)]
    taken = [workers[turn % 2].take("sms", urgent=False) for turn in range(20)]
    assert 5 <= sum(taken) <= 7
