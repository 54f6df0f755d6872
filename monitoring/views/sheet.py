"""Log results: a sheet for a busy morning. Works as one plain form; a script makes it quicker."""

from collections.abc import Mapping

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from monitoring.actions.drafting import MOST_ROWS, TypedRow, drafted_rows, forget_row, keep_draft
from monitoring.forms import NEVER_KEPT
from monitoring.sheet import carried_down, empty_form, is_typed, read_rows, without_secrets
from monitoring.views.asking import colleague_choices, unit_in_words, unit_shown
from monitoring.views.finding import staff_of
from monitoring.views.sheet_rows import FOUND, Desk, Row, found_patients, looked_at, saved, with_patients
from patients.access import clinics_of

EMPTY_ROWS = 10
SIGNING_IN = ("username", "password", "csrfmiddlewaretoken")


@sensitive_post_parameters()
def sheet(request: HttpRequest) -> HttpResponse:
    """GET shows the sheet with what was typed before; POST judges every row, and saves those that were shown."""
    if not request.user.is_authenticated:
        return _signed_out(request)
    return _sheet(request, save="save" in request.POST)


def _sheet(request: HttpRequest, *, save: bool) -> HttpResponse:
    desk = _desk(request)
    with timezone.override(desk.clinic.zone):
        if request.method != "POST":
            drafted = drafted_rows(clinic=desk.clinic, by=desk.staff, now=desk.now)
            return _page(request, desk, with_patients(dict(enumerate(drafted, start=1)), desk))
        sent = read_rows(request.POST)
        typed = carried_down(sent)
        rows = (saved if save else looked_at)(typed, desk)
        _keep(desk, sent | typed)
        return _page(request, desk, rows)


@sensitive_post_parameters()
@require_POST
def sheet_row(request: HttpRequest) -> HttpResponse:
    """One row for the script: what it means, or, with `save`, its receipt."""
    if not request.user.is_authenticated:
        return _signed_out_briefly()
    desk = _desk(request)
    typed = read_rows(request.POST)
    with timezone.override(desk.clinic.zone):
        rows = (saved if "save" in request.POST else looked_at)(typed, desk)
        if not rows:
            return HttpResponse("Nothing was typed in this row.", status=400, content_type="text/plain")
        row = rows[0]
        if row.state == "saved":
            forget_row(clinic=desk.clinic, entry=typed[row.number]["entry"], by=desk.staff)
        template = "receipt" if row.state == "saved" else "sheet_says"
        page = {"row": row, "unit": unit_shown(desk.clinic), "clinic": desk.clinic}
        answer = render(request, f"monitoring/{template}.html", page)
        answer.headers["X-Row"] = row.state
        return answer


@require_POST
def sheet_draft(request: HttpRequest) -> HttpResponse:
    """Keep what is typed and not saved."""
    if not request.user.is_authenticated:
        return _signed_out_briefly()
    _keep(_desk(request), read_rows(request.POST))
    return HttpResponse(status=204)


@require_GET
def sheet_rows(request: HttpRequest) -> HttpResponse:
    """More empty rows, numbered from `from`."""
    if not request.user.is_authenticated:
        return _signed_out_briefly()
    asked = request.GET.get("from", "1")
    first = int(asked) if asked.isdecimal() and len(asked) <= 4 else 1
    rows = [Row(number, empty_form(number)) for number in range(first, first + EMPTY_ROWS)]
    page = {"rows": rows, "unit": unit_shown(_desk(request).clinic)}
    return render(request, "monitoring/sheet_rows.html", page)


@require_GET
def sheet_found(request: HttpRequest) -> HttpResponse:
    """The patients that a beginning may mean."""
    if not request.user.is_authenticated:
        return _signed_out_briefly()
    desk = _desk(request)
    words = request.GET.get("q", "").strip()[:80]
    found = found_patients(words, desk.staff, desk.clinic) if words else []
    names = [str(patient) for patient in found]
    options = [(patient, names.count(str(patient)) > 1) for patient in found[:FOUND]]
    page = {
        "options": options,
        "more": len(found) > FOUND,
        "most": FOUND,
        "words": words,
        "row": request.GET.get("row", "0")[:4],
    }
    return render(request, "monitoring/sheet_found.html", page)


def _desk(request: HttpRequest) -> Desk:
    """The clinic that is asked for, or the person's first one; to those who log nothing the sheet does not exist."""
    staff = staff_of(request)
    mine = clinics_of(staff, "record_result").order_by("name", "pk")
    if slug := request.POST.get("clinic") or request.GET.get("clinic"):
        mine = mine.filter(slug=slug)
    clinic = get_object_or_404(mine[:1])
    return Desk(staff, clinic, timezone.now(), colleague_choices(staff, clinic), request)


def _keep(desk: Desk, rows: Mapping[int, TypedRow]) -> None:
    unsaved = [without_secrets(row) for row in rows.values() if is_typed(row)]
    emptied = {row.get("entry", "") for row in rows.values() if not is_typed(row)}
    keep_draft(clinic=desk.clinic, rows=unsaved, emptied=emptied, by=desk.staff, now=desk.now)


def _page(request: HttpRequest, desk: Desk, rows: list[Row]) -> HttpResponse:
    last = max((row.number for row in rows), default=0)
    free = min(EMPTY_ROWS, max(MOST_ROWS - len(rows), 1))
    today = desk.now.astimezone(desk.clinic.zone).date()
    first = {} if rows else {"drawn_on": today}
    more = [
        Row(number, empty_form(number, **(first if number == 1 else {}))) for number in range(last + 1, last + free + 1)
    ]
    page = {
        "clinic": desk.clinic,
        "clinics": list(clinics_of(desk.staff, "record_result").order_by("name", "pk")),
        "unit": unit_shown(desk.clinic),
        "unit_in_words": unit_in_words(desk.clinic),
        "rows": [*rows, *more],
        "states": {state: sum(row.state == state for row in rows) for state in ("saved", "judged", "asked", "refused")},
        "ready": sum(row.state in ("judged", "asked", "changed") for row in rows),
    }
    return render(request, "monitoring/sheet.html", page)


def _signed_out(request: HttpRequest) -> HttpResponse:
    """A session that ends in the middle of a morning loses nothing: the typed rows go through the sign-in."""
    if request.method != "POST":
        return redirect_to_login(request.get_full_path())
    form = AuthenticationForm(request, data=request.POST if "username" in request.POST else None)
    if form.is_bound and form.is_valid():
        login(request, form.get_user())
        return _sheet(request, save=False)
    typed = [
        (name, value)
        for name, value in request.POST.items()
        if name not in SIGNING_IN and not name.endswith(NEVER_KEPT)
    ]
    return render(request, "monitoring/sheet_signed_out.html", {"form": form, "typed": typed}, status=401)


def _signed_out_briefly() -> HttpResponse:
    return HttpResponse("You are signed out.", status=401, content_type="text/plain")
