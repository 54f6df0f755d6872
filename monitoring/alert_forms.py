"""What the pages of alerts and draws may be told."""

from typing import Any

from django import forms

from monitoring.models import Outcome
from patients.models import Staff

LONGEST = 2000


class Chosen(forms.ModelChoiceField):
    """Somebody of the clinic, by name."""

    def label_from_instance(self, obj: Any) -> str:
        """Their name and how they sign in: two people may share a name."""
        return f"{obj} ({obj.username})" if str(obj) != obj.username else str(obj)


class HandOverForm(forms.Form):
    """Who owns the alert from now on, and what they should know."""

    to = Chosen(label="To", queryset=Staff.objects.none(), empty_label="Choose…")
    note = forms.CharField(
        label="What they should know",
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2, "id": "hand_note"}),
    )

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = people  # type: ignore[attr-defined]  # a ModelChoiceField


class NoteForm(forms.Form):
    """A line for the alert's story."""

    text = forms.CharField(
        label="Note",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 2, "id": "note_text"}),
        error_messages={"required": "The note is empty; write what the next person should know."},
    )


class ManyForm(forms.Form):
    """One answer to several harmless alerts."""

    move = forms.ChoiceField(choices=[("acknowledge", "Acknowledge"), ("resolve", "Resolve")])
    outcome = forms.ChoiceField(label="Outcome", choices=[("", "Choose…"), *Outcome.choices], required=False)
    note = forms.CharField(label="Note", required=False, max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 2}))

    def clean(self) -> dict[str, Any]:
        """An end has an outcome."""
        said = super().clean() or self.cleaned_data
        if said.get("move") == "resolve" and not said.get("outcome"):
            self.add_error("outcome", "Say how they ended.")
        return said


class DrawForm(forms.Form):
    """When blood was drawn."""

    drawn_at = forms.DateTimeField(
        label="Blood drawn at",
        help_text="Local time of the clinic.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": "This is not a time; write it as 2026-09-14 09:00."},
    )


class EndDrawForm(forms.Form):
    """Why no result will come."""

    reason = forms.CharField(
        label="Why no result will come",
        max_length=300,
        help_text="Such as: the tube was lost, the sample had clotted, noted by mistake.",
        error_messages={"required": "Say why, so that the next person knows whether to draw again."},
    )
