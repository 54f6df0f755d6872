"""Blood that was drawn: noted in one step, and ended by hand when no result will come."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.drawing import DrawError, end_draw, record_draw
from monitoring.alert_forms import DrawForm, EndDrawForm
from monitoring.models import Draw, Treatment
from monitoring.views.finding import address_of, page_before, staff_of, treatment_or_404


@login_required
def drawn(request: HttpRequest, patient_id: int) -> HttpResponse:
    """GET asks when (now, unless said otherwise) and says what follows; POST notes the draw."""
    treatment, now = treatment_or_404(request, patient_id, "record_event"), timezone.now()
    waiting = treatment.draws.filter(ended_at=None).select_related("recorded_by").first()
    with timezone.override(treatment.clinic.zone):
        form = DrawForm(request.POST or None, initial={"drawn_at": timezone.localtime(now)})
        if request.method != "POST" or not form.is_valid():
            return _page(request, treatment, waiting, form, EndDrawForm())
        try:
            record_draw(
                treatment=treatment,
                drawn_at=form.cleaned_data["drawn_at"],
                by=staff_of(request),
                now=now,
                ip=address_of(request),
            )
        except DrawError as error:
            form.add_error("drawn_at", str(error))
            return _page(request, treatment, waiting, form, EndDrawForm())
    messages.success(request, f"Noted: blood drawn from {treatment.patient}. The result is awaited.")
    return redirect(_today(request))


@login_required
def end_drawn(request: HttpRequest, patient_id: int) -> HttpResponse:
    """No result will come of the sample that waits, and this is why."""
    treatment, now = treatment_or_404(request, patient_id, "record_event"), timezone.now()
    waiting = treatment.draws.filter(ended_at=None).select_related("recorded_by").first()
    if waiting is None or request.method != "POST":
        return redirect("drawn", patient_id)
    form = EndDrawForm(request.POST)
    if not form.is_valid():
        with timezone.override(treatment.clinic.zone):
            return _page(request, treatment, waiting, DrawForm(), form)
    try:
        end_draw(
            draw=waiting, reason=form.cleaned_data["reason"], by=staff_of(request), now=now, ip=address_of(request)
        )
    except DrawError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"No result is awaited for {treatment.patient} any more. The test is still owed.")
    return redirect(_today(request))


def _page(
    request: HttpRequest, treatment: Treatment, waiting: Draw | None, form: DrawForm, end: EndDrawForm
) -> HttpResponse:
    page = {
        "treatment": treatment, "patient": treatment.patient, "waiting": waiting, "form": form, "end": end,
        "back": _today(request),
    }  # fmt: skip
    return render(request, "monitoring/drawn.html", page)


def _today(request: HttpRequest) -> str:
    """Today as it was left: filtered, and at the same place of a long list."""
    today, left = reverse("today"), request.POST.get("next") or page_before(request)
    path, _, asked = left.partition("?")
    return f"{today}?{asked}" if path == today and asked else today
