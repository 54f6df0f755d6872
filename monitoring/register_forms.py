"""What the pages for new patients may be told."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from monitoring.actions.registering import Person
from monitoring.actions.taking_over import Told, count_told
from monitoring.feeds.people import FIELDS, guessed
from monitoring.models import Treatment
from monitoring.rules.errors import InputError
from monitoring.rules.units import UNITS_ACCEPTED, read_count
from patients.models import Clinic, Membership, Role

DAY = {"type": "date"}
NUMBER = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}
PLAIN = {"autocomplete": "off", "spellcheck": "false"}
COUNTS = 6
PAUSES = 3


class DayField(forms.DateField):
    """A day of the calendar."""

    def __init__(self, **kwargs: Any) -> None:
        given: dict[str, Any] = {"input_formats": ["%Y-%m-%d"]} | kwargs
        given["widget"] = forms.DateInput(attrs=DAY, format="%Y-%m-%d")
        super().__init__(**given)
        self.error_messages["invalid"] = "This is not a date; write it as 1980-05-17."


class ClinicForm(forms.Form):
    """Something for one of a person's clinics; not asked when there is only one."""

    clinic = forms.ChoiceField(label="Clinic", error_messages={"required": "Choose the clinic."})

    def __init__(self, *args: Any, clinics: Sequence[Clinic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinics = {str(clinic.pk): clinic for clinic in clinics}
        if len(self.clinics) == 1:
            del self.fields["clinic"]
        else:
            names = [("", "Choose…"), *((pk, clinic.name) for pk, clinic in self.clinics.items())]
            self.fields["clinic"].choices = names  # type: ignore[attr-defined]  # a ChoiceField, see above

    @property
    def at(self) -> Clinic:
        """The only clinic, or the chosen one; of a valid form."""
        return self.clinics[self.cleaned_data.get("clinic") or next(iter(self.clinics))]


class RegisterForm(ClinicForm):
    """One new patient."""

    family_name = forms.CharField(label="Family name", max_length=80, widget=forms.TextInput(PLAIN))
    given_name = forms.CharField(label="Given name", max_length=80, widget=forms.TextInput(PLAIN))
    date_of_birth = DayField(label="Date of birth")
    mrn = forms.CharField(
        label="MRN", max_length=40, widget=forms.TextInput(PLAIN), help_text="The number on the laboratory's reports."
    )
    clinician = forms.ChoiceField(label="Prescriber who owns the alerts", required=False)
    running = forms.ChoiceField(
        label="Clozapine",
        choices=[("", "Choose…"), ("no", "not started yet"), ("yes", "already taken: tell its history next")],
        error_messages={"required": "Say whether clozapine is taken already."},
    )
    another = forms.BooleanField(label="It is another person with the same name and date of birth", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = Membership.objects.filter(clinic__in=list(self.clinics), role=Role.PRESCRIBER, active=True)
        self.prescribers = {str(row.staff_id): row for row in there.select_related("staff", "clinic")}
        several = len(self.clinics) > 1
        shown = {
            pk: f"{row.staff}, {row.clinic}" if several else f"{row.staff}" for pk, row in self.prescribers.items()
        }
        self.fields["clinician"].choices = [("", "nobody yet: the on-call address"), *shown.items()]  # type: ignore[attr-defined]  # a ChoiceField, see above

    def clean(self) -> dict[str, Any]:
        """The prescriber works at the clinic."""
        given = super().clean() or {}
        chosen = self.prescribers.get(given.get("clinician", ""))
        if chosen and not self.errors and chosen.clinic_id != self.at.pk:
            self.add_error("clinician", f"{chosen.staff} is a prescriber of {chosen.clinic}; choose one of {self.at}.")
        return given

    def person(self) -> Person:
        """Who is to be registered."""
        given = self.cleaned_data
        return Person(**{name: given[name] for name in ("mrn", "family_name", "given_name", "date_of_birth")})


class PeopleFileForm(ClinicForm):
    """A file of new patients."""

    file = forms.FileField(
        label="CSV file of patients",
        error_messages={"required": "Choose the file with the patients.", "empty": "The file is empty."},
        help_text="One patient a line, with MRN, family name, given name and date of birth. At most 2,000 lines.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv", "class": "drop"}),
    )


class PeopleForm(PeopleFileForm):
    """The lines as text, which column is which, and what a person says of each doubtful line."""

    lines = forms.CharField(
        label="Lines", strip=False, widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "wrap": "off"})
    )

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["file"]
        found = guessed(names)
        choices = [("", "not in this file"), *((name, name) for name in names if name)]
        for ours, label in FIELDS.items():
            self.fields[ours] = forms.ChoiceField(
                label=label, choices=choices, initial=found.get(ours, ""),
                error_messages={"required": f"Say which column holds the {label.lower()}."},
            )  # fmt: skip


class CountForm(forms.Form):
    """One earlier count."""

    drawn_on = DayField(label="Drawn on", required=False)
    anc = forms.CharField(label="ANC", required=False, max_length=24, widget=forms.TextInput(NUMBER))

    def clean(self) -> dict[str, Any]:
        """Both or neither."""
        given = super().clean() or {}
        if bool(given.get("drawn_on")) != bool(given.get("anc")) and not self.errors:
            missing = "anc" if given.get("drawn_on") else "drawn_on"
            self.add_error(missing, "A count needs its day and its number; empty both to leave it out.")
        return given


class PauseForm(forms.Form):
    """One pause."""

    last_dose = DayField(label="Last dose before it", required=False)
    restart = DayField(label="First dose after it", required=False)

    def clean(self) -> dict[str, Any]:
        """No end without a beginning."""
        given = super().clean() or {}
        if given.get("restart") and not given.get("last_dose") and not self.errors:
            self.add_error("last_dose", "Give the last dose before the pause too.")
        return given


CountForms = forms.formset_factory(CountForm, extra=COUNTS, max_num=COUNTS)
PauseForms = forms.formset_factory(PauseForm, extra=PAUSES, max_num=PAUSES)


class TakeOverForm(forms.Form):
    """A running treatment as it is told. Unknown is said, never left open."""

    told_by = forms.CharField(label="Told by", max_length=300, help_text="A letter, a clinic, the patient.")
    first_dose_on = DayField(label="First dose ever, or since the last break of 30 days or more", required=False)
    first_dose_unknown = forms.BooleanField(label="Unknown", required=False)
    unit = forms.ChoiceField(label="Unit of all counts here", choices=[(unit, unit) for unit in UNITS_ACCEPTED])
    lowest = forms.CharField(label="Lowest ANC ever", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    lowest_on = DayField(label="When that was", required=False, help_text="Empty when the day is unknown.")
    lowest_unknown = forms.BooleanField(label="Unknown", required=False)
    daily_mg = forms.DecimalField(
        label="Daily dose now, mg", required=False, min_value=Decimal(0), max_value=Decimal(2000), decimal_places=1,
        widget=forms.TextInput(NUMBER), help_text="Empty when unknown.",
    )  # fmt: skip
    dose_since = DayField(label="Dose unchanged since", required=False)
    confirmed = forms.BooleanField(
        label="I have looked at the letter again and the numbers and their unit are right", required=False
    )

    may_confirm = False
    """Whether a number was refused as one that nobody has, so that a person may say that it is right."""

    def __init__(self, *args: Any, treatment: Treatment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.treatment = treatment
        self.fields["unit"].initial = treatment.clinic.count_unit
        sent = self.data if self.is_bound else None
        self.counts = CountForms(sent, prefix="counts")
        self.pauses = PauseForms(sent, prefix="pauses")
        for rows in (self.counts, self.pauses):
            for number, row in enumerate(rows, start=1):
                for field in row.fields.values():
                    field.label = f"{number}. {field.label}"

    def is_valid(self) -> bool:
        """The form and its rows."""
        return all([super().is_valid(), self.counts.is_valid(), self.pauses.is_valid()])

    @property
    def wrong(self) -> bool:
        """Whether anything has to be mended, in the form or in its rows."""
        return bool(self.errors or self.counts.total_error_count() or self.pauses.total_error_count())

    def clean(self) -> dict[str, Any]:
        """Each fact is known or said to be unknown."""
        given = super().clean() or {}
        for known, unknown in (("first_dose_on", "first_dose_unknown"), ("lowest", "lowest_unknown")):
            if known in self.errors:
                continue
            if bool(given.get(known)) == bool(given.get(unknown)):
                both = "Give it, or tick that it is unknown" + (", not both." if given.get(known) else ".")
                self.add_error(known, both)
        return given

    def told(self) -> Told:
        """What is told, of a valid form. Raises InputError naming the field."""
        given = self.cleaned_data
        lowest = self._lowest(given["lowest"]) if given["lowest"] else None
        return Told(
            told_by=given["told_by"],
            first_dose_on=given["first_dose_on"],
            lowest_anc=lowest,
            lowest_on=given["lowest_on"] if lowest is not None else None,
            counts=tuple(self._counts()),
            daily_mg=given["daily_mg"],
            dose_since=given["dose_since"],
            pauses=tuple(self._pauses()),
        )

    def _lowest(self, written: str) -> Decimal:
        try:
            read = read_count(anc=written, unit=self.cleaned_data["unit"], confirmed=self.cleaned_data["confirmed"])
        except InputError as error:
            raise type(error)("lowest", error.message) from error
        if read.anc is None or read.anc_bound:
            raise InputError("lowest", f"{written} is no plain number; write the number alone")
        return read.anc

    def _counts(self) -> list[Any]:
        rows = [row.cleaned_data for row in self.counts if row.cleaned_data.get("anc")]
        return [
            count_told(
                treatment=self.treatment, drawn_on=row["drawn_on"], anc=row["anc"], unit=self.cleaned_data["unit"],
                told_by=self.cleaned_data["told_by"], confirmed=self.cleaned_data["confirmed"],
            )
            for row in rows
        ]  # fmt: skip

    def _pauses(self) -> list[tuple[date, date | None]]:
        rows = [row.cleaned_data for row in self.pauses if row.cleaned_data.get("last_dose")]
        return [(row["last_dose"], row.get("restart")) for row in rows]
