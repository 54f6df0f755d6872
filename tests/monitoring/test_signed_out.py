"""A session that ends, a page from before a sign-in: nothing is done, and the page says so."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from monitoring.models import Alert
from tests.cast import NOW, a_clinic, a_count, a_person, a_treatment
from tests.monitoring.desk import words

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def nurse(clinic):
    nurse = a_person(clinic, "nurse")
    nurse.set_password("a long enough one")
    nurse.save()
    return nurse


@pytest.fixture
def alert(clinic):
    treatment = a_treatment(clinic)
    a_count(treatment, 700)
    return Alert.objects.get(treatment=treatment, cause="neutropenia")


def sent(client, alert, page="", **typed):
    headers = {"Referer": page} if page else {}
    address = reverse("acknowledge", args=[alert.pk])
    return client.post(address, {"basis": alert.basis} | typed, headers=headers)


def test_what_is_sent_after_the_session_ended_is_not_done_and_signing_in_leads_back_to_its_page(client, nurse, alert):
    page = f"http://testserver/alerts/{alert.pk}/?from=mail"
    out = sent(client, alert, page, note="Called, <she> is well", second_password="a secret phrase")
    assert (out.status_code, out.headers["Cache-Control"]) == (401, "no-store")
    assert "Not done: you were signed out Nothing of what you sent was saved." in words(out)
    assert "Called, &lt;she&gt; is well</textarea>" in out.content.decode()
    assert "a secret phrase" not in out.content.decode()
    asked = {"username": nurse.username, "password": "a long enough one", "next": out.context["next"]}
    back = client.post(reverse("sign_in"), asked)
    assert (back.status_code, back.headers["Location"]) == (302, f"/alerts/{alert.pk}/?from=mail")
    alert.refresh_from_db()
    assert alert.state == "open"


@pytest.mark.parametrize(
    "page", ["", "https://elsewhere.example/alerts/1/", "http://testserver//elsewhere.example/", "javascript:alert(1)"]
)
def test_signing_in_again_leads_to_no_other_place(client, alert, page):
    assert sent(client, alert, page).context["next"] == "/"


def test_signing_out_is_no_loss_and_the_api_answers_as_before(client, nurse):
    client.force_login(nurse)
    assert client.post(reverse("sign_out")).headers["Location"] == "/sign-in/"
    assert client.post("/api/v1/patients/").headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_page_from_before_the_sign_in_is_refused_in_plain_words(nurse, alert, signed_in):
    client = Client(enforce_csrf_checks=True)
    if signed_in:
        client.force_login(nurse)
    refused = sent(client, alert)
    assert refused.status_code == 403
    assert "Not done: this page is from before you signed in" in words(refused)
    alert.refresh_from_db()
    assert alert.state == "open"


def test_a_patient_is_told_in_their_own_words():
    refused = Client(enforce_csrf_checks=True).post("/my/some-link/unwell/", {"fever": "on"})
    assert refused.status_code == 403
    assert "Open your link again" in words(refused)
    assert "Abra su enlace otra vez" in words(refused)


def test_an_address_that_only_takes_a_form_shows_no_blank_page(client, nurse, alert):
    client.force_login(nurse)
    blank = client.get(reverse("acknowledge", args=[alert.pk]))
    assert (blank.status_code, blank.headers["Allow"]) == (405, "POST")
    assert "There is nothing to show at this address" in words(blank)


@pytest.mark.slow
def test_who_works_stays_signed_in_and_a_screen_that_nobody_attends_does_not(client, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    for hour in (5, 10, 15):
        time_machine.move_to(NOW + hour * HOUR, tick=False)
        assert client.get("/").status_code == 200, hour
    for hour in (20, 22):
        time_machine.move_to(NOW + hour * HOUR, tick=False)
        assert client.get("/", headers={"HX-Request": "true", "HX-Target": "worklist"}).status_code == 200
    time_machine.move_to(NOW + 24 * HOUR, tick=False)
    assert client.get("/").status_code == 302


def test_a_session_is_written_once_in_half_of_its_time(client, nurse, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(nurse)
    half = timedelta(seconds=settings.SESSION_COOKIE_AGE / 2)
    written = []
    for later in (HOUR, half, half + HOUR, half + 2 * HOUR):
        time_machine.move_to(NOW + later, tick=False)
        written.append("sessionid" in client.get(reverse("own_password")).cookies)
    assert written == [False, False, True, False]
