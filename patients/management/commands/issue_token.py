"""manage.py issue_token: a token for a program that speaks for one clinic."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from patients.access import VERBS
from patients.actions import issue_token
from patients.models import Clinic


class Command(BaseCommand):
    """Prints the token once; only its hash is kept."""

    help = "Issue an API token for one clinic, with the verbs that it may use."

    def add_arguments(self, parser: CommandParser) -> None:
        """The clinic, the program's name, and its verbs."""
        parser.add_argument("--clinic", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("verbs", nargs="+", choices=VERBS, metavar="VERB", help=", ".join(VERBS))

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue and print it."""
        clinic = Clinic.objects.filter(slug=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"there is no clinic {options['clinic']}")
        if clinic.integrations.filter(name__iexact=options["name"], revoked_at=None).exists():
            raise CommandError(
                f"{options['name']} has an open token at {clinic} already; a clinic admin takes it back in Settings,"
                " or choose another name"
            )
        _, token = issue_token(clinic=clinic, name=options["name"], verbs=options["verbs"], by=None, now=timezone.now())
        self.stdout.write(token)
