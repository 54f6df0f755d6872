"""What if: the same history under another protocol, side by side, and nothing is written but that it was opened."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from monitoring.actions.deciding import change_protocol
from monitoring.actions.treating import document_ben, record_event
from monitoring.models import Assessment, Treatment
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic(time_machine):
    time_machine.move_to(NOW, tick=False)
    return a_clinic()


@pytest.fixture
def prescriber(clinic, client):
    prescriber = a_person(clinic, "prescriber")
    client.force_login(prescriber)
    return prescriber


def looked(client, treatment, protocol):
    page = client.get(reverse("what_if", args=[treatment.patient_id]), {"protocol": protocol}).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_both_judgements_stand_side_by_side_and_differences_are_said_in_words(client, clinic, prescriber):
    treatment = a_treatment(clinic)
    a_count(treatment, 900, at=NOW - DAY)
    page = looked(client, treatment, "eu-2025-09")
    assert "Advice Interrupt treatment Stop treatment differs" in page
    assert "Restart as a new patient no break is open no break is open same" in page
    assert "900 moderate stop differs" in page
    assert "Treatment is stopped for good under this protocol." in page


def test_it_says_what_the_switch_would_then_say(client, clinic, prescriber):
    treatment = a_treatment(clinic)
    a_count(treatment, 1700, at=NOW - DAY, count={"wbc": "6000"})
    page = looked(client, treatment, "uk-ztas")
    change_protocol(treatment=treatment, protocol_key="uk-ztas", reason="Moves", by=prescriber, now=NOW)
    treatment.refresh_from_db()
    assert f"Band of the latest count normal {treatment.band} differs" in page
    assert f"{treatment.due_on:%a} {treatment.due_on.day} {treatment.due_on:%b %Y} differs" in page


def test_looking_writes_nothing_but_that_the_patient_was_opened(client, clinic, prescriber):
    treatment = a_treatment(clinic)
    before = (Assessment.objects.count(), Treatment.objects.values().get(), AuditEvent.objects.count())
    looked(client, treatment, "ca-2023")
    after = (Assessment.objects.count(), Treatment.objects.values().get(), AuditEvent.objects.count() - 1)
    assert before == after
    assert AuditEvent.objects.latest("pk").verb == "patient_opened"


def test_a_count_without_white_cells_is_incomplete_where_they_are_needed(client, clinic, prescriber):
    treatment = a_treatment(clinic)
    a_count(treatment, 2400, at=NOW - DAY)
    page = looked(client, treatment, "uk-cpms")
    assert "2400 not reported normal incomplete differs" in page
    assert "lacks the white cell count" in page


def test_rules_that_know_no_ben_say_so(client, clinic, prescriber):
    treatment = a_treatment(clinic)
    second = a_person(clinic, "prescriber")
    given = {"baseline_anc": Decimal(1200), "evidence": "Duffy", "by": prescriber, "confirmed_by": second, "now": NOW}
    document_ben(treatment=treatment, **given)
    assert "cannot judge this history" in looked(client, treatment, "au-2021")


def test_a_break_has_the_day_of_each_protocol(client, clinic, prescriber):
    treatment = a_treatment(clinic)
    record_event(treatment=treatment, kind="last_dose", at=NOW - 10 * DAY, by=None, now=NOW)
    page = looked(client, treatment, "eu-2025-09")
    assert "Restart as a new patient Sun 4 Oct 2026 Fri 2 Oct 2026 differs" in page


def test_an_unknown_protocol_shows_the_choice_again(client, clinic, prescriber):
    page = looked(client, a_treatment(clinic), "mars")
    assert "Show side by side" in page
    assert "differs" not in page
