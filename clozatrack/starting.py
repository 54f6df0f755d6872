"""The last look before production serves: a database that is not in UTC shifts clinical days."""

import logging
import time

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, close_old_connections

from clozatrack.checks import server_time_zone
from clozatrack.refusals import database_refusal

LOOK_EVERY = 1.0
log = logging.getLogger(__name__)


def refuse_wrong_database() -> None:
    """Raises ImproperlyConfigured in production when the database's own zone is not UTC."""
    if settings.PRODUCTION and (reason := database_refusal(server_time_zone())):
        raise ImproperlyConfigured(f"Clozatrack does not start in production: {reason}")


def wait_for_right_database() -> None:
    """The same for a part that may come up before its database: it waits, and never starts without having looked."""
    while True:
        try:
            return refuse_wrong_database()
        except OperationalError as error:
            log.warning("the database does not answer, trying again: %s", error)
            time.sleep(LOOK_EVERY)
            close_old_connections()
