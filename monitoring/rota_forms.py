"""What is typed about the rota."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from patients.access import staff_who_may
from patients.models import Clinic, Staff

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
EVERYBODY = "Everybody who has no deputy of their own"


def colleagues(clinic: Clinic, but: Staff | None = None) -> "QuerySet[Staff]":
    """Who can be reached and sees the clinic's patients."""
    found = staff_who_may("see_patients", clinic.pk)
    return found.exclude(pk=but.pk) if but else found


class AwayForm(forms.Form):
    """Days on which one person is away, and who covers."""

    first_day = forms.DateField(label="First day away", widget=DAY, help_text="As 2026-11-30.")
    last_day = forms.DateField(label="Last day away", widget=DAY, help_text="It is included.")
    cover = forms.ModelChoiceField(
        queryset=Staff.objects.none(),
        label="Who covers",
        empty_label="Choose",
        help_text="Told at once. Owns the alerts that would be yours from the first day on.",
    )

    def __init__(self, *args: Any, clinic: Clinic, staff: Staff | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["cover"].queryset = colleagues(clinic, staff)  # type: ignore[attr-defined]  # a ModelChoiceField


class AwayForForm(AwayForm):
    """The same, typed by the clinic's admin for somebody who cannot."""

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, clinic=clinic, **kwargs)
        self.fields["staff"] = forms.ModelChoiceField(queryset=colleagues(clinic), label="Who is away")
        self.fields["cover"].help_text = "Told at once. Owns their alerts from the first day on."
        self.order_fields(["staff"])


class DeputyForm(forms.Form):
    """Who is told when somebody does not answer."""

    staff = forms.ModelChoiceField(
        queryset=Staff.objects.none(), required=False, label="For whom", empty_label=EVERYBODY
    )
    deputy = forms.ModelChoiceField(
        queryset=Staff.objects.none(), required=False, label="The deputy", empty_label="Nobody: on-call is told instead"
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("staff", "deputy"):
            self.fields[name].queryset = colleagues(clinic)  # type: ignore[attr-defined]  # a ModelChoiceField


class ShiftForm(forms.Form):
    """A shift by the clinic's own clock."""

    staff = forms.ModelChoiceField(queryset=Staff.objects.none(), label="Who is on call", empty_label="Choose")
    first_day = forms.DateField(label="First day", widget=DAY, help_text="As 2026-11-30.")
    starts = forms.TimeField(label="From", widget=CLOCK, help_text="The clinic's clock, as 17:00.")
    last_day = forms.DateField(label="Last day", widget=DAY)
    ends = forms.TimeField(label="Until", widget=CLOCK)
    weeks = forms.IntegerField(
        label="For how many weeks",
        min_value=1,
        max_value=26,
        initial=1,
        help_text="1: only once. 4: in the same hours of four weeks.",
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["staff"].queryset = colleagues(clinic)  # type: ignore[attr-defined]  # a ModelChoiceField


class OfferForm(forms.Form):
    """Who is asked to take a shift over."""

    taker = forms.ModelChoiceField(queryset=Staff.objects.none(), label="Ask whom", empty_label="Choose")

    def __init__(self, *args: Any, clinic: Clinic, giver: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["taker"].queryset = colleagues(clinic, giver)  # type: ignore[attr-defined]  # a ModelChoiceField
