"""The code at the door: asked for, typed, and what could not be sent before it shown again."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, override

from monitoring.reminding.agreeing import send_code
from monitoring.views.finding import address_of
from monitoring.views.own.choices import choose_again
from monitoring.views.own.door import Guest, Unsent, gate, guest_of, let_in, over
from monitoring.views.own.unwell import ask_again
from patients.consenting import ReachingError, use_code

AGAIN: Mapping[str, Callable[[HttpRequest, Guest, Mapping[str, str]], HttpResponse]] = {
    "own_unwell": ask_again,
    "own_choices": choose_again,
}
"""Pages with something to fill in: filled in again, and sent only by a press."""
ONE_BUTTON = ("own_drawn", "own_calendar")
"""Pages that are one question with one button."""


def own_code(request: HttpRequest, token: str) -> HttpResponse:
    """POST asks for a code or brings it."""
    guest = guest_of(token, "page", now=timezone.now())
    if guest is None:
        return over(request)
    with override(guest.wishes.language), timezone.override(guest.treatment.clinic.zone):
        if request.method != "POST":
            return redirect("own", token)
        unsent = _brought(request)
        if "code" not in request.POST:
            return _send(request, guest, unsent)
        try:
            use_code(
                person=guest.person, channel=guest.link.channel, address=guest.link.address, purpose="open",
                typed=request.POST["code"], now=guest.now, ip=address_of(request),
            )  # fmt: skip
        except ReachingError:
            wrong = gettext("This code is not right, or it is too old. Look again, or ask for a new one.")
            return gate(request, guest, sent=True, wrong=wrong, unsent=unsent)
        let_in(request, guest.link.pk, guest.now)
        return _go_on(request, guest, unsent)


def _brought(request: HttpRequest) -> Unsent | None:
    """What the gate gave them to carry."""
    to, kept, post = request.POST.get("to", ""), "kept-", request.POST.items()
    if not to:
        return None
    return Unsent(to, {name.removeprefix(kept): str(said) for name, said in post if name.startswith(kept)})


def _go_on(request: HttpRequest, guest: Guest, unsent: Unsent | None) -> HttpResponse:
    if unsent is not None and unsent.to in AGAIN:
        return AGAIN[unsent.to](request, guest, unsent.said)
    return redirect(unsent.to if unsent is not None and unsent.to in ONE_BUTTON else "own", guest.token)


def _send(request: HttpRequest, guest: Guest, unsent: Unsent | None) -> HttpResponse:
    try:
        send_code(person=guest.person, channel=guest.link.channel, purpose="open", now=guest.now)
    except ReachingError:
        wrong = gettext("We have sent several codes. Please wait a quarter of an hour, or call us.")
        return gate(request, guest, sent=True, wrong=wrong, unsent=unsent)
    return gate(request, guest, sent=True, unsent=unsent)
