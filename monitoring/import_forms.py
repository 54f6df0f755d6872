"""What the import pages may be told."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.text import slugify

from monitoring.feeds.csv import ENCODINGS, Header
from monitoring.feeds.imports import LARGEST
from monitoring.feeds.layout import DATES, FIELDS, check_columns, dates_guessed, guessed, means
from monitoring.models import Laboratory
from monitoring.rules.units import UNITS_ACCEPTED
from patients.models import Clinic

OUR_OWN_SOURCES = ("manual", "take-over")
NOT_HERE = ("", "not in this file")
ALWAYS_FINAL = ("=final", "no such column: this laboratory sends final results only")
COUNTS = ("anc", "wbc", "neutrophils_percent", "segs_percent", "bands_percent")


class UploadForm(forms.Form):
    """A laboratory's file, and whose it is."""

    file = forms.FileField(
        label="The laboratory's CSV file",
        help_text="Drop it here or choose it. At most 10 MB (about 100,000 rows). Nothing is recorded yet.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv", "class": "drop"}),
        error_messages={
            "required": "Choose the file that the laboratory sent.",
            "empty": "The file is empty; export the results with their header line.",
        },
    )
    laboratory = forms.ChoiceField(label="Laboratory", required=False)
    new_name = forms.CharField(
        label="Name of a new laboratory", required=False, max_length=80, help_text="Only if it is not in the list."
    )
    clinic = forms.ChoiceField(label="Clinic of the new laboratory", required=False)

    def __init__(self, *args: Any, clinics: Sequence[Clinic], known: "QuerySet[Laboratory]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinics = {str(clinic.pk): clinic for clinic in clinics}
        self.known = {str(laboratory.pk): laboratory for laboratory in known}
        several = len(self.clinics) > 1
        names = [(pk, f"{lab.name}, {lab.clinic.name}" if several else lab.name) for pk, lab in self.known.items()]
        self.fields["laboratory"].choices = [("", "a new one: name it"), *names]  # type: ignore[attr-defined]  # a ChoiceField, see above
        if several:
            chosen = [("", "Choose…"), *((pk, clinic.name) for pk, clinic in self.clinics.items())]
            self.fields["clinic"].choices = chosen  # type: ignore[attr-defined]  # a ChoiceField, see above
        else:
            del self.fields["clinic"]

    def clean_file(self) -> UploadedFile:
        """A file that is not too large."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(
                f"The file has {(file.size or 0) / 2**20:.1f} MB and at most 10 MB are taken; export a shorter period."
            )
        return file

    def clean(self) -> dict[str, Any]:
        """A known laboratory, or the name of a new one and its clinic."""
        given = super().clean() or {}
        name = given.get("new_name", "")
        if given.get("laboratory") and name:
            self.add_error("new_name", "Choose a laboratory or name a new one, not both.")
        elif not given.get("laboratory") and not name:
            self.add_error("laboratory", "Choose the laboratory that sent the file, or name a new one.")
        elif name:
            self._check_new(name, given)
        return given

    def _check_new(self, name: str, given: dict[str, Any]) -> None:
        clinic = self.new_clinic(given)
        source = slugify(name)[:40]
        if clinic is None:
            self.add_error("clinic", "Choose the clinic whose patients the laboratory tests.")
        elif not source or source in OUR_OWN_SOURCES:
            self.add_error("new_name", f"{name} cannot be a laboratory's name here; write the name on its reports.")
        elif any(lab.source == source and lab.clinic_id == clinic.pk for lab in self.known.values()):
            self.add_error("new_name", f"{name} is known already; choose it in the list.")

    def new_clinic(self, given: dict[str, Any]) -> Clinic | None:
        """Where a new laboratory belongs: the only clinic, or the chosen one."""
        if len(self.clinics) == 1:
            return next(iter(self.clinics.values()))
        return self.clinics.get(given.get("clinic", ""))


class ColumnsForm(forms.Form):
    """Which column of a laboratory's file is which; asked once."""

    def __init__(
        self,
        *args: Any,
        laboratory: Laboratory,
        header: Header,
        lines: Sequence[Sequence[str]],
        letters: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        found, unit = guessed(header)
        known = laboratory.columns or found
        headers = [(name, name) for name in header.names if name]
        for ours, label in FIELDS.items():
            choices = [NOT_HERE, *headers, *([ALWAYS_FINAL] if ours == "status" else [])]
            start = known.get(ours, "")
            self.fields[ours] = forms.ChoiceField(label=label, choices=choices, required=False, initial=start)
            if ours == "unit":
                self.fields["always_unit"] = forms.ChoiceField(
                    label="Unit, if no column holds it",
                    choices=[("", "Choose…"), *((one, one) for one in UNITS_ACCEPTED)],
                    required=False,
                    initial=laboratory.unit or unit,
                )
        self.fields["dates"] = forms.ChoiceField(
            label="How dates are written",
            choices=[("", "Choose…"), *DATES.items()],
            initial=known.get("=dates") or _dates(header, lines, known.get("date_of_birth", "")),
            error_messages={"required": "Say in which order the laboratory writes day, month and year."},
        )
        if letters:
            self.fields["encoding"] = forms.ChoiceField(
                label="Letters", choices=[("", "Choose…"), *ENCODINGS.items()], initial=known.get("=encoding", ""),
                error_messages={"required": "Say in which letters the laboratory writes."},
            )  # fmt: skip
        self.fields["sure"] = forms.BooleanField(
            label="I have looked at the laboratory's report: each column is what I chose", required=False
        )

    def columns(self) -> dict[str, str]:
        """The map as it is remembered."""
        given = self.cleaned_data
        chosen = {ours: given[ours] for ours in FIELDS if given.get(ours)}
        chosen["=dates"] = given.get("dates", "ymd")
        return chosen | ({"=encoding": given["encoding"]} if given.get("encoding") else {})

    def clean(self) -> dict[str, Any]:
        """Everything that a row needs is named, and no count is taken from a column with another count's name."""
        given = super().clean() or {}
        for name, message in check_columns(self.columns(), given.get("always_unit", "")).items():
            self.add_error(name if name in self.fields else None, message)
        for ours in COUNTS:
            other = means(given.get(ours, ""))
            if other and other != ours and not given.get("sure"):
                self.add_error(ours, f"{given[ours]} reads like {FIELDS[other]}, not like {FIELDS[ours]}. Look again.")
        return given


def _dates(header: Header, lines: Sequence[Sequence[str]], name: str) -> str:
    """The order of the dates of birth in the first rows."""
    if name not in header.names:
        return ""
    place = header.names.index(name)
    return dates_guessed(line[place] for line in lines)


class ReasonForm(forms.Form):
    """Why a person decided so."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why, for whoever reads this later."},
    )


class MatchForm(ReasonForm):
    """Whose result a waiting row is."""

    sure = forms.BooleanField(
        label="I have asked the laboratory or seen its report: the result is this patient's", required=False
    )

    def __init__(self, *args: Any, disagrees: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "How do you know whose it is?"
        self.fields["reason"].widget.attrs["id"] = "match_reason"
        if disagrees:
            self.fields["sure"].required = True
            self.fields["sure"].error_messages["required"] = (
                "The row and the record disagree. Tick this only when you know; otherwise refuse the row."
            )
        else:
            del self.fields["sure"]
