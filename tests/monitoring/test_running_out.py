"""Tablets that run out while no test is booked: the alert, the worklist, the booking, and what answers it."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.booking import book_test, cancel_booking
from monitoring.actions.dispensing import authorise, hand_over, void_dispense
from monitoring.actions.drawing import record_draw
from monitoring.actions.moving import move
from monitoring.actions.treating import record_event
from monitoring.models import Alert, AlertNote, Booking, Dispense, Step, Treatment
from monitoring.rules.errors import InputError
from monitoring.running_out import running_out
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.actions import issue_token
from patients.models import AuditEvent
from tests.cast import DAY, NOW, Decimal, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
TODAY = NOW.date()


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


def supplied(treatment, *, days, now=NOW):
    """Tablets from today on, handed over by a pharmacist of the clinic."""
    by = a_person(treatment.clinic, "pharmacist")
    leave = authorise(treatment=treatment, entry=uuid.uuid4(), by=by, now=now)
    hand_over(authorisation=leave, strength_mg=Decimal(100), quantity=3 * days, days=days, by=by, now=now)
    treatment.refresh_from_db()


@pytest.fixture
def weekly(clinic):
    """Weekly tests, drawn and supplied for 7 days on Monday: tablets until Sunday, the gap begins next Monday."""
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2500, at=NOW - HOUR)
    treatment.refresh_from_db()
    supplied(treatment, days=7)
    return treatment


def swept(days, hours=0):
    found = sweep(now=NOW + days * DAY + hours * HOUR)
    return found["supply_ends"], found["gap"]


def listed(treatment, now):
    day = now.astimezone(treatment.clinic.zone).date()
    return Treatment.objects.filter(running_out(day, treatment.clinic), pk=treatment.pk).exists()


@pytest.mark.slow
def test_h29_three_days_before_the_last_tablet_an_alert_is_raised_once_and_its_owner_is_told(weekly):
    assert [swept(day)[0] for day in (1, 2, 3, 3.5)] == [0, 0, 1, 0]
    alert = Alert.objects.get(cause="supply_ends")
    assert "reach until 2026-09-20 and no blood test is booked" in alert.summary
    assert (alert.owner, alert.get_severity_display()) == (weekly.clinician, "Routine")
    assert Delivery.objects.get(about=f"alert:{alert.pk}").address == weekly.clinician.email
    assert AlertNote.objects.filter(alert=alert, verb="raised").count() == 1


@pytest.mark.slow
def test_the_clinic_chooses_how_many_days_before(weekly):
    weekly.clinic.policies = {"tablets_warning_days": 5}
    weekly.clinic.save()
    assert [swept(day)[0] for day in (0, 1)] == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("day", "answers"), [(3, True), (6, True), (7, True), (8, False)])
def test_a_test_booked_by_the_day_on_which_the_gap_begins_answers_it_and_a_later_one_does_not(
    weekly, nurse, day, answers
):
    swept(3)
    book_test(treatment=weekly, day=TODAY + day * DAY, by=nurse, now=NOW + 3 * DAY)
    alert = Alert.objects.get(cause="supply_ends")
    assert (alert.resolved_at is not None) is answers
    assert listed(weekly, NOW + 3 * DAY) is not answers
    assert swept(3, 1) == (0, 0)


@pytest.mark.slow
def test_a_booking_that_is_cancelled_or_missed_raises_it_again(weekly, nurse):
    booking = book_test(treatment=weekly, day=TODAY + 4 * DAY, by=nurse, now=NOW)
    assert swept(4) == (0, 0)
    assert swept(5) == (1, 0)
    other = book_test(treatment=weekly, day=TODAY + 6 * DAY, by=nurse, now=NOW + 5 * DAY)
    booking.refresh_from_db()
    assert booking.end_reason == "Moved to 2026-09-20."
    cancel_booking(booking=other, reason="Cannot come", by=nurse, now=NOW + 5 * DAY)
    assert swept(5, 1) == (1, 0)


@pytest.mark.slow
def test_blood_on_its_way_answers_it_for_three_days(weekly, nurse):
    swept(3)
    record_draw(treatment=weekly, drawn_at=NOW + 3 * DAY, by=nurse, now=NOW + 3 * DAY)
    assert Alert.objects.get(cause="supply_ends").outcome == "acted"
    assert [swept(day)[0] for day in (4, 5, 6)] == [0, 0, 0]
    assert swept(6, 12) == (1, 0)


@pytest.mark.slow
def test_a_result_answers_it_and_so_does_a_new_supply(weekly):
    swept(3)
    a_count(weekly, 2500, at=NOW + 3 * DAY)
    assert Alert.objects.get(cause="supply_ends").resolved_at == NOW + 3 * DAY
    assert [swept(day)[0] for day in (4, 5, 6)] == [0, 0, 0]
    assert swept(7, 1) == (1, 0), "the test is in time, and still there are no tablets"
    supplied(weekly, days=3, now=NOW + 7 * DAY + 2 * HOUR)
    assert not Alert.objects.filter(cause="supply_ends", resolved_at=None).exists()


@pytest.mark.slow
def test_h29_once_the_gap_has_begun_the_alert_is_worse_and_stands_among_the_alerts(weekly):
    swept(3)
    assert swept(6, 23) == (0, 0)
    assert swept(7) == (0, 1)
    assert swept(8) == (0, 0)
    alert = Alert.objects.get(cause="supply_ends")
    assert (alert.get_severity_display(), alert.summary) == ("Mild", "No tablets since 2026-09-21.")
    assert (alert.step, alert.escalated_at) == (Step.ON_CALL, NOW + 8 * DAY), (
        "on-call is told before 48 hours have passed"
    )


@pytest.mark.slow
def test_an_answer_of_a_person_holds_for_this_gap_until_it_begins(weekly, client, nurse, time_machine):
    swept(3)
    client.force_login(nurse)
    time_machine.move_to(NOW + 4 * DAY, tick=False)
    first = Alert.objects.get(cause="supply_ends")
    client.post(f"/alerts/{first.pk}/resolve/", {"outcome": "other", "note": "x", "basis": first.basis})
    assert [swept(day)[0] for day in (4, 5, 6)] == [0, 0, 0]
    assert swept(7) == (1, 0)
    last = Alert.objects.last()
    said = {"outcome": "other", "note": "Tablets elsewhere", "basis": last.basis}
    client.post(f"/alerts/{last.pk}/resolve/", said)
    assert [swept(day)[0] for day in (8, 12)] == [0, 0]


@pytest.mark.slow
def test_a_test_that_is_in_time_needs_no_booking(clinic):
    monthly = a_treatment(clinic, started=NOW - 500 * DAY)
    a_count(monthly, 2500, at=NOW - HOUR)
    monthly.refresh_from_db()
    supplied(monthly, days=7)
    assert [swept(day)[0] for day in (3, 4, 5, 6)] == [0, 0, 0, 0]
    assert swept(7) == (1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["paused", "stopped", "severe", "void", "merged"])
def test_whoever_is_off_treatment_or_was_given_nothing_has_no_gap(weekly, clinic, nurse, what):
    swept(3)
    now = NOW + 3 * DAY + HOUR
    if what in ("paused", "stopped"):
        record_event(treatment=weekly, kind="last_dose", at=now, by=None, now=now, stop=what == "stopped")
    elif what == "severe":
        a_count(weekly, 400, at=now, now=now)
    elif what == "void":
        dispense = Dispense.objects.get()
        void_dispense(dispense=dispense, by=dispense.handed_over_by, now=now, reason="Never collected")
    else:
        Treatment.objects.filter(pk=weekly.pk).update(advice="")
    assert not listed(weekly, now)
    assert what == "merged" or not Alert.objects.filter(cause="supply_ends", resolved_at=None).exists()
    assert swept(8) == (0, 1 if what == "merged" else 0)


def test_a_gap_of_more_than_a_months_break_is_no_longer_found_anew(weekly):
    assert swept(40) == (0, 0)
    assert not listed(weekly, NOW + 40 * DAY)


@pytest.mark.slow
def test_h29_the_sweep_and_the_worklist_ask_the_same(clinic, nurse):
    """Every way in which tablets, tests, bookings and draws can lie, at the same instant."""
    at, told = NOW + 6 * HOUR, set()
    for left in (-31, -30, -3, -1, 0, 1, 3, 4):
        for due in (None, 0, 1, 5):
            for booked in (None, -1, 0, 1, 2):
                for drawn in (None, 0, 3, 4):
                    told.add((left, due, booked, drawn))
    for left, due, booked, drawn in sorted(told, key=repr):
        treatment = a_row(clinic, left=left, due=due)
        if booked is not None:
            Booking.objects.create(treatment=treatment, clinic=clinic, day=TODAY + booked * DAY, booked_at=NOW)
        if drawn is not None:
            treatment.draws.create(clinic=clinic, drawn_at=NOW - drawn * DAY, recorded_at=NOW)
    shown = set(Treatment.objects.filter(running_out(TODAY, clinic)).values_list("pk", flat=True))
    sweep(now=at)
    raised = set(Alert.objects.filter(cause="supply_ends").values_list("treatment", flat=True))
    assert 0 < len(raised) < len(told)
    assert raised <= shown
    only_shown = Treatment.objects.filter(pk__in=shown - raised)
    assert all(row.tablets_until < TODAY for row in only_shown), "in a gap, with a draw or a test today: listed, silent"


def a_row(clinic, *, left, due):
    """The columns alone: what the two questions read."""
    fields = {"advice": "continue", "tablets_until": TODAY + left * DAY, "assessed_at": NOW}
    if due is not None:
        fields |= {"due_on": TODAY + due * DAY, "overdue_after": TODAY + (due + 1) * DAY}
    treatment = a_treatment(clinic, started=None)
    Treatment.objects.filter(pk=treatment.pk).update(**fields)
    return treatment


@pytest.mark.parametrize(("zone", "raised"), [("Pacific/Auckland", 1), ("UTC", 0), ("Pacific/Honolulu", 0)])
def test_h21_the_days_are_those_of_the_clinic(zone, raised):
    moment = datetime(2026, 9, 17, 13, tzinfo=UTC)
    a_row(a_clinic(time_zone=zone), left=7, due=0)
    assert sweep(now=moment)["supply_ends"] == raised


# Booking


@pytest.mark.parametrize(("days", "said"), [(-1, "is past"), (401, "days ahead")])
def test_a_day_that_cannot_be_is_refused(weekly, nurse, days, said):
    with pytest.raises(InputError, match=said):
        book_test(treatment=weekly, day=TODAY + days * DAY, by=nurse, now=NOW)


def test_the_same_day_again_is_the_same_booking_and_blood_of_that_day_ends_it(weekly, nurse):
    first = book_test(treatment=weekly, day=TODAY + 7 * DAY, by=nurse, now=NOW)
    assert book_test(treatment=weekly, day=TODAY + 7 * DAY, by=nurse, now=NOW) == first
    a_count(weekly, 2500, at=NOW + 5 * DAY)
    first.refresh_from_db()
    assert first.ended_at is None, "an extra test before it does not take the appointment away"
    a_count(weekly, 2500, at=NOW + 7 * DAY)
    first.refresh_from_db()
    assert first.end_reason == "Blood was drawn on 2026-09-21."


@pytest.mark.slow
def test_a_booking_ends_with_a_move_to_another_clinic(weekly, nurse):
    booking = book_test(treatment=weekly, day=TODAY + 7 * DAY, by=nurse, now=NOW)
    move(weekly, clinic=a_clinic("South"), mrn="S1", clinician=None, by=nurse, now=NOW)
    booking.refresh_from_db()
    assert booking.end_reason == "The patient has moved to South."


@pytest.mark.parametrize(
    "fields", [{"end_reason": "gone"}, {"ended_at": NOW}, {"ended_at": NOW, "end_reason": "", "ended_by": None}]
)
def test_a_booking_ends_with_a_reason_and_a_treatment_has_one(weekly, fields):
    with pytest.raises(IntegrityError, match="booking_ends_with_reason"), transaction.atomic():
        Booking.objects.create(treatment=weekly, clinic=weekly.clinic, day=TODAY, booked_at=NOW, **fields)
    Booking.objects.create(treatment=weekly, clinic=weekly.clinic, day=TODAY, booked_at=NOW)
    with pytest.raises(IntegrityError, match="one_open_booking"), transaction.atomic():
        Booking.objects.create(treatment=weekly, clinic=weekly.clinic, day=TODAY, booked_at=NOW)


# Pages and programs


@pytest.fixture
def page(client, nurse, time_machine):
    client.force_login(nurse)

    def read(address, now, posted=None):
        time_machine.move_to(now, tick=False)
        answer = client.get(address) if posted is None else client.post(address, posted, follow=True)
        return " ".join(answer.content.decode().split())

    return read


def part(found):
    return found.partition('<section class="panel" id="tablets"')[2].partition("</section>")[0]


@pytest.mark.slow
def test_the_worklist_says_how_long_they_last_and_what_a_gap_would_mean_before_it_happens(page, weekly):
    assert "Nobody's tablets run out" in part(page("/", NOW + 2 * DAY)).replace("&#x27;", "'")
    soon = part(page("/", NOW + 3 * DAY))
    assert "tablets for 4 days" in soon
    assert "Mon 21 Sep: the gap begins; Tue 22 Sep: 48 h, from 12.5 mg again; Tue 20 Oct: 30 days" in soon
    assert "act/book/" in soon
    gone = part(page("/", NOW + 7 * DAY))
    assert "no tablets for 1 day" in gone
    assert "the gap begins" not in gone
    assert "since Tue 22 Sep: 48 h, from 12.5 mg again; Tue 20 Oct" in part(page("/", NOW + 9 * DAY))


@pytest.mark.slow
def test_booking_shows_whether_it_is_in_time_before_it_is_saved(page, weekly):
    address = f"/patients/{weekly.patient_id}/act/book/"
    late = page(address, NOW, {"day": "2026-09-22"})
    assert "there is a gap before this day" in late
    assert "this day is too late for it" in late
    assert not Booking.objects.exists()
    found = page(address, NOW, {"day": "2026-09-20"})
    assert "takes no blood on this day" in found
    seen = found.partition('name="confirm" value="')[2].partition('"')[0]
    assert "The blood test is booked." in page(address, NOW, {"day": "2026-09-20", "confirm": seen})
    assert "blood test on <strong>Sun 20 Sep 2026" in page(f"/patients/{weekly.patient_id}/", NOW)
    assert AuditEvent.objects.get(verb="booking_made").detail["day"] == "2026-09-20"
    cancel = page(f"/patients/{weekly.patient_id}/act/cancel-booking/", NOW, {"reason": "Cannot come"})
    assert "Blood test booked: Sun 20 Sep 2026 → none" in cancel


def test_a_pharmacist_may_book_too(client, weekly, clinic):
    client.force_login(a_person(clinic, "pharmacist"))
    assert client.get(f"/patients/{weekly.patient_id}/act/book/").status_code == 200


@pytest.mark.slow
def test_the_page_of_the_alert_says_what_a_gap_would_mean(page, weekly):
    swept(3)
    found = page(f"/alerts/{Alert.objects.get(cause='supply_ends').pk}/", NOW + 3 * DAY)
    assert "No tablets from" in found
    assert "48 hours without a dose" in found


@pytest.mark.slow
def test_the_list_asks_as_many_questions_for_thirty_as_for_three(page, client, clinic, django_assert_max_num_queries):
    for number in range(30):
        treatment = a_row(clinic, left=1, due=1)
        if number % 2:
            Booking.objects.create(treatment=treatment, clinic=clinic, day=TODAY + 5 * DAY, booked_at=NOW)
    with django_assert_max_num_queries(24):
        assert "booked Sat 19 Sep" in page("/", NOW)


@pytest.fixture
def program(client, clinic):
    verbs = ["bookings:write", "results:read", "worklist:read"]
    _, token = issue_token(clinic=clinic, name="diary", verbs=verbs, by=None, now=NOW)

    def ask(address, posted=None):
        headers = {"Authorization": f"Bearer {token}"}
        if posted is None:
            return client.get(f"/api/v1/{address}", headers=headers)
        return client.post(f"/api/v1/{address}", posted, content_type="application/json", headers=headers)

    return ask


def test_a_program_books_moves_and_cancels(program, weekly, time_machine):
    time_machine.move_to(NOW, tick=False)
    address = f"treatments/{weekly.pk}/booking/"
    assert program(address).json() == {"day": None}
    assert program(address, {"day": "2026-09-20"}).json() == {"day": "2026-09-20"}
    assert program(address, {"day": "2026-09-21"}).json() == {"day": "2026-09-21"}
    assert program(address, {"day": None}).json()["errors"][0]["field"] == "reason"
    assert program(address, {"day": None, "reason": "Diary closed"}).json() == {"day": None}
    assert Booking.objects.filter(integration__name="diary").count() == 2
    for wrong in ({}, {"day": 5}, {"day": "soon"}, {"day": "2026-09-20", "hour": 9}, {"day": None, "reason": 1}):
        assert program(address, wrong).status_code == 400


def test_a_program_reads_whose_tablets_run_out(program, weekly, time_machine):
    time_machine.move_to(NOW + 3 * DAY, tick=False)
    found = program("worklist/").json()["tablets_run_out"]
    assert [(row["id"], row["tablets_until"]) for row in found] == [(weekly.pk, "2026-09-20")]
