"""One uploaded export from its bytes to its receipt. Whoever has a moment takes the next rows; each is taken once."""

import hashlib
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.expressions import RawSQL

from monitoring.actions.gathering import Digest
from monitoring.actions.nudge import ask
from monitoring.feeds.csv import Header, read_header, read_rows
from monitoring.feeds.layout import Layout, check_columns, remembered
from monitoring.feeds.quarantine import put_aside, waits_already
from monitoring.feeds.taking import Answer, Clock, take_rows
from monitoring.models import Import, Laboratory
from monitoring.rules.errors import InputError
from patients import audit
from patients.models import Staff

LARGEST = 10 * 2**20
PIECE = 1 << 17
ROWS_A_TURN = 300
SECONDS_A_TURN = 2.0
COUNTERS = {"stored": "stored", "known": "known", "refused": "refused", "waits": "quarantined"}
TASK = "monitoring.tasks.take_import"


class OvertakenError(Exception):
    """Somebody else has taken this row, or stopped the import; nothing of ours was kept."""


class ReadOtherwiseError(InputError):
    """The laboratory's columns, dates, letters or unit are others now than in the preview that was confirmed."""

    def __init__(self) -> None:
        super().__init__("file", "the laboratory's columns, dates or unit were changed after this preview; look again")


class StoredBytes(io.RawIOBase):
    """An import's file, read piece by piece from its row, so that its size costs no memory."""

    def __init__(self, import_id: int) -> None:
        super().__init__()
        self.import_id, self.at = import_id, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on from this byte of the file. Raises ValueError for places counted from elsewhere."""
        if whence != io.SEEK_SET:
            raise ValueError("places are counted from the beginning")
        self.at = offset
        return self.at

    def tell(self) -> int:
        """The byte at which reading goes on."""
        return self.at

    def readinto(self, buffer: Any) -> int:
        """The next piece."""
        piece = RawSQL("substring(content from %s for %s)", [self.at + 1, len(buffer)])
        content = bytes(Import.objects.filter(pk=self.import_id).values_list(piece, flat=True).get())
        buffer[: len(content)] = content
        self.at += len(content)
        return len(content)


def reading(imported: Import) -> io.BufferedReader:
    """The file as a stream."""
    return io.BufferedReader(StoredBytes(imported.pk), PIECE)


@transaction.atomic
def begin_import(
    *, laboratory: Laboratory, file_name: str, content: bytes, by: Staff, now: datetime, ip: str | None = None
) -> Import:
    """Keep an uploaded file, and its laboratory if that is new; nothing is recorded yet.

    Raises InputError when it is no CSV export.
    """
    if len(content) > LARGEST:
        raise InputError(
            "file", f"the file has {len(content) / 2**20:.1f} MB and at most 10 MB are taken; export a shorter period"
        )
    read_header(io.BytesIO(content), "cp1252")
    if laboratory.pk is None:
        laboratory.save()
        subject = f"laboratory:{laboratory.pk}"
        audit.record("laboratory_added", by=by, now=now, clinic_id=laboratory.clinic_id, subject=subject, ip=ip)
    imported = Import.objects.create(
        laboratory=laboratory,
        clinic_id=laboratory.clinic_id,
        file_name=file_name[-200:],
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        rows=content.rstrip().count(b"\n"),
        uploaded_at=now,
        uploaded_by=by,
    )
    _audit("import_uploaded", imported, by, now, ip)
    return imported


def first_line_not_utf8(imported: Import) -> int | None:
    """The number of the first line that is not UTF-8; None when all are."""
    for number, line in enumerate(reading(imported), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return None


def header_of(imported: Import) -> Header:
    """The names in the file's first line."""
    return read_header(reading(imported), "cp1252")


def layout_of(imported: Import) -> tuple[Header, Layout]:
    """How this file is read. Raises InputError when its columns have to be named first."""
    header = header_of(imported)
    return header, remembered(imported.laboratory, header)


def reading_mark(laboratory: Laboratory) -> str:
    """Tells whether a laboratory's files are still read as they were in a preview."""
    said = repr((sorted(laboratory.columns.items()), laboratory.unit))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@transaction.atomic
def remember_columns(
    *, laboratory: Laboratory, columns: dict[str, str], unit: str, by: Staff, now: datetime, ip: str | None = None
) -> None:
    """Which column is which, from now on. Raises InputError while rows of this laboratory are being taken."""
    if wrong := check_columns(columns, unit):
        raise InputError(*next(iter(wrong.items())))
    Laboratory.objects.select_for_update().get(pk=laboratory.pk)
    if laboratory.is_under_way:
        raise InputError("file", "an import of this laboratory is under way; its columns can be changed after it")
    laboratory.columns, laboratory.unit = columns, unit
    laboratory.save(update_fields=["columns", "unit"])
    audit.record(
        "laboratory_columns_set", by=by, now=now, clinic_id=laboratory.clinic_id,
        subject=f"laboratory:{laboratory.pk}", ip=ip, columns=columns, unit=unit,
    )  # fmt: skip


@transaction.atomic
def confirm_import(
    *, imported: Import, by: Staff, now: datetime, seen: str | None = None, ip: str | None = None
) -> None:
    """From now on its rows are taken. Raises InputError when its columns are not named.

    `seen`: the mark of the preview that was confirmed. Raises ReadOtherwiseError when the file is read otherwise now.
    """
    imported.laboratory = Laboratory.objects.select_for_update().get(pk=imported.laboratory_id)
    layout_of(imported)
    waiting = Import.objects.filter(pk=imported.pk, confirmed_at=None, cancelled_at=None)
    if seen is not None and seen != reading_mark(imported.laboratory) and waiting.exists():
        raise ReadOtherwiseError
    if waiting.update(confirmed_at=now):
        _audit("import_confirmed", imported, by, now, ip)
        imported.confirmed_at = now


def ask_worker(imported: Import) -> None:
    """A hint that rows wait to be taken; without any worker the page takes them itself."""
    ask(TASK, imported.pk, expires=60)


@transaction.atomic
def cancel_import(*, imported: Import, by: Staff, now: datetime, ip: str | None = None) -> bool:
    """Take no further row; what was taken stays. False when it had ended already."""
    still = Import.objects.filter(pk=imported.pk, finished_at=None, cancelled_at=None)
    if not still.update(cancelled_at=now):
        return False
    _audit("import_cancelled", imported, by, now, ip)
    return True


def go_on(import_id: int, *, clock: Clock, seconds: float = SECONDS_A_TURN, most: int = ROWS_A_TURN) -> Import:
    """Take the next rows, for so long or so many. Two at once do no harm: a row is kept by one of them."""
    imported = Import.objects.defer("content").select_related("laboratory", "clinic", "uploaded_by").get(pk=import_id)
    if imported.confirmed_at is None or imported.finished_at or imported.cancelled_at:
        return imported
    header, layout = layout_of(imported)
    stream, at = reading(imported), max(imported.read_bytes, header.ends)
    stream.seek(at)
    rows = read_rows(
        stream, layout.fields, delimiter=layout.delimiter, encoding=layout.encoding, at=at, line=imported.read_rows + 2
    )  # fmt: skip
    # Every turn of an import writes into the same messages; they go out at its end, or after five minutes.
    digest = Digest(run=f"import:{imported.pk}", started=imported.confirmed_at)
    taken, until = 0, clock() + timedelta(seconds=seconds)
    answers = take_rows(
        islice(rows, most), clinic=imported.clinic, source=imported.laboratory.source, layout=layout,
        by=imported.uploaded_by, clock=clock, keep=keeping(imported, clock), digest=digest,
    )  # fmt: skip
    try:
        for _ in answers:
            taken += 1
            if clock() >= until:
                return imported
    except OvertakenError:
        return imported
    if taken < most:
        finish(imported, now=clock())
        digest.finish(now=clock())
    return imported


def keeping(imported: Import, clock: Clock) -> Callable[[Answer], None]:
    """What is written in a row's own transaction: how far the import is, and the row itself if it was not taken."""

    def keep(answer: Answer) -> None:
        now, outcome = clock(), answer.outcome
        if outcome == "waits" and waits_already(imported, answer.fields):
            outcome = "known"
        counter = COUNTERS[outcome]
        reached = {"read_rows": answer.row.number - 1, "read_bytes": answer.row.ends}
        ours = Import.objects.filter(
            pk=imported.pk, read_bytes=imported.read_bytes, finished_at=None, cancelled_at=None
        )
        if not ours.update(**reached, **{counter: F(counter) + 1}):
            raise OvertakenError
        if outcome in ("waits", "refused"):
            put_aside(imported, answer, now=now)
        imported.read_rows, imported.read_bytes = reached["read_rows"], reached["read_bytes"]

    return keep


@transaction.atomic
def finish(imported: Import, *, now: datetime) -> None:
    """Every row was read."""
    unfinished = Import.objects.filter(
        pk=imported.pk, read_bytes=imported.read_bytes, finished_at=None, cancelled_at=None
    )
    if unfinished.update(finished_at=now, read_rows=F("rows")):
        imported.refresh_from_db(fields=["finished_at", "read_rows", "stored", "known", "refused", "quarantined"])
        counts = {name: getattr(imported, name) for name in COUNTERS.values()}
        _audit("import_finished", imported, imported.uploaded_by, now, None, **counts)


def unfinished_imports() -> list[int]:
    """Those whose rows somebody should go on taking."""
    left = Import.objects.exclude(confirmed_at=None).filter(finished_at=None, cancelled_at=None)
    return list(left.order_by("pk").values_list("pk", flat=True)[:20])


def _audit(verb: str, imported: Import, by: Staff, now: datetime, ip: str | None, **detail: int) -> None:
    audit.record(
        verb, by=by, now=now, clinic_id=imported.clinic_id, subject=f"import:{imported.pk}", ip=ip,
        sha256=imported.sha256, rows=imported.rows, **detail,
    )  # fmt: skip
