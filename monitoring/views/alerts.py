"""All alerts: mine, everybody's, and those resolved lately; the harmless ones answered together."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions.answering import HARMLESS, answer_many, harmless
from monitoring.alert_forms import ManyForm
from monitoring.doors import alerts_of
from monitoring.keyset import page_of
from monitoring.models import Alert
from monitoring.views.finding import address_of, staff_of
from monitoring.views.rows import AlertRow, alert_row, in_order, lasted
from monitoring.worklist import ALERTS, ENDED, alert_lists
from patients.access import clinics_of, verbs_of
from patients.models import Staff

MOST = 50
TABS = {"mine": "Mine", "all": "Everybody's", "resolved": "Resolved in the last 14 days"}


@login_required
def alerts(request: HttpRequest) -> HttpResponse:
    """One of the three lists; mine first where I own any."""
    now, staff = timezone.now(), staff_of(request)
    verbs, clinics = verbs_of(staff), list(clinics_of(staff))
    if "see_patients" not in verbs:
        raise Http404
    pages = {
        name: page_of(
            alert_lists(name, staff=staff, clinics=clinics, now=now),
            ENDED if name == "resolved" else ALERTS,
            request.GET.get("after", "") if request.GET.get("show") == name else "",
            size=MOST,
        )
        for name in TABS
    }
    show = request.GET.get("show", "")
    if show not in TABS:
        show = "mine" if pages["mine"].total else "all"
    several = len(clinics) > 1
    rows = _rows(staff, pages[show].ids, now, several=several)
    page = {
        "show": show,
        "tabs": [(name, label, pages[name].counted) for name, label in TABS.items()],
        "page": pages[show],
        "rows": rows,
        "moves": [move for move in HARMLESS if move in verbs and any(move in moves for _, moves, _ in rows)],
    }
    return render(request, "monitoring/alerts.html", page)


def _rows(staff: Staff, ids: list[int], now: datetime, *, several: bool) -> list[tuple[AlertRow, list[str], str]]:
    """Each alert, what may be done with it together with others, and how it ended."""
    found = alerts_of(staff).filter(pk__in=ids).select_related("acknowledged_by", "resolved_by")
    ready = {
        alert.pk: (
            alert_row(alert, now, several=several),
            [move for move in HARMLESS if harmless(alert, move)],
            ended(alert),
        )
        for alert in found
    }
    return in_order(ids, ready)


def ended(alert: Alert) -> str:
    """How an alert ended, through whom, and how long that took."""
    if alert.resolved_at is None:
        return ""
    who = f" by {alert.resolved_by}" if alert.resolved_by else ""
    return f"{alert.get_outcome_display()}{who}, after {lasted(alert.raised_at, alert.resolved_at)}"


@login_required
@require_POST
def answer_alerts(request: HttpRequest) -> HttpResponse:
    """First which alerts it would be and what follows; the answer is given when that was confirmed."""
    staff, now = staff_of(request), timezone.now()
    move = request.POST.get("move", "")
    if move not in HARMLESS:
        raise Http404
    ids = [int(written) for written in request.POST.getlist("alert")[:MOST] if written.isdigit()]
    chosen = list(alerts_of(staff, move).filter(pk__in=ids).order_by("severity", "raised_at", "pk"))
    if not chosen:
        messages.error(request, "No alert was chosen. Tick the alerts to answer together.")
        return redirect("alerts")
    form = ManyForm(request.POST if "confirm" in request.POST else None, initial={"move": move})
    if "confirm" in request.POST and form.is_valid():
        try:
            said = form.cleaned_data
            number = answer_many(alerts=chosen, by=staff, now=now, ip=address_of(request), **said)
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            done = "acknowledged" if move == "acknowledge" else "resolved"
            messages.success(request, f"{number} alert{'s are' if number > 1 else ' is'} {done}.")
            return redirect("alerts")
    page = {"rows": [alert_row(alert, now, several=True) for alert in chosen], "form": form, "move": move}
    return render(request, "monitoring/alerts_answer.html", page)
