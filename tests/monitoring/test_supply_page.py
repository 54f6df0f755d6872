"""The pharmacist's card: the answer, leave, tablets, two keys, and who may do what."""

from datetime import date

import pytest

from monitoring.actions.dispensing import verdict_of
from monitoring.actions.treating import record_event
from monitoring.models import Authorisation, Dispense, Override
from patients.actions import issue_token
from patients.closed_days import close_days
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to(NOW, tick=False)


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
def pharmacist(client, clinic):
    staff = a_person(clinic, "pharmacist")
    client.force_login(staff)
    return staff


def at(treatment, rest=""):
    return f"/patients/{treatment.patient_id}/supply/{rest}"


def entry(page):
    return {"entry": str(page.context["entry"]), "basis": page.context["treatment"].version}


def confirm(treatment):
    return {"confirm": "1", "basis": treatment.version}


def test_the_card_says_how_many_days_until_when_and_why(client, pharmacist, treatment):
    page = client.get(at(treatment)).content.decode()
    assert "May supply" in page
    assert "up to 7 days, until Sun 20 Sep 2026" in page
    assert "Nothing administrative blocks here" in page
    assert "The US REMS ended" in page


def test_authorise_and_hand_over(client, pharmacist, treatment):
    page = client.get(at(treatment))
    client.post(at(treatment, "authorise/"), entry(page))
    client.post(at(treatment, "authorise/"), entry(page))
    leave = Authorisation.objects.get()
    typed = {"strength_mg": "100", "quantity": "21", "days": "7"}
    answer = client.post(at(treatment, f"{leave.pk}/"), typed, follow=True)
    assert "The tablets reach until Sun 20 Sep 2026" in answer.content.decode()
    assert Dispense.objects.get().days == 7


@pytest.mark.slow
def test_a_second_tab_is_not_told_handed_over_for_tablets_that_were_taken_back(client, pharmacist, treatment):
    client.post(at(treatment, "authorise/"), entry(client.get(at(treatment))))
    leave, typed = Authorisation.objects.get(), {"strength_mg": "100", "quantity": "21", "days": "7"}
    client.post(at(treatment, f"{leave.pk}/"), typed)
    again = client.post(at(treatment, f"{leave.pk}/"), typed | {"quantity": "14"})
    assert (again.status_code, "21 × 100 mg for 7 days" in again.content.decode()) == (409, True)
    client.post(
        f"/patients/{treatment.patient_id}/supplied/{Dispense.objects.get().pk}/void/", {"reason": "Not collected"}
    )
    answer = client.post(at(treatment, f"{leave.pk}/"), typed)
    assert answer.status_code == 409
    assert "handed over and taken back" in answer.content.decode()


def test_until_when_to_hand_over_is_said_with_its_day_in_the_clinics_zone(client):
    clinic = a_clinic(time_zone="America/New_York")
    treatment = a_treatment(clinic)
    a_count(treatment, 2500, at=NOW)
    client.force_login(a_person(clinic, "pharmacist"))
    said = client.post(at(treatment, "authorise/"), entry(client.get(at(treatment))), follow=True).content.decode()
    until = Authorisation.objects.get().expires_at.astimezone(clinic.zone)
    assert f"Hand over before {until:%a %-d %b, %H:%M}." in said
    assert "UTC" not in said


@pytest.mark.parametrize(("news", "words"), [(400, "Do not supply"), (2600, "May supply")])
def test_h39_a_stale_tab_gets_409_and_the_new_verdict(client, pharmacist, treatment, news, words):
    page = client.get(at(treatment))
    a_count(treatment, news, at=NOW)
    answer = client.post(at(treatment, "authorise/"), entry(page))
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert not Authorisation.objects.exists()


def test_too_many_days_or_nonsense_keep_what_was_typed(client, pharmacist, treatment):
    client.post(at(treatment, "authorise/"), entry(client.get(at(treatment))))
    leave = Authorisation.objects.get()
    over = client.post(at(treatment, f"{leave.pk}/"), {"strength_mg": "100", "quantity": "90", "days": "30"})
    assert over.status_code == 409
    assert "more than the 7" in over.content.decode()
    wrong = client.post(at(treatment, f"{leave.pk}/"), {"strength_mg": "100", "quantity": "x", "days": "7"})
    assert (wrong.status_code, 'value="x"' in wrong.content.decode()) == (400, True)


@pytest.mark.slow
def test_a_bridge_supply_goes_through_two_people(client, clinic, pharmacist, treatment, time_machine):
    time_machine.move_to(NOW + 9 * DAY, tick=False)
    client.force_login(pharmacist)
    asked = {"bridge": "bridge", "code": "laboratory", "words": "Tube lost", "days": "4", "hours": "24"}
    client.post(f"/patients/{treatment.patient_id}/overrides/", asked)
    override = Override.objects.get()
    own = client.post(f"/patients/{treatment.patient_id}/overrides/{override.pk}/", confirm(treatment), follow=True)
    assert "a second person must answer" in own.content.decode()
    client.force_login(a_person(clinic, "prescriber"))
    client.post(f"/patients/{treatment.patient_id}/overrides/{override.pk}/", confirm(treatment))
    client.force_login(pharmacist)
    page = client.get(at(treatment))
    client.post(at(treatment, "authorise/"), entry(page) | {"override": override.pk})
    assert Authorisation.objects.get().days == 4


def test_h39_a_second_key_is_not_turned_on_a_page_from_before_a_severe_result(client, clinic, pharmacist, treatment):
    asked = {"bridge": "override", "code": "benefit", "words": "Relapse", "days": "3", "hours": "24"}
    client.post(f"/patients/{treatment.patient_id}/overrides/", asked)
    client.force_login(a_person(clinic, "prescriber"))
    a_count(treatment, 400, at=NOW)
    place = f"/patients/{treatment.patient_id}/overrides/{Override.objects.get().pk}/"
    answer = client.post(place, confirm(treatment))
    assert (answer.status_code, "Do not supply" in answer.content.decode()) == (409, True)
    assert Override.objects.get().confirmed_at is None
    treatment.refresh_from_db()
    assert client.post(place, confirm(treatment)).status_code == 302


@pytest.mark.slow
def test_h28_where_the_clinic_asks_for_enrolment_its_own_policy_alone_can_be_overridden(
    client, clinic, pharmacist, treatment
):
    place = f"/patients/{treatment.patient_id}/overrides/"
    asked = {"bridge": "administrative", "code": "other", "words": "Enrolled tomorrow", "days": "7", "hours": "24"}
    assert client.post(place, asked).status_code == 400
    clinic.policies = {"registry_enrolments": 1}
    clinic.save()
    assert client.post(place, asked).status_code == 302
    override = Override.objects.get()
    client.force_login(a_person(clinic, "prescriber"))
    client.post(f"{place}{override.pk}/", confirm(treatment))
    client.force_login(pharmacist)
    a_count(treatment, 900, at=NOW)
    page = client.get(at(treatment))
    refused = client.post(at(treatment, "authorise/"), entry(page) | {"override": override.pk})
    assert (refused.status_code, Authorisation.objects.exists()) == (409, False)


@pytest.mark.slow
def test_a_bridge_too_long_is_refused_with_what_would_be_right(client, pharmacist, treatment):
    asked = {"bridge": "bridge", "code": "laboratory", "words": "Tube lost", "days": "9", "hours": "24"}
    answer = client.post(f"/patients/{treatment.patient_id}/overrides/", asked)
    assert (answer.status_code, "at most 4 days" in answer.content.decode()) == (400, True)


def test_a_declined_request_needs_a_reason(client, clinic, pharmacist, treatment):
    asked = {"bridge": "override", "code": "benefit", "words": "Relapse", "days": "3", "hours": "24"}
    client.post(f"/patients/{treatment.patient_id}/overrides/", asked)
    client.force_login(a_person(clinic, "prescriber"))
    place = f"/patients/{treatment.patient_id}/overrides/{Override.objects.get().pk}/"
    assert "say why" in client.post(place, {"decline": "1"}, follow=True).content.decode()
    client.post(place, {"decline": "1", "answer": "Blood is here"})
    assert Override.objects.get().answer == "Blood is here"


def test_a_dispense_is_taken_back_with_a_reason(client, pharmacist, treatment):
    client.post(at(treatment, "authorise/"), entry(client.get(at(treatment))))
    typed = {"strength_mg": "100", "quantity": "21", "days": "7"}
    client.post(at(treatment, f"{Authorisation.objects.get().pk}/"), typed)
    place = f"/patients/{treatment.patient_id}/supplied/{Dispense.objects.get().pk}/void/"
    client.post(place, {"reason": ""})
    assert Dispense.objects.get().voided_at is None
    client.post(place, {"reason": "Not collected"})
    assert Dispense.objects.get().void_reason == "Not collected"


@pytest.mark.parametrize(
    ("role", "sees", "supplies"), [("nurse", 200, 404), ("auditor", 404, 404), ("pharmacist", 200, 302)]
)
def test_who_may_see_and_who_may_supply(client, clinic, treatment, role, sees, supplies):
    client.force_login(a_person(clinic, role))
    page = client.get(at(treatment))
    assert page.status_code == sees
    posted = {"entry": "8b7f5f0e-3c53-4e43-9f8d-0d3e1d6a9f10", "basis": treatment.version}
    assert client.post(at(treatment, "authorise/"), posted).status_code == supplies


def test_another_clinics_pharmacist_is_told_that_there_is_no_such_patient(client, treatment):
    client.force_login(a_person(a_clinic("South"), "pharmacist"))
    assert client.get(at(treatment)).status_code == 404


def test_the_api_gives_the_same_answer(client, clinic, treatment):
    _, token = issue_token(clinic=clinic, name="till", verbs=["eligibility:read"], by=None, now=NOW)
    for address in (
        f"/api/v1/treatments/{treatment.pk}/eligibility",
        f"/api/v1/treatments/{treatment.pk}/eligibility/",
    ):
        answer = client.post(address, headers={"Authorization": f"Bearer {token}"}).json()
        assert (answer["answer"], answer["days"], answer["until"]) == ("may_supply", 7, "2026-09-20")
        assert answer["why"][0]["kind"] == "clinical"


@pytest.mark.slow
def test_the_card_asks_a_fixed_number_of_questions(client, pharmacist, treatment, django_assert_max_num_queries):
    with django_assert_max_num_queries(32):
        client.get(at(treatment))
    for day in range(1, 30):
        a_count(treatment, 2500, at=NOW - day * DAY, now=NOW)
    with django_assert_max_num_queries(32):
        client.get(at(treatment))


@pytest.mark.slow
def test_the_card_plans_a_discharge_and_days_away_and_changes_nothing(client, pharmacist, treatment):
    discharge = client.get(at(treatment), {"collect_on": "2026-09-16"}).content.decode()
    assert "7 days of tablets, until Tue 22 Sep 2026" in discharge
    assert "Take blood by 2026-09-21" in discharge
    away = client.get(at(treatment), {"collect_on": "2026-09-18", "back_on": "2026-09-30"}).content.decode()
    assert "Not enough: 7 days of tablets, until Thu 24 Sep 2026" in away
    for wrong, said in (
        ({"collect_on": ""}, "Give the day"),
        ({"collect_on": "2026-09-13"}, "2026-09-13 is past"),
        ({"collect_on": "9999-12-30"}, "look at the year"),
        ({"collect_on": "2026-09-18", "back_on": "2026-09-17"}, "not before it"),
    ):
        assert said in client.get(at(treatment), wrong).content.decode()
    assert not Authorisation.objects.exists()


def test_in_the_uk_a_count_without_its_white_cells_begins_no_days_of_supply(clinic):
    treatment = a_treatment(clinic, started=NOW - 60 * DAY, protocol="uk-cpms")
    a_count(treatment, 5000, at=NOW - 9 * DAY, count={"wbc": "8000"})
    a_count(treatment, 5000, at=NOW - DAY)
    verdict = verdict_of(treatment, now=NOW)
    assert (verdict.days, "count.incomplete" in [why.rule for why in verdict.why]) == (1, True)


@pytest.mark.slow
def test_no_supply_is_planned_against_the_advice(client, pharmacist, treatment):
    client.force_login(pharmacist)
    place = f"/patients/{treatment.patient_id}/supply/?collect_on=2026-09-16"
    assert "7 days of tablets" in client.get(place).content.decode()
    record_event(treatment=treatment, kind="last_dose", at=NOW - 3 * DAY, by=None, now=NOW)
    paused = client.get(place).content.decode()
    assert "Prescriber must decide first." in paused
    a_count(treatment, 400, at=NOW)
    stopped = client.get(place).content.decode()
    assert "No tablets on this blood" in stopped
    assert "Take blood by" not in stopped


def test_h22_a_planned_supply_asks_for_blood_on_a_day_on_which_the_clinic_takes_it(client, pharmacist, treatment):
    close_days(clinic=treatment.clinic, days={date(2026, 9, 21): "Inventory"}, by=None, now=NOW)
    assert "Take blood by 2026-09-18" in client.get(at(treatment), {"collect_on": "2026-09-16"}).content.decode()
    close_days(clinic=a_clinic(), days={date(2026, 9, 18): "Another clinic's"}, by=None, now=NOW)
    assert "Take blood by 2026-09-18" in client.get(at(treatment), {"collect_on": "2026-09-16"}).content.decode()


def test_the_card_says_which_rule_decided_how_far_and_asks_about_tablets_that_are_over(
    client, pharmacist, treatment, time_machine
):
    assert "Tests every week: at most 7 days at a time." in client.get(at(treatment)).content.decode()
    treatment.__class__.objects.filter(pk=treatment.pk).update(tablets_until=(NOW - 2 * DAY).date())
    page = client.get(at(treatment)).content.decode()
    assert "Ask first." in page
    assert "ended on 2026-09-12, 2 days ago" in page


@pytest.mark.slow
def test_the_api_answers_with_the_clock_and_a_plan(client, clinic, treatment):
    _, token = issue_token(clinic=clinic, name="till", verbs=["eligibility:read"], by=None, now=NOW)
    treatment.__class__.objects.filter(pk=treatment.pk).update(tablets_until=(NOW + DAY).date())

    def ask(body):
        address, headers = f"/api/v1/treatments/{treatment.pk}/eligibility/", {"Authorization": f"Bearer {token}"}
        return client.post(address, body, content_type="application/json", headers=headers)

    answer = ask({}).json()
    assert answer["planned"] is None
    clock = answer["supply_clock"]
    assert (clock["days_left"], clock["gap_on"], clock["test_booked"]) == (2, "2026-09-16", None)
    assert clock["gap_means"][1]["on"] == "2026-09-17"
    planned = ask({"collect_on": "2026-09-16"}).json()["planned"]
    assert (planned["days"], planned["until"], planned["sample_by"]) == (7, "2026-09-22", "2026-09-21")
    for wrong in (
        [1], {"back_on": "2026-09-20"}, {"collect_on": "soon"}, {"collect_on": "2026-09-10"}, {"day": "2026-09-20"},
        {"collect_on": "9999-12-31"}, {"collect_on": "2026-09-16", "back_on": 5},
    ):  # fmt: skip
        assert ask(wrong).status_code == 400, wrong
