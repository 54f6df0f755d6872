"""What a page may be told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms

from monitoring.actions.guarding import MANUAL, accession_of
from monitoring.actions.record_result import COUNT_FIELDS, Report
from monitoring.models import Outcome
from monitoring.rules.errors import ImplausibleError, InputError
from monitoring.rules.slips import Answers
from patients.models import Clinic

Colleagues = Iterable[tuple[int, str]]
LONGEST_PASSWORD = 200
NEVER_KEPT = ("second_password",)
"""What goes into no draft and back onto no page."""
NUMBER = {"inputmode": "decimal", "autocomplete": "off", "spellcheck": "false"}


class AnswersForm(forms.Form):
    """The answers to what a typed result is asked about; shown only where something is asked."""

    asked = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)
    again = forms.CharField(label="The number again", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    document = forms.CharField(label="Number of the laboratory's report", required=False, max_length=80)
    second = forms.TypedChoiceField(
        label="or a second person who has read it", required=False, coerce=int, empty_value=None
    )
    second_password = forms.CharField(
        label="Their own password, typed by themselves",
        required=False,
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(label="Reason", required=False, max_length=500)
    sure = forms.BooleanField(label="I have looked at the report again, and it is so", required=False)

    confirmed = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    """The numbers that a person has looked at again; a tick for one number is none for another."""

    may_confirm = False
    """Whether what is typed was refused as a number that nobody has, so that a person may say that it is right."""
    second_signed = False
    """Whether the second person's password was right; a page sets it, see monitoring.views.second."""
    second_refusal = ""

    def __init__(self, *args: Any, colleagues: Colleagues = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.fields["second"]
        if isinstance(choices, forms.ChoiceField):
            choices.choices = [("", "Nobody"), *colleagues]

    @property
    def numbers(self) -> str:
        """What is typed now, as `confirmed` names it."""
        return " ".join(str(self[name].data or "").strip() or "-" for name in COUNT_FIELDS if name != "unit")

    @property
    def is_confirmed(self) -> bool:
        """A person has looked at these very numbers again."""
        return self.is_bound and self.cleaned_data.get("confirmed") == self.numbers

    def refuse(self, error: InputError) -> None:
        """Say what was wrong at its field; a number that nobody has may be confirmed then, and no other."""
        self.may_confirm = isinstance(error, ImplausibleError)
        said = error.message[:1].upper() + error.message[1:]
        self.add_error(error.field if error.field in self.fields else None, said)

    def answers(self) -> Answers:
        """As the action takes them."""
        given = self.cleaned_data
        return Answers(
            confirmed=tuple(given["asked"].split(",")),
            again=given["again"],
            document=given["document"],
            second=given["second"] if self.second_signed else None,
            reason=given["reason"],
            sure=given["sure"],
        )


class ResultForm(AnswersForm):
    """One blood count typed by a person. The unit is the clinic's own and is not typed."""

    drawn_at = forms.DateTimeField(
        label="Blood drawn at",
        help_text="Local time of the clinic.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    anc = forms.CharField(label="ANC", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    wbc = forms.CharField(label="White cells (WBC)", required=False, max_length=24, widget=forms.TextInput(NUMBER))
    neutrophils_percent = forms.CharField(
        label="Neutrophils %", required=False, max_length=12, widget=forms.TextInput(NUMBER)
    )
    segs_percent = forms.CharField(label="Segmented %", required=False, max_length=12, widget=forms.TextInput(NUMBER))
    bands_percent = forms.CharField(label="Bands %", required=False, max_length=12, widget=forms.TextInput(NUMBER))
    supported = forms.BooleanField(label="Taken under G-CSF or lithium", required=False)
    entry = forms.RegexField(r"^[0-9a-f-]{36}$", widget=forms.HiddenInput)
    shown_unit = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        self.fields["shown_unit"].initial = clinic.count_unit

    def clean(self) -> dict[str, Any]:
        """A number typed under one unit is never read in another."""
        cleaned = super().clean() or self.cleaned_data
        shown = cleaned.get("shown_unit") or self.clinic.count_unit
        if shown != self.clinic.count_unit:
            self.data = dict(self.data.items()) | {"shown_unit": self.clinic.count_unit}
            self.add_error(
                "anc",
                f"The clinic's unit was changed from {shown} to {self.clinic.count_unit}; look at the number again.",
            )
        return cleaned

    def report(self) -> Report:
        """The result as it is recorded. The entry's own key makes a second submit the same result."""
        drawn_at: datetime = self.cleaned_data["drawn_at"]
        sent = {name: self.cleaned_data.get(name) or None for name in COUNT_FIELDS}
        return Report(
            source=MANUAL,
            accession=accession_of(self.cleaned_data["entry"]),
            drawn_at=drawn_at,
            count=sent | {"unit": self.clinic.count_unit},
            supported=self.cleaned_data["supported"],
            confirmed=self.is_confirmed,
            answers=self.answers(),
        )


class AcknowledgeForm(forms.Form):
    """Somebody is on it."""

    note = forms.CharField(
        label="Note", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2, "id": "ack_note"})
    )


class ResolveForm(forms.Form):
    """How it ended."""

    outcome = forms.ChoiceField(label="Outcome", choices=[("", "Choose…"), *Outcome.choices])
    note = forms.CharField(
        label="Note", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2, "id": "resolve_note"})
    )
