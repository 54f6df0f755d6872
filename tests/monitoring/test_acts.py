"""What people do about a patient: the consequences are shown first, and saved only when confirmed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.actions.treating import record_dose, record_event, void_dose
from monitoring.models import Alert, DoseChange, DoseVoid, Result, TreatmentEvent
from monitoring.rules.errors import InputError
from monitoring.views.acts.table import ACTS
from patients.models import AuditEvent, ContactPoint
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.monitoring.desk import Desk, on, seen, words

pytestmark = pytest.mark.django_db
PRESCRIBERS = (
    "confirm-ben", "hospice", "rechallenge", "protocol", "limits", "end-limits", "merge", "undo-merge",
)  # fmt: skip


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber", first_name="Pia", last_name="Prescriber")


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def treatment(clinic, prescriber):
    treatment = a_treatment(clinic, started=NOW - 92 * DAY, clinician=prescriber)
    a_count(treatment, 2400, at=NOW - DAY, accession="latest")
    return treatment


@pytest.fixture
def desk(client, prescriber):
    return Desk(client, prescriber)


@pytest.fixture
def nurse(client, clinic):
    return Desk(client, a_person(clinic, "nurse"))


@pytest.mark.slow
def test_looking_changes_nothing_and_confirming_does(desk, treatment):
    typed = on(NOW - DAY / 24) | {"reason": "Surgery"}
    before = (AuditEvent.objects.count(), TreatmentEvent.objects.count())
    page = desk.look(treatment, "interrupt", **typed)
    assert "Continue treatment Treatment may resume" in words(page)
    assert (AuditEvent.objects.count(), TreatmentEvent.objects.count()) == before
    desk.do(treatment, "interrupt", **typed)
    assert treatment.advice == "may_resume"
    assert AuditEvent.objects.filter(verb="last_dose", ip="127.0.0.1").count() == 1


@pytest.mark.slow
def test_sending_it_twice_is_once(desk, treatment):
    typed = on(NOW - DAY) | {"reason": "Surgery"}
    word = seen(desk.look(treatment, "interrupt", **typed))
    for _ in range(2):
        assert desk.look(treatment, "interrupt", confirm=word, **typed).status_code == 302
    assert TreatmentEvent.objects.filter(kind="last_dose").count() == 1
    assert "recorded already" in words(desk.look(treatment, "interrupt", **typed))


@pytest.mark.slow
def test_what_was_not_looked_at_is_not_saved(desk, treatment):
    word = seen(desk.look(treatment, "interrupt", reason="Surgery", **on(NOW - DAY)))
    page = desk.look(treatment, "interrupt", reason="Surgery", confirm=word, **on(NOW - 40 * DAY))
    assert "has changed since you looked" in words(page)
    a_count(treatment, 400, at=NOW)
    page = desk.look(treatment, "interrupt", reason="Surgery", confirm=word, **on(NOW - DAY))
    assert "has changed since you looked" in words(page)
    assert not TreatmentEvent.objects.filter(kind="last_dose").exists()


def test_h29_a_restart_after_31_days_spells_out_both_clocks_with_their_dates(desk, treatment):
    record_event(treatment=treatment, kind="last_dose", at=NOW - 31 * DAY, by=None, now=NOW - 31 * DAY)
    page = desk.said(treatment, "restart", **on(NOW))
    assert "31 days off treatment" in page
    assert "48 hours or more without a dose (since Sun 16 Aug 2026, 14:00): begin again with 12.5 mg" in page
    assert "30 or more since Sun 13 Sep 2026: monitored as a new patient" in page
    assert "every week until Sun 14 Mar 2027, every 2 weeks until Tue 14 Sep 2027, then every month" in page


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (47, "Less than 48 hours: the dose may go on. From Mon 14 Sep 2026, 15:00 it may not."),
        (48, "begin again with 12.5 mg"),
        (29 * 24, "From Tue 15 Sep 2026 on a restart would be as a new patient"),
        (30 * 24, "30 or more since Mon 14 Sep 2026"),
    ],
)
def test_h29_the_borders_of_the_two_clocks(desk, treatment, hours, said):
    last = NOW - hours * DAY / 24
    record_event(treatment=treatment, kind="last_dose", at=last, by=None, now=last)
    assert said in desk.said(treatment, "restart", **on(NOW))


@pytest.mark.parametrize(
    ("started", "off", "said"),
    [
        (92, 2, "Fewer than 28 days off: tests go on as before"),
        (92, 5, "After this break tests are taken every week for 6 weeks"),
        (92, 28, "28 or more since"),
        (800, 40, "this protocol lets tests go on as before, however long the break"),
    ],
)
def test_h29_in_the_eu_a_break_is_told_with_what_it_owes_there(desk, clinic, prescriber, started, off, said):
    treatment = a_treatment(clinic, started=NOW - started * DAY, clinician=prescriber, protocol="eu-2025-09")
    a_count(treatment, 2400, at=NOW - 50 * DAY)
    last = NOW - off * DAY
    if started == 800:
        assert said in desk.said(treatment, "interrupt", reason="Surgery", **on(last))
    record_event(treatment=treatment, kind="last_dose", at=last, by=None, now=last)
    assert said in desk.said(treatment, "restart", **on(NOW))


@pytest.mark.slow
def test_a_dose_against_the_advice_needs_a_prescriber_and_a_reason_and_is_told(nurse, clinic, prescriber, treatment):
    a_count(treatment, 400, at=NOW)
    record_event(treatment=treatment, kind="last_dose", at=NOW - DAY, by=None, now=NOW)
    assert "Choose the prescriber who decided" in nurse.said(treatment, "restart", **on(NOW))
    typed = on(NOW) | {"decided_by": prescriber.pk}
    assert "Say why the dose is given" in nurse.said(treatment, "restart", **typed)
    page = nurse.do(treatment, "restart", reason="Nothing else helped", **typed)
    assert "This goes against the advice: stop treatment" in words(page)
    assert "Restart recorded while the advice was" in words(page)
    assert "decided by Pia Prescriber: Nothing else helped" in TreatmentEvent.objects.get(kind="restart").reason
    assert Alert.objects.get(cause="against_advice").severity == 1


@pytest.mark.slow
def test_a_first_dose_shows_the_weekly_schedule(desk, clinic):
    treatment = a_treatment(clinic, started=None)
    assert "goes against the advice: do not start" in desk.said(
        treatment, "start", reason="x", decided_by=desk.staff.pk, **on(NOW)
    )
    a_count(treatment, 2400, at=NOW - DAY)
    page = words(desk.do(treatment, "start", **on(NOW)))
    assert "Day 1: 12.5 mg once or twice" in page
    assert "every week until Sun 14 Mar 2027" in page
    assert "against the advice" not in page
    assert treatment.advice == "continue"


@pytest.mark.slow
def test_stopping_says_which_tests_are_still_owed(desk, treatment):
    page = desk.said(treatment, "stop", reason="Changed medicine", **on(NOW))
    assert "Tests are still owed: every week, the next on Sun 20 Sep 2026" in page
    record_event(treatment=treatment, kind="last_dose", at=NOW - 2 * DAY, by=None, now=NOW)
    assert f'value="{NOW - 2 * DAY:%Y-%m-%d}"' in desk.open(treatment, "stop").content.decode()
    page = desk.do(treatment, "stop", reason="Changed medicine", **on(NOW - 2 * DAY))
    assert "No test is owed any more" in words(page)


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("interrupt", on(NOW - 100 * DAY), "before the first dose"),
        ("interrupt", on(NOW + DAY), "in the future"),
        ("restart", on(NOW - 100 * DAY), "before the first dose"),
        ("start", on(NOW), "first dose is recorded already"),
        ("fever", on(NOW) | {"temperature": "98.6", "unit": "C"}, "probably 98.6 °F was meant"),
        ("fever", on(NOW) | {"temperature": "38.5", "unit": "F"}, "probably 38.5 °C was meant"),
        ("fever", on(NOW) | {"temperature": "25", "unit": "C"}, "not a body temperature"),
        ("fever", {"on": "1970-01-01", "time": "", "temperature": "39", "unit": "C"}, "before the patient was born"),
        ("interrupt", {"on": "2026-03-29", "time": "02:30"}, "falls into the clock change of Europe/Berlin"),
        ("interrupt", {"on": "2025-10-26", "time": "02:30"}, "falls into the clock change of Europe/Berlin"),
        ("dose", on(NOW) | {"daily_mg": "3000"}, "3000 mg a day is not possible"),
        ("dose", on(NOW) | {"daily_mg": "-25"}, "not possible"),
        ("rechallenge", on(NOW), "no severe neutropenia is open"),
    ],
)
def test_what_cannot_have_happened_is_refused_with_a_sentence(desk, treatment, name, typed, said):
    page = desk.said(treatment, name, **{"reason": "x"} | typed)
    assert said.lower() in page.lower()
    assert "Not saved" in page


def test_a_restart_before_the_last_dose_is_refused(desk, treatment):
    record_event(treatment=treatment, kind="last_dose", at=NOW - DAY, by=None, now=NOW)
    assert "before the last dose, 2026-09-13 14:00" in desk.said(treatment, "restart", **on(NOW - 2 * DAY))
    assert "treatment is interrupted since" in desk.said(treatment, "interrupt", reason="x", **on(NOW)).lower()


@pytest.mark.slow
def test_a_dose_change_warns_and_never_refuses(nurse, treatment):
    record_dose(treatment=treatment, daily_mg=Decimal(300), at=NOW - 9 * DAY, by=None, now=NOW)
    page = nurse.do(treatment, "dose", daily_mg="950", cyp1a2_inhibitor="on", reason="Relapse", **on(NOW))
    assert "Daily dose: 300 mg → 950 mg" in words(page)
    assert "above the maximum of 900 mg" in words(page)
    assert "a third of the dose, about 100 mg instead of 300 mg" in words(page)
    assert DoseChange.objects.latest("pk").reason == "Relapse (strong CYP1A2 inhibitor)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "unit", "stored"), [("101.3", "F", "38.5"), ("101.2", "F", "38.4"), ("38.5", "C", "38.5")]
)
def test_fever_in_either_unit(nurse, treatment, typed, unit, stored):
    page = nurse.do(treatment, "fever", temperature=typed, unit=unit, symptoms=["sore throat", "chills"], **on(NOW))
    event = TreatmentEvent.objects.get(kind="fever")
    assert (str(event.celsius), event.reason) == (stored, "Sore throat, chills")
    assert ("Take an ANC today" in words(page)) == (stored == "38.5") == (treatment.advice == "interrupt")


@pytest.mark.slow
def test_a_correction_shows_the_past_advice_that_it_changes_before_it_is_saved(desk, treatment):
    a_count(treatment, 700, at=NOW - DAY / 2, accession="wrong")
    result = Result.objects.get(accession="wrong")
    assert 'value="700"' in desk.open(treatment, "correct", subject=result.pk).content.decode()
    typed = {"subject": result.pk, "drawn_at": "2026-09-14T02:00", "anc": "7000", "reason": "Typing slip"}
    page = words(desk.look(treatment, "correct", **typed))
    assert "Interrupt treatment Continue treatment" in page
    assert not Result.objects.filter(status="corrected").exists()
    desk.do(treatment, "correct", **typed)
    fresh = Result.objects.get(accession="wrong", version=2)
    assert (fresh.anc, fresh.reason, fresh.staff, treatment.advice) == (7000, "Typing slip", desk.staff, "continue")


@pytest.mark.slow
def test_past_advice_given_since_the_draw_is_listed_with_what_it_should_have_been(desk, treatment):
    a_count(treatment, 700, at=NOW - 3 * DAY, now=NOW - 3 * DAY, accession="wrong")
    a_count(treatment, 900, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    subject = Result.objects.get(accession="wrong").pk
    page = desk.said(treatment, "error", subject=subject, reason="Another patient's blood")
    assert "Past advice that this changes 2026-09-11: was Interrupt treatment" in page
    desk.do(treatment, "error", subject=subject, reason="Another patient's blood")
    assert Result.objects.get(accession="wrong", version=2).status == "entered_in_error"


def test_a_draw_in_the_hour_that_happened_twice_can_be_corrected(desk, clinic):
    treatment = a_treatment(clinic, started=NOW - 400 * DAY)
    drawn_at = datetime(2025, 10, 26, 1, 30, 12, tzinfo=UTC)  # the second 02:30 of that night in Berlin
    result = a_count(treatment, 2400, at=drawn_at)
    typed = {"subject": result.pk, "anc": "2500", "reason": "Slip"}
    desk.do(treatment, "correct", drawn_at="2025-10-26T02:30", **typed)
    assert Result.objects.get(accession=result.accession, version=2).drawn_at == drawn_at
    latest = Result.objects.get(accession=result.accession, version=2).pk
    typed |= {"subject": latest, "drawn_at": "2025-10-26T02:10"}
    said = desk.said(treatment, "correct", **typed)
    assert "be interpreted in time zone Europe/Berlin" in said


@pytest.mark.slow
def test_two_people_who_correct_one_result_do_not_overwrite_each_other(desk, treatment):
    result = Result.objects.get(accession="latest")
    typed = {"subject": result.pk, "drawn_at": "2026-09-13T14:00", "reason": "Slip"}
    desk.do(treatment, "correct", anc="2500", **typed)
    assert "stored with other content" in desk.said(treatment, "correct", anc="2600", **typed)
    assert "recorded already" in desk.said(treatment, "correct", anc="2500", **typed)


@pytest.mark.slow
def test_a_correction_without_a_change_or_with_a_unit_slip_is_refused(desk, treatment):
    result = Result.objects.get(accession="latest")
    typed = {"subject": result.pk, "drawn_at": "2026-09-13T14:00", "reason": "Slip"}
    assert "Nothing is changed" in desk.said(treatment, "correct", anc="2400", **typed)
    assert "probably 2.4 x10^9/L" in desk.said(treatment, "correct", anc="2.4", **typed)
    assert seen(desk.look(treatment, "correct", anc="15", confirmed="on", **typed))


@pytest.mark.slow
def test_an_event_is_taken_back_and_stays_readable(desk, treatment):
    record_event(treatment=treatment, kind="last_dose", at=NOW - DAY, by=None, now=NOW)
    event = TreatmentEvent.objects.get(kind="last_dose")
    assert f"?subject=event-{event.pk}" in desk.open(treatment, "void").content.decode()
    desk.do(treatment, "void", subject=f"event-{event.pk}", reason="Wrong patient")
    event.refresh_from_db()
    assert (event.voided_by, event.void_reason, treatment.advice) == (desk.staff, "Wrong patient", "continue")


def two_doses(treatment):
    for mg, days in ((100, 5), (400, 2)):
        record_dose(treatment=treatment, daily_mg=Decimal(mg), at=NOW - days * DAY, by=None, now=NOW - days * DAY)
    return DoseChange.objects.get(daily_mg=400)


@pytest.mark.slow
def test_a_dose_entered_in_error_counts_no_more_and_stays_readable(desk, treatment):
    wrong = two_doses(treatment)
    typed = {"subject": f"dose-{wrong.pk}", "reason": "Wrong patient"}
    assert "The daily dose is then: 100 mg a day." in words(desk.do(treatment, "void", **typed))
    assert [dose.daily_mg for dose in treatment.every_dose()] == [100]
    assert (wrong.void.voided_by, wrong.void.reason) == (desk.staff, "Wrong patient")
    assert "400 mg a day" not in words(desk.open(treatment, "void"))
    assert "This is recorded already" in desk.said(treatment, "void", **typed)
    page = words(desk.client.get(reverse("patient", args=[treatment.patient_id])))
    assert "Entered in error, says" in page
    assert "100 mg a day since" in page


def test_on_the_day_before_the_error_was_seen_the_dose_still_stands(desk, treatment):
    wrong = two_doses(treatment)
    void_dose(dose=wrong, by=desk.staff, now=NOW, reason="Wrong patient")
    desk.client.force_login(desk.staff)
    yesterday = f"{NOW - DAY:%Y-%m-%d}"
    page = words(desk.client.get(reverse("patient", args=[treatment.patient_id]), {"as_of": yesterday}))
    assert "400 mg a day since" in page


def test_a_dose_is_marked_once_with_a_reason_and_never_unmarked(desk, treatment):
    wrong = two_doses(treatment)
    with pytest.raises(InputError, match="say why"):
        void_dose(dose=wrong, by=desk.staff, now=NOW, reason=" ")
    void = void_dose(dose=wrong, by=desk.staff, now=NOW, reason="Wrong patient")
    again = void_dose(dose=wrong, by=desk.staff, now=NOW, reason="Once more")
    assert (again.pk, again.just_stored) == (void.pk, False)
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
        DoseVoid.objects.update(reason="Another")
    with pytest.raises(IntegrityError, match="dose_void_has_reason"), transaction.atomic():
        DoseVoid.objects.create(dose=treatment.every_dose()[0], reason="", voided_at=NOW, voided_by=desk.staff)


@pytest.mark.slow
def test_hospice_monitoring_and_rechallenge_are_a_prescribers_word(desk, treatment):
    page = desk.do(treatment, "hospice", reason="Discussed with patient and daughter", **on(NOW))
    assert "every week every 6 months" in words(page)
    assert "not yet verified" in words(page)
    a_count(treatment, 400, at=NOW - DAY / 24)
    page = desk.do(treatment, "rechallenge", reason="Benefit outweighs the risk", **on(NOW))
    assert "Stop treatment Do not start treatment" in words(page)
    assert "is approved already" in desk.said(treatment, "rechallenge", reason="x", **on(NOW - DAY / 48))


@pytest.mark.slow
def test_a_protocol_is_changed_after_a_look_at_what_changes(desk, treatment):
    a_count(treatment, 400, at=NOW)
    page = desk.do(treatment, "protocol", protocol_key="us-label-2015", reason="Replaying")
    assert "Stop treatment Interrupt treatment" in words(page)
    assert "was retired on" in words(page)
    assert AuditEvent.objects.get(verb="protocol_changed").detail["was"] == "us-label-2025"


@pytest.mark.slow
def test_contact_details_end_and_begin_and_nothing_is_lost(nurse, treatment):
    nurse.do(treatment, "contact", phone="555 0100", email="", address="")
    page = nurse.do(treatment, "contact", phone="555 0199", email="alex@example.org", address="")
    assert "Phone: 555 0100 → 555 0199" in words(page)
    points = ContactPoint.objects.order_by("pk").values_list("kind", "value", "ended_by")
    assert list(points) == [
        ("phone", "555 0100", nurse.staff.pk), ("phone", "555 0199", None), ("email", "alex@example.org", None)
    ]  # fmt: skip
    assert AuditEvent.objects.filter(verb="contact_changed").latest("pk").detail == {"kinds": ["phone", "email"]}


@pytest.mark.slow
def test_h30_whatever_act_brings_a_hold_leaves_an_open_alert(desk, treatment):
    a_count(treatment, 700, at=NOW - DAY / 2, accession="low")
    alert = Alert.objects.get(cause="neutropenia")
    Alert.objects.filter(pk=alert.pk).update(resolved_at=NOW, outcome="acted")
    a_count(treatment, 1600, at=NOW - DAY / 4, accession="better")
    better = Result.objects.get(accession="better")
    assert treatment.__class__.objects.get(pk=treatment.pk).advice == "continue"
    page = desk.do(treatment, "error", subject=better.pk, reason="Not this patient")
    assert "Continue treatment Interrupt treatment" in words(page)
    assert "Alerts that this raises" in words(page)
    assert Alert.objects.standing().filter(cause="neutropenia").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTS)
def test_every_act_opens_for_those_who_may_and_exists_for_nobody_else(client, clinic, treatment, name):
    for role in ("nurse", "prescriber", "pharmacist", "clinic_admin", "auditor"):
        from_here = Desk(client, a_person(clinic, role)).open(treatment, name)
        may = role == "prescriber" or (role == "nurse" and name not in PRESCRIBERS)
        may = may or (role == "pharmacist" and name in ("book", "cancel-booking"))
        assert from_here.status_code == (200 if may else 404), (name, role)
    stranger = Desk(client, a_person(a_clinic("South"), "prescriber"))
    assert stranger.open(treatment, name).status_code == 404
    assert stranger.look(treatment, name).status_code == 404


@pytest.mark.slow
def test_the_patient_page_offers_the_acts_that_fit(desk, treatment):
    page = desk.client.get
    desk.client.force_login(desk.staff)
    shown = words(page(reverse("patient", args=[treatment.patient_id])))
    assert "Interrupt treatment" in shown
    assert "Restart treatment" not in shown
    assert "Approve a rechallenge" not in shown
    assert page(reverse("acts", args=[treatment.patient_id])).status_code == 200
    assert page(reverse("act", args=[treatment.patient_id, "nonsense"])).status_code == 404


@pytest.mark.slow
def test_a_row_of_another_patient_cannot_be_acted_on(desk, treatment, clinic):
    other = a_treatment(clinic)
    result = other.results.first()
    assert desk.open(treatment, "correct", subject=result.pk).status_code == 404
    assert desk.open(treatment, "void", subject=f"event-{other.events.first().pk}").status_code == 404
    for nonsense in ("event-x", "dose-9999999", "²", "12;--"):
        assert desk.open(treatment, "void", subject=nonsense).status_code == 404
        assert desk.open(treatment, "correct", subject=nonsense).status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fever", "restart", "correct", "void", "ben"])
def test_the_number_of_queries_does_not_grow_with_the_history(desk, treatment, name, django_assert_max_num_queries):
    with CaptureQueriesContext(connection) as few:
        desk.look(treatment, name, temperature="39", unit="C", reason="x", **on(NOW))
    for number in range(30):
        a_count(treatment, 2400, at=NOW - DAY + number * DAY / 40)
        record_dose(treatment=treatment, daily_mg=Decimal(100 + number), at=NOW - number * DAY, by=None, now=NOW)
    with django_assert_max_num_queries(len(few) + 1):
        desk.look(treatment, name, temperature="39", unit="C", reason="x", **on(NOW))
    with django_assert_max_num_queries(32):
        desk.client.get(reverse("patient", args=[treatment.patient_id]))
