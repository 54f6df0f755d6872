"""manage.py add_clinic: the first clinic of a new service, or one more, with its first admin."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.actions.founding import found_clinic
from monitoring.rules.errors import InputError
from monitoring.rules.protocols import PROTOCOLS
from monitoring.setting_forms import FoundingForm

OPTIONS = {
    "name": "clinic_name", "zone": "time_zone", "on-call": "on_call_email", "unit": "count_unit",
    "protocol": "protocol", "admin": "name", "given-name": "given_name", "family-name": "family_name",
    "email": "email",
}  # fmt: skip
"""What is typed, and the field of the form that it fills."""
SPOKEN = {"slug": "SHORT_NAME"} | {field: f"--{option}" for option, field in OPTIONS.items()}


class Command(BaseCommand):
    """Prints the link by which the admin chooses a password; everything else is done on the pages."""

    help = "Add a clinic and its first admin; prints the link that sets the admin's password (once, for three days)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The clinic, its calendar and unit, and who sets it up."""
        parser.add_argument("slug", metavar="SHORT_NAME", help="stands in addresses and commands, such as north")
        parser.add_argument("--name", dest="clinic_name", required=True, help="as people call it")
        parser.add_argument("--zone", dest="time_zone", required=True, help="such as Europe/Berlin")
        parser.add_argument("--on-call", dest="on_call_email", required=True, help="told when nobody answers an alert")
        parser.add_argument("--unit", dest="count_unit", default="10*9/L", help="of typed counts (default 10*9/L)")
        parser.add_argument("--protocol", required=True, help=f"of new patients: {', '.join(PROTOCOLS)}")
        parser.add_argument("--admin", dest="name", required=True, help="the sign-in name of the first clinic admin")
        parser.add_argument("--given-name", required=True)
        parser.add_argument("--family-name", required=True)
        parser.add_argument("--email", required=True, help="of the first clinic admin")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add them. Raises CommandError with every option that was wrong, and nothing is added."""
        form = FoundingForm({field: options[field] for field in SPOKEN})
        if not form.is_valid():
            wrong = form.errors.get_json_data().items()
            raise CommandError("\n".join(f"{SPOKEN[field]}: {said[0]['message']}" for field, said in wrong))
        try:
            clinic, admin, link = found_clinic(**form.cleaned_data, now=timezone.now())
        except InputError as error:
            raise CommandError(f"{SPOKEN[error.field]}: {error.message}") from error
        if link:
            self.stdout.write(f"{clinic} is there. Hand this link to {admin} and to nobody else; it works once:")
            self.stdout.write(f"{settings.BASE_URL}{link}")
        else:
            self.stdout.write(f"{clinic} is there. {admin} signs in as {admin.username} with the password they have.")
        self.stdout.write(f"A message is on its way to {clinic.on_call_email}; if it does not arrive, mend that first.")
