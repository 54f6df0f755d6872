"""Settings: how a clinic's reminders read, and what its patients are told of it."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.reminding.wordings import names_at, preview, set_wording
from monitoring.reminding.words import LONGEST, WEEKDAYS, objections, own_wordings, said, texts
from monitoring.rules.errors import InputError
from monitoring.rules.reminders import KINDS
from monitoring.views.finding import address_of, clinic_or_404, staff_of
from monitoring.views.setting_up import setting_page
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.desk import set_front_desk
from patients.models import Clinic
from patients.reaching import FrontDesk, Language

IN_WORDS = {
    "before": "Some days before the test", "evening": "The evening before", "day": "On the day",
    "missed": "After a missed test", "collect": "Tablets to collect", "tablets": "Tablets run out soon",
    "moved": "The day has moved", "confirm": "Confirm the number again",
}  # fmt: skip
EXAMPLE_LINK = "https://…/my/…/"


class WordingForm(forms.Form):
    """One text."""

    body = forms.CharField(
        label="How it reads", required=False, max_length=4 * LONGEST, widget=forms.Textarea({"rows": 4}),
        help_text="Filled in by itself: [link], [phone], and [day] some days before. No names, no numbers, no drug."
        " Empty: the words of the product.",
    )  # fmt: skip
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS], widget=forms.HiddenInput)
    language = forms.ChoiceField(choices=Language.choices, widget=forms.HiddenInput)


class FrontDeskForm(forms.Form):
    """What patients are told."""

    phone = forms.CharField(label="Telephone for patients", max_length=40)
    place = forms.CharField(label="Where blood is drawn", widget=forms.Textarea({"rows": 3}), max_length=400)
    emergency_number = forms.CharField(label="Emergency number", max_length=12, help_text="Such as 911, 112 or 999.")
    emergency_place = forms.CharField(label="Where to go in an emergency", max_length=200)


@login_required
def wording(request: HttpRequest, slug: str) -> HttpResponse:
    """Every text with its preview; one of them to change."""
    clinic = clinic_or_404(request, slug)
    kind, language = request.GET.get("kind", ""), request.GET.get("language", "")
    if request.method == "POST":
        return _change(request, clinic)
    if kind in KINDS and language in Language.values:
        own = own_wordings().get((clinic.pk, kind, language), "")
        form = WordingForm(initial={"body": own or texts(language).bodies[kind], "kind": kind, "language": language})
        return _asked(request, clinic, form, kind, language)
    return render(request, "monitoring/wordings.html", {"clinic": clinic, "rows": _rows(clinic)})


@login_required
def front_desk(request: HttpRequest, slug: str) -> HttpResponse:
    """Telephone, place and emergency number, as patients read them."""
    clinic = clinic_or_404(request, slug)
    known = FrontDesk.objects.filter(clinic=clinic).first() or FrontDesk(clinic=clinic)
    form = FrontDeskForm(
        request.POST or None, initial={name: getattr(known, name) for name in FrontDeskForm.base_fields}
    )
    if typed(request, form):
        given = form.cleaned_data
        if confirmed(request):
            set_front_desk(clinic=clinic, by=staff_of(request), now=timezone.now(), ip=address_of(request), **given)
            messages.success(request, f"Patients of {clinic} read this from now on.")
            return redirect("settings")
        lines = [
            f"Every message that says whom to call says {given['phone']}.",
            f"Patients' own pages say where the test is: {given['place']}.",
            f"In an emergency they are told to call {given['emergency_number']} or go to {given['emergency_place']}.",
        ]
        return confirm_page(
            request, title=f"Tell the patients of {clinic} this?", form=form, consequences=lines, go_on="Tell them so",
            back=reverse("settings"),
        )  # fmt: skip
    return setting_page(request, f"{clinic}: what patients are told", form)


def _change(request: HttpRequest, clinic: Clinic) -> HttpResponse:
    form = WordingForm(request.POST)
    if not form.is_valid() and not {"kind", "language"} <= set(form.cleaned_data):
        return redirect("wording", clinic.slug)
    kind, language = form.cleaned_data["kind"], form.cleaned_data["language"]
    body = " ".join(form.cleaned_data.get("body", "").split())
    if body and (found := objections(body, kind=kind, names=names_at(clinic))):
        for sentence in found:
            form.add_error("body", sentence[:1].upper() + sentence[1:] + ".")
    if form.errors or not typed(request, form):
        return _asked(request, clinic, form, kind, language)
    if not confirmed(request):
        return confirm_page(
            request, title=f"{IN_WORDS[kind]}: send it so?", form=form, go_on="Use these words",
            consequences=_consequences(clinic, body or texts(language).bodies[kind], language),
            back=reverse("wording", args=[clinic.slug]),
        )  # fmt: skip
    try:
        set_wording(
            clinic=clinic, kind=kind, language=language, body=body, by=staff_of(request), now=timezone.now(),
            ip=address_of(request),
        )  # fmt: skip
    except InputError as error:
        form.add_error("body", error.message)
        return _asked(request, clinic, form, kind, language)
    messages.success(request, f"{IN_WORDS[kind]} ({Language(language).label}) reads so from the next reminder on.")
    return redirect("wording", clinic.slug)


def _consequences(clinic: Clinic, body: str, language: str) -> list[str]:
    read = preview(clinic, body, language, link=EXAMPLE_LINK, day=said(WEEKDAYS[1], language))
    lines = [f"{channel} ({len(text)} letters): “{text}”" for channel, text in read.items()]
    return [
        *lines,
        "What is queued and not sent yet is changed too.",
        "It names nobody, no drug, no number and no result.",
    ]


def _rows(clinic: Clinic) -> list[dict[str, object]]:
    own = own_wordings()
    return [
        {
            "kind": kind,
            "label": IN_WORDS[kind],
            "language": language,
            "spoken": Language(language).label,
            "own": bool(own.get((clinic.pk, kind, language))),
            "read": next(iter(preview(
                clinic, own.get((clinic.pk, kind, language)) or texts(language).bodies[kind], language,
                link=EXAMPLE_LINK, day=said(WEEKDAYS[1], language),
            ).values())),
        }
        for kind in KINDS for language in Language.values
    ]  # fmt: skip


def _asked(request: HttpRequest, clinic: Clinic, form: WordingForm, kind: str, language: str) -> HttpResponse:
    title = f"{IN_WORDS[kind]}, {Language(language).label}"
    page = {"title": title, "form": form, "back": reverse("wording", args=[clinic.slug]), "go_on": "Show how it reads"}
    return render(request, "monitoring/settings_form.html", page)
