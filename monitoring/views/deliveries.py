"""What became of every message of the clinic, and the whole story of each. Patients' words are never shown."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from monitoring.doors import deliveries_of
from monitoring.keyset import Order, id_of, moment, page_of
from monitoring.models import Channel
from monitoring.views.finding import address_of, staff_of
from notifications.actions import may_retry, retry
from notifications.models import Delivery, DeliveryQuerySet, State
from patients import audit
from patients.access import clinics_of, may
from patients.models import Clinic

NEWEST = Order(("created_at", "pk"), (moment, id_of), descending=True)
TONES = {
    State.QUEUED: "",
    State.UNKNOWN: "warn",
    State.SENT: "",
    State.DELIVERED: "calm",
    State.BOUNCED: "stop",
    State.DEAD: "stop",
}
SHORT = {Channel.WEBPUSH.value: "Browser", Channel.WEBHOOK.value: "Webhook"}
LABELS = dict(Channel.choices) | SHORT
TO = {"staff": True, "patients": False}


class FilterForm(forms.Form):
    """Which messages."""

    clinic = forms.ModelChoiceField(
        queryset=Clinic.objects.none(), required=False, empty_label="all of mine", to_field_name="slug"
    )
    state = forms.ChoiceField(required=False, choices=[("", "any"), *State.choices])
    channel = forms.ChoiceField(required=False, label="By", choices=[("", "any"), *Channel.choices])
    to = forms.ChoiceField(
        required=False, label="To", choices=[("", "anybody"), ("staff", "staff"), ("patients", "patients")]
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One message in the list."""

    delivery: Delivery
    at: str
    to: str
    by: str
    what: str
    state: str
    tone: str
    clinic: str


@login_required
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """The list, the newest first, as far as the filter says."""
    clinics = {clinic.pk: clinic for clinic in clinics_of(staff_of(request), "see_deliveries").order_by("name")}
    if not clinics:
        raise Http404
    form = FilterForm(request.GET or None)
    form.fields["clinic"].queryset = Clinic.objects.filter(pk__in=clinics)  # type: ignore[attr-defined]  # a ModelChoiceField
    asked = form.cleaned_data if form.is_valid() else {}
    chosen = [asked["clinic"].pk] if asked.get("clinic") else list(clinics)
    lists = [_asked(clinic_id, asked) for clinic_id in chosen]
    page = page_of(lists, NEWEST, request.GET.get("after", ""))
    found = Delivery.objects.in_bulk(page.ids)
    kept = {name: said for name in form.fields if (said := request.GET.get(name, ""))}
    shown = {
        "lines": [line_of(found[pk], clinics[found[pk].clinic_id or 0]) for pk in page.ids],
        "form": form,
        "page": page,
        "several": len(clinics) > 1,
        "query": urlencode(kept),
        "filtered": bool(kept),
    }
    return render(request, "monitoring/deliveries.html", shown)


def _asked(clinic_id: int, asked: dict[str, str]) -> DeliveryQuerySet:
    rows = Delivery.objects.filter(clinic_id=clinic_id)
    if asked.get("state"):
        rows = rows.filter(state=asked["state"])
    if asked.get("channel"):
        rows = rows.filter(channel=asked["channel"])
    if asked.get("to"):
        rows = rows.filter(repeatable=TO[asked["to"]])
    return rows


@login_required
@require_safe
def delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """One message from the moment when it was written to the last word about it."""
    staff, now = staff_of(request), timezone.now()
    found = get_object_or_404(deliveries_of(staff), pk=delivery_id)
    clinic = get_object_or_404(clinics_of(staff, "see_deliveries"), pk=found.clinic_id or 0)
    page = {
        "line": line_of(found, clinic),
        "found": found,
        "due": _local(found.due_at, clinic),
        "story": [(_local(event.at, clinic), event) for event in found.events.all()],
        "may_retry": may(staff, "retry_delivery", clinic.pk) and may_retry(found, now=now),
        "clinic": clinic,
    }
    return render(request, "monitoring/delivery.html", page)


@login_required
@require_POST
def retry_delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Another life for one that was given up."""
    staff, now = staff_of(request), timezone.now()
    letter = get_object_or_404(deliveries_of(staff, "retry_delivery"), pk=delivery_id)
    if retry(delivery=letter, now=now):
        audit.record(
            "delivery_retried", by=staff, now=now, clinic_id=letter.clinic_id, subject=f"delivery:{letter.pk}",
            ip=address_of(request),
        )  # fmt: skip
        messages.success(request, "The message is tried again now.")
    else:
        messages.error(request, "This message is not sent again. Its story says how it stands.")
    return redirect("delivery", letter.pk)


def line_of(found: Delivery, clinic: Clinic) -> Line:
    """A message in words; whom a patient's message goes to is only hinted at."""
    return Line(
        delivery=found,
        at=_local(found.created_at, clinic),
        to=_to(found),
        by=LABELS.get(found.channel, found.channel),
        what=found.subject if found.repeatable else "A message to a patient",
        state=State(found.state).label,
        tone=TONES[State(found.state)],
        clinic=clinic.name,
    )


def _to(found: Delivery) -> str:
    if found.channel == Channel.WEBPUSH:
        return f"browser {found.address}"
    if found.channel == Channel.WEBHOOK:
        return found.address.split("/")[2]
    if found.repeatable:
        return found.address
    name, at, domain = found.address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else f"…{found.address[-3:]}"


def _local(at: datetime, clinic: Clinic) -> str:
    return f"{at.astimezone(clinic.zone):%Y-%m-%d %H:%M}"
