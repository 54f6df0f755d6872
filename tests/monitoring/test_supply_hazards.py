"""What must hold at the counter when something goes wrong elsewhere: a wrong count, a dead broker, a lost tube."""

import itertools
import uuid
from datetime import timedelta

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django.urls import reverse

from monitoring.actions.ben import propose_ben
from monitoring.actions.dispensing import NotAuthorisedError, StaleError, authorise, verdict_of
from monitoring.actions.overriding import ask_override, bridges_left, confirm_override
from monitoring.actions.treating import record_event
from monitoring.models import Alert, Authorisation, Dispense, Override
from notifications.loop import deliver_due
from notifications.models import Delivery
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic():
    return a_clinic()


@pytest.fixture
def pharmacist(clinic):
    return a_person(clinic, "pharmacist")


@pytest.fixture
def treatment(clinic):
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    a_count(treatment, 2500, at=NOW)
    treatment.refresh_from_db()
    return treatment


def asked(treatment, by, now, **fields):
    given = {"bridge": True, "code": "laboratory", "words": "The tube is lost", "days": 4, "hours": 24} | fields
    return ask_override(treatment=treatment, by=by, now=now, **given)


def given(treatment, by, now, **fields):
    return authorise(treatment=treatment, entry=uuid.uuid4(), by=by, now=now, **fields)


# H01: clocks that do not agree


def test_h01_a_severe_draw_some_minutes_ahead_of_the_clock_counts_at_once(treatment, pharmacist):
    a_count(treatment, 400, at=NOW + 5 * HOUR / 60, now=NOW)
    treatment.refresh_from_db()
    assert (treatment.advice, verdict_of(treatment, now=NOW).answer) == ("stop", "do_not_supply")
    with pytest.raises(NotAuthorisedError):
        given(treatment, pharmacist, NOW)


def test_h01_a_writer_whose_clock_is_behind_judges_by_what_was_committed_before_it(treatment):
    behind = NOW + HOUR - timedelta(seconds=1)
    a_count(treatment, 400, at=NOW + HOUR, now=NOW + HOUR)
    a_count(treatment, 2500, at=NOW - DAY, now=behind)
    a_count(treatment, 380, at=NOW - 2 * DAY, now=behind)
    treatment.refresh_from_db()
    assert treatment.advice == "stop"


# H19


@pytest.mark.slow
@pytest.mark.parametrize(("anc", "asks"), [(1400, True), (900, True), (400, False), (2500, False)])
def test_h19_a_first_low_count_asks_whether_ben_was_ever_assessed(client, treatment, time_machine, anc, asks):
    time_machine.move_to(NOW + HOUR, tick=False)
    a_count(treatment, anc, at=NOW + HOUR, now=NOW + HOUR)
    client.force_login(treatment.clinician)
    page = client.get(reverse("patient", args=[treatment.patient_id])).content.decode()
    assert ("BEN was never assessed" in page) == asks


@pytest.mark.slow
def test_h19_once_somebody_has_documented_it_nobody_is_asked_again(client, treatment, time_machine):
    time_machine.move_to(NOW + HOUR, tick=False)
    a_count(treatment, 1400, at=NOW + HOUR, now=NOW + HOUR)
    rows = list(treatment.results.order_by("drawn_at"))[:2]
    propose_ben(treatment=treatment, baselines=rows, evidence="Duffy-null", by=treatment.clinician, now=NOW + HOUR)
    client.force_login(treatment.clinician)
    page = client.get(reverse("patient", args=[treatment.patient_id])).content.decode()
    assert "BEN was never assessed" not in page
    assert "BEN waits for a second person" in page


# H25


def test_h25_a_correction_lifts_the_hold_for_the_counter_in_its_own_transaction(treatment, pharmacist):
    a_count(treatment, 400, at=NOW, now=NOW + HOUR, accession="CLOT")
    with pytest.raises(NotAuthorisedError):
        given(treatment, pharmacist, NOW + HOUR)
    a_count(treatment, 2600, at=NOW, now=NOW + 2 * HOUR, accession="CLOT", status="corrected")
    assert given(treatment, pharmacist, NOW + 2 * HOUR).days == 7


# H26


@pytest.fixture
def valkey_off():
    """The broker is an address where nothing listens; so is the mail server, as in every test."""
    amqp, conf = current_app.amqp, current_app.conf
    before, pool = conf.broker_url, amqp._producer_pool
    conf.broker_url, amqp._producer_pool = "redis://127.0.0.1:1/0", None
    yield
    conf.broker_url, amqp._producer_pool = before, pool


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_h26_with_valkey_celery_and_mail_down_a_patient_still_gets_the_bridge(
    client, clinic, pharmacist, treatment, valkey_off, time_machine, caplog
):
    time_machine.move_to(NOW + 9 * DAY, tick=False)
    supply = reverse("supply", args=[treatment.patient_id])
    client.force_login(pharmacist)
    wanted = {"bridge": "bridge", "code": "laboratory", "words": "Tube lost", "days": "4", "hours": "24"}
    client.post(reverse("ask_override", args=[treatment.patient_id]), wanted)
    override, version = Override.objects.get(), client.get(supply).context["treatment"].version
    assert "the broker does not answer" in caplog.text
    deliver_due(lambda: NOW + 9 * DAY)
    client.force_login(treatment.clinician)
    place = reverse("answer_override", args=[treatment.patient_id, override.pk])
    client.post(place, {"confirm": "1", "basis": version})
    client.force_login(pharmacist)
    entry = {"entry": str(uuid.uuid4()), "basis": version, "override": override.pk}
    client.post(reverse("authorise_supply", args=[treatment.patient_id]), entry)
    tablets = {"strength_mg": "100", "quantity": "12", "days": "4"}
    client.post(reverse("hand_over_supply", args=[treatment.patient_id, Authorisation.objects.get().pk]), tablets)
    assert Dispense.objects.get().days == 4
    assert not Delivery.objects.filter(sent_at__isnull=False).exists()


# H27


def test_h27_one_wait_for_blood_has_one_bridge_however_many_a_clinic_allows(clinic, treatment, pharmacist):
    clinic.policies = {"bridge_times": 4}
    clinic.save()
    treatment.refresh_from_db()
    now = NOW + 9 * DAY
    first = asked(treatment, pharmacist, now)
    confirm_override(override=first, by=treatment.clinician, now=now)
    with pytest.raises(ValueError, match="had its bridge supply already"):
        asked(treatment, pharmacist, now + 4 * DAY)
    a_count(treatment, 2500, at=now + DAY, now=now + 5 * DAY)
    again = asked(treatment, pharmacist, now + 10 * DAY)
    confirm_override(override=again, by=treatment.clinician, now=now + 10 * DAY)
    again.refresh_from_db()
    again.pk, again.used_at = None, None
    with pytest.raises(IntegrityError, match="one_bridge_a_wait"), transaction.atomic():
        again.save(force_insert=True)


@pytest.mark.slow
def test_h27_however_it_is_asked_four_weeks_hold_no_more_bridges_than_the_clinic_allows(clinic, treatment, pharmacist):
    for times, spacing in itertools.product((1, 2), (2, 5, 9)):
        clinic.policies = {"bridge_times": times}
        clinic.save()
        one = a_treatment(clinic, clinician=treatment.clinician)
        days = []
        for day in range(0, 60, spacing):
            now = NOW + day * DAY
            if day % 4 == 0:
                a_count(one, 2500, at=now - 8 * DAY, now=now)
            try:
                confirm_override(override=asked(one, pharmacist, now), by=one.clinician, now=now)
                days.append(day)
            except ValueError:
                continue
        assert days
        assert all(sum(day <= other < day + 28 for other in days) <= times for day in days), (times, spacing, days)


def test_h27_the_prescriber_is_told_when_it_is_asked_for_and_when_somebody_else_confirms(clinic, treatment, pharmacist):
    second, told = a_person(clinic, "pharmacist"), Delivery.objects.filter(address=treatment.clinician.email)
    override = asked(treatment, pharmacist, NOW)
    before = told.count()
    assert before
    confirm_override(override=override, by=second, now=NOW + HOUR)
    assert told.count() == before + 1
    alert = Alert.objects.get(cause="override")
    assert (alert.resolved_at, f"{second} confirmed 4 days" in alert.summary) == (None, True)


def test_a_request_that_nobody_answered_in_time_does_not_keep_the_next_one_away(treatment, pharmacist):
    first = asked(treatment, pharmacist, NOW)
    with pytest.raises(ValueError, match="waits for a second person already"):
        asked(treatment, pharmacist, NOW + HOUR)
    asked(treatment, pharmacist, NOW + 25 * HOUR)
    with pytest.raises(ValueError, match="answer the one that followed it"):
        confirm_override(override=first, by=treatment.clinician, now=NOW + 25 * HOUR)
    assert bridges_left(treatment, NOW + 25 * HOUR) == 1


# H28


def test_h28_an_override_reaches_no_higher_than_what_its_second_person_saw(treatment, pharmacist):
    record_event(treatment=treatment, kind="last_dose", at=NOW - 40 * HOUR, by=None, now=NOW)
    override = asked(treatment, pharmacist, NOW, bridge=False, code="benefit")
    confirm_override(override=override, by=treatment.clinician, now=NOW)
    with pytest.raises(NotAuthorisedError, match="does not reach that far"):
        given(treatment, pharmacist, NOW + 10 * HOUR, override=override)
    assert given(treatment, pharmacist, NOW + HOUR, override=override).days == 4


def test_h28_what_came_while_the_second_person_waited_for_the_lock_ends_an_override(treatment, pharmacist):
    override = asked(treatment, pharmacist, NOW, bridge=False, code="benefit")
    confirm_override(override=override, by=treatment.clinician, now=NOW + HOUR)
    a_count(treatment, 400, at=NOW, now=NOW + HOUR / 2)
    with pytest.raises(NotAuthorisedError, match="prescriber must look again"):
        given(treatment, pharmacist, NOW + HOUR, override=override)


# H29 and H39


def test_h29_every_verdict_off_treatment_says_the_days_since_the_last_dose(treatment):
    record_event(treatment=treatment, kind="last_dose", at=NOW, by=None, now=NOW)
    for days in (1, 3, 31):
        said = {one.rule: one.text for one in verdict_of(treatment, now=NOW + days * DAY).why}
        assert said["break.days"].startswith(f"{days} day")
        assert ("break.retitrate" in said) == (days >= 2)


def test_h39_a_second_key_rests_on_the_state_that_was_shown(treatment, pharmacist):
    override, seen = asked(treatment, pharmacist, NOW, bridge=False, code="benefit"), treatment.version
    a_count(treatment, 400, at=NOW, now=NOW + HOUR)
    with pytest.raises(StaleError):
        confirm_override(override=override, by=treatment.clinician, basis=seen, now=NOW + HOUR)
