"""The patient's page: what it says first, what it shows to whom, and that it can speak of a day gone by."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from monitoring.actions.treating import document_ben, record_dose, record_event, void_event
from monitoring.models import BenProposal, Draw, Merge, TakeOver, Transfer
from patients.models import AuditEvent, Clinic, ContactPoint
from tests.cast import DAY, NOW, Decimal, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="America/New_York", count_unit="10*9/L")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse", first_name="Nora", last_name="Nurse")


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber", first_name="Pia", last_name="Prescriber")


@pytest.fixture
def treatment(clinic, prescriber):
    return a_treatment(clinic, clinician=prescriber)


@pytest.fixture
def page(client, nurse, treatment):
    client.force_login(nurse)

    def read(query="", *, of=treatment, name="patient"):
        answer = client.get(reverse(name, args=[of.patient_id]) + query)
        assert answer.status_code == 200
        return " ".join(strip_tags(re.sub(r"<svg.*?</svg>", "", answer.content.decode(), flags=re.DOTALL)).split())

    return read


def severe_in_spring(treatment, **fields):
    for days_ago, anc in ((60, 430), (59, 700), (58, 1600)):
        a_count(treatment, anc, at=NOW - days_ago * DAY, now=NOW - days_ago * DAY, **fields)


@pytest.mark.slow
def test_who_and_the_advice_and_the_next_test_stand_before_every_action(page, treatment):
    a_count(treatment, 3000, at=NOW - DAY, now=NOW - DAY)
    text = page()
    places = [text.index(words) for words in ("Quill, Alex", "1980-05-17", "Continue treatment", "Next blood test")]
    assert places == sorted(places)
    assert places[-1] < text.index("Log a result")


def test_severe_neutropenia_before_is_said_first_with_its_number_and_day(page, treatment):
    severe_in_spring(treatment)
    text = page()
    assert "Severe neutropenia before. Lowest ANC 430 /uL on 16 Jul 2026." in text
    assert text.index("Severe neutropenia before") < text.index("Stop treatment")


def test_a_severe_count_that_was_a_mistake_of_the_laboratory_leaves_no_banner(page, treatment):
    a_count(treatment, 430, at=NOW - 60 * DAY, now=NOW - 60 * DAY, accession="A1")
    a_count(treatment, 4300, at=NOW - 60 * DAY, now=NOW - 59 * DAY, accession="A1", status="corrected")
    a_count(treatment, 3000, at=NOW - 7 * DAY, now=NOW - 7 * DAY)
    assert "Severe neutropenia before" not in page()


@pytest.mark.slow
def test_the_first_severe_count_is_told_by_the_advice_alone(page, treatment):
    a_count(treatment, 380, at=NOW - HOUR, now=NOW)
    assert "Severe neutropenia before" not in page()
    assert "Stop treatment" in page()


@pytest.mark.parametrize(("lowest", "says"), [
    (Decimal(499), "Severe neutropenia before. Lowest ANC 499 /uL on 2 May 2025, told by Dr Old."),
    (None, "the first dose and the lowest ANC ever. The safer case is assumed; treat as possibly severe before."),
])  # fmt: skip
def test_what_was_taken_over_counts_and_what_is_unknown_is_said(page, treatment, nurse, lowest, says):
    TakeOver.objects.create(
        treatment=treatment, first_dose_on=None, lowest_anc=lowest, lowest_on=(NOW - 500 * DAY).date(),
        told_by="Dr Old", recorded_at=NOW - 90 * DAY, recorded_by=nurse,
    )  # fmt: skip
    assert says in page()


def test_ben_is_shown_with_its_evidence_its_baseline_and_both_people(page, treatment, nurse, prescriber):
    document_ben(treatment=treatment, baseline_anc=Decimal(1180), evidence="Duffy-null, two baselines",
                 by=nurse, confirmed_by=prescriber, now=NOW - DAY)  # fmt: skip
    text = page()
    assert "baseline 1180 /uL: Duffy-null, two baselines" in text
    assert "Documented by Nora Nurse, confirmed by Pia Prescriber on 13 Sep 2026" in text


@pytest.mark.slow
def test_what_waits_for_somebody_is_said(page, clinic, treatment, nurse, prescriber):
    south = a_clinic("South")
    BenProposal.objects.create(treatment=treatment, evidence="Duffy-null", documented_at=NOW, documented_by=nurse)
    Transfer.objects.create(treatment=treatment, from_clinic=clinic, to_clinic=south, reason="Moves south",
                            old_mrn="M1", requested_at=NOW, requested_by=nurse)  # fmt: skip
    other = a_treatment(clinic, patient=a_patient(clinic, mrn="TWIN-1"))
    Merge.objects.create(kept=treatment, merged=other, reason="Same person", at=NOW, by=prescriber)
    Draw.objects.create(treatment=treatment, clinic=clinic, drawn_at=NOW - HOUR, recorded_at=NOW, recorded_by=nurse)
    text = page()
    assert "Nothing changes until a second person confirms it." in text
    assert "Nora Nurse asked South to take over: Moves south. Until it accepts, North stays responsible." in text
    assert "The record with MRN TWIN-1 was merged into this one by Pia Prescriber: Same person." in text
    assert "its result is not here yet" in text
    assert "This record was merged into the one with MRN" in page(of=other)


@pytest.mark.parametrize(("days", "says", "says_not"), [
    (1, "Re-titrate from 12.5 mg when restarting from Tue 15 Sep 2026, 08:00", "Re-titrate:"),
    (2, "Re-titrate: since Mon 14 Sep 2026, 08:00 it is 48 hours or more without a dose", "As a new patient:"),
    (29, "As a new patient when restarting from Tue 15 Sep 2026 (30 days)", "As a new patient:"),
    (30, "As a new patient: since Mon 14 Sep 2026 it is 30 days or more; fresh baseline", "when restarting from"),
])  # fmt: skip
def test_h29_the_days_since_the_last_dose_and_what_they_mean_with_their_dates(page, treatment, days, says, says_not):
    record_event(treatment=treatment, kind="last_dose", at=NOW - days * DAY, by=None, now=NOW - days * DAY)
    text = page()
    assert f"{days} day{'' if days == 1 else 's'} ago" in text
    assert says in text
    assert says_not not in text
    assert ("by itself on" in text) == (days < 30)


def test_an_overdue_test_says_how_many_days_beside_the_day_on_which_it_was_due(page, treatment):
    a_count(treatment, 3000, at=NOW - 20 * DAY, now=NOW - 20 * DAY)
    assert "13 days overdue Blood test was due Tue 1 Sep 2026" in page()
    assert "2 days overdue" in page("?as_of=2026-09-03")


@pytest.mark.slow
def test_a_dose_from_before_a_break_is_never_shown_as_the_dose_of_today(page, treatment):
    record_dose(treatment=treatment, daily_mg=Decimal(350), at=NOW - 50 * DAY, by=None, now=NOW - 50 * DAY)
    assert "350 mg a day since" in page()
    record_event(treatment=treatment, kind="last_dose", at=NOW - 10 * DAY, by=None, now=NOW - 10 * DAY)
    record_event(treatment=treatment, kind="restart", at=NOW - 5 * DAY, by=None, now=NOW - 5 * DAY)
    assert "not written down since the break; before it 350 mg a day" in page()


@pytest.mark.slow
def test_a_rule_that_nobody_has_checked_says_so_beside_its_source_and_a_checked_one_does_not(page, treatment):
    assert "not yet verified" not in page()
    record_event(treatment=treatment, kind="fever", at=NOW - HOUR, celsius=Decimal(39), by=None, now=NOW)
    assert "section 5.1 not yet verified" in page()


@pytest.mark.slow
def test_the_protocol_is_named_with_its_key_and_its_days_in_force(page, clinic, prescriber):
    assert "Protocol us-label-2025: United States prescribing information, June 2025 (in force since 13 Jun" in page()
    old = a_treatment(clinic, protocol="us-label-2015", patient=a_patient(clinic))
    assert "(in force 12 Oct 2015 to 12 Jun 2025)" in page(of=old)


def test_what_may_be_done_stands_in_groups_and_before_the_reasons(page):
    text = page()
    places = [text.index(words) for words in ("Log a result", "Doses", "Mistakes", "Person", "Why", "Counts")]
    assert places == sorted(places)


def test_the_last_counts_stand_beside_the_form_that_logs_one(page, treatment):
    a_count(treatment, 1700, at=NOW - DAY)
    assert "The last counts" in page(name="log_result")
    assert "1700" in page(name="log_result")


@pytest.mark.parametrize(
    ("unit", "head", "shown"), [("10*9/L", "ANC ×10⁹/L", "1.7 1700 /uL"), ("/uL", "ANC /µL", "1700")]
)
def test_h11_they_stand_there_in_the_unit_in_which_one_types(page, clinic, treatment, unit, head, shown):
    a_count(treatment, 1700, at=NOW - DAY)
    Clinic.objects.filter(pk=clinic.pk).update(count_unit=unit)
    text = page(name="log_result")
    counts = text[text.index("The last counts") :]
    assert head in counts
    assert f":00{shown}normal" in counts
    assert ("/uL" in counts) == (unit != "/uL")


def test_a_correction_leaves_both_numbers_in_the_table_with_who_when_and_why(page, treatment):
    a_count(treatment, 640, at=NOW - 2 * DAY, now=NOW - 2 * DAY, accession="A1")
    a_count(treatment, 6400, at=NOW - 2 * DAY, now=NOW - DAY, accession="A1", status="corrected", reason="Wrong point")
    text = page()
    assert "Corrected from 640. “Wrong point” Version 2, corrected, received 13 Sep, 08:00, lab" in text
    assert "Replaced. received 12 Sep, 08:00, lab" in text


@pytest.mark.parametrize(("role", "may_log"), [("nurse", True), ("prescriber", True), ("pharmacist", False)])
def test_actions_are_offered_to_those_who_may(client, clinic, treatment, role, may_log):
    client.force_login(a_person(clinic, role))
    for name in ("patient", "judgements"):
        assert client.get(reverse(name, args=[treatment.patient_id])).status_code == 200
    page = client.get(reverse("patient", args=[treatment.patient_id])).content.decode()
    assert ("Log a result" in page) == may_log


def test_a_role_at_another_clinic_opens_no_action_here(client, clinic, treatment):
    both = a_person(clinic, "pharmacist")
    both.memberships.create(clinic=a_clinic("South"), role="nurse")
    client.force_login(both)
    assert "Log a result" not in client.get(reverse("patient", args=[treatment.patient_id])).content.decode()


@pytest.mark.parametrize("role", ["nurse", "clinic_admin", "auditor"])
def test_for_those_who_may_not_know_of_a_patient_there_is_none(client, clinic, treatment, role):
    client.force_login(a_person(a_clinic("South") if role == "nurse" else clinic, role))
    for name in ("patient", "judgements"):
        assert client.get(reverse(name, args=[treatment.patient_id])).status_code == 404
    assert not AuditEvent.objects.filter(verb="patient_opened").exists()


def test_the_story_tells_who_did_what_and_when_and_keeps_what_was_voided(page, treatment, nurse, prescriber):
    fever = record_event(treatment=treatment, kind="fever", at=NOW - 5 * DAY, celsius=Decimal(39), by=nurse,
                         now=NOW - 5 * DAY)  # fmt: skip
    void_event(event=fever, by=prescriber, now=NOW - 4 * DAY, reason="Other patient")
    ContactPoint.objects.create(patient=treatment.patient, kind="phone", value="555 0142", recorded_at=NOW - 3 * DAY,
                                recorded_by=nurse)  # fmt: skip
    text = page("?all=1")
    assert "Fever, 39.0 °C Voided by Pia Prescriber: Other patient — Nora Nurse" in text
    assert "Phone: 555 0142 — Nora Nurse" in text
    assert "Patient registered" in text
    assert "Patient opened" not in text
    assert text.index("Phone: 555 0142") < text.index("Fever, 39.0 °C Voided") < text.index("First dose —")


@pytest.mark.slow
def test_the_story_is_folded_to_twenty_lines_and_all_of_it_is_one_link_away(page, treatment):
    for days_ago in range(30):
        a_count(treatment, 3000, at=NOW - days_ago * DAY - HOUR, now=NOW - days_ago * DAY)
    assert page().count("— feed lab") == 20
    assert "Show all," in page()
    assert page("?all=1").count("— feed lab") == 31
    assert "Show all," not in page("?all=1")


@pytest.mark.slow
def test_a_day_gone_by_shows_what_was_known_then_and_says_that_it_is_the_past(page, treatment):
    a_count(treatment, 700, at=NOW - 40 * DAY, now=NOW - 40 * DAY, accession="A1")
    a_count(treatment, 7000, at=NOW - 40 * DAY, now=NOW - 20 * DAY, accession="A1", status="corrected")
    then, today = page("?as_of=2026-08-10"), page()
    assert "You are looking at the past: what was known at the end of Monday 10 August 2026" in then
    assert "Interrupt treatment" in then
    assert "700 /uL , moderate" in then.replace("/uL,", "/uL ,")
    assert "7000" not in then
    assert "Log a result" not in then
    assert "looking at the past" not in today
    assert "7000" in today


@pytest.mark.slow
def test_the_past_knows_only_the_events_the_ben_and_the_alert_words_of_its_day(page, treatment, nurse, prescriber):
    a_count(treatment, 1200, at=NOW - 40 * DAY, now=NOW - 40 * DAY)
    record_event(treatment=treatment, kind="last_dose", at=NOW - 45 * DAY, by=None, now=NOW - 10 * DAY)
    document_ben(treatment=treatment, baseline_anc=None, evidence="Duffy-null", by=nurse, confirmed_by=prescriber,
                 now=NOW - 5 * DAY)  # fmt: skip
    a_count(treatment, 900, at=NOW - 3 * DAY, now=NOW - 3 * DAY)
    then = page("?as_of=2026-08-10")
    assert "1200 /uL, mild" in then
    assert "days ago" not in then
    assert "not documented; the general thresholds apply" in then
    assert "ANC 1200 /uL, mild. Continue treatment." in then
    assert "900" not in then


@pytest.mark.parametrize(("day", "says"), [
    ("2026-09-15", "2026-09-15 has not come yet. This is the page as it stands now."),
    ("soon", "“soon” is no day. Write one as 2026-09-14."),
    ("1999-01-01", "Nothing was known here before 2026-06-11."),
])  # fmt: skip
def test_a_day_that_cannot_be_shown_is_refused_in_words_and_the_page_is_that_of_now(page, day, says):
    text = page(f"?as_of={day}")
    assert says in text
    assert "looking at the past" not in text
    assert "Log a result" in text


def test_today_is_not_the_past(page):
    assert "looking at the past" not in page("?as_of=2026-09-14")


def test_every_judgement_is_listed_and_one_that_a_correction_replaced_is_marked(page, treatment):
    a_count(treatment, 700, at=NOW - 4 * DAY, now=NOW - 4 * DAY, accession="A1")
    a_count(treatment, 7000, at=NOW - 4 * DAY, now=NOW - 2 * DAY, accession="A1", status="corrected")
    text = page(name="judgements")
    assert "replaced 2026-09-12 08:00" in text
    assert "read anew 2026-09-12 08:00" in text
    assert "Interrupt treatment" in text
    assert AuditEvent.objects.filter(verb="patient_opened").exists()


@pytest.mark.slow
def test_old_judgements_are_pages_back_and_none_is_shown_twice(page, client, treatment):
    for days_ago in range(60):
        a_count(treatment, 3000, at=NOW - days_ago * DAY - HOUR, now=NOW - days_ago * DAY)
    page(name="judgements")
    first = client.get(reverse("judgements", args=[treatment.patient_id]))
    second = client.get(reverse("judgements", args=[treatment.patient_id]), {"before": first.context["older"]})
    pks = [row.pk for answer in (first, second) for row in answer.context["rows"]]
    assert len(pks) == len(set(pks)) == treatment.assessments.count()


@pytest.mark.parametrize("query", ["before=", "before=x", "before=" + "9" * 40])
def test_an_address_that_makes_no_sense_shows_the_newest_judgements(page, query):
    assert "Every judgement as it was given" in page(f"?{query}", name="judgements")
    assert "Continue treatment" in page("?range=eternity&scale=moon")


def test_the_chart_and_its_table_show_the_same_counts_and_each_point_leads_to_its_row(client, nurse, treatment):
    client.force_login(nurse)
    for days_ago in (3, 10, 17):
        a_count(treatment, 3000, at=NOW - days_ago * DAY, now=NOW - days_ago * DAY)
    html = client.get(reverse("patient", args=[treatment.patient_id]) + "?range=3m&scale=log").content.decode()
    points = set(re.findall(r'class="point normal" href="#result-(\d+)"', html))
    assert points == set(re.findall(r'<tr id="result-(\d+)"', html))
    assert len(points) == 4 - html.count("older:")
    assert "style=" not in html


@pytest.mark.slow
def test_the_page_asks_as_many_questions_with_thirty_of_everything_as_with_three(
    client, nurse, treatment, django_assert_max_num_queries
):
    client.force_login(nurse)
    asked = []
    for days_ago in range(33):
        at = NOW - (80 - days_ago) * DAY
        a_count(treatment, 900 if days_ago % 2 else 3000, at=at, now=at)
        record_dose(treatment=treatment, daily_mg=Decimal(100 + days_ago), at=at, by=nurse, now=at)
        record_event(treatment=treatment, kind="fever", at=at, celsius=Decimal(39), by=nurse, now=at)
        ContactPoint.objects.create(patient=treatment.patient, kind="phone", value=f"{days_ago}", recorded_at=at,
                                    recorded_by=nurse, ended_at=at, ended_by=nurse)  # fmt: skip
        if days_ago in (2, 32):
            with django_assert_max_num_queries(33) as queries:
                client.get(reverse("patient", args=[treatment.patient_id]) + "?all=1")
            asked.append(len(queries))
    assert asked[0] == asked[1]
