"""manage.py import_results FILE: a laboratory's CSV export, with a report of every row that was refused."""

import contextlib
import csv
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from monitoring.actions.gathering import Digest
from monitoring.feeds.csv import REFUSAL_COLUMNS, Row, read_header, read_rows, safe
from monitoring.feeds.imports import begin_import, confirm_import, finish, keeping
from monitoring.feeds.layout import FIELDS, Layout, by_own_names
from monitoring.feeds.taking import Answer, nothing_more, take_rows
from monitoring.models import Import, Laboratory
from monitoring.rules.errors import InputError
from patients.access import may
from patients.models import Clinic, Staff


class Command(BaseCommand):
    """Status 0 when every row was taken, 1 when some were refused."""

    help = "Import a laboratory's CSV export; refused rows go to a file of their own, to mend and import again."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, the clinic, the name of the source, and where refused rows go."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", help="slug of the clinic; may be left out when there is only one")
        parser.add_argument("--source", default="lab-csv", help="name of the laboratory's feed (default lab-csv)")
        parser.add_argument(
            "--quarantine",
            metavar="USERNAME",
            help="rows that name nobody surely wait on the quarantine page, owned by this person",
        )
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
                header = read_header(stream)
                layout = by_own_names(header)
                imported = self._kept(path, clinic, layout, header.names, options) if options["quarantine"] else None
                rows = read_rows(stream, layout.fields, delimiter=layout.delimiter, at=header.ends)
                taken = self._take(rows, path.stat().st_size, layout, clinic, options["source"], refused_path, imported)
        except (OSError, InputError) as error:
            raise CommandError(f"{path}: {error.message if isinstance(error, InputError) else error}") from error
        waiting = f", {taken['waits']} wait in quarantine" if imported else ""
        refused = taken["refused"]
        summary = (
            f"{sum(taken.values())} rows: {taken['stored']} recorded, {taken['known']} known already,"
            f" {refused} refused{waiting}"
        )
        self.stdout.write(f"{summary}; mend them in {refused_path}" if refused else summary)
        if refused:
            raise SystemExit(1)

    def _take(
        self,
        rows: Iterator[Row],
        size: int,
        layout: Layout,
        clinic: Clinic,
        source: str,
        refused_path: Path,
        imported: Import | None,
    ) -> Counter[str]:
        taken: Counter[str] = Counter()
        digest = Digest(run=f"import:{uuid.uuid4().hex}", started=timezone.now())
        keep = keeping(imported, timezone.now) if imported else nothing_more
        by = imported.uploaded_by if imported else None
        with contextlib.ExitStack() as open_files, tqdm(total=size, unit="B", unit_scale=True, leave=False) as bar:
            writer = None
            for answer in take_rows(
                _measured(rows, bar),
                clinic=clinic,
                source=source,
                layout=layout,
                by=by,
                clock=timezone.now,
                keep=keep,
                digest=digest,
            ):
                outcome = "refused" if answer.outcome == "waits" and imported is None else answer.outcome
                taken[outcome] += 1
                if outcome != "refused":
                    continue
                if writer is None:
                    target = open_files.enter_context(refused_path.open("w", encoding="utf-8", newline=""))
                    writer = _refusal_writer(target, layout.fields)
                writer.writerow(_refused(answer))
                tqdm.write(f"row {answer.row.number}: {answer.field}: {answer.message}")
        if imported:
            # Only now, so that no worker goes on with what this command is taking.
            confirm_import(imported=imported, by=imported.uploaded_by, now=timezone.now())
            finish(imported, now=timezone.now())
        digest.finish(now=timezone.now())
        return taken

    def _kept(
        self, path: Path, clinic: Clinic, layout: Layout, names: tuple[str, ...], options: dict[str, Any]
    ) -> Import:
        """The file as an import of the person who answers for the rows that name nobody."""
        owner = Staff.objects.filter(username=options["quarantine"]).first()
        if owner is None or not may(owner, "import_results", clinic.pk):
            raise CommandError(f"{options['quarantine']} is nobody who may import results at {clinic}")
        now = timezone.now()
        columns = {ours: name for ours, name in zip(layout.fields, names, strict=True) if ours in FIELDS}
        laboratory, _ = Laboratory.objects.get_or_create(
            clinic=clinic,
            source=options["source"],
            defaults={"name": options["source"], "columns": columns, "created_at": now},
        )
        return begin_import(laboratory=laboratory, file_name=path.name, content=path.read_bytes(), by=owner, now=now)

    def _clinic(self, slug: str | None) -> Clinic:
        clinics = Clinic.objects.filter(slug=slug) if slug else Clinic.objects.all()[:2]
        if len(clinics) != 1:
            known = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"name one clinic with --clinic; known: {known}")
        return clinics[0]


def _refused(answer: Answer) -> dict[str, str]:
    row = answer.row.fields | {"refused_field": answer.field, "refused_because": answer.message}
    return {name: safe(value) for name, value in row.items()}


def _refusal_writer(target: IO[str], columns: tuple[str, ...]) -> "csv.DictWriter[str]":
    own = [name for name in columns if name not in REFUSAL_COLUMNS]
    writer = csv.DictWriter(target, [*own, *REFUSAL_COLUMNS], extrasaction="ignore")
    writer.writeheader()
    return writer


def _measured(rows: Iterator[Row], bar: "tqdm[Any]") -> Iterator[Row]:
    """The bar follows the rows themselves: iterating a file hides its position."""
    for row in rows:
        bar.update(row.ends - bar.n)
        yield row
