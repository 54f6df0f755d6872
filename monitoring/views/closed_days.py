"""The days on which a clinic takes no blood: added by hand or from a country's holidays, and opened again."""

from collections.abc import Mapping
from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.setting_up import draws_moved_by
from monitoring.setting_forms import ClosedDayForm, PublicHolidaysForm
from monitoring.views.finding import address_of, clinic_or_404, staff_of
from monitoring.views.row_words import written
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.closed_days import close_days, open_again
from patients.models import Clinic

EARLIER = (
    "Tests that are due on a closed day are listed for the open day before, never later; tests due more often"
    " than once a week stay where they are. Due dates, and when a test is late, stay the protocol's."
)


@login_required
def closed_days(request: HttpRequest, slug: str) -> HttpResponse:
    """What is closed from today on, and two ways to close more; what follows is shown before."""
    clinic = clinic_or_404(request, slug)
    today = timezone.now().astimezone(clinic.zone).date()
    by_country = "country" in request.POST
    one = ClosedDayForm(None if by_country else request.POST or None)
    one.today = today
    many = PublicHolidaysForm(request.POST if by_country else None, today=today)
    form = many if by_country else one
    if typed(request, form) and (answer := _close(request, clinic, form, form.days())):
        return answer
    standing = clinic.closed_days.filter(ended_at=None, day__gte=today).order_by("day")
    page = {"clinic": clinic, "one": one, "many": many, "standing": standing, "earlier": EARLIER}
    return render(request, "monitoring/closed_days.html", page)


@login_required
def open_day(request: HttpRequest, slug: str, closed_id: int) -> HttpResponse:
    """GET shows what it means; POST opens the day again, and a second press finds it open."""
    clinic = clinic_or_404(request, slug)
    found = get_object_or_404(clinic.closed_days, pk=closed_id)
    if request.method == "POST":
        open_again(closed=found, by=staff_of(request), now=timezone.now(), ip=address_of(request))
        messages.success(request, f"{in_words(found.day, found.name)}: open again.")
        return redirect("closed_days", clinic.slug)
    if found.ended_at:
        raise Http404
    return render(request, "monitoring/open_day.html", {"clinic": clinic, "said": in_words(found.day, found.name)})


def in_words(day: date, name: str) -> str:
    """Fri 25 Dec 2026, Christmas Day."""
    return f"{written(day)} {day.year}, {name}"


def _close(
    request: HttpRequest, clinic: Clinic, form: ClosedDayForm | PublicHolidaysForm, days: Mapping[date, str]
) -> HttpResponse | None:
    closed = set(clinic.closed_days.filter(ended_at=None, day__in=days).values_list("day", flat=True))
    new = {day: name for day, name in days.items() if day not in closed}
    if not new:
        messages.info(request, "Nothing to close: those days are past, on weekends, or closed already.")
        return None
    if not confirmed(request):
        moved = draws_moved_by(clinic, new)
        follows = [*(f"Closed on {in_words(day, name)}." for day, name in new.items()), EARLIER]
        follows.append(f"Tests that are due on these days now: {moved}.")
        title = f"Close {clinic} on {len(new)} day{'s' * (len(new) > 1)}?"
        back = reverse("closed_days", args=[clinic.slug])
        return confirm_page(request, title=title, form=form, consequences=follows, go_on="Close them so", back=back)
    made = close_days(clinic=clinic, days=new, by=staff_of(request), now=timezone.now(), ip=address_of(request))
    messages.success(request, f"{clinic} is closed on {len(made)} more day{'s' * (len(made) != 1)}.")
    return redirect("closed_days", clinic.slug)
