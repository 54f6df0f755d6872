"""What a typed result is asked about, held by the action itself and not only by a page."""

from dataclasses import replace
from uuid import uuid4

import pytest

from monitoring.actions.answering import acknowledge
from monitoring.actions.record_result import record_result
from monitoring.models import Alert, Result
from monitoring.rules.slips import Answers, DoubtError
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_report, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse", first_name="Nia", last_name="Bell")


@pytest.fixture
def treatment(clinic):
    return a_treatment(clinic, clinician=a_person(clinic, "prescriber"))


def typed(treatment, anc, nurse, *, at=NOW, now=NOW, **answers):
    """As a nurse types it, with what she answered."""
    report = replace(a_report(anc, at=at, accession=f"typed-{uuid4()}"), source="manual", answers=Answers(**answers))
    return record_result(treatment=treatment, report=report, by=nurse, now=now)


def asked_about(treatment, anc, nurse, **more):
    with pytest.raises(DoubtError) as doubt:
        typed(treatment, anc, nurse, **more)
    return [question.code for question in doubt.value.asked]


def test_h11_a_typed_count_that_loosens_a_band_is_stored_only_with_its_number_again_and_a_proof(treatment, nurse):
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    again = {"confirmed": ("loosens",), "again": "1300"}
    for answers in ({}, {"confirmed": ("loosens",)}, again, again | {"again": "3100", "document": "L-7"}):
        assert asked_about(treatment, 1300, nurse, **answers) == ["loosens"]
    assert not Result.objects.filter(source="manual").exists()
    stored = typed(treatment, 1300, nurse, **again, document="L-4711")
    assert stored.reason == "Laboratory report L-4711."
    kept = AuditEvent.objects.filter(verb="result_recorded").latest("pk").detail
    assert (kept["asked"], kept["answered"]) == (["loosens"], {"document": "L-4711"})


def test_h11_a_second_person_is_a_colleague_of_the_clinic_and_never_the_typist(treatment, nurse, clinic):
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    answers = {"confirmed": ("loosens",), "again": "1300"}
    for stranger in (nurse, a_person(a_clinic("South"), "nurse"), a_person(clinic, "auditor")):
        assert asked_about(treatment, 1300, nurse, **answers, second=stranger.pk)
    colleague = a_person(clinic, "pharmacist", first_name="Sam", last_name="Reed")
    assert typed(treatment, 1300, nurse, **answers, second=colleague.pk).reason == "Sam Reed has read the report too."


def test_h34_the_prescriber_hears_of_a_typed_count_that_loosened_a_band_and_not_of_the_laboratorys(treatment, nurse):
    a_count(treatment, 900, at=NOW - 3 * DAY, now=NOW - 3 * DAY)
    a_count(treatment, 1200, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    assert not Alert.objects.filter(cause="loosened").exists()
    typed(treatment, 1800, nurse, confirmed=("loosens",), again="1800", document="L-4711")
    alert = Alert.objects.get(cause="loosened")
    assert (alert.owner, alert.get_severity_display()) == (treatment.clinician, "Routine")
    assert "Typed by Nia Bell: ANC 1800 /uL, normal, after 1200 /uL, mild" in alert.summary
    assert "L-4711" in alert.summary
    assert Delivery.objects.filter(about=f"alert:{alert.pk}", address=treatment.clinician.email).exists()


def test_h34_each_further_loosening_is_told_though_the_first_alert_was_acknowledged(treatment, nurse):
    a_count(treatment, 700, at=NOW - 3 * DAY, now=NOW - 3 * DAY)
    for hours, anc in ((0, 1200), (24, 1800)):
        moment = NOW + hours * DAY / 24
        typed(treatment, anc, nurse, at=moment, now=moment, confirmed=("loosens",), again=str(anc), document="L-4711")
        alert = Alert.objects.get(cause="loosened")
        assert (alert.state, Delivery.objects.filter(about=f"alert:{alert.pk}").count()) == ("open", 1 + hours // 24)
        acknowledge(alert=alert, by=treatment.clinician, now=moment + DAY / 24)


@pytest.mark.parametrize(("anc", "meant"), [(240, "2400"), (24000, "2400"), (9900, "990"), (7200, "2700")])
def test_h11_a_factor_of_ten_or_swapped_digits_is_stopped_with_what_was_probably_meant(treatment, nurse, anc, meant):
    a_count(treatment, 2500, at=NOW - 7 * DAY, now=NOW - 7 * DAY)
    with pytest.raises(DoubtError, match="far from the last count") as doubt:
        typed(treatment, anc, nurse)
    assert (f"Probably {meant} /uL was meant" in str(doubt.value)) == (meant != "990")
    assert typed(treatment, anc, nurse, confirmed=("change",), again=str(anc)).pk


def test_h23_blood_drawn_long_ago_or_before_the_latest_count_needs_a_reason(treatment, nurse):
    assert asked_about(treatment, 2500, nurse, at=NOW - 73 * DAY / 24) == ["late"]
    late = typed(treatment, 2500, nurse, at=NOW - 4 * DAY, confirmed=("late",), reason="The fax came today")
    assert late.reason == "The fax came today"
    a_count(treatment, 2400, at=NOW - DAY, now=NOW)
    assert asked_about(treatment, 2500, nurse, at=NOW - 2 * DAY) == ["late"]
    assert typed(treatment, 2500, nurse, at=NOW - DAY / 2).reason == ""


def test_h17_the_same_draw_typed_twice_is_asked_about_and_the_same_entry_is_not(treatment, nurse):
    report = replace(a_report(2500, accession=f"typed-{uuid4()}"), source="manual")
    rows = {record_result(treatment=treatment, report=report, by=nurse, now=NOW).pk for _ in range(3)}
    assert len(rows) == 1
    assert asked_about(treatment, 2600, nurse, at=NOW - DAY / 100, now=NOW) == ["duplicate", "late"]
    assert asked_about(treatment, 2500, nurse, at=NOW + DAY / 3, now=NOW + DAY / 3) == ["duplicate"]
    assert typed(treatment, 2500, nurse, at=NOW + DAY / 3, now=NOW + DAY / 3, confirmed=("duplicate",), sure=True)


def test_h11_two_rows_that_changed_places_are_noticed_at_the_second(clinic, treatment, nurse):
    other = a_treatment(clinic, patient=a_patient(clinic, given_name="Bo", family_name="Marsh"))
    a_count(treatment, 2500, at=NOW - 7 * DAY, now=NOW - 7 * DAY)
    for weeks in (3, 2, 1):
        a_count(other, 4600, at=NOW - 7 * weeks * DAY, now=NOW - 7 * weeks * DAY)
    typed(treatment, 4500, nurse)
    assert asked_about(other, 2600, nurse) == ["neighbour"]
    assert asked_about(other, 4500, nurse) == ["neighbour"]
    assert typed(other, 2600, nurse, now=NOW + DAY).pk


def test_a_question_that_was_not_shown_is_not_answered_by_chance(treatment, nurse):
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    everything = {"again": "3900", "document": "L-1", "reason": "The fax came late", "sure": True}
    assert asked_about(treatment, 3900, nurse, confirmed=("change",), **everything) == ["loosens"]


def test_a_program_that_calls_its_result_typed_meets_the_same_questions(treatment):
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    assert asked_about(treatment, 1300, None) == ["loosens"]
