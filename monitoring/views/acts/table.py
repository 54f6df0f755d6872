"""Every act by its name in the address, and which of them fit a treatment as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.models import Treatment
from monitoring.models.limits import agreements_of
from monitoring.rules.plausible import dosing
from monitoring.views.acts.booking import BookForm, CancelBookingForm
from monitoring.views.acts.deciding import (
    BenForm,
    ConfirmBenForm,
    FeverForm,
    HospiceForm,
    ProtocolForm,
    RechallengeForm,
)
from monitoring.views.acts.dose import DoseForm
from monitoring.views.acts.dosing import InterruptForm, RestartForm, StartForm, StopForm
from monitoring.views.acts.form import ActForm
from monitoring.views.acts.limits import EndLimitsForm, LimitsForm
from monitoring.views.acts.mending import CorrectForm, TakeBackForm, TakeBackResultForm
from monitoring.views.acts.people import ContactForm, MergeForm, UndoMergeForm
from monitoring.views.acts.reaching import (
    CarerForm,
    ConsentForm,
    EndCarerForm,
    EndConsentForm,
    OwnLinkForm,
    RevokeLinksForm,
    WishesForm,
)
from patients.access import MAY
from patients.models import Staff

_CLINICAL: Mapping[str, type[ActForm]] = {
    "start": StartForm,
    "dose": DoseForm,
    "interrupt": InterruptForm,
    "restart": RestartForm,
    "stop": StopForm,
    "fever": FeverForm,
    "book": BookForm,
    "cancel-booking": CancelBookingForm,
    "correct": CorrectForm,
    "error": TakeBackResultForm,
    "void": TakeBackForm,
    "ben": BenForm,
    "confirm-ben": ConfirmBenForm,
    "rechallenge": RechallengeForm,
    "hospice": HospiceForm,
    "protocol": ProtocolForm,
    "limits": LimitsForm,
    "end-limits": EndLimitsForm,
    "contact": ContactForm,
    "merge": MergeForm,
    "undo-merge": UndoMergeForm,
}
_REACHING: Mapping[str, type[ActForm]] = {
    "consent": ConsentForm,
    "end-consent": EndConsentForm,
    "wishes": WishesForm,
    "carer": CarerForm,
    "end-carer": EndCarerForm,
    "own-link": OwnLinkForm,
    "revoke-links": RevokeLinksForm,
}
"""Offered on the page of reminders, not in the groups below."""
ACTS: Mapping[str, type[ActForm]] = {**_CLINICAL, **_REACHING}
GROUPS = (
    ("Doses", ("start", "dose", "interrupt", "restart", "stop", "fever")),
    ("Blood tests", ("book", "cancel-booking")),
    ("Decisions", ("ben", "confirm-ben", "rechallenge", "hospice", "protocol", "limits", "end-limits")),
    ("Mistakes", ("correct", "error", "void")),
    ("Person", ("contact", "merge", "undo-merge")),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that fits now."""

    name: str
    title: str
    lead: str


def acts_for(treatment: Treatment, staff: Staff) -> list[tuple[str, list[Offer]]]:
    """The acts that fit this treatment and that this person may do, in their groups."""
    roles = set(staff.memberships.filter(clinic=treatment.clinic_id, active=True).values_list("role", flat=True))
    fitting = _fitting(treatment)
    found = []
    for group, names in GROUPS:
        offers = [
            Offer(name, ACTS[name].title, ACTS[name].lead)
            for name in names
            if name in fitting and roles & set(MAY[ACTS[name].verb])
        ]
        if offers:
            found.append((group, offers))
    return found


def _fitting(treatment: Treatment) -> set[str]:
    known = treatment.every_event() if treatment.events_read is None else treatment.events_read
    events = [event.as_event(treatment.clinic) for event in known if event.stands()]
    doses = dosing(events, treatment.clinic.zone)
    begun, last = any(event.kind == "first_dose" for event in doses), doses[-1] if doses else None
    off = last is not None and last.kind == "last_dose"
    waits = treatment.ben_proposals.filter(answered_at=None).exists()
    fits = {
        "start": not begun,
        "dose": begun and not off,
        "interrupt": begun and not off,
        "restart": begun and (off or treatment.advice in ("interrupt", "stop", "may_resume")),
        "stop": begun and not (last and last.stop),
        "fever": begun,
        "cancel-booking": treatment.bookings.filter(ended_at=None).exists(),
        "correct": treatment.latest_draw_at is not None,
        "error": treatment.latest_draw_at is not None,
        "void": bool(events),
        "ben": treatment.ben is None and not waits,
        "confirm-ben": waits,
        "rechallenge": treatment.advice == "stop",
        "hospice": begun and not any(event.kind == "hospice_agreed" for event in events),
        "end-limits": any(one.ended_at is None for one in agreements_of(treatment)),
        "undo-merge": len(treatment.records) > 1,
    }
    return {name for name in ACTS if fits.get(name, True)}
