"""Two records that are one person, and back again."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from monitoring.actions.judging import judge
from monitoring.actions.merging import merge, undo_merge
from monitoring.actions.previewing import preview
from monitoring.actions.treating import record_event
from monitoring.models import Alert, Merge, Result, Treatment
from monitoring.rules.assess import assess
from monitoring.rules.errors import InputError
from monitoring.sweep import sweep
from tests.cast import DAY, NOW, a_clinic, a_count, a_patient, a_person, a_report, a_treatment
from tests.monitoring.desk import Desk, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic():
    return a_clinic(time_zone="Europe/Berlin")


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber")


@pytest.fixture
def kept(clinic, prescriber):
    return a_treatment(clinic, patient=a_patient(clinic, mrn="KEPT"), clinician=prescriber)


@pytest.fixture
def double(clinic, prescriber):
    return a_treatment(clinic, started=None, patient=a_patient(clinic, mrn="DOUBLE"), clinician=prescriber)


def fresh(treatment):
    return Treatment.objects.select_related("clinic", "patient", "clinician").get(pk=treatment.pk)


def judged(treatment, now=NOW):
    one = fresh(treatment)
    return judge(one, list(one.every_result()), as_of=now)


def merged(kept, double, by, now=NOW):
    return merge(kept=kept, merged=double, reason="Same person, married name", by=by, now=now)


def test_the_kept_record_reads_the_results_and_events_of_both(kept, double, prescriber):
    a_count(double, 700, at=NOW - DAY / 2)
    merged(kept, double, prescriber)
    assert (fresh(kept).advice, judged(kept).anc) == ("interrupt", "700")
    assert (fresh(double).due_on, fresh(double).overdue_after, fresh(double).advice) == (None, None, "")


def test_h13_a_result_for_the_merged_mrn_counts_for_the_kept_record_and_stays_where_it_came(kept, double, prescriber):
    row = merged(kept, double, prescriber)
    assert preview(treatment=double, report=a_report(400, at=NOW), now=NOW).treatment == "stop"
    result = a_count(double, 400, at=NOW)
    assert result.treatment_id == double.pk
    assert fresh(kept).advice == "stop"
    assert Alert.objects.get(cause="neutropenia").treatment_id == kept.pk
    a_count(kept, 4000, at=NOW, accession=result.accession, version=2, status="corrected")
    assert set(Result.objects.filter(accession=result.accession).values_list("treatment", flat=True)) == {double.pk}
    undo_merge(merge=row, reason="Two people after all", by=prescriber, now=NOW)
    assert (fresh(kept).advice, judged(double).anc, judged(kept).anc) == ("continue", "4000", "2600")


def test_the_alerts_of_both_stay_open_and_a_count_ends_what_waited_for_it_in_either(kept, double, prescriber):
    a_count(double, 1200, at=NOW - 2 * DAY, now=NOW - 2 * DAY)
    before = set(Alert.objects.standing().values_list("pk", flat=True))
    assert Alert.objects.standing().filter(cause="repeat_owed", treatment=double).exists()
    merged(kept, double, prescriber)
    assert before <= set(Alert.objects.standing().values_list("pk", flat=True))
    a_count(kept, 2000, at=NOW - DAY)
    assert not Alert.objects.standing().filter(cause="repeat_owed", treatment=double).exists()


def test_a_merged_record_is_on_no_list_and_the_sweep_lets_it_be(kept, double, prescriber):
    record_event(treatment=double, kind="first_dose", at=NOW - 60 * DAY, by=None, now=NOW)
    assert Treatment.objects.overdue(NOW).filter(pk=double.pk).exists()
    merged(kept, double, prescriber)
    sweep(now=NOW + 60 * DAY)
    assert not Treatment.objects.overdue(NOW + 60 * DAY).filter(pk=double.pk).exists()
    assert Alert.objects.filter(cause="test_overdue").get().treatment_id == kept.pk


def test_an_event_told_of_the_merged_record_is_one_of_the_kept(kept, double, prescriber):
    merged(kept, double, prescriber)
    record_event(treatment=double, kind="last_dose", at=NOW, by=prescriber, now=NOW)
    assert fresh(kept).advice == "may_resume"


def test_a_merge_is_one_step_within_one_clinic_and_twice_is_once(kept, double, clinic, prescriber):
    third, far = a_treatment(clinic, started=None), a_treatment(a_clinic("South"), started=None)
    row = merged(kept, double, prescriber)
    assert (merged(kept, double, prescriber).pk, Merge.objects.count()) == (row.pk, 1)
    for mine, other, said in (
        (kept, kept, "this very record"),
        (kept, far, "two clinics"),
        (double, third, "another merge"),
        (third, kept, "another merge"),
        (third, double, "another merge"),
    ):
        with pytest.raises(InputError, match=said):
            merged(mine, other, prescriber)
    for _ in range(2):
        undo_merge(merge=row, reason="Two people", by=prescriber, now=NOW)
    assert merged(third, double, prescriber).just_stored


@pytest.mark.slow
def test_merging_in_the_page_shows_both_people_and_what_becomes_of_the_advice(client, kept, double, time_machine):
    time_machine.move_to(NOW, tick=False)
    desk = Desk(client, kept.clinician)
    a_count(double, 700, at=NOW - DAY / 2)
    typed = {"mrn": "double", "born": "1980-05-17", "reason": "Same person"}
    assert "no patient of this clinic" in desk.said(kept, "merge", **typed | {"born": "1980-05-18"}).lower()
    page = words(desk.do(kept, "merge", **typed))
    assert "Merged into it: Quill, Alex, born 1980-05-17, MRN DOUBLE" in page
    assert "Continue treatment Interrupt treatment" in page
    mine = words(client.get(reverse("patient", args=[kept.patient_id])))
    assert "The record with MRN DOUBLE was merged into this one" in mine
    assert mine.count("Low neutrophil count") == 4  # in the list of alerts and in the story
    other = client.get(reverse("patient", args=[double.patient_id]))
    assert "This record was merged into the one with MRN KEPT" in words(other)
    assert desk.open(double, "fever").status_code == 302
    desk.do(kept, "undo-merge", reason="Two people")
    assert "merged into" not in words(client.get(reverse("patient", args=[double.patient_id])))


def test_what_was_known_on_a_past_day_is_told_with_the_merges_of_that_day(kept, double, prescriber):
    a_count(double, 700, at=NOW - 9 * DAY, now=NOW - 9 * DAY)
    row = merged(kept, double, prescriber, NOW - 5 * DAY)
    undo_merge(merge=row, reason="Two people", by=prescriber, now=NOW - 2 * DAY)
    counts = [len(list(fresh(kept).history(known_at=NOW - days * DAY).timeline)) for days in (6, 4, 1)]
    assert counts == [2, 3, 2]


class TwoRecords(RuleBasedStateMachine):
    """Two records and, in another clinic, two twins that hear the same and are never merged."""

    def __init__(self):
        super().__init__()
        self.point = transaction.atomic()
        self.point.__enter__()
        self.records = [self._begun(self.here) for _ in range(2)]
        self.twins = [self._begun(self.there) for _ in range(2)]
        self.merge, self.now, self.came_for = None, NOW - 200 * DAY, {}

    def _begun(self, clinic):
        treatment = a_treatment(clinic, started=None)
        record_event(treatment=treatment, kind="first_dose", at=NOW - 300 * DAY, by=None, now=NOW - 300 * DAY)
        return treatment

    def teardown(self):
        transaction.set_rollback(True)
        self.point.__exit__(None, None, None)

    @rule(which=st.integers(0, 1), anc=st.sampled_from([300, 700, 1200, 2600, 3200]), days=st.integers(1, 20))
    def a_result_comes(self, which, anc, days):
        self.now += timedelta(days=days)
        for one in (self.records[which], self.twins[which]):
            result = a_count(one, anc, at=self.now, now=self.now, accession=f"{one.pk}-{self.now:%j}-{which}")
            self.came_for[result.pk] = one.pk

    @precondition(lambda self: self.merge is None)
    @rule(which=st.integers(0, 1), days=st.integers(1, 40))
    def a_break(self, which, days):
        ends = self.now + timedelta(days=days)
        for one in (self.records[which], self.twins[which]):
            record_event(treatment=one, kind="last_dose", at=self.now, by=None, now=self.now)
            record_event(treatment=one, kind="restart", at=ends, by=None, now=ends)
        self.now = ends + DAY

    @precondition(lambda self: self.merge is None)
    @rule(kept=st.integers(0, 1))
    def merge_them(self, kept):
        self.merge = merged(self.records[kept], self.records[1 - kept], self.by, self.now)

    @precondition(lambda self: self.merge is not None)
    @rule()
    def undo(self):
        undo_merge(merge=self.merge, reason="Two people", by=self.by, now=self.now)
        self.merge = None

    @invariant()
    def while_merged_the_kept_one_is_judged_with_both_and_else_each_with_its_own(self):
        if self.merge is None:
            for record, twin in zip(self.records, self.twins, strict=True):
                assert judged(record, self.now).as_dict() == judged(twin, self.now).as_dict()
                assert fresh(record).due_on == judged(twin, self.now).due_on
            return
        kept = fresh(self.merge.kept)
        assert {row.pk for row in kept.every_result()} >= set(self._own(self.merge.merged_id))
        assert kept.advice == assess(kept.history(), kept.protocol, self.now).treatment
        assert fresh(self.merge.merged).overdue_after is None

    @invariant()
    def results_stay_with_the_mrn_that_they_came_for(self):
        stored = dict(Result.objects.filter(pk__in=self.came_for).values_list("pk", "treatment"))
        assert stored == self.came_for

    def _own(self, treatment_id):
        return Result.objects.filter(treatment=treatment_id).values_list("pk", flat=True)


@pytest.mark.slow
def test_h13_merging_and_undoing_in_any_order_leaves_both_as_if_they_had_never_met(clinic, prescriber):
    TwoRecords.here, TwoRecords.there, TwoRecords.by = clinic, a_clinic(), prescriber
    quick = settings(max_examples=12, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(TwoRecords, settings=quick)
