"""The form of a clinic's own registry, which its admin sets."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.status_forms import registry_form, set_registry_form
from monitoring.setting_forms import QuestionsForm
from monitoring.views.finding import address_of, clinic_or_404, staff_of
from monitoring.views.setting_up import setting_page
from monitoring.views.two_steps import confirm_page, confirmed, typed


@login_required
def registry(request: HttpRequest, slug: str) -> HttpResponse:
    """Title and questions; what the prescribers will be asked is shown before."""
    clinic = clinic_or_404(request, slug)
    now_asked = registry_form(clinic)
    known = {"title": now_asked.title, "questions": "\n".join(now_asked.questions)} if now_asked else {}
    form = QuestionsForm(request.POST or None, initial=known)
    title = f"{clinic}: form of its own registry"
    if not typed(request, form):
        return setting_page(request, title, form)
    questions = [line.strip() for line in form.cleaned_data["questions"].splitlines() if line.strip()]
    if not confirmed(request):
        follows = [f"Every monthly form asks: {question}" for question in questions]
        follows = follows or ["The monthly form asks nothing beyond what is known."]
        later = "This holds from the next signature on; forms that are signed stay as they were signed."
        return confirm_page(
            request, title=title, form=form, consequences=[*follows, later], go_on="Change it so",
            back=reverse("settings"),
        )  # fmt: skip
    try:
        set_registry_form(
            clinic=clinic, title=form.cleaned_data["title"], questions=questions, by=staff_of(request),
            now=timezone.now(), ip=address_of(request),
        )  # fmt: skip
    except ValueError as error:
        form.add_error("questions", str(error).capitalize())
        return setting_page(request, title, form)
    messages.success(request, "The registry's form is changed.")
    return redirect("settings")
