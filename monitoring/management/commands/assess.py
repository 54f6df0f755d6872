"""manage.py assess: the rule engine's own front door. No database, no network; streams."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.rules.wire import answers


class Command(BaseCommand):
    """One history a line in, one judgement a line out; status 1 if any line could not be judged."""

    help = "Judge treatment histories: JSON Lines in (a file, or standard input), JSON Lines out."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """An optional file."""
        parser.add_argument("file", nargs="?", type=Path, help="JSON Lines; standard input when not given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer line by line, in order, holding one line at a time."""
        try:
            source = options["file"].open("rb") if options["file"] else sys.stdin.buffer
        except OSError as error:
            raise CommandError(f"cannot read {options['file']}: {error.strerror}") from error
        refused = False
        with source:
            for line, judged in answers(source):
                sys.stdout.write(line + "\n")
                refused |= not judged
        if refused:
            sys.exit(1)
