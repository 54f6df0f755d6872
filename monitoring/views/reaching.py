"""How a patient and their carers are reached: consent, confirmed addresses, wishes, and what was sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.models import Treatment
from monitoring.reminding.agreeing import links_open
from monitoring.reminding.browsers import browser_of
from monitoring.unreached import CHANNELS
from monitoring.views.acts.reaching import BY_A_NUMBER
from monitoring.views.acts.table import ACTS
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from notifications.bounces import bounced_twice
from notifications.models import Delivery, PushSubscription
from patients import audit
from patients.access import may
from patients.consenting import Person, ReachingError, confirmed_at, holds, latest_consents, use_code, wishes_of
from patients.reaching import CONFIRMED_FOR, Carer, Channel, Consent, How, Wishes

SHOWN = 30
STEPS = {
    "early": "before the test", "evening": "the evening before", "day": "on the day", "missed1": "missed, day 1",
    "missed3": "missed, day 3", "missed6": "missed, day 6", "collect": "tablets to collect",
    "tablets": "tablets run out soon", "moved": "the day has moved", "confirm": "confirm the number anew",
    "code": "code", "link": "link to their own page",
}  # fmt: skip
OFFERED = ("contact", "consent", "end-consent", "wishes", "carer", "end-carer", "own-link", "revoke-links")


class CodeForm(forms.Form):
    """The code that came to the person, as they read it out."""

    code = forms.CharField(
        label="Code that they read out", max_length=12,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    who = forms.CharField(widget=forms.HiddenInput, required=False)
    channel = forms.ChoiceField(choices=BY_A_NUMBER, widget=forms.HiddenInput)
    """A notice's code is typed on the person's own page, beside the day of birth."""


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of one person, and where it stands."""

    consent: Consent
    label: str
    tone: str
    state: str
    until: datetime | None
    form: CodeForm | None
    browser: PushSubscription | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One person on the page."""

    name: str
    ways: Sequence[Way]
    wishes: Wishes
    links: int


@login_required
def reaching(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The page; opening it is audited as the patient's own page is."""
    treatment, now = treatment_or_404(request, patient_id), timezone.now()
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    return _page(request, treatment, now)


@login_required
@require_POST
def confirm_address(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The code was read out by whoever reads at that address."""
    treatment, now = treatment_or_404(request, patient_id, "register"), timezone.now()
    form = CodeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Not confirmed: type the six digits that they read out.")
        return redirect("reaching", patient_id)
    carer = treatment.patient.carers.filter(pk=form.cleaned_data["who"] or 0).first()
    person, channel = Person(treatment.patient, carer), form.cleaned_data["channel"]
    consent = latest_consents(person).get(channel)
    try:
        use_code(
            person=person, channel=channel, address=consent.address if consent else "", purpose="confirm",
            typed=form.cleaned_data["code"], now=now, by=staff_of(request), ip=address_of(request),
        )  # fmt: skip
    except ReachingError as error:
        messages.error(request, f"Not confirmed: {error}.")
    else:
        messages.success(request, "Confirmed. Reminders are sent there from now on.")
    return redirect("reaching", patient_id)


def _page(request: HttpRequest, treatment: Treatment, now: datetime) -> HttpResponse:
    patient, carers = treatment.patient, treatment.patient.carers.filter(ended_at=None).order_by("pk")
    writes = may(staff_of(request), "register", treatment.clinic_id) and not treatment.merged_into_id
    offers = [(ACTS[name].title, ACTS[name].lead, reverse("act", args=[patient.pk, name])) for name in OFFERED]
    page = {
        "treatment": treatment,
        "patient": patient,
        "people": [_shown(Person(patient, carer), writes, now) for carer in (None, *carers)],
        "offers": offers if writes else [],
        "sent": _sent(treatment),
        "now": now,
    }
    return render(request, "monitoring/reaching.html", page)


def _shown(person: Person, writes: bool, now: datetime) -> Shown:
    name = str(person.carer or person.patient)
    return Shown(name, list(_ways(person, writes, now)), wishes_of(person), links_open(person, now))


def _ways(person: Person, writes: bool, now: datetime) -> Iterator[Way]:
    for channel, consent in latest_consents(person).items():
        confirmed = confirmed_at(person, channel, consent.address)
        until = confirmed + CONFIRMED_FOR if confirmed else None
        pushed = channel == Channel.WEBPUSH
        browser = browser_of(consent) if pushed else None
        gone = _gone(consent, browser) if pushed else ""
        dead = channel in CHANNELS and bounced_twice(channel, address=consent.address).exists()
        tone, state = ("warn", gone) if gone else _state(consent, until, now, dead)
        form = CodeForm(
            initial={"who": _pk(person.carer), "channel": channel}, auto_id=f"{channel}{_pk(person.carer)}_%s"
        )
        asks = (
            writes and not pushed and not dead and holds(consent) and (until is None or until < now or tone == "warn")
        )
        label, until = Channel(channel).label, None if gone or dead else until
        yield Way(consent, label, tone, state, until, form if asks else None, browser)


def _gone(consent: Consent, browser: PushSubscription | None) -> str:
    """What to do about a browser that takes no more notices; empty while it does, and where the person ended them."""
    if consent.how == How.GONE or (consent.given and (browser is None or browser.ended_at)):
        return (
            "notices no longer arrive in that browser. Ask them to open their page, My reminders, and choose"
            " “Show notices here” again; until then use another channel"
        )
    return ""


def _state(consent: Consent, until: datetime | None, now: datetime, dead: bool) -> tuple[str, str]:
    """In words, and how much it matters."""
    if not consent.given:
        return "", "consent ended"
    if not holds(consent):
        return "warn", "this number or address has changed since: ask for consent to the new one"
    if dead:
        return "warn", "two messages came back, so nothing more is sent there: ask for the new number or e-mail"
    if until is None:
        return "warn", "not confirmed yet: nothing is sent there"
    if until <= now:
        return "warn", "confirmed too long ago: nothing is sent there until it is confirmed anew"
    return "calm", "reminders are sent"


def _pk(carer: Carer | None) -> str:
    return str(carer.pk) if carer else ""


def _sent(treatment: Treatment) -> list[dict[str, object]]:
    """What was owed to this patient and their carers, the newest first, without its words."""
    mine = Delivery.objects.filter(about__startswith=f"reminder:{treatment.pk}:")
    codes = Delivery.objects.filter(about__regex=f"^own:(code|link):[a-z]+:{treatment.patient_id}:")
    rows = sorted([*mine.order_by("-due_at")[:SHOWN], *codes.order_by("-due_at")[:SHOWN]], key=lambda row: row.due_at)
    return [
        {
            "row": row, "step": STEPS.get(_step(row.about), "message"), "state": _fate(row),
            "to": "a browser" if row.channel == Channel.WEBPUSH else row.address,
        }
        for row in reversed(rows)
    ][:SHOWN]  # fmt: skip


def _step(about: str) -> str:
    parts = about.split(":")
    return parts[1] if parts[0] == "own" else parts[-1]


def _fate(row: Delivery) -> str:
    if row.sent_at:
        return "sent"
    if row.dead_at:
        return "taken back" if row.last_error == "withdrawn" else "not delivered"
    return "waits"
