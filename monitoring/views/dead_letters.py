"""Messages that were given up: visible to a clinic's admin, who can send them on their way again."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.views.finding import address_of, staff_of
from notifications.actions import retry
from notifications.models import Delivery
from patients import audit
from patients.access import clinics_of

ROWS = 200


def dead_of(request: HttpRequest) -> "QuerySet[Delivery]":
    """The dead letters of the clinics that this person looks after."""
    clinics = clinics_of(staff_of(request), "retry_delivery").values_list("pk", flat=True)
    if not clinics:
        raise Http404
    return Delivery.objects.dead().filter(clinic_id__in=list(clinics)).order_by("-dead_at")


@login_required
def dead_letters(request: HttpRequest) -> HttpResponse:
    """The list, the newest first."""
    return render(request, "monitoring/dead_letters.html", {"letters": dead_of(request)[:ROWS]})


@login_required
@require_POST
def retry_delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Another life for one of them."""
    letter, now = get_object_or_404(dead_of(request), pk=delivery_id), timezone.now()
    retry(delivery=letter, now=now)
    audit.record(
        "delivery_retried",
        by=staff_of(request),
        now=now,
        clinic_id=letter.clinic_id,
        subject=f"delivery:{letter.pk}",
        ip=address_of(request),
    )
    messages.success(request, "The message is tried again now.")
    return redirect("dead_letters")
