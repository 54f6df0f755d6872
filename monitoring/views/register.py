"""New patients, singly or from a file. What was typed is shown back in words before it is saved."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions.registering import age_on, check_person, enrol, same_mrn, same_person
from monitoring.feeds.people import FIELDS, Line, check_lines, left_over, read_lines, register_lines, text_of
from monitoring.register_forms import PeopleFileForm, PeopleForm, RegisterForm
from monitoring.rules.errors import InputError
from monitoring.views.finding import staff_of
from monitoring.views.seen import confirmed, mark, mark_of
from patients.access import clinics_of
from patients.models import Clinic

VERB = "register"
SHOWN = 100


def _clinics(request: HttpRequest) -> list[Clinic]:
    clinics = list(clinics_of(staff_of(request), VERB))
    if not clinics:
        raise Http404
    return clinics


def born_in_words(born: date, clinic: Clinic, now: datetime) -> str:
    """The date of birth so that a slip is seen: 17 May 1980, 46 years old."""
    age = age_on(now.astimezone(clinic.zone).date(), born)
    return f"{born:%A} {born.day} {born:%B %Y}, {age} year{'' if age == 1 else 's'} old"


@login_required
def register(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST shows the person in words, and registers only when that was confirmed."""
    form = RegisterForm(request.POST or None, clinics=_clinics(request))
    if request.method != "POST" or not form.is_valid():
        return render(request, "monitoring/register.html", {"form": form})
    now, person, clinic = timezone.now(), form.person(), form.at
    try:
        if not confirmed(request):
            check_person(person, clinic=clinic, now=now)
            page = {
                "form": form,
                "person": person,
                "clinic": clinic,
                "born": born_in_words(person.date_of_birth, clinic, now),
                "taken": same_mrn(person, clinic),
                "same": same_person(person, clinic),
                "clinician": form.prescribers.get(form.cleaned_data["clinician"]),
                "seen": mark(request),
            }
            return render(request, "monitoring/register.html", page)
        chosen = form.prescribers.get(form.cleaned_data["clinician"])
        treatment = enrol(
            clinic=clinic, person=person, by=staff_of(request), now=now, another=form.cleaned_data["another"],
            clinician=chosen.staff if chosen else None,
        )  # fmt: skip
    except InputError as error:
        _add(form, error)
        found = same_person(person, clinic) if error.field == "another" else None
        return render(request, "monitoring/register.html", {"form": form, "same": found})
    messages.success(request, f"{treatment.patient} is registered.")
    return redirect("take_over" if form.cleaned_data["running"] == "yes" else "patient", treatment.patient_id)


def _add(form: Any, error: InputError) -> None:
    form.add_error(
        error.field if error.field in form.fields else None, f"{error.message[:1].upper()}{error.message[1:]}."
    )


@login_required
def register_from_file(request: HttpRequest) -> HttpResponse:
    """A file becomes lines; each line is shown with what would become of it, and only then registered."""
    clinics = _clinics(request)
    if request.method == "POST" and "lines" in request.POST:
        return _lines_page(request, clinics, request.POST["lines"], sent=True)
    form = PeopleFileForm(request.POST or None, request.FILES or None, clinics=clinics)
    if request.method == "POST" and form.is_valid():
        try:
            text = text_of(form.cleaned_data["file"].read())
            read_lines(text)
        except InputError as error:
            _add(form, error)
        else:
            return _lines_page(request, clinics, text, sent=False)
    return render(request, "monitoring/register_file.html", {"form": form})


def _lines_page(request: HttpRequest, clinics: list[Clinic], text: str, *, sent: bool) -> HttpResponse:
    """The lines with what is wrong in each; registered when that was confirmed, and what is left comes back."""
    try:
        names, lines = read_lines(text)
    except InputError as error:
        form = PeopleFileForm(None, clinics=clinics)
        messages.error(request, error.message)
        return render(request, "monitoring/register_file.html", {"form": form})
    form, now = _people_form(request, clinics, names, text, sent=sent), timezone.now()
    if not form.is_valid():
        return render(request, "monitoring/register_lines.html", {"form": form})
    check_lines(lines, names=names, columns=form.cleaned_data, clinic=form.at, now=now)
    saved = confirmed(request)
    if saved:
        another = {line.number for line in lines if f"another-{line.number}" in request.POST}
        register_lines(lines, clinic=form.at, another=another, by=staff_of(request), now=now)
        left = [line for line in lines if not line.done]
        rest = left_over(names, lines) if left else ""
        form = _again(form, clinics, names, rest)
    shown = {name: [form.data.get(name) or ""] for name in ("clinic", *FIELDS, "lines")}
    page = _lines_in_words(form, lines, now) | {"saved": saved, "seen": mark_of(shown)}
    return render(request, "monitoring/register_lines.html", page)


def _people_form(request: HttpRequest, clinics: list[Clinic], names: list[str], text: str, *, sent: bool) -> PeopleForm:
    if sent:
        return PeopleForm(request.POST, clinics=clinics, names=names)
    guess = PeopleForm(None, clinics=clinics, names=names)
    given = {ours: guess.fields[ours].initial for ours in FIELDS}
    return PeopleForm({**given, "lines": text, "clinic": request.POST.get("clinic", "")}, clinics=clinics, names=names)


def _again(form: PeopleForm, clinics: list[Clinic], names: list[str], rest: str) -> PeopleForm:
    renewed = PeopleForm({**form.data.dict(), "lines": rest}, clinics=clinics, names=names)  # type: ignore[attr-defined]  # a QueryDict
    renewed.full_clean()
    return renewed


def _lines_in_words(form: PeopleForm, lines: list[Line], now: datetime) -> dict[str, object]:
    good = [line for line in lines if line.person and not line.message]
    clinic = form.clinics[form.data.get("clinic") or next(iter(form.clinics))]
    shown = [(line, born_in_words(line.person.date_of_birth, clinic, now)) for line in good if line.person]
    return {
        "form": form,
        "clinic": clinic,
        "good": shown[:SHOWN],
        "more": max(len(shown) - SHOWN, 0),
        "asks": sum(line.asks for line in good),
        "count": len(good),
        "wrong": [line for line in lines if line.message],
        "fields": FIELDS,
    }
