"""Nothing that holds facts about people can be deleted, not even by the service's own SQL."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from tests.cast import a_clinic
from tests.things import things

pytestmark = pytest.mark.django_db

MAY_BE_DELETED = {
    # What holds no fact about a patient, and what Django keeps for itself.
    "monitoring.Draft",  # typed and not saved: what is saved is a Result
    "notifications.Heartbeat",
    "monitoring.Reach",  # a view: by which ways people are told
    "patients.Reachable",  # not a table: the view of whom a message may reach
    "notifications.Session",  # not a table: the connections that PostgreSQL serves
    "auth.Group",
    "auth.Group_permissions",
    "auth.Permission",
    "patients.Staff_groups",
    "patients.Staff_user_permissions",
    "contenttypes.ContentType",
    "sessions.Session",
    "axes.AccessAttempt",
    "axes.AccessAttemptExpiration",
    "axes.AccessFailureLog",
    "axes.AccessLog",
}
MODELS = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
KEPT = [model for model in MODELS if model._meta.label not in MAY_BE_DELETED]


@pytest.fixture
def one_of_everything():
    return things(a_clinic("North"))


def deleted(model):
    """What the database says to a DELETE of one row, past every model and manager."""
    with transaction.atomic(), connection.cursor() as cursor:
        table, key = model._meta.db_table, model._meta.pk.column
        cursor.execute(f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT "{key}" FROM "{table}" LIMIT 1)')
        return cursor.rowcount


@pytest.mark.slow
def test_h37_no_row_that_holds_facts_can_be_deleted_from_any_table(one_of_everything):
    empty = [model._meta.label for model in KEPT if not model._base_manager.exists()]
    assert not empty, f"make one of each in tests/things.py, so that its deletion can be tried: {empty}"
    for model in KEPT:
        with pytest.raises(DatabaseError, match=r"Cannot (update or )?delete rows") as refusal:
            assert not deleted(model), (
                f"{model._meta.label} lost a row: give its Meta NO_DELETE or APPEND_ONLY triggers"
            )
        assert "pgtrigger" in str(refusal.value)


def test_what_may_be_deleted_is_named_and_exists():
    assert {model._meta.label for model in MODELS} >= MAY_BE_DELETED
