"""The sheet as a plain form and as the script speaks to it: judged first, saved row by row, nothing typed is lost."""

from uuid import uuid4

import pytest
from django.urls import reverse

from monitoring.actions.amending import take_back_result
from monitoring.models import Alert, Draft, Result
from monitoring.sheet import fingerprint
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db


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
def as_nurse(client, nurse):
    client.force_login(nurse)
    return client


def on_treatment(clinic, mrn, last=2400, **fields):
    treatment = a_treatment(clinic, patient=a_patient(clinic, mrn=mrn, **fields))
    a_count(treatment, last, at=NOW - 7 * DAY, now=NOW - 7 * DAY)
    return treatment


def row(number, who="", anc="", **more):
    fields = {"entry": str(uuid4()), "who": who, "anc": anc, "drawn_on": "2026-09-14", "drawn_time": "730"} | more
    return {f"{number}-{name}": value for name, value in fields.items()}


def shown(answer, number):
    """The mark of the row as it was judged and shown."""
    return next(one.shown for one in answer.context["rows"] if one.number == number)


def answer_mark(rows, clinic):
    """The mark of row 1 as if it had been shown so."""
    return fingerprint(
        {name: rows[f"1-{name}"] for name in ("who", "anc", "drawn_on", "drawn_time")}, clinic.count_unit
    )


def states(answer):
    return [one.state for one in answer.context["rows"] if one.state != "empty"]


def saved(client, rows):
    """Shown first, then saved, as a person does it."""
    first = client.post("/log/", rows)
    marks = {f"{one.number}-shown": one.shown for one in first.context["rows"] if one.state != "empty"}
    return client.post("/log/", rows | marks | {"save": "1"})


@pytest.mark.slow
def test_a_row_says_what_it_means_before_it_is_saved(as_nurse, clinic):
    on_treatment(clinic, "A1")
    page = as_nurse.post("/log/", row(1, "a1", "1.42")).content.decode()
    assert "Mild: continue treatment." in page
    assert "1.42, was 2.4 on 7 Sep 2026: down 41 %." in page
    assert "Repeat by <strong>Tue 15 Sep, 07:30</strong>" in page
    assert "Quill, Alex, born <strong>1980-05-17</strong>, MRN <strong>A1</strong>" in page
    assert not Result.objects.filter(source="manual").exists()


def test_the_first_look_at_a_row_is_audited_as_an_opening_of_the_patient(as_nurse, clinic):
    treatment = on_treatment(clinic, "A1")
    saved(as_nurse, row(1, "A1", "2.2") | row(2, "B1", "2.2"))
    seen = AuditEvent.objects.filter(staff__isnull=False).order_by("pk")
    assert [event.verb for event in seen] == ["patient_opened", "result_recorded"]
    assert {event.patient_id for event in seen} == {treatment.patient_id}


@pytest.mark.slow
def test_h11_the_form_of_one_result_asks_the_same_questions(as_nurse, clinic):
    treatment = on_treatment(clinic, "A1", last=900)
    address = reverse("log_result", args=[treatment.patient_id])
    form = {"drawn_at": "2026-09-14T07:30", "anc": "1.3", "entry": str(uuid4()), "save": "1"}
    page = as_nurse.post(address, form).content.decode()
    assert "Type the number again from the report" in page
    assert "1.3, was 0.9 on 7 Sep 2026: up 44 %" in page
    assert not Result.objects.filter(source="manual").exists()
    answers = {"asked": "loosens", "again": "1.3", "document": "L-4711"}
    assert as_nurse.post(address, form | answers).status_code == 302
    assert Result.objects.get(source="manual").reason == "Laboratory report L-4711."


@pytest.mark.slow
def test_one_bad_row_never_loses_the_others_and_the_rest_are_receipts(as_nurse, clinic):
    for number in range(1, 6):
        on_treatment(clinic, f"A{number}")
    rows = {}
    for number, anc in enumerate(["2.1", "2,2", "0.9", "1500", "2.5"], start=1):
        rows |= row(number, f"A{number}", anc)
    answer = saved(as_nurse, rows)
    assert states(answer) == ["saved", "refused", "asked", "refused", "saved"]
    page = answer.content.decode()
    assert "write a number with a point for the decimals" in page
    assert "probably 1500 /uL (1.5 x10^9/L) was meant" in page
    assert 'value="2,2"' in page
    assert Result.objects.filter(source="manual").count() == 2
    assert [kept["who"] for kept in Draft.objects.get().rows] == ["A2", "A3", "A4"]


@pytest.mark.slow
def test_the_same_page_sent_twice_makes_each_result_once(as_nurse, clinic):
    on_treatment(clinic, "A1")
    rows = row(1, "A1", "2.2")
    marks = {"1-shown": shown(as_nurse.post("/log/", rows), 1), "save": "1"}
    for _ in range(3):
        assert states(as_nurse.post("/log/", rows | marks)) == ["saved"]
    assert Result.objects.filter(source="manual").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"1-anc": "1.9"}, {"1-who": "A2"}, {"1-anc": ""}, {"1-drawn_time": "9"}])
def test_h11_h13_a_row_that_was_saved_and_then_changed_says_what_stands_and_where_it_is_mended(
    as_nurse, clinic, change
):
    treatment = on_treatment(clinic, "A1")
    on_treatment(clinic, "A2", family_name="Marsh")
    rows = row(1, "A1", "2.2")
    saved(as_nurse, rows)
    result = Result.objects.get(source="manual")
    for more in ({}, {"save": "1"}):
        answer = as_nurse.post("/log/", rows | change | more | {"1-shown": answer_mark(rows | change, clinic)})
        assert states(answer) == ["refused"]
        page = answer.content.decode()
        assert "This row was saved already:</strong> Quill, Alex, born 1980-05-17, MRN <strong>A1</strong>" in page
        assert "ANC <strong>2.2 " in page
        assert "</strong>, drawn Mon 14 Sep, 07:30" in page
        assert "your change is not saved" in page
        for name in ("correct", "error"):
            address = f"{reverse('act', args=[treatment.patient_id, name])}?subject={result.pk}"
            assert address in page
            assert as_nurse.get(address).status_code == 200
    assert Result.objects.get(source="manual") == result


@pytest.mark.slow
def test_h13_a_saved_row_that_was_marked_as_entered_in_error_is_not_called_saved_again(as_nurse, clinic, nurse):
    treatment = on_treatment(clinic, "A1")
    rows = row(1, "A1", "2.2")
    saved(as_nurse, rows)
    take_back_result(treatment=treatment, result=Result.objects.get(source="manual"), reason="B1", by=nurse, now=NOW)
    answer = saved(as_nurse, rows)
    assert states(answer) == ["refused"]
    assert "entered in error since. Type the result in an empty row." in answer.content.decode()


@pytest.mark.slow
def test_a_row_that_was_changed_after_it_was_shown_is_shown_again_and_not_saved(as_nurse, clinic):
    on_treatment(clinic, "A1")
    rows = row(1, "A1", "2.2")
    mark = shown(as_nurse.post("/log/", rows), 1)
    answer = as_nurse.post("/log/", rows | {"1-anc": "1.9", "1-shown": mark, "save": "1"})
    assert states(answer) == ["changed"]
    assert not Result.objects.filter(source="manual").exists()


@pytest.mark.slow
def test_date_and_time_come_from_the_row_above_and_a_date_alone_is_no_row(as_nurse, clinic):
    for number in (1, 2):
        on_treatment(clinic, f"A{number}")
    empty = {"drawn_on": "", "drawn_time": ""}
    rows = row(1, "A1", "2.2") | row(2, "A2", "2.3", **empty) | row(3)
    assert states(saved(as_nurse, rows)) == ["saved", "saved"]
    drawn = set(Result.objects.filter(source="manual").values_list("drawn_at", flat=True))
    assert [moment.isoformat() for moment in drawn] == ["2026-09-14T11:30:00+00:00"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "hour"), [("7", "07:00"), ("730", "07:30"), ("0730", "07:30"), ("7:30", "07:30"), ("7.30", "07:30")]
)
def test_a_time_is_typed_quickly(as_nurse, clinic, written, hour):
    on_treatment(clinic, "A1")
    answer = saved(as_nurse, row(1, "A1", "2.2", drawn_time=written))
    assert f"drawn Mon 14 Sep, {hour}" in answer.content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"drawn_time": "2575"}, "is not a time of day; write it as 830 or 8:30"),
        ({"drawn_time": ""}, "When was the blood drawn?"),
        ({"drawn_on": "2026-03-08", "drawn_time": "230"}, "couldn’t be interpreted in time zone"),
        ({"who": "B7"}, "has the MRN or name"),
        ({"who": ""}, "Whose result is it?"),
        ({"anc": ""}, "A count needs an ANC, or a WBC with percentages"),
        ({"anc": "", "wbc": "4.0", "neutrophils_percent": "140"}, "is not a percentage"),
        ({"anc": "5.0", "wbc": "4.0"}, "higher than the white cell count"),
    ],
)
def test_what_is_wrong_is_said_and_what_would_be_right(as_nurse, clinic, change, sentence):
    on_treatment(clinic, "A1")
    answer = as_nurse.post("/log/", row(1, **{"who": "A1", "anc": "2.2"} | change))
    assert states(answer) == ["refused"]
    assert sentence.replace("’", "&#x27;") in answer.content.decode().replace("’", "&#x27;")


def test_white_cells_and_percentages_make_an_anc(as_nurse, clinic):
    on_treatment(clinic, "A1")
    saved(as_nurse, row(1, "A1", wbc="4.0", segs_percent="50", bands_percent="5"))
    assert Result.objects.get(source="manual").anc == 2200


@pytest.mark.slow
def test_h13_a_name_is_never_taken_for_a_patient_and_two_of_one_name_are_told_apart(as_nurse, clinic):
    on_treatment(clinic, "A1")
    on_treatment(clinic, "A2", date_of_birth=NOW.date().replace(year=1991))
    page = as_nurse.post("/log/", row(1, "quill", "2.2")).content.decode()
    assert "Quill, Alex, born 1980-05-17: MRN A1; Quill, Alex, born 1991-09-14: MRN A2" in page
    found = as_nurse.get("/log/found/", {"q": "qui"}).content.decode()
    assert found.count("same name") == 2
    assert as_nurse.get("/log/found/", {"q": "A2"}).content.decode().count("data-mrn") == 1


@pytest.mark.slow
@pytest.mark.parametrize("words", ["quill", "A"])
def test_h13_the_sheet_says_when_it_found_more_than_it_shows(as_nurse, clinic, words):
    for number in range(8):
        a_treatment(clinic, patient=a_patient(clinic, mrn=f"A1{number}"))
    found = as_nurse.get("/log/found/", {"q": words}).content.decode()
    assert (found.count("data-mrn"), "More than 8" in found) == (8, False)
    a_treatment(clinic, patient=a_patient(clinic, mrn="A19"))
    found = as_nurse.get("/log/found/", {"q": words}).content.decode()
    assert (found.count("data-mrn"), "More than 8" in found) == (8, True)


def test_h13_a_patient_who_is_on_the_sheet_twice_is_pointed_out(as_nurse, clinic):
    on_treatment(clinic, "A1")
    page = as_nurse.post("/log/", row(1, "A1", "2.2") | row(2, "a1", "2.5")).content.decode()
    assert "The same patient is also in row 2." in page
    assert "The same patient is also in row 1." in page


@pytest.mark.slow
def test_h11_a_loosening_row_is_saved_with_its_number_again_and_the_report(as_nurse, clinic):
    on_treatment(clinic, "A1", last=900)
    rows = row(1, "A1", "1.3")
    answer = as_nurse.post("/log/", rows)
    assert states(answer) == ["asked"]
    assert "Type the number again from the report" in answer.content.decode()
    given = {"1-shown": shown(answer, 1), "1-asked": "loosens", "save": "1"}
    assert states(as_nurse.post("/log/", rows | given)) == ["asked"]
    assert states(as_nurse.post("/log/", rows | given | {"1-again": "1.30", "1-document": "L-4711"})) == ["saved"]
    assert Alert.objects.filter(cause="loosened").exists()


def test_a_severe_row_raises_its_alert_and_the_receipt_leads_to_it(as_nurse, clinic):
    on_treatment(clinic, "A1", last=700)
    answer = saved(as_nurse, row(1, "A1", "0.4"))
    assert states(answer) == ["saved"]
    assert reverse("alert", args=[Alert.objects.get(cause="neutropenia").pk]) in answer.content.decode()


def test_the_script_saves_a_row_and_gets_its_receipt(as_nurse, clinic, nurse):
    on_treatment(clinic, "A1")
    rows = row(4, "A1", "2.2")
    other = row(5, "A2", "1.1")
    as_nurse.post("/log/draft/", rows | other)
    judged = as_nurse.post("/log/row/", rows)
    assert (judged.headers["X-Row"], "Normal: continue treatment" in judged.content.decode()) == ("judged", True)
    kept = as_nurse.post("/log/row/", rows | {"4-shown": judged.context["row"].shown, "save": "1"})
    assert kept.headers["X-Row"] == "saved"
    assert [one["who"] for one in Draft.objects.get(staff=nurse).rows] == ["A2"]
    as_nurse.post("/log/draft/", other | {"5-who": "", "5-anc": ""})
    assert not Draft.objects.exists()


@pytest.mark.slow
def test_two_open_sheets_of_one_person_keep_each_others_rows(as_nurse, clinic):
    on_treatment(clinic, "A1")
    here, there = row(1, "A1", "2.2"), row(1, "A2", "1.1")
    as_nurse.post("/log/draft/", here)
    as_nurse.post("/log/draft/", there | row(2))
    as_nurse.post("/log/draft/", here | {"1-anc": "2.3"})
    assert {one["who"]: one["anc"] for one in Draft.objects.get().rows} == {"A1": "2.3", "A2": "1.1"}
    assert states(saved(as_nurse, here)) == ["saved"]
    assert [one["who"] for one in Draft.objects.get().rows] == ["A2"]
    as_nurse.post("/log/draft/", there | {"1-who": "", "1-anc": ""})
    assert not Draft.objects.exists()


@pytest.mark.slow
def test_what_was_typed_comes_back_with_the_page_for_a_day_and_to_nobody_else(as_nurse, client, clinic, time_machine):
    as_nurse.post("/log/draft/", row(1, "A1", "2.237"))
    assert "2.237" in as_nurse.get("/log/").content.decode()
    client.force_login(other := a_person(clinic, "nurse"))
    assert "2.237" not in client.get("/log/").content.decode()
    client.post("/log/draft/", row(1, "A1", "3.1"))
    time_machine.move_to(NOW + 2 * DAY, tick=False)
    client.force_login(other)
    assert "3.1" not in client.get("/log/").content.decode()
    client.post("/log/draft/", row(1, "A1", "4.1"))
    assert Draft.objects.count() == 1


def test_an_expired_session_loses_nothing_that_was_typed(client, clinic, nurse):
    on_treatment(clinic, "A1")
    rows = row(1, "A1", "2.237") | {"save": "1"}
    out = client.post("/log/", rows)
    assert out.status_code == 401
    assert "Quill" not in out.content.decode()
    typed = dict(out.context["typed"])
    wrong = client.post("/log/", typed | {"username": nurse.username, "password": "another"})
    assert (wrong.status_code, dict(wrong.context["typed"])) == (401, typed)
    back = client.post("/log/", typed | {"username": nurse.username, "password": "a long password"})
    assert states(back) == ["judged"]
    assert not Result.objects.filter(source="manual").exists()
    for address in ("/log/row/", "/log/draft/"):
        client.logout()
        assert client.post(address, rows).status_code == 401
    for address in ("/log/rows/", "/log/found/?q=a"):
        assert client.get(address).status_code == 401, "the sign-in page is never put into the sheet as rows"


@pytest.mark.parametrize("role", ["pharmacist", "clinic_admin", "auditor"])
def test_who_may_not_log_has_no_sheet(client, clinic, role):
    client.force_login(a_person(clinic, role))
    assert "Log results" not in client.get("/").content.decode()
    for address in ("/log/", "/log/rows/", "/log/found/?q=a"):
        assert client.get(address).status_code == 404
    for address in ("/log/row/", "/log/draft/"):
        assert client.post(address, row(1, "A1", "2.2")).status_code == 404


@pytest.mark.slow
def test_patients_and_clinics_of_others_do_not_exist(as_nurse):
    south = a_clinic("South")
    on_treatment(south, "S1")
    assert "data-mrn" not in as_nurse.get("/log/found/", {"q": "quill"}).content.decode()
    assert states(as_nurse.post("/log/", row(1, "S1", "2.2"))) == ["refused"]
    assert as_nurse.get("/log/", {"clinic": south.slug}).status_code == 404


@pytest.mark.slow
def test_the_sheet_asks_a_fixed_number_of_questions_however_much_was_typed(as_nurse, clinic, django_assert_num_queries):
    for number in range(30):
        on_treatment(clinic, f"A{number}")
    seen = []
    for many in (3, 30):
        rows = {}
        for number in range(many):
            rows |= row(number + 1, f"A{number}", "2.2")
        as_nurse.post("/log/draft/", rows)
        with django_assert_num_queries(9) as asked:
            assert len(as_nurse.get("/log/").context["rows"]) > many
        seen.append(len(asked))
    assert seen[0] == seen[1]
