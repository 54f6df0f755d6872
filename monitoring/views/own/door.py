"""The door to a person's own page: a link that is theirs alone, and a code that goes where the link went.

A link that has ended, was revoked, or whose number is no longer agreed to opens the same empty page as one that never
was, so that nothing is learnt from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import override

from monitoring.doors import treatment_behind
from monitoring.models import Treatment
from patients.actions import token_hash
from patients.consenting import Person, holds, latest_consents, wishes_of
from patients.reaching import FrontDesk, OwnLink, Wishes

OPEN_FOR = timedelta(minutes=30)
OPENED = "own_pages"
NEVER_KEPT = ("csrfmiddlewaretoken", "code", "born")
"""Of what was not sent; a code is too old by then, and a day of birth does not rest in a page."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who came through the door, and what their pages need."""

    token: str
    link: OwnLink
    person: Person
    treatment: Treatment
    wishes: Wishes
    desk: FrontDesk
    now: datetime

    @property
    def is_patient(self) -> bool:
        """Not somebody who helps."""
        return self.person.carer is None


@dataclass(frozen=True, slots=True)
class Unsent:
    """What came to a page that had closed: nothing of it is done. It goes through the code in their browser alone."""

    to: str
    """The name of the page, as in the addresses."""
    said: dict[str, str]


Page = Callable[..., HttpResponse]


def own_page(page: Page) -> Page:
    """Only for whoever has the link and has typed the code in this browser within the last half hour."""

    @wraps(page)
    def answer(request: HttpRequest, token: str, **more: Any) -> HttpResponse:
        guest = guest_of(token, "page", now=timezone.now())
        if guest is None:
            return over(request)
        with override(guest.wishes.language), timezone.override(guest.treatment.clinic.zone):
            if not opened(request, guest):
                return gate(request, guest, unsent=_unsent(request, page.__name__))
            return page(request, guest, **more)

    return answer


def _unsent(request: HttpRequest, to: str) -> Unsent | None:
    if request.method != "POST":
        return None
    return Unsent(to, {name: str(said) for name, said in request.POST.items() if name not in NEVER_KEPT})


def guest_of(token: str, purpose: str, *, now: datetime) -> Guest | None:
    """Whose link this is, while it opens anything."""
    links = OwnLink.objects.select_related("patient__clinic", "carer")
    link = links.filter(token_hash=token_hash(token), purpose=purpose).first()
    if link is None or not link.open(now):
        return None
    person = Person(link.patient, link.carer)
    consent = latest_consents(person).get(link.channel)
    if consent is None or not holds(consent) or consent.address != link.address:
        return None
    treatment = treatment_behind(link)
    if treatment is None:
        return None
    clinic = treatment.clinic
    desk = FrontDesk.objects.filter(clinic=clinic).first() or FrontDesk(clinic=clinic)
    return Guest(token, link, person, treatment, wishes_of(person), desk, now)


def opened(request: HttpRequest, guest: Guest) -> bool:
    """Whether the code was typed in this browser lately."""
    at = request.session.get(OPENED, {}).get(str(guest.link.pk))
    return at is not None and guest.now - datetime.fromisoformat(at) < OPEN_FOR


def let_in(request: HttpRequest, link_pk: int, now: datetime) -> None:
    """The code was right: this browser may look for a while."""
    request.session.cycle_key()
    request.session[OPENED] = {str(link_pk): now.isoformat()}


def stay_in(request: HttpRequest, before: int, after: int) -> None:
    """Another link for whoever is in already; they may look no longer than by the earlier one."""
    at = request.session[OPENED][str(before)]
    request.session.cycle_key()
    request.session[OPENED] = {str(after): at}


def gate(
    request: HttpRequest, guest: Guest, *, sent: bool = False, wrong: str = "", unsent: Unsent | None = None
) -> HttpResponse:
    """Nothing about anybody: where the code goes is not said either. What was not sent is said, and kept with them."""
    page = {
        "token": guest.token, "desk": guest.desk, "sent": sent, "wrong": wrong, "wishes": guest.wishes,
        "unsent": unsent,
    }  # fmt: skip
    return render(request, "monitoring/own/gate.html", page, status=400 if wrong else 401 if unsent else 200)


def over(request: HttpRequest) -> HttpResponse:
    """The same for every link that opens nothing."""
    return render(request, "monitoring/own/over.html", status=404)


def shown(request: HttpRequest, guest: Guest, template: str, **more: object) -> HttpResponse:
    """One of their pages."""
    page = {
        "token": guest.token, "guest": guest, "desk": guest.desk, "wishes": guest.wishes, "treatment": guest.treatment,
        "now": guest.now,
    }  # fmt: skip
    return render(request, f"monitoring/own/{template}.html", page | more)
