"""Rows become results. The one place through which every row of every file goes."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from django.db import DataError, transaction

from monitoring.actions.gathering import Digest
from monitoring.actions.record_result import record_result
from monitoring.feeds.csv import Row
from monitoring.feeds.layout import Layout
from monitoring.feeds.matching import UnmatchedError, matched, normal, report_of, treatments_of_rows
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from patients.models import Actor, Clinic

BATCH = 500
Clock = Callable[[], datetime]
Outcome = Literal["stored", "known", "refused", "waits"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a row. A refused or waiting one says which field, what was wrong, what would be right."""

    row: Row
    outcome: Outcome
    field: str = ""
    message: str = ""
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    """The row in our own names and dates; only of one that waits."""


def nothing_more(answer: Answer) -> None:
    """Nothing else is written with the row."""


def take_rows(
    rows: Iterable[Row],
    *,
    clinic: Clinic,
    source: str,
    layout: Layout,
    by: Actor,
    clock: Clock,
    keep: Callable[[Answer], None] = nothing_more,
    digest: Digest | None = None,
) -> Iterator[Answer]:
    """Record the rows in order. `keep` writes in the same transaction as the row's result, or stops both by raising.

    With a digest whatever is not severe is told together.
    """
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        treatments = treatments_of_rows(clinic, batch)
        for row in batch:
            with transaction.atomic():
                answer = _taken(row, treatments, clinic, source, layout, by, clock(), digest)
                keep(answer)
            yield answer


def _taken(
    row: Row,
    treatments: dict[str, Treatment],
    clinic: Clinic,
    source: str,
    layout: Layout,
    by: Actor,
    now: datetime,
    digest: Digest | None,
) -> Answer:
    fields: dict[str, str] = {}
    try:
        fields = normal(row, layout, clinic.zone)
        report = report_of(fields, source)
        result = record_result(treatment=matched(fields, treatments), report=report, by=by, now=now, digest=digest)
    except UnmatchedError as error:
        return Answer(row, "waits", error.field, error.message, fields)
    except InputError as error:
        return Answer(row, "refused", error.field, error.message)
    except DataError:
        return Answer(row, "refused", "row", "the database cannot hold a text of this row; look for odd characters")
    return Answer(row, "stored" if result.just_stored else "known")
