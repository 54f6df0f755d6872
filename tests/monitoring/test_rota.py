"""The rota: shifts without overlap, gaps that are shown, hand-overs that are accepted, people who are away."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from monitoring.actions import rota
from monitoring.models import Alert
from monitoring.rules.errors import InputError
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.models import Absence, Deputy, Shift, ShiftOffer
from patients.on_call import ClockError, instant, standing, stretches
from tests.cast import DAY, NOW, TODAY, a_clinic, a_count, a_deputy, a_person, a_shift, a_treatment, an_absence
from tests.monitoring.desk import words

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ZONES = sorted(available_timezones())


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def nora(clinic):
    return a_person(clinic, "nurse", first_name="Nora")


@pytest.fixture
def pia(clinic):
    return a_person(clinic, "prescriber", first_name="Pia")


@pytest.fixture
def admin(clinic):
    return a_person(clinic, "clinic_admin", first_name="Adi")


def both_steps(client, person, address, typed):
    client.force_login(person)
    shown = client.post(address, typed)
    return words(shown), words(client.post(address, typed | {"confirm": "1"}, follow=True))


def weekend(staff, **changed):
    return {
        "staff": staff.pk, "first_day": "2026-09-18", "starts": "17:00", "last_day": "2026-09-21", "ends": "08:00",
        "weeks": "1",
    } | changed  # fmt: skip


# Constraints


def refuses(name):
    return pytest.raises(IntegrityError, match=name)


def test_two_people_are_never_on_call_at_once_and_a_shift_that_follows_is_none_too_early(clinic, nora, pia):
    a_shift(clinic, nora, NOW, NOW + DAY)
    a_shift(clinic, pia, NOW + DAY, NOW + 2 * DAY)
    a_shift(a_clinic("South"), nora, NOW, NOW + DAY)
    with refuses("one_on_call_at_a_time"), transaction.atomic():
        a_shift(clinic, pia, NOW + DAY - HOUR, NOW + DAY)
    Shift.objects.filter(clinic=clinic).update(cancelled_at=NOW, cancelled_by=pia)
    a_shift(clinic, pia, NOW + DAY - HOUR, NOW + DAY)


def test_nobody_is_away_twice_on_one_day_nor_covers_for_themselves(clinic, nora, pia):
    an_absence(clinic, nora, pia, TODAY, TODAY + DAY)
    an_absence(clinic, nora, pia, TODAY + 2 * DAY, TODAY + 3 * DAY)
    for name, wrong in (
        ("away_once_at_a_time", lambda: an_absence(clinic, nora, pia, TODAY + DAY, TODAY + DAY)),
        ("cover_is_somebody_else", lambda: an_absence(clinic, pia, pia)),
        ("absence_ends_after_it_begins", lambda: an_absence(clinic, pia, nora, TODAY, TODAY - DAY)),
        ("shift_ends_after_it_begins", lambda: a_shift(clinic, pia, NOW, NOW)),
        ("deputy_is_somebody_else", lambda: a_deputy(clinic, pia, staff=pia)),
    ):
        with refuses(name), transaction.atomic():
            wrong()


@pytest.mark.slow
def test_a_clinic_has_one_usual_deputy_and_a_shift_one_open_offer(clinic, nora, pia):
    a_deputy(clinic, pia)
    with refuses("one_deputy_each"), transaction.atomic():
        a_deputy(clinic, nora)
    shift = a_shift(clinic, nora)
    ShiftOffer.objects.create(shift=shift, giver=nora, taker=pia, asked_at=NOW)
    with refuses("one_open_offer_a_shift"), transaction.atomic():
        ShiftOffer.objects.create(shift=shift, giver=nora, taker=pia, asked_at=NOW)
    with refuses("shift_offered_to_somebody_else"), transaction.atomic():
        ShiftOffer.objects.create(shift=shift, giver=nora, taker=nora, asked_at=NOW, declined_at=NOW)


# Shifts


def test_a_gap_between_two_shifts_is_shown_and_so_is_a_rota_without_any(client, clinic, admin, nora):
    client.force_login(admin)
    page = words(client.get(reverse("rota", args=[clinic.slug])))
    assert f"No shift is planned: alerts that nobody answers go to {clinic.on_call_email}" in page
    assert "Nobody is on call now" in page
    a_shift(clinic, nora, NOW - HOUR, NOW + 6 * HOUR)
    a_shift(clinic, nora, NOW + 7 * HOUR, NOW + 60 * DAY)
    page = words(client.get(reverse("rota", args=[clinic.slug])))
    assert "On call now: Nora" in page
    assert "1 gap: in it alerts" in page
    assert "Gap: nobody Mon 14 Sep, 20:00 to Mon 14 Sep, 21:00" in page


def test_a_shift_is_shown_in_the_clinics_time_before_it_is_added_and_whoever_has_it_is_told(
    client, clinic, admin, nora
):
    shown, done = both_steps(client, admin, reverse("add_shift", args=[clinic.slug]), weekend(nora, weeks="3"))
    assert "Nora is on call at North from 2026-09-18 17:00 to 2026-09-21 08:00, Europe/Berlin time" in shown
    assert "3 shifts added" in done
    starts = [shift.starts_at.astimezone(clinic.zone) for shift in Shift.objects.order_by("starts_at")]
    assert [f"{start:%m-%d %H:%M}" for start in starts] == ["09-18 17:00", "09-25 17:00", "10-02 17:00"]
    assert Delivery.objects.get(address=nora.email).body.startswith("You are on call at North from 2026-09-18 17:00")


def test_a_weekly_shift_keeps_its_clock_time_when_the_clocks_change(clinic, nora, admin):
    said = {"first_day": date(2026, 10, 23), "starts": time(17), "last_day": date(2026, 10, 24), "ends": time(8)}
    made = rota.add_shifts(clinic=clinic, staff=nora, weeks=2, by=admin, now=NOW, **said)
    assert [shift.starts_at.astimezone(clinic.zone).hour for shift in made] == [17, 17]
    assert made[1].starts_at - made[0].starts_at == timedelta(days=7, hours=1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"last_day": "2026-09-17"}, "ends before it begins"),
        ({"last_day": "2026-10-21"}, "at most 7 days"),
        ({"first_day": "2026-09-11", "last_day": "2026-09-12"}, "over already"),
        ({"first_day": "2026-10-25", "starts": "02:30", "last_day": "2026-10-26"}, "02:30 comes twice on 2026-10-25"),
        (
            {"first_day": "2027-03-28", "starts": "02:30", "last_day": "2027-03-29"},
            "02:30 does not exist on 2027-03-28",
        ),
    ],
)
def test_a_shift_that_cannot_be_is_refused_with_the_reason_and_what_was_typed_is_kept(
    client, clinic, admin, nora, changed, said
):
    _, done = both_steps(client, admin, reverse("add_shift", args=[clinic.slug]), weekend(nora, **changed))
    assert said in done
    assert not Shift.objects.exists()


def test_of_several_weeks_of_which_one_is_taken_none_is_added(client, clinic, admin, nora, pia):
    a_shift(clinic, pia, NOW + 14 * DAY, NOW + 15 * DAY)
    typed = weekend(nora, first_day="2026-09-14", last_day="2026-09-15", weeks="4")
    _, done = both_steps(client, admin, reverse("add_shift", args=[clinic.slug]), typed)
    assert "somebody is on call already in a part of the shift of 2026-09-28" in done
    assert Shift.objects.count() == 1


def test_a_shift_taken_out_is_nobodys_and_one_that_runs_ends_now(client, clinic, admin, nora):
    runs, later = a_shift(clinic, nora, NOW - HOUR, NOW + HOUR), a_shift(clinic, nora, NOW + DAY, NOW + 2 * DAY)
    for shift in (runs, later):
        shown, _ = both_steps(client, admin, reverse("cancel_shift", args=[clinic.slug, shift.pk]), {})
        assert f"go to {clinic.on_call_email}" in shown
        shift.refresh_from_db()
    assert (runs.ends_at, runs.cancelled_at) == (NOW, None)
    assert (later.cancelled_at, later.cancelled_by) == (NOW, admin)


def test_h33_an_admin_takes_no_shift_of_another_clinic_out(client, clinic, nora):
    shift, stranger = a_shift(clinic, nora), a_person(elsewhere := a_clinic("South"), "clinic_admin")
    client.force_login(stranger)
    address = reverse("cancel_shift", args=[elsewhere.slug, shift.pk])
    assert client.get(address).status_code == client.post(address, {"confirm": "1"}).status_code == 404
    with pytest.raises(InputError, match="only an admin of North"):
        rota.take_out(shift=shift, by=stranger, now=NOW)
    shift.refresh_from_db()
    assert (shift.cancelled_at, shift.staff) == (None, nora)


# Handing a shift over


@pytest.mark.slow
def test_a_shift_stays_with_its_owner_until_the_colleague_accepts(client, clinic, nora, pia):
    shift = a_shift(clinic, nora)
    shown, _ = both_steps(client, nora, reverse("ask_colleague", args=[shift.pk]), {"taker": pia.pk})
    assert "Until they accept, you are on call." in shown
    shift.refresh_from_db()
    assert shift.staff == nora
    assert Delivery.objects.filter(address=pia.email).count() == 1
    offer = ShiftOffer.objects.get()
    client.force_login(pia)
    assert f"{nora} asks you to take the shift" in words(client.get(reverse("duty")))
    client.post(reverse("answer_offer", args=[offer.pk]), {"accept": "1"})
    shift.refresh_from_db()
    assert shift.staff == pia
    assert Delivery.objects.get(address=nora.email).body.startswith("Your colleague has taken the shift")


@pytest.mark.parametrize("end", ["decline", "withdraw"])
def test_an_offer_that_is_declined_or_withdrawn_leaves_the_shift_where_it_is(client, clinic, nora, pia, end):
    shift = a_shift(clinic, nora)
    offer = rota.offer_shift(shift=shift, taker=pia, by=nora, now=NOW)
    client.force_login(pia if end == "decline" else nora)
    address = (
        reverse("answer_offer", args=[offer.pk]) if end == "decline" else reverse("ask_colleague", args=[shift.pk])
    )
    client.post(address, {end: "1"})
    shift.refresh_from_db()
    assert (shift.staff, ShiftOffer.objects.waiting().exists()) == (nora, False)
    with pytest.raises(InputError, match="answered or withdrawn already"):
        rota.answer_offer(offer=offer, accept=True, by=pia, now=NOW)


def test_only_whoever_has_a_shift_offers_it_and_only_whoever_was_asked_answers(client, clinic, nora, pia):
    shift = a_shift(clinic, nora)
    offer = rota.offer_shift(shift=shift, taker=pia, by=nora, now=NOW)
    for person in (nora, a_person(clinic, "pharmacist"), a_person(clinic, "clinic_admin")):
        client.force_login(person)
        assert client.post(reverse("answer_offer", args=[offer.pk]), {"accept": "1"}).status_code == 404
    client.force_login(pia)
    assert client.get(reverse("ask_colleague", args=[shift.pk])).status_code == 404
    with pytest.raises(InputError, match="answers this alone"):
        rota.answer_offer(offer=offer, accept=True, by=nora, now=NOW)


def test_whoever_left_meanwhile_cannot_take_a_shift(clinic, nora, pia):
    offer = rota.offer_shift(shift=a_shift(clinic, nora), taker=pia, by=nora, now=NOW)
    pia.memberships.update(active=False)
    with pytest.raises(InputError, match="choose somebody else"):
        rota.answer_offer(offer=offer, accept=True, by=pia, now=NOW)


# Being away


def away(cover, first="2026-09-20", last="2026-09-27"):
    return {"first_day": first, "last_day": last, "cover": cover.pk}


def test_being_away_says_what_follows_and_tells_the_cover(client, clinic, nora, pia):
    third = a_person(clinic, "nurse", first_name="Theo")
    an_absence(clinic, third, pia, TODAY + 9 * DAY, TODAY + 9 * DAY)
    a_shift(clinic, pia, NOW + 7 * DAY, NOW + 8 * DAY)
    shown, done = both_steps(client, pia, reverse("away", args=[clinic.slug]), away(nora))
    assert "the alerts of Pia's patients go to Nora, who owns them" in shown
    assert "Pia is on call in that time: Nora answers then" in shown
    assert "Pia covers for Theo in that time" in shown
    assert "Nora covers for you and is told" in done
    assert "You cover for a colleague at North from 2026-09-20 to 2026-09-27" in Delivery.objects.get().body


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"first": "2026-09-13"}, "2026-09-13 has passed"),
        ({"last": "2026-09-19"}, "is before 2026-09-20"),
        ({"last": "2028-09-19"}, "longer than a year"),
    ],
)
def test_days_away_that_cannot_be_are_refused(client, clinic, nora, pia, typed, said):
    _, done = both_steps(client, pia, reverse("away", args=[clinic.slug]), away(nora, **typed))
    assert said in done
    assert not Absence.objects.exists()


def test_a_cover_who_is_away_at_that_time_is_refused_with_their_days(client, clinic, nora, pia):
    an_absence(clinic, nora, a_person(clinic, "nurse"), date(2026, 9, 25), date(2026, 9, 30))
    _, done = both_steps(client, pia, reverse("away", args=[clinic.slug]), away(nora))
    assert "Nora is away from 2026-09-25 to 2026-09-30; choose somebody who is there" in done


def test_an_absence_begins_and_ends_at_the_clinics_own_midnight(clinic, nora, pia):
    auckland = a_clinic("Far", time_zone="Pacific/Auckland")
    owner, cover = a_person(auckland, "prescriber"), a_person(auckland, "nurse")
    an_absence(auckland, owner, cover, date(2026, 9, 15), date(2026, 9, 15))
    treatment = a_treatment(auckland, clinician=owner)
    a_count(treatment, 400)  # Monday noon in UTC is just past midnight of the 15th in Auckland
    assert {alert.owner for alert in Alert.objects.all()} == {cover}


def test_back_earlier_the_alerts_are_ones_own_again_from_then_on(client, clinic, nora, pia):
    absence = an_absence(clinic, pia, nora, TODAY, TODAY + 7 * DAY)
    shown, _ = both_steps(client, pia, reverse("back", args=[absence.pk]), {})
    assert "Pia has their own alerts again from now on" in shown
    a_count(a_treatment(clinic, clinician=pia), 400)
    assert {alert.owner for alert in Alert.objects.all()} == {pia}
    assert client.get(reverse("back", args=[absence.pk])).status_code == 404
    again = client.post(reverse("back", args=[absence.pk]), {"confirm": "1"}, follow=True)
    assert "Your alerts come to you again." in words(again), "a second press finds what the first one did"


def test_an_admin_says_it_for_somebody_who_is_ill_and_ends_it(client, clinic, admin, nora, pia):
    typed = away(nora) | {"staff": pia.pk}
    both_steps(client, admin, reverse("set_away", args=[clinic.slug]), typed)
    absence = Absence.objects.get(staff=pia, recorded_by=admin)
    both_steps(client, admin, reverse("end_away", args=[clinic.slug, absence.pk]), {})
    absence.refresh_from_db()
    assert absence.cancelled_by == admin


# Deputies, and the alarm of a clinic without anybody


@pytest.mark.slow
def test_a_deputy_is_named_for_one_person_or_for_everybody_and_taken_back(client, clinic, admin, nora, pia):
    address = reverse("set_deputy", args=[clinic.slug])
    shown, _ = both_steps(client, admin, address, {"staff": pia.pk, "deputy": nora.pk})
    assert "When Pia does not answer an alert in time, Nora is told." in shown
    both_steps(client, admin, address, {"staff": "", "deputy": pia.pk})
    both_steps(client, admin, address, {"staff": pia.pk, "deputy": ""})
    assert set(Deputy.objects.values_list("staff", "deputy")) == {(pia.pk, None), (None, pia.pk)}


@pytest.mark.slow
def test_h08_patients_whose_alerts_nobody_owns_are_an_alarm_on_every_page_of_the_admin(
    client, clinic, admin, nora, pia
):
    treatment = a_treatment(clinic, clinician=pia)
    client.force_login(admin)
    pages = [reverse("settings"), reverse("manual"), reverse("duty")]
    assert not any("Alarm:" in words(client.get(page)) for page in pages)
    pia.memberships.update(active=False)
    said = "1 patient at North has no clinician who can be reached, and the clinic has no deputy: their alerts go to"
    assert all(f"{said} {clinic.on_call_email} alone." in words(client.get(page)) for page in pages)
    treatment.clinician = None
    treatment.save()
    assert said in words(client.get(pages[0]))
    a_deputy(clinic, nora)
    assert "Alarm:" not in words(client.get(pages[0]))
    an_absence(clinic, nora, pia)
    assert said in words(client.get(pages[0]))


@pytest.mark.slow
def test_h07_the_clinics_alarm_stands_on_every_page_of_its_staff_until_somebody_answers(
    client, clinic, admin, nora, pia
):
    a_count(a_treatment(clinic, clinician=pia), 400)
    for minutes in (15, 30, 60):
        sweep(now=NOW + timedelta(minutes=minutes))
    said = "Nobody has answered 1 alert, severe at North: waiting since 14 Sep, 14:00."
    for person, pages in ((nora, ("today", "duty")), (admin, ("settings", "duty")), (pia, ("alerts", "manual"))):
        client.force_login(person)
        assert all(said in words(client.get(reverse(page))) for page in pages), person
    client.force_login(a_person(a_clinic("South"), "nurse"))
    assert "Alarm:" not in words(client.get(reverse("today")))
    client.force_login(nora)
    alert = Alert.objects.sounding().get()
    client.post(reverse("acknowledge", args=[alert.pk]), {"basis": alert.basis})
    assert "Alarm:" not in words(client.get(reverse("today")))


@pytest.mark.slow
def test_an_open_page_is_given_the_alarm_when_it_changes_and_nothing_while_it_does_not(client, clinic, nora, pia):
    client.force_login(nora)
    quiet = client.get(reverse("alarm")).content.decode()
    token = quiet.partition("seen=")[2][:16]
    assert client.get(reverse("alarm"), {"seen": token}).status_code == 204
    a_count(a_treatment(clinic, clinician=pia), 400)
    Alert.objects.update(step=3)
    loud = client.get(reverse("alarm"), {"seen": token})
    assert "Answer now" in words(loud)
    client.logout()
    assert client.get(reverse("alarm")).status_code == 401


# Clock times and gaps, in every zone


@pytest.mark.slow
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.sampled_from(ZONES), some.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31)))
@example("Europe/Berlin", datetime(2026, 10, 25, 2, 30))
@example("Europe/Berlin", datetime(2026, 3, 29, 2, 30))
@example("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45))
def test_a_clock_time_is_the_one_instant_that_shows_it_or_is_refused(zone, local):
    zone, local = ZoneInfo(zone), local.replace(second=0, microsecond=0)
    minutes = (local.replace(tzinfo=UTC) + number * timedelta(minutes=15) for number in range(-120, 121))
    shown = [moment for moment in minutes if moment.astimezone(zone).replace(tzinfo=None) == local]
    try:
        assert [instant(local.date(), local.time(), zone)] == shown
    except ClockError:
        assert len(shown) != 1


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(some.tuples(some.integers(0, 200), some.integers(1, 20)), max_size=8))
def test_shifts_and_gaps_together_fill_the_time_without_a_hole(spans):
    until, shifts, reached = NOW + 300 * HOUR, [], 0
    for start, length in sorted(spans):
        if start >= reached:
            shifts.append(Shift(starts_at=NOW + start * HOUR, ends_at=NOW + (start + length) * HOUR))
            reached = start + length
    found = stretches(shifts, NOW, until)
    assert [row.starts_at for row in found][1:] == [row.ends_at for row in found][:-1]
    assert (found[0].starts_at, found[-1].ends_at) == (NOW, until)
    assert [row.shift for row in found if row.shift] == shifts


@pytest.mark.slow
def test_the_rota_and_ones_duty_ask_a_fixed_number_of_questions(
    client, clinic, admin, nora, pia, django_assert_max_num_queries
):
    a_shift(clinic, nora, NOW - HOUR, NOW)
    a_shift(clinic, nora, NOW, NOW + HOUR)
    an_absence(clinic, pia, nora)
    for person, page in ((admin, reverse("rota", args=[clinic.slug])), (nora, reverse("duty"))):
        client.force_login(person)
        client.get(page)
        with django_assert_max_num_queries(30) as few:
            client.get(page)
        start = Shift.objects.count() + 1
        for number in range(start, start + 10):
            a_shift(clinic, nora, NOW + number * HOUR, NOW + (number + 1) * HOUR)
            an_absence(clinic, pia, nora, TODAY + number * DAY, TODAY + number * DAY)
        with django_assert_max_num_queries(len(few)):
            client.get(page)
    assert standing(clinic, NOW, NOW + DAY)
