"""The SQL of the benchmarks fits the tables as they are: a new column that must be filled is seen here."""

from datetime import UTC, date, datetime

import psycopg
import pytest
from django.db import connection

from benchmarks import drain, eligibility, pages, protocol_change, record_result, reminders, reports, sweep
from clozatrack.demo_people import FAMILY, GIVEN
from tests.cast import a_clinic, a_person, a_treatment
from tests.wiping import SUPERUSER

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 20


@pytest.fixture
def session():
    """Opens sessions of others in the tests' database; whatever they write is rolled back."""
    opened = []

    def opens(**more):
        known = connection.get_connection_params()
        reach = {name: known[name] for name in ("host", "port", "user", "dbname")}
        opened.append(psycopg.connect(**reach | more))
        return opened[-1]

    yield opens
    for one in opened:
        one.rollback()
        one.close()


def asked_of(clinic, staff):
    """What the benchmarks fill in."""
    return {
        "clinic": clinic.pk,
        "other": clinic.pk,
        "owner": staff,
        "owners": [staff] * 20,
        "staff": staff,
        "count": COUNT,
        "tests": 3,
        "copies": 2,
        "family": list(FAMILY),
        "families": len(FAMILY),
        "given": list(GIVEN),
        "givens": len(GIVEN),
        "due": date(2026, 9, 15),
        "now": datetime(2026, 9, 14, 17, tzinfo=UTC),
        "received": protocol_change.RECEIVED,
        "reasons": "because",
    }


@pytest.mark.parametrize(
    ("statements", "table", "rows"),
    [
        ((pages.FILL,), "monitoring_treatment", COUNT),
        ((sweep.FILL, sweep.BARE), "monitoring_treatment", COUNT),
        ((sweep.FILL, sweep.FORGET), "patients_auditevent", 0),
        ((protocol_change.FILL,), "monitoring_result", 3 * COUNT),
        ((protocol_change.FILL, protocol_change.FORGET), "monitoring_changerow", 0),
        ((reminders.FILL,), "patients_wishes", COUNT),
        ((reports.FILL,), "monitoring_assessment", 3 * COUNT),
    ],
    ids=["pages", "sweep", "sweep again", "protocol_change", "protocol_change again", "reminders", "reports"],
)
def test_the_tables_take_what_a_benchmark_fills_them_with(session, statements, table, rows):
    clinic = a_clinic()
    asked = asked_of(clinic, a_person(clinic, "prescriber").pk)
    admin = session(user=SUPERUSER, cursor_factory=psycopg.ClientCursor)
    for statement in statements:
        admin.execute(statement, asked)
    assert admin.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == rows


def test_the_tables_take_what_the_benchmarks_of_one_result_and_of_one_supply_write(session):
    clinic = a_clinic()
    treatment = a_treatment(clinic, clinician=a_person(clinic, "prescriber"))
    of_the_app = session()
    for make in (record_result.raw, eligibility.raw_read, eligibility.raw_record):
        make(clinic.pk, [treatment.pk], 1, of_the_app)(0)
    of_the_app.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert of_the_app.execute("SELECT count(*) FROM monitoring_authorisation").fetchone() == (1,)
    admin = session(user=SUPERUSER, cursor_factory=psycopg.ClientCursor)
    admin.execute(record_result.cloning(), {"copies": 2})
    assert admin.execute("SELECT count(*) FROM monitoring_treatment").fetchone() == (3,)
    admin.execute(drain.FILL, [COUNT])
    admin.execute(protocol_change.BARE, [[treatment.pk]])
    admin.execute(protocol_change.BARE_EVENTS, [[treatment.pk]])
