"""What the supply pages may be told."""

from typing import Any

from django import forms

from monitoring.models import ReasonCode
from patients.models import Clinic


class AuthoriseForm(forms.Form):
    """The request's own key, the state that was shown, and an override where the rules say no."""

    entry = forms.UUIDField()
    basis = forms.IntegerField()
    override = forms.IntegerField(required=False)


class HandOverForm(forms.Form):
    """The tablets that leave the counter."""

    strength_mg = forms.DecimalField(label="Strength in mg", min_value=1, max_value=500, decimal_places=1, max_digits=4)
    quantity = forms.IntegerField(label="Tablets", min_value=1, max_value=2000)
    days = forms.IntegerField(label="For how many days", min_value=1, max_value=100)
    lot = forms.CharField(label="Lot", required=False, max_length=40)


class StatementForm(forms.Form):
    """A statement's own key, the state that was shown, and for whom it is."""

    entry = forms.UUIDField()
    basis = forms.IntegerField()
    addressee = forms.CharField(
        label="For whom", required=False, max_length=120, help_text="Such as the hospital that asks. May stay empty."
    )


class PlanForm(forms.Form):
    """A supply that is collected on a day ahead: at discharge, or before days away."""

    collect_on = forms.DateField(
        label="Day of discharge or of leaving",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Give the day, such as 2026-09-17.", "invalid": "Write the day as 2026-09-17."},
    )
    back_on = forms.DateField(
        label="Back on (empty: a discharge)",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day as 2026-09-24."},
    )


class VoidForm(forms.Form):
    """Why a dispense is taken back."""

    reason = forms.CharField(label="Why", max_length=500)


ADMINISTRATIVE = ("administrative", "Override of this clinic's own enrolment policy, and of nothing clinical")


class OverrideForm(forms.Form):
    """A supply that a second person must confirm."""

    bridge = forms.ChoiceField(
        label="What is needed",
        choices=[
            ("bridge", "Bridge supply: a few days while blood is on its way"),
            ("override", "Override: against the answer above"),
        ],
    )
    code = forms.ChoiceField(label="Reason", choices=[("", "Choose…"), *ReasonCode.choices])
    words = forms.CharField(label="In words", max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    days = forms.IntegerField(label="Days of tablets", min_value=1, max_value=31)
    hours = forms.IntegerField(label="Valid for hours", min_value=1, max_value=72, initial=24)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = clinic.policy("bridge_days")
        self.fields["days"].help_text = f"A bridge supply is at most {most} days."
        self.fields["days"].initial = most
        if clinic.policy("registry_enrolments"):
            self.fields["bridge"].choices.append(ADMINISTRATIVE)  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """The scope as the action takes it."""
        said = super().clean() or {}
        asked = said.get("bridge")
        return said | {"bridge": asked == "bridge", "administrative": asked == ADMINISTRATIVE[0]}


class ConfirmForm(forms.Form):
    """The state that the page showed to whoever confirms."""

    basis = forms.IntegerField()


class AnswerForm(forms.Form):
    """Why a request is declined."""

    answer = forms.CharField(label="Why not", max_length=500)
