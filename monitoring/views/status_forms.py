"""The forms of the clinic's own registry that are due, late or missing: read, ticked, signed in one sitting."""

from dataclasses import replace

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions import status_forms as forms
from monitoring.doors import treatments_of
from monitoring.views.finding import address_of, staff_of
from patients.access import clinics_of

ROWS = 100
LONGEST = 500


@login_required
def status_forms(request: HttpRequest) -> HttpResponse:
    """The hundred that wait longest; those that are signed make room for the next."""
    staff, now = staff_of(request), timezone.now()
    if not clinics_of(staff, "sign_status_form").exists():
        raise Http404
    mine = treatments_of(staff, "sign_status_form")
    waits = forms.to_sign(mine, now=now)
    drafts = [one for one in forms.drafts(list(waits[:ROWS]), now=now) if one.state != "submitted"]
    refusal = ""
    if request.method == "POST":
        drafts = [_answered(draft, request.POST) for draft in drafts]
        ticked = set(request.POST.getlist("sign"))
        chosen = [draft for draft in drafts if draft.basis in ticked]
        try:
            signed, changed = forms.sign(ticked=chosen, by=staff, now=now, ip=address_of(request))
        except ValueError as error:
            refusal = f"Nothing is signed yet: {error}."
        else:
            _tell(request, signed, missed=len(ticked) - len(chosen) + len(changed))
            return redirect("status_forms")
    page = {
        "drafts": drafts,
        "ticked": request.POST.getlist("sign"),
        "refusal": refusal,
        "more": max(waits.count() - ROWS, 0),
        "enrolled": forms.enrolled(mine).count(),
    }
    return render(request, "monitoring/programmes/forms.html", page, status=400 if refusal else 200)


def _answered(draft: forms.Draft, posted: QueryDict) -> forms.Draft:
    """The draft with what was typed beside it."""
    typed = posted.getlist(f"answer-{draft.treatment.pk}")
    return replace(draft, answers=tuple(answer.strip()[:LONGEST] for answer in typed))


def _tell(request: HttpRequest, signed: int, *, missed: int) -> None:
    messages.success(request, f"{signed} form{'s' * (signed != 1)} signed.")
    if missed:
        words = "form was" if missed == 1 else "forms were"
        messages.error(request, f"{missed} {words} not signed: something new is known since you read. Read again.")
