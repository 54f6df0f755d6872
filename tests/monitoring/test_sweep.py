"""What time alone makes true: overdue tests, owed repeats, alerts that nobody answered."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from monitoring.actions.answering import resolve
from monitoring.actions.treating import reassess_changed_by_time, record_event
from monitoring.health import ailments
from monitoring.models import Alert, AlertNote, Treatment
from monitoring.sweep import LOCK, sweep
from notifications.actions import beat
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def late():
    """Weekly, last drawn nine days ago: overdue since yesterday."""
    clinic = a_clinic()
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    return treatment


@pytest.mark.slow
def test_an_overdue_test_raises_one_alert_one_message_one_note_and_one_audit_row(late):
    assert sweep(now=NOW)["overdue"] == 1
    assert sweep(now=NOW + HOUR)["overdue"] == 0
    alert = Alert.objects.get(cause="test_overdue")
    assert alert.owner == late.clinician
    assert Delivery.objects.get().address == late.clinician.email
    assert AlertNote.objects.filter(alert=alert).count() == 1
    assert AuditEvent.objects.get(verb="alert_raised").patient == late.patient


@pytest.mark.slow
def test_a_result_ends_the_overdue_alert_and_the_next_miss_raises_a_new_one(late):
    sweep(now=NOW)
    a_count(late, 2100)
    assert Alert.objects.get().outcome == "tested"
    sweep(now=NOW + 9 * DAY)
    assert Alert.objects.filter(cause="test_overdue").count() == 2


def test_an_overdue_alert_that_a_person_resolved_is_not_raised_again_for_the_same_miss(late):
    sweep(now=NOW)
    resolve(alert=Alert.objects.get(), by=late.clinician, now=NOW, outcome="other", note="In hospital elsewhere")
    assert sweep(now=NOW + DAY)["overdue"] == 0


@pytest.mark.parametrize(("zone", "overdue"), [("Pacific/Auckland", True), ("UTC", False), ("Pacific/Honolulu", False)])
def test_h21_overdue_begins_at_the_clinics_own_midnight(zone, overdue):
    moment = datetime(2026, 9, 21, 20, tzinfo=UTC)
    a_count(a_treatment(a_clinic(time_zone=zone)), 2000, at=moment - 7 * DAY - 9 * HOUR, now=moment - 7 * DAY)
    assert Treatment.objects.overdue(moment).exists() is overdue
    assert bool(sweep(now=moment)["overdue"]) is overdue


def test_h06_two_sweeps_at_once_equal_one(late, transactional_db):
    holding, go_on = threading.Event(), threading.Event()

    def another():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            holding.set()
            go_on.wait(10)
        connection.close()

    other = threading.Thread(target=another)
    other.start()
    holding.wait(10)
    assert sweep(now=NOW) is None
    go_on.set()
    other.join()
    assert sweep(now=NOW)["overdue"] == 1


@pytest.mark.slow
def test_h24_a_silent_feed_changes_no_treatment(late):
    before = list(Treatment.objects.order_by("pk").values())
    for day in range(60):
        sweep(now=NOW + day * DAY)
    assert list(Treatment.objects.order_by("pk").values()) == before


@pytest.mark.slow
def test_a_repeat_that_has_not_come_by_its_deadline_worsens_its_alert_once(late):
    a_count(late, 1400)
    assert sweep(now=NOW + 23 * HOUR)["late"] == 0
    assert sweep(now=NOW + 25 * HOUR)["late"] == 1
    assert sweep(now=NOW + 26 * HOUR)["late"] == 0
    assert Delivery.objects.filter(once__contains=":late:").count() == 1


@pytest.mark.parametrize("lost", ["inactive", "without an address", "nobody"])
def test_h08_an_owner_who_cannot_be_reached_is_replaced_by_the_on_call_address(lost):
    clinic = a_clinic()
    owner = None if lost == "nobody" else a_person(clinic, "prescriber", is_active=lost != "inactive")
    if lost == "without an address":
        owner.email = ""
        owner.save()
    treatment = a_treatment(clinic, clinician=owner)
    a_count(treatment, 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    sweep(now=NOW)
    a_count(treatment, 400)
    assert set(Delivery.objects.values_list("address", flat=True)) == {clinic.on_call_email}


@pytest.mark.slow
def test_the_watchdog_tells_when_sweep_or_delivery_have_been_silent_for_five_minutes():
    assert ailments(now=NOW) == ["sweep has never run", "deliver has never run"]
    sweep(now=NOW)
    beat("deliver", now=NOW)
    assert ailments(now=NOW + timedelta(minutes=5)) == []
    assert len(ailments(now=NOW + timedelta(minutes=5, seconds=1))) == 2


def test_health_answers_503_with_the_reasons_and_200_when_all_is_well(client, time_machine):
    assert client.get("/health/").status_code == 503
    time_machine.move_to(NOW, tick=False)
    sweep(now=NOW)
    beat("deliver", now=NOW)
    assert client.get("/health/").json() == {"ok": True, "ailments": []}


@pytest.mark.slow
def test_a_break_that_reaches_30_days_changes_the_stored_judgement_by_time_alone(late):
    a_count(late, 2000)
    record_event(treatment=late, kind="last_dose", at=NOW, by=None, now=NOW)
    a_count(late, 2000, at=NOW + DAY, now=NOW + DAY)
    assert reassess_changed_by_time(now=NOW + 29 * DAY) == 0
    assert Treatment.objects.get(pk=late.pk).advice == "may_resume"
    assert reassess_changed_by_time(now=NOW + 30 * DAY) == 1
    assert reassess_changed_by_time(now=NOW + 31 * DAY) == 0
    changed = Treatment.objects.get(pk=late.pk)
    assert (changed.advice, changed.frequency, changed.due_on) == ("do_not_start", "none", None)
