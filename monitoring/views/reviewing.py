"""Results that came and that nobody has looked at yet: read together, ticked, and signed with one press."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.actions.reviewing import review_results, unreviewed
from monitoring.alerts import ADVICE_IN_WORDS
from monitoring.doors import treatments_of
from monitoring.models import Result, Treatment
from monitoring.models.result import Status
from monitoring.views.finding import address_of, staff_of
from monitoring.views.results import number
from patients.access import verbs_of

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """One patient, the results that wait, and what the rules make of the whole history."""

    treatment: Treatment
    results: list[Result]
    advice: str

    @property
    def value(self) -> str:
        """What is signed: these versions and no later one."""
        return f"{self.treatment.pk}:{','.join(str(row.pk) for row in self.results)}"

    @property
    def lines(self) -> Iterator[tuple[Result, str]]:
        """Each result with its number in words."""
        for row in self.results:
            taken_back = row.status == Status.ENTERED_IN_ERROR
            said = "taken back by the laboratory" if taken_back else f"ANC {number(row.anc, row.anc_bound)} /uL"
            yield row, f"{said}, preliminary" if row.status == Status.PRELIMINARY else said


@login_required
def results_to_review(request: HttpRequest) -> HttpResponse:
    """The longest waiting first; POST signs those that were ticked."""
    staff, now = staff_of(request), timezone.now()
    mine = treatments_of(staff, "record_result").filter(unreviewed_since__isnull=False)
    if request.method == "POST":
        signed = [_signed(value) for value in request.POST.getlist("seen")]
        return _sign(request, mine, dict(one for one in signed if one))
    treatments = list(mine.select_related("patient", "clinic").order_by("unreviewed_since", "pk")[: SHOWN + 1])
    found = unreviewed(treatments[:SHOWN])
    rows = [Waiting(one, found[one.pk], ADVICE_IN_WORDS.get(one.advice, "")) for one in treatments[:SHOWN]]
    page = {
        "rows": [row for row in rows if row.results],
        "more": len(treatments) > SHOWN,
        "now": now,
        "may_review": bool(rows) or "record_result" in verbs_of(staff),
    }
    return render(request, "monitoring/results_to_review.html", page)


def _signed(value: str) -> tuple[int, Collection[int]] | None:
    treatment, _, results = value.partition(":")
    keys = results.split(",")
    if not treatment.isdecimal() or not all(key.isdecimal() for key in keys):
        return None
    return int(treatment), {int(key) for key in keys}


def _sign(request: HttpRequest, mine: QuerySet[Treatment], signed: dict[int, Collection[int]]) -> HttpResponse:
    staff, now = staff_of(request), timezone.now()
    if not signed:
        messages.error(request, "Nothing was signed: tick the patients whose results you have looked at.")
        return redirect("results_to_review")
    done = sum(
        review_results(treatment=treatment, results=signed[treatment.pk], by=staff, now=now, ip=address_of(request))
        for treatment in mine.filter(pk__in=signed)
    )
    messages.success(request, f"Signed: you have looked at {done} result{'' if done == 1 else 's'}.")
    return redirect("results_to_review")
