"""Missing test or missing result? While a laboratory is silent its results are late and not the tests."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from monitoring.actions.drawing import record_draw
from monitoring.actions.record_result import record_result
from monitoring.actions.setting_up import expect_of_feed
from monitoring.models import Alert, Feed, Laboratory, Treatment
from monitoring.sweep import sweep
from notifications.models import Delivery
from patients.actions import issue_token
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_report, a_treatment
from tests.monitoring.desk import words

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic():
    found = a_clinic()
    Laboratory.objects.create(clinic=found, name="Lab X", source="lab", created_at=NOW)
    return found


@pytest.fixture
def admin(clinic):
    return a_person(clinic, "clinic_admin", first_name="Adi")


def late(clinic, family, *, days=9):
    """Weekly, last drawn nine days ago by Lab X: overdue since yesterday."""
    owner = a_person(clinic, "prescriber")
    treatment = a_treatment(clinic, clinician=owner, patient=a_patient(clinic, family_name=family))
    a_count(treatment, 2000, at=NOW - days * DAY, now=NOW - days * DAY)
    return treatment


def silenced(clinic, *, since=NOW - 9 * DAY):
    """Lab X is known, and silent for longer than the clinic expects."""
    sweep(now=since)
    feed = Feed.objects.get(clinic=clinic)
    return expect_of_feed(feed=feed, hours=48, by=None, now=since)


def sections(client, clinic):
    """The families in each part of the worklist."""
    page = client.get(reverse("today"))
    return {
        shown.name: {row.patient.family_name for row in shown.rows}
        for shown in page.context["sections"]
        if shown.rows and shown.name != "alerts"
    }


@pytest.mark.slow
def test_each_source_of_a_clinic_has_its_last_message_and_what_people_type_is_none(clinic):
    treatment = late(clinic, "Abel")
    sweep(now=NOW)
    assert list(Feed.objects.values_list("name", "last_at")) == [("Lab X", NOW - 9 * DAY)]
    program, _ = issue_token(clinic=clinic, name="lab", verbs=["results:write"], by=None, now=NOW)
    sent = a_report(2100, at=NOW)
    record_result(treatment=treatment, report=sent, by=program, now=NOW)
    sweep(now=NOW + HOUR)
    assert Feed.objects.get().last_at == NOW
    Laboratory.objects.update(source="other")
    a_count(treatment, 2200, at=NOW + HOUR, now=NOW + HOUR)
    sweep(now=NOW + 2 * HOUR)
    assert Feed.objects.get().last_at == NOW


@pytest.mark.slow
def test_the_rhythm_is_learnt_in_two_weeks_and_a_silence_does_not_lengthen_it(clinic):
    treatment = a_treatment(clinic)
    hours = [*range(0, 15 * 24, 30)]
    for hour in hours:
        a_count(treatment, 2000, at=NOW + hour * HOUR, now=NOW + hour * HOUR)
        sweep(now=NOW + hour * HOUR)
    feed, last = Feed.objects.get(), NOW + hours[-1] * HOUR
    assert feed.silent_from is None
    sweep(now=last + 26 * HOUR)
    feed.refresh_from_db()
    assert (feed.longest_gap, feed.silent_from) == (30 * HOUR, last + 45 * HOUR)
    later = last + 10 * DAY
    sweep(now=later)
    a_count(treatment, 2000, at=later, now=later)
    sweep(now=later)
    feed.refresh_from_db()
    assert (feed.longest_gap, feed.silent_from, feed.told_at) == (30 * HOUR, later + 45 * HOUR, None)


@pytest.mark.slow
def test_h24_while_a_source_is_silent_no_alert_says_overdue_of_whoever_was_drawn_and_nobody_is_hidden(
    client, clinic, time_machine
):
    drawn, unknown, elsewhere = (late(clinic, name) for name in ("Drawn", "Unknown", "Elsewhere"))
    other = replace(a_report(2000, at=NOW - 9 * DAY + HOUR), source="other")
    record_result(treatment=elsewhere, report=other, by=None, now=NOW - 9 * DAY + HOUR)
    record_draw(treatment=drawn, drawn_at=NOW - DAY, by=None, now=NOW - DAY)
    silenced(clinic)
    sweep(now=NOW)
    summaries = {alert.treatment_id: alert.summary for alert in Alert.objects.filter(cause="test_overdue")}
    assert set(summaries) == {unknown.pk, elsewhere.pk}
    assert summaries[elsewhere.pk].startswith("The blood test is overdue: it was in time until")
    assert "no data from Lab X since 2026-09-05: ask whether blood was drawn" in summaries[unknown.pk]
    time_machine.move_to(NOW, tick=False)
    client.force_login(a_person(clinic, "nurse"))
    assert sections(client, clinic) == {
        "overdue": {"Elsewhere"}, "late": {"Drawn", "Unknown"}, "drawn": {"Drawn"}
    }  # fmt: skip


@pytest.mark.slow
def test_h24_a_feed_that_is_cut_changes_no_treatment_and_tells_no_patient(clinic):
    for name in ("Abel", "Baker"):
        late(clinic, name)
    silenced(clinic)
    before = list(Treatment.objects.order_by("pk").values())
    for day in range(-8, 40):
        sweep(now=NOW + day * DAY)
    assert list(Treatment.objects.order_by("pk").values()) == before
    staff = set(clinic.memberships.values_list("staff__email", flat=True)) | {clinic.on_call_email}
    assert set(Delivery.objects.values_list("address", flat=True)) <= staff


@pytest.mark.slow
def test_h24_blood_that_was_drawn_long_ago_explains_nothing_and_when_the_source_speaks_again_the_test_is_overdue(
    clinic,
):
    first, second = late(clinic, "Abel"), late(clinic, "Baker")
    record_draw(treatment=first, drawn_at=NOW - DAY, by=None, now=NOW - DAY)
    record_draw(treatment=second, drawn_at=NOW - DAY, by=None, now=NOW - DAY)
    silenced(clinic)
    raised = Alert.objects.filter(cause="test_overdue")
    sweep(now=NOW + 12 * DAY)
    assert not raised.exists()
    sweep(now=NOW + 13 * DAY)
    assert raised.count() == 2
    raised.update(resolved_at=NOW, outcome="tested", raised_at=NOW - 99 * DAY)
    Feed.objects.update(silent_from=NOW + 99 * DAY, last_at=NOW + 13 * DAY)
    sweep(now=NOW + 13 * DAY + HOUR)
    assert raised.filter(resolved_at=None).count() == 2


@pytest.mark.slow
def test_h24_the_patients_page_says_result_late_and_since_when_nothing_has_come(client, clinic, time_machine):
    treatment = late(clinic, "Abel")
    time_machine.move_to(NOW, tick=False)
    client.force_login(a_person(clinic, "nurse"))
    address = reverse("patient", args=[treatment.patient_id])
    assert "2 days overdue" in words(client.get(address))
    silenced(clinic)
    page = words(client.get(address))
    assert "no data from Lab X since Sat 5 Sep, 12:00. Ask whether blood was drawn." in page
    assert "overdue Blood test" not in page


@pytest.mark.slow
def test_a_silence_is_told_once_to_the_admins_and_on_call_and_again_only_after_data_came(clinic, admin):
    treatment = late(clinic, "Abel")
    silenced(clinic)
    told = Delivery.objects.filter(about__startswith="feed:")
    sweep(now=NOW - 7 * DAY - timedelta(seconds=1))
    assert not told.exists()
    sweep(now=NOW - 7 * DAY)
    sweep(now=NOW)
    assert sorted(told.values_list("address", flat=True)) == sorted([admin.email, clinic.on_call_email])
    assert "No data from Lab X at North since Sat 5 Sep, 12:00" in told.first().body
    a_count(treatment, 2000)
    sweep(now=NOW + HOUR)
    sweep(now=NOW + 5 * DAY)
    assert told.count() == 4


@pytest.mark.slow
def test_the_light_says_in_words_who_speaks_and_who_is_silent(client, clinic, admin, time_machine):
    treatment = late(clinic, "Abel")
    feed = silenced(clinic)
    time_machine.move_to(NOW, tick=False)
    client.force_login(a_person(clinic, "nurse"))
    page = words(client.get(reverse("today")))
    assert "Silent Lab X : no data since Sat 5 Sep, 12:00; results are late, not tests" in page
    client.force_login(admin)
    assert "No data from Lab X at North since Sat 5 Sep, 12:00." in words(client.get(reverse("settings")))
    a_count(treatment, 2000, at=NOW - HOUR, now=NOW - HOUR)
    sweep(now=NOW)
    client.force_login(a_person(clinic, "nurse"))
    assert "Speaks Lab X : data 1 hour ago" in words(client.get(reverse("today")))
    assert feed.pk


@pytest.mark.slow
def test_an_admin_says_what_is_expected_of_a_source_and_sees_first_what_follows(client, clinic, admin):
    late(clinic, "Abel")
    sweep(now=NOW)
    feed = Feed.objects.get()
    client.force_login(admin)
    address = reverse("feed", args=[clinic.slug, feed.pk])
    assert "After 72 hours without a message Lab X counts as silent" in words(client.post(address, {"hours": "72"}))
    client.post(address, {"hours": "72", "confirm": "1"})
    sweep(now=NOW)
    feed.refresh_from_db()
    assert (feed.expected_hours, feed.silent_from) == (72, NOW - 9 * DAY + 72 * HOUR)
    assert "greater than or equal to 1" in words(client.post(address, {"hours": "0"}))


@pytest.mark.slow
def test_the_light_costs_the_worklist_one_question(client, clinic, time_machine, django_assert_max_num_queries):
    time_machine.move_to(NOW, tick=False)
    client.force_login(a_person(clinic, "nurse"))
    for name in ("Abel", "Baker", "Cole"):
        late(clinic, name)
    silenced(clinic)
    client.get(reverse("today"))
    with django_assert_max_num_queries(40) as few:
        client.get(reverse("today"))
    for number in range(10):
        late(clinic, f"More{number}")
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("today"))
