"""Limits agreed for one patient: between their dates only, ended by themselves, and every moment can be replayed."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from monitoring.actions.carrying_on import confirm_change, go_on
from monitoring.actions.deciding import change_protocol
from monitoring.actions.dispensing import verdict_of
from monitoring.actions.foreseeing import begin_change
from monitoring.actions.judging import judge
from monitoring.actions.limiting import agree_limits, end_limits
from monitoring.actions.transferring import accept_transfer, request_transfer
from monitoring.actions.treating import reassess_changed_by_time
from monitoring.models import AgreedLimits, Alert, Assessment, Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.protocol import Floor
from monitoring.sweep import sweep
from patients.models import AuditEvent
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.monitoring.desk import Desk, words

pytestmark = pytest.mark.django_db
LOOSER = (Floor(1000, 3000), Floor(500, 2500))
WHITE = {"count": {"wbc": "6000"}}
UNTIL = (NOW + 30 * DAY).date()
AFTER = NOW + 31 * DAY


@pytest.fixture
def clinic(time_machine):
    time_machine.move_to(NOW, tick=False)
    return a_clinic()


@pytest.fixture
def prescriber(clinic):
    return a_person(clinic, "prescriber", first_name="Pia", last_name="Prescriber")


@pytest.fixture
def treatment(clinic, prescriber):
    treatment = a_treatment(clinic, clinician=prescriber, protocol="uk-ztas")
    a_count(treatment, 2600, at=NOW - 9 * DAY, **WHITE)
    return treatment


def agreed(treatment, prescriber, floors=LOOSER, until=UNTIL, reason="Long known low counts", now=NOW):
    return agree_limits(treatment=treatment, floors=floors, until=until, reason=reason, by=prescriber, now=now)


def now_is(treatment, at):
    fresh = Treatment.objects.get(pk=treatment.pk)
    return judge(fresh, list(fresh.every_result()), as_of=at)


def test_h20_from_its_agreement_to_its_last_day_and_not_before_or_after(treatment, prescriber):
    a_count(treatment, 2600, at=NOW - DAY, **WHITE)
    agreed(treatment, prescriber)
    a_count(treatment, 1300, at=NOW + DAY / 24, now=NOW + DAY / 24, **WHITE)
    assert now_is(treatment, NOW + DAY).treatment == "continue"
    assert now_is(treatment, NOW + 30 * DAY).treatment == "continue"
    assert now_is(treatment, AFTER).treatment == "stop"
    assert "limits.agreed" not in {reason.rule for reason in now_is(treatment, NOW - timedelta(minutes=1)).reasons}


def test_a_low_count_within_the_agreed_limits_raises_no_alert(treatment, prescriber):
    agreed(treatment, prescriber)
    a_count(treatment, 1300, at=NOW + DAY / 24, now=NOW + DAY / 24, **WHITE)
    assert not Alert.objects.filter(cause="neutropenia").exists()
    a_count(treatment, 450, at=NOW + DAY / 12, now=NOW + DAY / 12, **WHITE)
    assert Alert.objects.get(cause="neutropenia").severity == 1


def test_they_end_by_themselves_and_what_was_stored_by_them_is_judged_anew(treatment, prescriber):
    agreed(treatment, prescriber)
    a_count(treatment, 1300, at=NOW + DAY / 24, now=NOW + DAY / 24, **WHITE)
    treatment.refresh_from_db()
    assert (treatment.band, treatment.advice, treatment.changes_on) == ("green", "continue", UNTIL + DAY)
    assert reassess_changed_by_time(now=AFTER - 2 * DAY) == 0
    assert reassess_changed_by_time(now=AFTER) == 1
    treatment.refresh_from_db()
    assert (treatment.band, treatment.advice, treatment.changes_on) == ("red", "stop", None)
    assert Alert.objects.get(cause="neutropenia", resolved_at=None).severity == 1


def test_no_supply_rests_on_limits_that_have_ended_even_while_no_scheduler_runs(treatment, prescriber):
    agreed(treatment, prescriber)
    a_count(treatment, 1300, at=NOW + DAY / 24, now=NOW + DAY / 24, **WHITE)
    fresh = Treatment.objects.get(pk=treatment.pk)
    assert (fresh.advice, verdict_of(fresh, now=AFTER).answer) == ("continue", "do_not_supply")


def test_no_tablets_reach_past_the_last_day_of_agreed_limits(treatment, prescriber):
    a_count(treatment, 1300, at=NOW - DAY / 24, **WHITE)
    agreed(treatment, prescriber, until=(NOW + 3 * DAY).date())
    verdict = verdict_of(Treatment.objects.get(pk=treatment.pk), now=NOW)
    assert (verdict.answer, verdict.until) == ("may_supply", (NOW + 3 * DAY).date())


@pytest.mark.slow
def test_every_judgement_says_it_and_old_ones_stay_as_they_were(treatment, prescriber):
    before = list(Assessment.objects.order_by("pk").values())
    agreed(treatment, prescriber)
    assert list(Assessment.objects.order_by("pk").values())[: len(before)] == before
    said = Assessment.objects.latest("pk").judgement["reasons"]
    (reason,) = [one for one in said if one["rule"] == "limits.agreed"]
    assert "Pia Prescriber: Long known low counts" in reason["source"]


def test_a_later_correction_reads_each_judgement_by_the_limits_of_its_time(treatment, prescriber):
    agreed(treatment, prescriber)
    at = NOW + DAY / 24
    a_count(treatment, 1300, at=at, now=at, accession="L1", **WHITE)
    later = NOW + 2 * DAY
    end_limits(treatment=treatment, reason="Not needed", by=prescriber, now=later)
    a_count(treatment, 1350, at=at, now=later + DAY, accession="L1", status="corrected", **WHITE)
    again = Assessment.objects.filter(replaces__isnull=False).order_by("as_of")
    told = {row.as_of: row.judgement["treatment"] for row in again}
    assert told.get(later) == "stop"
    assert all(advice == "continue" for as_of, advice in told.items() if as_of < later)


def test_ended_sooner_with_who_and_why(treatment, prescriber):
    agreed(treatment, prescriber)
    assert end_limits(treatment=treatment, reason="Not needed", by=prescriber, now=NOW + DAY)
    assert "limits.agreed" not in {reason.rule for reason in now_is(treatment, NOW + DAY).reasons}
    assert not end_limits(treatment=treatment, reason="Again", by=prescriber, now=NOW + 2 * DAY)
    assert list(AuditEvent.objects.filter(verb__startswith="limits").values_list("verb", "staff")) == [
        ("limits_agreed", prescriber.pk),
        ("limits_ended", prescriber.pk),
    ]


def test_another_agreement_ends_the_one_before_and_the_same_is_nothing_new(treatment, prescriber):
    agreed(treatment, prescriber)
    assert agreed(treatment, prescriber) is None
    agreed(treatment, prescriber, floors=(Floor(1200, 3000), Floor(600, 2500)), now=NOW + DAY)
    assert list(AgreedLimits.objects.order_by("pk").values_list("anc", "ended_at")) == [
        ([1000, 500], NOW + DAY),
        ([1200, 600], None),
    ]


def test_they_end_with_the_protocol_and_the_preview_knows(treatment, prescriber, clinic):
    agreed(treatment, prescriber)
    at = NOW + DAY / 24
    a_count(treatment, 1300, at=at, now=at, **WHITE)
    change = begin_change(clinic=clinic, protocol_key="uk-cpms", reason="Moves", by=prescriber, now=at)
    change = go_on(change.pk, clock=lambda: at)
    row = change.rows.get()
    assert (row.was_advice, row.advice) == ("continue", "stop")
    confirm_change(change=change, by=prescriber, now=at)
    go_on(change.pk, clock=lambda: at, seconds=60)
    assert change.rows.get().state == "switched"
    assert AgreedLimits.objects.get().end_reason == "The protocol has changed."
    change_protocol(treatment=treatment, protocol_key="uk-ztas", reason="Back", by=prescriber, now=at + DAY)
    assert now_is(treatment, at + DAY).treatment == "stop"


def test_they_do_not_move_to_another_clinic(treatment, prescriber, clinic):
    agreed(treatment, prescriber)
    south = a_clinic("South")
    there = a_person(south, "prescriber")
    asked = request_transfer(treatment=treatment, to_clinic=south, reason="Moves", by=prescriber, now=NOW + DAY)
    accept_transfer(transfer=asked, new_mrn="S1", clinician=there, by=there, now=NOW + DAY)
    assert "limits.agreed" not in {reason.rule for reason in now_is(treatment, NOW + DAY).reasons}
    assert "moved to South" in AgreedLimits.objects.get().end_reason


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"until": (NOW - DAY).date()}, "is past"),
        ({"until": (NOW + 400 * DAY).date()}, "more than a year"),
        ({"reason": " "}, "say why"),
        ({"floors": (Floor(1000, 3000), Floor(400, 2500))}, "severe for everybody"),
    ],
)
def test_what_may_not_be_agreed_is_refused_in_words(treatment, prescriber, told, message):
    with pytest.raises(InputError, match=message):
        agreed(treatment, prescriber, **told)
    assert not AgreedLimits.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"anc": [1000, 499]},
        {"wbc": [3000, 1999]},
        {"reason": ""},
        {"until": (NOW - DAY).date()},
        {"until": (NOW + 400 * DAY).date()},
        {"ended_at": NOW},
        {"population": "martian"},
    ],
)
def test_h20_the_database_refuses_what_may_not_be_agreed(treatment, prescriber, wrong):
    agreed(treatment, prescriber)
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreedLimits.objects.update(**wrong)


def test_who_never_had_any_costs_no_question_more(treatment, prescriber, clinic):
    other = a_treatment(clinic, protocol="uk-ztas")
    agreed(treatment, prescriber)

    def questions(one):
        fresh = Treatment.objects.select_related("clinic").get(pk=one.pk)
        with CaptureQueriesContext(connection) as seen:
            judge(fresh, [], as_of=NOW)
        return [question["sql"] for question in seen if "agreedlimits" in question["sql"]]

    assert (len(questions(other)), len(questions(treatment))) == (0, 1)


@pytest.mark.slow
def test_the_act_shows_what_it_changes_and_what_is_said_once_they_end(client, treatment, prescriber, clinic):
    desk = Desk(client, prescriber)
    a_count(treatment, 1300, at=NOW - DAY / 24, **WHITE)
    typed = {"anc_0": "1000", "wbc_0": "3000", "anc_1": "500", "wbc_1": "2500", "until": str(UNTIL), "reason": "Known"}
    page = words(desk.look(treatment, "limits", **typed))
    assert "Stop treatment Continue treatment" in page
    assert "the protocol's own limits would then say “Stop treatment" in page.replace("&#x27;", "'")
    desk.do(treatment, "limits", **typed)
    patient = words(client.get(f"/patients/{treatment.patient_id}/"))
    assert "green from ANC 1000 and WBC 3000, amber from ANC 500 and WBC 2500" in patient
    desk.do(treatment, "end-limits", reason="Not needed")
    assert treatment.advice == "stop"


def test_the_page_warns_before_they_end_and_says_when_they_change_the_judgement(client, treatment, prescriber):
    agreed(treatment, prescriber, until=(NOW + 9 * DAY).date())
    client.force_login(prescriber)
    page = words(client.get(f"/patients/{treatment.patient_id}/"))
    assert "9 days are left: agree them again in time" in page
    assert "by itself on Thu 24 Sep 2026 , after the last day of the agreed limits" in page


@pytest.mark.slow
def test_h20_an_alert_comes_two_weeks_before_they_end_once_and_goes_with_the_answer(treatment, prescriber):
    agreed(treatment, prescriber)
    a_count(treatment, 2600, at=NOW + 10 * DAY, now=NOW + 10 * DAY, **WHITE)
    found = [sweep(now=NOW + day * DAY)["limits_end"] for day in (0, 15, 16, 17, 18)]
    assert found == [0, 0, 1, 0, 0]
    alert = Alert.objects.get(cause="limits_end")
    assert (alert.owner, alert.severity) == (prescriber, 4)
    assert f"end with {UNTIL}" in alert.summary
    agreed(treatment, prescriber, until=(NOW + 90 * DAY).date(), now=NOW + 19 * DAY)
    alert.refresh_from_db()
    assert alert.outcome == "acted"
    assert [sweep(now=NOW + day * DAY)["limits_end"] for day in (20, 77)] == [0, 1]
    end_limits(treatment=treatment, reason="No longer needed", by=prescriber, now=NOW + 78 * DAY)
    assert not Alert.objects.standing().filter(cause="limits_end").exists()
    assert sweep(now=NOW + 79 * DAY)["limits_end"] == 0


@pytest.mark.slow
def test_an_agreement_of_a_few_days_is_told_at_once_and_one_that_is_answered_stays_so(treatment, prescriber):
    agreed(treatment, prescriber, until=(NOW + 5 * DAY).date())
    assert sweep(now=NOW)["limits_end"] == 1
    alert = Alert.objects.get(cause="limits_end")
    alert.resolved_at, alert.resolved_by, alert.outcome = NOW + DAY, prescriber, "acted"
    alert.save()
    assert [sweep(now=NOW + day * DAY)["limits_end"] for day in (2, 5, 6)] == [0, 0, 0]


def test_a_nurse_agrees_no_limits(client, treatment, clinic):
    desk = Desk(client, a_person(clinic, "nurse"))
    assert desk.look(treatment, "limits").status_code == 404
