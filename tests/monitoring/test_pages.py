"""Pages without a browser: what they say, who may see them, and how many questions they ask."""

import pytest
from django.urls import reverse

from monitoring.models import Result
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return a_clinic(time_zone="America/New_York", count_unit="10*9/L")


@pytest.fixture
def as_nurse(client, clinic):
    client.force_login(a_person(clinic, "nurse"))
    return client


@pytest.mark.slow
def test_today_asks_a_fixed_number_of_questions_however_many_patients(
    as_nurse, clinic, django_assert_max_num_queries, time_machine
):
    time_machine.move_to(NOW, tick=False)
    for _ in range(3):
        a_count(a_treatment(clinic), 400, at=NOW - 9 * DAY, now=NOW)
    with django_assert_max_num_queries(25) as few:
        as_nurse.get("/")
    for _ in range(6):
        a_count(a_treatment(clinic), 1200, at=NOW - 9 * DAY, now=NOW)
    with django_assert_max_num_queries(25) as many:
        as_nurse.get("/")
    assert len(few) == len(many)


def test_h06_today_shows_what_is_overdue_though_no_scheduler_ever_ran(as_nurse, clinic, time_machine):
    a_count(a_treatment(clinic), 2000, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    time_machine.move_to(NOW, tick=False)
    page = as_nurse.get("/").content.decode()
    assert "Overdue (1)" in page
    assert "2 days" in page
    assert "sweep has never run" in page


def test_opening_a_patient_writes_who_saw_whom_and_from_where(as_nurse, clinic):
    treatment = a_treatment(clinic)
    as_nurse.get(reverse("patient", args=[treatment.patient_id]))
    seen = AuditEvent.objects.get(verb="patient_opened")
    assert (seen.patient, seen.ip, seen.staff.username.startswith("nurse")) == (treatment.patient, "127.0.0.1", True)


@pytest.mark.parametrize("role", ["clinic_admin", "auditor"])
def test_who_has_no_clinical_role_sees_no_patient(client, clinic, role):
    treatment = a_treatment(clinic)
    client.force_login(a_person(clinic, role))
    assert client.get(reverse("patient", args=[treatment.patient_id])).status_code == 404
    assert "Quill" not in client.get("/", {"q": "quill"}).content.decode()


def test_a_pharmacist_may_look_and_may_not_log(client, clinic):
    treatment = a_treatment(clinic)
    client.force_login(a_person(clinic, "pharmacist"))
    assert client.get(reverse("patient", args=[treatment.patient_id])).status_code == 200
    assert client.get(reverse("log_result", args=[treatment.patient_id])).status_code == 404


def test_nobody_sees_anything_without_signing_in(client, clinic):
    treatment = a_treatment(clinic)
    for address in ("/", f"/patients/{treatment.patient_id}/", f"/patients/{treatment.patient_id}/log/"):
        assert client.get(address).headers["Location"].startswith("/sign-in/")


def test_saving_the_same_form_twice_makes_one_result(as_nurse, clinic, time_machine):
    treatment = a_treatment(clinic)
    time_machine.move_to(NOW, tick=False)
    form = {"drawn_at": "2026-09-14T07:30", "anc": "2.1", "entry": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "save": "1"}
    for _ in range(2):
        as_nurse.post(reverse("log_result", args=[treatment.patient_id]), form)
    stored = Result.objects.get(source="manual")
    assert (stored.anc, stored.drawn_at.isoformat()) == (2100, "2026-09-14T11:30:00+00:00")


def test_h11_a_form_that_was_saved_and_then_changed_says_what_stands_and_where_it_is_mended(
    as_nurse, clinic, time_machine
):
    treatment = a_treatment(clinic)
    time_machine.move_to(NOW, tick=False)
    form = {"drawn_at": "2026-09-14T07:30", "anc": "2.1", "entry": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "save": "1"}
    address = reverse("log_result", args=[treatment.patient_id])
    as_nurse.post(address, form)
    stored = Result.objects.get(source="manual")
    for changed in ({"anc": "2.6"}, {"anc": "2.6", "save": ""}, {"drawn_at": "2026-09-14T08:30"}):
        page = " ".join(as_nurse.post(address, form | changed).content.decode().split())
        assert "This form was saved already:" in page
        assert "ANC <strong>2.1 " in page
        assert f"/act/correct/?subject={stored.pk}" in page
        assert 'value="2.6"' in page or "08:30" in page, "what was typed stays typed"
    assert Result.objects.get(source="manual") == stored


def test_a_page_behind_sign_in_is_never_kept_by_a_browser(as_nurse):
    assert as_nurse.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.slow
def test_a_patient_is_found_by_mrn_birth_date_and_the_beginnings_of_names(as_nurse, clinic):
    a_patient(clinic, mrn="N77", given_name="Ada", family_name="Okafor")
    a_patient(a_clinic("South"), mrn="N77", given_name="Ada", family_name="Okafor")
    for words in ("n77", "1980-05-17", "oka", "ad oka", "Okafor, Ada"):
        page = as_nurse.get("/", {"q": words}).content.decode()
        assert page.count("Okafor, Ada</a>") == 1, words


def test_a_clinic_admin_sees_what_could_not_be_delivered_and_sends_it_again(client, clinic):
    client.force_login(a_person(clinic, "clinic_admin"))
    a_count(a_treatment(clinic), 400)
    a_count(a_treatment(a_clinic("South")), 400)
    Delivery.objects.update(dead_at=NOW, last_error="no such mailbox")
    page = client.get("/messages/?state=dead").content.decode()
    assert page.count("no such mailbox") == 1
    mine = Delivery.objects.get(clinic_id=clinic.pk)
    theirs = Delivery.objects.exclude(clinic_id=clinic.pk).get()
    assert client.post(f"/messages/{theirs.pk}/retry/").status_code == 404
    assert client.post(f"/messages/{mine.pk}/retry/").status_code == 302
    mine.refresh_from_db()
    assert (mine.dead_at, mine.attempts) == (None, 0)
    client.force_login(a_person(clinic, "auditor"))
    assert client.get("/messages/").status_code == 404


def test_h10_a_number_typed_under_one_unit_is_never_read_in_another(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    clinic = a_clinic(count_unit="/uL")
    treatment = a_treatment(clinic)
    client.force_login(a_person(clinic, "nurse"))
    address = f"/patients/{treatment.patient_id}/log/"
    entry = client.get(address).context["form"]["entry"].value()
    clinic.count_unit = "10*9/L"
    clinic.save()
    typed = {"entry": entry, "shown_unit": "/uL", "drawn_at": "2026-09-14T09:00", "anc": "50"}
    said = client.post(address, typed | {"save": "1"}).content.decode()
    assert "unit was changed from /uL to 10*9/L" in said
    assert 'name="shown_unit" value="10*9/L"' in said
    assert not treatment.results.filter(source="manual").exists()


def test_h13_a_search_on_today_that_finds_more_than_it_shows_says_so(as_nurse, clinic):
    for _ in range(26):
        a_patient(clinic, family_name="Marsh")
    page = as_nurse.get("/", {"q": "marsh"}).content.decode()
    assert "More than 25: not all of them are shown." in page
    assert page.count("Marsh, Alex</a>") == 25
    assert "not all of them" not in as_nurse.get("/", {"q": "nobody"}).content.decode()
