"""Today: what stands where, in which words, for whom, and how many questions it takes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.actions.drawing import DrawError, end_draw, record_draw
from monitoring.actions.treating import record_event
from monitoring.keyset import Order, id_of, moment, page_of
from monitoring.models import Draw, Merge, Treatment
from monitoring.sweep import sweep
from monitoring.worklist import draw_by
from patients.closed_days import close_days
from patients.models import Patient
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
SATURDAY = datetime(2026, 9, 19, 12, tzinfo=UTC)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.fixture
def today(client, nurse, time_machine):
    """What a nurse reads in one section of today's list; NOW is a Monday."""
    client.force_login(nurse)

    def read(section, address="/", now=NOW, **asked):
        time_machine.move_to(now, tick=False)
        page = client.get(address, asked).content.decode()
        part = page.partition(f'<section class="panel" id="{section}"')[2].partition("</section>")[0]
        return " ".join(part.split())

    return read


def someone(clinic, days_ago, name="Quill", **fields):
    """On weekly tests, last drawn so many days ago: due 7 days after it."""
    treatment = a_treatment(clinic, patient=a_patient(clinic, family_name=name), **fields)
    a_count(treatment, 2000, at=NOW - days_ago * DAY, now=NOW - days_ago * DAY)
    return treatment


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days_ago", "section", "words"),
    [
        (9, "overdue", "2 days late"),
        (8, "overdue", "1 day late"),
        (7, "due", "today"),
        (6, "soon", "Tue 15 Sep"),
        (0, "soon", "Mon 21 Sep"),
    ],
)
def test_each_test_stands_in_exactly_one_section_by_its_date(today, clinic, days_ago, section, words):
    someone(clinic, days_ago)
    assert words in today(section)
    assert sum("Quill, Alex" in today(name) for name in ("overdue", "due", "soon", "drawn", "paused", "off")) == 1


@pytest.mark.parametrize(
    ("due", "frequency", "expected"),
    [
        ("2026-09-19", "weekly", "2026-09-18"),
        ("2026-09-20", "monthly", "2026-09-18"),
        ("2026-09-18", "weekly", "2026-09-18"),
        ("2026-09-21", "weekly", "2026-09-21"),
        ("2026-09-19", "daily", "2026-09-19"),
        ("2026-09-20", "three_times_weekly", "2026-09-20"),
    ],
)
def test_h22_a_test_due_on_a_weekend_is_drawn_earlier_and_never_later(due, frequency, expected):
    assert draw_by(datetime.fromisoformat(due).date(), frequency).isoformat() == expected


@pytest.mark.slow
def test_h22_what_is_due_on_saturday_is_on_fridays_list_and_still_on_saturdays(today, clinic):
    a_count(a_treatment(clinic), 2000, at=SATURDAY - 7 * DAY, now=SATURDAY - 7 * DAY)
    assert "due Sat 19 Sep, which is a weekend" in today("due", now=SATURDAY - DAY)
    assert "Quill" not in today("soon", now=SATURDAY - DAY)
    assert "Fri 18 Sep" in today("soon", now=SATURDAY - 2 * DAY)
    assert "today" in today("due", now=SATURDAY)


@pytest.mark.slow
def test_h22_a_holiday_moves_a_draw_to_the_open_day_before_it(today, clinic):
    close_days(clinic=clinic, days={date(2026, 9, 17): "Holiday", date(2026, 9, 18): "Bridge"}, by=None, now=NOW)
    someone(clinic, 3)  # due on Friday 18 September
    wednesday = NOW + 2 * DAY
    assert "Wed 16 Sep" in today("soon")
    assert "due Fri 18 Sep, when the clinic is closed" in today("soon")
    assert "due Fri 18 Sep, when the clinic is closed" in today("due", now=wednesday)
    assert "Quill" not in today("soon", now=wednesday)


def test_h22_a_holiday_just_past_the_days_ahead_brings_its_draw_into_them(today, clinic):
    close_days(clinic=clinic, days={date(2026, 9, 22): "Holiday"}, by=None, now=NOW)
    treatment = a_treatment(clinic)
    Treatment.objects.filter(pk=treatment.pk).update(due_on=date(2026, 9, 22), overdue_after=date(2026, 9, 23))
    assert "Mon 21 Sep" in today("soon")
    Treatment.objects.filter(pk=treatment.pk).update(due_on=date(2026, 9, 23), overdue_after=date(2026, 9, 24))
    assert "Quill" not in today("soon")


@pytest.mark.slow
def test_h22_other_clinics_and_daily_tests_keep_their_days(today, clinic):
    close_days(clinic=a_clinic("West"), days={date(2026, 9, 18): "Holiday"}, by=None, now=NOW)
    someone(clinic, 3)
    assert "Fri 18 Sep" in today("soon")
    close_days(clinic=clinic, days={date(2026, 9, 15): "Holiday"}, by=None, now=NOW)
    daily = a_treatment(clinic, patient=a_patient(clinic, family_name="Rook"))
    Treatment.objects.filter(pk=daily.pk).update(
        due_on=date(2026, 9, 15), overdue_after=date(2026, 9, 15), frequency="daily"
    )
    assert "Rook" not in today("due")
    assert "Rook" in today("soon")


@pytest.mark.slow
def test_a_pause_is_shown_with_its_length_and_what_it_means(today, clinic):
    treatment = someone(clinic, 5)
    record_event(treatment=treatment, kind="last_dose", at=NOW - 3 * DAY, by=None, now=NOW)
    assert "3 days off" in today("paused")
    assert "restart from 12.5 mg; as a new patient in 27 days" in today("paused")
    assert "Quill" not in today("off")
    later = NOW + 30 * DAY
    assert "33 days off" in today("off", now=later)
    assert "Treatment may resume" not in today("off", now=later)
    assert "a restart is as a new patient: fresh baseline first" in today("off", now=later)


@pytest.mark.slow
def test_a_pause_that_a_clean_history_outweighs_is_on_the_list_from_its_first_day_on(today, clinic):
    treatment = a_treatment(clinic, started=NOW - 800 * DAY, protocol="eu-2025-09")
    a_count(treatment, 3000, at=NOW - 5 * DAY)
    record_event(treatment=treatment, kind="last_dose", at=NOW - 3 * DAY, by=None, now=NOW)
    words = "after so long without a low count tests go on as before"
    assert words in today("paused")
    assert "Quill" not in today("off")
    assert words in today("off", now=NOW + 40 * DAY)
    assert "as a new patient" not in today("off", now=NOW + 40 * DAY)


def test_who_stopped_for_good_or_restarted_is_not_paused(today, clinic):
    stopped, restarted = someone(clinic, 5, "Stopped"), someone(clinic, 5, "Restarted")
    record_event(treatment=stopped, kind="last_dose", at=NOW - 3 * DAY, by=None, now=NOW, stop=True)
    record_event(treatment=restarted, kind="last_dose", at=NOW - 3 * DAY, by=None, now=NOW)
    record_event(treatment=restarted, kind="restart", at=NOW - DAY, by=None, now=NOW)
    assert "Nobody is paused." in today("paused")


@pytest.mark.slow
def test_a_draw_waits_on_its_own_list_until_the_final_result_of_its_day_is_here(today, clinic, nurse):
    treatment = someone(clinic, 7)
    record_draw(treatment=treatment, drawn_at=NOW - HOUR, by=nurse, now=NOW)
    assert "drawn today at 11:00" in today("drawn")
    assert "drawn today at 11:00" in today("due")
    assert "Blood drawn" not in today("due")
    a_count(treatment, 2100, at=NOW - 9 * DAY, now=NOW)
    a_count(treatment, 2100, at=NOW - HOUR, now=NOW, status="preliminary")
    assert Draw.objects.get().ended_at is None
    result = a_count(treatment, 2100, at=NOW - 2 * HOUR, now=NOW)
    assert (Draw.objects.get().result, Draw.objects.get().ended_at) == (result, NOW)
    assert "No sample is on its way." in today("drawn")


@pytest.mark.parametrize(
    ("drawn_at", "said"),
    [
        (NOW + HOUR, "in the future"),
        (NOW - 15 * DAY, "more than 14 days ago"),
        (NOW - 7 * DAY, "is here already"),
    ],
)
def test_a_draw_that_cannot_be_is_refused_with_the_reason(clinic, nurse, drawn_at, said):
    with pytest.raises(DrawError, match=said):
        record_draw(treatment=someone(clinic, 7), drawn_at=drawn_at, by=nurse, now=NOW)


def test_blood_is_not_noted_twice_and_a_lost_tube_ends_the_waiting_with_its_reason(clinic, nurse):
    treatment = someone(clinic, 7)
    draw = record_draw(treatment=treatment, drawn_at=NOW - HOUR, by=nurse, now=NOW)
    with pytest.raises(DrawError, match="waits for its result"):
        record_draw(treatment=treatment, drawn_at=NOW, by=nurse, now=NOW)
    with pytest.raises(DrawError, match="say why"):
        end_draw(draw=draw, reason=" ", by=nurse, now=NOW)
    end_draw(draw=draw, reason="The tube broke", by=nurse, now=NOW)
    record_draw(treatment=treatment, drawn_at=NOW, by=nurse, now=NOW)


@pytest.mark.slow
def test_drawing_and_ending_work_from_the_page_and_a_pharmacist_may_do_neither(client, clinic, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    treatment = someone(clinic, 7)
    address = f"/patients/{treatment.patient_id}/drawn/"
    client.force_login(nurse)
    assert "until its result is here" in client.get(address).content.decode()
    assert "in the future" in client.post(address, {"drawn_at": "2026-09-15T08:00"}).content.decode()
    assert client.post(address, {"drawn_at": "2026-09-14T08:00"}).status_code == 302
    assert "Say why" in client.post(f"{address}end/", {"reason": ""}).content.decode()
    assert client.post(f"{address}end/", {"reason": "Clotted"}).status_code == 302
    assert Draw.objects.get().end_reason == "Clotted"
    client.force_login(a_person(clinic, "pharmacist"))
    assert client.get(address).status_code == client.post(f"{address}end/").status_code == 404


def test_a_draw_that_is_noted_leads_back_to_the_list_as_it_was_left_and_nowhere_else(
    client, clinic, nurse, time_machine
):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    address = f"/patients/{someone(clinic, 7).patient_id}/drawn/"
    page = client.get(address, headers={"Referer": "http://testserver/?mine=1&due=2026-09-01~7"}).content.decode()
    assert 'name="next" value="/?mine=1&amp;due=2026-09-01~7"' in page
    typed = {"drawn_at": "2026-09-15T08:00", "next": "/?mine=1&due=2026-09-01~7"}
    assert 'name="next" value="/?mine=1&amp;due=2026-09-01~7"' in client.post(address, typed).content.decode()
    noted = client.post(address, typed | {"drawn_at": "2026-09-14T08:00"})
    assert noted.headers["Location"] == "/?mine=1&due=2026-09-01~7"
    for elsewhere in ("//evil.example/?mine=1", "https://evil.example/?x", "http://[/?x", f"{address}?x"):
        left = client.post(f"{address}end/", {"reason": "Clotted", "next": elsewhere})
        assert left.headers["Location"] == "/"
        Draw.objects.update(ended_at=None, end_reason="", ended_by=None)


@pytest.mark.slow
def test_a_merged_record_and_another_clinics_patients_are_not_on_the_list(today, clinic, nurse):
    kept, merged = someone(clinic, 9, "Kept"), someone(clinic, 9, "Merged")
    someone(a_clinic("South"), 9, "Southern")
    merge = Merge.objects.create(kept=kept, merged=merged, reason="the same person", at=NOW, by=nurse)
    found = today("overdue")
    assert ("Kept" in found, "Merged" in found, "Southern" in found) == (True, False, False)
    sweep(now=NOW)
    assert not merged.alerts.exists()
    merge.undone_at, merge.undone_by, merge.undo_reason = NOW, nurse, "two people after all"
    merge.save()
    assert "Merged" in today("overdue")


@pytest.mark.slow
def test_a_merged_record_is_found_and_leads_to_the_one_that_is_kept(client, clinic, nurse):
    kept, merged = someone(clinic, 9, "Kept"), someone(clinic, 9, "Doubled")
    Merge.objects.create(kept=kept, merged=merged, reason="the same person", at=NOW, by=nurse)
    client.force_login(nurse)
    page = client.get("/", {"q": "doubled"}).content.decode()
    assert f'Merged: this is <a href="/patients/{kept.patient_id}/">' in page


@pytest.mark.slow
def test_the_list_is_narrowed_to_my_patients_to_a_state_and_to_one_of_my_clinics(client, clinic, time_machine):
    time_machine.move_to(NOW, tick=False)
    me, south = a_person(clinic, "prescriber"), a_clinic("South")
    me.memberships.create(clinic=south, role="nurse")
    someone(clinic, 9, "Mine", clinician=me)
    low = someone(clinic, 9, "Low")
    a_count(low, 1200, at=NOW - 8 * DAY, now=NOW)
    someone(south, 9, "Southern")
    client.force_login(me)

    def names(**asked):
        part = client.get("/", asked).content.decode().partition('id="overdue-title"')[2].partition("</section>")[0]
        return {name for name in ("Mine", "Low", "Southern") if f">{name}, Alex<" in part}

    assert names() == {"Mine", "Low", "Southern"}
    assert names(mine="1") == {"Mine"}
    assert names(state="band:mild") == {"Low"}
    assert names(state="advice:continue") == {"Mine", "Low", "Southern"}
    assert names(clinic=south.slug) == {"Southern"}
    assert names(state="patient:1") == {"Mine", "Low", "Southern"}
    assert client.get("/", {"clinic": a_clinic("West").slug}).status_code == 404


@pytest.mark.slow
def test_pages_follow_each_other_without_a_gap_or_a_double_even_while_rows_go(today, clinic):
    for number in range(27):
        someone(clinic, 9, f"Number{number:02}")
    first = today("overdue")
    mark = first.partition('id="overdue-next" href="?overdue=')[2].partition("#")[0]
    assert (first.count("<li"), "Number24" in first, "Number25" in first) == (25, True, False)
    a_count(Treatment.objects.get(patient__family_name="Number03"), 2000)
    second = today("overdue", f"/?overdue={mark}")
    assert (second.count("<li"), "Number25" in second, "Number26" in second) == (2, True, True)
    assert "Overdue (26)" in second
    assert "Overdue (26)" in today("overdue", "/?overdue=nonsense~x")


def test_pages_of_two_clinics_are_merged_in_order_and_counting_stops(clinic):
    south, order = a_clinic("South"), Order(("overdue_after", "pk"), (moment, id_of))
    for place, days in ((clinic, 9), (south, 10), (clinic, 11), (south, 12)):
        someone(place, days)
    lists = [Treatment.objects.filter(clinic=place) for place in (clinic, south)]
    page = page_of(lists, order, size=3)
    days = [Treatment.objects.get(pk=pk).overdue_after for pk in page.ids]
    assert (days == sorted(days), page.total, page.counted, bool(page.next)) == (True, 4, "4", True)


@pytest.mark.slow
def test_today_asks_a_fixed_number_of_questions_and_never_skips_rows(client, clinic, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)

    def asked():
        with CaptureQueriesContext(connection) as questions:
            client.get("/", {"q": "quill"})
        assert not any(" OFFSET " in question["sql"] for question in questions.captured_queries)
        return len(questions)

    for days_ago in (0, 7, 9):
        a_count(someone(clinic, days_ago), 400, at=NOW - HOUR, now=NOW)
    record_draw(treatment=someone(clinic, 7), drawn_at=NOW, by=nurse, now=NOW)
    few = asked()
    for days_ago in (0, 6, 7, 7, 8, 9, 9, 12):
        someone(clinic, days_ago)
        record_event(treatment=someone(clinic, 8), kind="last_dose", at=NOW - DAY, by=None, now=NOW)
        record_draw(treatment=someone(clinic, 7), drawn_at=NOW, by=nurse, now=NOW)
        a_count(someone(clinic, 9), 400, at=NOW - HOUR, now=NOW)
    assert asked() == few <= 30


def test_the_refresh_answers_with_the_list_alone_and_with_the_same_page_of_it(client, clinic, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    someone(clinic, 9)
    answer = client.get("/?mine=1&overdue=2026-09-01~5", headers={"HX-Request": "true", "HX-Target": "worklist"})
    page = answer.content.decode()
    assert page.startswith('<div id="worklist"')
    assert 'hx-get="/?mine=1&amp;overdue=2026-09-01~5"' in page.replace("%7E", "~")
    assert "<html" not in page


@pytest.mark.slow
def test_the_morning_print_is_one_table_with_a_box_for_everybody(client, clinic, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    for number in range(30):
        someone(clinic, 9, f"Number{number:02}")
    page = client.get("/print/").content.decode()
    assert (page.count("<table"), page.count('class="box"'), "Number29" in page) == (1, 30, True)


@pytest.mark.parametrize(
    "words", ["n77", "N77", "1980-05-17", "oka", "ad oka", "oka ad", "Okafor, Ada", "okafor ada b"]
)
def test_search_finds_by_mrn_birth_and_the_beginnings_of_names_in_any_case(clinic, words):
    sought = a_patient(clinic, mrn="N77", given_name="Ada", family_name="Okafor")
    a_patient(clinic, given_name="Bo", family_name="Adams", date_of_birth=date(1990, 1, 2))
    assert Patient.objects.all().look_for(words, clinics=[clinic], most=25) == [sought]


def test_search_knows_letters_beyond_ascii_and_takes_a_percent_sign_as_it_is(clinic):
    sought = a_patient(clinic, given_name="Åsa", family_name="Öberg")
    found = {words: Patient.objects.all().look_for(words, clinics=[clinic], most=5) for words in ("öb", "ÅS", "%", "_")}
    assert found == {"öb": [sought], "ÅS": [sought], "%": [], "_": []}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "index"),
    [("quil", "patients_by_family"), ("1980-05-17", "patients_by_birth")],
)
def test_every_kind_of_search_is_answered_from_an_index(clinic, words, index):
    Patient.objects.bulk_create(
        Patient(clinic=clinic, mrn=f"I{n}", given_name=f"G{n:05}", family_name=f"F{n:05}", created_at=NOW,
                date_of_birth=date(1930, 1, 1) + timedelta(days=n * 7))
        for n in range(3000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_patient")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as asked:
        Patient.objects.all().look_for(words, clinics=[clinic], most=5)
    plans = []
    with connection.cursor() as cursor:
        for question in asked.captured_queries:
            cursor.execute("EXPLAIN " + question["sql"])
            plans.append(" ".join(line for (line,) in cursor.fetchall()))
    assert any(index in plan and "Index Cond: ((clinic_id =" in plan for plan in plans), plans
    assert all("Seq Scan on patients_patient" not in plan for plan in plans)


@pytest.mark.slow
def test_a_name_is_text_wherever_it_came_from(today, clinic, client, nurse):
    treatment = someone(clinic, 9, '<img src="x">&')
    a_count(treatment, 400, at=NOW - HOUR, now=NOW)
    someone(clinic, 9, "<b>'")
    for section in ("alerts", "overdue"):
        assert "<img" not in today(section)
        assert "<b>" not in today(section)
    assert "&lt;img src=&quot;x&quot;&gt;&amp;, Alex" in today("alerts")
    assert f'href="/patients/{treatment.patient_id}/"' in today("alerts")


def test_the_list_says_the_hour_of_the_clinic_and_not_of_the_server(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    clinic = a_clinic(time_zone="America/New_York")
    client.force_login(a_person(clinic, "nurse"))
    assert "As of 08:00" in client.get("/").content.decode()
