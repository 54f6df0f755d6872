"""What every test shares."""

import gc
from itertools import count

import pytest
from django.db import connections
from django.test import TransactionTestCase

from tests import cluster, wiping
from tests.wires.http import PushService

_tests = count(1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """With workers the slow ones first: none is left to one worker while the other has nothing more to do.

    Without workers they come last: a mistake, or a mutant, is shown to the quickest test first.
    """
    first = hasattr(config, "workerinput")
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None) is first)


def pytest_collection_finish():
    """What was imported and collected stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    made = connections["default"].settings_dict["NAME"].startswith("test_")
    if next(_tests) % wiping.EVERY == 0 and made:
        wiping.make_afresh()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Each worker's database is a copy of one that is migrated."""
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = cluster.DATABASE


@pytest.fixture(scope="session", autouse=True)
def _wipe_what_was_written():
    """In place of Django's flush of everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: wiping.wipe())
        yield


@pytest.fixture(autouse=True)
def _no_mail_by_accident(settings):
    """Mail goes nowhere unless a test starts a mail server of its own."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9


@pytest.fixture(autouse=True)
def _no_rates(settings):
    """Tests that run side by side share one Valkey: no bucket but where a test asks for one."""
    settings.RATES = {}


@pytest.fixture
def push(settings):
    """A push service on this machine, which may be pushed to only where private addresses are allowed."""
    settings.PRIVATE_ADDRESSES = True
    with PushService() as server:
        settings.WEBPUSH = server.settings
        yield server
