"""Today: what waits for an answer, what is overdue or due, what is awaited, who is paused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.doors import alerts_of, draws_of, treatments_of
from monitoring.health import ailments
from monitoring.keyset import COUNTED, PAGE, Page
from monitoring.models import Merge
from monitoring.views.finding import staff_of
from monitoring.views.rows import Row, alert_row, draw_row, in_order, treatment_row
from monitoring.worklist import SECTIONS, Filter, alerts_page, drawn_page, section_page, states
from patients.access import clinics_of, patients_of, verbs_of
from patients.models import Clinic, Patient, Staff

FOUND = 25
KEPT = ("q", "mine", "state", "clinic", "alerts", "drawn", *(section.name for section in SECTIONS))
"""What an address of this page may say; each link keeps all of it but what it changes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as the page shows it."""

    name: str
    title: str
    none: str
    page: Page
    rows: list[Row]
    next: str
    start: str


@login_required
def today(request: HttpRequest) -> HttpResponse:
    """The worklist. Overdue is computed here and now, so a dead scheduler cannot hide it."""
    now, staff = timezone.now(), staff_of(request)
    clinics = list(clinics_of(staff))
    asked = _asked(request, clinics)
    verbs = verbs_of(staff)
    page = _list(request, staff, asked, now, PAGE) | {"may_draw": "record_event" in verbs}
    if request.headers.get("HX-Target") == "worklist":
        return render(request, "monitoring/worklist.html", page)
    words = request.GET.get("q", "").strip()
    page |= {
        "clinics": clinics,
        "states": states(clinics),
        "ailments": ailments(now=now),
        "mends_mail": "retry_delivery" in verbs,
        "q": words,
        "found": _found(staff, words) if words else None,
        "print_address": f"/print/?{_address(request, only=('mine', 'state', 'clinic'))}",
    }
    return render(request, "monitoring/today.html", page)


@login_required
def today_print(request: HttpRequest) -> HttpResponse:
    """The same list for the morning's paper: one table with boxes to tick, up to 200 rows of each section."""
    now, staff = timezone.now(), staff_of(request)
    clinics = list(clinics_of(staff))
    page = _list(request, staff, _asked(request, clinics), now, COUNTED)
    return render(request, "monitoring/today_print.html", page | {"clinics": clinics})


def _asked(request: HttpRequest, clinics: list[Clinic]) -> Filter:
    chosen = request.GET.get("clinic", "")
    within = [clinic for clinic in clinics if not chosen or clinic.slug == chosen]
    state = request.GET.get("state", "")
    if chosen and not within:
        raise Http404
    return Filter(mine="mine" in request.GET, state=state if state in states(clinics) else "", clinics=within)


def _list(request: HttpRequest, staff: Staff, asked: Filter, now: datetime, size: int) -> dict[str, object]:
    marks = {name: request.GET.get(name, "") for name in KEPT}
    pages = {
        section.name: section_page(section, staff=staff, asked=asked, now=now, mark=marks[section.name], size=size)
        for section in SECTIONS
    }
    drawn = drawn_page(staff=staff, asked=asked, mark=marks["drawn"], size=size)
    alerts = alerts_page(staff=staff, asked=asked, mark=marks["alerts"], size=size)
    rows = _treatment_rows(staff, pages, now)
    awaited = {draw.pk: draw_row(draw, now) for draw in draws_of(staff).filter(pk__in=drawn.ids)}
    raised = {
        alert.pk: alert_row(alert, now)
        for alert in alerts_of(staff).filter(pk__in=alerts.ids).select_related("acknowledged_by")
    }
    shown = [_shown(request, "alerts", "Alerts waiting for an answer", "No alert waits.", alerts, raised)]
    for section in SECTIONS:
        page = pages[section.name]
        shown.append(_shown(request, section.name, section.title, section.none, page, rows[section.name]))
    waiting = _shown(request, "drawn", "Drawn, no result yet", "No sample is on its way.", drawn, awaited)
    shown.insert(len(shown) - 2, waiting)
    zone = asked.clinics[0].zone if asked.clinics else None
    return {
        "now": now,
        "here": now.astimezone(zone) if zone else now,
        "asked": asked,
        "sections": shown,
        "several": len({clinic.pk for clinic in asked.clinics}) > 1,
        "severe": sum(row.tone == "stop" for row in raised.values()),
        "address": f"{request.path}?{_address(request, only=KEPT)}",
    }


def _treatment_rows(staff: Staff, pages: Mapping[str, Page], now: datetime) -> dict[str, dict[int, Row]]:
    """The rows of all sections, their treatments and open draws read once."""
    ids = {pk for page in pages.values() for pk in page.ids}
    treatments = {treatment.pk: treatment for treatment in treatments_of(staff).filter(pk__in=ids)}
    draws = {draw.treatment_id: draw for draw in draws_of(staff).filter(treatment__in=ids)}
    return {
        name: {pk: treatment_row(name, treatments[pk], draws.get(pk), now) for pk in page.ids if pk in treatments}
        for name, page in pages.items()
    }


def _shown(request: HttpRequest, name: str, title: str, none: str, page: Page, rows: Mapping[int, Row]) -> Shown:
    return Shown(
        name=name,
        title=title,
        none=none,
        page=page,
        rows=in_order(page.ids, rows),
        next=f"?{_address(request, only=KEPT, **{name: page.next})}#{name}" if page.next else "",
        start="" if page.first else f"?{_address(request, only=KEPT, **{name: ''})}#{name}",
    )


def _address(request: HttpRequest, *, only: tuple[str, ...], **changed: str) -> str:
    said = {name: request.GET[name] for name in only if request.GET.get(name)} | changed
    return urlencode({name: value for name, value in said.items() if value})


def _found(staff: Staff, words: str) -> list[tuple[Patient, Patient | None]]:
    """Who was found, and whose record it is now where two were found to be one person."""
    found = patients_of(staff).look_for(words, most=FOUND)
    merges = Merge.objects.filter(merged__patient__in=found, undone_at=None).select_related("kept__patient", "merged")
    kept = {merge.merged.patient_id: merge.kept.patient for merge in merges}
    return [(patient, kept.get(patient.pk)) for patient in found]
