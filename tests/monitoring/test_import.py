"""A laboratory's CSV export: good rows are taken, bad rows say what was wrong, and nothing is lost."""

import csv

import pytest
from django.core.management import CommandError, call_command

from monitoring.models import Alert, Result
from notifications.models import Delivery
from tests.cast import DAY, NOW, a_clinic, a_patient, a_treatment

pytestmark = pytest.mark.django_db
HEADER = "MRN,Date of birth,Drawn at,Value,Unit,Accession,Status,WBC,Neutrophils percent\n"


@pytest.fixture
def clinic(time_machine):
    time_machine.move_to(NOW, tick=False)
    clinic = a_clinic(time_zone="America/New_York")
    a_treatment(clinic, patient=a_patient(clinic, mrn="M1"))
    return clinic


@pytest.fixture
def take(tmp_path, clinic, capsys):
    """Import these lines; answers the status, what was printed, and the refused rows."""

    def importing(text, name="export.csv", **options):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        status = 0
        try:
            call_command("import_results", str(file), clinic=clinic.slug, **options)
        except SystemExit as stop:
            status = stop.code
        refused = file.with_suffix(".refused.csv")
        rows = list(csv.DictReader(refused.open())) if refused.exists() else []
        return status, capsys.readouterr().out, rows

    return importing


GOOD = "M1,1980-05-17,2026-09-14 07:00,1.4,10*9/L,A1,final,,\n"


def test_a_row_becomes_a_result_a_judgement_and_an_alert_in_the_clinics_own_time(take):
    assert take(HEADER + GOOD) == (0, "1 rows: 1 recorded, 0 known already, 0 refused\n", [])
    stored = Result.objects.get(accession="A1")
    assert (stored.anc, stored.drawn_at.isoformat()) == (1400, "2026-09-14T11:00:00+00:00")
    assert Alert.objects.filter(cause="neutropenia").count() == 1


def test_the_same_file_twice_adds_nothing(take):
    take(HEADER + GOOD)
    status, said, _ = take(HEADER + GOOD + GOOD)
    assert (status, said) == (0, "2 rows: 0 recorded, 2 known already, 0 refused\n")
    assert Result.objects.filter(accession="A1").count() == 1


BAD = [
    ("M9,1980-05-17,2026-09-14 07:00,1.4,10*9/L,A2,final,,", "mrn", "no patient of this clinic"),
    ("M1,1980-05-18,2026-09-14 07:00,1.4,10*9/L,A2,final,,", "date_of_birth", "find out whose result"),
    ("M1,17.5.1980,2026-09-14 07:00,1.4,10*9/L,A2,final,,", "date_of_birth", "write it as 1980-05-17"),
    ("M1,1980-05-17,2026-09-14,1.4,10*9/L,A2,final,,", "drawn_at", "no time of day"),
    ("M1,1980-05-17,2025-11-02 01:30,1.4,10*9/L,A2,final,,", "drawn_at", "clock change"),
    ("M1,1980-05-17,2025-03-09 02:30,1.4,10*9/L,A2,final,,", "drawn_at", "clock change"),
    ("M1,1980-05-17,2026-09-15 07:00,1.4,10*9/L,A2,final,,", "drawn_at", "in the future"),
    ("M1,1980-05-17,1979-09-15 07:00,1.4,10*9/L,A2,final,,", "drawn_at", "before the patient was born"),
    ('M1,1980-05-17,2026-09-14 07:00,"1,5",10*9/L,A2,final,,', "anc", "with a point"),
    ("M1,1980-05-17,2026-09-14 07:00,NaN,10*9/L,A2,final,,", "anc", "not a count"),
    ("M1,1980-05-17,2026-09-14 07:00,1000000000,10*9/L,A2,final,,", "anc", "was meant"),
    ("M1,1980-05-17,2026-09-14 07:00,1500,10*9/L,A2,final,,", "anc", "1500 /uL (1.5 x10^9/L) was meant"),
    ("M1,1980-05-17,2026-09-14 07:00,1.4,,A2,final,,", "unit", "the unit is missing"),
    ("M1,1980-05-17,2026-09-14 07:00,1.4,10*9/L,,final,,", "accession", "is empty"),
    ("M1,1980-05-17,2026-09-14 07:00,1.4,10*9/L,A2,done,,", "status", "write one of"),
    ("M1,1980-05-17,2026-09-14 07:00,5.1,10*9/L,A2,final,4.2,", "anc", "higher than the white cell count"),
    ("M1,1980-05-17,2026-09-14 07:00,1.4,10*9/L,A2,final", "row", "columns where the header has"),
    ("M1,1980-05-17," + "9" * 20_000, "row", "bytes long"),
    ("M1,1980-05-17,2026-09-14 07:00,1.4,10*9/L,never,entered_in_error,,", "accession", "there is no result"),
]


@pytest.mark.parametrize(("row", "field", "words"), BAD)
def test_h13_a_bad_row_is_refused_by_field_with_what_would_be_right_and_the_others_go_in(take, row, field, words):
    status, said, refused = take(HEADER + row + "\n" + GOOD)
    assert status == 1
    assert "1 recorded, 0 known already, 1 refused" in said
    assert f"row 2: {field}: " in said
    assert (refused[0]["refused_field"], words in refused[0]["refused_because"]) == (field, True)


def test_a_patient_of_another_clinic_is_unknown_here(take):
    a_treatment(other := a_clinic("South"), patient=a_patient(other, mrn="S1"))
    _, said, _ = take(HEADER + GOOD.replace("M1", "S1"))
    assert "row 2: mrn: no patient of this clinic" in said


def test_mended_rows_can_be_imported_from_the_file_of_refused_ones(take, tmp_path):
    take(HEADER + GOOD.replace("1.4", "1,4").replace("1,4", '"1,4"'))
    mended = (tmp_path / "export.refused.csv").read_text().replace('"1,4"', "1.4")
    assert take(mended, name="mended.csv")[1].startswith("1 rows: 1 recorded")


def test_a_row_in_another_encoding_is_refused_alone(take):
    status, said, _ = take((HEADER + GOOD).encode() + "M1,1980-05-17,é\n".encode("latin-1"))
    assert (status, "row 3: row: the row is not UTF-8" in said, "1 recorded" in said) == (1, True, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        ((HEADER + GOOD).encode("utf-16"), "UTF-16"),
        (b"name,number\n1,2\n", "the header lacks mrn, date_of_birth"),
        ("é,x\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_export_is_refused_whole_and_says_why(take, content, words):
    with pytest.raises(CommandError, match=words):
        take(content)


def test_a_correction_without_a_version_is_the_next_one_and_tells_what_changed(take):
    take(HEADER + GOOD.replace("1.4", "0.9"))
    take(HEADER + GOOD.replace("1.4", "1.9").replace("final", "corrected"))
    assert list(Result.objects.filter(accession="A1").values_list("version", flat=True)) == [1, 2]
    summary = Alert.objects.get(cause="correction").summary
    assert "was Interrupt treatment" in summary
    assert "should have been Continue treatment" in summary


def test_h14_h25_a_corrected_count_lifts_the_hold_at_once_and_tells_everyone_told_before(take):
    take(HEADER + GOOD.replace("1.4", "0.3"))
    told = set(Delivery.objects.values_list("address", flat=True))
    take(HEADER + GOOD.replace("1.4", "3.0").replace("final", "corrected"))
    result = Result.objects.get(accession="A1", version=2)
    assert result.treatment.advice == "continue"
    newer = Delivery.objects.filter(about=f"alert:{Alert.objects.get(cause='correction').pk}")
    assert set(newer.values_list("address", flat=True)) >= told


def test_a_restated_count_changes_nothing_and_alerts_nobody(take):
    take(HEADER + GOOD.replace("1.4", "2.4"))
    take(HEADER + GOOD.replace("1.4", "2.40").replace("final", "corrected"))
    assert not Alert.objects.filter(cause="correction").exists()


def test_draws_are_never_before_the_known_history_without_being_said(take):
    old = f"{NOW - 30 * DAY:%Y-%m-%d} 07:00"
    take(HEADER + GOOD.replace("2026-09-14 07:00", old).replace("1.4", "2.4"))
    assert Result.objects.get(accession="A1").received_at == NOW
