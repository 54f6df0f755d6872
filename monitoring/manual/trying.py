"""Try it: a few typed counts as one line of the `assess` format. Nothing is stored, and nobody is named."""

import json
import re
from datetime import datetime
from typing import Any

from django import forms

from monitoring.rules.assess import assess
from monitoring.rules.errors import InputError
from monitoring.rules.judgement import Judgement
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.units import UNITS_ACCEPTED
from monitoring.rules.wire import read_history
from patients.models import Clinic

DAY = r"(\d{4}-\d{2}-\d{2})"
COUNT = re.compile(DAY + r"(?:[ T](\d{2}:\d{2}))?\s+([<>]?\s*[\d.,]+)", re.ASCII)
PAUSE = re.compile(DAY + r"(?:\s+to\s+" + DAY + r"|\s+(stop))?", re.ASCII)
LINES = forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"})
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class TryForm(forms.Form):
    """What the rules are asked. Times are those of the reader's clinic."""

    protocol = forms.ChoiceField(label="Protocol", choices=[(key, one.title) for key, one in PROTOCOLS.items()])
    population = forms.ChoiceField(
        label="Thresholds", choices=[("general", "General"), ("ben", "BEN (Duffy-null)")], initial="general"
    )
    baseline_anc = forms.CharField(
        label="Known baseline (BEN)", required=False, max_length=12, help_text="Per microlitre, such as 1180."
    )
    first_dose = forms.DateField(label="First dose", required=False, widget=DATE)
    unit = forms.ChoiceField(label="Unit of the counts", choices=[(unit, unit) for unit in UNITS_ACCEPTED])
    counts = forms.CharField(
        label="ANC counts",
        required=False,
        max_length=1500,
        widget=LINES,
        help_text="One a line: the day, the time if known, the count. 2026-09-14 09:30 1420",
    )
    pauses = forms.CharField(
        label="Pauses",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text="One a line: last dose to restart, or the last dose alone. 2026-08-01 to 2026-08-09. For good:"
        " 2026-08-01 stop",
    )
    as_of = forms.DateTimeField(label="Judged at", required=False, widget=MOMENT, help_text="Empty is now.")

    def __init__(self, asked: Any = None, *, clinic: Clinic, now: datetime) -> None:
        super().__init__(asked, initial={"unit": clinic.count_unit})
        self.zone, self.now = clinic.zone, now
        self.judgement: Judgement | None = None
        self.line = ""

    def clean_counts(self) -> list[dict[str, Any]]:
        """Each line as a count."""
        found = []
        for number, match in self._lines("counts", COUNT, "a day and a count; write 2026-09-14 1420"):
            at = match[1] if match[2] is None else self._moment(f"{match[1]}T{match[2]}", number)
            found.append({"kind": "count", "id": f"line {number}", "at": at, "anc": match[3]})
        return found

    def clean_pauses(self) -> list[dict[str, Any]]:
        """Each line as a last dose, and a restart where there was one."""
        found: list[dict[str, Any]] = []
        for _, match in self._lines("pauses", PAUSE, "a pause; write 2026-08-01 to 2026-08-09, or the first day alone"):
            found.append({"kind": "last_dose", "at": match[1], "stop": match[3] is not None})
            found += [{"kind": "restart", "at": match[2]}] if match[2] else []
        return found

    def _lines(self, field: str, pattern: re.Pattern[str], right: str) -> list[tuple[int, re.Match[str]]]:
        found = []
        for number, line in enumerate(self.cleaned_data[field].splitlines(), start=1):
            if not line.strip():
                continue
            match = pattern.fullmatch(line.strip())
            if match is None:
                raise forms.ValidationError(f"line {number}, {line.strip()[:40]!r}, is not {right}")
            found.append((number, match))
        return found

    def _moment(self, written: str, number: int) -> str:
        try:
            return datetime.fromisoformat(written).replace(tzinfo=self.zone).isoformat()
        except ValueError as error:
            raise forms.ValidationError(f"line {number}, {written!r}, is not a day and a time of day") from error

    def clean(self) -> dict[str, Any]:
        """Judge, where everything could be read; a refusal of the rules goes to the field that it names."""
        asked = super().clean() or {}
        if self.errors:
            return asked
        history = self._history(asked)
        self.line = json.dumps(history)
        try:
            question = read_history(json.loads(self.line))
            self.judgement = assess(question.history, question.protocol, question.as_of)
        except InputError as error:
            self.add_error(error.field if error.field in self.fields else "counts", error.message)
        return asked

    def _history(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The line that `manage.py assess` takes."""
        first = [{"kind": "first_dose", "at": asked["first_dose"].isoformat()}] if asked["first_dose"] else []
        counts = [count | {"unit": asked["unit"]} for count in asked["counts"]]
        as_of = (asked["as_of"] or self.now).astimezone(self.zone)
        return {
            "id": "try",
            "protocol": asked["protocol"],
            "as_of": as_of.isoformat(timespec="minutes"),
            "time_zone": self.zone.key,
            "population": asked["population"],
            "baseline_anc": asked["baseline_anc"] or None,
            "events": [*first, *counts, *asked["pauses"]],
        }
