"""How a patient, or whoever helps them, wants to be reminded: consent, hours, language, links."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from monitoring.actions.rehearsing import Outlook
from monitoring.reminding.agreeing import agree, disagree, helps_no_longer, links_open, send_link
from monitoring.rules.errors import InputError
from monitoring.views.acts.form import ActForm, Note
from patients.consenting import (
    OWN_BROWSER,
    Person,
    ReachingError,
    add_carer,
    address_of_person,
    holds,
    latest_consents,
    revoke_links,
    wish,
    wishes_of,
)
from patients.models import Staff, known_time_zone
from patients.reaching import Channel, How, Language

BY_STAFF = [(how.value, how.label) for how in (How.IN_PERSON, How.ON_PAPER, How.TELEPHONE)]
BY_A_NUMBER = [(channel.value, channel.label) for channel in (Channel.SMS, Channel.EMAIL)]
"""What staff can record consent to. Notices only end by them: the browser is the person's own."""


class PersonForm(ActForm):
    """An act about the patient or about somebody who helps them."""

    verb = "register"
    judged, after = False, "reaching"
    who = forms.ChoiceField(label="Who")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.carers = {str(carer.pk): carer for carer in self.treatment.patient.carers.filter(ended_at=None)}
        choices = [("patient", "The patient"), *((pk, str(carer)) for pk, carer in self.carers.items())]
        self.fields["who"] = forms.ChoiceField(label="Who", choices=choices)
        self.order_fields(["who"])

    @property
    def person(self) -> Person:
        """Whom it is about."""
        return Person(self.treatment.patient, self.carers.get(self.cleaned_data["who"]))

    @property
    def named(self) -> str:
        """In words."""
        return str(self.person.carer or self.treatment.patient)


class ConsentForm(PersonForm):
    """They agree to messages."""

    title = "Record consent to reminders"
    lead = (
        "They choose text messages or e-mail, or none. A code goes there at once: ask them to read it out to you."
        " Notices in a browser they choose themselves, on their own page."
    )
    button, done = "Record the consent and send the code", "Recorded. A code is on its way; type it in below."

    channel = forms.ChoiceField(
        label="How they want to be reminded", choices=BY_A_NUMBER, widget=forms.RadioSelect,
        error_messages={"invalid_choice": f"Choose text messages or e-mail: {OWN_BROWSER}."},
    )  # fmt: skip
    how = forms.ChoiceField(label="How they agreed", choices=BY_STAFF, widget=forms.RadioSelect)
    note = forms.CharField(label="Note", required=False, max_length=500, widget=forms.Textarea({"rows": 2}))

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """A dated row, and a code."""
        given = self.cleaned_data
        return asked(lambda: agree(
            person=self.person, channel=given["channel"], how=given["how"], words=given["note"], by=by, now=now, ip=ip
        ), "channel")  # fmt: skip

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What it means."""
        channel = self.cleaned_data["channel"]
        address, _ = address_of_person(self.person, channel)
        yield Note("fact", f"{self.named} agrees to reminders by {Channel(channel).label.lower()} to {address}.")
        yield Note("fact", "A code is sent there now. Nothing else is sent until it is typed in on the next page.")
        yield Note("calm", "Messages name nobody, no drug and no result. STOP ends them at once.")


class EndConsentForm(PersonForm):
    """They want none any more."""

    title = "End consent to reminders"
    lead = "What waits to be sent is taken back, and their links stop working."
    button, done = "End the consent", "The consent has ended. Nothing more is sent there."

    channel = forms.ChoiceField(label="Which messages", choices=Channel.choices, widget=forms.RadioSelect)
    how = forms.ChoiceField(label="How they said so", choices=BY_STAFF, widget=forms.RadioSelect)

    def clean(self) -> dict[str, Any]:
        """Only what stands can end."""
        if {"who", "channel"} <= set(self.cleaned_data):
            standing = latest_consents(self.person).get(self.cleaned_data["channel"])
            if standing is None or not standing.given:
                raise ValidationError({"channel": "There is no consent for these, so nothing is sent there anyway."})
        return self.cleaned_data

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """A dated row; what waits is withdrawn."""
        given = self.cleaned_data
        return disagree(person=self.person, channel=given["channel"], how=given["how"], by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What stops."""
        channel = Channel(self.cleaned_data["channel"]).label.lower()
        yield Note("warn", f"{self.named} gets no {channel} any more; nobody reminds them of the next test there.")
        others = [row for name, row in latest_consents(self.person).items() if holds(row)]
        if len(others) <= 1:
            yield Note("fact", "Tell them the day of their next test, and how to call you.")


class WishesForm(PersonForm):
    """Language, print, hours, kinds."""

    title = "Change how they are reminded"
    lead = "It holds for every channel from now on."
    button, done = "Save", "Saved."

    language = forms.ChoiceField(label="Language", choices=Language.choices)
    large_print = forms.BooleanField(label="Large print on their own page", required=False)
    awake_from = forms.TimeField(label="Messages not before", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    awake_until = forms.TimeField(label="and not after", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    time_zone = forms.CharField(
        label="Time zone", required=False, max_length=64, validators=[known_time_zone],
        help_text="Only where they live in another zone than the clinic, such as America/Chicago.",
    )  # fmt: skip
    days_before = forms.IntegerField(label="First reminder, days before the test", min_value=2, max_value=7)
    before_test = forms.BooleanField(label="Some days before the test", required=False)
    evening_before = forms.BooleanField(label="The evening before", required=False)
    on_the_day = forms.BooleanField(label="On the day", required=False)
    when_missed = forms.BooleanField(label="When a test was missed (after 1, 3 and 6 days)", required=False)
    tablets = forms.BooleanField(label="About tablets: to collect, running out", required=False)

    def begin_with(self) -> dict[str, Any]:
        """What holds for the patient."""
        known = wishes_of(Person(self.treatment.patient))
        return {name: getattr(known, name) for name in self.base_fields if name != "who"}

    def clean(self) -> dict[str, Any]:
        """A morning and an evening, so that every message has its hour on its own day."""
        given = self.cleaned_data
        begin, end = given.get("awake_from"), given.get("awake_until")
        if begin and not time(5) <= begin <= time(12):
            raise ValidationError({"awake_from": "Choose a time between 05:00 and 12:00."})
        if end and end < time(16):
            raise ValidationError({"awake_until": "Choose a time from 16:00 on; reminders come until the evening."})
        return given

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """A dated row."""
        wishes = {name: value for name, value in self.cleaned_data.items() if name != "who"}
        return wish(person=self.person, wishes=wishes, by=by, now=now, ip=ip)

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What differs."""
        known = wishes_of(self.person)
        for name, value in self.cleaned_data.items():
            if name != "who" and getattr(known, name) != value:
                yield Note("fact", f"{self.fields[name].label}: {plainly(getattr(known, name))} → {plainly(value)}")
        given = self.cleaned_data
        if not any(given[name] for name in ("before_test", "evening_before", "on_the_day")):
            yield Note("warn", "Nobody reminds them before a test then.")


class CarerForm(ActForm):
    """Somebody who helps."""

    verb = "register"
    judged, after = False, "reaching"
    title = "Add somebody who helps"
    lead = "A carer may know the days of tests, never results or doses. They agree to messages themselves."
    button, done = "Add this person", "Added. Record their consent to reminders next."

    name = forms.CharField(label="Name", max_length=120)
    relation = forms.CharField(label="Who they are to the patient", max_length=60, help_text="Such as: sister.")
    phone = forms.CharField(label="Mobile number", required=False, max_length=40, help_text="Such as +1 555 010 0123.")
    email = forms.EmailField(label="E-mail", required=False, max_length=254)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """A row of their own."""
        given = self.cleaned_data
        return asked(lambda: add_carer(patient=self.treatment.patient, by=by, now=now, ip=ip, **given), "phone")

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """Narrower than the patient's own."""
        yield Note("fact", f"{self.cleaned_data['name']} may see the day and place of the next test, once they agree.")
        yield Note("warn", "Be sure that the patient wants this person to know of their tests.")


class EndCarerForm(PersonForm):
    """They help no longer."""

    title = "A carer helps no longer"
    lead = "Nothing more is sent to them, and their links stop working at once."
    button, done = "End it", "Ended. Nothing more is sent to this person."

    def clean(self) -> dict[str, Any]:
        """The patient is no carer."""
        if self.cleaned_data.get("who") == "patient":
            raise ValidationError({"who": "Choose the carer; for the patient, end their consent instead."})
        return self.cleaned_data

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """End the row."""
        carer = self.person.carer
        return helps_no_longer(carer=carer, by=by, now=now, ip=ip) if carer else None

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What stops."""
        yield Note("warn", f"{self.named} gets no message any more and sees nothing.")


class OwnLinkForm(PersonForm):
    """A link to their own page."""

    title = "Send a link to their own page"
    lead = "It works for 14 days, for this person only, and asks for a code that goes to the same place."
    button, done = "Send the link", "The link is on its way."

    channel = forms.ChoiceField(label="Where to", choices=BY_A_NUMBER, widget=forms.RadioSelect)

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Owe the message."""
        return asked(lambda: send_link(person=self.person, channel=self.cleaned_data["channel"], now=now), "channel")

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """What is sent."""
        yield Note("fact", f"A link goes to {self.named} by {Channel(self.cleaned_data['channel']).label.lower()}.")


class RevokeLinksForm(PersonForm):
    """Every link of theirs dies."""

    title = "Stop every link of theirs"
    lead = "For a lost or stolen phone. Their calendar feed stops too. A new link can be sent at any time."
    button, done = "Stop the links", "Their links open nothing any more."

    def perform(self, *, by: Staff, now: datetime, ip: str | None) -> object:
        """Revoke them; none is an answer too."""
        revoke_links(person=self.person, by=by, now=now, ip=ip)
        return self.person.patient

    def words(self, outlook: Outlook) -> Iterable[Note]:
        """How many."""
        yield Note("warn", f"{links_open(self.person, self.now)} links of {self.named} stop working at once.")


def asked(perform: Any, field: str) -> object:
    """The action; what it refuses is said at a field."""
    try:
        return perform()
    except ReachingError as error:
        raise InputError(field, str(error)) from error


def plainly(value: object) -> str:
    """A wish as a person says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%H:%M}" if isinstance(value, time) else str(value) or "the clinic's"
