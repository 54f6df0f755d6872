"""manage.py watchdog: tells by its exit status whether sweep and delivery still run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from monitoring.health import ailments


class Command(BaseCommand):
    """Status 0 when all is well, 1 with a line for each ailment."""

    help = "Tell whether the sweep and the delivery have run within five minutes."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what ails, or that nothing does."""
        try:
            found = ailments(now=timezone.now())
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {error}") from error
        if found:
            raise CommandError("; ".join(found))
        self.stdout.write("sweep and delivery run")
