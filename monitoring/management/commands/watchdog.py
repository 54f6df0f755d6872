"""manage.py watchdog: tells by its exit status whether sweep and delivery still run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from monitoring.health import PARTS, ailments, silent


class Command(BaseCommand):
    """Status 0 when all is well, 1 with a line for each ailment."""

    help = "Tell whether the sweep and the delivery have run within five minutes."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """`--part` for the health check of one part alone."""
        parser.add_argument("--part", choices=PARTS, help="ask only whether this part has run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what ails, or that nothing does."""
        try:
            now, part = timezone.now(), options["part"]
            found = silent([part], now=now) if part else ailments(now=now)
        except DatabaseError as error:
            raise CommandError(f"the database does not answer: {error}") from error
        if found:
            raise CommandError("; ".join(found))
        self.stdout.write(f"{part} runs" if part else "sweep and delivery run")
