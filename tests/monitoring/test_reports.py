"""Reports: each number against a tiny story with its arithmetic, and the same answer to the same question for ever."""

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import inf

import pytest
import typst

from monitoring.actions.answering import acknowledge, resolve
from monitoring.actions.treating import document_ben, record_event
from monitoring.models import Alert, Draw, Merge, Outcome, Transfer
from monitoring.reports.answers import answer_times
from monitoring.reports.every import ONE, every
from monitoring.reports.neutropenia import neutropenia, rates
from monitoring.reports.people import people
from monitoring.reports.printing import LAYOUT, inputs
from monitoring.reports.question import Question, end_of_day
from monitoring.reports.sheet import duration
from monitoring.reports.spreadsheet import lines, safe
from monitoring.reports.tests_owed import missed, on_time, owed
from monitoring.sweep import sweep
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_report, a_treatment

pytestmark = pytest.mark.django_db
STARTED = NOW - 92 * DAY
"""14 June 2026, 12:00 UTC."""


@pytest.fixture
def clinic():
    return a_clinic()


def asked(clinic, *, since=date(2026, 6, 1), until=date(2026, 9, 14), known_at=NOW, **fields):
    return Question(clinics=(clinic,), since=since, until=until, known_at=known_at, **fields)


def drawn(treatment, anc, *, days, hour=0, **fields):
    """A count so many days after the first dose, known at once."""
    at = STARTED + days * DAY + timedelta(hours=hour)
    return a_count(treatment, anc, at=at, now=at, **fields)


def months(question):
    return {row[0]: row[1:] for row in on_time(question, owed(question)).rows if row[1]}


def a_story(clinic):
    """Weekly tests, last days 21 and 28 June, 7 and 14 July: in time, 2 days late, in time, and then never again."""
    treatment = a_treatment(clinic, started=STARTED)
    for days in (7, 16, 23):
        drawn(treatment, 2600, days=days)
    return treatment


def test_a_test_is_on_time_by_the_last_day_of_the_judgement_that_stood_before_it(clinic):
    a_story(clinic)
    # June: 21st in time, 28th drawn on the 30th. July: 7th in time, 14th not drawn. 1 of 2 = 50 % each.
    assert months(asked(clinic)) == {"2026-06": (2, 1, 1, 0, 50.0), "2026-07": (2, 1, 0, 1, 50.0)}


def test_missed_draws_are_told_by_how_late_they_came_or_have_not_come(clinic):
    a_story(clinic)
    # Of 4 weekly tests one came 2 days late; one has not come, 14 July to 14 September = 62 days. 2 of 4 = 50 %.
    assert missed(owed(asked(clinic))).rows == (("every week", 4, 2, 1, 0, 1, 1, 50.0),)


def test_what_is_not_due_yet_is_not_owed_and_a_sample_on_its_way_is_drawn(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    drawn(treatment, 2600, days=7)
    on_the_last_day, a_day_after = STARTED + 14 * DAY, STARTED + 15 * DAY
    assert months(asked(clinic, known_at=on_the_last_day)) == {"2026-06": (1, 1, 0, 0, 100.0)}
    assert months(asked(clinic, known_at=a_day_after)) == {"2026-06": (2, 1, 0, 1, 50.0)}
    Draw.objects.create(treatment=treatment, clinic=clinic, drawn_at=on_the_last_day, recorded_at=on_the_last_day)
    assert months(asked(clinic, known_at=a_day_after)) == {"2026-06": (2, 2, 0, 0, 100.0)}


def test_two_draws_reported_together_and_in_the_wrong_order_make_nobody_late(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    for days in (14, 7):
        at = STARTED + days * DAY
        a_count(treatment, 2600, at=at, now=STARTED + 16 * DAY)
    found = months(asked(clinic, known_at=STARTED + 17 * DAY))["2026-06"]
    assert found[2:4] == (0, 0)


def test_a_pause_before_the_last_day_owes_what_the_new_judgement_says(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    drawn(treatment, 2600, days=7)
    record_event(treatment=treatment, kind="last_dose", at=STARTED + 8 * DAY, by=None, now=STARTED + 8 * DAY, stop=True)
    drawn(treatment, 2600, days=9)
    # After the stop one normal count ends the tests: the last owed is drawn, and nothing more is missed.
    assert months(asked(clinic)) == {"2026-06": (2, 2, 0, 0, 100.0)}


def test_the_days_are_those_of_the_clinics_own_calendar():
    clinic = a_clinic(time_zone="Pacific/Kiritimati")
    treatment = a_treatment(clinic, started=STARTED)
    # Begun at 02:00 on 15 June there, so the last day is 22 June; 09:00 UTC on the 22nd is 23:00 on the 22nd there.
    drawn(treatment, 2600, days=8, hour=-3)
    assert months(asked(clinic, known_at=STARTED + 9 * DAY))["2026-06"] == (1, 1, 0, 0, 100.0)


def answered_after(alert, minutes, *, by, ended=None):
    acknowledge(alert=alert, by=by, now=alert.raised_at + timedelta(minutes=minutes))
    if ended:
        resolve(alert=alert, by=by, now=alert.raised_at + timedelta(minutes=ended), outcome=Outcome.ACTED)


def severe_alerts(clinic, number):
    for _ in range(number):
        drawn(a_treatment(clinic, started=STARTED), 400, days=7)
    return list(Alert.objects.filter(cause="neutropenia", clinic=clinic).order_by("pk"))


def calls(question):
    return {row[:2]: row[2:] for row in answer_times(question).rows}


@pytest.mark.slow
def test_answer_times_are_the_shortest_in_which_half_and_nine_of_ten_were_answered(clinic):
    nurse = a_person(clinic, "nurse")
    for alert, minutes in zip(severe_alerts(clinic, 10), (5, 6, 7, 8, 9, 20, 30, 40, 50), strict=False):
        answered_after(alert, minutes, by=nurse, ended=120)
    # Of 10 calls the 5th shortest took 9 minutes and the 9th 50; one still waits. All ended ones took 120.
    assert calls(asked(clinic))["Severe", "Low neutrophil count"] == (10, 9, 0, 1, 9.0, 50.0, 120.0, 120.0)


@pytest.mark.slow
def test_waiting_never_makes_answers_look_quicker(clinic):
    nurse = a_person(clinic, "nurse")
    first, *_ = severe_alerts(clinic, 4)
    answered_after(first, 5, by=nurse)
    assert calls(asked(clinic))["Severe", "All"] == (4, 1, 0, 4, inf, inf, inf, inf)


def test_an_alert_that_became_worse_is_a_call_of_its_own_with_its_own_severity(clinic):
    treatment, nurse = a_treatment(clinic, started=STARTED), a_person(clinic, "nurse")
    drawn(treatment, 900, days=7)
    alert = Alert.objects.get(cause="neutropenia")
    acknowledge(alert=alert, by=nurse, now=alert.raised_at + timedelta(minutes=10))
    drawn(treatment, 400, days=8)
    alert.refresh_from_db()
    acknowledge(alert=alert, by=nurse, now=alert.worsened_at + timedelta(minutes=3))
    found = calls(asked(clinic))
    assert found["Moderate", "Low neutrophil count"][:2] == (1, 1)
    assert found["Moderate", "Low neutrophil count"][4] == 10.0
    assert found["Severe", "Low neutrophil count"][4] == 3.0


def test_what_a_count_ended_before_anybody_answered_is_no_answer(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    sweep(now=STARTED + 8 * DAY)
    drawn(treatment, 2600, days=9)
    # Raised on day 8 at noon, ended by the count a day later: 1440 minutes.
    assert calls(asked(clinic))["Routine", "Blood test overdue"] == (1, 0, 1, 0, None, None, 1440.0, 1440.0)


def test_neutropenia_is_episodes_over_years_on_treatment(clinic):
    for _ in range(2):
        a_treatment(clinic, started=STARTED)
    treatment = a_treatment(clinic, started=STARTED)
    for days, anc in ((7, 1400), (8, 900), (9, 1100), (11, 1600), (18, 2600), (25, 2600), (32, 2600), (39, 2600)):
        drawn(treatment, anc, days=days)
    drawn(treatment, 1300, days=46)
    drawn(treatment, 2000, days=46, hour=20)
    rows = {row[:2]: row[2:] for row in neutropenia(asked(clinic)).rows}
    # Three people for 92 days: 276 / 365.25 years. A mild count that became moderate is one moderate episode;
    # a mild one that its repeat did not confirm is one mild episode.
    years = 276 / 365.25
    assert rows["General", "moderate"][:4] == (1, 1, 1, 3)
    assert rows["General", "moderate"][4] == pytest.approx(years)
    assert rows["General", "moderate"][5] == pytest.approx(100 / years)
    assert rows["General", "mild"][:3] == (1, 0, 1)
    assert rows["General", "severe"][0] == 0
    assert not any(words == "BEN" for words, _ in rows)


def test_years_on_treatment_leave_pauses_and_days_not_asked_about_out(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    record_event(treatment=treatment, kind="last_dose", at=STARTED + 20 * DAY, by=None, now=STARTED + 20 * DAY)
    record_event(treatment=treatment, kind="restart", at=STARTED + 30 * DAY, by=None, now=STARTED + 30 * DAY)
    found = neutropenia(asked(clinic, since=date(2026, 6, 24), until=date(2026, 7, 19), known_at=NOW)).rows[0]
    # 24 June 00:00 to 4 July 12:00 are 10.5 days; 14 July 12:00 to 20 July 00:00 are 5.5.
    assert found[6] == pytest.approx(16 / 365.25)


def test_an_earlier_low_count_reported_late_is_the_same_episode(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    drawn(treatment, 1200, days=8)
    a_count(treatment, 1300, at=STARTED + 7 * DAY, now=STARTED + 9 * DAY)
    drawn(treatment, 1200, days=10)
    assert [row[2] for row in neutropenia(asked(clinic)).rows if row[1] == "mild"] == [1]


def test_an_episode_that_a_correction_took_away_counts_until_it_was_known(clinic):
    treatment = a_treatment(clinic, started=STARTED)
    drawn(treatment, 640, days=7, accession="X")
    corrected = a_report(6400, at=STARTED + 7 * DAY, accession="X", status="corrected")
    before = neutropenia(asked(clinic, known_at=STARTED + 8 * DAY))
    a_count(treatment, 6400, at=corrected.drawn_at, now=STARTED + 9 * DAY, accession="X", status="corrected")
    assert [row[2] for row in before.rows] == [0, 1, 0]
    assert [row[2] for row in neutropenia(asked(clinic)).rows] == [0, 0, 0]
    assert neutropenia(asked(clinic, known_at=STARTED + 8 * DAY)) == before


def test_the_limits_of_a_rate_are_those_of_the_textbook():
    # Breslow and Day, volume II, table 2.10: for 10 observed the 95 % limits are 4.80 and 18.39.
    _, lower, upper = rates(10, 100)
    assert (round(lower, 2), round(upper, 1)) == (4.79, 18.4)
    assert rates(0, 100)[:2] == (0, 0)
    assert rates(0, 0) == (None, None, None)


def test_patients_by_band_and_frequency_are_those_of_the_last_judgement(clinic):
    drawn(a_treatment(clinic, started=STARTED), 2600, days=7)
    drawn(a_treatment(clinic, started=STARTED), 400, days=7)
    a_treatment(clinic, started=None)
    report = people(asked(clinic))
    assert [column.name for column in report.columns] == ["Tested", "normal", "severe", "no count yet", "All"]
    assert report.rows == (
        ("every day", 0, 1, 0, 1),
        ("every week", 1, 0, 0, 1),
        ("not at all", 0, 0, 1, 1),
        ("All", 1, 1, 1, 3),
    )


@pytest.mark.slow
def test_the_same_question_about_a_past_day_has_the_same_answer_whatever_came_since(clinic):
    nurse, prescriber = a_person(clinic, "nurse"), a_person(clinic, "prescriber")
    treatment, other = a_story(clinic), a_treatment(clinic, started=STARTED)
    drawn(other, 900, days=7, accession="B")
    question = asked(clinic, known_at=end_of_day(date(2026, 7, 20), (clinic,)))
    before = every(question)
    sweep(now=NOW)
    a_count(treatment, 300, at=STARTED + 29 * DAY, now=NOW)
    a_count(other, 2900, at=STARTED + 7 * DAY, now=NOW, accession="B", status="corrected")
    for alert in Alert.objects.filter(resolved_at=None):
        resolve(alert=alert, by=nurse, now=NOW + DAY / 24, outcome=Outcome.ACTED)
    document_ben(
        treatment=other, baseline_anc=Decimal(1200), evidence="Duffy-null", by=nurse, confirmed_by=prescriber, now=NOW
    )
    record_event(treatment=other, kind="last_dose", at=STARTED + 20 * DAY, by=None, now=NOW, stop=True)
    south = a_clinic("South")
    Transfer.objects.create(
        treatment=treatment, from_clinic=clinic, to_clinic=south, reason="moved", old_mrn="A", new_mrn="B",
        requested_at=NOW, requested_by=nurse, accepted_at=NOW, answered_by=nurse,
    )  # fmt: skip
    type(treatment).objects.filter(pk=treatment.pk).update(clinic=south)
    Alert.objects.filter(treatment=treatment).update(clinic=south)
    assert every(question) != every(replace(question, known_at=NOW + DAY))
    late = a_treatment(clinic, started=NOW)
    assert late.created_at > question.known_at
    assert [report for report in every(question) if "Nobody" in report.empty] == [before[3], before[4]]
    assert every(question) == before


@pytest.fixture
def as_nurse(client, clinic, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(a_person(clinic, "nurse"))
    return client


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "status"),
    [("nurse", 200), ("prescriber", 200), ("clinic_admin", 200), ("auditor", 200), ("pharmacist", 404)],
)
def test_who_may_see_reports_sees_counts_and_no_name(client, clinic, role, status):
    a_story(clinic)
    client.force_login(a_person(clinic, role))
    for address in ("/reports/", "/reports/reports.pdf", "/reports/answers.csv"):
        answer = client.get(address)
        assert answer.status_code == status, address
    if status == 200:
        assert "Quill" not in client.get("/reports/").content.decode()


def test_another_clinics_reports_do_not_exist(as_nurse, clinic):
    south = a_clinic("South")
    a_story(south)
    assert as_nurse.get("/reports/", {"clinic": south.pk}).status_code == 404
    assert as_nurse.get("/reports/on-time.csv", {"clinic": south.pk}).status_code == 404
    assert "No test was owed" not in as_nurse.get("/reports/", {"clinic": clinic.pk}).content.decode()
    assert as_nurse.get("/reports/nothing.csv").status_code == 404


@pytest.mark.slow
def test_the_page_asks_a_fixed_number_of_questions(as_nurse, clinic, django_assert_max_num_queries):
    for _ in range(3):
        a_story(clinic)
    with django_assert_max_num_queries(12) as few:
        as_nurse.get("/reports/")
    for _ in range(12):
        a_story(clinic)
    with django_assert_max_num_queries(12) as many:
        page = as_nurse.get("/reports/").content.decode()
    assert len(few) == len(many)
    assert "15 of 30 on time" in page


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"as_known_on": "2026-09-15"}, "2026-09-15 has not come yet"),
        ({"since": "2026-05-02", "until": "2026-05-01"}, "the first day comes before the last"),
        ({"since": "yesterday"}, "write it as 2026-09-14"),
        ({"since": "2001-01-01"}, "more than 10 years at once"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_with_what_would_be_right(as_nurse, written, says):
    page = as_nurse.get("/reports/", written).content.decode()
    assert says in page
    assert all(f'value="{value}"' in page for value in written.values())
    assert as_nurse.get("/reports/people.csv", written).status_code == 404


def test_filters_ask_for_less(as_nurse, clinic):
    pia, a_nurse = a_person(clinic, "prescriber"), a_person(clinic, "nurse")
    a_treatment(clinic, started=STARTED, clinician=pia)
    ben = a_treatment(clinic, started=STARTED, protocol="us-label-2015")
    document_ben(treatment=ben, baseline_anc=None, evidence="Duffy", by=pia, confirmed_by=a_nurse, now=STARTED)

    def all_of(**filters):
        return people(asked(clinic, **filters)).rows[-1][-1]

    assert all_of() == 2
    assert all_of(clinician_id=pia.pk) == 1
    assert all_of(population="ben") == all_of(population="general") == 1
    assert all_of(protocol="us-label-2015", population="ben") == 1
    assert people(asked(clinic, protocol="us-label-2025", population="ben")).rows == ()


def test_a_patient_who_moved_counts_where_each_thing_happened(clinic):
    south, nurse, treatment = a_clinic("South"), a_person(clinic, "nurse"), a_story(clinic)
    moved = STARTED + 24 * DAY
    Transfer.objects.create(
        treatment=treatment, from_clinic=clinic, to_clinic=south, reason="moved", old_mrn="A", new_mrn="B",
        requested_at=moved, requested_by=nurse, accepted_at=moved, answered_by=nurse,
    )  # fmt: skip
    type(treatment).objects.filter(pk=treatment.pk).update(clinic=south)
    assert months(asked(clinic)) == {"2026-06": (2, 1, 1, 0, 50.0), "2026-07": (1, 1, 0, 0, 100.0)}
    assert months(asked(south)) == {"2026-07": (1, 0, 0, 1, 0.0)}
    assert (people(asked(clinic)).rows, people(asked(south)).rows[-1][-1]) == ((), 1)
    assert neutropenia(asked(clinic)).rows[0][6] == pytest.approx(24 / 365.25)


def test_a_record_merged_into_another_ends_with_the_merge(clinic):
    kept, merged, nurse = a_story(clinic), a_story(clinic), a_person(clinic, "nurse")
    Merge.objects.create(kept=kept, merged=merged, reason="one person", at=STARTED + 25 * DAY, by=nurse)
    assert people(asked(clinic)).rows[-1][-1] == 1
    # Both were owed two tests in June; of the last days in July the merged record kept the 7th and lost the 14th.
    assert months(asked(clinic)) == {"2026-06": (4, 2, 2, 0, 50.0), "2026-07": (3, 2, 0, 1, 66.7)}


def test_a_csv_repeats_its_question_in_each_row_and_is_streamed(as_nurse, clinic):
    a_story(clinic)
    answer = as_nurse.get("/reports/on-time.csv", {"since": "2026-06-01", "until": "2026-07-31"})
    assert answer.streaming
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["Month"], row["Owed"], row["On time"], row["Share on time"]) for row in rows] == [
        ("2026-06", "2", "1", "50.00"),
        ("2026-07", "2", "1", "50.00"),
    ]
    assert {(row["Clinics"], row["From"], row["As known at"]) for row in rows} == {
        ("North", "2026-06-01", NOW.isoformat())
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_a_csv_is_a_formula(text, clinic):
    assert safe(text) == f"'{text}"
    clinic.name = text
    assert next(row for row in csv.reader(lines(people(asked(clinic)), asked(clinic))) if row)
    a_treatment(clinic)
    *_, last = csv.reader(io.StringIO("".join(lines(people(asked(clinic)), asked(clinic))), newline=""))
    assert last[-4] == f"'{text}"


def test_no_two_columns_of_a_csv_bear_the_same_name(clinic):
    a_story(clinic)
    for report in every(asked(clinic)):
        head = next(csv.reader(lines(report, asked(clinic))))
        assert len(head) == len(set(head)) == len(report.columns) + 4


def test_numbers_stay_numbers_in_a_csv():
    assert [safe(value) for value in (-1, 1.005, None, inf, "–")] == ["-1", "1.00", "", "not yet", "–"]
    assert [duration(minutes) for minutes in (0.4, 59, 60, 310, 2879, 2880, 100_000)] == [
        "0 min", "59 min", "1 h", "5 h 10 min", "47 h 59 min", "2 d 0 h", "69 d 10 h",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_pdf_says_what_the_page_says_and_is_the_same_for_the_same_answer(as_nurse, clinic):
    a_story(clinic)
    first, again = (as_nurse.get("/reports/reports.pdf", {"as_known_on": "2026-09-01"}).content for _ in range(2))
    assert first.startswith(b"%PDF-")
    assert first == again
    told = inputs(every(asked(clinic)), [("Clinics", '#read("/etc/passwd") "')])
    texts = typst.query(str(LAYOUT), "table", field="children", sys_inputs=told)
    for words in ("2026-06", "50 %", "every week"):
        assert words in texts
    headings = typst.query(str(LAYOUT), "heading", field="body", sys_inputs=told)
    for title in ("Tests done on time", "Missed draws", "Alerts and answer times", "Neutropenia"):
        assert title in headings


def test_each_report_alone_is_the_one_on_the_page(clinic):
    a_story(clinic)
    assert [make(asked(clinic)) for make in ONE.values()] == every(asked(clinic))
    assert [report.key for report in every(asked(clinic))] == list(ONE)
