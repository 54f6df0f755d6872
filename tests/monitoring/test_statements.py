"""The eligibility statement: issued on what is known, on one page, checked by anybody, ended by what is newer."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
import typst
from django.core.cache import cache
from django.db import IntegrityError, transaction

from monitoring.actions.dispensing import NotAuthorisedError, StaleError
from monitoring.actions.merging import merge, undo_merge
from monitoring.actions.record_result import Report, record_result
from monitoring.actions.statements import (
    ALPHABET,
    LENGTH,
    code_in,
    issue_statement,
    revoke_statement,
    standing_of,
)
from monitoring.actions.treating import record_event
from monitoring.models import Statement, StatementRevoked
from monitoring.papers import statement as paper
from monitoring.throttle import PER_MINUTE
from patients.actions import issue_token
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(time_machine):
    cache.clear()
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def pharmacist(clinic):
    return a_person(clinic, "pharmacist", first_name="Phil", last_name="Pharmacist")


@pytest.fixture
def treatment(clinic):
    treatment = a_treatment(clinic)
    a_count(treatment, 2500, at=NOW)
    treatment.refresh_from_db()
    return treatment


@pytest.fixture
def statement(treatment, pharmacist):
    return issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW, addressee="St. Mary's")


def asked(statement, now=NOW):
    statement = Statement.objects.select_related("treatment__clinic").get(pk=statement.pk)
    found = standing_of(statement, now=now)
    return found.valid, found.since


def test_it_holds_as_long_as_the_answer_does_and_not_an_instant_longer(statement):
    assert statement.verdict["holds_until"] == "2026-09-20"
    assert statement.valid_until == datetime(2026, 9, 21, tzinfo=UTC)
    assert asked(statement, statement.valid_until - timedelta(seconds=1)) == (True, NOW)
    assert asked(statement, statement.valid_until) == (False, statement.valid_until)


def test_a_newer_judgement_that_says_less_ends_it_from_that_moment_on(statement, treatment):
    later = NOW + timedelta(hours=5)
    a_count(treatment, 400, at=NOW + timedelta(hours=1), now=later)
    assert asked(statement, later + DAY) == (False, later)


def test_a_newer_judgement_that_says_as_much_leaves_it(statement, treatment):
    a_count(treatment, 2600, at=NOW + DAY, now=NOW + DAY)
    assert asked(statement, NOW + 2 * DAY) == (True, NOW)


def test_what_has_ended_does_not_come_back_when_the_count_is_taken_back(statement, treatment):
    later = NOW + timedelta(hours=5)
    wrong = a_count(treatment, 400, at=NOW + timedelta(hours=1), now=later, accession="WRONG")
    undone = Report(source="lab", accession="WRONG", drawn_at=wrong.drawn_at, status="entered_in_error", count={})
    from_lab = {"treatment": treatment, "report": undone, "by": None, "now": later + timedelta(hours=1)}
    record_result(**from_lab)
    assert asked(statement, later + timedelta(hours=2)) == (False, later)


def test_fewer_days_than_on_the_paper_contradict_it_too(clinic, pharmacist):
    treatment = a_treatment(clinic, started=NOW - 500 * DAY)
    for days in (20, 0):
        a_count(treatment, 2500, at=NOW - days * DAY, now=NOW - days * DAY)
    treatment.refresh_from_db()
    statement = issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)
    assert statement.verdict["days"] > 7
    a_count(treatment, 1200, at=NOW + DAY, now=NOW + DAY)
    assert asked(statement, NOW + 2 * DAY) == (False, NOW + DAY)


def test_a_stop_ends_it(statement, treatment, pharmacist):
    later = NOW + timedelta(hours=2)
    record_event(treatment=treatment, kind="last_dose", at=later, stop=True, by=pharmacist, now=later)
    assert asked(statement, later)[0] is False


def test_the_clinics_own_policy_ends_it_as_it_ends_the_cards_answer(statement, clinic):
    clinic.policies = {"registry_enrolments": 1}
    clinic.save()
    assert asked(statement, NOW + DAY) == (False, NOW + DAY)


def test_a_merged_record_has_no_valid_statement_and_gets_none(statement, treatment, clinic, pharmacist):
    kept = a_treatment(clinic)
    later = NOW + timedelta(hours=1)
    row = merge(kept=kept, merged=treatment, reason="One person", by=pharmacist, now=later)
    assert asked(statement, later) == (False, later)
    with pytest.raises(NotAuthorisedError, match="merged into another one"):
        issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=later)
    undo_merge(merge=row, reason="Two people", by=pharmacist, now=later + DAY)


def test_it_is_taken_back_once_with_a_reason(statement, pharmacist):
    later = NOW + timedelta(hours=1)
    with pytest.raises(ValueError, match="say why"):
        revoke_statement(statement=statement, reason=" ", by=pharmacist, now=later)
    for at in (later, later + DAY):
        revoke_statement(statement=statement, reason="Lost", by=pharmacist, now=at)
    assert asked(statement, later + DAY) == (False, later)
    assert [row.verb for row in AuditEvent.objects.filter(subject=f"statement:{statement.pk}").order_by("pk")] == [
        "statement_issued",
        "statement_revoked",
    ]


def test_h39_it_is_issued_only_on_the_state_that_was_seen_and_where_tablets_may_be_supplied(treatment, pharmacist):
    given = {"treatment": treatment, "by": pharmacist, "now": NOW}
    with pytest.raises(StaleError):
        issue_statement(entry=uuid.uuid4(), basis=treatment.version - 1, **given)
    a_count(treatment, 400, at=NOW)
    with pytest.raises(NotAuthorisedError):
        issue_statement(entry=uuid.uuid4(), **given)
    assert not Statement.objects.exists()


def test_the_same_entry_is_the_same_statement(treatment, statement, pharmacist):
    again = issue_statement(treatment=treatment, entry=statement.entry, by=pharmacist, now=NOW + DAY)
    assert again.pk == statement.pk


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"basis_version": 1}, "statement rests on version"),
        ({"valid_until": NOW}, "statement_holds_for_a_time"),
        ({"staff": None}, "statement_has_one_issuer"),
        ({"entry": None}, "entry"),
        ({"code": None}, "code"),
    ],
)
def test_the_database_refuses_a_statement_that_cannot_be(statement, change, rule):
    row = {field.attname: getattr(statement, field.attname) for field in Statement._meta.fields if field.name != "id"}
    fresh = {"code": "X" * LENGTH, "entry": uuid.uuid4()}
    taken = {name: value if value is not None else row[name] for name, value in change.items() if name != "staff"}
    who = {"staff_id": None} if "staff" in change else {}
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Statement.objects.create(**row | fresh | taken | who)


@pytest.mark.slow
def test_codes_are_long_random_and_read_without_doubt(treatment, pharmacist):
    codes = {issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW).code for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in codes)
    assert len(ALPHABET) ** LENGTH == 2**130


@pytest.mark.parametrize(
    "typed", ["{}", "{0:.5} {0}", "https://clozatrack.example/check/{}/", "HTTPSÖ--host-check-{}-"]
)
def test_a_code_is_read_from_what_a_scanner_types(typed):
    code = "0123456789ABCDEFGHJKLMNPQR"
    written = " ".join(code[at : at + 5] for at in range(0, LENGTH, 5)) if "." in typed and "{0" in typed else ""
    assert code_in(written or typed.format(code.lower())) == code


@pytest.mark.parametrize("typed", ["", "M00001", "Quill 1980-05-17", "A" * 25, "A" * 27, "I" * 26, "check/ABC"])
def test_what_is_no_code_is_not_taken_for_one(typed):
    assert code_in(typed) == ""


# The paper


def test_the_paper_is_one_page_the_same_bytes_for_ever_and_says_that_nothing_requires_it(statement):
    told = paper.inputs(statement, base_url="https://clozatrack.example")
    assert "nothing requires this paper" in told["rems"]
    assert "24 February 2025" in told["rems"]
    assert told["answer"] == "Clozapine may be supplied for up to 7 days, until 20 September 2026"
    assert ("For", "St. Mary's") in told["facts"]
    made = paper.printed(statement, base_url="https://clozatrack.example")
    assert made.startswith(b"%PDF")
    assert made == paper.printed(Statement.objects.get(), base_url="https://clozatrack.example")
    drawn = typst.compile(
        paper.LAYOUT.read_bytes(), format="svg", sys_inputs={name: json.dumps(one) for name, one in told.items()}
    )
    assert isinstance(drawn, bytes), "several pages are a list"


def test_the_paper_says_what_it_said_when_the_patient_has_another_number_by_now(statement, treatment):
    before = paper.printed(statement, base_url="https://clozatrack.example")
    type(treatment.patient).objects.filter(pk=treatment.patient_id).update(mrn="NEW", family_name="Other")
    assert paper.printed(Statement.objects.get(), base_url="https://clozatrack.example") == before


@pytest.mark.parametrize("name", ["李", "Ünlü-Özdemir", "#set page(width: 1cm)", 'O\'Brien \\ "x"'])
def test_any_name_can_be_printed(statement, name):
    statement.printed["family_name"] = name
    assert paper.printed(statement, base_url="https://clozatrack.example").startswith(b"%PDF")


def test_the_qr_code_holds_the_public_address(statement, client):
    address = paper.inputs(statement, base_url="")["address"]
    assert address == f"/check/{statement.code}/"
    assert client.get(address).status_code == 200


# Whoever has the paper


def answer(client, code, **headers):
    return client.get(f"/check/{code}/", headers=headers)


@pytest.mark.slow
def test_anybody_reads_valid_or_not_and_since_when_and_nothing_of_the_patient(client, statement, treatment, clinic):
    page = answer(client, statement.code)
    words = page.content.decode()
    assert "Valid" in words
    assert "14 September 2026, 12:00 UTC" in words
    patient = treatment.patient
    for hidden in (
        patient.family_name,
        patient.given_name,
        patient.mrn,
        "1980",
        clinic.name,
        "2500",
        "St. Mary",
        "Phil",
    ):
        assert hidden not in words
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]


def test_why_it_ended_is_nobodys_business(client, statement, treatment):
    a_count(treatment, 400, at=NOW)
    words = answer(client, statement.code).content.decode()
    assert "Not valid" in words
    for hidden in ("severe", "stop ", "neutr", "interrupt", "taken back", "expired"):
        assert hidden not in words.lower().replace("notice stop", "")


def test_a_wrong_code_is_answered_in_the_same_shape(client, statement):
    as_json = {"Accept": "application/json"}
    wrong = statement.code[:-1] + ("0" if statement.code[-1] != "0" else "1")
    right, unknown = answer(client, statement.code, **as_json), answer(client, wrong, **as_json)
    assert right.json() == {"answer": "valid", "since": "2026-09-14T12:00:00+00:00", "asked_at": "2026-09-14T12:00:00Z"}
    assert unknown.json() == {"answer": "not_known", "since": None, "asked_at": "2026-09-14T12:00:00Z"}
    assert right.status_code == unknown.status_code == 200
    assert dict(right.headers).keys() == dict(unknown.headers).keys()
    page = answer(client, wrong).content.decode()
    assert "Not known" in page
    assert "without I, O, Y and Z" in page


def test_the_code_can_be_typed_by_hand_in_groups(client, statement):
    assert "Code on the paper" in client.get("/check/").content.decode()
    typed = {"code": paper.in_groups(statement.code).lower()}
    assert "Since <strong>14 September" in client.get("/check/", typed).content.decode()


@pytest.mark.slow
def test_checking_is_throttled_and_changes_nothing(client, statement):
    events = AuditEvent.objects.count()
    codes = {answer(client, statement.code).status_code for _ in range(PER_MINUTE)}
    assert codes == {200}
    refused = answer(client, statement.code)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert "Ask again in a minute" in refused.content.decode()
    assert AuditEvent.objects.count() == events
    assert client.post(f"/check/{statement.code}/").status_code == 405


# The pages


def place(treatment, rest=""):
    return f"/patients/{treatment.patient_id}/statements/{rest}"


@pytest.mark.slow
def test_a_pharmacist_issues_prints_and_takes_back(client, treatment, pharmacist):
    client.force_login(pharmacist)
    page = client.get(place(treatment))
    assert "Clozapine may be supplied for up to 7 days" in page.content.decode()
    sent = {"entry": str(page.context["entry"]), "basis": treatment.version, "addressee": "St. Mary's"}
    for _ in range(2):
        client.post(place(treatment, "issue/"), sent)
    statement = Statement.objects.get()
    made = client.get(place(treatment, f"{statement.pk}/paper.pdf"))
    assert (made.headers["Content-Type"], made.content[:4]) == ("application/pdf", b"%PDF")
    assert "Quill" not in made.headers["Content-Disposition"]
    client.post(place(treatment, f"{statement.pk}/revoke/"), {"reason": ""})
    assert not StatementRevoked.objects.exists()
    client.post(place(treatment, f"{statement.pk}/revoke/"), {"reason": "Lost in the mail"})
    assert "Lost in the mail" in client.get(place(treatment)).content.decode()
    again = client.get(place(treatment, f"{statement.pk}/paper.pdf"), follow=True)
    assert "is not valid any more" in again.content.decode()


def test_h39_a_stale_page_issues_nothing_and_shows_the_new_answer(client, treatment, pharmacist):
    client.force_login(pharmacist)
    page = client.get(place(treatment))
    a_count(treatment, 400, at=NOW)
    sent = {"entry": str(page.context["entry"]), "basis": page.context["treatment"].version - 1, "addressee": "Typed"}
    refused = client.post(place(treatment, "issue/"), sent)
    assert refused.status_code == 409
    assert "None can be issued now" in refused.content.decode()
    assert not Statement.objects.exists()


@pytest.mark.slow
def test_the_list_costs_the_same_for_3_and_for_30(
    client, treatment, pharmacist, django_assert_max_num_queries, django_assert_num_queries
):
    client.force_login(pharmacist)
    for _ in range(3):
        issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)
    with django_assert_max_num_queries(24) as few:
        client.get(place(treatment))
    for _ in range(27):
        issue_statement(treatment=treatment, entry=uuid.uuid4(), by=pharmacist, now=NOW)
    with django_assert_num_queries(len(few)):
        client.get(place(treatment))


# Programs


@pytest.mark.slow
def test_a_program_issues_prints_lists_and_takes_back(client, clinic, treatment):
    _, token = issue_token(clinic=clinic, name="till", verbs=["eligibility:read", "statements:write"], by=None, now=NOW)
    bearer = {"Authorization": f"Bearer {token}"}
    address = f"/api/v1/treatments/{treatment.pk}/statements/"

    def post(to, body):
        return client.post(to, body, content_type="application/json", headers=bearer)

    body = {"entry": str(uuid.uuid4()), "basis_version": treatment.version, "addressee": "Insurer"}
    made = post(address, body)
    assert made.status_code == 201
    assert (made.json()["valid"], made.json()["until"]) == (True, "2026-09-20")
    assert made.json()["check"].endswith(f"/check/{made.json()['code']}/")
    assert post(address, body).json()["id"] == made.json()["id"]
    assert post(address, body | {"entry": str(uuid.uuid4()), "basis_version": 1}).status_code == 409
    assert post(address, {"colour": "red"}).status_code == 400
    assert post(address, {"entry": "x"}).json()["errors"][0]["field"] == "entry"
    one = f"{address}{made.json()['id']}/"
    assert client.get(f"{one}paper.pdf", headers=bearer).content.startswith(b"%PDF")
    assert post(f"{one}revoke/", {"reason": ""}).status_code == 400
    assert post(f"{one}revoke/", {"reason": "Lost"}).json()["valid"] is False
    assert client.get(f"{one}paper.pdf", headers=bearer).status_code == 409
    assert [row["valid"] for row in client.get(address, headers=bearer).json()["items"]] == [False]
    assert Statement.objects.get().issued_at.date() == date(2026, 9, 14)
