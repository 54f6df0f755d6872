"""A second person at the sheet signs in beside the first: their own password, at that moment, for that entry."""

import pytest
from axes.models import AccessAttempt
from django.urls import reverse

from monitoring.models import Draft, Result
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.monitoring.desk import words
from tests.monitoring.test_sheet import row, shown

pytestmark = pytest.mark.django_db
RIGHT = "a long password"


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic():
    return a_clinic(time_zone="America/New_York", count_unit="10*9/L")


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.fixture
def colleague(clinic):
    return a_person(clinic, "pharmacist", first_name="Sam", last_name="Reed")


@pytest.fixture
def treatment(clinic):
    treatment = a_treatment(clinic)
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    return treatment


@pytest.fixture
def save(client, nurse, treatment):
    """Types a count that loosens the band, looks at it, and saves it with these answers."""
    client.force_login(nurse)

    def send(**answers):
        typed = row(1, treatment.patient.mrn, "1.3")
        first = client.post("/log/", typed)
        told = {"asked": "loosens", "again": "1.3", "shown": shown(first, 1)} | answers
        return client.post("/log/", typed | {f"1-{name}": value for name, value in told.items()} | {"save": "1"})

    return send


def stored():
    return list(Result.objects.filter(source="manual").values_list("reason", flat=True))


def trail():
    found = AuditEvent.objects.filter(verb__startswith="second_").order_by("pk")
    return list(found.values_list("verb", "staff__username", "subject"))


@pytest.mark.slow
def test_h11_the_second_persons_own_password_is_the_proof_and_the_first_stays_signed_in(save, client, nurse, colleague):
    save(second=colleague.pk, second_password=RIGHT)
    assert stored() == ["Sam Reed has read the report too."]
    assert trail() == [("second_signed", nurse.username, f"staff:{colleague.pk}")]
    assert client.session["_auth_user_id"] == str(nurse.pk)


@pytest.mark.slow
def test_h34_to_be_named_is_not_enough(save, colleague):
    assert "Sam Reed has to type their own password here" in words(save(second=colleague.pk))
    assert (stored(), trail()) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("password", ["wrong", " a long password", "A LONG PASSWORD"])
def test_h34_a_wrong_password_saves_nothing_and_is_in_the_trail(save, nurse, colleague, password):
    page = save(second=colleague.pk, second_password=password)
    assert "Sam Reed is not signed: the password is wrong" in words(page)
    assert (stored(), [verb for verb, _, _ in trail()]) == ([], ["second_refused"])


def test_h34_nobody_signs_beside_themselves(save, nurse):
    save(second=nurse.pk, second_password=RIGHT)
    assert (stored(), trail()) == ([], [])


@pytest.mark.slow
def test_h34_a_wrong_second_person_is_not_saved_even_with_the_reports_number(save, colleague):
    save(second=colleague.pk, second_password="wrong", document="L-4711")
    assert stored() == []
    save(document="L-4711")
    assert stored() == ["Laboratory report L-4711."]


@pytest.mark.slow
def test_h34_after_too_many_wrong_ones_the_right_one_opens_nothing_and_the_page_stays_open(save, colleague):
    for _ in range(8):
        page = save(second=colleague.pk, second_password="wrong")
    page = save(second=colleague.pk, second_password=RIGHT)
    assert page.status_code == 200
    assert "Sam Reed is not signed: too many wrong passwords" in words(page)
    assert stored() == []
    assert AccessAttempt.objects.filter(username=colleague.username).exists()


@pytest.mark.slow
def test_no_password_is_kept_in_a_draft_or_sent_back(save, client, nurse, colleague):
    page = save(second=colleague.pk, second_password="a wrong secret")
    assert "a wrong secret" not in page.content.decode()
    client.post("/log/draft/", row(1, "M1", "1.3", second_password="a wrong secret"))
    assert "a wrong secret" not in str(Draft.objects.get().rows)
    client.logout()
    page = client.post("/log/", row(1, "M1", "1.3", second_password="a wrong secret"))
    assert page.status_code == 401
    assert "a wrong secret" not in page.content.decode()


def test_h11_the_form_for_one_result_asks_the_second_person_too(client, nurse, colleague, treatment):
    client.force_login(nurse)
    address = reverse("log_result", args=[treatment.patient_id])
    typed = {"drawn_at": "2026-09-14T07:30", "anc": "1.3", "entry": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
    answers = typed | {"asked": "loosens", "again": "1.3", "second": colleague.pk, "save": "1"}
    assert "to be named is not enough" in words(client.post(address, answers))
    client.post(address, answers | {"second_password": RIGHT})
    assert stored() == ["Sam Reed has read the report too."]
