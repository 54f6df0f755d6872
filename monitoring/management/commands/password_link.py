"""manage.py password_link: a link that sets a new password, where e-mail or the last admin has failed."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.actions.founding import show_password_link
from patients.models import Staff


class Command(BaseCommand):
    """For whoever runs the service; on the pages a clinic admin sends such a link by e-mail."""

    help = "Print a link that sets a new password for somebody (once, for three days)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it. Raises CommandError for an unknown or closed account."""
        person = Staff.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"there is no account {options['username']}; a clinic admin sees the names in Settings")
        if not person.is_active:
            raise CommandError(f"{person} works at no clinic any more; a clinic admin gives a role first")
        self.stdout.write(f"{settings.BASE_URL}{show_password_link(person=person, now=timezone.now())}")
