"""What the pages of a clinic's change of protocol may be told."""

from collections.abc import Sequence
from typing import Any

from django import forms

from monitoring.rules.protocols import PROTOCOLS
from patients.models import Clinic


class AskForm(forms.Form):
    """Which clinic, which protocol, and why."""

    clinic = forms.ChoiceField(label="Clinic")
    protocol_key = forms.ChoiceField(
        label="Protocol",
        choices=[("", "Choose…"), *((key, one.title) for key, one in PROTOCOLS.items() if not one.retired_on)],
    )
    reason = forms.CharField(label="Reason", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, clinics: Sequence[Clinic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinics = {str(clinic.pk): clinic for clinic in clinics}
        named = [(pk, f"{clinic.name}, now {_title(clinic)}") for pk, clinic in self.clinics.items()]
        self.fields["clinic"].choices = named  # type: ignore[attr-defined]  # a choice field


class SignForm(forms.Form):
    """A signature: the password of whoever signs, once more."""

    password = forms.CharField(
        label="Your password, to sign",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Give your password: this is a signature."},
    )


def _title(clinic: Clinic) -> str:
    return PROTOCOLS[clinic.default_protocol].title
