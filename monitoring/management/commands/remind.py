"""manage.py remind: plan the reminders of the day ahead, once and without Celery."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from monitoring.reminding.agreeing import end_gone
from monitoring.reminding.planning import plan


class Command(BaseCommand):
    """One look; what is sent is the outbox's."""

    help = "Plan the reminders of the day ahead and take back what became untrue."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many rows were written and withdrawn."""
        end_gone(now=timezone.now())
        found = plan(now=timezone.now())
        self.stdout.write("another one is planning" if found is None else f"planned: {found[0]}, withdrawn: {found[1]}")
