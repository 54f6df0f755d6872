"""The main places of the product, for whoever may go there."""

from functools import partial

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from monitoring.alarms import alarms
from patients.access import verbs_of
from patients.models import Staff

PLACES = (
    ("Today", "today", "see_patients"),
    ("Supply", "counter", "dispense"),
    ("Log results", "sheet", "record_result"),
    ("Alerts", "alerts", "see_patients"),
    ("Import", "import_results", "import_results"),
    ("Register", "register", "register"),
    ("Transfers", "transfers", "transfer"),
    ("Messages", "deliveries", "see_deliveries"),
    ("Reports", "reports", "see_reports"),
    ("Manual", "manual", "read_manual"),
    ("My duty", "duty", "read_manual"),
    ("Settings", "settings", "set_up_clinic"),
    ("Audit trail", "audit_trail", "read_audit"),
)  # fmt: skip
"""What the link says, the page's name, and the verb that opens it."""


def open_to(verbs: set[str]) -> list[tuple[str, str]]:
    """The places for these verbs: what the link says, and its address."""
    return [(label, reverse(name)) for label, name, verb in PLACES if verb in verbs]


def places(request: HttpRequest) -> dict[str, object]:
    """For every page's head: the places that this person may go to."""
    if not isinstance(request.user, Staff):
        return {}
    verbs = verbs_of(request.user)
    shown = open_to(verbs)
    # Asked for only by templates that show them.
    standing = SimpleLazyObject(partial(alarms, request.user, verbs, now=timezone.now()))
    return {"places": [(label, address, request.path == address) for label, address in shown], "alarms": standing}
