"""The last look before production serves: a database that is not in UTC shifts clinical days."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from clozatrack.checks import server_time_zone
from clozatrack.refusals import database_refusal


def refuse_wrong_database() -> None:
    """Raises ImproperlyConfigured in production when the database's own zone is not UTC."""
    if settings.PRODUCTION and (reason := database_refusal(server_time_zone())):
        raise ImproperlyConfigured(f"Clozatrack does not start in production: {reason}")
