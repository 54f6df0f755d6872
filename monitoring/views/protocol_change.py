"""Another protocol for a whole clinic: ask, see who changes how, sign, and watch it being carried out."""

from collections import Counter

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from monitoring.actions.carrying_on import ask_worker, cancel_change, confirm_change, go_on, works
from monitoring.actions.foreseeing import begin_change, counts_of
from monitoring.doors import changes_of
from monitoring.keyset import Order, id_of, page_of
from monitoring.models import ChangeRow, Kind, ProtocolChange, RowState
from monitoring.protocol_forms import AskForm, SignForm
from monitoring.rules.errors import InputError
from monitoring.rules.protocols import PROTOCOLS
from monitoring.views.finding import address_of, signed_in_part, staff_of
from monitoring.views.protocol_words import advice_changes, as_csv, consequences, line_changes, shown, tabs
from patients import audit
from patients.access import clinics_of, may

VERB, SIGNS = "foresee_protocol", "change_protocol"
RECENT, MOST = 20, 50
PATIENT_SECONDS = 10.0
"""Without JavaScript one press of the button goes on for so long."""
BY_ID = Order(("id",), (id_of,))


def _found(request: HttpRequest, change_id: int, verb: str = VERB) -> ProtocolChange:
    return get_object_or_404(changes_of(staff_of(request), verb), pk=change_id)


@login_required
def protocol_changes(request: HttpRequest) -> HttpResponse:
    """The last changes, and the form that asks for a preview. A preview changes nothing."""
    staff = staff_of(request)
    clinics = list(clinics_of(staff, VERB).order_by("name", "pk"))
    if not clinics:
        raise Http404
    form = AskForm(request.POST or None, clinics=clinics)
    if request.method == "POST" and form.is_valid():
        given, now = form.cleaned_data, timezone.now()
        try:
            change = begin_change(
                clinic=form.clinics[given["clinic"]], protocol_key=given["protocol_key"], reason=given["reason"],
                by=staff, now=now, ip=address_of(request),
            )  # fmt: skip
        except InputError as error:
            form.add_error(error.field, f"{error.message[:1].upper()}{error.message[1:]}.")
        else:
            if works(go_on(change.pk, clock=timezone.now)):
                ask_worker(change)
            return redirect("protocol_change", change.pk)
    page = {"form": form, "recent": [_named(one) for one in changes_of(staff, VERB).order_by("-asked_at")[:RECENT]]}
    return render(request, "monitoring/protocol/changes.html", page)


def _named(change: ProtocolChange) -> tuple[ProtocolChange, str]:
    return change, PROTOCOLS[change.protocol_key].title


@login_required
def protocol_change(request: HttpRequest, change_id: int) -> HttpResponse:
    """Where a change stands: its progress, its preview, or what became of everybody."""
    return _page(request, _found(request, change_id), SignForm())


def _page(request: HttpRequest, change: ProtocolChange, form: SignForm) -> HttpResponse:
    protocol, counts = PROTOCOLS[change.protocol_key], counts_of(change)
    found = tabs(change, counts)
    show = request.GET.get("show", "")
    show = show if show in {tab.word for tab in found} else found[0].word if found else ""
    page = {
        "change": change,
        "protocol": protocol,
        "unread": not protocol.sources["*"].verified,
        "works": works(change),
        "form": form,
        "signs": may(staff_of(request), SIGNS, change.clinic_id),
        "tabs": found,
        "show": show,
        "advice_changes": advice_changes(counts),
        "line_changes": line_changes(counts),
        "consequences": consequences(change, counts),
        "days_old": (timezone.now() - change.foreseen_at).days if change.foreseen_at else 0,
    }
    return render(
        request, "monitoring/protocol/change.html", page | _listed(request, change, show) | _so_far(change, counts)
    )


def _listed(request: HttpRequest, change: ProtocolChange, show: str) -> dict[str, object]:
    """One page of the chosen list. Who has left the clinic since is not shown here."""
    rows = change.rows.filter(treatment__clinic=change.clinic_id)
    chosen = rows.filter(state=RowState.REFUSED) if show == "refused" else rows.filter(kind=show)
    page = page_of([chosen], BY_ID, request.GET.get("after", ""), size=MOST)
    found = ChangeRow.objects.filter(pk__in=page.ids).select_related("treatment__patient").order_by("pk")
    return {"page": page, "rows": [shown(row) for row in found]}


def _so_far(change: ProtocolChange, counts: Counter[str]) -> dict[str, object]:
    """How far it is."""
    if change.confirmed_at is None:
        return {"done": sum(counts[f"kind:{kind}"] for kind in Kind), "total": change.patients}
    total = sum(counts[f"kind:{kind}"] for kind in Kind)
    waiting = 0 if change.finished_at else change.rows.filter(state=RowState.FORESEEN).count()
    return {"done": total - waiting, "total": total}


@signed_in_part
@require_POST
def go_on_protocol(request: HttpRequest, change_id: int) -> HttpResponse:
    """Do the next part, and say how far it is; every worker may be dead."""
    change = _found(request, change_id)
    asked_by_htmx = "HX-Request" in request.headers
    if asked_by_htmx:
        change = go_on(change.pk, clock=timezone.now)
    else:
        change = go_on(change.pk, clock=timezone.now, seconds=PATIENT_SECONDS)
        return redirect("protocol_change", change.pk)
    page = {"change": change} | _so_far(change, counts_of(change))
    answer = render(request, "monitoring/protocol/so_far.html", page)
    if not works(change):
        answer["HX-Refresh"] = "true"
    return answer


@login_required
@require_POST
@sensitive_post_parameters("password")
def confirm_protocol(request: HttpRequest, change_id: int) -> HttpResponse:
    """A prescriber signs with the password: from now on patients are switched."""
    change, by = _found(request, change_id, SIGNS), staff_of(request)
    form = SignForm(request.POST)
    if not form.is_valid():
        return _page(request, change, form)
    if authenticate(request, username=by.get_username(), password=form.cleaned_data["password"]) != by:
        form.add_error("password", "That is not your password. Nothing is changed.")
        return _page(request, change, form)
    try:
        confirm_change(change=change, by=by, now=timezone.now(), ip=address_of(request))
    except InputError as error:
        messages.error(request, f"{error.message[:1].upper()}{error.message[1:]}.")
        return redirect("protocol_change", change.pk)
    if works(go_on(change.pk, clock=timezone.now)):
        ask_worker(change)
    return redirect("protocol_change", change.pk)


@login_required
@require_POST
def cancel_protocol(request: HttpRequest, change_id: int) -> HttpResponse:
    """Go no further; a switch under way is a prescriber's to stop."""
    change = _found(request, change_id)
    if change.confirmed_at is not None:
        change = _found(request, change_id, SIGNS)
    if cancel_change(change=change, by=staff_of(request), now=timezone.now(), ip=address_of(request)):
        messages.success(request, "The change is stopped. Who was switched before stays switched.")
    return redirect("protocol_change", change.pk)


@login_required
@require_GET
def protocol_change_csv(request: HttpRequest, change_id: int) -> StreamingHttpResponse:
    """Every row as CSV, written while it is read."""
    change = _found(request, change_id)
    audit.record(
        "protocol_change_downloaded", by=staff_of(request), now=timezone.now(), clinic_id=change.clinic_id,
        subject=f"protocol_change:{change.pk}", ip=address_of(request),
    )  # fmt: skip
    answer = StreamingHttpResponse(as_csv(change), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="protocol-change-{change.pk}.csv"'
    return answer
