"""Taking over a running treatment: what is told, what monitoring will be, and only then saved."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions import taking_over
from monitoring.actions.taking_over import foresee_take_over
from monitoring.models import Treatment
from monitoring.register_forms import TakeOverForm
from monitoring.rules.errors import ImplausibleError, InputError
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.seen import confirmed, mark
from monitoring.views.take_over_words import history_in_words, told_in_words
from monitoring.views.words import advice_card


@login_required
def take_over(request: HttpRequest, patient_id: int) -> HttpResponse:
    """GET shows the form; POST shows what monitoring will be, and saves only when that was confirmed."""
    treatment = treatment_or_404(request, patient_id, "register")
    form = TakeOverForm(request.POST or None, treatment=treatment)
    if request.method != "POST" or not form.is_valid():
        return _page(request, treatment, form)
    now = timezone.now()
    try:
        told = form.told()
        if not confirmed(request):
            judgement = foresee_take_over(treatment=treatment, told=told, now=now)
            words = told_in_words(told, treatment)
            return _page(
                request, treatment, form, card=advice_card(judgement, treatment), words=words, seen=mark(request)
            )
        taking_over.take_over(treatment=treatment, told=told, by=staff_of(request), now=now, ip=address_of(request))
    except InputError as error:
        form.may_confirm = isinstance(error, ImplausibleError)
        field = error.field if error.field in form.fields else None
        form.add_error(field, f"{error.message[:1].upper()}{error.message[1:]}.")
        return _page(request, treatment, form)
    messages.success(request, "The treatment is taken over.")
    return redirect("patient", treatment.patient_id)


def _page(request: HttpRequest, treatment: Treatment, form: TakeOverForm, **more: object) -> HttpResponse:
    page = {
        "treatment": treatment,
        "patient": treatment.patient,
        "form": form,
        "known": history_in_words(treatment),
        "errors": form.is_bound and form.wrong,
    }
    return render(request, "monitoring/take_over.html", page | more)
