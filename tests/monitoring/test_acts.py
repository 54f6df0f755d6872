"""What people do about a patient: the consequences are shown first, and saved only when confirmed."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
import re

import pytest
from django.urls import reverse

from monitoring.actions.treating import record_dose, record_event
from monitoring.models import Alert, BenProposal, BenStatus, DoseChange, Merge, Result, TreatmentEvent
from patients.models import AuditEvent, ContactPoint
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber", first_name="Pia", last_name="Prescriber")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def treatment(clinic, prescriber):
    treatment = a_treatment(clinic, started=NOW - 92 * DAY, clinician=prescriber)
    a_count(treatment, 2400, at=NOW - DAY, accession="latest")
    return treatment


class Desk:
    """One person at the pages of acts."""

    def __init__(self, client, staff):
        self.client, self.staff = client, staff

    def look(self, treatment, name, **typed):
        self.client.force_login(self.staff)
        return self.client.post(reverse("act", args=[treatment.patient_id, name]), typed)

    def do(self, treatment, name, **typed):
        page = self.look(treatment, name, **typed)
        word = re.search(r'name="confirm" value="([0-9a-f]+)"', page.content.decode())
        assert word, page.content.decode()
        return self.look(treatment, name, confirm=word[1], **typed)


@pytest.fixture
def desk(client, prescriber):
    return Desk(client, prescriber)


def words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode().replace("&#x27;", "'")).split())


def on(moment):
    local = moment.astimezone(a_zone)
    return {"on": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
