"""Overrides and bridge supplies: reviewed by a third person, on the patient's page for ever, reported by month."""

import csv
import io
import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.dispensing import authorise
from monitoring.actions.overriding import ask_override, confirm_override, decline_override, review_override
from monitoring.models import Alert, Override
from monitoring.reports.every import ONE, every
from monitoring.reports.overrides import by_month, given, one_by_one
from monitoring.reports.question import Question
from monitoring.reports.spreadsheet import lines
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def treatment(clinic):
    treatment = a_treatment(clinic)
    a_count(treatment, 2500, at=NOW)
    treatment.refresh_from_db()
    return treatment


@pytest.fixture
def people(clinic):
    roles = {"asks": "pharmacist", "confirms": "prescriber", "reviews": "nurse"}
    return {part: a_person(clinic, role, first_name=part.title(), last_name="X") for part, role in roles.items()}


def asked_for(treatment, people, *, at=NOW, bridge=True, days=4, code="laboratory", hours=24):
    return ask_override(
        treatment=treatment, bridge=bridge, code=code, words="The courier lost Quill's tube", days=days, hours=hours,
        by=people["asks"], now=at,
    )  # fmt: skip


def told(clinic, known_at=NOW + 90 * DAY, **fields):
    days = {"since": date(2026, 8, 1), "until": date(2026, 10, 31)} | fields
    return Question(clinics=(clinic,), known_at=known_at, **days)


def test_h27_an_override_is_reviewed_by_somebody_who_neither_asked_nor_confirmed(treatment, people):
    row = asked_for(treatment, people)
    with pytest.raises(ValueError, match="nothing to review"):
        review_override(override=row, by=people["reviews"], now=NOW, words="Fine")
    confirm_override(override=row, by=people["confirms"], now=NOW)
    for part in ("asks", "confirms"):
        with pytest.raises(ValueError, match="neither asked nor confirmed"):
            review_override(override=row, by=people[part], now=NOW, words="Fine")
    with pytest.raises(ValueError, match="say what you found"):
        review_override(override=row, by=people["reviews"], now=NOW, words=" ")
    for at in (NOW + HOUR, NOW + DAY):
        review_override(override=row, by=people["reviews"], now=at, words="Agreed: the note is on file")
    row.refresh_from_db()
    assert (row.reviewed_by, row.reviewed_at) == (people["reviews"], NOW + HOUR)
    assert AuditEvent.objects.filter(verb="override_reviewed", subject=f"override:{row.pk}").count() == 1


@pytest.mark.parametrize("part", ["asks", "confirms"])
def test_h27_the_database_refuses_a_review_by_those_who_had_a_part_in_it(treatment, people, part):
    row = asked_for(treatment, people)
    confirm_override(override=row, by=people["confirms"], now=NOW)
    seen = {"reviewed_at": NOW, "review": "Fine"}
    with pytest.raises(IntegrityError, match="override_reviewed_by_another"), transaction.atomic():
        Override.objects.filter(pk=row.pk).update(reviewed_by=people[part], **seen)
    with pytest.raises(IntegrityError, match="override_review_has_who_and_what"), transaction.atomic():
        Override.objects.filter(pk=row.pk).update(reviewed_by=people["reviews"], **seen | {"review": ""})
    Override.objects.filter(pk=row.pk).update(reviewed_by=people["reviews"], **seen)


def test_a_no_ends_the_alert_that_asked_and_a_yes_is_told_until_it_is_reviewed(treatment, people):
    alerts = Alert.objects.standing().filter(cause="override")
    row = asked_for(treatment, people, bridge=False)
    decline_override(override=row, by=people["confirms"], now=NOW, answer="Blood is here")
    assert not alerts.exists()
    row = asked_for(treatment, people, bridge=False)
    confirm_override(override=row, by=people["confirms"], now=NOW)
    assert "confirmed" in alerts.get().summary
    review_override(override=row, by=people["reviews"], now=NOW, words="Agreed")
    assert not alerts.exists()


def test_one_request_waits_at_a_time_and_an_expired_one_makes_room(treatment, people):
    first = asked_for(treatment, people)
    with pytest.raises(ValueError, match="waits for a second person already"):
        asked_for(treatment, people, at=NOW + HOUR)
    second = asked_for(treatment, people, at=NOW + 25 * HOUR)
    first.refresh_from_db()
    assert (first.state_at(NOW + 26 * HOUR), second.state_at(NOW + 26 * HOUR)) == ("expired", "waiting")
    assert [row.answer for row in given(told(treatment.clinic))] == ["not answered", "not answered"]


def a_month(treatment, people):
    """1 September: a bridge, confirmed, used and reviewed. 3 September: an override, declined. 8 October: expired."""
    first = asked_for(treatment, people, at=NOW - 13 * DAY)
    confirm_override(override=first, by=people["confirms"], now=NOW - 13 * DAY + HOUR)
    Override.objects.filter(pk=first.pk).update(used_at=NOW - 12 * DAY)
    review_override(override=first, by=people["reviews"], now=NOW + DAY, words="Agreed")
    second = asked_for(treatment, people, at=NOW - 11 * DAY, bridge=False, code="benefit", days=7, hours=48)
    decline_override(override=second, by=people["confirms"], now=NOW - 11 * DAY + HOUR, answer="Blood is here")
    asked_for(treatment, people, at=NOW + 24 * DAY, bridge=False, code="other", days=2)


def test_the_month_counts_what_was_asked_confirmed_used_and_reviewed(treatment, clinic, people):
    a_month(treatment, people)
    question = told(clinic)
    assert by_month(question, given(question)).rows == (
        ("2026-08", 0, 0, 0, 0, 0, 0, 0, None),
        ("2026-09", 1, 1, 1, 1, 0, 0, 0, 100.0),
        ("2026-10", 0, 0, 0, 1, 0, 0, 0, None),
    )


def test_each_one_says_who_asked_who_answered_why_how_much_how_long_and_whether_it_was_used(treatment, clinic, people):
    a_month(treatment, people)
    rows = one_by_one(given(told(clinic))).rows
    assert [row[0] for row in rows] == ["2026-09-01", "2026-09-03", "2026-10-08"]
    assert rows[0][2:] == (
        "bridge", "Laboratory or courier failed", 4, 24 * 60.0, "Asks X", "confirmed", "Confirms X", "yes", "Reviews X",
    )  # fmt: skip
    assert rows[1][2:] == (
        "override", "Benefit outweighs the risk for this patient", 7, 48 * 60.0, "Asks X", "declined", "Confirms X",
        "no", "–",
    )  # fmt: skip
    assert rows[2][7:] == ("not answered", "–", "no", "–")


def test_a_past_day_is_told_as_it_was_known_then(treatment, clinic, people):
    a_month(treatment, people)
    asked = NOW - 13 * DAY
    (waits,) = one_by_one(given(told(clinic, known_at=asked + HOUR / 2))).rows
    assert waits[7:] == ("waiting", "–", "no", "–")
    (confirmed,) = one_by_one(given(told(clinic, known_at=asked + 2 * HOUR))).rows
    assert confirmed[7:] == ("confirmed", "Confirms X", "no", "to review")
    assert given(told(clinic, known_at=asked - HOUR)) == []


@pytest.mark.slow
def test_the_reports_are_pages_spreadsheets_and_name_no_patient(client, treatment, clinic, people, time_machine):
    a_month(treatment, people)
    time_machine.move_to(NOW + 30 * DAY, tick=False)
    client.force_login(people["confirms"])
    page = client.get("/reports/").content.decode()
    assert "Overrides and bridge supplies by month" in page
    assert "Laboratory or courier failed" in page
    assert client.get("/reports/reports.pdf").content.startswith(b"%PDF")
    for key in ("overrides", "overrides-each"):
        answer = client.get(f"/reports/{key}.csv")
        table = list(csv.reader(io.StringIO(b"".join(answer).decode())))
        assert len(table) > 1
        assert "Quill" not in str(table)
    question = told(clinic)
    assert "Quill" not in str(every(question))
    assert list(lines(ONE["overrides"](question), question))


def test_h33_the_report_of_another_clinic_does_not_see_them(treatment, people):
    a_month(treatment, people)
    assert given(told(a_clinic("South"))) == []


# Pages


@pytest.fixture
def _today(time_machine):
    time_machine.move_to(NOW + 2 * HOUR, tick=False)


@pytest.mark.slow
@pytest.mark.usefixtures("_today")
def test_the_patients_page_shows_each_of_them_for_ever_and_as_it_was_known_then(
    client, treatment, people, time_machine
):
    row = asked_for(treatment, people)
    confirm_override(override=row, by=people["confirms"], now=NOW + HOUR)
    time_machine.move_to(NOW + 3000 * DAY, tick=False)
    client.force_login(people["confirms"])
    place = f"/patients/{treatment.patient_id}/"
    page = client.get(place).content.decode()
    assert "Overrides and bridge supplies" in page
    assert "lost Quill&#x27;s tube" in page
    assert "confirmed by Confirms X; not reviewed yet" in page
    assert (
        "Bridge supply confirmed, 4 days, laboratory or courier failed" in client.get(f"{place}?all=1").content.decode()
    )
    review_override(override=row, by=people["reviews"], now=NOW + 3000 * DAY, words="Agreed")
    assert "reviewed by Reviews X" in client.get(place).content.decode()
    past = client.get(f"{place}?as_of=2026-09-14").content.decode()
    assert "not reviewed yet" in past


@pytest.mark.slow
@pytest.mark.usefixtures("_today")
def test_what_waits_for_an_answer_or_a_review_stands_at_the_counter(client, treatment, people):
    client.force_login(people["reviews"])
    row = asked_for(treatment, people)
    assert "Waiting for a second person" in client.get("/supply/").content.decode()
    confirm_override(override=row, by=people["confirms"], now=NOW + HOUR)
    page = client.get("/supply/").content.decode()
    assert "Waiting for a second person" not in page
    assert "Not reviewed yet" in page
    place = f"/patients/{treatment.patient_id}/overrides/{row.pk}/review/"
    assert "say what you found" in client.post(place, {"answer": ""}, follow=True).content.decode()
    assert "Marked as reviewed" in client.post(place, {"answer": "Agreed"}, follow=True).content.decode()
    assert "Not reviewed yet" not in client.get("/supply/").content.decode()


@pytest.mark.slow
@pytest.mark.usefixtures("_today")
def test_the_card_offers_the_review_to_others_only(client, treatment, people):
    row = asked_for(treatment, people)
    confirm_override(override=row, by=people["confirms"], now=NOW + HOUR)
    authorise(treatment=treatment, entry=uuid.uuid4(), override=row, by=people["asks"], now=NOW + HOUR)
    for part, offered in (("asks", False), ("confirms", False), ("reviews", True)):
        client.force_login(people[part])
        page = client.get(f"/patients/{treatment.patient_id}/supply/").content.decode()
        assert ("Mark as reviewed" in page) is offered


@pytest.mark.slow
@pytest.mark.usefixtures("_today")
def test_the_counters_lists_cost_the_same_for_3_and_for_20(client, clinic, people, django_assert_num_queries):
    client.force_login(people["reviews"])
    for _ in range(3):
        asked_for(a_treatment(clinic), people, at=NOW + HOUR)
    with django_assert_num_queries(7):
        client.get("/supply/")
    for _ in range(17):
        asked_for(a_treatment(clinic), people, at=NOW + HOUR)
    with django_assert_num_queries(7):
        client.get("/supply/")
