"""Who is reminded of what, when, and once."""

import uuid
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from monitoring.actions.booking import book_test, cancel_booking
from monitoring.actions.dispensing import authorise, hand_over
from monitoring.actions.drawing import record_draw
from monitoring.actions.setting_up import expect_of_feed
from monitoring.actions.treating import record_event
from monitoring.models import Alert, Feed, Laboratory, Treatment
from monitoring.reminding.agreeing import disagree
from monitoring.reminding.own_page import next_test
from monitoring.reminding.planning import plan
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.actions import change_contacts
from patients.closed_days import close_days
from patients.consenting import Person, add_carer, wish
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.reminding.people import Gateway, agreed, due_in

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def gateway(monkeypatch):
    return Gateway(monkeypatch)


def at(days, hour, minute=0):
    """So many days after NOW, which is Monday 14 September 2026, at this hour."""
    return datetime.combine(NOW.date() + days * DAY, time(hour, minute), UTC)


def planned(**only):
    rows = Delivery.objects.filter(about__startswith="reminder:").filter(**only).order_by("due_at", "once")
    return [(row.about.rpartition(":")[2], row.due_at) for row in rows]


def live_through(start, end, gateway=None):
    moment = start
    while moment < end:
        plan(now=moment)
        if gateway:
            gateway.deliver(moment)
        moment += HOUR


@pytest.mark.slow
def test_two_days_before_the_evening_before_and_on_the_day():
    due_in(3)
    live_through(NOW, at(3, 9))
    assert planned() == [("early", at(1, 10)), ("evening", at(2, 18)), ("day", at(3, 8))]


@pytest.mark.slow
def test_a_missed_test_is_asked_for_kindly_on_day_1_3_and_6_and_then_staff_are_asked_to_call(gateway):
    treatment = due_in(1, clinic=a_clinic(time_zone="UTC"))
    live_through(at(1, 17), at(9, 0), gateway)
    assert planned() == [("missed1", at(2, 10)), ("missed3", at(4, 10)), ("missed6", at(7, 10))]
    assert sweep(now=at(7, 23))["call"] == 0
    assert sweep(now=at(8, 1))["call"] == 1
    assert sweep(now=at(8, 2))["call"] == 0
    a_count(treatment, 2200, at=at(8, 3), now=at(8, 4))
    assert Alert.objects.get(cause="call_patient").outcome == "tested"


def test_a_test_that_was_taken_is_asked_for_no_more_and_what_waited_is_withdrawn(gateway):
    treatment = due_in(1)
    plan(now=NOW)
    assert [step for step, _ in planned(dead_at=None)] == ["evening", "day"]
    a_count(treatment, 2300, at=NOW, now=NOW + HOUR)
    plan(now=NOW + 2 * HOUR)
    assert not Delivery.objects.filter(about__startswith="reminder:").waiting().exists()
    gateway.deliver(at(1, 9))
    assert gateway.sent == []


def test_what_became_untrue_since_it_was_planned_is_not_handed_over_even_without_a_planner(gateway):
    treatment = due_in(1)
    plan(now=NOW)
    record_draw(treatment=treatment, drawn_at=NOW, by=None, now=NOW)
    gateway.deliver(at(0, 19))
    assert gateway.sent == []
    assert Delivery.objects.filter(about__endswith=":evening", last_error="withdrawn").exists()


def test_consent_that_ends_and_a_number_that_changes_withdraw_what_waits_at_once(gateway):
    ended, changed = due_in(1), due_in(1)
    plan(now=NOW)
    nurse = a_person(ended.clinic, "nurse")
    disagree(person=Person(ended.patient), channel="sms", how="telephone", by=nurse, now=NOW)
    assert not Delivery.objects.waiting().filter(about__startswith=f"reminder:{ended.pk}:").exists()
    change_contacts(patient=changed.patient, values={"phone": "+15559990000"}, by=nurse, now=NOW)
    gateway.deliver(at(0, 19))
    assert gateway.sent == []


@pytest.mark.slow
def test_a_new_number_gets_what_the_old_one_was_not_sent_and_nothing_twice(gateway):
    treatment = due_in(1)
    plan(now=NOW)
    nurse = a_person(treatment.clinic, "nurse")
    change_contacts(patient=treatment.patient, values={"phone": "+15559990000"}, by=nurse, now=NOW)
    plan(now=NOW + HOUR)
    agreed(treatment, now=NOW + 2 * HOUR, nurse=nurse)
    live_through(NOW + 3 * HOUR, at(1, 12), gateway)
    assert [(address, once.split(":")[3]) for _, address, _, once in gateway.sent] == [
        ("+15559990000", "evening"),
        ("+15559990000", "day"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("agreement", [{"agreed": False}, {"confirmed": False}])
def test_without_consent_or_with_an_unconfirmed_number_nothing_is_planned(agreement):
    due_in(1, **agreement)
    assert plan(now=NOW) == (0, 0)


def test_h32_a_number_that_was_confirmed_six_months_ago_is_asked_anew_and_then_not_written_to():
    treatment = due_in(1, agreed=False)
    agreed(treatment, now=NOW - 183 * DAY)
    asked = due_in(1, agreed=False)
    agreed(asked, now=NOW - 169 * DAY)
    plan(now=NOW)
    assert not Delivery.objects.filter(about__startswith=f"reminder:{treatment.pk}:").exists()
    assert [step for step, _ in planned(about__startswith=f"reminder:{asked.pk}:")] == ["confirm", "evening", "day"]


@pytest.mark.slow
def test_each_chosen_channel_and_a_carer_are_told_of_the_day_and_only_the_patient_of_tablets(gateway):
    treatment = due_in(1)
    agreed(treatment, channel="email")
    nurse = a_person(treatment.clinic, "nurse")
    carer = add_carer(
        patient=treatment.patient, name="Kim", relation="sister", phone="+15550107777", email="", by=nurse, now=NOW
    )
    agreed(treatment, carer=carer)
    Treatment.objects.filter(pk=treatment.pk).update(tablets_until=NOW.date() + 3 * DAY)
    live_through(NOW, at(0, 20), gateway)
    told = {(channel, once.split(":")[3], address == carer.phone) for channel, address, _, once in gateway.sent}
    assert told == {
        ("sms", "evening", False), ("email", "evening", False), ("sms", "evening", True), ("sms", "tablets", False),
        ("email", "tablets", False),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({}, 1),
        ({"advice": "may_resume"}, 0),
        ({"advice": "may_start"}, 0),
        ({"advice": "stop"}, 0),
        ({"paused_since": NOW.date()}, 0),
    ],
)
def test_of_tablets_only_those_are_told_who_are_to_take_them(gateway, state, told):
    treatment = due_in(6)
    Treatment.objects.filter(pk=treatment.pk).update(tablets_until=NOW.date() + 3 * DAY, **state)
    plan(now=NOW)
    assert Delivery.objects.filter(about__endswith=":tablets").count() == told


def test_who_wishes_no_reminder_on_the_day_gets_none_and_their_hours_are_kept(gateway):
    treatment = due_in(1)
    nurse = a_person(treatment.clinic, "nurse")
    wish(
        person=Person(treatment.patient), by=nurse, now=NOW,
        wishes={"on_the_day": False, "awake_until": time(17), "time_zone": "America/New_York"},
    )  # fmt: skip
    plan(now=NOW + 5 * HOUR)
    assert planned() == [("evening", at(0, 20, 45))]  # a quarter to five in the afternoon in New York


def test_a_message_that_is_late_waits_for_the_morning_or_is_of_no_use_any_more(gateway):
    due_in(3)
    plan(now=NOW)
    gateway.deliver(at(1, 23))
    assert gateway.sent == []
    row = Delivery.objects.get(about__endswith=":early")
    assert row.due_at == at(2, 8)
    gateway.deliver(at(2, 8, 1))
    assert len(gateway.sent) == 1
    plan(now=at(2, 12))
    gateway.deliver(at(2, 23))
    assert Delivery.objects.get(about__endswith=":evening").last_error == "withdrawn"


@pytest.mark.slow
def test_h22_a_test_that_falls_on_a_weekend_is_asked_for_earlier_and_never_later():
    due_in(6)  # a Sunday
    live_through(NOW, at(4, 17))
    assert planned() == [("early", at(2, 10)), ("evening", at(3, 18)), ("day", at(4, 8))]


@pytest.mark.slow
def test_h22_a_closed_day_moves_what_is_asked_for_to_the_open_day_before():
    treatment = due_in(3)  # a Thursday
    day = treatment.due_on
    close_days(clinic=treatment.clinic, days={day: "Feast", day - timedelta(days=1): "Its eve"}, by=None, now=NOW)
    live_through(NOW, at(4, 17))
    assert [row for row in planned() if row[0] in ("evening", "day")] == [("evening", at(0, 18)), ("day", at(1, 8))]


@pytest.mark.slow
def test_h24_nobody_is_told_off_while_the_laboratory_is_silent():
    treatment = due_in(1)
    Laboratory.objects.create(clinic=treatment.clinic, name="Lab X", source="lab", created_at=NOW)
    sweep(now=NOW)
    feed = Feed.objects.get(clinic=treatment.clinic)
    expect_of_feed(feed=feed, hours=24, by=None, now=NOW)
    sweep(now=at(4, 9))
    live_through(at(4, 9), at(6, 17))
    assert not [row for row in planned() if row[0].startswith("missed")]


@pytest.mark.slow
def test_tests_close_together_bring_one_reminder_each():
    clinic = a_clinic(time_zone="UTC")
    treatment = a_treatment(clinic)
    a_count(treatment, 1200, at=NOW - HOUR)
    agreed(treatment)
    live_through(NOW, at(3, 9))
    assert planned() == [("day", at(1, 8)), ("missed1", at(2, 10))]


@pytest.mark.slow
def test_h09_planning_again_and_again_tells_each_thing_once(gateway):
    for _ in range(3):
        due_in(1)
    live_through(NOW, at(2, 9), gateway)
    assert len(gateway.sent) == 6
    assert len({once for *_, once in gateway.sent}) == 6


@pytest.mark.slow
def test_tablets_that_are_authorised_and_not_collected_and_tablets_that_run_out(gateway):
    clinic = a_clinic(time_zone="UTC")
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2500, at=NOW - 5 * HOUR)
    agreed(treatment)
    pharmacist = a_person(clinic, "pharmacist")
    leave = authorise(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)
    live_through(NOW, NOW + 4 * HOUR, gateway)
    assert [once.split(":")[3] for *_, once in gateway.sent] == ["collect"]
    hand_over(authorisation=leave, by=pharmacist, now=NOW + 5 * HOUR, strength_mg=Decimal(100), quantity=21, days=7)
    live_through(at(3, 0), at(5, 0), gateway)
    assert "tablets" in {once.split(":")[3] for *_, once in gateway.sent}


@pytest.mark.slow
def test_a_day_that_moved_after_they_were_told_is_told_once(gateway):
    treatment = due_in(2)
    live_through(NOW, NOW + HOUR, gateway)
    assert [once.split(":")[3] for *_, once in gateway.sent] == ["early"]
    record_event(treatment=treatment, kind="hospice_agreed", at=NOW + HOUR, by=None, now=NOW + HOUR)
    treatment.refresh_from_db()
    assert treatment.due_on > NOW.date() + 90 * DAY
    Treatment.objects.filter(pk=treatment.pk).update(due_on=NOW.date() + 9 * DAY, overdue_after=NOW.date() + 9 * DAY)
    live_through(NOW + HOUR, at(2, 12), gateway)
    assert [once.split(":")[3] for *_, once in gateway.sent] == ["early", "moved"]


def steps(gateway):
    return [once.split(":")[3] for *_, once in gateway.sent]


@pytest.mark.slow
def test_a_test_that_is_booked_in_time_is_the_one_to_remind_of(gateway):
    early, late = due_in(4), due_in(4)
    book_test(treatment=early, day=at(2, 0).date(), by=None, now=NOW - HOUR)
    book_test(treatment=late, day=at(9, 0).date(), by=None, now=NOW - HOUR)
    plan(now=NOW)
    assert planned(about__startswith=f"reminder:{early.pk}:") == [("early", at(0, 10))]
    assert planned(about__startswith=f"reminder:{late.pk}:") == []
    assert next_test(early, now=NOW) == at(2, 0).date()
    assert next_test(late, now=NOW) == late.due_on == at(4, 0).date()
    assert next_test(early, now=at(3, 1)) == early.due_on, "a booking that was missed is none"
    live_through(NOW, at(2, 12), gateway)
    assert steps(gateway).count("day") == 1


@pytest.mark.slow
def test_a_booking_made_moved_or_cancelled_after_they_were_told_is_told_as_a_new_day(gateway):
    treatment = due_in(2)
    live_through(NOW, NOW + HOUR, gateway)
    assert steps(gateway) == ["early"]
    same = book_test(treatment=treatment, day=at(2, 0).date(), by=None, now=NOW + HOUR)
    live_through(NOW + HOUR, NOW + 2 * HOUR, gateway)
    assert steps(gateway) == ["early"], "booked for the day that they know"
    other = book_test(treatment=treatment, day=at(1, 0).date(), by=None, now=NOW + 2 * HOUR)
    live_through(NOW + 2 * HOUR, NOW + 3 * HOUR, gateway)
    assert steps(gateway) == ["early", "moved"]
    assert other.pk != same.pk
    cancel_booking(booking=other, reason="no room", by=a_person(treatment.clinic, "nurse"), now=NOW + 3 * HOUR)
    live_through(NOW + 3 * HOUR, NOW + 5 * HOUR, gateway)
    assert steps(gateway) == ["early", "moved", "moved"], "back to the day it was"
    live_through(NOW + 5 * HOUR, at(2, 9), gateway)
    assert steps(gateway) == ["early", "moved", "moved", "evening", "day"]


@pytest.mark.slow
def test_h22_a_day_closed_after_they_were_told_is_told_as_a_new_day_and_one_closed_before_is_not(gateway):
    told, untold = due_in(3, days_before=3), due_in(3, days_before=2)
    live_through(NOW, NOW + HOUR, gateway)
    assert steps(gateway) == ["early"]
    for treatment in (told, untold):
        close_days(clinic=treatment.clinic, days={at(3, 0).date(): "Repairs"}, by=None, now=NOW + HOUR)
        assert next_test(treatment, now=NOW + HOUR) == at(2, 0).date()
    live_through(NOW + HOUR, at(2, 12), gateway)
    by_person = {pk: [once.split(":")[3] for *_, once in gateway.sent if f"reminder:{pk}:" in once]
                 for pk in (told.pk, untold.pk)}  # fmt: skip
    assert by_person == {told.pk: ["early", "moved", "evening", "day"], untold.pk: ["early", "evening", "day"]}


@pytest.mark.slow
def test_h24_no_reminder_changes_a_treatment():
    treatment = due_in(-3)
    before = Treatment.objects.filter(pk=treatment.pk).values().get()
    live_through(NOW, NOW + 2 * DAY)
    assert Treatment.objects.filter(pk=treatment.pk).values().get() == before


def test_a_message_that_cannot_be_looked_at_holds_back_nobody(gateway, monkeypatch):
    due_in(1)
    due_in(1)
    plan(now=NOW)
    broken = Delivery.objects.filter(about__endswith=":evening").earliest("pk")
    Delivery.objects.filter(pk=broken.pk).update(about="reminder:nobody")
    gateway.deliver(at(0, 19))
    assert len(gateway.sent) == 1
    broken.refresh_from_db()
    assert broken.due_at == at(0, 19, 10)


def test_the_command_plans_without_celery(time_machine, capsys):
    time_machine.move_to(NOW, tick=False)
    due_in(1)
    call_command("remind")
    assert capsys.readouterr().out == "planned: 2, withdrawn: 0\n"
