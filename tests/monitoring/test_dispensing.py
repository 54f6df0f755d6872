"""Authorise, hand over, revoke: a supply never rests on a state that a committed fact has already changed."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from monitoring.actions.dispensing import (
    NotAuthorisedError,
    StaleError,
    authorise,
    hand_over,
    verdict_of,
    void_dispense,
)
from monitoring.actions.overriding import ask_override, bridges_left, confirm_override, decline_override
from monitoring.actions.treating import record_event
from monitoring.models import Alert, Authorisation, Dispense
from notifications.models import Delivery
from patients.models import AuditEvent
from tests.cast import DAY, NOW, Decimal, a_clinic, a_count, a_person, a_treatment

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


def leave(treatment, by, *, now=NOW, **fields):
    return authorise(treatment=treatment, entry=fields.pop("entry", uuid.uuid4()), by=by, now=now, **fields)


def tablets(authorisation, by, *, now=NOW, days=7, **fields):
    given = {"strength_mg": Decimal(100), "quantity": 3 * days} | fields
    return hand_over(authorisation=authorisation, days=days, by=by, now=now, **given)


def test_a_supply_is_authorised_and_handed_over_with_an_audit_row_for_each(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    dispense = tablets(given, pharmacist, lot="L7")
    treatment.refresh_from_db()
    assert (given.days, dispense.covers_until, treatment.tablets_until) == (7, given.until, given.until)
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"supply_authorised", "tablets_handed_over"} <= verbs


def test_the_same_request_again_is_the_same_authorisation_and_hands_over_once(treatment, pharmacist):
    entry = uuid.uuid4()
    first, second = leave(treatment, pharmacist, entry=entry), leave(treatment, pharmacist, entry=entry)
    assert first == second
    assert tablets(first, pharmacist) == tablets(second, pharmacist)
    assert (Authorisation.objects.count(), Dispense.objects.count()) == (1, 1)


def test_tablets_that_were_taken_back_are_not_handed_over_again_on_the_same_leave(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    void_dispense(dispense=tablets(given, pharmacist), by=pharmacist, now=NOW, reason="Not collected")
    with pytest.raises(NotAuthorisedError, match="handed over and taken back; authorise anew"):
        tablets(given, pharmacist)


@pytest.mark.parametrize("other", [{"quantity": 14}, {"days": 6}, {"strength_mg": Decimal(25)}, {"lot": "L8"}])
def test_other_tablets_on_the_same_leave_are_refused_with_what_was_recorded(treatment, pharmacist, other):
    given = leave(treatment, pharmacist)
    first = {"quantity": 21, "lot": "L7"}
    tablets(given, pharmacist, **first)
    with pytest.raises(NotAuthorisedError, match=r"already: 21 × 100 mg for 7 days, lot L7\. What .* not recorded"):
        tablets(given, pharmacist, **first | other)
    assert Dispense.objects.get().lot == "L7"


def test_h01_after_a_severe_result_nothing_is_authorised(treatment, pharmacist):
    a_count(treatment, 400, at=NOW, now=NOW + HOUR)
    with pytest.raises(NotAuthorisedError, match="stopped"):
        leave(treatment, pharmacist, now=NOW + HOUR)


def test_h39_a_stale_page_is_refused_with_the_new_verdict(treatment, pharmacist):
    seen = treatment.version
    a_count(treatment, 2600, at=NOW, now=NOW + HOUR)
    with pytest.raises(StaleError) as refused:
        leave(treatment, pharmacist, now=NOW + HOUR, basis=seen)
    assert refused.value.verdict.answer == "may_supply"


def test_h01_the_database_itself_refuses_an_authorisation_on_a_past_version(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    given.pk, given.entry, given.basis_version = None, uuid.uuid4(), given.basis_version - 1
    with pytest.raises(IntegrityError, match="which is past"), transaction.atomic():
        given.save(force_insert=True)


def test_h02_a_severe_result_revokes_open_authorisations_in_its_own_transaction_and_tells_the_pharmacy(
    treatment, pharmacist
):
    given = leave(treatment, pharmacist)
    a_count(treatment, 400, at=NOW, now=NOW + HOUR)
    given.refresh_from_db()
    assert given.revoked_at == NOW + HOUR
    with pytest.raises(NotAuthorisedError, match="revoked"):
        tablets(given, pharmacist, now=NOW + HOUR)
    assert Alert.objects.get(cause="contradicted").severity == 1
    assert Delivery.objects.filter(address=pharmacist.email).exists()


def test_h02_an_authorisation_expires_and_the_hand_over_is_checked_again(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    with pytest.raises(NotAuthorisedError, match="expired"):
        tablets(given, pharmacist, now=NOW + 25 * HOUR)
    with pytest.raises(NotAuthorisedError, match="more than the 7"):
        tablets(given, pharmacist, days=8)


def test_a_harmless_result_in_between_does_not_cost_the_patient_the_tablets(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    a_count(treatment, 2700, at=NOW + HOUR, now=NOW + HOUR)
    assert tablets(given, pharmacist, now=NOW + 2 * HOUR).days == 7


def test_h02_the_database_itself_refuses_tablets_on_a_revoked_authorisation(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    dispense = tablets(given, pharmacist)
    a_count(treatment, 400, at=NOW, now=NOW + HOUR)
    other = leave_row(given)
    dispense.pk, dispense.authorisation = None, other
    with pytest.raises(IntegrityError, match="still holds"), transaction.atomic():
        dispense.save(force_insert=True)


def leave_row(given):
    given.pk, given.entry, given.basis_version = None, uuid.uuid4(), given.treatment.__class__.objects.get().version
    given.revoked_at, given.revoked_because = NOW, "test"
    given.save(force_insert=True)
    return given


def test_a_later_severe_result_tells_about_tablets_already_handed_over(treatment, pharmacist):
    tablets(leave(treatment, pharmacist), pharmacist)
    a_count(treatment, 400, at=NOW + DAY, now=NOW + DAY)
    alert = Alert.objects.get(cause="contradicted")
    assert "Tablets reach until 2026-09-20" in alert.summary


def test_tablets_at_home_are_taken_first_and_a_voided_supply_no_longer_counts(treatment, pharmacist):
    tablets(leave(treatment, pharmacist), pharmacist, days=3)
    second = tablets(leave(treatment, pharmacist), pharmacist, days=4)
    assert str(second.covers_until) == "2026-09-20"
    void_dispense(dispense=second, by=pharmacist, now=NOW, reason="Never collected")
    treatment.refresh_from_db()
    assert str(treatment.tablets_until) == "2026-09-16"
    with pytest.raises(ValueError, match="say why"):
        void_dispense(dispense=second, by=pharmacist, now=NOW, reason=" ")


def test_two_supplies_in_a_row_reach_no_further_than_the_next_test_and_its_margin(treatment, pharmacist):
    first, second = leave(treatment, pharmacist), leave(treatment, pharmacist)
    tablets(first, pharmacist)
    with pytest.raises(NotAuthorisedError):
        tablets(second, pharmacist)
    assert str(tablets(second, pharmacist, days=4).covers_until) == "2026-09-24"
    with pytest.raises(NotAuthorisedError, match="Tablets at home reach until 2026-09-24"):
        leave(treatment, pharmacist)


# Two keys


@pytest.fixture
def overdue(treatment):
    return treatment, NOW + 9 * DAY


def asked(treatment, by, now, **fields):
    given = {
        "bridge": True,
        "code": "laboratory",
        "words": "The courier lost the tube",
        "days": 4,
        "hours": 24,
    } | fields
    return ask_override(treatment=treatment, by=by, now=now, **given)


def test_h27_a_bridge_supply_needs_two_people_and_is_used_once(overdue, pharmacist):
    treatment, now = overdue
    assert verdict_of(treatment, now=now).answer == "prescriber_decides"
    with pytest.raises(NotAuthorisedError):
        leave(treatment, pharmacist, now=now)
    override = asked(treatment, pharmacist, now)
    with pytest.raises(NotAuthorisedError, match="not confirmed"):
        leave(treatment, pharmacist, now=now, override=override)
    confirm_override(override=override, by=treatment.clinician, now=now)
    assert tablets(leave(treatment, pharmacist, now=now, override=override), pharmacist, now=now, days=4).days == 4
    with pytest.raises(NotAuthorisedError, match="used or has expired"):
        leave(treatment, pharmacist, now=now, override=override)


def test_h27_whoever_asks_cannot_confirm(overdue, pharmacist, clinic):
    treatment, now = overdue
    override = asked(treatment, pharmacist, now)
    with pytest.raises(ValueError, match="a second person"):
        confirm_override(override=override, by=pharmacist, now=now)
    with pytest.raises(ValueError, match="only a prescriber"):
        confirm_override(override=override, by=a_person(clinic, "nurse"), now=now)
    override.confirmed_by, override.confirmed_at = pharmacist, now
    with pytest.raises(IntegrityError, match="override_needs_two_people"), transaction.atomic():
        override.save()


def test_h27_bridges_are_counted_in_a_rolling_period_and_capped(overdue, pharmacist):
    treatment, now = overdue
    with pytest.raises(ValueError, match="at most 4 days"):
        asked(treatment, pharmacist, now, days=5)
    confirm_override(override=asked(treatment, pharmacist, now), by=treatment.clinician, now=now)
    assert bridges_left(treatment, now) == 0
    with pytest.raises(ValueError, match="no bridge supply is left"):
        asked(treatment, pharmacist, now + DAY)
    assert bridges_left(treatment, now + 29 * DAY) == 1


def test_a_bridge_is_never_against_a_stop_and_an_old_override_does_not_outlive_one(treatment, pharmacist):
    override = asked(treatment, pharmacist, NOW, bridge=False, code="benefit")
    confirm_override(override=override, by=treatment.clinician, now=NOW)
    a_count(treatment, 400, at=NOW + HOUR, now=NOW + HOUR)
    with pytest.raises(NotAuthorisedError, match="stands against it"):
        leave(treatment, pharmacist, now=NOW + 2 * HOUR, override=override)
    treatment.refresh_from_db()
    with pytest.raises(ValueError, match="not against a stop"):
        asked(treatment, pharmacist, NOW + 2 * HOUR)


def test_h02_a_severe_result_revokes_what_an_override_had_opened_too(overdue, pharmacist):
    treatment, now = overdue
    override = asked(treatment, pharmacist, now)
    confirm_override(override=override, by=treatment.clinician, now=now)
    given = leave(treatment, pharmacist, now=now, override=override)
    a_count(treatment, 400, at=now, now=now + HOUR)
    with pytest.raises(NotAuthorisedError, match="revoked"):
        tablets(given, pharmacist, now=now + HOUR, days=4)


def test_a_request_can_be_declined_with_a_reason_and_is_then_answered(overdue, pharmacist):
    treatment, now = overdue
    override = asked(treatment, pharmacist, now)
    decline_override(override=override, by=treatment.clinician, now=now, answer="Blood is taken this afternoon")
    with pytest.raises(ValueError, match="answered already"):
        confirm_override(override=override, by=treatment.clinician, now=now)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_h01_an_authorisation_that_races_with_a_severe_result_never_rests_on_the_state_before_it():
    clinic = a_clinic()
    pharmacist = a_person(clinic, "pharmacist")
    for _ in range(12):
        treatment = a_treatment(clinic)
        a_count(treatment, 2500, at=NOW)
        gate = threading.Barrier(2)
        workers = [
            threading.Thread(target=racing, args=(gate, lambda t=treatment: a_count(t, 400, at=NOW, now=NOW + HOUR))),
            threading.Thread(target=racing, args=(gate, lambda t=treatment: leave(t, pharmacist, now=NOW + HOUR))),
        ]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
        open_ones = Authorisation.objects.filter(treatment=treatment, revoked_at=None)
        assert not open_ones.exists()


def racing(gate, act):
    gate.wait()
    try:
        act()
    except NotAuthorisedError:
        pass
    finally:
        connection.close()


def test_a_fever_on_treatment_ends_open_authorisations(treatment, pharmacist):
    given = leave(treatment, pharmacist)
    record_event(treatment=treatment, kind="fever", at=NOW + HOUR, celsius=Decimal("38.9"), by=None, now=NOW + HOUR)
    given.refresh_from_db()
    assert given.revoked_at is not None
