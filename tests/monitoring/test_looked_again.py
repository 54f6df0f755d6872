"""A number that nobody has: asked about, and confirmed by a person for itself alone."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
TICK = re.compile(r'<input type="checkbox" name="(?:1-)?confirmed"[^>]* value="([^"]*)"')
KEPT = re.compile(r'<input type="hidden" name="(?:1-)?confirmed" value="([^"]*)"')
NOBODYS, MEANT = "2.6", "2600"


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="UTC", count_unit="/uL")


@pytest.fixture
def treatment(client, clinic):
    client.force_login(a_person(clinic, "nurse"))
    found = a_treatment(clinic, patient=a_patient(clinic, mrn="A1"))
    a_count(found, 2400, at=NOW - 7 * DAY, now=NOW - 7 * DAY)
    return found


@pytest.fixture(params=["form", "sheet"])
def typed(request, client, treatment):
    """What the page says when these fields are sent from the form of one result, or as a row of the sheet."""
    entry = str(uuid4())

    def send(anc, **more):
        fields = {"entry": entry, "anc": anc} | more
        if request.param == "form":
            fields = {"drawn_at": "2026-09-14T07:30"} | fields
            address = reverse("log_result", args=[treatment.patient_id])
            return client.post(address, fields).content.decode()
        fields = {"who": "A1", "drawn_on": "2026-09-14", "drawn_time": "730"} | fields
        return client.post("/log/", {f"1-{name}": value for name, value in fields.items()}).content.decode()

    return send


def test_h11_a_number_that_nobody_has_is_asked_about_and_a_tick_for_it_lets_it_through(typed):
    page = typed(NOBODYS)
    assert "hardly possible" in page
    (numbers,) = TICK.findall(page)
    page = typed(NOBODYS, confirmed=numbers)
    assert "hardly possible" not in page
    assert "severe" in page.lower()
    assert KEPT.findall(page) == [numbers]


def test_h11_a_tick_for_one_number_is_none_for_another(typed):
    (numbers,) = TICK.findall(typed(NOBODYS))
    page = typed("1.9", confirmed=numbers)
    assert "hardly possible" in page
    assert TICK.findall(page) != [numbers]
    assert "hardly possible" in typed(NOBODYS, confirmed="on")
    page = typed(MEANT, confirmed=numbers)
    assert "hardly possible" not in page
    assert not KEPT.findall(page)


@pytest.mark.parametrize("wrong", [{"anc": ""}, {"anc": "many"}, {"anc": NOBODYS, "neutrophils_percent": "200"}])
def test_h11_nothing_else_that_is_wrong_offers_the_tick(typed, wrong):
    page = typed(**wrong)
    assert not TICK.findall(page)
    assert not KEPT.findall(page)


def test_h11_a_missing_date_offers_no_tick_for_the_number_beside_it(typed, request):
    page = typed(NOBODYS, drawn_at="", drawn_on="", drawn_time="")
    assert not TICK.findall(page)
