"""Forms of one's own messages."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.conf import settings

from monitoring.models import Channel, Severity

SAID = {
    Severity.SEVERE: "Severe: answer now",
    Severity.MODERATE: "Moderate: answer within the hour",
    Severity.MILD: "Mild",
    Severity.ROUTINE: "Routine: overdue tests, transfers",
}


class WishesForm(forms.Form):
    """One row of channels for each severity; those that somebody has not confirmed are not offered."""

    def __init__(self, *args: Any, can: Collection[str], wished: Mapping[int, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(value, label) for value, label in Channel.choices if value in can]
        for severity in Severity:
            self.fields[severity.name.lower()] = forms.MultipleChoiceField(
                label=SAID[severity],
                choices=offered,
                required=False,
                initial=wished[severity],
                widget=forms.CheckboxSelectMultiple,
            )

    def clean_severe(self) -> list[str]:
        """Severe alerts have to come somehow."""
        channels: list[str] = self.cleaned_data["severe"]
        if not channels:
            raise forms.ValidationError("Severe alerts have to reach you somehow: leave one channel on.")
        return channels

    def chosen(self) -> dict[int, list[str]]:
        """What was ticked, by severity."""
        return {severity.value: sorted(self.cleaned_data[severity.name.lower()]) for severity in Severity}


class PhoneForm(forms.Form):
    """A telephone that takes SMS."""

    number = forms.CharField(
        label="Your mobile number",
        max_length=30,
        help_text="With its country, such as +1 555 123 4567.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


class WebhookForm(forms.Form):
    """An address of Slack, Teams, a pager, or a program."""

    address = forms.URLField(
        label="Address of the webhook", max_length=254, assume_scheme="https", help_text="It begins with https://"
    )

    def clean_address(self) -> str:
        """Encrypted, unless this installation may post inside its own network."""
        address: str = self.cleaned_data["address"]
        if not address.startswith("https://") and not settings.PRIVATE_ADDRESSES:
            raise forms.ValidationError("The address has to begin with https://")
        return address


class PushForm(forms.Form):
    """What the browser itself tells when it agrees; nobody types it."""

    endpoint = forms.URLField(widget=forms.HiddenInput, max_length=1000, assume_scheme="https")
    p256dh = forms.CharField(widget=forms.HiddenInput, max_length=120)
    auth = forms.CharField(widget=forms.HiddenInput, max_length=40)


class BrowserForm(PushForm):
    """The same of a browser of somebody who works here, with a name by which they know it again."""

    label = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def clean_endpoint(self) -> str:
        """As for a webhook."""
        endpoint: str = self.cleaned_data["endpoint"]
        if not endpoint.startswith("https://") and not settings.PRIVATE_ADDRESSES:
            raise forms.ValidationError("The browser named an address without encryption; use another browser.")
        return endpoint


class CodeForm(forms.Form):
    """Six digits."""

    code = forms.RegexField(
        r"^\s*[0-9]{6}\s*$",
        label="Code",
        error_messages={"invalid": "The code has six digits."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
