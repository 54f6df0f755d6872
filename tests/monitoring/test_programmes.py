"""REMS and registries: dated records, what would have been said, forms signed in one sitting, and the register."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.actions.dispensing import verdict_of
from monitoring.actions.non_rechallenge import appeal, end_entry, enter_register, keep_entry
from monitoring.actions.programmes import facts_on, form_state, is_enrolled, record_fact, rems_said, void_fact
from monitoring.actions.requirements import of_clinic, of_rems
from monitoring.actions.status_forms import drafts, registry_form, set_registry_form, sign, to_sign
from monitoring.actions.taking_over import Told, take_over
from monitoring.actions.treating import document_ben
from monitoring.models import Alert, NonRechallenge, ProgrammeRecord, RegistryForm, Treatment
from monitoring.sweep import sweep
from patients.actions import issue_token
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
ON = date(2023, 5, 4)
THEN = datetime(2023, 5, 4, 9, tzinfo=UTC)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber")


@pytest.fixture
def old(clinic, prescriber):
    """On treatment since January 2023."""
    treatment = a_treatment(clinic, started=THEN - 100 * DAY, clinician=prescriber)
    a_count(treatment, 2500, at=THEN - 3 * DAY, now=THEN)
    return treatment


def fact(treatment, kind, by, on=ON - timedelta(days=90), programme="us-rems", **fields):
    about = {"treatment": treatment}
    if kind.startswith("pharmacy"):
        about = {}
    elif kind.startswith("prescriber"):
        about = {"person": treatment.clinician}
    return record_fact(
        clinic=treatment.clinic, programme=programme, kind=kind, on=on, by=by, now=NOW, **about, **fields
    )


def test_what_the_programme_would_have_said_follows_the_records_of_that_day(old, prescriber):
    assert rems_said(old, ON).outcome == "refused"
    fact(old, "pharmacy_certified", prescriber)
    enrolled = fact(old, "enrolled", prescriber)
    assert rems_said(old, ON).outcome == "authorised"
    fact(old, "disenrolled", prescriber, on=ON)
    assert rems_said(old, ON).outcome == "refused"
    assert rems_said(old, ON - timedelta(days=1)).outcome == "authorised"
    void_fact(row=enrolled, by=prescriber, now=NOW, reason="Another patient")
    assert rems_said(old, ON - timedelta(days=1)).outcome == "refused"


def test_a_severe_count_of_that_time_held_the_treatment_and_a_later_one_does_not(old, prescriber):
    fact(old, "pharmacy_certified", prescriber)
    fact(old, "enrolled", prescriber)
    a_count(old, 400, at=THEN + 5 * DAY, now=NOW)
    assert rems_said(old, ON).outcome == "authorised"
    assert rems_said(old, ON + timedelta(days=5)).outcome == "refused"


def test_a_record_is_about_somebody_and_never_in_the_future(old, prescriber):
    with pytest.raises(ValueError, match="in the future"):
        fact(old, "enrolled", prescriber, on=date(2027, 1, 1))
    with pytest.raises(ValueError, match="say whom"):
        record_fact(clinic=old.clinic, programme="us-rems", kind="enrolled", on=ON, by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="is not known"):
        fact(old, "blessed", prescriber)
    with pytest.raises(IntegrityError, match="programme_record_about_one"), transaction.atomic():
        ProgrammeRecord.objects.create(
            clinic=old.clinic, programme="us-rems", kind="enrolled", on=ON, recorded_at=NOW, recorded_by=prescriber
        )


@pytest.mark.parametrize(
    ("ago", "state"), [(0, "submitted"), (29, "submitted"), (30, "due"), (37, "due"), (38, "late"), (None, "missing")]
)
def test_a_monthly_form_is_due_late_or_missing(ago, state):
    last = None if ago is None else ON - timedelta(days=ago)
    assert form_state(last, ON) == state


def test_a_clinics_own_registry_blocks_only_once_it_is_switched_on(clinic, prescriber):
    treatment = a_treatment(clinic)
    a_count(treatment, 2500, at=NOW)
    assert verdict_of(treatment, now=NOW).answer == "may_supply"
    clinic.policies = {"registry_enrolments": 1}
    clinic.full_clean()
    clinic.save()
    treatment.refresh_from_db()
    assert verdict_of(treatment, now=NOW).answer == "do_not_supply"
    fact(treatment, "enrolled", prescriber, programme="clinic", on=NOW.date())
    assert is_enrolled(treatment)
    assert verdict_of(treatment, now=NOW).answer == "may_supply"


def test_the_register_has_evidence_a_review_an_appeal_and_an_end(old, prescriber):
    a_count(old, 400, at=THEN + DAY, now=NOW)
    given = {"evidence": "Severe, confirmed", "other_drugs": "", "confirmed": True, "by": prescriber, "now": NOW}
    with pytest.raises(ValueError, match="later day"):
        enter_register(treatment=old, review_on=NOW.date(), **given)
    entry = enter_register(treatment=old, review_on=NOW.date() + 180 * DAY, **given)
    assert entry.counts[-1]["anc"] == "400"
    with pytest.raises(ValueError, match="in the register already"):
        enter_register(treatment=old, review_on=NOW.date() + 180 * DAY, **given)
    appeal(entry=entry, words="A viral infection explains it", by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="say why"):
        end_entry(entry=entry, outcome=" ", by=prescriber, now=NOW)
    end_entry(entry=entry, outcome="Agreed with haematology", by=prescriber, now=NOW)
    with pytest.raises(ValueError, match="ended already"):
        appeal(entry=entry, words="Again", by=prescriber, now=NOW)


# Pages


@pytest.fixture
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.mark.slow
def test_the_page_asks_about_a_day_and_says_that_it_is_history(client, frozen, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/rems/"
    assert "This is history" in client.get(place).content.decode()
    assert "would have been refused" in client.get(f"{place}?on=2023-05-04").content.decode()
    assert "ask about a later day" in client.get(f"{place}?on=2014-05-04").content.decode()
    assert "not asked" in client.get(f"{place}?on=2026-05-04").content.decode()


def test_records_are_added_and_taken_back_in_the_page(client, frozen, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/rems/"
    sent = {"programme": "us-rems", "kind": "pharmacy_certified", "day": "2023-02-01"}
    client.post(f"{place}record/", sent)
    row = ProgrammeRecord.objects.get()
    future = client.post(f"{place}record/", sent | {"day": "2030-01-01"})
    assert (future.status_code, "in the future" in future.content.decode()) == (400, True)
    client.post(f"{place}{row.pk}/void/", {"words": ""})
    client.post(f"{place}{row.pk}/void/", {"words": "Wrong pharmacy"})
    row.refresh_from_db()
    assert row.void_reason == "Wrong pharmacy"
    assert client.post(f"{place}{row.pk}/void/", {"words": "Again"}).status_code == 404


def enrol(clinic, prescriber, many, **fields):
    treatments = [a_treatment(clinic) for _ in range(many)]
    for treatment in treatments:
        fact(
            treatment, "enrolled", prescriber, **{"programme": "clinic", "on": NOW.date() - timedelta(days=60)} | fields
        )
    return treatments


def boxes(page):
    return [draft.basis for draft in page.context["drafts"]]


@pytest.mark.slow
def test_many_forms_are_signed_in_one_sitting_and_only_those_ticked(client, frozen, clinic, prescriber):
    enrol(clinic, prescriber, 3)
    client.force_login(prescriber)
    page = client.get("/status-forms/")
    assert page.content.decode().count("missing") == 3
    ticked = boxes(page)[:2]
    client.post("/status-forms/", {"sign": ticked})
    client.post("/status-forms/", {"sign": ticked[:1]})
    assert ProgrammeRecord.objects.filter(kind="status_form").count() == 2
    assert len(boxes(client.get("/status-forms/"))) == 1


def test_h39_a_form_that_was_read_before_a_newer_count_is_not_signed(client, frozen, clinic, prescriber):
    (treatment,) = enrol(clinic, prescriber, 1)
    client.force_login(prescriber)
    read = boxes(client.get("/status-forms/"))
    a_count(treatment, 400, at=NOW)
    told = client.post("/status-forms/", {"sign": read}, follow=True).content.decode()
    assert "1 form was not signed: something new is known" in told
    assert not ProgrammeRecord.objects.filter(kind="status_form").exists()
    client.post("/status-forms/", {"sign": boxes(client.get("/status-forms/"))})
    assert ProgrammeRecord.objects.get(kind="status_form").drafted["anc"] == "400"


def test_a_count_that_comes_between_the_draft_and_its_signature_is_seen_under_the_lock(clinic, prescriber):
    (treatment,) = enrol(clinic, prescriber, 1)
    drafted = drafts(list(to_sign(Treatment.objects.all(), now=NOW)), now=NOW)
    a_count(treatment, 400, at=NOW)
    assert sign(ticked=drafted, by=prescriber, now=NOW) == (0, [treatment])


def test_forms_are_of_the_clinics_own_registry_and_of_those_who_are_in_it_now(client, frozen, clinic, prescriber):
    enrol(clinic, prescriber, 1, programme="us-rems")
    (left,) = enrol(clinic, prescriber, 1)
    fact(left, "disenrolled", prescriber, programme="clinic", on=NOW.date())
    (stays,) = enrol(clinic, prescriber, 1)
    fact(stays, "status_form", prescriber, programme="us-rems", on=NOW.date())
    assert [one.pk for one in to_sign(Treatment.objects.all(), now=NOW)] == [stays.pk]


@pytest.mark.parametrize(("ago", "waits"), [(29, 0), (30, 1), (37, 1), (38, 1)])
def test_a_form_waits_from_a_week_before_it_is_due(client, frozen, clinic, prescriber, ago, waits):
    (treatment,) = enrol(clinic, prescriber, 1)
    fact(treatment, "status_form", prescriber, programme="clinic", on=NOW.date() - timedelta(days=ago))
    client.force_login(prescriber)
    page = client.get("/status-forms/")
    assert len(boxes(page)) == waits
    assert ("All forms are submitted: 1 enrolled" in page.content.decode()) is (not waits)


@pytest.mark.slow
def test_the_sitting_costs_the_same_for_3_and_for_30(client, frozen, clinic, prescriber, django_assert_num_queries):
    enrol(clinic, prescriber, 3)
    client.force_login(prescriber)
    with django_assert_num_queries(11):
        client.get("/status-forms/")
    enrol(clinic, prescriber, 27)
    with django_assert_num_queries(11):
        assert len(boxes(client.get("/status-forms/"))) == 30


# The clinic's own form


def test_a_clinics_own_questions_are_answered_before_a_form_is_signed_and_kept_with_it(
    client, frozen, clinic, prescriber
):
    first, second = enrol(clinic, prescriber, 2)
    set_registry_form(clinic=clinic, title="Monthly", questions=["Smokes?", " "], by=prescriber, now=NOW)
    client.force_login(prescriber)
    ticked = boxes(client.get("/status-forms/"))
    answers = {f"answer-{first.pk}": "20 a day", f"answer-{second.pk}": " "}
    refused = client.post("/status-forms/", {"sign": ticked} | answers)
    assert (refused.status_code, ProgrammeRecord.objects.filter(kind="status_form").count()) == (400, 0)
    assert "answer every question about Quill, Alex first" in refused.content.decode()
    assert 'value="20 a day"' in refused.content.decode()
    assert refused.content.decode().count(" checked>") == 2
    client.post("/status-forms/", {"sign": ticked} | answers | {f"answer-{second.pk}": "No"})
    rows = {row.treatment_id: row.drafted for row in ProgrammeRecord.objects.filter(kind="status_form")}
    assert rows[first.pk]["answers"] == [["Smokes?", "20 a day"]]
    assert rows[second.pk]["form"] == "Monthly"
    assert "Smokes?: 20 a day" in client.get(f"/patients/{first.patient_id}/rems/").content.decode()


def test_a_form_that_changed_since_it_was_read_is_not_signed(client, frozen, clinic, prescriber):
    enrol(clinic, prescriber, 1)
    client.force_login(prescriber)
    ticked = boxes(client.get("/status-forms/"))
    set_registry_form(clinic=clinic, title="Monthly", questions=["Smokes?"], by=prescriber, now=NOW)
    assert "1 form was not signed" in client.post("/status-forms/", {"sign": ticked}, follow=True).content.decode()


def test_the_admin_sets_the_form_and_sees_what_it_asks_before(client, frozen, clinic):
    client.force_login(a_person(clinic, "clinic_admin"))
    place, sent = f"/settings/{clinic.slug}/registry/", {"title": "Monthly", "questions": "Smokes?\n\nWeight in kg?"}
    assert "Every monthly form asks: Weight in kg?" in client.post(place, sent).content.decode()
    assert registry_form(clinic) is None
    client.post(place, sent | {"confirm": "1"})
    assert registry_form(clinic).questions == ["Smokes?", "Weight in kg?"]
    nine = sent | {"questions": "\n".join(f"Question {number}" for number in range(9)), "confirm": "1"}
    assert "at most 8 questions" in client.post(place, nine).content.decode()
    assert "Weight in kg?" in client.get(place).content.decode()
    assert place in client.get("/settings/").content.decode()


def test_a_form_without_a_title_cannot_be(clinic, prescriber):
    with pytest.raises(ValueError, match="title"):
        set_registry_form(clinic=clinic, title=" ", questions=[], by=prescriber, now=NOW)
    with pytest.raises(IntegrityError, match="registry_form_has_title"), transaction.atomic():
        RegistryForm.objects.create(clinic=clinic, title="", set_at=NOW, set_by=prescriber)


# What each requirement says


def state(rows, name, whose=None):
    return next((one.state, one.detail) for one in rows if one.name == name and whose in (None, one.whose))


@pytest.mark.slow
def test_each_requirement_has_its_state_per_patient_prescriber_and_pharmacy(old, prescriber):
    assert state(of_rems(old, ON), "Enrolment") == ("no record", "")
    assert state(of_rems(old, ON), "Monthly Patient Status Form") == ("missing", "none was submitted")
    fact(old, "pharmacy_certified", prescriber, on=date(2021, 12, 1), code="PH1")
    fact(old, "prescriber_certified", prescriber, on=date(2021, 12, 2))
    fact(old, "enrolled", prescriber, on=date(2023, 1, 10))
    fact(old, "status_form", prescriber, on=date(2023, 4, 1))
    fact(old, "authorisation", prescriber, on=date(2023, 4, 2), code="RDA-7")
    fact(old, "treatment_rationale", prescriber, on=date(2023, 4, 3))
    for day in (date(2022, 11, 4), date(2023, 2, 1), ON):
        fact(old, "dispense_rationale", prescriber, on=day)
    rows = of_rems(old, ON)
    assert state(rows, "Certification", "Pharmacy") == ("certified", "since 2021-12-01, code PH1")
    assert state(rows, "Certification", "Prescriber") == ("certified", f"since 2021-12-02, {prescriber}")
    assert state(rows, "Enrolment") == ("enrolled", "since 2023-01-10")
    assert state(rows, "Monthly Patient Status Form") == ("due", "last on 2023-04-01, the next by 2023-05-08")
    assert state(rows, "REMS Dispense Authorization (RDA)") == ("on 2023-04-02", "code RDA-7")
    assert state(rows, "Dispense rationales")[0] == "2 of 3 used"
    assert state(rows, "Treatment rationale")[0] == "on 2023-04-03"
    assert state(of_rems(old, date(2023, 1, 9)), "Enrolment") == ("no record", "")


def test_of_a_patient_who_was_not_on_treatment_then_nothing_was_asked(clinic, prescriber):
    treatment = a_treatment(clinic)
    assert state(of_rems(treatment, NOW.date()), "Enrolment, forms and rationales") == (
        "not on treatment",
        "before 2026-06-14",
    )
    fact(treatment, "enrolled", prescriber, on=date(2025, 2, 1))
    assert state(of_rems(treatment, NOW.date()), "Enrolment")[0] == "enrolled"


def test_after_its_end_the_programmes_state_is_that_of_its_last_day(old, prescriber):
    fact(old, "enrolled", prescriber, on=date(2025, 2, 23))
    fact(old, "disenrolled", prescriber, on=date(2025, 2, 24))
    assert state(of_rems(old, NOW.date()), "Enrolment")[0] == "enrolled"


def test_the_clinics_registry_says_whether_it_is_needed_and_asks_for_forms_of_those_enrolled(clinic, old, prescriber):
    assert state(of_clinic(old, NOW.date()), "Enrolment") == (
        "no record",
        "not needed for a supply: the clinic's policy is off",
    )
    clinic.policies = {"registry_enrolments": 1}
    clinic.save()
    fact(old, "enrolled", prescriber, programme="clinic", on=NOW.date())
    old.refresh_from_db()
    rows = of_clinic(old, NOW.date())
    assert state(rows, "Enrolment") == ("enrolled", "since 2026-09-14; needed before a supply")
    assert state(rows, "Monthly Patient Status Form")[0] == "missing"


def test_an_authorisation_is_recorded_with_its_code(old, prescriber):
    with pytest.raises(ValueError, match="give the code"):
        fact(old, "authorisation", prescriber)
    assert fact(old, "authorisation", prescriber, code=" RDA-7 ").code == "RDA-7"


# Days before the treatment began


def test_days_before_the_first_dose_have_no_answer_and_say_so(old, prescriber):
    fact(old, "pharmacy_certified", prescriber, on=date(2022, 1, 1))
    fact(old, "enrolled", prescriber, on=date(2022, 1, 1))
    began = (THEN - 100 * DAY).date()
    before = rems_said(old, began - timedelta(days=1))
    assert (before.outcome, before.because) == (
        "not_begun",
        (f"Treatment had not begun on this day: it began on {began}. There was nothing to dispense.",),
    )
    assert rems_said(old, began).outcome == "authorised"


def test_a_record_of_a_dispense_before_the_first_dose_moves_the_beginning(old, prescriber):
    began = (THEN - 100 * DAY).date()
    fact(old, "authorisation", prescriber, on=began - timedelta(days=3), code="RDA-1")
    assert rems_said(old, began - timedelta(days=3)).outcome == "refused"
    assert rems_said(old, began - timedelta(days=4)).outcome == "not_begun"


def test_an_authorisation_on_record_is_an_earlier_dispense_so_the_next_one_needed_a_form(old, prescriber):
    fact(old, "pharmacy_certified", prescriber)
    fact(old, "enrolled", prescriber)
    assert rems_said(old, ON).outcome == "authorised"
    fact(old, "authorisation", prescriber, on=ON - timedelta(days=30), code="RDA-1")
    assert rems_said(old, ON).because == ("No Patient Status Form was submitted in the last 37 days.",)


def test_without_any_first_dose_nothing_had_begun(clinic):
    assert "no first dose is on record" in rems_said(a_treatment(clinic, started=None), ON).because[0]


def test_before_a_take_over_whose_beginning_is_unknown_nothing_is_on_record(clinic, prescriber):
    treatment = a_treatment(clinic, started=None)
    told = Told(first_dose_on=None, told_by="A letter", lowest_anc=None, lowest_on=None, counts=[], pauses=[])
    take_over(treatment=treatment, told=told, by=prescriber, now=NOW)
    assert rems_said(treatment, ON).outcome == "not_on_record"


def test_ben_counts_only_from_when_it_was_documented(clinic, prescriber):
    treatment = a_treatment(clinic, started=THEN - 100 * DAY)
    a_count(treatment, 900, at=THEN - 3 * DAY, now=THEN)
    on_2020 = {"treatment": treatment, "baseline_anc": None, "evidence": "Duffy", "confirmed_by": prescriber}
    assert facts_on(treatment, ON).population == "general"
    document_ben(by=a_person(clinic, "nurse"), now=NOW, **on_2020)
    treatment = Treatment.objects.get(pk=treatment.pk)
    assert facts_on(treatment, ON).population == "general"
    assert facts_on(treatment, NOW.date()).population == "ben"


def test_the_label_of_the_programmes_time_judges_whatever_protocol_holds_now(clinic, prescriber):
    treatment = a_treatment(clinic, started=THEN - 100 * DAY, protocol="uk-cpms")
    a_count(treatment, 1600, at=THEN - 3 * DAY, now=THEN, count={"wbc": "5000"})
    assert facts_on(treatment, ON).band == "normal"


def test_the_page_and_the_api_say_that_treatment_had_not_begun(client, frozen, clinic, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/rems/?on=2020-01-01"
    assert "no answer, treatment had not begun" in client.get(place).content.decode()
    assert api(client, clinic, old, "?on=2020-01-01").json()["outcome"] == "not_begun"


def api(client, clinic, treatment, query="", verbs=("eligibility:read",)):
    _, token = issue_token(clinic=clinic, name="till", verbs=list(verbs), by=None, now=NOW)
    bearer = {"Authorization": f"Bearer {token}"}
    return client.get(f"/api/v1/treatments/{treatment.pk}/rems/{query}", headers=bearer)


def test_what_would_the_rda_have_said_is_an_api_call(client, frozen, clinic, old, prescriber):
    fact(old, "pharmacy_certified", prescriber)
    told = api(client, clinic, old, "?on=2023-05-04").json()
    assert (told["era"], told["outcome"], told["tolerated"]) == ("2021", "refused", True)
    assert told["because"] == ["The patient is not enrolled."]
    assert [one["state"] for one in told["requirements"]][:3] == ["certified", "no record", "no record"]
    assert api(client, clinic, old).json()["outcome"] == "not_asked"
    wrong = api(client, clinic, old, "?on=4.5.2023")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "on")
    assert "ask about a later day" in api(client, clinic, old, "?on=2014-05-04").json()["errors"][0]["message"]
    assert api(client, clinic, a_treatment(), "?on=2023-05-04").status_code == 404
    assert api(client, clinic, old, verbs=["results:read"]).status_code == 403


def test_the_register_in_the_page(client, frozen, old, prescriber):
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/register/"
    assert client.post(place, {"evidence": ""}).status_code == 400
    client.post(place, {"evidence": "Severe twice", "review_on": "2027-01-01", "confirmed": ""})
    client.post(place, {"words": "Infection", "appeal": "1"})
    client.post(place, {"words": "Lifted after review", "lift": "1"})
    entry = NonRechallenge.objects.get()
    assert (entry.confirmed, entry.appeal, entry.outcome) == (None, "Infection", "Lifted after review")


def test_whoever_sees_the_patient_may_appeal_and_only_a_prescriber_may_lift(client, frozen, clinic, old, prescriber):
    given = {"evidence": "Severe", "other_drugs": "", "confirmed": True, "by": prescriber, "now": NOW}
    entry = enter_register(treatment=old, review_on=NOW.date() + timedelta(days=5), **given)
    client.force_login(a_person(clinic, "nurse"))
    place = f"/patients/{old.patient_id}/register/"
    assert client.post(place, {"words": "A virus", "lift": "1"}).status_code == 404
    client.post(place, {"words": "A virus explains it", "appeal": "1"})
    entry.refresh_from_db()
    assert (entry.appeal, entry.ended_at) == ("A virus explains it", None)
    page = client.get(f"/patients/{old.patient_id}/rems/").content.decode()
    assert f"It may be lifted by any prescriber of North: {prescriber}" in page
    assert "ANC 2500 /uL" in page
    assert "Lift the entry" not in page


def test_an_entry_whose_review_is_over_due_says_so(client, old, prescriber, time_machine):
    given = {"evidence": "Severe", "other_drugs": "", "confirmed": True, "by": prescriber, "now": NOW}
    enter_register(treatment=old, review_on=NOW.date() + timedelta(days=5), **given)
    time_machine.move_to(NOW + 6 * DAY, tick=False)
    client.force_login(prescriber)
    page = client.get(f"/patients/{old.patient_id}/rems/").content.decode()
    assert "it was to be looked at again on 19 Sep 2026" in page
    assert "non-rechallenge register" in client.get(f"/patients/{old.patient_id}/").content.decode()


@pytest.mark.slow
def test_a_review_that_is_due_raises_one_alert_and_ends_it_when_somebody_has_looked(client, clinic, old, prescriber):
    given = {"evidence": "Severe", "other_drugs": "", "confirmed": True, "by": prescriber, "now": NOW}
    entry = enter_register(treatment=old, review_on=NOW.date() + timedelta(days=5), **given)
    assert sweep(now=NOW + 4 * DAY)["review_due"] == 0
    assert [sweep(now=NOW + later)["review_due"] for later in (5 * DAY, 6 * DAY)] == [1, 0]
    alert = Alert.objects.get(cause="register_review")
    assert (alert.owner, "looked at again on 2026-09-19" in alert.summary) == (prescriber, True)
    with pytest.raises(ValueError, match="later day"):
        keep_entry(entry=entry, words="Twice", review_on=NOW.date(), by=prescriber, now=NOW + 6 * DAY)
    with pytest.raises(ValueError, match="why the entry stays"):
        keep_entry(entry=entry, words="", review_on=date(2027, 3, 1), by=prescriber, now=NOW + 6 * DAY)
    keep_entry(entry=entry, words="Twice severe", review_on=date(2027, 3, 1), by=prescriber, now=NOW + 6 * DAY)
    alert.refresh_from_db()
    assert alert.resolved_by == prescriber
    assert sweep(now=NOW + 7 * DAY)["review_due"] == 0
    assert sweep(now=NOW + 170 * DAY)["review_due"] == 1
    end_entry(entry=entry, outcome="A virus", by=prescriber, now=NOW + 170 * DAY)
    assert not Alert.objects.standing().filter(cause="register_review").exists()


def test_an_entry_is_kept_in_the_page_with_a_reason_and_a_day(client, frozen, old, prescriber):
    given = {"evidence": "Severe", "other_drugs": "", "confirmed": True, "by": prescriber, "now": NOW}
    entry = enter_register(treatment=old, review_on=NOW.date() + timedelta(days=5), **given)
    client.force_login(prescriber)
    place = f"/patients/{old.patient_id}/register/"
    refused = client.post(place, {"words": "Twice severe", "keep": "1", "review_on": ""})
    assert (refused.status_code, "give the day" in refused.content.decode()) == (400, True)
    page = client.post(place, {"words": "Twice severe", "keep": "1", "review_on": "2027-03-01"}, follow=True)
    assert "and kept: Twice severe" in page.content.decode()
    entry.refresh_from_db()
    assert entry.review_on == date(2027, 3, 1)


@pytest.mark.parametrize(("role", "sees", "registers"), [("pharmacist", 200, 404), ("auditor", 404, 404)])
def test_who_may_do_what(client, frozen, clinic, old, role, sees, registers):
    client.force_login(a_person(clinic, role))
    assert client.get(f"/patients/{old.patient_id}/rems/").status_code == sees
    assert client.post(f"/patients/{old.patient_id}/register/", {"evidence": "x"}).status_code == registers
    assert client.get(f"/patients/{a_treatment().patient_id}/rems/").status_code == 404
