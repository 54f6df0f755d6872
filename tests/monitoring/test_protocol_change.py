"""Another protocol for a whole clinic: foreseen in chunks, confirmed, carried out as foreseen or not at all."""

import itertools
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from monitoring import tasks
from monitoring.actions import foreseeing, switching
from monitoring.actions.carrying_on import cancel_change, confirm_change, go_on, unfinished_changes
from monitoring.actions.deciding import change_protocol
from monitoring.actions.foreseeing import begin_change, counts_of, foresee_chunk, said
from monitoring.actions.judging import judge
from monitoring.actions.merging import merge
from monitoring.actions.treating import document_ben, record_event
from monitoring.models import Alert, Assessment, ChangeRow, ProtocolChange, Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.protocols import PROTOCOLS
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
WHITE = {"wbc": "7000"}


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber", first_name="Pia", last_name="Prescriber")


def everybody(clinic, prescriber):
    """One of each: normal, low, recovered, paused, stopped, feverish, BEN, preliminary, merged, not begun."""
    usual = a_treatment(clinic, clinician=prescriber)
    mild, moderate, deep = (a_treatment(clinic, clinician=prescriber) for _ in range(3))
    a_count(mild, 1400, at=NOW - DAY)
    a_count(moderate, 800, at=NOW - DAY)
    a_count(deep, 400, at=NOW - 30 * DAY)
    a_count(deep, 2400, at=NOW - 2 * DAY)
    paused, stopped, hot = (a_treatment(clinic, clinician=prescriber) for _ in range(3))
    told = {"by": prescriber, "now": NOW}
    record_event(treatment=paused, kind="last_dose", at=NOW - 29 * DAY, **told)
    record_event(treatment=stopped, kind="last_dose", at=NOW - 9 * DAY, stop=True, **told)
    record_event(treatment=hot, kind="fever", at=NOW - DAY / 4, celsius=Decimal("38.9"), **told)
    ben = a_treatment(clinic, clinician=prescriber)
    a_count(ben, 1200, at=NOW - 3 * DAY)
    second = a_person(clinic, "prescriber")
    document_ben(treatment=ben, baseline_anc=Decimal(1100), evidence="Duffy", confirmed_by=second, **told)
    early = a_treatment(clinic, clinician=prescriber, started=NOW - 400 * DAY)
    a_count(early, 1200, at=NOW - DAY, status="preliminary")
    kept, other = a_treatment(clinic, clinician=prescriber), a_treatment(clinic)
    a_count(other, 900, at=NOW - 2 * DAY)
    merge(kept=kept, merged=other, reason="One person", **told)
    return [usual, mild, moderate, deep, paused, stopped, hot, ben, early, kept, a_treatment(clinic, started=None)]


def asked(clinic, prescriber, protocol="eu-2025-09", now=NOW):
    return begin_change(clinic=clinic, protocol_key=protocol, reason="The letter", by=prescriber, now=now)


def ticking(start):
    ticks = itertools.count()
    return lambda: start + timedelta(microseconds=next(ticks))


def foreseen(clinic, prescriber, protocol="eu-2025-09", now=NOW):
    return go_on(asked(clinic, prescriber, protocol, now).pk, clock=ticking(now))


def carried_out(change, prescriber, now=NOW):
    confirm_change(change=change, by=prescriber, now=now)
    return go_on(change.pk, clock=ticking(now), seconds=60)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["eu-2025-09", "uk-ztas", "au-2021"])
def test_h20_what_was_foreseen_is_what_the_rules_say_alone_and_what_the_switch_brings(clinic, prescriber, protocol):
    treatments = everybody(clinic, prescriber)
    change = foreseen(clinic, prescriber, protocol)
    assert change.rows.count() == change.patients == len(treatments)
    for row in change.rows.exclude(kind="cannot").select_related("treatment__clinic"):
        alone = judge(row.treatment, list(row.treatment.every_result()), as_of=NOW, protocol=PROTOCOLS[protocol])
        assert said(alone) == (row.band, row.advice, row.frequency, row.due_on)
    change = carried_out(change, prescriber)
    for row in change.rows.select_related("treatment"):
        got = row.treatment
        if row.kind == "cannot":
            assert (row.state, got.protocol_key) == ("refused", "us-label-2025")
        else:
            assert (row.state, got.protocol_key) == ("switched", protocol), row.why
            assert (got.band, got.advice, got.frequency, got.due_on) == (
                row.band,
                row.advice,
                row.frequency,
                row.due_on,
            )


@pytest.mark.slow
def test_each_treatment_has_its_gravest_difference_and_the_numbers_add_up(clinic, prescriber):
    everybody(clinic, prescriber)
    change = foreseen(clinic, prescriber)
    counts = counts_of(change)
    assert sum(number for name, number in counts.items() if name.startswith("kind:")) == change.patients
    assert counts["advice:interrupt:stop"] == change.rows.filter(was_advice="interrupt", advice="stop").count() > 0
    assert set(change.rows.filter(was_advice="interrupt", advice="stop").values_list("kind", flat=True)) == {"stricter"}
    assert counts["kind:later"] == change.rows.filter(kind="later", advice=F("was_advice")).count() > 0


@pytest.mark.slow
def test_who_has_ben_is_not_switched_to_rules_that_know_no_ben(clinic, prescriber):
    everybody(clinic, prescriber)
    change = foreseen(clinic, prescriber, "au-2021")
    row = change.rows.get(kind="cannot")
    assert "no thresholds for this patient (BEN)" in row.why
    with pytest.raises(IntegrityError), transaction.atomic():
        ChangeRow.objects.filter(pk=row.pk).update(state="switched", ended_at=NOW)


@pytest.mark.slow
def test_a_preview_writes_nothing_about_patients_and_raises_nothing(clinic, prescriber):
    everybody(clinic, prescriber)
    before = (Assessment.objects.count(), Alert.objects.count(), Delivery.objects.count())
    columns = list(Treatment.objects.order_by("pk").values())
    foreseen(clinic, prescriber)
    assert (Assessment.objects.count(), Alert.objects.count(), Delivery.objects.count()) == before
    assert list(Treatment.objects.order_by("pk").values()) == columns


@pytest.mark.slow
def test_a_chunk_costs_the_same_number_of_questions_however_many_patients_it_has(clinic, prescriber, monkeypatch):
    def questions(patients):
        for _ in range(patients):
            a_treatment(clinic)
        change = asked(clinic, prescriber)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert foresee_chunk(change, now=NOW) >= patients
        cancel_change(change=change, by=prescriber, now=NOW)
        return len(seen)

    assert questions(3) == questions(10)


@pytest.mark.slow
def test_a_preview_that_was_killed_goes_on_where_it_was(clinic, prescriber, monkeypatch):
    monkeypatch.setattr(foreseeing, "CHUNK", 2)
    everybody(clinic, prescriber)
    change = asked(clinic, prescriber)
    assert foresee_chunk(change, now=NOW) == 2

    def die(rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(foreseeing, "_write", die)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            foresee_chunk(change, now=NOW)
    assert change.rows.count() == 2
    change = go_on(change.pk, clock=ticking(NOW))
    assert (change.foreseen_at is not None, change.rows.count()) == (True, change.patients)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_processes_share_the_chunks_and_each_is_taken_once(clinic, prescriber, monkeypatch):
    monkeypatch.setattr(foreseeing, "CHUNK", 2)
    for _ in range(4):
        a_treatment(clinic)
    change = asked(clinic, prescriber)
    other = connection.copy()
    with transaction.atomic(), other.cursor() as cursor:
        first = change.chunks.select_for_update().order_by("pk").first()
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT id FROM monitoring_changechunk WHERE change_id = %s AND foreseen_at IS NULL"
            " ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1",
            [change.pk],
        )
        assert cursor.fetchone()[0] != first.pk
        cursor.execute("ROLLBACK")
    other.close()
    assert [foresee_chunk(change, now=NOW) for _ in range(3)] == [2, 2, 0]


def test_h20_nobody_is_switched_whose_prediction_holds_no_longer_and_the_row_says_what_changed(clinic, prescriber):
    steady, changed = a_treatment(clinic, clinician=prescriber), a_treatment(clinic, clinician=prescriber)
    change = foreseen(clinic, prescriber)
    a_count(changed, 1200, at=LATER, now=LATER)
    change = carried_out(change, prescriber, now=LATER)
    row = change.rows.get(treatment=changed)
    assert row.state == "refused"
    assert "Something was recorded since the preview: band would be mild, foreseen was normal" in row.why
    changed.refresh_from_db()
    steady.refresh_from_db()
    assert (changed.protocol_key, steady.protocol_key) == ("us-label-2025", "eu-2025-09")


def test_a_count_that_changes_nothing_of_the_prediction_does_not_stand_in_the_way(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 2500, at=NOW - DAY)
    change = foreseen(clinic, prescriber)
    a_count(treatment, 2600, at=NOW - DAY / 24, now=LATER)
    row = change.rows.get()
    due_on = judge(treatment, list(treatment.every_result()), as_of=LATER, protocol=PROTOCOLS["eu-2025-09"]).due_on
    change = carried_out(change, prescriber, now=LATER)
    assert change.rows.get().state == ("switched" if row.due_on == due_on else "refused")


def test_each_patient_is_switched_whole_or_not_at_all(clinic, prescriber, monkeypatch):
    first, second = a_treatment(clinic, clinician=prescriber), a_treatment(clinic, clinician=prescriber)
    change = foreseen(clinic, prescriber)
    confirm_change(change=change, by=prescriber, now=NOW)
    revoke, calls = switching.revoke_supplies, []

    def die_at_the_second(treatment, **told):
        calls.append(treatment.pk)
        if len(calls) == 2:
            raise KeyboardInterrupt
        revoke(treatment, **told)

    with monkeypatch.context() as killed:
        killed.setattr(switching, "revoke_supplies", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            go_on(change.pk, clock=ticking(NOW))
    keys = [Treatment.objects.get(pk=one.pk).protocol_key for one in (first, second)]
    assert keys == ["eu-2025-09", "us-label-2025"]
    assert second.assessments.filter(protocol_key="eu-2025-09").count() == 0
    assert go_on(change.pk, clock=ticking(NOW)).finished_at is not None
    assert Treatment.objects.get(pk=second.pk).protocol_key == "eu-2025-09"
    assert first.assessments.filter(protocol_key="eu-2025-09").count() == 1


def test_old_judgements_stay_and_say_by_which_rules_they_were_made(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    before = list(treatment.assessments.order_by("pk").values())
    carried_out(foreseen(clinic, prescriber), prescriber)
    rows = list(treatment.assessments.order_by("pk").values())
    assert rows[: len(before)] == before
    assert [row["protocol_key"] for row in rows[len(before) :]] == ["eu-2025-09"]
    assert AuditEvent.objects.filter(verb="protocol_changed", staff=prescriber).count() == 1


def test_h20_a_later_correction_reads_each_judgement_by_the_rules_of_its_time(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    low = a_count(treatment, 1400, at=NOW - 2 * DAY, now=NOW - 2 * DAY, accession="L1")
    change_protocol(treatment=treatment, protocol_key="uk-ztas", reason="Moves", by=prescriber, now=NOW)
    a_count(treatment, 1600, at=NOW - 2 * DAY, now=LATER, accession="L1", status="corrected")
    again = Assessment.objects.filter(replaces__isnull=False, as_of__lt=NOW)
    assert low.status == "final"
    assert again.count() > 0
    assert {row.protocol_key for row in again} == {"us-label-2025"}


@pytest.mark.slow
def test_h40_a_bulk_switch_tells_each_owner_once_of_all_that_is_not_severe(clinic, prescriber):
    for anc in (1300, 1350, 1400, 1900):
        a_count(a_treatment(clinic, clinician=prescriber), anc, at=NOW - DAY, count=WHITE)
    Alert.objects.update(resolved_at=NOW, outcome="other")
    Delivery.objects.update(sent_at=NOW)
    carried_out(foreseen(clinic, prescriber, "ca-2023"), prescriber)
    raised = Alert.objects.filter(resolved_at=None, cause="neutropenia")
    assert [alert.severity for alert in raised] == [2, 2, 2]
    (message,) = Delivery.objects.waiting().filter(address=prescriber.email)
    assert (message.about.startswith("digest:protocol:"), message.due_at < LATER) == (True, True)


@pytest.mark.slow
def test_h40_stops_of_a_bulk_switch_are_severe_and_never_gathered(clinic, prescriber):
    for anc in (900, 800, 700):
        a_count(a_treatment(clinic, clinician=prescriber), anc, at=NOW - DAY)
    Alert.objects.update(resolved_at=NOW, outcome="other")
    Delivery.objects.update(sent_at=NOW)
    carried_out(foreseen(clinic, prescriber), prescriber)
    alerts = Alert.objects.filter(resolved_at=None, cause="neutropenia")
    assert [alert.severity for alert in alerts] == [1, 1, 1]
    told = Delivery.objects.waiting().filter(address=prescriber.email)
    assert sorted(told.values_list("about", flat=True)) == sorted(f"alert:{alert.pk}" for alert in alerts)


def test_a_repeat_that_the_new_rules_do_not_owe_is_waited_for_no_longer(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber)
    a_count(treatment, 1400, at=NOW - DAY / 24)
    assert Alert.objects.filter(cause="repeat_owed", resolved_at=None).exists()
    carried_out(foreseen(clinic, prescriber), prescriber)
    assert not Alert.objects.filter(cause="repeat_owed", resolved_at=None).exists()


def test_the_clinics_new_patients_begin_with_it_and_other_clinics_stay_as_they_are(clinic, prescriber):
    other = a_treatment(a_clinic("South"))
    a_treatment(clinic)
    carried_out(foreseen(clinic, prescriber), prescriber)
    other.refresh_from_db()
    clinic.refresh_from_db()
    assert (other.protocol_key, clinic.default_protocol) == ("us-label-2025", "eu-2025-09")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"protocol_key": "us-label-2015"}, "retired"),
        ({"protocol_key": "mars"}, "is not a protocol"),
        ({"protocol_key": "us-label-2025"}, "judged by"),
        ({"reason": " "}, "say why"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(clinic, prescriber, told, words):
    a_treatment(clinic)
    given = {"protocol_key": "eu-2025-09", "reason": "The letter"} | told
    with pytest.raises(InputError, match=words):
        begin_change(clinic=clinic, by=prescriber, now=NOW, **given)
    assert not ProtocolChange.objects.exists()


def test_one_change_of_a_clinic_at_a_time(clinic, prescriber):
    a_treatment(clinic)
    change = asked(clinic, prescriber)
    with pytest.raises(InputError, match="is open"):
        asked(clinic, prescriber)
    assert cancel_change(change=change, by=prescriber, now=NOW)
    assert asked(clinic, prescriber).pk != change.pk


def test_nothing_is_confirmed_before_it_is_foreseen_or_after_it_was_cancelled(clinic, prescriber):
    a_treatment(clinic)
    change = asked(clinic, prescriber)
    with pytest.raises(InputError, match="cannot be confirmed"):
        confirm_change(change=change, by=prescriber, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProtocolChange.objects.filter(pk=change.pk).update(confirmed_at=NOW, confirmed_by=prescriber)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProtocolChange.objects.filter(pk=change.pk).update(cancelled_at=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        change.delete()


def test_a_cancelled_switch_goes_no_further(clinic, prescriber):
    a_treatment(clinic)
    change = foreseen(clinic, prescriber)
    confirm_change(change=change, by=prescriber, now=NOW)
    cancel_change(change=change, by=prescriber, now=NOW)
    go_on(change.pk, clock=ticking(NOW))
    assert Treatment.objects.get().protocol_key == "us-label-2025"


def test_the_workers_task_and_the_sweep_go_on_with_what_is_begun(clinic, prescriber, time_machine):
    time_machine.move_to(NOW)
    a_treatment(clinic)
    change = asked(clinic, prescriber)
    assert unfinished_changes() == [change.pk]
    tasks.take_protocol_change(change.pk)
    assert unfinished_changes() == []
    confirm_change(change=change, by=prescriber, now=NOW)
    assert unfinished_changes() == [change.pk]
    tasks.take_protocol_change(change.pk)
    change.refresh_from_db()
    assert change.finished_at is not None


def test_the_command_foresees_and_never_confirms(clinic, prescriber):
    a_treatment(clinic)
    out = StringIO()
    told = {"clinic": clinic.slug, "to": "eu-2025-09", "reason": "The letter", "by": prescriber.username}
    call_command("change_protocol", stdout=out, **told)
    assert "1 patients" in out.getvalue()
    assert "a prescriber of the clinic confirms it on the page" in out.getvalue()
    assert Treatment.objects.get().protocol_key == "us-label-2025"
    change = ProtocolChange.objects.get()
    confirm_change(change=change, by=prescriber, now=NOW)
    call_command("change_protocol", go_on=change.pk, stdout=out)
    assert "Carried out; 0 refused" in out.getvalue()


def test_the_command_says_what_is_missing(clinic, prescriber):
    for told, words in (
        ({"clinic": "nowhere"}, "name one clinic"),
        ({"clinic": clinic.slug, "by": a_person(clinic, "pharmacist").username}, "give a nurse or a prescriber"),
        ({"clinic": clinic.slug, "by": prescriber.username, "to": "mars"}, "not a protocol"),
        ({"go_on": 7}, "no change of protocol number 7"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("change_protocol", stdout=StringIO(), **told)
