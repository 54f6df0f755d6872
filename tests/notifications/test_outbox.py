"""The outbox: what is owed is handed over at least once, under one key, or stays visible."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from notifications.actions import claim, owe, retry, send
from notifications.loop import deliver_due
from notifications.models import DELAYS, LEASE, Delivery, Heartbeat
from tests.cast import NOW
from tests.waiting import wait_until
from tests.wires.smtp import mail_server

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_session(work):
    """Do it on a connection of its own, which is gone afterwards, as a killed worker's is."""
    answers, sessions = [], []

    def run():
        answers.append(work())
        sessions.append(connection.connection.info.backend_pid)
        connection.close()

    worker = threading.Thread(target=run)
    worker.start()
    worker.join()
    # PostgreSQL hears of it a moment later.
    wait_until(lambda: not is_alive(*sessions))
    return answers[0]


def is_alive(session):
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [session])
        return cursor.fetchone() is not None


@pytest.fixture
def sink(settings):
    with mail_server(settings) as kept:
        yield kept


def a_delivery(once="k1", **fields):
    given = {"address": "a@b.example", "subject": "s", "body": "b", "created_at": NOW, "due_at": NOW} | fields
    owe([Delivery(once=once, **given)])
    return Delivery.objects.get(once=once)


def test_what_is_owed_is_handed_over_and_marked_after_that(sink):
    row = a_delivery()
    assert deliver_due(lambda: NOW) == 1
    row.refresh_from_db()
    assert (row.sent_at, row.attempts) == (NOW, 1)
    assert sink.messages[0]["X-Once"] == "k1"
    assert Heartbeat.objects.get(name="deliver").at == NOW


def test_h09_the_same_key_is_never_written_twice():
    a_delivery()
    a_delivery(subject="again")
    assert Delivery.objects.count() == 1


def test_h04_a_worker_that_dies_while_sending_leaves_a_lease_that_runs_out_and_the_key_stays_the_same(sink):
    a_delivery()
    (dying,) = claim(now=NOW)
    assert claim(now=NOW + LEASE) == []
    assert deliver_due(lambda: NOW + LEASE + timedelta(seconds=1)) == 1
    assert send(dying, now=NOW)
    assert len({message["Message-ID"] for message in sink.messages}) == 1


def test_h04_the_lease_of_a_worker_that_was_killed_is_free_at_once():
    a_delivery()
    assert len(in_another_session(lambda: claim(now=NOW))) == 1
    assert len(claim(now=NOW)) == 1


def test_the_most_urgent_goes_first(sink):
    a_delivery("routine", priority=4)
    a_delivery("severe", priority=1)
    deliver_due(lambda: NOW)
    assert [message["X-Once"] for message in sink.messages] == ["severe", "routine"]


def test_a_failed_message_is_tried_again_later_and_later_then_is_dead_visible_and_can_be_retried(sink, settings):
    row = a_delivery()
    taken, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    now = NOW
    for delay in DELAYS:
        assert deliver_due(lambda at=now: at) == 0
        row.refresh_from_db()
        assert row.due_at == now + timedelta(seconds=delay)
        assert "refused" in row.last_error
        now = row.due_at
    deliver_due(lambda: now)
    assert [dead.once for dead in Delivery.objects.dead()] == ["k1"]
    settings.EMAIL_PORT = taken
    retry(delivery=row, now=now)
    assert deliver_due(lambda: now) == 1


def test_two_workers_never_lease_the_same_message():
    for number in range(30):
        a_delivery(f"k{number}")
    leased, all_done = [], threading.Barrier(4)

    def work():
        while batch := claim(now=NOW, limit=3):
            leased.extend(row.once for row in batch)
        # A session that ends gives its leases back, so all of them last until everybody is done.
        all_done.wait(30)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert sorted(leased) == sorted({f"k{number}" for number in range(30)})
