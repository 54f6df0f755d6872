"""Refuses to start when misconfigured, by name."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Critical, Error, Tags, register
from django.db import connections

from clozatrack.refusals import database_refusal, refusals


@register(Tags.security, deploy=True)
def production_settings(*, app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The same refusals that stop a production start, for `check --deploy`."""
    found = refusals(
        secret=settings.SECRET_KEY, debug=settings.DEBUG, hosts=settings.ALLOWED_HOSTS, base_url=settings.BASE_URL
    )
    return [Error(reason, id=f"clozatrack.E00{number}") for number, reason in enumerate(found, start=1)]


@register(Tags.database)
def database_in_utc(
    *, app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The database's own zone, as it is without our session setting."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        if reason := database_refusal(server_time_zone(alias)):
            found.append(Critical(reason, id="clozatrack.E010"))
    return found


def server_time_zone(alias: str = "default") -> str:
    """The zone a plain client of this database would get."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'")
        row = cursor.fetchone()
    return str(row[0])
