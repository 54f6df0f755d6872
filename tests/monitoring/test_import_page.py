"""Importing in the page: columns once, a preview that writes nothing, rows once each, and a receipt."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from monitoring import tasks
from monitoring.actions.setting_up import change_laboratory
from monitoring.feeds import imports
from monitoring.feeds.csv import safe
from monitoring.feeds.imports import cancel_import, go_on, reading_mark
from monitoring.feeds.layout import dates_guessed
from monitoring.models import Alert, Import, Laboratory, QuarantinedRow, Result
from monitoring.rules.errors import InputError
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
HEAD = "Pat No;DOB;Collected;ANC;Units;Sample No;Result status;Neutrophils\n"
MAP = {
    "mrn": "Pat No",
    "date_of_birth": "DOB",
    "drawn_at": "Collected",
    "anc": "ANC",
    "unit": "Units",
    "accession": "Sample No",
    "status": "Result status",
    "dates": "ymd",
}
GOOD = "M1;1980-05-17;2026-09-14 07:00;1.4;10*9/L;A1;final;41\n"


def line(number=1, mrn="M1", anc="2.4", **other):
    cells = {"born": "1980-05-17", "at": f"2026-09-1{number % 5} 07:{number % 60:02}", "unit": "10*9/L"} | other
    return f"{mrn};{cells['born']};{cells['at']};{anc};{cells['unit']};S{number};final;41\n"


@pytest.fixture
def clinic(time_machine):
    time_machine.move_to(NOW, tick=False)
    clinic = a_clinic(time_zone="America/New_York")
    a_treatment(clinic, patient=a_patient(clinic, mrn="M1"))
    return clinic


@pytest.fixture
def nurse(client, clinic):
    nurse = a_person(clinic, "nurse")
    client.force_login(nurse)
    return nurse


@pytest.fixture
def upload(client, nurse):
    """Choose a file, as of a laboratory that is known or new; answers the import, or the page that refused it."""

    def uploading(text, *, columns=MAP, name="lab.csv", **form):
        known = Laboratory.objects.first()
        whose = {"laboratory": known.pk} if known else {"new_name": "City Lab"}
        content = text if isinstance(text, bytes) else text.encode()
        sent = {"file": SimpleUploadedFile(name, content)} | whose | form
        answer = client.post(reverse("import_results"), sent)
        if answer.status_code != 302:
            return answer.content.decode()
        imported = Import.objects.latest("pk")
        if columns and not imported.laboratory.columns:
            client.post(reverse("import_columns", args=[imported.pk]), columns)
        return imported

    return uploading


def shown(client, imported):
    return client.get(reverse("import", args=[imported.pk])).content.decode()


def confirm(client, imported, **form):
    """As whoever has just looked at the preview does it."""
    seen = {"seen": reading_mark(Laboratory.objects.get(pk=imported.laboratory_id))}
    client.post(reverse("confirm_import", args=[imported.pk]), seen | form)
    imported.refresh_from_db()
    return imported


def counts(imported):
    return imported.stored, imported.known, imported.refused, imported.quarantined


def test_columns_are_guessed_from_their_names_and_remembered_for_the_next_file(client, upload):
    imported = upload(HEAD + GOOD, columns=None)
    page = shown(client, imported)
    assert "columns are not named yet" in page
    for ours in ("Pat No", "DOB", "Collected", "ANC", "Units", "Sample No"):
        assert f'<option value="{ours}" selected>' in page
    # "Neutrophils" alone may be a percentage or a count: a person has to say.
    assert '<option value="Neutrophils" selected>' not in page
    client.post(reverse("import_columns", args=[imported.pk]), MAP)
    assert "What would happen" in shown(client, upload(HEAD + GOOD))


def test_the_preview_says_each_judgement_and_each_error_and_writes_nothing(client, upload):
    imported = upload(HEAD + GOOD + line(2, anc="0.3") + line(3, anc="1,4") + line(4, mrn="M9"))
    page = shown(client, imported)
    for words in ("mild", "severe", "Stop treatment", "with a point for the decimals", "no patient of this clinic"):
        assert words in page
    assert "<strong>2</strong> new" in page
    assert (Result.objects.filter(source="city-lab").count(), QuarantinedRow.objects.count()) == (0, 0)


@pytest.mark.slow
def test_confirmed_rows_are_recorded_and_the_receipt_says_what_became_of_each(client, upload, nurse):
    imported = confirm(client, upload(HEAD + GOOD + line(2, anc="0.3") + line(3, anc="1,4") + line(4, mrn="M9")))
    assert counts(imported) == (2, 0, 1, 1)
    assert Result.objects.get(accession="S2").staff == nurse
    assert Alert.objects.filter(cause="neutropenia", severity=1).count() == 1
    page = shown(client, imported)
    for words in ("Receipt", imported.sha256, "lab.csv", str(nurse), "still waits", "download them as CSV"):
        assert words in page
    assert AuditEvent.objects.filter(verb="import_finished", subject=f"import:{imported.pk}").exists()


@pytest.mark.slow
def test_the_same_file_twice_adds_nothing_and_says_so(client, upload):
    text = HEAD + GOOD + line(4, mrn="M9")
    confirm(client, upload(text))
    again = upload(text)
    assert "This very file was imported" in shown(client, again)
    assert counts(confirm(client, again)) == (0, 2, 0, 0)
    assert (Result.objects.filter(source="city-lab").count(), QuarantinedRow.objects.count()) == (1, 1)


@pytest.mark.slow
def test_refused_rows_come_back_as_csv_that_goes_in_when_mended(client, upload):
    imported = confirm(client, upload(HEAD + line(1, anc="1,4")))
    text = client.get(reverse("refused_rows", args=[imported.pk])).content.decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["Pat No"], row["refused_field"]) == ("M1", "anc")
    mended = confirm(client, upload(text.replace('"1,4"', "1.4")))
    assert counts(mended) == (1, 0, 0, 0)
    assert AuditEvent.objects.filter(verb="refused_rows_downloaded").exists()


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_that_we_write_is_run_by_a_spreadsheet(client, upload, cell):
    assert safe(cell) == f"'{cell}"
    imported = confirm(client, upload(HEAD + line(1, anc=cell.strip())))
    assert counts(imported) == (0, 0, 1, 0)
    text = client.get(reverse("refused_rows", args=[imported.pk])).content.decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["ANC"] == f"'{cell.strip()}"
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())


@pytest.mark.slow
def test_rows_are_taken_in_turns_and_whoever_goes_on_begins_where_the_last_one_ended(client, upload, monkeypatch):
    monkeypatch.setattr(imports, "ROWS_A_TURN", 2)
    imported = upload(HEAD + "".join(line(number) for number in range(1, 6)))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    reached = [go_on(imported.pk, clock=lambda: NOW, most=2).read_rows for _ in range(3)]
    assert reached == [2, 4, 5]
    imported.refresh_from_db()
    assert (counts(imported), imported.finished_at) == ((5, 0, 0, 0), NOW)


def test_a_kill_between_a_row_and_its_counter_is_impossible_for_both_are_one_transaction(upload, monkeypatch):
    imported = upload(HEAD + line(1) + line(2))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    monkeypatch.setattr(imports, "COUNTERS", {"stored": "no_such_column"})
    with pytest.raises(Exception, match="no_such_column"):
        go_on(imported.pk, clock=lambda: NOW)
    assert not Result.objects.filter(source="city-lab").exists()
    monkeypatch.undo()
    go_on(imported.pk, clock=lambda: NOW)
    imported.refresh_from_db()
    assert counts(imported) == (2, 0, 0, 0)


def test_two_who_take_rows_at_once_take_each_row_once(upload):
    imported = upload(HEAD + "".join(line(number) for number in range(1, 5)))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    calls = []

    def clock():
        # In the middle of the first one's turn the second one takes everything.
        calls.append(1)
        if len(calls) == 4:
            go_on(imported.pk, clock=lambda: NOW)
        return NOW

    go_on(imported.pk, clock=clock)
    imported.refresh_from_db()
    assert counts(imported) == (4, 0, 0, 0)
    assert Result.objects.filter(source="city-lab").count() == 4


def test_with_every_worker_dead_the_page_takes_the_rows_itself(client, upload, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    imported = upload(HEAD + line(1) + line(2))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    assert "0 of 2 rows" in shown(client, imported)
    answer = client.post(reverse("go_on_importing", args=[imported.pk]), headers={"HX-Request": "true"})
    assert (answer.headers["HX-Refresh"], "2 of 2 rows" in answer.content.decode()) == ("true", True)
    assert "Receipt" in shown(client, imported)


def test_a_worker_finishes_what_a_closed_tab_has_left(upload, monkeypatch):
    imported = upload(HEAD + line(1) + line(2))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    asked = []
    monkeypatch.setattr(tasks, "ask", lambda task, *about, expires: asked.append((task, *about)))
    tasks.sweep()
    assert (tasks.TASK, imported.pk) in asked
    tasks.take_import(imported.pk)
    imported.refresh_from_db()
    assert imported.finished_at is not None


def test_a_stopped_import_keeps_what_it_had_and_takes_no_more(client, upload, nurse):
    imported = upload(HEAD + line(1) + line(2) + line(3))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    go_on(imported.pk, clock=lambda: NOW, most=1)
    client.post(reverse("cancel_import", args=[imported.pk]))
    go_on(imported.pk, clock=lambda: NOW)
    assert Result.objects.filter(source="city-lab").count() == 1
    assert "2 rows were not read" in shown(client, imported)
    assert not cancel_import(imported=imported, by=nurse, now=NOW)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        ((HEAD + GOOD).encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"x" * (10 * 2**20 + 1), "at most 10 MB are taken"),
        (HEAD.replace("\n", "\r").encode() + b"a\r", "end with CR alone"),
    ],
)
def test_a_file_that_is_no_export_is_refused_whole_with_what_would_be_right(upload, content, words):
    assert words in upload(content)
    assert not Import.objects.exists()


@pytest.mark.slow
def test_letters_that_are_not_utf8_are_asked_about_and_never_guessed(client, upload):
    text = HEAD.replace("Neutrophils", "Größe") + GOOD.replace("10*9/L", "/µL").replace("1.4", "1400")
    imported = upload(text.encode("cp1252"))
    page = shown(client, imported)
    assert "is not UTF-8; export the file as UTF-8, or say in which letters it is" in page
    client.post(reverse("import_columns", args=[imported.pk]), MAP | {"encoding": "cp1252"})
    assert counts(confirm(client, imported)) == (1, 0, 0, 0)


def test_a_bom_commas_tabs_and_blank_lines_do_no_harm(client, upload):
    text = "\ufeff" + (HEAD + GOOD + "\n" + line(2) + "\n\n").replace(";", "\t")
    imported = confirm(client, upload(text))
    assert counts(imported) == (2, 0, 0, 0)
    assert "<dt>Blank lines</dt><dd>1</dd>" in shown(client, imported)


@pytest.mark.parametrize(
    ("dates", "born", "at"),
    [("mdy", "05/17/1980", "09/14/2026 7:00 AM"), ("dmy", "17.05.1980", "14.09.2026 07:00")],
)
def test_dates_are_read_as_the_laboratory_writes_them_because_a_person_said_so(client, upload, dates, born, at):
    imported = confirm(client, upload(HEAD + line(1, born=born, at=at), columns=MAP | {"dates": dates}))
    assert counts(imported) == (1, 0, 0, 0)
    assert Result.objects.get(accession="S1").drawn_at.isoformat() == "2026-09-14T11:00:00+00:00"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["1980-05-17"], "ymd"),
        (["17.05.1980", "01.02.1980"], "dmy"),
        (["17/05/1980", "01/02/1980"], "dmy"),
        (["05/17/1980"], "mdy"),
        (["05/17/1980", "17/05/1980"], ""),
        (["01/02/1980"], ""),
        ([], ""),
    ],
)
def test_the_order_of_dates_is_filled_in_only_where_it_leaves_no_doubt(cells, order):
    assert dates_guessed(cells) == order


def test_dates_in_another_order_than_was_said_are_refused(client, upload):
    imported = confirm(client, upload(HEAD + line(1, born="05/17/1980")), sure="on")
    assert (counts(imported), QuarantinedRow.objects.get().field) == ((0, 0, 1, 0), "date_of_birth")


def test_h12_a_count_is_not_taken_from_a_column_with_another_counts_name(client, upload):
    head = HEAD.replace("Neutrophils", "WBC")
    imported = upload(head + GOOD, columns=None)
    address = reverse("import_columns", args=[imported.pk])
    page = client.post(address, MAP | {"anc": "WBC"}).content.decode()
    assert "WBC reads like White cells (WBC), not like ANC" in page
    assert client.post(address, MAP | {"wbc": "ANC"}).status_code == 200
    assert "chosen twice" in client.post(address, MAP | {"wbc": "ANC"}).content.decode()


def test_a_unit_that_no_column_holds_is_chosen_once_and_never_guessed(client, upload):
    head, row = HEAD.replace("Units", "Comment"), GOOD.replace("10*9/L", "fine")
    imported = upload(head + row, columns=None)
    columns = {name: column for name, column in MAP.items() if name != "unit"}
    address = reverse("import_columns", args=[imported.pk])
    assert "choose the unit" in client.post(address, columns).content.decode()
    client.post(address, columns | {"always_unit": "10*9/L"})
    assert counts(confirm(client, imported)) == (1, 0, 0, 0)
    assert Result.objects.get(accession="A1").received["unit"] == "10*9/L"


def test_columns_cannot_change_while_rows_are_being_taken(client, upload):
    imported = upload(HEAD + line(1) + line(2))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    other = upload(HEAD + line(3))
    page = client.post(reverse("import_columns", args=[other.pk]), MAP | {"dates": "mdy"}).content.decode()
    assert "an import of this laboratory is under way" in page


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"dates": "mdy"}, {"unit": "", "always_unit": "/uL"}])
def test_h12_h39_a_file_is_imported_only_as_its_preview_read_it(client, upload, change):
    imported = upload(HEAD + line(1))
    seen = re.search(r'name="seen" value="(\w+)"', shown(client, imported)).group(1)
    client.post(reverse("import_columns", args=[imported.pk]), MAP | change)
    address = reverse("confirm_import", args=[imported.pk])
    for more in ({"seen": seen}, {"seen": seen, "sure": "on"}, {"sure": "on"}):
        answer = client.post(address, more)
        page = answer.content.decode()
        assert (answer.status_code, "were changed after this preview" in page) == (409, True)
        assert "What would happen" in page
    assert not Import.objects.exclude(confirmed_at=None).exists()
    again = re.search(r'name="seen" value="(\w+)"', page).group(1)
    client.post(address, {"seen": again, "sure": "on"})
    assert Import.objects.get().finished_at is not None


def test_h12_how_a_laboratory_is_read_is_not_changed_while_its_rows_are_taken(client, upload, clinic, nurse):
    imported = upload(HEAD + line(1) + line(2))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    lab = Laboratory.objects.get()
    named = {ours: name for ours, name in lab.columns.items() if not ours.startswith("=")}
    for unit, columns in (("/uL", named), (lab.unit, named | {"anc": "Neutrophils"})):
        with pytest.raises(InputError, match="is under way"):
            change_laboratory(laboratory=lab, name=lab.name, unit=unit, columns=columns, by=nurse, now=NOW)
    change_laboratory(laboratory=lab, name="Another name", unit=lab.unit, columns=named, by=nurse, now=NOW)
    go_on(imported.pk, clock=lambda: NOW)
    change_laboratory(laboratory=lab, name=lab.name, unit="/uL", columns=named, by=nurse, now=NOW)


def test_an_import_whose_rows_cannot_be_read_says_so_where_its_progress_stands(client, upload):
    imported = upload(HEAD + line(1) + line(2))
    Import.objects.filter(pk=imported.pk).update(confirmed_at=NOW)
    Laboratory.objects.update(columns=MAP | {"anc": "Neut abs"})
    address = reverse("go_on_importing", args=[imported.pk])
    for page in (
        shown(client, imported),
        client.post(address, headers={"HX-Request": "true"}).content.decode(),
        client.post(address, follow=True).content.decode(),
    ):
        assert "this file lacks Neut abs" in page
        assert "No further row is recorded" in page
        assert "Rows are being recorded" not in page
        assert page.count("this file lacks Neut abs") == 1


def test_a_session_that_ends_during_an_import_puts_no_sign_in_page_where_its_progress_stood(client, upload):
    imported = upload(HEAD + line(1))
    client.logout()
    address = reverse("go_on_importing", args=[imported.pk])
    answer = client.post(address, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.content) == (401, "true", b"You are signed out.")
    assert "Not done: you were signed out" in client.post(address).content.decode()


def test_a_file_with_other_columns_is_not_read_by_the_old_map(client, upload):
    upload(HEAD + GOOD)
    other = upload(HEAD.replace("ANC", "Neut abs") + GOOD)
    assert "this file lacks ANC; say which column is which" in shown(client, other)
    assert confirm(client, other).confirmed_at is None
    assert confirm(client, other, sure="on").confirmed_at is None


@pytest.mark.slow
def test_a_file_of_strangers_is_asked_about_before_it_fills_the_quarantine(client, upload):
    imported = upload(HEAD + line(1, mrn="X1") + line(2, mrn="X2") + line(3))
    assert "More than half of the rows name nobody" in shown(client, imported)
    assert confirm(client, imported).confirmed_at is None
    assert counts(confirm(client, imported, sure="on")) == (1, 0, 0, 2)


@pytest.mark.slow
def test_a_preview_counts_the_rows_before_it_in_the_file_and_what_is_known(client, upload, clinic):
    text = HEAD + line(1, anc="0.4", at="2026-09-10 07:00") + line(2, anc="2.2", at="2026-09-11 07:00")
    confirm(client, upload(HEAD + line(3, at="2026-09-09 07:00")))
    page = shown(client, upload(text + line(3, at="2026-09-09 07:00")))
    # A normal count after a severe one does not lift the stop.
    assert page.count("Stop treatment") == 3
    assert "<strong>1</strong> known already" in page


@pytest.mark.slow
def test_pages_ask_a_fixed_number_of_questions_however_many_rows(client, upload, clinic, django_assert_max_num_queries):
    for number in range(2, 32):
        a_treatment(clinic, patient=a_patient(clinic, mrn=f"M{number}"))
    few, many = (upload(HEAD + "".join(line(n, mrn=f"M{n}") for n in range(1, top))) for top in (4, 31))
    with django_assert_max_num_queries(24) as for_few:
        shown(client, few)
    with django_assert_max_num_queries(24) as for_many:
        shown(client, many)
    assert len(for_few) == len(for_many)


@pytest.mark.slow
def test_another_clinics_import_does_not_exist(client, upload):
    imported = confirm(client, upload(HEAD + line(1, anc="1,4")))
    client.force_login(a_person(a_clinic("South"), "nurse"))
    for name in ("import", "import_columns", "refused_rows"):
        assert client.get(reverse(name, args=[imported.pk])).status_code == 404
    for name in ("confirm_import", "cancel_import", "go_on_importing"):
        assert client.post(reverse(name, args=[imported.pk])).status_code == 404
    assert "lab.csv" not in client.get(reverse("import_results")).content.decode()


@pytest.mark.parametrize("role", ["pharmacist", "clinic_admin", "auditor"])
def test_who_may_not_import_finds_no_page(client, clinic, role):
    client.force_login(a_person(clinic, role))
    assert client.get(reverse("import_results")).status_code == 404
    assert client.get(reverse("quarantine")).status_code == 404


def test_a_name_that_another_feed_uses_is_no_laboratorys(upload):
    assert "cannot be a laboratory" in upload(HEAD + GOOD, new_name="Manual")


def test_a_long_sample_number_or_a_zero_byte_loses_one_row_and_no_other(client, upload):
    imported = confirm(
        client, upload(HEAD + line(1).replace("S1", "S" * 81) + line(2).replace("S2", "S\x002") + line(3))
    )
    assert counts(imported) == (1, 0, 2, 0)


def test_nothing_is_recorded_for_a_count_that_came_before_by_hand(client, upload, clinic):
    treatment = clinic.treatments.get()
    a_count(treatment, 2000, at=NOW - DAY)
    confirm(client, upload(HEAD + line(1)))
    assert treatment.results.filter(source="city-lab").count() == 1
