"""New patients, and treatments that began elsewhere: two identifiers, no second record, and nothing guessed."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from monitoring.actions.registering import Person, enrol
from monitoring.actions.taking_over import Told, count_told, foresee_take_over, take_over
from monitoring.models import Alert, TakeOver, Treatment
from monitoring.rules.errors import InputError
from monitoring.views.take_over_words import history_in_words
from patients.models import Patient
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_treatment

pytestmark = pytest.mark.django_db
PERSON = {
    "family_name": "Okafor",
    "given_name": "Ada",
    "date_of_birth": "1980-05-17",
    "mrn": "N77",
    "running": "no",
    "clinician": "",
}
TODAY = NOW.date()


@pytest.fixture
def clinic(time_machine):
    time_machine.move_to(NOW, tick=False)
    return a_clinic(time_zone="America/New_York", count_unit="10*9/L")


@pytest.fixture
def nurse(client, clinic):
    nurse = a_person(clinic, "nurse")
    client.force_login(nurse)
    return nurse


def two_steps(client, address, form):
    """What a person does: look first, then, where `save` is given, save what was shown."""
    answer = client.post(address, {name: value for name, value in form.items() if name != "save"})
    if "save" not in form or "seen" not in (answer.context or {}):
        return answer
    return client.post(address, form | {"seen": answer.context["seen"]})


@pytest.fixture
def send(client, nurse):
    return lambda **changes: two_steps(client, reverse("register"), PERSON | changes)


def test_what_was_changed_after_it_was_shown_is_shown_again_and_not_saved(client, nurse, send):
    seen = send().context["seen"]
    changed = PERSON | {"date_of_birth": "1980-07-15", "save": "1", "seen": seen}
    assert "Tuesday 15 July 1980" in client.post(reverse("register"), changed).content.decode()
    assert not Patient.objects.exists()


def test_who_is_shown_in_words_with_age_before_anything_is_saved(send):
    shown = send().content.decode()
    assert "Saturday 17 May 1980, 46 years old" in shown
    assert not Patient.objects.exists()


def test_registering_begins_monitoring_and_leads_to_the_patient(send, clinic):
    prescriber = a_person(clinic, "prescriber")
    answer = send(save="1", clinician=prescriber.pk)
    treatment = Treatment.objects.get(patient__mrn="N77")
    assert answer.headers["Location"] == reverse("patient", args=[treatment.patient_id])
    assert (treatment.clinician, treatment.advice) == (prescriber, "do_not_start")
    again = send(save="1", mrn="N78", family_name="Other", running="yes")
    assert again.headers["Location"].endswith("/take-over/")


def test_h13_an_mrn_is_given_once_whatever_its_case(send, clinic):
    a_patient(clinic, mrn="n77")
    assert "cannot be given twice" in send().content.decode()
    assert "look at that record" in send(save="1").content.decode()
    assert Patient.objects.count() == 1


def test_h13_the_same_name_and_date_of_birth_ask_and_another_person_is_possible(send, clinic):
    a_patient(clinic, mrn="N1", given_name="ada", family_name="OKAFOR")
    assert "One person must not have two records" in send().content.decode()
    assert "is registered with the MRN N1" in send(save="1").content.decode()
    send(save="1", another="on")
    assert Patient.objects.filter(mrn="N77").exists()


WRONG = [
    ({"date_of_birth": "2027-01-01"}, "in the future"),
    ({"date_of_birth": "1880-01-01"}, "look at the year"),
    ({"date_of_birth": "17.5.1980"}, "write it as 1980-05-17"),
    ({"mrn": ""}, "This field is required"),
    ({"running": ""}, "Say whether clozapine is taken already"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_what_is_wrong_is_said_and_everything_typed_is_kept(send, changes, words):
    shown = send(**changes).content.decode()
    assert words in shown
    assert 'value="Okafor"' in shown
    assert not Patient.objects.exists()


def test_who_works_at_two_clinics_says_which_and_takes_a_prescriber_from_there(client, clinic, nurse):
    south = a_clinic("South")
    nurse.memberships.create(clinic=south, role="nurse")
    there = a_person(south, "prescriber")
    assert "Choose the clinic" in client.post(reverse("register"), PERSON).content.decode()
    wrong = client.post(reverse("register"), PERSON | {"clinic": clinic.pk, "clinician": there.pk}).content.decode()
    assert "is a prescriber of South" in wrong
    two_steps(client, reverse("register"), PERSON | {"clinic": south.pk, "clinician": there.pk, "save": "1"})
    assert Patient.objects.get().clinic == south


@pytest.mark.parametrize("role", ["pharmacist", "clinic_admin", "auditor"])
def test_who_may_not_register_finds_no_page(client, clinic, role):
    client.force_login(a_person(clinic, role))
    treatment = a_treatment(clinic, started=None)
    for address in (
        reverse("register"),
        reverse("register_from_file"),
        reverse("take_over", args=[treatment.patient_id]),
    ):
        assert client.get(address).status_code == 404


# From a file

LINES = "MRN,Surname,First name,DOB\nN1,Okafor,Ada,1980-05-17\nN2,Sato,Ken,17.5.1980\nN3,Rossi,Ugo,1975-01-02\n"
COLUMNS = {"mrn": "MRN", "family_name": "Surname", "given_name": "First name", "date_of_birth": "DOB"}


@pytest.fixture
def from_file(client, nurse):
    def sending(text, **form):
        sent = {"file": SimpleUploadedFile("p.csv", text if isinstance(text, bytes) else text.encode())}
        return client.post(reverse("register_from_file"), sent | form).content.decode()

    return sending


def test_a_file_is_shown_line_by_line_and_writes_nothing(from_file):
    shown = from_file(LINES)
    for words in ("Can be registered (2)", "Saturday 17 May 1980, 46 years old", "write it as 1980-05-17"):
        assert words in shown
    assert not Patient.objects.exists()


@pytest.mark.slow
def test_one_bad_line_loses_nothing_and_comes_back_to_be_mended(client, from_file):
    from_file(LINES)
    address = reverse("register_from_file")
    shown = two_steps(client, address, COLUMNS | {"lines": LINES, "save": "1"}).content.decode()
    assert set(Patient.objects.values_list("mrn", flat=True)) == {"N1", "N3"}
    assert "N2,Sato,Ken,17.5.1980" in shown
    assert "Rossi,Ugo" not in shown.partition("<textarea")[2].partition("</textarea>")[0]
    mended = "MRN,Surname,First name,DOB\nN2,Sato,Ken,1980-05-17"
    two_steps(client, address, COLUMNS | {"lines": mended, "save": "1"})
    assert Patient.objects.filter(mrn="N2").exists()


def test_known_people_are_refused_by_mrn_and_asked_about_by_name(client, from_file, clinic):
    a_patient(clinic, mrn="N1")
    a_patient(clinic, mrn="N9", given_name="Ugo", family_name="Rossi", date_of_birth=date(1975, 1, 2))
    shown = from_file(LINES + "N3,Again,Ann,1990-01-01\n")
    assert "N1 is already the MRN of Quill, Alex" in shown
    assert "N3 is already the MRN of Rossi, Ugo, line 4" in shown
    sent = COLUMNS | {"lines": LINES, "save": "1"}
    two_steps(client, reverse("register_from_file"), sent)
    assert not Patient.objects.filter(mrn="N3").exists()
    two_steps(client, reverse("register_from_file"), sent | {"another-4": "on"})
    assert Patient.objects.filter(mrn="N3").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        ("MRN\nÖ".encode("latin-1"), "ine 2 is not UTF-8"),
        (b"PK\x03\x04", "Excel workbook"),
        (b"x" * 500_001, "split it into parts"),
        (b"MRN,a\n" + b"1,2\n" * 2001, "at most 2000 are taken"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_would_be_right(from_file, content, words):
    assert words in from_file(content)


def test_a_column_that_could_not_be_told_is_asked_for(from_file):
    shown = from_file(LINES.replace("Surname", "Clan"))
    assert "Say which column holds the family name" in shown


def test_checking_a_file_asks_a_fixed_number_of_questions(from_file, django_assert_max_num_queries):
    lines = [f"N{number},Okafor,Ada{number},1980-05-17\n" for number in range(40)]
    with django_assert_max_num_queries(10) as few:
        from_file("MRN,Surname,First name,DOB\n" + "".join(lines[:3]))
    with django_assert_max_num_queries(10) as many:
        from_file("MRN,Surname,First name,DOB\n" + "".join(lines))
    assert len(few) == len(many)


def test_enrolling_twice_at_once_makes_one_record(clinic, monkeypatch):
    person = Person(mrn="N77", family_name="Okafor", given_name="Ada", date_of_birth=date(1980, 5, 17))
    enrol(clinic=clinic, person=person, by=None, now=NOW)
    monkeypatch.setattr("monitoring.actions.registering.same_mrn", lambda *about: None)
    with pytest.raises(InputError, match="a moment ago"):
        enrol(clinic=clinic, person=person, by=None, now=NOW, another=True)


# Taking over


@pytest.fixture
def treatment(clinic):
    return a_treatment(clinic, started=None)


def told(treatment, *counts, **facts):
    reports = [
        count_told(treatment=treatment, drawn_on=TODAY - days * DAY, anc=anc, unit="10*9/L", told_by="letter")
        for days, anc in counts
    ]
    return Told(**{"told_by": "letter", "counts": tuple(reports)} | facts)


def after(treatment, what):
    """What was foreseen, which has to be what is stored."""
    foreseen = foresee_take_over(treatment=treatment, told=what, now=NOW)
    take_over(treatment=treatment, told=what, by=None, now=NOW)
    treatment.refresh_from_db()
    kept = (foreseen.treatment, foreseen.frequency, foreseen.due_on)
    assert (treatment.advice, treatment.frequency, treatment.due_on) == kept
    return treatment


def test_a_known_first_dose_keeps_the_phase_that_was_earned(treatment):
    taken = after(treatment, told(treatment, (5, "2.9"), first_dose_on=date(2025, 1, 10), lowest_anc=Decimal(1800)))
    assert (taken.frequency, taken.due_on) == ("monthly", TODAY - 5 * DAY + 28 * DAY)


def test_an_unknown_first_dose_is_weekly_from_the_take_over_and_due_a_week_after_the_last_count(treatment):
    taken = after(treatment, told(treatment, (5, "2.9"), (40, "3.1")))
    assert (taken.frequency, taken.due_on) == ("weekly", TODAY + 2 * DAY)
    assert TakeOver.objects.get().first_dose_on is None


@pytest.mark.parametrize("counts", [[], [(60, "2.9")]])
def test_without_a_fresh_count_an_unknown_first_dose_is_due_today(treatment, counts):
    taken = after(treatment, told(treatment, *counts))
    assert (taken.frequency, taken.due_on) == ("weekly", TODAY)


def test_a_low_count_before_the_take_over_is_not_lost_with_the_unknown_first_dose(treatment):
    taken = after(treatment, told(treatment, (3, "0.8"), (1, "0.9")))
    assert (taken.advice, taken.frequency) == ("interrupt", "daily")
    assert Alert.objects.filter(treatment=taken, cause="neutropenia").exists()


def test_an_old_low_count_that_has_recovered_raises_no_alert(treatment):
    taken = after(treatment, told(treatment, (200, "1.2"), (198, "2.2"), (4, "2.5"), first_dose_on=date(2025, 1, 10)))
    assert taken.advice == "continue"
    assert not Alert.objects.filter(treatment=taken).exists()


def test_a_pause_that_is_not_over_is_not_lost_with_the_unknown_first_dose(treatment):
    taken = after(treatment, told(treatment, (20, "2.9"), pauses=((TODAY - 12 * DAY, None),)))
    assert taken.advice == "may_resume"
    other = a_treatment(treatment.clinic, started=None)
    assert after(other, told(other, (50, "2.9"), pauses=((TODAY - 41 * DAY, None),))).advice == "do_not_start"


def test_history_that_is_told_raises_no_alert_against_the_advice(treatment):
    pauses = ((date(2025, 6, 1), date(2025, 8, 1)),)
    taken = after(treatment, told(treatment, (2, "2.9"), first_dose_on=date(2025, 1, 10), pauses=pauses))
    assert taken.frequency == "monthly"
    assert not Alert.objects.exists()


SAFE = [
    (None, "stop", "treat as possibly severe before"),
    (Decimal(430), "stop", "Severe neutropenia before"),
    (Decimal(1200), "warn", "mild"),
    (Decimal(1900), "calm", "normal"),
]


@pytest.mark.parametrize(("lowest", "tone", "words"), SAFE)
def test_the_lowest_count_before_us_is_said_and_unknown_is_the_riskier_case(treatment, lowest, tone, words):
    take_over(treatment=treatment, told=told(treatment, (2, "2.9"), lowest_anc=lowest), by=None, now=NOW)
    said = history_in_words(treatment)
    assert said[0][0] == tone
    assert words in said[0][1]
    assert "weekly" in said[1][1]


def test_a_treatment_is_taken_over_once_and_only_if_it_did_not_begin_here(treatment, clinic):
    take_over(treatment=treatment, told=told(treatment, (2, "2.9")), by=None, now=NOW)
    with pytest.raises(InputError, match="taken over already"):
        take_over(treatment=treatment, told=told(treatment), by=None, now=NOW)
    ours = a_treatment(clinic)
    with pytest.raises(InputError, match="it is no take-over"):
        take_over(treatment=ours, told=told(ours), by=None, now=NOW)


IMPOSSIBLE = [
    ({"first_dose_on": date(2027, 1, 1)}, "in the future"),
    ({"told_by": " "}, "say who told this"),
    ({"pauses": ((date(2026, 2, 1), date(2026, 1, 1)),)}, "before the last dose"),
    ({"pauses": ((date(2026, 2, 1), None), (date(2026, 3, 1), None))}, "not over when the next one begins"),
    ({"pauses": ((date(2024, 2, 1), None),), "first_dose_on": date(2025, 1, 1)}, "before the first dose"),
]


@pytest.mark.parametrize(("facts", "words"), IMPOSSIBLE)
def test_what_cannot_have_been_is_refused(treatment, facts, words):
    with pytest.raises(InputError, match=words):
        take_over(treatment=treatment, told=told(treatment, **facts), by=None, now=NOW)
    assert not TakeOver.objects.exists()


FORM = {
    "told_by": "Letter of Dr Sato",
    "unit": "10*9/L",
    "first_dose_unknown": "on",
    "lowest_unknown": "on",
    "counts-TOTAL_FORMS": 6,
    "counts-INITIAL_FORMS": 0,
    "pauses-TOTAL_FORMS": 3,
    "pauses-INITIAL_FORMS": 0,
    "counts-0-drawn_on": f"{TODAY - 3 * DAY}",
    "counts-0-anc": "2.4",
    "daily_mg": "350",
    "dose_since": "2026-06-01",
}


def test_the_page_shows_what_monitoring_will_be_before_it_saves(client, nurse, treatment):
    address = reverse("take_over", args=[treatment.patient_id])
    shown = client.post(address, FORM).content.decode()
    for words in ("What monitoring will be, not saved yet", "every week", "possibly severe before"):
        assert words in shown
    assert not TakeOver.objects.exists()
    two_steps(client, address, FORM | {"save": "1"})
    assert TakeOver.objects.get().recorded_by == nurse
    assert (treatment.results.get().anc, treatment.doses.get().daily_mg) == (2400, 350)


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        ({"lowest": "450", "lowest_unknown": ""}, True),
        ({"counts-0-anc": "2400"}, True),
        ({"first_dose_unknown": ""}, False),
        ({"lowest": "<1", "lowest_unknown": ""}, False),
    ],
)
def test_h11_only_a_number_that_nobody_has_may_be_called_right(client, nurse, treatment, change, offered):
    address = reverse("take_over", args=[treatment.patient_id])
    assert ('name="confirmed"' in client.post(address, FORM | change).content.decode()) == offered
    assert offered == ("not saved yet" in client.post(address, FORM | change | {"confirmed": "on"}).content.decode())


UNSAID = [
    ({"first_dose_unknown": ""}, "Give it, or tick that it is unknown"),
    ({"lowest": "0.9"}, "not both"),
    ({"counts-1-anc": "2.4"}, "needs its day and its number"),
    ({"pauses-0-restart": "2026-01-01"}, "Give the last dose before the pause"),
    ({"counts-0-anc": "2400"}, "was meant"),
    ({"lowest": "450", "lowest_unknown": ""}, "was meant"),
    ({"lowest": "<1", "lowest_unknown": ""}, "write the number alone"),
    ({"daily_mg": "5000"}, "2000"),
]


@pytest.mark.parametrize(("changes", "words"), UNSAID)
def test_the_page_lets_nothing_open_and_nothing_doubtful_through(client, nurse, treatment, changes, words):
    shown = client.post(reverse("take_over", args=[treatment.patient_id]), FORM | changes | {"save": "1"})
    assert words in shown.content.decode()
    assert not TakeOver.objects.exists()


def test_a_patient_of_another_clinic_cannot_be_taken_over_here(client, nurse):
    theirs = a_treatment(a_clinic("South"), started=None)
    assert client.get(reverse("take_over", args=[theirs.patient_id])).status_code == 404


def test_counts_that_are_stored_already_are_part_of_what_is_foreseen(treatment):
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - DAY)
    assert after(treatment, told(treatment)).advice == "interrupt"
