"""Today: what waits for an answer, what is overdue or due, what is awaited, who is paused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.doors import merges_of
from monitoring.feed_health import feeds_of, silent_sources, since
from monitoring.feeds.quarantine import waiting_rows
from monitoring.health import ailments
from monitoring.keyset import COUNTED, Page
from monitoring.models import Feed
from monitoring.places import open_to
from monitoring.views.finding import staff_of
from monitoring.views.rows import AlertRow, Row, age, alert_row, draw_row, treatment_row
from monitoring.worklist import (
    LATE,
    SECTIONS,
    SELDOM,
    UNREACHED,
    Filter,
    alerts_on,
    alerts_page,
    closed_ahead,
    drawn_page,
    draws_on,
    open_bookings,
    open_draws,
    section_page,
    states,
    treatments_on,
)
from patients.access import clinics_of, patients_of, verbs_of
from patients.models import Clinic, Patient, Staff

FOUND = 25
MINUTE = timedelta(minutes=1)
ALSO = {"tablets": "book_test", UNREACHED: "register"}
"""Whoever may do this is offered it from a row of that section, if not allowed to note a draw."""
FILTERS = ("mine", "state", "clinic")
KEPT = ("q", *FILTERS, "alerts", "drawn", *(section.name for section in SECTIONS))
"""What an address of this page may say; each link keeps all of it but what it changes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as the page shows it."""

    name: str
    title: str
    none: str
    page: Page
    rows: Sequence[Row | AlertRow]
    next: str
    start: str


@dataclass(frozen=True)
class Look:
    """Who looks at the list, when, at which part of it, and with how many rows a section."""

    request: HttpRequest
    staff: Staff
    now: datetime
    asked: Filter
    verbs: set[str]
    most: int | None = None

    def mark(self, name: str) -> str:
        """Where the section's page begins."""
        return self.request.GET.get(name, "")

    @cached_property
    def feeds(self) -> list[Feed]:
        """What sends results to these clinics; read once."""
        return feeds_of(self.asked.clinics)

    @property
    def several(self) -> bool:
        """Rows of more than one clinic say whose they are."""
        return len(self.asked.clinics) > 1

    @property
    def may_draw(self) -> bool:
        """Whether rows offer to note a draw."""
        return "record_event" in self.verbs


@login_required
def today(request: HttpRequest) -> HttpResponse:
    """The worklist. Overdue is computed here and now, so a dead scheduler cannot hide it."""
    look, clinics = _look(request)
    if "see_patients" not in look.verbs and (elsewhere := open_to(look.verbs)):
        return redirect(elsewhere[0][1])
    page = _list(look)
    if request.headers.get("HX-Target") == "worklist":
        return render(request, "monitoring/worklist.html", page)
    words = request.GET.get("q", "").strip()
    found = _found(look, words) if words else None
    page |= {
        "clinics": clinics,
        "states": states(clinics),
        "ailments": ailments(now=look.now),
        "mends_mail": "retry_delivery" in look.verbs,
        "waiting": waiting_rows(look.staff, look.now) if "import_results" in look.verbs else None,
        "q": words,
        "found": found[:FOUND] if found is not None else None,
        "more_found": found is not None and len(found) > FOUND,
        "most_found": FOUND,
        "print_query": _query(request, only=FILTERS),
    }
    return render(request, "monitoring/today.html", page)


@login_required
def today_print(request: HttpRequest) -> HttpResponse:
    """The same list for the morning's paper: one table with boxes to tick, up to 200 rows of each section."""
    look, clinics = _look(request, most=COUNTED)
    return render(request, "monitoring/today_print.html", _list(look) | {"clinics": clinics})


def _look(request: HttpRequest, *, most: int | None = None) -> tuple[Look, list[Clinic]]:
    now, staff = timezone.now(), staff_of(request)
    clinics = list(clinics_of(staff))
    chosen, state = request.GET.get("clinic", ""), request.GET.get("state", "")
    within = [clinic for clinic in clinics if not chosen or clinic.slug == chosen]
    if chosen and not within:
        raise Http404
    asked = Filter(
        mine="mine" in request.GET,
        state=state if state in states(clinics) else "",
        clinics=within,
        closed=closed_ahead(within, now),
    )
    return Look(request, staff, now, asked, verbs_of(staff), most), clinics


def _is_new(look: Look) -> bool:
    """Nobody is registered: whoever looks has just begun here."""
    return not patients_of(look.staff).exists()


def _list(look: Look) -> dict[str, object]:
    alerts = _alerts(look)
    shown = [alerts, *_sections(look)]
    paused = next(place for place, section in enumerate(shown) if section.name == "paused")
    shown.insert(paused, _drawn(look))
    zone = look.asked.clinics[0].zone if look.asked.clinics else None
    return {
        "now": look.now,
        # Without its zone, or the template would turn it back into the server's.
        "here": (look.now.astimezone(zone) if zone else look.now).replace(tzinfo=None),
        "asked": look.asked,
        "sections": shown,
        "nobody_yet": "register" in look.verbs and not any(section.rows for section in shown) and _is_new(look),
        "several": look.several,
        "may_review": "record_result" in look.verbs,
        "lights": [_light(feed, look) for feed in look.feeds],
        "severe": sum(row.tone == "stop" for row in alerts.rows),
        "address": f"{look.request.path}?{_query(look.request, only=KEPT)}",
    }


def _light(feed: Feed, look: Look) -> tuple[str, str, str]:
    """A source in words: its name, the tone, and when it last spoke."""
    name = f"{feed.name} ({feed.clinic})" if look.several else feed.name
    if feed.silent_at(look.now):
        return name, "warn", f"no data since {since(feed)}; results are late, not tests"
    return name, "calm", f"data {age(feed.last_at, look.now)}{'' if look.now - feed.last_at < MINUTE else ' ago'}"


def _alerts(look: Look) -> Shown:
    page = alerts_page(staff=look.staff, asked=look.asked, mark=look.mark("alerts"), size=look.most)
    found = alerts_on(page, look.asked.clinics).values()
    rows: dict[int, Row | AlertRow] = {alert.pk: alert_row(alert, look.now, several=look.several) for alert in found}
    return _shown(look, "alerts", "Alerts waiting for an answer", "No alert waits.", page, rows)


def _drawn(look: Look) -> Shown:
    page = drawn_page(staff=look.staff, asked=look.asked, mark=look.mark("drawn"), size=look.most)
    rows: dict[int, Row | AlertRow] = {
        draw.pk: draw_row(draw, look.now, may_draw=look.may_draw, several=look.several)
        for draw in draws_on(page, look.asked.clinics).values()
    }
    return _shown(look, "drawn", "Drawn, no result yet", "No sample is on its way.", page, rows)


def _sections(look: Look) -> list[Shown]:
    """The sections of treatments; their rows and open draws are read once for all of them."""
    silent = silent_sources(look.feeds, look.now)
    pages = {
        section.name: section_page(
            section,
            staff=look.staff,
            asked=look.asked,
            now=look.now,
            mark=look.mark(section.name),
            silent=silent,
            size=look.most,
        )
        for section in SECTIONS
        if silent or section.name != LATE
    }
    treatments = treatments_on(pages.values(), look.asked.clinics)
    draws, bookings = open_draws(treatments), open_bookings(treatments)
    shown = []
    for section in SECTIONS:
        if section.name not in pages or (section.name in SELDOM and not pages[section.name].ids):
            continue
        rows: dict[int, Row | AlertRow] = {
            pk: treatment_row(
                section.name,
                treatments[pk],
                draws.get(pk),
                look.now,
                closed=look.asked.closed[treatments[pk].clinic_id],
                booked=bookings.get(pk),
                may_draw=look.may_draw or ALSO.get(section.name) in look.verbs,
                several=look.several,
            )
            for pk in pages[section.name].ids
            if pk in treatments
        }
        shown.append(_shown(look, section.name, section.title, section.none, pages[section.name], rows))
    return shown


def _shown(look: Look, name: str, title: str, none: str, page: Page, rows: Mapping[int, Row | AlertRow]) -> Shown:
    found = [rows[pk] for pk in page.ids if pk in rows]
    return Shown(
        name=name,
        title=title,
        none=none,
        page=page,
        rows=found,
        next=f"?{_query(look.request, only=KEPT, **{name: page.next})}#{name}" if page.next else "",
        start="" if page.first else f"?{_query(look.request, only=KEPT, **{name: ''})}#{name}",
    )


def _query(request: HttpRequest, *, only: tuple[str, ...], **changed: str) -> str:
    said = {name: request.GET[name] for name in only if request.GET.get(name)} | changed
    return urlencode({name: value for name, value in said.items() if value})


def _found(look: Look, words: str) -> list[tuple[Patient, Patient | None]]:
    """Who was found, one more than is shown, and whose record it is now where two were found to be one person."""
    found = patients_of(look.staff).look_for(words, clinics=look.asked.clinics, most=FOUND + 1)
    merges = merges_of(look.staff).filter(merged__patient__in=found)
    kept = {merge.merged.patient_id: merge.kept.patient for merge in merges}
    return [(patient, kept.get(patient.pk)) for patient in found]
