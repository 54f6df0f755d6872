"""A messy file from the laboratory, from the drop zone to the last row in quarantine, in a real browser."""

import pytest
from django.utils import timezone

from monitoring.models import Alert, Import, QuarantinedRow, Result
from tests.browser import assert_accessible, read, says
from tests.cast import DAY, a_clinic, a_patient, a_person, a_treatment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HEAD = "Pat No;Name;DOB;Collected;Neutrophils abs (10*9/L);Sample No;Result status\n"


@pytest.fixture
def clinic():
    clinic = a_clinic(count_unit="10*9/L")
    for number, name in enumerate(("Quill", "Sato", "Rossi"), start=1):
        patient = a_patient(clinic, mrn=f"M{number}", family_name=name)
        a_treatment(clinic, patient=patient, started=timezone.now() - 60 * DAY)
    return clinic


@pytest.fixture
def nurse(clinic):
    return a_person(clinic, "nurse")


@pytest.fixture
def messy(tmp_path):
    """Semicolons, Windows letters, a decimal comma, a stranger, a wrong date of birth and a severe count."""
    at = f"{timezone.now() - 2 * DAY:%d.%m.%Y} 07:30"
    rows = [
        f"M1;QUILL ALEX;17.05.1980;{at};2.4;S1;final",
        f"M2;SATO ALEX;17.05.1980;{at};0.38;S2;final",
        f"M3;ROSSI ALEX;17.05.1980;{at};1,9;S3;final",
        f"M1;QUILL ALEX;17.06.1980;{at};2.0;S4;final",
        f"M9;MÜLLER EVA;01.02.1990;{at};1.1;S5;final",
    ]
    file = tmp_path / "export.csv"
    file.write_bytes((HEAD + "\n".join(rows) + "\n").encode("cp1252"))
    return file


def choose_columns(page):
    page.wait_for_selector("text=Which column is which?")
    assert page.input_value("#id_mrn") == "Pat No"
    assert page.input_value("#id_anc") == "Neutrophils abs (10*9/L)"
    assert page.input_value("#id_always_unit") == "10*9/L"
    assert page.input_value("#id_dates") == "dmy"
    page.select_option("#id_encoding", "cp1252")
    page.click("text=Remember, and show the preview")
    page.wait_for_selector("text=nothing is recorded yet")


@pytest.mark.parametrize(("width", "javascript"), [(320, True), (1280, True), (1280, False)])
def test_a_nurse_imports_a_messy_file_and_answers_the_row_that_names_nobody(
    open_page, nurse, clinic, messy, width, javascript
):
    page = open_page(nurse, width=width, javascript=javascript)

    def fits():
        if javascript:
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto("/import/")
    fits()
    page.set_input_files("#id_file", messy)
    page.fill("#id_new_name", "City Lab")
    page.click("text=Look at the file")
    fits()
    choose_columns(page)
    fits()
    shown = read(page)
    for words in ("Stop treatment", "with a point for the decimals", "no patient of this clinic"):
        assert words in shown
    assert not Result.objects.filter(source="city-lab").exists()
    page.click("text=Import 5 rows")
    page.wait_for_selector("h2:has-text('Receipt')")
    fits()
    assert Alert.objects.get(cause="neutropenia").severity == 1
    answer_the_rows(page, fits)
    assert Result.objects.filter(source="city-lab").count() == 3
    assert not QuarantinedRow.objects.filter(ended_at=None).exists()


def answer_the_rows(page, fits):
    page.click("text=2 still wait")
    fits()
    page.click("text=MRN M1")
    fits()
    page.click("main >> text=Quill, Alex")
    fits()
    page.fill("#match_reason", "The laboratory has mended the date of birth by phone")
    page.check("#id_sure")
    page.click("text=Record it for Quill, Alex")
    page.wait_for_selector("text=Recorded for Quill, Alex")
    page.click("text=MRN M9")
    says(page, "MÜLLER EVA")
    page.fill("#id_reason", "A patient of another hospital")
    page.click("text=Refuse this row")
    page.wait_for_selector("text=No row waits")


def test_an_import_that_was_left_goes_on_by_itself_on_its_page(open_page, nurse, clinic, messy):
    page = open_page(nurse)
    page.goto("/import/")
    page.set_input_files("#id_file", messy)
    page.fill("#id_new_name", "City Lab")
    page.click("text=Look at the file")
    choose_columns(page)
    Import.objects.update(confirmed_at=timezone.now())
    page.reload()
    page.wait_for_selector("h2:has-text('Receipt')")
    assert Import.objects.get().stored == 2


def test_without_javascript_an_import_that_was_left_goes_on_at_a_button(open_page, nurse, clinic, messy):
    page = open_page(nurse, javascript=False)
    page.goto("/import/")
    page.set_input_files("#id_file", messy)
    page.fill("#id_new_name", "City Lab")
    page.click("text=Look at the file")
    choose_columns(page)
    Import.objects.update(confirmed_at=timezone.now())
    page.reload()
    says(page, "0 of 5 rows")
    page.click("text=Go on now")
    page.wait_for_selector("h2:has-text('Receipt')")


@pytest.mark.parametrize(("width", "javascript"), [(320, True), (1280, True), (1280, False)])
def test_a_patient_is_registered_and_a_running_treatment_taken_over(open_page, nurse, clinic, width, javascript):
    page = open_page(nurse, width=width, javascript=javascript)

    def fits():
        if javascript:
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto("/register/")
    fits()
    for name, typed in (
        ("family_name", "Okafor"),
        ("given_name", "Ada"),
        ("date_of_birth", "1980-05-17"),
        ("mrn", "N7"),
    ):
        page.fill(f"#id_{name}", typed)
    page.select_option("#id_running", "yes")
    page.click("text=Show before registering")
    says(page, "Saturday 17 May 1980")
    fits()
    page.click("text=Register Ada Okafor")
    page.wait_for_selector("text=Take over a running treatment")
    fits()
    page.fill("#id_told_by", "Letter of Dr Sato")
    page.check("#id_first_dose_unknown")
    page.check("#id_lowest_unknown")
    page.fill("#id_counts-0-drawn_on", f"{timezone.now() - 3 * DAY:%Y-%m-%d}")
    page.fill("#id_counts-0-anc", "2.4")
    page.click("text=Show what monitoring will be")
    page.wait_for_selector("text=What monitoring will be, not saved yet")
    fits()
    page.click("button[name=save]")
    page.wait_for_selector("text=The treatment is taken over")
    says(page, "treat as possibly severe before")


@pytest.mark.parametrize("width", [320, 1280])
def test_patients_from_a_file_are_seen_line_by_line(open_page, nurse, clinic, tmp_path, width):
    file = tmp_path / "people.csv"
    file.write_text("MRN,Surname,First name,DOB\nN1,Okafor,Ada,1980-05-17\nN2,Sato,Ken,17.5.1980\n")
    page = open_page(nurse, width=width)
    page.goto("/register/file/")
    assert_accessible(page)
    page.set_input_files("#id_file", file)
    page.click("text=Look at the file")
    page.wait_for_selector("text=Can be registered (1)")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("text=Register 1 patient")
    page.wait_for_selector("text=Registered: 1")
    assert_accessible(page)
    assert "N2,Sato,Ken,17.5.1980" in page.input_value("#id_lines")
