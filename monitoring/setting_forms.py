"""What a clinic admin may type."""

from typing import Any
from zoneinfo import available_timezones

from django import forms

from monitoring.doors import prescribers_at
from monitoring.rules.units import UNITS_ACCEPTED
from patients.access import VERBS
from patients.models import Clinic, Role, Staff
from patients.policies import POLICIES

COLUMNS = (
    "mrn", "date_of_birth", "drawn_at", "accession", "status", "version", "unit", "anc", "wbc",
    "neutrophils_percent", "segs_percent", "bands_percent",
)  # fmt: skip
VERBS_IN_WORDS = {
    "patients:read": "Read who the patients are",
    "results:read": "Read treatments, results and judgements",
    "results:write": "Record results",
    "alerts:read": "Read alerts",
    "worklist:read": "Read what is due and overdue",
}
SHOW = (("send", "By e-mail to that address"), ("show", "Show me the link once, I hand it over"))


def unit_choices() -> list[tuple[str, str]]:
    """Every unit in which a count may come."""
    return [(unit, unit) for unit in UNITS_ACCEPTED]


class RolesForm(forms.Form):
    """Everything that a person is at the clinic."""

    roles = forms.MultipleChoiceField(
        label="Roles here", choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    successor = forms.ModelChoiceField(
        queryset=Staff.objects.none(),
        required=False,
        label="Who takes over their patients and open alerts",
        empty_label="Nobody: the on-call address",
        help_text="Only used when they lose every role that sees patients.",
    )

    def __init__(self, *args: Any, clinic: Clinic, person: Staff, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["successor"].queryset = prescribers_at(clinic).exclude(pk=person.pk)  # type: ignore[attr-defined]  # a ModelChoiceField


class InviteForm(forms.Form):
    """Somebody who has no account yet."""

    given_name = forms.CharField(label="Given name", max_length=80)
    family_name = forms.CharField(label="Family name", max_length=80)
    email = forms.EmailField(label="E-mail", help_text="Alerts that they own go there.")
    name = forms.RegexField(
        r"^[a-zA-Z0-9._-]{3,40}$",
        label="Sign-in name",
        help_text="3 to 40 letters, digits, dots or dashes.",
        error_messages={"invalid": "Use 3 to 40 letters, digits, dots or dashes."},
    )
    roles = forms.MultipleChoiceField(
        label="Roles here",
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one role."},
    )
    how = forms.ChoiceField(
        label="The link that sets the password", choices=SHOW, widget=forms.RadioSelect, initial="send"
    )


class KnownPersonForm(forms.Form):
    """Somebody with an account at another clinic of this service."""

    known_email = forms.EmailField(label="Their e-mail")
    roles = forms.MultipleChoiceField(
        label="Roles here",
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one role."},
    )


class ClinicForm(forms.Form):
    """Where alerts go, in which unit counts are typed, in which zone days are."""

    on_call_email = forms.EmailField(
        label="On-call address", help_text="Told when nobody answers an alert in time, or an alert has no owner."
    )
    count_unit = forms.ChoiceField(
        label="Unit of typed counts", choices=unit_choices, help_text="Files and programs say their own unit."
    )
    time_zone = forms.ChoiceField(
        label="Time zone", choices=lambda: [(zone, zone) for zone in sorted(available_timezones())]
    )


class PoliciesForm(forms.Form):
    """One number for each policy."""

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for policy in POLICIES:
            self.fields[policy.name] = forms.IntegerField(
                label=f"{policy.label} ({policy.unit})",
                min_value=policy.least,
                max_value=policy.most,
                initial=clinic.policy(policy.name),
                help_text=f"{policy.meaning} {policy.least} to {policy.most}; usual: {policy.spoken(policy.default)}.",
            )


class LaboratoryForm(forms.Form):
    """How a laboratory names its columns."""

    name = forms.CharField(label="Name", max_length=80)
    unit = forms.ChoiceField(
        label="Unit, where its file says none",
        required=False,
        choices=lambda: [("", "The file says it"), *unit_choices()],
    )

    def __init__(self, *args: Any, columns: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ours = [*COLUMNS, *sorted(ours for ours in set(columns) - set(COLUMNS) if not ours.startswith("="))]
        for ours in self.ours:
            self.fields[f"column_{ours}"] = forms.CharField(
                label=f"Column for {ours.replace('_', ' ')}", required=False, max_length=80, initial=columns.get(ours)
            )

    def columns(self) -> dict[str, str]:
        """Our names, each with the laboratory's header."""
        return {ours: self.cleaned_data[f"column_{ours}"] for ours in self.ours}


class FeedForm(forms.Form):
    """When the silence of a source means something."""

    hours = forms.IntegerField(
        label="Silent after so many hours without a message",
        required=False,
        min_value=1,
        max_value=24 * 60,
        help_text="Empty: as learnt from two weeks of its messages, and never less than a day.",
    )


class TokenForm(forms.Form):
    """A program, and what it may do."""

    name = forms.CharField(label="Which program", max_length=80)
    verbs = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(verb, VERBS_IN_WORDS.get(verb, verb)) for verb in VERBS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one."},
    )
