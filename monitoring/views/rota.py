"""A clinic's rota, for its admins: shifts and gaps, deputies, and who is away."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.rota import add_shifts, come_back, go_away, name_deputy, take_out
from monitoring.rota_forms import AwayForForm, DeputyForm, ShiftForm
from monitoring.rules.errors import InputError
from monitoring.views.finding import address_of, clinic_or_404, staff_of
from monitoring.views.setting_up import setting_page
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.models import Absence, Clinic, Shift, Staff
from patients.on_call import on_call_now, standing, stretches

AHEAD = timedelta(days=28)


@login_required
def rota(request: HttpRequest, slug: str) -> HttpResponse:
    """Four weeks of shifts with the gaps between them; deputies; who is away."""
    clinic, now = clinic_or_404(request, slug), timezone.now()
    shifts = standing(clinic, now, now + AHEAD)
    rows = stretches(shifts, now, now + AHEAD)
    offers = {shift.pk: offer for shift in shifts for offer in shift.offers_waiting}  # type: ignore[attr-defined]  # prefetched by standing
    page = {
        "clinic": clinic,
        "zone": clinic.zone,
        "now": now,
        "on_call": on_call_now(clinic, now),
        "rows": [(row, offers.get(row.shift.pk) if row.shift else None) for row in rows],
        "gaps": sum(row.shift is None for row in rows),
        "any_shift": bool(shifts),
        "deputies": clinic.deputies.select_related("staff", "deputy").order_by("staff__last_name", "pk"),
        "away": absences_to_come(clinic, now),
    }
    return render(request, "monitoring/rota.html", page)


def absences_to_come(clinic: Clinic, now: datetime) -> list[Absence]:
    """Of today and later, the first first."""
    today = now.astimezone(clinic.zone).date()
    found = clinic.absences.filter(cancelled_at=None, last_day__gte=today)
    return list(found.select_related("staff", "cover").order_by("first_day", "pk"))


@login_required
def add_shift(request: HttpRequest, slug: str) -> HttpResponse:
    """A shift, or the same one in several weeks."""
    clinic = clinic_or_404(request, slug)
    form = ShiftForm(request.POST or None, clinic=clinic)

    def follows() -> list[str]:
        said = form.cleaned_data
        more = f", and in the same hours of the next {said['weeks'] - 1} weeks" if said["weeks"] > 1 else ""
        return [
            (
                f"{said['staff']} is on call at {clinic} from {said['first_day']} {said['starts']:%H:%M} to"
                f" {said['last_day']} {said['ends']:%H:%M}, {clinic.time_zone} time{more}; told by e-mail now."
            ),
            (
                "Alerts that neither owner nor deputy has answered go to them; outside all shifts they go to"
                f" {clinic.on_call_email}."
            ),
        ]

    def act() -> str:
        made = add_shifts(clinic=clinic, **form.cleaned_data, **who_when(request))
        return f"{form.cleaned_data['staff']} is on call: {len(made)} shift{'s' if len(made) > 1 else ''} added."

    return two_steps(request, form, f"{clinic}: a shift on call", reverse("rota", args=[slug]), follows, act, "Add it")


@login_required
def cancel_shift(request: HttpRequest, slug: str, shift_id: int) -> HttpResponse:
    """Take a shift out; what then tells whom is said before."""
    clinic = clinic_or_404(request, slug)
    shift = get_object_or_404(Shift.objects.filter(clinic=clinic).select_related("staff"), pk=shift_id)
    form, start = Form(request.POST or None), shift.starts_at.astimezone(clinic.zone)

    def follows() -> list[str]:
        return [
            f"{shift.staff} is no longer on call from {start:%Y-%m-%d %H:%M}.",
            f"Unless another shift takes its place, alerts of that time go to {clinic.on_call_email}.",
        ]

    def act() -> str:
        take_out(shift=shift, **who_when(request))
        return f"The shift of {start:%Y-%m-%d %H:%M} is taken out."

    return two_steps(request, form, "Take this shift out?", reverse("rota", args=[slug]), follows, act, "Take it out")


@login_required
def set_deputy(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is told when somebody does not answer in time."""
    clinic = clinic_or_404(request, slug)
    form = DeputyForm(request.POST or None, clinic=clinic)

    def follows() -> list[str]:
        whom, deputy = form.cleaned_data["staff"], form.cleaned_data["deputy"]
        whose = (
            f"{whom} does" if whom else "the owner (one without a deputy of their own) or nobody owns it and they do"
        )
        then = f"{deputy} is told" if deputy else "whoever is on call is told, without a deputy between"
        return [f"When {whose} not answer an alert in time, {then}."]

    def act() -> str:
        name_deputy(clinic=clinic, **form.cleaned_data, **who_when(request))
        return "The deputy is named." if form.cleaned_data["deputy"] else "There is no such deputy any more."

    return two_steps(request, form, f"{clinic}: a deputy", reverse("rota", args=[slug]), follows, act, "Name them")


@login_required
def set_away(request: HttpRequest, slug: str) -> HttpResponse:
    """For somebody who cannot say it themselves, such as because they are ill."""
    clinic = clinic_or_404(request, slug)
    form = AwayForForm(request.POST or None, clinic=clinic)

    def act() -> str:
        go_away(clinic=clinic, **form.cleaned_data, **who_when(request))
        return f"{form.cleaned_data['cover']} covers for {form.cleaned_data['staff']} and is told."

    def follows() -> list[str]:
        return away_means(clinic, form.cleaned_data["staff"], form.cleaned_data)

    return two_steps(
        request,
        form,
        f"{clinic}: somebody is away",
        reverse("rota", args=[slug]),
        follows,
        act,
        "They are away",
    )


@login_required
def end_away(request: HttpRequest, slug: str, absence_id: int) -> HttpResponse:
    """Somebody is back, or does not go."""
    found = Absence.objects.filter(clinic=clinic_or_404(request, slug)).select_related("staff", "cover")
    absence = get_object_or_404(found, pk=absence_id)
    form = Form(request.POST or None)

    def act() -> str:
        come_back(absence=absence, **who_when(request))
        return f"{absence.staff} answers again."

    return two_steps(
        request, form, "Back earlier?", reverse("rota", args=[slug]), lambda: back_means(absence), act, "Back"
    )


def away_means(clinic: Clinic, staff: Staff, said: Mapping[str, Any]) -> list[str]:
    """What follows from an absence, in sentences."""
    first, last, cover = said["first_day"], said["last_day"], said["cover"]
    found = [
        (
            f"From {first} to {last} ({clinic}'s calendar) the alerts of {staff}'s patients go to {cover}, who owns"
            f" them; open ones go over on the first day. {cover} is told by e-mail now."
        ),
        f"What {cover} owns when {staff} is back stays with {cover} until it is resolved or handed over.",
    ]
    begins = datetime.combine(first, time(), clinic.zone)
    ends = datetime.combine(last + timedelta(days=1), time(), clinic.zone)
    if any(shift.staff_id == staff.pk for shift in standing(clinic, begins, ends)):
        found.append(f"{staff} is on call in that time: {cover} answers then, unless the shift is handed over.")
    covered = Absence.objects.filter(
        clinic=clinic, cover=staff, cancelled_at=None, first_day__lte=last, last_day__gte=first
    ).select_related("staff")
    found += [
        f"{staff} covers for {one.staff} in that time: {one.staff}'s alerts then go to the deputy." for one in covered
    ]
    return found


def back_means(absence: Absence) -> list[str]:
    """What follows from being back."""
    return [
        f"{absence.staff} has their own alerts again from now on; {absence.cover} hears that they no longer cover.",
        f"Alerts that {absence.cover} owns by now stay with {absence.cover} until they are resolved or handed over.",
    ]


def who_when(request: HttpRequest) -> dict[str, Any]:
    """By whom, when and from where: for an action."""
    return {"by": staff_of(request), "now": timezone.now(), "ip": address_of(request)}


def two_steps(
    request: HttpRequest, form: Form, title: str, back: str, follows: Callable[[], list[str]], act: Callable[[], str],
    go_on: str,
) -> HttpResponse:  # fmt: skip
    """The form, then what follows, then the act; what is refused is said at its field."""
    if typed(request, form) and confirmed(request):
        try:
            said = act()
        except InputError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
            return setting_page(request, title, form, back=back)
        messages.success(request, said)
        return redirect(back)
    if typed(request, form) or not form.fields:
        return confirm_page(request, title=title, form=form, consequences=follows(), go_on=go_on, back=back)
    return setting_page(request, title, form, back=back)
