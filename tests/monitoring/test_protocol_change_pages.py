"""The pages of a clinic's change of protocol: ask, read who changes how, sign, and what became of everybody."""

import csv
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.actions.carrying_on import go_on
from monitoring.actions.foreseeing import begin_change
from monitoring.models import ProtocolChange, Treatment
from monitoring.views import protocol_change as pages
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def prescriber(clinic, client):
    prescriber = a_person(clinic, "prescriber", first_name="Pia", last_name="Prescriber")
    client.force_login(prescriber)
    return prescriber


def asked(client, clinic, **more):
    told = {"clinic": clinic.pk, "protocol_key": "eu-2025-09", "reason": "The letter of September"} | more
    return client.post(reverse("protocol_changes"), told)


def shown(client, change, **more):
    return client.get(reverse("protocol_change", args=[change.pk]), more).content.decode()


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def sign(client, change, password=PASSWORD):
    return client.post(reverse("confirm_protocol", args=[change.pk]), {"password": password})


@pytest.mark.slow
def test_asking_shows_who_changes_how_and_changes_nothing(client, clinic, prescriber):
    a_count(a_treatment(clinic, patient=a_patient(clinic, mrn="LOW")), 900, at=NOW - DAY)
    a_treatment(clinic, patient=a_patient(clinic, mrn="FINE"))
    asked(client, clinic)
    page = words(shown(client, ProtocolChange.objects.get()))
    for said in (
        "2 of 2 patients foreseen", "1 advice becomes stricter", "1 : Interrupt treatment → Stop treatment",
        "LOW", "2 patients are judged by European Union", "1 are told to stop: a severe alert each",
    ):  # fmt: skip
        assert said in page
    assert set(Treatment.objects.values_list("protocol_key", flat=True)) == {"us-label-2025"}


def test_each_kind_has_its_own_list_with_both_sides_in_words(client, clinic, prescriber):
    a_count(a_treatment(clinic, patient=a_patient(clinic, mrn="LOW")), 900, at=NOW - DAY)
    fine = a_treatment(clinic, patient=a_patient(clinic, mrn="FINE"), started=NOW - 300 * DAY)
    a_count(fine, 2400, at=NOW - 2 * DAY)
    asked(client, clinic)
    change = ProtocolChange.objects.get()
    page = words(shown(client, change, show="later"))
    assert "every 2 weeks → every month" in page
    assert ("FINE" in page, "LOW" in page) == (True, False)


@pytest.mark.slow
def test_a_nurse_may_ask_and_only_a_prescriber_signs_with_the_password(client, clinic, prescriber):
    a_treatment(clinic)
    client.force_login(a_person(clinic, "nurse"))
    asked(client, clinic)
    change = ProtocolChange.objects.get()
    assert "can sign here" in shown(client, change)
    assert sign(client, change).status_code == 404
    client.force_login(prescriber)
    refusal = sign(client, change, "not my password").content.decode()
    assert "That is not your password. Nothing is changed." in refusal
    assert Treatment.objects.get().protocol_key == "us-label-2025"
    sign(client, change)
    assert Treatment.objects.get().protocol_key == "eu-2025-09"
    assert "signed by Pia Prescriber" in shown(client, change)
    assert AuditEvent.objects.filter(verb="protocol_change_confirmed", staff=prescriber, ip="127.0.0.1").exists()


def test_who_was_not_switched_is_listed_with_the_reason(client, clinic, prescriber):
    treatment = a_treatment(clinic, patient=a_patient(clinic, mrn="MOVED"))
    asked(client, clinic)
    change = ProtocolChange.objects.get()
    a_count(treatment, 900, at=NOW - DAY / 24, now=NOW)
    sign(client, change)
    page = words(shown(client, change))
    assert "1 was not switched; each says why below" in page
    assert "Something was recorded since the preview: band would be stop, foreseen was normal" in page


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(client, clinic, prescriber):
    a_treatment(clinic)
    page = asked(client, clinic, protocol_key="", reason="Because of the letter").content.decode()
    assert ("Not asked yet" in page, "Because of the letter" in page) == (True, True)
    asked(client, clinic)
    assert "finish or cancel it first" in asked(client, clinic).content.decode()


def test_the_page_does_the_work_itself_when_every_worker_is_dead(client, clinic, prescriber):
    a_treatment(clinic)
    change = begin_change(clinic=clinic, protocol_key="eu-2025-09", reason="The letter", by=prescriber, now=NOW)
    assert "Looking at every patient; nothing is changed" in shown(client, change)
    answer = client.post(reverse("go_on_protocol", args=[change.pk]), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    assert "1 of 1 patients" in words(answer.content.decode())


def test_it_can_be_cancelled_at_any_time(client, clinic, prescriber):
    a_treatment(clinic)
    asked(client, clinic)
    change = ProtocolChange.objects.get()
    client.post(reverse("cancel_protocol", args=[change.pk]))
    assert "Nothing was changed" in shown(client, change)
    sign(client, change)
    assert Treatment.objects.get().protocol_key == "us-label-2025"


def test_every_row_comes_as_csv_without_formulas_and_the_download_is_audited(client, clinic, prescriber):
    a_treatment(clinic, patient=a_patient(clinic, mrn="M7", family_name="=cmd()"))
    asked(client, clinic)
    change = ProtocolChange.objects.get()
    answer = client.get(reverse("protocol_change_csv", args=[change.pk]))
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert (row["mrn"], row["family_name"], row["kind"]) == ("M7", "'=cmd()", "same")
    assert AuditEvent.objects.filter(verb="protocol_change_downloaded").count() == 1


@pytest.mark.slow
def test_h33_who_left_the_clinic_since_is_shown_to_nobody_here(client, clinic, prescriber):
    treatment = a_treatment(clinic, patient=a_patient(clinic, mrn="GONE"))
    asked(client, clinic)
    change = ProtocolChange.objects.get()
    south = a_clinic("South")
    Treatment.objects.filter(pk=treatment.pk).update(clinic=south)
    assert "GONE" not in shown(client, change)
    answer = client.get(reverse("protocol_change_csv", args=[change.pk]))
    assert b"GONE" not in b"".join(answer.streaming_content)
    sign(client, change)
    assert "moved to another clinic" in change.rows.get().why


@pytest.mark.slow
def test_the_lists_pages_cost_the_same_however_long_they_are(client, clinic, prescriber, monkeypatch):
    monkeypatch.setattr(pages, "MOST", 20)

    def questions(patients):
        for _ in range(patients):
            a_treatment(clinic)
        change = begin_change(clinic=clinic, protocol_key="eu-2025-09", reason="The letter", by=prescriber, now=NOW)
        go_on(change.pk, clock=lambda: NOW)
        with CaptureQueriesContext(connection) as seen:
            page = shown(client, change)
        client.post(reverse("cancel_protocol", args=[change.pk]))
        return len(seen), "Next</a>" in page

    few, many = questions(3), questions(27)
    assert few[0] == many[0]
    assert (few[1], many[1]) == (False, True)
