"""manage.py import_results FILE: a laboratory's CSV export, with a report of every row that was refused."""

import contextlib
import csv
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from monitoring.actions.gathering import Digest
from monitoring.feeds.csv import REFUSAL_COLUMNS, Refusal, Row, read_header, read_rows, take_rows
from monitoring.rules.errors import InputError
from patients.models import Clinic


class Command(BaseCommand):
    """Status 0 when every row was taken, 1 when some were refused."""

    help = "Import a laboratory's CSV export; refused rows go to a file of their own, to mend and import again."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, the clinic, the name of the source, and where refused rows go."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", help="slug of the clinic; may be left out when there is only one")
        parser.add_argument("--source", default="lab-csv", help="name of the laboratory's feed (default lab-csv)")
        parser.add_argument("--refused", type=Path, help="where refused rows go (default FILE.refused.csv)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take row by row; show progress; report what was refused."""
        path: Path = options["file"]
        clinic = self._clinic(options["clinic"])
        refused_path = options["refused"] or path.with_suffix(".refused.csv")
        if refused_path == path:
            raise CommandError("--refused must name another file than the one to import")
        try:
            with path.open("rb") as stream:
                columns = read_header(stream)
                new, known, refused = self._take(stream, path, columns, clinic, options["source"], refused_path)
        except (OSError, InputError) as error:
            raise CommandError(f"{path}: {error.message if isinstance(error, InputError) else error}") from error
        summary = f"{new + known + refused} rows: {new} recorded, {known} known already, {refused} refused"
        self.stdout.write(f"{summary}; mend them in {refused_path}" if refused else summary)
        if refused:
            raise SystemExit(1)

    def _take(
        self, stream: IO[bytes], path: Path, columns: list[str], clinic: Clinic, source: str, refused_path: Path
    ) -> tuple[int, int, int]:
        taken = {True: 0, False: 0}
        refused = 0
        digest = Digest(run=f"import:{uuid.uuid4().hex}", started=timezone.now())
        size = path.stat().st_size
        with contextlib.ExitStack() as open_files, tqdm(total=size, unit="B", unit_scale=True, leave=False) as bar:
            rows = _measured(read_rows(stream, columns), bar)  # type: ignore[arg-type]  # a binary file
            writer = None
            for answer in take_rows(rows, clinic=clinic, source=source, by=None, clock=timezone.now, digest=digest):
                if not isinstance(answer, Refusal):
                    taken[answer] += 1
                    continue
                if writer is None:
                    target = open_files.enter_context(refused_path.open("w", encoding="utf-8", newline=""))
                    writer = _refusal_writer(target, columns)
                refused += 1
                writer.writerow(answer.row.fields | {"refused_field": answer.field, "refused_because": answer.message})
                tqdm.write(f"row {answer.row.number}: {answer.field}: {answer.message}")
        digest.finish(now=timezone.now())
        return taken[True], taken[False], refused

    def _clinic(self, slug: str | None) -> Clinic:
        clinics = Clinic.objects.filter(slug=slug) if slug else Clinic.objects.all()[:2]
        if len(clinics) != 1:
            known = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"name one clinic with --clinic; known: {known}")
        return clinics[0]


def _refusal_writer(target: IO[str], columns: list[str]) -> "csv.DictWriter[str]":
    own = [name for name in columns if name not in REFUSAL_COLUMNS]
    writer = csv.DictWriter(target, [*own, *REFUSAL_COLUMNS], extrasaction="ignore")
    writer.writeheader()
    return writer


def _measured(rows: Iterator[Row], bar: "tqdm[Any]") -> Iterator[Row]:
    """The bar follows the rows themselves: iterating a file hides its position."""
    for row in rows:
        bar.update(sum(len(value) + 1 for value in row.fields.values()) + 1)
        yield row
