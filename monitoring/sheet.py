"""A row of the sheet on which results are typed: its fields, and how a page's fields become rows."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone

from monitoring.actions.drafting import MOST_ROWS, TypedRow
from monitoring.actions.guarding import MANUAL, accession_of
from monitoring.actions.record_result import COUNT_FIELDS, Report
from monitoring.forms import NEVER_KEPT, NUMBER, AnswersForm
from patients.models import Clinic

JUDGED = ("who", "drawn_on", "drawn_time", "supported", *(name for name in COUNT_FIELDS if name != "unit"))
"""What a judgement depends on: when one of these changes, the row is shown again before it is saved."""
TYPED = tuple(name for name in JUDGED if name not in ("drawn_on", "drawn_time"))
LONGEST = 500
PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_NAME = re.compile(r"(\d{1,4})-([a-z_]+)")


def clock_time(written: str) -> time:
    """8, 830, 0830, 8:30 and 8.30 are times. Raises ValidationError for what is none."""
    match = re.fullmatch(r"(\d{1,2})(?:[:.h]?(\d{2}))?", written.strip(), re.ASCII)
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 0)
    if hour > 23 or minute > 59:
        raise ValidationError(f"{written!r} is not a time of day; write it as 830 or 8:30")
    return time(hour, minute)


class RowForm(AnswersForm):
    """One row. The unit is the clinic's own and is not typed; the patient is named by MRN."""

    entry = forms.RegexField(r"^[0-9a-f-]{36}$", widget=forms.HiddenInput)
    shown = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    who = forms.CharField(
        label="Patient",
        max_length=80,
        widget=forms.TextInput(PLAIN),
        error_messages={"required": "Whose result is it?"},
    )
    drawn_on = forms.DateField(label="Drawn on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    drawn_time = forms.CharField(
        label="at",
        max_length=5,
        widget=forms.TextInput(PLAIN | {"inputmode": "numeric", "placeholder": "830"}),
        error_messages={"required": "When was the blood drawn? Write 830 for 8:30."},
    )
    anc = forms.CharField(label="ANC", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    wbc = forms.CharField(label="WBC", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    neutrophils_percent = forms.CharField(
        label="Neutrophils %", required=False, max_length=12, widget=forms.TextInput(NUMBER)
    )
    segs_percent = forms.CharField(label="Segmented %", required=False, max_length=12, widget=forms.TextInput(NUMBER))
    bands_percent = forms.CharField(label="Bands %", required=False, max_length=12, widget=forms.TextInput(NUMBER))
    supported = forms.BooleanField(label="Taken under G-CSF or lithium", required=False)

    def clean(self) -> dict[str, Any]:
        """The draw as one instant of the clinic's zone; a local time that never was, or was twice, is refused."""
        cleaned = super().clean() or {}
        if cleaned.get("drawn_on") and cleaned.get("drawn_time"):
            try:
                local = datetime.combine(cleaned["drawn_on"], clock_time(cleaned["drawn_time"]))
                cleaned["drawn_at"] = from_current_timezone(local)
            except ValidationError as error:
                self.add_error("drawn_time", error)
        return cleaned

    def report(self, clinic: Clinic) -> Report:
        """The result as it is recorded. The entry's own key makes a second submit the same result."""
        given = self.cleaned_data
        return Report(
            source=MANUAL,
            accession=accession_of(given["entry"]),
            drawn_at=given["drawn_at"],
            count={name: given.get(name) or None for name in COUNT_FIELDS} | {"unit": clinic.count_unit},
            supported=given["supported"],
            confirmed=self.is_confirmed,
            answers=self.answers(),
        )


def row_form(number: int, typed: TypedRow, colleagues: Sequence[tuple[int, str]] = ()) -> RowForm:
    """The row's form with what was typed in it."""
    fields = {f"{number}-{name}": value for name, value in typed.items()}
    return RowForm(fields, prefix=str(number), colleagues=colleagues)


def empty_form(number: int, **initial: object) -> RowForm:
    """A row in which nothing has been typed, with a key of its own."""
    return RowForm(prefix=str(number), initial={"entry": str(uuid4())} | initial)


def read_rows(posted: Mapping[str, str]) -> dict[int, TypedRow]:
    """The rows of a page in their order: the text of each field, as it was typed."""
    rows: dict[int, TypedRow] = {}
    for name, value in posted.items():
        if (match := _NAME.fullmatch(name)) and match[2] in RowForm.base_fields:
            rows.setdefault(int(match[1]), {})[match[2]] = str(value)[:LONGEST]
    return dict(sorted(rows.items())[:MOST_ROWS])


def is_typed(row: TypedRow) -> bool:
    """Whether anybody has typed anything of a result here; a date alone is none."""
    return any(row.get(name, "").strip() for name in TYPED)


def without_secrets(row: TypedRow) -> TypedRow:
    """What of a row may be kept until it is saved: no password."""
    return {name: value for name, value in row.items() if name not in NEVER_KEPT}


def carried_down(rows: Mapping[int, TypedRow]) -> dict[int, TypedRow]:
    """The rows in which something was typed; date and time come from the row above where they are left empty."""
    carried: dict[int, TypedRow] = {}
    above: TypedRow = {}
    for number, row in rows.items():
        dates = {name: row.get(name) or above.get(name, "") for name in ("drawn_on", "drawn_time")}
        above = dates
        if is_typed(row):
            carried[number] = row | dates
    return carried


def fingerprint(typed: TypedRow, unit: str) -> str:
    """Tells whether a row, in the unit of the page, is still what was judged and shown."""
    said = [unit, *(typed.get(name, "").strip() for name in JUDGED)]
    return sha256("\x1f".join(said).encode()).hexdigest()
