"""What a person says when a patient changes clinic."""

from typing import Any

from django import forms

from monitoring.doors import prescribers_at, receivers_for
from patients.models import Clinic, Staff

REASON = forms.Textarea(attrs={"rows": 3})


class RequestTransferForm(forms.Form):
    """To which clinic, and why."""

    to_clinic = forms.ModelChoiceField(
        queryset=Clinic.objects.none(),
        label="To which clinic",
        empty_label="Choose…",
        error_messages={"required": "Choose the clinic that is asked to take over."},
    )
    reason = forms.CharField(
        label="Why",
        max_length=2000,
        widget=REASON,
        help_text="The other clinic reads this before it decides.",
        error_messages={"required": "Say why the patient changes clinic; the other clinic reads it."},
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to_clinic"]
        field.queryset = receivers_for(clinic)  # type: ignore[attr-defined]  # a ModelChoiceField
        field.label_from_instance = lambda row: f"{row.name} ({row.slug})"  # type: ignore[attr-defined]  # likewise


class AcceptTransferForm(forms.Form):
    """The receiving clinic's number for the patient, and who treats them there."""

    new_mrn = forms.CharField(
        label="MRN at your clinic",
        max_length=40,
        help_text="The number by which you and your laboratory will know the patient.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Give the number by which you and your laboratory will know the patient."},
    )
    clinician = forms.ModelChoiceField(
        queryset=Staff.objects.none(),
        label="Who treats the patient here",
        empty_label="Choose…",
        help_text="Owns the patient's alerts.",
        error_messages={"required": "Choose the prescriber who will own the patient's alerts."},
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prescribers = prescribers_at(clinic)
        field = self.fields["clinician"]
        field.queryset = prescribers  # type: ignore[attr-defined]  # a ModelChoiceField
        if not prescribers.exists():
            field.required = False
            field.help_text = "Your clinic has no prescriber yet: alerts go to its on-call address."


class DeclineTransferForm(forms.Form):
    """Why not."""

    reason = forms.CharField(
        label="Why not",
        max_length=2000,
        widget=REASON,
        error_messages={"required": "Say why; the other clinic has to find another way for the patient."},
    )
