"""What a clinic admin may type."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms

from monitoring.doors import prescribers_at
from monitoring.rules.protocols import PROTOCOLS
from monitoring.rules.units import UNITS_ACCEPTED
from patients.access import VERBS
from patients.closed_days import is_open
from patients.models import Clinic, Role, Staff
from patients.policies import POLICIES
from patients.public_holidays import countries, public_holidays

MOST_CLOSED = 31

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
    "bookings:write": "Book, move and cancel blood tests",
    "eligibility:read": "Ask what may be supplied, and what the REMS would have said",
    "statements:write": "Issue eligibility statements and take them back",
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


class SignInName(forms.RegexField):
    """What somebody types to sign in."""

    def __init__(self) -> None:
        super().__init__(
            r"^[a-zA-Z0-9._-]{3,40}$",
            label="Sign-in name",
            help_text="3 to 40 letters, digits, dots or dashes.",
            error_messages={"invalid": "Use 3 to 40 letters, digits, dots or dashes."},
        )


class InviteForm(forms.Form):
    """Somebody who has no account yet."""

    given_name = forms.CharField(label="Given name", max_length=80)
    family_name = forms.CharField(label="Family name", max_length=80)
    email = forms.EmailField(label="E-mail", help_text="Alerts that they own go there.")
    name = SignInName()
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
        label="Unit of typed counts",
        choices=unit_choices,
        help_text="Files and programs say their own unit.",
        error_messages={"invalid_choice": f"%(value)s is no unit here; known: {', '.join(UNITS_ACCEPTED)}."},
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(zone, zone) for zone in sorted(available_timezones())],
        error_messages={"invalid_choice": "%(value)s is not an IANA time zone such as Europe/Berlin."},
    )


class FoundingForm(ClinicForm):
    """A clinic that is new here, and its first admin; typed as a command."""

    slug = forms.SlugField(max_length=50)
    clinic_name = forms.CharField(max_length=120)
    protocol = forms.ChoiceField(
        choices=lambda: [(key, key) for key in PROTOCOLS],
        error_messages={"invalid_choice": f"%(value)s is no protocol here; known: {', '.join(PROTOCOLS)}."},
    )
    given_name = forms.CharField(max_length=80)
    family_name = forms.CharField(max_length=80)
    email = forms.EmailField()
    name = SignInName()


class ClosedDayForm(forms.Form):
    """A day, or several in a row, on which no blood is taken."""

    first = forms.DateField(label="Closed on", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(
        label="Until and including",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty for one day.",
    )
    name = forms.CharField(label="Why", max_length=80, help_text="Such as: Christmas, works outing.")
    today: date

    def clean(self) -> dict[str, Any]:
        """From today on, in order, and no longer than a clinic is ever closed."""
        first = self.cleaned_data.get("first")
        last = self.cleaned_data.get("last") or first
        if first and first < self.today:
            self.add_error("first", f"{first} is past; give a day from today on.")
        elif first and last and not 0 <= (last - first).days < MOST_CLOSED:
            self.add_error(
                "last", f"Give a day from {first} on, {MOST_CLOSED} days at most; for more close two stretches."
            )
        return self.cleaned_data

    def days(self) -> dict[date, str]:
        """Every weekday of the stretch with its name; weekends are closed anyway."""
        first: date = self.cleaned_data["first"]
        length = ((self.cleaned_data.get("last") or first) - first).days + 1
        stretch = [first + timedelta(days=number) for number in range(length)]
        return {day: self.cleaned_data["name"] for day in stretch if is_open(day, ())}


class PublicHolidaysForm(forms.Form):
    """Whose public holidays, in which year."""

    country = forms.ChoiceField(label="Country", choices=lambda: [("", "Choose…"), *countries()])
    region = forms.CharField(
        label="Region",
        required=False,
        max_length=8,
        help_text="Its short code, such as BY or CA. Empty: the whole country.",
    )
    year = forms.TypedChoiceField(label="Year", coerce=int)
    today: date

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        years = self.fields["year"]
        if isinstance(years, forms.TypedChoiceField):
            years.choices = [(year, str(year)) for year in (today.year, today.year + 1)]

    def clean(self) -> dict[str, Any]:
        """The holidays as `found`."""
        said = self.cleaned_data
        said["region"] = said.get("region", "").strip()
        if "country" in said and "year" in said:
            try:
                self.found = public_holidays(said["country"], said["region"], said["year"])
            except ValueError as error:
                self.add_error("region", str(error))
        return said

    def days(self) -> dict[date, str]:
        """Those from today on that are no weekend."""
        return {day: name for day, name in self.found.items() if day >= self.today and is_open(day, ())}


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


class QuestionsForm(forms.Form):
    """What the clinic's own registry asks on its monthly form."""

    title = forms.CharField(label="Title of the form", max_length=120)
    questions = forms.CharField(
        label="Questions, one a line",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Beyond what is known already: ANC, band, advice, frequency and BEN are filled in by themselves.",
    )
