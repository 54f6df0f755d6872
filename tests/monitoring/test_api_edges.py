"""The API's edges: a key taken twice at once, methods and addresses that are not there, texts that cannot be stored."""

import json
import threading

import pytest
from django.db import connection
from django.test import Client

from monitoring.models import Alert, IdempotencyKey, Result
from patients.actions import issue_token
from patients.models import AuditEvent
from tests.cast import NOW, a_clinic, a_count, a_treatment

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def headers(clinic):
    verbs = ["patients:read", "results:write", "alerts:read"]
    _, token = issue_token(clinic=clinic, name="lab", verbs=verbs, by=None, now=NOW)
    return {"Authorization": f"Bearer {token}"}


def a_body(**fields):
    given = {"source": "lis", "accession": "B1", "status": "final", "drawn_at": "2026-09-14T11:00:00Z"}
    return given | {"anc": "0.42", "unit": "10*9/L"} | fields


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_is_not_possible_is_405_and_says_which_are(client, headers, method):
    answer = client.generic(method, "/api/v1/patients/", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, PROBLEM)
    assert "possible: GET" in answer.json()["detail"]
    assert client.generic(method, "/api/v1/patients/").status_code == 401


def test_head_needs_what_get_needs(client, headers):
    assert client.head("/api/v1/patients/", headers=headers).status_code == 200
    assert client.head("/api/v1/worklist/", headers=headers).status_code == 403


@pytest.mark.parametrize("address", ["nothing/", "patients/abc/", "treatments/1/results"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_not_there_is_a_problem_and_not_a_page(client, headers, method, address):
    answer = client.generic(method, f"/api/v1/{address}", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, PROBLEM)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "field"),
    [
        (a_body(version=2**31), "version"),
        (a_body(version=2**70), "version"),
        (a_body(accession="\ud800"), "accession"),
        (a_body(source="a\udfff"), "source"),
        (a_body() | {"\ud800": 1}, "\\ud800"),
    ],
)
def test_what_the_database_could_not_store_is_refused_by_name(client, headers, clinic, body, field):
    address = f"/api/v1/treatments/{a_treatment(clinic).pk}/results/"
    answer = client.post(address, json.dumps(body), "application/json", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_opening_an_alert_is_opening_its_patient(client, headers, clinic):
    treatment = a_treatment(clinic)
    a_count(treatment, 400)
    client.get(f"/api/v1/alerts/{Alert.objects.first().pk}/", headers=headers)
    assert AuditEvent.objects.get(verb="patient_opened").patient_id == treatment.patient_id


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("treatments", [1, 2])
def test_two_requests_that_take_one_key_at_once_leave_one_result_and_one_conflict(clinic, headers, treatments):
    for number in range(8):
        made = [a_treatment(clinic) for _ in range(treatments)]
        posts = [(made[0], f"R{number}a"), (made[-1], f"R{number}b")]
        assert sorted(posted_at_once(posts, headers | {"Idempotency-Key": f"k{number}"})) == [201, 409]
        assert Result.objects.filter(accession__in=[accession for _, accession in posts]).count() == 1
        assert IdempotencyKey.objects.filter(key=f"k{number}").count() == 1


def posted_at_once(posts, headers):
    codes, gate = [], threading.Barrier(len(posts))

    def post(treatment, accession):
        gate.wait()
        address, body = f"/api/v1/treatments/{treatment.pk}/results/", json.dumps(a_body(accession=accession))
        codes.append(Client().post(address, body, "application/json", headers=headers).status_code)
        connection.close()

    threads = [threading.Thread(target=post, args=each) for each in posts]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return codes
