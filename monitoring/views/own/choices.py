"""What they choose themselves: whether and how they are reminded, and where."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from monitoring.reaching_forms import PushForm
from monitoring.reminding.agreeing import agree, agree_to_browser, disagree, send_code_to_new
from monitoring.reminding.browsers import browser_of
from monitoring.views.finding import address_of
from monitoring.views.own.door import Guest, guest_of, let_in, own_page, shown, stay_in
from notifications.channels.webpush import set_up
from patients.actions import change_contacts, token_hash
from patients.consenting import (
    ReachingError,
    confirmed_at,
    give_consent,
    holds,
    latest_consents,
    make_link,
    may_try,
    use_code,
    wish,
    wishes_of,
)
from patients.phones import phone_number
from patients.reaching import CONFIRMED_FOR, Channel, Consent, How, Language, OwnLink

KINDS = ("before_test", "evening_before", "on_the_day", "when_missed", "tablets")


class OwnWishesForm(forms.Form):
    """Language, print, and which reminders."""

    language = forms.ChoiceField(label=_("Language"), choices=Language.choices, widget=forms.RadioSelect)
    large_print = forms.BooleanField(label=_("Large letters"), required=False)
    before_test = forms.BooleanField(label=_("Some days before the test"), required=False)
    evening_before = forms.BooleanField(label=_("The evening before"), required=False)
    on_the_day = forms.BooleanField(label=_("On the day"), required=False)
    when_missed = forms.BooleanField(label=_("When I missed a test"), required=False)
    tablets = forms.BooleanField(label=_("About my tablets"), required=False)


class NewAddressForm(forms.Form):
    """A new number or address; it counts once the code that goes there is typed in."""

    channel = forms.ChoiceField(
        label=_("What is new?"), choices=[("sms", _("My mobile number")), ("email", _("My e-mail"))],
        widget=forms.RadioSelect,
    )  # fmt: skip
    address = forms.CharField(
        label=_("New number or e-mail"), max_length=254, help_text=_("A number such as +1 555 010 0123.")
    )

    def clean(self) -> dict[str, str]:
        """In one form, so that the same number is the same text."""
        channel, address = self.cleaned_data.get("channel"), self.cleaned_data.get("address", "")
        if channel == "sms":
            try:
                self.cleaned_data["address"] = phone_number(address)
            except ValueError as error:
                text = _("Write the number with its country, such as +1 555 010 0123.")
                raise ValidationError({"address": text}) from error
        elif channel == "email":
            try:
                validate_email(address)
            except ValidationError as error:
                raise ValidationError({"address": _("Write it such as name@mail.example.")}) from error
        return self.cleaned_data


class NewCodeForm(forms.Form):
    """The code that came to the new number, with the day on which the patient was born."""

    code = forms.CharField(
        label=_("Code"),
        max_length=12,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
    born = forms.DateField(
        label=_("The day you were born"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    channel = forms.ChoiceField(choices=Channel.choices, widget=forms.HiddenInput)
    address = forms.CharField(max_length=254, widget=forms.HiddenInput)


@own_page
def own_choices(request: HttpRequest, guest: Guest) -> HttpResponse:
    """One page, several small forms, told apart by the button."""
    do = {
        "wishes": _save_wishes, "end": _end, "begin": _begin, "new": _new_address, "confirm": _confirm_new,
        "still": _still_mine, "browser": _this_browser,
    }.get(request.POST.get("do", ""))  # fmt: skip
    return do(request, guest) if do and request.method == "POST" else _page(request, guest)


def choose_again(request: HttpRequest, guest: Guest, said: Mapping[str, str]) -> HttpResponse:
    """What came after the page had closed, filled in as it was; nothing of it is saved without another press."""
    more: dict[str, object] = {"unsent": True}
    if said.get("do") == "new" and guest.is_patient:
        more["new"] = NewAddressForm(said)
    elif said.get("do") == "wishes":
        more["form"] = OwnWishesForm(said)
    return _page(request, guest, **more)


def _page(request: HttpRequest, guest: Guest, **more: object) -> HttpResponse:
    known = wishes_of(guest.person)
    form = OwnWishesForm(initial={name: getattr(known, name) for name in OwnWishesForm.base_fields})
    ways = list(_ways(guest))
    page = {"form": form, "ways": ways, "new": NewAddressForm(), "push": _push(guest, ways)} | more
    if not guest.is_patient and isinstance(page["form"], OwnWishesForm):
        page["form"].fields.pop("tablets", None)
    return shown(request, guest, "choices", **page)


def _ways(guest: Guest) -> Iterator[dict[str, object]]:
    """Where they are written to, and of a browser whether it still takes notices and its code was typed."""
    for channel, row in latest_consents(guest.person).items():
        way: dict[str, object] = {"channel": channel, "consent": row, "holds": holds(row)}
        if channel == Channel.WEBPUSH:
            browser = browser_of(row)
            gone = row.how == How.GONE or (row.given and (browser is None or browser.ended_at is not None))
            way |= {"added": browser and browser.created_at, "gone": gone, "ready": _ready(guest, row)}
            way["holds"] = holds(row) and not gone
        yield way


def _ready(guest: Guest, consent: Consent) -> bool:
    at = confirmed_at(guest.person, consent.channel, consent.address)
    return at is not None and at + CONFIRMED_FOR > guest.now


def _push(guest: Guest, ways: Iterable[dict[str, object]]) -> dict[str, object] | None:
    """What the script needs to ask this browser; None where notices are not set up."""
    if not set_up():
        return None
    # Pages of their own alone: what somebody who works here agreed to in the same browser stays as it is.
    scope = reverse("own", args=[guest.token]).removesuffix(f"{guest.token}/")
    elsewhere = any(way["channel"] == Channel.WEBPUSH and way["holds"] and way["ready"] for way in ways)
    return {
        "key": settings.WEBPUSH["public_key"], "scope": scope, "form": PushForm(auto_id=False), "elsewhere": elsewhere,
    }  # fmt: skip


def _save_wishes(request: HttpRequest, guest: Guest) -> HttpResponse:
    form = OwnWishesForm(request.POST)
    if not form.is_valid():
        return _page(request, guest, form=form)
    wishes = dict(form.cleaned_data)
    if not guest.is_patient:
        wishes.pop("tablets")
    wish(person=guest.person, wishes=wishes, by=None, now=guest.now, ip=address_of(request))
    with override(wishes["language"]):
        messages.success(request, gettext("Saved. Thank you."))
    return redirect("own_choices", guest.token)


def _end(request: HttpRequest, guest: Guest) -> HttpResponse:
    channel = request.POST.get("channel", "")
    if channel not in Channel.values:
        return _page(request, guest)
    ended = disagree(
        person=guest.person, channel=channel, how=How.OWN_PAGE, by=None, now=guest.now, ip=address_of(request)
    )
    if ended is not None and (channel, ended.address) == (guest.link.channel, guest.link.address):
        return shown(request, guest, "ended")
    messages.success(request, gettext("Done. We will not write there any more."))
    return redirect("own_choices", guest.token)


def _begin(request: HttpRequest, guest: Guest) -> HttpResponse:
    """Agreeing anew to what is on record; a code goes there to confirm it."""
    try:
        consent = agree(
            person=guest.person, channel=request.POST.get("channel", ""), how=How.OWN_PAGE, by=None, now=guest.now,
            ip=address_of(request),
        )  # fmt: skip
    except (ReachingError, ValueError, KeyError):
        messages.error(request, gettext("That did not work. Please call us."))
        return redirect("own_choices", guest.token)
    return _ask_code(request, guest, consent.channel, consent.address)


def _new_address(request: HttpRequest, guest: Guest) -> HttpResponse:
    form = NewAddressForm(request.POST)
    if not guest.is_patient or not form.is_valid():
        return _page(request, guest, new=form)
    channel, address = form.cleaned_data["channel"], form.cleaned_data["address"]
    try:
        send_code_to_new(person=guest.person, channel=channel, address=address, now=guest.now)
    except ReachingError:
        form.add_error(None, gettext("We have sent several codes. Please wait a quarter of an hour, or call us."))
        return _page(request, guest, new=form)
    return _ask_code(request, guest, channel, address)


def _still_mine(request: HttpRequest, guest: Guest) -> HttpResponse:
    """Is this number still theirs? A code, and a day that the next owner of the number does not know."""
    try:
        send_code_to_new(person=guest.person, channel=guest.link.channel, address=guest.link.address, now=guest.now)
    except ReachingError:
        messages.error(request, gettext("We have sent several codes. Please wait a quarter of an hour, or call us."))
        return redirect("own_choices", guest.token)
    return _ask_code(request, guest, guest.link.channel, guest.link.address)


def _this_browser(request: HttpRequest, guest: Guest) -> HttpResponse:
    """The browser said yes: a code goes there, and nothing else until it is typed."""
    form, consent = PushForm(request.POST), None
    if set_up() and form.is_valid():
        with suppress(ReachingError):
            consent = agree_to_browser(person=guest.person, now=guest.now, ip=address_of(request), **form.cleaned_data)
    if consent is None:
        messages.error(request, gettext("That did not work. Try again in a quarter of an hour, or call us."))
        return redirect("own_choices", guest.token)
    return _ask_code(request, _still_in(request, guest, consent), consent.channel, consent.address)


def _still_in(request: HttpRequest, guest: Guest, consent: Consent) -> Guest:
    """Who came by a notice of the earlier browser goes on by a link of the new one, no longer than before."""
    if guest.link.channel != consent.channel or guest.link.address == consent.address:
        return guest
    token = make_link(
        person=guest.person, channel=consent.channel, address=consent.address, purpose="page", now=guest.now
    )
    stay_in(request, guest.link.pk, OwnLink.objects.get(token_hash=token_hash(token)).pk)
    return guest_of(token, "page", now=guest.now) or guest


def _ask_code(
    request: HttpRequest, guest: Guest, channel: str, address: str, form: NewCodeForm | None = None
) -> HttpResponse:
    form = form or NewCodeForm(initial={"channel": channel, "address": address})
    if not guest.is_patient:
        form.fields.pop("born", None)
    return shown(request, guest, "new_code", form=form, notice=Channel.WEBPUSH in (channel, form.data.get("channel")))


def _confirm_new(request: HttpRequest, guest: Guest) -> HttpResponse:
    form = NewCodeForm(request.POST)
    if not guest.is_patient:
        del form.fields["born"]
    if not form.is_valid():
        return _ask_code(request, guest, "", "", form)
    channel, address = form.cleaned_data["channel"], form.cleaned_data["address"]
    wrong = gettext("This is not right. Look at the code and at the day again.")
    # A wrong day counts as a wrong code, so that neither can be guessed by trying.
    right_day = not guest.is_patient or form.cleaned_data["born"] == guest.person.patient.date_of_birth
    try:
        if channel == Channel.WEBPUSH:
            _still_agreed(guest, address)
        may_try(guest.person, channel, address, now=guest.now)
        use_code(
            person=guest.person, channel=channel, address=address, purpose="confirm",
            typed=form.cleaned_data["code"] if right_day else "", now=guest.now, ip=address_of(request),
        )  # fmt: skip
    except ReachingError:
        form.add_error(None, wrong)
        return _ask_code(request, guest, channel, address, form)
    had_calendar = _calendars_elsewhere(guest, channel, address)
    token = _take_over(guest, channel, address, now=guest.now, ip=address_of(request))
    if token != guest.token:
        let_in(request, OwnLink.objects.get(token_hash=token_hash(token)).pk, guest.now)
    messages.success(request, gettext("Thank you. We write to you there from now on."))
    if had_calendar:
        ended = gettext("Your calendar does not show the next test any more.")
        again, where = gettext("Make a new address for your calendar"), reverse("own_calendar", args=[token])
        messages.warning(request, format_html('{} <a href="{}">{}</a>.', ended, where, again))
    return redirect("own_choices", token)


def _calendars_elsewhere(guest: Guest, channel: str, address: str) -> bool:
    """Whether a calendar still opens by the address that the new one replaces: it opens by that one alone."""
    standing = latest_consents(guest.person).get(channel)
    if standing is None or standing.address == address:
        return False
    made = OwnLink.objects.filter(patient=guest.person.patient, carer=guest.person.carer, purpose="calendar")
    return any(link.open(guest.now) for link in made.filter(channel=channel, address=standing.address))


def _still_agreed(guest: Guest, browser: str) -> None:
    """Only the browser in which they last said yes; raises ReachingError."""
    standing = latest_consents(guest.person).get(Channel.WEBPUSH)
    if standing is None or not holds(standing) or standing.address != browser:
        raise ReachingError("this browser is not agreed to any more")


@transaction.atomic
def _take_over(guest: Guest, channel: str, address: str, *, now: datetime, ip: str | None) -> str:
    """The new address is theirs: it replaces the old one, and they stay on their page."""
    standing = latest_consents(guest.person).get(channel)
    stands = standing is not None and holds(standing) and standing.address == address
    if not stands and channel != Channel.WEBPUSH:
        if guest.is_patient:
            kind = "phone" if channel == Channel.SMS else "email"
            change_contacts(patient=guest.person.patient, values={kind: address}, by=None, now=now, ip=ip)
        give_consent(person=guest.person, channel=channel, how=How.OWN_PAGE, by=None, now=now, ip=ip)
    if channel == guest.link.channel and address != guest.link.address:
        return make_link(person=guest.person, channel=channel, address=address, purpose="page", now=now)
    return guest.token
