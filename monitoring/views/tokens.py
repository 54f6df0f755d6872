"""Programs that speak for a clinic: their tokens are shown once and can be taken back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.setting_up import issue_and_tell
from monitoring.rules.errors import InputError
from monitoring.setting_forms import VERBS_IN_WORDS, TokenForm
from monitoring.views.finding import clinic_or_404, staff_of
from monitoring.views.two_steps import confirm_page, confirmed, typed
from patients.actions import revoke_token


@login_required
def tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """Every program with its verbs, and a new one: its token stands on the answer to this very request."""
    clinic = clinic_or_404(request, slug)
    form, back = TokenForm(request.POST or None), reverse("tokens", args=[clinic.slug])
    issued = None
    if typed(request, form):
        name, verbs = form.cleaned_data["name"], form.cleaned_data["verbs"]
        if not confirmed(request):
            follows = [
                f"Whoever holds the token may, for {clinic}: {'; '.join(VERBS_IN_WORDS[verb] for verb in verbs)}.",
                "The token is shown once, on the next page. The on-call address is told that there is a new one.",
            ]
            title = f"Give {name} a token?"
            return confirm_page(request, title=title, form=form, consequences=follows, go_on="Give it", back=back)
        try:
            issued = issue_and_tell(clinic=clinic, name=name, verbs=verbs, by=staff_of(request), now=timezone.now())
            form = TokenForm()
        except InputError as error:
            form.add_error("name", error.message)
    rows = [
        (row, [VERBS_IN_WORDS.get(verb, verb) for verb in row.verbs])
        for row in clinic.integrations.order_by("revoked_at", "-created_at")
    ]
    page = {"clinic": clinic, "form": form, "rows": rows, "issued": issued}
    return render(request, "monitoring/tokens.html", page)


@login_required
def revoke(request: HttpRequest, slug: str, integration_id: int) -> HttpResponse:
    """GET shows what it means; POST takes the token back, and a second press finds it taken back."""
    clinic = clinic_or_404(request, slug)
    found = get_object_or_404(clinic.integrations, pk=integration_id)
    if request.method == "POST":
        revoke_token(integration=found, by=staff_of(request), now=timezone.now())
        messages.success(request, f"The token of {found} opens nothing any more.")
        return redirect("tokens", clinic.slug)
    if found.revoked_at:
        raise Http404
    return render(request, "monitoring/revoke.html", {"clinic": clinic, "found": found})
