"""One patient: who, what to do until when and why, the counts, and the whole story."""

from datetime import date, datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from monitoring.actions.replaying import read, under_protocol_of
from monitoring.feed_health import unheard
from monitoring.models import Treatment
from monitoring.models.limits import agreement_at, table_at
from monitoring.rules.judgement import Judgement
from monitoring.supply import supply_clock
from monitoring.views.acts.table import acts_for
from monitoring.views.banners import banners
from monitoring.views.chart import DAYS, RANGES, Drawn, draw
from monitoring.views.course import breaks, current_dose, flags, letters, open_booking, open_draw
from monitoring.views.finding import address_of, staff_of, treatment_or_404
from monitoring.views.past import Moment, moment_of
from monitoring.views.record import Record, record_of
from monitoring.views.results import ResultRow, result_rows
from monitoring.views.said import said_page
from monitoring.views.timeline import FOLDED, timeline
from monitoring.views.words import advice_card
from monitoring.worklist import closed_ahead, draw_by
from patients import audit
from patients.access import MAY
from patients.models import Staff

ACTIONS = (
    ("Log a result", "log_result", "record_result"),
    ("May I dispense?", "supply", "see_patients"),
    ("REMS and registers", "rems", "see_patients"),
    ("Reminders and consent", "reaching", "see_patients"),
)
"""What the link says, the page's name, and the verb that opens it. The first are done most and are buttons."""
OFTEN = 2


@login_required
def patient(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The judgement is made for this moment (or a day gone by), from the stored rows; opening the page is audited."""
    treatment, now, staff = treatment_or_404(request, patient_id), timezone.now(), staff_of(request)
    audit.opened(treatment.patient, by=staff, now=now, ip=address_of(request))
    moment = moment_of(request, treatment, now=now)
    record = record_of(treatment, moment.known_at)
    if moment.known_at is not None:
        under_protocol_of(treatment, known_at=moment.known_at)
    page = _page(request, record, moment, now)
    page["actions"] = [] if moment.known_at else actions_for(staff, treatment)
    return render(request, "monitoring/patient.html", page)


@login_required
def judgements(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Every judgement as it was given, the newest first; opening the page is audited."""
    treatment, now = treatment_or_404(request, patient_id), timezone.now()
    audit.opened(treatment.patient, by=staff_of(request), now=now, ip=address_of(request))
    page = said_page(treatment, before=request.GET.get("before", ""))
    return render(request, "monitoring/judgements.html", page | {"treatment": treatment, "patient": treatment.patient})


Links = list[tuple[str, str]]
"""What each link says, and its address."""


def actions_for(staff: Staff, treatment: Treatment) -> list[tuple[str, Links]]:
    """What this person may do here, in groups; the first has no name and is done most. A merged record offers none."""
    if treatment.merged_into_id:
        return []
    here = staff.memberships.filter(clinic_id=treatment.clinic_id, active=True)
    roles, patient = set(here.values_list("role", flat=True)), treatment.patient_id
    places = [(label, reverse(name, args=[patient])) for label, name, verb in ACTIONS if roles & set(MAY[verb])]
    groups = {
        group: [(offer.title, reverse("act", args=[patient, offer.name])) for offer in offers]
        for group, offers in acts_for(treatment, staff)
    }
    moves = groups.setdefault("Person", [])
    moves += places[OFTEN:]
    if may_transfer := roles & set(MAY["transfer"]):
        moves.append(("Transfer", reverse("ask_transfer", args=[patient])))
    if may_transfer and treatment.advice in ("may_start", "do_not_start") and not treatment.paused_since:
        moves.append(("Take over a running treatment", reverse("take_over", args=[patient])))
    return [("", places[:OFTEN]), *((group, links) for group, links in groups.items() if links)]


def days_late(overdue_after: date | None, day: date) -> int:
    """Days since the last day in time."""
    return 0 if overdue_after is None else max((day - overdue_after).days, 0)


def _draw_on(treatment: Treatment, judgement: Judgement, now: datetime) -> date | None:
    """The open day before the due date, where the clinic is closed on the due date itself."""
    if judgement.due_on is None:
        return None
    closed = closed_ahead([treatment.clinic], now)[treatment.clinic_id]
    drawn = draw_by(judgement.due_on, judgement.frequency, closed)
    return drawn if now.astimezone(treatment.clinic.zone).date() <= drawn != judgement.due_on else None


def _drawn(request: HttpRequest, record: Record, moment: Moment, rows: list[ResultRow]) -> Drawn:
    zone, chosen = record.treatment.clinic.zone, request.GET.get("range", "")
    return Drawn(
        rows=rows,
        breaks=breaks(record),
        doses=[(dose.at.astimezone(zone), dose.daily_mg) for dose in record.doses],
        flags=flags(record),
        now=moment.at.astimezone(zone),
        range=chosen if chosen in DAYS else "1y",
        log=request.GET.get("scale") == "log",
    )


def _page(request: HttpRequest, record: Record, moment: Moment, now: datetime) -> dict[str, object]:
    treatment = record.treatment
    reading = read(treatment, record.results, as_of=moment.at, known_at=moment.known_at)
    card = advice_card(reading.judgement, treatment)
    table = table_at(treatment, moment.at)
    seen = {row.pk: row.review for row in record.results if hasattr(row, "review")}
    rows = result_rows(record.results, treatment, table, seen=seen)
    chart = draw(_drawn(request, record, moment, rows), table)
    lines = timeline(record)
    return {
        "treatment": treatment,
        "patient": treatment.patient,
        "record": record,
        "moment": moment,
        "now": now,
        "card": card,
        "pause": reading.pause,
        "days_late": days_late(reading.judgement.overdue_after, card.judged_at.date()),
        "unheard": unheard(treatment, now) if card.overdue and not moment.known_at else None,
        "banners": banners(record, card),
        "overrides": record.overrides_at(moment.at),
        "ben": treatment.ben,
        "agreed": agreement_at(treatment, moment.at),
        "letters": letters(chart),
        "latest": next((row for row in rows if row.stands and row.count is not None and not row.preliminary), None),
        "draw_on": _draw_on(treatment, reading.judgement, now),
        "dose": current_dose(record),
        "draw": open_draw(record),
        "booking": open_booking(record),
        "clock": None if moment.known_at else supply_clock(treatment, now=now),
        "chart": chart,
        "ranges": RANGES,
        "results": [row for row in rows if row.pk in chart.pks],
        "results_left": sum(row.pk not in chart.pks for row in rows),
        "lines": lines if "all" in request.GET else lines[:FOLDED],
        "lines_left": 0 if "all" in request.GET else max(len(lines) - FOLDED, 0),
    }
