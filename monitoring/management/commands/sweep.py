"""manage.py sweep: look once for overdue tests, owed repeats and unanswered alerts."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from monitoring.actions.treating import reassess_changed_by_time
from monitoring.sweep import sweep


class Command(BaseCommand):
    """One look, without Celery."""

    help = "Look once for overdue tests, owed repeats and unanswered alerts."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many alerts each question touched."""
        changed = reassess_changed_by_time(now=timezone.now())
        found = sweep(now=timezone.now())
        text = "another sweep is at it" if found is None else ", ".join(f"{name}: {n}" for name, n in found.items())
        self.stdout.write(f"{text}, judged anew: {changed}")
