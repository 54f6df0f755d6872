"""How one is told of alerts: channels for each severity, one's telephone, browsers and webhook. Everybody's own."""

from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from monitoring.actions.reaching import (
    add_browser,
    add_phone,
    add_webhook,
    choose_channels,
    confirm_way,
    remove_way,
    usable,
    wished,
)
from monitoring.alerts import FAMILY_BY_SEVERITY
from monitoring.models import Channel, Severity, Way
from monitoring.reaching_forms import BrowserForm, CodeForm, PhoneForm, WebhookForm, WishesForm
from monitoring.rules.errors import InputError
from monitoring.views.finding import address_of, staff_of
from monitoring.views.two_steps import confirm_page, confirmed, typed
from notifications.channels.webhook import signing_key
from notifications.channels.webpush import set_up as push_set_up
from patients.models import DEFAULT_POLICIES, Staff

WORKER = settings.BASE_DIR / "clozatrack" / "static" / "clozatrack" / "push-worker.js"
LABELS = dict(Channel.choices)
Add = tuple[type[Form], Callable[..., Way]]
ADDING: Mapping[str, Add] = {
    "phone": (PhoneForm, add_phone),
    "webhook": (WebhookForm, add_webhook),
    "browser": (BrowserForm, add_browser),
}


@login_required
def own_messages(request: HttpRequest) -> HttpResponse:
    """The page; a changed choice is shown with what it means and made when that is confirmed."""
    staff = staff_of(request)
    form = WishesForm(request.POST or None, can=usable(staff), wished=wished(staff))
    if typed(request, form):
        chosen = form.chosen()
        lines = _consequences(staff, chosen)
        if not lines:
            messages.info(request, "Nothing was changed: everything is as it was.")
            return redirect("own_messages")
        if confirmed(request) and _chosen(request, staff, form):
            return redirect("own_messages")
        if not form.errors:
            return confirm_page(
                request, title="Change how you are told?", form=form, consequences=lines, go_on="Change it so",
                back=reverse("own_messages"),
            )  # fmt: skip
    return _page(request, {"wishes": form})


@login_required
@require_POST
def add_way(request: HttpRequest, kind: str) -> HttpResponse:
    """A telephone, a webhook or this browser: a code goes there, and nothing else until it is typed."""
    if kind not in ADDING or not _set_up()[kind]:
        raise Http404
    make, add = ADDING[kind]
    form: Form = make(request.POST)
    if form.is_valid():
        try:
            add(staff=staff_of(request), now=timezone.now(), ip=address_of(request), **form.cleaned_data)
        except InputError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, "A code is on its way there. Type it below within 15 minutes.")
            return redirect("own_messages")
    return _page(request, {kind: form})


@login_required
@require_POST
def confirm_code(request: HttpRequest, way_id: int) -> HttpResponse:
    """The code that came through one of one's own ways."""
    way = get_object_or_404(Way.objects.filter(staff=staff_of(request)).standing(), pk=way_id)
    form = CodeForm(request.POST, auto_id=f"id_{way.pk}_%s")
    if form.is_valid():
        try:
            confirm_way(way=way, now=timezone.now(), ip=address_of(request), **form.cleaned_data)
        except InputError as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, f"{way.shown} is confirmed. Choose above which alerts come there.")
            return redirect("own_messages")
    return _page(request, code_of=way.pk, code=form)


@login_required
@require_POST
def end_way(request: HttpRequest, way_id: int) -> HttpResponse:
    """No more messages there."""
    way = get_object_or_404(Way.objects.filter(staff=staff_of(request)).standing(), pk=way_id)
    try:
        remove_way(way=way, now=timezone.now(), ip=address_of(request))
    except InputError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{way.shown} gets no more messages.")
    return redirect("own_messages")


@require_GET
@cache_control(no_cache=True, public=True)
def push_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root, so that it may open any page of ours; it holds no one's words."""
    return HttpResponse(Path(WORKER).read_bytes(), content_type="text/javascript; charset=utf-8")


def _page(
    request: HttpRequest, forms: Mapping[str, Form] | None = None, *, code_of: int = 0, code: Form | None = None
) -> HttpResponse:
    """Everything anew, but for the form that was just typed into."""
    staff = staff_of(request)
    ways = [
        (way, LABELS[way.channel], _key(way), code if way.pk == code_of else CodeForm(auto_id=f"id_{way.pk}_%s"))
        for way in Way.objects.filter(staff=staff).standing().select_related("subscription")
    ]
    page = {
        "ways": ways,
        "wishes": WishesForm(can=usable(staff), wished=wished(staff)),
        "phone": PhoneForm(),
        "webhook": WebhookForm(),
        "browser": BrowserForm(),
        "public_key": settings.WEBPUSH["public_key"],
        "set_up": _set_up(),
    }
    return render(request, "monitoring/own_messages.html", page | dict(forms or {}))


def _key(way: Way) -> str:
    """With what a webhook's messages are signed; for its owner's eyes."""
    return signing_key(way.address) if way.channel == Channel.WEBHOOK and way.confirmed_at else ""


def _set_up() -> dict[str, bool]:
    """Which channels this installation has."""
    return {
        "phone": all(settings.SMS[name] for name in ("account", "token", "sender")),
        "webhook": bool(settings.WEBHOOK_SECRET),
        "browser": push_set_up(),
    }


def _chosen(request: HttpRequest, staff: Staff, form: WishesForm) -> bool:
    try:
        choose_channels(staff=staff, wishes=form.chosen(), now=timezone.now(), ip=address_of(request))
    except InputError as error:
        form.add_error(error.field, error.message)
        return False
    messages.success(request, "Changed. It holds from the next alert on.")
    return True


def _consequences(staff: Staff, chosen: dict[int, list[str]]) -> list[str]:
    before, lines = wished(staff), []
    for severity, channels in chosen.items():
        if channels == before[severity]:
            continue
        name, family = Severity(severity).label, FAMILY_BY_SEVERITY[severity]
        hours = DEFAULT_POLICIES[f"escalate_{family}_minutes"] / 60
        if channels:
            lines.append(f"{name} alerts reach you by {' and '.join(LABELS[channel] for channel in channels)}.")
        else:
            wait = f"{hours:g} hour{'' if hours == 1 else 's'}"
            lines.append(
                f"{name} alerts are not sent to you: you see them when you sign in. Unanswered, they go on to your"
                f" deputy and to on-call, by default after {wait}."
            )
    return lines
