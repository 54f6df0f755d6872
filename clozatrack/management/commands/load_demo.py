"""manage.py load_demo: the demo clinic, for `make demo` and for trying things out. Never in production."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clozatrack.demo_clinic import load


class Command(BaseCommand):
    """Loads once; a database that has a clinic is left alone."""

    help = "Load the demo clinic into an empty database."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse in production, load elsewhere."""
        if settings.PRODUCTION:
            raise CommandError("the demo clinic is not loaded in production")
        load(now=timezone.now())
