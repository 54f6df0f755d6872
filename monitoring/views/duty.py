"""A person's own duty: shifts, what a colleague asks of them, being away, and the morning's mail."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions import rota as acts
from monitoring.digest import wants_mail
from monitoring.rota_forms import AwayForm, OfferForm
from monitoring.rules.errors import InputError
from monitoring.views.finding import clinic_or_404, staff_of
from monitoring.views.rota import away_means, back_means, two_steps, who_when
from monitoring.views.two_steps import confirmed
from patients.access import clinics_of
from patients.models import Absence, Clinic, Shift, ShiftOffer, Staff
from patients.on_call import on_call_now

HOME = "duty"


@login_required
def duty(request: HttpRequest) -> HttpResponse:
    """What this person has to do with the rota, clinic by clinic."""
    staff, now = staff_of(request), timezone.now()
    sees = set(clinics_of(staff).values_list("pk", flat=True))
    clinics = list(clinics_of(staff, "read_manual").order_by("name"))
    page = {
        "now": now,
        "clinics": [_of_clinic(clinic, staff, now, sees_patients=clinic.pk in sees) for clinic in clinics],
        "asked": _offers(now).filter(taker=staff).select_related("shift__clinic", "giver"),
    }
    return render(request, "monitoring/duty.html", page)


def _of_clinic(clinic: Clinic, staff: Staff, now: datetime, *, sees_patients: bool) -> dict[str, Any]:
    shifts = _shifts(now).filter(clinic=clinic, staff=staff).order_by("starts_at")[:20]
    offers = {offer.shift_id: offer for offer in _offers(now).filter(giver=staff).select_related("taker")}
    deputy = clinic.deputies.filter(staff=staff).select_related("deputy").first()
    usual = clinic.deputies.filter(staff=None).select_related("deputy").first()
    return {
        "clinic": clinic,
        "zone": clinic.zone,
        "sees_patients": sees_patients,
        "on_call": on_call_now(clinic, now),
        "deputy": next((row.deputy for row in (deputy, usual) if row and row.deputy not in (None, staff)), None),
        "shifts": [(shift, offers.get(shift.pk)) for shift in shifts],
        "away": _absences(now, staff).filter(clinic=clinic).select_related("cover").order_by("first_day"),
        "covering": Absence.objects.filter(
            clinic=clinic, cover=staff, cancelled_at=None, last_day__gte=now.astimezone(clinic.zone).date()
        ).select_related("staff").order_by("first_day"),
        "mail": wants_mail(staff, clinic),
    }  # fmt: skip


def _shifts(now: datetime) -> QuerySet[Shift]:
    return Shift.objects.filter(cancelled_at=None, ends_at__gt=now)


def _offers(now: datetime) -> QuerySet[ShiftOffer]:
    return ShiftOffer.objects.waiting().filter(shift__cancelled_at=None, shift__ends_at__gt=now)


def _absences(now: datetime, staff: Staff) -> QuerySet[Absence]:
    """Theirs, as far as they are not over in any zone."""
    return Absence.objects.filter(staff=staff, cancelled_at=None, last_day__gte=now.date())


@login_required
def away(request: HttpRequest, slug: str) -> HttpResponse:
    """I am away; what follows is shown first."""
    clinic, staff = clinic_or_404(request, slug, "see_patients"), staff_of(request)
    form = AwayForm(request.POST or None, clinic=clinic, staff=staff)

    def act() -> str:
        acts.go_away(clinic=clinic, staff=staff, **form.cleaned_data, **who_when(request))
        return f"{form.cleaned_data['cover']} covers for you and is told."

    def follows() -> list[str]:
        return away_means(clinic, staff, form.cleaned_data)

    return two_steps(request, form, f"I am away from {clinic}", reverse(HOME), follows, act, "I am away")


@login_required
def back(request: HttpRequest, absence_id: int) -> HttpResponse:
    """I am back, or do not go."""
    found = Absence.objects.filter(staff=staff_of(request)).select_related("staff", "cover")
    absence, said = get_object_or_404(found, pk=absence_id), "Your alerts come to you again."
    if absence.cancelled_at and not confirmed(request):
        raise Http404
    if absence.cancelled_at:
        messages.success(request, said)
        return redirect(HOME)

    def act() -> str:
        acts.come_back(absence=absence, **who_when(request))
        return said

    return two_steps(
        request,
        Form(request.POST or None),
        "Back earlier?",
        reverse(HOME),
        lambda: back_means(absence),
        act,
        "I am back",
    )


@login_required
def ask_colleague(request: HttpRequest, shift_id: int) -> HttpResponse:
    """Hand my shift over: it stays mine until the colleague accepts. What was asked already can be withdrawn."""
    staff = staff_of(request)
    shift = get_object_or_404(_shifts(timezone.now()).select_related("clinic"), pk=shift_id, staff=staff)
    waiting = ShiftOffer.objects.waiting().filter(shift=shift).first()
    if waiting is not None and "withdraw" in request.POST:
        try:
            acts.withdraw_offer(offer=waiting, **who_when(request))
        except InputError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "You no longer ask; the shift is yours.")
        return redirect(HOME)
    form = OfferForm(request.POST or None, clinic=shift.clinic, giver=staff)
    start = f"{shift.starts_at.astimezone(shift.clinic.zone):%Y-%m-%d %H:%M}"

    def follows() -> list[str]:
        return [
            f"{form.cleaned_data['taker']} is asked by e-mail to take your shift of {start}.",
            "Until they accept, you are on call.",
        ]

    def act() -> str:
        acts.offer_shift(shift=shift, taker=form.cleaned_data["taker"], **who_when(request))
        return f"{form.cleaned_data['taker']} is asked. Until they accept, the shift is yours."

    return two_steps(request, form, f"Hand over my shift of {start}", reverse(HOME), follows, act, "Ask them")


@login_required
def answer_offer(request: HttpRequest, offer_id: int) -> HttpResponse:
    """A colleague's shift: I take it, or I do not. Both are one button each, after what it means."""
    found = ShiftOffer.objects.filter(taker=staff_of(request)).select_related("shift__clinic", "giver")
    offer = get_object_or_404(found, pk=offer_id)
    if request.method == "POST" and ("accept" in request.POST or "decline" in request.POST):
        try:
            acts.answer_offer(offer=offer, accept="accept" in request.POST, **who_when(request))
        except InputError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "You are on call then." if "accept" in request.POST else "You do not take it.")
        return redirect(HOME)
    return render(request, "monitoring/answer_offer.html", {"offer": offer, "zone": offer.shift.clinic.zone})


@login_required
@require_POST
def daily_mail(request: HttpRequest, slug: str) -> HttpResponse:
    """The morning's mail, on or off."""
    clinic = clinic_or_404(request, slug, "read_manual")
    wanted = "on" in request.POST
    acts.want_daily_mail(staff=staff_of(request), clinic=clinic, wanted=wanted, **who_when(request))
    messages.success(request, f"The morning's mail of {clinic} {'comes at 07:30' if wanted else 'no longer comes'}.")
    return redirect(HOME)
