"""A result that waits for the treatment's lock sees what was committed while it waited."""

import threading

import pytest
from django.db import connection, connections, transaction

from monitoring.actions.judging import locked
from monitoring.models import Alert, BenStatus, Cause
from tests.cast import DAY, NOW, a_clinic, a_count, a_person, a_treatment
from tests.waiting import wait_until

# Not pg_stat_activity, which a transaction sees as it was at the first look.
WAITS = """
    SELECT count(*) FROM pg_locks w WHERE NOT w.granted AND EXISTS (
        SELECT 1 FROM pg_locks h WHERE h.pid = pg_backend_pid() AND h.granted AND h.transactionid = w.transactionid)
"""


def while_it_waits(treatment, change, **result):
    """Takes the lock, lets a result come that has to wait, makes the change, and lets go."""
    with transaction.atomic():
        locked(treatment.pk)
        late = threading.Thread(target=recorded, args=(treatment, result))
        late.start()
        wait_until(one_waits, longest=30)
        change()
    late.join(30)


def recorded(treatment, result):
    try:
        a_count(treatment, **result)
    finally:
        connections.close_all()


def one_waits():
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_h18_a_result_that_waited_is_judged_with_the_ben_status_confirmed_meanwhile():
    clinic = a_clinic()
    treatment = a_treatment(clinic)
    nurse, prescriber = a_person(clinic, "nurse"), a_person(clinic, "prescriber")
    while_it_waits(
        treatment,
        lambda: BenStatus.objects.create(
            treatment=treatment, evidence="Duffy-null", documented_by=nurse, confirmed_by=prescriber, confirmed_at=NOW
        ),
        anc=1200,
    )
    treatment.refresh_from_db()
    assert (treatment.band, treatment.advice) == ("normal", "continue")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_result_that_waited_ends_the_overdue_alert_raised_meanwhile():
    treatment = a_treatment()
    while_it_waits(
        treatment,
        lambda: Alert.objects.create(
            treatment=treatment, clinic=treatment.clinic, cause=Cause.TEST_OVERDUE, severity=4, summary="overdue",
            raised_at=NOW - DAY, worsened_at=NOW - DAY, escalate_at=NOW + DAY,
        ),
        anc=2500,
    )  # fmt: skip
    assert Alert.objects.get(cause=Cause.TEST_OVERDUE).outcome == "tested"
