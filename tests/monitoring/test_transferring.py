"""A patient changes clinic: what goes along, who sees what, and that two answers are one."""

import copy
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from monitoring.actions.alerting import raise_alerts
from monitoring.actions.answering import acknowledge
from monitoring.actions.merging import merge as merge_records
from monitoring.actions.merging import undo_merge
from monitoring.actions.moving import preview_move
from monitoring.actions.transferring import (
    MovedOnError,
    accept_transfer,
    decline_transfer,
    request_transfer,
    withdraw_transfer,
)
from monitoring.actions.treating import record_event
from monitoring.alerts import Raising
from monitoring.doors import alerts_of, alerts_with_past_of, transfers_of, treatments_of
from monitoring.models import Alert, Cause, Draw, Merge, Severity, Transfer, Treatment
from monitoring.rules.errors import InputError
from monitoring.sweep import sweep
from monitoring.views.stale import StaleError, basis_of, unchanged
from notifications.models import Delivery
from patients.access import patients_of
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_deputy, a_patient, a_person, a_treatment, an_absence
from tests.monitoring.desk import Desk, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def north():
    return a_clinic("North", time_zone="Europe/Lisbon")


@pytest.fixture
def south():
    return a_clinic("South", time_zone="America/New_York")


@pytest.fixture
def nurse(north):
    return a_person(north, "nurse")


@pytest.fixture
def their_nurse(south):
    return a_person(south, "nurse")


@pytest.fixture
def treatment(north):
    return a_treatment(north, clinician=a_person(north, "prescriber"))


@pytest.fixture
def transfer(treatment, south, nurse):
    return request_transfer(treatment=treatment, to_clinic=south, reason="Moves to live there", by=nurse, now=NOW)


def accepted(transfer, by, *, new_mrn="S-1", clinician=None, now=NOW + DAY):
    return accept_transfer(transfer=transfer, new_mrn=new_mrn, clinician=clinician, by=by, now=now)


def test_until_the_other_clinic_accepts_the_patient_stays_on_the_old_list(transfer, treatment, nurse, their_nurse):
    assert treatment in treatments_of(nurse)
    assert treatment not in treatments_of(their_nurse)
    assert transfer in transfers_of(nurse)
    assert transfer in transfers_of(their_nurse)
    assert transfer not in transfers_of(a_person(a_clinic("West"), "nurse"))


@pytest.mark.slow
def test_h08_a_patient_who_moves_is_on_somebodys_list_with_an_owner_who_answers_until_the_other_clinic_accepts(
    transfer, treatment, north, south, their_nurse
):
    """Also while the owner goes away: every alert in between has somebody of the old clinic, then of the new one."""
    overdue = NOW + 9 * DAY
    cover = a_person(north, "nurse")
    an_absence(north, treatment.clinician, cover, overdue.date(), overdue.date())
    for moment in (overdue, overdue + DAY):
        sweep(now=moment)
        assert treatments_of(cover).overdue(moment).filter(pk=treatment.pk).exists()
        assert not treatments_of(their_nurse).filter(pk=treatment.pk).exists()
    owners = set(Alert.objects.filter(resolved_at=None).values_list("cause", "owner"))
    assert owners == {("test_overdue", cover.pk), ("transfer", cover.pk)}
    deputy = a_person(south, "prescriber")
    a_deputy(south, deputy)
    accept_transfer(transfer=transfer, new_mrn="S1", clinician=None, by=their_nurse, now=overdue + 2 * DAY)
    standing = Alert.objects.filter(resolved_at=None).values_list("clinic", "owner")
    assert set(standing) == {(south.pk, deputy.pk)}
    assert treatments_of(their_nurse).filter(pk=treatment.pk).exists()


def test_an_accepted_patient_leaves_the_old_list_and_brings_history_and_interval(
    transfer, treatment, south, nurse, their_nurse
):
    a_count(treatment, 2300, at=NOW - DAY)
    treatment.refresh_from_db()
    before = (treatment.frequency, treatment.advice, treatment.results.count(), treatment.events.count())
    clinician = a_person(south, "prescriber")
    accepted(transfer, their_nurse, clinician=clinician)
    treatment.refresh_from_db()
    assert treatment not in treatments_of(nurse)
    assert not patients_of(nurse).filter(pk=treatment.patient_id).exists()
    assert treatment in treatments_of(their_nurse)
    assert (treatment.patient.clinic, treatment.patient.mrn, treatment.clinician) == (south, "S-1", clinician)
    assert (treatment.frequency, treatment.advice, treatment.results.count(), treatment.events.count()) == before


def test_results_keep_the_clinic_that_recorded_them_and_the_new_clinic_corrects_them(transfer, treatment, their_nurse):
    first = a_count(treatment, 2300, at=NOW - DAY, accession="L-1")
    stale = copy.copy(treatment)
    accepted(transfer, their_nurse)
    with pytest.raises(InputError, match="moved to South meanwhile"):
        a_count(stale, 900, at=NOW - DAY, now=NOW + DAY, accession="L-2")
    treatment.refresh_from_db()
    corrected = a_count(
        treatment, 900, at=NOW - DAY, now=NOW + DAY, accession="L-1", status="corrected", by=their_nurse
    )
    assert (first.clinic.name, corrected.clinic.name, corrected.version) == ("North", "South", 2)
    treatment.refresh_from_db()
    assert treatment.advice == "interrupt"


def test_open_alerts_move_to_the_new_owner_who_is_told_and_the_clock_begins_again(
    transfer, treatment, south, nurse, their_nurse
):
    a_count(treatment, 400, at=NOW - DAY)
    alert = Alert.objects.get(cause=Cause.NEUTROPENIA)
    acknowledge(alert=alert, by=nurse, now=NOW)
    clinician = a_person(south, "prescriber")
    accepted(transfer, their_nurse, clinician=clinician)
    alert.refresh_from_db()
    assert (alert.clinic, alert.owner, alert.state) == (south, clinician, "open")
    assert alert.escalate_at == NOW + DAY + timedelta(minutes=15)
    assert Delivery.objects.filter(address=clinician.email, about=f"alert:{alert.pk}").count() == 1
    assert alert in alerts_of(their_nurse)
    assert alert not in alerts_of(nurse)


def test_h33_resolved_alerts_are_read_by_the_new_clinic_and_no_longer_by_the_old(
    transfer, treatment, nurse, their_nurse
):
    (alert,) = raise_alerts(treatment, [Raising(Cause.FEVER, Severity.MODERATE, "Fever")], result=None, now=NOW)
    Alert.objects.filter(pk=alert.pk).update(resolved_at=NOW, resolved_by=nurse, outcome="acted")
    accepted(transfer, their_nurse)
    assert alert not in alerts_of(nurse)
    assert alert not in alerts_with_past_of(nurse)
    assert alert in alerts_with_past_of(their_nurse)


def test_h21_an_event_known_by_its_date_keeps_that_date_in_the_new_zone(transfer, treatment, their_nurse):
    record_event(treatment=treatment, kind="last_dose", at=date(2026, 9, 10), by=None, now=NOW)
    accepted(transfer, their_nurse)
    treatment.refresh_from_db()
    (event,) = [event for event in treatment.history().events if getattr(event, "kind", "") == "last_dose"]
    assert event.at == date(2026, 9, 10)


def test_h21_an_event_of_today_is_never_in_the_future_further_west(transfer, treatment, their_nurse):
    early = datetime(2026, 9, 15, 0, 30, tzinfo=UTC)  # 01:30 in Lisbon, still the 14th in New York
    record_event(treatment=treatment, kind="last_dose", at=date(2026, 9, 15), by=None, now=early)
    accepted(transfer, their_nurse, now=early)
    assert treatment.events.get(kind="last_dose").at <= early


def test_due_dates_are_judged_on_the_new_clinics_calendar(transfer, treatment, their_nurse):
    a_count(treatment, 2300, at=datetime(2026, 9, 14, 1, tzinfo=UTC), now=NOW)
    treatment.refresh_from_db()
    assert treatment.due_on == date(2026, 9, 21)
    accepted(transfer, their_nurse)
    treatment.refresh_from_db()
    assert treatment.due_on == date(2026, 9, 20)


def test_an_mrn_that_exists_is_refused_whatever_its_case(transfer, south, their_nurse):
    a_patient(south, mrn="s-77")
    with pytest.raises(InputError, match="belongs to another patient of South"):
        accepted(transfer, their_nurse, new_mrn="S-77")
    with pytest.raises(InputError, match="give the number by which"):
        accepted(transfer, their_nurse, new_mrn=" ")


def test_the_new_clinician_has_to_be_a_prescriber_there(transfer, nurse, their_nurse):
    for nobody in (nurse, their_nurse):
        with pytest.raises(InputError, match="is not a prescriber of South"):
            accepted(transfer, their_nurse, clinician=nobody)


def test_a_declined_patient_stays_and_the_sender_has_an_alert_with_the_reason(transfer, treatment, nurse, their_nurse):
    with pytest.raises(InputError, match="say why"):
        decline_transfer(transfer=transfer, reason=" ", by=their_nurse, now=NOW)
    decline_transfer(transfer=transfer, reason="No prescriber this month", by=their_nurse, now=NOW)
    alert = alerts_of(nurse).get(cause=Cause.TRANSFER)
    assert alert.summary == "South declined the transfer: No prescriber this month"
    assert treatment in treatments_of(nurse)
    assert Delivery.objects.filter(address=nurse.email, about=f"transfer:{transfer.pk}").exists()


def test_an_answered_or_withdrawn_transfer_can_not_be_answered_again(transfer, nurse, their_nurse):
    withdraw_transfer(transfer=transfer, by=nurse, now=NOW)
    with pytest.raises(MovedOnError, match="withdrawn already"):
        accepted(transfer, their_nurse)
    with pytest.raises(MovedOnError, match="withdrawn already"):
        decline_transfer(transfer=transfer, reason="No", by=their_nurse, now=NOW)


def test_one_transfer_waits_at_a_time_and_goes_to_another_clinic(transfer, treatment, north, nurse):
    for clinic, said in ((a_clinic("West"), "withdraw that one first"), (north, "is at North already")):
        with pytest.raises(InputError, match=said):
            request_transfer(treatment=treatment, to_clinic=clinic, reason="Moves", by=nurse, now=NOW)


@pytest.mark.slow
def test_the_sweep_raises_an_unanswered_transfer_once_at_the_sender(transfer, treatment, north, nurse, their_nurse):
    assert sweep(now=NOW + 2 * DAY)["transfer_late"] == 0
    assert sweep(now=NOW + 4 * DAY)["transfer_late"] == 1
    assert sweep(now=NOW + 5 * DAY)["transfer_late"] == 0
    alert = alerts_of(nurse).get(cause=Cause.TRANSFER)
    assert alert.summary == "South has not answered the transfer asked for on 2026-09-14."
    accepted(transfer, their_nurse, now=NOW + 6 * DAY)
    alert.refresh_from_db()
    assert (alert.state, alert.clinic, alert.resolved_by) == ("resolved", north, their_nurse)


def test_a_clinic_chooses_after_how_many_days_it_is_told(transfer, north):
    north.policies = {"transfer_answer_days": 6}
    north.save()
    assert sweep(now=NOW + 5 * DAY)["transfer_late"] == 0
    assert sweep(now=NOW + 6 * DAY)["transfer_late"] == 1


def test_both_clinics_trails_tell_each_step_and_the_old_one_keeps_its_part(transfer, treatment, north, their_nurse):
    accepted(transfer, their_nurse)
    steps = AuditEvent.objects.filter(verb__startswith="transfer_").values_list("verb", "clinic__name")
    assert sorted(steps) == [
        ("transfer_accepted", "North"),
        ("transfer_accepted", "South"),
        ("transfer_requested", "North"),
        ("transfer_requested", "South"),
    ]
    assert AuditEvent.objects.filter(clinic=north, patient=treatment.patient, verb="first_dose").exists()


def test_no_message_about_a_transfer_names_the_patient_or_the_reason(transfer, nurse, their_nurse):
    accepted(transfer, their_nurse)
    for row in Delivery.objects.filter(about=f"transfer:{transfer.pk}"):
        for word in ("Quill", transfer.old_mrn, "S-1", transfer.reason):
            assert word not in row.subject + row.body


def test_an_open_sample_and_merged_records_go_along(transfer, treatment, north, south, nurse, their_nurse):
    Draw.objects.create(treatment=treatment, clinic=north, drawn_at=NOW, recorded_at=NOW)
    other = a_treatment(north)
    Merge.objects.create(kept=treatment, merged=other, reason="Same person", at=NOW, by=nurse)
    with pytest.raises(InputError, match="merged into another"):
        request_transfer(treatment=other, to_clinic=south, reason="Moves", by=nurse, now=NOW)
    accepted(transfer, their_nurse)
    assert Draw.objects.get().clinic == south
    assert not treatments_of(nurse).exists()
    other.refresh_from_db()
    assert (other.clinic, other.patient.mrn) == (south, f"merged-{other.patient_id}")


@pytest.fixture
def merge(treatment, north, nurse):
    other = a_treatment(north, patient=a_patient(north, mrn="DOUBLE"))
    return merge_records(kept=treatment, merged=other, reason="Same person", by=nurse, now=NOW)


def numbers(merge):
    merge.refresh_from_db()
    return merge.merged.patient.__class__.objects.get(pk=merge.merged.patient_id).mrn, merge.old_mrn


def test_a_merged_record_that_came_along_gets_a_number_of_its_own_when_the_merge_is_undone(
    transfer, merge, north, their_nurse
):
    accepted(transfer, their_nurse)
    assert numbers(merge) == (f"merged-{merge.merged.patient_id}", "DOUBLE")
    facts = {"merge": merge, "reason": "Two people", "by": their_nurse, "now": NOW}
    with pytest.raises(InputError, match=f"give the number by which .*; at {north} it was DOUBLE"):
        undo_merge(**facts)
    with pytest.raises(InputError, match="s-1 belongs to another patient"):
        undo_merge(**facts, mrn="s-1")
    merge.refresh_from_db()
    assert merge.undone_at is None
    undo_merge(**facts, mrn=" S-77 ")
    assert numbers(merge)[0] == "S-77"


@pytest.mark.slow
def test_a_merged_record_that_comes_home_has_its_old_number_again(
    transfer, treatment, merge, north, nurse, their_nurse
):
    accepted(transfer, their_nurse)
    treatment = Treatment.objects.get(pk=treatment.pk)
    back = request_transfer(treatment=treatment, to_clinic=north, reason="Home", by=their_nurse, now=NOW)
    accept_transfer(transfer=back, new_mrn="N-1", clinician=None, by=nurse, now=NOW)
    assert numbers(merge) == ("DOUBLE", "")
    undo_merge(merge=merge, reason="Two people", by=nurse, now=NOW)
    assert numbers(merge)[0] == "DOUBLE"


@pytest.mark.slow
def test_the_page_asks_for_the_number_only_where_there_is_none(client, transfer, merge, treatment, south, their_nurse):
    accepted(transfer, their_nurse)
    desk = Desk(client, a_person(south, "prescriber"))
    shown = words(desk.open(treatment, "undo-merge", subject=merge.pk))
    assert "where its MRN was DOUBLE" in shown
    desk.do(treatment, "undo-merge", subject=merge.pk, reason="Two people", mrn="S-77")
    assert numbers(merge)[0] == "S-77"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_people_who_accept_at_once_make_one_acceptance(transfer, treatment, south):
    said = []

    def accept(number):
        try:
            accepted(transfer, a_person(south, "nurse"), new_mrn=f"S-{number}")
            said.append("accepted")
        except MovedOnError as error:
            said.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["accepted", *["the transfer is accepted already"] * 3]
    assert Transfer.objects.get().state == "accepted"
    assert AuditEvent.objects.filter(verb="transfer_accepted").count() == 2


def test_a_treatment_goes_back_where_it_came_from(transfer, treatment, north, nurse, their_nurse):
    accepted(transfer, their_nurse)
    treatment.refresh_from_db()
    back = request_transfer(
        treatment=treatment, to_clinic=north, reason="Moved back", by=their_nurse, now=NOW + 2 * DAY
    )
    accepted(back, nurse, new_mrn=transfer.old_mrn, now=NOW + 3 * DAY)
    treatment.refresh_from_db()
    assert (treatment.clinic, treatment.patient.mrn) == (north, transfer.old_mrn)
    assert Decimal(2600) in treatment.results.values_list("anc", flat=True)


def test_the_look_ahead_and_the_stale_guard_judge_by_the_counts_of_merged_records_too(treatment, north, south, nurse):
    other = a_treatment(north)
    a_count(other, 400, at=NOW - DAY, now=NOW - DAY)
    before = basis_of(Treatment.objects.get(pk=treatment.pk), now=NOW)
    merge_records(kept=treatment, merged=other, reason="Same person", by=nurse, now=NOW)
    kept = Treatment.objects.get(pk=treatment.pk)
    assert preview_move(kept, clinic=south, now=NOW).treatment == "stop"
    assert kept.advice == "stop"
    with unchanged(kept, {"basis": basis_of(kept, now=NOW)}, now=NOW) as current:
        assert current.pk == kept.pk
    with pytest.raises(StaleError) as stale, unchanged(kept, {"basis": before}, now=NOW):
        pass
    assert stale.value.judgement.treatment == "stop"
