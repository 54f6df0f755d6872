"""All alerts: mine, everybody's, and those resolved lately; the harmless ones answered together."""

from collections.abc import Collection, Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from monitoring.actions.answering import CHANGED, HARMLESS, MOVES, answer_many, harmless
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
LONGEST_NUMBER = 19
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
        "after": request.GET.get("after", "") if request.GET.get("show") == show else "",
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
    ticked = dict(_ticked(one) for one in request.POST.getlist("alert")[:MOST])
    waiting = _waiting(request, ticked, move)
    if not waiting:
        messages.error(request, "No alert was chosen. Tick the alerts to answer together.")
        return redirect(_back(request))
    form, status = ManyForm(request.POST if "confirm" in request.POST else None, initial={"move": move}), 200
    if "confirm" in request.POST and form.is_valid():
        try:
            said = form.cleaned_data
            number = answer_many(alerts=waiting, by=staff, now=now, bases=ticked, ip=address_of(request), **said)
        except ValueError as error:
            form.add_error(None, str(error))
            waiting, status = _waiting(request, ticked, move), 409
        else:
            done = "acknowledged" if move == "acknowledge" else "resolved"
            messages.success(request, f"{number} alert{'s are' if number > 1 else ' is'} {done}.")
            return redirect(_back(request))
    elif form.is_bound and any(ticked[alert.pk] != alert.basis for alert in waiting):
        form.add_error(None, CHANGED)
    together = [alert for alert in waiting if harmless(alert, move)]
    if alone := [alert for alert in waiting if alert not in together]:
        messages.error(request, f"Left out, to be opened and answered by itself: {_named(alone)}.")
    if not together:
        return redirect(_back(request))
    page = {
        "rows": [alert_row(alert, now, several=True) for alert in together],
        "form": form,
        "move": move,
        "show": request.POST.get("show", ""),
        "after": request.POST.get("after", ""),
        "back": _back(request),
    }
    return render(request, "monitoring/alerts_answer.html", page, status=status)


def _ticked(written: str) -> tuple[int, str]:
    """Which alert, and what it said when it was ticked."""
    number, _, basis = written.partition(":")
    return (int(number) if number.isdecimal() and len(number) < LONGEST_NUMBER else 0), basis


def _waiting(request: HttpRequest, ticked: Collection[int], move: str) -> list[Alert]:
    """Those that still wait for this answer. The page names the others: somebody was quicker."""
    found = alerts_of(staff_of(request), move).filter(pk__in=ticked).order_by("severity", "raised_at", "pk")
    waiting = [alert for alert in found if (alert.state, move) in MOVES]
    if answered := [alert for alert in found if alert not in waiting]:
        messages.info(request, f"Left out, as answered already: {_named(answered)}.")
    return waiting


def _named(found: Iterable[Alert]) -> str:
    return "; ".join(f"{alert.treatment.patient}, {alert.get_cause_display().lower()}" for alert in found)


def _back(request: HttpRequest) -> str:
    """The list as it was left."""
    place = {name: request.POST[name] for name in ("show", "after") if request.POST.get(name)}
    return f"{reverse('alerts')}?{urlencode(place)}" if place else reverse("alerts")
