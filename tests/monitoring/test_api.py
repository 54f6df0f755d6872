"""The API: a token opens one clinic for its verbs; results are recorded once; refusals say what would be right."""

import json
import threading

import pytest
from django.db import connection
from django.test import Client

from monitoring.models import Alert, Result
from patients.actions import issue_token, revoke_token
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_treatment

pytestmark = pytest.mark.django_db
ALL = ["patients:read", "results:read", "results:write", "alerts:read", "worklist:read"]


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def call(client, clinic):
    """A program with every verb at the clinic; `verbs=` and `at=` for another."""

    def calling(method, address, body=None, *, at=clinic, verbs=ALL, key=None, raw=None):
        _, token = issue_token(clinic=at, name="lab", verbs=list(verbs), by=None, now=NOW)
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        content = raw if raw is not None else json.dumps(body) if body is not None else ""
        return client.generic(method, f"/api/v1/{address}", content, "application/json", headers=headers)

    return calling


def a_body(**fields):
    given = {"source": "lis", "accession": "B1", "status": "final", "drawn_at": "2026-09-14T11:00:00Z"}
    return given | {"anc": "0.42", "unit": "10*9/L"} | fields


def test_a_result_is_recorded_judged_and_alerted_and_the_answer_says_all_of_it(call, clinic):
    treatment = a_treatment(clinic)
    answer = call("POST", f"treatments/{treatment.pk}/results/", a_body())
    assert answer.status_code == 201
    assert (answer.json()["result"]["anc"], answer.json()["judgement"]["treatment"]) == ("420", "stop")
    assert Alert.objects.filter(cause="neutropenia", severity=1).exists()
    assert Result.objects.get(accession="B1").integration.name == "lab"


def test_a_number_in_json_stays_exact(call, clinic):
    address = f"treatments/{a_treatment(clinic).pk}/results/"
    raw = json.dumps(a_body()).replace('"0.42"', "1.49894")
    assert call("POST", address, raw=raw).json()["result"]["anc"] == "1498.94"


def test_the_same_result_again_is_known_and_stored_once_with_and_without_a_key(call, clinic):
    address = f"treatments/{a_treatment(clinic).pk}/results/"
    first = call("POST", address, a_body())
    for key in (None, "k1", "k1"):
        again = call("POST", address, a_body(), key=key)
        assert (again.status_code, again.json()["result"]) == (200, first.json()["result"])
    assert Result.objects.filter(accession="B1").count() == 1


def test_the_same_key_with_another_body_is_a_conflict_and_records_nothing(client, clinic):
    address = f"/api/v1/treatments/{a_treatment(clinic).pk}/results/"
    _, token = issue_token(clinic=clinic, name="lab", verbs=ALL, by=None, now=NOW)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
    codes = [
        client.post(address, json.dumps(body), "application/json", headers=headers).status_code
        for body in (a_body(), a_body(), a_body(accession="B2"))
    ]
    assert codes == [201, 200, 409]
    assert not Result.objects.filter(accession="B2").exists()


def test_a_stored_version_with_other_content_is_a_conflict(call, clinic):
    address = f"treatments/{a_treatment(clinic).pk}/results/"
    call("POST", address, a_body(version=1))
    answer = call("POST", address, a_body(version=1, anc="2.0"))
    assert (answer.status_code, "send a correction as version 2" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (a_body(unit="mg"), "unit"),
        (a_body(anc="1,5"), "anc"),
        (a_body(anc="1500"), "anc"),
        (a_body(anc=["x"]), "anc"),
        (a_body(drawn_at="2026-09-14T11:00:00"), "drawn_at"),
        (a_body(drawn_at="2027-09-14T11:00:00Z"), "drawn_at"),
        (a_body(status="done"), "status"),
        (a_body(accession=""), "accession"),
        (a_body(accession="a\x00b"), "accession"),
        (a_body(version=0), "version"),
        (a_body(supported="yes"), "supported"),
        (a_body(acn="1.5"), "acn"),
        ([1], "body"),
    ],
)
def test_a_bad_body_is_a_problem_that_names_the_field_and_what_would_be_right(call, clinic, body, field):
    answer = call("POST", f"treatments/{a_treatment(clinic).pk}/results/", body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field
    assert len(answer.json()["errors"][0]["message"]) > 15


def test_what_is_not_json_is_a_problem_too(call, clinic):
    answer = call("POST", f"treatments/{a_treatment(clinic).pk}/results/", raw="{")
    assert (answer.status_code, "not JSON" in answer.json()["detail"]) == (400, True)


READS = [
    ("patients/", "patients:read"),
    ("patients/{patient}/", "patients:read"),
    ("treatments/", "results:read"),
    ("treatments/{treatment}/", "results:read"),
    ("treatments/{treatment}/results/", "results:read"),
    ("treatments/{treatment}/judgements/", "results:read"),
    ("alerts/", "alerts:read"),
    ("alerts/{alert}/", "alerts:read"),
    ("worklist/", "worklist:read"),
]


@pytest.mark.parametrize(("address", "verb"), READS)
def test_each_read_needs_its_verb_and_shows_nothing_of_another_clinic(call, client, clinic, address, verb):
    treatment = a_treatment(clinic)
    a_count(treatment, 400)
    ids = {"patient": treatment.patient_id, "treatment": treatment.pk, "alert": Alert.objects.first().pk}
    here = address.format(**ids)
    own = call("GET", here, verbs=[verb])
    assert own.status_code == 200
    assert call("GET", here, verbs=set(ALL) - {verb}).status_code == 403
    assert client.get(f"/api/v1/{here}").status_code == 401
    other = call("GET", here, at=a_clinic("South"))
    if "{" in address:
        assert other.status_code == 404
    else:
        assert not any(other.json().values())


def test_another_clinics_treatment_cannot_be_written(call, clinic):
    treatment = a_treatment(clinic)
    answer = call("POST", f"treatments/{treatment.pk}/results/", a_body(), at=a_clinic("South"))
    assert answer.status_code == 404
    assert not Result.objects.filter(accession="B1").exists()


def test_a_revoked_or_unknown_token_opens_nothing(client, clinic):
    integration, token = issue_token(clinic=clinic, name="lab", verbs=ALL, by=None, now=NOW)
    revoke_token(integration=integration, by=None, now=NOW)
    for wrong in (token, "guess"):
        answer = client.get("/api/v1/patients/", headers={"Authorization": f"Bearer {wrong}"})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_opening_a_patient_through_the_api_is_audited(call, clinic):
    treatment = a_treatment(clinic)
    call("GET", f"patients/{treatment.patient_id}/")
    assert AuditEvent.objects.get(verb="patient_opened").integration.name == "lab"


def test_pages_follow_each_other_and_ask_a_fixed_number_of_questions(
    call, clinic, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr("monitoring.api.views.PAGE", 2)
    for _ in range(5):
        a_treatment(clinic)
    seen, after = [], 0
    while after is not None:
        with django_assert_max_num_queries(8):
            page = call("GET", f"treatments/?after={after}").json()
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_the_description_names_every_address(client):
    described = client.get("/api/v1/schema/").content.decode()
    for address, _ in READS:
        assert address.split("{")[0] in described


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_eight_copies_of_one_message_at_once_make_one_result_and_one_alert(clinic):
    treatment = a_treatment(clinic)
    _, token = issue_token(clinic=clinic, name="lab", verbs=ALL, by=None, now=NOW)
    codes, gate = [], threading.Barrier(8)

    def post():
        gate.wait()
        answer = Client().post(
            f"/api/v1/treatments/{treatment.pk}/results/",
            json.dumps(a_body()),
            "application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "once"},
        )
        codes.append(answer.status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(codes) == [200] * 7 + [201]
    assert Result.objects.filter(accession="B1").count() == 1
    assert Alert.objects.filter(cause="neutropenia").count() == 1


def test_h06_the_worklist_knows_what_is_overdue_while_no_scheduler_runs(call, clinic):
    late, in_time = a_treatment(clinic), a_treatment(clinic)
    a_count(late, 2500, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    a_count(in_time, 2500, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    assert not Alert.objects.exists()
    assert [row["id"] for row in call("GET", "worklist/").json()["overdue"]] == [late.pk]


def test_a_worklist_shows_alerts_overdue_and_due(call, clinic):
    a_count(a_treatment(clinic), 2000, at=NOW - 9 * DAY)
    a_count(a_treatment(clinic), 400)
    lists = call("GET", "worklist/").json()
    assert (len(lists["overdue"]), len(lists["due"]), lists["alerts"][0]["severity"]) == (1, 1, "severe")
